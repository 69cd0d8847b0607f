#ifndef SUREFOOT_POSIX_DB_PARTS_H
#define SUREFOOT_POSIX_DB_PARTS_H

/* db_parts.h: databases through unixODBC. Drivers are foreign code: they crash, wait for ever, and
 * put what they like on standard error. So a process of its own (db_child.c) loads the driver
 * manager and the driver, and answers the questions of db.c one by one; what does not answer in
 * time is ended. The connection string reaches it by the fork alone, and it has the environment of
 * an elevated run emptied. None of our own threads may run at the fork.
 *
 * db_odbc.c is the connection and its words for errors, db_ask.c what each kind of database is
 * asked, db_string.c finds a key in a connection string. */

#include "platform/platform.h"

#define DB_CONNECTION_MAX 4096
#define DB_NAME_ROOM 260

/* --- db_child.c: a question and its answer, each one message */
enum db_what { DB_ASK_KIND, DB_ASK_SIZE, DB_ASK_RIGHT };
struct db_question {
    int what; /* enum db_what */
    bool has_account;
    char right[DB_NAME_ROOM], account[DB_NAME_ROOM];
};
struct db_answer {
    struct err err; /* code E_OK: `number` is the kind, the bytes, or 0 and 1 */
    uint64_t number;
};

/* db_child_start begins a process that connects, and sends an answer when it has or could not. It
 * ends when the socket does. Caller closes *out_fd. */
MUST_USE enum errc db_child_start(const char *connection, int64_t timeout_ms, int *out_fd,
                                  int64_t *out_pid, struct err *err);

/* --- db_odbc.c */
struct db_link;
MUST_USE enum errc db_link_open(const char *connection, int64_t timeout_ms,
                                struct db_link **out_link, struct err *err);
/* db_link_close ends the connection, or leaves that to the end of the process, which must follow.
 */
void db_link_close(struct db_link *link);

/* db_link_name is what the database calls itself, "SQLite". */
MUST_USE enum errc db_link_name(struct db_link *link, char *to, size_t room, struct err *err);

/* db_link_text runs a query with up to two texts bound to its "?" (NULL: fewer) and gives the first
 * column of its first row; *out_is_null also where there is no row. E_LIMIT for a longer text. */
MUST_USE enum errc db_link_text(struct db_link *link, const char *sql, const char *first,
                                const char *second, char *to, size_t room, bool *out_is_null,
                                struct err *err);

/* db_link_number is the same for a whole number that is not negative. */
MUST_USE enum errc db_link_number(struct db_link *link, const char *sql, const char *first,
                                  const char *second, uint64_t *out, bool *out_is_null,
                                  struct err *err);

/* --- db_ask.c */
/* db_ask_alive is E_OK when the database truly answers. */
MUST_USE enum errc db_ask_alive(struct db_link *link, struct err *err);
MUST_USE enum errc db_ask_kind(struct db_link *link, enum db_kind *out, struct err *err);
MUST_USE enum errc db_ask_size(struct db_link *link, uint64_t *out_bytes, struct err *err);
MUST_USE enum errc db_ask_right(struct db_link *link, const char *right, const char *account,
                                bool *out_has, struct err *err);

/* --- db_string.c: "Driver={a b};Database=x". False where the key is not there, or the value does
 * not fit; of several the first counts, as it does for drivers. */
bool db_string_find(const char *connection, const char *key, char *to, size_t room);

#endif
