#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/posix/fs_parts.h"
#include "platform/posix/again.h"
#include "platform/posix/os_err.h"
#include "platform/posix/posix.h"

static enum errc change_mode(int path_fd, mode_t mode, struct err *err)
{
    char path[POSIX_FD_PATH_ROOM];
    if (chmod(posix_fd_path(path_fd, path), mode) != 0)
        return os_err_set(err, errno, "cannot set the permissions");
    return E_OK;
}

enum errc fs_set_mode(void *self, const char *path, unsigned mode, struct err *err)
{
    struct stat st;
    int fd = -1;
    UNUSED(self);
    enum errc rc = posix_open_path(path, &fd, &st, err);
    if (rc != E_OK)
        return rc;
    if (S_ISLNK(st.st_mode))
        rc = err_set(err, E_ARGUMENT, "is a symbolic link, which has no permissions of its own");
    else if ((mode & ~07777U) != 0)
        rc = err_set(err, E_ARGUMENT, "is to get permissions %o, which are none", mode);
    else
        rc = change_mode(fd, (mode_t)mode, err);
    (void)close(fd);
    return rc;
}

/* File systems without owners give every folder the same mode and owner, which then shows here. */
static enum errc check_keeps(const char *path, mode_t denied, struct err *err)
{
    struct stat st;
    int fd = -1;
    enum errc rc = posix_open_path(path, &fd, &st, err);
    if (rc != E_OK)
        return rc;
    (void)close(fd);
    if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & denied) != 0)
        return err_set(err, E_ACCESS,
                       "cannot be kept from other users on this file system; choose a folder on "
                       "another one");
    return E_OK;
}

/* The mode is set once more: mkdir takes the umask's bits away, and never adds one. */
static enum errc open_to_readers(const char *path, struct err *err)
{
    const int fd = again_open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
    if (fd < 0)
        return os_err_set(err, errno, "cannot open the folder");
    const int failed = fchmod(fd, 0755) == 0 ? 0 : errno;
    (void)close(fd);
    return failed == 0 ? E_OK : os_err_set(err, failed, "cannot set the folder's mode");
}

/* Made with its mode, so that a kill leaves it as it is to be; what the process's mask took away is
 * given back after that. */
static enum errc make_kept(const char *path, bool is_readable, struct err *err)
{
    if (mkdir(path, is_readable ? 0755 : 0700) != 0)
        return os_err_set(err, errno, "cannot make the folder");
    enum errc rc = is_readable ? open_to_readers(path, err) : E_OK;
    if (rc == E_OK)
        rc = check_keeps(path, is_readable ? 022 : 077, err);
    if (rc != E_OK)
        (void)rmdir(path);
    return rc;
}

enum errc fs_make_private_folder(void *self, const char *path, struct err *err)
{
    UNUSED(self);
    return make_kept(path, false, err);
}

enum errc fs_make_readable_folder(void *self, const char *path, struct err *err)
{
    UNUSED(self);
    return make_kept(path, true, err);
}

static enum errc check_same_kind(const struct stat *a, const struct stat *b, struct err *err)
{
    if ((a->st_mode & S_IFMT) != (b->st_mode & S_IFMT))
        return err_set(err, E_ARGUMENT, "is of another kind than what it is to be like");
    return E_OK;
}

static enum errc change_owner(int fd, const struct stat *from, const struct stat *to,
                              struct err *err)
{
    if (from->st_uid == to->st_uid && from->st_gid == to->st_gid)
        return E_OK;
    if (fchownat(fd, "", from->st_uid, from->st_gid, AT_EMPTY_PATH) != 0)
        return os_err_set(err, errno, "cannot be given to user %lu, group %lu",
                          (unsigned long)from->st_uid, (unsigned long)from->st_gid);
    return E_OK;
}

/* First what both allow (and the owner to write attributes), then the owner, the attributes, and
 * last the permissions: at no time may anyone do what neither of the two allows. */
static enum errc copy_all(int from, const struct stat *from_st, int to, const struct stat *to_st,
                          struct err *err)
{
    char from_path[POSIX_FD_PATH_ROOM], to_path[POSIX_FD_PATH_ROOM];
    mode_t kept = S_ISDIR(from_st->st_mode) ? 07777 : 0777;
    enum errc rc = change_mode(to, (from_st->st_mode & to_st->st_mode & 0777) | 0600, err);
    if (rc == E_OK)
        rc = change_owner(to, from_st, to_st, err);
    if (rc == E_OK)
        rc = fs_copy_attributes(posix_fd_path(from, from_path), posix_fd_path(to, to_path), err);
    return rc == E_OK ? change_mode(to, from_st->st_mode & kept, err) : rc;
}

enum errc fs_copy_owner_and_attributes(void *self, const char *from, const char *to,
                                       struct err *err)
{
    struct stat from_st, to_st;
    int from_fd = -1, to_fd = -1;
    UNUSED(self);
    enum errc rc = posix_open_path(from, &from_fd, &from_st, err);
    if (rc == E_OK)
        rc = posix_open_path(to, &to_fd, &to_st, err);
    if (rc == E_OK)
        rc = check_same_kind(&from_st, &to_st, err);
    if (rc == E_OK)
        rc = S_ISLNK(to_st.st_mode) ? change_owner(to_fd, &from_st, &to_st, err)
                                    : copy_all(from_fd, &from_st, to_fd, &to_st, err);
    if (from_fd >= 0)
        (void)close(from_fd);
    if (to_fd >= 0)
        (void)close(to_fd);
    return rc;
}

enum errc fs_set_owner(void *self, const char *path, uint32_t owner, uint32_t group,
                       struct err *err)
{
    UNUSED(self);
    return fchownat(AT_FDCWD, path, owner, group, AT_SYMLINK_NOFOLLOW) == 0
               ? E_OK
               : os_err_set(err, errno, "cannot set the owner");
}

enum errc fs_set_mtime(void *self, const char *path, int64_t mtime_ns, struct err *err)
{
    const int64_t s = mtime_ns >= 0 ? mtime_ns / 1000000000 : (mtime_ns - 999999999) / 1000000000;
    struct timespec times[2] = { { .tv_nsec = UTIME_OMIT },
                                 { .tv_sec = (time_t)s,
                                   .tv_nsec = (long)(mtime_ns - s * 1000000000) } };
    UNUSED(self);
    return utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW) == 0
               ? E_OK
               : os_err_set(err, errno, "cannot set the time");
}
