/* SpcIndirectDataContent.
 *
 * SpcIndirectDataContent ::= SEQUENCE { SEQUENCE { type OID, value ANY OPTIONAL },
 *                                       DigestInfo SEQUENCE { AlgorithmIdentifier, OCTET STRING } }
 * SpcPeImageData   ::= SEQUENCE { flags BIT STRING, file [0] EXPLICIT SpcLink OPTIONAL }
 * SpcLink          ::= CHOICE { url [0] IA5String, moniker [1] SpcSerializedObject,
 *                               file [2] EXPLICIT SpcString }
 * SpcSerializedObject ::= SEQUENCE { classId OCTET STRING, serializedData OCTET STRING }
 * serializedData holds   SET { SEQUENCE { OID, SET { OCTET STRING } } }: page hashes and the like
 * SpcSipInfo       ::= SEQUENCE { version INTEGER, GUID OCTET STRING, five INTEGERs } */

#include "verify/authenticode.h"

#include <inttypes.h>
#include <string.h>

#define SIP_INTEGERS 5
#define OID_TEXT_ROOM 64

static const uint8_t hashes_class[16] = { 0xA6, 0xB5, 0x86, 0xD5, 0xB4, 0xA1, 0x24, 0x66,
                                          0xAE, 0x05, 0xA2, 0x17, 0xDA, 0x8E, 0x60, 0xD6 };

/* --- the digest */

static enum errc read_digest_info(struct reader *r, struct spc *out, struct err *err)
{
    struct reader in;
    struct span oid;
    enum errc e = der_enter(r, DER_SEQUENCE, "DigestInfo", &in, err);
    if (e == E_OK)
        e = cms_read_digest_alg(&in, "DigestInfo algorithm", &oid, err);
    if (e == E_OK)
        e = der_read_octets(&in, "DigestInfo digest", &out->digest, err);
    if (e == E_OK)
        e = der_end(&in, "DigestInfo", err);
    if (e != E_OK)
        return e;
    char text[OID_TEXT_ROOM];
    out->digest_alg = oid_digest(oid_of(oid));
    if (out->digest_alg == DIGEST_NONE)
        return err_set(err, E_UNSUPPORTED, "the file's digest algorithm %s is not judged here",
                       oid_text(oid, text, sizeof(text)));
    if (out->digest.len != digest_len(out->digest_alg))
        return err_set(err, E_MALFORMED, "a %s digest of the file of %zu bytes",
                       digest_word(out->digest_alg), out->digest.len);
    return E_OK;
}

/* --- objects in a link */

/* read_object reads the only value of the only attribute in the serialized data. */
static enum errc read_object(const struct der *serialized, enum oid *out_type,
                             struct span *out_octets, struct err *err)
{
    struct reader r = der_inside(serialized);
    struct reader set, attr, values;
    struct span oid;
    enum errc e = der_check_exact(r.rest, r.at, "SpcSerializedObject data", err);
    if (e == E_OK)
        e = der_enter(&r, DER_SET, "SpcSerializedObject data", &set, err);
    if (e == E_OK)
        e = der_end(&r, "SpcSerializedObject data", err);
    if (e == E_OK)
        e = der_enter(&set, DER_SEQUENCE, "SpcSerializedObject data", &attr, err);
    if (e == E_OK)
        e = der_end(&set, "SpcSerializedObject data of one kind", err);
    if (e == E_OK)
        e = der_read_oid(&attr, "SpcSerializedObject data type", &oid, err);
    if (e == E_OK)
        e = der_enter(&attr, DER_SET, "SpcSerializedObject data values", &values, err);
    if (e == E_OK)
        e = der_end(&attr, "SpcSerializedObject data", err);
    if (e == E_OK)
        e = der_read_octets(&values, "SpcSerializedObject data value", out_octets, err);
    if (e == E_OK)
        e = der_end(&values, "SpcSerializedObject data of one value", err);
    if (e == E_OK)
        *out_type = oid_of(oid);
    return e;
}

/* read_moniker: an SpcSerializedObject of the one class that holds hashes. */
static enum errc read_moniker(const struct der *link, enum oid *out_type, struct span *out_octets,
                              struct err *err)
{
    struct reader r = der_inside(link);
    struct der class_id, serialized;
    enum errc e = der_read(&r, DER_OCTET_STRING, "SpcSerializedObject class", &class_id, err);
    if (e == E_OK)
        e = der_read(&r, DER_OCTET_STRING, "SpcSerializedObject data", &serialized, err);
    if (e == E_OK)
        e = der_end(&r, "SpcSerializedObject", err);
    if (e != E_OK)
        return e;
    if (!span_equal(class_id.content, span_of(hashes_class, sizeof(hashes_class))))
        return err_set(err, E_MALFORMED, "SpcSerializedObject of an unknown class at %" PRIu64,
                       class_id.at);
    return read_object(&serialized, out_type, out_octets, err);
}

/* --- PE: page hashes */

static enum errc read_page_hashes(const struct der *link, struct spc *out, struct err *err)
{
    enum oid type = OID_UNKNOWN;
    enum errc e = read_moniker(link, &type, &out->page_hashes, err);
    if (e != E_OK)
        return e;
    switch (type) {
    case OID_SPC_PAGE_HASHES_V1: out->page_alg = DIGEST_SHA1; return E_OK;
    case OID_SPC_PAGE_HASHES_V2: out->page_alg = DIGEST_SHA256; return E_OK;
    default:
        return err_set(err, E_MALFORMED, "page hashes of an unknown kind at %" PRIu64, link->at);
    }
}

static enum errc read_pe_image_data(struct reader *r, struct spc *out, struct err *err)
{
    struct reader in, file;
    struct der flags, link;
    enum errc e = der_enter(r, DER_SEQUENCE, "SpcPeImageData", &in, err);
    if (e == E_OK)
        e = der_read(&in, DER_BIT_STRING, "SpcPeImageData flags", &flags, err);
    if (e != E_OK || reader_is_done(&in))
        return e;
    e = der_enter(&in, DER_CONTEXT_CONSTRUCTED(0), "SpcPeImageData file", &file, err);
    if (e == E_OK)
        e = der_end(&in, "SpcPeImageData", err);
    if (e == E_OK)
        e = der_read_any(&file, "SpcLink", &link, err);
    if (e == E_OK)
        e = der_end(&file, "SpcLink", err);
    if (e == E_OK && link.tag == DER_CONTEXT_CONSTRUCTED(1))
        e = read_page_hashes(&link, out, err);
    return e;
}

/* --- cabinets that are signed with page hashes: a link with one more hash, of what is not
 * published. Nothing here compares it; DigestInfo covers the cabinet. */

static enum errc read_link(struct reader *r, struct err *err)
{
    struct der link;
    struct span hash;
    enum oid type = OID_UNKNOWN;
    enum errc e = der_read(r, DER_CONTEXT_CONSTRUCTED(1), "SpcLink", &link, err);
    if (e == E_OK)
        e = read_moniker(&link, &type, &hash, err);
    if (e == E_OK && type != OID_SPC_ENHANCED_HASH)
        e = err_set(err, E_MALFORMED, "SpcLink: a hash of an unknown kind at %" PRIu64, link.at);
    return e;
}

/* --- everything else: SpcSipInfo */

static enum errc read_sip_info(struct reader *r, struct spc *out, struct err *err)
{
    struct reader in;
    struct span guid, number;
    enum errc e = der_enter(r, DER_SEQUENCE, "SpcSipInfo", &in, err);
    if (e == E_OK)
        e = der_read_integer(&in, "SpcSipInfo version", &number, err);
    if (e == E_OK)
        e = der_read_octets(&in, "SpcSipInfo GUID", &guid, err);
    for (size_t i = 0; e == E_OK && i < SIP_INTEGERS; i++)
        e = der_read_integer(&in, "SpcSipInfo number", &number, err);
    if (e == E_OK)
        e = der_end(&in, "SpcSipInfo", err);
    if (e == E_OK && guid.len != sizeof(out->sip_guid))
        e = err_set(err, E_MALFORMED, "SpcSipInfo: a GUID of %zu bytes", guid.len);
    if (e == E_OK)
        memcpy(out->sip_guid, guid.ptr, sizeof(out->sip_guid));
    return e;
}

/* read_type leaves the value of a type that binds to no kind of ours unread: nothing fits it. */
static enum errc read_type(struct reader *r, struct spc *out, struct err *err)
{
    struct reader in;
    struct span oid;
    struct der value;
    enum errc e = der_enter(r, DER_SEQUENCE, "SpcAttributeTypeAndOptionalValue", &in, err);
    if (e == E_OK)
        e = der_read_oid(&in, "SpcIndirectDataContent type", &oid, err);
    if (e != E_OK)
        return e;
    out->type = oid_of(oid);
    if (out->type == OID_SPC_PE_IMAGE_DATA)
        e = read_pe_image_data(&in, out, err);
    else if (out->type == OID_SPC_SIP_INFO)
        e = read_sip_info(&in, out, err);
    else if (out->type == OID_SPC_LINK)
        e = read_link(&in, err);
    else if (!reader_is_done(&in))
        e = der_read_any(&in, "SpcIndirectDataContent value", &value, err);
    if (e == E_OK)
        e = der_end(&in, "SpcAttributeTypeAndOptionalValue", err);
    return e;
}

enum errc spc_read(struct span content, uint64_t at, struct spc *out, struct err *err)
{
    struct reader r = reader_of(content, at);
    struct spc spc = { .type = OID_UNKNOWN };
    enum errc e = der_check_exact(content, at, "SpcIndirectDataContent", err);
    if (e == E_OK)
        e = read_type(&r, &spc, err);
    if (e == E_OK)
        e = read_digest_info(&r, &spc, err);
    if (e == E_OK)
        e = der_end(&r, "SpcIndirectDataContent", err);
    if (e == E_OK)
        *out = spc;
    return e;
}

bool spc_check_binding(const struct spc *spc, const struct spc_binding *binding,
                       struct findings *findings)
{
    bool is_cab = binding->type == OID_SPC_CAB_DATA && spc->type == OID_SPC_LINK;
    if (spc->type != binding->type && !is_cab) {
        findings_add(findings, REASON_CONTENT_TYPE_MISMATCH, WEIGHT_FATAL, NO_OFFSET,
                     "the signature was made for another kind of file (its data type says so)");
        return false;
    }
    if (spc->type == OID_SPC_SIP_INFO &&
        memcmp(spc->sip_guid, binding->sip_guid, sizeof(spc->sip_guid)) != 0) {
        findings_add(findings, REASON_CONTENT_TYPE_MISMATCH, WEIGHT_FATAL, NO_OFFSET,
                     "the signature was made for another kind of file (its SIP GUID says so)");
        return false;
    }
    return true;
}
