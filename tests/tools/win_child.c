/* win_child: what tests of Windows' processes run.
 *
 *   win_child args ...            each argument on a line
 *   win_child env                 each variable on a line
 *   win_child about HANDLE        its folder; how standard input ends; is the handle one of its
 * own? win_child exit CODE win_child write N CODE        N bytes, then exit win_child break FILE
 * says "asked" on CTRL_BREAK and ends; FILE is made when it is ready win_child deaf FILE takes
 * CTRL_BREAK for nothing win_child start PIDFILE ...   starts itself with the arguments, writes its
 * number, and ends win_child stay PIDFILE ...    the same, and stays win_child run PIDFILE ... runs
 * itself with the arguments by Surefoot's own means win_child pid PIDFILE         writes its own
 * number, and stays win_child load LIBRARY FILE   loads it, and stays win_child window FILE has a
 * window, and ends when that is closed */

#include <windows.h>

#include <shellapi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/platform.h"

static bool is_deaf;

static BOOL WINAPI on_event(DWORD event)
{
    if (event == CTRL_BREAK_EVENT && !is_deaf) {
        (void)printf("asked\n");
        (void)fflush(stdout);
        ExitProcess(0);
    }
    return TRUE;
}

static int stay(void)
{
    Sleep(60000);
    return 9;
}

static void write_number(const wchar_t *path, unsigned long number)
{
    wchar_t beside[MAX_PATH];
    (void)swprintf(beside, MAX_PATH, L"%ls.new", path);
    FILE *f = _wfopen(beside, L"wb");
    if (f == NULL)
        exit(8);
    (void)fprintf(f, "%lu", number);
    (void)fclose(f);
    if (!MoveFileExW(beside, path, MOVEFILE_REPLACE_EXISTING))
        exit(8);
}

static DWORD start_self(wchar_t **args, int n)
{
    wchar_t line[4096], self[MAX_PATH];
    STARTUPINFOW start = { .cb = sizeof(start) };
    PROCESS_INFORMATION made;
    (void)GetModuleFileNameW(NULL, self, MAX_PATH);
    (void)swprintf(line, 4096, L"win_child");
    for (int i = 0; i < n; i++) {
        const size_t len = wcslen(line);
        (void)swprintf(line + len, 4096 - len, L" \"%ls\"", args[i]);
    }
    if (!CreateProcessW(self, line, NULL, NULL, FALSE, 0, NULL, NULL, &start, &made))
        exit(7);
    (void)CloseHandle(made.hThread);
    (void)CloseHandle(made.hProcess);
    return made.dwProcessId;
}

static void put_utf8(const wchar_t *from, char to[1000])
{
    (void)WideCharToMultiByte(CP_UTF8, 0, from, -1, to, 1000, NULL, NULL);
}

static int print_args(wchar_t **args, int n)
{
    for (int i = 0; i < n; i++) {
        char text[1000];
        put_utf8(args[i], text);
        (void)printf("%s\n", text);
    }
    return 0;
}

static int print_env(void)
{
    wchar_t *all = GetEnvironmentStringsW();
    for (wchar_t *v = all; *v != L'\0'; v += wcslen(v) + 1)
        (void)printf("%ls\n", v);
    return 0;
}

static int print_about(const wchar_t *handle)
{
    char folder[MAX_PATH];
    DWORD flags, n = 99;
    char byte;
    const HANDLE ours = (HANDLE)(uintptr_t)_wcstoui64(handle, NULL, 10);
    (void)GetCurrentDirectoryA(MAX_PATH, folder);
    const BOOL is_read = ReadFile(GetStdHandle(STD_INPUT_HANDLE), &byte, 1, &n, NULL);
    (void)printf("%s\n%d %lu\n%d\n", folder, is_read != 0, (unsigned long)n,
                 GetHandleInformation(ours, &flags) != 0 && GetFileType(ours) == FILE_TYPE_DISK);
    return 0;
}

static int run_self(const wchar_t *pid_file, wchar_t **args, int n)
{
    struct platform *p = platform_native();
    char self[1000], text[8][1000];
    const char *argv[10] = { self };
    struct proc_command c = { .argv = argv, .timeout_ms = 60000 };
    struct proc_result result;
    struct err err;
    if (p->proc->own_program(p->self, self, sizeof(self), &err) != E_OK)
        return 6;
    for (int i = 0; i < n && i < 8; i++) {
        put_utf8(args[i], text[i]);
        argv[i + 1] = text[i];
    }
    write_number(pid_file, GetCurrentProcessId());
    return p->proc->run(p->self, &c, &result, &err) == E_OK ? 0 : 5;
}

static LRESULT CALLBACK on_message(HWND window, UINT message, WPARAM w, LPARAM l)
{
    if (message == WM_CLOSE)
        PostQuitMessage(0);
    return message == WM_CLOSE ? 0 : DefWindowProcW(window, message, w, l);
}

static int show_window(const wchar_t *file)
{
    const WNDCLASSW class = { .lpfnWndProc = on_message, .lpszClassName = L"surefoot test" };
    MSG message;
    (void)RegisterClassW(&class);
    if (CreateWindowExW(0, L"surefoot test", L"x", WS_OVERLAPPEDWINDOW, 0, 0, 9, 9, NULL, NULL,
                        NULL, NULL) == NULL)
        return 4;
    write_number(file, GetCurrentProcessId());
    while (GetMessageW(&message, NULL, 0, 0) > 0)
        (void)DispatchMessageW(&message);
    return 33;
}

static int log_events(const wchar_t *id, const wchar_t *source, const wchar_t *text)
{
    static const enum host_level levels[] = { HOST_INFO, HOST_WARNING, HOST_ERROR };
    struct platform *p = platform_native();
    char name[1000], line[1000];
    struct err err;
    put_utf8(source, name);
    put_utf8(text, line);
    for (size_t i = 0; i < ARRAY_LEN(levels); i++)
        if (p->host->log_event(p->self, (int)wcstol(id, NULL, 10) + (int)i, levels[i], name, line,
                               &err) != E_OK)
            return 1;
    return 0;
}

static int be_ready(const wchar_t *file, bool deaf)
{
    is_deaf = deaf;
    (void)SetConsoleCtrlHandler(on_event, TRUE);
    (void)printf("on\n");
    (void)fflush(stdout);
    write_number(file, GetCurrentProcessId());
    return stay();
}

static int write_bytes(unsigned long n, int code)
{
    static char bytes[4096];
    memset(bytes, 'x', sizeof(bytes));
    for (; n > 0; n -= n < sizeof(bytes) ? n : sizeof(bytes))
        (void)fwrite(bytes, 1, n < sizeof(bytes) ? n : sizeof(bytes), stdout);
    return code;
}

int main(void)
{
    int n = 0;
    wchar_t **args = CommandLineToArgvW(GetCommandLineW(), &n);
    const wchar_t *what = n > 1 ? args[1] : L"";
    if (wcscmp(what, L"args") == 0)
        return print_args(args + 2, n - 2);
    if (wcscmp(what, L"env") == 0)
        return print_env();
    if (n < 3)
        return 2;
    if (wcscmp(what, L"exit") == 0)
        ExitProcess((UINT)wcstoul(args[2], NULL, 0));
    if (wcscmp(what, L"about") == 0)
        return print_about(args[2]);
    if (wcscmp(what, L"break") == 0 || wcscmp(what, L"deaf") == 0)
        return be_ready(args[2], wcscmp(what, L"deaf") == 0);
    if (wcscmp(what, L"window") == 0)
        return show_window(args[2]);
    if (wcscmp(what, L"pid") == 0) {
        write_number(args[2], GetCurrentProcessId());
        return stay();
    }
    if (wcscmp(what, L"start") == 0 || wcscmp(what, L"stay") == 0) {
        write_number(args[2], start_self(args + 3, n - 3));
        return wcscmp(what, L"start") == 0 ? 0 : stay();
    }
    if (wcscmp(what, L"run") == 0)
        return run_self(args[2], args + 3, n - 3);
    if (n < 4)
        return 2;
    if (wcscmp(what, L"write") == 0)
        return write_bytes(wcstoul(args[2], NULL, 10), (int)wcstol(args[3], NULL, 10));
    if (wcscmp(what, L"log") == 0 && n > 4)
        return log_events(args[2], args[3], args[4]);
    if (wcscmp(what, L"load") == 0) {
        if (LoadLibraryW(args[2]) == NULL)
            return 3;
        write_number(args[3], GetCurrentProcessId());
        return stay();
    }
    return 2;
}
