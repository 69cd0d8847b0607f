#ifndef SUREFOOT_PUBLISH_SIGNER_PRIVATE_H
#define SUREFOOT_PUBLISH_SIGNER_PRIVATE_H

/* signer_private.h: what the files behind sign.h share. A kind of signer is a struct that begins
 * with struct signer, and a table of two functions. */

#include "keys/publish/sign.h"
#include "verify/policy.h"

struct signer_ops {
    enum sig_system system;
    const char *suffix;
    /* Appends a signature of the content, made as of policy.now. `comment` is checked; it is NULL
     * for CMS and never for minisign. */
    enum errc (*make)(struct signer *s, struct source *content, const char *comment,
                      struct buf *out, struct err *err);
    void (*close)(struct signer *s); /* wipes and frees it; base.trust is done by the caller */
};

struct signer {
    const struct signer_ops *ops;
    struct platform *platform;
    struct signer_facts facts;
    struct trust *trust; /* what its own signatures are judged by: the policy's keys and anchors */
    struct pin pin;
    struct policy policy;
};

/* signer_init fills the base: an empty trust, a strict policy as of now that borrows it. The caller
 * adds what is trusted. signer_close undoes it, also where it failed. */
MUST_USE enum errc signer_init(struct signer *s, const struct signer_ops *ops,
                               struct platform *platform, struct err *err);

MUST_USE enum errc signer_open_minisign(struct platform *p, const struct signer_ask *ask,
                                        struct signer **out, struct err *err);
MUST_USE enum errc signer_open_cms(struct platform *p, const struct signer_ask *ask,
                                   struct signer **out, struct err *err);

/* signer_file_err puts "--OPTION PATH: " before the text, and makes what the user can mend (a file
 * that is missing, too large, or does not read) E_ARGUMENT. */
enum errc signer_file_err(enum errc rc, const char *option, const char *path, struct err *err);

/* What others should not be able to read. */
#define OPEN_KEY "this secret key, which is not encrypted"

/* --- a certificate and its key, as OpenSSL has them */

#define IDENTITY_CERTS_MAX 32
#define IDENTITY_FILE_MAX (1024 * 1024)

struct x509_st;
struct evp_pkey_st;

struct identity {
    struct evp_pkey_st *key;
    struct x509_st *certs[IDENTITY_CERTS_MAX]; /* the signer's first */
    size_t n_certs;
    void *token; /* what the key lives in, NULL for memory */
};

/* identity_read_certs fills a zeroed identity's certificates; _pem and _token add the key, _pkcs12
 * fills all; identity_fini frees it, also after an error. */
MUST_USE enum errc identity_read_pem(struct platform *p, const struct signer_ask *ask,
                                     struct identity *out, struct err *err);
MUST_USE enum errc identity_read_pkcs12(struct platform *p, const struct signer_ask *ask,
                                        struct identity *out, struct err *err);
MUST_USE enum errc identity_read_token(struct platform *p, const struct signer_ask *ask,
                                       struct identity *out, struct err *err);
MUST_USE enum errc identity_read_certs(struct platform *p, const char *path, struct identity *out,
                                       struct err *err);
void identity_fini(struct identity *id);

/* token_open loads the key of an RFC 7512 URI, with the token's PIN. token_close may be given NULL.
 * sign_pkcs11.c, or sign_pkcs11_none.c where OpenSSL has no engines (E_UNSUPPORTED). */
MUST_USE enum errc token_open(const char *uri, const char *module, const char *pin,
                              void **out_token, struct evp_pkey_st **out_key, struct err *err);
void token_close(void *token);

#endif
