/* Which key: the options, and what of them makes sense. */

#include <string.h>

#include "keys/publish/signer_private.h"
#include "platform/base/text.h"

const struct opt_spec signer_specs[] = {
    { "key", "NAME.key", "minisign secret key: makes FILE.minisig", 0 },
    { "cert", "CERT.pem", "certificate, then its chain: makes FILE.p7s", 0 },
    { "cert-key", "KEY.pem", "the certificate's private key", 0 },
    { "pkcs12", "FILE.p12", "certificate, chain and key in one file", 0 },
    { "pkcs11", "URI", "the certificate's key in a token (pkcs11:...)", 0 },
    { "pkcs11-module", "FILE", "the token's library (default: the system's)", 0 },
    { "passphrase-file", "FILE", "the passphrase or PIN is this file's one line", 0 },
    { "passphrase-fd", "N", "the same from an open descriptor; 0 is standard input", 0 },
};
const size_t signer_n_specs = ARRAY_LEN(signer_specs);

void signer_ask_init(struct signer_ask *ask)
{
    *ask = (struct signer_ask){ .passphrase = { .fd = NO_DESCRIPTOR } };
}

static enum errc set_once(const char **to, const char *name, const char *value, struct err *err)
{
    if (*to != NULL)
        return err_set(err, E_ARGUMENT, "--%s may stand once", name);
    *to = value;
    return E_OK;
}

enum errc signer_option(struct signer_ask *ask, const char *name, const char *value,
                        bool *out_taken, struct err *err)
{
    *out_taken = true;
    if (strcmp(name, "key") == 0)
        return set_once(&ask->key, name, value, err);
    if (strcmp(name, "cert") == 0)
        return set_once(&ask->cert, name, value, err);
    if (strcmp(name, "cert-key") == 0)
        return set_once(&ask->cert_key, name, value, err);
    if (strcmp(name, "pkcs12") == 0)
        return set_once(&ask->pkcs12, name, value, err);
    if (strcmp(name, "pkcs11") == 0)
        return set_once(&ask->pkcs11, name, value, err);
    if (strcmp(name, "pkcs11-module") == 0)
        return set_once(&ask->pkcs11_module, name, value, err);
    return passphrase_option(&ask->passphrase, name, value, out_taken, err);
}

static int n_keys(const struct signer_ask *ask)
{
    return (ask->key != NULL) + (ask->cert_key != NULL) + (ask->pkcs12 != NULL) +
           (ask->pkcs11 != NULL);
}

bool signer_ask_is_given(const struct signer_ask *ask)
{
    return n_keys(ask) > 0 || ask->cert != NULL;
}

static enum errc check_uri(const char *uri, struct err *err)
{
    if (strncmp(uri, "pkcs11:", 7) != 0)
        return err_set(err, E_ARGUMENT, "--pkcs11 wants a URI that begins with pkcs11:");
    if (strstr(uri, "pin-value") != NULL || strstr(uri, "pin-source") != NULL)
        return err_set(err, E_ARGUMENT,
                       "--pkcs11: a PIN does not belong in the URI, where others can read it; use "
                       "--passphrase-file");
    return E_OK;
}

enum errc signer_ask_check(const struct signer_ask *ask, struct err *err)
{
    bool takes_cert = ask->cert_key != NULL || ask->pkcs11 != NULL;
    if (n_keys(ask) == 0)
        return err_set(err, E_ARGUMENT,
                       "no key: name one with --key, --cert and --cert-key, --pkcs12, or --pkcs11 "
                       "and --cert");
    if (n_keys(ask) > 1)
        return err_set(
            err, E_ARGUMENT,
            "one key signs: --key, --cert-key, --pkcs12 and --pkcs11 exclude each other");
    if (takes_cert && ask->cert == NULL)
        return err_set(err, E_ARGUMENT, "--%s wants --cert: whose key is it?",
                       ask->cert_key != NULL ? "cert-key" : "pkcs11");
    if (!takes_cert && ask->cert != NULL)
        return err_set(err, E_ARGUMENT, "--cert goes with --cert-key or --pkcs11");
    if (ask->pkcs11 == NULL && ask->pkcs11_module != NULL)
        return err_set(err, E_ARGUMENT, "--pkcs11-module goes with --pkcs11");
    enum errc rc = passphrase_check(&ask->passphrase, err);
    return rc == E_OK && ask->pkcs11 != NULL ? check_uri(ask->pkcs11, err) : rc;
}

enum errc signer_file_err(enum errc rc, const char *option, const char *path, struct err *err)
{
    char shown[120];
    if (rc == E_OK)
        return rc;
    if (rc == E_ABSENT || rc == E_MALFORMED || rc == E_TRUNCATED || rc == E_LIMIT)
        err->code = E_ARGUMENT;
    return err_prefix(err, "--%s %s: ", option,
                      text_printable(span_text(path), shown, sizeof(shown)));
}
