/* What Windows' codes mean to us, which every system can test: the numbers as Microsoft publishes
 * them stand here a second time. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "platform/win32/witness_code.h"

static enum witness_word word_of(uint32_t code, uint32_t chain_status)
{
    struct witness_answer answer = { .word = WITNESS_UNAVAILABLE };
    witness_code_read(code, chain_status, &answer);
    assert_true(answer.text[0] != '\0');
    return answer.word;
}

static void codes_mean_what_they_say(void **state)
{
    static const struct {
        uint32_t code;
        enum witness_word word;
    } table[] = {
        { 0, WITNESS_INTACT },
        { 0x80096010, WITNESS_BROKEN },      /* TRUST_E_BAD_DIGEST */
        { 0x800B0100, WITNESS_BROKEN },      /* TRUST_E_NOSIGNATURE */
        { 0x80096011, WITNESS_BROKEN },      /* TRUST_E_MALFORMED_SIGNATURE */
        { 0x800B0003, WITNESS_BROKEN },      /* TRUST_E_SUBJECT_FORM_UNKNOWN */
        { 0x80096004, WITNESS_CHAIN },       /* TRUST_E_CERT_SIGNATURE */
        { 0x8009310B, WITNESS_BROKEN },      /* CRYPT_E_ASN1_BADTAG */
        { 0x80090006, WITNESS_BROKEN },      /* NTE_BAD_SIGNATURE */
        { 0x80091007, WITNESS_BROKEN },      /* CRYPT_E_HASH_VALUE */
        { 0x800B0109, WITNESS_CHAIN },       /* CERT_E_UNTRUSTEDROOT */
        { 0x800B010A, WITNESS_CHAIN },       /* CERT_E_CHAINING */
        { 0x800B0101, WITNESS_CHAIN },       /* CERT_E_EXPIRED */
        { 0x800B010C, WITNESS_CHAIN },       /* CERT_E_REVOKED */
        { 0x800B010E, WITNESS_CHAIN },       /* CERT_E_REVOCATION_FAILURE */
        { 0x80092012, WITNESS_CHAIN },       /* CRYPT_E_NO_REVOCATION_CHECK */
        { 0x80092013, WITNESS_CHAIN },       /* CRYPT_E_REVOCATION_OFFLINE */
        { 0x800B0110, WITNESS_CHAIN },       /* CERT_E_WRONG_USAGE */
        { 0x800B0111, WITNESS_BANNED },      /* TRUST_E_EXPLICIT_DISTRUST */
        { 0x80096005, WITNESS_CHAIN },       /* TRUST_E_TIME_STAMP */
        { 0x800B0001, WITNESS_UNAVAILABLE }, /* TRUST_E_PROVIDER_UNKNOWN */
        { 0x8007000E, WITNESS_UNAVAILABLE }, /* E_OUTOFMEMORY */
    };
    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        assert_int_equal(word_of(table[i].code, 0), table[i].word);
}

static void an_unknown_code_is_no_good_word(void **state)
{
    static const uint32_t unknown[] = { 1,          0x800B0115, 0x800960FF,
                                        0x80070057, 0x80004005, 0xFFFFFFFF };
    struct witness_answer answer;
    (void)state;
    for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
        assert_int_equal(word_of(unknown[i], 0), WITNESS_UNKNOWN);
    witness_code_read(0x800B0115, 0, &answer);
    assert_non_null(strstr(answer.text, "0x800B0115"));
}

static void only_zero_is_intact_and_no_code_stands_twice(void **state)
{
    (void)state;
    assert_true(witness_n_codes > 20);
    for (size_t i = 0; i < witness_n_codes; i++) {
        assert_true((witness_codes[i].word == WITNESS_INTACT) == (witness_codes[i].code == 0));
        for (size_t k = 0; k < i; k++)
            assert_true(witness_codes[k].code != witness_codes[i].code);
    }
}

static void a_chain_that_was_left_unjudged_is_looked_at(void **state)
{
    struct witness_answer answer;
    (void)state;
    assert_int_equal(word_of(0, 0x20), WITNESS_CHAIN); /* CERT_TRUST_IS_UNTRUSTED_ROOT */
    assert_int_equal(word_of(0x800B0109, 0x20), WITNESS_CHAIN);
    witness_code_read(0, 0x20, &answer);
    assert_non_null(strstr(answer.text, "chain status 0x00000020"));
}

static void what_the_machine_is_told_to_distrust_is_banned_whatever_else_it_says(void **state)
{
    (void)state;
    assert_int_equal(word_of(0, 0x04000000), WITNESS_BANNED); /* CERT_TRUST_IS_EXPLICIT_DISTRUST */
    assert_int_equal(word_of(0x800B0109, 0x04000020), WITNESS_BANNED);
    assert_int_equal(word_of(0x800B0111, 0x04000000), WITNESS_BANNED);
    assert_int_equal(word_of(0x80096010, 0x04000000), WITNESS_BROKEN);
    assert_int_equal(word_of(0x800B0115, 0x04000000), WITNESS_UNKNOWN);
}

static void a_chain_never_makes_good_what_is_broken(void **state)
{
    (void)state;
    assert_int_equal(word_of(0x80096010, 0), WITNESS_BROKEN);
    assert_int_equal(word_of(0x80096010, 0x20), WITNESS_BROKEN);
    assert_int_equal(word_of(0x800B0001, 0x20), WITNESS_UNAVAILABLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes_mean_what_they_say),
        cmocka_unit_test(an_unknown_code_is_no_good_word),
        cmocka_unit_test(only_zero_is_intact_and_no_code_stands_twice),
        cmocka_unit_test(a_chain_that_was_left_unjudged_is_looked_at),
        cmocka_unit_test(what_the_machine_is_told_to_distrust_is_banned_whatever_else_it_says),
        cmocka_unit_test(a_chain_never_makes_good_what_is_broken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
