#include "verify/msi_package.h"

#include <string.h>

#include "platform/base/text.h"
#include "verify/msi_db.h"

#define TEXT_MAX (64 * 1024)

const char *const msi_action_names[MSI_N_ACTIONS] = {
    "FindRelatedProducts", "InstallValidate",        "InstallInitialize", "InstallExecute",
    "InstallExecuteAgain", "RemoveExistingProducts", "InstallFinalize",
};

/* Standard actions that write into the installation script. */
static const char *const script_actions[] = {
    "AllocateRegistrySpace",
    "ProcessComponents",
    "UnpublishComponents",
    "UnpublishFeatures",
    "StopServices",
    "DeleteServices",
    "SelfUnregModules",
    "RemoveRegistryValues",
    "RemoveShortcuts",
    "RemoveFiles",
    "RemoveFolders",
    "CreateFolders",
    "MoveFiles",
    "InstallFiles",
    "PatchFiles",
    "DuplicateFiles",
    "BindImage",
    "CreateShortcuts",
    "WriteRegistryValues",
    "WriteIniValues",
    "WriteEnvironmentStrings",
    "InstallServices",
    "StartServices",
    "RegisterUser",
    "RegisterProduct",
    "PublishComponents",
    "PublishFeatures",
    "PublishProduct",
};

/* Attributes of a row of the table File, and the summary's word count. */
#define FILE_NONCOMPRESSED 0x2000
#define FILE_COMPRESSED 0x4000
#define WORDS_COMPRESSED 2

struct reading {
    const struct msi_db *db;
    int32_t words; /* of the summary */
    struct msi_package *out;
    struct err *err;
};

/* A table that is open, or is not there (t NULL). */
struct opened {
    const struct msi_schema *schema;
    struct msi_table *t;
};

static enum errc open_table(const struct reading *r, const char *name, struct opened *out)
{
    *out = (struct opened){ NULL, NULL };
    enum errc rc = msi_db_find_table(r->db, name, &out->schema, r->err);
    if (rc == E_ABSENT)
        return E_OK;
    return rc == E_OK ? msi_table_open(r->db, out->schema, &out->t, r->err) : rc;
}

static enum errc read_text(const struct reading *r, const struct opened *o, uint32_t row,
                           const char *column, char *to, size_t room)
{
    uint32_t at;
    struct buf b;
    buf_init(&b, TEXT_MAX);
    enum errc rc = msi_schema_find_column(o->schema, column, MSI_TEXT, &at, r->err);
    if (rc == E_OK)
        rc = msi_table_add_text(o->t, row, at, &b, r->err);
    if (rc == E_OK)
        (void)text_printable(buf_span(&b), to, room);
    buf_fini(&b);
    return rc;
}

/* read_number: null is `otherwise`. */
static enum errc read_number(const struct reading *r, const struct opened *o, uint32_t row,
                             const char *column, int32_t otherwise, int32_t *out)
{
    uint32_t at;
    enum errc rc = msi_schema_find_column(o->schema, column, MSI_I4, &at, r->err);
    if (rc != E_OK)
        return rc;
    rc = msi_table_number(o->t, row, at, out, r->err);
    if (rc != E_ABSENT)
        return rc;
    *out = otherwise;
    return E_OK;
}

/* each_row calls `fn` for every row of a table, none where there is no such table. A column that is
 * missing is the package's fault. */
static enum errc each_row(const struct reading *r, const char *table,
                          enum errc (*fn)(const struct reading *r, const struct opened *o,
                                          uint32_t row))
{
    struct opened o;
    enum errc rc = open_table(r, table, &o);
    for (uint32_t row = 0; rc == E_OK && o.t != NULL && row < msi_table_n_rows(o.t); row++)
        rc = fn(r, &o, row);
    msi_table_close(o.t);
    if (rc == E_ABSENT)
        return err_set(r->err, E_MALFORMED, "MSI: the table %s lacks a column", table);
    return rc;
}

static enum errc read_property(const struct reading *r, const char *name, char *to, size_t room)
{
    struct buf b;
    buf_init(&b, TEXT_MAX);
    to[0] = '\0';
    enum errc rc = msi_db_find_property(r->db, name, &b, r->err);
    if (rc == E_OK)
        (void)text_printable(buf_span(&b), to, room);
    buf_fini(&b);
    return rc == E_ABSENT ? E_OK : rc;
}

static enum errc read_properties(const struct reading *r)
{
    struct msi_package *p = r->out;
    const struct {
        const char *name;
        char *to;
        size_t room;
    } wanted[] = {
        { "ProductName", p->name, sizeof(p->name) },
        { "ProductVersion", p->version, sizeof(p->version) },
        { "ProductCode", p->product_code, sizeof(p->product_code) },
        { "UpgradeCode", p->upgrade_code, sizeof(p->upgrade_code) },
    };
    enum errc rc = E_OK;
    for (size_t i = 0; i < ARRAY_LEN(wanted) && rc == E_OK; i++)
        rc = read_property(r, wanted[i].name, wanted[i].to, wanted[i].room);
    return rc;
}

static bool is_script_action(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(script_actions); i++)
        if (strcmp(script_actions[i], name) == 0)
            return true;
    return false;
}

static void keep_action(struct msi_package *p, const char *name, int32_t sequence,
                        const char *condition)
{
    for (size_t i = 0; i < MSI_N_ACTIONS; i++)
        if (strcmp(msi_action_names[i], name) == 0) {
            p->sequence[i] = sequence;
            text_copy(p->conditions[i], MSI_WORD_ROOM, condition);
        }
    if (is_script_action(name) &&
        (p->first_script_sequence == MSI_NOT_THERE || sequence < p->first_script_sequence)) {
        p->first_script_sequence = sequence;
        text_copy(p->first_script_action, sizeof(p->first_script_action), name);
    }
}

/* An action without a number, or with one below 1, is not run. */
static enum errc read_action(const struct reading *r, const struct opened *o, uint32_t row)
{
    char name[MSI_WORD_ROOM], condition[MSI_WORD_ROOM];
    int32_t sequence;
    enum errc rc = read_text(r, o, row, "Action", name, sizeof(name));
    if (rc == E_OK)
        rc = read_text(r, o, row, "Condition", condition, sizeof(condition));
    if (rc == E_OK)
        rc = read_number(r, o, row, "Sequence", 0, &sequence);
    if (rc == E_OK && sequence > 0)
        keep_action(r->out, name, sequence, condition);
    return rc;
}

static enum errc read_upgrade(const struct reading *r, const struct opened *o, uint32_t row)
{
    struct msi_package *p = r->out;
    if (p->n_upgrades == MSI_UPGRADES_MAX)
        return err_set(r->err, E_LIMIT, "MSI: more than %d rows in the table Upgrade",
                       MSI_UPGRADES_MAX);
    struct msi_upgrade *u = &p->upgrades[p->n_upgrades++];
    enum errc rc = read_text(r, o, row, "UpgradeCode", u->upgrade_code, sizeof(u->upgrade_code));
    if (rc == E_OK)
        rc = read_text(r, o, row, "VersionMin", u->version_min, sizeof(u->version_min));
    if (rc == E_OK)
        rc = read_text(r, o, row, "VersionMax", u->version_max, sizeof(u->version_max));
    if (rc == E_OK)
        rc = read_text(r, o, row, "Remove", u->features, sizeof(u->features));
    return rc == E_OK ? read_number(r, o, row, "Attributes", 0, &u->attributes) : rc;
}

static enum errc keep_medium(char (*list)[MSI_WORD_ROOM], size_t *n, const char *name,
                             struct err *err)
{
    if (*n == MSI_EXTERNAL_MAX)
        return err_set(err, E_LIMIT, "MSI: more than %d media of one kind", MSI_EXTERNAL_MAX);
    text_copy(list[(*n)++], MSI_WORD_ROOM, name);
    return E_OK;
}

/* "#name" is a stream of the package; another name lies beside it, and an empty one says that the
 * files do (read_file counts those). */
static enum errc read_media(const struct reading *r, const struct opened *o, uint32_t row)
{
    struct msi_package *p = r->out;
    const struct cfb_entry *stream;
    char name[MSI_WORD_ROOM];
    enum errc rc = read_text(r, o, row, "Cabinet", name, sizeof(name));
    if (rc != E_OK || name[0] == '\0')
        return rc;
    if (name[0] != '#')
        return keep_medium(p->external, &p->n_external, name, r->err);
    rc = msi_db_find_stream(r->db, span_text(name + 1), &stream, r->err);
    return rc == E_ABSENT ? keep_medium(p->missing, &p->n_missing, name + 1, r->err) : rc;
}

static enum errc read_file(const struct reading *r, const struct opened *o, uint32_t row)
{
    int32_t attributes;
    enum errc rc = read_number(r, o, row, "Attributes", 0, &attributes);
    const bool is_loose =
        (attributes & FILE_NONCOMPRESSED) != 0 ||
        ((attributes & FILE_COMPRESSED) == 0 && (r->words & WORDS_COMPRESSED) == 0);
    if (rc == E_OK && is_loose)
        r->out->n_loose++;
    return rc;
}

static enum errc read_all(const struct reading *r)
{
    enum errc rc = read_properties(r);
    if (rc == E_OK)
        rc = each_row(r, "InstallExecuteSequence", read_action);
    if (rc == E_OK)
        rc = each_row(r, "Upgrade", read_upgrade);
    if (rc == E_OK)
        rc = each_row(r, "Media", read_media);
    return rc == E_OK ? each_row(r, "File", read_file) : rc;
}

/* A package without a summary is one whose files are not compressed, by the format's default. */
static enum errc read_words(const struct cfb *cfb, int32_t *out, struct err *err)
{
    struct msi_summary s;
    enum errc rc = msi_summary_read(cfb, &s, err);
    *out = rc == E_OK && s.has[MSI_SUMMARY_WORD_COUNT] ? s.number[MSI_SUMMARY_WORD_COUNT] : 0;
    msi_summary_fini(&s);
    return rc == E_ABSENT ? E_OK : rc;
}

static enum errc read_database(const struct cfb *cfb, struct msi_package *out, struct err *err)
{
    struct msi_db *db;
    enum errc rc = msi_db_open(cfb, &db, err);
    if (rc == E_ABSENT)
        return err_set(err, E_MALFORMED, "a compound file that is no installer package");
    if (rc != E_OK)
        return rc;
    struct reading r = { .db = db, .out = out, .err = err };
    rc = read_words(cfb, &r.words, err);
    if (rc == E_OK)
        rc = read_all(&r);
    msi_db_close(db);
    return rc;
}

enum errc msi_package_read(struct source *src, struct msi_package *out, struct err *err)
{
    struct cfb *cfb;
    *out = (struct msi_package){ .first_script_sequence = MSI_NOT_THERE };
    for (size_t i = 0; i < MSI_N_ACTIONS; i++)
        out->sequence[i] = MSI_NOT_THERE;
    enum errc rc = cfb_open(src, &cfb, err);
    if (rc != E_OK)
        return rc;
    rc = msi_kind_check(cfb, err);
    if (rc == E_OK)
        rc = read_database(cfb, out, err);
    cfb_close(cfb);
    return rc;
}
