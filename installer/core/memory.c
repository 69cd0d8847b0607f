#include "installer/core/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "installer/core/stage.h"
#include "platform/base/text.h"
#include "verify/digest.h"

enum errc memory_path(const struct memory *m, const char *name, char to[SETUP_PATH_ROOM],
                      struct err *err)
{
    return setup_join(m->setup->state, name, to, err);
}

/* --- folders */

enum errc memory_make_folder(const struct memory *m, const char *name, struct err *err)
{
    char path[SETUP_PATH_ROOM];
    enum errc rc = memory_path(m, name, path, err);
    return rc == E_OK ? setup_make_folders(m->setup->platform, path, true, err) : rc;
}

/* --- files */

enum errc memory_write(const struct memory *m, const char *name, struct span bytes, struct err *err)
{
    char path[SETUP_PATH_ROOM];
    enum errc rc = memory_path(m, name, path, err);
    if (rc == E_OK &&
        platform_write_file(m->setup->platform, path, bytes, SINK_PRIVATE, err) != E_OK)
        rc = setup_name_path(path, err);
    return rc;
}

enum errc memory_remove(const struct memory *m, const char *name, struct err *err)
{
    struct platform *p = m->setup->platform;
    char path[SETUP_PATH_ROOM];
    enum errc rc = memory_path(m, name, path, err);
    if (rc == E_OK)
        rc = p->fs->remove(p->self, path, err);
    if (rc == E_OK)
        rc = setup_sync_parent(p, path, err);
    return rc == E_ABSENT ? E_OK : rc;
}

enum errc memory_read(const struct memory *m, const char *name, size_t cap, struct buf *out,
                      struct err *err)
{
    char path[SETUP_PATH_ROOM];
    enum errc rc = memory_path(m, name, path, err);
    if (rc == E_OK && platform_read_file(m->setup->platform, path, cap, out, err) != E_OK)
        rc = setup_name_path(path, err);
    return rc;
}

/* An empty buf where the file is not there. */
static enum errc read_if_there(const struct memory *m, const char *name, size_t cap,
                               struct buf *out, struct err *err)
{
    enum errc rc = memory_read(m, name, cap, out, err);
    if (rc == E_ABSENT)
        buf_init(out, 0);
    return rc == E_ABSENT ? E_OK : rc;
}

enum errc memory_forget_tree(const struct memory *m, const char *tree, struct err *err)
{
    static const char *const folders[] = { "proof", "pristine" };
    enum errc rc = E_OK;
    for (size_t i = 0; i < ARRAY_LEN(folders) && rc == E_OK; i++) {
        char name[STATE_TREE_ROOM + 16], path[SETUP_PATH_ROOM];
        (void)snprintf(name, sizeof(name), "%s/%s", folders[i], tree);
        rc = memory_path(m, name, path, err);
        if (rc == E_OK)
            rc = stage_sweep(m->setup->platform, path, err);
    }
    return rc;
}

/* --- the state */

static void begin_state(struct memory *m)
{
    m->state = (struct upgrade_state){ .word = STATE_ENABLED };
    text_copy(m->state.product, sizeof(m->state.product), m->setup->product.name);
}

static enum errc read_state(struct memory *m, struct err *err)
{
    char path[SETUP_PATH_ROOM];
    struct buf bytes;
    enum errc rc = read_if_there(m, "state.xml", STATE_BYTES_MAX, &bytes, err);
    if (rc != E_OK)
        return rc;
    begin_state(m);
    m->was_there = bytes.len > 0;
    if (m->was_there)
        rc = state_read(buf_span(&bytes), &m->state, err);
    if (rc == E_OK && strcmp(m->state.product, m->setup->product.name) != 0)
        rc = err_set(err, E_MALFORMED, "is of product %s; give %s a state folder of its own",
                     m->state.product, m->setup->product.name);
    if (rc != E_OK && memory_path(m, "state.xml", path, err) == E_OK)
        (void)setup_name_path(path, err);
    buf_fini(&bytes);
    return rc;
}

static enum errc lock_state(struct memory *m, struct err *err)
{
    struct platform *p = m->setup->platform;
    char path[SETUP_PATH_ROOM];
    enum errc rc = setup_make_folders(p, m->setup->state, true, err);
    if (rc == E_OK)
        rc = setup_guard(m->setup, m->setup->state, 0, err);
    if (rc == E_OK)
        rc = memory_path(m, "lock", path, err);
    if (rc == E_OK && p->fs->lock(p->self, path, &m->lock, err) != E_OK)
        rc = setup_name_path(path, err);
    return rc;
}

enum errc memory_open(const struct setup *setup, bool wants_lock, struct memory *out,
                      struct err *err)
{
    enum errc rc = E_OK;
    out->setup = setup;
    out->lock = NULL;
    out->was_there = false;
    if (wants_lock)
        rc = lock_state(out, err);
    if (rc == E_OK)
        rc = read_state(out, err);
    if (rc != E_OK)
        memory_close(out);
    return rc;
}

void memory_close(struct memory *m)
{
    if (m->lock != NULL)
        m->setup->platform->fs->unlock(m->setup->platform->self, m->lock);
    m->lock = NULL;
}

enum errc memory_save(struct memory *m, struct err *err)
{
    struct buf bytes;
    if (m->lock == NULL)
        return err_set(err, E_INTERNAL, "the state is not written without its lock");
    buf_init(&bytes, STATE_BYTES_MAX);
    enum errc rc = state_write(&m->state, &bytes, err);
    if (rc == E_OK)
        rc = memory_write(m, "state.xml", buf_span(&bytes), err);
    buf_fini(&bytes);
    if (rc == E_OK)
        m->was_there = true;
    return rc;
}

void memory_set_word(struct memory *m, enum state_word word, const char *reason, int64_t now,
                     bool *out_changed)
{
    struct upgrade_state *s = &m->state;
    *out_changed = s->word != (int)word || strcmp(s->reason, reason) != 0;
    if (!*out_changed)
        return;
    s->word = (int)word;
    text_copy(s->reason, sizeof(s->reason), reason);
    s->since = now;
}

/* --- marks */

void memory_marks(const struct memory *m, struct fresh_marks *out)
{
    for (out->n = 0; out->n < m->state.n_marks && out->n < FRESH_MARKS_MAX; out->n++) {
        const struct state_mark *from = &m->state.marks[out->n];
        struct fresh_mark *to = &out->items[out->n];
        text_copy(to->key, sizeof(to->key), from->key);
        to->serial = from->serial;
        to->issued = from->issued;
    }
}

void memory_note_marks(struct memory *m, const struct fresh_marks *marks)
{
    struct upgrade_state *s = &m->state;
    for (s->n_marks = 0; s->n_marks < marks->n && s->n_marks < STATE_MARKS_MAX; s->n_marks++) {
        const struct fresh_mark *from = &marks->items[s->n_marks];
        struct state_mark *to = &s->marks[s->n_marks];
        text_copy(to->key, sizeof(to->key), from->key);
        to->serial = from->serial;
        to->issued = from->issued;
    }
}

/* --- the machine */

/* Where the system has no name of its own, random bytes stand in for it. */
static enum errc own_machine(const struct memory *m, uint8_t to[HOST_MACHINE_ID_LEN],
                             struct err *err)
{
    struct platform *p = m->setup->platform;
    struct buf bytes;
    enum errc rc = read_if_there(m, "machine-id", HOST_MACHINE_ID_LEN, &bytes, err);
    if (rc == E_OK && bytes.len == HOST_MACHINE_ID_LEN) {
        memcpy(to, bytes.ptr, HOST_MACHINE_ID_LEN);
        buf_fini(&bytes);
        return E_OK;
    }
    buf_fini(&bytes);
    if (rc == E_OK)
        rc = p->host->random(p->self, to, HOST_MACHINE_ID_LEN, err);
    if (rc == E_OK && m->lock != NULL)
        rc = memory_write(m, "machine-id", span_of(to, HOST_MACHINE_ID_LEN), err);
    return rc;
}

enum errc memory_machine(const struct memory *m, char to[MEMORY_MACHINE_ROOM], struct err *err)
{
    static const char use[] = "surefoot machine of a rollout 1";
    struct platform *p = m->setup->platform;
    uint8_t bytes[sizeof(use) + HOST_MACHINE_ID_LEN];
    struct digest d;
    memcpy(bytes, use, sizeof(use));
    enum errc rc = p->host->machine_id(p->self, bytes + sizeof(use), err);
    if (rc == E_ABSENT || rc == E_UNSUPPORTED)
        rc = own_machine(m, bytes + sizeof(use), err);
    if (rc == E_OK)
        rc = digest_bytes(DIGEST_SHA256, span_of(bytes, sizeof(bytes)), &d, err);
    if (rc == E_OK)
        (void)text_to_hex(digest_span(&d), to);
    return rc;
}

/* --- history */

enum errc memory_read_history(const struct memory *m, struct history *out, struct err *err)
{
    struct buf bytes;
    *out = (struct history){ .product = NULL };
    enum errc rc = read_if_there(m, "history.xml", HISTORY_BYTES_MAX, &bytes, err);
    if (rc == E_OK && bytes.len > 0 && history_read(buf_span(&bytes), out, err) != E_OK)
        rc = err_prefix(err, "history.xml: ");
    buf_fini(&bytes);
    if (rc == E_OK && out->product != NULL && strcmp(out->product, m->setup->product.name) != 0) {
        rc = err_set(err, E_MALFORMED, "history.xml: it is of product %s", out->product);
        history_fini(out);
    }
    return rc;
}

/* put_aside keeps a file that can't be read under a name of its own. */
static enum errc put_aside(const struct memory *m, const char *name, int64_t now, struct err *err)
{
    struct platform *p = m->setup->platform;
    char from[SETUP_PATH_ROOM], to[SETUP_PATH_ROOM], kept[80];
    (void)snprintf(kept, sizeof(kept), "%s.damaged-%" PRId64, name, now);
    enum errc rc = memory_path(m, name, from, err);
    if (rc == E_OK)
        rc = memory_path(m, kept, to, err);
    return rc == E_OK ? p->fs->rename_new(p->self, from, to, err) : rc;
}

enum errc memory_add_history(struct memory *m, const struct attempt *added, struct err *out_damage,
                             struct err *err)
{
    struct history history;
    struct buf bytes;
    *out_damage = (struct err){ .code = E_OK };
    enum errc rc = memory_read_history(m, &history, err);
    if (rc == E_MALFORMED || rc == E_LIMIT) {
        *out_damage = *err;
        rc = put_aside(m, "history.xml", added->ended, err);
    }
    if (rc != E_OK)
        return rc;
    buf_init(&bytes, HISTORY_BYTES_MAX);
    rc = history_write(&history, m->setup->product.name, added, &bytes, err);
    if (rc == E_OK)
        rc = memory_write(m, "history.xml", buf_span(&bytes), err);
    buf_fini(&bytes);
    history_fini(&history);
    return rc;
}

/* A history that can't be read has told nothing. */
enum errc memory_result_of(const struct memory *m, int64_t started, const struct version *to,
                           char out_result[RESULT_TEXT_MAX + 1], struct err *err)
{
    struct history history;
    out_result[0] = '\0';
    enum errc rc = memory_read_history(m, &history, err);
    if (rc == E_MALFORMED || rc == E_LIMIT)
        return E_OK;
    for (size_t i = 0; rc == E_OK && i < history.attempts.n; i++) {
        const struct attempt *a = &history.attempts.items[i];
        if (a->started == started && version_compare(&a->to, to) == 0 && a->result != NULL)
            (void)text_copy(out_result, RESULT_TEXT_MAX + 1, a->result);
    }
    history_fini(&history);
    return rc;
}

/* --- what a crash left */

#define TEMPORARY ".surefoot-"  /* as sink.h says */
#define STALE_NS 600000000000LL /* another program may be writing to the cache */

struct sweeping {
    const struct memory *m;
    const char *folder;
    int64_t before_ns; /* only what is older */
};

static enum errc sweep_name(void *ctx, const char *name, struct err *err)
{
    const struct sweeping *s = ctx;
    struct platform *p = s->m->setup->platform;
    char path[SETUP_PATH_ROOM];
    struct fs_info info;
    if (strncmp(name, TEMPORARY, strlen(TEMPORARY)) != 0)
        return E_OK;
    enum errc rc = setup_join(s->folder, name, path, err);
    if (rc == E_OK)
        rc = p->fs->stat_link(p->self, path, &info, err);
    if (rc == E_OK && info.kind == FS_FILE && info.mtime_ns < s->before_ns)
        rc = p->fs->remove(p->self, path, err);
    return rc;
}

/* What can't be taken away now can be at the next upgrade. */
static void sweep_folder(const struct memory *m, const char *folder, int64_t before_ns)
{
    struct platform *p = m->setup->platform;
    struct sweeping s = { m, folder, before_ns };
    struct err ignored;
    (void)!p->fs->list(p->self, folder, sweep_name, &s, &ignored);
}

void memory_sweep(const struct memory *m)
{
    struct platform *p = m->setup->platform;
    char run[SETUP_PATH_ROOM];
    struct err ignored;
    sweep_folder(m, m->setup->state, INT64_MAX);
    if (memory_path(m, "run", run, &ignored) == E_OK)
        sweep_folder(m, run, INT64_MAX);
    sweep_folder(m, m->setup->cache, p->host->now(p->self) * 1000000000 - STALE_NS);
}

enum errc memory_recovery_is_pending(const struct memory *m, bool *out, struct err *err)
{
    struct platform *p = m->setup->platform;
    char path[SETUP_PATH_ROOM];
    enum fs_kind kind = FS_ABSENT;
    enum errc rc = memory_path(m, "journal", path, err);
    if (rc == E_OK)
        rc = p->fs->kind(p->self, path, &kind, err);
    if (rc == E_OK)
        *out = kind != FS_ABSENT;
    return rc;
}
