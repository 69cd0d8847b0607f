#include <stdlib.h>

#include "platform/win32/fs_parts.h"
#include "platform/win32/reparse.h"
#include "platform/win32/security.h"
#include "platform/win32/w32.h"

static enum errc set_taken(struct err *err)
{
    return err_set(err, E_EXISTS, "is there already, and is not replaced");
}

static enum errc set_other_volume(struct err *err)
{
    return err_set(err, E_UNSUPPORTED, "lies on another volume than its new name");
}

wchar_t *fs_parent_of(const wchar_t *wide)
{
    wchar_t *parent = _wcsdup(wide);
    wchar_t *slash = parent == NULL ? NULL : wcsrchr(parent, L'\\');
    if (slash == NULL)
        return parent;
    const bool is_root = wcschr(parent + 4, L'\\') == slash; /* keeps its backslash */
    slash[is_root ? 1 : 0] = L'\0';
    return parent;
}

enum errc fs_link_kind(const wchar_t *wide, enum reparse_kind *out, struct err *err)
{
    const DWORD attributes = reparse_attributes(wide);
    *out = REPARSE_NONE;
    if (attributes == INVALID_FILE_ATTRIBUTES || (attributes & FILE_ATTRIBUTE_REPARSE_POINT) == 0)
        return E_OK;
    return reparse_kind_of(wide, out, err);
}

enum errc fs_make_link(void *self, const char *target, const char *path, struct err *err)
{
    UNUSED(self);
    UNUSED(target);
    UNUSED(path);
    return err_set(err, E_UNSUPPORTED, "symbolic links are not made on Windows");
}

enum errc fs_clone(void *self, const char *from, const char *to, struct err *err)
{
    UNUSED(self);
    UNUSED(from);
    UNUSED(to);
    return err_set(err, E_UNSUPPORTED, "blocks of files are not shared on Windows");
}

enum errc fs_exchange(void *self, const char *a, const char *b, struct err *err)
{
    UNUSED(self);
    UNUSED(a);
    UNUSED(b);
    return err_set(err, E_UNSUPPORTED, "Windows cannot exchange two names in one step");
}

/* --- second names */

enum errc fs_check_regular(HANDLE handle, struct err *err)
{
    BY_HANDLE_FILE_INFORMATION info;
    if (GetFileType(handle) != FILE_TYPE_DISK)
        return err_set(err, E_ARGUMENT, "is no regular file");
    if (!GetFileInformationByHandle(handle, &info))
        return w32_err_set(err, GetLastError(), "cannot look at");
    if ((info.dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT) != 0)
        return err_set(err, E_ACCESS, "is a link of some kind, which is not followed");
    if ((info.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) != 0)
        return err_set(err, E_ARGUMENT, "is no regular file");
    return E_OK;
}

static enum errc link_failed(DWORD os, struct err *err)
{
    switch (os) {
    case ERROR_ALREADY_EXISTS:
    case ERROR_FILE_EXISTS: return set_taken(err);
    case ERROR_NOT_SAME_DEVICE: return set_other_volume(err);
    case ERROR_TOO_MANY_LINKS:
        return err_set(err, E_UNSUPPORTED, "has as many names as its file system allows");
    case ERROR_INVALID_FUNCTION:
        return err_set(err, E_UNSUPPORTED, "its file system gives a file one name only");
    default: return w32_err_set(err, os, "cannot be given a second name");
    }
}

/* What runs, and what a program reads that lets no one write, could be neither flushed under its
 * new name nor, where it runs, be taken away again. Whoever may not write it for another reason is
 * not hindered. */
static enum errc check_not_in_use(const wchar_t *wide, struct err *err)
{
    HANDLE handle =
        CreateFileW(wide, GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                    NULL, OPEN_EXISTING, FILE_FLAG_OPEN_REPARSE_POINT, NULL);
    const DWORD os = handle == INVALID_HANDLE_VALUE ? GetLastError() : ERROR_SUCCESS;
    if (handle != INVALID_HANDLE_VALUE)
        (void)CloseHandle(handle);
    return os == ERROR_SHARING_VIOLATION
               ? err_set(err, E_UNSUPPORTED, "is in use, and so gets no second name")
               : E_OK;
}

/* It is held while it gets its name, so that it is the file that was looked at. */
enum errc fs_hard_link(void *self, const char *from, const char *to, struct err *err)
{
    wchar_t *wide_from = NULL, *wide_to = NULL;
    HANDLE handle = INVALID_HANDLE_VALUE;
    UNUSED(self);
    enum errc rc = w32_path(from, &wide_from, err);
    if (rc == E_OK)
        rc = w32_path(to, &wide_to, err);
    if (rc == E_OK) {
        handle = CreateFileW(wide_from, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL,
                             OPEN_EXISTING,
                             FILE_FLAG_OPEN_REPARSE_POINT | FILE_FLAG_BACKUP_SEMANTICS, NULL);
        rc = handle == INVALID_HANDLE_VALUE ? w32_err_set(err, GetLastError(), "cannot open")
                                            : fs_check_regular(handle, err);
    }
    if (rc == E_OK)
        rc = check_not_in_use(wide_from, err);
    if (rc == E_OK && !CreateHardLinkW(wide_to, wide_from, NULL))
        rc = link_failed(GetLastError(), err);
    if (handle != INVALID_HANDLE_VALUE)
        (void)CloseHandle(handle);
    free(wide_from);
    free(wide_to);
    return rc;
}

/* --- new names */

/* Windows refuses alike what we may not rename and a folder in which something is open: where it
 * can be opened for a rename it is the second. */
static enum errc rename_denied(const wchar_t *from, DWORD os, struct err *err)
{
    HANDLE handle = NULL;
    struct err ignored;
    if (security_open(from, DELETE, &handle, &ignored) != E_OK)
        return w32_err_set(err, os, "cannot rename");
    (void)CloseHandle(handle);
    return err_set(err, E_BUSY, "cannot rename: it, or something in it, is open in a program");
}

static enum errc rename_failed(const wchar_t *from, const wchar_t *to, DWORD os, struct err *err)
{
    if (os == ERROR_ALREADY_EXISTS || os == ERROR_FILE_EXISTS)
        return set_taken(err);
    if (os == ERROR_NOT_SAME_DEVICE)
        return set_other_volume(err);
    if (os == ERROR_ACCESS_DENIED && GetFileAttributesW(to) != INVALID_FILE_ATTRIBUTES)
        return set_taken(err);
    return os == ERROR_ACCESS_DENIED ? rename_denied(from, os, err)
                                     : w32_err_set(err, os, "cannot rename");
}

static DWORD rename_wide(const wchar_t *from, const wchar_t *to)
{
    enum reparse_kind link = REPARSE_NONE;
    struct err ignored;
    if (fs_link_kind(from, &link, &ignored) == E_OK && link == REPARSE_JUNCTION)
        return reparse_rename(from, to);
    return MoveFileExW(from, to, MOVEFILE_WRITE_THROUGH) ? ERROR_SUCCESS : GetLastError();
}

/* Without MOVEFILE_REPLACE_EXISTING nothing is ever replaced, and without MOVEFILE_COPY_ALLOWED
 * nothing copied; MOVEFILE_WRITE_THROUGH returns when the change is on the device. */
enum errc fs_rename_new(void *self, const char *from, const char *to, struct err *err)
{
    wchar_t *wide_from = NULL, *wide_to = NULL;
    UNUSED(self);
    enum errc rc = w32_path(from, &wide_from, err);
    if (rc == E_OK)
        rc = w32_path(to, &wide_to, err);
    const DWORD os = rc == E_OK ? rename_wide(wide_from, wide_to) : ERROR_SUCCESS;
    if (os != ERROR_SUCCESS)
        rc = rename_failed(wide_from, wide_to, os, err);
    free(wide_from);
    free(wide_to);
    return rc;
}

/* --- taking away */

/* A file that is marked as read-only is taken away like any other, as on POSIX; where that fails it
 * gets its mark back. */
static DWORD delete_file(const wchar_t *wide, DWORD attributes)
{
    if (DeleteFileW(wide))
        return ERROR_SUCCESS;
    DWORD os = GetLastError();
    if (os != ERROR_ACCESS_DENIED || (attributes & FILE_ATTRIBUTE_READONLY) == 0 ||
        !SetFileAttributesW(wide, attributes & ~(DWORD)FILE_ATTRIBUTE_READONLY))
        return os;
    if (DeleteFileW(wide))
        return ERROR_SUCCESS;
    os = GetLastError();
    (void)SetFileAttributesW(wide, attributes);
    return os;
}

static enum errc remove_wide(const wchar_t *wide, struct err *err)
{
    enum reparse_kind link = REPARSE_NONE;
    const DWORD attributes = reparse_attributes(wide);
    if (attributes == INVALID_FILE_ATTRIBUTES)
        return w32_err_set(err, GetLastError(), "cannot remove");
    enum errc rc = fs_link_kind(wide, &link, err);
    if (rc != E_OK)
        return rc;
    if ((attributes & FILE_ATTRIBUTE_DIRECTORY) != 0)
        return link == REPARSE_NONE || link == REPARSE_OTHER
                   ? err_set(err, E_ACCESS, "cannot remove: is a folder")
                   : reparse_remove(wide, err);
    const DWORD os = delete_file(wide, attributes);
    return os == ERROR_SUCCESS ? E_OK : w32_err_set(err, os, "cannot remove");
}

enum errc fs_remove(void *self, const char *path, struct err *err)
{
    wchar_t *wide = NULL;
    UNUSED(self);
    enum errc rc = w32_path(path, &wide, err);
    if (rc == E_OK)
        rc = remove_wide(wide, err);
    free(wide);
    return rc;
}

/* A folder may be marked as read-only, too, which keeps it from being removed. */
static DWORD delete_folder(const wchar_t *wide)
{
    if (RemoveDirectoryW(wide))
        return ERROR_SUCCESS;
    DWORD os = GetLastError();
    const DWORD attributes = GetFileAttributesW(wide);
    if (os != ERROR_ACCESS_DENIED || attributes == INVALID_FILE_ATTRIBUTES ||
        (attributes & FILE_ATTRIBUTE_READONLY) == 0 ||
        !SetFileAttributesW(wide, attributes & ~(DWORD)FILE_ATTRIBUTE_READONLY))
        return os;
    if (RemoveDirectoryW(wide))
        return ERROR_SUCCESS;
    os = GetLastError();
    (void)SetFileAttributesW(wide, attributes);
    return os;
}

enum errc fs_remove_folder(void *self, const char *path, struct err *err)
{
    enum reparse_kind link = REPARSE_NONE;
    wchar_t *wide = NULL;
    UNUSED(self);
    enum errc rc = w32_path(path, &wide, err);
    if (rc == E_OK)
        rc = fs_link_kind(wide, &link, err);
    if (rc == E_OK && link != REPARSE_NONE)
        rc = err_set(err, E_ABSENT, "is a link, and no folder");
    if (rc == E_OK) {
        const DWORD os = delete_folder(wide);
        if (os == ERROR_DIR_NOT_EMPTY)
            rc = err_set(err, E_BUSY, "is a folder that is not empty");
        else if (os == ERROR_DIRECTORY)
            rc = err_set(err, E_ABSENT, "is no folder");
        else if (os != ERROR_SUCCESS)
            rc = w32_err_set(err, os, "cannot remove the folder");
    }
    free(wide);
    return rc;
}
