#include <string.h>

#include "keys/publish/payload_of.h"
#include "manifest/value.h"
#include "platform/base/num.h"
#include "platform/base/text.h"
#include "verify/msi_db.h"

#define VALUE_CAP 1024

enum errc payload_looks_like_msi(struct source *src, bool *out, struct err *err)
{
    static const uint8_t magic[8] = { 0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1 };
    uint8_t head[sizeof(magic)];
    *out = false;
    if (src->size < sizeof(head))
        return E_OK;
    enum errc rc = source_read_at(src, 0, head, sizeof(head), err);
    if (rc == E_OK)
        *out = memcmp(head, magic, sizeof(head)) == 0;
    return rc;
}

/* --- the table Property */

static enum errc read_property(const struct msi_db *db, const char *name, struct buf *b,
                               struct err *err)
{
    buf_clear(b);
    enum errc rc = msi_db_find_property(db, name, b, err);
    if (rc == E_ABSENT)
        return err_set(err, E_MALFORMED, "the package has no property %s", name);
    return rc;
}

/* Codes are compared as text everywhere; Windows writes them in upper case. */
static void to_upper(struct buf *b)
{
    for (size_t i = 0; i < b->len; i++)
        if (b->ptr[i] >= 'a' && b->ptr[i] <= 'z')
            b->ptr[i] = (uint8_t)(b->ptr[i] - 'a' + 'A');
}

static enum errc read_code(const struct msi_db *db, const char *name, struct arena *a,
                           const char **out, struct err *err)
{
    struct buf b;
    buf_init(&b, VALUE_CAP);
    enum errc rc = read_property(db, name, &b, err);
    if (rc == E_OK) {
        to_upper(&b);
        rc = value_check_guid(buf_span(&b), err);
        if (rc != E_OK)
            (void)err_prefix(err, "property %s ", name);
    }
    if (rc == E_OK)
        rc = arena_text(a, buf_span(&b), out, err);
    buf_fini(&b);
    return rc;
}

static enum errc read_version(const struct msi_db *db, struct version *out, struct err *err)
{
    struct buf b;
    buf_init(&b, VALUE_CAP);
    enum errc rc = read_property(db, "ProductVersion", &b, err);
    if (rc == E_OK && version_read(buf_span(&b), out, err) != E_OK)
        rc = err_prefix(err, "property ProductVersion: ");
    buf_fini(&b);
    return rc;
}

/* --- the table File: sizes of what is installed */

static enum errc sum_column(const struct msi_table *t, uint32_t column, uint64_t *out,
                            struct err *err)
{
    enum errc rc = E_OK;
    for (uint32_t row = 0; row < msi_table_n_rows(t) && rc == E_OK; row++) {
        int32_t size;
        rc = msi_table_number(t, row, column, &size, err);
        if (rc == E_OK && (size < 0 || !num_add(*out, (uint64_t)size, out)))
            rc = err_set(err, E_MALFORMED, "table File: a size below 0");
    }
    return rc;
}

static enum errc sum_files(const struct msi_db *db, uint64_t *out, struct err *err)
{
    const struct msi_schema *schema;
    struct msi_table *t = NULL;
    uint32_t column;
    enum errc rc = msi_db_find_table(db, "File", &schema, err);
    *out = 0;
    if (rc == E_ABSENT)
        return E_OK; /* it installs no files */
    if (rc == E_OK)
        rc = msi_schema_find_column(schema, "FileSize", MSI_I4, &column, err);
    if (rc == E_OK)
        rc = msi_table_open(db, schema, &t, err);
    if (rc == E_OK)
        rc = sum_column(t, column, out, err);
    msi_table_close(t);
    return rc;
}

/* --- the summary information: "x64;1033" */

static uint32_t arch_of_template(struct span text)
{
    static const struct {
        const char *word;
        enum target_arch arch;
    } words[] = { { "Intel;", ARCH_X86 },
                  { "x64;", ARCH_X86_64 },
                  { "AMD64;", ARCH_X86_64 },
                  { "Arm64;", ARCH_AARCH64 },
                  { ";", ARCH_X86 } }; /* no word: Intel */
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (span_starts_with(text, span_text(words[i].word)))
            return UINT32_C(1) << words[i].arch;
    return 0;
}

static enum errc read_arch(const struct cfb *cfb, uint32_t *out, struct err *err)
{
    struct msi_summary summary;
    *out = 0;
    enum errc rc = msi_summary_read(cfb, &summary, err);
    if (rc == E_OK && summary.has[MSI_SUMMARY_TEMPLATE])
        *out = arch_of_template(summary.text[MSI_SUMMARY_TEMPLATE]);
    msi_summary_fini(&summary);
    return rc == E_ABSENT ? E_OK : rc;
}

static enum errc read_database(const struct msi_db *db, struct arena *a, struct payload *out,
                               struct err *err)
{
    enum errc rc = read_code(db, "UpgradeCode", a, &out->upgrade_code, err);
    if (rc == E_OK)
        rc = read_code(db, "ProductCode", a, &out->product_code, err);
    if (rc == E_OK)
        rc = read_version(db, &out->product_version, err);
    return rc == E_OK ? sum_files(db, &out->unpacked_size, err) : rc;
}

enum errc payload_of_msi(struct source *src, struct arena *a, struct payload *out, struct err *err)
{
    struct cfb *cfb = NULL;
    struct msi_db *db = NULL;
    out->kind = PAYLOAD_MSI;
    out->os = UINT32_C(1) << OS_WINDOWS;
    enum errc rc = cfb_open(src, &cfb, err);
    if (rc == E_OK)
        rc = msi_kind_check(cfb, err);
    if (rc == E_OK)
        rc = msi_db_open(cfb, &db, err);
    if (rc == E_ABSENT)
        rc = err_set(err, E_MALFORMED, "is a compound file, and no installer package");
    if (rc == E_OK)
        rc = read_database(db, a, out, err);
    if (rc == E_OK)
        rc = read_arch(cfb, &out->arch, err);
    msi_db_close(db);
    cfb_close(cfb);
    return rc;
}
