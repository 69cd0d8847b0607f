/* win_child: what tests of Windows' processes run.
 *
 *   win_child args ...            each argument on a line
 *   win_child env                 each variable on a line
 *   win_child about HANDLE        its folder; how standard input ends; is the handle its own?
 *   win_child exit CODE           ends
 *   win_child write N CODE        N bytes, then ends
 *   win_child break FILE          says "asked" on CTRL_BREAK and ends
 *   win_child deaf FILE           takes CTRL_BREAK for nothing
 *   win_child start FILE ...      starts itself with the arguments, and ends
 *   win_child stay FILE ...       the same, and stays
 *   win_child run FILE ...        runs itself with the arguments by Surefoot's own means
 *   win_child pid FILE            stays
 *   win_child load LIBRARY FILE   loads it, and stays
 *   win_child window FILE         has a window, and ends when that is closed
 *   win_child log ID SOURCE TEXT  an event of each level
 *   win_child mutex NAME FILE     owns the mutex, and stays
 *   win_child lock PATH FILE      has the file open and locked, and stays
 *   win_child hold PATH FILE      has the file open for itself alone, and stays
 *   win_child key KEY SDDL        gives a key below HKEY_LOCAL_MACHINE this access list
 *   win_child keep                stays until its input ends, and keeps wine from reading ROOT
 *
 * FILE is made when it is ready, with the number of the process in it. To stay is for a minute. */

#include <windows.h>

#include <sddl.h>
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

static int own_mutex(const wchar_t *name, const wchar_t *file)
{
    HANDLE mutex = CreateMutexW(NULL, TRUE, name);
    if (mutex == NULL || WaitForSingleObject(mutex, 0) != WAIT_OBJECT_0)
        return 4;
    write_number(file, GetCurrentProcessId());
    return stay();
}

static int lock_file(const wchar_t *path, const wchar_t *file)
{
    OVERLAPPED at = { .Offset = 0 };
    HANDLE open = CreateFileW(path, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL,
                              OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, NULL);
    if (open == INVALID_HANDLE_VALUE ||
        !LockFileEx(open, LOCKFILE_EXCLUSIVE_LOCK | LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, &at))
        return 4;
    write_number(file, GetCurrentProcessId());
    return stay();
}

static int hold_file(const wchar_t *path, const wchar_t *file)
{
    if (CreateFileW(path, GENERIC_READ, 0, NULL, OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, NULL) ==
        INVALID_HANDLE_VALUE)
        return 4;
    write_number(file, GetCurrentProcessId());
    return stay();
}

static int guard_key(const wchar_t *name, const wchar_t *sddl)
{
    PSECURITY_DESCRIPTOR list = NULL;
    HKEY key = NULL;
    const bool is_done =
        RegOpenKeyExW(HKEY_LOCAL_MACHINE, name, 0, READ_CONTROL | WRITE_DAC | KEY_WOW64_64KEY,
                      &key) == ERROR_SUCCESS &&
        ConvertStringSecurityDescriptorToSecurityDescriptorW(sddl, SDDL_REVISION_1, &list, NULL) &&
        RegSetKeySecurity(key, DACL_SECURITY_INFORMATION, list) == ERROR_SUCCESS;
    if (key != NULL)
        (void)RegCloseKey(key);
    (void)LocalFree(list);
    return is_done ? 0 : 4;
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

/* So that wine stays up, and until a line comes reads no certificates of the host into ROOT. The
 * first program that opens ROOT reads the host's certificates into it, a quarter of
 * a second, and so does each that comes when that one has ended: what tells them is a semaphore,
 * there for as long as anybody has it. */
static int keep(void)
{
    HANDLE has_read = CreateSemaphoreW(NULL, 1, 1, L"crypt32_root_semaphore");
    int c = getchar();
    (void)CloseHandle(has_read);
    while (c != EOF)
        c = getchar();
    return 0;
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
    if (wcscmp(what, L"keep") == 0)
        return keep();
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
    if (wcscmp(what, L"mutex") == 0)
        return own_mutex(args[2], args[3]);
    if (wcscmp(what, L"lock") == 0)
        return lock_file(args[2], args[3]);
    if (wcscmp(what, L"hold") == 0)
        return hold_file(args[2], args[3]);
    if (wcscmp(what, L"key") == 0)
        return guard_key(args[2], args[3]);
    if (wcscmp(what, L"load") == 0) {
        if (LoadLibraryW(args[2]) == NULL)
            return 3;
        write_number(args[3], GetCurrentProcessId());
        return stay();
    }
    return 2;
}
