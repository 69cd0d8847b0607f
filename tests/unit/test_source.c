#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "platform/source.h"

static struct source *memory(const char *text)
{
    struct source *src = NULL;
    assert_int_equal(source_memory_new(span_text(text), &src, NULL), E_OK);
    return src;
}

static void read_past_the_end_is_truncated(void **state)
{
    (void)state;
    struct source *src = memory("0123456789");
    struct err err;
    char to[11] = "..........";
    assert_int_equal(source_read_at(src, 5, to, 6, &err), E_TRUNCATED);
    assert_int_equal(source_read_at(src, UINT64_MAX, to, 2, &err), E_TRUNCATED);
    assert_string_equal(to, "..........");
    assert_int_equal(source_read_at(src, 5, to, 5, &err), E_OK);
    assert_memory_equal(to, "56789", 5);
    assert_int_equal(source_read_at(src, 10, to, 0, &err), E_OK);
    source_close(src);
}

static void regions_read_as_one_file(void **state)
{
    (void)state;
    static const struct region regions[] = { { 8, 2 }, { 0, 0 }, { 0, 3 }, { 5, 1 } };
    struct source *src = memory("0123456789");
    struct source *list = NULL;
    struct err err;
    char to[7] = { 0 };
    assert_int_equal(source_regions_new(src, regions, 4, &list, &err), E_OK);
    assert_int_equal(list->size, 6);
    assert_int_equal(source_read_at(list, 0, to, 6, &err), E_OK);
    assert_string_equal(to, "890125");
    for (size_t at = 0; at < 6; at++) {
        assert_int_equal(source_read_at(list, at, to, 1, &err), E_OK);
        assert_int_equal(to[0], "890125"[at]);
    }
    assert_int_equal(source_read_at(list, 5, to, 2, &err), E_TRUNCATED);
    source_close(list);
    source_close(src);
}

static void regions_outside_are_refused(void **state)
{
    (void)state;
    static const struct region past[] = { { 0, 2 }, { 9, 2 } };
    static const struct region wraps[] = { { UINT64_MAX, 2 } };
    struct source *src = memory("0123456789");
    struct source *list = NULL;
    struct err err;
    assert_int_equal(source_regions_new(src, past, 2, &list, &err), E_TRUNCATED);
    assert_int_equal(source_regions_new(src, wraps, 1, &list, &err), E_TRUNCATED);
    assert_null(list);
    source_close(src);
}

static enum errc count_bytes(void *ctx, struct span piece, struct err *err)
{
    (void)err;
    assert_true(piece.len <= SOURCE_PIECE);
    *(uint64_t *)ctx += piece.len;
    return E_OK;
}

static enum errc stop_at_once(void *ctx, struct span piece, struct err *err)
{
    (void)ctx;
    (void)piece;
    return err_set(err, E_REFUSED, "enough");
}

static void each_hands_out_every_byte_once(void **state)
{
    (void)state;
    static uint8_t big[3 * SOURCE_PIECE + 7];
    static uint8_t scratch[SOURCE_PIECE];
    struct source *src = NULL;
    struct err err;
    uint64_t n = 0;
    assert_int_equal(source_memory_new(span_of(big, sizeof(big)), &src, &err), E_OK);
    assert_int_equal(source_each(src, 5, sizeof(big) - 5, scratch, count_bytes, &n, &err), E_OK);
    assert_int_equal(n, sizeof(big) - 5);
    assert_int_equal(source_each(src, 0, sizeof(big), scratch, stop_at_once, NULL, &err),
                     E_REFUSED);
    source_close(src);
}

static void a_folder_is_no_file_and_nothing_is_absent(void **state)
{
    (void)state;
    struct source *src = NULL;
    struct err err;
    assert_int_equal(source_file_open(".", &src, &err), E_ARGUMENT);
    assert_int_equal(source_file_open("./there/is/nothing", &src, &err), E_ABSENT);
    assert_null(src);
}

static void a_file_is_read_where_it_is_asked(void **state)
{
    (void)state;
    static const char name[] = "source_test.tmp";
    struct source *src = NULL;
    struct err err;
    char to[4] = { 0 };
    FILE *f = fopen(name, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite("abcdefgh", 1, 8, f), 8);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(source_file_open(name, &src, &err), E_OK);
    assert_int_equal(src->size, 8);
    assert_int_equal(source_read_at(src, 3, to, 3, &err), E_OK);
    assert_string_equal(to, "def");
    assert_int_equal(source_read_at(src, 6, to, 3, &err), E_TRUNCATED);
    source_close(src);
    assert_int_equal(remove(name), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(read_past_the_end_is_truncated),
        cmocka_unit_test(regions_read_as_one_file),
        cmocka_unit_test(regions_outside_are_refused),
        cmocka_unit_test(each_hands_out_every_byte_once),
        cmocka_unit_test(a_folder_is_no_file_and_nothing_is_absent),
        cmocka_unit_test(a_file_is_read_where_it_is_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
