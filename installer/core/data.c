#include "installer/core/data.h"

#include <stdio.h>
#include <string.h>

#include "installer/core/command.h"
#include "installer/core/copy.h"
#include "installer/core/stage.h"
#include "platform/base/text.h"

/* Where one piece of data is, and where its snapshot lies. */
struct spot {
    char data[SETUP_PATH_ROOM];   /* itself */
    char folder[SETUP_PATH_ROOM]; /* private, of the snapshot */
    char part[SETUP_PATH_ROOM];   /* in it: a snapshot that is being taken */
    char copy[SETUP_PATH_ROOM];   /* one that is whole */
    char none[SETUP_PATH_ROOM];   /* there was nothing to take one of */
    char failed[SETUP_PATH_ROOM]; /* the data that a restore put aside */
};

static const struct files_data *data_of(const struct data_place *p, size_t k)
{
    return &p->setup->product.files.data.items[k];
}

static const char *shown_name(const struct data_place *p, size_t k, char to[120])
{
    const struct files_data *d = data_of(p, k);
    return text_printable(span_text(d->path != NULL ? d->path : d->folder), to, 120);
}

static enum errc name_data(const struct data_place *p, size_t k, enum errc rc, struct err *err)
{
    char shown[120];
    return rc == E_OK ? rc : err_prefix(err, "data in %s: ", shown_name(p, k, shown));
}

static enum errc folder_of(const struct data_place *p, size_t k, struct spot *s, struct err *err)
{
    char name[160];
    if (data_of(p, k)->path != NULL) {
        (void)snprintf(name, sizeof(name), "data-%zu", k);
        return setup_join(p->run_folder, name, s->folder, err);
    }
    char parent[SETUP_PATH_ROOM];
    setup_parent(s->data, parent);
    if (os_path_is_root(parent) || strcmp(parent, s->data) == 0)
        return err_set(err, E_UNSUPPORTED, "a folder at the root has no place beside it");
    (void)snprintf(name, sizeof(name), ".surefoot-%.100s-%zu", p->run, k);
    return setup_join(parent, name, s->folder, err);
}

static enum errc find_spot(const struct data_place *p, size_t k, const char *tree, struct spot *s,
                           struct err *err)
{
    const struct files_data *d = data_of(p, k);
    enum errc rc = E_OK;
    if (d->path != NULL)
        rc = tree != NULL ? setup_join(tree, d->path, s->data, err) : E_OK;
    else
        rc = setup_resolve(p->setup, d->folder, s->data, err);
    if (rc == E_OK && d->path == NULL)
        os_path_cut_slashes(s->data);
    if (rc == E_OK)
        rc = folder_of(p, k, s, err);
    if (rc == E_OK)
        rc = setup_join(s->folder, "part", s->part, err);
    if (rc == E_OK)
        rc = setup_join(s->folder, "copy", s->copy, err);
    if (rc == E_OK)
        rc = setup_join(s->folder, "none", s->none, err);
    return rc == E_OK ? setup_join(s->folder, "failed", s->failed, err) : rc;
}

static enum errc is_there(const struct data_place *p, const char *path, bool *out, struct err *err)
{
    struct platform *m = p->setup->platform;
    struct fs_info info;
    enum errc rc = m->fs->stat_link(m->self, path, &info, err);
    if (rc == E_OK)
        *out = info.kind != FS_ABSENT;
    return rc;
}

static enum errc rename_and_sync(const struct data_place *p, const char *from, const char *to,
                                 struct err *err)
{
    struct platform *m = p->setup->platform;
    enum errc rc = m->fs->rename_new(m->self, from, to, err);
    if (rc == E_OK)
        rc = setup_sync_parent(p->setup->platform, from, err);
    return rc == E_OK ? setup_sync_parent(p->setup->platform, to, err) : rc;
}

static enum errc sync_again(const struct data_place *p, const char *from, const char *to,
                            struct err *err)
{
    enum errc rc = setup_sync_again(p->setup->platform, from, err);
    return rc == E_OK ? setup_sync_again(p->setup->platform, to, err) : rc;
}

/* --- before */

enum errc data_check(const struct data_place *p, size_t k, struct err *err)
{
    struct platform *m = p->setup->platform;
    struct spot s;
    bool there = false, is_mount = false;
    if (data_of(p, k)->protect != DATA_SNAPSHOT || data_of(p, k)->path != NULL)
        return E_OK; /* mount points in the tree are for the survey to find */
    enum errc rc = find_spot(p, k, NULL, &s, err);
    if (rc == E_OK)
        rc = is_there(p, s.data, &there, err);
    if (rc == E_OK && there)
        rc = m->fs->is_mount_point(m->self, s.data, &is_mount, err);
    if (rc == E_OK && is_mount)
        rc = err_set(err, E_UNSUPPORTED,
                     "it is a volume of its own, so that a snapshot can't take its place; protect "
                     "it by commands, or name a folder in it");
    return name_data(p, k, rc, err);
}

/* --- snapshots */

static enum errc take_snapshot(const struct data_place *p, const struct spot *s, struct err *err)
{
    struct platform *m = p->setup->platform;
    bool is_whole = false, is_none = false, there = false;
    enum errc rc = is_there(p, s->copy, &is_whole, err);
    if (rc == E_OK)
        rc = is_there(p, s->none, &is_none, err);
    if (rc != E_OK || is_whole || is_none)
        return rc;
    rc = stage_sweep(m, s->folder, err); /* what an interrupted one left */
    if (rc == E_OK)
        rc = m->fs->make_private_folder(m->self, s->folder, err); /* its name is flushed below */
    if (rc == E_OK)
        rc = is_there(p, s->data, &there, err);
    if (rc != E_OK)
        return rc;
    if (!there) {
        rc = m->fs->make_private_folder(m->self, s->none, err);
        return rc == E_OK ? m->fs->sync_folder(m->self, s->folder, err) : rc;
    }
    rc = copy_tree(m, s->data, s->part, err);
    if (rc == E_OK)
        rc = m->fs->flush_tree(m->self, s->folder, err);
    if (rc == E_OK)
        rc = rename_and_sync(p, s->part, s->copy, err);
    return rc == E_OK ? setup_sync_parent(m, s->folder, err) : rc;
}

static enum errc put_back(const struct data_place *p, const struct spot *s, struct err *err)
{
    bool has_copy = false, was_none = false, there = false, is_aside = false;
    enum errc rc = is_there(p, s->copy, &has_copy, err);
    if (rc == E_OK)
        rc = is_there(p, s->none, &was_none, err);
    if (rc == E_OK)
        rc = is_there(p, s->data, &there, err);
    if (rc == E_OK)
        rc = is_there(p, s->failed, &is_aside, err);
    if (rc == E_OK && !has_copy && !was_none)
        return sync_again(p, s->copy, s->data, err); /* put back already */
    if (rc != E_OK)
        return rc;
    if (there && !(was_none && is_aside))
        rc = rename_and_sync(p, s->data, s->failed, err);
    return rc == E_OK && has_copy ? rename_and_sync(p, s->copy, s->data, err) : rc;
}

enum errc data_protect(const struct data_place *p, size_t k, const char *tree, struct err *err)
{
    const struct files_data *d = data_of(p, k);
    struct spot s;
    enum errc rc = E_OK;
    if (d->protect == DATA_COMMAND)
        rc = command_demand(p->setup, &d->backup, err);
    if (d->protect == DATA_SNAPSHOT) {
        rc = find_spot(p, k, tree, &s, err);
        if (rc == E_OK)
            rc = take_snapshot(p, &s, err);
    }
    return name_data(p, k, rc, err);
}

enum errc data_restore(const struct data_place *p, size_t k, const char *tree, struct err *err)
{
    const struct files_data *d = data_of(p, k);
    struct spot s;
    enum errc rc = E_OK;
    if (d->protect == DATA_COMMAND)
        rc = command_demand(p->setup, &d->restore, err);
    if (d->protect == DATA_SNAPSHOT) {
        rc = find_spot(p, k, tree, &s, err);
        if (rc == E_OK)
            rc = put_back(p, &s, err);
    }
    return name_data(p, k, rc, err);
}

enum errc data_discard(const struct data_place *p, size_t k, struct err *err)
{
    struct spot s;
    if (data_of(p, k)->protect != DATA_SNAPSHOT)
        return E_OK;
    enum errc rc = find_spot(p, k, NULL, &s, err);
    if (rc == E_OK)
        rc = stage_sweep(p->setup->platform, s.folder, err);
    return name_data(p, k, rc, err);
}

/* --- from tree to tree */

enum errc data_move(const struct data_place *p, size_t k, const char *from_tree,
                    const char *to_tree, struct err *err)
{
    const struct files_data *d = data_of(p, k);
    char from[SETUP_PATH_ROOM], to[SETUP_PATH_ROOM];
    bool there = false;
    if (d->path == NULL)
        return E_OK;
    enum errc rc = setup_join(from_tree, d->path, from, err);
    if (rc == E_OK)
        rc = setup_join(to_tree, d->path, to, err);
    if (rc == E_OK)
        rc = is_there(p, from, &there, err);
    if (rc == E_OK && there)
        rc = rename_and_sync(p, from, to, err);
    else if (rc == E_OK)
        rc = sync_again(p, from, to, err);
    return name_data(p, k, rc, err);
}
