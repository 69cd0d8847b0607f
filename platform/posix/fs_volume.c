#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "platform/base/num.h"
#include "platform/posix/again.h"
#include "platform/posix/fs_parts.h"
#include "platform/posix/os_err.h"
#include "platform/posix/posix.h"

enum errc fs_sync_folder(void *self, const char *folder, struct err *err)
{
    UNUSED(self);
    int fd = again_open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (fd < 0)
        return os_err_set(err, errno, "cannot open");
    enum errc rc = posix_flush_folder(fd, err);
    (void)close(fd);
    return rc;
}

enum errc fs_flush_tree(void *self, const char *folder, struct err *err)
{
    int fd = -1;
    UNUSED(self);
    enum errc rc = posix_open_nofollow(folder, O_RDONLY | O_DIRECTORY, &fd, err);
    if (rc != E_OK)
        return rc;
    if (again_syncfs(fd) != 0)
        rc = os_err_set(err, errno, "cannot flush its volume to the device");
    (void)close(fd);
    return rc;
}

enum errc fs_free_bytes(void *self, const char *path, uint64_t *out_bytes, struct err *err)
{
    struct statvfs st;
    UNUSED(self);
    if (statvfs(path, &st) != 0)
        return os_err_set(err, errno, "cannot find out the free space");
    if (!num_mul(st.f_bavail, st.f_frsize, out_bytes))
        *out_bytes = UINT64_MAX;
    return E_OK;
}

/* A lease for reading is given only while no one can write (fcntl(2), F_SETLEASE). The signal for
 * one who comes meanwhile is to be one that does nothing. */
static enum errc ask_for_lease(int fd, bool *out_has, struct err *err)
{
    if (fcntl(fd, F_SETSIG, SIGURG) != 0)
        return os_err_set(err, errno, "cannot find out who writes");
    if (fcntl(fd, F_SETLEASE, F_RDLCK) == 0) {
        (void)fcntl(fd, F_SETLEASE, F_UNLCK);
        *out_has = false;
        return E_OK;
    }
    if (errno == EAGAIN) {
        *out_has = true;
        return E_OK;
    }
    if (errno == EINVAL)
        return err_set(err, E_UNSUPPORTED, "its file system does not tell who writes");
    return os_err_set(err, errno, "cannot find out who writes");
}

enum errc fs_has_writer(void *self, const char *path, bool *out_has, struct err *err)
{
    int fd = -1;
    UNUSED(self);
    enum errc rc = posix_open_nofollow(path, O_RDONLY, &fd, err);
    if (rc != E_OK)
        return rc;
    rc = ask_for_lease(fd, out_has, err);
    (void)close(fd);
    return rc;
}

/* Kernels before 5.8 do not say: there another volume is all that is noticed. */
enum errc fs_is_mount_point(void *self, const char *path, bool *out_is, struct err *err)
{
    struct statx st;
    UNUSED(self);
    if (statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_BASIC_STATS, &st) != 0)
        return os_err_set(err, errno, "cannot look at");
    *out_is = (st.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) != 0 &&
              (st.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
    return E_OK;
}

enum errc fs_can_write(void *self, const char *folder, bool *out_can, struct err *err)
{
    struct statvfs st;
    UNUSED(self);
    *out_can = false;
    if (statvfs(folder, &st) != 0)
        return os_err_set(err, errno, "cannot look at its volume");
    if ((st.f_flag & ST_RDONLY) != 0)
        return E_OK;
    *out_can = faccessat(AT_FDCWD, folder, W_OK | X_OK, AT_EACCESS) == 0;
    if (!*out_can && errno != EACCES && errno != EROFS && errno != EPERM)
        return os_err_set(err, errno, "cannot look at");
    return E_OK;
}
