#include <windows.h>

#include <stdlib.h>

#include "platform/win32/proc_parts.h"

#define TRIES 8
#define FOLDERS_DEEP_MAX 64

struct files {
    wchar_t *paths[PROC_ASKED_MAX];
    size_t n;
    bool is_all;
    wchar_t at[PROC_WIDE_ROOM]; /* the path that is looked at */
};

/* --- the files */

static bool add_path(struct files *f)
{
    /* the Restart Manager takes no longer ones */
    if (f->n == PROC_ASKED_MAX || wcslen(f->at) >= MAX_PATH)
        return false;
    f->paths[f->n] = _wcsdup(f->at);
    return f->paths[f->n] != NULL && ++f->n > 0;
}

static bool walk(struct files *f, size_t len, int depth);

static bool visit(struct files *f, size_t len, const WIN32_FIND_DATAW *found, int depth)
{
    const size_t n = wcslen(found->cFileName);
    if (wcscmp(found->cFileName, L".") == 0 || wcscmp(found->cFileName, L"..") == 0)
        return true;
    if (len + n + 3 >= PROC_WIDE_ROOM)
        return false;
    f->at[len] = L'\\';
    (void)wcscpy_s(f->at + len + 1, PROC_WIDE_ROOM - len - 1, found->cFileName);
    if ((found->dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) == 0)
        return add_path(f);
    if ((found->dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT) != 0)
        return true; /* what it leads to is not below */
    return walk(f, len + 1 + n, depth - 1);
}

/* Below the folder that the first `len` of f->at name; false where not all was taken. */
static bool walk(struct files *f, size_t len, int depth)
{
    WIN32_FIND_DATAW found;
    if (depth == 0)
        return false;
    (void)wcscpy_s(f->at + len, PROC_WIDE_ROOM - len, L"\\*");
    HANDLE list = FindFirstFileW(f->at, &found);
    bool is_all = list != INVALID_HANDLE_VALUE;
    while (is_all) {
        is_all = visit(f, len, &found, depth);
        if (!FindNextFileW(list, &found)) {
            is_all = is_all && GetLastError() == ERROR_NO_MORE_FILES;
            break;
        }
    }
    if (list != INVALID_HANDLE_VALUE)
        (void)FindClose(list);
    return is_all;
}

static void take_files(struct files *f, const wchar_t *folder)
{
    const size_t len = wcslen(folder);
    const DWORD n = GetModuleFileNameW(NULL, f->at, PROC_WIDE_ROOM);
    f->is_all = n > 0 && n < PROC_WIDE_ROOM && add_path(f); /* ours first, see proc_parts.h */
    if (len + 3 < PROC_WIDE_ROOM) {
        (void)wcscpy_s(f->at, PROC_WIDE_ROOM, folder);
        f->is_all = walk(f, len, FOLDERS_DEEP_MAX) && f->is_all;
    }
}

/* --- the answer */

static bool names_us(const RM_PROCESS_INFO *infos, UINT n)
{
    for (UINT i = 0; i < n; i++)
        if (infos[i].Process.dwProcessId == GetCurrentProcessId())
            return true;
    return false;
}

static enum errc keep(const RM_PROCESS_INFO *infos, UINT n, struct proc_open_files *out,
                      struct err *err)
{
    out->items = calloc(n == 0 ? 1 : n, sizeof(*out->items));
    if (out->items == NULL)
        return err_nomem(err);
    for (UINT i = 0; i < n; i++)
        out->items[i] = infos[i].Process;
    out->n = n;
    return E_OK;
}

/* How many there are is known only afterwards, and may have grown by then. */
static enum errc read_list(const struct restart_manager *m, DWORD session, bool is_all,
                           struct proc_open_files *out, struct err *err)
{
    RM_PROCESS_INFO *infos = NULL;
    UINT room = 16, needed = 0, n = 0;
    DWORD reasons = 0, os = ERROR_MORE_DATA;
    enum errc rc = E_OK;
    for (int i = 0; i < TRIES && os == ERROR_MORE_DATA && rc == E_OK; i++) {
        room = needed > room ? needed + 4 : room;
        RM_PROCESS_INFO *grown = realloc(infos, room * sizeof(*infos));
        if (grown == NULL) {
            rc = err_nomem(err);
            break;
        }
        infos = grown;
        n = room;
        os = m->list(session, &needed, &n, infos, &reasons);
    }
    if (rc == E_OK && os == ERROR_SUCCESS && n <= room) {
        rc = keep(infos, n, out, err);
        out->is_believed = rc == E_OK && is_all && names_us(infos, n);
    }
    free(infos);
    return rc;
}

enum errc proc_open_files_read(const struct restart_manager *m, const wchar_t *folder,
                               struct proc_open_files *out, struct err *err)
{
    WCHAR key[CCH_RM_SESSION_KEY + 1] = L"";
    DWORD session = 0;
    enum errc rc = E_OK;
    *out = (struct proc_open_files){ .is_believed = false };
    struct files *f = calloc(1, sizeof(*f));
    if (f == NULL)
        return err_nomem(err);
    take_files(f, folder);
    if (m->start(&session, 0, key) == ERROR_SUCCESS) {
        if (m->add(session, (UINT)f->n, (LPCWSTR *)f->paths, 0, NULL, 0, NULL) == ERROR_SUCCESS)
            rc = read_list(m, session, f->is_all, out, err);
        (void)m->end(session);
    }
    for (size_t i = 0; i < f->n; i++)
        free(f->paths[i]);
    free(f);
    return rc;
}

bool proc_restart_manager(struct restart_manager *out)
{
    static const wchar_t library[] = L"rstrtmgr.dll";
    const w32_any_fn start = w32_function(library, "RmStartSession"),
                     add = w32_function(library, "RmRegisterResources"),
                     list = w32_function(library, "RmGetList"),
                     end = w32_function(library, "RmEndSession");
    if (start == NULL || add == NULL || list == NULL || end == NULL)
        return false;
    out->start = (DWORD(WINAPI *)(DWORD *, DWORD, WCHAR *))start;
    out->add =
        (DWORD(WINAPI *)(DWORD, UINT, LPCWSTR *, UINT, RM_UNIQUE_PROCESS *, UINT, LPCWSTR *))add;
    out->list = (DWORD(WINAPI *)(DWORD, UINT *, UINT *, RM_PROCESS_INFO *, DWORD *))list;
    out->end = (DWORD(WINAPI *)(DWORD))end;
    return true;
}
