/* Installed files that are the very same as the release's: their blocks are shared, or they get a
 * second name. */

#include <string.h>

#include "installer/core/stage_private.h"
#include "platform/base/text.h"

bool stage_is_reused(const struct stage *s, size_t i)
{
    return (s->reused[i / 8] >> i % 8 & 1) != 0;
}

static enum errc has_hash(const struct stage *s, const char *path, const struct release_file *file,
                          bool *out_has, struct err *err)
{
    struct source *src = NULL;
    *out_has = false;
    enum errc rc = s->p->fs->open_source_nofollow(s->p->self, path, &src, err);
    if (rc != E_OK)
        return rc;
    if (src->size == file->size) {
        rc = hasher_reset(s->hasher, err);
        if (rc == E_OK)
            rc = hasher_add_source(s->hasher, src, 0, src->size, err);
        if (rc == E_OK)
            rc = stage_check_hash(s, file, err);
        *out_has = rc == E_OK;
        rc = rc == E_MALFORMED ? E_OK : rc;
    }
    source_close(src);
    return rc;
}

/* Where modes are not kept, who may read it is all that one says. */
static bool has_mode_of(const struct fs_info *info, const struct release_file *file)
{
    return info->has_mode ? info->mode == file->mode : ((info->mode ^ file->mode) & 04) == 0;
}

/* may_link: nobody but root could change the file behind our back, and it is what it is to be. */
static bool may_link(const struct stage *s, const struct fs_info *info,
                     const struct release_file *file, const char *path)
{
    struct err ignored;
    bool has_writer = true;
    return info->owner == 0 && s->ask.setup->is_elevated && (info->mode & 022) == 0 &&
           has_mode_of(info, file) &&
           s->p->fs->has_writer(s->p->self, path, &has_writer, &ignored) == E_OK && !has_writer;
}

/* take_over makes the new name, by blocks or as a second one; E_UNSUPPORTED where neither can be.
 */
static enum errc take_over(const struct stage *s, const char *old, const char *path,
                           const struct fs_info *info, const struct release_file *file,
                           struct err *err)
{
    enum errc rc = s->p->fs->clone(s->p->self, old, path, err);
    if (rc == E_UNSUPPORTED && may_link(s, info, file, old))
        rc = s->p->fs->hard_link(s->p->self, old, path, err);
    return rc;
}

static enum errc drop(const struct stage *s, const char *path, struct err *err)
{
    return s->p->fs->remove(s->p->self, path, err);
}

static enum errc reuse_one(struct stage *s, size_t i, struct err *err)
{
    const struct release_file *file = &s->payload->files.items[i];
    char old[SETUP_PATH_ROOM], path[SETUP_PATH_ROOM];
    struct fs_info info;
    bool is_it = false;
    enum errc rc = stage_old_path(s, file->path, old, err);
    if (rc == E_OK)
        rc = stage_path(s, file->path, path, err);
    if (rc == E_OK)
        rc = s->p->fs->stat_link(s->p->self, old, &info, err);
    if (rc != E_OK || info.kind != FS_FILE || info.size != file->size ||
        stage_is_configuration(s, file->path))
        return rc;
    rc = stage_make_parents(s, s->tree, file->path, err);
    if (rc == E_OK)
        rc = take_over(s, old, path, &info, file, err);
    if (rc == E_UNSUPPORTED)
        return E_OK;
    if (rc == E_OK)
        rc = has_hash(s, path, file, &is_it, err); /* through the new name */
    if (rc == E_OK && !is_it)
        return drop(s, path, err);
    if (rc != E_OK)
        return rc;
    s->reused[i / 8] |= (uint8_t)(1U << i % 8);
    s->report->n_reused++;
    s->report->n_files++;
    struct fs_info made;
    rc = s->p->fs->stat_link(s->p->self, path, &made, err);
    if (rc == E_OK && made.n_links == 1) /* one with two names has its things already */
        rc = stage_dress(s, file->path, file->mode, err);
    return rc;
}

enum errc stage_reuse_all(struct stage *s, struct err *err)
{
    enum errc rc = E_OK;
    for (size_t i = 0; i < s->payload->files.n && rc == E_OK && s->old_tree[0] != '\0'; i++)
        rc = reuse_one(s, i, err);
    return rc;
}
