#ifndef SUREFOOT_POSIX_PROC_PARTS_H
#define SUREFOOT_POSIX_PROC_PARTS_H

/* proc_parts.h: operations of proc_ops that have files of their own (platform.h says what they do),
 * and what they share. */

#include <limits.h>

#include "platform/platform.h"

/* proc_look.c: one process, as /proc shows it. */
#define PROC_NAME_ROOM 80
struct proc_seen {
    struct proc_info info; /* borrows from the rest */
    char path[PATH_MAX], name[PROC_NAME_ROOM], user[PROC_NAME_ROOM];
};

/* The start of the machine in seconds since 1970, for proc_look. */
MUST_USE enum errc proc_read_boot_time(int64_t *out_boot_s, struct err *err);

/* proc_look is E_ABSENT where there is no such process any more, also where its parent has yet to
 * hear of its end. */
MUST_USE enum errc proc_look(int64_t pid, int64_t boot_s, struct proc_seen *out, struct err *err);

/* proc_read_link appends nothing and is false where there is nothing to be read; *out_is_hidden
 * says that we may not. What was removed has no " (deleted)" at its end. */
bool proc_read_link(int64_t pid, const char *what, char to[PATH_MAX], bool *out_is_hidden);

/* proc_each_pid calls for each process, by number. */
typedef enum errc (*proc_pid_fn)(void *ctx, int64_t pid, struct err *err);
MUST_USE enum errc proc_each_pid(proc_pid_fn fn, void *ctx, struct err *err);

/* proc_holders.c */
enum errc proc_holders(void *self, const char *folder, proc_holder_fn fn, void *ctx,
                       size_t *out_n_hidden, struct err *err);

/* proc_run.c */
enum errc proc_run(void *self, const struct proc_command *command, struct proc_result *out,
                   struct err *err);

/* proc_child.c: the new process. All that needs memory or a lock is done before the fork. */
struct proc_launch {
    const struct proc_command *command;
    char **env;
    bool is_other_user;
    struct posix_user *user;
    gid_t *groups;
    int n_groups;
    int null_fd, output_fd; /* output_fd: where standard output and error go */
};
/* proc_fork starts it; what failed in the new process before the program ran is our error. */
MUST_USE enum errc proc_fork(const struct proc_launch *launch, int64_t *out_pid, struct err *err);

/* proc_end.c */
enum errc proc_terminate(void *self, int64_t pid, uint64_t born, int64_t grace_ms, struct err *err);

/* proc_open is a descriptor that becomes readable when the process ends, or -1 with errno. */
int proc_open(int64_t pid);

#endif
