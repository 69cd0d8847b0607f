#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <pthread.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "platform/posix/db_child.h"
#include "platform/posix/again.h"
#include "platform/posix/os_err.h"
#include "platform/posix/posix.h"

/* ------------------------------------------------------------------------------- in the new
 * process */

static void reset_signals(void)
{
    posix_reset_signals();
    (void)signal(SIGPIPE, SIG_IGN);
}

/* Nothing but the socket stays open: what the driver says goes nowhere. */
static bool arrange_files(int *fd)
{
    int nowhere = again_open("/dev/null", O_RDWR | O_CLOEXEC, 0);
    int own = fcntl(*fd, F_DUPFD_CLOEXEC, 3);
    if (nowhere < 0 || own < 0 || dup2(nowhere, 0) != 0 || dup2(nowhere, 1) != 1 ||
        dup2(nowhere, 2) != 2 || dup2(own, 3) != 3)
        return false;
    *fd = 3;
    return syscall(SYS_close_range, 4U, ~0U, 0U) == 0 || errno == ENOSYS;
}

/* The memory has a secret in it: no core file, and no one looks in. It ends when we end. */
static bool be_alone(pid_t parent)
{
    static const struct rlimit none = { 0, 0 };
    return setsid() >= 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent &&
           prctl(PR_SET_DUMPABLE, 0) == 0 && setrlimit(RLIMIT_CORE, &none) == 0;
}

/* The environment names configuration files and libraries: not those of whoever started us. */
static bool arrange_environment(void)
{
    const struct passwd *user = posix_is_elevated() ? getpwuid(geteuid()) : NULL;
    if (posix_is_elevated() && (clearenv() != 0 || setenv("PATH", "/usr/bin:/bin", 1) != 0 ||
                                setenv("HOME", user == NULL ? "/" : user->pw_dir, 1) != 0))
        return false;
    (void)setlocale(LC_ALL, "C");
    (void)setlocale(LC_CTYPE, "C.UTF-8"); /* drivers take the connection's letters by it */
    return true;
}

static bool send_answer(int fd, const struct db_answer *a)
{
    return send(fd, a, sizeof(*a), MSG_NOSIGNAL) == (ssize_t)sizeof(*a);
}

static void serve(int fd, struct db_link *link)
{
    struct db_question q;
    while (recv(fd, &q, sizeof(q), 0) == (ssize_t)sizeof(q)) {
        struct db_answer a = { .number = 0 };
        db_talk_answer(link, &q, &a);
        if (!send_answer(fd, &a))
            break;
    }
}

_Noreturn static void run_child(int fd, pid_t parent, const char *connection, int64_t timeout_ms)
{
    struct db_link *link = NULL;
    struct db_answer a = { .number = 0 };
    reset_signals();
    if (!arrange_files(&fd))
        _exit(1);
    if (!be_alone(parent) || !arrange_environment())
        a.err.code = os_err_set(&a.err, errno, "cannot arrange a process for it");
    if (a.err.code == E_OK)
        a.err.code = db_link_open(connection, timeout_ms, &link, &a.err);
    if (a.err.code == E_OK)
        a.err.code = db_ask_alive(link, &a.err);
    if (send_answer(fd, &a) && a.err.code == E_OK)
        serve(fd, link);
    db_link_close(link);
    _exit(0);
}

/* -------------------------------------------------------------------------------------- beginning
 * it */

static pid_t fork_quietly(int fd, const char *connection, int64_t timeout_ms)
{
    sigset_t all, before;
    pid_t parent = getpid();
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t pid = fork();
    if (pid == 0)
        run_child(fd, parent, connection, timeout_ms);
    int os = errno;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = os;
    return pid;
}

enum errc db_child_start(const char *connection, int64_t timeout_ms, int *out_fd, int64_t *out_pid,
                         struct err *err)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return os_err_set(err, errno, "cannot make a socket");
    pid_t pid = fork_quietly(ends[1], connection, timeout_ms);
    int os = errno;
    (void)close(ends[1]);
    if (pid < 0) {
        (void)close(ends[0]);
        return os_err_set(err, os, "cannot start a process");
    }
    *out_fd = ends[0];
    *out_pid = pid;
    return E_OK;
}
