/* The rows of a table, which its stream has column by column. */

#include <inttypes.h>
#include <stdlib.h>

#include "platform/base/reader.h"
#include "platform/base/text.h"
#include "verify/msi_db_private.h"

#define NAME_SHOWN 80
#define STREAM_NAME_MAX 512 /* more is no stream's */

struct msi_table {
    const struct msi_db *db;
    const struct msi_schema *schema;
    struct buf bytes;
    uint32_t n_rows;
};

static enum errc read_rows(struct msi_table *t, struct err *err)
{
    const struct msi_schema *s = t->schema;
    char shown[NAME_SHOWN];
    bool is_there;
    struct buf name;
    buf_init(&name, STREAM_NAME_MAX);
    enum errc rc = msi_add_utf8(s->name, t->db->code_page, &name, err);
    if (rc == E_OK)
        rc = msi_db_read_table(t->db->cfb, buf_span(&name), &t->bytes, &is_there, err);
    buf_fini(&name);
    if (rc != E_OK)
        return rc;
    (void)text_printable(s->name, shown, sizeof(shown));
    if (s->row_len == 0)
        return err_set(err, E_MALFORMED, "MSI: table %s has no columns", shown);
    if (t->bytes.len % s->row_len != 0)
        return err_set(err, E_MALFORMED,
                       "MSI: table %s has %zu bytes, which are no rows of %" PRIu32, shown,
                       t->bytes.len, s->row_len);
    t->n_rows = (uint32_t)(t->bytes.len / s->row_len);
    return E_OK;
}

enum errc msi_table_open(const struct msi_db *db, const struct msi_schema *schema,
                         struct msi_table **out, struct err *err)
{
    struct msi_table *t = calloc(1, sizeof(*t));
    if (t == NULL)
        return err_nomem(err);
    t->db = db;
    t->schema = schema;
    buf_init(&t->bytes, MSI_TABLE_BYTES_MAX);
    enum errc rc = read_rows(t, err);
    if (rc == E_OK)
        *out = t;
    else
        msi_table_close(t);
    return rc;
}

void msi_table_close(struct msi_table *t)
{
    if (t != NULL)
        buf_fini(&t->bytes);
    free(t);
}

uint32_t msi_table_n_rows(const struct msi_table *t)
{
    return t->n_rows;
}

/* --- values */

enum errc msi_table_raw(const struct msi_table *t, uint32_t row, uint32_t column, uint32_t *out,
                        struct err *err)
{
    if (row >= t->n_rows || column >= t->schema->n_columns)
        return err_set(err, E_ARGUMENT, "MSI: no row %" PRIu32 " or column %" PRIu32, row, column);
    const struct msi_column *c = &t->schema->columns[column];
    size_t at = (size_t)t->n_rows * c->before + (size_t)row * c->width;
    uint8_t four[4] = { 0 };
    struct reader r = reader_of(span_sub(buf_span(&t->bytes), at, c->width), at);
    if (!reader_copy(&r, four, c->width))
        return err_set(err, E_INTERNAL, "MSI: a value outside its table");
    *out = get_u32le(four);
    return E_OK;
}

static enum errc raw_of_type(const struct msi_table *t, uint32_t row, uint32_t column,
                             enum msi_type type, uint32_t *out, struct err *err)
{
    enum errc rc = msi_table_raw(t, row, column, out, err);
    if (rc == E_OK && t->schema->columns[column].type != type)
        rc = err_set(err, E_ARGUMENT, "MSI: column %" PRIu32 " is of another type", column);
    return rc;
}

enum errc msi_table_number(const struct msi_table *t, uint32_t row, uint32_t column, int32_t *out,
                           struct err *err)
{
    bool is_short = column < t->schema->n_columns && t->schema->columns[column].type == MSI_I2;
    uint32_t raw;
    enum errc rc = raw_of_type(t, row, column, is_short ? MSI_I2 : MSI_I4, &raw, err);
    if (rc != E_OK)
        return rc;
    if (raw == 0)
        return err_set(err, E_ABSENT, "MSI: the value is null");
    *out = (int32_t)((int64_t)raw - (is_short ? 0x8000 : 0x80000000));
    return E_OK;
}

enum errc msi_table_text(const struct msi_table *t, uint32_t row, uint32_t column, struct span *out,
                         struct err *err)
{
    uint32_t number;
    enum errc rc = raw_of_type(t, row, column, MSI_TEXT, &number, err);
    return rc == E_OK ? msi_strings_get(t->db, number, out, err) : rc;
}

enum errc msi_table_add_text(const struct msi_table *t, uint32_t row, uint32_t column,
                             struct buf *b, struct err *err)
{
    struct span raw;
    enum errc rc = msi_table_text(t, row, column, &raw, err);
    return rc == E_OK ? msi_add_utf8(raw, t->db->code_page, b, err) : rc;
}

/* --- the stream of a binary value: the table's name and the keys of the row, with full stops */

static enum errc add_key(const struct msi_table *t, uint32_t row, uint32_t column, struct buf *b,
                         struct err *err)
{
    const struct msi_column *c = &t->schema->columns[column];
    int32_t number;
    if (!c->is_key)
        return E_OK;
    enum errc rc = buf_add_byte(b, '.', err);
    if (rc == E_OK && c->type == MSI_TEXT)
        return msi_table_add_text(t, row, column, b, err);
    if (rc == E_OK)
        rc = msi_table_number(t, row, column, &number, err);
    return rc == E_OK ? buf_printf(b, err, "%" PRId32, number) : rc;
}

static enum errc find_by_keys(const struct msi_table *t, uint32_t row, struct buf *name,
                              const struct cfb_entry **out, struct err *err)
{
    enum errc rc = msi_add_utf8(t->schema->name, t->db->code_page, name, err);
    for (uint32_t i = 0; i < t->schema->n_columns && rc == E_OK; i++)
        rc = add_key(t, row, i, name, err);
    return rc == E_OK ? msi_db_find_stream(t->db, buf_span(name), out, err) : rc;
}

enum errc msi_table_stream(const struct msi_table *t, uint32_t row, uint32_t column,
                           const struct cfb_entry **out, struct err *err)
{
    uint32_t raw;
    struct buf name;
    enum errc rc = raw_of_type(t, row, column, MSI_BINARY, &raw, err);
    if (rc != E_OK)
        return rc;
    if (raw == 0)
        return err_set(err, E_ABSENT, "MSI: the value is null");
    buf_init(&name, STREAM_NAME_MAX);
    rc = find_by_keys(t, row, &name, out, err);
    buf_fini(&name);
    if (rc == E_ABSENT || rc == E_LIMIT || rc == E_ARGUMENT)
        rc = err_set(err, E_MALFORMED, "MSI: a binary value that no stream has");
    return rc;
}
