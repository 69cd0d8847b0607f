#ifndef SUREFOOT_VERIFY_DIGEST_H
#define SUREFOOT_VERIFY_DIGEST_H

/* digest.h: hashes of bytes and of sources; several algorithms over one reading. Comparing is not
 * in constant time: a digest is no secret.
 *
 * All cryptography of verify/ runs in one OpenSSL library context of its own (digest_context), made
 * once and shared by all threads, so that neither the settings of a program that uses the library
 * nor openssl.cnf decide what is accepted. */

#include <stdbool.h>

#include "platform/base/err.h"
#include "platform/base/span.h"
#include "platform/source.h"

enum digest_alg {
    DIGEST_NONE = 0,
    DIGEST_MD5,
    DIGEST_SHA1,
    DIGEST_SHA256,
    DIGEST_SHA384,
    DIGEST_SHA512,
    DIGEST_BLAKE2B512,
    N_DIGEST_ALGS,
};

#define DIGEST_BIT(alg) (1U << (alg))
#define DIGEST_LEN_MAX 64
#define TEXT_SHA256_ROOM 65

struct digest {
    enum digest_alg alg;
    size_t len;
    uint8_t bytes[DIGEST_LEN_MAX];
};

/* Digests of the same bytes, of[alg] filled for each bit in `algs`. */
struct digest_set {
    uint32_t algs;
    struct digest of[N_DIGEST_ALGS];
};

static inline struct span digest_span(const struct digest *d)
{
    return span_of(d->bytes, d->len);
}

/* digest_init_library tells OpenSSL never to read a configuration file (OPENSSL_CONF, openssl.cnf)
 * in this process: such a file can name code to load. A program calls it first thing in main,
 * before libcurl; digest_context calls it too, since parts of OpenSSL use the default context
 * whatever they are given. A host program that wants its own configuration read has OpenSSL read it
 * before it calls anything here; it then decides nothing about what is accepted. */
void digest_init_library(void);

/* digest_init_program is digest_init_library for a program of ours: OpenSSL is besides told to
 * leave its memory to the system when the process ends, where it would be freed piece by piece. Not
 * for a library, whose host may look for what is left. */
void digest_init_program(void);

/* digest_share_context makes digest_context what OpenSSL uses in this thread wherever none is
 * named, so that libcurl's TLS neither loads the algorithms a second time nor follows openssl.cnf.
 * False where memory ran out. For programs: what a host does in its thread would be changed too. */
bool digest_share_context(void);

/* digest_context is OpenSSL's OSSL_LIB_CTX that everything in verify/ uses; NULL where memory ran
 * out when it was made. Borrowed, lives as long as the process. */
struct ossl_lib_ctx_st;
struct ossl_lib_ctx_st *digest_context(void);

/* digest_word is "sha256" and the like, "none" for DIGEST_NONE; digest_len its length in bytes. */
const char *digest_word(enum digest_alg alg);
size_t digest_len(enum digest_alg alg);

/* digest_bytes hashes memory. */
MUST_USE enum errc digest_bytes(enum digest_alg alg, struct span bytes, struct digest *out,
                                struct err *err);

/* hasher: a running hash in all the algorithms of a mask (E_ARGUMENT where it names none). After
 * hasher_finish it takes bytes again only after hasher_reset. Caller frees with hasher_free. */
struct hasher;
MUST_USE enum errc hasher_new(uint32_t algs, struct hasher **out, struct err *err);
MUST_USE enum errc hasher_add(struct hasher *h, struct span bytes, struct err *err);
MUST_USE enum errc hasher_finish(struct hasher *h, struct digest_set *out, struct err *err);
void hasher_free(struct hasher *h);

/* hasher_reset begins anew with the same algorithms, without allocating (page hashes make
 * thousands). */
MUST_USE enum errc hasher_reset(struct hasher *h, struct err *err);

/* hasher_add_source adds [at, at+len) of a source, read in pieces. */
MUST_USE enum errc hasher_add_source(struct hasher *h, struct source *src, uint64_t at,
                                     uint64_t len, struct err *err);

/* digest_source hashes all of a source. */
MUST_USE enum errc digest_source(struct source *src, uint32_t algs, struct digest_set *out,
                                 struct err *err);

#endif
