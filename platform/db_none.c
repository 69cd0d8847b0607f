#include "platform/native.h"

static enum errc no_odbc(struct err *err)
{
    return err_set(err, E_UNSUPPORTED, "this build is without ODBC");
}

static enum errc db_open(void *self, const char *connection, int64_t timeout_ms, struct db **out,
                         struct err *err)
{
    UNUSED(self);
    UNUSED(connection);
    UNUSED(timeout_ms);
    UNUSED(out);
    return no_odbc(err);
}

static void db_close(void *self, struct db *db)
{
    UNUSED(self);
    UNUSED(db);
}

static enum errc db_kind(void *self, struct db *db, enum db_kind *out, struct err *err)
{
    UNUSED(self);
    UNUSED(db);
    UNUSED(out);
    return no_odbc(err);
}

static enum errc db_size(void *self, struct db *db, uint64_t *out_bytes, struct err *err)
{
    UNUSED(self);
    UNUSED(db);
    UNUSED(out_bytes);
    return no_odbc(err);
}

static enum errc db_has_right(void *self, struct db *db, const char *right, const char *account,
                              bool *out_has, struct err *err)
{
    UNUSED(self);
    UNUSED(db);
    UNUSED(right);
    UNUSED(account);
    UNUSED(out_has);
    return no_odbc(err);
}

const struct db_ops native_db_ops = {
    .open = db_open, .close = db_close, .kind = db_kind, .size = db_size, .has_right = db_has_right
};
