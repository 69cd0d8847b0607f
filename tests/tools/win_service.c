/* win_service: a service that does as its argument says. To be registered by the test.
 *
 *   win_service NAME run       runs until it is stopped
 *   win_service NAME deaf      says that it stops, and does not
 *   win_service NAME fail      ends with its own error 77 before it runs
 *   win_service NAME refuse    ends with error 1066's like of the system: access denied
 *   win_service NAME slow      takes a second to start and another to stop
 *   win_service NAME linger    says that it is stopped, and its process stays for a second more
 *   win_service NAME die       runs, and ends without a word when it is stopped
 *   win_service NAME keep      runs, and takes no stop
 *   win_service NAME told FILE ...
 *                              as the first of these that is there says at the time, else "run";
 *                              ends by itself when it says "end" */

#include <windows.h>

#include <stdio.h>
#include <string.h>
#include <wchar.h>

#define WORD_ROOM 16
#define LOOK_MS 50

static SERVICE_STATUS_HANDLE handle;
static HANDLE stop_event;
static const wchar_t *name, *how;
static wchar_t *const *files; /* ended by NULL */

static BOOL read_word(const wchar_t *file, wchar_t to[WORD_ROOM])
{
    FILE *f = _wfopen(file, L"r");
    if (f == NULL)
        return FALSE;
    if (fwscanf(f, L"%15ls", to) != 1)
        to[0] = L'\0';
    (void)fclose(f);
    return TRUE;
}

static BOOL is(const wchar_t *word)
{
    wchar_t told[WORD_ROOM] = L"run";
    if (wcscmp(how, L"told") != 0)
        return wcscmp(how, word) == 0;
    for (wchar_t *const *file = files; *file != NULL && !read_word(*file, told);)
        file++;
    return wcscmp(told, word) == 0;
}

static void say(DWORD state, DWORD error, DWORD own_error)
{
    SERVICE_STATUS status = { .dwServiceType = SERVICE_WIN32_OWN_PROCESS,
                              .dwCurrentState = state,
                              .dwWin32ExitCode = error,
                              .dwServiceSpecificExitCode = own_error,
                              .dwWaitHint = 5000 };
    if ((state == SERVICE_RUNNING || state == SERVICE_PAUSED) && !is(L"keep"))
        status.dwControlsAccepted = SERVICE_ACCEPT_STOP | SERVICE_ACCEPT_PAUSE_CONTINUE;
    (void)SetServiceStatus(handle, &status);
}

static DWORD WINAPI on_control(DWORD control, DWORD type, void *data, void *ctx)
{
    (void)type;
    (void)data;
    (void)ctx;
    if (control == SERVICE_CONTROL_PAUSE)
        say(SERVICE_PAUSED, NO_ERROR, 0);
    if (control == SERVICE_CONTROL_CONTINUE)
        say(SERVICE_RUNNING, NO_ERROR, 0);
    if (control != SERVICE_CONTROL_STOP)
        return NO_ERROR;
    if (is(L"die"))
        ExitProcess(3);
    say(SERVICE_STOP_PENDING, NO_ERROR, 0);
    if (!is(L"deaf"))
        (void)SetEvent(stop_event);
    return NO_ERROR;
}

static void WINAPI service_main(DWORD argc, wchar_t **argv)
{
    (void)argc;
    (void)argv;
    handle = RegisterServiceCtrlHandlerExW(name, on_control, NULL);
    stop_event = CreateEventW(NULL, TRUE, FALSE, NULL);
    say(SERVICE_START_PENDING, NO_ERROR, 0);
    if (is(L"fail")) {
        say(SERVICE_STOPPED, ERROR_SERVICE_SPECIFIC_ERROR, 77);
        return;
    }
    if (is(L"refuse")) {
        say(SERVICE_STOPPED, ERROR_ACCESS_DENIED, 0);
        return;
    }
    if (is(L"slow"))
        Sleep(1000);
    say(SERVICE_RUNNING, NO_ERROR, 0);
    const DWORD wait = wcscmp(how, L"told") == 0 ? LOOK_MS : INFINITE;
    while (WaitForSingleObject(stop_event, wait) == WAIT_TIMEOUT && !is(L"end"))
        continue;
    if (is(L"slow"))
        Sleep(1000);
    say(SERVICE_STOPPED, NO_ERROR, 0);
}

int wmain(int argc, wchar_t **argv);
int wmain(int argc, wchar_t **argv)
{
    if (argc < 3)
        return 2;
    name = argv[1];
    how = argv[2];
    files = argv + 3;
    wchar_t *named = _wcsdup(name);
    const SERVICE_TABLE_ENTRYW table[] = { { named, service_main }, { NULL, NULL } };
    if (!StartServiceCtrlDispatcherW(table))
        return 1;
    if (is(L"linger"))
        Sleep(1000);
    return 0;
}
