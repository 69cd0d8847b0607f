/* A plan before each operation of a machine. Each function here is the same: ask, then do. */

#include <stdlib.h>

#include "platform/mock/fault.h"
#include "platform/mock/mock_private.h"

struct wrapped {
    struct platform platform;
    struct platform *inner;
    const struct fault_plan *plan;
};

/* --- what is opened is asked for as well */

struct wrapped_source {
    struct source base;
    struct source *inner;
    const struct fault_plan *plan;
};

static enum errc source_read(struct source *src, uint64_t at, void *to, size_t len, struct err *err)
{
    const struct wrapped_source *s = (const struct wrapped_source *)src;
    bool is_ignored = false;
    enum errc rc = fault_ask(s->plan, FAULT_LOOK, "read", NULL, &is_ignored, err);
    if (rc == E_OK && is_ignored)
        rc = err_set(err, E_IO, "gives nothing, as planned (read)");
    return rc == E_OK ? source_read_at(s->inner, at, to, len, err) : rc;
}

static void source_end(struct source *src)
{
    source_close(((struct wrapped_source *)src)->inner);
    free(src);
}

static struct source *wrap_source(const struct wrapped *w, struct source *inner)
{
    static const struct source_ops ops = { source_read, source_end };
    struct wrapped_source *s = mock_calloc(1, sizeof(*s));
    s->base = (struct source){ &ops, inner->size, { inner->id[0], inner->id[1] } };
    s->inner = inner;
    s->plan = w->plan;
    return &s->base;
}

struct wrapped_sink {
    struct sink base;
    struct sink *inner;
    const struct fault_plan *plan;
};

static enum errc sink_add(struct sink *base, struct span bytes, struct err *err)
{
    const struct wrapped_sink *s = (const struct wrapped_sink *)base;
    struct err own;
    size_t len = 0;
    enum errc rc = fault_ask_write(s->plan, NULL, bytes.len, &len, err);
    enum errc done = len > 0 ? sink_write(s->inner, span_of(bytes.ptr, len), &own) : E_OK;
    if (rc == E_OK && done != E_OK && err != NULL)
        *err = own;
    return rc == E_OK ? done : rc;
}

static enum errc sink_end(struct sink *base, struct err *err)
{
    struct wrapped_sink *s = (struct wrapped_sink *)base;
    bool is_ignored = false;
    enum errc rc = fault_ask(s->plan, FAULT_FLUSH, "commit", NULL, &is_ignored, err);
    if (rc != E_OK || is_ignored)
        return rc;
    struct sink *inner = s->inner;
    s->inner = NULL;
    return sink_commit(inner, err);
}

static void sink_close(struct sink *base)
{
    sink_abort(((struct wrapped_sink *)base)->inner);
    free(base);
}

static struct sink *wrap_sink(const struct wrapped *w, struct sink *inner)
{
    static const struct sink_ops ops = { sink_add, sink_end, sink_close };
    struct wrapped_sink *s = mock_calloc(1, sizeof(*s));
    s->base.ops = &ops;
    s->inner = inner;
    s->plan = w->plan;
    return &s->base;
}

/* --- files, processes, services, databases, the host */

/* Asks the plan; where the step is not to be taken, the function ends here. */
#define STEP(kind, what, path)                                                                     \
    const struct wrapped *w = self;                                                                \
    bool is_ignored = false;                                                                       \
    enum errc rc = fault_ask(w->plan, kind, what, path, &is_ignored, err);                         \
    if (rc != E_OK || is_ignored)                                                                  \
    return rc

/* The same for one that gives something. */
#define STEP_GIVES(kind, what, path)                                                               \
    const struct wrapped *w = self;                                                                \
    bool is_ignored = false;                                                                       \
    enum errc rc = fault_ask(w->plan, kind, what, path, &is_ignored, err);                         \
    if (rc == E_OK && is_ignored)                                                                  \
        rc = err_set(err, E_IO, "gives nothing, as planned (%s)", what);                           \
    if (rc != E_OK)                                                                                \
    return rc

static enum errc fs_kind(void *self, const char *path, enum fs_kind *out, struct err *err)
{
    STEP_GIVES(FAULT_LOOK, "kind", path);
    return w->inner->fs->kind(w->inner->self, path, out, err);
}

static enum errc fs_list(void *self, const char *path, fs_name_fn fn, void *ctx, struct err *err)
{
    STEP_GIVES(FAULT_LOOK, "list", path);
    return w->inner->fs->list(w->inner->self, path, fn, ctx, err);
}

static enum errc fs_open_source(void *self, const char *path, struct source **out, struct err *err)
{
    STEP_GIVES(FAULT_LOOK, "open_source", path);
    rc = w->inner->fs->open_source(w->inner->self, path, out, err);
    if (rc == E_OK)
        *out = wrap_source(w, *out);
    return rc;
}

static enum errc fs_open_source_nofollow(void *self, const char *path, struct source **out,
                                         struct err *err)
{
    STEP_GIVES(FAULT_LOOK, "open_source_nofollow", path);
    rc = w->inner->fs->open_source_nofollow(w->inner->self, path, out, err);
    if (rc == E_OK)
        *out = wrap_source(w, *out);
    return rc;
}

static enum errc fs_stat_link(void *self, const char *path, struct fs_info *out, struct err *err)
{
    STEP_GIVES(FAULT_LOOK, "stat_link", path);
    return w->inner->fs->stat_link(w->inner->self, path, out, err);
}

static enum errc fs_read_link(void *self, const char *path, struct buf *out, struct err *err)
{
    STEP_GIVES(FAULT_LOOK, "read_link", path);
    return w->inner->fs->read_link(w->inner->self, path, out, err);
}

static enum errc fs_is_shared(void *self, const char *path, bool *out, struct err *err)
{
    STEP_GIVES(FAULT_LOOK, "is_shared", path);
    return w->inner->fs->is_shared(w->inner->self, path, out, err);
}

static enum errc fs_guard(void *self, const char *path, unsigned flags, struct fs_guard *out,
                          struct err *err)
{
    STEP_GIVES(FAULT_LOOK, "guard", path);
    return w->inner->fs->guard(w->inner->self, path, flags, out, err);
}

static enum errc fs_is_mount_point(void *self, const char *path, bool *out, struct err *err)
{
    STEP_GIVES(FAULT_LOOK, "is_mount_point", path);
    return w->inner->fs->is_mount_point(w->inner->self, path, out, err);
}

static enum errc fs_has_writer(void *self, const char *path, bool *out, struct err *err)
{
    STEP_GIVES(FAULT_LOOK, "has_writer", path);
    return w->inner->fs->has_writer(w->inner->self, path, out, err);
}

static enum errc fs_is_locked(void *self, const char *path, bool *out, struct err *err)
{
    STEP_GIVES(FAULT_LOOK, "is_locked", path);
    return w->inner->fs->is_locked(w->inner->self, path, out, err);
}

static enum errc fs_can_write(void *self, const char *path, bool *out, struct err *err)
{
    STEP_GIVES(FAULT_LOOK, "can_write", path);
    return w->inner->fs->can_write(w->inner->self, path, out, err);
}

static enum errc fs_free_bytes(void *self, const char *path, uint64_t *out, struct err *err)
{
    STEP_GIVES(FAULT_LOOK, "free_bytes", path);
    return w->inner->fs->free_bytes(w->inner->self, path, out, err);
}

static enum errc fs_create(void *self, const char *path, unsigned flags, struct sink **out,
                           struct err *err)
{
    STEP_GIVES(FAULT_CHANGE, "create", path);
    rc = w->inner->fs->create(w->inner->self, path, flags, out, err);
    if (rc == E_OK)
        *out = wrap_sink(w, *out);
    return rc;
}

static enum errc fs_make_folder(void *self, const char *path, struct err *err)
{
    STEP(FAULT_CHANGE, "make_folder", path);
    return w->inner->fs->make_folder(w->inner->self, path, err);
}

static enum errc fs_make_private_folder(void *self, const char *path, struct err *err)
{
    STEP(FAULT_CHANGE, "make_private_folder", path);
    return w->inner->fs->make_private_folder(w->inner->self, path, err);
}

static enum errc fs_make_readable_folder(void *self, const char *path, struct err *err)
{
    STEP(FAULT_CHANGE, "make_readable_folder", path);
    return w->inner->fs->make_readable_folder(w->inner->self, path, err);
}

static enum errc fs_make_link(void *self, const char *target, const char *path, struct err *err)
{
    STEP(FAULT_CHANGE, "make_link", path);
    return w->inner->fs->make_link(w->inner->self, target, path, err);
}

static enum errc fs_hard_link(void *self, const char *from, const char *to, struct err *err)
{
    STEP(FAULT_CHANGE, "hard_link", to);
    return w->inner->fs->hard_link(w->inner->self, from, to, err);
}

static enum errc fs_clone(void *self, const char *from, const char *to, struct err *err)
{
    STEP(FAULT_CHANGE, "clone", to);
    return w->inner->fs->clone(w->inner->self, from, to, err);
}

static enum errc fs_remove(void *self, const char *path, struct err *err)
{
    STEP(FAULT_CHANGE, "remove", path);
    return w->inner->fs->remove(w->inner->self, path, err);
}

static enum errc fs_remove_folder(void *self, const char *path, struct err *err)
{
    STEP(FAULT_CHANGE, "remove_folder", path);
    return w->inner->fs->remove_folder(w->inner->self, path, err);
}

static enum errc fs_set_mode(void *self, const char *path, unsigned mode, struct err *err)
{
    STEP(FAULT_CHANGE, "set_mode", path);
    return w->inner->fs->set_mode(w->inner->self, path, mode, err);
}

static enum errc fs_copy_owner_and_attributes(void *self, const char *from, const char *to,
                                              struct err *err)
{
    STEP(FAULT_CHANGE, "copy_owner_and_attributes", to);
    return w->inner->fs->copy_owner_and_attributes(w->inner->self, from, to, err);
}

static enum errc fs_set_owner(void *self, const char *path, uint32_t owner, uint32_t group,
                              struct err *err)
{
    STEP(FAULT_CHANGE, "set_owner", path);
    return w->inner->fs->set_owner(w->inner->self, path, owner, group, err);
}

static enum errc fs_set_mtime(void *self, const char *path, int64_t mtime_ns, struct err *err)
{
    STEP(FAULT_CHANGE, "set_mtime", path);
    return w->inner->fs->set_mtime(w->inner->self, path, mtime_ns, err);
}

static enum errc fs_rename_new(void *self, const char *from, const char *to, struct err *err)
{
    STEP(FAULT_CHANGE, "rename_new", to);
    return w->inner->fs->rename_new(w->inner->self, from, to, err);
}

static enum errc fs_exchange(void *self, const char *a, const char *b, struct err *err)
{
    STEP(FAULT_CHANGE, "exchange", a);
    return w->inner->fs->exchange(w->inner->self, a, b, err);
}

static enum errc fs_point(void *self, const char *link, const char *target, struct err *err)
{
    STEP(FAULT_CHANGE, "point", link);
    return w->inner->fs->point(w->inner->self, link, target, err);
}

static enum errc fs_append(void *self, const char *path, struct span record, struct err *err)
{
    STEP(FAULT_FLUSH, "append", path);
    return w->inner->fs->append(w->inner->self, path, record, err);
}

static enum errc fs_cut(void *self, const char *path, uint64_t size, struct err *err)
{
    STEP(FAULT_FLUSH, "cut", path);
    return w->inner->fs->cut(w->inner->self, path, size, err);
}

static enum errc fs_sync_folder(void *self, const char *path, struct err *err)
{
    STEP(FAULT_FLUSH, "sync_folder", path);
    return w->inner->fs->sync_folder(w->inner->self, path, err);
}

static enum errc fs_flush_tree(void *self, const char *path, struct err *err)
{
    STEP(FAULT_FLUSH, "flush_tree", path);
    return w->inner->fs->flush_tree(w->inner->self, path, err);
}

static enum errc fs_lock(void *self, const char *path, struct fs_lock **out, struct err *err)
{
    STEP_GIVES(FAULT_LOOK, "lock", path);
    return w->inner->fs->lock(w->inner->self, path, out, err);
}

static void fs_unlock(void *self, struct fs_lock *lock)
{
    const struct wrapped *w = self;
    w->inner->fs->unlock(w->inner->self, lock);
}

static enum errc proc_list(void *self, proc_fn fn, void *ctx, struct err *err)
{
    STEP_GIVES(FAULT_LOOK, "list", NULL);
    return w->inner->proc->list(w->inner->self, fn, ctx, err);
}

static enum errc proc_holders(void *self, const char *folder, proc_holder_fn fn, void *ctx,
                              size_t *out_n_hidden, struct err *err)
{
    STEP_GIVES(FAULT_LOOK, "holders", folder);
    return w->inner->proc->holders(w->inner->self, folder, fn, ctx, out_n_hidden, err);
}

static enum errc proc_run(void *self, const struct proc_command *command, struct proc_result *out,
                          struct err *err)
{
    STEP_GIVES(FAULT_ACT, "run", command->argv[0]);
    return w->inner->proc->run(w->inner->self, command, out, err);
}

static enum errc proc_terminate(void *self, int64_t pid, uint64_t born, int64_t grace_ms,
                                struct err *err)
{
    STEP(FAULT_ACT, "terminate", NULL);
    return w->inner->proc->terminate(w->inner->self, pid, born, grace_ms, err);
}

static enum errc proc_own_program(void *self, char *to, size_t room, struct err *err)
{
    STEP_GIVES(FAULT_LOOK, "own_program", NULL);
    return w->inner->proc->own_program(w->inner->self, to, room, err);
}

static bool proc_is_elevated(void *self)
{
    const struct wrapped *w = self;
    return w->inner->proc->is_elevated(w->inner->self);
}

static enum errc service_status(void *self, const char *name, struct service_status *out,
                                struct err *err)
{
    STEP_GIVES(FAULT_LOOK, "status", name);
    return w->inner->service->status(w->inner->self, name, out, err);
}

static enum errc service_start(void *self, const char *name, int64_t timeout_ms, struct err *err)
{
    STEP(FAULT_ACT, "start", name);
    return w->inner->service->start(w->inner->self, name, timeout_ms, err);
}

static enum errc service_stop(void *self, const char *name, int64_t timeout_ms, struct err *err)
{
    STEP(FAULT_ACT, "stop", name);
    return w->inner->service->stop(w->inner->self, name, timeout_ms, err);
}

static enum errc db_open(void *self, const char *connection, int64_t timeout_ms, struct db **out,
                         struct err *err)
{
    STEP_GIVES(FAULT_LOOK, "open", NULL);
    return w->inner->db->open(w->inner->self, connection, timeout_ms, out, err);
}

static void db_close(void *self, struct db *db)
{
    const struct wrapped *w = self;
    w->inner->db->close(w->inner->self, db);
}

static enum errc db_kind(void *self, struct db *db, enum db_kind *out, struct err *err)
{
    STEP_GIVES(FAULT_LOOK, "kind", NULL);
    return w->inner->db->kind(w->inner->self, db, out, err);
}

static enum errc db_size(void *self, struct db *db, uint64_t *out, struct err *err)
{
    STEP_GIVES(FAULT_LOOK, "size", NULL);
    return w->inner->db->size(w->inner->self, db, out, err);
}

static enum errc db_has_right(void *self, struct db *db, const char *right, const char *account,
                              bool *out, struct err *err)
{
    STEP_GIVES(FAULT_LOOK, "has_right", NULL);
    return w->inner->db->has_right(w->inner->self, db, right, account, out, err);
}

static int64_t host_now(void *self)
{
    const struct wrapped *w = self;
    return w->inner->host->now(w->inner->self);
}

static int64_t host_monotonic_ms(void *self)
{
    const struct wrapped *w = self;
    return w->inner->host->monotonic_ms(w->inner->self);
}

static void host_sleep_ms(void *self, int64_t ms)
{
    const struct wrapped *w = self;
    w->inner->host->sleep_ms(w->inner->self, ms);
}

static enum errc host_calendar(void *self, int64_t unix_s, enum host_zone zone,
                               struct host_time *out, struct err *err)
{
    STEP_GIVES(FAULT_LOOK, "calendar", NULL);
    return w->inner->host->calendar(w->inner->self, unix_s, zone, out, err);
}

static enum errc host_config_folder(void *self, char *to, size_t room, struct err *err)
{
    STEP_GIVES(FAULT_LOOK, "config_folder", NULL);
    return w->inner->host->config_folder(w->inner->self, to, room, err);
}

static enum errc host_usual_folder(void *self, enum host_folder which, char *to, size_t room,
                                   struct err *err)
{
    STEP_GIVES(FAULT_LOOK, "usual_folder", NULL);
    return w->inner->host->usual_folder(w->inner->self, which, to, room, err);
}

static enum errc host_absolute_path(void *self, const char *path, char *to, size_t room,
                                    struct err *err)
{
    STEP_GIVES(FAULT_LOOK, "absolute_path", path);
    return w->inner->host->absolute_path(w->inner->self, path, to, room, err);
}

static enum errc host_temp_folder(void *self, char *to, size_t room, struct err *err)
{
    STEP_GIVES(FAULT_LOOK, "temp_folder", NULL);
    return w->inner->host->temp_folder(w->inner->self, to, room, err);
}

static enum errc host_system_anchors(void *self, host_cert_fn fn, void *ctx, struct err *err)
{
    STEP_GIVES(FAULT_LOOK, "system_anchors", NULL);
    return w->inner->host->system_anchors(w->inner->self, fn, ctx, err);
}

static enum errc host_machine_id(void *self, uint8_t *to, struct err *err)
{
    STEP_GIVES(FAULT_LOOK, "machine_id", NULL);
    return w->inner->host->machine_id(w->inner->self, to, err);
}

static enum errc host_boot_id(void *self, char *to, struct err *err)
{
    STEP_GIVES(FAULT_LOOK, "boot_id", NULL);
    return w->inner->host->boot_id(w->inner->self, to, err);
}

static enum errc host_random(void *self, uint8_t *to, size_t len, struct err *err)
{
    STEP_GIVES(FAULT_LOOK, "random", NULL);
    return w->inner->host->random(w->inner->self, to, len, err);
}

static enum errc host_name(void *self, char *to, size_t room, struct err *err)
{
    STEP_GIVES(FAULT_LOOK, "name", NULL);
    return w->inner->host->name(w->inner->self, to, room, err);
}

static enum errc host_os(void *self, struct host_os *out, struct err *err)
{
    STEP_GIVES(FAULT_LOOK, "os", NULL);
    return w->inner->host->os(w->inner->self, out, err);
}

static enum errc host_group_exists(void *self, const char *name, bool *out, struct err *err)
{
    STEP_GIVES(FAULT_LOOK, "group_exists", name);
    return w->inner->host->group_exists(w->inner->self, name, out, err);
}

static enum errc host_sid_exists(void *self, const char *sid, bool *out, struct err *err)
{
    STEP_GIVES(FAULT_LOOK, "sid_exists", sid);
    return w->inner->host->sid_exists(w->inner->self, sid, out, err);
}

static enum errc host_mutex_held(void *self, const char *name, bool *out, struct err *err)
{
    STEP_GIVES(FAULT_LOOK, "mutex_held", name);
    return w->inner->host->mutex_held(w->inner->self, name, out, err);
}

static enum errc host_proxy_for(void *self, const char *scheme, const char *host,
                                enum host_proxy *out, char to[HOST_PROXY_ROOM], struct err *err)
{
    STEP(FAULT_LOOK, "proxy_for", host);
    return w->inner->host->proxy_for(w->inner->self, scheme, host, out, to, err);
}

static enum errc host_log_event(void *self, int id, enum host_level level, const char *source,
                                const char *text, struct err *err)
{
    STEP(FAULT_LOOK, "log_event", NULL);
    return w->inner->host->log_event(w->inner->self, id, level, source, text, err);
}

static enum errc registry_get(void *self, const char *key, const char *value, char *to, size_t room,
                              bool *out_found, struct err *err)
{
    STEP_GIVES(FAULT_LOOK, "get_value", key);
    return w->inner->registry->get(w->inner->self, key, value, to, room, out_found, err);
}

static enum errc registry_set(void *self, const char *key, const char *value, const char *text,
                              struct err *err)
{
    STEP(FAULT_CHANGE, "set_value", key);
    return w->inner->registry->set(w->inner->self, key, value, text, err);
}

static enum errc registry_remove(void *self, const char *key, const char *value, struct err *err)
{
    STEP(FAULT_CHANGE, "remove_value", key);
    return w->inner->registry->remove(w->inner->self, key, value, err);
}

static enum errc registry_can_write(void *self, const char *key, bool *out_can, struct err *err)
{
    STEP_GIVES(FAULT_LOOK, "can_write_key", key);
    return w->inner->registry->can_write(w->inner->self, key, out_can, err);
}

static enum errc msi_related(void *self, const char *upgrade_code, msi_product_fn fn, void *ctx,
                             struct err *err)
{
    STEP_GIVES(FAULT_LOOK, "related", upgrade_code);
    return w->inner->msi->related(w->inner->self, upgrade_code, fn, ctx, err);
}

static enum errc msi_install(void *self, const char *package, bool again, const char *log,
                             struct msi_result *out, struct err *err)
{
    STEP_GIVES(FAULT_ACT, "install", package);
    return w->inner->msi->install(w->inner->self, package, again, log, out, err);
}

static enum errc msi_remove(void *self, const char *product_code, const char *log,
                            struct msi_result *out, struct err *err)
{
    STEP_GIVES(FAULT_ACT, "remove_product", product_code);
    return w->inner->msi->remove(w->inner->self, product_code, log, out, err);
}

static enum errc msi_is_busy(void *self, bool *out, struct err *err)
{
    STEP_GIVES(FAULT_LOOK, "installer_is_busy", "");
    return w->inner->msi->is_busy(w->inner->self, out, err);
}

static enum errc msi_restart_pending(void *self, bool *out, struct err *err)
{
    STEP_GIVES(FAULT_LOOK, "restart_pending", "");
    return w->inner->msi->restart_pending(w->inner->self, out, err);
}

static enum errc task_find(void *self, const char *name, struct buf *out, bool *out_found,
                           struct err *err)
{
    STEP_GIVES(FAULT_LOOK, "find_task", name);
    return w->inner->task->find(w->inner->self, name, out, out_found, err);
}

static enum errc task_put(void *self, const char *name, struct span xml, struct err *err)
{
    STEP(FAULT_ACT, "put_task", name);
    return w->inner->task->put(w->inner->self, name, xml, err);
}

static enum errc task_remove(void *self, const char *name, struct err *err)
{
    STEP(FAULT_ACT, "remove_task", name);
    return w->inner->task->remove(w->inner->self, name, err);
}

static enum errc task_own_account(void *self, char *to, size_t room, struct err *err)
{
    STEP_GIVES(FAULT_LOOK, "own_account", NULL);
    return w->inner->task->own_account(w->inner->self, to, room, err);
}

/* No step of a plan: that a witness says nothing is an answer that it may always give. */
static void witness_ask(void *self, struct source *src, struct witness_answer *out)
{
    struct wrapped *w = self;
    w->inner->witness->ask(w->inner->self, src, out);
}

struct platform *fault_wrap(struct platform *inner, const struct fault_plan *plan)
{
    static const struct fs_ops fs = { .kind = fs_kind,
                                      .list = fs_list,
                                      .open_source = fs_open_source,
                                      .open_source_nofollow = fs_open_source_nofollow,
                                      .stat_link = fs_stat_link,
                                      .read_link = fs_read_link,
                                      .is_shared = fs_is_shared,
                                      .guard = fs_guard,
                                      .is_mount_point = fs_is_mount_point,
                                      .has_writer = fs_has_writer,
                                      .is_locked = fs_is_locked,
                                      .can_write = fs_can_write,
                                      .free_bytes = fs_free_bytes,
                                      .create = fs_create,
                                      .make_folder = fs_make_folder,
                                      .make_private_folder = fs_make_private_folder,
                                      .make_readable_folder = fs_make_readable_folder,
                                      .make_link = fs_make_link,
                                      .hard_link = fs_hard_link,
                                      .clone = fs_clone,
                                      .remove = fs_remove,
                                      .remove_folder = fs_remove_folder,
                                      .set_mode = fs_set_mode,
                                      .copy_owner_and_attributes = fs_copy_owner_and_attributes,
                                      .set_owner = fs_set_owner,
                                      .set_mtime = fs_set_mtime,
                                      .rename_new = fs_rename_new,
                                      .exchange = fs_exchange,
                                      .point = fs_point,
                                      .append = fs_append,
                                      .cut = fs_cut,
                                      .sync_folder = fs_sync_folder,
                                      .flush_tree = fs_flush_tree,
                                      .lock = fs_lock,
                                      .unlock = fs_unlock };
    static const struct proc_ops proc = { .list = proc_list,
                                          .holders = proc_holders,
                                          .run = proc_run,
                                          .terminate = proc_terminate,
                                          .own_program = proc_own_program,
                                          .is_elevated = proc_is_elevated };
    static const struct host_ops host = { .now = host_now,
                                          .monotonic_ms = host_monotonic_ms,
                                          .sleep_ms = host_sleep_ms,
                                          .calendar = host_calendar,
                                          .config_folder = host_config_folder,
                                          .usual_folder = host_usual_folder,
                                          .absolute_path = host_absolute_path,
                                          .temp_folder = host_temp_folder,
                                          .system_anchors = host_system_anchors,
                                          .machine_id = host_machine_id,
                                          .boot_id = host_boot_id,
                                          .random = host_random,
                                          .name = host_name,
                                          .os = host_os,
                                          .group_exists = host_group_exists,
                                          .sid_exists = host_sid_exists,
                                          .mutex_held = host_mutex_held,
                                          .proxy_for = host_proxy_for,
                                          .log_event = host_log_event };
    static const struct service_ops service = { .status = service_status,
                                                .start = service_start,
                                                .stop = service_stop };
    static const struct db_ops db = { .open = db_open,
                                      .close = db_close,
                                      .kind = db_kind,
                                      .size = db_size,
                                      .has_right = db_has_right };
    static const struct registry_ops registry = { .get = registry_get,
                                                  .set = registry_set,
                                                  .remove = registry_remove,
                                                  .can_write = registry_can_write };
    static const struct msi_ops msi = { .related = msi_related,
                                        .install = msi_install,
                                        .remove = msi_remove,
                                        .is_busy = msi_is_busy,
                                        .restart_pending = msi_restart_pending };
    static const struct task_ops task = {
        .find = task_find, .put = task_put, .remove = task_remove, .own_account = task_own_account
    };
    static const struct witness_ops witness = { .ask = witness_ask };
    struct wrapped *w = mock_calloc(1, sizeof(*w));
    w->platform = (struct platform){ .fs = &fs,
                                     .proc = &proc,
                                     .host = &host,
                                     .service = &service,
                                     .db = &db,
                                     .registry = &registry,
                                     .msi = &msi,
                                     .task = &task,
                                     .witness = &witness,
                                     .paths = inner->paths,
                                     .self = w };
    w->inner = inner;
    w->plan = plan;
    return &w->platform;
}

void fault_unwrap(struct platform *wrapped)
{
    if (wrapped != NULL)
        free(wrapped->self);
}
