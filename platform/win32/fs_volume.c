#include <stdlib.h>

#include "platform/win32/fs_parts.h"
#include "platform/win32/w32.h"

enum errc fs_rename_new(void *self, const char *from, const char *to, struct err *err)
{
    wchar_t *wide_from = NULL, *wide_to = NULL;
    UNUSED(self);
    enum errc rc = w32_path(from, &wide_from, err);
    if (rc == E_OK)
        rc = w32_path(to, &wide_to, err);
    if (rc == E_OK && !MoveFileExW(wide_from, wide_to, MOVEFILE_WRITE_THROUGH)) {
        DWORD os = GetLastError();
        if (os == ERROR_ALREADY_EXISTS || os == ERROR_FILE_EXISTS)
            rc = err_set(err, E_EXISTS, "is there already, and is not replaced");
        else if (os == ERROR_NOT_SAME_DEVICE)
            rc = err_set(err, E_UNSUPPORTED, "lies on another volume than its new name");
        else
            rc = w32_err_set(err, os, "cannot rename");
    }
    free(wide_from);
    free(wide_to);
    return rc;
}

enum errc fs_free_bytes(void *self, const char *path, uint64_t *out_bytes, struct err *err)
{
    ULARGE_INTEGER ours;
    wchar_t *wide = NULL;
    UNUSED(self);
    enum errc rc = w32_path(path, &wide, err);
    if (rc != E_OK)
        return rc;
    if (GetDiskFreeSpaceExW(wide, &ours, NULL, NULL))
        *out_bytes = ours.QuadPart;
    else
        rc = w32_err_set(err, GetLastError(), "cannot find out the free space");
    free(wide);
    return rc;
}
