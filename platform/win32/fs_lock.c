/* The lock is LockFileEx's, on one byte far beyond the file's end, so that others can read who
 * holds it: the system takes it back when the process dies. The file is held without leave to
 * delete or rename it, so that there are never two lock files of one name. The file's text, the
 * holder's number, is only for the message to others. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/base/text.h"
#include "platform/win32/fs_parts.h"
#include "platform/win32/w32.h"

#define LOCKED_AT_HIGH 0x40000000 /* of the offset's upper half */

struct fs_lock {
    HANDLE handle;
};

static unsigned long read_holder(HANDLE handle)
{
    char text[24] = "";
    DWORD n = 0;
    OVERLAPPED start = { .Offset = 0 };
    return ReadFile(handle, text, sizeof(text) - 1, &n, &start) && n > 0 ? strtoul(text, NULL, 10)
                                                                         : 0;
}

/* The last component of the program's path; "" where we may not know. */
static void name_program(unsigned long pid, char *to, size_t room)
{
    wchar_t path[1024];
    DWORD len = ARRAY_LEN(path);
    char *text = NULL;
    to[0] = '\0';
    HANDLE process = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, pid);
    if (process == NULL)
        return;
    if (QueryFullProcessImageNameW(process, 0, path, &len)) {
        const wchar_t *slash = wcsrchr(path, L'\\');
        if (w32_utf8(slash == NULL ? path : slash + 1, &text, NULL) == E_OK)
            (void)text_printable(span_text(text), to, room);
        free(text);
    }
    (void)CloseHandle(process);
}

static enum errc set_held(HANDLE handle, struct err *err)
{
    char name[64];
    unsigned long pid = read_holder(handle);
    if (pid == 0)
        return err_set(err, E_BUSY, "is held by another process");
    name_program(pid, name, sizeof(name));
    if (name[0] == '\0')
        return err_set(err, E_BUSY, "is held by process %lu", pid);
    return err_set(err, E_BUSY, "is held by process %lu (%s)", pid, name);
}

static enum errc lock_file(HANDLE handle, struct err *err)
{
    OVERLAPPED where = { .OffsetHigh = LOCKED_AT_HIGH };
    if (LockFileEx(handle, LOCKFILE_EXCLUSIVE_LOCK | LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, &where))
        return E_OK;
    const DWORD os = GetLastError();
    if (os == ERROR_LOCK_VIOLATION || os == ERROR_IO_PENDING)
        return set_held(handle, err);
    return w32_err_set(err, os, "cannot lock");
}

static void write_holder(HANDLE handle)
{
    char text[24];
    DWORD n = 0;
    int len = snprintf(text, sizeof(text), "%lu\n", (unsigned long)GetCurrentProcessId());
    if (SetFilePointer(handle, 0, NULL, FILE_BEGIN) == 0 &&
        WriteFile(handle, text, (DWORD)len, &n, NULL))
        (void)SetEndOfFile(handle);
}

enum errc fs_lock(void *self, const char *path, struct fs_lock **out_lock, struct err *err)
{
    HANDLE handle = NULL;
    wchar_t *wide = NULL;
    bool is_new = false;
    UNUSED(self);
    struct fs_lock *lock = malloc(sizeof(*lock));
    if (lock == NULL)
        return err_nomem(err);
    enum errc rc = w32_path(path, &wide, err);
    if (rc == E_OK)
        rc = fs_open_own(wide, FILE_SHARE_READ | FILE_SHARE_WRITE, true, &handle, &is_new, err);
    if (rc == E_OK)
        rc = lock_file(handle, err);
    free(wide);
    if (rc == E_OK) {
        write_holder(handle);
        lock->handle = handle;
        *out_lock = lock;
        return E_OK;
    }
    if (handle != NULL)
        (void)CloseHandle(handle);
    free(lock);
    return rc;
}

void fs_unlock(void *self, struct fs_lock *lock)
{
    OVERLAPPED where = { .OffsetHigh = LOCKED_AT_HIGH };
    UNUSED(self);
    if (lock == NULL)
        return;
    if (SetFilePointer(lock->handle, 0, NULL, FILE_BEGIN) == 0)
        (void)SetEndOfFile(lock->handle);
    (void)UnlockFileEx(lock->handle, 0, 1, 0, &where);
    (void)CloseHandle(lock->handle);
    free(lock);
}

/* Windows has no way to ask: the whole of it is locked for that moment, which fails where any part
 * is. Who has it open and lets no one else read holds it, too. */
static enum errc ask(HANDLE handle, bool *out_is, struct err *err)
{
    OVERLAPPED start = { .Offset = 0 };
    *out_is = !LockFileEx(handle, LOCKFILE_EXCLUSIVE_LOCK | LOCKFILE_FAIL_IMMEDIATELY, 0, MAXDWORD,
                          MAXDWORD, &start);
    const DWORD os = GetLastError();
    if (!*out_is)
        (void)UnlockFileEx(handle, 0, MAXDWORD, MAXDWORD, &start);
    else if (os != ERROR_LOCK_VIOLATION && os != ERROR_IO_PENDING)
        return w32_err_set(err, os, "cannot ask for its locks");
    return E_OK;
}

enum errc fs_is_locked(void *self, const char *path, bool *out_is, struct err *err)
{
    wchar_t *wide = NULL;
    UNUSED(self);
    *out_is = false;
    enum errc rc = w32_path(path, &wide, err);
    if (rc != E_OK)
        return rc;
    HANDLE handle = CreateFileW(
        wide, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
        OPEN_EXISTING, FILE_FLAG_OPEN_REPARSE_POINT | FILE_FLAG_BACKUP_SEMANTICS, NULL);
    const DWORD os = GetLastError();
    free(wide);
    if (handle != INVALID_HANDLE_VALUE) {
        rc = fs_check_regular(handle, err);
        if (rc == E_OK)
            rc = ask(handle, out_is, err);
        (void)CloseHandle(handle);
        return rc;
    }
    if (os == ERROR_SHARING_VIOLATION) {
        *out_is = true;
        return E_OK;
    }
    rc = w32_err_set(err, os, "cannot open");
    return rc == E_ABSENT ? E_OK : rc;
}
