/* What each kind of database is asked, and what its answers mean, without any: every query is
 * answered by a list, which says what is to be asked next, and any other is a failure. The SQL
 * stands here a second time. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "platform/base/text.h"
#include "platform/odbc/db_parts.h"

#define STEPS_MAX 4
#define UNTOUCHED 77

enum answer { NUMBER, NOTHING, FAILURE }; /* NOTHING: NULL, or no row */
struct step {
    const char *sql, *first, *second;
    enum answer how;
    uint64_t number;
};
struct db_link {
    const char *name;
    const struct step *steps; /* up to one without sql */
    size_t at;
};

static struct err why;

static bool is_same(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* FILE_SQL is no query, but what the machine is asked about SQLite's file. */
#define FILE_SQL "(the file's permissions)"

static const struct step *next_step(struct db_link *l, const char *sql, const char *first,
                                    const char *second)
{
    const struct step *s = &l->steps[l->at];
    if (s->sql == NULL || !is_same(sql, s->sql) || !is_same(first, s->first) ||
        !is_same(second, s->second))
        fail_msg("%s is asked \"%s\" with %s, %s", l->name, sql, first == NULL ? "nothing" : first,
                 second == NULL ? "nothing" : second);
    l->at++;
    return s;
}

enum errc db_link_name(struct db_link *l, char *to, size_t room, struct err *err)
{
    if (l->name == NULL)
        return err_set(err, E_IO, "it has no name");
    return text_copy(to, room, l->name) ? E_OK : err_set(err, E_LIMIT, "a long name");
}

enum errc db_link_number(struct db_link *l, const char *sql, const char *first, const char *second,
                         uint64_t *out, bool *out_is_null, struct err *err)
{
    const struct step *s = next_step(l, sql, first, second);
    if (s->how == FAILURE)
        return err_set(err, E_TIMEOUT, "it does not answer");
    *out_is_null = s->how == NOTHING;
    if (s->how == NUMBER)
        *out = s->number;
    return E_OK;
}

enum errc db_os_file_right(struct db_link *l, const char *account, bool is_for_writing, bool *out,
                           struct err *err)
{
    const struct step *s = next_step(l, FILE_SQL, account, is_for_writing ? "write" : "read");
    if (s->how == FAILURE)
        return err_set(err, E_TIMEOUT, "it does not answer");
    *out = s->number != 0;
    return E_OK;
}

static void assert_all_was_asked(const struct db_link *l)
{
    if (l->steps[l->at].sql != NULL)
        fail_msg("%s is not asked \"%s\"", l->name, l->steps[l->at].sql);
}

static void assert_answer(const char *name, enum errc expected, enum errc rc, const char *says)
{
    if (rc != expected)
        print_error("%s: %s: %s\n", name, errc_name(rc), why.text);
    assert_int_equal(rc, expected);
    if (says != NULL)
        assert_non_null(strstr(why.text, says));
}

/* --- what it is */

#define IS_LOCAL "SELECT CAST(SERVERPROPERTY('IsLocalDB') AS int)"
#define SQL_SERVER "Microsoft SQL Server"

static const struct kind_row {
    const char *name;
    struct step steps[STEPS_MAX];
    enum errc rc;
    enum db_kind kind;
} kinds[] = {
    { SQL_SERVER, { { IS_LOCAL, NULL, NULL, NUMBER, 1 } }, E_OK, DB_LOCALDB },
    { SQL_SERVER, { { IS_LOCAL, NULL, NULL, NUMBER, 0 } }, E_OK, DB_SQLSERVER },
    { SQL_SERVER, { { IS_LOCAL, NULL, NULL, NUMBER, 2 } }, E_OK, DB_SQLSERVER },
    { SQL_SERVER, { { IS_LOCAL, NULL, NULL, NOTHING, 0 } }, E_OK, DB_SQLSERVER },
    { SQL_SERVER, { { IS_LOCAL, NULL, NULL, FAILURE, 0 } }, E_TIMEOUT, DB_OTHER },
    { "PostgreSQL", { { .sql = NULL } }, E_OK, DB_POSTGRESQL },
    { "SQLite", { { .sql = NULL } }, E_OK, DB_SQLITE },
    { "sqlite", { { .sql = NULL } }, E_OK, DB_SQLITE },
    { "MySQL", { { .sql = NULL } }, E_OK, DB_MYSQL },
    { "MariaDB", { { .sql = NULL } }, E_OK, DB_MYSQL },
    { "Oracle", { { .sql = NULL } }, E_OK, DB_OTHER },
    { "PostgreSQL 15", { { .sql = NULL } }, E_OK, DB_OTHER },
    { "", { { .sql = NULL } }, E_OK, DB_OTHER },
};

static void kinds_are_told_apart(void **state)
{
    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        struct db_link link = { .name = kinds[i].name, .steps = kinds[i].steps };
        enum db_kind kind = DB_OTHER;
        assert_answer(link.name, kinds[i].rc, db_ask_kind(&link, &kind, &why), NULL);
        if (kinds[i].rc == E_OK)
            assert_int_equal(kind, kinds[i].kind);
        assert_all_was_asked(&link);
    }
}

/* --- does it answer */

static const struct {
    const char *name;
    struct step steps[STEPS_MAX];
    enum errc rc;
} alive[] = {
    { SQL_SERVER, { { "SELECT 1", NULL, NULL, NUMBER, 1 } }, E_OK },
    { SQL_SERVER, { { "SELECT 1", NULL, NULL, FAILURE, 0 } }, E_TIMEOUT },
    { "PostgreSQL", { { "SELECT 1", NULL, NULL, NUMBER, 1 } }, E_OK },
    { "MySQL", { { "SELECT 1", NULL, NULL, FAILURE, 0 } }, E_TIMEOUT },
    { "SQLite", { { "SELECT COUNT(*) FROM sqlite_master", NULL, NULL, NUMBER, 0 } }, E_OK },
    { "SQLite", { { "SELECT COUNT(*) FROM sqlite_master", NULL, NULL, FAILURE, 0 } }, E_TIMEOUT },
    { "Oracle", { { .sql = NULL } }, E_OK }, /* that it said its name must do */
};

static void each_is_asked_whether_it_answers(void **state)
{
    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(alive); i++) {
        struct db_link link = { .name = alive[i].name, .steps = alive[i].steps };
        assert_answer(link.name, alive[i].rc, db_ask_alive(&link, &why), NULL);
        assert_all_was_asked(&link);
    }
}

/* --- how large it is */

#define SQLITE_SIZE "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
#define POSTGRESQL_SIZE "SELECT pg_catalog.pg_database_size(pg_catalog.current_database())"
#define SQL_SERVER_SIZE "SELECT SUM(CAST(size AS bigint)) * 8192 FROM sys.database_files"
#define MYSQL_SIZE                                                                                 \
    "SELECT CAST(COALESCE(SUM(data_length + index_length), 0) AS UNSIGNED) "                       \
    "FROM information_schema.tables WHERE table_schema = DATABASE()"

static const struct {
    const char *name;
    struct step steps[STEPS_MAX];
    enum errc rc;
    const char *says;
    uint64_t size;
} sizes[] = {
    { SQL_SERVER, { { SQL_SERVER_SIZE, NULL, NULL, NUMBER, 1 << 20 } }, E_OK, NULL, 1 << 20 },
    { SQL_SERVER, { { SQL_SERVER_SIZE, NULL, NULL, NOTHING, 0 } }, E_ACCESS, "its size", 0 },
    { SQL_SERVER, { { SQL_SERVER_SIZE, NULL, NULL, FAILURE, 0 } }, E_TIMEOUT, NULL, 0 },
    { "PostgreSQL",
      { { POSTGRESQL_SIZE, NULL, NULL, NUMBER, 5000000000 } },
      E_OK,
      NULL,
      5000000000 },
    { "PostgreSQL", { { POSTGRESQL_SIZE, NULL, NULL, NOTHING, 0 } }, E_ACCESS, "its size", 0 },
    { "SQLite", { { SQLITE_SIZE, NULL, NULL, NUMBER, 8192 } }, E_OK, NULL, 8192 },
    { "MariaDB", { { MYSQL_SIZE, NULL, NULL, NUMBER, 0 } }, E_OK, NULL, 0 },
    { "Oracle", { { .sql = NULL } }, E_UNSUPPORTED, "this kind of database", 0 },
};

static void sizes_are_asked_of_each_kind(void **state)
{
    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        struct db_link link = { .name = sizes[i].name, .steps = sizes[i].steps };
        uint64_t size = UNTOUCHED;
        assert_answer(link.name, sizes[i].rc, db_ask_size(&link, &size, &why), sizes[i].says);
        if (sizes[i].rc == E_OK)
            assert_true(size == sizes[i].size);
        assert_all_was_asked(&link);
    }
}

/* --- who may do what */

#define ROLE "SELECT IS_ROLEMEMBER(?)"
#define ROLE_OF "SELECT IS_ROLEMEMBER(?, ?)"
#define RIGHT "SELECT HAS_PERMS_BY_NAME(QUOTENAME(DB_NAME()), 'DATABASE', ?)"
#define PRINCIPAL "SELECT CASE WHEN DATABASE_PRINCIPAL_ID(?) IS NULL THEN 0 ELSE 1 END"
#define IS_PG_ROLE "SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = ?"
#define PG_RIGHT                                                                                   \
    "SELECT CASE WHEN pg_catalog.has_database_privilege("                                          \
    "pg_catalog.current_database(), ?) THEN 1 ELSE 0 END"
#define PG_RIGHT_OF                                                                                \
    "SELECT CASE WHEN pg_catalog.has_database_privilege(r.oid, pg_catalog.current_database(), ?) " \
    "THEN 1 ELSE 0 END FROM pg_catalog.pg_roles r WHERE r.rolname = ?"
#define PG_ROLE                                                                                    \
    "SELECT CASE WHEN pg_catalog.pg_has_role(g.oid, 'USAGE') "                                     \
    "THEN 1 ELSE 0 END FROM pg_catalog.pg_roles g WHERE g.rolname = ?"
#define PG_ROLE_OF                                                                                 \
    "SELECT CASE WHEN pg_catalog.pg_has_role(a.oid, g.oid, 'USAGE') "                              \
    "THEN 1 ELSE 0 END FROM pg_catalog.pg_roles g, pg_catalog.pg_roles a "                         \
    "WHERE g.rolname = ? AND a.rolname = ?"

struct right_row {
    const char *name, *right, *account;
    struct step steps[STEPS_MAX];
    enum errc rc;
    const char *says; /* of a failure */
    bool has;
};

/* The role and the account are both known. */
#define BOTH_KNOWN                                                                                 \
    { PRINCIPAL, "db_owner", NULL, NUMBER, 1 },                                                    \
    {                                                                                              \
        PRINCIPAL, "svc", NULL, NUMBER, 1                                                          \
    }

static const struct right_row of_sql_server[] = {
    /* a role first; what is none may be a permission */
    { SQL_SERVER, "db_owner", NULL, { { ROLE, "db_owner", NULL, NUMBER, 1 } }, E_OK, NULL, true },
    { SQL_SERVER, "db_owner", NULL, { { ROLE, "db_owner", NULL, NUMBER, 0 } }, E_OK, NULL, false },
    { SQL_SERVER,
      "db_owner",
      NULL,
      { { ROLE, "db_owner", NULL, FAILURE, 0 } },
      E_TIMEOUT,
      NULL,
      false },
    { SQL_SERVER,
      "CREATE TABLE",
      NULL,
      { { ROLE, "CREATE TABLE", NULL, NOTHING, 0 }, { RIGHT, "CREATE TABLE", NULL, NUMBER, 1 } },
      E_OK,
      NULL,
      true },
    { SQL_SERVER,
      "CREATE TABLE",
      NULL,
      { { ROLE, "CREATE TABLE", NULL, NOTHING, 0 }, { RIGHT, "CREATE TABLE", NULL, NUMBER, 0 } },
      E_OK,
      NULL,
      false },
    { SQL_SERVER,
      "nonsense",
      NULL,
      { { ROLE, "nonsense", NULL, NOTHING, 0 }, { RIGHT, "nonsense", NULL, NOTHING, 0 } },
      E_UNSUPPORTED,
      "SQL Server does not know this right",
      false },
    { SQL_SERVER,
      "CREATE TABLE",
      NULL,
      { { ROLE, "CREATE TABLE", NULL, NOTHING, 0 }, { RIGHT, "CREATE TABLE", NULL, FAILURE, 0 } },
      E_TIMEOUT,
      NULL,
      false },
    /* of another account */
    { SQL_SERVER,
      "db_owner",
      "svc",
      { BOTH_KNOWN, { ROLE_OF, "db_owner", "svc", NUMBER, 1 } },
      E_OK,
      NULL,
      true },
    { SQL_SERVER,
      "db_owner",
      "svc",
      { BOTH_KNOWN, { ROLE_OF, "db_owner", "svc", NUMBER, 0 } },
      E_OK,
      NULL,
      false },
    { SQL_SERVER,
      "db_owner",
      "svc",
      { BOTH_KNOWN, { ROLE_OF, "db_owner", "svc", NOTHING, 0 } },
      E_ACCESS,
      "does not tell",
      false },
    { SQL_SERVER,
      "db_owner",
      "nobody",
      { { PRINCIPAL, "db_owner", NULL, NUMBER, 1 }, { PRINCIPAL, "nobody", NULL, NUMBER, 0 } },
      E_OK,
      NULL,
      false },
    { SQL_SERVER,
      "CREATE TABLE",
      "svc",
      { { PRINCIPAL, "CREATE TABLE", NULL, NUMBER, 0 }, { PRINCIPAL, "svc", NULL, NUMBER, 1 } },
      E_UNSUPPORTED,
      "tells only roles",
      false },
    { SQL_SERVER,
      "db_owner",
      "svc",
      { { PRINCIPAL, "db_owner", NULL, FAILURE, 0 } },
      E_TIMEOUT,
      NULL,
      false },
    { SQL_SERVER,
      "db_owner",
      "svc",
      { { PRINCIPAL, "db_owner", NULL, NUMBER, 1 }, { PRINCIPAL, "svc", NULL, FAILURE, 0 } },
      E_TIMEOUT,
      NULL,
      false },
};

static const struct right_row of_postgresql[] = {
    { "PostgreSQL", "CREATE", NULL, { { PG_RIGHT, "CREATE", NULL, NUMBER, 1 } }, E_OK, NULL, true },
    { "PostgreSQL",
      "create",
      NULL,
      { { PG_RIGHT, "CREATE", NULL, NUMBER, 0 } },
      E_OK,
      NULL,
      false },
    { "PostgreSQL",
      "CREATE",
      "svc",
      { { PG_RIGHT_OF, "CREATE", "svc", NUMBER, 1 } },
      E_OK,
      NULL,
      true },
    { "PostgreSQL",
      "TEMP",
      "nobody",
      { { PG_RIGHT_OF, "TEMP", "nobody", NOTHING, 0 } },
      E_OK,
      NULL,
      false },
    { "PostgreSQL",
      "pg_read_all_data",
      NULL,
      { { IS_PG_ROLE, "pg_read_all_data", NULL, NUMBER, 1 },
        { PG_ROLE, "pg_read_all_data", NULL, NUMBER, 1 } },
      E_OK,
      NULL,
      true },
    { "PostgreSQL",
      "pg_read_all_data",
      "svc",
      { { IS_PG_ROLE, "pg_read_all_data", NULL, NUMBER, 1 },
        { PG_ROLE_OF, "pg_read_all_data", "svc", NUMBER, 0 } },
      E_OK,
      NULL,
      false },
    { "PostgreSQL",
      "pg_read_all_data",
      "nobody",
      { { IS_PG_ROLE, "pg_read_all_data", NULL, NUMBER, 1 },
        { PG_ROLE_OF, "pg_read_all_data", "nobody", NOTHING, 0 } },
      E_OK,
      NULL,
      false },
    { "PostgreSQL",
      "nonsense",
      NULL,
      { { IS_PG_ROLE, "nonsense", NULL, NOTHING, 0 } },
      E_UNSUPPORTED,
      "PostgreSQL does not know this right",
      false },
    { "PostgreSQL",
      "nonsense",
      NULL,
      { { IS_PG_ROLE, "nonsense", NULL, FAILURE, 0 } },
      E_TIMEOUT,
      NULL,
      false },
};

static const struct right_row of_others[] = {
    { "SQLite", "SELECT", NULL, { { FILE_SQL, NULL, "read", NUMBER, 1 } }, E_OK, NULL, true },
    { "SQLite", "create", NULL, { { FILE_SQL, NULL, "write", NUMBER, 0 } }, E_OK, NULL, false },
    { "SQLite", "CREATE", "svc", { { FILE_SQL, "svc", "write", NUMBER, 1 } }, E_OK, NULL, true },
    { "SQLite",
      "SELECT",
      "svc",
      { { FILE_SQL, "svc", "read", FAILURE, 0 } },
      E_TIMEOUT,
      NULL,
      false },
    { "SQLite",
      "db_owner",
      NULL,
      { { .sql = NULL } },
      E_UNSUPPORTED,
      "SQLite does not know",
      false },
    { "MySQL", "CREATE", NULL, { { .sql = NULL } }, E_UNSUPPORTED, "this kind of database", false },
    { "Oracle",
      "CREATE",
      "svc",
      { { .sql = NULL } },
      E_UNSUPPORTED,
      "this kind of database",
      false },
};

static void check_rights(const struct right_row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct db_link link = { .name = rows[i].name, .steps = rows[i].steps };
        bool has = !rows[i].has;
        assert_answer(rows[i].right, rows[i].rc,
                      db_ask_right(&link, rows[i].right, rows[i].account, &has, &why),
                      rows[i].says);
        if (rows[i].rc == E_OK && has != rows[i].has)
            fail_msg("row %zu: %s of %s: %d", i, rows[i].right,
                     rows[i].account == NULL ? "its own" : rows[i].account, has);
        assert_all_was_asked(&link);
    }
}

static void sql_server_is_asked_for_roles_and_permissions(void **state)
{
    UNUSED(state);
    check_rights(of_sql_server, ARRAY_LEN(of_sql_server));
}

static void postgresql_is_asked_for_privileges_and_roles(void **state)
{
    UNUSED(state);
    check_rights(of_postgresql, ARRAY_LEN(of_postgresql));
}

static void of_sqlite_the_file_is_asked_and_of_others_nothing(void **state)
{
    UNUSED(state);
    check_rights(of_others, ARRAY_LEN(of_others));
}

static void one_that_does_not_say_its_name_is_asked_nothing(void **state)
{
    const struct step none = { .sql = NULL };
    struct db_link link = { .name = NULL, .steps = &none };
    enum db_kind kind;
    uint64_t size;
    bool has;
    UNUSED(state);
    assert_int_equal(db_ask_kind(&link, &kind, &why), E_IO);
    assert_int_equal(db_ask_alive(&link, &why), E_IO);
    assert_int_equal(db_ask_size(&link, &size, &why), E_IO);
    assert_int_equal(db_ask_right(&link, "db_owner", NULL, &has, &why), E_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds_are_told_apart),
        cmocka_unit_test(each_is_asked_whether_it_answers),
        cmocka_unit_test(sizes_are_asked_of_each_kind),
        cmocka_unit_test(sql_server_is_asked_for_roles_and_permissions),
        cmocka_unit_test(postgresql_is_asked_for_privileges_and_roles),
        cmocka_unit_test(of_sqlite_the_file_is_asked_and_of_others_nothing),
        cmocka_unit_test(one_that_does_not_say_its_name_is_asked_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
