#include <inttypes.h>
#include <string.h>

#include "keys/publish/feed_documents.h"
#include "keys/publish/feed_edit.h"
#include "keys/publish/feed_place.h"
#include "keys/publish/publish.h"
#include "keys/publish/trust_opt.h"
#include "keys/publish/write_feed.h"
#include "manifest/value.h"
#include "platform/base/text.h"
#include "verify/fresh.h"

#define PAGE_MAX (1024 * 1024)
#define SPECS_MAX 44
#define EXPIRES_IN_S (INT64_C(30) * 86400)

static const struct opt_spec own_specs[] = {
    { "product", "NAME", "the product's name (for the first feed)", 0 },
    { "channel", "NAME", "the channel (for the first feed; default: stable)", 0 },
    { "expires-in", "DURATION", "how long the new feed holds (default: P30D)", 0 },
    { "serial", "N", "the new serial, above the old one (default: one above)", 0 },
    { "trusted-key", "FILE.pub", "the old feed is by this key (default: the signer's own)", 0 },
    { "anchors", "FILE|DIR", "likewise, certificates that may end its signer's chain", 0 },
    { "publisher", "NAME", "likewise, the O or CN that its signer must have", 0 },
};

#define USAGE                                                                                      \
    "surefoot-publish feed DIR [changes] KEY [options]\n\n"                                        \
    "Makes the next DIR/feed.xml out of the one that is there, which must prove genuine, and\n"    \
    "signs it: one serial above, issued now. Without a change it is renewed. The signature is\n"   \
    "written first, as feed.xml.HASH.minisig and feed.xml.minisig (.p7s likewise), and feed.xml\n" \
    "last; upload them in this order. --add takes DIR/V/release.xml, whose payloads must be\n"     \
    "there. --rollout and the other details speak of the --add or --set before them."
#define NOTES                                                                                      \
    "exit codes: 0 done, 1 could not do it, 2 usage, 3 refused: the old feed or a release does\n"  \
    "not prove what it should\n\n"                                                                 \
    "example: surefoot-publish feed dist --add 2.1.0 --rollout-percent 10 --rollout-step PT24H \\" \
    "\n             --key release.key"

struct feeding {
    struct publish *p;
    const char *dir, *product, *channel;
    int64_t expires_in_s, now;
    uint64_t serial; /* 0: not said */
    struct feed_changes changes;
    struct signers signers;
    struct trust_opt trust;
    struct feed_place place;
    bool has_old;
    uint64_t old_serial;
    struct feed feed; /* the old one, and then the new one */
    struct buf bytes;
};

/* --- options */

static enum errc read_expires_in(struct feeding *f, const char *value, struct err *err)
{
    enum errc rc = value_read_duration(span_text(value), &f->expires_in_s, err);
    if (rc != E_OK) {
        err->code = E_ARGUMENT;
        return err_prefix(err, "--expires-in: ");
    }
    if (f->expires_in_s < 60 || f->expires_in_s > FEED_LIFE_MAX_S)
        return err_set(err, E_ARGUMENT, "--expires-in is a minute to 366 days");
    return E_OK;
}

static enum errc read_serial(struct feeding *f, const char *value, struct err *err)
{
    if (value_read_number(span_text(value), &f->serial, err) != E_OK || f->serial == 0)
        return err_set(err, E_ARGUMENT, "--serial wants a number above 0");
    return E_OK;
}

static enum errc read_name(const char *option, const char *value, const char **out, struct err *err)
{
    *out = value;
    if (value_check_name(span_text(value), err) == E_OK)
        return E_OK;
    err->code = E_ARGUMENT;
    return err_prefix(err, "--%s: ", option);
}

/* The tables that options come from, asked in turn. */
static enum errc take_shared(struct feeding *f, const char *name, const char *value,
                             struct err *err)
{
    bool taken;
    if (strcmp(name, "trusted-key") == 0 || strcmp(name, "anchors") == 0 ||
        strcmp(name, "publisher") == 0)
        return trust_opt_take(&f->trust, name, value, &taken, err);
    enum errc rc = feed_edit_option(&f->changes, name, value, &taken, err);
    if (rc == E_OK && !taken)
        rc = signers_option(&f->signers, name, value, &taken, err);
    return rc;
}

static enum errc take_option(void *ctx, const char *name, const char *value, struct err *err)
{
    struct feeding *f = ctx;
    if (strcmp(name, "product") == 0)
        return read_name(name, value, &f->product, err);
    if (strcmp(name, "channel") == 0)
        return read_name(name, value, &f->channel, err);
    if (strcmp(name, "expires-in") == 0)
        return read_expires_in(f, value, err);
    if (strcmp(name, "serial") == 0)
        return read_serial(f, value, err);
    return take_shared(f, name, value, err);
}

static enum errc check_line(void *ctx, size_t n_words, char **words, struct err *err)
{
    struct feeding *f = ctx;
    if (n_words != 1)
        return err_set(err, E_ARGUMENT, "one DIR belongs there, the release folder; %zu words do",
                       n_words);
    f->dir = words[0];
    if (signers_n_given(&f->signers) == 0)
        return err_set(err, E_ARGUMENT,
                       "a feed is signed: name a key with --key, --cert and --cert-key, --pkcs12, "
                       "or --pkcs11 and --cert");
    enum errc rc = signers_check(&f->signers, err);
    if (rc == E_OK && (trust_opt_is_given(&f->trust) || f->trust.policy.n_publishers > 0))
        rc = trust_opt_check(&f->trust, err);
    return rc;
}

/* --- whose feed is built upon: the signers' own, and who else was named */

static void set_place(struct feeding *f)
{
    struct feed_place *place = &f->place;
    *place = (struct feed_place){ .platform = f->p->platform, .dir = f->dir };
    for (size_t i = 0; i < f->signers.n; i++)
        place->policies[place->n_policies++] = signer_policy(f->signers.items[i]);
    if (trust_opt_is_given(&f->trust))
        place->policies[place->n_policies++] = &f->trust.policy;
}

/* --- the old feed */

static enum errc check_same(const char *option, const char *said, const char *old, struct err *err)
{
    if (said == NULL || strcmp(said, old) == 0)
        return E_OK;
    return err_set(err, E_ARGUMENT, "--%s %s, and the feed that is there is of %s", option, said,
                   old);
}

static enum errc begin_first(struct feeding *f, struct err *err)
{
    if (f->product == NULL)
        return err_set(err, E_ARGUMENT, "there is no feed.xml yet: --product NAME is needed");
    f->feed = (struct feed){ .product = f->product,
                             .channel = f->channel == NULL ? "stable" : f->channel };
    arena_init(&f->feed.arena, 4 * 1024 * 1024);
    return E_OK;
}

static enum errc read_old(struct feeding *f, struct err *err)
{
    char a[32], b[32];
    enum errc rc = feed_place_read(&f->place, &f->feed, &f->has_old, err);
    if (rc != E_OK)
        return rc;
    if (!f->has_old)
        return begin_first(f, err);
    f->old_serial = f->feed.serial;
    rc = check_same("product", f->product, f->feed.product, err);
    if (rc == E_OK)
        rc = check_same("channel", f->channel, f->feed.channel, err);
    if (rc == E_OK && f->now < f->feed.issued)
        rc = err_set(err, E_REFUSED,
                     "the feed that is there was issued at %s, and this machine's clock says %s: "
                     "set the clock",
                     text_format_time(f->feed.issued, a), text_format_time(f->now, b));
    return rc;
}

/* --- the new one */

static enum errc set_serial(struct feeding *f, struct err *err)
{
    if (f->serial == 0 && f->old_serial == UINT64_MAX)
        return err_set(err, E_LIMIT, "the old serial has no number above it");
    if (f->serial == 0)
        f->serial = f->old_serial + 1;
    if (f->serial <= f->old_serial)
        return err_set(err, E_ARGUMENT,
                       "--serial %" PRIu64 ": clients have seen %" PRIu64
                       ", and refuse what is not above it",
                       f->serial, f->old_serial);
    if (f->has_old && f->serial - f->old_serial > FRESH_SERIAL_JUMP_MAX)
        return err_set(err, E_ARGUMENT,
                       "--serial %" PRIu64 ": more than a million above %" PRIu64
                       ", which clients refuse",
                       f->serial, f->old_serial);
    f->feed.serial = f->serial;
    return E_OK;
}

static enum errc find_documents(struct feeding *f, struct err *err)
{
    enum errc rc = E_OK;
    for (size_t i = 0; i < f->changes.n && rc == E_OK; i++) {
        struct feed_change *c = &f->changes.items[i];
        if (c->kind == FEED_ADD && feed_find_release(&f->feed, &c->version) == NULL)
            rc = feed_documents_find(f->p->platform, f->dir, f->feed.product, &c->version,
                                     &f->feed.arena, &c->document, err);
    }
    return rc;
}

static enum errc change(struct feeding *f, struct err *err)
{
    enum errc rc = set_serial(f, err);
    if (rc == E_OK)
        rc = find_documents(f, err);
    if (rc == E_OK)
        rc = feed_edit_apply(&f->changes, &f->feed, f->now, err);
    if (rc == E_OK)
        rc = feed_documents_check(f->p->platform, f->dir, &f->feed, err);
    f->feed.issued = f->now;
    f->feed.expires = f->now + f->expires_in_s;
    return rc == E_OK ? write_feed(&f->feed, &f->bytes, err) : rc;
}

static enum errc sign_and_write(struct feeding *f, struct err *err)
{
    struct source *src = NULL;
    struct signatures signatures = { .n = 0 };
    enum errc rc = source_memory_new(buf_span(&f->bytes), &src, err);
    if (rc == E_OK)
        rc = signers_sign(&f->signers, src, FEED_PLACE_NAME, NULL, &signatures, err);
    if (rc == E_OK)
        rc = feed_place_write(&f->place, buf_span(&f->bytes), &signatures, f->now, err);
    signatures_fini(&signatures);
    source_close(src);
    return rc;
}

/* --- what is said */

static enum errc say_json(const struct feeding *f, const char *sha256, struct buf *page,
                          struct err *err)
{
    char serial[FIELD_SERIAL_ROOM];
    const struct field fields[] = {
        { "schema", FIELD_TEXT, "surefoot.feed/1", 0 },
        { "product", FIELD_TEXT, f->feed.product, 0 },
        { "channel", FIELD_TEXT, f->feed.channel, 0 },
        print_json_serial(f->feed.serial, serial),
        { "issued", FIELD_TIME, NULL, f->feed.issued },
        { "expires", FIELD_TIME, NULL, f->feed.expires },
        { "releases", FIELD_NUMBER, NULL, (int64_t)f->feed.releases.n },
        { "sha256", FIELD_TEXT, sha256, 0 },
        { "signatures", FIELD_NUMBER, NULL, (int64_t)f->signers.n },
    };
    return print_json_line(fields, ARRAY_LEN(fields), page, err);
}

static enum errc say_text(const struct feeding *f, const char *sha256, struct buf *page,
                          struct err *err)
{
    char dir[160], time[32];
    text_printable(span_text(f->dir), dir, sizeof(dir));
    enum errc rc =
        buf_printf(page, err,
                   "%s/" FEED_PLACE_NAME ": %s, channel %s, serial %" PRIu64
                   ", %zu release%s, expires %s\nupload in this order:\n",
                   dir, f->feed.product, f->feed.channel, f->feed.serial, f->feed.releases.n,
                   f->feed.releases.n == 1 ? "" : "s", text_format_time(f->feed.expires, time));
    for (size_t i = 0; i < f->signers.n && rc == E_OK; i++)
        rc = buf_printf(page, err, "  " FEED_PLACE_NAME ".%s.%s\n", sha256,
                        signer_suffix(f->signers.items[i]));
    for (size_t i = 0; i < f->signers.n && rc == E_OK; i++)
        rc =
            buf_printf(page, err, "  " FEED_PLACE_NAME ".%s\n", signer_suffix(f->signers.items[i]));
    return rc == E_OK ? buf_printf(page, err, "  " FEED_PLACE_NAME "\n") : rc;
}

static enum errc say(const struct feeding *f, struct err *err)
{
    char sha256[TEXT_SHA256_ROOM];
    struct digest d;
    struct buf page;
    if (f->p->format == PUBLISH_TEXT && f->p->quiet)
        return E_OK;
    enum errc rc = digest_bytes(DIGEST_SHA256, buf_span(&f->bytes), &d, err);
    if (rc != E_OK)
        return rc;
    (void)text_to_hex(digest_span(&d), sha256);
    buf_init(&page, PAGE_MAX);
    rc = f->p->format == PUBLISH_JSON ? say_json(f, sha256, &page, err)
                                      : say_text(f, sha256, &page, err);
    if (rc == E_OK)
        rc = publish_write(&page, err);
    buf_fini(&page);
    return rc;
}

/* All or nothing: a folder that was made for a feed that could not be made is taken away. */
static enum errc make_feed(struct feeding *f, struct err *err)
{
    struct platform *m = f->p->platform;
    struct err ignored;
    bool made_folder = false;
    struct feed_place_lock lock = { .held = NULL };
    enum errc rc = feed_place_make_folder(m, f->dir, &made_folder, err);
    if (rc == E_OK)
        rc = feed_place_lock(m, f->dir, &lock, err);
    if (rc == E_OK)
        rc = read_old(f, err);
    if (rc == E_OK)
        rc = change(f, err);
    if (rc == E_OK)
        rc = sign_and_write(f, err);
    feed_place_unlock(&lock);
    if (rc != E_OK && made_folder)
        (void)m->fs->remove_folder(m->self, f->dir, &ignored);
    return rc;
}

static enum errc run(struct feeding *f, struct err *err)
{
    enum errc rc = trust_opt_load(&f->trust, err);
    if (rc == E_OK)
        rc = signers_open(&f->signers, err);
    if (rc != E_OK)
        return rc;
    set_place(f);
    rc = make_feed(f, err);
    return rc == E_OK ? say(f, err) : rc;
}

static void gather_specs(struct opt_spec *specs, size_t *n)
{
    for (size_t i = 0; i < feed_edit_n_specs; i++)
        specs[(*n)++] = feed_edit_specs[i];
    for (size_t i = 0; i < ARRAY_LEN(own_specs); i++)
        specs[(*n)++] = own_specs[i];
    for (size_t i = 0; i < signer_n_specs; i++)
        specs[(*n)++] = signer_specs[i];
}

static void warn(void *ctx, const char *line)
{
    publish_warn(ctx, "%s", line);
}

static enum errc begin(struct feeding *f, struct err *err)
{
    f->now = f->p->platform->host->now(f->p->platform->self);
    f->expires_in_s = EXPIRES_IN_S;
    buf_init(&f->bytes, FEED_BYTES_MAX);
    signers_init(&f->signers, f->p->platform, warn, f->p);
    enum errc rc = feed_changes_init(&f->changes, err);
    return rc == E_OK ? trust_opt_init(&f->trust, f->p->platform, err) : rc;
}

static void end(struct feeding *f)
{
    feed_changes_fini(&f->changes);
    signers_close(&f->signers);
    trust_opt_fini(&f->trust);
    feed_fini(&f->feed);
    buf_fini(&f->bytes);
}

enum publish_exit cmd_feed(struct publish *p, int argc, char **argv)
{
    struct opt_spec specs[SPECS_MAX];
    struct publish_syntax syntax = { USAGE, specs, 0, NOTES, take_option, check_line };
    struct feeding f = { .p = p };
    struct err err = { .code = E_OK };
    enum publish_exit code = PUBLISH_DONE;
    size_t n_words = 0;
    gather_specs(specs, &syntax.n_specs);
    enum errc rc = begin(&f, &err);
    if (rc == E_OK)
        rc = publish_read(p, &syntax, argc, argv, &f, &n_words, &err);
    if (rc == E_OK && p->wants_help) {
        code = publish_help(p, &syntax);
    } else {
        if (rc == E_OK)
            rc = run(&f, &err);
        code = rc == E_OK ? PUBLISH_DONE : publish_fail(p, &err);
    }
    end(&f);
    return code;
}
