#include "installer/core/folders.h"

#include "installer/core/setup.h"

static enum errc judge(struct platform *p, const char *path, struct err *err)
{
    struct fs_guard guard = { .is_safe = false };
    enum errc rc = p->fs->guard(p->self, path, 0, &guard, err);
    if (rc != E_OK)
        return setup_name_path(path, err);
    if (guard.is_safe)
        return E_OK;
    (void)err_set(err, E_ACCESS,
                  "%s; only an administrator may be able to change it: look what is in it, "
                  "then take it away or mend its access list",
                  guard.why);
    return setup_name_path(guard.path, err);
}

static enum errc prepare_one(struct platform *p, const char *path, bool *out_made, struct err *err)
{
    enum fs_kind kind = FS_ABSENT;
    enum errc rc = p->fs->make_readable_folder(p->self, path, err);
    *out_made = rc == E_OK;
    if (rc == E_OK)
        rc = setup_sync_parent(p, path, err);
    if (rc == E_EXISTS) {
        rc = p->fs->kind(p->self, path, &kind, err);
        if (rc == E_OK && kind != FS_FOLDER)
            rc = err_set(err, E_EXISTS, "is no folder");
    }
    return rc == E_OK ? judge(p, path, err) : setup_name_path(path, err);
}

enum errc folders_prepare(struct platform *p, folders_fn fn, void *ctx, struct err *err)
{
    static const char *const names[] = { "", "products.d", "anchors.d", "keys" };
    char config[SETUP_PATH_ROOM], path[SETUP_PATH_ROOM];
    enum errc rc = p->host->config_folder(p->self, config, sizeof(config), err);
    for (size_t i = 0; i < ARRAY_LEN(names) && rc == E_OK; i++) {
        bool is_made = false;
        rc = setup_join(config, names[i], path, err);
        if (rc == E_OK)
            rc = prepare_one(p, path, &is_made, err);
        if (rc == E_OK)
            rc = fn(ctx, path, is_made, err);
    }
    return rc;
}
