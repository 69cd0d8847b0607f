#include <stdlib.h>

#include "platform/win32/proc_parts.h"

static enum errc list_one(const struct proc_entry *entry, struct proc_seen *seen, proc_fn fn,
                          void *ctx, struct err *err)
{
    struct err why = { .code = E_OK };
    enum errc rc = proc_look(entry, seen, &why);
    if (rc == E_ABSENT)
        return E_OK;
    if (rc != E_OK)
        return err_set(err, rc, "process %lu: %s", (unsigned long)entry->pid, why.text);
    return fn(ctx, &seen->info, err);
}

static enum errc proc_list(void *self, proc_fn fn, void *ctx, struct err *err)
{
    struct proc_entry *entries = NULL;
    struct proc_seen *seen = malloc(sizeof(*seen));
    size_t n = 0;
    UNUSED(self);
    enum errc rc = seen == NULL ? err_nomem(err) : proc_entries(&entries, &n, err);
    for (size_t i = 0; i < n && rc == E_OK; i++)
        rc = list_one(&entries[i], seen, fn, ctx, err);
    free(entries);
    free(seen);
    return rc;
}

static enum errc proc_own_program(void *self, char *to, size_t room, struct err *err)
{
    UNUSED(self);
    wchar_t *wide = calloc(PROC_WIDE_ROOM, sizeof(*wide));
    if (wide == NULL)
        return err_nomem(err);
    const DWORD len = GetModuleFileNameW(NULL, wide, PROC_WIDE_ROOM);
    enum errc rc = len == 0 || len >= PROC_WIDE_ROOM
                       ? w32_err_set(err, GetLastError(), "cannot tell where our own program is")
                       : w32_path_text(wide, to, room, err);
    free(wide);
    return rc;
}

/* Where that cannot be found out the environment is trusted no more than by an administrator. */
bool w32_is_elevated(void)
{
    TOKEN_ELEVATION elevation = { .TokenIsElevated = 1 };
    DWORD len;
    HANDLE token = NULL;
    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token))
        return true;
    if (!GetTokenInformation(token, TokenElevation, &elevation, sizeof(elevation), &len))
        elevation.TokenIsElevated = 1;
    (void)CloseHandle(token);
    return elevation.TokenIsElevated != 0;
}

static bool proc_is_elevated(void *self)
{
    UNUSED(self);
    return w32_is_elevated();
}

const struct proc_ops win32_proc_ops = {
    .list = proc_list,
    .holders = proc_holders,
    .run = proc_run,
    .terminate = proc_terminate,
    .own_program = proc_own_program,
    .is_elevated = proc_is_elevated,
};
