#include "machine_kit.h"

#include <grp.h>
#include <signal.h>
#include <time.h>

static struct proc_result ran;

static enum errc run_command(const struct proc_command *command)
{
    return CALL(proc, run, command, &ran);
}

/* A shell's line, with an answer that is asserted. */
static void run_line(const char *line, struct proc_command c)
{
    const char *argv[] = { "/bin/sh", "-c", line, NULL };
    c.argv = argv;
    if (c.timeout_ms == 0)
        c.timeout_ms = 20000;
    IS(E_OK, run_command(&c));
}

static void assert_output(const char *text)
{
    assert_int_equal(ran.output.len, strlen(text));
    assert_true(span_equal_text(buf_span(&ran.output), text));
    buf_fini(&ran.output);
}

/* --------------------------------------------------------------------------- what is not run */

static void a_command_that_makes_no_sense_is_refused(void **state)
{
    const char *bare[] = { "sh", NULL }, *none[] = { NULL }, *good[] = { "/bin/true", NULL };
    const char *env[] = { "=x", NULL }, *no_equals[] = { "x", NULL };
    UNUSED(state);
    IS(E_ARGUMENT, run_command(&(struct proc_command){ .argv = bare, .timeout_ms = 1000 }));
    IS(E_ARGUMENT, run_command(&(struct proc_command){ .argv = none, .timeout_ms = 1000 }));
    IS(E_ARGUMENT, run_command(&(struct proc_command){ .argv = good }));
    IS(E_ARGUMENT,
       run_command(&(struct proc_command){ .argv = good, .timeout_ms = 1000, .env = env }));
    IS(E_ARGUMENT,
       run_command(&(struct proc_command){ .argv = good, .timeout_ms = 1000, .env = no_equals }));
}

static void a_program_that_cannot_be_run_is_an_error_of_ours(void **state)
{
    const char *missing[] = { "/no/such/program", NULL }, *file[] = { "/etc/passwd", NULL };
    const char *good[] = { "/bin/true", NULL };
    UNUSED(state);
    ran = (struct proc_result){ .end = PROC_NO_END };
    IS(E_ABSENT, run_command(&(struct proc_command){ .argv = missing, .timeout_ms = 1000 }));
    IS(E_ACCESS, run_command(&(struct proc_command){ .argv = file, .timeout_ms = 1000 }));
    IS(E_ABSENT, run_command(&(struct proc_command){
                     .argv = good, .timeout_ms = 1000, .folder = "/no/such/folder" }));
    SAYS("folder");
    IS(E_ABSENT, run_command(&(struct proc_command){
                     .argv = good, .timeout_ms = 1000, .user = "no-such-user-here" }));
    SAYS("no-such-user-here");
    assert_int_equal(ran.end, PROC_NO_END);
}

static bool only_root_changes_users(void)
{
    const char *argv[] = { "/usr/bin/id", NULL };
    struct proc_command c = { .argv = argv, .timeout_ms = 5000, .user = "root" };
    bool is_refused = GIVES(E_ACCESS, run_command(&c));
    c.user = "nobody";
    return is_refused && GIVES(E_OK, run_command(&c)) && ran.end == PROC_EXITED && ran.code == 0;
}

static void an_ordinary_user_cannot_become_another(void **state)
{
    UNUSED(state);
    NEEDS_ROOT();
    in_other_process(true, only_root_changes_users);
}

/* ---------------------------------------------------------------------------------- how it ends */

static void exit_codes_and_signals_are_told_apart(void **state)
{
    UNUSED(state);
    run_line("exit 0", (struct proc_command){ .user = NULL });
    assert_int_equal(ran.end, PROC_EXITED);
    assert_int_equal(ran.code, 0);
    run_line("exit 143", (struct proc_command){ .user = NULL });
    assert_int_equal(ran.end, PROC_EXITED);
    assert_int_equal(ran.code, 143);
    run_line("kill -TERM $$", (struct proc_command){ .user = NULL });
    assert_int_equal(ran.end, PROC_SIGNALLED);
    assert_int_equal(ran.code, SIGTERM);
}

static bool is_alive(const char *pid_file)
{
    char text[24] = "";
    int fd = open(pid_file, O_RDONLY);
    assert_true(fd >= 0);
    assert_true(read(fd, text, sizeof(text) - 1) > 0);
    (void)close(fd);
    pid_t pid = (pid_t)strtol(text, NULL, 10);
    assert_true(pid > 1);
    for (int i = 0; i < 100; i++) {
        char path[40], what[200] = "";
        (void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
        fd = open(path, O_RDONLY);
        if (fd < 0)
            return false;
        ssize_t n = read(fd, what, sizeof(what) - 1);
        (void)close(fd);
        if (n <= 0 || strstr(what, ") Z ") != NULL)
            return false;
        platform_native()->host->sleep_ms(NULL, 10);
    }
    return true;
}

static void what_runs_too_long_is_asked_to_end(void **state)
{
    UNUSED(state);
    run_line("trap 'echo asked; exit 0' TERM; echo on; while :; do read line; done",
             (struct proc_command){ .timeout_ms = 300, .grace_ms = 10000, .output_max = 100 });
    assert_int_equal(ran.end, PROC_TIMED_OUT);
    assert_true(ran.took_ms >= 300 && ran.took_ms < 8000);
    assert_output("on\nasked\n");
}

static void what_ignores_that_is_ended_with_its_children(void **state)
{
    UNUSED(state);
    run_line("trap '' TERM; (trap '' TERM; echo $$ >/dev/null; exec sleep 60) & echo $! >child; "
             "while :; do sleep 0.05; done",
             (struct proc_command){ .timeout_ms = 300, .grace_ms = 300, .folder = *state });
    assert_int_equal(ran.end, PROC_TIMED_OUT);
    assert_true(ran.took_ms >= 600 && ran.took_ms < 8000);
    assert_false(is_alive("child"));
}

static void children_that_ignore_it_are_ended_where_the_program_obeys(void **state)
{
    UNUSED(state);
    run_line("(trap '' TERM; exec sleep 60) & echo $! >child; wait",
             (struct proc_command){ .timeout_ms = 300, .grace_ms = 60000, .folder = *state });
    assert_int_equal(ran.end, PROC_TIMED_OUT);
    assert_true(ran.took_ms < 8000);
    assert_false(is_alive("child"));
}

static void what_it_leaves_in_the_background_is_not_waited_for(void **state)
{
    UNUSED(state);
    run_line("sleep 20 & echo $! >child; echo started",
             (struct proc_command){ .output_max = 100, .folder = *state });
    assert_int_equal(ran.end, PROC_EXITED);
    assert_true(ran.took_ms < 8000);
    assert_output("started\n");
    assert_true(is_alive("child"));
    run_line("kill $(cat child)", (struct proc_command){ .folder = *state });
    assert_int_equal(ran.code, 0);
}

/* -------------------------------------------------------------------------------- what it gets */

static void output_is_kept_up_to_its_cap(void **state)
{
    UNUSED(state);
    run_line("echo out; echo err >&2", (struct proc_command){ .output_max = 100 });
    assert_false(ran.is_output_cut);
    assert_output("out\nerr\n");
    run_line("printf 12345678; printf 9", (struct proc_command){ .output_max = 8 });
    assert_true(ran.is_output_cut);
    assert_output("12345678");
    run_line("head -c 1000000 /dev/zero; exit 5", (struct proc_command){ .output_max = 1000 });
    assert_true(ran.is_output_cut);
    assert_int_equal(ran.code, 5);
    assert_int_equal(ran.output.len, 1000);
    buf_fini(&ran.output);
    run_line("head -c 1000000 /dev/zero; exit 6", (struct proc_command){ .output_max = 0 });
    assert_int_equal(ran.code, 6);
    assert_int_equal(ran.output.len, 0);
}

static void the_environment_is_clean(void **state)
{
    const char *argv[] = { "/usr/bin/env", NULL };
    const char *env[] = { "PATH=/own", "ORCHARD=1", NULL };
    struct proc_command c = { .argv = argv, .timeout_ms = 5000, .output_max = 10000 };
    UNUSED(state);
    assert_int_equal(setenv("LD_LIBRARY_PATH", "/tmp/planted", 1), 0);
    assert_int_equal(setenv("SECRET", "1", 1), 0);
    IS(E_OK, run_command(&c));
    assert_output("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"
                  "LANG=C.UTF-8\n");
    c.env = env;
    IS(E_OK, run_command(&c));
    assert_output("LANG=C.UTF-8\nPATH=/own\nORCHARD=1\n");
}

static void input_files_folder_and_signals_are_clean(void **state)
{
    UNUSED(state);
    int leak = open("/etc/passwd", O_RDONLY);
    assert_true(leak >= 0);
    assert_true(dup2(leak, 77) == 77);
    (void)signal(SIGPIPE, SIG_IGN);
    run_line("pwd; cat; ls /proc/self/fd | tr '\\n' ' '; umask; "
             "grep -E 'SigIgn|SigBlk' /proc/self/status | tr -d '\\t'",
             (struct proc_command){ .output_max = 1000 });
    /* 3: the folder that ls itself has open */
    assert_output("/\n0 1 2 3 0022\nSigBlk:0000000000000000\nSigIgn:0000000000000000\n");
    (void)close(leak);
    (void)close(77);
}

static void it_cannot_reach_our_terminal_or_group(void **state)
{
    char expected[40];
    UNUSED(state);
    run_line("cut -d' ' -f5,6 /proc/$$/stat; echo $$", (struct proc_command){ .output_max = 100 });
    char text[101] = "";
    memcpy(text, ran.output.ptr, ran.output.len);
    buf_fini(&ran.output);
    long pid = strtol(strchr(text, '\n'), NULL, 10);
    (void)snprintf(expected, sizeof(expected), "%ld %ld\n%ld\n", pid, pid, pid);
    assert_string_equal(text, expected);
}

static void the_user_is_switched_with_all_groups(void **state)
{
    UNUSED(state);
    NEEDS_ROOT();
    run_line("id -u; id -g; id -G; grep -E 'CapEff|CapPrm' /proc/self/status | tr -d '\\t'; "
             "cat /etc/shadow 2>/dev/null; touch here 2>/dev/null || echo denied",
             (struct proc_command){ .output_max = 1000, .user = "nobody" });
    assert_output(
        "65534\n65534\n65534\nCapPrm:0000000000000000\nCapEff:0000000000000000\ndenied\n");
}

static bool our_groups_stay_ours(void)
{
    const gid_t ours[] = { 0, 4242 };
    const char *argv[] = { "/usr/bin/id", "-G", NULL };
    struct proc_command c = {
        .argv = argv, .user = "nobody", .timeout_ms = 5000, .output_max = 100
    };
    return setgroups(2, ours) == 0 && GIVES(E_OK, run_command(&c)) &&
           span_equal_text(buf_span(&ran.output), "65534\n");
}

static void none_of_our_groups_goes_along(void **state)
{
    UNUSED(state);
    NEEDS_ROOT();
    in_other_process(false, our_groups_stay_ours);
}

static void a_closed_standard_input_of_ours_does_no_harm(void **state)
{
    UNUSED(state);
    int kept[3];
    for (int i = 0; i < 3; i++) {
        kept[i] = fcntl(i, F_DUPFD_CLOEXEC, 50);
        (void)close(i);
    }
    const char *argv[] = { "/bin/sh", "-c", "cat; echo out; echo err >&2", NULL };
    struct proc_command c = { .argv = argv, .timeout_ms = 5000, .output_max = 100 };
    enum errc rc = run_command(&c);
    for (int i = 0; i < 3; i++) {
        (void)dup2(kept[i], i);
        (void)close(kept[i]);
    }
    assert_int_equal(rc, E_OK);
    assert_output("out\nerr\n");
}

/* ------------------------------------------------------------------------------ who else is there
 */

struct wanted {
    int64_t pid;
    bool is_found;
    uint64_t born;
    int64_t started_s;
    char path[200], name[40], user[40];
    enum proc_hold how;
    char held[200];
};

static enum errc look_for(void *ctx, const struct proc_info *info, struct err *err)
{
    struct wanted *w = ctx;
    UNUSED(err);
    if (info->pid != w->pid)
        return E_OK;
    w->is_found = true;
    w->born = info->born;
    w->started_s = info->started_s;
    (void)text_copy(w->path, sizeof(w->path), info->path);
    (void)text_copy(w->name, sizeof(w->name), info->name);
    (void)text_copy(w->user, sizeof(w->user), info->user);
    return E_OK;
}

static enum errc look_for_holder(void *ctx, const struct proc_info *info, enum proc_hold how,
                                 const char *held, struct err *err)
{
    struct wanted *w = ctx;
    if (info->pid == w->pid) {
        w->how = how;
        (void)text_copy(w->held, sizeof(w->held), held);
    }
    return look_for(ctx, info, err);
}

static enum errc stop_at_once(void *ctx, const struct proc_info *info, struct err *err)
{
    int *n = ctx;
    UNUSED(info);
    ++*n;
    return err_set(err, E_LIMIT, "enough");
}

/* Another process: `program` of the current folder, which waits on the pipe until it is told. */
static pid_t start_sleeper(const char *program, const char *folder, const char *open_file)
{
    int ready[2];
    char byte;
    assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        const char *argv[] = { program, "60", NULL };
        int fd = open_file == NULL ? 0 : open(open_file, O_RDONLY);
        if (fd < 0 || chdir(folder) != 0)
            _exit(3);
        (void)execv(program, (char **)(uintptr_t)argv);
        _exit(4);
    }
    (void)close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 0);
    (void)close(ready[0]);
    return pid;
}

static void copy_program(const char *from, const char *to)
{
    struct buf b;
    IS(E_OK, platform_read_file(platform_native(), from, 10 << 20, &b, &why));
    int fd = open(to, O_WRONLY | O_CREAT | O_EXCL, 0700);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, b.ptr, b.len), (ssize_t)b.len);
    assert_int_equal(close(fd), 0);
    buf_fini(&b);
}

static void end_sleeper(pid_t pid)
{
    (void)kill(pid, SIGKILL);
    (void)waitpid(pid, NULL, 0);
}

static void processes_are_listed_with_program_and_start(void **state)
{
    char path[200];
    struct wanted w = { .is_found = false };
    UNUSED(state);
    (void)snprintf(path, sizeof(path), "%s/odd ) name", (const char *)*state);
    copy_program("/bin/sleep", path);
    w.pid = start_sleeper(path, "/", NULL);
    IS(E_OK, CALL(proc, list, look_for, &w));
    assert_true(w.is_found);
    assert_string_equal(w.path, path);
    assert_string_equal(w.name, "odd ) name");
    if (geteuid() == 0)
        assert_string_equal(w.user, "root");
    assert_true(w.started_s > (int64_t)time(NULL) - 120 && w.started_s <= (int64_t)time(NULL) + 2);
    /* an upgrade takes the program away: its path is still told */
    assert_int_equal(unlink(path), 0);
    w.is_found = false;
    IS(E_OK, CALL(proc, list, look_for, &w));
    assert_string_equal(w.path, path);
    /* one that has ended runs no more, though we have not waited for it yet */
    siginfo_t ended;
    assert_int_equal(kill((pid_t)w.pid, SIGKILL), 0);
    assert_int_equal(waitid(P_PID, (id_t)w.pid, &ended, WEXITED | WNOWAIT), 0);
    w.is_found = false;
    IS(E_OK, CALL(proc, list, look_for, &w));
    assert_false(w.is_found);
    end_sleeper((pid_t)w.pid);
    IS(E_OK, CALL(proc, list, look_for, &w));
    assert_false(w.is_found);
    int n = 0;
    IS(E_LIMIT, CALL(proc, list, stop_at_once, &n));
    assert_int_equal(n, 1);
}

static void assert_holder(const char *folder, struct wanted *w, pid_t pid, enum proc_hold how,
                          const char *held_end)
{
    size_t n_hidden = 99;
    *w = (struct wanted){ .pid = pid };
    IS(E_OK, CALL(proc, holders, folder, look_for_holder, w, &n_hidden));
    assert_true(w->is_found);
    assert_int_equal(w->how, how);
    assert_string_equal(w->held + strlen(w->held) - strlen(held_end), held_end);
    end_sleeper(pid);
}

static void who_holds_a_folder_is_found(void **state)
{
    struct wanted w;
    size_t n_hidden = 0;
    UNUSED(state);
    make_folder("tree", 0755);
    make_folder("tree2", 0755);
    make_folder("tree/bin", 0755);
    make_file("tree/data", "x", 0644);
    make_file("tree2/data", "x", 0644);
    assert_int_equal(symlink("tree", "link"), 0);
    copy_program("/bin/sleep", "tree/bin/sleep");
    assert_holder("tree", &w, start_sleeper("tree/bin/sleep", ".", NULL), PROC_HOLDS_PROGRAM,
                  "/tree/bin/sleep");
    assert_holder("link", &w, start_sleeper("/bin/sleep", "tree/bin", NULL), PROC_HOLDS_FOLDER,
                  "/tree/bin");
    assert_holder("tree", &w, start_sleeper("/bin/sleep", "/", "tree/data"), PROC_HOLDS_FILE,
                  "/tree/data");
    w = (struct wanted){ .pid = start_sleeper("/bin/sleep", "/", "tree2/data") };
    IS(E_OK, CALL(proc, holders, "tree", look_for_holder, &w, &n_hidden));
    assert_false(w.is_found);
    end_sleeper((pid_t)w.pid);
    IS(E_ABSENT, CALL(proc, holders, "no-such", look_for_holder, &w, &n_hidden));
}

static bool nobody_knows_that_it_cannot_know(void)
{
    struct wanted w = { .pid = getppid() };
    size_t n_hidden = 0;
    return GIVES(E_OK, CALL(proc, holders, "/proc", look_for_holder, &w, &n_hidden)) &&
           n_hidden > 0 && GIVES(E_OK, CALL(proc, list, look_for, &w)) && w.is_found &&
           w.path[0] == '\0' && strcmp(w.user, "root") == 0;
}

static void what_is_hidden_from_us_is_counted(void **state)
{
    UNUSED(state);
    NEEDS_ROOT();
    in_other_process(true, nobody_knows_that_it_cannot_know);
}

/* --------------------------------------------------------------------------------- to the end */

static enum errc terminate(int64_t pid, uint64_t born, int64_t grace_ms)
{
    return CALL(proc, terminate, pid, born, grace_ms);
}

static void a_process_is_asked_and_then_ended(void **state)
{
    struct wanted w = { .is_found = false };
    int status = 0;
    UNUSED(state);
    w.pid = start_sleeper("/bin/sleep", "/", NULL);
    IS(E_OK, CALL(proc, list, look_for, &w));
    IS(E_OK, terminate(w.pid, w.born, 10000));
    assert_int_equal(waitpid((pid_t)w.pid, &status, 0), w.pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
    IS(E_OK, terminate(w.pid, w.born, 10000));

    (void)signal(SIGTERM, SIG_IGN);
    w.pid = start_sleeper("/bin/sleep", "/", NULL);
    (void)signal(SIGTERM, SIG_DFL);
    IS(E_OK, CALL(proc, list, look_for, &w));
    IS(E_OK, terminate(w.pid, w.born, 100));
    assert_int_equal(waitpid((pid_t)w.pid, &status, 0), w.pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void one_that_took_the_number_is_left_alone(void **state)
{
    struct wanted w = { .is_found = false };
    UNUSED(state);
    w.pid = start_sleeper("/bin/sleep", "/", NULL);
    IS(E_OK, CALL(proc, list, look_for, &w));
    IS(E_OK, terminate(w.pid, w.born + 1, 10000));
    assert_int_equal(waitpid((pid_t)w.pid, NULL, WNOHANG), 0);
    end_sleeper((pid_t)w.pid);
}

static bool nobody_cannot_end_roots(void)
{
    struct wanted w = { .pid = getppid() };
    return GIVES(E_OK, CALL(proc, list, look_for, &w)) &&
           GIVES(E_ACCESS, terminate(w.pid, w.born, 1000));
}

static void some_are_not_ours_to_end(void **state)
{
    UNUSED(state);
    IS(E_ARGUMENT, terminate(0, 0, 0));
    IS(E_ARGUMENT, terminate(1, 0, 0));
    IS(E_ARGUMENT, terminate(-1, 0, 0));
    IS(E_ARGUMENT, terminate(getpid(), 0, 0));
    NEEDS_ROOT();
    in_other_process(true, nobody_cannot_end_roots);
}

static bool nobody_is_not_elevated(void)
{
    return !platform_native()->proc->is_elevated(NULL);
}

static void root_is_elevated_and_others_are_not(void **state)
{
    UNUSED(state);
    assert_int_equal(platform_native()->proc->is_elevated(NULL), geteuid() == 0);
    NEEDS_ROOT();
    in_other_process(true, nobody_is_not_elevated);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, enter_folder, leave_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_command_that_makes_no_sense_is_refused),
        cmocka_unit_test(a_program_that_cannot_be_run_is_an_error_of_ours),
        cmocka_unit_test(an_ordinary_user_cannot_become_another),
        cmocka_unit_test(exit_codes_and_signals_are_told_apart),
        cmocka_unit_test(what_runs_too_long_is_asked_to_end),
        IN_FOLDER(what_ignores_that_is_ended_with_its_children),
        IN_FOLDER(children_that_ignore_it_are_ended_where_the_program_obeys),
        IN_FOLDER(what_it_leaves_in_the_background_is_not_waited_for),
        cmocka_unit_test(output_is_kept_up_to_its_cap),
        cmocka_unit_test(the_environment_is_clean),
        cmocka_unit_test(input_files_folder_and_signals_are_clean),
        cmocka_unit_test(it_cannot_reach_our_terminal_or_group),
        cmocka_unit_test(the_user_is_switched_with_all_groups),
        cmocka_unit_test(none_of_our_groups_goes_along),
        cmocka_unit_test(a_closed_standard_input_of_ours_does_no_harm),
        IN_FOLDER(processes_are_listed_with_program_and_start),
        IN_FOLDER(who_holds_a_folder_is_found),
        cmocka_unit_test(what_is_hidden_from_us_is_counted),
        cmocka_unit_test(a_process_is_asked_and_then_ended),
        cmocka_unit_test(one_that_took_the_number_is_left_alone),
        cmocka_unit_test(some_are_not_ours_to_end),
        cmocka_unit_test(root_is_elevated_and_others_are_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
