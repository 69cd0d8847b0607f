/* The database of a package: every value of every table, and the summary. */

#include <stdlib.h>

#include "platform/base/text.h"
#include "verify/msi_db.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define VALUES_MAX 20000U /* enough of one table */

static void read_value(const struct msi_table *t, enum msi_type type, uint32_t row, uint32_t column)
{
    const struct cfb_entry *stream;
    int32_t number;
    struct buf b;
    buf_init(&b, 4096);
    if (type == MSI_TEXT && msi_table_add_text(t, row, column, &b, NULL) == E_OK &&
        !text_is_utf8(buf_span(&b)))
        abort();
    if (type == MSI_BINARY && msi_table_stream(t, row, column, &stream, NULL) == E_OK &&
        stream->type != CFB_STREAM)
        abort();
    if (msi_table_number(t, row, column, &number, NULL) == E_OK && type == MSI_I2 &&
        (number < -0x8000 || number > 0x7FFF))
        abort();
    buf_fini(&b);
}

static void read_table(const struct msi_db *db, const struct msi_schema *s)
{
    struct msi_table *t;
    if (msi_table_open(db, s, &t, NULL) != E_OK)
        return;
    for (uint32_t row = 0, n = 0; row < msi_table_n_rows(t) && n < VALUES_MAX; row++)
        for (uint32_t i = 0; i < s->n_columns; i++, n++)
            read_value(t, s->columns[i].type, row, i);
    msi_table_close(t);
}

static void read_database(const struct cfb *cfb)
{
    struct msi_db *db;
    struct buf b;
    if (msi_db_open(cfb, &db, NULL) != E_OK)
        return;
    for (size_t i = 0; i < msi_db_n_tables(db) && i < 50; i++)
        read_table(db, msi_db_table(db, i));
    buf_init(&b, 4096);
    if (msi_db_find_property(db, "ProductVersion", &b, NULL) == E_OK && !text_is_utf8(buf_span(&b)))
        abort();
    buf_fini(&b);
    msi_db_close(db);
}

static void read_summary(const struct cfb *cfb)
{
    struct msi_summary s;
    struct buf b;
    buf_init(&b, 4096);
    if (msi_summary_read(cfb, &s, NULL) == E_OK &&
        msi_summary_add_text(&s, MSI_SUMMARY_TEMPLATE, &b, NULL) == E_OK &&
        !text_is_utf8(buf_span(&b)))
        abort();
    buf_fini(&b);
    msi_summary_fini(&s);
}

static void read_names(const struct cfb *cfb)
{
    for (uint32_t id = 0; id < cfb_n_entries(cfb); id++) {
        struct buf b;
        struct msi_name again;
        bool is_table;
        struct span name = cfb_entry(cfb, id)->name;
        buf_init(&b, 1024);
        if (msi_name_unpack(name, &b, &is_table, NULL) == E_OK &&
            msi_name_pack(buf_span(&b), is_table, &again) && again.len > sizeof(again.utf16))
            abort();
        buf_fini(&b);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct source *src;
    struct cfb *cfb;
    if (source_memory_new(span_of(data, size), &src, NULL) != E_OK)
        return 0;
    if (cfb_open(src, &cfb, NULL) == E_OK) {
        read_names(cfb);
        read_database(cfb);
        read_summary(cfb);
        cfb_close(cfb);
    }
    source_close(src);
    return 0;
}
