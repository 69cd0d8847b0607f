/* Files that none but we write to: records. */

#include <inttypes.h>
#include <stdlib.h>

#include "platform/win32/fs_parts.h"
#include "platform/win32/security.h"
#include "platform/win32/w32.h"

#define ACCESS (GENERIC_READ | GENERIC_WRITE | READ_CONTROL)

static HANDLE open_file(const wchar_t *wide, DWORD share, DWORD how, SECURITY_ATTRIBUTES *security)
{
    return CreateFileW(
        wide, ACCESS, share, security, how,
        FILE_FLAG_OPEN_REPARSE_POINT | FILE_FLAG_BACKUP_SEMANTICS | FILE_ATTRIBUTE_NORMAL, NULL);
}

static enum errc make_new(const wchar_t *wide, DWORD share, HANDLE *out, struct err *err)
{
    SECURITY_ATTRIBUTES security = { .nLength = sizeof(security) };
    enum errc rc = security_private(&security.lpSecurityDescriptor, err);
    if (rc != E_OK)
        return rc;
    HANDLE handle = open_file(wide, share, CREATE_NEW, &security);
    DWORD os = GetLastError();
    (void)LocalFree(security.lpSecurityDescriptor);
    if (handle == INVALID_HANDLE_VALUE)
        return w32_err_set(err, os, "cannot make the file");
    rc = security_check_private(handle, err);
    if (rc == E_OK) {
        *out = handle;
    } else {
        (void)CloseHandle(handle);
        (void)DeleteFileW(wide);
    }
    return rc;
}

/* A folder can't be opened so that it may be written: what it is is asked for then. */
static enum errc open_failed(const wchar_t *wide, DWORD os, struct err *err)
{
    const DWORD attributes = GetFileAttributesW(wide);
    if (attributes != INVALID_FILE_ATTRIBUTES && (attributes & FILE_ATTRIBUTE_DIRECTORY) != 0)
        return err_set(err, E_ARGUMENT, "is no regular file");
    return w32_err_set(err, os, "cannot open");
}

static enum errc open_there(const wchar_t *wide, DWORD share, HANDLE *out, struct err *err)
{
    enum reparse_kind link = REPARSE_NONE;
    enum errc rc = fs_link_kind(wide, &link, err);
    if (rc == E_OK && link != REPARSE_NONE)
        rc = err_set(err, E_ACCESS, "is a link of some kind, which is not followed");
    if (rc != E_OK)
        return rc;
    HANDLE handle = open_file(wide, share, OPEN_EXISTING, NULL);
    if (handle == INVALID_HANDLE_VALUE)
        return open_failed(wide, GetLastError(), err);
    rc = security_check_own(handle, err);
    if (rc == E_OK)
        *out = handle;
    else
        (void)CloseHandle(handle);
    return rc;
}

enum errc fs_open_own(const wchar_t *wide, DWORD share, bool may_make, HANDLE *out,
                      bool *out_is_new, struct err *err)
{
    enum errc rc = may_make ? make_new(wide, share, out, err) : E_EXISTS;
    *out_is_new = rc == E_OK;
    return rc == E_EXISTS || (rc != E_OK && GetFileAttributesW(wide) != INVALID_FILE_ATTRIBUTES)
               ? open_there(wide, share, out, err)
               : rc;
}

static enum errc write_all(HANDLE handle, struct span bytes, struct err *err)
{
    while (bytes.len > 0) {
        DWORD n = 0, want = bytes.len > (1U << 30) ? (1U << 30) : (DWORD)bytes.len;
        if (!WriteFile(handle, bytes.ptr, want, &n, NULL))
            return w32_err_set(err, GetLastError(), "cannot write");
        if (n == 0)
            return err_set(err, E_IO, "cannot write: the device takes nothing");
        bytes = span_of(bytes.ptr + n, bytes.len - n);
    }
    return E_OK;
}

static enum errc flush(HANDLE handle, struct err *err)
{
    return FlushFileBuffers(handle)
               ? E_OK
               : w32_err_set(err, GetLastError(), "cannot flush to the device");
}

static bool cut_to(HANDLE handle, LARGE_INTEGER size)
{
    return SetFilePointerEx(handle, size, NULL, FILE_BEGIN) && SetEndOfFile(handle);
}

/* Half a record at the end would spoil the one that follows. */
static enum errc write_record(HANDLE handle, struct span record, struct err *err)
{
    LARGE_INTEGER before, none = { .QuadPart = 0 };
    if (!SetFilePointerEx(handle, none, &before, FILE_END))
        return w32_err_set(err, GetLastError(), "cannot look for its end");
    enum errc rc = write_all(handle, record, err);
    if (rc == E_OK)
        rc = flush(handle, err);
    if (rc != E_OK && !cut_to(handle, before))
        (void)err_prefix(err, "a part of a record may be left at the end: ");
    return rc;
}

enum errc fs_append(void *self, const char *path, struct span record, struct err *err)
{
    wchar_t *wide = NULL;
    HANDLE handle = NULL;
    bool is_new = false;
    UNUSED(self);
    enum errc rc = w32_path(path, &wide, err);
    if (rc == E_OK)
        rc = fs_open_own(wide, FILE_SHARE_READ, true, &handle, &is_new, err);
    if (rc == E_OK) {
        rc = write_record(handle, record, err);
        if (!CloseHandle(handle) && rc == E_OK)
            rc = w32_err_set(err, GetLastError(), "cannot write to the end");
    }
    if (rc == E_OK && is_new)
        rc = fs_sync_parent(wide, err);
    free(wide);
    return rc;
}

static enum errc cut_file(HANDLE handle, uint64_t size, struct err *err)
{
    LARGE_INTEGER has, kept = { .QuadPart = (LONGLONG)size };
    if (!GetFileSizeEx(handle, &has))
        return w32_err_set(err, GetLastError(), "cannot look at");
    if ((uint64_t)has.QuadPart < size)
        return err_set(err, E_TRUNCATED, "has %" PRId64 " bytes, and is to keep %" PRIu64,
                       (int64_t)has.QuadPart, size);
    if (!cut_to(handle, kept))
        return w32_err_set(err, GetLastError(), "cannot be cut");
    return flush(handle, err);
}

enum errc fs_cut(void *self, const char *path, uint64_t size, struct err *err)
{
    wchar_t *wide = NULL;
    HANDLE handle = NULL;
    bool is_new = false;
    UNUSED(self);
    enum errc rc = w32_path(path, &wide, err);
    if (rc == E_OK)
        rc = fs_open_own(wide, FILE_SHARE_READ, false, &handle, &is_new, err);
    if (rc == E_OK) {
        rc = cut_file(handle, size, err);
        (void)CloseHandle(handle);
    }
    free(wide);
    return rc;
}
