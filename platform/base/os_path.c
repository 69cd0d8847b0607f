#include "platform/base/os_path.h"

#include <stdio.h>
#include <string.h>

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_slash(enum os_path_style style, char c)
{
    return c == '/' || (c == '\\' && style == OS_PATH_WINDOWS);
}

static bool has_drive(const char *path)
{
    return is_letter(path[0]) && path[1] == ':';
}

void os_path_slashes(enum os_path_style style, char *path)
{
    for (; *path != '\0' && style == OS_PATH_WINDOWS; path++)
        if (*path == '\\')
            *path = '/';
}

bool os_path_is_absolute(enum os_path_style style, const char *path)
{
    if (style == OS_PATH_POSIX)
        return path[0] == '/';
    return (has_drive(path) && is_slash(style, path[2])) ||
           (is_slash(style, path[0]) && is_slash(style, path[1]));
}

/* --- roots */

/* The server and the share, and the "/" behind it where there is one. */
static size_t share_len(const char *path)
{
    size_t len = 2;
    for (int part = 0; part < 2; part++) {
        const size_t name = strcspn(path + len, "/");
        if (name == 0)
            return 0;
        len += name;
        if (path[len] == '/')
            len++;
        else
            break;
    }
    return len;
}

size_t os_path_root_len(const char *path)
{
    if (has_drive(path) && path[2] == '/')
        return 3;
    if (path[0] != '/')
        return 0;
    const size_t share = path[1] == '/' ? share_len(path) : 0;
    return share != 0 ? share : 1;
}

bool os_path_is_root(const char *path)
{
    const size_t root = os_path_root_len(path);
    return root != 0 && path[root] == '\0';
}

void os_path_cut_slashes(char *path)
{
    const size_t root = os_path_root_len(path);
    size_t len = strlen(path);
    while (len > root && len > 1 && path[len - 1] == '/')
        path[--len] = '\0';
}

void os_path_cut_name(char *path)
{
    const size_t root = os_path_root_len(path);
    char *slash = strrchr(path, '/');
    if (slash == NULL)
        return;
    const size_t at = (size_t)(slash - path);
    path[at < root ? root : at] = '\0';
}

/* --- what a person wrote */

size_t os_path_folder_len(enum os_path_style style, const char *path)
{
    size_t len = strlen(path);
    while (len > 0 && !is_slash(style, path[len - 1]))
        len--;
    return len;
}

const char *os_path_name(enum os_path_style style, const char *path)
{
    return path + os_path_folder_len(style, path);
}

/* POSIX leaves to the system what two slashes at the start mean; to ours they are one. */
static const char *cut_start(enum os_path_style style, const char *name)
{
    while (style == OS_PATH_POSIX && name[0] == '/' && name[1] == '/')
        name++;
    return name;
}

enum errc os_path_resolve(enum os_path_style style, const char *base, const char *name, char *to,
                          size_t room, struct err *err)
{
    size_t base_len = os_path_is_absolute(style, name) ? 0 : strlen(base);
    const bool is_windows = style == OS_PATH_WINDOWS;
    if (is_windows && base_len > 0 && has_drive(name))
        return err_set(err, E_ARGUMENT, "%.80s depends on where drive %c: was last: write %c:\\...",
                       name, name[0], name[0]);
    if (is_windows && base_len > 0 && is_slash(style, name[0])) {
        base_len = os_path_root_len(base);
        name += base_len > 0;
    }
    base = cut_start(style, base);
    if (base_len > 0 && !is_windows)
        base_len = strlen(base);
    int n = snprintf(to, room, "%.*s%s", (int)base_len, base, cut_start(style, name));
    if (n < 0 || (size_t)n >= room)
        return err_set(err, E_ARGUMENT, "a path longer than %zu bytes", room - 1);
    if (base[0] != '\0')
        os_path_slashes(style, to);
    return E_OK;
}

enum errc os_path_from_url(enum os_path_style style, char *path, struct err *err)
{
    if (style == OS_PATH_POSIX)
        return E_OK;
    if (strchr(path, '\\') != NULL)
        return err_set(err, E_MALFORMED, "the file's URL has an encoded \"\\\" in it");
    if (path[0] != '/' || !has_drive(path + 1) || path[3] != '/')
        return err_set(err, E_MALFORMED, "the file's URL names no drive: write file:///C:/...");
    memmove(path, path + 1, strlen(path));
    return E_OK;
}
