/* Services that commands look after, and health, with scripts that stand for a product's. The
 * scripts keep their state in files of the test's folder: "runs" is there while the service does.
 */

#include "machine_kit.h"

#include "installer/core/health.h"
#include "installer/core/services.h"

static struct setup setup;
static struct product_service service;
static struct product_command probe;
static struct product_arg args[4][1];
static char paths[4][128];

/* One script each for status, start, stop and a probe of health. */
static void orchard(void **state, const char *status, const char *start, const char *stop,
                    const char *probes)
{
    const char *const bodies[] = { status, start, stop, probes };
    struct product_command *const commands[] = { &service.status, &service.start, &service.stop,
                                                 &probe };
    static const char *const names[] = { "status", "start", "stop", "probe" };
    setup = (struct setup){ .platform = platform_native() };
    (void)snprintf(setup.base, sizeof(setup.base), "%s/", (const char *)*state);
    service =
        (struct product_service){ .name = "orchard", .stop_timeout_s = 1, .start_timeout_s = 1 };
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        char text[300];
        (void)snprintf(paths[i], sizeof(paths[i]), "%s/%s", (const char *)*state, names[i]);
        (void)snprintf(text, sizeof(text), "#!/bin/sh\necho %s >>%s/calls\n%s\n", names[i],
                       (const char *)*state, bodies[i]);
        make_file(paths[i], text, 0755);
        args[i][0] = (struct product_arg){ .text = paths[i] };
        *commands[i] = (struct product_command){ .timeout_s = 2 };
        commands[i]->args.items = args[i];
        commands[i]->args.n = 1;
    }
    setup.product.services.items.items = &service;
    setup.product.services.items.n = 1;
    setup.product.health = (struct product_health){ .within_s = 1, .interval_s = 1 };
    setup.product.health.commands.items = &probe;
    setup.product.health.commands.n = 1;
    (void)unlink("runs");
    (void)unlink("calls");
}

#define STATUS "test -e runs"
#define START "touch runs"
#define STOP "rm -f runs"

static void status_is_the_exit_code(void **state)
{
    static const struct {
        const char *script;
        enum errc rc;
        enum service_is is;
    } cases[] = {
        { "exit 0", E_OK, SERVICE_IS_RUNNING },  { "exit 1", E_OK, SERVICE_IS_STOPPED },
        { "exit 2", E_OK, SERVICE_IS_STOPPED },  { "exit 3", E_OK, SERVICE_IS_STOPPED },
        { "exit 4", E_IO, SERVICE_IS_UNKNOWN },  { "exit 127", E_IO, SERVICE_IS_UNKNOWN },
        { "kill $$", E_IO, SERVICE_IS_UNKNOWN }, { "sleep 9", E_TIMEOUT, SERVICE_IS_UNKNOWN },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct service_status status = { .is = SERVICE_IS_UNKNOWN };
        orchard(state, cases[i].script, START, STOP, "true");
        IS(cases[i].rc, services_status(&setup, 0, &status, &why));
        assert_int_equal(status.is, cases[i].is);
    }
}

static void a_service_is_started_and_stopped_once(void **state)
{
    orchard(state, STATUS, START, STOP, "true");
    IS(E_OK, services_start(&setup, 0, &why));
    IS(E_OK, services_start(&setup, 0, &why)); /* it runs */
    assert_holds("calls", "status\nstart\nstatus\nstatus\n");
    (void)unlink("calls");
    IS(E_OK, services_stop(&setup, 0, &why));
    IS(E_OK, services_stop(&setup, 0, &why));
    assert_holds("calls", "status\nstop\nstatus\nstatus\n");
}

/* A command that ends with 0 is no proof: the service must be seen to run, or not to. */
static void a_command_that_says_so_is_not_believed(void **state)
{
    orchard(state, STATUS, "true", "true", "true");
    IS(E_TIMEOUT, services_start(&setup, 0, &why));
    SAYS("still does not run after 1 s");
    make_file("runs", "", 0644);
    IS(E_TIMEOUT, services_stop(&setup, 0, &why));
    SAYS("still runs after 1 s");
}

static void what_comes_late_is_waited_for(void **state)
{
    orchard(state, STATUS, "(sleep 0.3; touch runs) >/dev/null 2>&1 &",
            "(sleep 0.3; rm -f runs) >/dev/null 2>&1 &", "true");
    IS(E_OK, services_start(&setup, 0, &why));
    IS(E_OK, services_stop(&setup, 0, &why));
}

static void a_command_that_fails_is_named_with_its_last_words(void **state)
{
    orchard(state, STATUS, "echo the port is taken; exit 9", "exit 8", "true");
    IS(E_IO, services_start(&setup, 0, &why));
    SAYS("start: exit code 9: the port is taken");
    make_file("runs", "", 0644);
    IS(E_IO, services_stop(&setup, 0, &why));
    SAYS("stop: exit code 8");
}

/* --- health */

static struct health watched(int64_t within_s, int64_t stays_up_s, uint64_t failures)
{
    struct health health;
    struct platform *p = platform_native();
    setup.product.health.within_s = within_s;
    setup.product.health.stays_up_s = stays_up_s;
    setup.product.health.failures = failures;
    IS(E_OK, health_watch(&setup, p->host->monotonic_ms(p->self), NULL, NULL, &health, &why));
    return health;
}

static void it_is_well_when_all_holds_at_once(void **state)
{
    orchard(state, "exit 0", START, STOP, "exit 0");
    assert_true(watched(1, 0, 0).is_healthy);
    orchard(state, "exit 0", START, STOP, "exit 1");
    struct health ill = watched(1, 0, 0);
    assert_false(ill.is_healthy);
    assert_non_null(strstr(ill.why, "probe"));
    orchard(state, "exit 1", START, STOP, "exit 0");
    assert_false(watched(1, 0, 0).is_healthy);
}

static void it_may_take_its_time_to_come_up(void **state)
{
    orchard(state, "exit 0", START, STOP, "test -e ripe && exit 0; touch ripe; exit 1");
    (void)unlink("ripe");
    struct health health = watched(5, 0, 0);
    assert_true(health.is_healthy);
    assert_true(health.n_rounds >= 2);
}

static void it_must_stay_up(void **state)
{
    orchard(state, "test ! -e gone", START, STOP, "touch gone");
    (void)unlink("gone");
    assert_false(watched(1, 1, 9).is_healthy); /* the service itself may not go */
    orchard(state, "exit 0", START, STOP, "test ! -e ill || exit 1; touch ill");
    (void)unlink("ill");
    assert_false(watched(1, 2, 0).is_healthy);
    (void)unlink("ill");
    assert_true(watched(1, 2, 9).is_healthy);
}

#define MACHINE(test) cmocka_unit_test_setup_teardown(test, enter_folder, leave_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        MACHINE(status_is_the_exit_code),
        MACHINE(a_service_is_started_and_stopped_once),
        MACHINE(a_command_that_says_so_is_not_believed),
        MACHINE(what_comes_late_is_waited_for),
        MACHINE(a_command_that_fails_is_named_with_its_last_words),
        MACHINE(it_is_well_when_all_holds_at_once),
        MACHINE(it_may_take_its_time_to_come_up),
        MACHINE(it_must_stay_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
