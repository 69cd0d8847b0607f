#ifndef SUREFOOT_POSIX_POSIX_H
#define SUREFOOT_POSIX_POSIX_H

/* posix.h: the tables that native.c puts together, and what their files share. */

#include <sys/stat.h>
#include <sys/types.h>

#include "platform/platform.h"

extern const struct fs_ops posix_fs_ops;
extern const struct proc_ops posix_proc_ops;
extern const struct host_ops posix_host_ops;

/* Where the kernel shows an open descriptor as a path: for calls that take only paths. */
#define POSIX_FD_PATH_ROOM 32
const char *posix_fd_path(int fd, char to[POSIX_FD_PATH_ROOM]);

/* posix_open_nofollow is open(2), close-on-exec, that neither follows a link in the last component
 * (E_ACCESS) nor waits for a device. Caller closes *out_fd. */
MUST_USE enum errc posix_open_nofollow(const char *path, int flags, int *out_fd, struct err *err);

/* posix_open_path opens whatever has the path, a link itself too, without reading it. Caller closes
 * *out_fd. */
MUST_USE enum errc posix_open_path(const char *path, int *out_fd, struct stat *out,
                                   struct err *err);

/* posix_write_all writes all the bytes or fails. */
MUST_USE enum errc posix_write_all(int fd, struct span bytes, struct err *err);

/* posix_open_parent opens the folder that the path's last component is in (links followed), and
 * gives that component. E_ARGUMENT where it is empty. Caller closes *out_fd. */
MUST_USE enum errc posix_open_parent(const char *path, int *out_fd, const char **out_name,
                                     struct err *err);

/* posix_flush_folder flushes an open folder; where a folder has nothing to flush it is done. */
MUST_USE enum errc posix_flush_folder(int fd, struct err *err);

/* posix_temporary_name is ".surefoot-" and random hex digits. */
#define POSIX_TEMPORARY_ROOM 48
MUST_USE enum errc posix_temporary_name(char to[POSIX_TEMPORARY_ROOM], struct err *err);

/* posix_random fills `to` with unpredictable bytes. */
MUST_USE enum errc posix_random(uint8_t *to, size_t len, struct err *err);

/* posix_read_small reads a file of /proc, /sys or /etc as text ended by NUL, cut to the room. */
MUST_USE enum errc posix_read_small(const char *path, char *to, size_t room, struct err *err);

int64_t posix_monotonic_ms(void);

/* posix_reset_signals, in a process that was just forked: every signal does what it does by itself,
 * and none is held back. */
void posix_reset_signals(void);

/* posix_is_elevated: root, or rights that the program's own file gave. */
bool posix_is_elevated(void);

/* --- accounts.c: who is who. A name that is not there is E_ABSENT. */
struct posix_user {
    uid_t uid;
    gid_t gid;
};
MUST_USE enum errc posix_find_user(const char *name, struct posix_user *out, struct err *err);
/* The name of a user, or the number where there is none. Returns `to`. */
const char *posix_user_name(uid_t uid, char *to, size_t room);
MUST_USE enum errc posix_group_exists(const char *name, bool *out_exists, struct err *err);
/* All groups that the user is in, the given one among them. Caller frees *out with free. */
MUST_USE enum errc posix_groups_of(const char *name, gid_t first, gid_t **out, int *out_n,
                                   struct err *err);

/* --- source_file.c */
MUST_USE enum errc posix_source_open_nofollow(const char *path, struct source **out_src,
                                              struct err *err);

#endif
