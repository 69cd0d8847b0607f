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

/* PKCS#11 2.20, CKR_PIN_INCORRECT and CKR_PIN_LOCKED, as the engine puts them into OpenSSL's list
 * of errors, under a library of its own. */
#define PIN_INCORRECT 0xA0
#define PIN_LOCKED 0xA4

static enum errc why_no_key(struct err *err)
{
    bool is_wrong = false, is_locked = false;
    for (unsigned long code = ERR_get_error(); code != 0; code = ERR_get_error()) {
        bool is_engines = ERR_GET_LIB(code) >= ERR_LIB_USER;
        is_wrong |= is_engines && ERR_GET_REASON(code) == PIN_INCORRECT;
        is_locked |= is_engines && ERR_GET_REASON(code) == PIN_LOCKED;
    }
    if (is_locked)
        return err_set(err, E_ACCESS, "the token is locked: too many wrong PINs");
    if (is_wrong)
        return err_set(err, E_ACCESS, "wrong PIN for this token");
    return err_set(err, E_ARGUMENT,
                   "no private key is found there; is the token plugged in, the URI right, and its "
                   "library the one that --pkcs11-module names?");
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
            rc = why_no_key(err);
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
