#include "verify/digest.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

/* What OpenSSL calls the algorithms, and what we do. */
static const struct {
    const char *word, *openssl_name;
    size_t len;
} algs_known[N_DIGEST_ALGS] = {
    [DIGEST_NONE] = { "none", NULL, 0 },
    [DIGEST_MD5] = { "md5", "MD5", 16 },
    [DIGEST_SHA1] = { "sha1", "SHA1", 20 },
    [DIGEST_SHA256] = { "sha256", "SHA2-256", 32 },
    [DIGEST_SHA384] = { "sha384", "SHA2-384", 48 },
    [DIGEST_SHA512] = { "sha512", "SHA2-512", 64 },
    [DIGEST_BLAKE2B512] = { "blake2b512", "BLAKE2B-512", 64 },
};

/* Filled once and never changed: fetching an algorithm by name takes longer than hashing a page. */
static struct {
    CRYPTO_ONCE once;
    OSSL_LIB_CTX *context;
    EVP_MD *mds[N_DIGEST_ALGS];
} shared = { .once = CRYPTO_ONCE_STATIC_INIT };

void digest_init_library(void)
{
    (void)OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
}

void digest_init_program(void)
{
    (void)OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT, NULL);
}

static void fill_shared(void)
{
    digest_init_library();
    shared.context = OSSL_LIB_CTX_new();
    if (shared.context == NULL)
        return;
    for (int alg = DIGEST_NONE + 1; alg < N_DIGEST_ALGS; alg++)
        shared.mds[alg] = EVP_MD_fetch(shared.context, algs_known[alg].openssl_name, NULL);
}

struct ossl_lib_ctx_st *digest_context(void)
{
    return CRYPTO_THREAD_run_once(&shared.once, fill_shared) ? shared.context : NULL;
}

bool digest_share_context(void)
{
    struct ossl_lib_ctx_st *context = digest_context();
    return context != NULL && OSSL_LIB_CTX_set0_default(context) != NULL;
}

static const EVP_MD *md_of(enum digest_alg alg)
{
    return digest_context() != NULL ? shared.mds[alg] : NULL;
}

static bool is_alg(enum digest_alg alg)
{
    return alg > DIGEST_NONE && alg < N_DIGEST_ALGS;
}

const char *digest_word(enum digest_alg alg)
{
    return is_alg(alg) ? algs_known[alg].word : algs_known[DIGEST_NONE].word;
}

size_t digest_len(enum digest_alg alg)
{
    return is_alg(alg) ? algs_known[alg].len : 0;
}

enum errc digest_bytes(enum digest_alg alg, struct span bytes, struct digest *out, struct err *err)
{
    if (!is_alg(alg))
        return err_set(err, E_ARGUMENT, "no hash algorithm has the number %d", (int)alg);
    const EVP_MD *md = md_of(alg);
    struct digest d = { .alg = alg, .len = algs_known[alg].len };
    /* Nothing but memory can fail here. */
    if (md == NULL || EVP_Digest(bytes.ptr, bytes.len, d.bytes, NULL, md, NULL) != 1)
        return err_nomem(err);
    *out = d;
    return E_OK;
}

struct hasher {
    uint32_t algs;
    bool is_finished;
    uint8_t *scratch; /* SOURCE_PIECE bytes, made when a source is first read */
    EVP_MD_CTX *running[N_DIGEST_ALGS];
};

enum errc hasher_new(uint32_t algs, struct hasher **out, struct err *err)
{
    const uint32_t all = DIGEST_BIT(N_DIGEST_ALGS) - 1 - DIGEST_BIT(DIGEST_NONE);
    if (algs == 0 || (algs & ~all) != 0)
        return err_set(err, E_ARGUMENT, "no hash algorithms have the mask 0x%x", (unsigned)algs);
    struct hasher *h = calloc(1, sizeof(*h));
    if (h == NULL)
        return err_nomem(err);
    h->algs = algs;
    for (int alg = DIGEST_NONE + 1; alg < N_DIGEST_ALGS; alg++) {
        if ((algs & DIGEST_BIT(alg)) == 0)
            continue;
        h->running[alg] = EVP_MD_CTX_new();
        const EVP_MD *md = md_of((enum digest_alg)alg);
        if (h->running[alg] == NULL || md == NULL ||
            EVP_DigestInit_ex2(h->running[alg], md, NULL) != 1) {
            hasher_free(h);
            return err_nomem(err);
        }
    }
    *out = h;
    return E_OK;
}

enum errc hasher_add(struct hasher *h, struct span bytes, struct err *err)
{
    if (h->is_finished)
        return err_set(err, E_INTERNAL, "bytes added to a hash that is finished");
    if (bytes.len == 0)
        return E_OK;
    for (int alg = 0; alg < N_DIGEST_ALGS; alg++)
        if (h->running[alg] != NULL && EVP_DigestUpdate(h->running[alg], bytes.ptr, bytes.len) != 1)
            return err_set(err, E_INTERNAL, "%s takes no more bytes", algs_known[alg].word);
    return E_OK;
}

enum errc hasher_finish(struct hasher *h, struct digest_set *out, struct err *err)
{
    struct digest_set set = { .algs = h->algs };
    if (h->is_finished)
        return err_set(err, E_INTERNAL, "a hash that is finished already");
    h->is_finished = true;
    for (int alg = 0; alg < N_DIGEST_ALGS; alg++) {
        if (h->running[alg] == NULL)
            continue;
        set.of[alg].alg = (enum digest_alg)alg;
        set.of[alg].len = algs_known[alg].len;
        if (EVP_DigestFinal_ex(h->running[alg], set.of[alg].bytes, NULL) != 1)
            return err_set(err, E_INTERNAL, "%s does not finish", algs_known[alg].word);
    }
    *out = set;
    return E_OK;
}

enum errc hasher_reset(struct hasher *h, struct err *err)
{
    for (int alg = 0; alg < N_DIGEST_ALGS; alg++)
        if (h->running[alg] != NULL && EVP_DigestInit_ex2(h->running[alg], NULL, NULL) != 1)
            return err_nomem(err); /* it began once already: nothing else can be lacking */
    h->is_finished = false;
    return E_OK;
}

void hasher_free(struct hasher *h)
{
    if (h == NULL)
        return;
    for (int alg = 0; alg < N_DIGEST_ALGS; alg++)
        EVP_MD_CTX_free(h->running[alg]);
    free(h->scratch);
    free(h);
}

static enum errc add_piece(void *ctx, struct span piece, struct err *err)
{
    return hasher_add(ctx, piece, err);
}

enum errc hasher_add_source(struct hasher *h, struct source *src, uint64_t at, uint64_t len,
                            struct err *err)
{
    if (h->scratch == NULL)
        h->scratch = malloc(SOURCE_PIECE);
    if (h->scratch == NULL)
        return err_nomem(err);
    return source_each(src, at, len, h->scratch, add_piece, h, err);
}

enum errc digest_source(struct source *src, uint32_t algs, struct digest_set *out, struct err *err)
{
    struct hasher *h;
    enum errc rc = hasher_new(algs, &h, err);
    if (rc != E_OK)
        return rc;
    rc = hasher_add_source(h, src, 0, src->size, err);
    if (rc == E_OK)
        rc = hasher_finish(h, out, err);
    hasher_free(h);
    return rc;
}
