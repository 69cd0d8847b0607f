/* Windows' service control manager. A service goes by its key name, not by the one that is shown.
 * StartServiceW and ControlService themselves wait for the service's own process, up to the
 * manager's time (30 s), so that a call may last that much longer than it was given. The manager
 * counts no restarts (n_starts is 0): one that came up again has another pid. Of its processes the
 * manager knows the service's own alone, and that is waited for. */

#include <windows.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/base/text.h"
#include "platform/native.h"
#include "platform/win32/w32.h"

#define POLL_MS 25
#define DEPENDENTS_ROOM (64 * 1024) /* the most that the manager gives at once is 256 KiB */

struct turn {
    SC_HANDLE manager, service;
    SERVICE_STATUS_PROCESS seen;
    int64_t until_ms;
};

/* --- the manager */

static enum errc manager_failed(DWORD os, const char *what, struct err *err)
{
    enum errc code = E_IO;
    enum errc rc = w32_err_set(err, os, "%s", what);
    switch (os) {
    case ERROR_SERVICE_DOES_NOT_EXIST:
    case ERROR_INVALID_NAME: code = E_ABSENT; break;
    case ERROR_SERVICE_REQUEST_TIMEOUT: code = E_TIMEOUT; break;
    case RPC_S_SERVER_UNAVAILABLE: code = E_UNSUPPORTED; break;
    case ERROR_DEPENDENT_SERVICES_RUNNING: code = E_BUSY; break;
    default:
        /* a program's file that is missing is no missing service */
        code = rc == E_ABSENT || rc == E_EXISTS ? E_IO : rc;
        break;
    }
    if (err != NULL)
        err->code = code;
    return code;
}

static void close_service(struct turn *t)
{
    if (t->service != NULL)
        (void)CloseServiceHandle(t->service);
    if (t->manager != NULL)
        (void)CloseServiceHandle(t->manager);
}

static enum errc open_service(struct turn *t, const char *name, DWORD rights, struct err *err)
{
    wchar_t *wide = NULL;
    enum errc rc = w32_wide(name, &wide, err);
    if (rc != E_OK)
        return rc;
    t->manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT);
    if (t->manager == NULL)
        rc = manager_failed(GetLastError(), "cannot ask the service manager", err);
    if (rc == E_OK) {
        t->service = OpenServiceW(t->manager, wide, rights);
        if (t->service == NULL)
            rc = manager_failed(GetLastError(), "cannot open the service", err);
    }
    free(wide);
    return rc;
}

/* A process that services share stays for the others. */
static bool has_own_process(const SERVICE_STATUS_PROCESS *s)
{
    return s->dwProcessId != 0 && (s->dwServiceType & SERVICE_WIN32_OWN_PROCESS) != 0;
}

static bool is_gone(DWORD pid)
{
    HANDLE process = OpenProcess(SYNCHRONIZE, FALSE, pid);
    if (process == NULL)
        return GetLastError() == ERROR_INVALID_PARAMETER;
    const bool gone = WaitForSingleObject(process, 0) == WAIT_OBJECT_0;
    (void)CloseHandle(process);
    return gone;
}

/* The manager is the last to hear of a process that ended without a word (wine's never does): it is
 * taken as Windows' own tells it then. */
static enum errc look(struct turn *t, struct err *err)
{
    DWORD len = 0;
    if (!QueryServiceStatusEx(t->service, SC_STATUS_PROCESS_INFO, (BYTE *)&t->seen, sizeof(t->seen),
                              &len))
        return manager_failed(GetLastError(), "cannot ask how the service is", err);
    if (t->seen.dwCurrentState != SERVICE_STOPPED && has_own_process(&t->seen) &&
        is_gone(t->seen.dwProcessId)) {
        t->seen.dwCurrentState = SERVICE_STOPPED;
        t->seen.dwWin32ExitCode = ERROR_PROCESS_ABORTED;
    }
    return E_OK;
}

/* --- how it is */

static const struct {
    DWORD theirs;
    enum service_is is;
    const char *word;
} states[] = {
    { SERVICE_STOPPED, SERVICE_IS_STOPPED, "stopped" },
    { SERVICE_START_PENDING, SERVICE_IS_STARTING, "starting" },
    { SERVICE_STOP_PENDING, SERVICE_IS_STOPPING, "stopping" },
    { SERVICE_RUNNING, SERVICE_IS_RUNNING, "running" },
    { SERVICE_CONTINUE_PENDING, SERVICE_IS_STARTING, "continuing" },
    { SERVICE_PAUSE_PENDING, SERVICE_IS_UNKNOWN, "pausing" },
    { SERVICE_PAUSED, SERVICE_IS_UNKNOWN, "paused" },
};

/* Of one that was not started since the machine was the manager says so by a code. */
static bool has_failed(const SERVICE_STATUS_PROCESS *s)
{
    return s->dwCurrentState == SERVICE_STOPPED && s->dwWin32ExitCode != NO_ERROR &&
           s->dwWin32ExitCode != ERROR_SERVICE_NEVER_STARTED;
}

static void describe(const SERVICE_STATUS_PROCESS *s, const char *word, char *to, size_t room)
{
    struct err why = { .code = E_OK };
    if (!has_failed(s)) {
        (void)text_copy(to, room, word);
    } else if (s->dwWin32ExitCode == ERROR_SERVICE_SPECIFIC_ERROR) {
        (void)snprintf(to, room, "%s (its own error %lu)", word,
                       (unsigned long)s->dwServiceSpecificExitCode);
    } else {
        (void)w32_err_set(&why, s->dwWin32ExitCode, "error %lu", (unsigned long)s->dwWin32ExitCode);
        (void)snprintf(to, room, "%s (%s)", word, why.text);
    }
}

static struct service_status status_of(const SERVICE_STATUS_PROCESS *s)
{
    struct service_status out = { .is = SERVICE_IS_UNKNOWN };
    const char *word = "in a state that we don't know";
    for (size_t i = 0; i < ARRAY_LEN(states); i++) {
        if (states[i].theirs != s->dwCurrentState)
            continue;
        out.is = states[i].is;
        word = states[i].word;
    }
    if (has_failed(s))
        out.is = SERVICE_IS_FAILED;
    if (out.is != SERVICE_IS_STOPPED && out.is != SERVICE_IS_FAILED)
        out.pid = s->dwProcessId;
    describe(s, word, out.text, sizeof(out.text));
    return out;
}

static enum errc service_status(void *self, const char *name, struct service_status *out,
                                struct err *err)
{
    struct turn t = { .manager = NULL };
    UNUSED(self);
    enum errc rc = open_service(&t, name, SERVICE_QUERY_STATUS, err);
    if (rc == E_OK)
        rc = look(&t, err);
    if (rc == E_OK)
        *out = status_of(&t.seen);
    close_service(&t);
    if (rc != E_ABSENT)
        return rc;
    *out = (struct service_status){ .is = SERVICE_IS_ABSENT, .text = "not found" };
    return E_OK;
}

/* --- turning */

static int64_t left_ms(const struct turn *t)
{
    const int64_t left = t->until_ms - (int64_t)GetTickCount64();
    return left > 0 ? left : 0;
}

/* False where the time is up. */
static bool pause_a_while(const struct turn *t)
{
    const int64_t left = left_ms(t);
    if (left == 0)
        return false;
    Sleep(left < POLL_MS ? (DWORD)left : POLL_MS);
    return true;
}

static enum errc too_late(const struct turn *t, struct err *err)
{
    return err_set(err, E_TIMEOUT, "it is still %s", status_of(&t->seen).text);
}

/* Waits until it is in that state, or in one that does not lead there. */
static enum errc await(struct turn *t, DWORD wanted, DWORD on_the_way, struct err *err)
{
    for (;;) {
        enum errc rc = look(t, err);
        if (rc != E_OK || t->seen.dwCurrentState == wanted)
            return rc;
        if (t->seen.dwCurrentState != on_the_way)
            return err_set(err, E_IO, "it is %s", status_of(&t->seen).text);
        if (!pause_a_while(t))
            return too_late(t, err);
    }
}

static bool may_pass(DWORD os)
{
    return os == ERROR_SERVICE_DATABASE_LOCKED || os == ERROR_SERVICE_CANNOT_ACCEPT_CTRL;
}

static enum errc begin_start(struct turn *t, struct err *err)
{
    for (;;) {
        if (StartServiceW(t->service, 0, NULL))
            return E_OK;
        const DWORD os = GetLastError();
        if (os == ERROR_SERVICE_ALREADY_RUNNING)
            return E_OK;
        if (!may_pass(os) || !pause_a_while(t))
            return manager_failed(os, "the service manager cannot start it", err);
    }
}

/* One that is paused; the right to do that is not asked for otherwise. */
static enum errc go_on(struct turn *t, const char *name, struct err *err)
{
    SERVICE_STATUS ignored;
    close_service(t);
    t->manager = t->service = NULL;
    enum errc rc = open_service(t, name, SERVICE_QUERY_STATUS | SERVICE_PAUSE_CONTINUE, err);
    if (rc == E_OK && !ControlService(t->service, SERVICE_CONTROL_CONTINUE, &ignored))
        rc = manager_failed(GetLastError(), "it is paused, and cannot be made to go on", err);
    return rc == E_OK ? await(t, SERVICE_RUNNING, SERVICE_CONTINUE_PENDING, err) : rc;
}

static enum errc start_it(struct turn *t, struct err *err)
{
    if (t->seen.dwCurrentState == SERVICE_STOP_PENDING) {
        enum errc rc = await(t, SERVICE_STOPPED, SERVICE_STOP_PENDING, err);
        if (rc != E_OK)
            return rc;
    }
    enum errc rc = E_OK;
    if (t->seen.dwCurrentState == SERVICE_STOPPED)
        rc = begin_start(t, err);
    return rc == E_OK ? await(t, SERVICE_RUNNING, SERVICE_START_PENDING, err) : rc;
}

static enum errc service_start(void *self, const char *name, int64_t timeout_ms, struct err *err)
{
    struct turn t = { .until_ms = (int64_t)GetTickCount64() + timeout_ms };
    UNUSED(self);
    enum errc rc = open_service(&t, name, SERVICE_QUERY_STATUS | SERVICE_START, err);
    if (rc == E_OK)
        rc = look(&t, err);
    if (rc == E_OK && t.seen.dwCurrentState == SERVICE_PAUSED)
        rc = go_on(&t, name, err);
    else if (rc == E_OK && t.seen.dwCurrentState != SERVICE_RUNNING)
        rc = start_it(&t, err);
    close_service(&t);
    return rc;
}

/* Those that depend on it would have to be stopped first, and the product file says nothing of
 * them. */
static enum errc check_dependents(struct turn *t, struct err *err)
{
    DWORD needed = 0, n = 0;
    char *name = NULL;
    size_t len = 0;
    char names[160] = "";
    ENUM_SERVICE_STATUSW *all = malloc(DEPENDENTS_ROOM);
    if (all == NULL)
        return err_nomem(err);
    const BOOL is_known =
        EnumDependentServicesW(t->service, SERVICE_ACTIVE, all, DEPENDENTS_ROOM, &needed, &n);
    enum errc rc = is_known || GetLastError() == ERROR_MORE_DATA
                       ? E_OK
                       : manager_failed(GetLastError(), "cannot ask what depends on it", err);
    for (DWORD i = 0; rc == E_OK && i < n && len < sizeof(names); i++) {
        rc = w32_utf8(all[i].lpServiceName, &name, err);
        if (rc == E_OK)
            len += (size_t)snprintf(names + len, sizeof(names) - len, "%s%s", i == 0 ? "" : ", ",
                                    name);
        free(name);
        name = NULL;
    }
    free(all);
    if (rc == E_OK && n > 0)
        rc = err_set(err, E_BUSY, "services that depend on it run: %s", names);
    return rc;
}

/* Of one that is about to stop, or is still starting, the manager takes no stop. */
static enum errc begin_stop(struct turn *t, struct err *err)
{
    SERVICE_STATUS ignored;
    for (;;) {
        enum errc rc = look(t, err);
        if (rc != E_OK || t->seen.dwCurrentState == SERVICE_STOPPED ||
            t->seen.dwCurrentState == SERVICE_STOP_PENDING)
            return rc;
        const bool was_starting = t->seen.dwCurrentState == SERVICE_START_PENDING;
        if (ControlService(t->service, SERVICE_CONTROL_STOP, &ignored))
            return E_OK;
        const DWORD os = GetLastError();
        rc = look(t, err);
        if (rc != E_OK || os == ERROR_SERVICE_NOT_ACTIVE ||
            t->seen.dwCurrentState == SERVICE_STOPPED)
            return rc;
        /* wine's word for one that is still starting */
        const bool is_early = was_starting && os == ERROR_INVALID_SERVICE_CONTROL;
        if (os == ERROR_INVALID_SERVICE_CONTROL && !is_early)
            return err_set(err, E_UNSUPPORTED, "it is %s, and takes no stop",
                           status_of(&t->seen).text);
        if (os == ERROR_SERVICE_REQUEST_TIMEOUT)
            return E_OK; /* it may yet stop: what is left of the time is waited */
        if (!may_pass(os) && !is_early)
            return manager_failed(os, "the service manager cannot stop it", err);
        if (!pause_a_while(t))
            return too_late(t, err);
    }
}

static enum errc await_stop(struct turn *t, struct err *err)
{
    for (;;) {
        enum errc rc = look(t, err);
        if (rc != E_OK || t->seen.dwCurrentState == SERVICE_STOPPED)
            return rc;
        if (!pause_a_while(t))
            return too_late(t, err);
    }
}

/* The manager calls it stopped when it says so itself, and its files may be open until it is gone.
 */
static enum errc await_end(const struct turn *t, HANDLE process, struct err *err)
{
    if (process == NULL)
        return E_OK;
    /* a moment at the least, as that is how long it takes from its word to its end */
    const int64_t left = left_ms(t) + POLL_MS;
    const DWORD wait = left > 0x7FFFFFFF ? 0x7FFFFFFF : (DWORD)left;
    if (WaitForSingleObject(process, wait) == WAIT_OBJECT_0)
        return E_OK;
    return err_set(err, E_TIMEOUT, "it is stopped, and its process %lu is still there",
                   (unsigned long)GetProcessId(process));
}

/* Held before it is asked to stop: its number says nothing any more when it is gone. */
static enum errc hold_process(const struct turn *t, HANDLE *out, struct err *err)
{
    *out = NULL;
    if (!has_own_process(&t->seen))
        return E_OK;
    *out = OpenProcess(SYNCHRONIZE | PROCESS_QUERY_LIMITED_INFORMATION, FALSE, t->seen.dwProcessId);
    const DWORD os = *out == NULL ? GetLastError() : ERROR_SUCCESS;
    if (*out == NULL && os != ERROR_INVALID_PARAMETER)
        return w32_err_set(err, os, "cannot hold on to its process %lu",
                           (unsigned long)t->seen.dwProcessId);
    return E_OK;
}

static enum errc stop_it(struct turn *t, struct err *err)
{
    HANDLE process = NULL;
    enum errc rc = check_dependents(t, err);
    if (rc == E_OK)
        rc = hold_process(t, &process, err);
    if (rc == E_OK)
        rc = begin_stop(t, err);
    if (rc == E_OK)
        rc = await_stop(t, err);
    if (rc == E_OK)
        rc = await_end(t, process, err);
    if (process != NULL)
        (void)CloseHandle(process);
    return rc;
}

static enum errc service_stop(void *self, const char *name, int64_t timeout_ms, struct err *err)
{
    struct turn t = { .until_ms = (int64_t)GetTickCount64() + timeout_ms };
    UNUSED(self);
    enum errc rc = open_service(
        &t, name, SERVICE_QUERY_STATUS | SERVICE_STOP | SERVICE_ENUMERATE_DEPENDENTS, err);
    if (rc == E_OK)
        rc = look(&t, err);
    if (rc == E_OK && t.seen.dwCurrentState != SERVICE_STOPPED)
        rc = stop_it(&t, err);
    close_service(&t);
    return rc;
}

const struct service_ops native_service_ops = { .status = service_status,
                                                .start = service_start,
                                                .stop = service_stop };
