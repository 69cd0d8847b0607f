#include <windows.h>

#include <psapi.h>

#include <stdio.h>
#include <stdlib.h>

#include "platform/win32/proc_parts.h"

#define MODULES_MAX 4096

struct search {
    size_t len; /* of `folder`, without a backslash at its end */
    proc_holder_fn fn;
    void *ctx;
    size_t n_hidden;
    struct proc_open_files open_files;
    wchar_t folder[PROC_WIDE_ROOM]; /* links resolved, without a prefix */
    wchar_t path[PROC_WIDE_ROOM], full[PROC_WIDE_ROOM];
    char held[PROC_PATH_ROOM];
    HMODULE modules[MODULES_MAX];
    struct proc_seen seen;
};

/* --- paths */

/* Names are the same in any case. */
static bool is_below(const struct search *s, const wchar_t *path)
{
    if (wcsncmp(path, L"\\\\?\\", 4) == 0 && wcsncmp(path, L"\\\\?\\UNC\\", 8) != 0)
        path += 4;
    return wcslen(path) >= s->len &&
           CompareStringOrdinal(path, (int)s->len, s->folder, (int)s->len, TRUE) == CSTR_EQUAL &&
           (path[s->len] == L'\\' || path[s->len] == L'\0');
}

/* \\?\C:\x becomes C:\x, \\?\UNC\server\share becomes \\server\share. */
static void take_folder(struct search *s, const wchar_t *final)
{
    if (wcsncmp(final, L"\\\\?\\UNC\\", 8) == 0)
        (void)swprintf(s->folder, PROC_WIDE_ROOM, L"\\\\%ls", final + 8);
    else
        (void)swprintf(s->folder, PROC_WIDE_ROOM, L"%ls",
                       wcsncmp(final, L"\\\\?\\", 4) == 0 ? final + 4 : final);
    s->len = wcslen(s->folder);
    while (s->len > 0 && s->folder[s->len - 1] == L'\\')
        s->folder[--s->len] = L'\0';
}

static enum errc find_folder(struct search *s, const char *folder, struct err *err)
{
    wchar_t *wide = NULL;
    enum errc rc = w32_path(folder, &wide, err);
    if (rc != E_OK)
        return rc;
    HANDLE handle = CreateFileW(wide, 0, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                                NULL, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL);
    const DWORD os = handle == INVALID_HANDLE_VALUE ? GetLastError() : ERROR_SUCCESS;
    free(wide);
    if (handle == INVALID_HANDLE_VALUE)
        return w32_err_set(err, os, "cannot find out where the folder is");
    const DWORD n = GetFinalPathNameByHandleW(handle, s->path, PROC_WIDE_ROOM, VOLUME_NAME_DOS);
    if (n == 0 || n >= PROC_WIDE_ROOM)
        rc = w32_err_set(err, GetLastError(), "cannot find out where the folder is");
    (void)CloseHandle(handle);
    if (rc == E_OK)
        take_folder(s, s->path);
    return rc;
}

/* --- what a process holds */

static bool holds(struct search *s, const wchar_t *path)
{
    return is_below(s, path) && w32_path_text(path, s->held, sizeof(s->held), NULL) == E_OK;
}

/* A library may have been loaded by a short name ("PROGRA~1"). */
static bool is_module_below(struct search *s, HANDLE process, HMODULE module)
{
    const DWORD n = GetModuleFileNameExW(process, module, s->path, PROC_WIDE_ROOM);
    if (n == 0 || n >= PROC_WIDE_ROOM)
        return false;
    if (holds(s, s->path))
        return true;
    const DWORD m =
        wcschr(s->path, L'~') == NULL ? 0 : GetLongPathNameW(s->path, s->full, PROC_WIDE_ROOM);
    return m > 0 && m < PROC_WIDE_ROOM && holds(s, s->full);
}

static bool read_modules(struct search *s, HANDLE process, size_t *out_n)
{
    DWORD size = 0;
    if (!EnumProcessModulesEx(process, s->modules, sizeof(s->modules), &size, LIST_MODULES_ALL) ||
        size > sizeof(s->modules))
        return false;
    *out_n = size / sizeof(s->modules[0]);
    return true;
}

static bool holds_a_library(struct search *s, DWORD pid, bool *is_hidden)
{
    size_t n = 0;
    bool is_found = false;
    HANDLE process = OpenProcess(PROCESS_QUERY_INFORMATION | PROCESS_VM_READ, FALSE, pid);
    if (process == NULL) {
        *is_hidden = *is_hidden || GetLastError() != ERROR_INVALID_PARAMETER;
        return false;
    }
    if (!read_modules(s, process, &n))
        *is_hidden = true;
    for (size_t i = 0; i < n && !is_found; i++)
        is_found = is_module_below(s, process, s->modules[i]);
    (void)CloseHandle(process);
    return is_found;
}

/* The Restart Manager does not say which file. */
static bool holds_a_file(struct search *s)
{
    for (size_t i = 0; i < s->open_files.n; i++) {
        const RM_UNIQUE_PROCESS *p = &s->open_files.items[i];
        const uint64_t born =
            (uint64_t)p->ProcessStartTime.dwHighDateTime << 32 | p->ProcessStartTime.dwLowDateTime;
        if (p->dwProcessId == (DWORD)s->seen.info.pid &&
            (s->seen.info.born == 0 || s->seen.info.born == born))
            return w32_path_text(s->folder, s->held, sizeof(s->held), NULL) == E_OK;
    }
    return false;
}

/* A library that is known by its name says more than a file that is not. */
static bool find_hold(struct search *s, enum proc_hold *out_how, bool *is_hidden)
{
    *is_hidden = s->seen.is_hidden || !s->open_files.is_believed;
    if (s->seen.has_program && holds(s, s->seen.wide))
        *out_how = PROC_HOLDS_PROGRAM;
    else if (s->seen.has_program && holds_a_library(s, (DWORD)s->seen.info.pid, is_hidden))
        *out_how = PROC_HOLDS_LIBRARY;
    else if (holds_a_file(s))
        *out_how = PROC_HOLDS_FILE;
    else
        return false;
    return true;
}

static enum errc search_one(struct search *s, const struct proc_entry *entry, struct err *err)
{
    struct err why = { .code = E_OK };
    enum proc_hold how;
    bool is_hidden = false;
    if (entry->pid == GetCurrentProcessId())
        return E_OK;
    enum errc rc = proc_look(entry, &s->seen, &why);
    if (rc == E_ABSENT)
        return E_OK;
    if (rc != E_OK)
        return err_set(err, rc, "process %lu: %s", (unsigned long)entry->pid, why.text);
    if (find_hold(s, &how, &is_hidden))
        return s->fn(s->ctx, &s->seen.info, how, s->held, err);
    s->n_hidden += is_hidden;
    return E_OK;
}

enum errc proc_holders_by(const struct restart_manager *manager, const char *folder,
                          proc_holder_fn fn, void *ctx, size_t *out_n_hidden, struct err *err)
{
    struct proc_entry *entries = NULL;
    size_t n = 0;
    struct search *s = calloc(1, sizeof(*s));
    if (s == NULL)
        return err_nomem(err);
    s->fn = fn;
    s->ctx = ctx;
    enum errc rc = find_folder(s, folder, err);
    if (rc == E_OK && manager != NULL)
        rc = proc_open_files_read(manager, s->folder, &s->open_files, err);
    if (rc == E_OK)
        rc = proc_entries(&entries, &n, err);
    for (size_t i = 0; i < n && rc == E_OK; i++)
        rc = search_one(s, &entries[i], err);
    if (rc == E_OK)
        *out_n_hidden = s->n_hidden;
    free(entries);
    free(s->open_files.items);
    free(s);
    return rc;
}

enum errc proc_holders(void *self, const char *folder, proc_holder_fn fn, void *ctx,
                       size_t *out_n_hidden, struct err *err)
{
    struct restart_manager manager;
    UNUSED(self);
    return proc_holders_by(proc_restart_manager(&manager) ? &manager : NULL, folder, fn, ctx,
                           out_n_hidden, err);
}
