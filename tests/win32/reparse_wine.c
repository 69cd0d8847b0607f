/* reparse.h for tests under wine, which has no junctions: the host's symbolic links, which wine
 * shows as folders that are reparse points. They are made, read and taken away by the host's kernel
 * itself, which a program under wine reaches as any other does (x86-64 Linux); wine's own
 * RemoveDirectory says of a link that it is gone, and leaves it; its MoveFileEx renames what the
 * link leads to. A link to what is below its own
 * folder is stored as relative, so that it looks on the host like a pointer of Linux. */

#include <windows.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/win32/fs_parts.h"
#include "platform/win32/reparse.h"
#include "platform/win32/w32.h"

#define PREFIX_LEN 4 /* of \\?\ */
#define UNIX_ROOM 4096

enum {
    KERNEL_RENAME = 82,
    KERNEL_RMDIR = 84,
    KERNEL_UNLINK = 87,
    KERNEL_SYMLINK = 88,
    KERNEL_READLINK = 89
};
enum { UNIX_ENOENT = 2, UNIX_EEXIST = 17, UNIX_EINVAL = 22, UNIX_ENOTEMPTY = 39 };

static long long kernel(long long what, const void *a, const void *b, long long c)
{
    long long out;
    __asm__ volatile("syscall"
                     : "=a"(out)
                     : "a"(what), "D"(a), "S"(b), "d"(c)
                     : "rcx", "r11", "memory");
    return out;
}

typedef char *(CDECL *unix_name_fn)(const wchar_t *dos);
typedef wchar_t *(CDECL *dos_name_fn)(const char *unix_name);

static void *wine_function(const char *name)
{
    return (void *)(ULONG_PTR)GetProcAddress(GetModuleHandleW(L"kernel32.dll"), name);
}

static enum errc unix_name(const wchar_t *dos, char to[UNIX_ROOM], struct err *err)
{
    unix_name_fn fn = (unix_name_fn)(ULONG_PTR)wine_function("wine_get_unix_file_name");
    char *name = fn == NULL ? NULL : fn(dos);
    if (name == NULL)
        return err_set(err, E_UNSUPPORTED, "is no path of a host that wine runs on");
    int n = snprintf(to, UNIX_ROOM, "%s", name);
    (void)HeapFree(GetProcessHeap(), 0, name);
    return n > 0 && n < UNIX_ROOM ? E_OK : err_set(err, E_LIMIT, "is too long for the host");
}

static enum errc host_failed(long long answer, const char *what, struct err *err)
{
    switch (-answer) {
    case UNIX_ENOENT: return err_set(err, E_ABSENT, "%s: not there", what);
    case UNIX_EEXIST:
    case UNIX_ENOTEMPTY: return err_set(err, E_EXISTS, "%s: something is there", what);
    default: return err_set(err, E_IO, "%s: the host's error %lld", what, -answer);
    }
}

static enum errc read_link(const wchar_t *path, char to[UNIX_ROOM], struct err *err)
{
    char name[UNIX_ROOM];
    enum errc rc = unix_name(path + PREFIX_LEN, name, err);
    if (rc != E_OK)
        return rc;
    long long n = kernel(KERNEL_READLINK, name, to, UNIX_ROOM - 1);
    if (n == -UNIX_EINVAL)
        return err_set(err, E_ARGUMENT, "is no link");
    if (n < 0)
        return host_failed(n, "cannot read the link", err);
    to[n] = '\0';
    return E_OK;
}

/* Wine looks through a link, and sees nothing at one that leads nowhere. */
DWORD reparse_attributes(const wchar_t *path)
{
    char target[UNIX_ROOM];
    struct err ignored;
    const DWORD attributes = GetFileAttributesW(path), os = GetLastError();
    if (attributes == INVALID_FILE_ATTRIBUTES && read_link(path, target, &ignored) == E_OK)
        return FILE_ATTRIBUTE_DIRECTORY | FILE_ATTRIBUTE_REPARSE_POINT;
    SetLastError(os);
    return attributes;
}

enum errc reparse_kind_of(const wchar_t *path, enum reparse_kind *out, struct err *err)
{
    char target[UNIX_ROOM];
    enum errc rc = read_link(path, target, err);
    *out = rc == E_OK ? REPARSE_JUNCTION : REPARSE_NONE;
    return rc == E_ARGUMENT ? E_OK : rc;
}

static enum errc join(const wchar_t *folder, const wchar_t *rest, wchar_t **out, struct err *err)
{
    const size_t room = wcslen(folder) + wcslen(rest) + 2;
    wchar_t *joined = calloc(room, sizeof(*joined));
    if (joined == NULL)
        return err_nomem(err);
    (void)swprintf(joined, room, L"%ls\\%ls", folder, rest);
    for (wchar_t *c = joined; *c != L'\0'; c++)
        if (*c == L'/')
            *c = L'\\';
    *out = joined;
    return E_OK;
}

static enum errc below_folder(const wchar_t *path, const char *target, wchar_t **out,
                              struct err *err)
{
    wchar_t *rest = NULL, *folder = fs_parent_of(path);
    if (folder == NULL)
        return err_nomem(err);
    enum errc rc = w32_wide(target, &rest, err);
    if (rc == E_OK)
        rc = join(folder + PREFIX_LEN, rest, out, err);
    free(folder);
    free(rest);
    return rc;
}

enum errc reparse_get(const wchar_t *path, wchar_t **out_target, bool *out_is_relative,
                      struct err *err)
{
    char target[UNIX_ROOM];
    enum errc rc = read_link(path, target, err);
    if (rc != E_OK)
        return rc;
    *out_is_relative = false;
    if (target[0] != '/')
        return below_folder(path, target, out_target, err);
    dos_name_fn fn = (dos_name_fn)(ULONG_PTR)wine_function("wine_get_dos_file_name");
    wchar_t *dos = fn == NULL ? NULL : fn(target);
    if (dos == NULL)
        return err_set(err, E_UNSUPPORTED, "leads where wine sees nothing");
    *out_target = _wcsdup(dos);
    (void)HeapFree(GetProcessHeap(), 0, dos);
    return *out_target == NULL ? err_nomem(err) : E_OK;
}

/* What is stored: relative to the link's folder where the target is below it. */
static enum errc stored_target(const wchar_t *path, const wchar_t *target, char to[UNIX_ROOM],
                               struct err *err)
{
    char *text = NULL;
    wchar_t *folder = fs_parent_of(path);
    if (folder == NULL)
        return err_nomem(err);
    const size_t len = wcslen(folder + PREFIX_LEN);
    enum errc rc = E_OK;
    if (_wcsnicmp(target, folder + PREFIX_LEN, len) == 0 && target[len] == L'\\') {
        rc = w32_utf8(target + len + 1, &text, err);
        if (rc == E_OK)
            (void)snprintf(to, UNIX_ROOM, "%s", text);
        for (char *c = to; rc == E_OK && *c != '\0'; c++)
            if (*c == '\\')
                *c = '/';
    } else {
        rc = unix_name(target, to, err);
    }
    free(text);
    free(folder);
    return rc;
}

enum errc reparse_set(const wchar_t *path, const wchar_t *target, struct err *err)
{
    char name[UNIX_ROOM], side[UNIX_ROOM + 8], stored[UNIX_ROOM];
    enum reparse_kind kind = REPARSE_NONE;
    enum errc rc = stored_target(path, target, stored, err);
    if (rc == E_OK)
        rc = unix_name(path + PREFIX_LEN, name, err);
    if (rc == E_OK)
        rc = reparse_kind_of(path, &kind, err);
    if (rc != E_OK)
        return rc;
    long long answer = kind == REPARSE_NONE ? kernel(KERNEL_RMDIR, name, NULL, 0) : 0;
    (void)snprintf(side, sizeof(side), "%s.side", name);
    if (answer == 0)
        answer = kernel(KERNEL_SYMLINK, stored, side, 0);
    if (answer == 0)
        answer = kernel(KERNEL_RENAME, side, name, 0);
    return answer == 0 ? E_OK : host_failed(answer, "cannot make the link", err);
}

enum errc reparse_remove(const wchar_t *path, struct err *err)
{
    char name[UNIX_ROOM];
    enum reparse_kind kind = REPARSE_NONE;
    enum errc rc = unix_name(path + PREFIX_LEN, name, err);
    if (rc == E_OK)
        rc = reparse_kind_of(path, &kind, err);
    if (rc != E_OK)
        return rc;
    long long answer = kernel(kind == REPARSE_NONE ? KERNEL_RMDIR : KERNEL_UNLINK, name, NULL, 0);
    return answer == 0 ? E_OK : host_failed(answer, "cannot remove the link", err);
}

DWORD reparse_rename(const wchar_t *from, const wchar_t *to)
{
    char from_name[UNIX_ROOM], to_name[UNIX_ROOM], there[UNIX_ROOM];
    struct err ignored;
    if (unix_name(from + PREFIX_LEN, from_name, &ignored) != E_OK ||
        unix_name(to + PREFIX_LEN, to_name, &ignored) != E_OK)
        return ERROR_PATH_NOT_FOUND;
    if (GetFileAttributesW(to) != INVALID_FILE_ATTRIBUTES ||
        kernel(KERNEL_READLINK, to_name, there, sizeof(there)) >= 0)
        return ERROR_ALREADY_EXISTS;
    return kernel(KERNEL_RENAME, from_name, to_name, 0) == 0 ? ERROR_SUCCESS : ERROR_PATH_NOT_FOUND;
}
