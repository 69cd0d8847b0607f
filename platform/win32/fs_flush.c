/* Making it last. NTFS and ReFS write each change of names to a log, in order, and what is flushed
 * later takes along all that came before: a folder that we may not open for writing (so that it
 * can't be flushed by itself) has no change of ours that is lost while a later one stays. Other
 * file systems must flush it, or say why not. What is asked of FlushFileBuffers for folders has not
 * yet been seen on Microsoft's own Windows. */

#include <stdio.h>
#include <stdlib.h>

#include "platform/win32/fs_parts.h"
#include "platform/win32/security.h"
#include "platform/win32/w32.h"

#define DEPTH_MAX 256

static bool has_log(const wchar_t *wide)
{
    wchar_t volume[MAX_PATH + 1], name[MAX_PATH + 1] = L"";
    if (!GetVolumePathNameW(wide, volume, ARRAY_LEN(volume)) ||
        !GetVolumeInformationW(volume, NULL, 0, NULL, NULL, NULL, name, ARRAY_LEN(name)))
        return false;
    return wcscmp(name, L"NTFS") == 0 || wcscmp(name, L"ReFS") == 0;
}

static bool is_refusal(DWORD os)
{
    return os == ERROR_ACCESS_DENIED || os == ERROR_INVALID_FUNCTION ||
           os == ERROR_INVALID_HANDLE || os == ERROR_INVALID_PARAMETER || os == ERROR_NOT_SUPPORTED;
}

static enum errc sync_wide(const wchar_t *wide, struct err *err)
{
    HANDLE handle = CreateFileW(wide, FILE_ADD_FILE | FILE_READ_ATTRIBUTES,
                                FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
                                OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL);
    DWORD os = handle == INVALID_HANDLE_VALUE ? GetLastError() : ERROR_SUCCESS;
    if (os == ERROR_SUCCESS) {
        os = FlushFileBuffers(handle) ? ERROR_SUCCESS : GetLastError();
        (void)CloseHandle(handle);
    }
    if (os == ERROR_SUCCESS || (is_refusal(os) && has_log(wide)))
        return E_OK;
    return w32_err_set(err, os, "cannot flush its names to the device");
}

enum errc fs_sync_folder(void *self, const char *folder, struct err *err)
{
    wchar_t *wide = NULL;
    enum fs_kind kind = FS_ABSENT;
    enum errc rc = fs_kind_of(self, folder, &kind, err);
    if (rc == E_OK && kind == FS_ABSENT)
        rc = err_set(err, E_ABSENT, "is not there");
    else if (rc == E_OK && kind != FS_FOLDER)
        rc = err_set(err, E_ABSENT, "is no folder");
    if (rc == E_OK)
        rc = w32_path(folder, &wide, err);
    if (rc == E_OK)
        rc = sync_wide(wide, err);
    free(wide);
    return rc;
}

enum errc fs_sync_parent(const wchar_t *wide, struct err *err)
{
    wchar_t *parent = fs_parent_of(wide);
    if (parent == NULL)
        return err_nomem(err);
    enum errc rc = sync_wide(parent, err);
    free(parent);
    return rc;
}

/* --- trees */

static HANDLE open_to_flush(const wchar_t *wide)
{
    return CreateFileW(wide, GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                       NULL, OPEN_EXISTING, FILE_FLAG_OPEN_REPARSE_POINT, NULL);
}

/* Only who may write can flush, and no one may write a file that is marked as read-only. */
static enum errc flush_file(const wchar_t *wide, DWORD attributes, struct err *err)
{
    const bool is_marked = (attributes & FILE_ATTRIBUTE_READONLY) != 0;
    if (is_marked && !SetFileAttributesW(wide, attributes & ~(DWORD)FILE_ATTRIBUTE_READONLY))
        return w32_err_set(err, GetLastError(), "cannot be opened to be flushed");
    HANDLE handle = open_to_flush(wide);
    DWORD os = handle == INVALID_HANDLE_VALUE ? GetLastError() : ERROR_SUCCESS;
    if (is_marked && !SetFileAttributesW(wide, attributes) && os == ERROR_SUCCESS)
        os = GetLastError();
    if (os == ERROR_SUCCESS && !FlushFileBuffers(handle))
        os = GetLastError();
    if (handle != INVALID_HANDLE_VALUE)
        (void)CloseHandle(handle);
    return os == ERROR_SUCCESS ? E_OK : w32_err_set(err, os, "cannot flush to the device");
}

static enum errc flush_below(const wchar_t *folder, size_t depth, struct err *err);

/* Links have no contents of their own. */
static enum errc flush_one(const wchar_t *folder, const WIN32_FIND_DATAW *found, size_t depth,
                           struct err *err)
{
    char *name = NULL;
    if (wcscmp(found->cFileName, L".") == 0 || wcscmp(found->cFileName, L"..") == 0 ||
        (found->dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT) != 0)
        return E_OK;
    const size_t room = wcslen(folder) + wcslen(found->cFileName) + 2;
    wchar_t *path = calloc(room, sizeof(*path));
    if (path == NULL)
        return err_nomem(err);
    (void)swprintf(path, room, L"%ls\\%ls", folder, found->cFileName);
    enum errc rc = (found->dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) != 0
                       ? flush_below(path, depth + 1, err)
                       : flush_file(path, found->dwFileAttributes, err);
    free(path);
    if (rc != E_OK && depth == 0 && w32_utf8(found->cFileName, &name, NULL) == E_OK)
        (void)err_prefix(err, "%.60s: ", name);
    free(name);
    return rc;
}

static enum errc flush_each(const wchar_t *folder, const wchar_t *pattern, size_t depth,
                            struct err *err)
{
    WIN32_FIND_DATAW found;
    HANDLE find = FindFirstFileW(pattern, &found);
    if (find == INVALID_HANDLE_VALUE)
        return w32_err_set(err, GetLastError(), "cannot list");
    struct err busy = { .code = E_OK };
    enum errc rc;
    do {
        rc = flush_one(folder, &found, depth, err);
        if (rc == E_BUSY) { /* said at the end; the others are flushed all the same */
            busy = *err;
            rc = E_OK;
        }
    } while (rc == E_OK && FindNextFileW(find, &found));
    if (rc == E_OK && GetLastError() != ERROR_NO_MORE_FILES)
        rc = w32_err_set(err, GetLastError(), "cannot list further");
    (void)FindClose(find);
    if (rc != E_OK || busy.code == E_OK)
        return rc;
    *err = busy;
    return E_BUSY;
}

/* What is in it first, then its names. */
static enum errc flush_below(const wchar_t *folder, size_t depth, struct err *err)
{
    if (depth > DEPTH_MAX)
        return err_set(err, E_LIMIT, "more than %d folders deep", DEPTH_MAX);
    const size_t room = wcslen(folder) + 3;
    wchar_t *pattern = calloc(room, sizeof(*pattern));
    if (pattern == NULL)
        return err_nomem(err);
    (void)swprintf(pattern, room, L"%ls\\*", folder);
    struct err busy, *said = err != NULL ? err : &busy;
    enum errc rc = flush_each(folder, pattern, depth, said);
    free(pattern);
    if (rc == E_OK || rc == E_BUSY) {
        struct err names;
        enum errc own = sync_wide(folder, &names);
        if (own != E_OK)
            *said = names;
        rc = own != E_OK ? own : rc;
    }
    return rc;
}

enum errc fs_flush_tree(void *self, const char *folder, struct err *err)
{
    wchar_t *wide = NULL;
    struct fs_info info;
    enum errc rc = fs_stat_link(self, folder, &info, err);
    if (rc == E_OK && info.kind == FS_ABSENT)
        rc = err_set(err, E_ABSENT, "is not there");
    else if (rc == E_OK && info.kind == FS_LINK)
        rc = err_set(err, E_ACCESS, "is a link, which is not followed");
    else if (rc == E_OK && info.kind != FS_FOLDER)
        rc = err_set(err, E_ABSENT, "is no folder");
    if (rc == E_OK)
        rc = w32_path(folder, &wide, err);
    if (rc == E_OK)
        rc = flush_below(wide, 0, err);
    free(wide);
    return rc;
}
