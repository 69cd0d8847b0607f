#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/win32/w32.h"

w32_any_fn w32_function(const wchar_t *library, const char *name)
{
    HMODULE module = LoadLibraryExW(library, NULL, LOAD_LIBRARY_SEARCH_SYSTEM32);
    return module == NULL ? NULL : (w32_any_fn)(uintptr_t)GetProcAddress(module, name);
}

/* \\?\UNC\server\share is //server/share, \\?\C:\x is C:/x. */
enum errc w32_path_text(const wchar_t *wide, char *to, size_t room, struct err *err)
{
    const bool is_unc = wcsncmp(wide, L"\\\\?\\UNC\\", 8) == 0;
    char *text = NULL;
    if (is_unc)
        wide += 8;
    else if (wcsncmp(wide, L"\\\\?\\", 4) == 0)
        wide += 4;
    enum errc rc = w32_utf8(wide, &text, err);
    if (rc != E_OK)
        return rc;
    int n = snprintf(to, room, "%s%s", is_unc ? "//" : "", text);
    free(text);
    if (n < 0 || (size_t)n >= room)
        return err_set(err, E_LIMIT, "a path longer than %zu bytes", room - 1);
    for (char *c = to; *c != '\0'; c++)
        if (*c == '\\')
            *c = '/';
    for (size_t len = (size_t)n; len > 3 && to[len - 1] == '/'; len--)
        to[len - 1] = '\0';
    return E_OK;
}
