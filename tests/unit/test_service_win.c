/* Windows' service control manager: for Windows. The services are tests/tools/win_service.c, which
 * the test registers and takes away. */

#include "win_kit.h"

#define SERVICE(op, ...) CALL(service, op, __VA_ARGS__)
#define NAME_ROOM 80

/* Another name each time: one that was just taken away may still be known. */
static char program[PATH_ROOM], name[NAME_ROOM], needy_name[NAME_ROOM];

/* --- services of the test's own, made and taken away without our code */

static SC_HANDLE manager(void)
{
    SC_HANDLE m = OpenSCManagerA(NULL, NULL, SC_MANAGER_CONNECT | SC_MANAGER_CREATE_SERVICE);
    assert_non_null(m);
    return m;
}

/* `needs`: two NULs at its end, or NULL. */
static void make_service(const char *key, const char *command, const char *needs, DWORD start)
{
    SC_HANDLE m = manager();
    SC_HANDLE s = CreateServiceA(m, key, NULL, SERVICE_ALL_ACCESS, SERVICE_WIN32_OWN_PROCESS, start,
                                 SERVICE_ERROR_NORMAL, command, NULL, NULL, needs, NULL, NULL);
    assert_non_null(s);
    (void)CloseServiceHandle(s);
    (void)CloseServiceHandle(m);
}

static void make(const char *how)
{
    char command[2 * PATH_ROOM];
    (void)snprintf(command, sizeof(command), "\"%s\" %s %s", program, name, how);
    make_service(name, command, NULL, SERVICE_DEMAND_START);
}

static DWORD pid_of(SC_HANDLE s)
{
    SERVICE_STATUS_PROCESS status = { .dwProcessId = 0 };
    DWORD len;
    (void)QueryServiceStatusEx(s, SC_STATUS_PROCESS_INFO, (BYTE *)&status, sizeof(status), &len);
    return status.dwProcessId;
}

static void take_service_away(const char *key)
{
    SC_HANDLE m = manager();
    SC_HANDLE s = OpenServiceA(m, key, SERVICE_ALL_ACCESS);
    if (s != NULL) {
        HANDLE process = OpenProcess(PROCESS_TERMINATE | SYNCHRONIZE, FALSE, pid_of(s));
        if (process != NULL) {
            (void)TerminateProcess(process, 1);
            (void)WaitForSingleObject(process, 5000);
            (void)CloseHandle(process);
        }
        (void)DeleteService(s);
        (void)CloseServiceHandle(s);
    }
    (void)CloseServiceHandle(m);
}

static int choose_names(void **state)
{
    static unsigned n;
    UNUSED(state);
    (void)snprintf(name, sizeof(name), "surefoot-test-%lu-%lu-%u", GetTickCount(),
                   GetCurrentProcessId(), ++n);
    (void)snprintf(needy_name, sizeof(needy_name), "%s-needy", name);
    return 0;
}

static int take_services_away(void **state)
{
    UNUSED(state);
    take_service_away(needy_name);
    take_service_away(name);
    return 0;
}

static void pause_service(void)
{
    SERVICE_STATUS status;
    SC_HANDLE m = manager();
    SC_HANDLE s = OpenServiceA(m, name, SERVICE_ALL_ACCESS);
    assert_non_null(s);
    assert_true(ControlService(s, SERVICE_CONTROL_PAUSE, &status));
    for (int i = 0; i < 500 && status.dwCurrentState != SERVICE_PAUSED; i++) {
        Sleep(10);
        assert_true(QueryServiceStatus(s, &status));
    }
    assert_int_equal(status.dwCurrentState, SERVICE_PAUSED);
    (void)CloseServiceHandle(s);
    (void)CloseServiceHandle(m);
}

static struct service_status status(void)
{
    struct service_status s = { .is = SERVICE_IS_UNKNOWN };
    IS(E_OK, SERVICE(status, name, &s));
    return s;
}

static bool is_running(int64_t pid)
{
    HANDLE process = OpenProcess(SYNCHRONIZE, FALSE, (DWORD)pid);
    const bool runs = process != NULL && WaitForSingleObject(process, 0) == WAIT_TIMEOUT;
    if (process != NULL)
        (void)CloseHandle(process);
    return runs;
}

/* --- */

static void what_is_not_there_is_told_apart(void **state)
{
    struct service_status s = { .is = SERVICE_IS_UNKNOWN };
    UNUSED(state);
    IS(E_OK, SERVICE(status, "no-such-service-here", &s));
    assert_int_equal(s.is, SERVICE_IS_ABSENT);
    IS(E_ABSENT, SERVICE(start, "no-such-service-here", 1000));
    IS(E_ABSENT, SERVICE(stop, "no-such-service-here", 1000));
    IS(E_ARGUMENT, SERVICE(status, "\xFF", &s));
}

static void a_service_is_started_and_stopped(void **state)
{
    UNUSED(state);
    make("run");
    struct service_status s = status();
    assert_int_equal(s.is, SERVICE_IS_STOPPED);
    assert_int_equal(s.pid, 0);
    assert_string_equal(s.text, "stopped");
    IS(E_OK, SERVICE(stop, name, 5000));
    IS(E_OK, SERVICE(start, name, 20000));
    s = status();
    assert_int_equal(s.is, SERVICE_IS_RUNNING);
    assert_string_equal(s.text, "running");
    assert_true(is_running(s.pid));
    const int64_t pid = s.pid;
    IS(E_OK, SERVICE(start, name, 20000));
    assert_int_equal(status().pid, pid);
    IS(E_OK, SERVICE(stop, name, 20000));
    assert_false(is_running(pid));
    s = status();
    assert_int_equal(s.is, SERVICE_IS_STOPPED);
    assert_int_equal(s.pid, 0);
}

static void a_slow_one_is_waited_for(void **state)
{
    UNUSED(state);
    make("slow");
    IS(E_TIMEOUT, SERVICE(start, name, 1));
    SAYS("starting");
    assert_int_equal(status().is, SERVICE_IS_STARTING);
    IS(E_OK, SERVICE(start, name, 20000));
    assert_int_equal(status().is, SERVICE_IS_RUNNING);
    IS(E_TIMEOUT, SERVICE(stop, name, 1));
    SAYS("stopping");
    assert_int_equal(status().is, SERVICE_IS_STOPPING);
    /* what stops is waited for, and then started */
    IS(E_OK, SERVICE(start, name, 20000));
    assert_int_equal(status().is, SERVICE_IS_RUNNING);
    IS(E_TIMEOUT, SERVICE(stop, name, 1));
    IS(E_OK, SERVICE(stop, name, 20000));
    assert_int_equal(status().is, SERVICE_IS_STOPPED);
    /* what starts takes no stop: it is waited for, and then stopped */
    IS(E_TIMEOUT, SERVICE(start, name, 1));
    assert_int_equal(status().is, SERVICE_IS_STARTING);
    IS(E_OK, SERVICE(stop, name, 20000));
    assert_int_equal(status().is, SERVICE_IS_STOPPED);
}

static void one_that_does_not_stop_is_told(void **state)
{
    UNUSED(state);
    make("deaf");
    IS(E_OK, SERVICE(start, name, 20000));
    IS(E_TIMEOUT, SERVICE(stop, name, 300));
    SAYS("stopping");
    struct service_status s = status();
    assert_int_equal(s.is, SERVICE_IS_STOPPING);
    assert_true(is_running(s.pid));
    IS(E_TIMEOUT, SERVICE(stop, name, 300));
    IS(E_TIMEOUT, SERVICE(start, name, 300));
}

static void a_stop_is_over_when_the_process_is_gone(void **state)
{
    UNUSED(state);
    make("linger");
    IS(E_OK, SERVICE(start, name, 20000));
    const int64_t pid = status().pid;
    assert_true(is_running(pid));
    IS(E_OK, SERVICE(stop, name, 20000));
    assert_false(is_running(pid));
    IS(E_OK, SERVICE(start, name, 20000));
    const int64_t second = status().pid;
    IS(E_TIMEOUT, SERVICE(stop, name, 300));
    SAYS("still there");
    assert_true(is_running(second));
}

/* Seldom, on a busy machine, wine gets no program started, and its manager waits for one that never
 * comes: then it is asked once more. */
static enum errc start(void)
{
    enum errc rc = SERVICE(start, name, 20000);
    return rc == E_TIMEOUT && is_wine() ? SERVICE(start, name, 20000) : rc;
}

static void one_that_fails_to_start_says_why(void **state)
{
    make("fail");
    IS(E_IO, start());
    SAYS("77");
    struct service_status s = status();
    assert_int_equal(s.is, SERVICE_IS_FAILED);
    assert_string_equal(s.text, "stopped (its own error 77)");
    (void)take_services_away(state);
    (void)choose_names(state);
    make("refuse");
    IS(E_IO, start());
    SAYS("error 5");
    assert_int_equal(status().is, SERVICE_IS_FAILED);
}

static void one_whose_program_is_missing_or_that_is_disabled_is_not_absent(void **state)
{
    make_service(name, "C:\\no\\such\\program.exe", NULL, SERVICE_DEMAND_START);
    IS(E_IO, SERVICE(start, name, 20000));
    assert_int_not_equal(status().is, SERVICE_IS_RUNNING);
    (void)take_services_away(state);
    (void)choose_names(state);
    make_service(name, "C:\\no\\such\\program.exe", NULL, SERVICE_DISABLED);
    IS(E_IO, SERVICE(start, name, 20000));
    SAYS("disabled");
}

static void one_that_crashes_has_failed(void **state)
{
    UNUSED(state);
    make("die");
    IS(E_OK, SERVICE(start, name, 20000));
    const int64_t pid = status().pid;
    IS(E_OK, SERVICE(stop, name, 20000));
    assert_false(is_running(pid));
    struct service_status s = status();
    assert_int_equal(s.is, SERVICE_IS_FAILED);
    assert_int_equal(s.pid, 0);
    assert_non_null(strstr(s.text, "1067"));
}

static void one_that_is_paused_goes_on_and_can_be_stopped(void **state)
{
    UNUSED(state);
    make("run");
    IS(E_OK, SERVICE(start, name, 20000));
    pause_service();
    struct service_status s = status();
    assert_int_equal(s.is, SERVICE_IS_UNKNOWN);
    assert_string_equal(s.text, "paused");
    IS(E_OK, SERVICE(start, name, 20000));
    assert_int_equal(status().is, SERVICE_IS_RUNNING);
    pause_service();
    IS(E_OK, SERVICE(stop, name, 20000));
    assert_int_equal(status().is, SERVICE_IS_STOPPED);
}

static void one_on_which_others_depend_is_not_stopped(void **state)
{
    char command[2 * PATH_ROOM], needs[NAME_ROOM + 1] = "";
    UNUSED(state);
    make("run");
    (void)text_copy(needs, NAME_ROOM, name);
    (void)snprintf(command, sizeof(command), "\"%s\" %s run", program, needy_name);
    make_service(needy_name, command, needs, SERVICE_DEMAND_START);
    /* which Windows does by itself, and wine does not; nor does it know what depends on what */
    IS(E_OK, SERVICE(start, name, 20000));
    IS(E_OK, SERVICE(start, needy_name, 20000));
    if (is_wine())
        skip();
    IS(E_BUSY, SERVICE(stop, name, 5000));
    SAYS(needy_name);
    assert_int_equal(status().is, SERVICE_IS_RUNNING);
    IS(E_OK, SERVICE(stop, needy_name, 20000));
    IS(E_OK, SERVICE(stop, name, 20000));
}

static int find_program(void **state)
{
    (void)made_program("SUREFOOT_SERVICE", program);
    for (char *c = program; *c != '\0'; c++)
        if (*c == '/')
            *c = '\\';
    UNUSED(state);
    return 0;
}

#define CLEAN(test) cmocka_unit_test_setup_teardown(test, choose_names, take_services_away)
int main(void)
{
    const struct CMUnitTest tests[] = {
        CLEAN(what_is_not_there_is_told_apart),
        CLEAN(a_service_is_started_and_stopped),
        CLEAN(a_slow_one_is_waited_for),
        CLEAN(one_that_does_not_stop_is_told),
        CLEAN(a_stop_is_over_when_the_process_is_gone),
        CLEAN(one_that_fails_to_start_says_why),
        CLEAN(one_whose_program_is_missing_or_that_is_disabled_is_not_absent),
        CLEAN(one_that_crashes_has_failed),
        CLEAN(one_that_is_paused_goes_on_and_can_be_stopped),
        CLEAN(one_on_which_others_depend_is_not_stopped),
    };
    return cmocka_run_group_tests(tests, find_program, NULL);
}
