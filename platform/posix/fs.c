#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/base/buf.h"
#include "platform/posix/again.h"
#include "platform/posix/fs_parts.h"
#include "platform/posix/os_err.h"
#include "platform/posix/posix.h"

static enum errc fs_kind_of(void *self, const char *path, enum fs_kind *out_kind, struct err *err)
{
    struct stat st;
    UNUSED(self);
    if (stat(path, &st) != 0) {
        if (errno != ENOENT && errno != ENOTDIR && errno != ENAMETOOLONG)
            return os_err_set(err, errno, "cannot look at");
        *out_kind = FS_ABSENT;
        return E_OK;
    }
    *out_kind = S_ISREG(st.st_mode) ? FS_FILE : S_ISDIR(st.st_mode) ? FS_FOLDER : FS_OTHER;
    return E_OK;
}

static int keep_name(const struct dirent *entry)
{
    return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

static int order_names(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static enum errc fs_list(void *self, const char *folder, fs_name_fn fn, void *ctx, struct err *err)
{
    struct dirent **names;
    enum errc rc = E_OK;
    UNUSED(self);
    int n = again_scandir(folder, &names, keep_name, order_names);
    if (n < 0)
        return os_err_set(err, errno, "cannot list");
    for (int i = 0; i < n; i++) {
        if (rc == E_OK)
            rc = fn(ctx, names[i]->d_name, err);
        free(names[i]);
    }
    free(names);
    return rc;
}

static enum errc fs_open_source(void *self, const char *path, struct source **out_src,
                                struct err *err)
{
    UNUSED(self);
    return source_file_open(path, out_src, err);
}

static enum errc fs_open_source_nofollow(void *self, const char *path, struct source **out_src,
                                         struct err *err)
{
    UNUSED(self);
    return posix_source_open_nofollow(path, out_src, err);
}

static enum errc fs_create(void *self, const char *path, unsigned flags, struct sink **out_sink,
                           struct err *err)
{
    UNUSED(self);
    return sink_file_create(path, flags, out_sink, err);
}

static enum fs_kind kind_of_mode(mode_t mode)
{
    return S_ISREG(mode) ? FS_FILE : S_ISDIR(mode) ? FS_FOLDER : S_ISLNK(mode) ? FS_LINK : FS_OTHER;
}

static enum errc fs_stat_link(void *self, const char *path, struct fs_info *out, struct err *err)
{
    struct stat st;
    UNUSED(self);
    if (lstat(path, &st) != 0) {
        if (errno != ENOENT && errno != ENOTDIR && errno != ENAMETOOLONG)
            return os_err_set(err, errno, "cannot look at");
        *out = (struct fs_info){ .kind = FS_ABSENT };
        return E_OK;
    }
    *out = (struct fs_info){
        .kind = kind_of_mode(st.st_mode),
        .size = S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0,
        .mode = st.st_mode & 07777,
        .has_mode = true,
        .mtime_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec,
        .id = { (uint64_t)st.st_dev, (uint64_t)st.st_ino },
        .n_links = (uint64_t)st.st_nlink,
        .owner = st.st_uid,
        .group = st.st_gid,
    };
    return E_OK;
}

static enum errc fs_read_link(void *self, const char *path, struct buf *out, struct err *err)
{
    char target[PATH_MAX];
    UNUSED(self);
    ssize_t n = readlink(path, target, sizeof(target));
    if (n < 0)
        return os_err_set(err, errno, "cannot read the link");
    if ((size_t)n == sizeof(target))
        return err_set(err, E_LIMIT, "is a link with a target of more than %d bytes", PATH_MAX);
    return buf_add(out, span_of(target, (size_t)n), err);
}

static enum errc fs_remove(void *self, const char *path, struct err *err)
{
    UNUSED(self);
    return unlink(path) == 0 ? E_OK : os_err_set(err, errno, "cannot remove");
}

static enum errc fs_make_folder(void *self, const char *path, struct err *err)
{
    UNUSED(self);
    return mkdir(path, 0777) == 0 ? E_OK : os_err_set(err, errno, "cannot make the folder");
}

static enum errc fs_remove_folder(void *self, const char *path, struct err *err)
{
    UNUSED(self);
    if (rmdir(path) == 0)
        return E_OK;
    if (errno == ENOTEMPTY || errno == EEXIST)
        return err_set(err, E_BUSY, "is a folder that is not empty");
    return os_err_set(err, errno, "cannot remove the folder");
}

static enum errc fs_is_shared(void *self, const char *path, bool *out_shared, struct err *err)
{
    struct stat st;
    UNUSED(self);
    if (stat(path, &st) != 0)
        return os_err_set(err, errno, "cannot look at");
    *out_shared = (st.st_mode & (S_IRWXG | S_IRWXO)) != 0;
    return E_OK;
}

const struct fs_ops posix_fs_ops = {
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
