#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/base/buf.h"
#include "platform/platform.h"

/* The tests work in the current folder, under names of their own. */
#define NAME "test_sink.out"

static struct platform *machine(void)
{
    return platform_native();
}

static enum errc create(const char *path, unsigned flags, struct sink **out_sink, struct err *err)
{
    return machine()->fs->create(machine()->self, path, flags, out_sink, err);
}

static enum errc write_text(const char *path, const char *text, unsigned flags, struct err *err)
{
    return platform_write_file(machine(), path, span_text(text), flags, err);
}

static void assert_holds(const char *path, const char *text)
{
    struct buf b;
    struct err err;
    assert_int_equal(platform_read_file(machine(), path, 1 << 20, &b, &err), E_OK);
    assert_true(span_equal_text(buf_span(&b), text));
    buf_fini(&b);
}

static enum fs_kind kind_of(const char *path)
{
    enum fs_kind kind = FS_OTHER;
    struct err err;
    assert_int_equal(machine()->fs->kind(machine()->self, path, &kind, &err), E_OK);
    return kind;
}

static enum errc count_temporary(void *ctx, const char *name, struct err *err)
{
    size_t *n = ctx;
    UNUSED(err);
    if (strncmp(name, ".surefoot-", 10) == 0)
        ++*n;
    return E_OK;
}

static size_t n_temporary(void)
{
    size_t n = 0;
    struct err err;
    assert_int_equal(machine()->fs->list(machine()->self, ".", count_temporary, &n, &err), E_OK);
    return n;
}

static int remove_it(void **state)
{
    UNUSED(state);
    (void)remove(NAME);
    return 0;
}

static void a_file_is_there_after_the_commit_and_not_before(void **state)
{
    UNUSED(state);
    struct sink *s = NULL;
    struct err err;
    size_t before = n_temporary();
    assert_int_equal(create(NAME, 0, &s, &err), E_OK);
    assert_int_equal(sink_write(s, span_text("one "), &err), E_OK);
    assert_int_equal(sink_write(s, span_of(NULL, 0), &err), E_OK);
    assert_int_equal(sink_write(s, span_text("two"), &err), E_OK);
    assert_int_equal(s->size, 7);
    assert_int_equal(kind_of(NAME), FS_ABSENT);
    assert_true(n_temporary() <= before + 1); /* some file systems need no name for it */
    assert_int_equal(sink_commit(s, &err), E_OK);
    assert_holds(NAME, "one two");
    assert_int_equal(n_temporary(), before);
}

static void abort_leaves_nothing(void **state)
{
    UNUSED(state);
    struct sink *s = NULL;
    struct err err;
    size_t before = n_temporary();
    sink_abort(NULL);
    assert_int_equal(create(NAME, SINK_PRIVATE, &s, &err), E_OK);
    assert_int_equal(sink_write(s, span_text("secret"), &err), E_OK);
    sink_abort(s);
    assert_int_equal(kind_of(NAME), FS_ABSENT);
    assert_int_equal(n_temporary(), before);
}

static void an_old_file_stays_until_the_commit_replaces_it(void **state)
{
    UNUSED(state);
    struct sink *s = NULL;
    struct err err;
    assert_int_equal(write_text(NAME, "old and longer", 0, &err), E_OK);
    assert_int_equal(create(NAME, 0, &s, &err), E_OK);
    assert_int_equal(sink_write(s, span_text("given up"), &err), E_OK);
    sink_abort(s);
    assert_holds(NAME, "old and longer");
    assert_int_equal(create(NAME, 0, &s, &err), E_OK);
    assert_int_equal(sink_write(s, span_text("new"), &err), E_OK);
    assert_holds(NAME, "old and longer");
    assert_int_equal(sink_commit(s, &err), E_OK);
    assert_holds(NAME, "new");
}

static void no_replace_refuses_at_once(void **state)
{
    UNUSED(state);
    struct sink *s = NULL;
    struct err err;
    assert_int_equal(write_text(NAME, "first", SINK_NO_REPLACE, &err), E_OK);
    assert_int_equal(create(NAME, SINK_NO_REPLACE, &s, &err), E_EXISTS);
    assert_null(s);
    assert_non_null(strstr(err.text, "is there already"));
    assert_int_equal(write_text(NAME, "second", SINK_NO_REPLACE | SINK_PRIVATE, &err), E_EXISTS);
    assert_holds(NAME, "first");
}

static void no_replace_refuses_what_came_meanwhile(void **state)
{
    UNUSED(state);
    struct sink *s = NULL;
    struct err err;
    size_t before = n_temporary();
    assert_int_equal(create(NAME, SINK_NO_REPLACE, &s, &err), E_OK);
    assert_int_equal(sink_write(s, span_text("late"), &err), E_OK);
    assert_int_equal(write_text(NAME, "early", 0, &err), E_OK);
    assert_int_equal(sink_commit(s, &err), E_EXISTS);
    assert_holds(NAME, "early");
    assert_int_equal(n_temporary(), before);
}

static void a_missing_folder_is_absent(void **state)
{
    UNUSED(state);
    struct sink *s = NULL;
    struct err err;
    assert_int_equal(create("no-such-folder/x", 0, &s, &err), E_ABSENT);
    assert_null(s);
}

static void a_name_that_names_no_file_is_refused(void **state)
{
    UNUSED(state);
    struct sink *s = NULL;
    struct err err;
    assert_int_equal(create("", 0, &s, &err), E_ARGUMENT);
    assert_int_equal(create("./", 0, &s, &err), E_ARGUMENT);
    assert_int_equal(create(".", 0, &s, &err), E_ARGUMENT);
    assert_null(s);
}

static void a_private_file_is_the_owners_alone(void **state)
{
    UNUSED(state);
    struct platform *m = machine();
    struct err err;
    bool is_shared = true;
    assert_int_equal(write_text(NAME, "secret", SINK_PRIVATE, &err), E_OK);
    assert_int_equal(m->fs->is_shared(m->self, NAME, &is_shared, &err), E_OK);
    assert_false(is_shared);
    assert_int_equal(m->fs->is_shared(m->self, "no-such-file", &is_shared, &err), E_ABSENT);
}

static void a_file_can_be_removed_once(void **state)
{
    UNUSED(state);
    struct platform *m = machine();
    struct err err;
    assert_int_equal(write_text(NAME, "x", 0, &err), E_OK);
    assert_int_equal(m->fs->remove(m->self, NAME, &err), E_OK);
    assert_int_equal(kind_of(NAME), FS_ABSENT);
    assert_int_equal(m->fs->remove(m->self, NAME, &err), E_ABSENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_file_is_there_after_the_commit_and_not_before, remove_it,
                                        remove_it),
        cmocka_unit_test_setup_teardown(abort_leaves_nothing, remove_it, remove_it),
        cmocka_unit_test_setup_teardown(an_old_file_stays_until_the_commit_replaces_it, remove_it,
                                        remove_it),
        cmocka_unit_test_setup_teardown(no_replace_refuses_at_once, remove_it, remove_it),
        cmocka_unit_test_setup_teardown(no_replace_refuses_what_came_meanwhile, remove_it,
                                        remove_it),
        cmocka_unit_test_setup_teardown(a_private_file_is_the_owners_alone, remove_it, remove_it),
        cmocka_unit_test_setup_teardown(a_file_can_be_removed_once, remove_it, remove_it),
        cmocka_unit_test(a_missing_folder_is_absent),
        cmocka_unit_test(a_name_that_names_no_file_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
