#include <string.h>
#include <strings.h>

#include "platform/odbc/db_parts.h"

/* ------------------------------------------------------------------------------------ kind, size
 */

static const struct {
    const char *name;
    enum db_kind kind;
} names[] = {
    { "SQLite", DB_SQLITE },
    { "PostgreSQL", DB_POSTGRESQL },
    { "Microsoft SQL Server", DB_SQLSERVER },
    { "MySQL", DB_MYSQL },
    { "MariaDB", DB_MYSQL },
};

static enum errc kind_by_name(struct db_link *link, enum db_kind *out, struct err *err)
{
    char name[DB_NAME_ROOM];
    enum errc rc = db_link_name(link, name, sizeof(name), err);
    if (rc != E_OK)
        return rc;
    *out = DB_OTHER;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strcasecmp(name, names[i].name) == 0)
            *out = names[i].kind;
    return E_OK;
}

enum errc db_ask_kind(struct db_link *link, enum db_kind *out, struct err *err)
{
    bool is_null = true;
    uint64_t is_local = 0;
    enum errc rc = kind_by_name(link, out, err);
    if (rc != E_OK || *out != DB_SQLSERVER)
        return rc;
    rc = db_link_number(link, "SELECT CAST(SERVERPROPERTY('IsLocalDB') AS int)", NULL, NULL,
                        &is_local, &is_null, err);
    if (rc == E_OK && !is_null && is_local == 1)
        *out = DB_LOCALDB;
    return rc;
}

static const char *alive_sql(enum db_kind kind)
{
    switch (kind) {
    case DB_SQLITE: return "SELECT COUNT(*) FROM sqlite_master"; /* reads the file's first page */
    case DB_POSTGRESQL:
    case DB_SQLSERVER:
    case DB_LOCALDB:
    case DB_MYSQL: return "SELECT 1";
    default: return NULL;
    }
}

enum errc db_ask_alive(struct db_link *link, struct err *err)
{
    enum db_kind kind;
    uint64_t ignored;
    bool is_null;
    enum errc rc = kind_by_name(link, &kind, err);
    if (rc != E_OK || alive_sql(kind) == NULL)
        return rc;
    return db_link_number(link, alive_sql(kind), NULL, NULL, &ignored, &is_null, err);
}

static const char *size_sql(enum db_kind kind)
{
    switch (kind) {
    case DB_SQLITE: return "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size";
    case DB_POSTGRESQL: return "SELECT pg_catalog.pg_database_size(pg_catalog.current_database())";
    case DB_SQLSERVER:
    case DB_LOCALDB: return "SELECT SUM(CAST(size AS bigint)) * 8192 FROM sys.database_files";
    case DB_MYSQL:
        return "SELECT CAST(COALESCE(SUM(data_length + index_length), 0) AS UNSIGNED) "
               "FROM information_schema.tables WHERE table_schema = DATABASE()";
    default: return NULL;
    }
}

enum errc db_ask_size(struct db_link *link, uint64_t *out_bytes, struct err *err)
{
    enum db_kind kind;
    bool is_null = true;
    enum errc rc = kind_by_name(link, &kind, err);
    if (rc != E_OK)
        return rc;
    if (size_sql(kind) == NULL)
        return err_set(err, E_UNSUPPORTED, "the size of this kind of database is not known");
    rc = db_link_number(link, size_sql(kind), NULL, NULL, out_bytes, &is_null, err);
    if (rc == E_OK && is_null)
        return err_set(err, E_ACCESS, "it does not tell its size to this account");
    return rc;
}

/* ---------------------------------------------------------------------------------------- rights
 */

static enum errc unknown_right(const char *of, struct err *err)
{
    return err_set(err, E_UNSUPPORTED, "%s does not know this right", of);
}

static enum errc yes_or_no(struct db_link *link, const char *sql, const char *first,
                           const char *second, bool *out, bool *out_is_null, struct err *err)
{
    uint64_t number = 0;
    enum errc rc = db_link_number(link, sql, first, second, &number, out_is_null, err);
    if (rc == E_OK)
        *out = !*out_is_null && number == 1;
    return rc;
}

/* No row: no such account. */
static enum errc postgresql_right(struct db_link *link, const char *right, const char *account,
                                  bool *out, struct err *err)
{
    static const char *const privileges[] = { "CREATE", "CONNECT", "TEMPORARY", "TEMP" };
    bool is_null, is_role = false;
    for (size_t i = 0; i < ARRAY_LEN(privileges); i++)
        if (strcasecmp(right, privileges[i]) == 0)
            return yes_or_no(link,
                             account == NULL
                                 ? "SELECT CASE WHEN pg_catalog.has_database_privilege("
                                   "pg_catalog.current_database(), ?) THEN 1 ELSE 0 END"
                                 : "SELECT CASE WHEN pg_catalog.has_database_privilege(r.oid, "
                                   "pg_catalog.current_database(), ?) THEN 1 ELSE 0 END "
                                   "FROM pg_catalog.pg_roles r WHERE r.rolname = ?",
                             privileges[i], account, out, &is_null, err);
    enum errc rc = yes_or_no(link, "SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = ?", right,
                             NULL, &is_role, &is_null, err);
    if (rc != E_OK)
        return rc;
    if (!is_role)
        return unknown_right("PostgreSQL", err);
    return yes_or_no(link,
                     account == NULL
                         ? "SELECT CASE WHEN pg_catalog.pg_has_role(g.oid, 'USAGE') "
                           "THEN 1 ELSE 0 END FROM pg_catalog.pg_roles g WHERE g.rolname = ?"
                         : "SELECT CASE WHEN pg_catalog.pg_has_role(a.oid, g.oid, 'USAGE') "
                           "THEN 1 ELSE 0 END FROM pg_catalog.pg_roles g, pg_catalog.pg_roles a "
                           "WHERE g.rolname = ? AND a.rolname = ?",
                     right, account, out, &is_null, err);
}

static enum errc is_principal(struct db_link *link, const char *name, bool *out, struct err *err)
{
    bool is_null;
    return yes_or_no(link, "SELECT CASE WHEN DATABASE_PRINCIPAL_ID(?) IS NULL THEN 0 ELSE 1 END",
                     name, NULL, out, &is_null, err);
}

/* It says NULL for whatever it does not know, or does not tell. */
static enum errc sqlserver_right_of(struct db_link *link, const char *right, const char *account,
                                    bool *out, struct err *err)
{
    bool is_null, is_role = false, is_there = false;
    enum errc rc = is_principal(link, right, &is_role, err);
    if (rc == E_OK)
        rc = is_principal(link, account, &is_there, err);
    if (rc != E_OK)
        return rc;
    if (!is_role)
        return err_set(err, E_UNSUPPORTED,
                       "of another account than the connection's, SQL Server tells only roles");
    *out = false;
    if (!is_there)
        return E_OK;
    rc = yes_or_no(link, "SELECT IS_ROLEMEMBER(?, ?)", right, account, out, &is_null, err);
    if (rc == E_OK && is_null)
        return err_set(err, E_ACCESS, "SQL Server does not tell this account who has that role");
    return rc;
}

/* HAS_PERMS_BY_NAME reads a name of parts: one with a dot in it, as each that is a file's path
 * (LocalDB), must be quoted. */
static enum errc sqlserver_right(struct db_link *link, const char *right, const char *account,
                                 bool *out, struct err *err)
{
    bool is_null;
    if (account != NULL)
        return sqlserver_right_of(link, right, account, out, err);
    enum errc rc = yes_or_no(link, "SELECT IS_ROLEMEMBER(?)", right, NULL, out, &is_null, err);
    if (rc != E_OK || !is_null)
        return rc;
    rc = yes_or_no(link, "SELECT HAS_PERMS_BY_NAME(QUOTENAME(DB_NAME()), 'DATABASE', ?)", right,
                   NULL, out, &is_null, err);
    return rc == E_OK && is_null ? unknown_right("SQL Server", err) : rc;
}

/* --- SQLite: the file, and for writing its folder, where the journal goes */

static enum errc sqlite_right(struct db_link *link, const char *right, const char *account,
                              bool *out, struct err *err)
{
    const bool is_for_writing = strcasecmp(right, "CREATE") == 0;
    if (!is_for_writing && strcasecmp(right, "SELECT") != 0)
        return unknown_right("SQLite", err);
    return db_os_file_right(link, account, is_for_writing, out, err);
}

enum errc db_ask_right(struct db_link *link, const char *right, const char *account, bool *out_has,
                       struct err *err)
{
    enum db_kind kind;
    enum errc rc = kind_by_name(link, &kind, err);
    if (rc != E_OK)
        return rc;
    switch (kind) {
    case DB_POSTGRESQL: return postgresql_right(link, right, account, out_has, err);
    case DB_SQLSERVER: return sqlserver_right(link, right, account, out_has, err);
    case DB_SQLITE: return sqlite_right(link, right, account, out_has, err);
    default:
        return err_set(err, E_UNSUPPORTED, "the rights of this kind of database are not known");
    }
}
