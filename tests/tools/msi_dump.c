/* Prints what msi_db reads, for comparison with another reader.
 *
 *   msi_dump FILE              the names of its tables, one a line
 *   msi_dump FILE TABLE        column names, types and rows, with tabs between; a value's tab, line
 * feed, carriage return and NUL are the bytes 16, 25, 17 and 21; of a binary value, the size of its
 * stream msi_dump FILE --all        each table so, after a line of a form feed and its name
 *   msi_dump FILE --summary    number, tab, value
 *
 * Exits 0, or 1 with a message. */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "platform/source.h"
#include "verify/msi_db.h"

static void print_text(const struct buf *b)
{
    static const char from[] = "\t\n\r", to[] = "\20\31\21";
    for (size_t i = 0; i < b->len; i++) {
        const char *found = b->ptr[i] == 0 ? NULL : strchr(from, b->ptr[i]);
        (void)putchar(found == NULL ? b->ptr[i] : to[found - from]);
    }
}

static enum errc print_raw(const struct msi_db *db, struct span raw, struct err *err)
{
    struct buf b;
    buf_init(&b, 4 * MSI_TEXT_BYTES_MAX);
    enum errc rc = msi_add_utf8(raw, msi_db_code_page(db), &b, err);
    print_text(&b);
    buf_fini(&b);
    return rc;
}

static enum errc print_value(const struct msi_db *db, const struct msi_schema *schema,
                             const struct msi_table *t, uint32_t row, uint32_t column,
                             struct err *err)
{
    const struct cfb_entry *stream;
    struct span raw;
    int32_t number;
    enum errc rc;
    switch (schema->columns[column].type) {
    case MSI_TEXT:
        rc = msi_table_text(t, row, column, &raw, err);
        return rc == E_OK ? print_raw(db, raw, err) : rc;
    case MSI_BINARY:
        rc = msi_table_stream(t, row, column, &stream, err);
        if (rc == E_OK)
            (void)printf("%" PRIu64, stream->size);
        break;
    default:
        rc = msi_table_number(t, row, column, &number, err);
        if (rc == E_OK)
            (void)printf("%" PRId32, number);
        break;
    }
    return rc == E_ABSENT ? E_OK : rc;
}

static void print_type(const struct msi_column *c)
{
    static const char lower[] = { 'i', 'i', 's', 'v' }, upper[] = { 'I', 'I', 'S', 'V' };
    char letter = (c->is_nullable ? upper : lower)[c->type];
    if (c->type == MSI_TEXT && c->is_localizable)
        letter = c->is_nullable ? 'L' : 'l';
    unsigned size = c->type == MSI_TEXT ? c->text_max : c->type == MSI_BINARY ? 0 : c->width;
    (void)printf("%c%u", letter, size);
}

static enum errc print_head(const struct msi_db *db, const struct msi_schema *s, struct err *err)
{
    enum errc rc = E_OK;
    for (uint32_t i = 0; i < s->n_columns && rc == E_OK; i++) {
        (void)printf("%s", i == 0 ? "" : "\t");
        rc = print_raw(db, s->columns[i].name, err);
    }
    for (uint32_t i = 0; i < s->n_columns; i++) {
        (void)printf("%s", i == 0 ? "\n" : "\t");
        print_type(&s->columns[i]);
    }
    (void)printf("\n");
    return rc;
}

static enum errc print_table(const struct msi_db *db, const struct msi_schema *s, struct err *err)
{
    struct msi_table *t = NULL;
    enum errc rc = msi_table_open(db, s, &t, err);
    if (rc == E_OK)
        rc = print_head(db, s, err);
    for (uint32_t row = 0; rc == E_OK && row < msi_table_n_rows(t); row++) {
        for (uint32_t i = 0; i < s->n_columns && rc == E_OK; i++) {
            (void)printf("%s", i == 0 ? "" : "\t");
            rc = print_value(db, s, t, row, i, err);
        }
        (void)printf("\n");
    }
    msi_table_close(t);
    return rc;
}

static enum errc print_named(const struct msi_db *db, const char *name, struct err *err)
{
    const struct msi_schema *s;
    enum errc rc = msi_db_find_table(db, name, &s, err);
    return rc == E_OK ? print_table(db, s, err) : rc;
}

static enum errc print_all(const struct msi_db *db, struct err *err)
{
    enum errc rc = E_OK;
    for (size_t i = 0; i < msi_db_n_tables(db) && rc == E_OK; i++) {
        (void)putchar('\f');
        rc = print_raw(db, msi_db_table(db, i)->name, err);
        (void)putchar('\n');
        if (rc == E_OK)
            rc = print_table(db, msi_db_table(db, i), err);
    }
    return rc;
}

static enum errc print_names(const struct msi_db *db, struct err *err)
{
    enum errc rc = E_OK;
    for (size_t i = 0; i < msi_db_n_tables(db) && rc == E_OK; i++) {
        rc = print_raw(db, msi_db_table(db, i)->name, err);
        (void)printf("\n");
    }
    return rc;
}

static enum errc print_summary(const struct cfb *cfb, struct err *err)
{
    struct msi_summary s;
    struct buf b;
    enum errc rc = msi_summary_read(cfb, &s, err);
    buf_init(&b, 4 * MSI_SUMMARY_BYTES_MAX);
    for (int id = 1; id < MSI_SUMMARY_IDS && rc == E_OK; id++) {
        buf_clear(&b);
        rc = msi_summary_add_text(&s, (enum msi_summary_id)id, &b, err);
        if (!s.has[id])
            continue;
        (void)printf("%d\t", id);
        print_text(&b);
        if (s.text[id].ptr == NULL)
            (void)printf("%" PRId32, s.number[id]);
        (void)printf("\n");
    }
    buf_fini(&b);
    msi_summary_fini(&s);
    return rc;
}

static enum errc print_file(const struct cfb *cfb, const char *what, struct err *err)
{
    struct msi_db *db = NULL;
    if (what != NULL && strcmp(what, "--summary") == 0)
        return print_summary(cfb, err);
    enum errc rc = msi_db_open(cfb, &db, err);
    if (rc == E_OK && what == NULL)
        rc = print_names(db, err);
    else if (rc == E_OK)
        rc = strcmp(what, "--all") == 0 ? print_all(db, err) : print_named(db, what, err);
    msi_db_close(db);
    return rc;
}

int main(int argc, char **argv)
{
    struct err err = { .code = E_OK };
    struct source *src = NULL;
    struct cfb *cfb = NULL;
    if (argc != 2 && argc != 3)
        return 2;
    enum errc rc = source_file_open(argv[1], &src, &err);
    if (rc == E_OK)
        rc = cfb_open(src, &cfb, &err);
    if (rc == E_OK)
        rc = print_file(cfb, argc == 3 ? argv[2] : NULL, &err);
    if (rc != E_OK)
        (void)fprintf(stderr, "%s\n", err.text);
    cfb_close(cfb);
    source_close(src);
    return rc == E_OK && fflush(stdout) == 0 ? 0 : 1;
}
