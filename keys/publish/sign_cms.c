/* The signer of detached CMS signatures. OpenSSL writes the SignedData and does the mathematics;
 * the content's digest is ours, so that a file is read in pieces. */

#include <stdlib.h>
#include <string.h>

#include "keys/publish/signer_private.h"
#include "platform/base/text.h"
#include "verify/cert.h"
#include "verify/chain.h"
#include "verify/digest.h"

#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#define CMS_FLAGS (CMS_PARTIAL | CMS_DETACHED | CMS_BINARY | CMS_NOSMIMECAP | CMS_CADES)

struct cms_signer {
    struct signer base;
    struct identity identity;
    struct cert_bag bag; /* the identity's certificates as the client reads them, same numbers */
    size_t chain[IDENTITY_CERTS_MAX]; /* numbers: the signer, its issuer, ... */
    size_t n_chain;
};

static enum errc openssl_err(struct err *err, enum errc code, const char *what)
{
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    ERR_clear_error();
    return err_set(err, code, "%s: %s", what, reason == NULL ? "OpenSSL does not say why" : reason);
}

/* --- signing */

static bool add_signing_time(CMS_SignerInfo *si, int64_t now)
{
    ASN1_TIME *time = ASN1_TIME_set(NULL, (time_t)now);
    bool ok = time != NULL && CMS_signed_add1_attr_by_NID(si, NID_pkcs9_signingTime,
                                                          ASN1_STRING_type(time), time, -1) == 1;
    ASN1_TIME_free(time);
    return ok;
}

/* CMS_SignerInfo_sign takes the attributes as they are, sorts them as DER has a SET OF, and signs.
 */
static bool sign_attributes(CMS_SignerInfo *si, const struct digest *content, int64_t now)
{
    return CMS_signed_add1_attr_by_NID(si, NID_pkcs9_contentType, V_ASN1_OBJECT,
                                       OBJ_nid2obj(NID_pkcs7_data), -1) == 1 &&
           CMS_signed_add1_attr_by_NID(si, NID_pkcs9_messageDigest, V_ASN1_OCTET_STRING,
                                       content->bytes, (int)content->len) == 1 &&
           add_signing_time(si, now) && CMS_SignerInfo_sign(si) == 1;
}

/* The certificates above the signer's, but for the root, which the client has or must not trust. */
static bool add_chain(const struct cms_signer *c, CMS_ContentInfo *cms)
{
    for (size_t i = 1; i < c->n_chain; i++) {
        const struct cert *cert = c->bag.certs[c->chain[i]];
        if (!cert_names_issuer(cert, cert) &&
            CMS_add1_cert(cms, c->identity.certs[c->chain[i]]) != 1)
            return false;
    }
    return true;
}

static enum errc write_der(CMS_ContentInfo *cms, struct buf *out, struct err *err)
{
    unsigned char *der = NULL;
    int len = i2d_CMS_ContentInfo(cms, &der);
    if (len <= 0)
        return openssl_err(err, E_NOMEM, "CMS: cannot write the signature");
    enum errc rc = buf_add(out, span_of(der, (size_t)len), err);
    OPENSSL_free(der);
    return rc;
}

static enum errc make(struct signer *s, struct source *content, const char *comment,
                      struct buf *out, struct err *err)
{
    const struct cms_signer *c = (const struct cms_signer *)s;
    struct digest_set digests;
    UNUSED(comment);
    enum errc rc = digest_source(content, DIGEST_BIT(DIGEST_SHA256), &digests, err);
    if (rc != E_OK)
        return rc;
    CMS_ContentInfo *cms = CMS_sign_ex(NULL, NULL, NULL, NULL, CMS_FLAGS, digest_context(), NULL);
    CMS_SignerInfo *si = cms == NULL ? NULL
                                     : CMS_add1_signer(cms, c->identity.certs[0], c->identity.key,
                                                       EVP_sha256(), CMS_FLAGS);
    if (si == NULL || !add_chain(c, cms) ||
        !sign_attributes(si, &digests.of[DIGEST_SHA256], s->policy.now))
        rc = openssl_err(err, E_IO, "CMS: the key does not sign");
    else
        rc = write_der(cms, out, err);
    CMS_ContentInfo_free(cms);
    return rc;
}

static void close_cms(struct signer *s)
{
    struct cms_signer *c = (struct cms_signer *)s;
    cert_bag_fini(&c->bag);
    identity_fini(&c->identity);
    free(c);
}

/* --- is it fit to sign? */

static enum errc read_identity(struct platform *p, const struct signer_ask *ask,
                               struct identity *out, struct err *err)
{
    if (ask->pkcs12 != NULL)
        return identity_read_pkcs12(p, ask, out, err);
    enum errc rc = identity_read_certs(p, ask->cert, out, err);
    if (rc != E_OK)
        return rc;
    return ask->cert_key != NULL ? identity_read_pem(p, ask, out, err)
                                 : identity_read_token(p, ask, out, err);
}

static enum errc read_bag(const struct identity *id, struct cert_bag *bag, struct err *err)
{
    for (size_t i = 0; i < id->n_certs; i++) {
        unsigned char *der = NULL;
        int len = i2d_X509(id->certs[i], &der);
        if (len <= 0)
            return openssl_err(err, E_NOMEM, "certificate: cannot write it");
        enum errc rc = cert_read(span_of(der, (size_t)len), &bag->certs[i], err);
        OPENSSL_free(der);
        if (rc != E_OK)
            return err_prefix(err, "certificate %zu: ", i + 1);
        bag->n++;
    }
    return E_OK;
}

static enum errc check_key(const struct cms_signer *c, struct err *err)
{
    int kind = EVP_PKEY_get_base_id(c->identity.key);
    const char *subject = c->base.facts.cert.subject;
    if (kind != EVP_PKEY_RSA && kind != EVP_PKEY_EC)
        return err_set(err, E_UNSUPPORTED, "the key is neither RSA nor of an elliptic curve (%s)",
                       EVP_PKEY_get0_type_name(c->identity.key) == NULL
                           ? "unknown"
                           : EVP_PKEY_get0_type_name(c->identity.key));
    int fits = X509_check_private_key(c->identity.certs[0], c->identity.key);
    ERR_clear_error();
    if (fits == 1)
        return E_OK;
    for (size_t i = 1; i < c->identity.n_certs; i++) {
        bool is_other = X509_check_private_key(c->identity.certs[i], c->identity.key) == 1;
        ERR_clear_error();
        if (is_other)
            return err_set(err, E_ARGUMENT,
                           "the key belongs to certificate %zu of the file; put that one first",
                           i + 1);
    }
    return err_set(err, E_ARGUMENT, "the key is not that of the certificate %.120s", subject);
}

/* Who issued a certificate, by name and signature; bag->n where that is not there. */
static size_t find_issuer(const struct cert_bag *bag, const struct cert *cert)
{
    for (size_t i = 0; i < bag->n; i++)
        if (bag->certs[i] != cert && cert_names_issuer(cert, bag->certs[i]) &&
            cert_check_issuer(cert, bag->certs[i], NULL) == E_OK)
            return i;
    return bag->n;
}

/* What else the file holds is left out: strangers in a signature are refused. */
static void find_chain(struct cms_signer *c)
{
    size_t at = 0;
    c->n_chain = 0;
    while (at < c->bag.n && c->n_chain < c->bag.n) {
        const struct cert *cert = c->bag.certs[at];
        c->chain[c->n_chain++] = at;
        if (cert_names_issuer(cert, cert))
            return;
        at = find_issuer(&c->bag, cert);
    }
}

/* The signer's own policy: its chain ends where what we were given ends, and the signer is exactly
 * this certificate. */
static enum errc set_policy(struct cms_signer *c, struct err *err)
{
    struct signer *s = &c->base;
    const struct cert *leaf = c->bag.certs[0];
    s->pin.kind = PIN_CERT_SHA256;
    memcpy(s->pin.bytes, cert_sha256(leaf)->bytes, sizeof(s->pin.bytes));
    s->policy.pins = &s->pin;
    s->policy.n_pins = 1;
    if (c->n_chain < 2)
        return E_OK;
    return trust_add_anchors(s->trust, ANCHOR_CODE,
                             cert_der(c->bag.certs[c->chain[c->n_chain - 1]]), err);
}

/* What the client would say of the certificate today, before anything is signed. */
static enum errc check_chain(const struct cms_signer *c, struct err *err)
{
    struct findings findings = { .n = 0 };
    struct chain_report report;
    uint32_t proven = 0;
    struct chain_ask ask = { .purpose = CHAIN_CMS,
                             .leaf = c->bag.certs[0],
                             .bag = &c->bag,
                             .policy = &c->base.policy,
                             .at = c->base.policy.now };
    enum errc rc = chain_judge(&ask, &findings, &proven, &report, err);
    if (rc != E_OK)
        return rc;
    for (size_t i = 0; i < findings.n; i++)
        if (findings.items[i].weight != WEIGHT_NOTE)
            return err_set(err, E_REFUSED,
                           "surefoot would refuse this certificate, so nothing is signed: %s: %s",
                           reason_word(findings.items[i].reason), findings.items[i].text);
    if ((proven & (FACT_CHAIN | FACT_SIGNER)) != (FACT_CHAIN | FACT_SIGNER))
        return err_set(err, E_REFUSED, "surefoot would refuse this certificate: no chain is found");
    return E_OK;
}

static enum errc prepare(struct cms_signer *c, struct err *err)
{
    enum errc rc = read_bag(&c->identity, &c->bag, err);
    if (rc != E_OK)
        return rc;
    cert_describe(c->bag.certs[0], &c->base.facts.cert);
    rc = check_key(c, err);
    if (rc != E_OK)
        return rc;
    find_chain(c);
    rc = set_policy(c, err);
    return rc == E_OK ? check_chain(c, err) : rc;
}

enum errc signer_open_cms(struct platform *p, const struct signer_ask *ask, struct signer **out,
                          struct err *err)
{
    static const struct signer_ops ops = { SYSTEM_CMS, "p7s", make, close_cms };
    struct cms_signer *c = calloc(1, sizeof(*c));
    if (c == NULL)
        return err_nomem(err);
    enum errc rc = signer_init(&c->base, &ops, p, err);
    if (rc == E_OK)
        rc = read_identity(p, ask, &c->identity, err);
    if (rc == E_OK)
        rc = signer_file_err(prepare(c, err), ask->pkcs12 != NULL ? "pkcs12" : "cert",
                             ask->pkcs12 != NULL ? ask->pkcs12 : ask->cert, err);
    if (rc == E_OK)
        *out = &c->base;
    else
        signer_close(&c->base);
    return rc;
}
