#include <stdlib.h>
#include <string.h>

#include "platform/win32/proc_parts.h"

static enum errc add_many(struct buf *line, uint8_t byte, size_t n, struct err *err)
{
    enum errc rc = E_OK;
    for (; n > 0 && rc == E_OK; n--)
        rc = buf_add_byte(line, byte, err);
    return rc;
}

/* Backslashes mean something before a quotation mark alone, and the one that ends the argument is
 * such a one: they are doubled there, and one more makes a mark of the argument's own plain. */
static enum errc add_quoted(const char *arg, struct buf *line, struct err *err)
{
    size_t n_backslashes = 0;
    enum errc rc = buf_add_byte(line, '"', err);
    for (; *arg != '\0' && rc == E_OK; arg++) {
        if (*arg == '\\') {
            n_backslashes++;
            continue;
        }
        rc = add_many(line, '\\', *arg == '"' ? 2 * n_backslashes + 1 : n_backslashes, err);
        n_backslashes = 0;
        if (rc == E_OK)
            rc = buf_add_byte(line, (uint8_t)*arg, err);
    }
    if (rc == E_OK)
        rc = add_many(line, '\\', 2 * n_backslashes, err);
    return rc == E_OK ? buf_add_byte(line, '"', err) : rc;
}

/* The program's own name is read by other rules: in marks up to the next mark, no backslash means
 * anything. */
static enum errc add_program(const char *path, struct buf *line, struct err *err)
{
    if (strchr(path, '"') != NULL)
        return err_set(err, E_ARGUMENT, "a program's path has no quotation marks");
    enum errc rc = buf_add_byte(line, '"', err);
    for (; *path != '\0' && rc == E_OK; path++)
        rc = buf_add_byte(line, *path == '/' ? '\\' : (uint8_t)*path, err);
    return rc == E_OK ? buf_add_byte(line, '"', err) : rc;
}

enum errc proc_quote(const char *const *argv, struct buf *line, struct err *err)
{
    enum errc rc = add_program(argv[0], line, err);
    for (size_t i = 1; rc == E_OK && argv[i] != NULL; i++) {
        const bool is_plain = argv[i][0] != '\0' && strpbrk(argv[i], " \t\n\v\"") == NULL;
        rc = buf_add_byte(line, ' ', err);
        if (rc == E_OK)
            rc = is_plain ? buf_add_text(line, argv[i], err) : add_quoted(argv[i], line, err);
    }
    return rc;
}

static bool is_slash(char c)
{
    return c == '/' || c == '\\';
}

static bool is_from_root(const char *path)
{
    const bool is_letter = (path[0] >= 'a' && path[0] <= 'z') || (path[0] >= 'A' && path[0] <= 'Z');
    return (is_letter && path[1] == ':' && is_slash(path[2])) ||
           (is_slash(path[0]) && is_slash(path[1]) && path[2] != '\0');
}

/* Windows takes dots and spaces at a name's end for nothing: "x.bat. " is x.bat. */
static bool ends_in(const char *name, const char *extension)
{
    size_t len = strlen(name), n = strlen(extension);
    while (len > 0 && (name[len - 1] == '.' || name[len - 1] == ' '))
        len--;
    return len >= n && _strnicmp(name + len - n, extension, n) == 0;
}

enum errc proc_check_program(const char *path, struct err *err)
{
    const char *name = path;
    if (!is_from_root(path))
        return err_set(err, E_ARGUMENT, "the program \"%.80s\" is not named by its whole path",
                       path);
    for (const char *c = path; *c != '\0'; c++)
        if (is_slash(*c))
            name = c + 1;
    if (strchr(name, ':') != NULL)
        return err_set(err, E_ACCESS, "\"%.80s\" is no name of a program's file", name);
    if (ends_in(name, ".bat") || ends_in(name, ".cmd"))
        return err_set(err, E_ACCESS,
                       "\"%.80s\" is a batch file, to which arguments can't be handed safely: name "
                       "a program",
                       name);
    return E_OK;
}
