/* What an installer package says of the product in it. */

#include <string.h>

#include "installer/cli/inspect.h"
#include "platform/base/text.h"
#include "verify/msi_db.h"

#define TEXT_MAX (64 * 1024) /* longer ones are no product's name */

struct look {
    const struct cfb *cfb;
    struct msi_db *db;
    struct inspect_msi *out;
    struct err *err;
};

static const char *const kind_words[] = { [MSI_KIND_UNKNOWN] = "unknown",
                                          [MSI_KIND_PACKAGE] = "package",
                                          [MSI_KIND_PATCH] = "patch",
                                          [MSI_KIND_TRANSFORM] = "transform" };

static enum errc read_property(struct look *l, const char *name, char *to, size_t room)
{
    struct buf b;
    buf_init(&b, TEXT_MAX);
    enum errc rc = msi_db_find_property(l->db, name, &b, l->err);
    if (rc == E_OK)
        (void)text_printable(buf_span(&b), to, room);
    buf_fini(&b);
    return rc == E_ABSENT ? E_OK : rc;
}

static enum errc read_properties(struct look *l)
{
    struct inspect_msi *m = l->out;
    const struct {
        const char *name;
        char *to;
        size_t room;
    } wanted[] = {
        { "ProductName", m->name, sizeof(m->name) },
        { "ProductVersion", m->version, sizeof(m->version) },
        { "Manufacturer", m->manufacturer, sizeof(m->manufacturer) },
        { "ProductCode", m->product_code, sizeof(m->product_code) },
        { "UpgradeCode", m->upgrade_code, sizeof(m->upgrade_code) },
    };
    enum errc rc = E_OK;
    for (size_t i = 0; i < ARRAY_LEN(wanted) && rc == E_OK; i++)
        rc = read_property(l, wanted[i].name, wanted[i].to, wanted[i].room);
    return rc;
}

/* --- the summary */

static enum errc read_summary_text(struct look *l, const struct msi_summary *s,
                                   enum msi_summary_id id, char *to, size_t room)
{
    struct buf b;
    buf_init(&b, 3 * MSI_SUMMARY_BYTES_MAX);
    enum errc rc = msi_summary_add_text(s, id, &b, l->err);
    if (rc == E_OK)
        (void)text_printable(buf_span(&b), to, room);
    buf_fini(&b);
    return rc;
}

/* "x64;1033,1031" of a package. */
static void split_template(struct inspect_msi *m, const char *text)
{
    const char *end = strchr(text, ';');
    size_t len = end == NULL ? strlen(text) : (size_t)(end - text);
    (void)text_printable(span_of(text, len), m->platform, sizeof(m->platform));
    if (end != NULL)
        (void)text_copy(m->languages, sizeof(m->languages), end + 1);
}

static enum errc read_summary_texts(struct look *l, const struct msi_summary *s)
{
    struct inspect_msi *m = l->out;
    char template[NAME_ROOM];
    enum errc rc = read_summary_text(l, s, MSI_SUMMARY_TITLE, m->title, sizeof(m->title));
    if (rc == E_OK)
        rc =
            read_summary_text(l, s, MSI_SUMMARY_REVISION, m->package_code, sizeof(m->package_code));
    if (rc == E_OK)
        rc = read_summary_text(l, s, MSI_SUMMARY_TEMPLATE, template, sizeof(template));
    if (rc != E_OK)
        return rc;
    if (strcmp(m->kind, "patch") == 0)
        (void)text_copy(m->targets, sizeof(m->targets), template);
    else
        split_template(m, template);
    return E_OK;
}

static enum errc read_summary(struct look *l)
{
    struct msi_summary s;
    enum errc rc = msi_summary_read(l->cfb, &s, l->err);
    if (rc == E_OK)
        rc = read_summary_texts(l, &s);
    msi_summary_fini(&s);
    return rc == E_ABSENT ? E_OK : rc;
}

/* --- files and cabinets */

static enum errc open_table(struct look *l, const char *name, const struct msi_schema **out_schema,
                            struct msi_table **out)
{
    enum errc rc = msi_db_find_table(l->db, name, out_schema, l->err);
    return rc == E_OK ? msi_table_open(l->db, *out_schema, out, l->err) : rc;
}

static enum errc count_files(struct look *l)
{
    const struct msi_schema *schema;
    struct msi_table *t = NULL;
    enum errc rc = open_table(l, "File", &schema, &t);
    if (rc == E_OK) {
        l->out->has_files = true;
        l->out->n_files = msi_table_n_rows(t);
    }
    msi_table_close(t);
    return rc == E_ABSENT ? E_OK : rc;
}

static enum errc show_cabinet(struct look *l, struct span name, struct inspect_cabinet *c)
{
    const struct cfb_entry *stream;
    c->is_embedded = name.len > 0 && name.ptr[0] == '#';
    if (c->is_embedded)
        name = span_sub(name, 1, name.len - 1);
    (void)text_printable(name, c->name, sizeof(c->name));
    if (c->is_embedded && msi_db_find_stream(l->db, name, &stream, l->err) == E_OK) {
        c->has_size = true;
        c->size = stream->size;
    }
    return E_OK;
}

static enum errc read_cabinet(struct look *l, const struct msi_table *t, uint32_t row,
                              uint32_t column)
{
    struct inspect_msi *m = l->out;
    struct span raw;
    struct buf b;
    enum errc rc = msi_table_text(t, row, column, &raw, l->err);
    if (rc != E_OK || raw.len == 0) /* null: the files lie beside the package one by one */
        return rc;
    if (m->n_cabinets++ >= INSPECT_CABINETS_MAX)
        return E_OK;
    buf_init(&b, TEXT_MAX);
    rc = msi_table_add_text(t, row, column, &b, l->err);
    if (rc == E_OK)
        rc = show_cabinet(l, buf_span(&b), &m->cabinets[m->n_cabinets - 1]);
    buf_fini(&b);
    return rc;
}

static enum errc read_cabinets(struct look *l)
{
    const struct msi_schema *schema;
    struct msi_table *t = NULL;
    uint32_t column = 0;
    enum errc rc = open_table(l, "Media", &schema, &t);
    if (rc == E_OK)
        rc = msi_schema_find_column(schema, "Cabinet", MSI_TEXT, &column, l->err);
    for (uint32_t row = 0; rc == E_OK && row < msi_table_n_rows(t); row++)
        rc = read_cabinet(l, t, row, column);
    msi_table_close(t);
    return rc == E_ABSENT ? E_OK : rc;
}

/* --- all of it */

static enum errc read_all(struct look *l)
{
    enum errc rc = msi_db_open(l->cfb, &l->db, l->err);
    if (rc != E_OK)
        return rc;
    l->out->is_there = true;
    l->out->kind = kind_words[msi_kind_of(l->cfb)];
    rc = read_summary(l);
    if (rc == E_OK)
        rc = read_properties(l);
    if (rc == E_OK)
        rc = count_files(l);
    return rc == E_OK ? read_cabinets(l) : rc;
}

enum errc inspect_read_msi(struct source *src, struct inspect_msi *out, struct err *err)
{
    struct cfb *cfb;
    if (cfb_open(src, &cfb, err) != E_OK) /* the verdict has the reason */
        return errc_is_about_bytes(err->code) ? E_OK : err->code;
    struct look l = { .cfb = cfb, .out = out, .err = err };
    enum errc rc = read_all(&l);
    if (errc_is_about_bytes(rc))
        (void)text_printable(span_text(err->text), out->trouble, sizeof(out->trouble));
    msi_db_close(l.db);
    cfb_close(cfb);
    return rc == E_ABSENT || errc_is_about_bytes(rc) ? E_OK : rc;
}
