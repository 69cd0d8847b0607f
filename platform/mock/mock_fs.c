/* Files, on the disk in memory. */

#include <stdlib.h>
#include <string.h>

#include "platform/base/text.h"
#include "platform/mock/mock_machine.h"

static struct disk *disk_of(void *self)
{
    return &((struct mock *)self)->disk;
}

/* --- looking */

static enum errc fs_kind_of(void *self, const char *path, enum fs_kind *out_kind, struct err *err)
{
    struct disk_place place;
    enum errc rc = disk_find(disk_of(self), path, true, &place, err);
    if (rc != E_OK && rc != E_ABSENT)
        return rc;
    *out_kind = rc == E_OK && place.node != NULL ? place.node->kind : FS_ABSENT;
    if (*out_kind == FS_LINK) /* that leads nowhere */
        *out_kind = FS_ABSENT;
    return E_OK;
}

static enum errc fs_list(void *self, const char *path, fs_name_fn fn, void *ctx, struct err *err)
{
    struct disk_node *folder = NULL;
    struct disk_names names = { NULL, 0, 0 };
    enum errc rc = disk_get(disk_of(self), path, true, &folder, err);
    if (rc == E_OK && folder->kind != FS_FOLDER)
        rc = err_set(err, E_ABSENT, "is no folder");
    for (size_t i = 0; rc == E_OK && i < folder->names.n; i++)
        disk_names_set(disk_of(self), &names, folder->names.items[i].text,
                       folder->names.items[i].node);
    for (size_t i = 0; i < names.n && rc == E_OK; i++)
        rc = fn(ctx, names.items[i].text, err);
    disk_names_fini(&names);
    return rc;
}

static enum errc fs_open_source(void *self, const char *path, struct source **out_src,
                                struct err *err)
{
    return mock_open_source(self, path, true, out_src, err);
}

static enum errc fs_open_source_nofollow(void *self, const char *path, struct source **out_src,
                                         struct err *err)
{
    return mock_open_source(self, path, false, out_src, err);
}

static enum errc fs_stat_link(void *self, const char *path, struct fs_info *out, struct err *err)
{
    struct disk *d = disk_of(self);
    struct disk_place place;
    enum errc rc = disk_find(d, path, false, &place, err);
    *out = (struct fs_info){ .kind = FS_ABSENT };
    if (rc == E_ABSENT || (rc == E_OK && place.node == NULL))
        return E_OK;
    if (rc != E_OK)
        return rc;
    const struct disk_node *node = place.node;
    *out = (struct fs_info){ .kind = node->kind,
                             .size = node->kind == FS_FILE ? node->bytes.len : 0,
                             .mode = node->meta.mode,
                             .has_mode = !d->is_windows,
                             .mtime_ns = node->meta.mtime_ns,
                             .id = { node->volume + 1, node->number },
                             .n_links = disk_n_links(d, node),
                             .owner = node->meta.owner,
                             .group = node->meta.group };
    return E_OK;
}

static enum errc fs_read_link(void *self, const char *path, struct buf *out, struct err *err)
{
    struct disk_node *node = NULL;
    enum errc rc = disk_get(disk_of(self), path, false, &node, err);
    if (rc == E_OK && node->kind != FS_LINK)
        rc = err_set(err, E_ARGUMENT, "is no link");
    return rc == E_OK ? buf_add_text(out, node->target, err) : rc;
}

static enum errc fs_is_shared(void *self, const char *path, bool *out_shared, struct err *err)
{
    struct disk_node *node = NULL;
    enum errc rc = disk_get(disk_of(self), path, true, &node, err);
    if (rc == E_OK)
        *out_shared = (node->meta.mode & 077) != 0;
    return rc;
}

/* Each component from the root on, as it stands; links are followed where they may be. */
static enum errc fs_guard(void *self, const char *path, unsigned flags, struct fs_guard *out,
                          struct err *err)
{
    char so_far[4096];
    const size_t len = strlen(path);
    *out = (struct fs_guard){ .is_safe = false };
    for (size_t i = 1; i <= len && i < sizeof(so_far); i++) {
        struct disk_node *node = NULL;
        if (path[i] != '/' && path[i] != '\0')
            continue;
        memcpy(so_far, path, i);
        so_far[i] = '\0';
        enum errc rc = disk_get(disk_of(self), so_far, (flags & FS_GUARD_LINKS) != 0, &node, err);
        if (rc != E_OK)
            return rc;
        const char *why = node->kind == FS_LINK                       ? "is a symbolic link"
                          : node->meta.owner != 0                     ? "belongs to another user"
                          : (node->meta.mode & 022) == 0              ? NULL
                          : (node->meta.mode & 01000) != 0 && i < len ? NULL
                                                                      : "may be written by others";
        if (why != NULL) {
            (void)text_copy(out->path, sizeof(out->path), so_far);
            (void)text_copy(out->why, sizeof(out->why), why);
            return E_OK;
        }
    }
    out->is_safe = true;
    return E_OK;
}

static enum errc fs_is_mount_point(void *self, const char *path, bool *out_is, struct err *err)
{
    struct disk_node *node = NULL;
    enum errc rc = disk_get(disk_of(self), path, false, &node, err);
    if (rc == E_OK)
        *out_is = disk_is_root_of_volume(disk_of(self), node);
    return rc;
}

static enum errc fs_has_writer(void *self, const char *path, bool *out_has, struct err *err)
{
    struct disk_node *node = NULL;
    enum errc rc = disk_get(disk_of(self), path, false, &node, err);
    if (rc == E_OK)
        *out_has = node->n_writers > 0;
    return rc;
}

static enum errc fs_is_locked(void *self, const char *path, bool *out_is, struct err *err)
{
    struct disk_place place;
    enum errc rc = disk_find(disk_of(self), path, true, &place, err);
    *out_is = rc == E_OK && place.node != NULL && place.node->is_locked;
    return rc == E_ABSENT ? E_OK : rc;
}

static enum errc fs_can_write(void *self, const char *folder, bool *out_can, struct err *err)
{
    struct disk_node *node = NULL;
    enum errc rc = disk_get(disk_of(self), folder, true, &node, err);
    if (rc == E_OK)
        *out_can =
            !disk_of(self)->volumes[node->volume].is_read_only && (node->meta.mode & 0200) != 0;
    return rc;
}

static enum errc fs_free_bytes(void *self, const char *path, uint64_t *out_bytes, struct err *err)
{
    struct disk_node *node = NULL;
    enum errc rc = disk_get(disk_of(self), path, true, &node, err);
    if (rc == E_OK)
        *out_bytes = disk_free_bytes(disk_of(self), node->volume);
    return rc;
}

/* --- making */

/* The place for something new. */
static enum errc find_free(struct disk *d, const char *path, struct disk_place *out,
                           struct err *err)
{
    enum errc rc = disk_find(d, path, false, out, err);
    if (rc == E_OK && (out->node != NULL || out->folder == NULL))
        rc = err_set(err, E_EXISTS, "is there already, and is not replaced");
    if (rc == E_OK && (out->folder->meta.mode & 0200) == 0)
        rc = err_set(err, E_ACCESS, "is in a folder that may not be written");
    return rc;
}

static enum errc fs_create(void *self, const char *path, unsigned flags, struct sink **out_sink,
                           struct err *err)
{
    return mock_create(self, path, flags, out_sink, err);
}

static enum errc put(struct disk *d, const struct disk_place *place, struct disk_node *node,
                     const char *what, const char *path, struct err *err)
{
    char name[256];
    memcpy(name, place->name, sizeof(name));
    struct disk_change change = { .n = 1, .set = { { place->folder, name, node } } };
    return disk_change(d, &change, what, path, err);
}

static enum errc make_folder(struct disk *d, const char *path, unsigned mode, struct err *err)
{
    struct disk_place place;
    enum errc rc = find_free(d, path, &place, err);
    if (rc != E_OK)
        return rc;
    return put(d, &place, disk_node_new(d, place.folder->volume, FS_FOLDER, mode), "make_folder",
               path, err);
}

static enum errc fs_make_folder(void *self, const char *path, struct err *err)
{
    return make_folder(disk_of(self), path, 0755, err);
}

static enum errc fs_make_private_folder(void *self, const char *path, struct err *err)
{
    return make_folder(disk_of(self), path, 0700, err);
}

static enum errc fs_make_readable_folder(void *self, const char *path, struct err *err)
{
    return make_folder(disk_of(self), path, 0755, err);
}

static enum errc fs_make_link(void *self, const char *target, const char *path, struct err *err)
{
    struct disk *d = disk_of(self);
    struct disk_place place;
    enum errc rc = find_free(d, path, &place, err);
    if (rc == E_OK && d->is_windows)
        rc = err_set(err, E_UNSUPPORTED, "symbolic links are not made on Windows");
    if (rc != E_OK)
        return rc;
    struct disk_node *link = disk_node_new(d, place.folder->volume, FS_LINK, 0777);
    link->target = mock_text(target);
    return put(d, &place, link, "make_link", path, err);
}

static enum errc find_file(struct disk *d, const char *path, struct disk_node **out,
                           struct err *err)
{
    enum errc rc = disk_get(d, path, false, out, err);
    if (rc == E_OK && (*out)->kind == FS_LINK)
        rc = err_set(err, E_ACCESS, "is a symbolic link, which is not followed");
    else if (rc == E_OK && (*out)->kind != FS_FILE)
        rc = err_set(err, E_ARGUMENT, "is no regular file");
    return rc;
}

static enum errc fs_hard_link(void *self, const char *from, const char *to, struct err *err)
{
    struct disk *d = disk_of(self);
    struct disk_node *node = NULL;
    struct disk_place place;
    enum errc rc = find_file(d, from, &node, err);
    if (rc == E_OK)
        rc = find_free(d, to, &place, err);
    if (rc == E_OK && place.folder->volume != node->volume)
        rc = err_set(err, E_UNSUPPORTED, "lies on another volume than its new name");
    return rc == E_OK ? put(d, &place, node, "hard_link", to, err) : rc;
}

static enum errc fs_clone(void *self, const char *from, const char *to, struct err *err)
{
    UNUSED(self);
    UNUSED(from);
    UNUSED(to);
    return err_set(err, E_UNSUPPORTED, "its file system cannot share blocks of files");
}

/* --- changing */

static enum errc check_can_go(const struct disk *d, const struct disk_node *node, struct err *err)
{
    if (d->is_windows && disk_has_open(node))
        return err_set(err, E_BUSY, "is open in another program, or something in it is");
    if (disk_is_root_of_volume(d, node))
        return err_set(err, E_BUSY, "is a volume of its own");
    return E_OK;
}

static enum errc fs_remove(void *self, const char *path, struct err *err)
{
    struct disk *d = disk_of(self);
    struct disk_place place;
    enum errc rc = disk_find(d, path, false, &place, err);
    if (rc == E_OK && place.node == NULL)
        rc = err_set(err, E_ABSENT, "is not there");
    if (rc == E_OK && place.node->kind == FS_FOLDER)
        rc = err_set(err, E_ARGUMENT, "is a folder");
    if (rc == E_OK)
        rc = check_can_go(d, place.node, err);
    return rc == E_OK ? put(d, &place, NULL, "remove", path, err) : rc;
}

static enum errc fs_remove_folder(void *self, const char *path, struct err *err)
{
    struct disk *d = disk_of(self);
    struct disk_place place;
    enum errc rc = disk_find(d, path, false, &place, err);
    if (rc == E_OK && place.node == NULL)
        rc = err_set(err, E_ABSENT, "is not there");
    if (rc == E_OK && place.node->kind != FS_FOLDER)
        rc = err_set(err, E_ABSENT, "is no folder");
    if (rc == E_OK && place.node->names.n > 0)
        rc = err_set(err, E_BUSY, "is a folder that is not empty");
    if (rc == E_OK)
        rc = check_can_go(d, place.node, err);
    return rc == E_OK ? put(d, &place, NULL, "remove_folder", path, err) : rc;
}

/* What platform.h says of Windows. */
static unsigned windows_mode(const struct disk_node *node, unsigned mode)
{
    const bool is_private = (node->meta.mode & 077) == 0;
    const unsigned all = node->kind == FS_FOLDER ? 0755 : 0644;
    if (is_private && (mode & 04) != 0)
        return all;
    return (mode & 077) == 0 ? all & 0700U : node->meta.mode;
}

static enum errc fs_set_mode(void *self, const char *path, unsigned mode, struct err *err)
{
    struct disk *d = disk_of(self);
    struct disk_node *node = NULL;
    enum errc rc = disk_get(d, path, false, &node, err);
    if (rc == E_OK && (node->kind == FS_LINK || (mode & ~07777U) != 0))
        rc = err_set(err, E_ARGUMENT, "has no such permissions");
    if (rc != E_OK)
        return rc;
    struct disk_meta meta = node->meta;
    meta.mode = d->is_windows ? windows_mode(node, mode) : mode;
    return disk_set_meta(d, node, &meta, "set_mode", path, err);
}

static enum errc fs_copy_owner_and_attributes(void *self, const char *from, const char *to,
                                              struct err *err)
{
    struct disk *d = disk_of(self);
    struct disk_node *a = NULL, *b = NULL;
    enum errc rc = disk_get(d, from, false, &a, err);
    if (rc == E_OK)
        rc = disk_get(d, to, false, &b, err);
    if (rc == E_OK && a->kind != b->kind)
        rc = err_set(err, E_ARGUMENT, "is of another kind than what it is to be like");
    if (rc != E_OK)
        return rc;
    struct disk_meta meta = b->meta;
    meta.owner = a->meta.owner;
    meta.group = a->meta.group;
    meta.mode = a->kind == FS_LINK ? meta.mode : a->meta.mode & (a->kind == FS_FILE ? 0777 : 07777);
    return disk_set_meta(d, b, &meta, "copy_owner", to, err);
}

static enum errc fs_set_owner(void *self, const char *path, uint32_t owner, uint32_t group,
                              struct err *err)
{
    struct disk_node *node = NULL;
    enum errc rc = disk_get(disk_of(self), path, false, &node, err);
    if (rc == E_OK && disk_of(self)->is_windows)
        rc = err_set(err, E_UNSUPPORTED, "owners are not set by number on Windows");
    if (rc != E_OK)
        return rc;
    struct disk_meta meta = node->meta;
    meta.owner = owner;
    meta.group = group;
    return disk_set_meta(disk_of(self), node, &meta, "set_owner", path, err);
}

static enum errc fs_set_mtime(void *self, const char *path, int64_t mtime_ns, struct err *err)
{
    struct disk_node *node = NULL;
    enum errc rc = disk_get(disk_of(self), path, false, &node, err);
    if (rc != E_OK)
        return rc;
    struct disk_meta meta = node->meta;
    meta.mtime_ns = mtime_ns;
    return disk_set_meta(disk_of(self), node, &meta, "set_mtime", path, err);
}

/* A folder can't be moved to below itself. */
static bool is_within(const struct disk_node *node, const struct disk_node *outer)
{
    if (node == outer)
        return true;
    for (size_t i = 0; i < outer->names.n; i++)
        if (is_within(node, outer->names.items[i].node))
            return true;
    return false;
}

static enum errc set_within(struct err *err)
{
    return err_set(err, E_UNSUPPORTED, "its file system cannot rename so in one step");
}

static enum errc fs_rename_new(void *self, const char *from, const char *to, struct err *err)
{
    struct disk *d = disk_of(self);
    struct disk_place a, b;
    enum errc rc = disk_find(d, from, false, &a, err);
    if (rc == E_OK)
        rc = disk_find(d, to, false, &b, err);
    if (rc == E_OK && a.node == NULL)
        rc = err_set(err, E_ABSENT, "is not there");
    if (rc == E_OK)
        rc = check_can_go(d, a.node, err);
    if (rc == E_OK)
        rc = find_free(d, to, &b, err);
    if (rc == E_OK && b.folder->volume != a.node->volume)
        rc = err_set(err, E_UNSUPPORTED, "lies on another volume than its new name");
    if (rc == E_OK && is_within(b.folder, a.node))
        rc = set_within(err);
    if (rc != E_OK)
        return rc;
    struct disk_change change = {
        .n = 2, .set = { { a.folder, a.name, NULL }, { b.folder, b.name, a.node } }
    };
    return disk_change(d, &change, "rename_new", to, err);
}

static enum errc fs_exchange(void *self, const char *one, const char *other, struct err *err)
{
    struct disk *d = disk_of(self);
    struct disk_place a, b;
    enum errc rc = disk_find(d, one, false, &a, err);
    if (rc == E_OK)
        rc = disk_find(d, other, false, &b, err);
    if (rc == E_OK && (a.node == NULL || b.node == NULL))
        rc = err_set(err, E_ABSENT, "is not there");
    if (rc == E_OK &&
        (!d->volumes[a.node->volume].can_exchange || a.node->volume != b.node->volume))
        rc = set_within(err);
    if (rc == E_OK && (is_within(b.folder, a.node) || is_within(a.folder, b.node)))
        rc = set_within(err);
    if (rc == E_OK)
        rc = check_can_go(d, a.node, err);
    if (rc == E_OK)
        rc = check_can_go(d, b.node, err);
    if (rc != E_OK)
        return rc;
    struct disk_change change = {
        .n = 2, .set = { { a.folder, a.name, b.node }, { b.folder, b.name, a.node } }
    };
    return disk_change(d, &change, "exchange", one, err);
}

static enum errc fs_point(void *self, const char *link, const char *target, struct err *err)
{
    struct disk *d = disk_of(self);
    struct disk_place place;
    enum errc rc = disk_find(d, link, false, &place, err);
    if (rc == E_OK && place.folder == NULL)
        rc = err_set(err, E_EXISTS, "is a folder");
    if (rc == E_OK && place.node != NULL && place.node->kind != FS_LINK)
        rc = err_set(err, E_EXISTS, "is there, is no symbolic link, and so is not replaced");
    if (rc != E_OK)
        return rc;
    struct disk_node *node = disk_node_new(d, place.folder->volume, FS_LINK, 0777);
    node->target = mock_text(target);
    return put(d, &place, node, "point", link, err);
}

/* --- a file of records */

/* A file of ours, made where there is none if that may be. */
static enum errc find_own(struct disk *d, const char *path, bool may_make, struct disk_place *out,
                          bool *out_is_new, struct err *err)
{
    *out_is_new = false;
    enum errc rc = disk_find(d, path, false, out, err);
    if (rc == E_OK && out->node == NULL && !may_make)
        rc = err_set(err, E_ABSENT, "is not there");
    if (rc == E_OK && out->node == NULL) {
        rc = find_free(d, path, out, err);
        if (rc != E_OK)
            return rc;
        out->node = disk_node_new(d, out->folder->volume, FS_FILE, 0600);
        *out_is_new = true;
        return put(d, out, out->node, "create", path, err);
    }
    if (rc != E_OK)
        return rc;
    if (out->node->kind == FS_LINK)
        return err_set(err, E_ACCESS, "is a symbolic link, which is not followed");
    if (out->node->kind != FS_FILE)
        return err_set(err, E_ARGUMENT, "is no regular file");
    if (disk_n_links(d, out->node) != 1)
        return err_set(err, E_ACCESS, "has several names, and must have one");
    return (out->node->meta.mode & 022) != 0 ? err_set(err, E_ACCESS, "may be written by others")
                                             : E_OK;
}

static enum errc fs_append(void *self, const char *path, struct span record, struct err *err)
{
    struct disk *d = disk_of(self);
    struct disk_place place;
    bool is_new = false;
    enum errc rc = find_own(d, path, true, &place, &is_new, err);
    if (rc != E_OK)
        return rc;
    const size_t before = place.node->bytes.len;
    rc = disk_write(d, place.node, record, path, err);
    if (rc == E_OK)
        rc = disk_flush(d, place.node, path, err);
    if (rc != E_OK)
        place.node->bytes.len = before;
    return rc == E_OK && is_new ? disk_flush_names(d, place.folder, path, err) : rc;
}

static enum errc fs_cut(void *self, const char *path, uint64_t size, struct err *err)
{
    struct disk *d = disk_of(self);
    struct disk_place place;
    bool is_new = false;
    enum errc rc = find_own(d, path, false, &place, &is_new, err);
    if (rc == E_OK && place.node->bytes.len < size)
        rc = err_set(err, E_TRUNCATED, "has fewer bytes than it is to keep");
    if (rc == E_OK)
        rc = disk_cut(d, place.node, (size_t)size, path, err);
    return rc == E_OK ? disk_flush(d, place.node, path, err) : rc;
}

/* --- making it last */

static enum errc fs_sync_folder(void *self, const char *path, struct err *err)
{
    struct disk_node *folder = NULL;
    enum errc rc = disk_get(disk_of(self), path, true, &folder, err);
    if (rc == E_OK && folder->kind != FS_FOLDER)
        rc = err_set(err, E_ABSENT, "is no folder");
    return rc == E_OK ? disk_flush_names(disk_of(self), folder, path, err) : rc;
}

static enum errc fs_flush_tree(void *self, const char *path, struct err *err)
{
    struct disk_node *folder = NULL;
    enum errc rc = disk_get(disk_of(self), path, false, &folder, err);
    return rc == E_OK ? disk_flush_tree(disk_of(self), folder, path, err) : rc;
}

/* --- one at a time */

struct fs_lock {
    struct disk_node *node;
};

/* The file says who has it; nobody counts on that. */
static enum errc set_holder(struct disk_node *file, const char *text, struct err *err)
{
    file->is_dirty = true;
    buf_clear(&file->bytes);
    return buf_add_text(&file->bytes, text, err);
}

static enum errc fs_lock(void *self, const char *path, struct fs_lock **out_lock, struct err *err)
{
    struct disk *d = disk_of(self);
    struct disk_place place;
    bool is_new = false;
    enum errc rc = find_own(d, path, true, &place, &is_new, err);
    if (rc == E_OK && place.node->is_locked)
        rc = err_set(err, E_BUSY, "is held by another process");
    if (rc != E_OK)
        return rc;
    place.node->is_locked = true;
    rc = set_holder(place.node, "42\n", err);
    if (rc != E_OK)
        return rc;
    *out_lock = mock_calloc(1, sizeof(**out_lock));
    (*out_lock)->node = place.node;
    return E_OK;
}

static void fs_unlock(void *self, struct fs_lock *lock)
{
    UNUSED(self);
    if (lock != NULL) {
        lock->node->is_locked = false;
        (void)!set_holder(lock->node, "", NULL);
    }
    free(lock);
}

const struct fs_ops mock_fs_ops = {
    .kind = fs_kind_of,
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
    .unlock = fs_unlock,
};
