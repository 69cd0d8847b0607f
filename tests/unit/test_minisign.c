/* minisign: texts made by the minisign program (its throw-away key is gone), and what becomes of
 * them when they are altered. */

#include "verify/minisign.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "platform/base/base64.h"
#include "verify/detached.h"

#define CONTENT "hello, minisign\n"
#define KEY_LINE "RWQbNg/cw+0qI3aI4h+CJhPKo30RriPEwRLrEhAB9XcMZ0j9ErBjRur3"
#define KEY_TEXT "untrusted comment: minisign public key 232AEDC3DC0F361B\n" KEY_LINE "\n"
#define OTHER_KEY "RWRQhGcHOBlzw4CoKyugkk4ioDfoxlXxC9LBx+VNhJ3w9w+cAxgvPsuo"

#define UNTRUSTED "untrusted comment: hi"
#define BODY                                                                                       \
    "RUQbNg/cw+0qI+Tw/AAHBJOYJYI6xjNxtgmVv/Xk07e7D5r5SYodDH0eGIXVvUk3bcB0BxNMDm7WMnqcroRsITWZ+"    \
    "9BcSJ0TiQk="
#define LEGACY_BODY                                                                                \
    "RWQbNg/cw+0qI5Wm4Rr7gGPjEWyIPq2YbpR7+z5zaTCcLE/lvkyovI6ymDk5zBi/b+0aoMrOr5JOkQxk66Xe9VcsPIgs" \
    "VamXdgI="
#define TRUSTED "trusted comment: version 1.2.3"
#define GLOBAL                                                                                     \
    "Yiq8Uni49BAB0u2ENZLV/9+bfP335+1QtYMl4PlKGakTHq8Hjg3kFBONUwHEIuTGyJFZgx+LUyOPVl/TBnb9CQ=="
#define LEGACY_GLOBAL                                                                              \
    "bCICN3GmR1oyjzKvRItp6ggT56SH/eCDOaE3rnClLPqealDKyAuReAgUfp/O4KE6KSS76Fv0t2CDInW/um39Ag=="

#define SIGNATURE UNTRUSTED "\n" BODY "\n" TRUSTED "\n" GLOBAL "\n"
#define LEGACY UNTRUSTED "\n" LEGACY_BODY "\n" TRUSTED "\n" LEGACY_GLOBAL "\n"

static const struct policy *policy_with_key(const char *key)
{
    static struct policy policy;
    struct trust *trust;
    struct err err;
    assert_int_equal(trust_new(&trust, &err), E_OK);
    if (key != NULL)
        assert_int_equal(trust_add_key(trust, span_text(key), &err), E_OK);
    policy = (struct policy){ .trust = trust };
    return &policy;
}

/* judge gives the settled verdict of `content` under `signature`; the caller ends it with done. */
static struct verdict judge(const char *content, struct span signature, const char *key)
{
    struct verdict v = { 0 };
    struct err err;
    const struct policy *policy = policy_with_key(key);
    assert_int_equal(detached_judge_bytes(span_text(content), signature, policy, &v, &err), E_OK);
    verdict_settle(&v, policy);
    trust_free((struct trust *)(uintptr_t)policy->trust);
    return v;
}

static void done(struct verdict *v)
{
    verdict_fini(v);
}

/* assert_refused demands a refusal with this reason, and none of the proof of the content. */
static void assert_refused(const char *content, const char *signature, const char *key,
                           enum reason reason)
{
    struct verdict v = judge(content, span_text(signature), key);
    assert_int_equal(v.outcome, OUTCOME_REFUSED);
    assert_int_equal(v.n_sigs, 1);
    assert_true(findings_have(&v.sigs[0]->findings, reason));
    assert_int_equal(v.sigs[0]->proven, 0);
    done(&v);
}

static void assert_unreadable(const char *text)
{
    struct minisign_signature s;
    struct err err;
    enum errc rc = minisign_read_signature(span_text(text), &s, &err);
    if (!errc_is_about_bytes(rc))
        fail_msg("read: %s", text);
}

static void minisign_accepts_a_prehashed_signature(void **state)
{
    UNUSED(state);
    struct verdict v = judge(CONTENT, span_text(SIGNATURE), KEY_TEXT);
    assert_int_equal(v.outcome, OUTCOME_ACCEPTED);
    const struct sig_verdict *sig = v.sigs[0];
    assert_int_equal(sig->system, SYSTEM_MINISIGN);
    assert_int_equal(sig->digest, DIGEST_BLAKE2B512);
    assert_string_equal(sig->key_id, "232AEDC3DC0F361B");
    assert_string_equal(sig->trusted_comment, "version 1.2.3");
    assert_int_equal(sig->findings.n, 1);
    assert_int_equal(sig->findings.items[0].reason, REASON_UNCOVERED_DATA);
    assert_int_equal(sig->findings.items[0].weight, WEIGHT_NOTE);
    done(&v);
}

static void minisign_accepts_a_legacy_signature(void **state)
{
    UNUSED(state);
    struct verdict v = judge(CONTENT, span_text(LEGACY), KEY_LINE);
    assert_int_equal(v.outcome, OUTCOME_ACCEPTED);
    assert_int_equal(v.sigs[0]->digest, DIGEST_NONE);
    done(&v);
}

static void minisign_accepts_other_line_ends(void **state)
{
    UNUSED(state);
    static const char *const texts[] = {
        UNTRUSTED "\r\n" BODY "\r\n" TRUSTED "\r\n" GLOBAL "\r\n",
        UNTRUSTED "\n" BODY "\n" TRUSTED "\n" GLOBAL,
        "untrusted comment: \n" BODY "\n" TRUSTED "\n" GLOBAL "\n",
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct verdict v = judge(CONTENT, span_text(texts[i]), KEY_LINE);
        assert_int_equal(v.outcome, OUTCOME_ACCEPTED);
        done(&v);
    }
}

static void minisign_refuses_altered_content(void **state)
{
    UNUSED(state);
    assert_refused("hello, minisigm\n", SIGNATURE, KEY_TEXT, REASON_SIGNATURE_INVALID);
    assert_refused("hello, minisign", SIGNATURE, KEY_TEXT, REASON_SIGNATURE_INVALID);
    assert_refused("", SIGNATURE, KEY_TEXT, REASON_SIGNATURE_INVALID);
    assert_refused("hello, minisigm\n", LEGACY, KEY_TEXT, REASON_SIGNATURE_INVALID);
    assert_refused("", LEGACY, KEY_TEXT, REASON_SIGNATURE_INVALID);
}

static void minisign_refuses_an_altered_trusted_comment(void **state)
{
    UNUSED(state);
    assert_refused(CONTENT, UNTRUSTED "\n" BODY "\ntrusted comment: version 1.2.4\n" GLOBAL "\n",
                   KEY_TEXT, REASON_SIGNATURE_INVALID);
    assert_refused(CONTENT, UNTRUSTED "\n" BODY "\n" TRUSTED " \n" GLOBAL "\n", KEY_TEXT,
                   REASON_SIGNATURE_INVALID);
    assert_refused(CONTENT, UNTRUSTED "\n" BODY "\n" TRUSTED "\r\r\n" GLOBAL "\n", KEY_TEXT,
                   REASON_SIGNATURE_INVALID);
}

static void minisign_refuses_a_global_signature_of_another(void **state)
{
    UNUSED(state);
    assert_refused(CONTENT, UNTRUSTED "\n" BODY "\n" TRUSTED "\n" LEGACY_GLOBAL "\n", KEY_TEXT,
                   REASON_SIGNATURE_INVALID);
}

static void minisign_refuses_the_other_algorithm_for_the_same_bytes(void **state)
{
    UNUSED(state);
    char text[] = SIGNATURE;
    char *body = strstr(text, "RUQb");
    assert_non_null(body);
    body[1] = 'W'; /* "ED" becomes "Ed" */
    assert_refused(CONTENT, text, KEY_TEXT, REASON_SIGNATURE_INVALID);
}

static void minisign_refuses_a_key_that_was_not_given(void **state)
{
    UNUSED(state);
    assert_refused(CONTENT, SIGNATURE, OTHER_KEY, REASON_KEY_MISMATCH);
    assert_refused(CONTENT, SIGNATURE, NULL, REASON_KEY_MISMATCH);
}

/* A key of the right id and other bytes: the id is no proof. */
static void minisign_refuses_another_key_of_the_same_id(void **state)
{
    UNUSED(state);
    struct policy policy = { 0 };
    struct verdict v = { 0 };
    struct trust *trust;
    struct err err;
    assert_int_equal(trust_new(&trust, &err), E_OK);
    assert_int_equal(
        trust_add_key(trust, span_text("RWQbNg/cw+0qIwCoKyugkk4ioDfoxlXxC9LBx+VNhJ3w9w+cAxgvPsuo"),
                      &err),
        E_OK);
    policy.trust = trust;
    assert_int_equal(
        detached_judge_bytes(span_text(CONTENT), span_text(SIGNATURE), &policy, &v, &err), E_OK);
    assert_true(findings_have(&v.sigs[0]->findings, REASON_SIGNATURE_INVALID));
    assert_int_equal(v.sigs[0]->proven, 0);
    verdict_fini(&v);

    /* With the right one beside it, the right one decides. */
    assert_int_equal(trust_add_key(trust, span_text(KEY_LINE), &err), E_OK);
    v = (struct verdict){ 0 };
    assert_int_equal(
        detached_judge_bytes(span_text(CONTENT), span_text(SIGNATURE), &policy, &v, &err), E_OK);
    verdict_settle(&v, &policy);
    assert_int_equal(v.outcome, OUTCOME_ACCEPTED);
    verdict_fini(&v);
    trust_free(trust);
}

static void minisign_refuses_every_flipped_byte_but_the_untrusted_comment(void **state)
{
    UNUSED(state);
    const char *texts[] = { SIGNATURE, LEGACY };
    const size_t comment_at = strlen("untrusted comment: "), comment_end = strlen(UNTRUSTED);
    for (size_t k = 0; k < ARRAY_LEN(texts); k++) {
        size_t len = strlen(texts[k]);
        uint8_t *text = malloc(len);
        assert_non_null(text);
        for (size_t i = 0; i < len; i++) {
            for (unsigned bit = 0; bit < 8 && (i < comment_at || i >= comment_end); bit++) {
                memcpy(text, texts[k], len);
                text[i] ^= (uint8_t)(1U << bit);
                struct verdict v = judge(CONTENT, span_of(text, len), KEY_LINE);
                if (v.outcome == OUTCOME_ACCEPTED)
                    fail_msg("accepted with bit %u of byte %zu flipped", bit, i);
                done(&v);
            }
        }
        free(text);
    }
}

static void minisign_refuses_every_truncation(void **state)
{
    UNUSED(state);
    for (size_t len = 0; len + 1 < strlen(SIGNATURE); len++) {
        struct verdict v = judge(CONTENT, span_of(SIGNATURE, len), KEY_LINE);
        assert_int_equal(v.outcome, OUTCOME_REFUSED);
        done(&v);
    }
}

static void minisign_refuses_texts_of_another_form(void **state)
{
    UNUSED(state);
    static const char *const texts[] = {
        "",
        "untrusted comment: hi",
        BODY "\n" TRUSTED "\n" GLOBAL "\n",
        SIGNATURE "\n",
        SIGNATURE "more",
        "\n" SIGNATURE,
        "Untrusted comment: hi\n" BODY "\n" TRUSTED "\n" GLOBAL "\n",
        "untrusted comment:hi\n" BODY "\n" TRUSTED "\n" GLOBAL "\n",
        UNTRUSTED "\n\n" BODY "\n" TRUSTED "\n" GLOBAL "\n",
        UNTRUSTED "\n" BODY "\n" UNTRUSTED "\n" GLOBAL "\n",
        UNTRUSTED "\n" BODY " \n" TRUSTED "\n" GLOBAL "\n",
        UNTRUSTED "\n" GLOBAL "\n" TRUSTED "\n" BODY "\n",
        UNTRUSTED "\n" BODY "\n" TRUSTED "\n" GLOBAL "AAAA\n",
        UNTRUSTED "\n" KEY_LINE "\n" TRUSTED "\n" GLOBAL "\n",
        /* other algorithms: "FD", "EE" */
        UNTRUSTED "\nRkQ" BODY "\n" TRUSTED "\n" GLOBAL "\n",
        /* last bits of the padding not zero */
        UNTRUSTED "\n" BODY "\n" TRUSTED "\n"
                  "Yiq8Uni49BAB0u2ENZLV/9+bfP335+1QtYMl4PlKGakTHq8Hjg3kFBONUwHEIuTGyJFZgx+"
                  "LUyOPVl/TBnb9CR==\n",
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        assert_unreadable(texts[i]);
}

static void minisign_refuses_an_unknown_algorithm(void **state)
{
    UNUSED(state);
    char text[] = SIGNATURE;
    memcpy(strstr(text, "RUQb"), "RVQb", 4); /* "ET" */
    struct minisign_signature s;
    struct err err;
    assert_int_equal(minisign_read_signature(span_text(text), &s, &err), E_UNSUPPORTED);
}

static void minisign_refuses_texts_past_the_limit(void **state)
{
    UNUSED(state);
    size_t len = MINISIGN_TEXT_MAX + 1;
    char *text = malloc(len);
    assert_non_null(text);
    memset(text, 'a', len);
    memcpy(text, "untrusted comment: ", 19);
    struct minisign_signature s;
    struct err err;
    assert_int_equal(minisign_read_signature(span_of(text, len), &s, &err), E_LIMIT);
    assert_int_equal(minisign_read_signature(span_of(text, len - 1), &s, &err), E_MALFORMED);
    free(text);
}

static void minisign_does_not_read_more_than_the_limit_for_legacy(void **state)
{
    UNUSED(state);
    size_t len = MINISIGN_LEGACY_MAX + 1;
    uint8_t *content = calloc(1, len);
    assert_non_null(content);
    struct verdict v = { 0 };
    struct err err;
    const struct policy *policy = policy_with_key(KEY_LINE);
    assert_int_equal(
        detached_judge_bytes(span_of(content, len), span_text(LEGACY), policy, &v, &err), E_OK);
    assert_true(findings_have(&v.sigs[0]->findings, REASON_UNSUPPORTED));
    verdict_fini(&v);
    trust_free((struct trust *)(uintptr_t)policy->trust);
    free(content);
}

static void minisign_shows_no_control_characters_of_a_comment(void **state)
{
    UNUSED(state);
    struct verdict v = judge(
        CONTENT, span_text(UNTRUSTED "\n" BODY "\ntrusted comment: a\x1b[31mb\rc\n" GLOBAL "\n"),
        KEY_LINE);
    assert_int_equal(v.outcome, OUTCOME_REFUSED);
    for (const char *p = v.sigs[0]->trusted_comment; *p != 0; p++)
        assert_true((unsigned char)*p >= 0x20);
    done(&v);
}

static void minisign_reads_a_key_exactly(void **state)
{
    UNUSED(state);
    struct minisign_key key;
    struct err err;
    char id[MINISIGN_KEY_ID_ROOM];
    assert_int_equal(minisign_read_key(span_text(KEY_TEXT), &key, &err), E_OK);
    assert_string_equal(minisign_key_id_text(key.id, id), "232AEDC3DC0F361B");
    assert_int_equal(minisign_read_key(span_text(KEY_LINE), &key, &err), E_OK);
    assert_int_equal(minisign_read_key(span_text(KEY_LINE "\r\n"), &key, &err), E_OK);

    static const char *const bad[] = { "",
                                       "untrusted comment: only\n",
                                       KEY_LINE "\n" KEY_LINE "\n",
                                       KEY_LINE "=",
                                       " " KEY_LINE,
                                       BODY,
                                       "RUQbNg/cw+0qI3aI4h+CJhPKo30RriPEwRLrEhAB9XcMZ0j9ErBjRur3" };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_true(errc_is_about_bytes(minisign_read_key(span_text(bad[i]), &key, &err)));
}

static size_t read_corpus(const char *name, char *to, size_t room)
{
    const char *corpus = getenv("SUREFOOT_CORPUS");
    char path[1024];
    if (corpus == NULL)
        return 0;
    (void)snprintf(path, sizeof(path), "%s/minisign/aead+minisign/internal/testdata/%s", corpus,
                   name);
    FILE *f = fopen(path, "rb");
    if (f == NULL)
        return 0;
    size_t n = fread(to, 1, room, f);
    (void)fclose(f);
    return n;
}

static void minisign_judges_the_corpus_as_expected(void **state)
{
    UNUSED(state);
    char message[64] = { 0 }, signature[1024], key[256] = { 0 }, odd[1024];
    size_t n = read_corpus("message.txt.minisig", signature, sizeof(signature));
    if (n == 0) {
        print_message("no corpus at SUREFOOT_CORPUS\n");
        skip();
    }
    (void)read_corpus("message.txt", message, sizeof(message) - 1);
    (void)read_corpus("minisign.pub", key, sizeof(key) - 1);
    struct verdict v = judge(message, span_of(signature, n), key);
    assert_int_equal(v.outcome, OUTCOME_ACCEPTED);
    assert_string_equal(v.sigs[0]->key_id, "C373193807678450");
    done(&v);

    struct minisign_signature s;
    struct err err;
    n = read_corpus("robtest.ps1.minisig", odd, sizeof(odd));
    assert_int_equal(minisign_read_signature(span_of(odd, n), &s, &err), E_OK);
    assert_false(s.prehashed);
}

static void base64_reads_one_spelling_only(void **state)
{
    UNUSED(state);
    static const struct {
        const char *text, *bytes; /* NULL: refused */
    } rows[] = {
        { "", "" },        { "Zg==", "f" },        { "Zm8=", "fo" },
        { "Zm9v", "foo" }, { "Zm9vYg==", "foob" }, { "Zg=", NULL },
        { "Zg", NULL },    { "Zh==", NULL },       { "Zm9=", NULL },
        { "Z===", NULL },  { "====", NULL },       { "Zg==Zg==", NULL },
        { "Zm 9", NULL },  { "Zm9v\n", NULL },     { "Zm9v====", NULL },
        { "Z=9v", NULL },  { "Zm-_", NULL },       { "=", NULL },
        { "Zm=v", NULL },  { "Zm9\x80", NULL },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf b;
        struct err err;
        buf_init(&b, 64);
        enum errc rc = base64_decode(span_text(rows[i].text), &b, &err);
        if (rows[i].bytes == NULL)
            assert_int_equal(rc, E_MALFORMED);
        else
            assert_true(rc == E_OK && span_equal_text(buf_span(&b), rows[i].bytes));
        if (rc != E_OK)
            assert_int_equal(b.len, 0);
        buf_fini(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(minisign_accepts_a_prehashed_signature),
        cmocka_unit_test(minisign_accepts_a_legacy_signature),
        cmocka_unit_test(minisign_accepts_other_line_ends),
        cmocka_unit_test(minisign_refuses_altered_content),
        cmocka_unit_test(minisign_refuses_an_altered_trusted_comment),
        cmocka_unit_test(minisign_refuses_a_global_signature_of_another),
        cmocka_unit_test(minisign_refuses_the_other_algorithm_for_the_same_bytes),
        cmocka_unit_test(minisign_refuses_a_key_that_was_not_given),
        cmocka_unit_test(minisign_refuses_another_key_of_the_same_id),
        cmocka_unit_test(minisign_refuses_every_flipped_byte_but_the_untrusted_comment),
        cmocka_unit_test(minisign_refuses_every_truncation),
        cmocka_unit_test(minisign_refuses_texts_of_another_form),
        cmocka_unit_test(minisign_refuses_an_unknown_algorithm),
        cmocka_unit_test(minisign_refuses_texts_past_the_limit),
        cmocka_unit_test(minisign_does_not_read_more_than_the_limit_for_legacy),
        cmocka_unit_test(minisign_shows_no_control_characters_of_a_comment),
        cmocka_unit_test(minisign_reads_a_key_exactly),
        cmocka_unit_test(minisign_judges_the_corpus_as_expected),
        cmocka_unit_test(base64_reads_one_spelling_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
