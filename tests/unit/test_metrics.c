/* OpenMetrics text: as it should be, character for character, and with what must be escaped. */

#include "installer/core/metrics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "platform/base/text.h"

static struct upgrade_state state_of(const char *installed)
{
    struct upgrade_state s = { .has_installed = true, .has_last = true, .last_time = 1700000000 };
    assert_int_equal(version_read(span_text(installed), &s.installed, NULL), E_OK);
    text_copy(s.last_result, sizeof(s.last_result), "Success");
    return s;
}

static void text_is_as_it_should_be(void **unused)
{
    static const char wanted[] =
        "# TYPE surefoot_state stateset\n"
        "# HELP surefoot_state State of unattended upgrades.\n"
        "surefoot_state{product=\"orchard\",surefoot_state=\"Enabled\"} 0\n"
        "surefoot_state{product=\"orchard\",surefoot_state=\"Suspended\"} 1\n"
        "surefoot_state{product=\"orchard\",surefoot_state=\"Disabled\"} 0\n"
        "# TYPE surefoot_installed info\n"
        "# HELP surefoot_installed The version that is installed.\n"
        "surefoot_installed_info{product=\"orchard\",version=\"2.1.0\"} 1\n"
        "# TYPE surefoot_last_attempt_timestamp_seconds gauge\n"
        "# UNIT surefoot_last_attempt_timestamp_seconds seconds\n"
        "# HELP surefoot_last_attempt_timestamp_seconds When the last attempt ended.\n"
        "surefoot_last_attempt_timestamp_seconds{product=\"orchard\"} 1700000000\n"
        "# TYPE surefoot_last_result info\n"
        "# HELP surefoot_last_result How the last attempt ended.\n"
        "surefoot_last_result_info{product=\"orchard\",result=\"Success\"} 1\n"
        "# TYPE surefoot_newer_available gauge\n"
        "# HELP surefoot_newer_available A newer release is offered to this machine.\n"
        "surefoot_newer_available{product=\"orchard\"} 1\n"
        "# TYPE surefoot_recovery_pending gauge\n"
        "# HELP surefoot_recovery_pending A run was interrupted.\n"
        "surefoot_recovery_pending{product=\"orchard\"} 0\n"
        "# TYPE surefoot_holds gauge\n"
        "# HELP surefoot_holds Releases that are on hold.\n"
        "surefoot_holds{product=\"orchard\"} 0\n"
        "# TYPE surefoot_downtime_seconds gauge\n"
        "# UNIT surefoot_downtime_seconds seconds\n"
        "# HELP surefoot_downtime_seconds How long the product was stopped by the last attempt.\n"
        "surefoot_downtime_seconds{product=\"orchard\"} 1.042\n"
        "# TYPE surefoot_run_timestamp_seconds gauge\n"
        "# UNIT surefoot_run_timestamp_seconds seconds\n"
        "# HELP surefoot_run_timestamp_seconds When this was written.\n"
        "surefoot_run_timestamp_seconds{product=\"orchard\"} 1700000001\n"
        "# EOF\n";
    static struct upgrade_state s;
    struct buf b;
    struct err err;
    UNUSED(unused);
    s = state_of("2.1.0");
    struct metrics m = { .product = "orchard",
                         .state = &s,
                         .word = STATE_SUSPENDED,
                         .newer_available = true,
                         .downtime_ms = 1042,
                         .now = 1700000001 };
    buf_init(&b, 16384);
    assert_int_equal(metrics_write(&m, &b, &err), E_OK);
    assert_int_equal(buf_add_byte(&b, '\0', &err), E_OK);
    assert_string_equal((const char *)b.ptr, wanted);
    buf_fini(&b);
}

static void values_are_escaped_and_errors_stay(void **unused)
{
    static struct upgrade_state s;
    struct buf b;
    struct err err;
    UNUSED(unused);
    s = state_of("1.0");
    text_copy(s.last_result, sizeof(s.last_result), "a\"b\\c");
    struct metrics m = { .product = "x", .state = &s, .downtime_ms = -1 };
    buf_init(&b, 16384);
    assert_int_equal(metrics_write(&m, &b, &err), E_OK);
    assert_int_equal(buf_add_byte(&b, '\0', &err), E_OK);
    assert_non_null(strstr((const char *)b.ptr, "result=\"a\\\"b\\\\c\""));
    assert_null(strstr((const char *)b.ptr, "downtime"));
    buf_fini(&b);
    buf_init(&b, 100);
    assert_int_equal(metrics_write(&m, &b, &err), E_LIMIT);
    buf_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_as_it_should_be),
        cmocka_unit_test(values_are_escaped_and_errors_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
