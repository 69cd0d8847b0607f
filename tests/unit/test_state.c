/* What a machine remembers: written, read, and what is refused. */

#include "manifest/state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "platform/base/text.h"

#define T0 INT64_C(1790000000)

static struct version version_of(const char *text)
{
    struct version v;
    assert_int_equal(version_read(span_text(text), &v, NULL), E_OK);
    return v;
}

static struct upgrade_state full_state(void)
{
    struct upgrade_state s = { .word = STATE_SUSPENDED,
                               .since = T0,
                               .has_installed = true,
                               .installed = version_of("2.0.0"),
                               .looked = T0 + 5,
                               .has_last = true,
                               .last_version = version_of("2.1.0-rc.1"),
                               .last_time = T0 + 4 };
    struct version v = version_of("2.1.0");
    text_copy(s.product, sizeof(s.product), "orchard");
    text_copy(s.reason, sizeof(s.reason), "UpgradeAbortedSyncExeInUse & \"more\" <of it>");
    text_copy(s.last_result, sizeof(s.last_result), "UpgradeFailedRollbackSuccess-Detail");
    s.marks[s.n_marks++] = (struct state_mark){ "minisign:0123456789ABCDEF", UINT64_MAX, T0 };
    s.marks[s.n_marks++] = (struct state_mark){ "cms:aa", 1, T0 - 1 };
    (void)state_first_seen(&s, &v, T0 + 1);
    state_set_hold(&s, &v, T0 + 2);
    return s;
}

static void write_to(const struct upgrade_state *s, struct buf *b)
{
    struct err err;
    buf_init(b, STATE_BYTES_MAX);
    if (state_write(s, b, &err) != E_OK)
        fail_msg("%s", err.text);
}

static void state_comes_back_as_it_was(void **state)
{
    UNUSED(state);
    static struct upgrade_state s, again;
    struct buf b, twice;
    struct err err;
    s = full_state();
    write_to(&s, &b);
    if (state_read(buf_span(&b), &again, &err) != E_OK)
        fail_msg("%s", err.text);
    assert_string_equal(again.product, "orchard");
    assert_int_equal(again.word, STATE_SUSPENDED);
    assert_string_equal(again.reason, s.reason);
    assert_int_equal(again.since, T0);
    assert_true(again.has_installed && version_compare(&again.installed, &s.installed) == 0);
    assert_int_equal(again.looked, T0 + 5);
    assert_true(again.has_last && version_compare(&again.last_version, &s.last_version) == 0);
    assert_string_equal(again.last_result, s.last_result);
    assert_int_equal(again.last_time, T0 + 4);
    assert_int_equal(again.n_marks, 2);
    assert_string_equal(again.marks[0].key, "minisign:0123456789ABCDEF");
    assert_true(again.marks[0].serial == UINT64_MAX && again.marks[1].issued == T0 - 1);
    assert_int_equal(again.n_seen, 1);
    assert_int_equal(again.seen[0].first, T0 + 1);
    assert_int_equal(again.n_holds, 1);
    write_to(&again, &twice);
    assert_true(span_equal(buf_span(&b), buf_span(&twice)));
    buf_fini(&b);
    buf_fini(&twice);
}

static void state_of_a_new_machine_is_small(void **state)
{
    UNUSED(state);
    static struct upgrade_state s, again;
    struct buf b;
    s = (struct upgrade_state){ .since = T0 };
    text_copy(s.product, sizeof(s.product), "orchard");
    write_to(&s, &b);
    assert_int_equal(state_read(buf_span(&b), &again, NULL), E_OK);
    assert_false(again.has_installed || again.has_last);
    assert_int_equal(again.word, STATE_ENABLED);
    assert_string_equal(again.reason, "");
    assert_int_equal(again.looked, 0);
    buf_fini(&b);
}

static void assert_refused(const char *text, const char *words)
{
    static struct upgrade_state s;
    struct err err;
    s = (struct upgrade_state){ .n_marks = 7 };
    enum errc rc = state_read(span_text(text), &s, &err);
    if (!errc_is_about_bytes(rc) || strstr(err.text, words) == NULL)
        fail_msg("%s: %s, \"%s\" belongs there", text, rc == E_OK ? "read" : err.text, words);
    assert_int_equal(s.n_marks, 7); /* untouched */
}

#define HEAD                                                                                       \
    "<state xmlns='urn:surefoot:state:1' product='a' word='enabled' since='2026-01-01T00:00:00Z'"

static void damage_is_never_taken_for_an_empty_state(void **state)
{
    UNUSED(state);
    assert_refused("", "");
    assert_refused("<state/>", "namespace");
    assert_refused(HEAD, "");
    assert_refused(HEAD "><mark key='k' serial='0' issued='2026-01-01T00:00:00Z'/></state>",
                   "serial");
    assert_refused(HEAD "><mark key='k' serial='1'/></state>", "issued");
    assert_refused(HEAD "><mark serial='1' issued='2026-01-01T00:00:00Z'/></state>", "key");
    assert_refused(HEAD "><surprise/></state>", "surprise");
    assert_refused(HEAD " more='1'/>", "more");
    assert_refused(HEAD "><look/></state>", "time");
    assert_refused(HEAD "><look time='2026-01-01T00:00:00Z'/><look time='2026-01-01T00:00:00Z'/>"
                        "</state>",
                   "look");
    assert_refused(HEAD "><seen version='x' first='2026-01-01T00:00:00Z'/></state>", "version");
    assert_refused("<state xmlns='urn:surefoot:state:1' product='a' word='on' "
                   "since='2026-01-01T00:00:00Z'/>",
                   "word");
    assert_refused(HEAD "><mark key='0123456789012345678901234567890123456789012345678901234567890"
                        "12345678901234567890123456789' serial='1' "
                        "issued='2026-01-01T00:00:00Z'/></state>",
                   "more than");
}

static void text_that_no_document_holds_is_not_written(void **state)
{
    UNUSED(state);
    static struct upgrade_state s;
    struct buf b;
    struct err err;
    s = full_state();
    buf_init(&b, STATE_BYTES_MAX);
    text_copy(s.reason, sizeof(s.reason), "two\nlines");
    assert_int_equal(state_write(&s, &b, &err), E_MALFORMED);
    assert_int_equal(b.len, 0);
    s = full_state();
    s.product[0] = '\0';
    assert_int_equal(state_write(&s, &b, &err), E_MALFORMED);
    buf_fini(&b);
}

static void sightings_and_holds_are_kept_once_and_bounded(void **state)
{
    UNUSED(state);
    static struct upgrade_state s;
    struct version first = version_of("1.0"), same = version_of("1.0.0");
    s = (struct upgrade_state){ .word = STATE_ENABLED };
    assert_int_equal(state_first_seen(&s, &first, T0), T0);
    assert_int_equal(state_first_seen(&s, &same, T0 + 9), T0);
    state_set_hold(&s, &first, T0);
    state_set_hold(&s, &same, T0);
    assert_int_equal(s.n_holds, 1);
    assert_true(state_is_on_hold(&s, &same));
    for (int i = 0; i < STATE_SEEN_MAX; i++) {
        char text[16];
        snprintf(text, sizeof(text), "2.%d", i);
        struct version v = version_of(text);
        (void)state_first_seen(&s, &v, T0 + i);
        state_set_hold(&s, &v, T0 + i);
    }
    assert_int_equal(s.n_seen, STATE_SEEN_MAX);
    assert_int_equal(s.n_holds, STATE_HOLDS_MAX);
    assert_false(state_is_on_hold(&s, &first)); /* the oldest made room */
    struct version newest = version_of("2.63");
    assert_true(state_is_on_hold(&s, &newest));
    state_clear_hold(&s, &newest);
    assert_false(state_is_on_hold(&s, &newest));
    assert_int_equal(s.n_holds, STATE_HOLDS_MAX - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(state_comes_back_as_it_was),
        cmocka_unit_test(state_of_a_new_machine_is_small),
        cmocka_unit_test(damage_is_never_taken_for_an_empty_state),
        cmocka_unit_test(text_that_no_document_holds_is_not_written),
        cmocka_unit_test(sightings_and_holds_are_kept_once_and_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
