/* Keys in PKCS#11 tokens. OpenSSL 3.0 reaches them through its engine "pkcs11" alone (of libp11),
 * an interface that it calls deprecated; meson lets this one file use it. */

#include <stdbool.h>
#include <stddef.h>

#include "keys/publish/signer_private.h"

#include <openssl/engine.h>
#include <openssl/err.h>
#include <openssl/evp.h>

static enum errc token_err(struct err *err, enum errc code, const char *what)
{
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    ERR_clear_error();
    return err_set(err, code, "%s (%s)", what, reason == NULL ? "no reason given" : reason);
}

static enum errc set_up(ENGINE *e, const char *module, const char *pin, struct err *err)
{
    if (module != NULL && ENGINE_ctrl_cmd_string(e, "MODULE_PATH", module, 0) != 1)
        return token_err(err, E_ARGUMENT, "the engine does not take --pkcs11-module");
    if (ENGINE_ctrl_cmd_string(e, "PIN", pin, 0) != 1)
        return token_err(err, E_UNSUPPORTED, "the engine takes no PIN");
    if (ENGINE_init(e) != 1)
        return token_err(err, E_ARGUMENT,
                         "the token's library does not load; name it with --pkcs11-module");
    return E_OK;
}

enum errc token_open(const char *uri, const char *module, const char *pin, void **out_token,
                     struct evp_pkey_st **out_key, struct err *err)
{
    ERR_clear_error();
    ENGINE_load_dynamic();
    ENGINE *e = ENGINE_by_id("pkcs11");
    if (e == NULL)
        return token_err(err, E_UNSUPPORTED,
                         "OpenSSL has no engine pkcs11; install libp11 (Debian: "
                         "libengine-pkcs11-openssl)");
    enum errc rc = set_up(e, module, pin, err);
    if (rc == E_OK) {
        *out_key = ENGINE_load_private_key(e, uri, NULL, NULL);
        if (*out_key == NULL) {
            rc = token_err(err, E_ACCESS, "no key is found there, or the PIN is wrong");
            (void)ENGINE_finish(e);
        }
    }
    if (rc == E_OK)
        *out_token = e;
    else
        (void)ENGINE_free(e);
    return rc;
}

void token_close(void *token)
{
    ENGINE *e = token;
    if (e == NULL)
        return;
    (void)ENGINE_finish(e);
    (void)ENGINE_free(e);
}
