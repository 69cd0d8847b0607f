#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/posix/db_child.h"
#include "platform/posix/again.h"
#include "platform/posix/posix.h"

#define GOODBYE_MS 1000 /* to end the connection in good order */

struct db_talker { /* the process that has the connection */
    int fd;
    int64_t pid;
    int64_t timeout_ms;
};

/* Is there something to read, or an end, before the time is up? */
static bool wait_for(int fd, int64_t until_ms)
{
    for (;;) {
        struct pollfd p = { .fd = fd, .events = POLLIN };
        int64_t left = until_ms - posix_monotonic_ms();
        int n = poll(&p, 1, left > 0 ? (int)left : 0);
        if (n > 0)
            return true;
        if (left <= 0 || (n < 0 && errno != EINTR))
            return false;
    }
}

enum errc db_os_receive(struct db_talker *t, struct db_answer *out, struct err *err)
{
    ssize_t n;
    if (!wait_for(t->fd, posix_monotonic_ms() + t->timeout_ms))
        return err_set(err, E_TIMEOUT, "the database does not answer within %lld ms",
                       (long long)t->timeout_ms);
    do
        n = recv(t->fd, out, sizeof(*out), 0);
    while (n < 0 && errno == EINTR);
    if (n != (ssize_t)sizeof(*out))
        return err_set(err, E_IO, "the database's ODBC driver ended the process that it was in");
    return E_OK;
}

enum errc db_os_ask(struct db_talker *t, const struct db_question *q, struct err *err)
{
    if (send(t->fd, q, sizeof(*q), MSG_NOSIGNAL) != (ssize_t)sizeof(*q))
        return err_set(err, E_IO, "the database's ODBC driver ended the process that it was in");
    return E_OK;
}

void db_os_end(struct db_talker *t, bool is_lost)
{
    /* Its end of the socket ends with it. */
    (void)shutdown(t->fd, SHUT_WR);
    if (is_lost || !wait_for(t->fd, posix_monotonic_ms() + GOODBYE_MS))
        (void)kill((pid_t)t->pid, SIGKILL);
    (void)close(t->fd);
    (void)again_waitpid((pid_t)t->pid, NULL, 0);
    free(t);
}

enum errc db_os_begin(const char *connection, int64_t timeout_ms, struct db_talker **out,
                      struct err *err)
{
    struct db_talker *t = calloc(1, sizeof(*t));
    if (t == NULL)
        return err_nomem(err);
    t->timeout_ms = timeout_ms;
    enum errc rc = db_child_start(connection, timeout_ms, &t->fd, &t->pid, err);
    if (rc == E_OK)
        *out = t;
    else
        free(t);
    return rc;
}
