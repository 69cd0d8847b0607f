#ifndef SUREFOOT_ODBC_DB_PARTS_H
#define SUREFOOT_ODBC_DB_PARTS_H

/* db_parts.h: databases through ODBC, what is the same on all systems. Drivers are foreign code:
 * they crash, wait for ever, and put what they like on standard error. So whoever asks
 * (db.c) is not who loads the driver manager and the driver, and answers questions one by one
 * (db_talk.c): that is a process or a thread (posix/db.c, win32/db.c). What does not answer in time
 * is asked no more.
 *
 * db_odbc.c is the connection and its words for errors, db_ask.c what each kind of database is
 * asked, db_string.c finds a key in a connection string; db_os.c is a system's own part. */

#include "platform/platform.h"

#define DB_CONNECTION_MAX 4096
#define DB_NAME_ROOM 260

/* --- db_talk.c: a question and its answer, each one message */
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

struct db_link;

/* db_talk_check is E_OK for what a connection may be opened with; else E_ARGUMENT. */
MUST_USE enum errc db_talk_check(const char *connection, int64_t timeout_ms, struct err *err);

/* db_talk_ask_right makes a question of a right; E_ARGUMENT for names that are empty or too long.
 */
MUST_USE enum errc db_talk_ask_right(const char *right, const char *account,
                                     struct db_question *out, struct err *err);

/* db_talk_answer answers a question. db_talk_take gives what an answer says, with nothing in its
 * text that could not be shown; an answer is no more trusted than the driver: E_IO for none. */
void db_talk_answer(struct db_link *link, struct db_question *q, struct db_answer *out);
MUST_USE enum errc db_talk_take(const struct db_answer *a, uint64_t *out_number, struct err *err);
enum db_kind db_talk_kind(uint64_t number);

/* --- posix/db.c, win32/db.c: who has the connection. db_os_begin starts it; it sends an answer
 * when it is connected or could not be, and one to each question. db_os_receive is E_TIMEOUT where
 * none comes in time, E_IO where it is dead; after a failure only db_os_end may be called. */
struct db_talker;
MUST_USE enum errc db_os_begin(const char *connection, int64_t timeout_ms, struct db_talker **out,
                               struct err *err);
MUST_USE enum errc db_os_ask(struct db_talker *t, const struct db_question *q, struct err *err);
MUST_USE enum errc db_os_receive(struct db_talker *t, struct db_answer *out, struct err *err);
void db_os_end(struct db_talker *t, bool is_lost);

/* --- db_odbc.c */
MUST_USE enum errc db_link_open(const char *connection, int64_t timeout_ms,
                                struct db_link **out_link, struct err *err);
/* db_link_close ends the connection, or leaves that to the end of the process, which must follow.
 */
void db_link_close(struct db_link *link);

/* db_link_file is the file that the connection of SQLite names; "" of any other. */
const char *db_link_file(const struct db_link *link);

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

/* --- posix/db_os.c, win32/db_os.c: the driver manager is loaded when it is needed, so that no
 * program depends on it. E_UNSUPPORTED: this machine has no ODBC. The installer's library knows
 * what is configured; NULL where it is missing. They are never given back. */
MUST_USE enum errc db_os_load_manager(void **out, struct err *err);
void *db_os_load_installer(void);
void *db_os_find(void *library, const char *name);

/* db_os_check_file is E_OK where SQLite's file is there and named by its whole path. */
MUST_USE enum errc db_os_check_file(const char *file, struct err *err);

/* db_os_file_right says whether an account (NULL: ours) may read SQLite's file, or write it and
 * beside it. */
MUST_USE enum errc db_os_file_right(struct db_link *link, const char *account, bool is_for_writing,
                                    bool *out, struct err *err);

/* db_os_is_ended: does the process end with the connection, so that it need not be closed? */
bool db_os_is_ended(void);

void db_os_wipe(void *bytes, size_t len);

#endif
