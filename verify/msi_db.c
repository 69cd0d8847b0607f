#include "verify/msi_db.h"

#include <stdlib.h>

#include "platform/base/text.h"
#include "verify/msi_db_private.h"

/* --- streams */

enum errc msi_db_read_stream(const struct cfb *cfb, struct span utf16, struct buf *b,
                             bool *out_is_there, struct err *err)
{
    const struct cfb_entry *e = cfb_find(cfb, CFB_ROOT_ID, utf16);
    if (e != NULL && e->type != CFB_STREAM)
        return err_set(err, E_MALFORMED, "MSI: a storage where a stream must be");
    enum errc rc = e == NULL ? E_OK : cfb_read(cfb, e, b, err);
    if (rc == E_OK)
        *out_is_there = e != NULL;
    return rc;
}

enum errc msi_db_read_table(const struct cfb *cfb, struct span name, struct buf *b,
                            bool *out_is_there, struct err *err)
{
    struct msi_name packed;
    char shown[80];
    if (!msi_name_pack(name, true, &packed)) {
        *out_is_there = false;
        return E_OK;
    }
    enum errc rc = msi_db_read_stream(cfb, span_of(packed.utf16, packed.len), b, out_is_there, err);
    if (rc != E_OK)
        (void)err_prefix(err, "table %s: ", text_printable(name, shown, sizeof(shown)));
    return rc;
}

enum errc msi_db_find_stream(const struct msi_db *db, struct span name,
                             const struct cfb_entry **out, struct err *err)
{
    struct msi_name packed;
    char shown[80];
    const struct cfb_entry *e = NULL;
    if (msi_name_pack(name, false, &packed))
        e = cfb_find(db->cfb, CFB_ROOT_ID, span_of(packed.utf16, packed.len));
    if (e == NULL || e->type != CFB_STREAM)
        return err_set(err, E_ABSENT, "MSI: no stream %s",
                       text_printable(name, shown, sizeof(shown)));
    *out = e;
    return E_OK;
}

/* --- open */

/* The last byte but seven of the root's class, 000C108x-0000-0000-C000-000000000046. */
enum msi_kind msi_kind_of(const struct cfb *cfb)
{
    static const uint8_t rest[15] = { 0x10, 0x0C, 0, 0, 0, 0, 0, 0xC0, 0, 0, 0, 0, 0, 0, 0x46 };
    struct span id = cfb_entry_clsid(cfb_entry(cfb, CFB_ROOT_ID));
    if (!span_equal(span_sub(id, 1, 15), span_of(rest, sizeof(rest))))
        return MSI_KIND_UNKNOWN;
    switch (id.ptr[0]) {
    case 0x82: return MSI_KIND_TRANSFORM;
    case 0x84: return MSI_KIND_PACKAGE;
    case 0x86: return MSI_KIND_PATCH;
    default: return MSI_KIND_UNKNOWN;
    }
}

enum errc msi_kind_check(const struct cfb *cfb, struct err *err)
{
    const enum msi_kind kind = msi_kind_of(cfb);
    if (kind != MSI_KIND_PATCH && kind != MSI_KIND_TRANSFORM)
        return E_OK;
    return err_set(err, E_UNSUPPORTED,
                   "is a Windows Installer %s, which changes a package that is there and is not "
                   "installed here: release the whole package (.msi)",
                   kind == MSI_KIND_PATCH ? "patch (.msp)" : "transform (.mst)");
}

enum errc msi_db_open(const struct cfb *cfb, struct msi_db **out, struct err *err)
{
    struct msi_db *db = calloc(1, sizeof(*db));
    if (db == NULL)
        return err_nomem(err);
    db->cfb = cfb;
    buf_init(&db->text, MSI_TEXT_BYTES_MAX);
    enum errc rc = msi_strings_read(db, err);
    if (rc == E_OK)
        rc = msi_schemas_read(db, err);
    if (rc == E_OK)
        *out = db;
    else
        msi_db_close(db);
    return rc;
}

void msi_db_close(struct msi_db *db)
{
    if (db == NULL)
        return;
    buf_fini(&db->text);
    free(db->strings);
    free(db->tables);
    free(db->columns);
    free(db);
}

uint32_t msi_db_code_page(const struct msi_db *db)
{
    return db->code_page;
}

size_t msi_db_n_tables(const struct msi_db *db)
{
    return db->n_tables;
}

const struct msi_schema *msi_db_table(const struct msi_db *db, size_t i)
{
    return &db->tables[i];
}

/* --- look-up by name */

enum errc msi_db_find_table(const struct msi_db *db, const char *name,
                            const struct msi_schema **out, struct err *err)
{
    const struct msi_schema *found = NULL;
    for (uint32_t i = 0; i < db->n_tables; i++) {
        if (!span_equal_text(db->tables[i].name, name))
            continue;
        if (found != NULL)
            return err_set(err, E_MALFORMED, "MSI: two tables %s", name);
        found = &db->tables[i];
    }
    if (found == NULL)
        return err_set(err, E_ABSENT, "MSI: no table %s", name);
    *out = found;
    return E_OK;
}

enum errc msi_schema_find_column(const struct msi_schema *schema, const char *name,
                                 enum msi_type type, uint32_t *out, struct err *err)
{
    uint32_t found = schema->n_columns;
    for (uint32_t i = 0; i < schema->n_columns; i++) {
        if (!span_equal_text(schema->columns[i].name, name))
            continue;
        if (found < schema->n_columns)
            return err_set(err, E_MALFORMED, "MSI: two columns %s", name);
        found = i;
    }
    if (found == schema->n_columns)
        return err_set(err, E_ABSENT, "MSI: no column %s", name);
    enum msi_type is = schema->columns[found].type;
    if (is != type && !(is == MSI_I2 && type == MSI_I4))
        return err_set(err, E_MALFORMED, "MSI: column %s is of another type", name);
    *out = found;
    return E_OK;
}

/* --- Property */

static enum errc find_row(const struct msi_table *t, uint32_t column, const char *name,
                          uint32_t *out, struct err *err)
{
    uint32_t n = msi_table_n_rows(t), found = n;
    for (uint32_t row = 0; row < n; row++) {
        struct span is;
        enum errc rc = msi_table_text(t, row, column, &is, err);
        if (rc != E_OK)
            return rc;
        if (!span_equal_text(is, name))
            continue;
        if (found < n)
            return err_set(err, E_MALFORMED, "MSI: property %s is there twice", name);
        found = row;
    }
    if (found == n)
        return err_set(err, E_ABSENT, "MSI: no property %s", name);
    *out = found;
    return E_OK;
}

static enum errc add_value(const struct msi_table *t, uint32_t row, uint32_t column,
                           const char *name, struct buf *b, struct err *err)
{
    struct span raw;
    enum errc rc = msi_table_text(t, row, column, &raw, err);
    for (size_t i = 0; i < raw.len && rc == E_OK; i++)
        if (raw.ptr[i] == 0)
            rc = err_set(err, E_MALFORMED, "MSI: a NUL in property %s", name);
    return rc == E_OK ? msi_table_add_text(t, row, column, b, err) : rc;
}

enum errc msi_db_find_property(const struct msi_db *db, const char *name, struct buf *b,
                               struct err *err)
{
    const struct msi_schema *schema;
    struct msi_table *t = NULL;
    uint32_t key = 0, value = 0, row = 0;
    enum errc rc = msi_db_find_table(db, "Property", &schema, err);
    if (rc == E_OK)
        rc = msi_schema_find_column(schema, "Property", MSI_TEXT, &key, err);
    if (rc == E_OK)
        rc = msi_schema_find_column(schema, "Value", MSI_TEXT, &value, err);
    if (rc == E_OK)
        rc = msi_table_open(db, schema, &t, err);
    if (rc == E_OK)
        rc = find_row(t, key, name, &row, err);
    if (rc == E_OK)
        rc = add_value(t, row, value, name, b, err);
    msi_table_close(t);
    return rc;
}
