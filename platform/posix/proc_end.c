#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "platform/posix/os_err.h"
#include "platform/posix/posix.h"
#include "platform/posix/proc_parts.h"

#define AFTER_KILL_MS 5000 /* a process that waits for a device may take long to die */

int proc_open(int64_t pid)
{
    return (int)syscall(SYS_pidfd_open, (pid_t)pid, 0);
}

static enum errc send_signal(int fd, int signal_number, struct err *err)
{
    if (syscall(SYS_pidfd_send_signal, fd, signal_number, NULL, 0) == 0 || errno == ESRCH)
        return E_OK;
    return os_err_set(err, errno, "cannot be ended");
}

static bool is_gone_within(int fd, int64_t ms)
{
    int64_t until = posix_monotonic_ms() + ms;
    struct pollfd end = { .fd = fd, .events = POLLIN };
    for (;;) {
        int64_t left = until - posix_monotonic_ms();
        int wait = left < 0 ? 0 : left > 60000 ? 60000 : (int)left;
        if (poll(&end, 1, wait) > 0)
            return true;
        if (left <= 0)
            return false;
    }
}

static enum errc end_it(int fd, int64_t grace_ms, struct err *err)
{
    enum errc rc = send_signal(fd, SIGTERM, err);
    if (rc != E_OK || is_gone_within(fd, grace_ms))
        return rc;
    rc = send_signal(fd, SIGKILL, err);
    if (rc != E_OK || is_gone_within(fd, AFTER_KILL_MS))
        return rc;
    return err_set(err, E_BUSY, "did not end, though it was made to; it may wait for a device");
}

enum errc proc_terminate(void *self, int64_t pid, uint64_t born, int64_t grace_ms, struct err *err)
{
    struct err why = { .code = E_OK };
    struct proc_seen seen;
    UNUSED(self);
    if (pid <= 1 || pid == getpid())
        return err_set(err, E_ARGUMENT, "process %" PRId64 " is none to be ended", pid);
    int fd = proc_open(pid);
    if (fd < 0 && errno == ESRCH)
        return E_OK;
    if (fd < 0)
        return os_err_set(err, errno, "cannot hold on to process %" PRId64, pid);
    /* Looked at after it is held: if this is the one that was meant, so is what we hold. */
    enum errc rc = proc_look(pid, 0, &seen, &why);
    if (rc == E_OK && seen.info.born == born)
        rc = end_it(fd, grace_ms, &why);
    else if (rc == E_ABSENT)
        rc = E_OK;
    (void)close(fd);
    return rc == E_OK ? E_OK : err_set(err, rc, "process %" PRId64 ": %s", pid, why.text);
}
