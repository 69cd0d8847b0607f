/* The copy that is kept of the program, for the task that recovers. */

#include "installer/core/copy.h"
#include "installer/core/own_program_private.h"
#include "installer/core/schedule_task.h"

enum errc own_program_kept_path(const struct setup *setup, char to[SETUP_PATH_ROOM],
                                struct err *err)
{
    return setup_join(setup->state, "own/" OWN_PROGRAM_KEPT, to, err);
}

/* --- the one and the other */

struct kept {
    const struct setup *setup;
    char own[SETUP_PATH_ROOM];  /* the program that runs */
    char path[SETUP_PATH_ROOM]; /* the copy */
    bool is_there;
    bool is_us; /* it is the copy that runs */
};

static enum errc look(const struct setup *setup, struct kept *out, struct err *err)
{
    struct platform *p = setup->platform;
    struct fs_info own = { .kind = FS_ABSENT }, there = { .kind = FS_ABSENT };
    *out = (struct kept){ .setup = setup };
    enum errc rc = own_program_path(setup, out->own, err);
    if (rc == E_OK)
        rc = own_program_kept_path(setup, out->path, err);
    if (rc == E_OK)
        rc = p->fs->stat_link(p->self, out->own, &own, err);
    if (rc == E_OK)
        rc = p->fs->stat_link(p->self, out->path, &there, err);
    out->is_there = rc == E_OK && there.kind == FS_FILE;
    out->is_us = out->is_there && own.kind == FS_FILE && own.id[0] == there.id[0] &&
                 own.id[1] == there.id[1];
    return rc;
}

/* --- writing it */

static enum errc keep(const struct kept *k, struct err *err)
{
    struct platform *p = k->setup->platform;
    char folder[SETUP_PATH_ROOM];
    bool is_same = false;
    enum errc rc = own_program_folder(k->setup, folder, err);
    if (rc == E_OK && k->is_there)
        rc = own_program_is_same(p, k->own, k->path, &is_same, err);
    if (rc == E_OK && is_same) /* whoever put it there may have died before its name was flushed */
        return setup_sync_parent(p, k->path, err);
    if (rc == E_OK) {
        rc = copy_bytes(p, k->own, k->path, SINK_PRIVATE, err);
        rc = rc == E_OK ? rc : setup_name_path(k->path, err);
    }
    if (rc == E_OK)
        rc = own_program_is_same(p, k->own, k->path, &is_same, err);
    if (rc == E_OK && !is_same)
        rc = err_set(err, E_IO, "the copy that is kept of the program is not what that is");
    return rc;
}

enum errc own_program_keep(const struct setup *setup, struct err *err)
{
    struct kept k;
    enum errc rc = look(setup, &k, err);
    if (rc == E_OK && k.is_us)
        rc = err_set(err, E_ARGUMENT,
                     "this is the copy that is kept for recovery: call the installed program");
    if (rc == E_OK)
        rc = keep(&k, err);
    return rc == E_OK ? rc : err_prefix(err, "no copy of the program can be kept: ");
}

enum errc own_program_prepare(const struct setup *setup, struct err *err)
{
    bool is_ours = false;
    enum errc rc = own_program_is_of(setup, &is_ours, err);
    return rc == E_OK && is_ours ? own_program_keep(setup, err) : rc;
}

/* --- following */

/* It is there, or a task wants it to be. */
static enum errc is_wanted(const struct setup *setup, bool *out, struct err *err)
{
    struct platform *p = setup->platform;
    char path[SETUP_PATH_ROOM], name[SCHEDULE_NAME_ROOM];
    enum fs_kind kind = FS_ABSENT;
    enum errc rc = own_program_kept_path(setup, path, err);
    if (rc == E_OK)
        rc = p->fs->kind(p->self, path, &kind, err);
    *out = rc == E_OK && kind != FS_ABSENT;
    if (rc != E_OK || *out)
        return rc;
    rc = p->task->find(p->self, schedule_task_name(setup, SCHEDULE_TASK_RECOVER, name), NULL, out,
                       err);
    return rc == E_UNSUPPORTED ? E_OK : rc;
}

static enum errc follow(const struct setup *setup, bool is_run, struct err *err)
{
    struct kept k;
    char folder[SETUP_PATH_ROOM];
    bool wanted = false, is_ours = false;
    enum errc rc = is_wanted(setup, &wanted, err);
    if (rc != E_OK || !wanted)
        return rc;
    rc = look(setup, &k, err);
    if (rc == E_OK)
        rc = own_program_is_of(setup, &is_ours, err);
    if (rc == E_OK && (is_run || is_ours))
        rc = keep(&k, err);
    if (rc == E_OK)
        rc = own_program_folder(setup, folder, err);
    return rc == E_OK ? own_program_sweep(setup, folder, err) : rc;
}

void own_program_settle(const struct memory *memory, bool is_run, const struct events *events)
{
    struct err err;
    bool is_pending = true;
    if (memory->lock == NULL)
        return;
    enum errc rc = memory_recovery_is_pending(memory, &is_pending, &err);
    if (rc == E_OK && !is_pending)
        rc = follow(memory->setup, is_run, &err);
    if (rc != E_OK)
        events_say(events, EVENT_WARNING,
                   "the copy of the program that is kept for recovery is as it was: %s", err.text);
}

enum errc own_program_drop(const struct setup *setup, struct err *err)
{
    struct platform *p = setup->platform;
    char path[SETUP_PATH_ROOM];
    enum errc rc = own_program_kept_path(setup, path, err);
    if (rc == E_OK)
        rc = p->fs->remove(p->self, path, err);
    if (rc == E_OK)
        rc = setup_sync_parent(p, path, err);
    return rc == E_OK || rc == E_ABSENT ? rc : setup_name_path(path, err);
}
