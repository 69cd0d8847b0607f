#include "manifest/feed.h"

#include <stddef.h>
#include <string.h>

#include "platform/base/num.h"

#define ARENA_MAX (8 * 1024 * 1024)
#define NOTICE_S (INT64_C(30) * 86400)

const char *const target_os_words[] = { "linux", "windows", "macos", "freebsd", NULL };
const char *const target_arch_words[] = { "x86_64",  "aarch64", "x86",   "armv7",
                                          "riscv64", "ppc64le", "s390x", NULL };
const char *const release_status_words[] = { "auto", "download", "withdrawn", NULL };
const char *const severity_words[] = { "low", "moderate", "important", "critical", NULL };

/* --- the table, as feed.rng has it */

static const struct schema_value document_values[] = {
    SCHEMA_MUST("path", VALUE_PATH, struct feed_release, document.path),
    SCHEMA_MUST("size", VALUE_NUMBER, struct feed_release, document.size, .min = 1),
    SCHEMA_MUST("sha256", VALUE_SHA256, struct feed_release, document.sha256),
};
static const struct schema_element document = {
    .name = "document", SCHEMA_VALUES(document_values), .min = 1, .max = 1
};

static const struct schema_value rollout_values[] = {
    SCHEMA_MUST("start", VALUE_TIME, struct feed_release, rollout.start),
    SCHEMA_MUST("percent", VALUE_NUMBER, struct feed_release, rollout.percent, .min = 1,
                .max = 100),
    SCHEMA_MAY("step", VALUE_DURATION, struct feed_release, rollout.step_s, .min = 60),
};
static const struct schema_element rollout = { .name = "rollout",
                                               SCHEMA_VALUES(rollout_values),
                                               .max = 1 };

static const struct schema_value eligible_values[] = {
    SCHEMA_MAY("os", VALUE_WORDS, struct feed_release, os, .words = target_os_words),
    SCHEMA_MAY("arch", VALUE_WORDS, struct feed_release, arch, .words = target_arch_words),
};
static const struct schema_element eligible = { .name = "eligible",
                                                SCHEMA_VALUES(eligible_values),
                                                .max = 1 };

static enum errc check_range(void *record, struct err *err)
{
    struct version_range *range = record;
    range->has_lowest = range->lowest.text[0] != '\0';
    range->has_below = range->below.text[0] != '\0';
    if (!range->has_lowest && !range->has_below)
        return err_set(err, E_MALFORMED, "says neither \"lowest\" nor \"below\"");
    if (range->has_lowest && range->has_below &&
        version_compare(&range->lowest, &range->below) >= 0)
        return err_set(err, E_MALFORMED, "no version is at least %s and below %s",
                       range->lowest.text, range->below.text);
    return E_OK;
}

static const struct schema_value from_values[] = {
    SCHEMA_MAY("lowest", VALUE_VERSION, struct version_range, lowest),
    SCHEMA_MAY("below", VALUE_VERSION, struct version_range, below),
};
static const struct schema_element from = { .name = "from",
                                            SCHEMA_VALUES(from_values),
                                            .max = 100,
                                            .store = STORE_LIST,
                                            .at = offsetof(struct feed_release, from),
                                            .record_size = sizeof(struct version_range),
                                            .check = check_range };

static const struct schema_value skip_values[] = {
    SCHEMA_MUST("version", VALUE_VERSION_PATTERN, struct feed_skip, version),
};
static const struct schema_element skip = { .name = "skip",
                                            SCHEMA_VALUES(skip_values),
                                            .max = 100,
                                            .store = STORE_LIST,
                                            .at = offsetof(struct feed_release, skip),
                                            .record_size = sizeof(struct feed_skip) };

static const struct schema_value install_by_values[] = {
    SCHEMA_MUST("time", VALUE_TIME, struct feed_release, install_by),
};
static const struct schema_element install_by = { .name = "install-by",
                                                  SCHEMA_VALUES(install_by_values),
                                                  .max = 1 };

static const struct schema_value release_values[] = {
    SCHEMA_MUST("version", VALUE_VERSION, struct feed_release, version),
    SCHEMA_MUST("status", VALUE_WORD, struct feed_release, status, .words = release_status_words),
    SCHEMA_MAY("severity", VALUE_WORD, struct feed_release, severity, .words = severity_words),
};
static const struct schema_element *const release_children[] = { &document, &rollout, &eligible,
                                                                 &from,     &skip,    &install_by,
                                                                 NULL };
static const struct schema_element release = { .name = "release",
                                               SCHEMA_VALUES(release_values),
                                               .children = release_children,
                                               .max = 1000,
                                               .store = STORE_LIST,
                                               .at = offsetof(struct feed, releases),
                                               .record_size = sizeof(struct feed_release) };

static void begin_support(void *record)
{
    ((struct feed_support *)record)->notice_s = NOTICE_S;
}

static const struct schema_value support_values[] = {
    SCHEMA_MUST("version", VALUE_VERSION_PATTERN, struct feed_support, version),
    SCHEMA_MUST("ends", VALUE_TIME, struct feed_support, ends),
    SCHEMA_MAY("notice", VALUE_DURATION, struct feed_support, notice_s),
};
static const struct schema_element support = { .name = "support",
                                               SCHEMA_VALUES(support_values),
                                               .max = 1000,
                                               .store = STORE_LIST,
                                               .at = offsetof(struct feed, supports),
                                               .record_size = sizeof(struct feed_support),
                                               .begin = begin_support };

static enum errc check_releases(const struct feed *feed, struct err *err)
{
    for (size_t i = 0; i < feed->releases.n; i++)
        for (size_t k = 0; k < i; k++)
            if (version_compare(&feed->releases.items[i].version,
                                &feed->releases.items[k].version) == 0)
                return err_set(err, E_MALFORMED, "has two releases of the same version, %s and %s",
                               feed->releases.items[k].version.text,
                               feed->releases.items[i].version.text);
    return E_OK;
}

static bool is_same_pattern(const struct version_pattern *a, const struct version_pattern *b)
{
    bool is_same_length = a->start.n_parts == b->start.n_parts;
    return a->is_open == b->is_open && version_compare(&a->start, &b->start) == 0 &&
           (!a->is_open || is_same_length);
}

static enum errc check_supports(const struct feed *feed, struct err *err)
{
    for (size_t i = 0; i < feed->supports.n; i++)
        for (size_t k = 0; k < i; k++)
            if (is_same_pattern(&feed->supports.items[i].version, &feed->supports.items[k].version))
                return err_set(err, E_MALFORMED, "says twice when support of version %s%s ends",
                               feed->supports.items[i].version.start.text,
                               feed->supports.items[i].version.is_open ? ".*" : "");
    return E_OK;
}

static enum errc check_feed(void *record, struct err *err)
{
    const struct feed *feed = record;
    if (feed->expires <= feed->issued)
        return err_set(err, E_MALFORMED, "\"expires\" is not after \"issued\"");
    if (feed->expires - feed->issued > FEED_LIFE_MAX_S)
        return err_set(err, E_MALFORMED, "\"expires\" is more than 366 days after \"issued\"");
    enum errc rc = check_releases(feed, err);
    return rc == E_OK ? check_supports(feed, err) : rc;
}

static const struct schema_value feed_values[] = {
    SCHEMA_MUST("product", VALUE_NAME, struct feed, product),
    SCHEMA_MUST("channel", VALUE_NAME, struct feed, channel),
    SCHEMA_MUST("serial", VALUE_NUMBER, struct feed, serial, .min = 1),
    SCHEMA_MUST("issued", VALUE_TIME, struct feed, issued),
    SCHEMA_MUST("expires", VALUE_TIME, struct feed, expires),
};
static const struct schema_element *const feed_children[] = { &release, &support, NULL };
static const struct schema_element root = {
    .name = "feed", SCHEMA_VALUES(feed_values), .children = feed_children, .check = check_feed
};

/* --- reading */

enum errc feed_read_unverified(struct span bytes, struct feed *out, struct err *err)
{
    struct feed feed = { .serial = 0 };
    arena_init(&feed.arena, ARENA_MAX);
    enum errc rc = schema_read(bytes, FEED_BYTES_MAX, FEED_NS, &root, &feed, &feed.arena, err);
    if (rc != E_OK)
        feed_fini(&feed);
    else
        *out = feed;
    return rc;
}

void feed_fini(struct feed *feed)
{
    arena_fini(&feed->arena);
    *feed = (struct feed){ .serial = 0 };
}

/* --- questions */

const struct feed_release *feed_find_release(const struct feed *feed, const struct version *v)
{
    for (size_t i = 0; i < feed->releases.n; i++)
        if (version_compare(&feed->releases.items[i].version, v) == 0)
            return &feed->releases.items[i];
    return NULL;
}

static bool is_in_range(const struct version_range *range, const struct version *v)
{
    return (!range->has_lowest || version_compare(v, &range->lowest) >= 0) &&
           (!range->has_below || version_compare(v, &range->below) < 0);
}

bool feed_release_is_for(const struct feed_release *r, const struct version *installed)
{
    if (installed == NULL)
        return true;
    for (size_t i = 0; i < r->skip.n; i++)
        if (version_matches(&r->skip.items[i].version, installed))
            return false;
    for (size_t i = 0; i < r->from.n; i++)
        if (is_in_range(&r->from.items[i], installed))
            return true;
    return r->from.n == 0;
}

unsigned feed_rollout_percent(const struct feed_rollout *r, int64_t now)
{
    if (r->percent == 0)
        return 100;
    if (now < r->start)
        return 0;
    uint64_t n = 1;
    if (r->step_s > 0)
        n += (uint64_t)(now - r->start) / (uint64_t)r->step_s;
    return n > 100 || n * r->percent > 100 ? 100 : (unsigned)(n * r->percent);
}
