#include <stdlib.h>

#include "platform/win32/fs_parts.h"
#include "platform/win32/reparse.h"
#include "platform/win32/w32.h"

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

/* A volume's root, or a folder whose reparse point leads to a volume: the path of the volume that
 * it is on is then its own. */
static enum errc ask_mount_point(const wchar_t *wide, bool *out_is, struct err *err)
{
    size_t len = wcslen(wide);
    const size_t room = len + 2;
    wchar_t *volume = calloc(room, sizeof(*volume));
    if (volume == NULL)
        return err_nomem(err);
    enum errc rc = E_OK;
    if (!GetVolumePathNameW(wide, volume, (DWORD)room)) {
        rc = w32_err_set(err, GetLastError(), "cannot find out its volume");
    } else {
        size_t volume_len = wcslen(volume);
        while (volume_len > 0 && volume[volume_len - 1] == L'\\')
            volume_len--;
        while (len > 0 && wide[len - 1] == L'\\')
            len--;
        *out_is = volume_len == len && _wcsnicmp(volume, wide, len) == 0;
    }
    free(volume);
    return rc;
}

enum errc fs_is_mount_point(void *self, const char *path, bool *out_is, struct err *err)
{
    wchar_t *wide = NULL;
    UNUSED(self);
    enum errc rc = w32_path(path, &wide, err);
    if (rc == E_OK && GetFileAttributesW(wide) == INVALID_FILE_ATTRIBUTES)
        rc = w32_err_set(err, GetLastError(), "cannot look at");
    if (rc == E_OK)
        rc = ask_mount_point(wide, out_is, err);
    free(wide);
    return rc;
}

/* Opening it while letting no one write fails where somebody has it open for writing; it also fails
 * where somebody lets no one read, who then may write as well as not. Who has written to it by a
 * mapping and closed it since is not seen. */
enum errc fs_has_writer(void *self, const char *path, bool *out_has, struct err *err)
{
    wchar_t *wide = NULL;
    UNUSED(self);
    enum errc rc = w32_path(path, &wide, err);
    if (rc != E_OK)
        return rc;
    HANDLE handle =
        CreateFileW(wide, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_DELETE, NULL, OPEN_EXISTING,
                    FILE_FLAG_OPEN_REPARSE_POINT | FILE_FLAG_BACKUP_SEMANTICS, NULL);
    const DWORD os = GetLastError();
    free(wide);
    if (handle == INVALID_HANDLE_VALUE && os == ERROR_SHARING_VIOLATION) {
        *out_has = true;
        return E_OK;
    }
    if (handle == INVALID_HANDLE_VALUE)
        return w32_err_set(err, os, "cannot open");
    rc = fs_check_regular(handle, err);
    (void)CloseHandle(handle);
    if (rc == E_OK)
        *out_has = false;
    return rc;
}

/* The rights are asked for by asking for them. */
static enum errc try_to_open(const wchar_t *wide, bool *out_can, struct err *err)
{
    HANDLE handle = CreateFileW(wide, FILE_ADD_FILE | FILE_ADD_SUBDIRECTORY,
                                FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
                                OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL);
    const DWORD os = handle == INVALID_HANDLE_VALUE ? GetLastError() : ERROR_SUCCESS;
    if (handle != INVALID_HANDLE_VALUE) {
        DWORD flags = 0;
        *out_can = !GetVolumeInformationByHandleW(handle, NULL, 0, NULL, NULL, &flags, NULL, 0) ||
                   (flags & FILE_READ_ONLY_VOLUME) == 0;
        (void)CloseHandle(handle);
        return E_OK;
    }
    *out_can = false;
    return os == ERROR_ACCESS_DENIED || os == ERROR_WRITE_PROTECT
               ? E_OK
               : w32_err_set(err, os, "cannot look at");
}

enum errc fs_can_write(void *self, const char *folder, bool *out_can, struct err *err)
{
    wchar_t *wide = NULL;
    enum fs_kind kind = FS_ABSENT;
    enum errc rc = fs_kind_of(self, folder, &kind, err);
    if (rc == E_OK && kind != FS_FOLDER)
        rc = err_set(err, E_ABSENT, "is no folder");
    if (rc == E_OK)
        rc = w32_path(folder, &wide, err);
    if (rc == E_OK)
        rc = try_to_open(wide, out_can, err);
    free(wide);
    return rc;
}
