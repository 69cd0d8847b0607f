#include "platform/base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum errc err_set(struct err *err, enum errc code, const char *fmt, ...)
{
    if (err == NULL)
        return code;
    err->code = code;
    err->os = 0;
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(err->text, sizeof(err->text), fmt, args);
    va_end(args);
    return code;
}

enum errc err_prefix(struct err *err, const char *fmt, ...)
{
    if (err == NULL)
        return E_INTERNAL;
    char old[sizeof(err->text)];
    memcpy(old, err->text, sizeof(old));

    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(err->text, sizeof(err->text), fmt, args);
    va_end(args);
    if (n >= 0 && (size_t)n < sizeof(err->text) - 1) {
        size_t room = sizeof(err->text) - (size_t)n - 1;
        size_t len = strnlen(old, sizeof(old) - 1);
        if (len > room)
            len = room;
        memcpy(err->text + n, old, len);
        err->text[(size_t)n + len] = '\0';
    }
    return err->code;
}

enum errc err_nomem(struct err *err)
{
    return err_set(err, E_NOMEM, "out of memory");
}

const char *errc_name(enum errc code)
{
    switch (code) {
    case E_OK: return "ok";
    case E_ARGUMENT: return "argument";
    case E_NOMEM: return "out of memory";
    case E_IO: return "input/output";
    case E_ABSENT: return "absent";
    case E_ACCESS: return "access";
    case E_EXISTS: return "exists";
    case E_BUSY: return "busy";
    case E_SPACE: return "no space";
    case E_TIMEOUT: return "timeout";
    case E_TRUNCATED: return "truncated";
    case E_MALFORMED: return "malformed";
    case E_LIMIT: return "limit";
    case E_UNSUPPORTED: return "unsupported";
    case E_REFUSED: return "refused";
    case E_INTERNAL: return "internal";
    }
    return "unknown";
}

int errc_is_about_bytes(enum errc code)
{
    return code == E_TRUNCATED || code == E_MALFORMED || code == E_LIMIT || code == E_UNSUPPORTED;
}
