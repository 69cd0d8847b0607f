#include <stdlib.h>
#include <string.h>

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

/* --- names that Windows takes for something else */

static size_t component_len(const char *at)
{
    return strcspn(at, "/\\");
}

/* A device's name stays one in every folder, in any case and with any ending: "nul.txt". */
static bool is_device(const char *name, size_t len)
{
    static const char *const devices[] = { "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$" };
    static const char *const numbered[] = { "COM", "LPT" };
    size_t base = 0;
    while (base < len && name[base] != '.')
        base++;
    while (base > 0 && name[base - 1] == ' ')
        base--;
    for (size_t i = 0; i < ARRAY_LEN(devices); i++)
        if (base == strlen(devices[i]) && _strnicmp(name, devices[i], base) == 0)
            return true;
    for (size_t i = 0; i < ARRAY_LEN(numbered) && base > 3; i++) {
        if (_strnicmp(name, numbered[i], 3) != 0)
            continue;
        if (base == 4 && name[3] >= '0' && name[3] <= '9')
            return true;
        /* superscript one, two and three are digits to Windows */
        if (base == 5 && name[3] == '\xC2' &&
            (name[4] == '\xB9' || name[4] == '\xB2' || name[4] == '\xB3'))
            return true;
    }
    return false;
}

static enum errc check_component(const char *name, size_t len, struct err *err)
{
    if (len == 0 || (len == 1 && name[0] == '.') || (len == 2 && name[0] == '.' && name[1] == '.'))
        return E_OK;
    if (memchr(name, ':', len) != NULL)
        return err_set(err, E_ARGUMENT, "has a colon in a name, which means a stream of a file");
    if (name[len - 1] == '.' || name[len - 1] == ' ')
        return err_set(err, E_ARGUMENT,
                       "has a name that ends with a dot or a space, which Windows drops");
    if (is_device(name, len))
        return err_set(err, E_ARGUMENT, "has a name that means a device: %.*s", (int)len, name);
    return E_OK;
}

/* Where names begin: behind "C:", \\?\ and a volume's "Volume{...}". */
static const char *skip_root(const char *path)
{
    if (strncmp(path, "\\\\?\\", 4) == 0)
        path += 4;
    const bool is_letter = (path[0] >= 'A' && path[0] <= 'Z') || (path[0] >= 'a' && path[0] <= 'z');
    return is_letter && path[1] == ':' ? path + 2 : path;
}

static enum errc check_names(const char *path, struct err *err)
{
    enum errc rc = E_OK;
    if ((path[0] == '\\' || path[0] == '/') && (path[1] == '\\' || path[1] == '/') &&
        path[2] == '.' && (path[3] == '\\' || path[3] == '/'))
        return err_set(err, E_ARGUMENT, "is the path of a device");
    const char *at = skip_root(path);
    while (rc == E_OK && *at != '\0') {
        const size_t len = component_len(at);
        rc = check_component(at, len, err);
        at += at[len] == '\0' ? len : len + 1;
    }
    return rc;
}

/* "\\?\C:\x\" is "\\?\C:\x"; a root keeps its backslash. */
static void cut_backslashes(wchar_t *path)
{
    const wchar_t *root = wcschr(path + 4, L'\\');
    size_t len = wcslen(path);
    while (root != NULL && path + len - 1 > root && path[len - 1] == L'\\')
        path[--len] = L'\0';
}

enum errc w32_path(const char *path, wchar_t **out, struct err *err)
{
    wchar_t *wide = NULL;
    wchar_t *full = NULL;
    wchar_t *prefixed = NULL;
    DWORD len;
    enum errc rc = check_names(path, err);
    if (rc == E_OK)
        rc = w32_wide(path, &wide, err);
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
    cut_backslashes(prefixed);
    *out = prefixed;
done:
    free(full);
    free(wide);
    return rc;
}
