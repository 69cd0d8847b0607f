#include <stdlib.h>

#include "platform/win32/w32.h"

#define WIDE_PATH_MAX 32767

enum errc w32_wide(const char *text, wchar_t **out, struct err *err)
{
    int n = MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, NULL, 0);
    if (n <= 0)
        return err_set(err, E_ARGUMENT, "is no UTF-8 text");
    wchar_t *wide = calloc((size_t)n, sizeof(*wide));
    if (wide == NULL)
        return err_nomem(err);
    if (MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, wide, n) != n) {
        free(wide);
        return err_set(err, E_INTERNAL, "text changed while it was converted");
    }
    *out = wide;
    return E_OK;
}

enum errc w32_utf8(const wchar_t *wide, char **out, struct err *err)
{
    int n = WideCharToMultiByte(CP_UTF8, 0, wide, -1, NULL, 0, NULL, NULL);
    if (n <= 0)
        return err_set(err, E_ARGUMENT, "is no UTF-16 text");
    char *text = calloc((size_t)n, 1);
    if (text == NULL)
        return err_nomem(err);
    if (WideCharToMultiByte(CP_UTF8, 0, wide, -1, text, n, NULL, NULL) != n) {
        free(text);
        return err_set(err, E_INTERNAL, "text changed while it was converted");
    }
    *out = text;
    return E_OK;
}

/* \\server\share becomes \\?\UNC\server\share, C:\x becomes \\?\C:\x; what has a prefix already
 * keeps it. */
static wchar_t *add_prefix(const wchar_t *full, size_t len)
{
    wchar_t *out = calloc(len + 9, sizeof(*out));
    if (out == NULL)
        return NULL;
    if (wcsncmp(full, L"\\\\?\\", 4) == 0 || wcsncmp(full, L"\\\\.\\", 4) == 0)
        (void)wcscpy_s(out, len + 9, full);
    else if (wcsncmp(full, L"\\\\", 2) == 0)
        (void)swprintf(out, len + 9, L"\\\\?\\UNC\\%ls", full + 2);
    else
        (void)swprintf(out, len + 9, L"\\\\?\\%ls", full);
    return out;
}

enum errc w32_path(const char *path, wchar_t **out, struct err *err)
{
    wchar_t *wide = NULL;
    wchar_t *full = NULL;
    wchar_t *prefixed = NULL;
    DWORD len;
    enum errc rc = w32_wide(path, &wide, err);
    if (rc != E_OK)
        return rc;
    full = calloc(WIDE_PATH_MAX + 1, sizeof(*full));
    if (full == NULL) {
        rc = err_nomem(err);
        goto done;
    }
    len = GetFullPathNameW(wide, WIDE_PATH_MAX, full, NULL);
    if (len == 0 || len >= WIDE_PATH_MAX) {
        rc = err_set(err, E_ARGUMENT, "is no path that Windows can open");
        goto done;
    }
    prefixed = add_prefix(full, len);
    if (prefixed == NULL) {
        rc = err_nomem(err);
        goto done;
    }
    *out = prefixed;
done:
    free(full);
    free(wide);
    return rc;
}
