#include <windows.h>

#include <knownfolders.h>
#include <shlobj.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/win32/host_parts.h"
#include "platform/win32/proc_parts.h"

#define ENV_MAX 256
#define VALUE_ROOM 4096

struct env {
    wchar_t *items[ENV_MAX];
    size_t n;
};

static size_t name_len(const wchar_t *variable)
{
    return wcscspn(variable, L"=");
}

/* Names are the same in any case. */
static int compare_names(const wchar_t *a, const wchar_t *b)
{
    const int order = CompareStringOrdinal(a, (int)name_len(a), b, (int)name_len(b), TRUE);
    return order == CSTR_LESS_THAN ? -1 : order == CSTR_GREATER_THAN;
}

static int by_name(const void *a, const void *b)
{
    return compare_names(*(wchar_t *const *)a, *(wchar_t *const *)b);
}

static enum errc add(struct env *env, const char *variable, struct err *err)
{
    const char *equals = strchr(variable, '=');
    if (equals == NULL || equals == variable)
        return err_set(err, E_ARGUMENT, "its environment has \"%.60s\", which is no NAME=value",
                       variable);
    if (env->n == ENV_MAX)
        return err_set(err, E_LIMIT, "its environment has more than %d variables", ENV_MAX);
    enum errc rc = w32_wide(variable, &env->items[env->n], err);
    if (rc == E_OK)
        env->n++;
    return rc;
}

/* What the command names itself is left as it has it. */
static enum errc add_wide(struct env *env, const wchar_t *name, const wchar_t *value,
                          struct err *err)
{
    wchar_t text[VALUE_ROOM];
    const int len = swprintf(text, VALUE_ROOM, L"%ls=%ls", name, value);
    for (size_t i = 0; len > 0 && i < env->n; i++)
        if (compare_names(env->items[i], text) == 0)
            return E_OK;
    if (len <= 0 || env->n == ENV_MAX)
        return err_set(err, E_LIMIT, "no room for its environment");
    env->items[env->n] = _wcsdup(text);
    if (env->items[env->n] == NULL)
        return err_nomem(err);
    env->n++;
    return E_OK;
}

static enum errc add_folder(struct env *env, const wchar_t *name, REFKNOWNFOLDERID which,
                            struct err *err)
{
    wchar_t *path = NULL;
    enum errc rc = E_OK;
    if (SHGetKnownFolderPath(which, 0, NULL, &path) == S_OK)
        rc = add_wide(env, name, path, err);
    CoTaskMemFree(path);
    return rc;
}

static enum errc add_temp(struct env *env, struct err *err)
{
    char path[VALUE_ROOM / 4];
    wchar_t *wide = NULL;
    enum errc rc = host_temp_folder(NULL, path, sizeof(path), err);
    if (rc == E_OK)
        rc = w32_wide(path, &wide, err);
    for (wchar_t *c = wide; c != NULL && *c != L'\0'; c++)
        if (*c == L'/')
            *c = L'\\';
    if (rc == E_OK)
        rc = add_wide(env, L"TEMP", wide, err);
    if (rc == E_OK)
        rc = add_wide(env, L"TMP", wide, err);
    free(wide);
    return rc;
}

static enum errc add_system(struct env *env, struct err *err)
{
    wchar_t windows[MAX_PATH], system[MAX_PATH], text[VALUE_ROOM];
    enum errc rc = E_OK;
    const UINT n = GetSystemWindowsDirectoryW(windows, MAX_PATH);
    const UINT m = GetSystemDirectoryW(system, MAX_PATH);
    if (n == 0 || n >= MAX_PATH || m == 0 || m >= MAX_PATH)
        return w32_err_set(err, GetLastError(), "Windows does not say where it is");
    rc = add_wide(env, L"SystemRoot", windows, err);
    if (rc == E_OK)
        rc = add_wide(env, L"windir", windows, err);
    (void)swprintf(text, VALUE_ROOM, L"%ls\\cmd.exe", system);
    if (rc == E_OK)
        rc = add_wide(env, L"ComSpec", text, err);
    (void)swprintf(text, VALUE_ROOM, L"%ls;%ls;%ls\\Wbem;%ls\\WindowsPowerShell\\v1.0", system,
                   windows, system, system);
    if (rc == E_OK)
        rc = add_wide(env, L"PATH", text, err);
    if (rc == E_OK)
        rc = add_wide(env, L"PATHEXT", L".COM;.EXE;.BAT;.CMD", err);
    windows[2] = L'\0';
    return rc == E_OK ? add_wide(env, L"SystemDrive", windows, err) : rc;
}

/* Sorted by name, each ended by a NUL, and one more at the end. */
static enum errc join(struct env *env, wchar_t **out, struct err *err)
{
    size_t len = 1, at = 0;
    for (size_t i = 0; i < env->n; i++)
        len += wcslen(env->items[i]) + 1;
    wchar_t *block = calloc(len, sizeof(*block));
    if (block == NULL)
        return err_nomem(err);
    qsort(env->items, env->n, sizeof(*env->items), by_name);
    for (size_t i = 0; i < env->n; i++) {
        const size_t n = wcslen(env->items[i]) + 1;
        memcpy(block + at, env->items[i], n * sizeof(*block));
        at += n;
    }
    *out = block;
    return E_OK;
}

enum errc proc_make_env(const struct proc_command *command, wchar_t **out, struct err *err)
{
    enum errc rc = E_OK;
    struct env *env = calloc(1, sizeof(*env));
    if (env == NULL)
        return err_nomem(err);
    for (size_t i = 0; rc == E_OK && command->env != NULL && command->env[i] != NULL; i++)
        rc = add(env, command->env[i], err);
    if (rc == E_OK)
        rc = add_system(env, err);
    if (rc == E_OK)
        rc = add_temp(env, err);
    if (rc == E_OK)
        rc = add_folder(env, L"ProgramData", &FOLDERID_ProgramData, err);
    if (rc == E_OK)
        rc = add_folder(env, L"ProgramFiles", &FOLDERID_ProgramFiles, err);
    if (rc == E_OK)
        rc = join(env, out, err);
    for (size_t i = 0; i < env->n; i++)
        free(env->items[i]);
    free(env);
    return rc;
}
