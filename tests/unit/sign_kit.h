#ifndef SUREFOOT_TESTS_SIGN_KIT_H
#define SUREFOOT_TESTS_SIGN_KIT_H

/* sign_kit.h: a root, a signer below it, and detached CMS signatures by it, all made when the test
 * runs and gone with it. For tests alone: nothing that ships can sign. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "platform/base/buf.h"
#include "verify/policy.h"

#include <openssl/bio.h>
#include <openssl/cms.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

struct sign_kit {
    EVP_PKEY *root_key, *key;
    X509 *root, *cert;
};

static inline void sign_kit_extend(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    assert_non_null(ext);
    assert_int_equal(X509_add_ext(cert, ext, -1), 1);
    X509_EXTENSION_free(ext);
}

/* sign_kit_cert makes a certificate that is valid from an hour before `now` for a day. */
static inline X509 *sign_kit_cert(const char *name, EVP_PKEY *key, X509 *issuer, long serial,
                                  int64_t now)
{
    X509 *cert = X509_new();
    assert_non_null(cert);
    X509_NAME *subject = X509_get_subject_name(cert);
    assert_int_equal(X509_set_version(cert, 2), 1);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), serial);
    X509_NAME_add_entry_by_txt(subject, "O", MBSTRING_UTF8, (const unsigned char *)name, -1, -1, 0);
    assert_int_equal(
        X509_set_issuer_name(cert, issuer == NULL ? subject : X509_get_subject_name(issuer)), 1);
    ASN1_TIME_set(X509_getm_notBefore(cert), (time_t)(now - 3600));
    ASN1_TIME_set(X509_getm_notAfter(cert), (time_t)(now + 86400));
    assert_int_equal(X509_set_pubkey(cert, key), 1);
    return cert;
}

/* sign_kit_new: `eku` in OpenSSL's words, NULL for a certificate without the extension. */
static inline struct sign_kit sign_kit_new(const char *eku, int64_t now)
{
    struct sign_kit k = { .root_key = EVP_EC_gen("P-256"), .key = EVP_EC_gen("P-256") };
    k.root = sign_kit_cert("Test Root", k.root_key, NULL, 1, now);
    sign_kit_extend(k.root, k.root, NID_basic_constraints, "critical,CA:TRUE");
    sign_kit_extend(k.root, k.root, NID_key_usage, "critical,keyCertSign,cRLSign");
    sign_kit_extend(k.root, k.root, NID_subject_key_identifier, "hash");
    assert_true(X509_sign(k.root, k.root_key, EVP_sha256()) > 0);
    k.cert = sign_kit_cert("Test Signer", k.key, k.root, 2, now);
    sign_kit_extend(k.cert, k.root, NID_key_usage, "critical,digitalSignature");
    sign_kit_extend(k.cert, k.root, NID_authority_key_identifier, "keyid");
    if (eku != NULL)
        sign_kit_extend(k.cert, k.root, NID_ext_key_usage, eku);
    assert_true(X509_sign(k.cert, k.root_key, EVP_sha256()) > 0);
    return k;
}

static inline void sign_kit_free(struct sign_kit *k)
{
    EVP_PKEY_free(k->root_key);
    EVP_PKEY_free(k->key);
    X509_free(k->root);
    X509_free(k->cert);
}

static inline void sign_kit_take(BIO *bio, struct buf *out)
{
    char *bytes;
    struct err err;
    long len = BIO_get_mem_data(bio, &bytes);
    assert_true(len > 0);
    assert_int_equal(buf_add(out, span_of(bytes, (size_t)len), &err), E_OK);
    BIO_free(bio);
}

/* sign_kit_root appends the root as DER. */
static inline void sign_kit_root(const struct sign_kit *k, struct buf *out)
{
    BIO *bio = BIO_new(BIO_s_mem());
    assert_int_equal(i2d_X509_bio(bio, k->root), 1);
    sign_kit_take(bio, out);
}

/* A kit and a policy that trusts its root. */
struct sign_world {
    struct sign_kit kit;
    struct trust *trust;
    struct policy policy;
};

static inline struct sign_world sign_world_new(const char *eku, int64_t now)
{
    struct sign_world w = { .kit = sign_kit_new(eku, now) };
    struct buf root;
    struct err err;
    buf_init(&root, 1 << 16);
    sign_kit_root(&w.kit, &root);
    assert_int_equal(trust_new(&w.trust, &err), E_OK);
    assert_int_equal(trust_add_anchors(w.trust, ANCHOR_CODE, buf_span(&root), &err), E_OK);
    buf_fini(&root);
    w.policy = (struct policy){ .now = now, .trust = w.trust };
    return w;
}

static inline void sign_world_free(struct sign_world *w)
{
    sign_kit_free(&w->kit);
    trust_free(w->trust);
}

struct sign_kit_ask {
    const char *content_type; /* dotted, NULL: data */
    const EVP_MD *md;         /* NULL: SHA-256 */
    unsigned flags;           /* more CMS_*, e.g. CMS_NOATTR */
    bool attached, pem;
    const struct sign_kit *second; /* another signer, or NULL */
};

/* sign_kit_sign appends a SignedData over `content`. */
static inline void sign_kit_sign(const struct sign_kit *k, struct span content,
                                 const struct sign_kit_ask *ask, struct buf *out)
{
    unsigned flags = CMS_BINARY | CMS_NOSMIMECAP | (ask->attached ? 0 : CMS_DETACHED) | ask->flags;
    const EVP_MD *md = ask->md == NULL ? EVP_sha256() : ask->md;
    BIO *in = BIO_new_mem_buf(content.ptr, (int)content.len), *bio = BIO_new(BIO_s_mem());
    CMS_ContentInfo *cms = CMS_sign(NULL, NULL, NULL, in, flags | CMS_PARTIAL);
    assert_non_null(cms);
    if (ask->content_type != NULL) {
        ASN1_OBJECT *type = OBJ_txt2obj(ask->content_type, 1);
        assert_int_equal(CMS_set1_eContentType(cms, type), 1);
        ASN1_OBJECT_free(type);
    }
    assert_non_null(CMS_add1_signer(cms, k->cert, k->key, md, flags));
    if (ask->second != NULL)
        assert_non_null(CMS_add1_signer(cms, ask->second->cert, ask->second->key, md, flags));
    assert_int_equal(CMS_final(cms, in, NULL, flags), 1);
    assert_int_equal(ask->pem ? PEM_write_bio_CMS_stream(bio, cms, NULL, 0) : i2d_CMS_bio(bio, cms),
                     1);
    sign_kit_take(bio, out);
    CMS_ContentInfo_free(cms);
    BIO_free(in);
}

#endif
