#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "platform/odbc/odbc.h"

#include "platform/base/text.h"
#include "platform/odbc/db_parts.h"

#define WORDS_ROOM 1024
#define CALLS(X)                                                                                   \
    X(SQLAllocHandle)                                                                              \
    X(SQLSetEnvAttr)                                                                               \
    X(SQLSetConnectAttr)                                                                           \
    X(SQLDriverConnect)                                                                            \
    X(SQLDisconnect)                                                                               \
    X(SQLGetInfo)                                                                                  \
    X(SQLSetStmtAttr)                                                                              \
    X(SQLBindParameter)                                                                            \
    X(SQLExecDirect)                                                                               \
    X(SQLFetch)                                                                                    \
    X(SQLGetData)                                                                                  \
    X(SQLFreeHandle)                                                                               \
    X(SQLGetDiagRec)

struct db_link {
    struct {
#define X(name) __typeof__(name) *name;
        CALLS(X)
#undef X
    } call;
    /* What odbc.ini and odbcinst.ini say; NULL where that library is missing. */
    int(ODBC_CALL *profile)(const char *section, const char *entry, const char *usual, char *to,
                            int room, const char *file);
    void *manager, *installer;
    SQLHANDLE env, dbc;
    bool is_connected;
    bool is_left; /* PostgreSQL's driver would leave a log in /tmp: Debian turns that on */
    long timeout_s;
    char file[DB_CONNECTION_MAX]; /* of SQLite */
};

/* ODBC wants its numbers as pointers. */
static SQLPOINTER as_pointer(long n)
{
    return (SQLPOINTER)(intptr_t)n; // NOLINT(performance-no-int-to-ptr)
}

/* ------------------------------------------------------------------------------ words for errors
 */

/* The longest start of a state wins by standing first. What a driver says in its own words is never
 * shown: it may quote the connection string. */
static const struct {
    const char *start;
    enum errc code;
    const char *words;
} states[] = {
    { "28", E_ACCESS, "it does not accept this user or password" },
    { "42501", E_ACCESS, "it does not let this account look" },
    { "3D000", E_ABSENT, "there is no such database" },
    { "42000", E_ACCESS, "it refuses the question, or this account" },
    { "53300", E_IO, "it has too many connections" },
    { "57P", E_IO, "its server is starting or stopping" },
    { "HYT", E_TIMEOUT, "it does not answer in time" },
    { "S1T", E_TIMEOUT, "it does not answer in time" },
    { "57014", E_TIMEOUT, "it does not answer in time" },
    { "08", E_IO, "its server can't be reached, or ended the connection" },
    { "IM001", E_UNSUPPORTED, "its ODBC driver lacks what we ask for" },
    { "HYC00", E_UNSUPPORTED, "its ODBC driver lacks what we ask for" },
    { "IM002", E_UNSUPPORTED,
      "no such ODBC driver or data source; install it, or mend its name "
      "(odbcinst -q -d lists drivers, odbcinst -q -s sources)" },
    { "IM", E_UNSUPPORTED, "its ODBC driver can't be used" },
    { "01000", E_UNSUPPORTED, "its ODBC driver can't be loaded; install it" },
    { "HY001", E_NOMEM, "memory ran out" },
    { "S1001", E_NOMEM, "memory ran out" },
    { "", E_IO, "its ODBC driver reports an error" },
};

/* Some drivers have one state for everything that keeps them out. Their words are looked at, in
 * English alone, and not shown. */
static const struct {
    const char *phrase;
    enum errc code;
    const char *words;
} phrases[] = {
    { "authentication failed", E_ACCESS, "it does not accept this user or password" },
    { "no password supplied", E_ACCESS, "it wants a password, and the connection has none" },
    { "pg_hba.conf", E_ACCESS, "it does not let this user in from here" },
    { "FATAL:  role", E_ACCESS, "it does not know this user" },
    { "FATAL:  database", E_ABSENT, "there is no such database" },
    { "FATAL:", E_IO, "its server answers, and refuses the connection for now" },
    { "file is not a database", E_IO, "its file is none of SQLite's" },
};

static bool is_state(const char *state)
{
    for (int i = 0; i < 5; i++)
        if (!isupper((unsigned char)state[i]) && !isdigit((unsigned char)state[i]))
            return false;
    return true;
}

/* The first that is more than a warning; else the first. */
static void find_state(struct db_link *l, SQLSMALLINT type, SQLHANDLE handle, char to[6],
                       char words[WORDS_ROOM])
{
    (void)memcpy(to, "HY000", 6);
    words[0] = '\0';
    for (SQLSMALLINT i = 1; i <= 8; i++) {
        SQLCHAR state[8] = "", said[WORDS_ROOM] = "";
        SQLINTEGER native;
        SQLSMALLINT len;
        SQLRETURN ret = l->call.SQLGetDiagRec(type, handle, i, state, &native, said,
                                              (SQLSMALLINT)sizeof(said), &len);
        if (!SQL_SUCCEEDED(ret))
            return;
        state[5] = '\0';
        if (!is_state((const char *)state))
            continue;
        bool is_warning = state[0] == '0' && state[1] == '1';
        if (i == 1 || !is_warning) {
            (void)memcpy(to, state, 6);
            (void)text_copy(words, WORDS_ROOM, (const char *)said);
        }
        if (!is_warning)
            return;
    }
}

static enum errc fail(struct db_link *l, SQLSMALLINT type, SQLHANDLE handle, struct err *err)
{
    char state[6], said[WORDS_ROOM];
    size_t i = 0;
    find_state(l, type, handle, state, said);
    for (size_t p = 0; p < ARRAY_LEN(phrases); p++)
        if (strstr(said, phrases[p].phrase) != NULL)
            return err_set(err, phrases[p].code, "%s (SQLSTATE %s)", phrases[p].words, state);
    while (strncmp(state, states[i].start, strlen(states[i].start)) != 0)
        i++;
    return err_set(err, states[i].code, "%s (SQLSTATE %s)", states[i].words, state);
}

/* ------------------------------------------------------------------------------------- connection
 */

static enum errc load(struct db_link *l, struct err *err)
{
    enum errc rc = db_os_load_manager(&l->manager, err);
    if (rc != E_OK)
        return rc;
#define X(name)                                                                                    \
    *(void **)&l->call.name = db_os_find(l->manager, #name);                                       \
    if (l->call.name == NULL)                                                                      \
        return err_set(err, E_UNSUPPORTED, "this machine's ODBC has no " #name);
    CALLS(X)
#undef X
    l->installer = db_os_load_installer();
    if (l->installer != NULL)
        *(void **)&l->profile = db_os_find(l->installer, "SQLGetPrivateProfileString");
    return E_OK;
}

static bool says(const char *text, const char *word)
{
    for (; *text != '\0'; text++)
        if (strncasecmp(text, word, strlen(word)) == 0)
            return true;
    return false;
}

static void profile(const struct db_link *l, const char *section, const char *entry, char *to,
                    size_t room, const char *file)
{
    to[0] = '\0';
    if (l->profile != NULL)
        (void)l->profile(section, entry, "", to, (int)room, file);
}

/* What the connection string, or the data source that it names, says of a key. */
static void find_said(const struct db_link *l, const char *connection, const char *key, char *to,
                      size_t room)
{
    char source[DB_NAME_ROOM];
    if (db_string_find(connection, key, to, room))
        return;
    to[0] = '\0';
    if (db_string_find(connection, "DSN", source, sizeof(source)))
        profile(l, source, key, to, room, "odbc.ini");
}

/* A driver goes by its name, or by the library that odbcinst.ini has for the name. */
static bool is_driver(const struct db_link *l, const char *connection, const char *word)
{
    char driver[DB_CONNECTION_MAX], library[DB_CONNECTION_MAX];
    find_said(l, connection, "Driver", driver, sizeof(driver));
    profile(l, driver, "Driver", library, sizeof(library), "odbcinst.ini");
    return says(driver, word) || says(library, word);
}

/* The driver makes a file that is not there, unless it is told not to (of two NoCreat it takes the
 * first); and it does not say that this is what is wrong. */
static enum errc check_file(struct db_link *l, const char *connection, struct err *err)
{
    char file[DB_CONNECTION_MAX];
    find_said(l, connection, "Database", file, sizeof(file));
    enum errc rc = db_os_check_file(file, err);
    if (rc == E_OK)
        (void)text_copy(l->file, sizeof(l->file), file);
    return rc;
}

static enum errc make_handles(struct db_link *l, struct err *err)
{
    if (!SQL_SUCCEEDED(l->call.SQLAllocHandle(SQL_HANDLE_ENV, SQL_NULL_HANDLE, &l->env)))
        return err_set(err, E_IO, "this machine's ODBC does not start");
    (void)l->call.SQLSetEnvAttr(l->env, SQL_ATTR_ODBC_VERSION, as_pointer(SQL_OV_ODBC3), 0);
    if (!SQL_SUCCEEDED(l->call.SQLAllocHandle(SQL_HANDLE_DBC, l->env, &l->dbc)))
        return fail(l, SQL_HANDLE_ENV, l->env, err);
    /* Not every driver knows these; whoever waits for us has a clock of his own. */
    (void)l->call.SQLSetConnectAttr(l->dbc, SQL_ATTR_LOGIN_TIMEOUT, as_pointer(l->timeout_s), 0);
    (void)l->call.SQLSetConnectAttr(l->dbc, SQL_ATTR_CONNECTION_TIMEOUT, as_pointer(l->timeout_s),
                                    0);
    return E_OK;
}

static enum errc log_in(struct db_link *l, const char *connection, struct err *err)
{
    char text[DB_CONNECTION_MAX + 64];
    bool is_file = is_driver(l, connection, "sqlite");
    enum errc rc = is_file ? check_file(l, connection, err) : E_OK;
    if (rc != E_OK)
        return rc;
    int n = snprintf(text, sizeof(text), "%s%s", is_file ? "NoCreat=1;" : "", connection);
    SQLRETURN ret = l->call.SQLDriverConnect(l->dbc, NULL, (SQLCHAR *)text, (SQLSMALLINT)n, NULL, 0,
                                             NULL, SQL_DRIVER_NOPROMPT);
    db_os_wipe(text, sizeof(text));
    if (!SQL_SUCCEEDED(ret))
        return fail(l, SQL_HANDLE_DBC, l->dbc, err);
    l->is_connected = true;
    l->is_left = db_os_is_ended() && is_driver(l, connection, "psqlodbc");
    return E_OK;
}

enum errc db_link_open(const char *connection, int64_t timeout_ms, struct db_link **out_link,
                       struct err *err)
{
    struct db_link *l = calloc(1, sizeof(*l));
    if (l == NULL)
        return err_nomem(err);
    l->timeout_s = timeout_ms < 1000 ? 1 : (long)(timeout_ms / 1000);
    enum errc rc = load(l, err);
    if (rc == E_OK)
        rc = make_handles(l, err);
    if (rc == E_OK)
        rc = log_in(l, connection, err);
    if (rc == E_OK)
        *out_link = l;
    else
        db_link_close(l);
    return rc;
}

void db_link_close(struct db_link *l)
{
    if (l == NULL || l->is_left)
        return;
    if (l->is_connected)
        (void)l->call.SQLDisconnect(l->dbc);
    if (l->dbc != NULL)
        (void)l->call.SQLFreeHandle(SQL_HANDLE_DBC, l->dbc);
    if (l->env != NULL)
        (void)l->call.SQLFreeHandle(SQL_HANDLE_ENV, l->env);
    free(l); /* the libraries stay: the process ends */
}

const char *db_link_file(const struct db_link *l)
{
    return l->file;
}

enum errc db_link_name(struct db_link *l, char *to, size_t room, struct err *err)
{
    SQLSMALLINT len = 0;
    to[0] = '\0';
    if (!SQL_SUCCEEDED(l->call.SQLGetInfo(l->dbc, SQL_DBMS_NAME, to, (SQLSMALLINT)room, &len)))
        return fail(l, SQL_HANDLE_DBC, l->dbc, err);
    to[room - 1] = '\0';
    return E_OK;
}

/* ---------------------------------------------------------------------------------------- queries
 */

static enum errc bind(struct db_link *l, SQLHANDLE stmt, SQLUSMALLINT at, const char *text,
                      struct err *err)
{
    size_t len = text == NULL ? 0 : strlen(text);
    if (text == NULL)
        return E_OK;
    SQLRETURN ret = l->call.SQLBindParameter(stmt, at, SQL_PARAM_INPUT, SQL_C_CHAR, SQL_VARCHAR,
                                             len == 0 ? 1 : len, 0, (SQLPOINTER)(uintptr_t)text,
                                             (SQLLEN)len, NULL);
    return SQL_SUCCEEDED(ret) ? E_OK : fail(l, SQL_HANDLE_STMT, stmt, err);
}

static enum errc take_text(struct db_link *l, SQLHANDLE stmt, char *to, size_t room,
                           bool *out_is_null, struct err *err)
{
    SQLLEN len = SQL_NULL_DATA;
    SQLRETURN ret = l->call.SQLFetch(stmt);
    if (SQL_SUCCEEDED(ret))
        ret = l->call.SQLGetData(stmt, 1, SQL_C_CHAR, to, (SQLLEN)room, &len);
    if (!SQL_SUCCEEDED(ret) && ret != SQL_NO_DATA)
        return fail(l, SQL_HANDLE_STMT, stmt, err);
    *out_is_null = len == SQL_NULL_DATA;
    if (!*out_is_null && (len < 0 || (size_t)len >= room))
        return err_set(err, E_LIMIT, "it answers with more than %zu bytes", room - 1);
    to[*out_is_null ? 0 : len] = '\0';
    return E_OK;
}

enum errc db_link_text(struct db_link *l, const char *sql, const char *first, const char *second,
                       char *to, size_t room, bool *out_is_null, struct err *err)
{
    SQLHANDLE stmt = NULL;
    if (!SQL_SUCCEEDED(l->call.SQLAllocHandle(SQL_HANDLE_STMT, l->dbc, &stmt)))
        return fail(l, SQL_HANDLE_DBC, l->dbc, err);
    (void)l->call.SQLSetStmtAttr(stmt, SQL_ATTR_QUERY_TIMEOUT, as_pointer(l->timeout_s), 0);
    enum errc rc = bind(l, stmt, 1, first, err);
    if (rc == E_OK)
        rc = bind(l, stmt, 2, second, err);
    if (rc == E_OK &&
        !SQL_SUCCEEDED(l->call.SQLExecDirect(stmt, (SQLCHAR *)(uintptr_t)sql, SQL_NTS)))
        rc = fail(l, SQL_HANDLE_STMT, stmt, err);
    if (rc == E_OK)
        rc = take_text(l, stmt, to, room, out_is_null, err);
    (void)l->call.SQLFreeHandle(SQL_HANDLE_STMT, stmt);
    return rc;
}

enum errc db_link_number(struct db_link *l, const char *sql, const char *first, const char *second,
                         uint64_t *out, bool *out_is_null, struct err *err)
{
    char text[32], *end;
    enum errc rc = db_link_text(l, sql, first, second, text, sizeof(text), out_is_null, err);
    if (rc != E_OK || *out_is_null)
        return rc;
    errno = 0;
    *out = strtoull(text, &end, 10);
    if (!isdigit((unsigned char)text[0]) || *end != '\0' || errno != 0)
        return err_set(err, E_MALFORMED, "it answers with what is no number");
    return E_OK;
}
