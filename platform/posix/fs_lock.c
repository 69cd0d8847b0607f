#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/base/text.h"
#include "platform/posix/again.h"
#include "platform/posix/fs_parts.h"
#include "platform/posix/os_err.h"
#include "platform/posix/posix.h"

/* The lock is flock(2)'s: the kernel takes it back when the process dies. The file's text, the
 * holder's number, is only for the message to others. */
struct fs_lock {
    int fd;
};

static long read_holder(int fd)
{
    char text[24] = "";
    ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
    return n > 0 ? strtol(text, NULL, 10) : 0;
}

static enum errc set_held(int fd, struct err *err)
{
    char path[40], raw[64], name[64];
    long pid = read_holder(fd);
    if (pid <= 0)
        return err_set(err, E_BUSY, "is held by another process");
    (void)snprintf(path, sizeof(path), "/proc/%ld/comm", pid);
    if (posix_read_small(path, raw, sizeof(raw), NULL) != E_OK)
        return err_set(err, E_BUSY, "is held by another process");
    raw[strcspn(raw, "\n")] = '\0';
    return err_set(err, E_BUSY, "is held by process %ld (%s)", pid,
                   text_printable(span_text(raw), name, sizeof(name)));
}

/* Whoever removes a lock file makes two locks of one. */
static enum errc check_is_still_there(int fd, const char *path, struct err *err)
{
    struct stat held, there;
    if (fstat(fd, &held) != 0)
        return os_err_set(err, errno, "cannot look at");
    if (lstat(path, &there) != 0 || held.st_dev != there.st_dev || held.st_ino != there.st_ino)
        return err_set(err, E_BUSY, "was removed while it was being locked; try again");
    return E_OK;
}

static enum errc lock_file(int fd, const char *path, struct err *err)
{
    int failed;
    do
        failed = flock(fd, LOCK_EX | LOCK_NB);
    while (failed != 0 && errno == EINTR);
    if (failed != 0)
        return errno == EWOULDBLOCK ? set_held(fd, err) : os_err_set(err, errno, "cannot lock");
    return check_is_still_there(fd, path, err);
}

static void write_holder(int fd)
{
    char text[24];
    int len = snprintf(text, sizeof(text), "%ld\n", (long)getpid());
    if (len > 0 && pwrite(fd, text, (size_t)len, 0) == len)
        (void)!again_ftruncate(fd, len);
}

enum errc fs_lock(void *self, const char *path, struct fs_lock **out_lock, struct err *err)
{
    int fd = -1;
    bool is_new = false;
    UNUSED(self);
    struct fs_lock *lock = malloc(sizeof(*lock));
    if (lock == NULL)
        return err_nomem(err);
    enum errc rc = fs_open_own(path, O_RDWR, true, &fd, &is_new, err);
    if (rc == E_OK)
        rc = lock_file(fd, path, err);
    if (rc == E_OK) {
        write_holder(fd);
        lock->fd = fd;
        *out_lock = lock;
        return E_OK;
    }
    if (fd >= 0)
        (void)close(fd);
    free(lock);
    return rc;
}

void fs_unlock(void *self, struct fs_lock *lock)
{
    UNUSED(self);
    if (lock == NULL)
        return;
    (void)!again_ftruncate(lock->fd, 0);
    (void)close(lock->fd);
    free(lock);
}
