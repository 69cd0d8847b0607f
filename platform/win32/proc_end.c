/* A process is asked by its windows, where it has any on our own desktop. CTRL_BREAK is not sent to
 * a process that we did not start: it goes to whole groups, and where the number is none of a group
 * Windows may send it to all that share the console, us included. */

#include <windows.h>

#include <inttypes.h>

#include "platform/win32/proc_parts.h"

#define AFTER_KILL_MS 5000 /* a process that waits for a device may take long to die */
#define KILLED_CODE 1
#define SYSTEM_PID 4 /* the kernel's own process */

typedef BOOL(WINAPI *enum_windows_fn)(WNDENUMPROC fn, LPARAM arg);
typedef DWORD(WINAPI *window_owner_fn)(HWND window, DWORD *out_pid);
typedef BOOL(WINAPI *post_fn)(HWND window, UINT message, WPARAM w, LPARAM l);

/* user32.dll is heavy, and few runs need it. */
struct windows {
    window_owner_fn owner;
    post_fn post;
    HWND our_console;
    DWORD pid;
    bool is_asked;
};

static BOOL CALLBACK ask_window(HWND window, LPARAM arg)
{
    struct windows *w = (struct windows *)arg;
    DWORD pid = 0;
    (void)w->owner(window, &pid);
    if (pid == w->pid && window != w->our_console && w->post(window, WM_CLOSE, 0, 0))
        w->is_asked = true;
    return TRUE;
}

bool proc_ask_windows(DWORD pid)
{
    static const wchar_t library[] = L"user32.dll";
    struct windows w = { .owner =
                             (window_owner_fn)w32_function(library, "GetWindowThreadProcessId"),
                         .post = (post_fn)w32_function(library, "PostMessageW"),
                         .our_console = GetConsoleWindow(),
                         .pid = pid };
    const enum_windows_fn each = (enum_windows_fn)w32_function(library, "EnumWindows");
    if (each == NULL || w.owner == NULL || w.post == NULL)
        return false;
    (void)each(ask_window, (LPARAM)&w);
    return w.is_asked;
}

static bool is_gone_within(HANDLE process, int64_t ms)
{
    const DWORD wait = ms < 0 ? 0 : ms > 0x7FFFFFFF ? 0x7FFFFFFF : (DWORD)ms;
    return WaitForSingleObject(process, wait) == WAIT_OBJECT_0;
}

static enum errc end_it(HANDLE process, DWORD pid, int64_t grace_ms, struct err *err)
{
    if (is_gone_within(process, 0) || (proc_ask_windows(pid) && is_gone_within(process, grace_ms)))
        return E_OK;
    /* of one that is about to end on its own Windows says that we may not */
    const DWORD os = TerminateProcess(process, KILLED_CODE) ? ERROR_SUCCESS : GetLastError();
    if (is_gone_within(process, AFTER_KILL_MS))
        return E_OK;
    if (os != ERROR_SUCCESS)
        return w32_err_set(err, os, "cannot be ended");
    return err_set(err, E_BUSY, "did not end, though it was made to; it may wait for a device");
}

enum errc proc_terminate(void *self, int64_t pid, uint64_t born, int64_t grace_ms, struct err *err)
{
    struct err why = { .code = E_OK };
    enum errc rc = E_OK;
    UNUSED(self);
    if (pid <= SYSTEM_PID || pid > UINT32_MAX || pid == GetCurrentProcessId())
        return err_set(err, E_ARGUMENT, "process %" PRId64 " is none to be ended", pid);
    HANDLE process = OpenProcess(
        PROCESS_TERMINATE | PROCESS_QUERY_LIMITED_INFORMATION | SYNCHRONIZE, FALSE, (DWORD)pid);
    if (process == NULL && GetLastError() == ERROR_INVALID_PARAMETER)
        return E_OK;
    if (process == NULL)
        return w32_err_set(err, GetLastError(), "cannot hold on to process %" PRId64, pid);
    /* Looked at after it is held: if this is the one that was meant, so is what we hold. */
    if (born == 0)
        rc = err_set(&why, E_ACCESS, "we were not told enough of it to know it again");
    else if (proc_born(process) == born)
        rc = end_it(process, (DWORD)pid, grace_ms, &why);
    (void)CloseHandle(process);
    return rc == E_OK ? E_OK : err_set(err, rc, "process %" PRId64 ": %s", pid, why.text);
}
