/* Databases: a thread loads the driver manager and the driver and answers questions one by one.
 * What does not answer in time is asked no more: its thread is left to the end of the process, with
 * its memory, since a thread that is ended from outside takes the process' locks with it. A driver
 * that crashes ends us: Windows has no fork, and a connection string is nothing to hand to another
 * process by its command line or environment. Databases are asked before anything is changed, so
 * that what is lost is that attempt. Not yet seen on Microsoft's own Windows. */

#include <stdlib.h>
#include <string.h>

#include "platform/base/text.h"
#include "platform/native.h"
#include "platform/odbc/db_parts.h"
#include "platform/win32/w32.h"

#define GOODBYE_MS 1000 /* to end the connection in good order */

struct db {
    HANDLE thread, asked, answered; /* the events reset themselves */
    int64_t timeout_ms;
    char connection[DB_CONNECTION_MAX + 1];
    struct db_question question;
    struct db_answer answer;
    bool is_over; /* what is asked is the end */
    bool is_lost; /* it did not answer, and is not asked again; ours alone */
};

/* ------------------------------------------------------------------------------------------
 * the thread */

static DWORD WINAPI serve(void *ctx)
{
    struct db *db = ctx;
    struct db_link *link = NULL;
    db->answer.err.code = db_link_open(db->connection, db->timeout_ms, &link, &db->answer.err);
    db_os_wipe(db->connection, sizeof(db->connection));
    if (db->answer.err.code == E_OK)
        db->answer.err.code = db_ask_alive(link, &db->answer.err);
    while (SetEvent(db->answered) && WaitForSingleObject(db->asked, INFINITE) == WAIT_OBJECT_0 &&
           !db->is_over) {
        db->answer = (struct db_answer){ .number = 0 };
        db_talk_answer(link, &db->question, &db->answer);
    }
    db_link_close(link);
    return 0;
}

/* ------------------------------------------------------------------------------------------
 * whoever asks */

static void db_free(struct db *db)
{
    if (db->thread != NULL)
        (void)CloseHandle(db->thread);
    if (db->asked != NULL)
        (void)CloseHandle(db->asked);
    if (db->answered != NULL)
        (void)CloseHandle(db->answered);
    db_os_wipe(db->connection, sizeof(db->connection));
    free(db);
}

static enum errc start(struct db *db, struct err *err)
{
    db->asked = CreateEventW(NULL, FALSE, FALSE, NULL);
    db->answered = CreateEventW(NULL, FALSE, FALSE, NULL);
    if (db->asked == NULL || db->answered == NULL)
        return w32_err_set(err, GetLastError(), "cannot make an event");
    db->thread = CreateThread(NULL, 0, serve, db, 0, NULL);
    return db->thread != NULL ? E_OK : w32_err_set(err, GetLastError(), "cannot start a thread");
}

static enum errc receive(struct db *db, uint64_t *out_number, struct err *err)
{
    const HANDLE either[] = { db->answered, db->thread };
    db->is_lost = true;
    switch (WaitForMultipleObjects(2, either, FALSE, (DWORD)db->timeout_ms)) {
    case WAIT_OBJECT_0: db->is_lost = false; return db_talk_take(&db->answer, out_number, err);
    case WAIT_TIMEOUT:
        return err_set(err, E_TIMEOUT, "the database does not answer within %lld ms",
                       (long long)db->timeout_ms);
    default:
        return err_set(err, E_IO, "the database's ODBC driver ended the thread that it was in");
    }
}

static enum errc ask(struct db *db, const struct db_question *q, uint64_t *out_number,
                     struct err *err)
{
    if (db->is_lost)
        return err_set(err, E_IO, "the connection to the database was given up");
    db->question = *q;
    if (!SetEvent(db->asked))
        return w32_err_set(err, GetLastError(), "cannot ask the database");
    return receive(db, out_number, err);
}

static void db_close(void *self, struct db *db)
{
    UNUSED(self);
    if (db == NULL || db->is_lost)
        return;
    db->is_over = true;
    if (SetEvent(db->asked) && WaitForSingleObject(db->thread, GOODBYE_MS) == WAIT_OBJECT_0)
        db_free(db);
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
    (void)text_copy(db->connection, sizeof(db->connection), connection);
    rc = start(db, err);
    if (rc != E_OK) {
        db_free(db);
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
