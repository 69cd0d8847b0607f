#include "verify/cms.h"

#include <inttypes.h>

#include "platform/base/text.h"

#define OID_TEXT_ROOM 64

/* --- signedAttrs */

/* check_once adds Malformed for an attribute of which there is more than one. */
static bool check_once(const struct cms_attrs *attrs, struct findings *findings)
{
    bool ok = true;
    for (size_t i = 0; i < attrs->n; i++) {
        for (size_t j = 0; j < i; j++) {
            char text[OID_TEXT_ROOM];
            if (!span_equal(attrs->items[i].type, attrs->items[j].type))
                continue;
            findings_add(findings, REASON_MALFORMED, WEIGHT_FATAL, attrs->items[i].at,
                         "signed attribute %s is there twice",
                         oid_text(attrs->items[i].type, text, sizeof(text)));
            ok = false;
        }
    }
    return ok;
}

/* only_value gives the only value of an attribute that is known to be there at most once: false
 * where it is absent or has no such value, which is then a finding unless it may be absent. */
enum value_state { VALUE_ABSENT, VALUE_BAD, VALUE_THERE };

static enum value_state only_value(const struct cms_attrs *attrs, enum oid oid, const char *what,
                                   uint8_t tag, struct der *out, struct findings *findings)
{
    const struct cms_attr *attr = NULL;
    struct err err;
    if (cms_attr_find(attrs, oid, &attr, &err) != E_OK)
        return VALUE_BAD; /* check_once said so */
    if (attr == NULL)
        return VALUE_ABSENT;
    if (cms_attr_value(attr, out, &err) != E_OK) {
        findings_add(findings, REASON_MALFORMED, WEIGHT_FATAL, attr->at, "%s: %s", what, err.text);
        return VALUE_BAD;
    }
    if (out->tag != tag) {
        findings_add(findings, REASON_MALFORMED, WEIGHT_FATAL, out->at, "%s: tag 0x%02X", what,
                     out->tag);
        return VALUE_BAD;
    }
    return VALUE_THERE;
}

static bool check_content_type(const struct cms_attrs *attrs, const struct cms_expected *expected,
                               struct findings *findings)
{
    struct der value;
    switch (only_value(attrs, OID_CONTENT_TYPE, "contentType", DER_OID, &value, findings)) {
    case VALUE_BAD: return false;
    case VALUE_ABSENT:
        if (expected->type_may_be_absent)
            return true;
        findings_add(findings, REASON_MALFORMED, WEIGHT_FATAL, NO_OFFSET,
                     "contentType is not among the signed attributes");
        return false;
    case VALUE_THERE: break;
    }
    if (span_equal(value.content, expected->content_type))
        return true;
    char text[OID_TEXT_ROOM];
    findings_add(findings, REASON_CONTENT_TYPE_MISMATCH, WEIGHT_FATAL, value.at,
                 "the signer signed content of type %s, not what is there",
                 oid_text(value.content, text, sizeof(text)));
    return false;
}

static bool check_message_digest(const struct cms_attrs *attrs, const struct cms_expected *expected,
                                 struct findings *findings)
{
    struct der value;
    switch (only_value(attrs, OID_MESSAGE_DIGEST, "messageDigest", DER_OCTET_STRING, &value,
                       findings)) {
    case VALUE_BAD: return false;
    case VALUE_ABSENT:
        findings_add(findings, REASON_MALFORMED, WEIGHT_FATAL, NO_OFFSET,
                     "messageDigest is not among the signed attributes");
        return false;
    case VALUE_THERE: break;
    }
    if (expected->digest->len > 0 && span_equal(value.content, digest_span(expected->digest)))
        return true;
    findings_add(findings, expected->digest_reason, WEIGHT_FATAL, value.at,
                 "messageDigest is not the digest of the content");
    return false;
}

static void check_order(const struct cms_signer *signer, enum weight weight,
                        struct findings *findings)
{
    struct err err;
    if (der_check_set_order(signer->signed_attrs_der.content, signer->signed_attrs_der.at,
                            "signedAttrs", &err) != E_OK)
        findings_add(findings, REASON_MALFORMED, weight, signer->signed_attrs_der.at, "%s",
                     err.text);
}

bool cms_check_attributes(const struct cms_signer *signer, const struct cms_expected *expected,
                          struct findings *findings)
{
    if (!signer->has_signed_attrs) {
        findings_add(findings, REASON_MALFORMED, WEIGHT_FATAL, signer->whole.at,
                     "the SignerInfo has no signed attributes");
        return false;
    }
    check_order(signer, expected->unsorted, findings);
    bool once = check_once(&signer->signed_attrs, findings);
    bool type = check_content_type(&signer->signed_attrs, expected, findings);
    bool digest = check_message_digest(&signer->signed_attrs, expected, findings);
    return once && type && digest;
}

/* --- versions and algorithms */

/* version_of: RFC 5652 5.1; PKCS#7 content that is no OCTET STRING has version 1 whatever its
 * type. */
static uint32_t version_of(const struct cms *cms)
{
    bool has_v1_attr = false, has_v2_attr = false, has_other = false;
    struct reader r = der_inside(&cms->certs);
    struct der d;
    if (cms->has_content && cms->content.tag != DER_OCTET_STRING)
        return 1;
    while (cms->certs.tag != 0 && !reader_is_done(&r) &&
           der_read_any(&r, "certificate", &d, NULL) == E_OK) {
        has_v1_attr |= d.tag == DER_CONTEXT_CONSTRUCTED(1);
        has_v2_attr |= d.tag == DER_CONTEXT_CONSTRUCTED(2);
        has_other |= d.tag == DER_CONTEXT_CONSTRUCTED(3);
    }
    if (has_other)
        return 5;
    if (has_v2_attr)
        return 4;
    return has_v1_attr || cms->content_oid != OID_CMS_DATA || cms->signer.key_id.len > 0 ? 3 : 1;
}

static void check_versions(const struct cms *cms, struct findings *findings)
{
    uint32_t data = version_of(cms);
    uint32_t signer = cms->signer.key_id.len > 0 ? 3 : 1;
    if (cms->version != data)
        findings_add(findings, REASON_MALFORMED, WEIGHT_LENIENT, NO_OFFSET,
                     "SignedData version %" PRIu32 " where %" PRIu32 " belongs", cms->version,
                     data);
    if (cms->signer.version != signer)
        findings_add(findings, REASON_MALFORMED, WEIGHT_LENIENT, cms->signer.whole.at,
                     "SignerInfo version %" PRIu32 " where %" PRIu32 " belongs",
                     cms->signer.version, signer);
}

static bool check_digest_alg(const struct cms_signer *signer, struct findings *findings)
{
    char text[OID_TEXT_ROOM];
    switch (signer->digest) {
    case DIGEST_NONE:
        findings_add(findings, REASON_UNSUPPORTED, WEIGHT_FATAL, signer->whole.at,
                     "the signer's digest algorithm %s is not judged here",
                     oid_text(signer->digest_oid, text, sizeof(text)));
        return false;
    case DIGEST_MD5:
        findings_add(findings, REASON_WEAK_DIGEST, WEIGHT_FATAL, signer->whole.at,
                     "the signer's digest is MD5");
        return true;
    case DIGEST_SHA1:
        findings_add(findings, REASON_WEAK_DIGEST, WEIGHT_SHA1, signer->whole.at,
                     "the signer's digest is SHA-1");
        return true;
    default: return true;
    }
}

/* --- the signature */

enum errc cms_signed_bytes(const struct cms_signer *signer, struct buf *out, struct err *err)
{
    struct span whole = signer->signed_attrs_der.whole;
    enum errc e = buf_add_byte(out, DER_SET, err);
    if (e == E_OK)
        e = buf_add(out, span_sub(whole, 1, whole.len), err);
    return e;
}

const struct cert *cms_find_signer(const struct cms_signer *signer, const struct cert_bag *bag)
{
    if (signer->key_id.len > 0)
        return cert_bag_find_key_id(bag, signer->key_id);
    return cert_bag_find(bag, signer->issuer, signer->serial);
}

static enum errc check_mathematics(const struct cms_signer *signer, const struct cert *cert,
                                   struct findings *findings, bool *out_ok, struct err *err)
{
    struct signature_claim claim = { .algorithm = signer->signature_algorithm,
                                     .digest = signer->digest,
                                     .value = signer->signature };
    struct buf message;
    buf_init(&message, signer->signed_attrs_der.whole.len);
    enum errc e = cms_signed_bytes(signer, &message, err);
    if (e == E_OK)
        e = cert_check_signature(cert, &claim, buf_span(&message), err);
    buf_fini(&message);
    *out_ok = e == E_OK;
    if (e == E_REFUSED) {
        findings_add(findings, REASON_SIGNATURE_INVALID, WEIGHT_FATAL, signer->whole.at,
                     "the signer's key does not verify the signature");
        return E_OK;
    }
    if (errc_is_about_bytes(e)) {
        findings_add_err(findings, err, signer->whole.at);
        return E_OK;
    }
    return e;
}

enum errc cms_check_signer(const struct cms *cms, const struct digest *content_digest,
                           const struct cert_bag *bag, struct findings *findings,
                           uint32_t *out_proven, const struct cert **out_signer, struct err *err)
{
    const struct cms_signer *signer = &cms->signer;
    struct cms_expected expected = {
        .content_type = cms->content_type,
        .digest = content_digest,
        .digest_reason = cms->has_content ? REASON_SIGNATURE_INVALID : REASON_DIGEST_MISMATCH,
        /* Real authorities sign attributes in an order of their own; what lies there is signed. */
        .unsorted = cms->content_oid == OID_TST_INFO ? WEIGHT_NOTE : WEIGHT_LENIENT,
    };
    bool math_ok = false;
    *out_signer = cms_find_signer(signer, bag);
    check_versions(cms, findings);
    bool alg_ok = check_digest_alg(signer, findings);
    bool attrs_ok = alg_ok && cms_check_attributes(signer, &expected, findings);
    if (*out_signer == NULL) {
        findings_add(findings, REASON_CHAIN_UNTRUSTED, WEIGHT_FATAL, signer->whole.at,
                     "the signer's certificate is not in the signature");
        return E_OK;
    }
    if (!alg_ok || !signer->has_signed_attrs)
        return E_OK;
    enum errc e = check_mathematics(signer, *out_signer, findings, &math_ok, err);
    if (e == E_OK && attrs_ok && math_ok)
        *out_proven |= FACT_SIGNATURE;
    return e;
}
