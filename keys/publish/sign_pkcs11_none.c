/* Where OpenSSL has no engines, tokens are out of reach. */

#include "keys/publish/signer_private.h"

enum errc token_open(const char *uri, const char *module, const char *pin, void **out_token,
                     struct evp_pkey_st **out_key, struct err *err)
{
    UNUSED(uri);
    UNUSED(module);
    UNUSED(pin);
    UNUSED(out_token);
    UNUSED(out_key);
    return err_set(err, E_UNSUPPORTED, "this OpenSSL has no engines, which is how tokens are used");
}

void token_close(void *token)
{
    UNUSED(token);
}
