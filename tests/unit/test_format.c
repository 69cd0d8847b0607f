/* Which kind a file is, by its content alone. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "verify/format.h"

static const char *kind_of(struct source *src)
{
    const struct format_ops *ops;
    assert_int_equal(format_find(src, &ops, NULL), E_OK);
    return ops == NULL ? "other" : ops->word;
}

static const char *kind_of_bytes(struct span bytes)
{
    struct source *src;
    assert_int_equal(source_memory_new(bytes, &src, NULL), E_OK);
    const char *kind = kind_of(src);
    source_close(src);
    return kind;
}

static void format_of_nothing_and_of_noise_is_none(void **state)
{
    UNUSED(state);
    uint8_t noise[8192];
    assert_string_equal(kind_of_bytes(span_of(noise, 0)), "other");
    for (size_t i = 0; i < sizeof(noise); i++)
        noise[i] = (uint8_t)(i * 197 >> 3);
    assert_string_equal(kind_of_bytes(span_of(noise, sizeof(noise))), "other");
    assert_string_equal(kind_of_bytes(span_text("MZ")), "other");
    assert_string_equal(kind_of_bytes(span_text("a text without a signature block\r\n")), "other");
}

static enum errc refuse_to_read(struct source *src, uint64_t at, void *to, size_t len,
                                struct err *err)
{
    UNUSED(src);
    UNUSED(at);
    UNUSED(to);
    UNUSED(len);
    return err_set(err, E_IO, "the device is gone");
}

static void format_that_cannot_be_read_is_an_error(void **state)
{
    UNUSED(state);
    static const struct source_ops ops = { .read_at = refuse_to_read };
    struct source broken = { .ops = &ops, .size = 100 };
    const struct format_ops *found;
    assert_int_equal(format_find(&broken, &found, NULL), E_IO);
}

/* The index's type column, and the words that may answer to it where the file is a sound one. */
static const char *const types[][3] = {
    { "pe", "pe", "pe" },
    { "msi", "msi", "msi" },
    { "cab", "cab", "cab" },
    { "cat", "cat", "cat" },
    { "script", "script-powershell", "script-wsh" },
    { "zip", "other", "other" },
    { "7z", "other", "other" },
    { "tar", "other", "other" },
};

static void check_row(const char *corpus, char *const field[8])
{
    char path[1024];
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        if (strcmp(field[1], types[i][0]) != 0)
            continue;
        struct source *src;
        (void)snprintf(path, sizeof(path), "%s/%s", corpus, field[2]);
        assert_int_equal(source_file_open(path, &src, NULL), E_OK);
        const char *kind = kind_of(src);
        source_close(src);
        /* A self-extracting archive is a program. */
        bool is_archive = strcmp(types[i][1], "other") == 0 && strstr(field[2], "_sfx_") == NULL;
        bool must_be_known = strcmp(field[6], "valid") == 0 || is_archive;
        if (must_be_known && strcmp(kind, types[i][1]) != 0 && strcmp(kind, types[i][2]) != 0)
            fail_msg("%s is %s", field[2], kind);
    }
}

static void format_of_corpus_files_is_what_the_index_says(void **state)
{
    UNUSED(state);
    char path[1024], line[4096];
    const char *corpus = getenv("SUREFOOT_CORPUS");
    (void)snprintf(path, sizeof(path), "%s/INDEX.tsv", corpus == NULL ? "" : corpus);
    FILE *index = fopen(path, "r");
    if (index == NULL) {
        print_message("no corpus at SUREFOOT_CORPUS\n");
        skip();
    }
    while (fgets(line, sizeof(line), index) != NULL) {
        char *field[8] = { line };
        for (size_t i = 1; i < ARRAY_LEN(field) && field[i - 1] != NULL; i++) {
            field[i] = strchr(field[i - 1], '\t');
            if (field[i] != NULL)
                *field[i]++ = '\0';
        }
        if (field[7] != NULL)
            check_row(corpus, field);
    }
    (void)fclose(index);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(format_of_nothing_and_of_noise_is_none),
        cmocka_unit_test(format_that_cannot_be_read_is_an_error),
        cmocka_unit_test(format_of_corpus_files_is_what_the_index_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
