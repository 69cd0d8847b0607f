#include "verify/der.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* A value as hex and what reading it exactly must give. */
struct form {
    const char *bytes;
    size_t len;
    enum errc expected;
};
#define FORM(text, e)                                                                              \
    {                                                                                              \
        (text), sizeof(text) - 1, (e)                                                              \
    }

static void check_forms(const struct form *forms, size_t n)
{
    struct err err;
    for (size_t i = 0; i < n; i++) {
        enum errc e = der_check_exact(span_of(forms[i].bytes, forms[i].len), 0, "value", &err);
        if (e != forms[i].expected)
            fail_msg("form %zu: %s, expected %s: %s", i, errc_name(e), errc_name(forms[i].expected),
                     e == E_OK ? "" : err.text);
    }
}

static void lengths_must_be_definite_and_shortest(void **state)
{
    static const struct form forms[] = {
        FORM("\x04\x00", E_OK),
        FORM("\x04\x01x", E_OK),
        FORM("\x04\x80", E_MALFORMED),
        FORM("\x24\x80\x04\x01x\x00\x00", E_MALFORMED),
        FORM("\x04\x81\x01x", E_MALFORMED),
        FORM("\x04\x82\x00\x01x", E_MALFORMED),
        FORM("\x04\x85\x00\x00\x00\x00\x01x", E_MALFORMED),
        FORM("\x04\xFF", E_MALFORMED),
        FORM("\x04", E_TRUNCATED),
        FORM("\x04\x82\x01", E_TRUNCATED),
        FORM("\x04\x02x", E_TRUNCATED),
        FORM("\x04\x84\xFF\xFF\xFF\xFFx", E_TRUNCATED),
        FORM("\x1F\x01\x00", E_MALFORMED),
        FORM("\xBF\x81\x01\x00", E_MALFORMED),
    };
    UNUSED(state);
    check_forms(forms, ARRAY_LEN(forms));
}

static void length_of_128_takes_two_bytes(void **state)
{
    uint8_t bytes[3 + 256] = { 0x04, 0x81, 0x80 };
    struct err err;
    UNUSED(state);
    assert_int_equal(der_check_exact(span_of(bytes, 3 + 128), 0, "value", &err), E_OK);
    bytes[2] = 0x7F;
    assert_int_equal(der_check_exact(span_of(bytes, 3 + 127), 0, "value", &err), E_MALFORMED);
    bytes[1] = 0x82;
    bytes[2] = 0x00;
    bytes[3] = 0xFF;
    assert_int_equal(der_check_exact(span_of(bytes, 4 + 255), 0, "value", &err), E_MALFORMED);
}

static void primitive_forms_are_exact(void **state)
{
    static const struct form forms[] = {
        FORM("\x01\x01\x00", E_OK),
        FORM("\x01\x01\xFF", E_OK),
        FORM("\x01\x01\x01", E_MALFORMED),
        FORM("\x01\x00", E_MALFORMED),
        FORM("\x01\x02\x00\x00", E_MALFORMED),
        FORM("\x02\x01\x00", E_OK),
        FORM("\x02\x02\x00\x80", E_OK),
        FORM("\x02\x01\x80", E_OK),
        FORM("\x02\x00", E_MALFORMED),
        FORM("\x02\x02\x00\x7F", E_MALFORMED),
        FORM("\x02\x02\xFF\x80", E_MALFORMED),
        FORM("\x0A\x02\x00\x01", E_MALFORMED),
        FORM("\x03\x01\x00", E_OK),
        FORM("\x03\x02\x04\xF0", E_OK),
        FORM("\x03\x00", E_MALFORMED),
        FORM("\x03\x01\x01", E_MALFORMED),
        FORM("\x03\x02\x08\x00", E_MALFORMED),
        FORM("\x03\x02\x04\xF1", E_MALFORMED),
        FORM("\x05\x00", E_OK),
        FORM("\x05\x01\x00", E_MALFORMED),
        FORM("\x06\x01\x2A", E_OK),
        FORM("\x06\x03\x2A\x81\x00", E_OK),
        FORM("\x06\x00", E_MALFORMED),
        FORM("\x06\x02\x2A\x86", E_MALFORMED),
        FORM("\x06\x03\x2A\x80\x01", E_MALFORMED),
        FORM("\x06\x02\x80\x01", E_MALFORMED),
        FORM("\x00\x00", E_MALFORMED),
        FORM("\x10\x00", E_MALFORMED),
        FORM("\x11\x00", E_MALFORMED),
        FORM("\x24\x03\x04\x01x", E_MALFORMED),
        FORM("\x80\x01\x01", E_OK),
        FORM("\xA0\x03\x02\x01\x01", E_OK),
        FORM("\xA0\x03\x01\x01\x01", E_MALFORMED),
    };
    UNUSED(state);
    check_forms(forms, ARRAY_LEN(forms));
}

static void times_have_seconds_and_z(void **state)
{
    static const struct form forms[] = {
        FORM("\x17\x0D"
             "260102030405Z",
             E_OK),
        FORM("\x17\x0B"
             "2601020304Z",
             E_MALFORMED),
        FORM("\x17\x11"
             "260102030405+0100",
             E_MALFORMED),
        FORM("\x17\x0D"
             "261302030405Z",
             E_MALFORMED),
        FORM("\x17\x0D"
             "260230030405Z",
             E_MALFORMED),
        FORM("\x17\x0D"
             "26010203040aZ",
             E_MALFORMED),
        FORM("\x17\x0F"
             "260102030405.5Z",
             E_MALFORMED),
        FORM("\x18\x0F"
             "20260102030405Z",
             E_OK),
        FORM("\x18\x11"
             "20260102030405.5Z",
             E_OK),
        FORM("\x18\x12"
             "20260102030405.50Z",
             E_MALFORMED),
        FORM("\x18\x10"
             "20260102030405.Z",
             E_MALFORMED),
        FORM("\x18\x11"
             "20260102030405,5Z",
             E_MALFORMED),
        FORM("\x18\x0E"
             "20260102030405",
             E_MALFORMED),
        FORM("\x18\x10"
             "20260102030405ZZ",
             E_MALFORMED),
    };
    UNUSED(state);
    check_forms(forms, ARRAY_LEN(forms));
}

static int64_t time_of(const char *tlv, size_t len, uint32_t *nanos)
{
    struct reader r = reader_of(span_of(tlv, len), 0);
    struct err err;
    int64_t unix_s = -1;
    assert_int_equal(der_read_time(&r, "time", &unix_s, nanos, &err), E_OK);
    assert_true(reader_is_done(&r));
    return unix_s;
}

static void two_digit_years_are_1950_to_2049(void **state)
{
    uint32_t nanos = 1;
    UNUSED(state);
    assert_int_equal(time_of("\x17\x0D"
                             "490101000000Z",
                             15, &nanos),
                     2493072000);
    assert_int_equal(nanos, 0);
    assert_int_equal(time_of("\x17\x0D"
                             "500101000000Z",
                             15, NULL),
                     -631152000);
}

static void fraction_gives_nanoseconds(void **state)
{
    uint32_t nanos = 0;
    UNUSED(state);
    assert_int_equal(time_of("\x18\x12"
                             "19700101000001.25Z",
                             20, &nanos),
                     1);
    assert_int_equal(nanos, 250000000);
    assert_int_equal(time_of("\x18\x1C"
                             "19700101000001.123456789123Z",
                             30, &nanos),
                     1);
    assert_int_equal(nanos, 123456789);
}

static void walk_stops_at_its_depth(void **state)
{
    uint8_t bytes[2 * DER_DEPTH_MAX];
    struct err err;
    UNUSED(state);
    for (size_t i = 0; i < DER_DEPTH_MAX; i++) {
        bytes[2 * i] = DER_SEQUENCE;
        bytes[2 * i + 1] = (uint8_t)(sizeof(bytes) - 2 * i - 2);
    }
    assert_int_equal(der_check_exact(span_of(bytes, sizeof(bytes)), 0, "x", &err), E_LIMIT);
    for (size_t i = 1; i < DER_DEPTH_MAX; i++)
        bytes[2 * i + 1] = (uint8_t)(sizeof(bytes) - 2 * i - 2);
    assert_int_equal(der_check_exact(span_of(bytes + 2, sizeof(bytes) - 2), 0, "x", &err), E_OK);
}

static void a_failed_read_moves_nowhere_and_writes_nothing(void **state)
{
    struct reader r = reader_of(span_of("\x02\x02\x00\x01\x05\x00", 6), 100);
    struct span content = span_of("q", 1);
    struct err err;
    uint32_t n = 7;
    UNUSED(state);
    assert_int_equal(der_read_integer(&r, "n", &content, &err), E_MALFORMED);
    assert_int_equal(der_read_u32(&r, "n", &n, &err), E_MALFORMED);
    assert_int_equal(der_read_octets(&r, "n", &content, &err), E_MALFORMED);
    assert_int_equal(r.at, 100);
    assert_int_equal(r.rest.len, 6);
    assert_int_equal(n, 7);
    assert_int_equal(content.len, 1);
    assert_non_null(strstr(err.text, "at 100"));
}

static void numbers_are_bounded(void **state)
{
    static const struct {
        const char *tlv;
        size_t len;
        enum errc expected;
        uint32_t value;
    } rows[] = {
        { "\x02\x01\x00", 3, E_OK, 0 },
        { "\x02\x05\x00\xFF\xFF\xFF\xFF", 7, E_OK, UINT32_MAX },
        { "\x02\x05\x01\x00\x00\x00\x00", 7, E_MALFORMED, 0 },
        { "\x02\x01\xFF", 3, E_MALFORMED, 0 },
        { "\x02\x06\x00\xFF\xFF\xFF\xFF\xFF", 8, E_MALFORMED, 0 },
    };
    struct err err;
    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct reader r = reader_of(span_of(rows[i].tlv, rows[i].len), 0);
        uint32_t value = 0;
        assert_int_equal(der_read_u32(&r, "n", &value, &err), rows[i].expected);
        assert_int_equal(value, rows[i].value);
    }
}

static void bits_must_be_whole_bytes(void **state)
{
    struct reader r = reader_of(span_of("\x03\x03\x00\x12\x34\x03\x02\x01\x02", 9), 0);
    struct span bits;
    struct err err;
    UNUSED(state);
    assert_int_equal(der_read_bits(&r, "bits", &bits, &err), E_OK);
    assert_int_equal(bits.len, 2);
    assert_int_equal(der_read_bits(&r, "bits", &bits, &err), E_MALFORMED);
}

static void end_refuses_what_is_left(void **state)
{
    struct reader r = reader_of(span_of("\x30\x02\x05\x00\x01", 5), 0), inside;
    struct err err;
    struct der d;
    UNUSED(state);
    assert_int_equal(der_enter(&r, DER_SEQUENCE, "outer", &inside, &err), E_OK);
    assert_int_equal(inside.at, 2);
    assert_int_equal(der_end(&inside, "inside", &err), E_MALFORMED);
    assert_int_equal(der_read(&inside, DER_NULL, "null", &d, &err), E_OK);
    assert_int_equal(der_end(&inside, "inside", &err), E_OK);
    assert_int_equal(der_end(&r, "outer", &err), E_MALFORMED);
    assert_int_equal(der_read_any(&inside, "more", &d, &err), E_TRUNCATED);
}

static void set_order_is_that_of_the_encodings(void **state)
{
    struct err err;
    UNUSED(state);
    assert_int_equal(der_check_set_order(span_of("\x02\x01\x01\x02\x01\x02", 6), 0, "s", &err),
                     E_OK);
    assert_int_equal(der_check_set_order(span_of("\x02\x01\x01\x02\x01\x01", 6), 0, "s", &err),
                     E_OK);
    assert_int_equal(der_check_set_order(span_of("\x02\x01\x02\x02\x01\x01", 6), 0, "s", &err),
                     E_MALFORMED);
    assert_int_equal(der_check_set_order(span_of("\x02\x02\x01\x00\x02\x01\x02", 7), 0, "s", &err),
                     E_MALFORMED);
    assert_int_equal(der_check_set_order(span_of(NULL, 0), 0, "s", &err), E_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lengths_must_be_definite_and_shortest),
        cmocka_unit_test(length_of_128_takes_two_bytes),
        cmocka_unit_test(primitive_forms_are_exact),
        cmocka_unit_test(times_have_seconds_and_z),
        cmocka_unit_test(two_digit_years_are_1950_to_2049),
        cmocka_unit_test(fraction_gives_nanoseconds),
        cmocka_unit_test(walk_stops_at_its_depth),
        cmocka_unit_test(a_failed_read_moves_nowhere_and_writes_nothing),
        cmocka_unit_test(numbers_are_bounded),
        cmocka_unit_test(bits_must_be_whole_bytes),
        cmocka_unit_test(end_refuses_what_is_left),
        cmocka_unit_test(set_order_is_that_of_the_encodings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
