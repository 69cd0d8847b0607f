/* Three-way merge: what changed on one side comes, what changed on both alike comes once, and what
 * touches is a conflict. */

#include "installer/core/merge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static bool merge(const char *base, const char *here, const char *theirs, char *to, size_t room,
                  struct merge_conflict *conflict)
{
    struct buf out;
    struct err err;
    bool merges = false;
    buf_init(&out, room - 1);
    assert_int_equal(merge_text(span_text(base), span_text(here), span_text(theirs), &out, &merges,
                                conflict, &err),
                     E_OK);
    memcpy(to, out.len > 0 ? out.ptr : (const uint8_t *)"", out.len);
    to[out.len] = '\0';
    if (!merges)
        assert_int_equal(out.len, 0);
    buf_fini(&out);
    return merges;
}

static const struct {
    const char *base, *here, *theirs, *merged; /* NULL: a conflict */
} table[] = {
    { "", "", "", "" },
    { "a\n", "a\n", "a\n", "a\n" },
    { "a\n", "a\n", "b\n", "b\n" },
    { "a\n", "b\n", "a\n", "b\n" },
    { "a\n", "b\n", "b\n", "b\n" },
    { "a\n", "b\n", "c\n", NULL },
    { "a\nb\nc\nd\ne\n", "A\nb\nc\nd\ne\n", "a\nb\nc\nd\nE\n", "A\nb\nc\nd\nE\n" },
    { "a\nb\nc\n", "a\nx\nb\nc\n", "a\nb\nc\ny\n", "a\nx\nb\nc\ny\n" },
    { "a\nb\nc\n", "b\nc\n", "a\nb\n", "b\n" },
    { "a\nb\n", "A\nb\n", "a\nB\n", NULL }, /* neighbours */
    { "a\nb\nc\n", "A\nb\nc\n", "a\nb\nC\n", "A\nb\nC\n" },
    { "a\n", "a\nx\n", "a\ny\n", NULL },
    { "a\n", "a\nx\n", "a\nx\n", "a\nx\n" },
    { "a\nb\n", "a\n", "a\nb\nc\n", NULL },
    { "", "x\n", "", "x\n" },
    { "", "x\n", "y\n", NULL },
    { "a", "a\n", "a", "a\n" }, /* a line without an end is another line */
    { "a\nb", "A\nb", "a\nb\n", NULL },
    { "a\r\nb\r\nc\r\n", "A\r\nb\r\nc\r\n", "a\r\nb\r\nC\r\n", "A\r\nb\r\nC\r\n" },
    { "k=1\n# x\nl=2\n", "k=9\n# x\nl=2\n", "k=1\n# x\nl=2\nm=3\n", "k=9\n# x\nl=2\nm=3\n" },
};

static void table_merges_as_it_says_and_either_way_round(void **state)
{
    char to[200];
    struct merge_conflict conflict;
    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        for (int turned = 0; turned < 2; turned++) {
            const char *here = turned ? table[i].theirs : table[i].here;
            const char *theirs = turned ? table[i].here : table[i].theirs;
            const bool merges = merge(table[i].base, here, theirs, to, sizeof(to), &conflict);
            if (merges != (table[i].merged != NULL))
                fail_msg("row %zu: merges %d", i, merges);
            if (merges)
                assert_string_equal(to, table[i].merged);
        }
}

static void conflict_says_where(void **state)
{
    char to[200];
    struct merge_conflict conflict;
    UNUSED(state);
    assert_false(
        merge("a\nb\nc\nd\n", "a\nb\nX\nd\n", "new\na\nb\nY\nd\n", to, sizeof(to), &conflict));
    assert_int_equal(conflict.here_line, 3);
    assert_int_equal(conflict.theirs_line, 4);
}

static void bytes_with_nul_change_on_one_side_alone(void **state)
{
    const struct span base = span_of("a\0b", 3), other = span_of("a\0c", 3),
                      third = span_of("a\0d", 3);
    struct merge_conflict conflict;
    struct buf out;
    struct err err;
    bool merges = false;
    UNUSED(state);
    buf_init(&out, 100);
    assert_int_equal(merge_text(base, other, base, &out, &merges, &conflict, &err), E_OK);
    assert_true(merges && span_equal(buf_span(&out), other));
    buf_clear(&out);
    assert_int_equal(merge_text(base, other, third, &out, &merges, &conflict, &err), E_OK);
    assert_false(merges);
    buf_fini(&out);
}

static void limits_are_errors(void **state)
{
    char *lines = malloc(2 * (MERGE_LINES_MAX + 2));
    struct merge_conflict conflict;
    struct buf out;
    struct err err;
    bool merges = false;
    UNUSED(state);
    assert_non_null(lines);
    for (size_t i = 0; i <= MERGE_LINES_MAX; i++)
        memcpy(lines + 2 * i, "x\n", 2);
    buf_init(&out, 1024 * 1024);
    assert_int_equal(merge_text(span_of(lines, 2 * (MERGE_LINES_MAX + 1)), span_text("a\n"),
                                span_text("b\n"), &out, &merges, &conflict, &err),
                     E_LIMIT);
    buf_fini(&out);
    free(lines);
}

/* Random edits that do not touch: all of them come through. */
static void edits_apart_from_each_other_all_come(void **state)
{
    UNUSED(state);
    srand(7);
    for (int round = 0; round < 200; round++) {
        char base[4000] = "", here[4000] = "", theirs[4000] = "", wanted[4000] = "", to[4000];
        struct merge_conflict conflict;
        for (int line = 0; line < 60; line++) {
            const int what = line % 3 == 0 ? rand() % 5 : 4; /* two lines between edits */
            char text[20], changed[20];
            (void)snprintf(text, sizeof(text), "line %d\n", line);
            (void)snprintf(changed, sizeof(changed), "new %d\n", line);
            const char *h = what == 0 ? changed : what == 1 ? "" : text;
            const char *t = what == 2 ? changed : what == 3 ? "" : text;
            const char *w = what == 0 || what == 2 ? changed : what == 4 ? text : "";
            (void)strncat(base, text, sizeof(base) - strlen(base) - 1);
            (void)strncat(here, h, sizeof(here) - strlen(here) - 1);
            (void)strncat(theirs, t, sizeof(theirs) - strlen(theirs) - 1);
            (void)strncat(wanted, w, sizeof(wanted) - strlen(wanted) - 1);
        }
        assert_true(merge(base, here, theirs, to, sizeof(to), &conflict));
        assert_string_equal(to, wanted);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_merges_as_it_says_and_either_way_round),
        cmocka_unit_test(conflict_says_where),
        cmocka_unit_test(bytes_with_nul_change_on_one_side_alone),
        cmocka_unit_test(limits_are_errors),
        cmocka_unit_test(edits_apart_from_each_other_all_come),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
