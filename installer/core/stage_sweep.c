#include <string.h>

#include "installer/core/stage.h"
#include "platform/base/text.h"

#define DEPTH_MAX 256

struct sweeping {
    struct platform *p;
    const char *folder;
    size_t depth;
};

static enum errc sweep(struct platform *p, const char *path, size_t depth, struct err *err);

static enum errc sweep_name(void *ctx, const char *name, struct err *err)
{
    const struct sweeping *s = ctx;
    char path[SETUP_PATH_ROOM];
    enum errc rc = setup_join(s->folder, name, path, err);
    return rc == E_OK ? sweep(s->p, path, s->depth + 1, err) : rc;
}

/* A folder that denies its owner is opened first; what is in it is ours to take away. */
static enum errc sweep_folder(struct platform *p, const char *path, const struct fs_info *info,
                              size_t depth, struct err *err)
{
    struct sweeping s = { p, path, depth };
    bool is_mount = false;
    enum errc rc = p->fs->is_mount_point(p->self, path, &is_mount, err);
    if (rc == E_UNSUPPORTED)
        rc = E_OK;
    if (rc == E_OK && is_mount)
        return err_set(err, E_BUSY, "something is mounted there");
    if (rc == E_OK && (info->mode & 0700) != 0700)
        rc = p->fs->set_mode(p->self, path, 0700, err);
    if (rc == E_OK)
        rc = p->fs->list(p->self, path, sweep_name, &s, err);
    return rc == E_OK ? p->fs->remove_folder(p->self, path, err) : rc;
}

static enum errc sweep(struct platform *p, const char *path, size_t depth, struct err *err)
{
    char shown[120];
    struct fs_info info;
    enum errc rc = p->fs->stat_link(p->self, path, &info, err);
    if (rc == E_OK && info.kind == FS_ABSENT)
        return E_OK;
    if (rc == E_OK && depth > DEPTH_MAX)
        return err_set(err, E_LIMIT, "more than %d folders deep", DEPTH_MAX);
    if (rc == E_OK)
        rc = info.kind == FS_FOLDER ? sweep_folder(p, path, &info, depth, err)
                                    : p->fs->remove(p->self, path, err);
    if (rc == E_ABSENT)
        rc = E_OK;
    if (rc != E_OK && strlen(err->text) < 110)
        (void)err_prefix(err, "%s: ", text_printable(span_text(path), shown, sizeof(shown)));
    return rc;
}

enum errc stage_sweep(struct platform *platform, const char *tree, struct err *err)
{
    return sweep(platform, tree, 0, err);
}
