/* What hides a secret key: libsodium's choice of scrypt's parameters, the stream, the checksum. */

#include "keys/publish/keyfile_private.h"

#include <inttypes.h>
#include <string.h>

#include "keys/publish/blake2b.h"
#include "keys/publish/passphrase.h"
#include "platform/base/num.h"
#include "verify/digest.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>

#define CHECKED_LEN (2 + 8 + 64) /* what the checksum is over */

/* The least power of two, 2 or more, that is above half of `max`. */
static uint64_t power_for(uint64_t max)
{
    uint64_t n = 2;
    while (n <= max / 2 && n < (UINT64_C(1) << 62))
        n *= 2;
    return n;
}

enum errc keyfile_scrypt(struct keyfile_cost cost, struct scrypt_cost *out, struct err *err)
{
    const uint32_t r = 8;
    uint64_t ops = cost.opslimit < 32768 ? 32768 : cost.opslimit;
    uint64_t n, p, memory;
    if (ops < cost.memlimit / 32) {
        n = power_for(ops / (4 * r));
        p = 1;
    } else {
        n = power_for(cost.memlimit / (128 * r));
        p = num_min(ops / 4 / n, 0x3FFFFFFF) / r;
    }
    if (!num_mul(n, 128 * r, &memory) || memory > SCRYPT_MEMORY_MAX)
        return err_set(err, E_LIMIT,
                       "secret key: scrypt would take more than %" PRIu64 " MiB of memory",
                       SCRYPT_MEMORY_MAX >> 20);
    if (p > SCRYPT_WORK_MAX / n)
        return err_set(err, E_LIMIT,
                       "secret key: scrypt would take %" PRIu64 " rounds over %" PRIu64 " MiB", p,
                       memory >> 20);
    if (p == 0)
        return err_set(err, E_MALFORMED, "secret key: scrypt limits that give no rounds");
    *out = (struct scrypt_cost){ n, r, (uint32_t)p };
    return E_OK;
}

/* scrypt writes the stream that hides a secret key. */
static enum errc scrypt(struct span passphrase, const uint8_t salt[32], struct scrypt_cost cost,
                        uint8_t to[KEYFILE_SEALED_LEN], struct err *err)
{
    uint64_t maxmem = SCRYPT_MEMORY_MAX * 2;
    static const uint8_t nothing[1];
    void *pass = (void *)(uintptr_t)(passphrase.len == 0 ? nothing : passphrase.ptr);
    OSSL_PARAM params[] = {
        OSSL_PARAM_octet_string(OSSL_KDF_PARAM_PASSWORD, pass, passphrase.len),
        OSSL_PARAM_octet_string(OSSL_KDF_PARAM_SALT, (void *)(uintptr_t)salt, 32),
        OSSL_PARAM_uint64(OSSL_KDF_PARAM_SCRYPT_N, &cost.n),
        OSSL_PARAM_uint32(OSSL_KDF_PARAM_SCRYPT_R, &cost.r),
        OSSL_PARAM_uint32(OSSL_KDF_PARAM_SCRYPT_P, &cost.p),
        OSSL_PARAM_uint64(OSSL_KDF_PARAM_SCRYPT_MAXMEM, &maxmem),
        OSSL_PARAM_END,
    };
    EVP_KDF *kdf = EVP_KDF_fetch(digest_context(), "SCRYPT", NULL);
    EVP_KDF_CTX *ctx = kdf == NULL ? NULL : EVP_KDF_CTX_new(kdf);
    enum errc rc = E_OK;
    if (ctx == NULL || EVP_KDF_derive(ctx, to, KEYFILE_SEALED_LEN, params) != 1)
        rc = err_set(err, E_NOMEM,
                     "scrypt needs %" PRIu64 " MiB of memory, and the system gives less",
                     cost.n * cost.r * 128 >> 20);
    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(kdf);
    ERR_clear_error();
    return rc;
}

enum errc keyfile_apply_stream(const struct keyfile *file, struct span passphrase,
                               uint8_t sealed[KEYFILE_SEALED_LEN], struct err *err)
{
    uint8_t stream[KEYFILE_SEALED_LEN];
    struct scrypt_cost cost;
    enum errc rc = keyfile_scrypt(file->cost, &cost, err);
    if (rc == E_OK)
        rc = scrypt(passphrase, file->salt, cost, stream, err);
    for (size_t i = 0; i < sizeof(stream) && rc == E_OK; i++)
        sealed[i] ^= stream[i];
    secret_wipe(stream, sizeof(stream));
    return rc;
}

void keyfile_checksum(const struct keypair *pair, uint8_t to[32])
{
    uint8_t checked[CHECKED_LEN] = { 'E', 'd' };
    memcpy(checked + 2, pair->id, 8);
    memcpy(checked + 10, pair->seed, 32);
    memcpy(checked + 42, pair->ed25519, 32);
    blake2b(span_of(checked, sizeof(checked)), to, 32);
    secret_wipe(checked, sizeof(checked));
}
