#include <inttypes.h>
#include <string.h>

#include "platform/base/reader.h"
#include "verify/cert.h"
#include "verify/cert_private.h"
#include "verify/der.h"
#include "verify/oid.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

/* --- which keys we use */

static const char *why_not_rsa(EVP_PKEY *key)
{
    BIGNUM *exponent = NULL;
    if (EVP_PKEY_get_bits(key) > KEY_RSA_BITS_MAX)
        return "an RSA key of more than 8192 bits";
    if (EVP_PKEY_get_bits(key) < KEY_RSA_BITS_MIN)
        return "an RSA key of less than 512 bits";
    if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &exponent) != 1)
        return "an RSA key that does not read";
    int bits = BN_num_bits(exponent);
    BN_free(exponent);
    return bits > KEY_EXPONENT_BITS_MAX ? "an RSA key with an outsize exponent" : NULL;
}

/* Curves over prime fields that signers use, or once did. OpenSSL knows others that are many times
 * slower. */
static const char *const curves[] = {
    "1.2.840.10045.3.1.1",   /* secp192r1, too short: check_key says so */
    "1.2.840.10045.3.1.7",   /* P-256 */
    "1.3.132.0.33",          /* P-224 */
    "1.3.132.0.34",          /* P-384 */
    "1.3.132.0.35",          /* P-521 */
    "1.3.132.0.10",          /* secp256k1 */
    "1.3.36.3.3.2.8.1.1.7",  /* brainpoolP256r1 */
    "1.3.36.3.3.2.8.1.1.11", /* brainpoolP384r1 */
    "1.3.36.3.3.2.8.1.1.13", /* brainpoolP512r1 */
};

static bool is_used_curve(struct span oid)
{
    for (size_t i = 0; i < ARRAY_LEN(curves); i++) {
        uint8_t known[16];
        size_t len;
        if (oid_from_text(curves[i], known, sizeof(known), &len, NULL) == E_OK &&
            span_equal(oid, span_of(known, len)))
            return true;
    }
    return false;
}

/* A curve that is spelt out may be one for which somebody knows more than its user does
 * (CVE-2020-0601): the parameters must be a name. */
static const char *why_not_ec(const struct cert *c)
{
    struct reader spki, algorithm, r = reader_of(c->spki, 0);
    struct span oid;
    if (der_enter(&r, DER_SEQUENCE, "public key", &spki, NULL) != E_OK ||
        der_enter(&spki, DER_SEQUENCE, "public key algorithm", &algorithm, NULL) != E_OK ||
        der_read_oid(&algorithm, "public key algorithm", &oid, NULL) != E_OK)
        return "a public key that does not read";
    if (!der_next_is(&algorithm, DER_OID))
        return "a curve that is not given by name";
    if (der_read_oid(&algorithm, "curve", &oid, NULL) != E_OK || !is_used_curve(oid))
        return "a curve that is not used here";
    return NULL;
}

static const char *why_not(const struct cert *c, EVP_PKEY *key)
{
    switch (key == NULL ? EVP_PKEY_NONE : EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA:
    case EVP_PKEY_RSA_PSS: return why_not_rsa(key);
    case EVP_PKEY_EC: return why_not_ec(c);
    case EVP_PKEY_ED25519: return NULL;
    default: return "a public key of a kind that is not used here";
    }
}

/* A "no" is rare and costs little, so it is asked for twice: see openssl_nomem. */
#define ASK_TWICE 2

enum errc cert_find_key(struct cert *c, struct err *err)
{
    EVP_PKEY *key = X509_get0_pubkey(c->x509);
    openssl_begin();
    c->key_why = why_not(c, key);
    if (c->key_why != NULL)
        c->key_why = why_not(c, key);
    c->key = c->key_why == NULL ? key : NULL;
    return c->key == NULL && openssl_nomem() ? err_nomem(err) : E_OK;
}

EVP_PKEY *cert_key(const struct cert *c, const char **out_why)
{
    if (out_why != NULL)
        *out_why = c->key_why;
    return c->key;
}

enum errc cert_check_issuer(const struct cert *c, const struct cert *issuer, struct err *err)
{
    EVP_PKEY *key = cert_key(issuer, NULL);
    for (int i = 0; key != NULL && i < ASK_TWICE; i++) {
        openssl_begin();
        if (X509_verify(c->x509, key) == 1)
            return E_OK;
        if (openssl_nomem())
            return err_nomem(err);
    }
    return err_set(err, E_REFUSED, "the issuer's key does not verify the certificate");
}

/* --- signature algorithms of a SignerInfo */

enum scheme { SCHEME_NONE = 0, SCHEME_PKCS1, SCHEME_PSS, SCHEME_ECDSA, SCHEME_ED25519 };

struct method {
    enum scheme scheme;
    enum digest_alg digest; /* DIGEST_NONE: the OID leaves it to digestAlgorithm */
    uint32_t salt_len;      /* PSS */
};

static const struct {
    const char *oid;
    struct method method;
} methods[] = {
    { "1.2.840.113549.1.1.1", { SCHEME_PKCS1, DIGEST_NONE, 0 } },    /* rsaEncryption */
    { "1.2.840.113549.1.1.4", { SCHEME_PKCS1, DIGEST_MD5, 0 } },     /* md5WithRSAEncryption */
    { "1.2.840.113549.1.1.5", { SCHEME_PKCS1, DIGEST_SHA1, 0 } },    /* sha1WithRSAEncryption */
    { "1.3.14.3.2.29", { SCHEME_PKCS1, DIGEST_SHA1, 0 } },           /* the same of old */
    { "1.2.840.113549.1.1.11", { SCHEME_PKCS1, DIGEST_SHA256, 0 } }, /* sha256WithRSAEncryption */
    { "1.2.840.113549.1.1.12", { SCHEME_PKCS1, DIGEST_SHA384, 0 } },
    { "1.2.840.113549.1.1.13", { SCHEME_PKCS1, DIGEST_SHA512, 0 } },
    { "1.2.840.113549.1.1.10", { SCHEME_PSS, DIGEST_NONE, 0 } },
    { "1.2.840.10045.2.1", { SCHEME_ECDSA, DIGEST_NONE, 0 } }, /* id-ecPublicKey */
    { "1.2.840.10045.4.1", { SCHEME_ECDSA, DIGEST_SHA1, 0 } }, /* ecdsa-with-SHA1 */
    { "1.2.840.10045.4.3.2", { SCHEME_ECDSA, DIGEST_SHA256, 0 } },
    { "1.2.840.10045.4.3.3", { SCHEME_ECDSA, DIGEST_SHA384, 0 } },
    { "1.2.840.10045.4.3.4", { SCHEME_ECDSA, DIGEST_SHA512, 0 } },
    { "1.3.101.112", { SCHEME_ED25519, DIGEST_SHA512, 0 } }, /* RFC 8419 2.3 names the digest */
};

static bool find_method(struct span oid, struct method *out)
{
    for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
        uint8_t known[16];
        size_t len;
        if (oid_from_text(methods[i].oid, known, sizeof(known), &len, NULL) == E_OK &&
            span_equal(oid, span_of(known, len))) {
            *out = methods[i].method;
            return true;
        }
    }
    return false;
}

static enum errc end_of_parameters(struct reader *r, bool may_be_null, struct err *err)
{
    struct der null;
    if (may_be_null && der_next_is(r, DER_NULL)) {
        enum errc rc = der_read(r, DER_NULL, "algorithm parameters", &null, err);
        if (rc != E_OK)
            return rc;
        if (null.content.len != 0)
            return err_set(err, E_MALFORMED, "algorithm parameters: NULL with content");
    }
    return der_end(r, "algorithm parameters", err);
}

/* read_hash reads the AlgorithmIdentifier of a hash that fills `r`. */
static enum errc read_hash(struct reader *r, enum digest_alg *out, struct err *err)
{
    struct reader in;
    struct span oid;
    enum errc rc = der_enter(r, DER_SEQUENCE, "PSS hash", &in, err);
    if (rc == E_OK)
        rc = der_read_oid(&in, "PSS hash", &oid, err);
    if (rc == E_OK)
        rc = end_of_parameters(&in, true, err);
    if (rc == E_OK)
        rc = der_end(r, "PSS hash", err);
    if (rc == E_OK)
        *out = oid_digest(oid_of(oid));
    return rc;
}

static enum errc read_mgf(struct reader *r, enum digest_alg *out, struct err *err)
{
    static const uint8_t mgf1[] = { 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x08 };
    struct reader in;
    struct span oid;
    enum errc rc = der_enter(r, DER_SEQUENCE, "PSS mask", &in, err);
    if (rc == E_OK)
        rc = der_read_oid(&in, "PSS mask", &oid, err);
    if (rc == E_OK && !span_equal(oid, span_of(mgf1, sizeof(mgf1))))
        rc = err_set(err, E_UNSUPPORTED, "PSS mask other than MGF1");
    if (rc == E_OK)
        rc = read_hash(&in, out, err);
    return rc == E_OK ? der_end(r, "PSS mask", err) : rc;
}

/* read_pss reads RSASSA-PSS-params (RFC 4055 3.1); what is left out has the defaults of 1998. */
static enum errc read_pss(struct reader *r, struct method *m, struct err *err)
{
    struct reader params, in;
    enum digest_alg mgf_digest = DIGEST_SHA1;
    m->digest = DIGEST_SHA1;
    m->salt_len = 20;
    enum errc rc = der_enter(r, DER_SEQUENCE, "PSS parameters", &params, err);
    if (rc == E_OK && der_next_is(&params, DER_CONTEXT_CONSTRUCTED(0))) {
        rc = der_enter(&params, DER_CONTEXT_CONSTRUCTED(0), "PSS hash", &in, err);
        if (rc == E_OK)
            rc = read_hash(&in, &m->digest, err);
    }
    if (rc == E_OK && der_next_is(&params, DER_CONTEXT_CONSTRUCTED(1))) {
        rc = der_enter(&params, DER_CONTEXT_CONSTRUCTED(1), "PSS mask", &in, err);
        if (rc == E_OK)
            rc = read_mgf(&in, &mgf_digest, err);
    }
    if (rc == E_OK && der_next_is(&params, DER_CONTEXT_CONSTRUCTED(2))) {
        rc = der_enter(&params, DER_CONTEXT_CONSTRUCTED(2), "PSS salt length", &in, err);
        if (rc == E_OK)
            rc = der_read_u32(&in, "PSS salt length", &m->salt_len, err);
        if (rc == E_OK)
            rc = der_end(&in, "PSS salt length", err);
    }
    if (rc == E_OK)
        rc = der_end(&params, "PSS parameters", err);
    if (rc == E_OK)
        rc = der_end(r, "PSS parameters", err);
    if (rc == E_OK && mgf_digest != m->digest)
        rc = err_set(err, E_MALFORMED, "PSS: the mask's hash is not the signature's");
    return rc;
}

/* check_salt: from the digest's length, which is usual, to all that has room (RFC 8017 9.1.1),
 * which is what OpenSSL's signers take where they are told nothing. */
static enum errc check_salt(const struct method *m, EVP_PKEY *key, struct err *err)
{
    int encoded_len = (EVP_PKEY_get_bits(key) + 6) / 8, digest_size = (int)digest_len(m->digest);
    int room = encoded_len - digest_size - 2;
    if (room < digest_size || m->salt_len > (uint32_t)room || m->salt_len < (uint32_t)digest_size)
        return err_set(err, E_MALFORMED, "PSS: a salt of %" PRIu32 " bytes", m->salt_len);
    return E_OK;
}

static enum errc read_method(struct span algorithm, struct method *out, struct err *err)
{
    struct reader in, r = reader_of(algorithm, 0);
    struct span oid;
    char text[80];
    enum errc rc = der_enter(&r, DER_SEQUENCE, "signature algorithm", &in, err);
    if (rc == E_OK)
        rc = der_end(&r, "signature algorithm", err);
    if (rc == E_OK)
        rc = der_read_oid(&in, "signature algorithm", &oid, err);
    if (rc != E_OK)
        return rc;
    if (!find_method(oid, out))
        return err_set(err, E_UNSUPPORTED, "signature algorithm %s",
                       oid_text(oid, text, sizeof(text)));
    if (out->scheme == SCHEME_PSS)
        return read_pss(&in, out, err);
    return end_of_parameters(&in, out->scheme == SCHEME_PKCS1, err);
}

static bool method_fits_key(const struct method *m, EVP_PKEY *key)
{
    int kind = EVP_PKEY_get_base_id(key);
    switch (m->scheme) {
    case SCHEME_PKCS1: return kind == EVP_PKEY_RSA;
    case SCHEME_PSS: return kind == EVP_PKEY_RSA || kind == EVP_PKEY_RSA_PSS;
    case SCHEME_ECDSA: return kind == EVP_PKEY_EC;
    case SCHEME_ED25519: return kind == EVP_PKEY_ED25519;
    case SCHEME_NONE: break;
    }
    return false;
}

/* --- the mathematics */

/* OpenSSL's name of a digest that a signature may use. */
static const char *md_name(enum digest_alg alg)
{
    switch (alg) {
    case DIGEST_MD5: return "MD5";
    case DIGEST_SHA1: return "SHA1";
    case DIGEST_SHA256: return "SHA2-256";
    case DIGEST_SHA384: return "SHA2-384";
    case DIGEST_SHA512: return "SHA2-512";
    default: return NULL;
    }
}

static bool set_padding(EVP_PKEY_CTX *ctx, const struct method *m, const char *md)
{
    switch (m->scheme) {
    case SCHEME_PKCS1: return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) > 0;
    case SCHEME_PSS:
        return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) > 0 &&
               EVP_PKEY_CTX_set_rsa_mgf1_md_name(ctx, md, NULL) > 0 &&
               EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, (int)m->salt_len) > 0;
    case SCHEME_ECDSA:
    case SCHEME_ED25519: return true;
    case SCHEME_NONE: break;
    }
    return false;
}

/* verify_message: OpenSSL refuses an RSA signature whose length is not the modulus's, and an ECDSA
 * one that is not its own re-encoding. */
static enum errc verify_once(EVP_PKEY *key, const struct method *m,
                             const struct signature_claim *claim, struct span message,
                             struct err *err)
{
    const char *md = m->scheme == SCHEME_ED25519 ? NULL : md_name(claim->digest);
    EVP_PKEY_CTX *ctx = NULL; /* owned by `verifying` */
    openssl_begin();
    EVP_MD_CTX *verifying = EVP_MD_CTX_new();
    if (verifying == NULL || digest_context() == NULL) {
        EVP_MD_CTX_free(verifying);
        return err_nomem(err);
    }
    bool holds =
        EVP_DigestVerifyInit_ex(verifying, &ctx, md, digest_context(), NULL, key, NULL) == 1 &&
        set_padding(ctx, m, md) &&
        EVP_DigestVerify(verifying, claim->value.ptr, claim->value.len, message.ptr, message.len) ==
            1;
    EVP_MD_CTX_free(verifying);
    if (holds)
        return E_OK;
    if (openssl_nomem())
        return err_nomem(err);
    return err_set(err, E_REFUSED, "the signature does not verify");
}

static enum errc verify_message(EVP_PKEY *key, const struct method *m,
                                const struct signature_claim *claim, struct span message,
                                struct err *err)
{
    enum errc rc = E_REFUSED;
    for (int i = 0; rc == E_REFUSED && i < ASK_TWICE; i++)
        rc = verify_once(key, m, claim, message, err);
    return rc;
}

enum errc cert_check_signature(const struct cert *c, const struct signature_claim *claim,
                               struct span message, struct err *err)
{
    struct method m;
    const char *why;
    enum errc rc = read_method(claim->algorithm, &m, err);
    if (rc != E_OK)
        return rc;
    EVP_PKEY *key = cert_key(c, &why);
    if (key == NULL)
        return err_set(err, E_UNSUPPORTED, "the signer has %s", why);
    if (!method_fits_key(&m, key))
        return err_set(err, E_MALFORMED, "the signature algorithm is not one for the signer's key");
    if (md_name(claim->digest) == NULL)
        return err_set(err, E_UNSUPPORTED, "signatures over %s are not judged",
                       digest_word(claim->digest));
    if (m.digest != DIGEST_NONE && m.digest != claim->digest)
        return err_set(err, E_MALFORMED, "the signature is over %s, the digest algorithm is %s",
                       digest_word(m.digest), digest_word(claim->digest));
    rc = m.scheme == SCHEME_PSS ? check_salt(&m, key, err) : E_OK;
    return rc == E_OK ? verify_message(key, &m, claim, message, err) : rc;
}

static enum errc verify_bare_once(EVP_PKEY *key, struct span signature, const struct digest *digest,
                                  struct err *err)
{
    openssl_begin();
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(digest_context(), key, NULL);
    /* Without a hash set, PKCS#1 padding is removed and what is left is compared whole. */
    bool holds =
        ctx != NULL && EVP_PKEY_verify_init(ctx) == 1 &&
        EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) > 0 &&
        EVP_PKEY_verify(ctx, signature.ptr, signature.len, digest->bytes, digest->len) == 1;
    EVP_PKEY_CTX_free(ctx);
    if (holds)
        return E_OK;
    if (openssl_nomem())
        return err_nomem(err);
    return err_set(err, E_REFUSED, "the signature over a bare digest does not verify");
}

enum errc cert_check_bare_digest(const struct cert *c, struct span signature,
                                 const struct digest *digest, struct err *err)
{
    EVP_PKEY *key = cert_key(c, NULL);
    enum errc rc = E_REFUSED;
    if (key == NULL || EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA)
        return err_set(err, E_REFUSED, "a signature over a bare digest needs an RSA key");
    for (int i = 0; rc == E_REFUSED && i < ASK_TWICE; i++)
        rc = verify_bare_once(key, signature, digest, err);
    return rc;
}
