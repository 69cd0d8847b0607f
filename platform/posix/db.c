#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/native.h"
#include "platform/posix/db_child.h"
#include "platform/posix/os_err.h"
#include "platform/posix/posix.h"

#define GOODBYE_MS 1000 /* to end the connection in good order */

/* The process that has the connection. */
struct db {
    int fd;
    int64_t pid;
    int64_t timeout_ms;
    bool is_lost; /* it did not answer, and is not asked again */
};

/* ------------------------------------------------------------------------------- the other process
 */

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

static enum errc receive(struct db *db, uint64_t *out_number, struct err *err)
{
    struct db_answer a;
    ssize_t n;
    db->is_lost = true;
    if (!wait_for(db->fd, posix_monotonic_ms() + db->timeout_ms))
        return err_set(err, E_TIMEOUT, "the database does not answer within %lld ms",
                       (long long)db->timeout_ms);
    do
        n = recv(db->fd, &a, sizeof(a), 0);
    while (n < 0 && errno == EINTR);
    if (n != (ssize_t)sizeof(a))
        return err_set(err, E_IO, "the database's ODBC driver ended the process that it was in");
    db->is_lost = false;
    return db_talk_take(&a, out_number, err);
}

static enum errc ask(struct db *db, const struct db_question *q, uint64_t *out_number,
                     struct err *err)
{
    if (db->is_lost)
        return err_set(err, E_IO, "the connection to the database was given up");
    if (send(db->fd, q, sizeof(*q), MSG_NOSIGNAL) != (ssize_t)sizeof(*q)) {
        db->is_lost = true;
        return err_set(err, E_IO, "the database's ODBC driver ended the process that it was in");
    }
    return receive(db, out_number, err);
}

static void end_process(struct db *db)
{
    /* Its end of the socket ends with it. */
    (void)shutdown(db->fd, SHUT_WR);
    if (db->is_lost || !wait_for(db->fd, posix_monotonic_ms() + GOODBYE_MS))
        (void)kill((pid_t)db->pid, SIGKILL);
    (void)close(db->fd);
    while (waitpid((pid_t)db->pid, NULL, 0) < 0 && errno == EINTR)
        continue;
}

/* ---------------------------------------------------------------------------------- the operations
 */

static void db_close(void *self, struct db *db)
{
    UNUSED(self);
    if (db == NULL)
        return;
    end_process(db);
    free(db);
}

static enum errc db_open(void *self, const char *connection, int64_t timeout_ms, struct db **out,
                         struct err *err)
{
    uint64_t ignored;
    enum errc rc = db_talk_check(connection, timeout_ms, err);
    if (rc != E_OK)
        return rc;
    struct db *db = calloc(1, sizeof(*db));
    if (db == NULL)
        return err_nomem(err);
    db->timeout_ms = timeout_ms;
    rc = db_child_start(connection, timeout_ms, &db->fd, &db->pid, err);
    if (rc != E_OK) {
        free(db);
        return rc;
    }
    rc = receive(db, &ignored, err);
    if (rc == E_OK)
        *out = db;
    else
        db_close(self, db);
    return rc;
}

static enum errc db_kind(void *self, struct db *db, enum db_kind *out, struct err *err)
{
    const struct db_question q = { .what = DB_ASK_KIND };
    uint64_t number = 0;
    UNUSED(self);
    enum errc rc = ask(db, &q, &number, err);
    if (rc == E_OK)
        *out = db_talk_kind(number);
    return rc;
}

static enum errc db_size(void *self, struct db *db, uint64_t *out_bytes, struct err *err)
{
    const struct db_question q = { .what = DB_ASK_SIZE };
    UNUSED(self);
    return ask(db, &q, out_bytes, err);
}

static enum errc db_has_right(void *self, struct db *db, const char *right, const char *account,
                              bool *out_has, struct err *err)
{
    struct db_question q;
    uint64_t number = 0;
    UNUSED(self);
    enum errc rc = db_talk_ask_right(right, account, &q, err);
    if (rc == E_OK)
        rc = ask(db, &q, &number, err);
    if (rc == E_OK)
        *out_has = number == 1;
    return rc;
}

const struct db_ops native_db_ops = {
    .open = db_open, .close = db_close, .kind = db_kind, .size = db_size, .has_right = db_has_right
};
