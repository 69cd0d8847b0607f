#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/posix/os_err.h"
#include "platform/posix/again.h"
#include "platform/posix/posix.h"
#include "platform/posix/proc_parts.h"

#define ENV_MAX 256
#define PIECE 16384
#define DRAIN_PIECES 64      /* what a pipe may still hold at the end, and more */
#define TICK_MS 10           /* where the kernel gives no descriptor for a process */
#define AFTER_KILL_MS 5000   /* a process that waits for a device may take long to die */
#define WAIT_MS (60 * 60000) /* the longest single wait */

static const char *const env_always[] = { "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:"
                                          "/sbin:/bin",
                                          "LANG=C.UTF-8" };

/* A program that was started. */
struct running {
    const struct proc_command *command;
    struct proc_result *result;
    int64_t pid;
    int end_fd;    /* readable when it has ended; -1: unknown to this kernel */
    int output_fd; /* -1 when it is closed, or when nobody listens */
    int64_t until_ms;
    enum { RUNNING, ASKED, KILLED } phase;
};

static bool is_variable(const char *text)
{
    const char *equals = strchr(text, '=');
    return equals != NULL && equals != text;
}

static bool has_same_name(const char *a, const char *b)
{
    size_t len = strcspn(a, "=");
    return strncmp(a, b, len + 1) == 0;
}

static bool is_given(const struct proc_command *c, const char *variable)
{
    for (size_t i = 0; c->env != NULL && c->env[i] != NULL; i++)
        if (has_same_name(variable, c->env[i]))
            return true;
    return false;
}

static enum errc make_env(const struct proc_command *c, char **env, struct err *err)
{
    size_t n = 0;
    for (size_t i = 0; i < ARRAY_LEN(env_always); i++)
        if (!is_given(c, env_always[i]))
            env[n++] = (char *)(uintptr_t)env_always[i];
    for (size_t i = 0; c->env != NULL && c->env[i] != NULL; i++) {
        if (!is_variable(c->env[i]))
            return err_set(err, E_ARGUMENT, "its environment has \"%.60s\", which is no NAME=value",
                           c->env[i]);
        if (n == ENV_MAX)
            return err_set(err, E_LIMIT, "its environment has more than %d variables", ENV_MAX);
        env[n++] = (char *)(uintptr_t)c->env[i];
    }
    env[n] = NULL;
    return E_OK;
}

static enum errc check_command(const struct proc_command *c, struct err *err)
{
    if (c->argv == NULL || c->argv[0] == NULL)
        return err_set(err, E_ARGUMENT, "no program is named");
    if (c->argv[0][0] != '/')
        return err_set(err, E_ARGUMENT, "the program \"%.80s\" is not named by its whole path",
                       c->argv[0]);
    if (c->timeout_ms <= 0)
        return err_set(err, E_ARGUMENT, "it is given no time");
    return E_OK;
}

static enum errc find_rights(struct proc_launch *l, struct err *err)
{
    const char *name = l->command->user;
    if (name == NULL)
        return E_OK;
    enum errc rc = posix_find_user(name, l->user, err);
    if (rc != E_OK)
        return rc;
    if (geteuid() != 0 && l->user->uid == geteuid())
        return E_OK;
    if (geteuid() != 0)
        return err_set(err, E_ACCESS, "only root can run a program as the user \"%.64s\"", name);
    l->is_other_user = true;
    return posix_groups_of(name, l->user->gid, &l->groups, &l->n_groups, err);
}

static enum errc keep_output(struct running *r, const uint8_t *bytes, size_t len, struct err *err)
{
    size_t left = r->command->output_max - r->result->output.len;
    size_t kept = len < left ? len : left;
    if (kept < len)
        r->result->is_output_cut = true;
    return kept == 0 ? E_OK : buf_add(&r->result->output, span_of(bytes, kept), err);
}

static void close_output(struct running *r)
{
    if (r->output_fd >= 0)
        (void)close(r->output_fd);
    r->output_fd = -1;
}

/* One piece; false where there is none now. */
static bool read_output(struct running *r, enum errc *rc, struct err *err)
{
    uint8_t piece[PIECE];
    if (r->output_fd < 0)
        return false;
    ssize_t n = read(r->output_fd, piece, sizeof(piece));
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (n <= 0)
        close_output(r);
    else if (*rc == E_OK)
        *rc = keep_output(r, piece, (size_t)n, err);
    return n > 0;
}

/* Has it ended? It is left to be reaped, so that its number stays taken. */
static bool has_ended(const struct running *r)
{
    siginfo_t info = { .si_pid = 0 };
    int failed = again_waitid(P_PID, (id_t)r->pid, &info, WEXITED | WNOHANG | WNOWAIT);
    return failed != 0 || info.si_pid != 0;
}

static void wait_a_while(const struct running *r)
{
    struct pollfd fds[2] = { { .fd = r->output_fd, .events = POLLIN },
                             { .fd = r->end_fd, .events = POLLIN } };
    int64_t left = r->until_ms - posix_monotonic_ms();
    int64_t most = r->end_fd < 0 ? TICK_MS : WAIT_MS;
    (void)poll(fds, 2, left < 0 ? 0 : left < most ? (int)left : (int)most);
}

/* The time is up: what is next? False where there is nothing more to be done. */
static bool go_on(struct running *r)
{
    int64_t now = posix_monotonic_ms();
    if (now < r->until_ms)
        return true;
    if (r->phase == KILLED)
        return false;
    r->result->end = PROC_TIMED_OUT;
    if (r->phase == RUNNING) {
        (void)kill((pid_t)-r->pid, SIGTERM);
        r->phase = ASKED;
        r->until_ms = now + r->command->grace_ms;
    } else {
        (void)kill((pid_t)-r->pid, SIGKILL);
        r->phase = KILLED;
        r->until_ms = now + AFTER_KILL_MS;
    }
    return true;
}

static enum errc reap(struct running *r, struct err *err)
{
    int status = 0;
    /* Those of its group that ignored what it obeyed. The number is still its own. */
    if (r->phase == ASKED)
        (void)kill((pid_t)-r->pid, SIGKILL);
    if (again_waitpid((pid_t)r->pid, &status, 0) < 0)
        return os_err_set(err, errno, "cannot find out how the program ended");
    if (r->result->end == PROC_TIMED_OUT)
        return E_OK;
    r->result->end = WIFSIGNALED(status) ? PROC_SIGNALLED : PROC_EXITED;
    r->result->code = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
    return E_OK;
}

static enum errc wait_for_end(struct running *r, struct err *err)
{
    enum errc rc = E_OK;
    while (!has_ended(r)) {
        wait_a_while(r);
        (void)read_output(r, &rc, err);
        if (!go_on(r))
            return err_set(err, E_TIMEOUT, "the program did not end, though it was made to");
    }
    for (int i = 0; i < DRAIN_PIECES && read_output(r, &rc, err); i++)
        continue;
    enum errc reaped = reap(r, rc == E_OK ? err : NULL);
    return rc == E_OK ? reaped : rc;
}

static enum errc run_and_wait(struct proc_launch *l, int output_fd, struct proc_result *result,
                              struct err *err)
{
    int64_t start = posix_monotonic_ms();
    struct running r = { .command = l->command, .result = result, .output_fd = output_fd };
    enum errc rc = proc_fork(l, &r.pid, err);
    /* Our own end, so that the output ends when the program's does. */
    if (l->output_fd != l->null_fd)
        (void)close(l->output_fd);
    l->output_fd = -1;
    if (rc == E_OK) {
        r.end_fd = proc_open(r.pid);
        r.until_ms = start + l->command->timeout_ms;
        rc = wait_for_end(&r, err);
        result->took_ms = posix_monotonic_ms() - start;
        if (r.end_fd >= 0)
            (void)close(r.end_fd);
    }
    close_output(&r);
    return rc;
}

static enum errc open_output(struct proc_launch *l, int *out_read_fd, struct err *err)
{
    int ends[2];
    *out_read_fd = -1;
    l->null_fd = again_open("/dev/null", O_RDWR | O_CLOEXEC, 0);
    if (l->null_fd < 0)
        return os_err_set(err, errno, "cannot open /dev/null");
    l->output_fd = l->null_fd;
    if (l->command->output_max == 0)
        return E_OK;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return os_err_set(err, errno, "cannot make a pipe");
    (void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
    *out_read_fd = ends[0];
    l->output_fd = ends[1];
    return E_OK;
}

enum errc proc_run(void *self, const struct proc_command *command, struct proc_result *out,
                   struct err *err)
{
    char *env[ENV_MAX + 1];
    struct posix_user user = { 0, 0 };
    struct proc_launch l = { .command = command, .env = env, .user = &user, .null_fd = -1 };
    struct proc_result result = { .end = PROC_NO_END };
    int read_fd = -1;
    UNUSED(self);
    buf_init(&result.output, command->output_max);
    enum errc rc = check_command(command, err);
    if (rc == E_OK)
        rc = make_env(command, env, err);
    if (rc == E_OK)
        rc = find_rights(&l, err);
    if (rc == E_OK)
        rc = open_output(&l, &read_fd, err);
    if (rc == E_OK)
        rc = run_and_wait(&l, read_fd, &result, err);
    if (l.null_fd >= 0)
        (void)close(l.null_fd);
    free(l.groups);
    if (rc == E_OK)
        *out = result;
    else
        buf_fini(&result.output);
    return rc;
}
