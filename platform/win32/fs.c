#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/win32/fs_parts.h"
#include "platform/win32/w32.h"

#define NAMES_MAX 100000

static enum errc fs_kind_of(void *self, const char *path, enum fs_kind *out_kind, struct err *err)
{
    wchar_t *wide;
    UNUSED(self);
    enum errc rc = w32_path(path, &wide, err);
    if (rc != E_OK)
        return rc;
    DWORD attributes = GetFileAttributesW(wide);
    DWORD os = GetLastError();
    free(wide);
    if (attributes == INVALID_FILE_ATTRIBUTES) {
        struct err why = { .code = E_OK };
        if (w32_err_set(&why, os, "cannot look at") != E_ABSENT) {
            if (err != NULL)
                *err = why;
            return why.code;
        }
        *out_kind = FS_ABSENT;
        return E_OK;
    }
    *out_kind = (attributes & FILE_ATTRIBUTE_DIRECTORY) != 0 ? FS_FOLDER : FS_FILE;
    return E_OK;
}

struct names {
    char **items;
    size_t n;
};

static enum errc add_name(struct names *names, const wchar_t *wide, struct err *err)
{
    char *text;
    if (wcscmp(wide, L".") == 0 || wcscmp(wide, L"..") == 0)
        return E_OK;
    if (names->n == NAMES_MAX)
        return err_set(err, E_LIMIT, "more than %d files in a folder", NAMES_MAX);
    char **grown = realloc(names->items, (names->n + 1) * sizeof(*grown));
    if (grown == NULL)
        return err_nomem(err);
    names->items = grown;
    enum errc rc = w32_utf8(wide, &text, err);
    if (rc == E_OK)
        names->items[names->n++] = text;
    return rc;
}

static enum errc read_names(const wchar_t *pattern, struct names *names, struct err *err)
{
    WIN32_FIND_DATAW found;
    HANDLE find = FindFirstFileW(pattern, &found);
    if (find == INVALID_HANDLE_VALUE)
        return w32_err_set(err, GetLastError(), "cannot list");
    enum errc rc;
    do
        rc = add_name(names, found.cFileName, err);
    while (rc == E_OK && FindNextFileW(find, &found));
    if (rc == E_OK && GetLastError() != ERROR_NO_MORE_FILES)
        rc = w32_err_set(err, GetLastError(), "cannot list further");
    (void)FindClose(find);
    return rc;
}

static int order_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static enum errc fs_list(void *self, const char *folder, fs_name_fn fn, void *ctx, struct err *err)
{
    struct names names = { NULL, 0 };
    wchar_t *wide;
    UNUSED(self);
    enum errc rc = w32_path(folder, &wide, err);
    if (rc != E_OK)
        return rc;
    size_t room = wcslen(wide) + 3;
    wchar_t *pattern = calloc(room, sizeof(*pattern));
    if (pattern == NULL) {
        rc = err_nomem(err);
        goto done;
    }
    (void)swprintf(pattern, room, L"%ls\\*", wide);
    rc = read_names(pattern, &names, err);
    if (rc == E_OK && names.n > 0)
        qsort(names.items, names.n, sizeof(*names.items), order_names);
    for (size_t i = 0; i < names.n && rc == E_OK; i++)
        rc = fn(ctx, names.items[i], err);
done:
    for (size_t i = 0; i < names.n; i++)
        free(names.items[i]);
    free(names.items);
    free(pattern);
    free(wide);
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
    return w32_source_open_nofollow(path, out_src, err);
}

static enum errc fs_create(void *self, const char *path, unsigned flags, struct sink **out_sink,
                           struct err *err)
{
    UNUSED(self);
    return sink_file_create(path, flags, out_sink, err);
}

/* Symbolic links and junctions lead elsewhere; other reparse points (files kept in a cloud, or
 * without their duplicates) are none of the kinds that we read. */
static enum fs_kind kind_of_handle(HANDLE handle, DWORD attributes)
{
    FILE_ATTRIBUTE_TAG_INFO tag;
    if ((attributes & FILE_ATTRIBUTE_REPARSE_POINT) == 0)
        return (attributes & FILE_ATTRIBUTE_DIRECTORY) != 0 ? FS_FOLDER : FS_FILE;
    if (GetFileInformationByHandleEx(handle, FileAttributeTagInfo, &tag, sizeof(tag)) &&
        (tag.ReparseTag == IO_REPARSE_TAG_SYMLINK || tag.ReparseTag == IO_REPARSE_TAG_MOUNT_POINT))
        return FS_LINK;
    return FS_OTHER;
}

/* From 100 ns since 1601 to ns since 1970; the few centuries that this can't hold are cut. */
static int64_t unix_ns(FILETIME t)
{
    const int64_t epoch = INT64_C(116444736000000000), most = INT64_MAX / 100;
    int64_t ticks = (int64_t)(((uint64_t)t.dwHighDateTime << 32) | t.dwLowDateTime);
    if (ticks < 0 || ticks - epoch > most)
        return INT64_MAX;
    return ticks - epoch < -most ? INT64_MIN : (ticks - epoch) * 100;
}

static struct fs_info info_of_handle(HANDLE handle, const BY_HANDLE_FILE_INFORMATION *info)
{
    struct fs_info out = { .kind = kind_of_handle(handle, info->dwFileAttributes) };
    if (out.kind == FS_FILE)
        out.size = ((uint64_t)info->nFileSizeHigh << 32) | info->nFileSizeLow;
    out.mode = out.kind == FS_FILE ? 0644 : 0755;
    out.mtime_ns = unix_ns(info->ftLastWriteTime);
    out.id[0] = info->dwVolumeSerialNumber;
    out.id[1] = ((uint64_t)info->nFileIndexHigh << 32) | info->nFileIndexLow;
    out.n_links = info->nNumberOfLinks;
    return out;
}

static enum errc fs_stat_link(void *self, const char *path, struct fs_info *out, struct err *err)
{
    BY_HANDLE_FILE_INFORMATION info;
    enum fs_kind kind;
    wchar_t *wide;
    enum errc rc = fs_kind_of(self, path, &kind, err);
    if (rc == E_OK && kind == FS_ABSENT)
        *out = (struct fs_info){ .kind = FS_ABSENT };
    if (rc != E_OK || kind == FS_ABSENT)
        return rc;
    rc = w32_path(path, &wide, err);
    if (rc != E_OK)
        return rc;
    HANDLE handle = CreateFileW(
        wide, FILE_READ_ATTRIBUTES, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
        OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT, NULL);
    free(wide);
    if (handle == INVALID_HANDLE_VALUE)
        return w32_err_set(err, GetLastError(), "cannot look at");
    if (GetFileInformationByHandle(handle, &info))
        *out = info_of_handle(handle, &info);
    else
        rc = w32_err_set(err, GetLastError(), "cannot look at");
    (void)CloseHandle(handle);
    return rc;
}

static enum errc fs_read_link(void *self, const char *path, struct buf *out, struct err *err)
{
    UNUSED(self);
    UNUSED(path);
    UNUSED(out);
    return err_set(err, E_UNSUPPORTED, "is a symbolic link, which is not read on Windows");
}

static enum errc fs_remove(void *self, const char *path, struct err *err)
{
    wchar_t *wide;
    UNUSED(self);
    enum errc rc = w32_path(path, &wide, err);
    if (rc != E_OK)
        return rc;
    if (!DeleteFileW(wide))
        rc = w32_err_set(err, GetLastError(), "cannot remove");
    free(wide);
    return rc;
}

static enum errc fs_make_folder(void *self, const char *path, struct err *err)
{
    wchar_t *wide;
    UNUSED(self);
    enum errc rc = w32_path(path, &wide, err);
    if (rc != E_OK)
        return rc;
    if (!CreateDirectoryW(wide, NULL))
        rc = w32_err_set(err, GetLastError(), "cannot make the folder");
    free(wide);
    return rc;
}

static enum errc fs_remove_folder(void *self, const char *path, struct err *err)
{
    wchar_t *wide;
    UNUSED(self);
    enum errc rc = w32_path(path, &wide, err);
    if (rc != E_OK)
        return rc;
    if (!RemoveDirectoryW(wide)) {
        DWORD code = GetLastError();
        rc = code == ERROR_DIR_NOT_EMPTY ? err_set(err, E_BUSY, "is a folder that is not empty")
                                         : w32_err_set(err, code, "cannot remove the folder");
    }
    free(wide);
    return rc;
}

static enum errc fs_is_shared(void *self, const char *path, bool *out_shared, struct err *err)
{
    UNUSED(self);
    UNUSED(path);
    UNUSED(out_shared);
    return err_set(err, E_UNSUPPORTED, "access lists of files are not read here");
}

const struct fs_ops win32_fs_ops = {
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
