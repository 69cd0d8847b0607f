#include <string.h>
#include <strings.h>

#include "platform/odbc/db_parts.h"

static const char *skip_space(const char *p)
{
    while (*p == ' ' || *p == '\t')
        p++;
    return p;
}

/* A value in braces ends at the first brace that is not doubled; any other at ";". Returns where it
 * ends, and its length in *out_len. */
static const char *take_value(const char *p, char *to, size_t room, size_t *out_len)
{
    bool is_braced = *p == '{';
    size_t n = 0;
    for (p += is_braced; *p != '\0'; p++) {
        if (is_braced && *p == '}' && *++p != '}')
            break;
        if (!is_braced && *p == ';')
            break;
        if (n + 1 < room)
            to[n] = *p;
        n++;
    }
    *out_len = n;
    return p;
}

static void end_value(char *to, size_t len)
{
    while (len > 0 && (to[len - 1] == ' ' || to[len - 1] == '\t'))
        len--;
    to[len] = '\0';
}

bool db_string_find(const char *connection, const char *key, char *to, size_t room)
{
    const char *p = connection;
    while (*(p = skip_space(p)) != '\0') {
        size_t name_len = strcspn(p, "=;"), len = 0;
        const char *name = p;
        p += name_len;
        if (*p == '=')
            p = take_value(skip_space(p + 1), to, room, &len);
        while (name_len > 0 && (name[name_len - 1] == ' ' || name[name_len - 1] == '\t'))
            name_len--;
        if (name_len == strlen(key) && strncasecmp(name, key, name_len) == 0) {
            end_value(to, len < room ? len : 0);
            return len < room;
        }
        p += strcspn(p, ";");
        p += *p == ';';
    }
    return false;
}
