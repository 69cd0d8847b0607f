#include "keys/publish/signers.h"

#include <stdio.h>
#include <string.h>

#include "keys/publish/keyfile.h"
#include "verify/cms.h"
#include "verify/detached.h"
#include "verify/minisign.h"

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

/* --- files of theirs */

size_t signers_list_files(const struct signers *s, struct signers_file out[SIGNERS_FILES_MAX])
{
    size_t n = 0;
    for (size_t i = 0; i < s->n; i++) {
        const struct signer_ask *ask = &s->asks[i];
        const struct signers_file files[] = { { "key", ask->key },
                                              { "cert", ask->cert },
                                              { "cert-key", ask->cert_key },
                                              { "pkcs12", ask->pkcs12 },
                                              { "passphrase-file", ask->passphrase.file } };
        for (size_t k = 0; k < ARRAY_LEN(files); k++)
            if (files[k].path != NULL)
                out[n++] = files[k];
    }
    return n;
}

static struct span line_at(struct span text, size_t at)
{
    struct span rest = span_sub(text, at, text.len);
    const uint8_t *lf = rest.len == 0 ? NULL : memchr(rest.ptr, '\n', rest.len);
    return lf == NULL ? rest : span_of(rest.ptr, (size_t)(lf - rest.ptr));
}

/* What follows the two lines of a key makes it no less of one; a cost that is too high for us, or
 * another algorithm, neither. */
static bool is_minisign_secret(struct span head)
{
    struct keyfile file;
    if (!span_starts_with(head, span_text("untrusted comment:")))
        return false;
    size_t first = line_at(head, 0).len + 1;
    struct span key = span_sub(head, 0, first + line_at(head, first).len);
    if (key.len > KEYFILE_TEXT_MAX)
        return false;
    enum errc rc = keyfile_read(key, &file, NULL);
    if (rc == E_OK)
        keyfile_wipe(&file);
    return rc == E_OK || rc == E_UNSUPPORTED || rc == E_LIMIT;
}

/* Few bytes of a text are a V: this is as fast as reading it. */
static bool has_private_key(struct span text)
{
    static const char word[] = "PRIVATE KEY";
    const size_t before = 3; /* the V */
    for (size_t at = before; at < text.len; at++) {
        const uint8_t *v = memchr(text.ptr + at, word[before], text.len - at);
        if (v == NULL)
            return false;
        at = (size_t)(v - text.ptr);
        if (span_starts_with(span_sub(text, at - before, text.len), span_text(word)))
            return true;
    }
    return false;
}

/* "-----BEGIN ... PRIVATE KEY...-----", and blanks */
static bool is_pem_secret_line(struct span line)
{
    size_t len = line.len;
    while (len > 0 && line.ptr[len - 1] <= ' ')
        len--;
    line.len = len;
    return len > 5 && span_starts_with(line, span_text("-----BEGIN ")) &&
           span_equal_text(span_sub(line, len - 5, 5), "-----") && has_private_key(line);
}

/* Programs hold such lines among their own texts; those come after a NUL, and PEM has none. */
static bool has_pem_secret(struct span head)
{
    const uint8_t *nul = head.len == 0 ? NULL : memchr(head.ptr, '\0', head.len);
    if (nul != NULL)
        head.len = (size_t)(nul - head.ptr);
    if (!has_private_key(head))
        return false;
    for (size_t at = 0; at < head.len;) {
        struct span line = line_at(head, at);
        if (is_pem_secret_line(line))
            return true;
        at += line.len + 1;
    }
    return false;
}

const char *signers_find_secret(struct span head)
{
    if (is_minisign_secret(head))
        return "a minisign secret key";
    return has_pem_secret(head) ? "a private key in PEM" : NULL;
}

/* --- signing */

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

static bool is_signature(struct span bytes)
{
    struct minisign_signature minisign;
    struct cms cms;
    return minisign_read_signature(bytes, &minisign, NULL) == E_OK ||
           cms_read(bytes, 0, &cms, NULL) == E_OK || detached_is_pem(bytes);
}

enum errc signers_read_place(struct platform *p, const char *path, struct buf *out_old,
                             bool *out_is_there, struct err *err)
{
    struct fs_info info;
    buf_init(out_old, DETACHED_SIGNATURE_MAX);
    *out_is_there = false;
    enum errc rc = p->fs->stat_link(p->self, path, &info, err);
    if (rc != E_OK || info.kind != FS_FILE)
        return rc;
    rc = platform_read_file(p, path, DETACHED_SIGNATURE_MAX, out_old, err);
    *out_is_there = rc == E_OK && is_signature(buf_span(out_old));
    if (*out_is_there || (rc != E_OK && rc != E_LIMIT))
        return rc;
    buf_fini(out_old);
    return err_set(err, E_EXISTS,
                   "is there and is no signature, so it is not replaced; remove it first");
}
