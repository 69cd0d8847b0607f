/* Ed25519 key pairs: made, and used. */

#include "keys/publish/keyfile_private.h"

#include "keys/publish/passphrase.h"
#include "verify/digest.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

static EVP_PKEY *pkey_of(const struct keypair *pair)
{
    return EVP_PKEY_new_raw_private_key_ex(digest_context(), "ED25519", NULL, pair->seed,
                                           sizeof(pair->seed));
}

enum errc keypair_public(const struct keypair *pair, uint8_t to[32], struct err *err)
{
    size_t len = 32;
    EVP_PKEY *pkey = pkey_of(pair);
    bool ok = pkey != NULL && EVP_PKEY_get_raw_public_key(pkey, to, &len) == 1 && len == 32;
    EVP_PKEY_free(pkey);
    ERR_clear_error();
    return ok ? E_OK : err_set(err, E_NOMEM, "Ed25519: cannot set up");
}

enum errc keypair_random(uint8_t *to, size_t len, struct err *err)
{
    if (digest_context() == NULL || RAND_priv_bytes_ex(digest_context(), to, len, 256) != 1) {
        ERR_clear_error();
        return err_set(err, E_IO, "the system gives no random bytes");
    }
    return E_OK;
}

enum errc keypair_new(struct keypair *out, struct err *err)
{
    struct keypair pair;
    enum errc rc = keypair_random(pair.id, sizeof(pair.id), err);
    if (rc == E_OK)
        rc = keypair_random(pair.seed, sizeof(pair.seed), err);
    if (rc == E_OK)
        rc = keypair_public(&pair, pair.ed25519, err);
    if (rc == E_OK)
        *out = pair;
    keypair_wipe(&pair);
    return rc;
}

enum errc keypair_sign(const struct keypair *pair, struct span message, uint8_t to[64],
                       struct err *err)
{
    size_t len = 64;
    EVP_PKEY *pkey = pkey_of(pair);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = pkey != NULL && ctx != NULL &&
              EVP_DigestSignInit_ex(ctx, NULL, NULL, digest_context(), NULL, pkey, NULL) == 1 &&
              EVP_DigestSign(ctx, to, &len, message.ptr, message.len) == 1 && len == 64;
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(pkey);
    ERR_clear_error();
    return ok ? E_OK : err_set(err, E_NOMEM, "Ed25519: cannot sign");
}

void keypair_wipe(struct keypair *pair)
{
    secret_wipe(pair, sizeof(*pair));
}
