#include <stdio.h>
#include <string.h>

#include "installer/core/preflight_private.h"
#include "manifest/path.h"
#include "platform/base/text.h"

#define FOUND_MAX 16
#define GRACE_MS 10000

/* One that must not run. */
struct found {
    int64_t pid;
    uint64_t born;
    char text[160];
};

struct search {
    const struct check_process *wanted;
    enum os_path_style style;
    char path[SETUP_PATH_ROOM]; /* resolved; "" where it is by name */
    const char *name;           /* the path's last part, or the name */
    size_t n, n_hidden;
    struct found items[FOUND_MAX];
};

/* Windows takes names that differ in case alone for one; a path too long for path_fold is held
 * against as it is. */
static bool is_same(enum os_path_style style, const char *a, const char *b)
{
    struct buf one, other;
    struct err ignored;
    if (style == OS_PATH_POSIX || strcmp(a, b) == 0)
        return strcmp(a, b) == 0;
    buf_init(&one, PATH_TREE_MAX * PATH_FOLD_GROWTH);
    buf_init(&other, PATH_TREE_MAX * PATH_FOLD_GROWTH);
    const bool is_same = path_fold(span_text(a), &one, &ignored) == E_OK &&
                         path_fold(span_text(b), &other, &ignored) == E_OK &&
                         span_equal(buf_span(&one), buf_span(&other));
    buf_fini(&one);
    buf_fini(&other);
    return is_same;
}

/* Linux cuts short names at 15 bytes. */
static bool is_named(enum os_path_style style, const char *short_name, const char *wanted)
{
    const size_t len = strlen(short_name);
    return is_same(style, short_name, wanted) ||
           (style == OS_PATH_POSIX && len == 15 && strncmp(short_name, wanted, len) == 0);
}

/* A process names itself as it likes, so that its program's file counts; where we may not see that
 * one of the same short name is taken for it. A script runs as its interpreter's file, and goes by
 * its own short name. */
static bool is_it(const struct search *s, const struct proc_info *info)
{
    if (s->path[0] != '\0' && info->path[0] != '\0')
        return is_same(s->style, info->path, s->path);
    if (info->path[0] != '\0' && is_same(s->style, os_path_name(s->style, info->path), s->name))
        return true;
    return is_named(s->style, info->name, s->name);
}

static enum errc look_at(void *ctx, const struct proc_info *info, struct err *err)
{
    struct search *s = ctx;
    char since[32], path[100];
    UNUSED(err);
    if (!is_it(s, info))
        return E_OK;
    if (s->n == FOUND_MAX) {
        s->n_hidden++;
        return E_OK;
    }
    struct found *f = &s->items[s->n++];
    f->pid = info->pid;
    f->born = info->born;
    (void)snprintf(f->text, sizeof(f->text), "%s, process %lld of %.32s, since %s",
                   text_printable(span_text(info->path[0] != '\0' ? info->path : info->name), path,
                                  sizeof(path)),
                   (long long)info->pid, info->user, text_format_time(info->started_s, since));
    return E_OK;
}

static enum errc search(const struct preflight_row_ask *row, struct search *s, struct err *err)
{
    struct platform *p = row->ask->setup->platform;
    s->wanted = &row->check->of.process;
    s->style = p->paths;
    s->n = s->n_hidden = 0;
    s->path[0] = '\0';
    enum errc rc = E_OK;
    if (s->wanted->path != NULL)
        rc = setup_resolve(row->ask->setup, s->wanted->path, s->path, err);
    s->name = s->wanted->path != NULL ? os_path_name(s->style, s->wanted->path) : s->wanted->name;
    return rc == E_OK ? p->proc->list(p->self, look_at, s, err) : rc;
}

/* What has kept upgrades waiting for longer than policy allows is ended. */
static bool may_end(const struct preflight_row_ask *row)
{
    const struct check_process *wanted = &row->check->of.process;
    struct platform *p = row->ask->setup->platform;
    return wanted->action == PROCESS_TERMINATE && row->ask->may_terminate &&
           row->ask->busy_since != 0 &&
           p->host->now(p->self) - row->ask->busy_since >= wanted->terminate_after_s;
}

static enum errc end_all(const struct preflight_row_ask *row, struct search *s, struct err *err)
{
    struct platform *p = row->ask->setup->platform;
    for (size_t i = 0; i < s->n; i++) {
        struct err why;
        if (p->proc->terminate(p->self, s->items[i].pid, s->items[i].born, GRACE_MS, &why) == E_OK)
            events_say(row->ask->events, EVENT_TERMINATED, "ended after its time: %s",
                       s->items[i].text);
    }
    return search(row, s, err);
}

enum errc preflight_process(const struct preflight_row_ask *row, struct err *err)
{
    struct search s;
    enum errc rc = search(row, &s, err);
    if (rc == E_OK && s.n > 0 && may_end(row))
        rc = end_all(row, &s, err);
    if (rc != E_OK)
        return preflight_unknown(row, CHECK_PROCESS, rc, err);
    for (size_t i = 0; i < s.n && rc == E_OK; i++)
        rc = preflight_add(row->out, CHECK_PROCESS, row->check->result, "in use: %s%s",
                           s.items[i].text, i == 0 && s.n_hidden > 0 ? ", and others" : "");
    return rc;
}
