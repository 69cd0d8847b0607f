#include "platform/posix/os_err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static enum errc code_of(int os)
{
    switch (os) {
    case ENOENT:
    case ESRCH:
    case ENOTDIR: return E_ABSENT;
    case EACCES:
    case EPERM:
    case EROFS:
    case ELOOP: return E_ACCESS;
    case EEXIST:
    case ENOTEMPTY: return E_EXISTS;
    case EBUSY:
    case ETXTBSY:
    case EAGAIN: return E_BUSY;
    case ENOSPC:
    case EDQUOT: return E_SPACE;
    case ENOMEM: return E_NOMEM;
    case ETIMEDOUT: return E_TIMEOUT;
    case ENAMETOOLONG:
    case ENOEXEC:
    case EISDIR:
    case EINVAL: return E_ARGUMENT;
    case EFBIG:
    case EMLINK:
    case EMFILE:
    case ENFILE: return E_LIMIT;
    case EXDEV:
    case ENOTTY:
    case ENOSYS:
    case EOPNOTSUPP: return E_UNSUPPORTED;
    default: return E_IO;
    }
}

enum errc os_err_set(struct err *err, int os, const char *fmt, ...)
{
    char what[160];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(what, sizeof(what), fmt, args);
    va_end(args);
    enum errc code = err_set(err, code_of(os), "%s: %s", what, strerror(os));
    if (err != NULL)
        err->os = os;
    return code;
}
