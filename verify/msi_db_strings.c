/* The strings of a database: _StringPool says how long each is, _StringData has them. */

#include <inttypes.h>
#include <stdlib.h>

#include "platform/base/reader.h"
#include "verify/msi_db_private.h"

#define LONG_REFERENCES 0x80000000U

/* One string's length; a long one takes two places of the pool and one number. */
static enum errc read_entry(struct reader *pool, struct msi_string *s, struct err *err)
{
    uint16_t len, n_references;
    if (!reader_u16le(pool, &len) || !reader_u16le(pool, &n_references))
        return err_set(err, E_TRUNCATED, "MSI: _StringPool ends in an entry");
    s->len = len;
    s->is_alive = n_references > 0;
    if (len == 0 && n_references > 0 && !reader_u32le(pool, &s->len))
        return err_set(err, E_TRUNCATED, "MSI: _StringPool ends in the length of a long string");
    return E_OK;
}

static enum errc read_entries(struct msi_db *db, struct reader *pool, struct err *err)
{
    uint32_t at = 0;
    while (!reader_is_done(pool)) {
        struct msi_string *s = &db->strings[db->n_strings];
        enum errc rc = read_entry(pool, s, err);
        if (rc != E_OK)
            return rc;
        if (s->len > db->text.len - at)
            return err_set(err, E_TRUNCATED,
                           "MSI: string %" PRIu32 " goes on past the end of _StringData",
                           db->n_strings);
        s->at = at;
        at += s->len;
        db->n_strings++;
    }
    if (at != db->text.len)
        return err_set(err, E_MALFORMED, "MSI: %zu bytes of _StringData belong to no string",
                       db->text.len - at);
    return E_OK;
}

static enum errc read_pool(struct msi_db *db, struct span bytes, struct err *err)
{
    struct reader pool = reader_of(bytes, 0);
    uint32_t head;
    if (!reader_u32le(&pool, &head))
        return err_set(err, E_TRUNCATED, "MSI: _StringPool has %zu bytes", bytes.len);
    db->code_page = head & ~LONG_REFERENCES;
    db->ref_len = (head & LONG_REFERENCES) != 0 ? 3 : 2;
    /* Every entry has four bytes or more. */
    db->strings = calloc(pool.rest.len / 4 + 2, sizeof(*db->strings));
    if (db->strings == NULL)
        return err_nomem(err);
    db->strings[0] = (struct msi_string){ 0, 0, true };
    db->n_strings = 1;
    return read_entries(db, &pool, err);
}

enum errc msi_strings_read(struct msi_db *db, struct err *err)
{
    bool is_there;
    struct buf pool;
    buf_init(&pool, MSI_POOL_BYTES_MAX);
    enum errc rc = msi_db_read_table(db->cfb, span_text("_StringPool"), &pool, &is_there, err);
    if (rc == E_OK && !is_there)
        rc = err_set(err, E_ABSENT, "MSI: no _StringPool");
    if (rc == E_OK)
        rc = msi_db_read_table(db->cfb, span_text("_StringData"), &db->text, &is_there, err);
    if (rc == E_OK)
        rc = read_pool(db, buf_span(&pool), err);
    buf_fini(&pool);
    return rc;
}

enum errc msi_strings_get(const struct msi_db *db, uint32_t number, struct span *out,
                          struct err *err)
{
    if (number >= db->n_strings || !db->strings[number].is_alive)
        return err_set(err, E_MALFORMED, "MSI: a reference to string %" PRIu32 " of %" PRIu32 "%s",
                       number, db->n_strings - 1,
                       number < db->n_strings ? ", which is not in use" : "");
    const struct msi_string *s = &db->strings[number];
    *out = span_sub(buf_span(&db->text), s->at, s->len);
    return E_OK;
}
