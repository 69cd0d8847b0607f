/* initguid.h makes the GUIDs that knownfolders.h only declares. */
#include <initguid.h>

#include <windows.h>

#include <knownfolders.h>
#include <shlobj.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/win32/host_parts.h"
#include "platform/win32/w32.h"

#define WIDE_ROOM 32768

enum errc host_config_folder(void *self, char *to, size_t room, struct err *err)
{
    static const char ours[] = "/Surefoot";
    wchar_t *wide = NULL;
    UNUSED(self);
    if (SHGetKnownFolderPath(&FOLDERID_ProgramData, 0, NULL, &wide) != S_OK)
        return err_set(err, E_ABSENT, "Windows does not say where ProgramData is");
    enum errc rc = w32_path_text(wide, to, room, err);
    CoTaskMemFree(wide);
    if (rc != E_OK)
        return rc;
    if (strlen(to) + sizeof(ours) > room)
        return err_set(err, E_LIMIT, "no room for the configuration folder's path");
    memcpy(to + strlen(to), ours, sizeof(ours));
    return E_OK;
}

enum errc host_usual_folder(void *self, enum host_folder which, char *to, size_t room,
                            struct err *err)
{
    enum errc rc = host_config_folder(self, to, room, err);
    size_t len = rc == E_OK ? strlen(to) : 0;
    int n = rc == E_OK ? snprintf(to + len, room - len, "/%s",
                                  which == HOST_STATE   ? "state"
                                  : which == HOST_CACHE ? "cache"
                                                        : "config")
                       : 0;
    if (rc == E_OK && (n < 0 || (size_t)n >= room - len))
        rc = err_set(err, E_LIMIT, "no room for a folder's path");
    return rc;
}

/* Dots are taken out as Windows itself does it, by the letters of the path. A device's name ("NUL")
 * is no path from a root on. */
static enum errc make_full(const wchar_t *wide, wchar_t *full, char *to, size_t room,
                           struct err *err)
{
    const DWORD len = GetFullPathNameW(wide, WIDE_ROOM, full, NULL);
    if (len == 0 || len >= WIDE_ROOM)
        return err_set(err, E_ARGUMENT, "is no path that Windows can open");
    if (wcsncmp(full, L"\\\\.\\", 4) == 0)
        return err_set(err, E_ARGUMENT, "is the name of a device");
    return w32_path_text(full, to, room, err);
}

enum errc host_absolute_path(void *self, const char *path, char *to, size_t room, struct err *err)
{
    wchar_t *wide = NULL;
    UNUSED(self);
    enum errc rc = w32_wide(path, &wide, err);
    if (rc != E_OK)
        return rc;
    wchar_t *full = calloc(WIDE_ROOM, sizeof(*full));
    rc = full == NULL ? err_nomem(err) : make_full(wide, full, to, room, err);
    free(full);
    free(wide);
    return rc;
}

static bool is_folder(const wchar_t *path)
{
    const DWORD attributes = GetFileAttributesW(path);
    return attributes != INVALID_FILE_ATTRIBUTES && (attributes & FILE_ATTRIBUTE_DIRECTORY) != 0;
}

/* Windows has one for the system alone since Windows 11 (and in updates of 10), that no ordinary
 * user can look into; and one for all. */
static bool find_system_temp(wchar_t to[WIDE_ROOM])
{
    wchar_t windows[MAX_PATH];
    const UINT n = GetSystemWindowsDirectoryW(windows, MAX_PATH);
    if (n == 0 || n >= MAX_PATH)
        return false;
    (void)swprintf(to, WIDE_ROOM, L"%ls\\SystemTemp", windows);
    if (!is_folder(to))
        (void)swprintf(to, WIDE_ROOM, L"%ls\\Temp", windows);
    return true;
}

enum errc host_temp_folder(void *self, char *to, size_t room, struct err *err)
{
    UNUSED(self);
    wchar_t *path = calloc(WIDE_ROOM, sizeof(*path));
    if (path == NULL)
        return err_nomem(err);
    bool is_found;
    if (w32_is_elevated()) {
        is_found = find_system_temp(path);
    } else {
        const DWORD n = GetTempPathW(WIDE_ROOM, path);
        is_found = n > 0 && n < WIDE_ROOM;
    }
    enum errc rc = is_found
                       ? w32_path_text(path, to, room, err)
                       : err_set(err, E_ABSENT, "Windows does not say where temporary files go");
    free(path);
    return rc;
}
