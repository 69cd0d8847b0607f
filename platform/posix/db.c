#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/native.h"
#include "platform/base/text.h"
#include "platform/posix/db_parts.h"
#include "platform/posix/os_err.h"
#include "platform/posix/posix.h"

#define GOODBYE_MS 1000          /* to end the connection in good order */
#define TIMEOUT_MAX_MS (3600000) /* an hour */

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

/* What the other process says is no more trusted than the driver in it. */
static bool is_sound(const struct db_answer *a)
{
    return a->err.code >= E_OK && a->err.code <= E_INTERNAL &&
           memchr(a->err.text, '\0', sizeof(a->err.text)) != NULL;
}

static enum errc receive(struct db *db, uint64_t *out_number, struct err *err)
{
    struct db_answer a;
    char shown[sizeof(a.err.text)];
    ssize_t n;
    db->is_lost = true;
    if (!wait_for(db->fd, posix_monotonic_ms() + db->timeout_ms))
        return err_set(err, E_TIMEOUT, "the database does not answer within %lld ms",
                       (long long)db->timeout_ms);
    do
        n = recv(db->fd, &a, sizeof(a), 0);
    while (n < 0 && errno == EINTR);
    if (n != (ssize_t)sizeof(a) || !is_sound(&a))
        return err_set(err, E_IO, "the database's ODBC driver ended the process that it was in");
    db->is_lost = false;
    if (a.err.code != E_OK) {
        (void)text_printable(span_text(a.err.text), shown, sizeof(shown));
        return err_set(err, a.err.code, "the database: %s", shown);
    }
    *out_number = a.number;
    return E_OK;
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

static enum errc check_arguments(const char *connection, int64_t timeout_ms, struct err *err)
{
    if (connection == NULL || connection[0] == '\0')
        return err_set(err, E_ARGUMENT, "the database's connection string is empty");
    if (strlen(connection) > DB_CONNECTION_MAX)
        return err_set(err, E_ARGUMENT, "the database's connection string is longer than %d bytes",
                       DB_CONNECTION_MAX);
    if (timeout_ms <= 0 || timeout_ms > TIMEOUT_MAX_MS)
        return err_set(err, E_ARGUMENT, "the database is given no time, or more than an hour");
    return E_OK;
}

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
    enum errc rc = check_arguments(connection, timeout_ms, err);
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
        *out = number < DB_OTHER ? (enum db_kind)number : DB_OTHER;
    return rc;
}

static enum errc db_size(void *self, struct db *db, uint64_t *out_bytes, struct err *err)
{
    const struct db_question q = { .what = DB_ASK_SIZE };
    UNUSED(self);
    return ask(db, &q, out_bytes, err);
}

static enum errc put_name(const char *what, const char *name, char to[DB_NAME_ROOM],
                          struct err *err)
{
    if (name[0] == '\0' || strlen(name) >= DB_NAME_ROOM)
        return err_set(err, E_ARGUMENT, "the %s is empty, or longer than %d bytes", what,
                       DB_NAME_ROOM - 1);
    (void)text_copy(to, DB_NAME_ROOM, name);
    return E_OK;
}

static enum errc db_has_right(void *self, struct db *db, const char *right, const char *account,
                              bool *out_has, struct err *err)
{
    struct db_question q = { .what = DB_ASK_RIGHT, .has_account = account != NULL };
    uint64_t number = 0;
    UNUSED(self);
    enum errc rc = put_name("right", right, q.right, err);
    if (rc == E_OK && account != NULL)
        rc = put_name("account", account, q.account, err);
    if (rc == E_OK)
        rc = ask(db, &q, &number, err);
    if (rc == E_OK)
        *out_has = number == 1;
    return rc;
}

const struct db_ops native_db_ops = {
    .open = db_open, .close = db_close, .kind = db_kind, .size = db_size, .has_right = db_has_right
};
