#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keys/publish/pack.h"
#include "keys/publish/publish.h"
#include "keys/publish/release_make.h"
#include "manifest/value.h"
#include "platform/base/text.h"
#include "platform/console.h"

#define PAGE_MAX (1024 * 1024)
#define SPECS_MAX 40
#define BAR_WIDTH 30

static const struct opt_spec own_specs[] = {
    { "product", "NAME", "the product's name, as its product file has it", 0 },
    { "version", "V", "the release's version", 0 },
    { "dir", "DIR", "the release folder: DIR/V gets the payload and release.xml", 0 },
    { "os", "NAME", "linux, windows, macos or freebsd (default: any)", 0 },
    { "arch", "NAME", "x86_64, aarch64, x86, armv7, ... (default: any)", 0 },
    { "demand", "SYSTEM", "authenticode, cms or minisign (repeatable; see below)", 0 },
    { "publisher", "NAME", "the certificate that is demanded must have this O or CN", 0 },
    { "require-timestamp", NULL, "demand a timestamp of Authenticode and CMS", 0 },
    { "mirror", "URL", "where the payload lies as well (repeatable)", 0 },
    { "created", "TIME", "RFC 3339 (default: SOURCE_DATE_EPOCH, else now)", 0 },
    { "level", "N", "of zstd, 1..19 (default: 3)", 0 },
    { "allow-keys", NULL, "publish also secret keys that the product really has", 0 },
    { "add", NULL, "add this payload to the release.xml that is there", 0 },
};

#define USAGE                                                                                      \
    "surefoot-publish release SOURCE --product NAME --version V --dir DIR [options]\n\n"           \
    "Puts a payload into DIR/V, signs it where a key is given, and writes DIR/V/release.xml,\n"    \
    "which lists every file of it. SOURCE is a folder of built files, packed to\n"                 \
    "NAME-V-OS-ARCH.tar.zst; an archive (tar, zip, 7z, cab), taken as it is; or an installer\n"    \
    "package (MSI), signed already. The same SOURCE, time and level give the same bytes. All or\n" \
    "nothing: after a failure DIR is as it was. A release that DIR/feed.xml names never "          \
    "changes.\n"                                                                                   \
    "Refused: a SOURCE that holds DIR, or a key, certificate or passphrase file named here, or\n"  \
    "anything else that is a secret key."
#define NOTES                                                                                      \
    "Without --demand: minisign where a minisign key signs, cms where a certificate does, and\n"   \
    "authenticode for an installer package.\n\n"                                                   \
    "exit codes: 0 done, 1 could not do it, 2 usage, 3 refused: a client would refuse it\n\n"      \
    "example: surefoot-publish release build/out --product orchard --version 2.1.0 --dir dist "    \
    "\\\n"                                                                                         \
    "             --os linux --arch x86_64 --key release.key"

/* A bar on a terminal, drawn again only when it changes. */
struct bar {
    const char *word;
    bool is_shown;
    unsigned percent; /* last drawn */
};

struct releasing {
    struct publish *p;
    struct release_ask ask;
    struct signers signers;
    bool has_version, has_created;
    struct bar packing;
    int64_t began;
};

/* --- options */

static enum errc read_word(const char *option, const char *const *words, const char *value,
                           uint32_t *set, struct err *err)
{
    char list[120];
    size_t len = 0;
    for (size_t i = 0; words[i] != NULL; i++) {
        if (strcmp(words[i], value) == 0) {
            *set |= UINT32_C(1) << i;
            return E_OK;
        }
        if (i > 0)
            len += strlen(text_copy(list + len, sizeof(list) - len, ", "));
        len += strlen(text_copy(list + len, sizeof(list) - len, words[i]));
    }
    return err_set(err, E_ARGUMENT, "--%s is one of %s", option, list);
}

static enum errc read_one_word(const char *option, const char *const *words, const char *value,
                               uint32_t *set, struct err *err)
{
    if (*set != 0)
        return err_set(err, E_ARGUMENT, "--%s may stand once: a payload is for one", option);
    return read_word(option, words, value, set, err);
}

static enum errc read_level(const char *value, int *out, struct err *err)
{
    uint64_t level;
    if (value_read_number(span_text(value), &level, err) != E_OK || level < 1 ||
        level > PACK_LEVEL_MAX)
        return err_set(err, E_ARGUMENT, "--level is 1 to %d", PACK_LEVEL_MAX);
    *out = (int)level;
    return E_OK;
}

static enum errc check_created(int64_t created, const char *what, struct err *err)
{
    if (created < 0 || created > PACK_TIME_MAX)
        return err_set(err, E_ARGUMENT, "%s: a time that an archive has no room for", what);
    return E_OK;
}

static enum errc read_created(struct releasing *r, const char *value, struct err *err)
{
    r->has_created = true;
    enum errc rc = value_read_time(span_text(value), &r->ask.created, err);
    if (rc != E_OK) {
        err->code = E_ARGUMENT;
        return err_prefix(err, "--created: ");
    }
    return check_created(r->ask.created, "--created", err);
}

static enum errc add_mirror(struct release_ask *ask, const char *value, struct err *err)
{
    char shown[80];
    if (ask->n_mirrors == RELEASE_MAKE_MIRRORS_MAX)
        return err_set(err, E_ARGUMENT, "more than %d times --mirror", RELEASE_MAKE_MIRRORS_MAX);
    if (value_check_url(span_text(value), err) != E_OK) {
        err->code = E_ARGUMENT;
        return err_prefix(err,
                          "--mirror %s: ", text_printable(span_text(value), shown, sizeof(shown)));
    }
    ask->mirrors[ask->n_mirrors++] = value;
    return E_OK;
}

static enum errc read_version(struct releasing *r, const char *value, struct err *err)
{
    r->has_version = true;
    enum errc rc = version_read(span_text(value), &r->ask.version, err);
    if (rc != E_OK) {
        err->code = E_ARGUMENT;
        return err_prefix(err, "--version: ");
    }
    return E_OK;
}

static enum errc read_name(const char *option, enum errc (*check)(struct span, struct err *),
                           const char *value, const char **out, struct err *err)
{
    char shown[80];
    *out = value;
    if (check(span_text(value), err) == E_OK)
        return E_OK;
    err->code = E_ARGUMENT;
    return err_prefix(err, "--%s %s: ", option,
                      text_printable(span_text(value), shown, sizeof(shown)));
}

static enum errc take_option(void *ctx, const char *name, const char *value, struct err *err)
{
    struct releasing *r = ctx;
    struct release_ask *ask = &r->ask;
    bool taken;
    if (strcmp(name, "product") == 0)
        return read_name(name, value_check_name, value, &ask->product, err);
    if (strcmp(name, "publisher") == 0)
        return read_name(name, value_check_text, value, &ask->publisher, err);
    if (strcmp(name, "version") == 0)
        return read_version(r, value, err);
    if (strcmp(name, "os") == 0)
        return read_one_word(name, target_os_words, value, &ask->os, err);
    if (strcmp(name, "arch") == 0)
        return read_one_word(name, target_arch_words, value, &ask->arch, err);
    if (strcmp(name, "demand") == 0)
        return read_word(name, demand_system_words, value, &ask->demands, err);
    if (strcmp(name, "mirror") == 0)
        return add_mirror(ask, value, err);
    if (strcmp(name, "created") == 0)
        return read_created(r, value, err);
    if (strcmp(name, "level") == 0)
        return read_level(value, &ask->level, err);
    if (strcmp(name, "dir") == 0)
        ask->dir = value;
    else if (strcmp(name, "require-timestamp") == 0)
        ask->needs_timestamp = true;
    else if (strcmp(name, "allow-keys") == 0)
        ask->allows_keys = true;
    else if (strcmp(name, "add") == 0)
        ask->is_addition = true;
    else
        return signers_option(&r->signers, name, value, &taken, err);
    return E_OK;
}

/* SOURCE_DATE_EPOCH: https://reproducible-builds.org/specs/source-date-epoch/ */
static enum errc settle_created(struct releasing *r, struct err *err)
{
    const char *epoch = getenv("SOURCE_DATE_EPOCH");
    uint64_t s;
    if (r->has_created)
        return E_OK;
    r->ask.created = r->began;
    if (epoch == NULL || epoch[0] == '\0')
        return E_OK;
    if (value_read_number(span_text(epoch), &s, err) != E_OK || s > (uint64_t)PACK_TIME_MAX)
        return err_set(err, E_ARGUMENT,
                       "SOURCE_DATE_EPOCH is no number of seconds since 1970 that an archive has "
                       "room for");
    r->ask.created = (int64_t)s;
    return E_OK;
}

static enum errc check_line(void *ctx, size_t n_words, char **words, struct err *err)
{
    struct releasing *r = ctx;
    if (n_words == 0)
        return err_set(err, E_ARGUMENT, "no SOURCE was named: a folder, an archive or an MSI");
    if (n_words > 1)
        return err_set(err, E_ARGUMENT,
                       "%zu sources were named; each payload is a run of its own, with --add from "
                       "the second on",
                       n_words);
    if (r->ask.product == NULL)
        return err_set(err, E_ARGUMENT, "--product NAME is needed");
    if (!r->has_version)
        return err_set(err, E_ARGUMENT, "--version V is needed");
    if (r->ask.dir == NULL)
        return err_set(err, E_ARGUMENT, "--dir DIR is needed: where is the release to go?");
    r->ask.source = words[0];
    return signers_check(&r->signers, err);
}

/* --- progress */

static void draw(void *ctx, uint64_t done, uint64_t total)
{
    struct bar *bar = ctx;
    char cells[BAR_WIDTH + 1];
    unsigned percent = total == 0 ? 100 : (unsigned)(done / (total / 100 + 1));
    if (done >= total)
        percent = 100;
    if (!bar->is_shown || percent == bar->percent)
        return;
    bar->percent = percent;
    for (unsigned i = 0; i < BAR_WIDTH; i++)
        cells[i] = i * 100 < percent * BAR_WIDTH ? '#' : '.';
    cells[BAR_WIDTH] = '\0';
    (void)fprintf(stderr, "\r%-8s %s %3u%%", bar->word, cells, percent);
    (void)fflush(stderr);
}

static void end_bars(const struct releasing *r)
{
    if (r->packing.is_shown && r->packing.percent != UINT32_MAX)
        (void)fprintf(stderr, "\r%*s\r", BAR_WIDTH + 16, "");
}

static void begin_bars(struct releasing *r)
{
    bool is_shown = r->p->format == PUBLISH_TEXT && !r->p->quiet && console_is_terminal(2);
    r->packing = (struct bar){ "packing", is_shown, UINT32_MAX };
    r->ask.progress = draw;
    r->ask.packing_ctx = &r->packing;
}

/* --- what is said */

static enum errc say_json(const struct releasing *r, const struct release_made *made,
                          struct buf *page, struct err *err)
{
    char sha256[TEXT_SHA256_ROOM], document[TEXT_SHA256_ROOM];
    struct platform *m = r->p->platform;
    const struct field fields[] = {
        { "schema", FIELD_TEXT, "surefoot.release/1", 0 },
        { "product", FIELD_TEXT, r->ask.product, 0 },
        { "version", FIELD_TEXT, r->ask.version.text, 0 },
        { "kind", FIELD_TEXT, payload_kind_words[made->kind], 0 },
        { "path", FIELD_TEXT, made->payload, 0 },
        { "size", FIELD_NUMBER, NULL, (int64_t)made->size },
        { "sha256", FIELD_TEXT, text_to_hex(span_of(made->sha256, sizeof(made->sha256)), sha256),
          0 },
        { "files", FIELD_NUMBER, NULL, (int64_t)made->n_files },
        { "signatures", FIELD_NUMBER, NULL, (int64_t)r->signers.n },
        { "was_there", FIELD_BOOL, NULL, made->was_there },
        { "document", FIELD_TEXT, made->document, 0 },
        { "document_size", FIELD_NUMBER, NULL, (int64_t)made->document_size },
        { "document_sha256", FIELD_TEXT,
          text_to_hex(span_of(made->document_sha256, sizeof(made->document_sha256)), document), 0 },
        { "created", FIELD_TIME, NULL, r->ask.created },
        { "seconds", FIELD_NUMBER, NULL, m->host->now(m->self) - r->began },
    };
    return print_json_line(fields, ARRAY_LEN(fields), page, err);
}

static enum errc say_text(const struct releasing *r, const struct release_made *made,
                          struct buf *page, struct err *err)
{
    char sha256[TEXT_SHA256_ROOM], shown[240], dir[160];
    enum errc rc =
        buf_printf(page, err, "%s: %s, %" PRIu64 " bytes%s\n  sha256 %s\n",
                   text_printable(span_text(made->payload), shown, sizeof(shown)),
                   payload_kind_words[made->kind], made->size, made->was_there ? ", was there" : "",
                   text_to_hex(span_of(made->sha256, sizeof(made->sha256)), sha256));
    if (rc == E_OK && made->kind == PAYLOAD_ARCHIVE)
        rc = buf_printf(page, err, "  %zu files\n", made->n_files);
    for (size_t i = 0; i < r->signers.n && rc == E_OK; i++)
        rc = buf_printf(page, err, "  signed: %s.%s\n", shown, signer_suffix(r->signers.items[i]));
    if (rc == E_OK)
        rc = buf_printf(page, err, "%s: written\nnext: surefoot-publish feed %s --add %s ...\n",
                        text_printable(span_text(made->document), shown, sizeof(shown)),
                        text_printable(span_text(r->ask.dir), dir, sizeof(dir)),
                        r->ask.version.text);
    return rc;
}

static enum errc say(const struct releasing *r, const struct release_made *made, struct err *err)
{
    struct buf page;
    if (made->other_version)
        publish_warn(r->p,
                     "the package says of itself that it is version %s, and the release is "
                     "%s",
                     made->product_version.text, r->ask.version.text);
    if (r->p->format == PUBLISH_TEXT && r->p->quiet)
        return E_OK;
    buf_init(&page, PAGE_MAX);
    enum errc rc = r->p->format == PUBLISH_JSON ? say_json(r, made, &page, err)
                                                : say_text(r, made, &page, err);
    if (rc == E_OK)
        rc = publish_write(&page, err);
    buf_fini(&page);
    return rc;
}

static enum errc run(struct releasing *r, struct err *err)
{
    struct release_made *made = malloc(sizeof(*made));
    if (made == NULL)
        return err_nomem(err);
    enum errc rc = settle_created(r, err);
    if (rc == E_OK)
        rc = signers_open(&r->signers, err);
    if (rc == E_OK) {
        begin_bars(r);
        rc = release_make(&r->ask, made, err);
        end_bars(r);
    }
    if (rc == E_OK)
        rc = say(r, made, err);
    free(made);
    return rc;
}

static void warn(void *ctx, const char *line)
{
    publish_warn(ctx, "%s", line);
}

enum publish_exit cmd_release(struct publish *p, int argc, char **argv)
{
    struct opt_spec specs[SPECS_MAX];
    struct publish_syntax syntax = { USAGE, specs, 0, NOTES, take_option, check_line };
    struct releasing r = { .p = p, .ask = { .platform = p->platform, .level = PACK_LEVEL } };
    struct err err = { .code = E_OK };
    size_t n_words = 0;
    for (size_t i = 0; i < ARRAY_LEN(own_specs); i++)
        specs[syntax.n_specs++] = own_specs[i];
    for (size_t i = 0; i < signer_n_specs; i++)
        specs[syntax.n_specs++] = signer_specs[i];
    r.began = p->platform->host->now(p->platform->self);
    signers_init(&r.signers, p->platform, warn, p);
    r.ask.signers = &r.signers;
    enum errc rc = publish_read(p, &syntax, argc, argv, &r, &n_words, &err);
    if (rc == E_OK && p->wants_help)
        return publish_help(p, &syntax);
    if (rc == E_OK)
        rc = run(&r, &err);
    signers_close(&r.signers);
    return rc == E_OK ? PUBLISH_DONE : publish_fail(p, &err);
}
