/* RFC 3161 tokens.
 *
 * TSTInfo ::= SEQUENCE { version INTEGER 1, policy OID, messageImprint SEQUENCE {
 * AlgorithmIdentifier, OCTET STRING }, serialNumber INTEGER, genTime GeneralizedTime, accuracy
 * SEQUENCE OPTIONAL, ordering BOOLEAN DEFAULT FALSE, nonce INTEGER OPTIONAL, tsa [0] EXPLICIT
 * OPTIONAL, extensions [1] IMPLICIT SEQUENCE OF Extension OPTIONAL } */

#include <inttypes.h>

#include "verify/stamp_private.h"

#define TST_VERSION 1

struct tst_info {
    struct span imprint_oid, imprint;
    enum digest_alg imprint_alg;
    int64_t gen_time;
};

/* --- TSTInfo */

static enum errc read_imprint(struct reader *r, struct tst_info *out, struct err *err)
{
    struct reader in;
    enum errc e = der_enter(r, DER_SEQUENCE, "messageImprint", &in, err);
    if (e == E_OK)
        e = cms_read_digest_alg(&in, "messageImprint algorithm", &out->imprint_oid, err);
    if (e == E_OK)
        e = der_read_octets(&in, "messageImprint", &out->imprint, err);
    if (e == E_OK)
        e = der_end(&in, "messageImprint", err);
    if (e == E_OK)
        out->imprint_alg = oid_digest(oid_of(out->imprint_oid));
    return e;
}

static enum errc read_extension(struct reader *r, struct err *err)
{
    struct reader in;
    struct span oid, value;
    bool is_critical = false;
    enum errc e = der_enter(r, DER_SEQUENCE, "TSTInfo extension", &in, err);
    if (e == E_OK)
        e = der_read_oid(&in, "TSTInfo extension", &oid, err);
    if (e == E_OK && der_next_is(&in, DER_BOOLEAN))
        e = der_read_boolean(&in, "TSTInfo extension critical", &is_critical, err);
    if (e == E_OK)
        e = der_read_octets(&in, "TSTInfo extension", &value, err);
    if (e == E_OK)
        e = der_end(&in, "TSTInfo extension", err);
    if (e == E_OK && is_critical) {
        char text[64];
        e = err_set(err, E_UNSUPPORTED, "TSTInfo: critical extension %s, which nobody here knows",
                    oid_text(oid, text, sizeof(text)));
    }
    return e;
}

static enum errc read_extensions(struct reader *r, struct err *err)
{
    struct reader in;
    enum errc e = der_enter(r, DER_CONTEXT_CONSTRUCTED(1), "TSTInfo extensions", &in, err);
    while (e == E_OK && !reader_is_done(&in))
        e = read_extension(&in, err);
    return e;
}

/* read_rest reads what may follow genTime, each at most once and in this order. */
static enum errc read_rest(struct reader *r, struct err *err)
{
    struct der ignored;
    struct span nonce;
    bool ordering;
    enum errc e = E_OK;
    if (der_next_is(r, DER_SEQUENCE))
        e = der_read_any(r, "TSTInfo accuracy", &ignored, err);
    if (e == E_OK && der_next_is(r, DER_BOOLEAN))
        e = der_read_boolean(r, "TSTInfo ordering", &ordering, err);
    if (e == E_OK && der_next_is(r, DER_INTEGER))
        e = der_read_integer(r, "TSTInfo nonce", &nonce, err);
    if (e == E_OK && der_next_is(r, DER_CONTEXT_CONSTRUCTED(0)))
        e = der_read_any(r, "TSTInfo tsa", &ignored, err);
    if (e == E_OK && der_next_is(r, DER_CONTEXT_CONSTRUCTED(1)))
        e = read_extensions(r, err);
    if (e == E_OK)
        e = der_end(r, "TSTInfo", err);
    return e;
}

static enum errc read_gen_time(struct reader *r, int64_t *out, struct err *err)
{
    if (!der_next_is(r, DER_GENERALIZED_TIME))
        return err_set(err, E_MALFORMED, "TSTInfo: no genTime at %" PRIu64, r->at);
    return der_read_time(r, "TSTInfo genTime", out, NULL, err);
}

static enum errc read_tst_info(const struct der *octets, struct tst_info *out, struct err *err)
{
    struct reader r = der_inside(octets), in;
    struct span policy, serial;
    uint32_t version;
    enum errc e = der_check_exact(r.rest, r.at, "TSTInfo", err);
    if (e == E_OK)
        e = der_enter(&r, DER_SEQUENCE, "TSTInfo", &in, err);
    if (e == E_OK)
        e = der_end(&r, "TSTInfo with nothing behind it", err);
    if (e == E_OK)
        e = der_read_u32(&in, "TSTInfo version", &version, err);
    if (e == E_OK && version != TST_VERSION)
        e = err_set(err, E_MALFORMED, "TSTInfo version %" PRIu32, version);
    if (e == E_OK)
        e = der_read_oid(&in, "TSTInfo policy", &policy, err);
    if (e == E_OK)
        e = read_imprint(&in, out, err);
    if (e == E_OK)
        e = der_read_integer(&in, "TSTInfo serialNumber", &serial, err);
    if (e == E_OK)
        e = read_gen_time(&in, &out->gen_time, err);
    if (e == E_OK)
        e = read_rest(&in, err);
    return e;
}

/* --- is it of this signature */

/* may_imprint is false for an algorithm that proves nothing. */
static bool may_imprint(const struct tst_info *tst, struct findings *findings)
{
    char text[64];
    switch (tst->imprint_alg) {
    case DIGEST_NONE:
        findings_add(findings, REASON_TIMESTAMP_INVALID, WEIGHT_FATAL, NO_OFFSET,
                     "timestamp: imprint by %s, which is not judged here",
                     oid_text(tst->imprint_oid, text, sizeof(text)));
        return false;
    case DIGEST_MD5: stamp_invalid(findings, NO_OFFSET, "its imprint is MD5"); return false;
    case DIGEST_SHA1:
        findings_add(findings, REASON_WEAK_DIGEST, WEIGHT_SHA1, NO_OFFSET,
                     "timestamp: its imprint is SHA-1");
        return true;
    default: return true;
    }
}

static enum errc check_imprint(const struct tst_info *tst, struct span signature,
                               struct findings *findings, bool *out_ok, struct err *err)
{
    struct digest digest;
    *out_ok = false;
    if (!may_imprint(tst, findings))
        return E_OK;
    if (tst->imprint.len != digest_len(tst->imprint_alg)) {
        findings_add(findings, REASON_TIMESTAMP_INVALID, WEIGHT_FATAL, NO_OFFSET,
                     "timestamp: a %s imprint of %zu bytes", digest_word(tst->imprint_alg),
                     tst->imprint.len);
        return E_OK;
    }
    enum errc e = digest_bytes(tst->imprint_alg, signature, &digest, err);
    if (e != E_OK)
        return e;
    *out_ok = span_equal(tst->imprint, digest_span(&digest));
    if (!*out_ok)
        stamp_invalid(findings, NO_OFFSET, "it was made for another signature");
    return E_OK;
}

/* --- the token's own signature */

/* check_shape is false where this is no token at all. */
static bool check_shape(const struct cms *token, struct findings *findings)
{
    if (token->content_oid != OID_TST_INFO) {
        stamp_invalid(findings, NO_OFFSET, "its content is no TSTInfo");
        return false;
    }
    if (!token->has_content) {
        stamp_invalid(findings, NO_OFFSET, "it has no content");
        return false;
    }
    if (token->content.tag != DER_OCTET_STRING) {
        stamp_invalid(findings, token->content.at, "its TSTInfo is not in an OCTET STRING");
        return false;
    }
    return true;
}

/* check_signer: *out_ok if the authority signed the content. */
static enum errc check_signer(const struct cms *token, const struct cert_bag *bag,
                              struct sig_verdict *sig, const struct cert **out_authority,
                              bool *out_ok, struct err *err)
{
    struct findings inside = { .n = 0 };
    struct digest digest = { .alg = DIGEST_NONE };
    uint32_t proven = 0;
    bool is_named = false;
    enum errc e = E_OK;
    if (token->signer.digest != DIGEST_NONE)
        e = digest_bytes(token->signer.digest, token->content.content, &digest, err);
    if (e == E_OK)
        e = cms_check_signer(token, &digest, bag, &inside, &proven, out_authority, err);
    if (e == E_OK && *out_authority != NULL)
        e = stamp_check_ess(&token->signer, *out_authority, &inside, &is_named, err);
    stamp_add_findings(&sig->findings, &inside);
    *out_ok = e == E_OK && is_named && (proven & FACT_SIGNATURE) != 0;
    return e;
}

static enum errc judge_with_bag(const struct stamp_ask *ask, const struct cms *token,
                                const struct tst_info *tst, const struct cert_bag *bag,
                                struct sig_verdict *sig, struct report *report, struct err *err)
{
    struct stamp_claim claim = { .purpose = CHAIN_TIMESTAMP, .bag = bag, .time = tst->gen_time };
    bool is_signed = false, is_ours = false;
    enum errc e = cms_check_bag(bag, token, ask->policy, report, err);
    if (e == E_OK)
        e = stamp_check_uncovered(&token->signer, report, err);
    if (e == E_OK)
        e = check_signer(token, bag, sig, &claim.authority, &is_signed, err);
    if (e == E_OK)
        e = check_imprint(tst, ask->cms->signer.signature, &sig->findings, &is_ours, err);
    if (e != E_OK || claim.authority == NULL)
        return e;
    claim.is_sound = is_signed && is_ours;
    return stamp_judge_authority(ask, &claim, sig, err);
}

static enum errc read_and_judge(const struct stamp_ask *ask, const struct der *value,
                                struct sig_verdict *sig, struct report *report, struct err *err)
{
    struct cms token;
    struct tst_info tst;
    struct cert_bag bag = { .memo = trust_memo(ask->policy->trust) };
    enum errc e = cms_read(value->whole, value->at, &token, err);
    if (e != E_OK || !check_shape(&token, &sig->findings))
        return e;
    e = read_tst_info(&token.content, &tst, err);
    if (e != E_OK)
        return e;
    e = cms_read_certs(&token, &bag, report, err);
    if (e == E_OK)
        e = judge_with_bag(ask, &token, &tst, &bag, sig, report, err);
    cert_bag_fini(&bag);
    return e;
}

enum errc stamp_judge_token(const struct stamp_ask *ask, const struct der *value,
                            struct sig_verdict *sig, struct report *report, struct err *err)
{
    enum errc e = read_and_judge(ask, value, sig, report, err);
    if (!errc_is_about_bytes(e))
        return e;
    stamp_invalid(&sig->findings, value->at, err->text);
    return E_OK;
}
