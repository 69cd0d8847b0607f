/* What must hold when all is over. */

#include "sim.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "installer/core/memory.h"
#include "platform/base/text.h"

#define STATE "/var/lib/app"
#define APP_UPGRADE_CODE "{5EF00700-0000-4000-8000-000000000000}" /* releases.sh */

static bool fails(char why[300], const char *fmt, ...) PRINTF_FORMAT(2, 3);
static bool fails(char why[300], const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(why, 300, fmt, args);
    va_end(args);
    return false;
}

/* --- what is remembered */

/* Before a first installation there may be none. */
static bool read_state(struct world *w, bool has_state, struct upgrade_state *out, char why[300])
{
    struct platform *p = mock_platform(w->mock);
    struct buf bytes;
    struct err err;
    const enum errc read = platform_read_file(p, STATE "/state.xml", STATE_BYTES_MAX, &bytes, &err);
    if (read == E_ABSENT && !has_state) {
        *out = (struct upgrade_state){ .word = STATE_ENABLED };
        return true;
    }
    if (read != E_OK)
        return fails(why, "the state: %s", err.text);
    enum errc rc = state_read(buf_span(&bytes), out, &err);
    buf_fini(&bytes);
    return rc == E_OK ? true : fails(why, "the state: %s", err.text);
}

static bool is_known_tree(const struct upgrade_state *s, const char *name)
{
    bool known = strcmp(s->tree, name) == 0;
    for (size_t i = 0; i < s->n_kept; i++)
        known |= strcmp(s->kept[i].tree, name) == 0;
    return known;
}

/* --- nothing is left over */

struct leftover {
    const struct upgrade_state *state;
    const char *folder;
    char *why;
    bool (*may_be)(const struct upgrade_state *state, const char *name);
};

/* A download that an interrupted upgrade may go on with. */
static bool may_be_in_store(const struct upgrade_state *state, const char *name)
{
    const size_t len = strlen(name);
    return is_known_tree(state, name) ||
           (strncmp(name, "payload-", 8) == 0 && len > 5 && strcmp(name + len - 5, ".part") == 0);
}

static bool may_be_in_state(const struct upgrade_state *state, const char *name)
{
    static const char *const names[] = { "state.xml",  "history.xml", "lock",
                                         "machine-id", "proof",       "pristine",
                                         "run",        "packages",    "msi.log" };
    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

static bool may_be_in_cache(const struct upgrade_state *state, const char *name)
{
    UNUSED(state);
    return strncmp(name, "feed-", 5) == 0 || strncmp(name, "release-", 8) == 0;
}

static bool may_be_in_run(const struct upgrade_state *state, const char *name)
{
    UNUSED(state);
    UNUSED(name);
    return false;
}

static enum errc judge_name(void *ctx, const char *name, struct err *err)
{
    const struct leftover *l = ctx;
    if (l->may_be(l->state, name))
        return E_OK;
    (void)fails(l->why, "left over: %s/%s", l->folder, name);
    return err_set(err, E_REFUSED, "left over");
}

static bool judge_folder(struct world *w, const struct upgrade_state *state, const char *folder,
                         bool (*may_be)(const struct upgrade_state *, const char *), char why[300])
{
    struct platform *p = mock_platform(w->mock);
    struct leftover l = { state, folder, why, may_be };
    struct err err;
    enum errc rc = p->fs->list(p->self, folder, judge_name, &l, &err);
    if (rc == E_OK || rc == E_ABSENT)
        return true;
    return rc == E_REFUSED ? false : fails(why, "%s: %s", folder, err.text);
}

static bool nothing_is_left(struct world *w, const struct upgrade_state *s, char why[300])
{
    return judge_folder(w, s, STATE, may_be_in_state, why) &&
           judge_folder(w, s, STATE "/proof", is_known_tree, why) &&
           judge_folder(w, s, STATE "/pristine", is_known_tree, why) &&
           judge_folder(w, s, STATE "/run", may_be_in_run, why) &&
           judge_folder(w, s, "/var/cache/app", may_be_in_cache, why) &&
           judge_folder(w, s, "/opt/.surefoot-app", may_be_in_store, why) &&
           judge_folder(w, s, STATE "/packages", may_be_in_store, why) &&
           judge_folder(w, s, "/opt/app/versions", is_known_tree, why) &&
           judge_folder(w, s, "/opt/app/.surefoot", may_be_in_store, why);
}

/* --- the history */

static bool history_tells(struct world *w, const struct ends *ends, bool is_new, char why[300])
{
    struct platform *p = mock_platform(w->mock);
    struct history h;
    struct buf bytes;
    struct err err;
    const enum errc read =
        platform_read_file(p, STATE "/history.xml", HISTORY_BYTES_MAX, &bytes, &err);
    if (read == E_ABSENT && !is_new && ends->before_version[0] == '\0')
        return true;
    if (read != E_OK)
        return fails(why, "the history: %s", err.text);
    enum errc rc = history_read(buf_span(&bytes), &h, &err);
    buf_fini(&bytes);
    if (rc != E_OK)
        return fails(why, "the history: %s", err.text);
    size_t n_success = 0;
    for (size_t i = 0; i < h.attempts.n; i++)
        n_success += h.attempts.items[i].result != NULL &&
                     strcmp(h.attempts.items[i].result, "Success") == 0 &&
                     strcmp(h.attempts.items[i].to.text, ends->after_version) == 0 &&
                     strcmp(h.attempts.items[i].from.text, ends->before_version) == 0;
    history_fini(&h);
    if (is_new && n_success == 0)
        return fails(why, "the history does not tell of the success");
    if (n_success > 1 || (!is_new && n_success > 0))
        return fails(why, "the history tells of %zu successes", n_success);
    return true;
}

/* --- all of it */

bool check_after(struct world *w, const struct ends *ends, bool *out_is_new, char why[300])
{
    struct upgrade_state *state = calloc(1, sizeof(*state));
    char *now = world_picture(w);
    const bool is_old = strcmp(now, ends->before) == 0;
    bool holds = state != NULL && read_state(w, ends->before_version[0] != '\0', state, why);
    *out_is_new = !is_old && ends->after != NULL && strcmp(now, ends->after) == 0;
    const char *version = *out_is_new ? ends->after_version : ends->before_version;
    if (holds && !is_old && !*out_is_new)
        holds = fails(why, "the tree or the data is neither the old nor the new");
    if (holds && strcmp(state->installed.text, version) != 0)
        holds = fails(why, "the tree is %s, the state says %s", version, state->installed.text);
    if (holds && strcmp(w->running, version) != 0)
        holds = fails(why, "the tree is %s, \"%s\" runs", version, w->running);
    if (holds && w->scenario->is_msi &&
        strcmp(mock_find_product(w->mock, APP_UPGRADE_CODE), version) != 0)
        holds = fails(why, "the tree is %s, Windows Installer knows \"%s\"", version,
                      mock_find_product(w->mock, APP_UPGRADE_CODE));
    if (holds && w->saw_mixed)
        holds = fails(why, "the service was started on a tree of two versions");
    if (holds)
        holds = nothing_is_left(w, state, why) && history_tells(w, ends, *out_is_new, why);
    struct err err;
    enum fs_kind kind = FS_ABSENT;
    if (holds && (mock_platform(w->mock)->fs->kind(w->mock, "/home/app/scheduler-off", &kind,
                                                   &err) != E_OK ||
                  kind != FS_ABSENT))
        holds = fails(why, "the product's scheduler is still off");
    free(now);
    free(state);
    return holds;
}

static bool gives(struct world *w, const struct deed_of *deed, const char *expected, char why[300])
{
    char result[RUN_RESULT_ROOM];
    world_do(w, deed, result);
    return expected == NULL || strcmp(result, expected) == 0
               ? true
               : fails(why, "again: \"%.100s\" instead of \"%s\" (%.80s)", result, expected,
                       w->said);
}

bool check_again(struct world *w, const struct ends *ends, bool is_new, char why[300])
{
    const struct deed_of recover = { .deed = DO_RECOVER };
    const struct deed_of *explored = &w->scenario->explored;
    char *before = world_picture(w);
    bool holds = gives(w, &recover, "", why), is_new_now = false;
    char *after = world_picture(w);
    if (holds && strcmp(before, after) != 0)
        holds = fails(why, "a second recover changed something");
    free(before);
    free(after);
    if (!is_new && explored->deed == DO_RECOVER)
        return holds; /* what it went on with is gone */
    if (holds && !is_new)
        holds = gives(w, explored, explored->result, why);
    if (holds && !is_new && !check_after(w, ends, &is_new_now, why))
        return fails(why + strlen(why), " (after the step was taken again)");
    if (holds && !is_new && w->scenario->ends_new && !is_new_now)
        holds = fails(why, "the step was taken again and left the old version");
    for (size_t i = 0; holds && i < w->scenario->n_then; i++)
        holds = gives(w, &w->scenario->then[i], w->scenario->then[i].result, why);
    return holds;
}
