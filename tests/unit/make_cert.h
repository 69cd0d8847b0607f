#ifndef SUREFOOT_TESTS_MAKE_CERT_H
#define SUREFOOT_TESTS_MAKE_CERT_H

/* make_cert.h: certificates and revocation lists made at run time, for tests. Each value in a spec
 * that is left out has an ordinary one; each that is given may make the certificate wrong. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/bio.h>
#include <openssl/conf.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "verify/cert.h"

#define T_2020 INT64_C(1577836800)
#define T_2025 INT64_C(1735689600)
#define T_2026 INT64_C(1767225600)
#define NOW INT64_C(1780272000) /* 2026-06-01 */
#define T_2027 INT64_C(1798761600)
#define T_2040 INT64_C(2208988800)
#define DAY INT64_C(86400)

struct made {
    X509 *x509;
    EVP_PKEY *key;
    struct cert *cert; /* NULL where it does not read */
    enum errc rc;
    uint8_t *der;
    size_t len;
};

struct ext_spec {
    const char *name, *value; /* as in openssl.cnf; sections: see make_conf */
};

struct spec {
    const char *o, *cn;
    int cn_len, cn_type; /* 0: all of it, as UTF-8 */
    const char *key;     /* "p256" and so on, with a label behind ":" to have another of the kind */
    const struct made *issuer; /* NULL: self-signed */
    const char *sign_key;      /* instead of the issuer's */
    const char *hash;
    int64_t from, to;
    struct ext_spec exts[6];
    bool no_ids, is_v1, is_pss;
    long serial;
};

#define MADE_MAX 256
static struct made made_all[MADE_MAX];
static size_t n_made;
static struct {
    char name[32];
    EVP_PKEY *key;
} keys_made[48];

/* Names for nameConstraints, and a policy. */
static inline CONF *make_conf(void)
{
    static char text[] = "[maker]\nO=Maker\n[others]\nO=Somebody Else\n[idp]\nonlyuser=TRUE\n";
    CONF *conf = NCONF_new(NULL);
    BIO *in = BIO_new_mem_buf(text, -1);
    long line;
    assert_int_equal(NCONF_load_bio(conf, in, &line), 1);
    BIO_free(in);
    return conf;
}

static inline EVP_PKEY *new_key(const char *kind)
{
    if (strncmp(kind, "rsa", 3) == 0)
        return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)strtoul(kind + 3, NULL, 10));
    if (strncmp(kind, "ed25519", 7) == 0)
        return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    if (strncmp(kind, "ed448", 5) == 0)
        return EVP_PKEY_Q_keygen(NULL, NULL, "ED448");
    if (strncmp(kind, "p192", 4) == 0)
        return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-192");
    if (strncmp(kind, "p384", 4) == 0)
        return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-384");
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    if (strncmp(kind, "explicit", 8) == 0)
        assert_int_equal(
            EVP_PKEY_set_utf8_string_param(key, OSSL_PKEY_PARAM_EC_ENCODING, "explicit"), 1);
    return key;
}

static inline EVP_PKEY *key_of(const char *name)
{
    size_t i = 0;
    while (keys_made[i].key != NULL && strcmp(keys_made[i].name, name) != 0)
        i++;
    assert_true(i + 1 < sizeof(keys_made) / sizeof(keys_made[0]));
    if (keys_made[i].key == NULL) {
        (void)strncpy(keys_made[i].name, name, sizeof(keys_made[i].name) - 1);
        keys_made[i].key = new_key(name);
        assert_non_null(keys_made[i].key);
    }
    return keys_made[i].key;
}

static inline void make_name(X509_NAME *name, const struct spec *s)
{
    int type = s->cn_type != 0 ? s->cn_type : MBSTRING_UTF8;
    if (s->o != NULL)
        assert_int_equal(X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8,
                                                    (const unsigned char *)s->o, -1, -1, 0),
                         1);
    if (s->cn != NULL)
        assert_int_equal(X509_NAME_add_entry_by_txt(name, "CN", type, (const unsigned char *)s->cn,
                                                    s->cn_len != 0 ? s->cn_len : -1, -1, 0),
                         1);
}

static inline void add_ext(X509 *x, X509V3_CTX *ctx, CONF *conf, const char *name,
                           const char *value)
{
    X509_EXTENSION *ext = X509V3_EXT_nconf(conf, ctx, name, value);
    assert_non_null(ext);
    assert_int_equal(X509_add_ext(x, ext, -1), 1);
    X509_EXTENSION_free(ext);
}

static inline void sign_x509(X509 *x, EVP_PKEY *key, const struct spec *s)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *pctx;
    int id = EVP_PKEY_get_base_id(key);
    const char *hash = id == EVP_PKEY_ED25519 || id == EVP_PKEY_ED448 ? NULL
                       : s->hash == NULL                              ? "SHA256"
                                                                      : s->hash;
    assert_int_equal(EVP_DigestSignInit_ex(ctx, &pctx, hash, NULL, NULL, key, NULL), 1);
    if (s->is_pss)
        assert_true(EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING) > 0);
    assert_true(X509_sign_ctx(x, ctx) > 0);
    EVP_MD_CTX_free(ctx);
}

static inline const struct made *make(const struct spec *s)
{
    assert_true(n_made < MADE_MAX);
    struct made *m = &made_all[n_made++];
    X509 *x = X509_new();
    CONF *conf = make_conf();
    X509V3_CTX ctx;
    m->key = key_of(s->key == NULL ? "p256" : s->key);
    assert_int_equal(X509_set_version(x, s->is_v1 ? 0 : 2), 1);
    assert_int_equal(
        ASN1_INTEGER_set(X509_get_serialNumber(x), s->serial != 0 ? s->serial : (long)n_made), 1);
    make_name(X509_get_subject_name(x), s);
    X509 *issuer = s->issuer == NULL ? x : s->issuer->x509;
    assert_int_equal(X509_set_issuer_name(x, X509_get_subject_name(issuer)), 1);
    assert_non_null(ASN1_TIME_set(X509_getm_notBefore(x), s->from != 0 ? s->from : T_2020));
    assert_non_null(ASN1_TIME_set(X509_getm_notAfter(x), s->to != 0 ? s->to : T_2040));
    assert_int_equal(X509_set_pubkey(x, m->key), 1);
    X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
    X509V3_set_nconf(&ctx, conf);
    if (!s->no_ids && !s->is_v1) {
        add_ext(x, &ctx, conf, "subjectKeyIdentifier", "hash");
        if (s->issuer != NULL)
            add_ext(x, &ctx, conf, "authorityKeyIdentifier", "keyid");
    }
    for (size_t i = 0; i < 6 && s->exts[i].name != NULL; i++)
        add_ext(x, &ctx, conf, s->exts[i].name, s->exts[i].value);
    sign_x509(x,
              s->sign_key != NULL ? key_of(s->sign_key)
              : s->issuer == NULL ? m->key
                                  : s->issuer->key,
              s);
    NCONF_free(conf);
    m->x509 = x;
    m->len = (size_t)i2d_X509(x, &m->der);
    m->rc = cert_read(span_of(m->der, m->len), &m->cert, NULL);
    return m;
}

#define CA_EXTS                                                                                    \
    { "basicConstraints", "critical,CA:TRUE" },                                                    \
    {                                                                                              \
        "keyUsage", "critical,keyCertSign,cRLSign"                                                 \
    }
#define LEAF_EXTS                                                                                  \
    { "keyUsage", "critical,digitalSignature" },                                                   \
    {                                                                                              \
        "extendedKeyUsage", "codeSigning"                                                          \
    }
#define TSA_EXTS                                                                                   \
    { "keyUsage", "critical,digitalSignature" },                                                   \
    {                                                                                              \
        "extendedKeyUsage", "critical,timeStamping"                                                \
    }

static inline int free_made(void **state)
{
    (void)state;
    for (size_t i = 0; i < n_made; i++) {
        cert_free(made_all[i].cert);
        X509_free(made_all[i].x509);
        OPENSSL_free(made_all[i].der);
    }
    for (size_t i = 0; keys_made[i].key != NULL; i++)
        EVP_PKEY_free(keys_made[i].key);
    return 0;
}

static inline struct span made_der(const struct made *m)
{
    return span_of(m->der, m->len);
}

#endif
