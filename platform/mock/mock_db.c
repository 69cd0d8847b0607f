/* Databases that say what they were told to say. */

#include <stdlib.h>
#include <string.h>

#include "platform/mock/mock_machine.h"

struct db {
    struct mock_database about;
};

static struct mock_database *find(const struct mock *m, const char *connection)
{
    for (size_t i = 0; i < m->n_databases; i++)
        if (strcmp(m->databases[i].connection, connection) == 0)
            return &m->databases[i];
    return NULL;
}

void mock_set_database(struct mock *m, const struct mock_database *database)
{
    struct mock_database *there = find(m, database->connection);
    if (there == NULL) {
        m->databases =
            mock_grow(m->databases, m->n_databases, &m->room_databases, sizeof(m->databases[0]));
        there = &m->databases[m->n_databases++];
    }
    *there = *database;
}

static enum errc db_open(void *self, const char *connection, int64_t timeout_ms, struct db **out,
                         struct err *err)
{
    const struct mock_database *about = find(self, connection);
    if (about == NULL)
        return err_set(err, E_ABSENT, "there is no such database");
    if (about->open_code == E_TIMEOUT)
        mock_pass(self, timeout_ms);
    if (about->open_code != E_OK)
        return err_set(err, about->open_code, "the database does not let us in");
    *out = mock_calloc(1, sizeof(**out));
    (*out)->about = *about;
    return E_OK;
}

static void db_close(void *self, struct db *db)
{
    UNUSED(self);
    free(db);
}

static enum errc db_kind(void *self, struct db *db, enum db_kind *out, struct err *err)
{
    UNUSED(self);
    UNUSED(err);
    *out = db->about.kind;
    return E_OK;
}

static enum errc db_size(void *self, struct db *db, uint64_t *out_bytes, struct err *err)
{
    UNUSED(self);
    UNUSED(err);
    *out_bytes = db->about.size;
    return E_OK;
}

static enum errc db_has_right(void *self, struct db *db, const char *right, const char *account,
                              bool *out_has, struct err *err)
{
    const size_t len = account == NULL ? 0 : strlen(account);
    UNUSED(self);
    UNUSED(err);
    *out_has = false;
    for (const char *const *r = db->about.rights; r != NULL && *r != NULL; r++)
        if (strncmp(*r, account == NULL ? "" : account, len) == 0 && (*r)[len] == ':' &&
            strcmp(*r + len + 1, right) == 0)
            *out_has = true;
    return E_OK;
}

const struct db_ops mock_db_ops = {
    .open = db_open, .close = db_close, .kind = db_kind, .size = db_size, .has_right = db_has_right
};
