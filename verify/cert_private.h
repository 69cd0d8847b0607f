#ifndef SUREFOOT_VERIFY_CERT_PRIVATE_H
#define SUREFOOT_VERIFY_CERT_PRIVATE_H

/* cert_private.h: what cert*.c, chain*.c, crl.c and trust.c share: a certificate's inside, and how
 * OpenSSL's failures are told apart. Nobody else includes it. */

#include "verify/cert.h"

struct x509_st;     /* OpenSSL's X509 */
struct evp_pkey_st; /* OpenSSL's EVP_PKEY */

/* Spans point into `der`. */
struct cert {
    struct x509_st *x509;
    struct evp_pkey_st *key; /* borrowed from x509; NULL: see key_why, a literal */
    const char *key_why;
    char subject_text[NAME_ROOM], issuer_text[NAME_ROOM]; /* printable */
    uint8_t *der;
    size_t der_len;
    struct span serial, issuer, subject, spki, extensions; /* the last: content of the SEQUENCE */
    struct span key_id, eku; /* contents of the values; eku: of the SEQUENCE OF OID */
    bool has_eku, eku_is_critical;
    size_t n_ekus;
    int64_t not_before, not_after;
    struct digest sha256, spki_sha256;
};

/* An extension as RFC 5280 4.1 has it. */
struct cert_extension {
    struct span oid, value; /* content bytes of the OID; of the OCTET STRING */
    bool is_critical;
};
struct reader;
MUST_USE enum errc cert_next_extension(struct reader *r, struct cert_extension *out,
                                       struct err *err);

/* Keys that we use: RSA from KEY_RSA_BITS_MIN to _MAX with an exponent of at most
 * KEY_EXPONENT_BITS_MAX, elliptic curves given by name, Ed25519. cert_key is NULL for all others,
 * with *out_why (may be NULL) a literal that says why. Larger keys exist only to make verifying
 * slow. */
#define KEY_RSA_BITS_MIN 512
#define KEY_RSA_BITS_MAX 8192
#define KEY_EXPONENT_BITS_MAX 33
struct evp_pkey_st *cert_key(const struct cert *c, const char **out_why);

/* For cert_read: they fill `key` and the texts, so that memory can be lacking then and not later.
 */
MUST_USE enum errc cert_find_key(struct cert *c, struct err *err);
MUST_USE enum errc cert_print_names(struct cert *c, struct err *err);

/* cert_subject_text writes the subject, printable, for messages. */
const char *cert_subject_text(const struct cert *c, char *to, size_t room);

/* cert_memo_find gives OpenSSL's object for the certificate with this SHA-256 if it was read
 * lately, else NULL; the caller frees it. cert_memo_keep remembers one (counting a reference of its
 * own). A memo may be NULL, and then knows nothing. */
struct x509_st *cert_memo_find(struct cert_memo *memo, const struct digest *sha256);
void cert_memo_keep(struct cert_memo *memo, const struct digest *sha256, struct x509_st *x509);

/* openssl_begin forgets this thread's earlier OpenSSL errors; openssl_nomem is true if since then
 * one was that memory ran out, or if there is none to be had now.
 *
 * What is "no" and what is "no memory": OpenSSL 3.0 often says "no" for want of memory and leaves
 * no trace of it. So a "no" is asked for twice, and believed if it is the same both times and
 * openssl_nomem is false after it: then an allocation that failed by itself, and memory that is
 * gone for good, are both found out. */
void openssl_begin(void);
bool openssl_nomem(void);

#endif
