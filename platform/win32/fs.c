#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/win32/fs_parts.h"
#include "platform/win32/security.h"
#include "platform/win32/w32.h"

#define NAMES_MAX 100000

/* Where the link leads; FS_ABSENT where that is nothing. */
static enum errc kind_behind(const wchar_t *wide, enum fs_kind *out_kind, struct err *err)
{
    BY_HANDLE_FILE_INFORMATION info;
    HANDLE handle = CreateFileW(wide, FILE_READ_ATTRIBUTES,
                                FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
                                OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL);
    if (handle == INVALID_HANDLE_VALUE) {
        struct err why = { .code = E_OK };
        *out_kind = FS_ABSENT;
        if (w32_err_set(&why, GetLastError(), "cannot look at") != E_ABSENT) {
            if (err != NULL)
                *err = why;
            return why.code;
        }
        return E_OK;
    }
    enum errc rc = E_OK;
    if (GetFileInformationByHandle(handle, &info))
        *out_kind = (info.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) != 0 ? FS_FOLDER : FS_FILE;
    else
        rc = w32_err_set(err, GetLastError(), "cannot look at");
    (void)CloseHandle(handle);
    return rc;
}

enum errc fs_kind_of(void *self, const char *path, enum fs_kind *out_kind, struct err *err)
{
    wchar_t *wide;
    UNUSED(self);
    enum errc rc = w32_path(path, &wide, err);
    if (rc != E_OK)
        return rc;
    DWORD attributes = reparse_attributes(wide);
    DWORD os = GetLastError();
    if (attributes != INVALID_FILE_ATTRIBUTES) {
        if ((attributes & FILE_ATTRIBUTE_REPARSE_POINT) != 0)
            rc = kind_behind(wide, out_kind, err);
        else
            *out_kind = (attributes & FILE_ATTRIBUTE_DIRECTORY) != 0 ? FS_FOLDER : FS_FILE;
    } else {
        struct err why = { .code = E_OK };
        *out_kind = FS_ABSENT;
        rc = w32_err_set(&why, os, "cannot look at") == E_ABSENT ? E_OK : why.code;
        if (rc != E_OK && err != NULL)
            *err = why;
    }
    free(wide);
    return rc;
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
static enum errc kind_of(const wchar_t *wide, DWORD attributes, enum fs_kind *out, struct err *err)
{
    enum reparse_kind link = REPARSE_NONE;
    enum errc rc = fs_link_kind(wide, &link, err);
    if (rc != E_OK)
        return rc;
    if (link == REPARSE_NONE)
        *out = (attributes & FILE_ATTRIBUTE_DIRECTORY) != 0 ? FS_FOLDER : FS_FILE;
    else
        *out = link == REPARSE_OTHER ? FS_OTHER : FS_LINK;
    return E_OK;
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

static struct fs_info info_of(HANDLE handle, const BY_HANDLE_FILE_INFORMATION *info,
                              enum fs_kind kind)
{
    struct fs_info out = { .kind = kind };
    if (out.kind == FS_FILE)
        out.size = ((uint64_t)info->nFileSizeHigh << 32) | info->nFileSizeLow;
    out.mode = kind == FS_LINK ? 0777 : fs_mode_of(handle, kind == FS_FOLDER);
    out.mtime_ns = unix_ns(info->ftLastWriteTime);
    out.id[0] = info->dwVolumeSerialNumber;
    out.id[1] = ((uint64_t)info->nFileIndexHigh << 32) | info->nFileIndexLow;
    out.n_links = info->nNumberOfLinks;
    return out;
}

/* Who may look at a file may mostly read its access list, too. */
static enum errc open_to_look(const wchar_t *wide, HANDLE *out, struct err *err)
{
    struct err ignored;
    if (security_open(wide, FILE_READ_ATTRIBUTES | READ_CONTROL, out, &ignored) == E_OK)
        return E_OK;
    return security_open(wide, FILE_READ_ATTRIBUTES, out, err);
}

/* Nothing is there, or a link that can't be opened. */
static enum errc stat_unopened(const wchar_t *wide, struct fs_info *out, struct err *err)
{
    enum reparse_kind link = REPARSE_NONE;
    enum errc rc = fs_link_kind(wide, &link, err);
    if (rc == E_OK)
        *out = (struct fs_info){ .kind = link == REPARSE_NONE ? FS_ABSENT : FS_LINK };
    return rc;
}

static enum errc stat_wide(const wchar_t *wide, struct fs_info *out, struct err *err)
{
    BY_HANDLE_FILE_INFORMATION info;
    enum fs_kind kind = FS_ABSENT;
    HANDLE handle = NULL;
    enum errc rc = open_to_look(wide, &handle, err);
    if (rc == E_ABSENT)
        return stat_unopened(wide, out, err);
    if (rc != E_OK)
        return rc;
    if (!GetFileInformationByHandle(handle, &info))
        rc = w32_err_set(err, GetLastError(), "cannot look at");
    if (rc == E_OK)
        rc = kind_of(wide, info.dwFileAttributes, &kind, err);
    if (rc == E_OK)
        *out = info_of(handle, &info, kind);
    (void)CloseHandle(handle);
    return rc;
}

enum errc fs_stat_link(void *self, const char *path, struct fs_info *out, struct err *err)
{
    wchar_t *wide;
    UNUSED(self);
    enum errc rc = w32_path(path, &wide, err);
    if (rc != E_OK)
        return rc;
    rc = stat_wide(wide, out, err);
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
