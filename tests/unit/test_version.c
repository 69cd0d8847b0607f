/* Versions: the table of tests/data/versions.txt, what is refused and why, and patterns. */

#include "manifest/version.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define BLOCK_MAX 100 /* versions */
#define LINE_MAX_BYTES 200
#define THIS_FILE "unit/test_version.c"

struct block {
    struct version versions[BLOCK_MAX];
    int ranks[BLOCK_MAX]; /* equal for those that are as new as each other */
    size_t n;
};

static struct version must_read(const char *text)
{
    struct version v = { .n_parts = 0 };
    struct err err = { .code = E_OK };
    if (version_read(span_text(text), &v, &err) != E_OK)
        fail_msg("%s", err.text);
    assert_string_equal(v.text, text);
    assert_in_range(v.n_parts, 1, VERSION_PARTS_MAX);
    return v;
}

/* The table lies beside this file, whose name meson gives from the build folder, where tests run.
 */
static FILE *open_table(void)
{
    char path[1000];
    size_t len = strlen(__FILE__) - strlen(THIS_FILE);
    assert_string_equal(&__FILE__[len], THIS_FILE);
    (void)snprintf(path, sizeof(path), "%.*sdata/versions.txt", (int)len, __FILE__);
    FILE *f = fopen(path, "rb");
    if (f == NULL)
        fail_msg("%s cannot be read: run this from the build folder", path);
    return f;
}

static void check_pair(const struct version *a, int rank_a, const struct version *b, int rank_b)
{
    int wanted = (rank_a > rank_b) - (rank_a < rank_b);
    int found = version_compare(a, b);
    if ((found > 0) - (found < 0) != wanted)
        fail_msg("%s against %s: %d, not %d", a->text, b->text, found, wanted);
}

/* Every two, both ways, and each with itself: so the order is antisymmetric and transitive here. */
static void check_block(const struct block *block)
{
    for (size_t i = 0; i < block->n; i++)
        for (size_t k = 0; k < block->n; k++)
            check_pair(&block->versions[i], block->ranks[i], &block->versions[k], block->ranks[k]);
}

static void add_to_block(struct block *block, const char *line)
{
    bool equal = line[0] == '=';
    assert_in_range(block->n, 0, BLOCK_MAX - 1);
    assert_false(equal && block->n == 0);
    block->versions[block->n] = must_read(line + (equal ? 1 : 0));
    block->ranks[block->n] = block->n == 0 ? 0 : block->ranks[block->n - 1] + !equal;
    block->n++;
}

static void versions_of_the_table_are_in_order(void **state)
{
    (void)state;
    static struct block block;
    char line[LINE_MAX_BYTES];
    size_t n = 0, n_blocks = 0;
    FILE *f = open_table();
    while (fgets(line, sizeof(line), f) != NULL) {
        line[strcspn(line, "\r\n")] = '\0';
        if (line[0] == '\0') {
            check_block(&block);
            block.n = 0;
            n_blocks++;
        } else if (line[0] != '#') {
            add_to_block(&block, line);
            n++;
        }
    }
    check_block(&block);
    (void)fclose(f);
    assert_in_range(n, 120, 1000);
    assert_in_range(n_blocks, 6, 100);
}

static const struct {
    const char *text, *cause;
} refused[] = {
    { "", "is empty" },
    { "v1.0", "starts with \"v\"" },
    { "V1", "starts with \"V\"" },
    { " 1.0", "\" \" at byte 0, where a digit" },
    { "1.0 ", "\" \" at byte 3, where the end" },
    { "1. 0", "\" \" at byte 2, where a digit" },
    { "1.0\n", "at byte 3, where the end" },
    { "+1", "\"+\" at byte 0, where a digit" },
    { "-1", "\"-\" at byte 0, where a digit" },
    { "1.-1", "\"-\" at byte 2, where a digit" },
    { ".1", "\".\" at byte 0, where a digit" },
    { "1.", "ends where a digit" },
    { "1..2", "\".\" at byte 2, where a digit" },
    { ".", "\".\" at byte 0, where a digit" },
    { "1.2.3.4.5", "a fifth part" },
    { "1.2.3.4.", "a fifth part" },
    { "4294967296", "part 1 is above 4294967295" },
    { "1.2.3.4294967296", "part 4 is above 4294967295" },
    { "18446744073709551616", "part 1 is above 4294967295" },
    { "18446744073709551617.1", "part 1 is above 4294967295" },
    { "99999999999999999999999999999999999999999999999999", "part 1 is above" },
    { "1.0a", "\"a\" at byte 3, where the end" },
    { "1.0rc1", "\"r\" at byte 3, where the end" },
    { "1.x", "\"x\" at byte 2, where a digit" },
    { "1.*", "\"*\" at byte 2, where a digit" },
    { "0x10", "\"x\" at byte 1, where the end" },
    { "1,2", "\",\" at byte 1, where the end" },
    { "1_0", "\"_\" at byte 1, where the end" },
    { "one", "\"o\" at byte 0, where a digit" },
    { "1.0-", "ends where a letter" },
    { "1.0-+b", "\"+\" at byte 4, where a letter" },
    { "1.0-a..b", "\".\" at byte 6, where a letter" },
    { "1.0-.a", "\".\" at byte 4, where a letter" },
    { "1.0-a.", "ends where a letter" },
    { "1.0-01", "number at byte 4 starts with 0" },
    { "1.0-a.00", "number at byte 6 starts with 0" },
    { "1.0-a_b", "\"_\" at byte 5, where the end" },
    { "1.0+", "ends where a letter" },
    { "1.0+a+b", "\"+\" at byte 5, where the end" },
    { "1.0+a..b", "\".\" at byte 6, where a letter" },
    { "1.0+a.", "ends where a letter" },
    { "\xd9\xa1.0", "\"\xd9\xa1\" at byte 0, where a digit" }, /* ARABIC-INDIC DIGIT ONE */
    { "1.\xff", "\"\\xff\" at byte 2, where a digit" },
    { "\x1b[2J", "\"\\x1b\" at byte 0, where a digit" },
};

static void version_refuses_with_the_cause(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        struct version v = { .n_parts = 77 };
        struct err err = { .code = E_OK };
        if (version_read(span_text(refused[i].text), &v, &err) != E_MALFORMED)
            fail_msg("\"%s\" was read", refused[i].text);
        if (strstr(err.text, refused[i].cause) == NULL)
            fail_msg("%s, not %s", err.text, refused[i].cause);
        assert_int_equal(v.n_parts, 77);
        assert_int_equal(version_read(span_text(refused[i].text), &v, NULL), E_MALFORMED);
    }
}

static void version_refuses_a_nul_byte(void **state)
{
    (void)state;
    struct version v;
    assert_int_equal(version_read(span_of("1.0\0", 4), &v, NULL), E_MALFORMED);
    assert_int_equal(version_read(span_of("1\0.0", 4), &v, NULL), E_MALFORMED);
    assert_int_equal(version_read(span_of("1.0-a\0b", 7), &v, NULL), E_MALFORMED);
}

static void version_reads_64_bytes_and_no_more(void **state)
{
    (void)state;
    char text[VERSION_TEXT_MAX + 2] = "1.0.0-";
    struct version v;
    struct err err;
    memset(text + 6, '7', VERSION_TEXT_MAX - 6);
    v = must_read(text);
    assert_int_equal(v.pre_len, VERSION_TEXT_MAX - 6);
    text[VERSION_TEXT_MAX] = '7';
    assert_int_equal(version_read(span_text(text), &v, &err), E_LIMIT);
    assert_non_null(strstr(err.text, "has 65 bytes, limit 64"));
}

static void version_keeps_its_parts(void **state)
{
    (void)state;
    struct version v = must_read("2.01.4294967295-rc.1-x+b.007");
    assert_int_equal(v.n_parts, 3);
    assert_int_equal(v.parts[0], 2);
    assert_int_equal(v.parts[1], 1);
    assert_true(v.parts[2] == UINT32_MAX);
    assert_int_equal(v.parts[3], 0);
    assert_true(span_equal_text(span_of(v.text + v.pre_at, v.pre_len), "rc.1-x"));
    v = must_read("1.0+a-b");
    assert_int_equal(v.pre_len, 0);
}

static void zeroed_version_is_as_new_as_0(void **state)
{
    (void)state;
    struct version none = { .n_parts = 0 }, zero = must_read("0.0"), first = must_read("0.0.0.1");
    assert_int_equal(version_compare(&none, &zero), 0);
    assert_true(version_compare(&none, &first) < 0);
}

static const struct {
    const char *pattern, *version;
    bool matches;
} pairs[] = {
    { "1.4.*", "1.4", true },
    { "1.4.*", "1.4.0", true },
    { "1.4.*", "1.4.2.7", true },
    { "1.4.*", "1.4.0-rc.1", true },
    { "1.4.*", "1.4.99+b", true },
    { "1.4.*", "1.04.1", true },
    { "01.4.*", "1.4.1", true },
    { "1.4.*", "1.40", false },
    { "1.4.*", "1.5", false },
    { "1.4.*", "1", false },
    { "1.4.*", "11.4.1", false },
    { "1.4.*", "2.4.1", false },
    { "1.0.*", "1", true },
    { "0.*", "0.9.9", true },
    { "0.*", "1", false },
    { "4294967295.*", "4294967295.1", true },
    { "1.2.3.*", "1.2.3.4", true },
    { "1.2.3.*", "1.2.4.3", false },
    { "1.4.0", "1.4", true },
    { "1.4", "1.4.0.0+b", true },
    { "1.4", "1.4.1", false },
    { "1.4", "1.4-rc.1", false },
    { "1.4-rc.1", "1.4.0-rc.1", true },
    { "1.4-rc.1", "1.4.0-rc.2", false },
};

static void patterns_match_what_begins_with_them(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        struct version_pattern p;
        struct version v = must_read(pairs[i].version);
        assert_int_equal(version_pattern_read(span_text(pairs[i].pattern), &p, NULL), E_OK);
        if (version_matches(&p, &v) != pairs[i].matches)
            fail_msg("\"%s\" and \"%s\"", pairs[i].pattern, pairs[i].version);
    }
}

static const struct {
    const char *text, *cause;
} refused_patterns[] = {
    { "", "version \"\": is empty" },
    { "*", "\"*\" at byte 0, where a digit" },
    { ".*", "version pattern \".*\": is empty" },
    { "1*", "\"*\" at byte 1, where the end" },
    { "1.4*", "\"*\" at byte 3, where the end" },
    { "1.*.2", "\"*\" at byte 2, where a digit" },
    { "1.*.*", "\"*\" at byte 2, where a digit" },
    { "1..*", "ends where a digit" },
    { "v1.*", "starts with \"v\"" },
    { "1.2.3.4.*", "four parts leave nothing" },
    { "1.2.3.4.5.*", "a fifth part" },
    { "1.2-rc.*", "\"-\" at byte 3, where \".*\"" },
    { "1.2+b.*", "\"+\" at byte 3, where \".*\"" },
    { "1.4294967296.*", "part 2 is above" },
    { "1.* ", "\"*\" at byte 2, where a digit" },
    { " 1.*", "\" \" at byte 0, where a digit" },
};

static void patterns_are_refused_with_the_cause(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(refused_patterns); i++) {
        struct version_pattern p;
        struct err err = { .code = E_OK };
        if (version_pattern_read(span_text(refused_patterns[i].text), &p, &err) != E_MALFORMED)
            fail_msg("\"%s\" was read", refused_patterns[i].text);
        if (strstr(err.text, refused_patterns[i].cause) == NULL)
            fail_msg("%s, not %s", err.text, refused_patterns[i].cause);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(versions_of_the_table_are_in_order),
        cmocka_unit_test(version_refuses_with_the_cause),
        cmocka_unit_test(version_refuses_a_nul_byte),
        cmocka_unit_test(version_reads_64_bytes_and_no_more),
        cmocka_unit_test(version_keeps_its_parts),
        cmocka_unit_test(zeroed_version_is_as_new_as_0),
        cmocka_unit_test(patterns_match_what_begins_with_them),
        cmocka_unit_test(patterns_are_refused_with_the_cause),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
