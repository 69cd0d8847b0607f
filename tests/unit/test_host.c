#include "machine_kit.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include "platform/posix/host_parts.h"

#define HOST(op, ...) CALL(host, op, __VA_ARGS__)

static const struct host_ops *host(void)
{
    return platform_native()->host;
}

static void the_clocks_go_forward(void **state)
{
    UNUSED(state);
    int64_t before = host()->monotonic_ms(NULL);
    host()->sleep_ms(NULL, 30);
    int64_t took = host()->monotonic_ms(NULL) - before;
    assert_true(took >= 30 && took < 5000);
    host()->sleep_ms(NULL, -5);
    assert_true(host()->now(NULL) > 1700000000);
}

static void assert_time(const struct host_time *t, int month, int day, int weekday, int minute,
                        int offset_s)
{
    assert_int_equal(t->year, 2026);
    assert_int_equal(t->month, month);
    assert_int_equal(t->day, day);
    assert_int_equal(t->weekday, weekday);
    assert_int_equal(t->minute, minute);
    assert_int_equal(t->second, 5);
    assert_int_equal(t->offset_s, offset_s);
}

static void calendar_time_is_of_the_zone_that_was_asked_for(void **state)
{
    struct host_time t;
    const int64_t june = 1782863705; /* 2026-06-30T23:55:05Z */
    UNUSED(state);
    assert_int_equal(setenv("TZ", "EAST-02EASU-03,M3.5.0/3,M10.5.0/4", 1), 0);
    tzset();
    IS(E_OK, HOST(calendar, june, HOST_UTC, &t));
    assert_time(&t, 6, 30, 2, 23 * 60 + 55, 0);
    IS(E_OK, HOST(calendar, june, HOST_LOCAL, &t));
    assert_time(&t, 7, 1, 3, 2 * 60 + 55, 3 * 3600);
    assert_int_equal(unsetenv("TZ"), 0);
    tzset();
    IS(E_ARGUMENT, HOST(calendar, INT64_MAX, HOST_UTC, &t));
}

static void the_machine_says_what_it_is(void **state)
{
    struct host_os os;
    char name[100] = "";
    UNUSED(state);
    IS(E_OK, HOST(os, &os));
    assert_string_equal(os.os, "linux");
    assert_true(os.arch[0] != '\0' && os.kernel[0] != '\0');
    assert_null(strchr(os.id, '"'));
    assert_null(strchr(os.version, '\n'));
    IS(E_OK, HOST(name, name, sizeof(name)));
    assert_true(name[0] != '\0');
}

static void the_environment_says_which_proxy_there_is(void **state)
{
    char url[HOST_PROXY_ROOM] = "";
    enum host_proxy how = HOST_PROXY_NAMED;
    UNUSED(state);
    IS(E_OK, HOST(proxy_for, "https", "example.org", &how, url));
    assert_int_equal(how, HOST_PROXY_ENVIRONMENT);
}

static void ids_are_stable_and_random_bytes_are_not(void **state)
{
    uint8_t one[HOST_MACHINE_ID_LEN], two[HOST_MACHINE_ID_LEN];
    char boot[HOST_BOOT_ID_ROOM], again[HOST_BOOT_ID_ROOM];
    UNUSED(state);
    why = (struct err){ .code = E_OK };
    enum errc rc = HOST(machine_id, one);
    assert_true(rc == E_OK || rc == E_ABSENT);
    if (rc == E_OK) {
        IS(E_OK, HOST(machine_id, two));
        assert_memory_equal(one, two, sizeof(one));
    }
    IS(E_OK, HOST(boot_id, boot));
    IS(E_OK, HOST(boot_id, again));
    assert_string_equal(boot, again);
    assert_int_equal(strlen(boot), 36);
    IS(E_OK, HOST(random, one, sizeof(one)));
    IS(E_OK, HOST(random, two, sizeof(two)));
    assert_memory_not_equal(one, two, sizeof(one));
}

static void groups_are_there_or_not(void **state)
{
    bool exists = false;
    UNUSED(state);
    IS(E_OK, HOST(group_exists, "root", &exists));
    assert_true(exists);
    IS(E_OK, HOST(group_exists, "no-such-group-here", &exists));
    assert_false(exists);
}

static void what_only_windows_has_is_missed(void **state)
{
    char to[8];
    bool flag;
    UNUSED(state);
    IS(E_UNSUPPORTED, HOST(sid_exists, "S-1-5-32-544", &flag));
    IS(E_UNSUPPORTED, HOST(mutex_held, "Global\\Orchard", &flag));
    IS(E_UNSUPPORTED, CALL(registry, get, "HKLM\\x", "y", to, sizeof(to), &flag));
    IS(E_UNSUPPORTED, CALL(registry, set, "HKLM\\x", "y", "z"));
    IS(E_UNSUPPORTED, CALL(registry, remove, "HKLM\\x", "y"));
    IS(E_UNSUPPORTED, CALL(registry, can_write, "HKLM\\x", &flag));
    SAYS("the registry is of Windows");
    IS(E_UNSUPPORTED, CALL(task, find, "Surefoot\\x", NULL, &flag));
    IS(E_UNSUPPORTED, CALL(task, put, "Surefoot\\x", span_text("<Task/>")));
    IS(E_UNSUPPORTED, CALL(task, remove, "Surefoot\\x"));
    IS(E_UNSUPPORTED, CALL(task, own_account, to, sizeof(to)));
    SAYS("the Task Scheduler is of Windows");
}

static bool nobody_chooses_its_temporary_folder(void)
{
    char path[64];
    return setenv("TMPDIR", "/var/tmp/own", 1) == 0 &&
           GIVES(E_OK, HOST(temp_folder, path, sizeof(path))) &&
           strcmp(path, "/var/tmp/own") == 0 && setenv("TMPDIR", "relative", 1) == 0 &&
           GIVES(E_OK, HOST(temp_folder, path, sizeof(path))) && strcmp(path, "/tmp") == 0 &&
           GIVES(E_LIMIT, HOST(temp_folder, path, 4));
}

static bool roots_environment_has_no_say(void)
{
    char path[64];
    return setenv("TMPDIR", "/var/tmp/planted", 1) == 0 &&
           GIVES(E_OK, HOST(temp_folder, path, sizeof(path))) && strcmp(path, "/tmp") == 0;
}

static void the_environment_names_no_folder_when_elevated(void **state)
{
    UNUSED(state);
    NEEDS_ROOT();
    in_other_process(false, roots_environment_has_no_say);
    in_other_process(true, nobody_chooses_its_temporary_folder);
}

/* The record, in which our own number stands between the two. */
static void assert_record(enum host_log_kind kind, const char *source, const char *text,
                          const char *before_pid, const char *after_pid)
{
    struct buf b, expected;
    buf_init(&b, 4096);
    buf_init(&expected, 4096);
    IS(E_OK, buf_printf(&expected, &why, "%s%ld%s", before_pid, (long)getpid(), after_pid));
    IS(E_OK, host_log_format(kind, 301, HOST_WARNING, source, text, &b, &why));
    if (!span_equal(buf_span(&b), buf_span(&expected)))
        print_error("%.*s\n", (int)b.len, (const char *)b.ptr);
    assert_true(span_equal(buf_span(&b), buf_span(&expected)));
    buf_fini(&b);
    buf_fini(&expected);
}

static void a_record_stays_one_record_of_one_line(void **state)
{
    UNUSED(state);
    assert_record(HOST_LOG_SYSLOG, "Orchard Upgrade", "held back", "<28>Orchard_Upgrade[",
                  "]: 301 held back");
    assert_record(HOST_LOG_SYSLOG, "a: b[1]\n", "one\n<0>kernel: two\x1b[2J", "<28>a__b_1_\\x0a[",
                  "]: 301 one\\x0a<0>kernel: two\\x1b[2J");
    assert_record(HOST_LOG_JOURNAL, "Orchard Upgrade", "one\nPRIORITY=0",
                  "PRIORITY=4\nSYSLOG_FACILITY=3\nSYSLOG_IDENTIFIER=Orchard Upgrade\nSYSLOG_PID=",
                  "\nSUREFOOT_EVENT=301\nMESSAGE=one\\x0aPRIORITY=0\n");
}

static void a_source_is_whole_as_long_as_a_product_may_name_it(void **state)
{
    char source[128 + 1], before[200];
    UNUSED(state);
    memset(source, 'x', sizeof(source) - 1);
    source[sizeof(source) - 1] = '\0';
    (void)snprintf(before, sizeof(before), "<28>%s[", source);
    assert_record(HOST_LOG_SYSLOG, source, "long", before, "]: 301 long");
}

static void a_record_is_taken_or_that_is_an_error(void **state)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "socket" };
    char got[40] = "";
    UNUSED(state);
    IS(E_ABSENT, host_log_send("socket", span_text("x"), &why));
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    IS(E_OK, host_log_send("socket", span_text("a record"), &why));
    assert_int_equal(recv(fd, got, sizeof(got), MSG_DONTWAIT), 8);
    assert_string_equal(got, "a record");
    (void)close(fd);
    IS(E_ABSENT, host_log_send("socket", span_text("x"), &why));
    why = (struct err){ .code = E_OK };
    enum errc rc = HOST(log_event, 300, HOST_INFO, "surefoot-test", "a test of the log");
    assert_true(rc == E_OK || rc == E_UNSUPPORTED);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, enter_folder, leave_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_clocks_go_forward),
        cmocka_unit_test(calendar_time_is_of_the_zone_that_was_asked_for),
        cmocka_unit_test(the_machine_says_what_it_is),
        cmocka_unit_test(the_environment_says_which_proxy_there_is),
        cmocka_unit_test(ids_are_stable_and_random_bytes_are_not),
        cmocka_unit_test(groups_are_there_or_not),
        cmocka_unit_test(what_only_windows_has_is_missed),
        cmocka_unit_test(the_environment_names_no_folder_when_elevated),
        cmocka_unit_test(a_record_stays_one_record_of_one_line),
        cmocka_unit_test(a_source_is_whole_as_long_as_a_product_may_name_it),
        IN_FOLDER(a_record_is_taken_or_that_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
