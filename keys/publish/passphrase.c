#include "keys/publish/passphrase.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/base/text.h"
#include "platform/console.h"

#include <openssl/crypto.h>

/* Room for a passphrase and the line's end that is cut. */
#define LINE_MAX_BYTES (PASSPHRASE_MAX + 2)

void secret_wipe(void *ptr, size_t len)
{
    OPENSSL_cleanse(ptr, len);
}

void secret_fini(struct buf *b)
{
    if (b->ptr != NULL)
        secret_wipe(b->ptr, b->room);
    buf_fini(b);
}

enum errc secret_read_file(struct platform *p, const char *path, size_t cap, struct buf *out,
                           struct err *err)
{
    enum errc rc = platform_fill_from_file(p, path, cap, out, err);
    if (rc != E_OK)
        secret_fini(out);
    return rc;
}

/* cut_end takes one line's end away, and demands that there is no other. */
static enum errc cut_end(struct buf *b, const char *from, struct err *err)
{
    if (b->len > 0 && b->ptr[b->len - 1] == '\n')
        b->len--;
    if (b->len > 0 && b->ptr[b->len - 1] == '\r')
        b->len--;
    if (b->len > PASSPHRASE_MAX)
        return err_set(err, E_ARGUMENT, "%s: more than %d bytes are no passphrase", from,
                       PASSPHRASE_MAX);
    if (b->len > 0 && memchr(b->ptr, '\n', b->len) != NULL)
        return err_set(err, E_ARGUMENT, "%s: more than one line; a passphrase is one", from);
    if (b->len > 0 && memchr(b->ptr, '\0', b->len) != NULL)
        return err_set(err, E_ARGUMENT, "%s: a NUL byte; that is no text", from);
    return E_OK;
}

void secret_warn_if_shared(struct platform *p, const struct passphrase_ask *ask, const char *path,
                           const char *what)
{
    bool is_shared = false;
    char shown[120];
    char line[240];
    struct err ignored;
    if (ask->warn == NULL || p->fs->is_shared(p->self, path, &is_shared, &ignored) != E_OK ||
        !is_shared)
        return;
    (void)snprintf(line, sizeof(line), "%s: others may read %s; chmod 600 keeps it to its owner",
                   text_printable(span_text(path), shown, sizeof(shown)), what);
    ask->warn(ask->warn_ctx, line);
}

static enum errc from_file(struct platform *p, const struct passphrase_ask *ask, struct buf *out,
                           struct err *err)
{
    char shown[120];
    enum errc rc = secret_read_file(p, ask->file, LINE_MAX_BYTES, out, err);
    if (rc != E_OK && rc != E_NOMEM && rc != E_IO)
        err->code = E_ARGUMENT; /* the user's to mend */
    if (rc != E_OK)
        return err_prefix(err, "--passphrase-file %s: ",
                          text_printable(span_text(ask->file), shown, sizeof(shown)));
    secret_warn_if_shared(p, ask, ask->file, "this passphrase");
    return cut_end(out, "--passphrase-file", err);
}

static enum errc make_room(struct buf *out, uint8_t **to, struct err *err)
{
    buf_init(out, LINE_MAX_BYTES);
    return buf_reserve(out, LINE_MAX_BYTES, to, err);
}

static enum errc from_descriptor(int fd, struct buf *out, struct err *err)
{
    uint8_t *to;
    enum errc rc = make_room(out, &to, err);
    if (rc == E_OK)
        rc = console_read_descriptor(fd, to, LINE_MAX_BYTES, &out->len, err);
    if (rc == E_LIMIT || (rc == E_IO && out->len == 0))
        err->code = E_ARGUMENT;
    if (rc != E_OK)
        return err_prefix(err, "--passphrase-fd: ");
    return cut_end(out, "--passphrase-fd", err);
}

static enum errc ask_once(const char *prompt, struct buf *out, struct err *err)
{
    uint8_t *to;
    enum errc rc = make_room(out, &to, err);
    if (rc == E_OK)
        rc = console_read_secret(prompt, to, LINE_MAX_BYTES, &out->len, err);
    if (rc == E_UNSUPPORTED)
        return err_set(err, E_ARGUMENT,
                       "a passphrase is needed and there is no terminal to ask on; give "
                       "--passphrase-file or --passphrase-fd");
    return rc == E_OK ? cut_end(out, "the passphrase", err) : rc;
}

static enum errc ask_again(const char *prompt, const struct buf *first, struct err *err)
{
    struct buf second = { .ptr = NULL };
    enum errc rc = ask_once(prompt, &second, err);
    if (rc == E_OK && !span_equal(buf_span(first), buf_span(&second)))
        rc = err_set(err, E_ARGUMENT, "the two passphrases differ");
    secret_fini(&second);
    return rc;
}

static enum errc from_terminal(const char *what, bool is_new, struct buf *out, struct err *err)
{
    char shown[120];
    char prompt[160];
    text_printable(span_text(what), shown, sizeof(shown));
    (void)snprintf(prompt, sizeof(prompt), "%s for %s: ", is_new ? "New passphrase" : "Passphrase",
                   shown);
    enum errc rc = ask_once(prompt, out, err);
    if (rc == E_OK && is_new && out->len > 0)
        rc = ask_again("The same again: ", out, err);
    return rc;
}

enum errc passphrase_get(struct platform *p, const struct passphrase_ask *ask, const char *what,
                         bool is_new, struct buf *out, struct err *err)
{
    enum errc rc;
    *out = (struct buf){ .ptr = NULL };
    if (ask->file != NULL)
        rc = from_file(p, ask, out, err);
    else if (ask->fd != NO_DESCRIPTOR)
        rc = from_descriptor(ask->fd, out, err);
    else
        rc = from_terminal(what, is_new, out, err);
    if (rc == E_OK && is_new && out->len == 0)
        rc = err_set(err, E_ARGUMENT,
                     "an empty passphrase protects nothing; if the key is to have none, say "
                     "--no-passphrase");
    if (rc != E_OK)
        secret_fini(out);
    return rc;
}

/* --- options */

static enum errc set_file(struct passphrase_ask *ask, const char *value, struct err *err)
{
    if (ask->file != NULL)
        return err_set(err, E_ARGUMENT, "--passphrase-file may stand once");
    ask->file = value;
    return E_OK;
}

static enum errc set_descriptor(struct passphrase_ask *ask, const char *value, struct err *err)
{
    char *end = NULL;
    long fd = value[0] >= '0' && value[0] <= '9' ? strtol(value, &end, 10) : -1;
    if (fd < 0 || fd > DESCRIPTOR_MAX || *end != '\0')
        return err_set(err, E_ARGUMENT, "--passphrase-fd wants a number from 0 to %d",
                       DESCRIPTOR_MAX);
    ask->fd = (int)fd;
    return E_OK;
}

enum errc passphrase_option(struct passphrase_ask *ask, const char *name, const char *value,
                            bool *out_taken, struct err *err)
{
    *out_taken = true;
    if (strcmp(name, "passphrase-file") == 0)
        return set_file(ask, value, err);
    if (strcmp(name, "passphrase-fd") == 0)
        return set_descriptor(ask, value, err);
    *out_taken = false;
    return E_OK;
}

enum errc passphrase_check(const struct passphrase_ask *ask, struct err *err)
{
    if (ask->file != NULL && ask->fd != NO_DESCRIPTOR)
        return err_set(err, E_ARGUMENT,
                       "--passphrase-file and --passphrase-fd: one of them, not both");
    return E_OK;
}
