/* The signed attribute that names the authority's certificate (RFC 2634 5.4, RFC 5035), so that no
 * other certificate of the same key can stand in for it.
 *
 * SigningCertificate ::= SEQUENCE { certs SEQUENCE OF ESSCertID, policies SEQUENCE OPTIONAL }
 * ESSCertID   ::= SEQUENCE { certHash OCTET STRING (SHA-1), issuerSerial SEQUENCE OPTIONAL }
 * ESSCertIDv2 ::= SEQUENCE { AlgorithmIdentifier DEFAULT sha256, certHash, issuerSerial OPTIONAL }
 */

#include "verify/stamp_private.h"

struct ess_cert_id {
    enum digest_alg alg;
    struct span hash;
};

/* read_first reads the first ESSCertID, which names the signer. */
static enum errc read_first(const struct der *value, bool is_v2, struct ess_cert_id *out,
                            struct err *err)
{
    struct reader r = reader_of(value->whole, value->at);
    struct reader all, ids, id;
    struct span oid;
    enum errc e = der_enter(&r, DER_SEQUENCE, "SigningCertificate", &all, err);
    if (e == E_OK)
        e = der_enter(&all, DER_SEQUENCE, "SigningCertificate certs", &ids, err);
    if (e == E_OK)
        e = der_enter(&ids, DER_SEQUENCE, "ESSCertID", &id, err);
    out->alg = is_v2 ? DIGEST_SHA256 : DIGEST_SHA1;
    if (e == E_OK && is_v2 && der_next_is(&id, DER_SEQUENCE)) {
        e = cms_read_digest_alg(&id, "ESSCertIDv2 algorithm", &oid, err);
        out->alg = e == E_OK ? oid_digest(oid_of(oid)) : DIGEST_NONE;
    }
    if (e == E_OK)
        e = der_read_octets(&id, "ESSCertID hash", &out->hash, err);
    if (e == E_OK && out->alg == DIGEST_NONE)
        e = err_set(err, E_UNSUPPORTED, "ESSCertIDv2: a hash that is not judged here");
    if (e == E_OK && out->alg == DIGEST_MD5)
        e = err_set(err, E_UNSUPPORTED, "ESSCertIDv2: an MD5 hash");
    return e;
}

static enum errc check_value(const struct der *value, bool is_v2, const struct cert *authority,
                             struct err *err)
{
    struct ess_cert_id id;
    struct digest digest;
    enum errc e = read_first(value, is_v2, &id, err);
    if (e == E_OK)
        e = digest_bytes(id.alg, cert_der(authority), &digest, err);
    if (e == E_OK && !span_equal(id.hash, digest_span(&digest)))
        e = err_set(err, E_MALFORMED, "signingCertificate names another certificate");
    return e;
}

/* check_attr: *out_is_there says whether the attribute is, *out_ok becomes false where it is
 * wrong. */
static enum errc check_attr(const struct cms_signer *signer, enum oid oid,
                            const struct cert *authority, struct findings *findings,
                            bool *out_is_there, bool *out_ok, struct err *err)
{
    const struct cms_attr *attr = NULL;
    struct der value;
    enum errc e = cms_attr_find(&signer->signed_attrs, oid, &attr, err);
    *out_is_there = e != E_OK || attr != NULL;
    if (e == E_OK && attr == NULL)
        return E_OK;
    if (e == E_OK)
        e = cms_attr_value(attr, &value, err);
    if (e == E_OK)
        e = check_value(&value, oid == OID_SIGNING_CERTIFICATE_V2, authority, err);
    if (e == E_OK)
        return E_OK;
    *out_ok = false;
    if (!errc_is_about_bytes(e))
        return e;
    findings_add_err(findings, err, attr == NULL ? NO_OFFSET : attr->at);
    return E_OK;
}

enum errc stamp_check_ess(const struct cms_signer *signer, const struct cert *authority,
                          struct findings *findings, bool *out_ok, struct err *err)
{
    bool has_v1 = false, has_v2 = false;
    *out_ok = true;
    enum errc e =
        check_attr(signer, OID_SIGNING_CERTIFICATE, authority, findings, &has_v1, out_ok, err);
    if (e == E_OK)
        e = check_attr(signer, OID_SIGNING_CERTIFICATE_V2, authority, findings, &has_v2, out_ok,
                       err);
    if (e == E_OK && !has_v1 && !has_v2)
        findings_add(findings, REASON_TIMESTAMP_INVALID, WEIGHT_LENIENT, signer->whole.at,
                     "it does not say which certificate signed it (signingCertificate)");
    return e;
}
