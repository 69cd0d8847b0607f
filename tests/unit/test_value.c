/* value: each type of value with what it is and what it is not, at its limits; the arena. */

#include "manifest/value.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "manifest/arena.h"

#define HEX_8 "01234567"
#define HEX_64 HEX_8 HEX_8 HEX_8 HEX_8 HEX_8 HEX_8 HEX_8 HEX_8
#define A_16 "aaaaaaaaaaaaaaaa"
#define A_64 A_16 A_16 A_16 A_16
#define A_256 A_64 A_64 A_64 A_64

/* assert_refused demands the one code, and these words. */
static void assert_refused(enum errc rc, const struct err *err, const char *text, const char *says)
{
    if (rc != E_MALFORMED && rc != E_LIMIT)
        fail_msg("\"%.80s\": code %d", text, (int)rc);
    if (strstr(err->text, says) == NULL)
        fail_msg("\"%.80s\": says \"%s\", not \"%s\"", text, err->text, says);
}

static void number_reads_digits_alone(void **state)
{
    UNUSED(state);
    static const struct {
        const char *text;
        uint64_t value;
    } good[] = { { "0", 0 }, { "7", 7 }, { "10", 10 }, { "18446744073709551615", UINT64_MAX } };
    static const char *const bad[] = {
        "",
        " 1",
        "1 ",
        "+1",
        "-1",
        "00",
        "01",
        "0x10",
        "1.0",
        "1e3",
        "1,000",
        "18446744073709551616",
        "a",
        "1a",
        "\xD9\xA1" /* an Arabic digit */,
        "99999999999999999999999999999999999999",
        "1\n",
    };
    struct err err;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        uint64_t n = 5;
        assert_int_equal(value_read_number(span_text(good[i].text), &n, &err), E_OK);
        assert_true(n == good[i].value);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        uint64_t n = 5;
        enum errc rc = value_read_number(span_text(bad[i]), &n, &err);
        assert_refused(rc, &err, bad[i], "a number (digits alone, no leading zero)");
        assert_true(n == 5);
    }
}

static void size_reads_bytes_and_binary_units(void **state)
{
    UNUSED(state);
    static const struct {
        const char *text;
        uint64_t value;
    } good[] = { { "0", 0 },
                 { "4096", 4096 },
                 { "0KiB", 0 },
                 { "1KiB", 1024 },
                 { "3MiB", 3 << 20 },
                 { "2GiB", UINT64_C(2) << 30 },
                 { "16777215TiB", UINT64_C(16777215) << 40 } };
    static const char *const bad[] = { "",
                                       "KiB",
                                       "1kib",
                                       "1KB",
                                       "1K",
                                       "1 KiB",
                                       "1KiB ",
                                       "01KiB",
                                       "1.5GiB",
                                       "-1",
                                       "1PiB",
                                       "16777216TiB",
                                       "18446744073709551615KiB" };
    struct err err;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        uint64_t n = 5;
        assert_int_equal(value_read_size(span_text(good[i].text), &n, &err), E_OK);
        assert_true(n == good[i].value);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        uint64_t n = 5;
        assert_refused(value_read_size(span_text(bad[i]), &n, &err), &err, bad[i], "a size (bytes");
        assert_true(n == 5);
    }
}

static const struct {
    const char *text;
    int64_t s;
} durations[] = { { "PT0S", 0 },
                  { "P0D", 0 },
                  { "PT30S", 30 },
                  { "PT90M", 5400 },
                  { "PT1H1S", 3601 },
                  { "PT12H", 43200 },
                  { "P1D", 86400 },
                  { "P2W", 14 * 86400 },
                  { "P1DT2H3M4S", 86400 + 7384 },
                  { "P36525D", VALUE_DURATION_MAX_S },
                  { "PT3155760000S", VALUE_DURATION_MAX_S } };

static void duration_reads_fixed_times(void **state)
{
    UNUSED(state);
    static const char *const bad[] = {
        "",
        "P",
        "PT",
        "T1H",
        "1D",
        "P1",
        "PT1",
        "P1Y",
        "P1M",
        "P1W1D",
        "P1D1W",
        "P1WT1H",
        "P1DT",
        "PT1S1M",
        "PT1H1H",
        "P1DT1D",
        "PT1D",
        "P1H",
        "-P1D",
        "P-1D",
        "P1.5D",
        "PT0.5S",
        "P01D",
        "p1d",
        "P1D ",
        " P1D",
        "PT1H 1M",
        "P36526D",
        "PT3155760001S",
        "P99999999999999999999D",
        "P213503982334602D",
        "PT18446744073709551615H",
    };
    struct err err;
    for (size_t i = 0; i < ARRAY_LEN(durations); i++) {
        int64_t s = -5;
        if (value_read_duration(span_text(durations[i].text), &s, &err) != E_OK)
            fail_msg("%s: %s", durations[i].text, err.text);
        assert_true(s == durations[i].s);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        int64_t s = -5;
        enum errc rc = value_read_duration(span_text(bad[i]), &s, &err);
        assert_refused(rc, &err, bad[i], "a duration such as PT30S");
        assert_true(s == -5);
    }
}

static void duration_is_read_as_it_was_written(void **state)
{
    UNUSED(state);
    static const int64_t all[] = { 0,
                                   1,
                                   59,
                                   60,
                                   61,
                                   3600,
                                   3661,
                                   86399,
                                   86400,
                                   86401,
                                   90061,
                                   7 * 86400,
                                   VALUE_DURATION_MAX_S - 1,
                                   VALUE_DURATION_MAX_S };
    struct err err;
    char text[32];
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        int64_t s = -5;
        assert_ptr_equal(value_format_duration(all[i], text), text);
        if (value_read_duration(span_text(text), &s, &err) != E_OK || s != all[i])
            fail_msg("%" PRId64 " became %s", all[i], text);
    }
    assert_string_equal(value_format_duration(0, text), "PT0S");
    assert_string_equal(value_format_duration(90061, text), "P1DT1H1M1S");
    assert_string_equal(value_format_duration(VALUE_DURATION_MAX_S, text), "P36525D");
}

static void time_reads_rfc3339_without_fractions(void **state)
{
    UNUSED(state);
    static const struct {
        const char *text;
        int64_t s;
    } good[] = { { "1970-01-01T00:00:00Z", 0 },
                 { "1970-01-01T00:00:00+00:00", 0 },
                 { "1969-12-31T23:59:59Z", -1 },
                 { "2026-11-25T22:00:00Z", 1795644000 },
                 { "2026-11-25T23:30:00+01:30", 1795644000 },
                 { "2026-11-25T14:00:00-08:00", 1795644000 },
                 { "2024-02-29T00:00:00Z", 1709164800 },
                 { "0001-01-01T00:00:00Z", -INT64_C(62135596800) },
                 { "9999-12-31T23:59:59Z", INT64_C(253402300799) } };
    static const char *const bad[] = {
        "",
        "2026-11-25",
        "2026-11-25T22:00:00",
        "2026-11-25 22:00:00Z",
        "2026-11-25t22:00:00Z",
        "2026-11-25T22:00:00z",
        "2026-11-25T22:00:00.5Z",
        "2026-11-25T22:00Z",
        "2026-11-25T22:00:00Z ",
        " 2026-11-25T22:00:00Z",
        "2026-11-25T22:00:00+0100",
        "2026-11-25T22:00:00+24:00",
        "2026-11-25T22:00:00+01:60",
        "2026-02-29T00:00:00Z",
        "2100-02-29T00:00:00Z",
        "2026-04-31T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z",
        "2026-01-00T00:00:00Z",
        "2026-01-01T24:00:00Z",
        "2026-01-01T23:60:00Z",
        "2026-12-31T23:59:60Z",
        "0000-01-01T00:00:00Z",
        "12026-01-01T00:00:00Z",
        "-026-01-01T00:00:00Z",
        "1795644000",
    };
    struct err err;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        int64_t s = 5;
        if (value_read_time(span_text(good[i].text), &s, &err) != E_OK || s != good[i].s)
            fail_msg("%s is %" PRId64, good[i].text, s);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        int64_t s = 5;
        enum errc rc = value_read_time(span_text(bad[i]), &s, &err);
        assert_refused(rc, &err, bad[i], "a time such as 2026-11-25T22:00:00Z");
        assert_true(s == 5);
    }
}

static void sha256_is_64_digits_of_lower_case(void **state)
{
    UNUSED(state);
    static const char *const bad[] = {
        "",
        HEX_8,
        HEX_64 "0",
        HEX_64 "01",
        A_16 A_16 A_16 "AAAAAAAAAAAAAAAA",
        A_16 A_16 A_16 "ggggggggaaaaaaaa",
        A_16 A_16 A_16 "aaaaaaaaaaaaaaa",
        A_16 A_16 A_16 "aaaaaaaaaaaaaaa ",
        "0x" A_16 A_16 A_16 "aaaaaaaaaaaaaa",
    };
    uint8_t hash[32] = { 0 };
    struct err err;
    assert_int_equal(value_read_sha256(span_text(HEX_64), hash, &err), E_OK);
    for (size_t i = 0; i < sizeof(hash); i++)
        assert_int_equal(hash[i], "\x01\x23\x45\x67"[i % 4]);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_refused(value_read_sha256(span_text(bad[i]), hash, &err), &err, bad[i],
                       "a SHA-256 (64 hex digits in lower case)");
}

static void mode_is_three_octal_digits(void **state)
{
    UNUSED(state);
    static const char *const bad[] = { "",     "7",    "64",   "0644",       "4755", "2755",
                                       "1777", "1644", "800",  "64 8",       "6 4",  "-44",
                                       "rwx",  "64\n", " 644", "00000000644" };
    struct err err;
    for (uint32_t m = 0; m <= 0777; m++) {
        uint32_t mode = 5;
        char text[12];
        (void)snprintf(text, sizeof(text), "%03" PRIo32, m);
        assert_int_equal(value_read_mode(span_text(text), &mode, &err), E_OK);
        assert_int_equal(mode, m);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        uint32_t mode = 5;
        enum errc rc = value_read_mode(span_text(bad[i]), &mode, &err);
        assert_refused(rc, &err, bad[i], "a mode of three octal digits such as 644");
        assert_int_equal(mode, 5);
    }
}

typedef enum errc (*check_fn)(struct span text, struct err *err);

static void assert_all(check_fn check, const char *const *good, const char *const *bad,
                       const char *says)
{
    struct err err;
    for (; *good != NULL; good++)
        if (check(span_text(*good), &err) != E_OK)
            fail_msg("\"%s\": %s", *good, err.text);
    for (; *bad != NULL; bad++)
        assert_refused(check(span_text(*bad), &err), &err, *bad, says);
}

static void name_is_a_word_of_ours(void **state)
{
    UNUSED(state);
    static const char *const good[] = {
        "a", "0", "orchard", "orchard-2.x_beta", "a--b", A_64, NULL
    };
    static const char *const bad[] = { "",         "-a",     "a-",  ".",   "..",   ".a",
                                       "a.",       "A",      "a b", "a/b", "a\\b", "a:b",
                                       "\xC3\xA4", A_64 "a", "a\n", NULL };
    assert_all(value_check_name, good, bad, "a name (a-z, 0-9");
}

static void guid_is_as_windows_installer_writes_it(void **state)
{
    UNUSED(state);
    static const char *const good[] = { "{01234567-89AB-CDEF-0123-456789ABCDEF}", NULL };
    static const char *const bad[] = { "",
                                       "01234567-89AB-CDEF-0123-456789ABCDEF",
                                       "{01234567-89ab-cdef-0123-456789abcdef}",
                                       "{01234567-89AB-CDEF-0123-456789ABCDEG}",
                                       "{0123456789AB-CDEF-0123-456789ABCDEF}",
                                       "{01234567-89AB-CDEF-0123-456789ABCDE}",
                                       "{01234567-89AB-CDEF-0123-456789ABCDEF0}",
                                       "{01234567-89AB-CDEF-0123-456789ABCDEF)",
                                       "{01234567+89AB-CDEF-0123-456789ABCDEF}",
                                       NULL };
    assert_all(value_check_guid, good, bad, "a code such as {");
}

static void url_is_http_or_file_and_nothing_hidden(void **state)
{
    UNUSED(state);
    static const char *const good[] = { "https://example.org",
                                        "https://example.org/feed.xml",
                                        "http://127.0.0.1:8080/a?b=c&d=%20;e",
                                        "https://[::1]/x",
                                        "file:///srv/feed.xml",
                                        "file:///C:/feed.xml",
                                        NULL };
    static const char *const bad[] = { "",
                                       "example.org",
                                       "/feed.xml",
                                       "ftp://example.org/",
                                       "HTTPS://example.org/",
                                       "https:/example.org",
                                       "https://",
                                       "https:///x",
                                       "https://?x",
                                       "https://:80/",
                                       "https://.example.org",
                                       "file://",
                                       "file:/x",
                                       "file://host/x",
                                       "https://me@example.org/",
                                       "https://me:word@example.org/",
                                       "https://example.org/#part",
                                       "https://example.org/a b",
                                       "https://example.org/\x7F",
                                       "https://example.org/\r\nX: y",
                                       "https://example.org/\xC3\xA4",
                                       "https://example.org\\@other.org",
                                       "https://example.org/<x>",
                                       "https://example.org/\"",
                                       "https://example.org/{x}",
                                       "https://example.org/`id`",
                                       " https://example.org/",
                                       "https://example.org/ ",
                                       "javascript:alert(1)",
                                       NULL };
    assert_all(value_check_url, good, bad, "a URL (https://HOST/");
}

static void url_has_a_limit(void **state)
{
    UNUSED(state);
    char text[VALUE_URL_MAX + 2];
    struct err err;
    memset(text, 'a', sizeof(text));
    memcpy(text, "https://", 8);
    assert_int_equal(value_check_url(span_of(text, VALUE_URL_MAX), &err), E_OK);
    assert_int_equal(value_check_url(span_of(text, VALUE_URL_MAX + 1), &err), E_MALFORMED);
}

static void text_is_one_visible_line(void **state)
{
    UNUSED(state);
    static const char *const good[] = { "x",    "Orchard Works, Ltd.",   "\xC3\x84pfel & Birnen",
                                        "a  b", A_256 A_256 A_256 A_256, NULL };
    static const char *const hidden[] = { "a\tb",
                                          "a\nb",
                                          "\x1B[31mred",
                                          "a\x7F",
                                          "\xC2\x85",
                                          "\xE2\x80\xAE"
                                          "exe",
                                          "a\xE2\x80\x8B"
                                          "b",
                                          "\xEF\xBB\xBFx",
                                          "a\xE2\x80\xA8"
                                          "b",
                                          "\xF3\xA0\x81\x81",
                                          "\xFF",
                                          "a\xC3",
                                          NULL };
    static const char *const spaced[] = { " x", "x ", " ", NULL };
    static const char *const empty[] = { "", NULL };
    static const char *const long_one[] = { A_256 A_256 A_256 A_256 "a", NULL };
    static const char *const none[] = { NULL };
    assert_all(value_check_text, good, hidden, "control or direction characters");
    assert_all(value_check_text, none, spaced, "begins or ends with a space");
    assert_all(value_check_text, none, empty, "is empty");
    assert_all(value_check_text, none, long_one, "is 1025 bytes long, at most 1024");
}

/* --- the arena */

static void arena_gives_zeroed_aligned_memory(void **state)
{
    UNUSED(state);
    struct arena a;
    struct err err;
    arena_init(&a, 1024 * 1024);
    for (size_t len = 0; len < 700; len++) {
        void *p = NULL;
        assert_int_equal(arena_alloc(&a, len, &p, &err), E_OK);
        assert_int_equal((uintptr_t)p % alignof(max_align_t), 0);
        assert_true(span_is_filled(span_of(p, len), 0));
        memset(p, 0xAA, len);
    }
    arena_fini(&a);
    arena_fini(&a);
}

static void arena_keeps_large_and_small_pieces_apart(void **state)
{
    UNUSED(state);
    struct arena a;
    struct err err;
    uint8_t *pieces[40];
    arena_init(&a, 16 * 1024 * 1024);
    for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
        size_t len = i % 2 == 0 ? 10 : 100000;
        void *p = NULL;
        assert_int_equal(arena_alloc(&a, len, &p, &err), E_OK);
        pieces[i] = p;
        memset(p, (int)i + 1, len);
    }
    for (size_t i = 0; i < ARRAY_LEN(pieces); i++)
        assert_true(span_is_filled(span_of(pieces[i], i % 2 == 0 ? 10 : 100000), (uint8_t)(i + 1)));
    arena_fini(&a);
}

static void arena_ends_at_its_cap(void **state)
{
    UNUSED(state);
    struct arena a;
    struct err err;
    void *p = NULL;
    const char *text;
    arena_init(&a, 64);
    assert_int_equal(arena_alloc(&a, 65, &p, &err), E_LIMIT);
    assert_int_equal(arena_alloc(&a, SIZE_MAX, &p, &err), E_LIMIT);
    assert_int_equal(arena_alloc(&a, SIZE_MAX - 3, &p, &err), E_LIMIT);
    assert_int_equal(arena_alloc(&a, 1, &p, &err), E_OK);
    assert_int_equal(arena_text(&a, span_text("0123456789ABCDE"), &text, &err), E_OK);
    assert_string_equal(text, "0123456789ABCDE");
    assert_int_equal(arena_alloc(&a, 33, &p, &err), E_LIMIT);
    assert_non_null(strstr(err.text, "more than 64 bytes"));
    assert_int_equal(arena_alloc(&a, 32, &p, &err), E_OK);
    assert_int_equal(arena_text(&a, span_text(""), &text, &err), E_LIMIT);
    arena_fini(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(number_reads_digits_alone),
        cmocka_unit_test(size_reads_bytes_and_binary_units),
        cmocka_unit_test(duration_reads_fixed_times),
        cmocka_unit_test(duration_is_read_as_it_was_written),
        cmocka_unit_test(time_reads_rfc3339_without_fractions),
        cmocka_unit_test(sha256_is_64_digits_of_lower_case),
        cmocka_unit_test(mode_is_three_octal_digits),
        cmocka_unit_test(name_is_a_word_of_ours),
        cmocka_unit_test(guid_is_as_windows_installer_writes_it),
        cmocka_unit_test(url_is_http_or_file_and_nothing_hidden),
        cmocka_unit_test(url_has_a_limit),
        cmocka_unit_test(text_is_one_visible_line),
        cmocka_unit_test(arena_gives_zeroed_aligned_memory),
        cmocka_unit_test(arena_keeps_large_and_small_pieces_apart),
        cmocka_unit_test(arena_ends_at_its_cap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
