/* PKCS#9 countersignatures: a SignerInfo over the signature's bytes, whose certificates lie in the
 * outer bag and whose signingTime is the time. */

#include <inttypes.h>

#include "verify/stamp_private.h"

/* id-data, the only contentType that such a SignerInfo ever had (RFC 5652 wants none). */
static const uint8_t data_oid[] = { 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07, 0x01 };

/* --- attributes */

static void check_version(const struct cms_signer *s, struct findings *findings)
{
    uint32_t belongs = s->key_id.len > 0 ? 3 : 1;
    if (s->version != belongs)
        findings_add(findings, REASON_TIMESTAMP_INVALID, WEIGHT_LENIENT, s->whole.at,
                     "SignerInfo version %" PRIu32 " where %" PRIu32 " belongs", s->version,
                     belongs);
}

static bool check_digest_alg(const struct cms_signer *s, struct findings *findings)
{
    char text[64];
    switch (s->digest) {
    case DIGEST_NONE:
        findings_add(findings, REASON_TIMESTAMP_INVALID, WEIGHT_FATAL, s->whole.at,
                     "digest algorithm %s is not judged here",
                     oid_text(s->digest_oid, text, sizeof(text)));
        return false;
    case DIGEST_MD5:
        findings_add(findings, REASON_WEAK_DIGEST, WEIGHT_LENIENT, s->whole.at,
                     "its digest is MD5");
        return true;
    case DIGEST_SHA1:
        findings_add(findings, REASON_WEAK_DIGEST, WEIGHT_SHA1, s->whole.at, "its digest is SHA-1");
        return true;
    default: return true;
    }
}

static enum errc read_signing_time(const struct cms_signer *s, int64_t *out, struct err *err)
{
    const struct cms_attr *attr = NULL;
    struct der value;
    enum errc e = cms_attr_find(&s->signed_attrs, OID_SIGNING_TIME, &attr, err);
    if (e == E_OK && attr == NULL)
        e = err_set(err, E_MALFORMED, "the countersignature says no time");
    if (e == E_OK)
        e = cms_attr_value(attr, &value, err);
    if (e != E_OK)
        return e;
    struct reader r = reader_of(value.whole, value.at);
    return der_read_time(&r, "signingTime", out, NULL, err);
}

static enum errc check_attributes(const struct stamp_ask *ask, const struct cms_signer *s,
                                  struct findings *findings, bool *out_ok, struct err *err)
{
    struct digest digest = { .alg = DIGEST_NONE };
    struct cms_expected expected = { .content_type = span_of(data_oid, sizeof(data_oid)),
                                     .type_may_be_absent = true,
                                     .digest = &digest,
                                     .digest_reason = REASON_TIMESTAMP_INVALID,
                                     .unsorted = WEIGHT_NOTE };
    *out_ok = false;
    if (!check_digest_alg(s, findings))
        return E_OK;
    enum errc e = digest_bytes(s->digest, ask->cms->signer.signature, &digest, err);
    if (e == E_OK)
        *out_ok = cms_check_attributes(s, &expected, findings);
    return e;
}

/* --- the signature */

/* check_bare: old authorities signed the digest of the attributes without a DigestInfo around it.
 */
static enum errc check_bare(const struct cms_signer *s, const struct cert *cert,
                            struct span message, struct findings *findings, struct err *err)
{
    struct digest digest;
    if (s->digest != DIGEST_SHA1 && s->digest != DIGEST_MD5)
        return E_REFUSED;
    enum errc e = digest_bytes(s->digest, message, &digest, err);
    if (e == E_OK)
        e = cert_check_bare_digest(cert, s->signature, &digest, err);
    if (e == E_OK)
        findings_add(findings, REASON_TIMESTAMP_INVALID, WEIGHT_LENIENT, s->whole.at,
                     "of the legacy form that signs a bare digest");
    return e;
}

static enum errc check_either(const struct cms_signer *s, const struct cert *cert,
                              struct span message, struct findings *findings, struct err *err)
{
    struct signature_claim claim = { .algorithm = s->signature_algorithm,
                                     .digest = s->digest,
                                     .value = s->signature };
    enum errc e = cert_check_signature(cert, &claim, message, err);
    return e == E_REFUSED ? check_bare(s, cert, message, findings, err) : e;
}

static enum errc check_signature(const struct cms_signer *s, const struct cert *cert,
                                 struct findings *findings, bool *out_ok, struct err *err)
{
    struct buf message;
    buf_init(&message, s->signed_attrs_der.whole.len);
    enum errc e = cms_signed_bytes(s, &message, err);
    if (e == E_OK)
        e = check_either(s, cert, buf_span(&message), findings, err);
    buf_fini(&message);
    *out_ok = e == E_OK;
    if (e == E_REFUSED) {
        findings_add(findings, REASON_TIMESTAMP_INVALID, WEIGHT_FATAL, s->whole.at,
                     "the authority's key does not verify the countersignature");
        return E_OK;
    }
    if (errc_is_about_bytes(e)) {
        findings_add_err(findings, err, s->whole.at);
        return E_OK;
    }
    return e;
}

/* --- the order of proof */

static enum errc judge_signer(const struct stamp_ask *ask, const struct cms_signer *s,
                              struct findings *inside, struct stamp_claim *claim, struct err *err)
{
    bool attrs_ok = false, math_ok = false;
    check_version(s, inside);
    enum errc e = check_attributes(ask, s, inside, &attrs_ok, err);
    if (e == E_OK && s->has_signed_attrs)
        e = read_signing_time(s, &claim->time, err);
    if (e != E_OK)
        return e;
    claim->authority = cms_find_signer(s, ask->bag);
    if (claim->authority == NULL) {
        /* Nothing was proven of it, so it may have been altered: no mere lack of trust. */
        findings_add(inside, REASON_TIMESTAMP_INVALID, WEIGHT_FATAL, s->whole.at,
                     "the authority's certificate is not in the signature");
        return E_OK;
    }
    if (attrs_ok)
        e = check_signature(s, claim->authority, inside, &math_ok, err);
    claim->is_sound = attrs_ok && math_ok;
    return e;
}

static enum errc read_only_signer(const struct der *value, struct cms_signer *out, struct err *err)
{
    struct reader r = reader_of(value->whole, value->at);
    enum errc e = cms_read_signer(&r, out, err);
    return e == E_OK ? der_end(&r, "countersignature", err) : e;
}

enum errc stamp_judge_countersignature(const struct stamp_ask *ask, const struct der *value,
                                       struct sig_verdict *sig, struct report *report,
                                       struct err *err)
{
    struct stamp_claim claim = { .purpose = CHAIN_TIMESTAMP_LEGACY, .bag = ask->bag };
    struct cms_signer signer;
    struct findings inside = { .n = 0 };
    enum errc e = read_only_signer(value, &signer, err);
    if (e == E_OK)
        e = stamp_check_uncovered(&signer, report, err);
    if (e == E_OK)
        e = judge_signer(ask, &signer, &inside, &claim, err);
    stamp_add_findings(&sig->findings, &inside);
    if (errc_is_about_bytes(e)) {
        stamp_invalid(&sig->findings, value->at, err->text);
        return E_OK;
    }
    if (e != E_OK || claim.authority == NULL || !signer.has_signed_attrs)
        return e;
    return stamp_judge_authority(ask, &claim, sig, err);
}
