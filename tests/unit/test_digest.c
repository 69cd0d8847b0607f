#include "verify/digest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/crypto.h>

#include "platform/base/text.h"
#include "platform/work.h"

#define ALL_ALGS (DIGEST_BIT(N_DIGEST_ALGS) - 2)

/* FIPS 180-4, RFC 1321 and RFC 7693 examples: the message "abc", then nothing at all. */
static const struct {
    enum digest_alg alg;
    const char *word, *of_abc, *of_nothing;
} known[] = {
    { DIGEST_MD5, "md5", "900150983cd24fb0d6963f7d28e17f72", "d41d8cd98f00b204e9800998ecf8427e" },
    { DIGEST_SHA1, "sha1", "a9993e364706816aba3e25717850c26c9cd0d89d",
      "da39a3ee5e6b4b0d3255bfef95601890afd80709" },
    { DIGEST_SHA256, "sha256", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
    { DIGEST_SHA384, "sha384",
      "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
      "8086072ba1e7cc2358baeca134c825a7",
      "38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da"
      "274edebfe76f65fbd51ad2f14898b95b" },
    { DIGEST_SHA512, "sha512",
      "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
      "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
      "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
      "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e" },
    { DIGEST_BLAKE2B512, "blake2b512",
      "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"
      "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923",
      "786a02f742015903c6c6fd852552d272912f4740e15847618a86e217f71f5419"
      "d25e1031afee585313896444934eb04b903a685b1448b755d56f701afe9be2ce" },
};

static void assert_hex(const struct digest *d, const char *hex)
{
    char text[TEXT_HEX_LEN(DIGEST_LEN_MAX)];
    assert_string_equal(text_to_hex(digest_span(d), text), hex);
}

static void bytes_hash_as_the_standards_say(void **state)
{
    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        struct digest d;
        assert_int_equal(digest_bytes(known[i].alg, span_text("abc"), &d, NULL), E_OK);
        assert_hex(&d, known[i].of_abc);
        assert_int_equal(d.alg, known[i].alg);
        assert_int_equal(d.len, digest_len(known[i].alg));
        assert_string_equal(digest_word(known[i].alg), known[i].word);
        assert_int_equal(digest_bytes(known[i].alg, span_of(NULL, 0), &d, NULL), E_OK);
        assert_hex(&d, known[i].of_nothing);
    }
}

static void one_reading_gives_all_algorithms(void **state)
{
    UNUSED(state);
    struct hasher *h;
    struct digest_set set;
    assert_int_equal(hasher_new(ALL_ALGS, &h, NULL), E_OK);
    for (int round = 0; round < 3; round++) {
        assert_int_equal(hasher_add(h, span_text("a"), NULL), E_OK);
        assert_int_equal(hasher_add(h, span_of(NULL, 0), NULL), E_OK);
        assert_int_equal(hasher_add(h, span_text("bc"), NULL), E_OK);
        assert_int_equal(hasher_finish(h, &set, NULL), E_OK);
        assert_int_equal(set.algs, ALL_ALGS);
        for (size_t i = 0; i < ARRAY_LEN(known); i++)
            assert_hex(&set.of[known[i].alg], known[i].of_abc);
        assert_int_equal(hasher_reset(h, NULL), E_OK);
    }
    hasher_free(h);
    hasher_free(NULL);
}

static void only_what_is_asked_is_filled(void **state)
{
    UNUSED(state);
    struct hasher *h;
    struct digest_set set;
    assert_int_equal(hasher_new(DIGEST_BIT(DIGEST_SHA1), &h, NULL), E_OK);
    assert_int_equal(hasher_finish(h, &set, NULL), E_OK);
    assert_int_equal(set.algs, DIGEST_BIT(DIGEST_SHA1));
    assert_int_equal(set.of[DIGEST_SHA256].alg, DIGEST_NONE);
    assert_int_equal(set.of[DIGEST_SHA256].len, 0);
    hasher_free(h);
}

static void finished_hasher_refuses_more_bytes(void **state)
{
    UNUSED(state);
    struct hasher *h;
    struct digest_set set = { 0 };
    assert_int_equal(hasher_new(DIGEST_BIT(DIGEST_SHA256), &h, NULL), E_OK);
    assert_int_equal(hasher_finish(h, &set, NULL), E_OK);
    assert_int_equal(hasher_add(h, span_text("x"), NULL), E_INTERNAL);
    assert_int_equal(hasher_finish(h, &set, NULL), E_INTERNAL);
    assert_hex(&set.of[DIGEST_SHA256], known[2].of_nothing);
    hasher_free(h);
}

static void masks_without_a_known_algorithm_are_refused(void **state)
{
    UNUSED(state);
    const uint32_t bad[] = { 0, DIGEST_BIT(DIGEST_NONE), DIGEST_BIT(N_DIGEST_ALGS), 0x80000000U,
                             DIGEST_BIT(DIGEST_SHA256) | DIGEST_BIT(DIGEST_NONE) };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct hasher *h = NULL;
        assert_int_equal(hasher_new(bad[i], &h, NULL), E_ARGUMENT);
        assert_null(h);
    }
    struct digest d;
    assert_int_equal(digest_bytes(DIGEST_NONE, span_text("abc"), &d, NULL), E_ARGUMENT);
    assert_int_equal(digest_bytes(N_DIGEST_ALGS, span_text("abc"), &d, NULL), E_ARGUMENT);
    assert_int_equal(digest_len((enum digest_alg)99), 0);
    assert_string_equal(digest_word((enum digest_alg)99), "none");
}

static void sources_hash_like_memory_at_every_piece_border(void **state)
{
    UNUSED(state);
    const size_t sizes[] = {
        0, 1, SOURCE_PIECE - 1, SOURCE_PIECE, SOURCE_PIECE + 1, 3 * SOURCE_PIECE + 77
    };
    uint8_t *bytes = malloc(4 * SOURCE_PIECE);
    assert_non_null(bytes);
    for (size_t i = 0; i < 4 * SOURCE_PIECE; i++)
        bytes[i] = (uint8_t)(i * 2654435761U >> 13);
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        struct source *src;
        struct digest_set set;
        struct digest d;
        assert_int_equal(source_memory_new(span_of(bytes, sizes[i]), &src, NULL), E_OK);
        assert_int_equal(digest_source(src, ALL_ALGS, &set, NULL), E_OK);
        source_close(src);
        assert_int_equal(digest_bytes(DIGEST_SHA256, span_of(bytes, sizes[i]), &d, NULL), E_OK);
        assert_true(span_equal(digest_span(&d), digest_span(&set.of[DIGEST_SHA256])));
    }
    free(bytes);
}

static void range_past_the_end_of_a_source_is_refused(void **state)
{
    UNUSED(state);
    struct source *src;
    struct hasher *h;
    assert_int_equal(source_memory_new(span_text("0123456789"), &src, NULL), E_OK);
    assert_int_equal(hasher_new(DIGEST_BIT(DIGEST_SHA256), &h, NULL), E_OK);
    assert_int_equal(hasher_add_source(h, src, 4, 6, NULL), E_OK);
    assert_int_equal(hasher_add_source(h, src, 4, 7, NULL), E_TRUNCATED);
    assert_int_equal(hasher_add_source(h, src, UINT64_MAX, 2, NULL), E_TRUNCATED);
    hasher_free(h);
    source_close(src);
}

static void hash_in_one_thread(void *ctx, size_t i)
{
    int *ok = ctx;
    struct digest d;
    ok[i] = digest_bytes(DIGEST_SHA256, span_text("abc"), &d, NULL) == E_OK && d.bytes[0] == 0xba;
}

static void many_threads_hash_side_by_side(void **state)
{
    UNUSED(state);
    int ok[64] = { 0 };
    work_run(ARRAY_LEN(ok), hash_in_one_thread, ok);
    for (size_t i = 0; i < ARRAY_LEN(ok); i++)
        assert_true(ok[i]);
}

static void the_thread_uses_what_the_proof_uses(void **state)
{
    UNUSED(state);
    assert_ptr_not_equal(OSSL_LIB_CTX_set0_default(NULL), digest_context());
    assert_true(digest_share_context());
    assert_ptr_equal(OSSL_LIB_CTX_set0_default(NULL), digest_context());
}

int main(void)
{
    digest_init_library();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_threads_hash_side_by_side),
        cmocka_unit_test(bytes_hash_as_the_standards_say),
        cmocka_unit_test(one_reading_gives_all_algorithms),
        cmocka_unit_test(only_what_is_asked_is_filled),
        cmocka_unit_test(finished_hasher_refuses_more_bytes),
        cmocka_unit_test(masks_without_a_known_algorithm_are_refused),
        cmocka_unit_test(sources_hash_like_memory_at_every_piece_border),
        cmocka_unit_test(range_past_the_end_of_a_source_is_refused),
        cmocka_unit_test(the_thread_uses_what_the_proof_uses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
