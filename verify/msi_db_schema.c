/* What tables there are and what columns they have: the rows of _Tables and _Columns. Columns are
 * counted first and then put where table and number say, so nothing is sorted or searched. */

#include <inttypes.h>
#include <stdlib.h>

#include "platform/base/text.h"
#include "verify/msi_db_private.h"

#define NAME_SHOWN 80

/* Bits of a column's type; the lowest eight are a size. */
enum {
    TYPE_SIZE = 0x00FF,
    TYPE_LOCALIZABLE = 0x0200,
    TYPE_STRING = 0x0800,
    TYPE_BINARY = 0x0900, /* these bits alone, but for TYPE_NULLABLE */
    TYPE_NULLABLE = 0x1000,
    TYPE_KEY = 0x2000,
    TYPE_KNOWN = 0x3FFF, /* the others are for tables that are never stored */
};

/* The types of the columns of the two tables themselves: a name, a number. */
#define NAME_TYPE (TYPE_STRING | 0x0500 | 64)
#define NUMBER_TYPE (0x0500 | 2)

enum errc msi_column_init(struct msi_column *c, uint32_t type, uint8_t ref_len, struct err *err)
{
    uint32_t size = type & TYPE_SIZE;
    if ((type & ~(uint32_t)TYPE_KNOWN) != 0)
        return err_set(err, E_MALFORMED, "MSI: a column of type 0x%" PRIX32, type);
    c->is_key = (type & TYPE_KEY) != 0;
    c->is_nullable = (type & TYPE_NULLABLE) != 0;
    c->is_localizable = (type & TYPE_LOCALIZABLE) != 0;
    if ((type & ~(uint32_t)TYPE_NULLABLE) == TYPE_BINARY) {
        c->type = MSI_BINARY;
        c->width = 2;
    } else if ((type & TYPE_STRING) != 0) {
        c->type = MSI_TEXT;
        c->width = ref_len;
        c->text_max = (uint8_t)size;
    } else if (size == 2 || size == 4) {
        c->type = size == 2 ? MSI_I2 : MSI_I4;
        c->width = (uint8_t)size;
    } else {
        return err_set(err, E_MALFORMED, "MSI: a column of numbers of %" PRIu32 " bytes", size);
    }
    return E_OK;
}

struct work {
    struct msi_db *db;
    struct msi_column own[4]; /* of the table that is read: _Tables, _Columns */
    struct msi_schema schema;
    struct msi_table *rows;
    uint32_t *table_of; /* by the number of the name's string: 1 + its index, 0 for no table */
};

static enum errc open_own(struct work *w, const char *name, const uint32_t *types, uint32_t n,
                          uint32_t n_rows_max, struct err *err)
{
    w->schema = (struct msi_schema){ span_text(name), w->own, n, 0 };
    for (uint32_t i = 0; i < n; i++) {
        w->own[i].before = w->schema.row_len;
        enum errc rc = msi_column_init(&w->own[i], types[i], w->db->ref_len, err);
        if (rc != E_OK)
            return rc;
        w->schema.row_len += w->own[i].width;
    }
    msi_table_close(w->rows);
    w->rows = NULL;
    enum errc rc = msi_table_open(w->db, &w->schema, &w->rows, err);
    if (rc == E_OK && msi_table_n_rows(w->rows) > n_rows_max)
        rc = err_set(err, E_LIMIT, "MSI: %" PRIu32 " rows in %s, limit %" PRIu32,
                     msi_table_n_rows(w->rows), name, n_rows_max);
    return rc;
}

static enum errc add_table(struct work *w, uint32_t row, struct err *err)
{
    struct msi_db *db = w->db;
    struct msi_schema *table = &db->tables[row];
    uint32_t number;
    char shown[NAME_SHOWN];
    enum errc rc = msi_table_raw(w->rows, row, 0, &number, err);
    if (rc == E_OK)
        rc = msi_strings_get(db, number, &table->name, err);
    if (rc != E_OK)
        return rc;
    if (table->name.len == 0)
        return err_set(err, E_MALFORMED, "MSI: a table without a name");
    if (w->table_of[number] != 0)
        return err_set(err, E_MALFORMED, "MSI: table %s is there twice",
                       text_printable(table->name, shown, sizeof(shown)));
    w->table_of[number] = row + 1;
    db->n_tables = row + 1;
    return E_OK;
}

static enum errc read_tables(struct work *w, struct err *err)
{
    static const uint32_t types[] = { NAME_TYPE };
    enum errc rc = open_own(w, "_Tables", types, ARRAY_LEN(types), MSI_TABLES_MAX, err);
    if (rc != E_OK)
        return rc;
    uint32_t n = msi_table_n_rows(w->rows);
    w->db->tables = calloc((size_t)n + 1, sizeof(*w->db->tables));
    w->table_of = calloc(w->db->n_strings, sizeof(*w->table_of));
    if (w->db->tables == NULL || w->table_of == NULL)
        return err_nomem(err);
    for (uint32_t row = 0; row < n && rc == E_OK; row++)
        rc = add_table(w, row, err);
    return rc;
}

/* A row of _Columns. */
struct column_row {
    struct msi_schema *table;
    int32_t number, type;
};

static enum errc read_row(struct work *w, uint32_t row, struct column_row *out, struct err *err)
{
    struct msi_db *db = w->db;
    uint32_t name;
    enum errc rc = msi_table_raw(w->rows, row, 0, &name, err);
    if (rc != E_OK)
        return rc;
    if (name >= db->n_strings || w->table_of[name] == 0)
        return err_set(err, E_MALFORMED, "MSI: row %" PRIu32 " of _Columns is of no table", row);
    out->table = &db->tables[w->table_of[name] - 1];
    rc = msi_table_number(w->rows, row, 1, &out->number, err);
    if (rc == E_OK)
        rc = msi_table_number(w->rows, row, 3, &out->type, err);
    return rc == E_ABSENT
               ? err_set(err, E_MALFORMED, "MSI: a null in row %" PRIu32 " of _Columns", row)
               : rc;
}

static enum errc count_columns(struct work *w, struct err *err)
{
    struct column_row r;
    enum errc rc = E_OK;
    for (uint32_t row = 0; row < msi_table_n_rows(w->rows) && rc == E_OK; row++) {
        rc = read_row(w, row, &r, err);
        if (rc == E_OK)
            r.table->n_columns++;
    }
    return rc;
}

static enum errc place_column(struct work *w, uint32_t row, struct err *err)
{
    struct column_row r;
    char shown[NAME_SHOWN];
    enum errc rc = read_row(w, row, &r, err);
    if (rc != E_OK)
        return rc;
    if (r.number < 1 || (uint32_t)r.number > r.table->n_columns)
        return err_set(err, E_MALFORMED, "MSI: table %s has a column %" PRId32 " of %" PRIu32,
                       text_printable(r.table->name, shown, sizeof(shown)), r.number,
                       r.table->n_columns);
    struct msi_column *c = &w->db->columns[r.table->columns - w->db->columns + r.number - 1];
    if (c->width != 0)
        return err_set(err, E_MALFORMED, "MSI: table %s has two columns %" PRId32,
                       text_printable(r.table->name, shown, sizeof(shown)), r.number);
    rc = msi_table_text(w->rows, row, 2, &c->name, err);
    return rc == E_OK ? msi_column_init(c, (uint32_t)r.type, w->db->ref_len, err) : rc;
}

static void measure_rows(struct msi_db *db)
{
    struct msi_column *c = db->columns;
    for (uint32_t i = 0; i < db->n_tables; i++)
        for (uint32_t k = 0; k < db->tables[i].n_columns; k++, c++) {
            c->before = db->tables[i].row_len;
            db->tables[i].row_len += c->width;
        }
}

static enum errc read_columns(struct work *w, struct err *err)
{
    static const uint32_t types[] = { NAME_TYPE, NUMBER_TYPE, NAME_TYPE, NUMBER_TYPE };
    struct msi_db *db = w->db;
    enum errc rc = open_own(w, "_Columns", types, ARRAY_LEN(types), MSI_COLUMNS_MAX, err);
    if (rc == E_OK)
        rc = count_columns(w, err);
    if (rc != E_OK)
        return rc;
    uint32_t n = msi_table_n_rows(w->rows), at = 0;
    db->columns = calloc((size_t)n + 1, sizeof(*db->columns));
    if (db->columns == NULL)
        return err_nomem(err);
    for (uint32_t i = 0; i < db->n_tables; at += db->tables[i++].n_columns)
        db->tables[i].columns = db->columns + at;
    for (uint32_t row = 0; row < n && rc == E_OK; row++)
        rc = place_column(w, row, err);
    measure_rows(db);
    return rc;
}

enum errc msi_schemas_read(struct msi_db *db, struct err *err)
{
    struct work w = { .db = db };
    enum errc rc = read_tables(&w, err);
    if (rc == E_OK)
        rc = read_columns(&w, err);
    msi_table_close(w.rows);
    free(w.table_of);
    return rc;
}
