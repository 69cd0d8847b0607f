#include "platform/posix/again.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int again_open(const char *path, int flags, mode_t mode)
{
    return again_openat(AT_FDCWD, path, flags, mode);
}

int again_openat(int folder, const char *path, int flags, mode_t mode)
{
    int fd;
    do
        fd = openat(folder, path, flags, mode);
    while (fd < 0 && errno == EINTR);
    return fd;
}

int again_scandir(const char *folder, struct dirent ***out, int (*keep)(const struct dirent *),
                  int (*order)(const struct dirent **, const struct dirent **))
{
    int n;
    do
        n = scandir(folder, out, keep, order);
    while (n < 0 && errno == EINTR);
    return n;
}

int again_fsync(int fd)
{
    int failed;
    do
        failed = fsync(fd);
    while (failed != 0 && errno == EINTR);
    return failed;
}

int again_syncfs(int fd)
{
    int failed;
    do
        failed = syncfs(fd);
    while (failed != 0 && errno == EINTR);
    return failed;
}

int again_ftruncate(int fd, off_t size)
{
    int failed;
    do
        failed = ftruncate(fd, size);
    while (failed != 0 && errno == EINTR);
    return failed;
}

pid_t again_waitpid(pid_t pid, int *status, int options)
{
    pid_t ended;
    do
        ended = waitpid(pid, status, options);
    while (ended < 0 && errno == EINTR);
    return ended;
}

int again_waitid(idtype_t kind, id_t id, siginfo_t *info, int options)
{
    int failed;
    do
        failed = waitid(kind, id, info, options);
    while (failed != 0 && errno == EINTR);
    return failed;
}
