#ifndef SUREFOOT_POSIX_DB_CHILD_H
#define SUREFOOT_POSIX_DB_CHILD_H

/* db_child.h: a process of its own loads the driver manager and the driver, and answers the
 * questions of db.c one by one; what does not answer in time is ended. The connection string
 * reaches it by the fork alone, and it has the environment of an elevated run emptied. None of our
 * own threads may run at the fork. */

#include "platform/odbc/db_parts.h"

/* db_child_start begins a process that connects, and sends an answer when it has or could not. It
 * ends when the socket does. Caller closes *out_fd. */
MUST_USE enum errc db_child_start(const char *connection, int64_t timeout_ms, int *out_fd,
                                  int64_t *out_pid, struct err *err);

#endif
