#ifndef SUREFOOT_POSIX_AGAIN_H
#define SUREFOOT_POSIX_AGAIN_H

/* again.h: system calls that a signal may interrupt, and that have done nothing then (EINTR): they
 * are made again until they are answered. Otherwise as open(2), fsync(2), syncfs(2), ftruncate(2),
 * waitpid(2),
 * waitid(2) and scandir(3). Not close(2), which closes all the same. */

#include <dirent.h>
#include <sys/types.h>
#include <sys/wait.h>

/* `mode` counts where a file is made. */
int again_open(const char *path, int flags, mode_t mode);
int again_openat(int folder, const char *path, int flags, mode_t mode);
int again_scandir(const char *folder, struct dirent ***out, int (*keep)(const struct dirent *),
                  int (*order)(const struct dirent **, const struct dirent **));
int again_fsync(int fd);
int again_syncfs(int fd);
int again_ftruncate(int fd, off_t size);
pid_t again_waitpid(pid_t pid, int *status, int options);
int again_waitid(idtype_t kind, id_t id, siginfo_t *info, int options);

#endif
