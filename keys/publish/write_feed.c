#include "keys/publish/write_feed.h"

#include <stdlib.h>
#include <string.h>

#include "manifest/xml_out.h"
#include "manifest/value.h"
#include "platform/base/sort.h"
#include "platform/base/text.h"

/* --- order: numbers of the items as they are written */

struct order {
    const struct feed *feed;
    size_t *releases, *supports; /* owned */
};

static bool is_newer(void *ctx, size_t i, size_t k)
{
    const struct order *o = ctx;
    return version_compare(&o->feed->releases.items[o->releases[i]].version,
                           &o->feed->releases.items[o->releases[k]].version) > 0;
}

static void swap_releases(void *ctx, size_t i, size_t k)
{
    const struct order *o = ctx;
    size_t kept = o->releases[i];
    o->releases[i] = o->releases[k];
    o->releases[k] = kept;
}

/* Equal patterns (a feed may have two) go by their ends, so that there is one order. */
static bool is_support_before(void *ctx, size_t i, size_t k)
{
    const struct order *o = ctx;
    const struct feed_support *a = &o->feed->supports.items[o->supports[i]];
    const struct feed_support *b = &o->feed->supports.items[o->supports[k]];
    int by_version = version_compare(&a->version.start, &b->version.start);
    if (by_version != 0)
        return by_version < 0;
    if (a->version.is_open != b->version.is_open)
        return b->version.is_open;
    return a->ends < b->ends;
}

static void swap_supports(void *ctx, size_t i, size_t k)
{
    const struct order *o = ctx;
    size_t kept = o->supports[i];
    o->supports[i] = o->supports[k];
    o->supports[k] = kept;
}

static size_t *numbers_new(size_t n)
{
    size_t *numbers = calloc(n + 1, sizeof(*numbers));
    for (size_t i = 0; i < n && numbers != NULL; i++)
        numbers[i] = i;
    return numbers;
}

static void order_fini(struct order *o)
{
    free(o->releases);
    free(o->supports);
}

static enum errc order_init(struct order *o, const struct feed *feed, struct err *err)
{
    *o = (struct order){ feed, numbers_new(feed->releases.n), numbers_new(feed->supports.n) };
    if (o->releases == NULL || o->supports == NULL)
        return err_nomem(err);
    sort_items(feed->releases.n, is_newer, swap_releases, o);
    sort_items(feed->supports.n, is_support_before, swap_supports, o);
    return E_OK;
}

/* --- writing */

static void put_duration(struct xml_out *x, const char *name, int64_t s)
{
    char text[32];
    xml_out_attr_text(x, name, value_format_duration(s, text));
}

static void put_pattern(struct xml_out *x, const struct version_pattern *p)
{
    char text[VERSION_TEXT_MAX + 3];
    size_t len = strlen(text_copy(text, sizeof(text), p->start.text));
    if (p->is_open)
        (void)text_copy(text + len, sizeof(text) - len, ".*");
    xml_out_attr_text(x, "version", text);
}

/* put_words writes a set of words; an empty set is not written. */
static void put_words(struct xml_out *x, const char *name, uint32_t set, const char *const *words)
{
    char text[128];
    size_t len = 0;
    for (size_t i = 0; words[i] != NULL; i++) {
        if ((set >> i & 1) == 0)
            continue;
        if (len > 0)
            len += strlen(text_copy(text + len, sizeof(text) - len, " "));
        len += strlen(text_copy(text + len, sizeof(text) - len, words[i]));
    }
    if (len > 0)
        xml_out_attr_text(x, name, text);
}

static void put_document(struct xml_out *x, const struct document_ref *d)
{
    xml_out_start(x, "document");
    xml_out_attr_text(x, "path", d->path);
    xml_out_attr_number(x, "size", d->size);
    xml_out_attr_hex(x, "sha256", span_of(d->sha256, sizeof(d->sha256)));
    xml_out_end(x);
}

static void put_rollout(struct xml_out *x, const struct feed_rollout *r)
{
    if (r->percent == 0)
        return;
    xml_out_start(x, "rollout");
    xml_out_attr_time(x, "start", r->start);
    xml_out_attr_number(x, "percent", r->percent);
    if (r->step_s > 0)
        put_duration(x, "step", r->step_s);
    xml_out_end(x);
}

static void put_eligible(struct xml_out *x, const struct feed_release *r)
{
    if (r->os == 0 && r->arch == 0)
        return;
    xml_out_start(x, "eligible");
    put_words(x, "os", r->os, target_os_words);
    put_words(x, "arch", r->arch, target_arch_words);
    xml_out_end(x);
}

static void put_range(struct xml_out *x, const struct version_range *range)
{
    xml_out_start(x, "from");
    if (range->has_lowest)
        xml_out_attr_text(x, "lowest", range->lowest.text);
    if (range->has_below)
        xml_out_attr_text(x, "below", range->below.text);
    xml_out_end(x);
}

static void put_skip(struct xml_out *x, const struct feed_skip *skip)
{
    xml_out_start(x, "skip");
    put_pattern(x, &skip->version);
    xml_out_end(x);
}

static void put_install_by(struct xml_out *x, int64_t time)
{
    if (time == 0)
        return;
    xml_out_start(x, "install-by");
    xml_out_attr_time(x, "time", time);
    xml_out_end(x);
}

static void put_release(struct xml_out *x, const struct feed_release *r)
{
    xml_out_start(x, "release");
    xml_out_attr_text(x, "version", r->version.text);
    xml_out_attr_text(x, "status", release_status_words[r->status]);
    xml_out_attr_text(x, "severity", severity_words[r->severity]);
    put_document(x, &r->document);
    put_rollout(x, &r->rollout);
    put_eligible(x, r);
    for (size_t i = 0; i < r->from.n; i++)
        put_range(x, &r->from.items[i]);
    for (size_t i = 0; i < r->skip.n; i++)
        put_skip(x, &r->skip.items[i]);
    put_install_by(x, r->install_by);
    xml_out_end(x);
}

static void put_support(struct xml_out *x, const struct feed_support *s)
{
    xml_out_start(x, "support");
    put_pattern(x, &s->version);
    xml_out_attr_time(x, "ends", s->ends);
    put_duration(x, "notice", s->notice_s);
    xml_out_end(x);
}

static void put_feed(struct xml_out *x, const struct feed *feed, const struct order *o)
{
    xml_out_start(x, "feed");
    xml_out_attr_text(x, "xmlns", FEED_NS);
    xml_out_attr_text(x, "product", feed->product);
    xml_out_attr_text(x, "channel", feed->channel);
    xml_out_attr_number(x, "serial", feed->serial);
    xml_out_attr_time(x, "issued", feed->issued);
    xml_out_attr_time(x, "expires", feed->expires);
    for (size_t i = 0; i < feed->releases.n; i++)
        put_release(x, &feed->releases.items[o->releases[i]]);
    for (size_t i = 0; i < feed->supports.n; i++)
        put_support(x, &feed->supports.items[o->supports[i]]);
    xml_out_end(x);
}

/* --- reading back */

static bool same_version(const struct version *a, const struct version *b)
{
    return strcmp(a->text, b->text) == 0;
}

static bool same_pattern(const struct version_pattern *a, const struct version_pattern *b)
{
    return a->is_open == b->is_open && same_version(&a->start, &b->start);
}

static bool same_document(const struct document_ref *a, const struct document_ref *b)
{
    return strcmp(a->path, b->path) == 0 && a->size == b->size &&
           memcmp(a->sha256, b->sha256, sizeof(a->sha256)) == 0;
}

static bool same_rollout(const struct feed_rollout *a, const struct feed_rollout *b)
{
    return a->percent == b->percent &&
           (a->percent == 0 || (a->start == b->start && a->step_s == b->step_s));
}

static bool same_range(const struct version_range *a, const struct version_range *b)
{
    return a->has_lowest == b->has_lowest && a->has_below == b->has_below &&
           (!a->has_lowest || same_version(&a->lowest, &b->lowest)) &&
           (!a->has_below || same_version(&a->below, &b->below));
}

static bool same_origins(const struct feed_release *a, const struct feed_release *b)
{
    bool same = a->from.n == b->from.n && a->skip.n == b->skip.n;
    for (size_t i = 0; same && i < a->from.n; i++)
        same = same_range(&a->from.items[i], &b->from.items[i]);
    for (size_t i = 0; same && i < a->skip.n; i++)
        same = same_pattern(&a->skip.items[i].version, &b->skip.items[i].version);
    return same;
}

static bool same_release(const struct feed_release *a, const struct feed_release *b)
{
    return same_version(&a->version, &b->version) && a->status == b->status &&
           a->severity == b->severity && same_document(&a->document, &b->document) &&
           same_rollout(&a->rollout, &b->rollout) && a->os == b->os && a->arch == b->arch &&
           same_origins(a, b) && a->install_by == b->install_by;
}

static bool same_support(const struct feed_support *a, const struct feed_support *b)
{
    return same_pattern(&a->version, &b->version) && a->ends == b->ends &&
           a->notice_s == b->notice_s;
}

static bool same_feed(const struct feed *feed, const struct order *o, const struct feed *back)
{
    bool same = strcmp(feed->product, back->product) == 0 &&
                strcmp(feed->channel, back->channel) == 0 && feed->serial == back->serial &&
                feed->issued == back->issued && feed->expires == back->expires &&
                feed->releases.n == back->releases.n && feed->supports.n == back->supports.n;
    for (size_t i = 0; same && i < back->releases.n; i++)
        same = same_release(&feed->releases.items[o->releases[i]], &back->releases.items[i]);
    for (size_t i = 0; same && i < back->supports.n; i++)
        same = same_support(&feed->supports.items[o->supports[i]], &back->supports.items[i]);
    return same;
}

static enum errc check_back(const struct feed *feed, const struct order *o, struct span bytes,
                            struct err *err)
{
    struct feed back;
    enum errc rc = feed_read_unverified(bytes, &back, err);
    if (rc != E_OK)
        return err_prefix(err, "no client would read this feed: ");
    if (!same_feed(feed, o, &back))
        rc = err_set(err, E_INTERNAL, "the feed does not read back as it was written");
    feed_fini(&back);
    return rc;
}

enum errc write_feed(const struct feed *feed, struct buf *out, struct err *err)
{
    struct order o;
    struct xml_out x;
    size_t at = out->len;
    enum errc rc = order_init(&o, feed, err);
    if (rc == E_OK) {
        xml_out_init(&x, out);
        put_feed(&x, feed, &o);
        rc = xml_out_finish(&x, err);
    }
    if (rc == E_OK)
        rc = check_back(feed, &o, span_sub(buf_span(out), at, out->len), err);
    if (rc != E_OK)
        out->len = at;
    order_fini(&o);
    return rc;
}
