#include <stdlib.h>
#include <string.h>

#include "verify/cert_private.h"

#include <openssl/crypto.h>
#include <openssl/x509.h>

#define SLOTS 128

struct cert_memo {
    CRYPTO_RWLOCK *lock;
    struct {
        uint8_t sha256[32];
        X509 *x509;
    } slots[SLOTS];
};

enum errc cert_memo_new(struct cert_memo **out, struct err *err)
{
    struct cert_memo *memo = calloc(1, sizeof(*memo));
    if (memo != NULL)
        memo->lock = CRYPTO_THREAD_lock_new();
    if (memo == NULL || memo->lock == NULL) {
        free(memo);
        return err_nomem(err);
    }
    *out = memo;
    return E_OK;
}

void cert_memo_free(struct cert_memo *memo)
{
    if (memo == NULL)
        return;
    for (size_t i = 0; i < SLOTS; i++)
        X509_free(memo->slots[i].x509);
    CRYPTO_THREAD_lock_free(memo->lock);
    free(memo);
}

X509 *cert_memo_find(struct cert_memo *memo, const struct digest *sha256)
{
    size_t i = sha256->bytes[0] % SLOTS;
    X509 *found = NULL;
    if (memo == NULL || !CRYPTO_THREAD_read_lock(memo->lock))
        return NULL;
    if (memo->slots[i].x509 != NULL &&
        memcmp(memo->slots[i].sha256, sha256->bytes, sizeof(memo->slots[i].sha256)) == 0 &&
        X509_up_ref(memo->slots[i].x509))
        found = memo->slots[i].x509;
    (void)CRYPTO_THREAD_unlock(memo->lock);
    return found;
}

void cert_memo_keep(struct cert_memo *memo, const struct digest *sha256, X509 *x509)
{
    size_t i = sha256->bytes[0] % SLOTS;
    if (memo == NULL || !X509_up_ref(x509))
        return;
    X509 *old = x509;
    if (CRYPTO_THREAD_write_lock(memo->lock)) {
        old = memo->slots[i].x509;
        memo->slots[i].x509 = x509;
        memcpy(memo->slots[i].sha256, sha256->bytes, sizeof(memo->slots[i].sha256));
        (void)CRYPTO_THREAD_unlock(memo->lock);
    }
    X509_free(old);
}
