/* The vocabulary: reader, num, text, buf, err. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "platform/base/buf.h"
#include "platform/base/crc32.h"
#include "platform/base/err.h"
#include "platform/base/num.h"
#include "platform/base/reader.h"
#include "platform/base/sort.h"
#include "platform/base/text.h"

static void reader_refuses_length_past_end(void **state)
{
    (void)state;
    struct reader r = reader_of(span_text("abc"), 100);
    struct span taken = { 0 };
    assert_false(reader_take(&r, 4, &taken));
    assert_false(reader_take(&r, SIZE_MAX, &taken));
    assert_int_equal(r.rest.len, 3);
    assert_int_equal(r.at, 100);
    assert_null(taken.ptr);
}

static void reader_counts_offsets_of_the_file(void **state)
{
    (void)state;
    static const uint8_t bytes[] = { 0x34, 0x12, 0x78, 0x56, 0x34, 0x12, 1, 2, 3, 4, 5, 6, 7, 8 };
    struct reader r = reader_of(span_of(bytes, sizeof(bytes)), 10);
    uint16_t a = 0;
    uint32_t b = 0;
    uint64_t c = 0;
    assert_true(reader_u16le(&r, &a) && reader_u32le(&r, &b) && reader_u64le(&r, &c));
    assert_int_equal(a, 0x1234);
    assert_int_equal(b, 0x12345678);
    assert_true(c == 0x0807060504030201ULL);
    assert_int_equal(r.at, 24);
    assert_true(reader_is_done(&r));
    assert_false(reader_u16le(&r, &a));
    assert_int_equal(a, 0x1234);
}

static void reader_reads_big_endian(void **state)
{
    (void)state;
    static const uint8_t bytes[] = { 0x12, 0x34, 0x81, 0x34, 0x56, 0x78 };
    struct reader r = reader_of(span_of(bytes, sizeof(bytes)), 0);
    uint16_t a = 0;
    uint32_t b = 0;
    assert_true(reader_u16be(&r, &a) && reader_u32be(&r, &b));
    assert_int_equal(a, 0x1234);
    assert_true(b == 0x81345678U);
}

static void reader_wants_the_nul_within_the_limit(void **state)
{
    (void)state;
    struct reader r = reader_of(span_of("name\0x", 6), 0);
    struct span name;
    assert_false(reader_cstring(&r, 4, &name));
    assert_true(reader_cstring(&r, 5, &name));
    assert_true(span_equal_text(name, "name"));
    assert_int_equal(r.at, 5);
    assert_false(reader_cstring(&r, 100, &name));
}

static void num_refuses_what_does_not_fit(void **state)
{
    (void)state;
    uint64_t out = 7;
    assert_false(num_add(UINT64_MAX, 1, &out));
    assert_false(num_mul(UINT64_MAX / 2, 3, &out));
    assert_false(num_align(UINT64_MAX - 2, 8, &out));
    assert_int_equal(out, 7);
    assert_true(num_add(UINT64_MAX, 0, &out));
    assert_true(num_mul(0, UINT64_MAX, &out));
    assert_int_equal(out, 0);
    assert_true(num_align(9, 8, &out));
    assert_int_equal(out, 16);
}

static void span_sub_never_leaves_its_span(void **state)
{
    (void)state;
    struct span s = span_text("hello");
    assert_true(span_equal_text(span_sub(s, 3, SIZE_MAX), "lo"));
    assert_int_equal(span_sub(s, 5, 1).len, 0);
    assert_int_equal(span_sub(s, SIZE_MAX, SIZE_MAX).len, 0);
    assert_true(span_compare(span_text("a"), span_text("ab")) < 0);
    assert_true(span_compare(span_text("b"), span_text("ab")) > 0);
}

static const struct {
    const char *in, *out;
} printables[] = {
    { "plain text", "plain text" },
    { "line\nbreak\ttab", "line\\x0abreak\\x09tab" },
    { "\033[31mred", "\\x1b[31mred" },
    { "\xc3\xa4\xe2\x82\xac", "\xc3\xa4\xe2\x82\xac" },
    { "\xe2\x80\xae"
      "exe.gpj",
      "\\u{202E}exe.gpj" },          /* right-to-left override */
    { "\xe2\x80\xa8", "\\u{2028}" }, /* line separator */
    { "\xc2\x85", "\\u{85}" },       /* C1 next line */
    { "\xff\xfe", "\\xff\\xfe" },
    { "\xc0\x80", "\\xc0\\x80" },                   /* overlong NUL */
    { "\xed\xa0\x80", "\\xed\\xa0\\x80" },          /* surrogate */
    { "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80" }, /* above U+10FFFF */
    { "cut \xe2\x82", "cut \\xe2\\x82" },
};

static void text_shown_to_people_has_no_control_bytes(void **state)
{
    (void)state;
    char to[100];
    for (size_t i = 0; i < ARRAY_LEN(printables); i++)
        assert_string_equal(text_printable(span_text(printables[i].in), to, sizeof(to)),
                            printables[i].out);
    assert_string_equal(text_printable(span_of("a\0b", 3), to, sizeof(to)), "a\\x00b");
}

static void text_that_does_not_fit_ends_in_dots(void **state)
{
    (void)state;
    char to[8];
    assert_string_equal(text_printable(span_text("1234567"), to, sizeof(to)), "1234567");
    assert_string_equal(text_printable(span_text("12345678"), to, sizeof(to)), "1234...");
    assert_string_equal(text_printable(span_text("123\xe2\x82\xac\xe2\x82\xac"), to, sizeof(to)),
                        "123...");
}

static const char *print(char *to, size_t room, const char *fmt, ...) PRINTF_FORMAT(3, 4);
static const char *print(char *to, size_t room, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    (void)text_print(to, room, fmt, args);
    va_end(args);
    return to;
}

static void text_that_is_put_together_is_shown_as_safely(void **state)
{
    (void)state;
    char to[16], large[600];
    char many[1000];
    assert_string_equal(print(to, sizeof(to), "%s: %d", "a\n", 7), "a\\x0a: 7");
    assert_string_equal(print(to, sizeof(to), "%.2s", "\xe2\x82\xac"), "\\xe2\\x82");
    memset(many, 'x', sizeof(many) - 1);
    many[sizeof(many) - 1] = '\0';
    assert_int_equal(strlen(print(large, sizeof(large), "%s", many)), 511);
    assert_string_equal(print(to, sizeof(to), "%s", many) + 12, "...");
}

static void hex_is_read_whole_or_not_at_all(void **state)
{
    (void)state;
    uint8_t bytes[3];
    char hex[TEXT_HEX_LEN(3)];
    assert_true(text_from_hex(span_text("00fFa9"), bytes, 3));
    assert_string_equal(text_to_hex(span_of(bytes, 3), hex), "00ffa9");
    assert_false(text_from_hex(span_text("00ffa"), bytes, 3));
    assert_false(text_from_hex(span_text("00ffa9a"), bytes, 3));
    assert_false(text_from_hex(span_text("00ffag"), bytes, 3));
    assert_false(text_from_hex(span_text(" 0ffa9"), bytes, 3));
}

static const struct {
    const char *text;
    int64_t unix_s;
} times[] = {
    { "1970-01-01T00:00:00Z", 0 },
    { "2000-02-29T12:00:00Z", 951825600 },
    { "2026-11-25T03:26:44Z", 1795577204 },
    { "1969-12-31T23:59:59Z", -1 },
    { "9999-12-31T23:59:59Z", 253402300799 },
    { "1601-01-01T00:00:00Z", -11644473600 },
};

static void times_go_there_and_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(times); i++) {
        char text[32];
        int64_t at;
        assert_true(text_parse_time(span_text(times[i].text), &at));
        assert_true(at == times[i].unix_s);
        assert_string_equal(text_format_time(at, text), times[i].text);
    }
}

static void times_that_do_not_exist_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "2026-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z",
        "2026-01-32T00:00:00Z",
        "2026-01-01T24:00:00Z",
        "2026-01-01T00:60:00Z",
        "2026-01-01T00:00:60Z",
        "2026-01-01T00:00:00",
        "2026-01-01 00:00:00Z",
        "2026-01-01T00:00:00.Z",
        "2026-01-01T00:00:00+1:00",
        "2026-01-01T00:00:00Zx",
        "026-01-01T00:00:00Z",
        "",
        "now",
    };
    int64_t at;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(text_parse_time(span_text(bad[i]), &at));
    assert_true(text_parse_time(span_text("2026-01-01T01:00:00.25+01:00"), &at));
    assert_true(at == 1767225600);
}

static void utf16_becomes_utf8(void **state)
{
    (void)state;
    static const uint8_t le[] = { 'a', 0, 0xE4, 0, 0x3D, 0xD8, 0x00, 0xDE, 0x00, 0xD8 };
    struct buf b;
    struct err err;
    buf_init(&b, 100);
    assert_int_equal(text_from_utf16(&b, span_of(le, sizeof(le)), false, &err), E_OK);
    assert_true(span_equal_text(buf_span(&b), "a\xc3\xa4\xf0\x9f\x98\x80\xef\xbf\xbd"));
    assert_int_equal(text_from_utf16(&b, span_of(le, 3), false, &err), E_MALFORMED);
    buf_fini(&b);
}

static void buf_never_passes_its_cap(void **state)
{
    (void)state;
    struct buf b;
    struct err err;
    buf_init(&b, 5);
    assert_int_equal(buf_add_text(&b, "hello", &err), E_OK);
    assert_int_equal(buf_add_byte(&b, '!', &err), E_LIMIT);
    assert_int_equal(b.len, 5);
    buf_fini(&b);
    assert_null(b.ptr);
    struct buf none = { 0 };
    assert_int_equal(buf_add_byte(&none, 'x', &err), E_LIMIT);
    buf_fini(&none);
}

static void buf_grows_and_prints(void **state)
{
    (void)state;
    struct buf b;
    struct err err;
    buf_init(&b, 100000);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(buf_printf(&b, &err, "%d,", i), E_OK);
    assert_int_equal(b.len, 10 * 2 + 90 * 3 + 900 * 4);
    assert_true(span_starts_with(buf_span(&b), span_text("0,1,2,3,")));
    buf_fini(&b);
}

static bool is_less(void *ctx, size_t i, size_t k)
{
    const int *numbers = ctx;
    return numbers[i] < numbers[k];
}

static void swap(void *ctx, size_t i, size_t k)
{
    int *numbers = ctx, kept = numbers[i];
    numbers[i] = numbers[k];
    numbers[k] = kept;
}

static void sort_puts_any_order_right(void **state)
{
    (void)state;
    enum { N = 257 };
    int numbers[N];
    for (size_t n = 0; n <= N; n++) {
        for (size_t step = 1; step < 8; step++) { /* rising, falling, many equal, mixed */
            for (size_t i = 0; i < n; i++)
                numbers[i] = step == 2 ? (int)(n - i) : (int)(i * step * 7 % (step == 3 ? 5 : N));
            sort_items(n, is_less, swap, numbers);
            for (size_t i = 1; i < n; i++)
                assert_true(numbers[i - 1] <= numbers[i]);
        }
    }
}

static void sort_loses_nothing(void **state)
{
    (void)state;
    int numbers[] = { 5, 1, 4, 1, 3, 9, 2 };
    static const int sorted[] = { 1, 1, 2, 3, 4, 5, 9 };
    sort_items(ARRAY_LEN(numbers), is_less, swap, numbers);
    assert_memory_equal(numbers, sorted, sizeof(sorted));
}

/* The check value that every description of this checksum gives. */
static void crc32_is_that_of_gzip_however_it_is_fed(void **state)
{
    struct span all = span_text("123456789");
    UNUSED(state);
    assert_int_equal(crc32_of(all), 0xCBF43926);
    assert_int_equal(crc32_of(span_of(NULL, 0)), 0);
    for (size_t i = 0; i <= all.len; i++) {
        struct crc32 c;
        crc32_init(&c);
        crc32_add(&c, span_sub(all, 0, i));
        crc32_add(&c, span_sub(all, i, all.len));
        assert_int_equal(c.value, 0xCBF43926);
    }
}

static void err_prefix_keeps_code_and_text(void **state)
{
    (void)state;
    struct err err;
    assert_int_equal(err_set(&err, E_LIMIT, "%d of %d", 5, 4), E_LIMIT);
    assert_int_equal(err_prefix(&err, "file %s: ", "x"), E_LIMIT);
    assert_string_equal(err.text, "file x: 5 of 4");
    char longer[400];
    memset(longer, 'y', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    assert_int_equal(err_prefix(&err, "%s", longer), E_LIMIT);
    assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
    assert_int_equal(err_set(NULL, E_IO, "nobody listens"), E_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reader_refuses_length_past_end),
        cmocka_unit_test(reader_counts_offsets_of_the_file),
        cmocka_unit_test(reader_reads_big_endian),
        cmocka_unit_test(reader_wants_the_nul_within_the_limit),
        cmocka_unit_test(num_refuses_what_does_not_fit),
        cmocka_unit_test(span_sub_never_leaves_its_span),
        cmocka_unit_test(text_shown_to_people_has_no_control_bytes),
        cmocka_unit_test(text_that_does_not_fit_ends_in_dots),
        cmocka_unit_test(text_that_is_put_together_is_shown_as_safely),
        cmocka_unit_test(hex_is_read_whole_or_not_at_all),
        cmocka_unit_test(times_go_there_and_back),
        cmocka_unit_test(times_that_do_not_exist_are_refused),
        cmocka_unit_test(utf16_becomes_utf8),
        cmocka_unit_test(buf_never_passes_its_cap),
        cmocka_unit_test(buf_grows_and_prints),
        cmocka_unit_test(sort_puts_any_order_right),
        cmocka_unit_test(sort_loses_nothing),
        cmocka_unit_test(crc32_is_that_of_gzip_however_it_is_fed),
        cmocka_unit_test(err_prefix_keeps_code_and_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
