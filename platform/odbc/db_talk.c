#include <string.h>

#include "platform/base/text.h"
#include "platform/odbc/db_parts.h"

#define TIMEOUT_MAX_MS (3600000) /* an hour */

enum errc db_talk_check(const char *connection, int64_t timeout_ms, struct err *err)
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

static enum errc put_name(const char *what, const char *name, char to[DB_NAME_ROOM],
                          struct err *err)
{
    if (name[0] == '\0' || strlen(name) >= DB_NAME_ROOM)
        return err_set(err, E_ARGUMENT, "the %s is empty, or longer than %d bytes", what,
                       DB_NAME_ROOM - 1);
    (void)text_copy(to, DB_NAME_ROOM, name);
    return E_OK;
}

enum errc db_talk_ask_right(const char *right, const char *account, struct db_question *out,
                            struct err *err)
{
    *out = (struct db_question){ .what = DB_ASK_RIGHT, .has_account = account != NULL };
    enum errc rc = put_name("right", right, out->right, err);
    return rc == E_OK && account != NULL ? put_name("account", account, out->account, err) : rc;
}

void db_talk_answer(struct db_link *link, struct db_question *q, struct db_answer *a)
{
    enum db_kind kind = DB_OTHER;
    bool has = false;
    q->right[sizeof(q->right) - 1] = '\0';
    q->account[sizeof(q->account) - 1] = '\0';
    switch (q->what) {
    case DB_ASK_KIND:
        a->err.code = db_ask_kind(link, &kind, &a->err);
        a->number = (uint64_t)kind;
        break;
    case DB_ASK_SIZE: a->err.code = db_ask_size(link, &a->number, &a->err); break;
    case DB_ASK_RIGHT:
        a->err.code =
            db_ask_right(link, q->right, q->has_account ? q->account : NULL, &has, &a->err);
        a->number = has;
        break;
    default: (void)err_set(&a->err, E_INTERNAL, "an unknown question"); break;
    }
}

static bool is_sound(const struct db_answer *a)
{
    return a->err.code >= E_OK && a->err.code <= E_INTERNAL &&
           memchr(a->err.text, '\0', sizeof(a->err.text)) != NULL;
}

enum errc db_talk_take(const struct db_answer *a, uint64_t *out_number, struct err *err)
{
    char shown[sizeof(a->err.text)];
    if (!is_sound(a))
        return err_set(err, E_IO, "the database's ODBC driver spoiled its answer");
    if (a->err.code != E_OK) {
        (void)text_printable(span_text(a->err.text), shown, sizeof(shown));
        return err_set(err, a->err.code, "the database: %s", shown);
    }
    *out_number = a->number;
    return E_OK;
}

enum db_kind db_talk_kind(uint64_t number)
{
    return number < DB_OTHER ? (enum db_kind)number : DB_OTHER;
}
