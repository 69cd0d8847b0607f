#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "installer/core/preflight_private.h"
#include "platform/base/text.h"

#define DATABASE_TIMEOUT_MS 15000
#define CONNECTION_MAX 4096

/* One database while it is asked. Its answers go to findings; `is_lost` says that it answers no
 * more. */
struct asking {
    const struct preflight_row_ask *row;
    const struct check_database *check;
    struct db *db;
    bool is_lost;
};

static const char *const kind_names[] = { "SQL Server LocalDB", "SQL Server", "PostgreSQL",
                                          "MySQL or MariaDB",   "SQLite",     "of a kind unknown" };

static enum errc add(const struct asking *a, const char *result, const char *text)
{
    return preflight_add(a->row->out, CHECK_DATABASE, result, "%s", text);
}

static bool is_unreachable(enum errc code)
{
    return code == E_ACCESS || code == E_ABSENT || code == E_IO || code == E_TIMEOUT;
}

/* Not found out: a finding, but for what is our own. */
static enum errc unknown(struct asking *a, const char *what, const struct err *why, struct err *err)
{
    char text[PREFLIGHT_TEXT_ROOM];
    if (why->code == E_NOMEM)
        return err_nomem(err);
    a->is_lost = why->code == E_IO || why->code == E_TIMEOUT;
    (void)snprintf(text, sizeof(text), "%s: %s", what, why->text);
    return add(a, a->is_lost ? a->row->check->result : "", text);
}

/* --- the connection */

/* The file's one line; where we are elevated none but the administrator can change it, as it names
 * a driver. Caller wipes and frees *out, also where this fails. */
static enum errc read_connection(const struct setup *setup, const char *name, struct buf *out,
                                 struct err *err)
{
    char path[SETUP_PATH_ROOM], shown[160];
    enum errc rc = setup_resolve(setup, name, path, err);
    if (rc == E_OK)
        rc = setup_guard(setup, path, 0, err);
    if (rc != E_OK)
        return rc;
    rc = platform_fill_from_file(setup->platform, path, CONNECTION_MAX + 3, out, err);
    while (rc == E_OK && out->len > 0 &&
           (out->ptr[out->len - 1] == '\n' || out->ptr[out->len - 1] == '\r'))
        out->len--;
    if (rc == E_OK && (out->len == 0 || memchr(out->ptr, '\n', out->len) != NULL ||
                       memchr(out->ptr, 0, out->len) != NULL))
        rc = err_set(err, E_ARGUMENT, "is not one line, the connection to the database");
    if (rc == E_OK)
        rc = buf_add_byte(out, '\0', err);
    return rc == E_OK
               ? rc
               : err_prefix(err, "%s: ", text_printable(span_text(path), shown, sizeof(shown)));
}

static enum errc open_database(struct asking *a, const char *connection, struct err *err)
{
    struct platform *p = a->row->ask->setup->platform;
    struct err why = { .code = E_OK };
    enum errc rc = p->db->open(p->self, connection, DATABASE_TIMEOUT_MS, &a->db, &why);
    if (rc == E_OK)
        return E_OK;
    a->is_lost = true;
    if (rc == E_NOMEM)
        return err_nomem(err);
    return add(a, is_unreachable(rc) ? a->row->check->result : "", why.text);
}

/* E_OK and is_lost: there is a finding. */
static enum errc connect(struct asking *a, struct err *err)
{
    struct err why = { .code = E_OK };
    struct buf line = { .len = 0 };
    if (a->check->connection != NULL)
        return open_database(a, a->check->connection, err);
    enum errc rc = read_connection(a->row->ask->setup, a->check->connection_file, &line, &why);
    if (rc == E_OK) {
        rc = open_database(a, (const char *)line.ptr, err);
    } else {
        a->is_lost = true;
        rc = rc == E_NOMEM ? err_nomem(err) : add(a, "", why.text);
    }
    if (line.ptr != NULL)
        (void)memset(line.ptr, 0, line.room);
    buf_fini(&line);
    return rc;
}

/* --- what it is asked */

static enum errc ask_kind(struct asking *a, struct err *err)
{
    struct platform *p = a->row->ask->setup->platform;
    struct err why = { .code = E_OK };
    enum db_kind kind = DB_OTHER;
    char text[PREFLIGHT_TEXT_ROOM];
    if (p->db->kind(p->self, a->db, &kind, &why) != E_OK)
        return unknown(a, "the kind of the database", &why, err);
    if (kind < DB_OTHER && (a->check->kinds & (1U << kind)) != 0)
        return E_OK;
    (void)snprintf(text, sizeof(text), "the database is %s, which the product file does not allow",
                   kind_names[kind <= DB_OTHER ? kind : DB_OTHER]);
    return add(a, a->check->kind_result, text);
}

static enum errc ask_size(struct asking *a, struct err *err)
{
    struct platform *p = a->row->ask->setup->platform;
    struct err why = { .code = E_OK };
    uint64_t size = 0;
    char text[PREFLIGHT_TEXT_ROOM];
    if (p->db->size(p->self, a->db, &size, &why) != E_OK)
        return unknown(a, "the size of the database", &why, err);
    if (size < a->check->below_bytes)
        return E_OK;
    (void)snprintf(text, sizeof(text),
                   "the database has %" PRIu64 " bytes, and must have less than %" PRIu64, size,
                   a->check->below_bytes);
    return add(a, a->check->size_result, text);
}

static enum errc ask_right(struct asking *a, const struct check_right *right, struct err *err)
{
    struct platform *p = a->row->ask->setup->platform;
    struct err why = { .code = E_OK };
    bool has = false;
    char text[PREFLIGHT_TEXT_ROOM], name[80], account[80];
    const char *who = right->account == NULL ? "the account of the connection" : right->account;
    (void)text_printable(span_text(right->name), name, sizeof(name));
    (void)text_printable(span_text(who), account, sizeof(account));
    (void)snprintf(text, sizeof(text), "the right %s of %s", name, account);
    if (p->db->has_right(p->self, a->db, right->name, right->account, &has, &why) != E_OK)
        return unknown(a, text, &why, err);
    if (has)
        return E_OK;
    (void)snprintf(text, sizeof(text), "%s lacks the right %s in the database; grant it", account,
                   name);
    return add(a, right->result, text);
}

static enum errc ask_all(struct asking *a, struct err *err)
{
    enum errc rc = a->check->kinds == 0 ? E_OK : ask_kind(a, err);
    if (rc == E_OK && !a->is_lost && a->check->below_bytes > 0)
        rc = ask_size(a, err);
    for (size_t i = 0; i < a->check->rights.n && rc == E_OK && !a->is_lost; i++)
        rc = ask_right(a, &a->check->rights.items[i], err);
    return rc;
}

enum errc preflight_database(const struct preflight_row_ask *row, struct err *err)
{
    struct platform *p = row->ask->setup->platform;
    struct asking a = { .row = row, .check = &row->check->of.database };
    enum errc rc = connect(&a, err);
    if (rc == E_OK && !a.is_lost)
        rc = ask_all(&a, err);
    p->db->close(p->self, a.db);
    return rc;
}
