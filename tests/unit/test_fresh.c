/* What was seen before, the clock, and which feeds are refused for it. */

#include "verify/fresh.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#define NOW INT64_C(1790000000)
#define HOUR INT64_C(3600)
#define DAY (24 * HOUR)

static struct fresh_marks one_mark(const char *key, uint64_t serial, int64_t issued)
{
    struct fresh_marks marks = { .n = 0 };
    struct err err;
    assert_int_equal(fresh_note(&marks, key, serial, issued, &err), E_OK);
    return marks;
}

/* assert_fresh demands exactly the reason `want` and no other; REASON_NONE: none at all. */
static void assert_fresh(const struct feed *feed, const struct fresh_marks *marks, enum reason want)
{
    struct findings f = { .n = 0 };
    fresh_check(feed, "minisign:A", marks, NOW, &f);
    assert_int_equal(f.n, want == REASON_NONE ? 0 : 1);
    if (want != REASON_NONE) {
        assert_int_equal(f.items[0].reason, want);
        assert_int_equal(f.items[0].weight, WEIGHT_FATAL);
    }
}

static void serial_never_goes_back_under_its_key(void **state)
{
    UNUSED(state);
    struct fresh_marks marks = one_mark("minisign:A", 1000, NOW - DAY);
    static const struct {
        uint64_t serial;
        enum reason want;
    } rows[] = {
        { 999, REASON_OLDER_THAN_SEEN },
        { 1, REASON_OLDER_THAN_SEEN },
        { 1000, REASON_NONE },
        { 1001, REASON_NONE },
        { 1001000, REASON_NONE },
        { 1001001, REASON_SERIAL_JUMP },
        { UINT64_MAX, REASON_SERIAL_JUMP },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct feed feed = { .serial = rows[i].serial, .issued = NOW, .expires = NOW + DAY };
        assert_fresh(&feed, &marks, rows[i].want);
    }
}

static void serial_of_another_key_does_not_bind(void **state)
{
    UNUSED(state);
    struct fresh_marks marks = one_mark("minisign:STOLEN", UINT64_MAX, NOW - DAY);
    struct feed feed = { .serial = 1, .issued = NOW, .expires = NOW + DAY };
    assert_fresh(&feed, &marks, REASON_NONE);
}

static void first_sight_takes_any_serial(void **state)
{
    UNUSED(state);
    struct fresh_marks none = { .n = 0 };
    struct feed feed = { .serial = UINT64_MAX, .issued = NOW, .expires = NOW + DAY };
    assert_fresh(&feed, &none, REASON_NONE);
}

static void expiry_is_held_against_the_clock(void **state)
{
    UNUSED(state);
    struct fresh_marks none = { .n = 0 };
    struct feed feed = { .serial = 1, .issued = NOW - DAY, .expires = NOW + 1 };
    assert_fresh(&feed, &none, REASON_NONE);
    feed.expires = NOW;
    assert_fresh(&feed, &none, REASON_EXPIRED);
    feed.expires = NOW - 1;
    assert_fresh(&feed, &none, REASON_EXPIRED);
}

static void feed_of_the_future_is_refused(void **state)
{
    UNUSED(state);
    struct fresh_marks none = { .n = 0 };
    struct feed feed = { .serial = 1, .issued = NOW + DAY, .expires = NOW + 9 * DAY };
    assert_fresh(&feed, &none, REASON_NONE);
    feed.issued = NOW + DAY + 1;
    assert_fresh(&feed, &none, REASON_ISSUED_AHEAD);
}

static void clock_behind_what_was_signed_is_found_out(void **state)
{
    UNUSED(state);
    /* Another key's time counts as well: the clock is one. */
    struct fresh_marks marks = one_mark("minisign:B", 5, NOW + DAY);
    struct feed feed = { .serial = 1, .issued = NOW, .expires = NOW + DAY };
    assert_fresh(&feed, &marks, REASON_NONE);
    marks = one_mark("minisign:B", 5, NOW + DAY + 1);
    assert_fresh(&feed, &marks, REASON_CLOCK_BEHIND);
}

static void marks_only_grow_and_are_bounded(void **state)
{
    UNUSED(state);
    struct err err;
    struct fresh_marks marks = one_mark("k", 10, 100);
    assert_int_equal(fresh_note(&marks, "k", 9, 200, &err), E_OK);
    assert_int_equal(fresh_note(&marks, "k", 11, 50, &err), E_OK);
    assert_int_equal(marks.n, 1);
    assert_int_equal(marks.items[0].serial, 11);
    assert_int_equal(marks.items[0].issued, 200);
    for (int i = 1; i < FRESH_MARKS_MAX; i++) {
        char key[16];
        snprintf(key, sizeof(key), "k%d", i);
        assert_int_equal(fresh_note(&marks, key, 1, 1, &err), E_OK);
    }
    assert_int_equal(fresh_note(&marks, "one more", 1, 1, &err), E_LIMIT);
    assert_int_equal(marks.n, FRESH_MARKS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(serial_never_goes_back_under_its_key),
        cmocka_unit_test(serial_of_another_key_does_not_bind),
        cmocka_unit_test(first_sight_takes_any_serial),
        cmocka_unit_test(expiry_is_held_against_the_clock),
        cmocka_unit_test(feed_of_the_future_is_refused),
        cmocka_unit_test(clock_behind_what_was_signed_is_found_out),
        cmocka_unit_test(marks_only_grow_and_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
