/* The journal: what is written reads back, what a crash tears is dropped, any other damage stops.
 */

#include "installer/core/journal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    enum journal_event event;
    const char *step, *name;
} story[] = {
    { JOURNAL_MARK, "prepared", "-" },           { JOURNAL_BEGIN, "stop-service", "0" },
    { JOURNAL_DONE, "stop-service", "0" },       { JOURNAL_BEGIN, "switch", "new.Ab3_x-1" },
    { JOURNAL_DONE, "switch", "new.Ab3_x-1" },   { JOURNAL_MARK, "switched", "-" },
    { JOURNAL_BEGIN, "start-service", "0" },     { JOURNAL_UNDO, "switch", "new.Ab3_x-1" },
    { JOURNAL_UNDONE, "switch", "new.Ab3_x-1" },
};

static void write_story(struct buf *b)
{
    struct journal j;
    struct err err;
    buf_init(b, JOURNAL_BYTES_MAX);
    journal_init(&j);
    for (size_t i = 0; i < ARRAY_LEN(story); i++)
        assert_int_equal(journal_add(&j, story[i].event, story[i].step, story[i].name, b, &err),
                         E_OK);
    journal_fini(&j);
}

static enum errc read_back(struct span bytes, struct journal *j, size_t *len)
{
    struct err err;
    journal_init(j);
    *len = SIZE_MAX;
    return journal_read(bytes, j, len, &err);
}

static void story_reads_back(void **state)
{
    UNUSED(state);
    struct buf b, more;
    struct journal j, again;
    size_t len;
    enum journal_event event;
    struct err err;
    write_story(&b);
    assert_int_equal(read_back(buf_span(&b), &j, &len), E_OK);
    assert_int_equal(len, b.len);
    assert_int_equal(j.n, ARRAY_LEN(story));
    for (size_t i = 0; i < j.n; i++) {
        assert_int_equal(j.records[i].event, story[i].event);
        assert_string_equal(j.records[i].step, story[i].step);
        assert_string_equal(j.records[i].name, story[i].name);
    }
    assert_true(journal_has_mark(&j, "switched") && !journal_has_mark(&j, "committed"));
    assert_true(journal_step_state(&j, "switch", "new.Ab3_x-1", &event));
    assert_int_equal(event, JOURNAL_UNDONE);
    assert_true(journal_step_state(&j, "start-service", "0", &event));
    assert_int_equal(event, JOURNAL_BEGIN);
    assert_false(journal_step_state(&j, "switch", "other", &event));
    /* It goes on where it ended. */
    buf_init(&more, 4096);
    assert_int_equal(journal_add(&j, JOURNAL_MARK, "committed", "-", &more, &err), E_OK);
    assert_int_equal(buf_add(&b, buf_span(&more), &err), E_OK);
    assert_int_equal(read_back(buf_span(&b), &again, &len), E_OK);
    assert_true(again.n == ARRAY_LEN(story) + 1 && journal_has_mark(&again, "committed"));
    journal_fini(&j);
    journal_fini(&again);
    buf_fini(&b);
    buf_fini(&more);
}

static void journal_may_be_empty(void **state)
{
    UNUSED(state);
    struct journal j;
    size_t len;
    assert_int_equal(read_back(span_of(NULL, 0), &j, &len), E_OK);
    assert_true(j.n == 0 && len == 0);
    journal_fini(&j);
}

/* Cut off anywhere it holds the records that are whole, and says where they end. */
static void torn_record_is_dropped(void **state)
{
    UNUSED(state);
    struct buf b;
    struct journal j;
    size_t len, n_whole = 0, whole_len = 0;
    write_story(&b);
    for (size_t cut = 0; cut <= b.len; cut++) {
        if (cut > 0 && b.ptr[cut - 1] == '\n') {
            n_whole++;
            whole_len = cut;
        }
        assert_int_equal(read_back(span_of(b.ptr, cut), &j, &len), E_OK);
        assert_int_equal(j.n, n_whole);
        assert_int_equal(len, whole_len);
        journal_fini(&j);
    }
    buf_fini(&b);
}

/* Any changed bit stops the reading, but in the last record, which is dropped; the end of the line
 * before it makes one last record of two. */
static void damage_is_found_out(void **state)
{
    UNUSED(state);
    struct buf b;
    struct journal j;
    size_t len, last_at = 0;
    write_story(&b);
    for (size_t i = 0; i + 1 < b.len; i++)
        if (b.ptr[i] == '\n')
            last_at = i + 1;
    for (size_t at = 0; at < b.len; at++)
        for (unsigned bit = 0; bit < 8; bit++) {
            b.ptr[at] = (uint8_t)(b.ptr[at] ^ 1U << bit);
            enum errc rc = read_back(buf_span(&b), &j, &len);
            if (at >= last_at)
                assert_true(rc == E_OK && j.n == ARRAY_LEN(story) - 1 && len == last_at);
            else if (at + 1 == last_at)
                assert_true(rc == E_OK && j.n == ARRAY_LEN(story) - 2);
            else
                assert_int_equal(rc, E_MALFORMED);
            journal_fini(&j);
            b.ptr[at] = (uint8_t)(b.ptr[at] ^ 1U << bit);
        }
    buf_fini(&b);
}

/* A record taken out, put in twice, or put elsewhere. */
static void records_cannot_be_moved(void **state)
{
    UNUSED(state);
    struct buf b, moved;
    struct journal j;
    struct err err;
    size_t len, ends[ARRAY_LEN(story) + 1] = { 0 }, n = 0;
    write_story(&b);
    for (size_t i = 0; i < b.len; i++)
        if (b.ptr[i] == '\n')
            ends[++n] = i + 1;
    for (size_t gone = 0; gone + 1 < n; gone++) {
        buf_init(&moved, JOURNAL_BYTES_MAX);
        for (size_t i = 0; i < n; i++)
            if (i != gone)
                assert_int_equal(
                    buf_add(&moved, span_of(b.ptr + ends[i], ends[i + 1] - ends[i]), &err), E_OK);
        if (gone + 2 < n)
            assert_int_equal(read_back(buf_span(&moved), &j, &len), E_MALFORMED);
        else
            assert_int_equal(read_back(buf_span(&moved), &j, &len), E_OK);
        assert_true(j.n <= gone);
        journal_fini(&j);
        buf_fini(&moved);
    }
    buf_fini(&b);
}

static void only_generated_names_are_written(void **state)
{
    UNUSED(state);
    static const char *const names[] = { "",     "a/b", "..",   ".",   "/etc", "a b",
                                         "a\nb", "ä",   "a\\b", "C:x", "a;b",  "$x" };
    struct journal j;
    struct buf b;
    struct err err;
    journal_init(&j);
    buf_init(&b, 4096);
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        assert_int_equal(journal_add(&j, JOURNAL_BEGIN, "switch", names[i], &b, &err), E_ARGUMENT);
    assert_int_equal(journal_add(&j, JOURNAL_BEGIN, "Switch", "a", &b, &err), E_ARGUMENT);
    assert_int_equal(journal_add(&j, JOURNAL_BEGIN, "", "a", &b, &err), E_ARGUMENT);
    assert_int_equal(b.len, 0);
    assert_int_equal(j.n, 0);
    buf_fini(&b);
    journal_fini(&j);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(story_reads_back),
        cmocka_unit_test(journal_may_be_empty),
        cmocka_unit_test(torn_record_is_dropped),
        cmocka_unit_test(damage_is_found_out),
        cmocka_unit_test(records_cannot_be_moved),
        cmocka_unit_test(only_generated_names_are_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
