#ifndef SUREFOOT_PLATFORM_DB_H
#define SUREFOOT_PLATFORM_DB_H

/* db.h: what an upgrade asks of a database, through ODBC: is it there, what is it, how large is it,
 * and who may do what. Nothing is ever written to one. Part of platform.h's machine.
 *
 * A connection string holds secrets: no message shows it, nor what a driver quotes of it. */

#include <stdbool.h>
#include <stdint.h>

#include "platform/base/cc.h"
#include "platform/base/err.h"

/* The order is that of database_kind (manifest/product_checks.h) and one more. */
enum db_kind { DB_LOCALDB, DB_SQLSERVER, DB_POSTGRESQL, DB_MYSQL, DB_SQLITE, DB_OTHER };

struct db; /* an open connection */

struct db_ops {
    /* Opens a connection, and sees that the database answers; every wait, here and later, ends
     * after timeout_ms (at most an hour). E_ACCESS: it does not let us in; E_IO, E_TIMEOUT: it
     * can't be reached; E_ABSENT: no such database, or a file that is not there (none is made);
     * E_ARGUMENT: no connection string, or of SQLite one without a file's whole path;
     * E_UNSUPPORTED: it can't be asked, as there is no ODBC, or no such driver. None of our threads
     * may run meanwhile. A driver that hangs is given up; one that crashes is E_IO, on Windows our
     * own end. Caller ends it with close. */
    enum errc (*open)(void *self, const char *connection, int64_t timeout_ms, struct db **out,
                      struct err *err);
    void (*close)(void *self, struct db *db); /* NULL is fine */
    enum errc (*kind)(void *self, struct db *db, enum db_kind *out, struct err *err);
    /* Bytes of the database that the connection is to. */
    enum errc (*size)(void *self, struct db *db, uint64_t *out_bytes, struct err *err);
    /* Has the account (NULL: the connection's own) a right, in the database's own words: a role
     * ("db_owner", "pg_read_all_data") or a privilege on the database ("CREATE")? A role
     * counts where what it may do is the account's without more ado. What SQLite knows: "SELECT"
     * and "CREATE", the file's own permissions and its folder's; of others than ourselves root
     * alone can tell, and Windows no one (E_UNSUPPORTED). E_UNSUPPORTED for a right that this kind
     * of database does not know, and for kinds that are not asked for rights (MySQL); E_OK and
     * false for an account that is not there.
     */
    enum errc (*has_right)(void *self, struct db *db, const char *right, const char *account,
                           bool *out_has, struct err *err);
};

#endif
