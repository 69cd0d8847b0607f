/* The program that runs goes aside where it is the product: a file with its bytes and mode is in
 * its place, and it lies in a private folder. On a real file system; which program runs is said
 * here. */

#include "machine_kit.h"

#include "installer/core/own_program.h"

static struct setup setup;
static struct platform machine;
static struct proc_ops processes;
static char own[300];

static enum errc say_own(void *self, char *to, size_t room, struct err *err)
{
    UNUSED(self);
    UNUSED(err);
    (void)text_copy(to, room, own);
    return E_OK;
}

static void begin(void **state)
{
    machine = *platform_native();
    processes = *machine.proc;
    processes.own_program = say_own;
    machine.proc = &processes;
    setup = (struct setup){ .platform = &machine };
    (void)snprintf(setup.install, sizeof(setup.install), "%s/program", (const char *)*state);
    (void)snprintf(setup.state, sizeof(setup.state), "%s/state", (const char *)*state);
    (void)snprintf(own, sizeof(own), "%s/program/surefoot", (const char *)*state);
    make_folder("program", 0755);
    make_file("program/surefoot", "the program", 0755);
}

static enum errc count(void *ctx, const char *name, struct err *err)
{
    UNUSED(name);
    UNUSED(err);
    ++*(size_t *)ctx;
    return E_OK;
}

static size_t n_aside(void)
{
    size_t n = 0;
    IS(E_OK, FS(list, "state/own", count, &n));
    return n;
}

static void the_program_that_runs_goes_aside(void **state)
{
    begin(state);
    /* The second time what the first left is taken away. */
    for (int times = 0; times < 2; times++) {
        const struct fs_info before = info_of("program/surefoot");
        IS(E_OK, own_program_step_aside(&setup, &why));
        assert_holds("program/surefoot", "the program");
        const struct fs_info now = info_of("program/surefoot");
        assert_int_equal(now.mode & 07777, 0755);
        assert_true(now.id[1] != before.id[1]);
        assert_int_equal(info_of("state/own").mode & 07777, 0700);
        assert_int_equal(n_aside(), 1);
    }
}

static void a_program_elsewhere_stays_where_it_is(void **state)
{
    begin(state);
    make_file("surefoot", "another", 0755);
    (void)snprintf(own, sizeof(own), "%s/surefoot", (const char *)*state);
    IS(E_OK, own_program_step_aside(&setup, &why));
    setup.install[0] = '\0';
    IS(E_OK, own_program_step_aside(&setup, &why));
    assert_int_equal(info_of("state").kind, FS_ABSENT);
    assert_holds("surefoot", "another");
}

static bool fails_at_second;
static int n_renames;
static enum errc rename_or_not(void *self, const char *from, const char *to, struct err *err)
{
    struct platform *p = platform_native();
    n_renames++;
    if (n_renames == (fails_at_second ? 2 : 1))
        return err_set(err, E_UNSUPPORTED, "is on another volume");
    return p->fs->rename_new(self, from, to, err);
}

static void where_it_cannot_it_is_where_it_was(void **state)
{
    for (int second = 0; second < 2; second++) {
        begin(state);
        struct fs_ops files = *machine.fs;
        files.rename_new = rename_or_not;
        machine.fs = &files;
        fails_at_second = second == 1;
        n_renames = 0;
        const struct fs_info before = info_of("program/surefoot");
        IS(E_UNSUPPORTED, own_program_step_aside(&setup, &why));
        SAYS("cannot go aside");
        assert_true(info_of("program/surefoot").id[1] == before.id[1]);
        assert_int_equal(n_aside(), 0);
        assert_int_equal(unlink("program/surefoot"), 0);
        assert_int_equal(rmdir("program"), 0);
    }
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, enter_folder, leave_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(the_program_that_runs_goes_aside),
        IN_FOLDER(a_program_elsewhere_stays_where_it_is),
        IN_FOLDER(where_it_cannot_it_is_where_it_was),
    };
    return cmocka_run_group_tests_name("own_program", tests, NULL, NULL);
}
