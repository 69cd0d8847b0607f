#include "keys/publish/feed_edit.h"

#include <stdlib.h>
#include <string.h>

#include "manifest/value.h"
#include "platform/base/text.h"

#define NOTICE_S (INT64_C(30) * 86400)
#define SHOWN 80

const struct opt_spec feed_edit_specs[] = {
    { "add", "VERSION", "a release of this folder, new in the feed", 0 },
    { "set", "VERSION", "change what the following options say of it", 0 },
    { "withdraw", "VERSION", "nobody takes it any more", 0 },
    { "remove", "VERSION", "take it out of the feed", 0 },
    { "status", "auto|download", "who takes it (default: auto)", 0 },
    { "severity", "WORD", "low (default), moderate, important or critical", 0 },
    { "rollout-percent", "N|none", "of all machines at first", 0 },
    { "rollout-start", "TIME", "when (default: now)", 0 },
    { "rollout-step", "DURATION|none", "as many more after each, such as PT24H", 0 },
    { "for-os", "NAME|any", "linux, windows, macos or freebsd (repeatable)", 0 },
    { "for-arch", "NAME|any", "x86_64, aarch64, ... (repeatable)", 0 },
    { "from", "LOWEST..BELOW|none", "installed versions it is for (repeatable)", 0 },
    { "skip", "PATTERN|none", "installed versions it is not for (repeatable)", 0 },
    { "install-by", "TIME|none", "a deadline", 0 },
    { "support", "PATTERN=ENDS[,NOTICE]", "until when; PATTERN=none takes it away", 0 },
};
const size_t feed_edit_n_specs = ARRAY_LEN(feed_edit_specs);

enum errc feed_changes_init(struct feed_changes *c, struct err *err)
{
    *c = (struct feed_changes){ .items = calloc(FEED_EDIT_CHANGES_MAX, sizeof(*c->items)) };
    return c->items == NULL ? err_nomem(err) : E_OK;
}

void feed_changes_fini(struct feed_changes *c)
{
    free(c->items);
    *c = (struct feed_changes){ .n = 0 };
}

/* --- values: what does not read is the user's to mend */

static enum errc as_usage(enum errc rc, const char *name, const char *value, struct err *err)
{
    char shown[SHOWN];
    if (rc == E_OK)
        return E_OK;
    err->code = E_ARGUMENT;
    return err_prefix(err, "--%s %s: ", name,
                      text_printable(span_text(value), shown, sizeof(shown)));
}

static enum errc read_word(const char *const *words, const char *value, int *out, struct err *err)
{
    for (int i = 0; words[i] != NULL; i++) {
        if (strcmp(words[i], value) == 0) {
            *out = i;
            return E_OK;
        }
    }
    return err_set(err, E_ARGUMENT, "is none of the words that may stand here; see --help");
}

static enum errc read_status(struct feed_change *c, const char *value, struct err *err)
{
    if (strcmp(value, "withdrawn") == 0)
        return err_set(err, E_ARGUMENT, "is what --withdraw VERSION is for");
    c->has_status = true;
    return read_word(release_status_words, value, &c->status, err);
}

static enum errc read_percent(struct feed_change *c, const char *value, struct err *err)
{
    c->has_percent = true;
    if (strcmp(value, "none") == 0)
        return E_OK;
    enum errc rc = value_read_number(span_text(value), &c->percent, err);
    if (rc == E_OK && (c->percent == 0 || c->percent > 100))
        rc = err_set(err, E_ARGUMENT, "is not 1 to 100; to offer it to nobody, --status download");
    return rc;
}

static enum errc read_step(struct feed_change *c, const char *value, struct err *err)
{
    c->has_step = true;
    if (strcmp(value, "none") == 0)
        return E_OK;
    enum errc rc = value_read_duration(span_text(value), &c->step_s, err);
    if (rc == E_OK && c->step_s < 60)
        rc = err_set(err, E_ARGUMENT, "is less than a minute");
    return rc;
}

static enum errc read_start(struct feed_change *c, const char *value, struct err *err)
{
    c->has_start = true;
    return value_read_time(span_text(value), &c->start, err);
}

static enum errc read_install_by(struct feed_change *c, const char *value, struct err *err)
{
    c->has_install_by = true;
    if (strcmp(value, "none") == 0)
        return E_OK;
    return value_read_time(span_text(value), &c->install_by, err);
}

static enum errc add_word(uint32_t *set, bool *has, const char *const *words, const char *value,
                          struct err *err)
{
    int bit = 0;
    *has = true;
    if (strcmp(value, "any") == 0)
        return E_OK;
    enum errc rc = read_word(words, value, &bit, err);
    if (rc == E_OK)
        *set |= UINT32_C(1) << bit;
    return rc;
}

static enum errc read_end(struct span text, bool *has, struct version *out, struct err *err)
{
    *has = text.len > 0;
    return *has ? version_read(text, out, err) : E_OK;
}

/* "1.4..2.1", "1.4..", "..2.1" */
static enum errc read_range(const char *value, struct version_range *out, struct err *err)
{
    const char *dots = strstr(value, "..");
    if (dots == NULL)
        return err_set(err, E_ARGUMENT, "wants LOWEST..BELOW, such as 1.4..2.1, 1.4.. or ..2.1");
    enum errc rc =
        read_end(span_of(value, (size_t)(dots - value)), &out->has_lowest, &out->lowest, err);
    if (rc == E_OK)
        rc = read_end(span_text(dots + 2), &out->has_below, &out->below, err);
    if (rc == E_OK && !out->has_lowest && !out->has_below)
        rc = err_set(err, E_ARGUMENT, "has neither end; for all versions leave it out");
    if (rc == E_OK && out->has_lowest && out->has_below &&
        version_compare(&out->lowest, &out->below) >= 0)
        rc = err_set(err, E_ARGUMENT, "has no version in it");
    return rc;
}

static enum errc add_from(struct feed_change *c, const char *value, struct err *err)
{
    c->has_from = true;
    if (strcmp(value, "none") == 0)
        return E_OK;
    if (c->n_from == FEED_EDIT_LIST_MAX)
        return err_set(err, E_ARGUMENT, "is one range too many, at most %d", FEED_EDIT_LIST_MAX);
    return read_range(value, &c->from[c->n_from++], err);
}

static enum errc add_skip(struct feed_change *c, const char *value, struct err *err)
{
    c->has_skip = true;
    if (strcmp(value, "none") == 0)
        return E_OK;
    if (c->n_skip == FEED_EDIT_LIST_MAX)
        return err_set(err, E_ARGUMENT, "is one pattern too many, at most %d", FEED_EDIT_LIST_MAX);
    return version_pattern_read(span_text(value), &c->skip[c->n_skip++].version, err);
}

/* --- options */

static const struct {
    const char *name;
    enum feed_change_kind kind;
} kinds[] = { { "add", FEED_ADD },
              { "set", FEED_SET },
              { "withdraw", FEED_WITHDRAW },
              { "remove", FEED_REMOVE } };

static enum errc begin_change(struct feed_changes *c, enum feed_change_kind kind, const char *value,
                              struct err *err)
{
    if (c->n == FEED_EDIT_CHANGES_MAX)
        return err_set(err, E_ARGUMENT, "is one change too many, at most %d in a run",
                       FEED_EDIT_CHANGES_MAX);
    struct feed_change *change = &c->items[c->n];
    *change = (struct feed_change){ .kind = kind };
    enum errc rc = version_read(span_text(value), &change->version, err);
    if (rc == E_OK)
        c->n++;
    return rc;
}

/* PATTERN=ENDS[,NOTICE] or PATTERN=none */
static enum errc add_support(struct feed_changes *c, const char *value, struct err *err)
{
    const char *equals = strchr(value, '='), *comma = strchr(value, ',');
    if (c->n_supports == FEED_EDIT_CHANGES_MAX)
        return err_set(err, E_ARGUMENT, "is one pattern too many, at most %d in a run",
                       FEED_EDIT_CHANGES_MAX);
    if (equals == NULL || (comma != NULL && comma < equals))
        return err_set(err, E_ARGUMENT,
                       "wants PATTERN=ENDS, such as 1.*=2027-01-01T00:00:00Z, or PATTERN=none");
    struct feed_support_change *s = &c->supports[c->n_supports];
    *s = (struct feed_support_change){ .notice_s = NOTICE_S };
    enum errc rc = version_pattern_read(span_of(value, (size_t)(equals - value)), &s->version, err);
    s->is_none = strcmp(equals + 1, "none") == 0;
    size_t len = comma == NULL ? strlen(equals + 1) : (size_t)(comma - equals - 1);
    if (rc == E_OK && !s->is_none)
        rc = value_read_time(span_of(equals + 1, len), &s->ends, err);
    if (rc == E_OK && comma != NULL)
        rc = value_read_duration(span_text(comma + 1), &s->notice_s, err);
    if (rc == E_OK)
        c->n_supports++;
    return rc;
}

static enum errc set_detail(struct feed_change *c, const char *name, const char *value,
                            struct err *err)
{
    if (strcmp(name, "status") == 0)
        return read_status(c, value, err);
    if (strcmp(name, "severity") == 0) {
        c->has_severity = true;
        return read_word(severity_words, value, &c->severity, err);
    }
    if (strcmp(name, "rollout-percent") == 0)
        return read_percent(c, value, err);
    if (strcmp(name, "rollout-start") == 0)
        return read_start(c, value, err);
    if (strcmp(name, "rollout-step") == 0)
        return read_step(c, value, err);
    if (strcmp(name, "for-os") == 0)
        return add_word(&c->os, &c->has_os, target_os_words, value, err);
    if (strcmp(name, "for-arch") == 0)
        return add_word(&c->arch, &c->has_arch, target_arch_words, value, err);
    if (strcmp(name, "from") == 0)
        return add_from(c, value, err);
    if (strcmp(name, "skip") == 0)
        return add_skip(c, value, err);
    if (strcmp(name, "install-by") == 0)
        return read_install_by(c, value, err);
    return err_set(err, E_INTERNAL, "no such option");
}

static bool is_own(const char *name)
{
    for (size_t i = 0; i < feed_edit_n_specs; i++)
        if (strcmp(feed_edit_specs[i].name, name) == 0)
            return true;
    return false;
}

enum errc feed_edit_option(struct feed_changes *c, const char *name, const char *value,
                           bool *out_taken, struct err *err)
{
    *out_taken = is_own(name);
    if (!*out_taken)
        return E_OK;
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (strcmp(kinds[i].name, name) == 0)
            return as_usage(begin_change(c, kinds[i].kind, value, err), name, value, err);
    if (strcmp(name, "support") == 0)
        return as_usage(add_support(c, value, err), name, value, err);
    struct feed_change *last = c->n == 0 ? NULL : &c->items[c->n - 1];
    if (last == NULL || (last->kind != FEED_ADD && last->kind != FEED_SET))
        return err_set(err, E_ARGUMENT,
                       "--%s speaks of a release: --add VERSION or --set VERSION "
                       "must stand before it",
                       name);
    return as_usage(set_detail(last, name, value, err), name, value, err);
}

/* --- applying them */

static struct feed_release *find_release(struct feed *feed, const struct version *v)
{
    for (size_t i = 0; i < feed->releases.n; i++)
        if (version_compare(&feed->releases.items[i].version, v) == 0)
            return &feed->releases.items[i];
    return NULL;
}

/* copy_items puts n items of `size` bytes into the arena, with room for one more. */
static enum errc copy_items(struct feed *feed, const void *items, size_t n, size_t size, void **out,
                            struct err *err)
{
    enum errc rc = arena_alloc(&feed->arena, (n + 1) * size, out, err);
    if (rc == E_OK && n > 0)
        memcpy(*out, items, n * size);
    return rc;
}

static enum errc set_from(struct feed *feed, const struct feed_change *c, struct feed_release *r,
                          struct err *err)
{
    void *items;
    enum errc rc = copy_items(feed, c->from, c->n_from, sizeof(*c->from), &items, err);
    if (rc == E_OK) {
        r->from.items = items;
        r->from.n = c->n_from;
    }
    return rc;
}

static enum errc set_skip(struct feed *feed, const struct feed_change *c, struct feed_release *r,
                          struct err *err)
{
    void *items;
    enum errc rc = copy_items(feed, c->skip, c->n_skip, sizeof(*c->skip), &items, err);
    if (rc == E_OK) {
        r->skip.items = items;
        r->skip.n = c->n_skip;
    }
    return rc;
}

static enum errc set_rollout(const struct feed_change *c, struct feed_release *r, int64_t now,
                             struct err *err)
{
    const char *version = c->version.text;
    if (c->has_percent && c->percent == 0 && (c->has_start || (c->has_step && c->step_s > 0)))
        return err_set(err, E_ARGUMENT,
                       "%s: --rollout-percent none, and a start or step of a rollout", version);
    if (c->has_percent && c->percent == 0) {
        r->rollout = (struct feed_rollout){ .percent = 0 };
        return E_OK;
    }
    if (!c->has_percent && r->rollout.percent == 0 && (c->has_start || c->has_step))
        return err_set(err, E_ARGUMENT,
                       "%s: a rollout's start or step, and it has no rollout: add "
                       "--rollout-percent N",
                       version);
    if (c->has_percent) {
        if (r->rollout.percent == 0)
            r->rollout.start = now;
        r->rollout.percent = c->percent;
    }
    if (c->has_start)
        r->rollout.start = c->start;
    if (c->has_step)
        r->rollout.step_s = c->step_s;
    return E_OK;
}

static enum errc set_release(struct feed *feed, const struct feed_change *c, struct feed_release *r,
                             int64_t now, struct err *err)
{
    if (c->has_status)
        r->status = c->status;
    if (c->has_severity)
        r->severity = c->severity;
    if (c->has_os)
        r->os = c->os;
    if (c->has_arch)
        r->arch = c->arch;
    if (c->has_install_by)
        r->install_by = c->install_by;
    enum errc rc = set_rollout(c, r, now, err);
    if (rc == E_OK && c->has_from)
        rc = set_from(feed, c, r, err);
    if (rc == E_OK && c->has_skip)
        rc = set_skip(feed, c, r, err);
    return rc;
}

static enum errc add_release(struct feed *feed, const struct feed_change *c, int64_t now,
                             struct err *err)
{
    void *items;
    enum errc rc = copy_items(feed, feed->releases.items, feed->releases.n,
                              sizeof(*feed->releases.items), &items, err);
    if (rc != E_OK)
        return rc;
    feed->releases.items = items;
    struct feed_release *r = &feed->releases.items[feed->releases.n++];
    *r = (struct feed_release){ .version = c->version, .document = c->document };
    return set_release(feed, c, r, now, err);
}

static void remove_release(struct feed *feed, struct feed_release *r)
{
    size_t i = (size_t)(r - feed->releases.items);
    feed->releases.n--;
    memmove(r, r + 1, (feed->releases.n - i) * sizeof(*r));
}

static enum errc apply_change(struct feed *feed, const struct feed_change *c, int64_t now,
                              struct err *err)
{
    struct feed_release *r = find_release(feed, &c->version);
    if (c->kind == FEED_ADD && r != NULL)
        return err_set(err, E_ARGUMENT,
                       "--add %s: the feed has it already; --set %s changes what it says of it",
                       c->version.text, c->version.text);
    if (c->kind == FEED_ADD)
        return add_release(feed, c, now, err);
    if (r == NULL)
        return err_set(err, E_ARGUMENT, "the feed has no release %s", c->version.text);
    if (c->kind == FEED_REMOVE)
        remove_release(feed, r);
    if (c->kind == FEED_WITHDRAW)
        r->status = STATUS_WITHDRAWN;
    return c->kind == FEED_SET ? set_release(feed, c, r, now, err) : E_OK;
}

static bool same_pattern(const struct version_pattern *a, const struct version_pattern *b)
{
    return a->is_open == b->is_open && version_compare(&a->start, &b->start) == 0 &&
           (!a->is_open || a->start.n_parts == b->start.n_parts);
}

static struct feed_support *find_support(struct feed *feed, const struct version_pattern *p)
{
    for (size_t i = 0; i < feed->supports.n; i++)
        if (same_pattern(&feed->supports.items[i].version, p))
            return &feed->supports.items[i];
    return NULL;
}

static enum errc remove_support(struct feed *feed, struct feed_support *s, const char *pattern,
                                struct err *err)
{
    if (s == NULL)
        return err_set(err, E_ARGUMENT, "--support: the feed says nothing of %s", pattern);
    size_t i = (size_t)(s - feed->supports.items);
    feed->supports.n--;
    memmove(s, s + 1, (feed->supports.n - i) * sizeof(*s));
    return E_OK;
}

static enum errc apply_support(struct feed *feed, const struct feed_support_change *c,
                               struct err *err)
{
    struct feed_support *s = find_support(feed, &c->version);
    void *items;
    if (c->is_none)
        return remove_support(feed, s, c->version.start.text, err);
    if (s == NULL) {
        enum errc rc = copy_items(feed, feed->supports.items, feed->supports.n,
                                  sizeof(*feed->supports.items), &items, err);
        if (rc != E_OK)
            return rc;
        feed->supports.items = items;
        s = &feed->supports.items[feed->supports.n++];
    }
    *s = (struct feed_support){ c->version, c->ends, c->notice_s };
    return E_OK;
}

enum errc feed_edit_apply(const struct feed_changes *c, struct feed *feed, int64_t now,
                          struct err *err)
{
    enum errc rc = E_OK;
    for (size_t i = 0; i < c->n && rc == E_OK; i++)
        rc = apply_change(feed, &c->items[i], now, err);
    for (size_t i = 0; i < c->n_supports && rc == E_OK; i++)
        rc = apply_support(feed, &c->supports[i], err);
    return rc;
}
