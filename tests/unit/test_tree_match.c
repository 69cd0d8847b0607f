/* An archive's entries against the release document's list. */

#include "installer/core/tree_match.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct release_file files[] = { { "a-b", 1, { 1 }, 0644 },
                                       { "a/b", 2, { 2 }, 0755 },
                                       { "bin/x", 3, { 3 }, 0755 },
                                       { "bin/z", 3, { 3 }, 0644 } };
static struct release_folder folders[] = { { "a/empty", 0755 }, { "logs", 0700 } };
static struct release_link links[] = { { "lib/so", "so.1" } };

static const struct payload tree = { .files = { files, 4, 4 },
                                     .folders = { folders, 2, 2 },
                                     .links = { links, 1, 1 } };

static struct unpack_entry entry(enum unpack_kind kind, const char *path, uint64_t size)
{
    return (struct unpack_entry){ .kind = kind, .path = span_text(path), .size = size };
}

static struct unpack_entry hard_link(const char *path, const char *target)
{
    struct unpack_entry e = entry(UNPACK_HARDLINK, path, 0);
    e.target = span_text(target);
    return e;
}

static struct unpack_entry link_to(const char *path, const char *target)
{
    struct unpack_entry e = entry(UNPACK_LINK, path, 0);
    e.target = span_text(target);
    return e;
}

static struct tree_match *begin(void)
{
    struct tree_match *m;
    struct err err;
    assert_int_equal(tree_match_new(&tree, &m, &err), E_OK);
    return m;
}

static void tree_that_is_exact_passes(void **state)
{
    UNUSED(state);
    struct tree_match *m = begin();
    struct err err;
    const struct release_file *file;
    const struct unpack_entry all[] = {
        entry(UNPACK_FOLDER, "a", 0),    entry(UNPACK_FOLDER, "a/empty", 0),
        entry(UNPACK_FOLDER, "logs", 0), entry(UNPACK_FILE, "bin/x", 3),
        entry(UNPACK_FILE, "a/b", 2),    hard_link("bin/z", "bin/x"),
        entry(UNPACK_FILE, "a-b", 1),    link_to("lib/so", "so.1"),
    };
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        if (i + 1 == ARRAY_LEN(all)) {
            assert_int_equal(tree_match_end(m, &err), E_MALFORMED);
            assert_non_null(strstr(err.text, "lib/so"));
        }
        if (tree_match_entry(m, &all[i], &file, &err) != E_OK)
            fail_msg("%s", err.text);
        if (all[i].kind == UNPACK_FILE)
            assert_string_equal(file->path, (const char *)all[i].path.ptr);
    }
    assert_int_equal(tree_match_end(m, &err), E_OK);
    tree_match_free(m);
}

static void what_is_not_listed_so_is_refused(void **state)
{
    UNUSED(state);
    struct tree_match *m = begin();
    struct err err;
    const struct release_file *file;
    const struct unpack_entry bad[] = {
        entry(UNPACK_FILE, "bin/y", 3),   entry(UNPACK_FILE, "bin", 3),
        entry(UNPACK_FILE, "bin/x", 4),   entry(UNPACK_FILE, "lib/so", 0),
        entry(UNPACK_FILE, "logs", 0),    entry(UNPACK_FOLDER, "bin/x", 0),
        entry(UNPACK_FOLDER, "other", 0), entry(UNPACK_FOLDER, "a-", 0),
        entry(UNPACK_FOLDER, "lib/s", 0), hard_link("new", "bin/x"),
        hard_link("a-b", "bin/x"),        hard_link("bin/z", "lib/so"),
        link_to("lib/so", "so.2"),        link_to("lib/so", "so.1x"),
        link_to("lib/other", "so.1"),     link_to("a/b", "x"),
        entry(UNPACK_DEVICE, "bin/x", 3),
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        if (tree_match_entry(m, &bad[i], &file, &err) != E_MALFORMED)
            fail_msg("%s passed", (const char *)bad[i].path.ptr);
        assert_null(file);
        assert_non_null(strstr(err.text, (const char *)bad[i].path.ptr));
    }
    assert_int_equal(tree_match_end(m, &err), E_MALFORMED);
    assert_non_null(strstr(err.text, "a-b"));
    assert_non_null(strstr(err.text, "5 missing"));
    tree_match_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tree_that_is_exact_passes),
        cmocka_unit_test(what_is_not_listed_so_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
