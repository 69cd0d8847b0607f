#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/posix/fs_parts.h"
#include "platform/posix/again.h"
#include "platform/posix/os_err.h"
#include "platform/posix/posix.h"

static enum errc check_is_own(int fd, struct err *err)
{
    char name[40];
    struct stat st;
    if (fstat(fd, &st) != 0)
        return os_err_set(err, errno, "cannot look at");
    if (!S_ISREG(st.st_mode))
        return err_set(err, E_ARGUMENT, "is no regular file");
    if (st.st_uid != geteuid())
        return err_set(err, E_ACCESS, "belongs to %s, not to us",
                       posix_user_name(st.st_uid, name, sizeof(name)));
    if (st.st_nlink != 1)
        return err_set(err, E_ACCESS, "has %ju names, and must have one", (uintmax_t)st.st_nlink);
    if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return err_set(err, E_ACCESS, "may be written by others (mode %04o)",
                       (unsigned)st.st_mode & 07777);
    return E_OK;
}

static enum errc open_or_make(const char *path, int flags, bool may_make, int *out_fd,
                              bool *out_is_new, struct err *err)
{
    enum errc rc =
        may_make ? posix_open_nofollow(path, flags | O_CREAT | O_EXCL, out_fd, err) : E_EXISTS;
    *out_is_new = rc == E_OK;
    return rc == E_EXISTS ? posix_open_nofollow(path, flags, out_fd, err) : rc;
}

enum errc fs_open_own(const char *path, int flags, bool may_make, int *out_fd, bool *out_is_new,
                      struct err *err)
{
    int fd = -1;
    enum errc rc = open_or_make(path, flags, may_make, &fd, out_is_new, err);
    if (rc != E_OK)
        return rc;
    rc = check_is_own(fd, err);
    if (rc == E_OK)
        *out_fd = fd;
    else
        (void)close(fd);
    return rc;
}

static enum errc flush(int fd, struct err *err)
{
    return again_fsync(fd) == 0 ? E_OK : os_err_set(err, errno, "cannot flush to the device");
}

static enum errc flush_parent(const char *path, struct err *err)
{
    const char *name = NULL;
    int folder = -1;
    enum errc rc = posix_open_parent(path, &folder, &name, err);
    if (rc != E_OK)
        return rc;
    rc = posix_flush_folder(folder, err);
    (void)close(folder);
    return rc;
}

/* Half a record at the end would spoil the one that follows. */
static enum errc write_record(int fd, struct span record, struct err *err)
{
    struct stat before;
    if (fstat(fd, &before) != 0)
        return os_err_set(err, errno, "cannot look at");
    enum errc rc = posix_write_all(fd, record, err);
    if (rc == E_OK)
        rc = flush(fd, err);
    if (rc != E_OK && again_ftruncate(fd, before.st_size) != 0)
        (void)err_prefix(err, "a part of a record may be left at the end: ");
    return rc;
}

enum errc fs_append(void *self, const char *path, struct span record, struct err *err)
{
    int fd = -1;
    bool is_new = false;
    UNUSED(self);
    enum errc rc = fs_open_own(path, O_WRONLY | O_APPEND, true, &fd, &is_new, err);
    if (rc != E_OK)
        return rc;
    rc = write_record(fd, record, err);
    if (close(fd) != 0 && rc == E_OK)
        rc = os_err_set(err, errno, "cannot write to the end");
    return rc == E_OK && is_new ? flush_parent(path, err) : rc;
}

static enum errc cut_to(int fd, uint64_t size, struct err *err)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return os_err_set(err, errno, "cannot look at");
    if ((uint64_t)st.st_size < size)
        return err_set(err, E_TRUNCATED, "has %jd bytes, and is to keep %" PRIu64,
                       (intmax_t)st.st_size, size);
    if (again_ftruncate(fd, (off_t)size) != 0)
        return os_err_set(err, errno, "cannot be cut");
    return flush(fd, err);
}

enum errc fs_cut(void *self, const char *path, uint64_t size, struct err *err)
{
    int fd = -1;
    bool is_new = false;
    UNUSED(self);
    enum errc rc = fs_open_own(path, O_WRONLY, false, &fd, &is_new, err);
    if (rc != E_OK)
        return rc;
    rc = cut_to(fd, size, err);
    (void)close(fd);
    return rc;
}
