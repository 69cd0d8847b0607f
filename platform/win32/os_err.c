#include <stdarg.h>
#include <stdio.h>

#include "platform/win32/w32.h"

static enum errc code_of(DWORD os)
{
    switch (os) {
    case ERROR_FILE_NOT_FOUND:
    case ERROR_PATH_NOT_FOUND:
    case ERROR_BAD_NETPATH:
    case ERROR_BAD_NET_NAME:
    case ERROR_INVALID_DRIVE:
    case ERROR_FILENAME_EXCED_RANGE:
    case ERROR_INVALID_NAME: return E_ABSENT;
    case ERROR_ACCESS_DENIED:
    case ERROR_INVALID_OWNER:
    case ERROR_PRIVILEGE_NOT_HELD:
    case ERROR_WRITE_PROTECT: return E_ACCESS;
    case ERROR_SHARING_VIOLATION:
    case ERROR_LOCK_VIOLATION:
    case ERROR_BUSY: return E_BUSY;
    case ERROR_FILE_EXISTS:
    case ERROR_ALREADY_EXISTS:
    case ERROR_DIR_NOT_EMPTY: return E_EXISTS;
    case ERROR_DISK_FULL:
    case ERROR_HANDLE_DISK_FULL: return E_SPACE;
    case ERROR_NOT_ENOUGH_MEMORY:
    case ERROR_OUTOFMEMORY: return E_NOMEM;
    case ERROR_TIMEOUT:
    case WAIT_TIMEOUT: return E_TIMEOUT;
    case ERROR_HANDLE_EOF: return E_TRUNCATED;
    case ERROR_INVALID_PARAMETER: return E_ARGUMENT;
    case ERROR_TOO_MANY_OPEN_FILES: return E_LIMIT;
    case ERROR_NOT_SUPPORTED:
    case ERROR_CALL_NOT_IMPLEMENTED: return E_UNSUPPORTED;
    default: return E_IO;
    }
}

/* The system's own words in English where it has them, without the line end that it adds. */
static void describe(DWORD os, char *to, size_t room)
{
    wchar_t wide[256];
    DWORD flags = FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS;
    DWORD n = FormatMessageW(flags, NULL, os, 0, wide, (DWORD)ARRAY_LEN(wide), NULL);
    while (n > 0 && (wide[n - 1] == L'\r' || wide[n - 1] == L'\n' || wide[n - 1] == L'.'))
        wide[--n] = L'\0';
    int len = n == 0 ? 0 : WideCharToMultiByte(CP_UTF8, 0, wide, -1, to, (int)room, NULL, NULL);
    if (len <= 0)
        (void)snprintf(to, room, "Windows error %lu", (unsigned long)os);
}

enum errc w32_err_set(struct err *err, DWORD os, const char *fmt, ...)
{
    char what[120];
    char words[160];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(what, sizeof(what), fmt, args);
    va_end(args);
    describe(os, words, sizeof(words));
    enum errc code = err_set(err, code_of(os), "%s: %s", what, words);
    if (err != NULL)
        err->os = (int)os;
    return code;
}
