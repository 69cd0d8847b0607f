/* What of databases is Windows' own: its driver manager, and the access lists of SQLite's files.
 * Not yet seen on Microsoft's own Windows. */

#include <stdlib.h>

#include "platform/base/os_path.h"
#include "platform/odbc/db_parts.h"
#include "platform/win32/w32.h"

#define SHARE_ALL (FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE)

/* From the system's own folder, wherever we were started. */
static void *load(const wchar_t *name)
{
    return LoadLibraryExW(name, NULL, LOAD_LIBRARY_SEARCH_SYSTEM32);
}

enum errc db_os_load_manager(void **out, struct err *err)
{
    *out = load(L"odbc32.dll");
    return *out != NULL ? E_OK : err_set(err, E_UNSUPPORTED, "this machine has no ODBC");
}

void *db_os_load_installer(void)
{
    return load(L"odbccp32.dll");
}

void *db_os_find(void *library, const char *name)
{
    union {
        FARPROC call;
        void *pointer;
    } found = { .call = GetProcAddress(library, name) };
    return found.pointer;
}

bool db_os_is_ended(void)
{
    return false;
}

void db_os_wipe(void *bytes, size_t len)
{
    SecureZeroMemory(bytes, len);
}

enum errc db_os_check_file(const char *file, struct err *err)
{
    wchar_t *wide = NULL;
    if (!os_path_is_absolute(OS_PATH_WINDOWS, file))
        return err_set(err, E_ARGUMENT,
                       "the connection names no file by its whole path (Database=)");
    enum errc rc = w32_path(file, &wide, err);
    if (rc != E_OK)
        return rc;
    const DWORD attributes = GetFileAttributesW(wide);
    const DWORD os = attributes == INVALID_FILE_ATTRIBUTES ? GetLastError() : ERROR_SUCCESS;
    free(wide);
    if (os == ERROR_FILE_NOT_FOUND || os == ERROR_PATH_NOT_FOUND)
        return err_set(err, E_ABSENT,
                       "the file that the connection names (Database=) is not there");
    if (os != ERROR_SUCCESS)
        return w32_err_set(err, os, "cannot look at the file that the connection names");
    if ((attributes & FILE_ATTRIBUTE_DIRECTORY) != 0)
        return err_set(err, E_ARGUMENT, "what the connection names is no file");
    return E_OK;
}

/* What we may is what we are let do. Opened so, neither a file nor a folder changes. */
static enum errc may_open(const wchar_t *path, DWORD access, DWORD flags, bool *out,
                          struct err *err)
{
    HANDLE h = CreateFileW(path, access, SHARE_ALL, NULL, OPEN_EXISTING, flags, NULL);
    const DWORD os = h == INVALID_HANDLE_VALUE ? GetLastError() : ERROR_SUCCESS;
    if (h != INVALID_HANDLE_VALUE)
        (void)CloseHandle(h);
    *out = os == ERROR_SUCCESS;
    if (os == ERROR_SUCCESS || os == ERROR_ACCESS_DENIED || os == ERROR_WRITE_PROTECT)
        return E_OK;
    return w32_err_set(err, os, "cannot find out what we may do with its file");
}

/* For writing its folder counts too, where the journal goes. */
static enum errc may(wchar_t *file, bool is_for_writing, bool *out, struct err *err)
{
    const DWORD access = GENERIC_READ | (is_for_writing ? GENERIC_WRITE : 0);
    enum errc rc = may_open(file, access, FILE_ATTRIBUTE_NORMAL, out, err);
    wchar_t *cut = wcsrchr(file, L'\\');
    const DWORD attributes = GetFileAttributesW(file);
    if (rc != E_OK || !*out || !is_for_writing || cut == NULL)
        return rc;
    *out = attributes != INVALID_FILE_ATTRIBUTES && (attributes & FILE_ATTRIBUTE_READONLY) == 0;
    if (!*out)
        return E_OK; /* Windows did not let us open it either; wine does */
    cut[1] = L'\0';  /* of a drive's root the "\" is part of its name */
    return may_open(file, FILE_ADD_FILE | FILE_TRAVERSE, FILE_FLAG_BACKUP_SEMANTICS, out, err);
}

enum errc db_os_file_right(struct db_link *link, const char *account, bool is_for_writing,
                           bool *out, struct err *err)
{
    wchar_t *wide = NULL;
    if (account != NULL)
        return err_set(err, E_UNSUPPORTED,
                       "what another account may do with SQLite's file is not asked on Windows");
    if (db_link_file(link)[0] == '\0')
        return err_set(err, E_UNSUPPORTED, "the connection does not say which file it is to");
    enum errc rc = w32_path(db_link_file(link), &wide, err);
    if (rc == E_OK)
        rc = may(wide, is_for_writing, out, err);
    free(wide);
    return rc;
}
