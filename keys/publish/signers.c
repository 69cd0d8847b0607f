#include "keys/publish/signers.h"

#include <stdio.h>
#include <string.h>

static void begin(struct signers *s)
{
    signer_ask_init(&s->asks[s->n]);
    s->asks[s->n].passphrase.warn = s->warn;
    s->asks[s->n].passphrase.warn_ctx = s->warn_ctx;
}

void signers_init(struct signers *s, struct platform *platform, secret_warn_fn warn, void *warn_ctx)
{
    *s = (struct signers){ .platform = platform, .warn = warn, .warn_ctx = warn_ctx };
    begin(s);
}

static bool has_secret(const struct signer_ask *ask)
{
    return ask->key != NULL || ask->cert_key != NULL || ask->pkcs12 != NULL || ask->pkcs11 != NULL;
}

/* Does this option begin another signer? One that names a key, where there is one; a certificate,
 * where there is one or where the key before is of a kind that has none. */
static bool begins_another(const struct signer_ask *ask, const char *name)
{
    if (strcmp(name, "cert") == 0)
        return ask->cert != NULL || ask->key != NULL || ask->pkcs12 != NULL;
    return (strcmp(name, "key") == 0 || strcmp(name, "cert-key") == 0 ||
            strcmp(name, "pkcs12") == 0 || strcmp(name, "pkcs11") == 0) &&
           has_secret(ask);
}

enum errc signers_option(struct signers *s, const char *name, const char *value, bool *out_taken,
                         struct err *err)
{
    if (begins_another(&s->asks[s->n], name)) {
        if (s->n + 1 == SIGNERS_MAX)
            return err_set(err, E_ARGUMENT,
                           "--%s names a third key: one for minisign and one certificate sign",
                           name);
        s->n++;
        begin(s);
    }
    return signer_option(&s->asks[s->n], name, value, out_taken, err);
}

/* A passphrase of no key: a word that the user forgot, or got wrong. */
static enum errc check_last(const struct signer_ask *ask, struct err *err)
{
    bool has_passphrase = ask->passphrase.file != NULL || ask->passphrase.fd != NO_DESCRIPTOR;
    if (!signer_ask_is_given(ask) && (has_passphrase || ask->pkcs11_module != NULL))
        return err_set(err, E_ARGUMENT,
                       "a passphrase, PIN or token library, and no key that it is for: name one "
                       "with --key, --cert and --cert-key, --pkcs12, or --pkcs11");
    return E_OK;
}

size_t signers_n_given(const struct signers *s)
{
    return signer_ask_is_given(&s->asks[s->n]) ? s->n + 1 : s->n;
}

enum errc signers_check(const struct signers *s, struct err *err)
{
    size_t n = signers_n_given(s);
    enum errc rc = check_last(&s->asks[s->n], err);
    for (size_t i = 0; i < n && rc == E_OK; i++)
        rc = signer_ask_check(&s->asks[i], err);
    if (rc == E_OK && n == 2 && (s->asks[0].key == NULL) == (s->asks[1].key == NULL))
        rc = err_set(err, E_ARGUMENT, "two signers of one system: a file has one FILE.%s beside it",
                     s->asks[0].key != NULL ? "minisig" : "p7s");
    return rc;
}

enum errc signers_open(struct signers *s, struct err *err)
{
    size_t n = signers_n_given(s);
    enum errc rc = signers_check(s, err);
    for (s->n = 0; s->n < n && rc == E_OK; s->n += rc == E_OK)
        rc = signer_open(s->platform, &s->asks[s->n], &s->items[s->n], err);
    return rc;
}

void signers_close(struct signers *s)
{
    for (size_t i = 0; i < SIGNERS_MAX; i++)
        signer_close(s->items[i]);
    *s = (struct signers){ .n = 0 };
}

static bool is_minisign(const struct signer *s)
{
    return signer_describe(s)->system == SYSTEM_MINISIGN;
}

enum errc signers_sign(struct signers *s, struct source *content, const char *path,
                       const char *words, struct signatures *out, struct err *err)
{
    char file[SIGN_COMMENT_MAX + 1], comment[SIGN_COMMENT_MAX + 1];
    enum errc rc = E_OK;
    *out = (struct signatures){ .n = 0 };
    for (size_t i = 0; i < s->n && rc == E_OK; i++) {
        struct signer *signer = s->items[i];
        const char *said = is_minisign(signer) ? comment : NULL;
        if (said != NULL)
            (void)snprintf(comment, sizeof(comment), "%.800s%.200s",
                           signer_file_comment(signer, path, file), words == NULL ? "" : words);
        buf_init(&out->items[i], SIGN_SIGNATURE_MAX);
        out->suffixes[i] = signer_suffix(signer);
        out->n++;
        rc = signer_sign(signer, content, said, &out->items[i], err);
    }
    return rc;
}

void signatures_fini(struct signatures *s)
{
    for (size_t i = 0; i < s->n; i++)
        buf_fini(&s->items[i]);
    s->n = 0;
}
