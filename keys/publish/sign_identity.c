/* A certificate and its key, read from PEM, PKCS#12 or a token. */

#include <string.h>

#include "keys/publish/signer_private.h"
#include "verify/digest.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>

void identity_fini(struct identity *id)
{
    EVP_PKEY_free(id->key);
    for (size_t i = 0; i < id->n_certs; i++)
        X509_free(id->certs[i]);
    token_close(id->token);
    *id = (struct identity){ .key = NULL };
}

static BIO *bio_of(const struct buf *b)
{
    return BIO_new_mem_buf(b->len == 0 ? (const void *)"" : b->ptr, (int)b->len);
}

static enum errc add_cert(struct identity *id, X509 *x509, struct err *err)
{
    if (id->n_certs == IDENTITY_CERTS_MAX)
        return err_set(err, E_LIMIT, "more than %d certificates", IDENTITY_CERTS_MAX);
    id->certs[id->n_certs++] = x509;
    return E_OK;
}

/* --- PEM */

static bool ended_well(void)
{
    unsigned long code = ERR_peek_last_error();
    return ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE;
}

static enum errc read_pem_certs(BIO *in, struct identity *id, struct err *err)
{
    X509 *x509;
    ERR_clear_error();
    while ((x509 = PEM_read_bio_X509(in, NULL, NULL, NULL)) != NULL) {
        enum errc rc = add_cert(id, x509, err);
        if (rc != E_OK) {
            X509_free(x509);
            return rc;
        }
    }
    if (!ended_well())
        return err_set(err, E_MALFORMED, "certificate %zu does not read", id->n_certs + 1);
    if (id->n_certs == 0)
        return err_set(err, E_MALFORMED, "there is no certificate in it (PEM)");
    return E_OK;
}

enum errc identity_read_certs(struct platform *p, const char *path, struct identity *out,
                              struct err *err)
{
    struct buf text;
    enum errc rc = secret_read_file(p, path, IDENTITY_FILE_MAX, &text, err);
    if (rc == E_OK) {
        BIO *in = bio_of(&text);
        rc = in == NULL ? err_nomem(err) : read_pem_certs(in, out, err);
        BIO_free(in);
        ERR_clear_error();
    }
    secret_fini(&text);
    return signer_file_err(rc, "cert", path, err);
}

/* --- the passphrase, once OpenSSL finds that it needs one */

struct asking {
    struct platform *platform;
    const struct passphrase_ask *ask;
    const char *what;
    bool was_asked;
    enum errc rc;
    struct buf passphrase;
    struct err *err;
};

/* OpenSSL asks again with each way of reading that it tries. */
static int give_passphrase(char *to, int room, int is_writing, void *ctx)
{
    struct asking *a = ctx;
    UNUSED(is_writing);
    if (!a->was_asked) {
        a->was_asked = true;
        a->rc = passphrase_get(a->platform, a->ask, a->what, false, &a->passphrase, a->err);
    }
    if (a->rc != E_OK || a->passphrase.len > (size_t)room)
        return -1;
    if (a->passphrase.len > 0)
        memcpy(to, a->passphrase.ptr, a->passphrase.len);
    return (int)a->passphrase.len;
}

static enum errc why_no_key(const struct asking *a, struct err *err)
{
    if (a->was_asked && a->rc != E_OK)
        return a->rc;
    if (a->was_asked)
        return err_set(err, E_ACCESS, "wrong passphrase for this private key");
    return err_set(err, E_MALFORMED, "there is no private key in it that reads (PEM)");
}

enum errc identity_read_pem(struct platform *p, const struct signer_ask *ask, struct identity *out,
                            struct err *err)
{
    struct buf text;
    struct asking a = { .platform = p, .ask = &ask->passphrase, .what = ask->cert_key, .err = err };
    enum errc rc = secret_read_file(p, ask->cert_key, IDENTITY_FILE_MAX, &text, err);
    if (rc == E_OK) {
        BIO *in = bio_of(&text);
        if (in != NULL)
            out->key =
                PEM_read_bio_PrivateKey_ex(in, NULL, give_passphrase, &a, digest_context(), NULL);
        if (out->key == NULL)
            rc = in == NULL ? err_nomem(err) : why_no_key(&a, err);
        else if (!a.was_asked)
            secret_warn_if_shared(p, &ask->passphrase, ask->cert_key, OPEN_KEY);
        BIO_free(in);
        ERR_clear_error();
    }
    secret_fini(&a.passphrase);
    secret_fini(&text);
    return signer_file_err(rc, "cert-key", ask->cert_key, err);
}

/* --- PKCS#12 */

/* As text with a NUL, which is how PKCS#12 and tokens want it. */
static void copy_passphrase(const struct buf *from, char to[PASSPHRASE_MAX + 1])
{
    if (from->len > 0)
        memcpy(to, from->ptr, from->len);
    to[from->len] = '\0';
}

static enum errc find_passphrase(struct platform *p, const struct signer_ask *ask, PKCS12 *p12,
                                 char to[PASSPHRASE_MAX + 1], struct err *err)
{
    struct buf passphrase;
    to[0] = '\0';
    if (PKCS12_mac_present(p12) != 1)
        return err_set(err, E_UNSUPPORTED, "it has no MAC, so a passphrase cannot be checked");
    if (PKCS12_verify_mac(p12, "", 0) == 1 || PKCS12_verify_mac(p12, NULL, 0) == 1) {
        secret_warn_if_shared(p, &ask->passphrase, ask->pkcs12, OPEN_KEY);
        return E_OK;
    }
    enum errc rc = passphrase_get(p, &ask->passphrase, ask->pkcs12, false, &passphrase, err);
    if (rc != E_OK)
        return rc;
    copy_passphrase(&passphrase, to);
    if (PKCS12_verify_mac(p12, to, -1) != 1)
        rc = err_set(err, E_ACCESS, "wrong passphrase for this PKCS#12 file");
    secret_fini(&passphrase);
    return rc;
}

/* The signer's certificate first, then the others. Takes them all. */
static enum errc take_certs(X509 *cert, STACK_OF(X509) * others, struct identity *out,
                            struct err *err)
{
    enum errc rc = cert == NULL ? E_OK : add_cert(out, cert, err);
    while (rc == E_OK && sk_X509_num(others) > 0) {
        X509 *next = sk_X509_shift(others);
        rc = add_cert(out, next, err);
        if (rc != E_OK)
            X509_free(next);
    }
    sk_X509_pop_free(others, X509_free);
    if (rc == E_OK && out->key == NULL)
        return err_set(err, E_MALFORMED, "there is no private key in it");
    if (rc == E_OK && cert == NULL)
        return err_set(err, E_MALFORMED, "there is no certificate of the key in it");
    return rc;
}

static enum errc parse_pkcs12(PKCS12 *p12, const char *passphrase, struct identity *out,
                              struct err *err)
{
    X509 *cert = NULL;
    STACK_OF(X509) *others = NULL;
    if (PKCS12_parse(p12, passphrase, &out->key, &cert, &others) != 1)
        return err_set(err, E_UNSUPPORTED,
                       "what is in it does not read; old programs encrypt it with RC2 or 3DES of "
                       "40 bits: make it again with AES");
    return take_certs(cert, others, out, err);
}

static enum errc read_pkcs12(struct platform *p, const struct signer_ask *ask, BIO *in,
                             struct identity *out, struct err *err)
{
    char passphrase[PASSPHRASE_MAX + 1];
    PKCS12 *p12 = PKCS12_init_ex(NID_pkcs7_data, digest_context(), NULL);
    if (p12 == NULL)
        return err_nomem(err);
    enum errc rc;
    if (d2i_PKCS12_bio(in, &p12) == NULL)
        rc = err_set(err, E_MALFORMED, "is no PKCS#12 file");
    else
        rc = find_passphrase(p, ask, p12, passphrase, err);
    if (rc == E_OK)
        rc = parse_pkcs12(p12, passphrase, out, err);
    secret_wipe(passphrase, sizeof(passphrase));
    PKCS12_free(p12);
    return rc;
}

enum errc identity_read_pkcs12(struct platform *p, const struct signer_ask *ask,
                               struct identity *out, struct err *err)
{
    struct buf bytes;
    enum errc rc = secret_read_file(p, ask->pkcs12, IDENTITY_FILE_MAX, &bytes, err);
    if (rc == E_OK) {
        BIO *in = bio_of(&bytes);
        rc = in == NULL ? err_nomem(err) : read_pkcs12(p, ask, in, out, err);
        BIO_free(in);
        ERR_clear_error();
    }
    secret_fini(&bytes);
    return signer_file_err(rc, "pkcs12", ask->pkcs12, err);
}

/* --- tokens */

enum errc identity_read_token(struct platform *p, const struct signer_ask *ask,
                              struct identity *out, struct err *err)
{
    char pin[PASSPHRASE_MAX + 1];
    struct buf passphrase;
    enum errc rc = passphrase_get(p, &ask->passphrase, ask->pkcs11, false, &passphrase, err);
    if (rc != E_OK)
        return rc;
    copy_passphrase(&passphrase, pin);
    secret_fini(&passphrase);
    rc = token_open(ask->pkcs11, ask->pkcs11_module, pin, &out->token, &out->key, err);
    secret_wipe(pin, sizeof(pin));
    return rc == E_OK ? rc : err_prefix(err, "--pkcs11: ");
}
