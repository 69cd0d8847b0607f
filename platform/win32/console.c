#include <windows.h>

#include <fcntl.h>
#include <io.h>
#include <shellapi.h>
#include <stdio.h>
#include <stdlib.h>

#include "platform/console.h"
#include "platform/win32/w32.h"

void console_init(void)
{
    /* Libraries are looked for in System32 only, never beside the program or in the current folder.
     */
    (void)SetDefaultDllDirectories(LOAD_LIBRARY_SEARCH_SYSTEM32);
    (void)SetDllDirectoryW(L"");
    (void)_setmode(_fileno(stdout), _O_BINARY);
    (void)_setmode(_fileno(stderr), _O_BINARY);
    (void)SetConsoleOutputCP(CP_UTF8);
}

enum errc console_arguments(int argc, char **argv, int *out_argc, char ***out_argv, struct err *err)
{
    int n = 0;
    UNUSED(argc);
    UNUSED(argv);
    wchar_t **wide = CommandLineToArgvW(GetCommandLineW(), &n);
    if (wide == NULL)
        return w32_err_set(err, GetLastError(), "cannot read the command line");
    char **args = calloc((size_t)n + 1, sizeof(*args));
    enum errc rc = args == NULL ? err_nomem(err) : E_OK;
    for (int i = 0; i < n && rc == E_OK; i++)
        rc = w32_utf8(wide[i], &args[i], err);
    (void)LocalFree(wide);
    if (rc != E_OK) /* what was made goes with the program, which ends now */
        return rc;
    *out_argc = n;
    *out_argv = args;
    return E_OK;
}

static HANDLE handle_of(int fd)
{
    return GetStdHandle(fd == 1 ? STD_OUTPUT_HANDLE : STD_ERROR_HANDLE);
}

bool console_is_terminal(int fd)
{
    DWORD mode;
    return GetConsoleMode(handle_of(fd), &mode) != 0;
}

bool console_wants_colour(void)
{
    DWORD mode;
    wchar_t no_colour[2];
    if (GetEnvironmentVariableW(L"NO_COLOR", no_colour, (DWORD)ARRAY_LEN(no_colour)) > 0)
        return false;
    if (!GetConsoleMode(handle_of(1), &mode))
        return false;
    return SetConsoleMode(handle_of(1), mode | ENABLE_VIRTUAL_TERMINAL_PROCESSING) != 0;
}
