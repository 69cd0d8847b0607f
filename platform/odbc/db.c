/* The page of databases, the same on all systems: whoever has the connection (db_os_*) is asked,
 * and what did not answer is asked no more. */

#include <stdlib.h>

#include "platform/native.h"
#include "platform/odbc/db_parts.h"

struct db {
    struct db_talker *talker;
    bool is_lost; /* it did not answer, and is not asked again */
};

static enum errc receive(struct db *db, uint64_t *out_number, struct err *err)
{
    struct db_answer answer;
    enum errc rc = db_os_receive(db->talker, &answer, err);
    db->is_lost = rc != E_OK;
    return rc == E_OK ? db_talk_take(&answer, out_number, err) : rc;
}

static enum errc ask(struct db *db, const struct db_question *q, uint64_t *out_number,
                     struct err *err)
{
    if (db->is_lost)
        return err_set(err, E_IO, "the connection to the database was given up");
    enum errc rc = db_os_ask(db->talker, q, err);
    db->is_lost = rc != E_OK;
    return rc == E_OK ? receive(db, out_number, err) : rc;
}

static void db_close(void *self, struct db *db)
{
    UNUSED(self);
    if (db == NULL)
        return;
    db_os_end(db->talker, db->is_lost);
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
    rc = db_os_begin(connection, timeout_ms, &db->talker, err);
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
