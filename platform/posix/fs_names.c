#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/posix/fs_parts.h"
#include "platform/posix/again.h"
#include "platform/posix/os_err.h"
#include "platform/posix/posix.h"

#define TRIES_MAX 8

static enum errc set_taken(struct err *err)
{
    return err_set(err, E_EXISTS, "is there already, and is not replaced");
}

enum errc fs_make_link(void *self, const char *target, const char *path, struct err *err)
{
    UNUSED(self);
    if (symlink(target, path) == 0)
        return E_OK;
    return errno == EEXIST ? set_taken(err) : os_err_set(err, errno, "cannot make the link");
}

/* Opens a regular file; what was opened is what gets used, whatever its path becomes. */
static enum errc open_regular(const char *path, int flags, int *out_fd, struct err *err)
{
    struct stat st;
    int fd = -1;
    enum errc rc = posix_open_nofollow(path, flags, &fd, err);
    if (rc != E_OK)
        return rc;
    if (fstat(fd, &st) != 0)
        rc = os_err_set(err, errno, "cannot look at");
    else if (S_ISLNK(st.st_mode))
        rc = err_set(err, E_ACCESS, "is a symbolic link, which is not followed");
    else if (!S_ISREG(st.st_mode))
        rc = err_set(err, E_ARGUMENT, "is no regular file");
    if (rc == E_OK)
        *out_fd = fd;
    else
        (void)close(fd);
    return rc;
}

enum errc fs_hard_link(void *self, const char *from, const char *to, struct err *err)
{
    char path[POSIX_FD_PATH_ROOM];
    int fd = -1;
    UNUSED(self);
    enum errc rc = open_regular(from, O_PATH, &fd, err);
    if (rc != E_OK)
        return rc;
    if (linkat(AT_FDCWD, posix_fd_path(fd, path), AT_FDCWD, to, AT_SYMLINK_FOLLOW) != 0) {
        if (errno == EEXIST)
            rc = set_taken(err);
        else if (errno == EMLINK)
            rc = err_set(err, E_UNSUPPORTED, "has as many names as its file system allows");
        else
            rc = os_err_set(err, errno, "cannot be given a second name");
    }
    (void)close(fd);
    return rc;
}

static enum errc share_blocks(int from, int to, struct err *err)
{
    if (ioctl(to, FICLONE, from) == 0)
        return E_OK;
    int os = errno;
    if (os == EINVAL || os == EOPNOTSUPP || os == ENOTTY || os == EXDEV)
        return err_set(err, E_UNSUPPORTED, "its file system cannot share blocks of files");
    return os_err_set(err, os, "cannot share the blocks of the file");
}

enum errc fs_clone(void *self, const char *from, const char *to, struct err *err)
{
    int from_fd = -1;
    UNUSED(self);
    enum errc rc = open_regular(from, O_RDONLY, &from_fd, err);
    if (rc != E_OK)
        return rc;
    int to_fd = again_open(to, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (to_fd < 0) {
        rc = errno == EEXIST ? set_taken(err) : os_err_set(err, errno, "cannot make the file");
    } else {
        rc = share_blocks(from_fd, to_fd, err);
        if (close(to_fd) != 0 && rc == E_OK)
            rc = os_err_set(err, errno, "cannot share the blocks to the end");
        if (rc != E_OK)
            (void)unlink(to);
    }
    (void)close(from_fd);
    return rc;
}

/* EINVAL: the file system does not know the flag (or one path lies in the other, which no caller
 * asks for). */
static enum errc rename_failed(int os, struct err *err)
{
    if (os == EEXIST)
        return set_taken(err);
    if (os == EINVAL || os == ENOSYS)
        return err_set(err, E_UNSUPPORTED, "its file system cannot rename so in one step");
    if (os == EXDEV)
        return err_set(err, E_UNSUPPORTED, "lies on another volume than its new name");
    return os_err_set(err, os, "cannot rename");
}

enum errc fs_rename_new(void *self, const char *from, const char *to, struct err *err)
{
    UNUSED(self);
    if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
        return E_OK;
    return rename_failed(errno, err);
}

enum errc fs_exchange(void *self, const char *a, const char *b, struct err *err)
{
    UNUSED(self);
    if (renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE) == 0)
        return E_OK;
    return rename_failed(errno, err);
}

static enum errc make_temporary_link(int folder, const char *target,
                                     char temporary[POSIX_TEMPORARY_ROOM], struct err *err)
{
    for (int i = 0; i < TRIES_MAX; i++) {
        enum errc rc = posix_temporary_name(temporary, err);
        if (rc != E_OK)
            return rc;
        if (symlinkat(target, folder, temporary) == 0)
            return E_OK;
        if (errno != EEXIST)
            break;
    }
    return os_err_set(err, errno, "cannot make a link in its folder");
}

static enum errc check_is_link(int folder, const char *name, struct err *err)
{
    struct stat st;
    if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT ? E_OK : os_err_set(err, errno, "cannot look at");
    if (!S_ISLNK(st.st_mode))
        return err_set(err, E_EXISTS, "is there, is no symbolic link, and so is not replaced");
    return E_OK;
}

enum errc fs_point(void *self, const char *link, const char *target, struct err *err)
{
    char temporary[POSIX_TEMPORARY_ROOM];
    const char *name = NULL;
    int folder = -1;
    UNUSED(self);
    enum errc rc = posix_open_parent(link, &folder, &name, err);
    if (rc != E_OK)
        return rc;
    rc = check_is_link(folder, name, err);
    if (rc == E_OK)
        rc = make_temporary_link(folder, target, temporary, err);
    if (rc == E_OK && renameat(folder, temporary, folder, name) != 0) {
        rc = os_err_set(err, errno, "cannot put the new link in place");
        (void)unlinkat(folder, temporary, 0);
    }
    (void)close(folder);
    return rc;
}
