/* The program that runs goes aside where it is the product: a file with its bytes and mode is in
 * its place, and it lies in a private folder. A copy of it is kept there for the task that
 * recovers, and follows it. On a real file system; which program runs, and whether there is a task,
 * is said here. */

#include "machine_kit.h"

#include "installer/core/own_program.h"

static struct setup setup;
static struct platform machine;
static struct proc_ops processes;
static struct task_ops tasks;
static char own[300];
static bool has_task;

#define KEPT "state/own/" OWN_PROGRAM_KEPT

static enum errc say_own(void *self, char *to, size_t room, struct err *err)
{
    UNUSED(self);
    UNUSED(err);
    (void)text_copy(to, room, own);
    return E_OK;
}

static enum errc say_task(void *self, const char *name, struct buf *out, bool *out_found,
                          struct err *err)
{
    UNUSED(self);
    UNUSED(out);
    UNUSED(err);
    assert_string_equal(name, "Surefoot\\surefoot recover");
    *out_found = has_task;
    return E_OK;
}

static void begin(void **state)
{
    machine = *platform_native();
    processes = *machine.proc;
    processes.own_program = say_own;
    machine.proc = &processes;
    tasks = *machine.task;
    tasks.find = say_task;
    machine.task = &tasks;
    has_task = false;
    setup = (struct setup){ .platform = &machine, .product = { .name = "surefoot" } };
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

/* --- the copy that is kept */

static void run_from(void **state, const char *path)
{
    (void)snprintf(own, sizeof(own), "%s/%s", (const char *)*state, path);
}

static void a_copy_is_kept_and_follows(void **state)
{
    begin(state);
    IS(E_OK, own_program_keep(&setup, &why));
    assert_holds(KEPT, "the program");
    assert_int_equal(info_of("state/own").mode & 07777, 0700);
    assert_int_equal(info_of(KEPT).mode & 07777, 0600);
    const struct fs_info first = info_of(KEPT);
    IS(E_OK, own_program_keep(&setup, &why));
    assert_true(info_of(KEPT).id[1] == first.id[1]); /* the same is left alone */
    make_file("program/surefoot", "the new one", 0755);
    IS(E_OK, own_program_keep(&setup, &why));
    assert_holds(KEPT, "the new one");
    assert_int_equal(n_aside(), 1);
}

static void who_goes_aside_leaves_the_copy(void **state)
{
    begin(state);
    IS(E_OK, own_program_prepare(&setup, &why));
    for (int times = 0; times < 2; times++) {
        IS(E_OK, own_program_step_aside(&setup, &why));
        assert_holds(KEPT, "the program");
        assert_int_equal(n_aside(), 2);
    }
}

static void of_a_program_elsewhere_no_copy_is_made_before_a_switch(void **state)
{
    begin(state);
    make_file("surefoot", "another", 0755);
    run_from(state, "surefoot");
    IS(E_OK, own_program_prepare(&setup, &why));
    assert_int_equal(info_of("state").kind, FS_ABSENT);
}

/* The ways in which it can't be written: what was there stays, whole. */
static enum errc no_room(void *self, const char *path, unsigned flags, struct sink **out,
                         struct err *err)
{
    UNUSED(self);
    UNUSED(path);
    UNUSED(flags);
    UNUSED(out);
    return err_set(err, E_SPACE, "the device is full");
}

static enum errc lose(struct sink *s, struct span bytes, struct err *err)
{
    UNUSED(s);
    UNUSED(bytes);
    UNUSED(err);
    return E_OK;
}

static enum errc end_well(struct sink *s, struct err *err)
{
    UNUSED(s);
    UNUSED(err);
    return E_OK;
}

static void end(struct sink *s)
{
    UNUSED(s);
}

static enum errc lying(void *self, const char *path, unsigned flags, struct sink **out,
                       struct err *err)
{
    static const struct sink_ops ops = { lose, end_well, end };
    static struct sink sink;
    UNUSED(self);
    UNUSED(path);
    UNUSED(flags);
    UNUSED(err);
    sink = (struct sink){ .ops = &ops };
    *out = &sink;
    return E_OK;
}

static void a_copy_that_cannot_be_written_is_said(void **state)
{
    begin(state);
    struct fs_ops files = *machine.fs;
    IS(E_OK, own_program_keep(&setup, &why));
    make_file("program/surefoot", "the new one", 0755);
    machine.fs = &files;
    files.create = no_room;
    IS(E_SPACE, own_program_prepare(&setup, &why));
    SAYS("no copy of the program can be kept");
    SAYS("the device is full");
    files.create = lying; /* what is written must be read back */
    IS(E_IO, own_program_prepare(&setup, &why));
    SAYS("is not what that is");
    assert_holds(KEPT, "the program");
    assert_int_equal(n_aside(), 1);
}

static void the_copy_does_not_keep_itself(void **state)
{
    begin(state);
    IS(E_OK, own_program_keep(&setup, &why));
    run_from(state, KEPT);
    IS(E_ARGUMENT, own_program_keep(&setup, &why));
    SAYS("call the installed program");
}

static void a_link_is_not_written_through(void **state)
{
    begin(state);
    make_file("elsewhere", "not ours", 0600);
    make_folder("state", 0700);
    make_folder("state/own", 0700);
    assert_int_equal(symlink("../../elsewhere", KEPT), 0);
    IS(E_ARGUMENT, own_program_keep(&setup, &why));
    assert_holds("elsewhere", "not ours");
}

/* --- how it follows */

static char warned[400];

static void listen(void *ctx, const struct event *event)
{
    UNUSED(ctx);
    (void)text_copy(warned, sizeof(warned), event->text);
}

static void settle(bool is_run, bool has_lock)
{
    struct events events = { .platform = &machine, .n = 1, .listeners = { { listen, NULL } } };
    struct memory memory;
    warned[0] = '\0';
    if (memory_open(&setup, has_lock, &memory, &why) != E_OK)
        fail_msg("%s", why.text);
    own_program_settle(&memory, is_run, &events);
    memory_close(&memory);
}

static void where_nobody_wants_it_no_copy_is_made(void **state)
{
    begin(state);
    settle(true, true);
    assert_int_equal(info_of("state/own").kind, FS_ABSENT);
    assert_string_equal(warned, "");
}

static void a_task_wants_it(void **state)
{
    begin(state);
    has_task = true;
    settle(true, false); /* without the lock nothing is done */
    assert_int_equal(info_of("state/own").kind, FS_ABSENT);
    settle(true, true);
    assert_holds(KEPT, "the program");
    assert_string_equal(warned, "");
}

static void the_copy_follows_the_installed_program(void **state)
{
    begin(state);
    IS(E_OK, own_program_keep(&setup, &why));
    make_file("program/surefoot", "the new one", 0755);
    make_file("state/own/0011.exe", "went aside", 0700);
    settle(false, true);
    assert_holds(KEPT, "the new one");
    assert_int_equal(n_aside(), 1);
    /* a program that lies elsewhere knows what is installed if a scheduler calls it */
    make_file("surefoot", "another", 0755);
    run_from(state, "surefoot");
    settle(false, true);
    assert_holds(KEPT, "the new one");
    settle(true, true);
    assert_holds(KEPT, "another");
}

static void while_a_run_is_pending_the_copy_stays(void **state)
{
    begin(state);
    IS(E_OK, own_program_keep(&setup, &why));
    make_file("program/surefoot", "half a program", 0755);
    make_file("state/own/0011.exe", "went aside", 0700);
    make_file("state/journal", "", 0600);
    settle(true, true);
    assert_holds(KEPT, "the program");
    assert_int_equal(n_aside(), 2);
    assert_int_equal(unlink("state/journal"), 0);
    settle(true, true);
    assert_holds(KEPT, "half a program");
}

static void the_copy_that_runs_stays_and_tidies(void **state)
{
    begin(state);
    IS(E_OK, own_program_keep(&setup, &why));
    make_file("program/surefoot", "the new one", 0755);
    make_file("state/own/0011.exe", "went aside", 0700);
    run_from(state, KEPT);
    settle(true, true);
    assert_holds(KEPT, "the program");
    assert_int_equal(n_aside(), 1);
    assert_string_equal(warned, "");
}

static void a_copy_that_cannot_follow_is_a_warning(void **state)
{
    begin(state);
    IS(E_OK, own_program_keep(&setup, &why));
    make_file("program/surefoot", "the new one", 0755);
    struct fs_ops files = *machine.fs;
    files.create = no_room;
    machine.fs = &files;
    settle(true, true);
    assert_non_null(strstr(warned, "is as it was"));
    assert_non_null(strstr(warned, "the device is full"));
    assert_holds(KEPT, "the program");
}

static void it_is_taken_away_when_nobody_wants_it(void **state)
{
    begin(state);
    IS(E_ABSENT, own_program_drop(&setup, &why));
    IS(E_OK, own_program_keep(&setup, &why));
    IS(E_OK, own_program_drop(&setup, &why));
    assert_int_equal(info_of(KEPT).kind, FS_ABSENT);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, enter_folder, leave_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(the_program_that_runs_goes_aside),
        IN_FOLDER(a_program_elsewhere_stays_where_it_is),
        IN_FOLDER(where_it_cannot_it_is_where_it_was),
        IN_FOLDER(a_copy_is_kept_and_follows),
        IN_FOLDER(who_goes_aside_leaves_the_copy),
        IN_FOLDER(of_a_program_elsewhere_no_copy_is_made_before_a_switch),
        IN_FOLDER(a_copy_that_cannot_be_written_is_said),
        IN_FOLDER(the_copy_does_not_keep_itself),
        IN_FOLDER(a_link_is_not_written_through),
        IN_FOLDER(where_nobody_wants_it_no_copy_is_made),
        IN_FOLDER(a_task_wants_it),
        IN_FOLDER(the_copy_follows_the_installed_program),
        IN_FOLDER(while_a_run_is_pending_the_copy_stays),
        IN_FOLDER(the_copy_that_runs_stays_and_tidies),
        IN_FOLDER(a_copy_that_cannot_follow_is_a_warning),
        IN_FOLDER(it_is_taken_away_when_nobody_wants_it),
    };
    return cmocka_run_group_tests_name("own_program", tests, NULL, NULL);
}
