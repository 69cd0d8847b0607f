#include "verify/oid.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void every_known_oid_is_named_from_its_own_bytes(void **state)
{
    static const struct {
        enum oid oid;
        const char *dotted;
    } all[] = {
#define X(name, dotted) { OID_##name, dotted },
        OIDS(X)
#undef X
    };
    struct err err;
    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        uint8_t bytes[32];
        char text[64];
        size_t len;
        assert_int_equal(oid_from_text(all[i].dotted, bytes, sizeof(bytes), &len, &err), E_OK);
        assert_int_equal(oid_of(span_of(bytes, len)), all[i].oid);
        assert_string_equal(oid_text(span_of(bytes, len), text, sizeof(text)), all[i].dotted);
        assert_int_equal(oid_of(span_of(bytes, len - 1)), OID_UNKNOWN);
    }
}

static void signed_data_is_these_bytes(void **state)
{
    static const uint8_t bytes[] = { 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07, 0x02 };
    UNUSED(state);
    assert_int_equal(oid_of(span_of(bytes, sizeof(bytes))), OID_CMS_SIGNED_DATA);
}

static void a_longer_spelling_of_a_known_oid_is_unknown(void **state)
{
    static const uint8_t bytes[] = { 0x2A, 0x86, 0x48, 0x80, 0x86, 0xF7, 0x0D, 0x01, 0x07, 0x02 };
    char text[64];
    UNUSED(state);
    assert_int_equal(oid_of(span_of(bytes, sizeof(bytes))), OID_UNKNOWN);
    assert_string_equal(oid_text(span_of(bytes, sizeof(bytes)), text, sizeof(text)), "(bad OID)");
}

static void bad_bytes_are_no_oid(void **state)
{
    char text[64];
    UNUSED(state);
    assert_string_equal(oid_text(span_of("", 0), text, sizeof(text)), "(bad OID)");
    assert_string_equal(oid_text(span_of("\x2A\x86", 2), text, sizeof(text)), "(bad OID)");
    assert_string_equal(
        oid_text(span_of("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F", 11), text, sizeof(text)),
        "(bad OID)");
}

static void text_is_cut_where_the_room_ends(void **state)
{
    static const uint8_t bytes[] = { 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07, 0x02 };
    char text[21];
    UNUSED(state);
    for (size_t room = 8; room < sizeof(text); room++) {
        oid_text(span_of(bytes, sizeof(bytes)), text, room);
        assert_int_equal(strcmp(text + strlen(text) - 3, "..."), 0);
        assert_true(strlen(text) < room);
    }
    assert_string_equal(oid_text(span_of(bytes, sizeof(bytes)), text, sizeof(text)),
                        "1.2.840.113549.1.7.2");
}

static void text_that_is_no_oid_is_refused(void **state)
{
    static const char *const bad[] = {
        "",    "1",     "3.1",  "1.40", "1.2.", "1..2", "1.2.03",
        "a.b", "1.2.a", "1.2 ", ".1.2", "-1.2", "1.-2", "1.2.99999999999999999999999"
    };
    uint8_t bytes[32];
    struct err err;
    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        size_t len = 77;
        if (oid_from_text(bad[i], bytes, sizeof(bytes), &len, &err) != E_ARGUMENT)
            fail_msg("\"%s\" was read", bad[i]);
        assert_int_equal(len, 77);
    }
}

static void text_longer_than_the_room_is_a_limit(void **state)
{
    uint8_t bytes[4];
    size_t len;
    struct err err;
    UNUSED(state);
    assert_int_equal(oid_from_text("1.2.3.4.5", bytes, 4, &len, &err), E_OK);
    assert_int_equal(len, 4);
    assert_int_equal(oid_from_text("1.2.3.4.5", bytes, 3, &len, &err), E_LIMIT);
    assert_int_equal(oid_from_text("2.999", bytes, 2, &len, &err), E_OK);
    assert_memory_equal(bytes, "\x88\x37", 2);
}

static void only_hashes_name_a_digest(void **state)
{
    UNUSED(state);
    assert_int_equal(oid_digest(OID_SHA256), DIGEST_SHA256);
    assert_int_equal(oid_digest(OID_MD5), DIGEST_MD5);
    assert_int_equal(oid_digest(OID_UNKNOWN), DIGEST_NONE);
    assert_int_equal(oid_digest(OID_CMS_DATA), DIGEST_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_known_oid_is_named_from_its_own_bytes),
        cmocka_unit_test(signed_data_is_these_bytes),
        cmocka_unit_test(a_longer_spelling_of_a_known_oid_is_unknown),
        cmocka_unit_test(bad_bytes_are_no_oid),
        cmocka_unit_test(text_is_cut_where_the_room_ends),
        cmocka_unit_test(text_that_is_no_oid_is_refused),
        cmocka_unit_test(text_longer_than_the_room_is_a_limit),
        cmocka_unit_test(only_hashes_name_a_digest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
