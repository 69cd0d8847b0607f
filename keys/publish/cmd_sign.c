#include <stdio.h>
#include <string.h>

#include "keys/publish/keyfile.h"
#include "keys/publish/publish.h"
#include "keys/publish/signers.h"
#include "platform/base/text.h"

#define PATH_ROOM 4096
#define PAGE_MAX (1024 * 1024)
#define SPECS_MAX 32

static const struct opt_spec own_specs[] = {
    { "comment", "TEXT", "minisign's trusted comment (default: time and file name)", 0 },
    { "out", "FILE", "the signature's file (one FILE only)", 0 },
};

#define USAGE                                                                                      \
    "surefoot-publish sign KEY [options] FILE...\n\n"                                              \
    "Signs files; the signature lies beside each: FILE.minisig with --key, FILE.p7s with\n"        \
    "--cert and --cert-key, --pkcs12, or --pkcs11 and --cert. Each signature is judged as\n"       \
    "surefoot verify judges it before it is kept. An older signature is replaced by a whole new\n" \
    "one; a file that is no signature never is."
#define NOTES                                                                                      \
    "exit codes: 0 all signed, 1 could not do it (wrong passphrase, too), 2 usage or a broken\n"   \
    "key or certificate, 3 refused: surefoot would not accept it\n\n"                              \
    "example: surefoot-publish sign --key release.key --passphrase-fd 0 feed.xml"

struct signing {
    struct publish *p;
    struct signer_ask ask;
    const char *comment, *out;
    struct signer *signer;
    enum publish_exit worst;
};

/* One file: what it is to become, and what it became. */
struct one {
    const char *file;
    char path[PATH_ROOM];
    char comment[SIGN_COMMENT_MAX + 1];
    struct buf signature;
};

static enum errc take_option(void *ctx, const char *name, const char *value, struct err *err)
{
    struct signing *s = ctx;
    bool taken;
    if (strcmp(name, "comment") == 0)
        s->comment = value;
    else if (strcmp(name, "out") == 0)
        s->out = value;
    else
        return signer_option(&s->ask, name, value, &taken, err);
    return E_OK;
}

static enum errc check_line(void *ctx, size_t n_files, char **files, struct err *err)
{
    const struct signing *s = ctx;
    UNUSED(files);
    if (n_files == 0)
        return err_set(err, E_ARGUMENT, "no FILE was named");
    if (n_files > 1 && s->out != NULL)
        return err_set(err, E_ARGUMENT, "--out speaks of one file, and %zu were named", n_files);
    if (s->comment != NULL && signer_ask_is_given(&s->ask) && s->ask.key == NULL)
        return err_set(err, E_ARGUMENT, "--comment is minisign's; it goes with --key");
    if (s->comment != NULL && keyfile_check_comment(s->comment, SIGN_COMMENT_MAX, err) != E_OK)
        return err_prefix(err, "--comment: ");
    return signer_ask_check(&s->ask, err);
}

/* --- the signature's file */

static enum errc make_path(const struct signing *s, struct one *one, struct err *err)
{
    int n = s->out != NULL
                ? snprintf(one->path, PATH_ROOM, "%s", s->out)
                : snprintf(one->path, PATH_ROOM, "%s.%s", one->file, signer_suffix(s->signer));
    if (n < 0 || n >= PATH_ROOM)
        return err_set(err, E_ARGUMENT, "a path longer than %d bytes", PATH_ROOM - 1);
    return E_OK;
}

static enum errc check_place(const struct signing *s, const struct one *one, struct err *err)
{
    struct buf old;
    bool ignored;
    enum errc rc = signers_read_place(s->p->platform, one->path, &old, &ignored, err);
    buf_fini(&old);
    return rc;
}

static enum errc prefix_path(struct err *err, const char *path)
{
    char shown[120];
    return err_prefix(err, "%s: ", text_printable(span_text(path), shown, sizeof(shown)));
}

static enum errc make_signature(const struct signing *s, struct one *one, struct err *err)
{
    struct platform *m = s->p->platform;
    struct source *src = NULL;
    const char *comment = s->comment;
    if (comment == NULL && s->ask.key != NULL)
        comment = signer_file_comment(s->signer, one->file, one->comment);
    enum errc rc = m->fs->open_source(m->self, one->file, &src, err);
    if (rc == E_OK)
        rc = signer_sign(s->signer, src, comment, &one->signature, err);
    source_close(src);
    return rc == E_OK ? E_OK : prefix_path(err, one->file);
}

static enum errc sign_file(const struct signing *s, struct one *one, struct err *err)
{
    enum errc rc = make_path(s, one, err);
    if (rc != E_OK)
        return prefix_path(err, one->file);
    rc = check_place(s, one, err);
    if (rc != E_OK)
        return prefix_path(err, one->path);
    rc = make_signature(s, one, err);
    if (rc != E_OK)
        return rc;
    rc = platform_write_file(s->p->platform, one->path, buf_span(&one->signature), 0, err);
    return rc == E_OK ? E_OK : prefix_path(err, one->path);
}

/* --- what is said */

static enum errc say_json(const struct signing *s, const struct one *one, enum errc rc,
                          const struct err *why, struct buf *page, struct err *err)
{
    const struct signer_facts *facts = signer_describe(s->signer);
    bool is_cms = facts->system == SYSTEM_CMS;
    const char *result = rc == E_OK ? "signed" : rc == E_REFUSED ? "refused" : "failed";
    const struct field fields[] = {
        { "schema", FIELD_TEXT, "surefoot.sign/1", 0 },
        { "file", FIELD_TEXT, one->file, 0 },
        { "result", FIELD_TEXT, result, 0 },
        { "signature", FIELD_TEXT, rc == E_OK ? one->path : NULL, 0 },
        { "kind", FIELD_TEXT, sig_system_word(facts->system), 0 },
        { "key_id", FIELD_TEXT, is_cms ? NULL : facts->key_id, 0 },
        { "subject", FIELD_TEXT, is_cms ? facts->cert.subject : NULL, 0 },
        { "sha256", FIELD_TEXT, is_cms ? facts->cert.sha256 : NULL, 0 },
        { "not_after", is_cms ? FIELD_TIME : FIELD_NULL, NULL, facts->cert.not_after },
        { "detail", FIELD_TEXT, rc == E_OK ? NULL : why->text, 0 },
    };
    return print_json_line(fields, ARRAY_LEN(fields), page, err);
}

static enum errc say_text(const struct signing *s, const struct one *one, struct buf *page,
                          struct err *err)
{
    const struct signer_facts *facts = signer_describe(s->signer);
    char time[32];
    char shown[200];
    enum errc rc = buf_printf(page, err, "%s: signed by %s%s\n",
                              text_printable(span_text(one->path), shown, sizeof(shown)),
                              facts->system == SYSTEM_CMS ? "" : "key ",
                              facts->system == SYSTEM_CMS ? facts->cert.subject : facts->key_id);
    if (rc != E_OK || !s->p->verbose)
        return rc;
    if (facts->system == SYSTEM_CMS)
        return buf_printf(page, err, "  sha256 %s\n  issuer %s\n  expires %s\n", facts->cert.sha256,
                          facts->cert.issuer, text_format_time(facts->cert.not_after, time));
    char comment[SIGN_COMMENT_MAX + 1];
    const char *signed_comment = s->comment != NULL ? s->comment : one->comment;
    return buf_printf(page, err, "  trusted comment: %s\n",
                      text_printable(span_text(signed_comment), comment, sizeof(comment)));
}

static enum errc say(const struct signing *s, const struct one *one, enum errc rc,
                     const struct err *why, struct err *err)
{
    struct buf page;
    enum errc said = E_OK;
    buf_init(&page, PAGE_MAX);
    if (s->p->format == PUBLISH_JSON)
        said = say_json(s, one, rc, why, &page, err);
    else if (rc == E_OK && !s->p->quiet)
        said = say_text(s, one, &page, err);
    if (said == E_OK)
        said = publish_write(&page, err);
    buf_fini(&page);
    return said;
}

static void sign_one(struct signing *s, const char *file)
{
    struct one one = { .file = file };
    struct err why = { .code = E_OK }, err = { .code = E_OK };
    buf_init(&one.signature, SIGN_SIGNATURE_MAX);
    enum errc rc = sign_file(s, &one, &why);
    if (rc != E_OK)
        s->worst = publish_worse(s->worst, publish_fail(s->p, &why));
    if (say(s, &one, rc, &why, &err) != E_OK)
        s->worst = publish_worse(s->worst, publish_fail(s->p, &err));
    buf_fini(&one.signature);
}

static void warn(void *ctx, const char *line)
{
    publish_warn(ctx, "%s", line);
}

static enum publish_exit sign_files(struct signing *s, char **files, size_t n_files)
{
    struct err err = { .code = E_OK };
    if (signer_open(s->p->platform, &s->ask, &s->signer, &err) != E_OK)
        return publish_fail(s->p, &err);
    for (size_t i = 0; i < n_files; i++)
        sign_one(s, files[i]);
    signer_close(s->signer);
    return s->worst;
}

enum publish_exit cmd_sign(struct publish *p, int argc, char **argv)
{
    struct opt_spec specs[SPECS_MAX];
    struct publish_syntax syntax = { USAGE, specs, 0, NOTES, take_option, check_line };
    struct signing s = { .p = p, .worst = PUBLISH_DONE };
    struct err err = { .code = E_OK };
    size_t n_files = 0;
    for (size_t i = 0; i < signer_n_specs; i++)
        specs[syntax.n_specs++] = signer_specs[i];
    for (size_t i = 0; i < ARRAY_LEN(own_specs); i++)
        specs[syntax.n_specs++] = own_specs[i];
    signer_ask_init(&s.ask);
    s.ask.passphrase.warn = warn;
    s.ask.passphrase.warn_ctx = p;
    enum errc rc = publish_read(p, &syntax, argc, argv, &s, &n_files, &err);
    if (rc == E_OK && p->wants_help)
        return publish_help(p, &syntax);
    return rc == E_OK ? sign_files(&s, argv, n_files) : publish_fail(p, &err);
}
