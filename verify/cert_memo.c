#include <string.h>

#include "verify/cert_private.h"

#include <openssl/crypto.h>
#include <openssl/x509.h>

/* Reading a certificate's key takes OpenSSL 3.0 a third of a millisecond, ten times what all else
 * does, and the same few authorities come with every file. So the last ones read are kept. It is a
 * memo and nothing more: what is found is a function of the bytes' SHA-256, and a slot that is
 * taken by another certificate, or memory that runs out, only costs time. Large ones, which only
 * come to take room, are not kept. */
#define SLOTS 128
#define KEPT_LEN_MAX 4096

static struct {
    CRYPTO_ONCE once;
    CRYPTO_RWLOCK *lock;
    struct {
        uint8_t sha256[32];
        X509 *x509;
    } slots[SLOTS];
} memo = { .once = CRYPTO_ONCE_STATIC_INIT };

static void make_lock(void)
{
    memo.lock = CRYPTO_THREAD_lock_new();
}

static bool has_lock(void)
{
    return CRYPTO_THREAD_run_once(&memo.once, make_lock) && memo.lock != NULL;
}

X509 *cert_memo_find(const struct digest *sha256)
{
    size_t i = sha256->bytes[0] % SLOTS;
    X509 *found = NULL;
    if (!has_lock() || !CRYPTO_THREAD_read_lock(memo.lock))
        return NULL;
    if (memo.slots[i].x509 != NULL &&
        memcmp(memo.slots[i].sha256, sha256->bytes, sizeof(memo.slots[i].sha256)) == 0 &&
        X509_up_ref(memo.slots[i].x509))
        found = memo.slots[i].x509;
    (void)CRYPTO_THREAD_unlock(memo.lock);
    return found;
}

void cert_memo_keep(const struct digest *sha256, X509 *x509)
{
    size_t i = sha256->bytes[0] % SLOTS;
    if (i2d_X509(x509, NULL) > KEPT_LEN_MAX || !has_lock() || !X509_up_ref(x509))
        return;
    X509 *old = x509;
    if (CRYPTO_THREAD_write_lock(memo.lock)) {
        old = memo.slots[i].x509;
        memo.slots[i].x509 = x509;
        memcpy(memo.slots[i].sha256, sha256->bytes, sizeof(memo.slots[i].sha256));
        (void)CRYPTO_THREAD_unlock(memo.lock);
    }
    X509_free(old);
}
