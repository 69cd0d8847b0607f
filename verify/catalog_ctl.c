/* The grammar of a certificate trust list, down to what each member states. */

#include "verify/catalog.h"

#include <stdlib.h>

#include "verify/der.h"

#define SIP_GUID_LEN 16

/* A long list says the same few object identifiers over and over: what each of the last ones is. */
#define MEMO_LEN 8
struct oid_memo {
    size_t next;
    struct span content[MEMO_LEN];
    enum oid oid[MEMO_LEN];
};

static enum oid recall(struct oid_memo *memo, struct span content)
{
    for (size_t i = 0; i < MEMO_LEN; i++) {
        if (memo->content[i].len != 0 && span_equal(memo->content[i], content))
            return memo->oid[i];
    }
    size_t at = memo->next;
    memo->next = (at + 1) % MEMO_LEN;
    memo->content[at] = content;
    memo->oid[at] = oid_of(content);
    return memo->oid[at];
}

/* What the attributes of one member say, before it is known which of them decides. */
struct member_claims {
    struct oid_memo *memo;
    struct span subject;
    bool has_spc;
    struct catalog_member spc;
    bool has_info2;
    uint8_t info2_tag;
};

/* An empty SpcLink: [2] EXPLICIT SpcString, [0] IMPLICIT BMPString of no characters. */
static bool is_flat_link(struct span value)
{
    static const uint8_t empty_link[] = { 0xA2, 0x02, 0x80, 0x00 };
    return span_equal(value, span_of(empty_link, sizeof(empty_link)));
}

static enum errc read_algorithm(struct reader *r, const char *what, struct oid_memo *memo,
                                enum oid *out, struct err *err)
{
    struct reader inside;
    struct span oid;
    struct der null;
    enum errc rc = der_enter(r, DER_SEQUENCE, what, &inside, err);
    if (rc == E_OK)
        rc = der_read_oid(&inside, what, &oid, err);
    if (rc == E_OK && !reader_is_done(&inside))
        rc = der_read(&inside, DER_NULL, what, &null, err);
    if (rc == E_OK)
        rc = der_end(&inside, what, err);
    if (rc == E_OK)
        *out = recall(memo, oid);
    return rc;
}

/* SpcSipInfo ::= SEQUENCE { version, OCTET STRING guid, five INTEGERs }: only the GUID decides. */
static enum errc read_sip_guid(struct span value, uint64_t at, struct span *out, struct err *err)
{
    struct reader r = reader_of(value, at), inside;
    uint32_t version;
    enum errc rc = der_enter(&r, DER_SEQUENCE, "SpcSipInfo", &inside, err);
    if (rc == E_OK)
        rc = der_read_u32(&inside, "SpcSipInfo version", &version, err);
    if (rc == E_OK)
        rc = der_read_octets(&inside, "SpcSipInfo GUID", out, err);
    if (rc == E_OK && out->len != SIP_GUID_LEN)
        rc = err_set(err, E_MALFORMED, "SpcSipInfo: a GUID of %zu bytes", out->len);
    return rc;
}

/* SpcLink's own type, 1.3.6.1.4.1.311.2.1.28, with a moniker that holds one more hash: so
 * Microsoft's maker of catalogs lists a cabinet. */
static bool is_link_type(struct span type)
{
    static const uint8_t spc_link[] = {
        0x2B, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x02, 0x01, 0x1C
    };
    return span_equal(type, span_of(spc_link, sizeof(spc_link)));
}

/* SpcAttributeTypeAndOptionalValue ::= SEQUENCE { type OID, value ANY OPTIONAL } */
static enum errc read_spc_type(struct reader *r, struct oid_memo *memo, struct catalog_member *out,
                               struct err *err)
{
    struct reader inside;
    struct span type;
    struct der value = { 0 };
    enum errc rc = der_enter(r, DER_SEQUENCE, "catalog member's data", &inside, err);
    if (rc == E_OK)
        rc = der_read_oid(&inside, "catalog member's type", &type, err);
    if (rc == E_OK && !reader_is_done(&inside))
        rc = der_read_any(&inside, "catalog member's value", &value, err);
    if (rc == E_OK)
        rc = der_end(&inside, "catalog member's data", err);
    if (rc != E_OK)
        return rc;
    out->type = is_link_type(type) ? OID_SPC_CAB_DATA : recall(memo, type);
    out->flat = out->type == OID_SPC_CAB_DATA && !is_link_type(type) && is_flat_link(value.whole);
    if (out->type == OID_SPC_SIP_INFO)
        return read_sip_guid(value.whole, value.at, &out->sip_guid, err);
    return E_OK;
}

/* SpcIndirectDataContent ::= SEQUENCE { data, DigestInfo } */
static enum errc read_spc(struct reader *r, struct oid_memo *memo, struct catalog_member *out,
                          struct err *err)
{
    struct reader inside, info;
    enum oid alg = OID_UNKNOWN;
    enum errc rc = der_enter(r, DER_SEQUENCE, "catalog member's SpcIndirectData", &inside, err);
    if (rc == E_OK)
        rc = read_spc_type(&inside, memo, out, err);
    if (rc == E_OK)
        rc = der_enter(&inside, DER_SEQUENCE, "catalog member's DigestInfo", &info, err);
    if (rc == E_OK)
        rc = read_algorithm(&info, "catalog member's digest algorithm", memo, &alg, err);
    if (rc == E_OK)
        rc = der_read_octets(&info, "catalog member's digest", &out->hash, err);
    if (rc == E_OK)
        rc = der_end(&info, "catalog member's DigestInfo", err);
    if (rc == E_OK)
        rc = der_end(&inside, "catalog member's SpcIndirectData", err);
    if (rc != E_OK)
        return rc;
    out->alg = oid_digest(alg);
    if (out->alg != DIGEST_NONE && out->hash.len != digest_len(out->alg))
        return err_set(err, E_MALFORMED, "catalog member: a %s of %zu bytes", digest_word(out->alg),
                       out->hash.len);
    return E_OK;
}

/* read_value reads the one value of an attribute that we know. */
static enum errc read_value(enum oid oid, struct reader *set, struct member_claims *claims,
                            struct err *err)
{
    bool *seen = oid == OID_SPC_INDIRECT_DATA ? &claims->has_spc : &claims->has_info2;
    if (*seen)
        return err_set(err, E_MALFORMED, "catalog member: the same attribute twice");
    *seen = true;
    enum errc rc;
    if (oid == OID_SPC_INDIRECT_DATA) {
        rc = read_spc(set, claims->memo, &claims->spc, err);
    } else {
        struct der info;
        rc = der_read_any(set, "CatalogMemberInfo2", &info, err);
        if (rc == E_OK)
            claims->info2_tag = info.tag;
    }
    return rc == E_OK ? der_end(set, "catalog member's attribute", err) : rc;
}

static enum errc read_attribute(struct reader *r, struct member_claims *claims, struct err *err)
{
    struct reader inside, set;
    struct span type;
    enum errc rc = der_enter(r, DER_SEQUENCE, "catalog member's attribute", &inside, err);
    if (rc == E_OK)
        rc = der_read_oid(&inside, "catalog member's attribute type", &type, err);
    if (rc == E_OK)
        rc = der_enter(&inside, DER_SET, "catalog member's attribute values", &set, err);
    if (rc == E_OK)
        rc = der_end(&inside, "catalog member's attribute", err);
    if (rc != E_OK)
        return rc;
    enum oid oid = recall(claims->memo, type);
    if (oid == OID_SPC_INDIRECT_DATA || oid == OID_CAT_MEMBER_INFO2)
        return read_value(oid, &set, claims, err);
    return E_OK;
}

static enum errc read_claims(struct reader *r, struct member_claims *out, struct err *err)
{
    struct reader inside, set;
    enum errc rc = der_enter(r, DER_SEQUENCE, "catalog member", &inside, err);
    if (rc == E_OK)
        rc = der_read_octets(&inside, "catalog member's identifier", &out->subject, err);
    if (rc != E_OK || reader_is_done(&inside))
        return rc;
    rc = der_enter(&inside, DER_SET, "catalog member's attributes", &set, err);
    while (rc == E_OK && !reader_is_done(&set))
        rc = read_attribute(&set, out, err);
    return rc == E_OK ? der_end(&inside, "catalog member", err) : rc;
}

/* The hash that a subjectIdentifier of this length can be. */
static enum digest_alg alg_of_length(size_t len)
{
    static const enum digest_alg algs[] = { DIGEST_SHA1, DIGEST_SHA256, DIGEST_SHA384,
                                            DIGEST_SHA512 };
    for (size_t i = 0; i < ARRAY_LEN(algs); i++) {
        if (digest_len(algs[i]) == len)
            return algs[i];
    }
    return DIGEST_NONE;
}

/* member_of decides what a member states; alg is DIGEST_NONE where it states nothing to us. */
static struct catalog_member member_of(const struct member_claims *claims, bool second_version)
{
    struct catalog_member m = { .alg = DIGEST_NONE };
    if (claims->has_spc && claims->spc.alg != DIGEST_MD5)
        return claims->spc;
    if (claims->has_spc)
        return m;
    bool pe = claims->has_info2 && claims->info2_tag == DER_CONTEXT(0);
    bool flat = claims->has_info2 && claims->info2_tag == DER_CONTEXT(2);
    if (!second_version || !(pe || flat))
        return m;
    m.alg = alg_of_length(claims->subject.len);
    m.hash = claims->subject;
    m.flat = flat;
    m.type = pe ? OID_SPC_PE_IMAGE_DATA : OID_UNKNOWN;
    return m;
}

static enum errc keep_member(struct catalog_members *list, const struct catalog_member *m,
                             struct err *err)
{
    if (list->n == list->room) {
        size_t room = list->room == 0 ? 64 : list->room * 2;
        struct catalog_member *grown = realloc(list->items, room * sizeof(*grown));
        if (grown == NULL)
            return err_nomem(err);
        list->items = grown;
        list->room = room;
    }
    list->items[list->n++] = *m;
    return E_OK;
}

static enum errc read_members(struct reader *r, bool second_version, struct catalog_members *out,
                              struct err *err)
{
    struct oid_memo memo = { 0 };
    for (size_t n = 0; !reader_is_done(r); n++) {
        if (n == CATALOG_MEMBERS_MAX)
            return err_set(err, E_LIMIT, "catalog: more than %d members", CATALOG_MEMBERS_MAX);
        struct member_claims claims = { .memo = &memo };
        enum errc rc = read_claims(r, &claims, err);
        if (rc != E_OK)
            return rc;
        struct catalog_member m = member_of(&claims, second_version);
        if (out != NULL && m.alg != DIGEST_NONE)
            rc = keep_member(out, &m, err);
        if (rc != E_OK)
            return rc;
    }
    return E_OK;
}

/* read_usage demands the one use that makes a trust list a catalog. */
static enum errc read_usage(struct reader *r, struct err *err)
{
    struct reader inside;
    struct span usage;
    char text[64];
    enum errc rc = der_enter(r, DER_SEQUENCE, "CTL subjectUsage", &inside, err);
    if (rc == E_OK)
        rc = der_read_oid(&inside, "CTL subjectUsage", &usage, err);
    if (rc == E_OK)
        rc = der_end(&inside, "CTL subjectUsage", err);
    if (rc == E_OK && oid_of(usage) != OID_CAT_LIST)
        rc = err_set(err, E_MALFORMED, "CTL: a list for %s, not a catalog",
                     oid_text(usage, text, sizeof(text)));
    return rc;
}

static bool next_is_time(const struct reader *r)
{
    return der_next_is(r, DER_UTC_TIME) || der_next_is(r, DER_GENERALIZED_TIME);
}

/* read_head reads all that comes before the members. */
static enum errc read_head(struct reader *r, bool *out_second_version, struct err *err)
{
    struct span unused;
    int64_t time;
    struct oid_memo memo = { 0 };
    enum oid list = OID_UNKNOWN;
    enum errc rc = E_OK;
    if (der_next_is(r, DER_INTEGER))
        rc = der_read_integer(r, "CTL version", &unused, err);
    if (rc == E_OK)
        rc = read_usage(r, err);
    if (rc == E_OK && der_next_is(r, DER_OCTET_STRING))
        rc = der_read_octets(r, "CTL listIdentifier", &unused, err);
    if (rc == E_OK && der_next_is(r, DER_INTEGER))
        rc = der_read_integer(r, "CTL sequenceNumber", &unused, err);
    if (rc == E_OK)
        rc = der_read_time(r, "CTL ctlThisUpdate", &time, NULL, err);
    if (rc == E_OK && next_is_time(r))
        rc = der_read_time(r, "CTL ctlNextUpdate", &time, NULL, err);
    if (rc == E_OK)
        rc = read_algorithm(r, "CTL subjectAlgorithm", &memo, &list, err);
    if (rc == E_OK && list != OID_CAT_LIST_MEMBER && list != OID_CAT_LIST_MEMBER2)
        rc = err_set(err, E_MALFORMED, "CTL: subjectAlgorithm is not a catalog's");
    if (rc == E_OK)
        *out_second_version = list == OID_CAT_LIST_MEMBER2;
    return rc;
}

enum errc catalog_read_members(struct span content, uint64_t at, struct catalog_members *out,
                               struct err *err)
{
    struct reader r = reader_of(content, at), members;
    struct der extensions;
    bool second_version = false;
    enum errc rc = read_head(&r, &second_version, err);
    if (rc == E_OK && der_next_is(&r, DER_SEQUENCE)) {
        rc = der_enter(&r, DER_SEQUENCE, "CTL members", &members, err);
        if (rc == E_OK)
            rc = read_members(&members, second_version, out, err);
    }
    if (rc == E_OK && der_next_is(&r, DER_CONTEXT_CONSTRUCTED(0)))
        rc = der_read(&r, DER_CONTEXT_CONSTRUCTED(0), "CTL extensions", &extensions, err);
    return rc == E_OK ? der_end(&r, "CTL", err) : rc;
}

enum errc catalog_check_content(struct span content, uint64_t at, struct err *err)
{
    return catalog_read_members(content, at, NULL, err);
}
