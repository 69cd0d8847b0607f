#include <windows.h>

#include <fcntl.h>
#include <io.h>
#include <shellapi.h>
#include <stdio.h>
#include <stdlib.h>

#include "platform/console.h"
#include "platform/win32/w32.h"

/* Windows and the C runtime each keep an environment. */
static void forget(const char *variable)
{
    (void)SetEnvironmentVariableA(variable, NULL);
    (void)_putenv_s(variable, "");
}

/* Libraries are looked for in System32 only, never beside the program or in the current folder. It
 * comes before main and before all other constructors: the stack protector's asks Windows for
 * random bytes, for which that loads a library (cryptbase.dll; wine: bcrypt.dll). */
__attribute__((constructor(101))) static void guard_libraries(void)
{
    (void)SetDefaultDllDirectories(LOAD_LIBRARY_SEARCH_SYSTEM32);
    (void)SetDllDirectoryW(L"");
}

/* What our libraries would do as the environment says: whoever may set variables of an account that
 * administers may not write the keys of connections to a file, name code to load, certificates to
 * trust, or a proxy. None of it is asked for by us; that no library asks is made sure of here. */
static const char *const of_libraries[] = {
    "SSLKEYLOGFILE",   "OPENSSL_CONF",  "OPENSSL_CONF_INCLUDE", "OPENSSL_ENGINES",
    "OPENSSL_MODULES", "SSL_CERT_FILE", "SSL_CERT_DIR",         "CURL_CA_BUNDLE",
    "CURL_HOME",       "HTTP_PROXY",    "HTTPS_PROXY",          "ALL_PROXY",
    "NO_PROXY",        "NETRC",         "XML_CATALOG_FILES",    "SGML_CATALOG_FILES",
};

static HANDLE handle_of(int fd)
{
    return GetStdHandle(fd == 1 ? STD_OUTPUT_HANDLE : STD_ERROR_HANDLE);
}

struct console console_init(void)
{
    struct console before = { .code_page = GetConsoleOutputCP() };
    DWORD mode = 0;
    before.has_mode = GetConsoleMode(handle_of(1), &mode) != 0;
    before.mode = mode;
    (void)_setmode(_fileno(stdout), _O_BINARY);
    (void)_setmode(_fileno(stderr), _O_BINARY);
    (void)SetConsoleOutputCP(CP_UTF8);
    if (w32_is_elevated())
        for (size_t i = 0; i < ARRAY_LEN(of_libraries); i++)
            forget(of_libraries[i]);
    return before;
}

void console_fini(const struct console *before)
{
    (void)fflush(stdout);
    (void)fflush(stderr);
    if (before->has_mode)
        (void)SetConsoleMode(handle_of(1), before->mode);
    if (before->code_page != 0)
        (void)SetConsoleOutputCP(before->code_page);
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

enum errc console_read_descriptor(int fd, uint8_t *to, size_t room, size_t *out_len,
                                  struct err *err)
{
    uint8_t more;
    size_t len = 0;
    (void)_setmode(fd, _O_BINARY);
    for (;;) {
        size_t want = len < room ? room - len : 1;
        int n = _read(fd, len < room ? to + len : &more, want > 65536 ? 65536 : (unsigned)want);
        if (n < 0)
            return err_set(err, E_IO, "cannot read descriptor %d", fd);
        if (n == 0)
            break;
        if (len == room)
            return err_set(err, E_LIMIT, "descriptor %d gives more than %zu bytes", fd, room);
        len += (size_t)n;
    }
    *out_len = len;
    return E_OK;
}

/* --- secrets on the console */

#define SECRET_CHARS 1024
#define END_OF_INPUT 0x1A /* Ctrl-Z */

/* The line as UTF-8, without its end. */
static enum errc take_line(const wchar_t *line, DWORD n, uint8_t *to, size_t room, size_t *out_len,
                           struct err *err)
{
    if (n == 0 || line[0] == END_OF_INPUT)
        return err_set(err, E_ABSENT, "nothing was typed");
    if (line[n - 1] != L'\n')
        return err_set(err, E_LIMIT, "more than %d characters were typed", SECRET_CHARS);
    while (n > 0 && (line[n - 1] == L'\n' || line[n - 1] == L'\r'))
        n--;
    int len =
        n == 0 ? 0
               : WideCharToMultiByte(CP_UTF8, 0, line, (int)n, (char *)to, (int)room, NULL, NULL);
    if (n != 0 && len <= 0)
        return err_set(err, E_LIMIT, "more than %zu bytes were typed", room);
    *out_len = (size_t)len;
    return E_OK;
}

static enum errc read_hidden(HANDLE in, uint8_t *to, size_t room, size_t *out_len, struct err *err)
{
    wchar_t line[SECRET_CHARS + 2];
    DWORD n = 0;
    enum errc rc;
    if (!ReadConsoleW(in, line, (DWORD)ARRAY_LEN(line), &n, NULL))
        rc = w32_err_set(err, GetLastError(), "cannot read from the console");
    else
        rc = take_line(line, n, to, room, out_len, err);
    SecureZeroMemory(line, sizeof(line));
    return rc;
}

static HANDLE open_console(const wchar_t *name)
{
    return CreateFileW(name, GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL,
                       OPEN_EXISTING, 0, NULL);
}

/* What cannot be shown is not worth failing for. */
static void show_text(const char *text)
{
    wchar_t *wide;
    DWORD n;
    HANDLE out = open_console(L"CONOUT$");
    if (out == INVALID_HANDLE_VALUE)
        return;
    if (w32_wide(text, &wide, NULL) == E_OK) {
        (void)WriteConsoleW(out, wide, (DWORD)wcslen(wide), &n, NULL);
        free(wide);
    }
    (void)CloseHandle(out);
}

enum errc console_read_secret(const char *prompt, uint8_t *to, size_t room, size_t *out_len,
                              struct err *err)
{
    DWORD shown;
    enum errc rc = E_OK;
    HANDLE in = open_console(L"CONIN$");
    if (in == INVALID_HANDLE_VALUE)
        return err_set(err, E_UNSUPPORTED, "there is no terminal to ask on");
    if (!GetConsoleMode(in, &shown)) {
        rc = err_set(err, E_UNSUPPORTED, "there is no terminal to ask on");
        goto done;
    }
    /* Ctrl-C ends the line instead of the program: the mode is put back first. */
    (void)SetConsoleCtrlHandler(NULL, TRUE);
    (void)FlushConsoleInputBuffer(in);
    if (!SetConsoleMode(in, ENABLE_LINE_INPUT | ENABLE_PROCESSED_INPUT))
        rc = w32_err_set(err, GetLastError(), "cannot hide what is typed");
    if (rc == E_OK) {
        show_text(prompt);
        rc = read_hidden(in, to, room, out_len, err);
        show_text("\n");
    }
    (void)SetConsoleMode(in, shown);
    (void)SetConsoleCtrlHandler(NULL, FALSE);
done:
    (void)CloseHandle(in);
    return rc;
}
