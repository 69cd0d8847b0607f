#include <windows.h>

#include <tlhelp32.h>

#include <stdlib.h>
#include <string.h>

#include "platform/base/text.h"
#include "platform/win32/proc_parts.h"

#define TICKS_PER_S 10000000ULL
#define EPOCH_S 11644473600LL /* from 1601 to 1970 */
#define FIRST_ROOM 256
#define ENTRIES_MAX 65536

/* --- the list */

static int by_pid(const void *a, const void *b)
{
    const DWORD left = ((const struct proc_entry *)a)->pid,
                right = ((const struct proc_entry *)b)->pid;
    return left < right ? -1 : left > right;
}

static enum errc add_entry(struct proc_entry **entries, size_t *n, size_t *room,
                           const PROCESSENTRY32W *found, struct err *err)
{
    if (*n == ENTRIES_MAX)
        return err_set(err, E_LIMIT, "more than %d processes", ENTRIES_MAX);
    if (*n == *room) {
        const size_t more = *room == 0 ? FIRST_ROOM : *room * 2;
        struct proc_entry *grown = realloc(*entries, more * sizeof(*grown));
        if (grown == NULL)
            return err_nomem(err);
        *entries = grown;
        *room = more;
    }
    struct proc_entry *e = &(*entries)[(*n)++];
    e->pid = found->th32ProcessID;
    memcpy(e->name, found->szExeFile, sizeof(e->name));
    e->name[MAX_PATH - 1] = L'\0';
    return E_OK;
}

enum errc proc_entries(struct proc_entry **out, size_t *out_n, struct err *err)
{
    struct proc_entry *entries = NULL;
    PROCESSENTRY32W found = { .dwSize = sizeof(found) };
    size_t n = 0, room = 0;
    enum errc rc = E_OK;
    HANDLE list = CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0);
    if (list == INVALID_HANDLE_VALUE)
        return w32_err_set(err, GetLastError(), "cannot list the processes");
    for (BOOL more = Process32FirstW(list, &found); more && rc == E_OK;
         more = Process32NextW(list, &found))
        if (found.th32ProcessID != 0)
            rc = add_entry(&entries, &n, &room, &found, err);
    const DWORD os = GetLastError();
    (void)CloseHandle(list);
    if (rc == E_OK && os != ERROR_NO_MORE_FILES)
        rc = w32_err_set(err, os, "cannot list the processes");
    if (rc == E_OK && n == 0)
        rc = err_set(err, E_UNSUPPORTED, "Windows lists no processes");
    if (rc != E_OK) {
        free(entries);
        return rc;
    }
    qsort(entries, n, sizeof(*entries), by_pid);
    *out = entries;
    *out_n = n;
    return E_OK;
}

/* --- one of them */

uint64_t proc_born(HANDLE process)
{
    FILETIME created, ended, kernel, user;
    if (!GetProcessTimes(process, &created, &ended, &kernel, &user))
        return 0;
    return (uint64_t)created.dwHighDateTime << 32 | created.dwLowDateTime;
}

static void read_path(HANDLE process, struct proc_seen *s)
{
    DWORD len = PROC_WIDE_ROOM;
    s->has_program = QueryFullProcessImageNameW(process, 0, s->wide, &len) != 0;
    if (!s->has_program && GetLastError() == ERROR_ACCESS_DENIED)
        s->is_hidden = true;
    if (!s->has_program)
        s->wide[0] = L'\0';
    if (w32_path_text(s->wide, s->path, sizeof(s->path), NULL) != E_OK)
        s->path[0] = '\0';
}

static void read_user(HANDLE process, struct proc_seen *s)
{
    _Alignas(TOKEN_USER) BYTE user[W32_TOKEN_USER_ROOM];
    HANDLE token = NULL;
    if (!OpenProcessToken(process, TOKEN_QUERY, &token))
        return;
    if (w32_token_user(token, user, sizeof(user)))
        w32_account_name(((TOKEN_USER *)user)->User.Sid, s->user, sizeof(s->user));
    (void)CloseHandle(token);
}

static void read_name(const wchar_t *wide, struct proc_seen *s)
{
    char *name = NULL;
    if (w32_utf8(wide, &name, NULL) == E_OK)
        (void)text_printable(span_text(name), s->name, sizeof(s->name));
    free(name);
}

/* The same number may have gone to another since the list was made: all that is told is of the one
 * that the handle holds, but for the short name. */
enum errc proc_look(const struct proc_entry *entry, struct proc_seen *out, struct err *err)
{
    out->info = (struct proc_info){
        .pid = entry->pid, .path = out->path, .name = out->name, .user = out->user
    };
    out->has_program = out->is_hidden = false;
    out->wide[0] = L'\0';
    out->path[0] = out->name[0] = out->user[0] = '\0';
    read_name(entry->name, out);
    HANDLE process =
        OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION | SYNCHRONIZE, FALSE, entry->pid);
    const DWORD os = process == NULL ? GetLastError() : ERROR_SUCCESS;
    if (os == ERROR_INVALID_PARAMETER)
        return err_set(err, E_ABSENT, "has ended");
    if (process == NULL) {
        out->is_hidden = true;
        return E_OK;
    }
    enum errc rc = E_OK;
    if (WaitForSingleObject(process, 0) == WAIT_OBJECT_0) {
        rc = err_set(err, E_ABSENT, "has ended");
    } else {
        out->info.born = proc_born(process);
        out->info.started_s = (int64_t)(out->info.born / TICKS_PER_S) - EPOCH_S;
        read_path(process, out);
        read_user(process, out);
    }
    (void)CloseHandle(process);
    return rc;
}
