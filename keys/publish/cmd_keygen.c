#include <stdio.h>
#include <string.h>

#include "keys/publish/keyfile.h"
#include "keys/publish/passphrase.h"
#include "keys/publish/publish.h"
#include "platform/base/text.h"
#include "verify/minisign.h"

#define PATH_ROOM 4096
#define PAGE_MAX (64 * 1024)
#define OWN_COMMENT_MAX (KEYFILE_COMMENT_MAX - 64) /* leaves room for what is added to it */

static const struct opt_spec specs[] = {
    { "out", "NAME", "makes NAME.key (secret) and NAME.pub (public)", 0 },
    { "no-passphrase", NULL, "the secret key is not encrypted", 0 },
    { "passphrase-file", "FILE", "the passphrase is this file's one line", 0 },
    { "passphrase-fd", "N", "the same from an open descriptor; 0 is standard input", 0 },
    { "comment", "TEXT", "the untrusted comment in both files", 0 },
};

struct keygen {
    struct publish *p;
    const char *name, *comment;
    bool has_no_passphrase;
    struct passphrase_ask passphrase;
    char secret_path[PATH_ROOM], public_path[PATH_ROOM];
    struct keypair pair;
    struct buf secret, public;
    char id[MINISIGN_KEY_ID_ROOM];
};

static enum errc take_option(void *ctx, const char *name, const char *value, struct err *err)
{
    struct keygen *k = ctx;
    bool taken;
    if (strcmp(name, "out") == 0)
        k->name = value;
    else if (strcmp(name, "comment") == 0)
        k->comment = value;
    else if (strcmp(name, "no-passphrase") == 0)
        k->has_no_passphrase = true;
    else
        return passphrase_option(&k->passphrase, name, value, &taken, err);
    return E_OK;
}

static enum errc check_line(void *ctx, size_t n_words, char **words, struct err *err)
{
    const struct keygen *k = ctx;
    UNUSED(words);
    bool has_passphrase = k->passphrase.file != NULL || k->passphrase.fd != NO_DESCRIPTOR;
    if (n_words > 0)
        return err_set(err, E_ARGUMENT, "keygen takes options only; the name goes to --out");
    if (k->name == NULL)
        return err_set(err, E_ARGUMENT, "--out NAME is needed: what are the files to be called?");
    if (k->has_no_passphrase && has_passphrase)
        return err_set(err, E_ARGUMENT, "--no-passphrase, and a passphrase: one of them, not both");
    enum errc rc = passphrase_check(&k->passphrase, err);
    if (rc == E_OK && k->comment != NULL)
        rc = keyfile_check_comment(k->comment, OWN_COMMENT_MAX, err);
    return rc;
}

static const struct publish_syntax syntax = {
    "surefoot-publish keygen --out NAME [options]\n\n"
    "Makes an Ed25519 key pair in the files that minisign uses: NAME.key, encrypted under a\n"
    "passphrase, for sign --key; NAME.pub for your products and for verify --key. An existing "
    "file\n"
    "is never replaced. The passphrase is asked for twice on the terminal, unless an option says\n"
    "where it comes from.",
    specs,
    ARRAY_LEN(specs),
    "exit codes: 0 done, 1 could not do it, 2 usage\n\n"
    "example: surefoot-publish keygen --out release",
    take_option,
    check_line,
};

/* --- paths */

static enum errc prefix_path(struct err *err, const char *path)
{
    char shown[120];
    return err_prefix(err, "%s: ", text_printable(span_text(path), shown, sizeof(shown)));
}

/* That the name is free is known before anyone is asked for a passphrase. */
static enum errc check_is_free(const struct keygen *k, const char *path, struct err *err)
{
    struct platform *m = k->p->platform;
    struct fs_info info;
    enum errc rc = m->fs->stat_link(m->self, path, &info, err);
    if (rc == E_OK && info.kind != FS_ABSENT)
        rc = err_set(err, E_EXISTS, "is there already; a key is never replaced");
    return rc == E_OK ? E_OK : prefix_path(err, path);
}

static enum errc make_path(const struct keygen *k, const char *ending, char to[PATH_ROOM],
                           struct err *err)
{
    int n = snprintf(to, PATH_ROOM, "%s.%s", k->name, ending);
    if (n < 0 || n >= PATH_ROOM)
        return err_set(err, E_ARGUMENT, "--out: a path longer than %d bytes", PATH_ROOM - 1);
    return check_is_free(k, to, err);
}

/* --- keys */

static enum errc make_texts(struct keygen *k, struct span passphrase, struct err *err)
{
    char comment[KEYFILE_COMMENT_MAX + 1];
    struct keyfile_cost cost = KEYFILE_COST_DEFAULT;
    const char *start = k->comment == NULL ? "surefoot-publish" : k->comment;
    (void)snprintf(comment, sizeof(comment), "%s secret key %s", start, k->id);
    enum errc rc = keyfile_write_secret(&k->pair, comment, k->has_no_passphrase ? NULL : &cost,
                                        passphrase, &k->secret, err);
    (void)snprintf(comment, sizeof(comment), "%s public key %s", start, k->id);
    return rc == E_OK ? keyfile_write_public(&k->pair, comment, &k->public, err) : rc;
}

/* What was written is read again, as signing and the client will read it, before it is kept. */
static enum errc check_texts(const struct keygen *k, struct span passphrase, struct err *err)
{
    struct keyfile file = { .is_encrypted = false };
    struct keypair again = { .id = { 0 } };
    struct minisign_key key;
    enum errc rc = keyfile_read(buf_span(&k->secret), &file, err);
    if (rc == E_OK)
        rc = keyfile_open(&file, passphrase, &again, err);
    if (rc == E_OK)
        rc = minisign_read_key(buf_span(&k->public), &key, err);
    if (rc == E_OK && (memcmp(&again, &k->pair, sizeof(again)) != 0 ||
                       memcmp(key.id, again.id, sizeof(key.id)) != 0 ||
                       memcmp(key.ed25519, again.ed25519, sizeof(key.ed25519)) != 0))
        rc = err_set(err, E_INTERNAL, "the new key does not read back as it was made");
    keypair_wipe(&again);
    keyfile_wipe(&file);
    return rc;
}

static enum errc make_key(struct keygen *k, struct err *err)
{
    struct buf passphrase = { .ptr = NULL };
    enum errc rc = E_OK;
    if (!k->has_no_passphrase)
        rc = passphrase_get(k->p->platform, &k->passphrase, k->secret_path, true, &passphrase, err);
    if (rc == E_OK)
        rc = keypair_new(&k->pair, err);
    if (rc == E_OK) {
        (void)minisign_key_id_text(k->pair.id, k->id);
        rc = make_texts(k, buf_span(&passphrase), err);
    }
    if (rc == E_OK)
        rc = check_texts(k, buf_span(&passphrase), err);
    secret_fini(&passphrase);
    return rc;
}

/* Both files or neither. */
static enum errc write_files(const struct keygen *k, struct err *err)
{
    struct platform *m = k->p->platform;
    struct err ignored;
    enum errc rc = platform_write_file(m, k->secret_path, buf_span(&k->secret),
                                       SINK_PRIVATE | SINK_NO_REPLACE, err);
    if (rc != E_OK)
        return prefix_path(err, k->secret_path);
    rc = platform_write_file(m, k->public_path, buf_span(&k->public), SINK_NO_REPLACE, err);
    if (rc == E_OK)
        return E_OK;
    (void)m->fs->remove(m->self, k->secret_path, &ignored);
    return prefix_path(err, k->public_path);
}

/* --- what is said */

static enum errc say_json(const struct keygen *k, struct buf *page, struct err *err)
{
    char line[KEYFILE_PUBLIC_LINE_ROOM];
    const struct field fields[] = {
        { "schema", FIELD_TEXT, "surefoot.keygen/1", 0 },
        { "key_id", FIELD_TEXT, k->id, 0 },
        { "public_key", FIELD_TEXT, keyfile_public_line(&k->pair, line), 0 },
        { "secret_file", FIELD_TEXT, k->secret_path, 0 },
        { "public_file", FIELD_TEXT, k->public_path, 0 },
        { "encrypted", FIELD_BOOL, NULL, !k->has_no_passphrase },
    };
    return print_json_line(fields, ARRAY_LEN(fields), page, err);
}

static enum errc say_text(const struct keygen *k, struct buf *page, struct err *err)
{
    char line[KEYFILE_PUBLIC_LINE_ROOM];
    char secret[200], public[200];
    text_printable(span_text(k->secret_path), secret, sizeof(secret));
    text_printable(span_text(k->public_path), public, sizeof(public));
    return buf_printf(page, err,
                      "public key  %s\nkey id      %s\nsecret key  %s (%s)\n\n"
                      "next:\n"
                      "- keep %s offline, where nobody else can read it: who has it signs as you\n"
                      "- keep a copy of it in a second safe place: without it nobody signs as you\n"
                      "- put %s into your products, and tell those who check what it says\n"
                      "- sign:  surefoot-publish sign --key %s FILE\n"
                      "- check: surefoot verify --key %s FILE\n",
                      keyfile_public_line(&k->pair, line), k->id, secret,
                      k->has_no_passphrase ? "not encrypted" : "encrypted", secret, public, secret,
                      public);
}

static enum errc say(const struct keygen *k, struct err *err)
{
    struct buf page;
    if (k->p->format == PUBLISH_TEXT && k->p->quiet)
        return E_OK;
    buf_init(&page, PAGE_MAX);
    enum errc rc = k->p->format == PUBLISH_JSON ? say_json(k, &page, err) : say_text(k, &page, err);
    if (rc == E_OK)
        rc = publish_write(&page, err);
    buf_fini(&page);
    return rc;
}

static void warn(void *ctx, const char *line)
{
    publish_warn(ctx, "%s", line);
}

static enum errc run(struct keygen *k, struct err *err)
{
    enum errc rc = make_path(k, "key", k->secret_path, err);
    if (rc == E_OK)
        rc = make_path(k, "pub", k->public_path, err);
    if (rc == E_OK)
        rc = make_key(k, err);
    if (rc == E_OK)
        rc = write_files(k, err);
    return rc == E_OK ? say(k, err) : rc;
}

enum publish_exit cmd_keygen(struct publish *p, int argc, char **argv)
{
    struct keygen k = { .p = p,
                        .passphrase = { .fd = NO_DESCRIPTOR, .warn = warn, .warn_ctx = p } };
    struct err err = { .code = E_OK };
    size_t n_words = 0;
    buf_init(&k.secret, KEYFILE_TEXT_MAX);
    buf_init(&k.public, KEYFILE_TEXT_MAX);
    enum errc rc = publish_read(p, &syntax, argc, argv, &k, &n_words, &err);
    if (rc == E_OK && p->wants_help)
        return publish_help(p, &syntax);
    if (rc == E_OK)
        rc = run(&k, &err);
    secret_fini(&k.secret);
    buf_fini(&k.public);
    keypair_wipe(&k.pair);
    return rc == E_OK ? PUBLISH_DONE : publish_fail(p, &err);
}
