#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "installer/core/product_demands.h"
#include "installer/core/revocation.h"
#include "installer/core/trust_files.h"
#include "keys/publish/gate.h"
#include "keys/publish/publish.h"
#include "keys/publish/trust_opt.h"
#include "platform/base/text.h"
#include "platform/console.h"

#define PAGE_MAX (4 * 1024 * 1024)
#define SPECS_MAX 32

static const struct opt_spec own_specs[] = {
    { "product-file", "FILE", "a product file: all that it demands is held against the release",
      0 },
    { "published", "FEED.xml", "the feed that is out now: the new one must follow it", 0 },
    { "only", "VERSION", "look at this release alone", 0 },
};

#define USAGE                                                                                      \
    "surefoot-publish verify-release TRUST [options] DIR\n\n"                                      \
    "Checks a release folder as every client will, and what only a maker can still mend:\n"        \
    "signatures, expiry, serial, each payload's hash and signatures, each archive's entries\n"     \
    "against the release document, each installer package's tables. All findings at once;\n"       \
    "nothing is installed, unpacked to disk or changed. TRUST is --product-file, or what it\n"     \
    "would say: --key, --anchors, --publisher."
#define NOTES                                                                                      \
    "exit codes: 0 a client would take it, 1 something could not be found out, 2 usage,\n"         \
    "3 refused\n\n"                                                                                \
    "example: surefoot-publish verify-release --key orchard.pub --published live/feed.xml dist"

struct command {
    struct publish *p;
    struct trust_opt trust;
    const char *product_file, *published;
    bool has_only;
    struct version only;
    /* of the product file */
    struct buf product_bytes;
    struct product product;
    struct product_demands *demands;
    char base[TRUST_PATH_ROOM];
    bool has_progress;
};

static enum errc read_only(struct command *c, const char *value, struct err *err)
{
    c->has_only = true;
    if (version_read(span_text(value), &c->only, err) == E_OK)
        return E_OK;
    err->code = E_ARGUMENT;
    return err_prefix(err, "--only: ");
}

static enum errc take_option(void *ctx, const char *name, const char *value, struct err *err)
{
    struct command *c = ctx;
    bool taken;
    if (strcmp(name, "product-file") == 0)
        c->product_file = value;
    else if (strcmp(name, "published") == 0)
        c->published = value;
    else if (strcmp(name, "only") == 0)
        return read_only(c, value, err);
    else
        return trust_opt_take(&c->trust, name, value, &taken, err);
    return E_OK;
}

static enum errc check_line(void *ctx, size_t n_words, char **words, struct err *err)
{
    const struct command *c = ctx;
    UNUSED(words);
    if (n_words != 1)
        return err_set(err, E_ARGUMENT, "name one folder, the release's (%zu were named)", n_words);
    if (c->product_file == NULL)
        return trust_opt_check(&c->trust, err);
    if (trust_opt_is_given(&c->trust))
        return err_set(err, E_ARGUMENT,
                       "--product-file says whom to trust; leave out --key and --anchors");
    return E_OK;
}

/* --- whom to trust */

/* go_online: lists come over this machine's proxy, not that of the clients. */
static enum errc go_online(struct command *c, struct err *err)
{
    const struct fetch_settings settings = { .platform = c->p->platform,
                                             .proxy_use = PROXY_SYSTEM,
                                             .agent = "surefoot-publish" };
    struct revocation_lists *lists = NULL;
    enum errc rc = revocation_new(&settings, &lists, err);
    if (rc == E_OK)
        product_demands_go_online(c->demands, lists);
    return rc == E_OK ? rc : err_prefix(err, "<revocation>online: ");
}

static enum errc read_product(struct command *c, struct err *err)
{
    struct platform *m = c->p->platform;
    char shown[120];
    enum errc rc =
        platform_read_file(m, c->product_file, PRODUCT_BYTES_MAX, &c->product_bytes, err);
    if (rc == E_OK)
        rc = product_read(buf_span(&c->product_bytes), &c->product, err);
    if (rc == E_OK) {
        trust_files_folder_of(m, c->product_file, c->base);
        rc = product_demands_load(m, &c->product, c->base, c->trust.policy.now, &c->demands, err);
    }
    if (rc == E_OK && product_demands_is_online(c->demands))
        rc = go_online(c, err);
    if (rc == E_OK)
        return rc;
    if (rc != E_NOMEM && rc != E_IO)
        err->code = E_ARGUMENT;
    return err_prefix(err, "--product-file %s: ",
                      text_printable(span_text(c->product_file), shown, sizeof(shown)));
}

static enum errc find_trust(struct command *c, struct err *err)
{
    return c->product_file == NULL ? trust_opt_load(&c->trust, err) : read_product(c, err);
}

/* --- what is said */

static const char *level_word(enum gate_level level)
{
    switch (level) {
    case GATE_NOTE: return "note";
    case GATE_WARNING: return "warning";
    case GATE_REFUSED: return "refused";
    case GATE_FAILED: return "failed";
    }
    return "failed";
}

static const char *result_word(const struct gate *g)
{
    enum gate_level worst = gate_worst(g);
    return worst == GATE_FAILED || worst == GATE_REFUSED ? level_word(worst) : "passed";
}

static enum errc say_json(const struct gate *g, const char *folder, struct buf *page,
                          struct err *err)
{
    enum errc rc = E_OK;
    for (size_t i = 0; i < g->n && rc == E_OK; i++) {
        const struct gate_finding *f = &g->items[i];
        const struct field fields[] = {
            { "schema", FIELD_TEXT, "surefoot.verify-release.finding/1", 0 },
            { "level", FIELD_TEXT, level_word(f->level), 0 },
            { "code", FIELD_TEXT, f->code, 0 },
            { "where", FIELD_TEXT, f->where, 0 },
            { "detail", FIELD_TEXT, f->text, 0 },
        };
        rc = print_json_line(fields, ARRAY_LEN(fields), page, err);
    }
    const struct field sum[] = {
        { "schema", FIELD_TEXT, "surefoot.verify-release/1", 0 },
        { "folder", FIELD_TEXT, folder, 0 },
        { "result", FIELD_TEXT, result_word(g), 0 },
        { "payloads", FIELD_NUMBER, NULL, (int64_t)g->n_payloads },
        { "files", FIELD_NUMBER, NULL, (int64_t)g->n_files },
        { "bytes", FIELD_NUMBER, NULL, (int64_t)g->n_bytes },
        { "findings", FIELD_NUMBER, NULL, (int64_t)(g->n + g->n_cut) },
    };
    return rc == E_OK ? print_json_line(sum, ARRAY_LEN(sum), page, err) : rc;
}

static enum errc say_text(const struct command *c, const struct gate *g, const char *folder,
                          struct buf *page, struct err *err)
{
    char shown[200];
    enum errc rc = E_OK;
    for (size_t i = 0; i < g->n && rc == E_OK; i++) {
        const struct gate_finding *f = &g->items[i];
        if (f->level > GATE_WARNING || !c->p->quiet)
            rc = buf_printf(page, err, "%-8s %s: %s: %s\n", level_word(f->level), f->where, f->code,
                            f->text);
    }
    if (rc == E_OK && g->n_cut > 0)
        rc = buf_printf(page, err, "%-8s and %zu findings more\n", level_word(g->worst_cut),
                        g->n_cut);
    if (rc != E_OK || c->p->quiet)
        return rc;
    return buf_printf(page, err,
                      "%s: %s (%zu payloads, %zu files in archives, %" PRIu64 " bytes checked)\n",
                      text_printable(span_text(folder), shown, sizeof(shown)), result_word(g),
                      g->n_payloads, g->n_files, g->n_bytes);
}

static enum publish_exit say(const struct command *c, const struct gate *g, const char *folder)
{
    static const enum publish_exit exits[] = { [GATE_NOTE] = PUBLISH_DONE,
                                               [GATE_WARNING] = PUBLISH_DONE,
                                               [GATE_REFUSED] = PUBLISH_REFUSED,
                                               [GATE_FAILED] = PUBLISH_FAILED };
    struct buf page;
    struct err err = { .code = E_OK };
    buf_init(&page, PAGE_MAX);
    enum errc rc = c->p->format == PUBLISH_JSON ? say_json(g, folder, &page, &err)
                                                : say_text(c, g, folder, &page, &err);
    if (rc == E_OK)
        rc = publish_write(&page, &err);
    buf_fini(&page);
    return rc == E_OK ? exits[gate_worst(g)] : publish_fail(c->p, &err);
}

/* --- the order */

static void show_progress(void *ctx, uint64_t n_bytes)
{
    UNUSED(ctx);
    (void)fprintf(stderr, "\r%" PRIu64 " MiB checked", n_bytes >> 20);
}

static struct gate_ask ask_of(const struct command *c, const char *folder,
                              const struct policy *const *own)
{
    struct gate_ask ask = { .platform = c->p->platform,
                            .folder = folder,
                            .policy = &c->trust.policy,
                            .feed_policies = own,
                            .n_feed_policies = 1,
                            .published = c->published,
                            .only = c->has_only ? &c->only : NULL };
    if (c->demands != NULL) {
        ask.feed_policies = product_demands_of_feed(c->demands, &ask.n_feed_policies);
        ask.floors = product_demands_of_payload(c->demands, &ask.n_floors);
        ask.demands = c->demands;
        ask.kind = (enum payload_kind)c->product.install.kind;
        ask.upgrade_code = c->product.install.upgrade_code;
        ask.product = c->product.name;
        ask.channel = c->product.channel;
    }
    if (c->has_progress)
        ask.progress = show_progress;
    return ask;
}

static enum publish_exit check_folder(struct command *c, const char *folder)
{
    struct err err = { .code = E_OK };
    struct gate g = { .n = 0 };
    const struct policy *own = &c->trust.policy;
    struct gate_ask ask = ask_of(c, folder, &own);
    enum errc rc = gate_check(&ask, &g, &err);
    if (c->has_progress)
        (void)fprintf(stderr, "\r\033[K");
    enum publish_exit code = rc == E_OK ? say(c, &g, folder) : publish_fail(c->p, &err);
    gate_fini(&g);
    return code;
}

static enum publish_exit run(struct command *c, const char *folder)
{
    struct err err = { .code = E_OK };
    if (find_trust(c, &err) != E_OK)
        return publish_fail(c->p, &err);
    c->has_progress = c->p->format == PUBLISH_TEXT && !c->p->quiet && console_is_terminal(2);
    return check_folder(c, folder);
}

enum publish_exit cmd_verify_release(struct publish *p, int argc, char **argv)
{
    struct opt_spec specs[SPECS_MAX];
    struct publish_syntax syntax = { USAGE, specs, 0, NOTES, take_option, check_line };
    struct command c = { .p = p };
    struct err err = { .code = E_OK };
    size_t n_words = 0;
    for (size_t i = 0; i < ARRAY_LEN(own_specs); i++)
        specs[syntax.n_specs++] = own_specs[i];
    for (size_t i = 0; i < trust_opt_n_specs; i++)
        specs[syntax.n_specs++] = trust_opt_specs[i];
    enum errc rc = trust_opt_init(&c.trust, p->platform, &err);
    if (rc == E_OK)
        rc = publish_read(p, &syntax, argc, argv, &c, &n_words, &err);
    enum publish_exit code = rc != E_OK      ? publish_fail(p, &err)
                             : p->wants_help ? publish_help(p, &syntax)
                                             : run(&c, argv[0]);
    product_demands_free(c.demands);
    product_fini(&c.product);
    buf_fini(&c.product_bytes);
    trust_opt_fini(&c.trust);
    return code;
}
