/* Links as the file system keeps them; reparse.h says what has not been seen yet. */

#include <windows.h>

#include <winioctl.h>

#include "platform/win32/reparse.h"
#include "platform/win32/security.h"
#include "platform/win32/w32.h"

DWORD reparse_attributes(const wchar_t *path)
{
    return GetFileAttributesW(path);
}

enum errc reparse_kind_of(const wchar_t *path, enum reparse_kind *out, struct err *err)
{
    FILE_ATTRIBUTE_TAG_INFO tag;
    HANDLE handle = NULL;
    enum errc rc = security_open(path, FILE_READ_ATTRIBUTES, &handle, err);
    if (rc != E_OK)
        return rc;
    if (!GetFileInformationByHandleEx(handle, FileAttributeTagInfo, &tag, sizeof(tag)))
        rc = w32_err_set(err, GetLastError(), "cannot look at");
    else if ((tag.FileAttributes & FILE_ATTRIBUTE_REPARSE_POINT) == 0)
        *out = REPARSE_NONE;
    else
        *out = tag.ReparseTag == IO_REPARSE_TAG_MOUNT_POINT ? REPARSE_JUNCTION
               : tag.ReparseTag == IO_REPARSE_TAG_SYMLINK   ? REPARSE_SYMLINK
                                                            : REPARSE_OTHER;
    (void)CloseHandle(handle);
    return rc;
}

enum errc reparse_get(const wchar_t *path, wchar_t **out_target, bool *out_is_relative,
                      struct err *err)
{
    uint8_t bytes[REPARSE_BYTES_MAX];
    DWORD len = 0;
    HANDLE handle = NULL;
    enum errc rc = security_open(path, FILE_READ_ATTRIBUTES, &handle, err);
    if (rc != E_OK)
        return rc;
    if (DeviceIoControl(handle, FSCTL_GET_REPARSE_POINT, NULL, 0, bytes, sizeof(bytes), &len, NULL))
        rc = reparse_read(span_of(bytes, len), out_target, out_is_relative, err);
    else if (GetLastError() == ERROR_NOT_A_REPARSE_POINT)
        rc = err_set(err, E_ARGUMENT, "is no link");
    else
        rc = w32_err_set(err, GetLastError(), "cannot read the link");
    (void)CloseHandle(handle);
    return rc;
}

static enum errc set_failed(DWORD os, struct err *err)
{
    if (os == ERROR_INVALID_FUNCTION || os == ERROR_NOT_SUPPORTED)
        return err_set(err, E_UNSUPPORTED, "its file system has no junctions");
    if (os == ERROR_REPARSE_TAG_MISMATCH || os == ERROR_REPARSE_ATTRIBUTE_CONFLICT)
        return err_set(err, E_EXISTS, "is there, is no junction, and so is not replaced");
    if (os == ERROR_DIR_NOT_EMPTY)
        return err_set(err, E_EXISTS, "is a folder that is not empty");
    return w32_err_set(err, os, "cannot be made to lead elsewhere");
}

/* One that is there with the same tag is replaced, by one change that the file system's log either
 * has or has not. GENERIC_WRITE: for the flush. */
enum errc reparse_set(const wchar_t *path, const wchar_t *target, struct err *err)
{
    struct buf bytes;
    DWORD len = 0;
    HANDLE handle = NULL;
    buf_init(&bytes, REPARSE_BYTES_MAX);
    enum errc rc = reparse_write_junction(target, &bytes, err);
    if (rc == E_OK)
        rc = security_open(path, GENERIC_WRITE, &handle, err);
    if (rc == E_OK && !DeviceIoControl(handle, FSCTL_SET_REPARSE_POINT, bytes.ptr, (DWORD)bytes.len,
                                       NULL, 0, &len, NULL))
        rc = set_failed(GetLastError(), err);
    if (rc == E_OK)
        (void)FlushFileBuffers(
            handle); /* a folder's; who needs it on the device flushes its parent */
    if (handle != NULL)
        (void)CloseHandle(handle);
    buf_fini(&bytes);
    return rc;
}

enum errc reparse_remove(const wchar_t *path, struct err *err)
{
    return RemoveDirectoryW(path) ? E_OK
                                  : w32_err_set(err, GetLastError(), "cannot remove the link");
}

DWORD reparse_rename(const wchar_t *from, const wchar_t *to)
{
    return MoveFileExW(from, to, MOVEFILE_WRITE_THROUGH) ? ERROR_SUCCESS : GetLastError();
}
