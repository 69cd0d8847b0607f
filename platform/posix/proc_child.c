#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <string.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/posix/os_err.h"
#include "platform/posix/again.h"
#include "platform/posix/posix.h"
#include "platform/posix/proc_parts.h"

/* Between fork and exec only calls that are safe in a signal handler are made (signal-safety(7)),
 * since other threads may have held any lock. */

static const char *const stages[] = { "cannot start a session of its own",
                                      "cannot take on the user", "cannot enter its folder",
                                      "cannot arrange its files", "cannot run the program" };
enum stage { STAGE_SESSION, STAGE_USER, STAGE_FOLDER, STAGE_FILES, STAGE_EXEC };

struct failure {
    int stage, os;
};

static bool become_user(const struct proc_launch *l)
{
    if (!l->is_other_user)
        return true;
    return setgroups((size_t)l->n_groups, l->groups) == 0 &&
           setresgid(l->user->gid, l->user->gid, l->user->gid) == 0 &&
           setresuid(l->user->uid, l->user->uid, l->user->uid) == 0;
}

/* Above the three standard ones first, so that none of them is overwritten before it is used. All
 * others are closed by the exec, even those that someone forgot to mark so. */
static bool arrange_files(const struct proc_launch *l, int *report)
{
    int null_fd = fcntl(l->null_fd, F_DUPFD_CLOEXEC, 3);
    int output_fd = fcntl(l->output_fd, F_DUPFD_CLOEXEC, 3);
    int own = fcntl(*report, F_DUPFD_CLOEXEC, 3);
    if (null_fd < 0 || output_fd < 0 || own < 0)
        return false;
    *report = own;
    (void)syscall(SYS_close_range, 3U, ~0U, 4U /* CLOSE_RANGE_CLOEXEC */);
    return dup2(null_fd, 0) == 0 && dup2(output_fd, 1) == 1 && dup2(output_fd, 2) == 2;
}

/* Where we are killed what we had run ends too: a stop or a start that went on alone would undo
 * what is recovered. Only the program itself: a service that it started is none of ours. After the
 * change of the user, which takes this back. */
static bool die_with(pid_t parent)
{
#ifdef __linux__
    return prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent;
#else
    UNUSED(parent);
    return true;
#endif
}

static enum stage become_program(const struct proc_launch *l, pid_t parent, int *report)
{
    const struct proc_command *c = l->command;
    posix_reset_signals();
    (void)umask(022);
    if (setsid() < 0)
        return STAGE_SESSION;
    if (!arrange_files(l, report))
        return STAGE_FILES;
    if (!become_user(l))
        return STAGE_USER;
    if (!die_with(parent))
        return STAGE_SESSION;
    if (chdir(c->folder == NULL ? "/" : c->folder) != 0)
        return STAGE_FOLDER;
    (void)execve(c->argv[0], (char *const *)(uintptr_t)c->argv, l->env);
    return STAGE_EXEC;
}

_Noreturn static void run_child(const struct proc_launch *l, pid_t parent, int report)
{
    struct failure failure = { .stage = (int)become_program(l, parent, &report) };
    failure.os = errno;
    (void)!write(report, &failure, sizeof(failure));
    _exit(127);
}

/* The report ends without a word when the program runs: its descriptor is closed by the exec. */
static bool read_failure(int report, struct failure *out)
{
    ssize_t n;
    do
        n = read(report, out, sizeof(*out));
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)sizeof(*out);
}

/* No signal of ours may reach the new process before it has its own way with them. */
static pid_t fork_quietly(const struct proc_launch *l, int report)
{
    const pid_t parent = getpid();
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t pid = fork();
    if (pid == 0)
        run_child(l, parent, report);
    int os = errno;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = os;
    return pid;
}

static enum errc set_failure(const struct failure *failure, struct err *err)
{
    size_t stage = (size_t)failure->stage;
    if (stage >= ARRAY_LEN(stages))
        return err_set(err, E_INTERNAL, "the new process failed in an unknown way");
    return os_err_set(err, failure->os, "%s", stages[stage]);
}

enum errc proc_fork(const struct proc_launch *launch, int64_t *out_pid, struct err *err)
{
    int report[2];
    struct failure failure = { 0, 0 };
    if (pipe2(report, O_CLOEXEC) != 0)
        return os_err_set(err, errno, "cannot make a pipe");
    pid_t pid = fork_quietly(launch, report[1]);
    int os = errno;
    (void)close(report[1]);
    enum errc rc = E_OK;
    if (pid < 0) {
        rc = os_err_set(err, os, "cannot start a process");
    } else if (read_failure(report[0], &failure)) {
        rc = set_failure(&failure, err);
        (void)again_waitpid(pid, NULL, 0);
    } else {
        *out_pid = pid;
    }
    (void)close(report[0]);
    return rc;
}
