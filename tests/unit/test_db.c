/* Databases of Windows: a real one of SQLite's, where its ODBC driver is there. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <winsock2.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answers.h"
#include "platform/odbc/odbc.h"

#define DB(op, ...) CALL(db, op, __VA_ARGS__)
#define WAIT_MS 20000

static char file[MAX_PATH + 40], connection[MAX_PATH + 100];

/* By the test's own calls, in another way than our code: of SQLite's file that is not there the
 * driver makes one. */
static bool fill(const char *sql)
{
    SQLHANDLE env = NULL, dbc = NULL, stmt = NULL;
    bool is_done = SQL_SUCCEEDED(SQLAllocHandle(SQL_HANDLE_ENV, SQL_NULL_HANDLE, &env)) &&
                   SQL_SUCCEEDED(SQLSetEnvAttr(env, SQL_ATTR_ODBC_VERSION,
                                               (SQLPOINTER)(intptr_t)SQL_OV_ODBC3, 0)) &&
                   SQL_SUCCEEDED(SQLAllocHandle(SQL_HANDLE_DBC, env, &dbc)) &&
                   SQL_SUCCEEDED(SQLDriverConnect(dbc, NULL, (SQLCHAR *)connection, SQL_NTS, NULL,
                                                  0, NULL, SQL_DRIVER_NOPROMPT)) &&
                   SQL_SUCCEEDED(SQLAllocHandle(SQL_HANDLE_STMT, dbc, &stmt)) &&
                   SQL_SUCCEEDED(SQLExecDirect(stmt, (SQLCHAR *)(uintptr_t)sql, SQL_NTS));
    if (stmt != NULL)
        (void)SQLFreeHandle(SQL_HANDLE_STMT, stmt);
    if (dbc != NULL) {
        (void)SQLDisconnect(dbc);
        (void)SQLFreeHandle(SQL_HANDLE_DBC, dbc);
    }
    if (env != NULL)
        (void)SQLFreeHandle(SQL_HANDLE_ENV, env);
    return is_done;
}

/* wine's driver is the Unix system's own and takes "Z:\x" for a name in the folder that we are in:
 * what it makes there is not seen by Windows' calls, for which the file is made as well. */
static int make_file(void **state)
{
    char folder[MAX_PATH];
    const DWORD len = GetCurrentDirectoryA(sizeof(folder), folder);
    UNUSED(state);
    if (len == 0 || len >= sizeof(folder))
        return -1;
    (void)snprintf(file, sizeof(file), "%s\\surefoot-test.db", folder);
    (void)snprintf(connection, sizeof(connection), "Driver=SQLite3;Database=%s", file);
    return 0;
}

static void has_file(void)
{
    if (!fill("DROP TABLE IF EXISTS apples"))
        skip(); /* no driver */
    assert_true(fill("VACUUM"));
    assert_true(fill("CREATE TABLE apples(a)"));
    HANDLE h = CreateFileA(file, GENERIC_WRITE, 0, NULL, OPEN_ALWAYS, FILE_ATTRIBUTE_NORMAL, NULL);
    assert_true(h != INVALID_HANDLE_VALUE);
    assert_true(CloseHandle(h));
}

static int take_file_away(void **state)
{
    UNUSED(state);
    (void)SetFileAttributesA(file, FILE_ATTRIBUTE_NORMAL);
    (void)DeleteFileA(file);
    return 0;
}

static struct db *opened(void)
{
    struct db *db = NULL;
    IS(E_OK, DB(open, connection, WAIT_MS, &db));
    assert_non_null(db);
    return db;
}

static void close_it(struct db *db)
{
    platform_native()->db->close(platform_native()->self, db);
}

static void sqlite_says_what_it_is_and_its_size(void **state)
{
    enum db_kind kind = DB_OTHER;
    uint64_t size = 0, larger = 0;
    UNUSED(state);
    has_file();
    struct db *db = opened();
    IS(E_OK, DB(kind, db, &kind));
    assert_int_equal(kind, DB_SQLITE);
    IS(E_OK, DB(size, db, &size));
    assert_int_equal(size, 2 * 4096); /* the schema's page, and the table's */
    assert_true(fill("INSERT INTO apples VALUES (zeroblob(100000))"));
    IS(E_OK, DB(size, db, &larger));
    assert_true(larger > 100000);
    close_it(db);
}

static void rights_are_those_of_the_file(void **state)
{
    bool has = false;
    UNUSED(state);
    has_file();
    struct db *db = opened();
    IS(E_OK, DB(has_right, db, "SELECT", NULL, &has));
    assert_true(has);
    IS(E_OK, DB(has_right, db, "CREATE", NULL, &has));
    assert_true(has);
    assert_true(SetFileAttributesA(file, FILE_ATTRIBUTE_READONLY));
    IS(E_OK, DB(has_right, db, "SELECT", NULL, &has));
    assert_true(has);
    IS(E_OK, DB(has_right, db, "CREATE", NULL, &has));
    assert_false(has);
    IS(E_UNSUPPORTED, DB(has_right, db, "db_owner", NULL, &has));
    IS(E_UNSUPPORTED, DB(has_right, db, "SELECT", "Administrator", &has));
    IS(E_ARGUMENT, DB(has_right, db, "", NULL, &has));
    close_it(db);
}

static void what_is_not_there_is_not_made(void **state)
{
    struct db *db = NULL;
    UNUSED(state);
    if (!fill("SELECT 1"))
        skip();
    (void)DeleteFileA(file);
    IS(E_ABSENT, DB(open, connection, WAIT_MS, &db));
    assert_int_equal(GetFileAttributesA(file), INVALID_FILE_ATTRIBUTES);
    IS(E_ARGUMENT, DB(open, "Driver=SQLite3;Database=orchard.db", WAIT_MS, &db));
    IS(E_ARGUMENT, DB(open, "Driver=SQLite3;Database=\\orchard.db", WAIT_MS, &db));
    assert_null(db);
}

static void a_driver_that_is_not_there_is_missed(void **state)
{
    struct db *db = NULL;
    UNUSED(state);
    IS(E_UNSUPPORTED, DB(open, "Driver=No Such Driver;Pwd=secret-of-ours", WAIT_MS, &db));
    assert_null(strstr(why.text, "secret-of-ours"));
    IS(E_ARGUMENT, DB(open, "", WAIT_MS, &db));
    IS(E_ARGUMENT, DB(open, "Driver=x", 0, &db));
    assert_null(db);
}

/* A server that takes connections and says nothing. */
static SOCKET silent_server(unsigned *out_port)
{
    WSADATA data;
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int len = sizeof(at);
    assert_int_equal(WSAStartup(MAKEWORD(2, 2), &data), 0);
    SOCKET s = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(s != INVALID_SOCKET);
    assert_int_equal(bind(s, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(listen(s, 4), 0);
    assert_int_equal(getsockname(s, (struct sockaddr *)&at, &len), 0);
    *out_port = ntohs(at.sin_port);
    return s;
}

/* The driver itself is told to wait for a second at least; we wait for less. */
static void a_server_that_says_nothing_is_given_up(void **state)
{
    struct db *db = NULL;
    char silent[200];
    unsigned port = 0;
    UNUSED(state);
    SOCKET s = silent_server(&port);
    (void)snprintf(silent, sizeof(silent),
                   "Driver=PostgreSQL Unicode;Server=127.0.0.1;Port=%u;Database=x;Uid=x", port);
    why = (struct err){ .code = E_OK };
    enum errc rc = DB(open, silent, 200, &db);
    assert_int_equal(closesocket(s), 0);
    if (rc == E_UNSUPPORTED)
        skip(); /* no driver */
    assert_int_equal(rc, E_TIMEOUT);
    SAYS("does not answer within 200 ms");
    assert_null(db);
}

#define MACHINE(test) cmocka_unit_test_setup_teardown(test, make_file, take_file_away)

int main(void)
{
    const struct CMUnitTest tests[] = {
        MACHINE(sqlite_says_what_it_is_and_its_size),
        MACHINE(rights_are_those_of_the_file),
        MACHINE(what_is_not_there_is_not_made),
        cmocka_unit_test(a_driver_that_is_not_there_is_missed),
        cmocka_unit_test(a_server_that_says_nothing_is_given_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
