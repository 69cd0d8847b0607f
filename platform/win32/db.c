/* Databases: a thread loads the driver manager and the driver and answers questions one by one.
 * What does not answer in time is asked no more: its thread is left to the end of the process, with
 * its memory, since a thread that is ended from outside takes the process' locks with it. A driver
 * that crashes ends us: Windows has no fork, and a connection string is nothing to hand to another
 * process by its command line or environment. Databases are asked before anything is changed, so
 * that what is lost is that attempt. Not yet seen on Microsoft's own Windows. */

#include <stdlib.h>

#include "platform/base/text.h"
#include "platform/odbc/db_parts.h"
#include "platform/win32/w32.h"

#define GOODBYE_MS 1000 /* to end the connection in good order */

struct db_talker {
    HANDLE thread, asked, answered; /* the events reset themselves */
    int64_t timeout_ms;
    char connection[DB_CONNECTION_MAX + 1];
    struct db_question question;
    struct db_answer answer;
    bool is_over; /* what is asked is the end */
};

/* ------------------------------------------------------------------------------------------
 * the thread */

static DWORD WINAPI serve(void *ctx)
{
    struct db_talker *t = ctx;
    struct db_link *link = NULL;
    t->answer.err.code = db_link_open(t->connection, t->timeout_ms, &link, &t->answer.err);
    db_os_wipe(t->connection, sizeof(t->connection));
    if (t->answer.err.code == E_OK)
        t->answer.err.code = db_ask_alive(link, &t->answer.err);
    while (SetEvent(t->answered) && WaitForSingleObject(t->asked, INFINITE) == WAIT_OBJECT_0 &&
           !t->is_over) {
        t->answer = (struct db_answer){ .number = 0 };
        db_talk_answer(link, &t->question, &t->answer);
    }
    db_link_close(link);
    return 0;
}

/* ------------------------------------------------------------------------------------------
 * whoever asks */

static void talker_free(struct db_talker *t)
{
    if (t->thread != NULL)
        (void)CloseHandle(t->thread);
    if (t->asked != NULL)
        (void)CloseHandle(t->asked);
    if (t->answered != NULL)
        (void)CloseHandle(t->answered);
    db_os_wipe(t->connection, sizeof(t->connection));
    free(t);
}

static enum errc start(struct db_talker *t, struct err *err)
{
    t->asked = CreateEventW(NULL, FALSE, FALSE, NULL);
    t->answered = CreateEventW(NULL, FALSE, FALSE, NULL);
    if (t->asked == NULL || t->answered == NULL)
        return w32_err_set(err, GetLastError(), "cannot make an event");
    t->thread = CreateThread(NULL, 0, serve, t, 0, NULL);
    return t->thread != NULL ? E_OK : w32_err_set(err, GetLastError(), "cannot start a thread");
}

enum errc db_os_receive(struct db_talker *t, struct db_answer *out, struct err *err)
{
    const HANDLE either[] = { t->answered, t->thread };
    switch (WaitForMultipleObjects(2, either, FALSE, (DWORD)t->timeout_ms)) {
    case WAIT_OBJECT_0: *out = t->answer; return E_OK;
    case WAIT_TIMEOUT:
        return err_set(err, E_TIMEOUT, "the database does not answer within %lld ms",
                       (long long)t->timeout_ms);
    default:
        return err_set(err, E_IO, "the database's ODBC driver ended the thread that it was in");
    }
}

enum errc db_os_ask(struct db_talker *t, const struct db_question *q, struct err *err)
{
    t->question = *q;
    return SetEvent(t->asked) ? E_OK : w32_err_set(err, GetLastError(), "cannot ask the database");
}

void db_os_end(struct db_talker *t, bool is_lost)
{
    if (is_lost)
        return; /* its thread has it */
    t->is_over = true;
    if (SetEvent(t->asked) && WaitForSingleObject(t->thread, GOODBYE_MS) == WAIT_OBJECT_0)
        talker_free(t);
}

enum errc db_os_begin(const char *connection, int64_t timeout_ms, struct db_talker **out,
                      struct err *err)
{
    struct db_talker *t = calloc(1, sizeof(*t));
    if (t == NULL)
        return err_nomem(err);
    t->timeout_ms = timeout_ms;
    (void)text_copy(t->connection, sizeof(t->connection), connection);
    enum errc rc = start(t, err);
    if (rc == E_OK)
        *out = t;
    else
        talker_free(t);
    return rc;
}
