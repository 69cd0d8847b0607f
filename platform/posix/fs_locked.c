/* Who holds a file: POSIX locks are asked for by fcntl, which takes nothing. Those of flock(2) are
 * of another kind that can only be tried for, which would be a lock of our own for an instant: they
 * are looked up in the kernel's list instead. */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "platform/posix/fs_parts.h"
#include "platform/posix/os_err.h"
#include "platform/posix/posix.h"

static enum errc ask_fcntl(int fd, bool *out_is, struct err *err)
{
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    if (fcntl(fd, F_GETLK, &lock) != 0)
        return os_err_set(err, errno, "cannot ask for its locks");
    *out_is = lock.l_type != F_UNLCK;
    return E_OK;
}

/* proc(5), /proc/locks: "1: FLOCK  ADVISORY  WRITE 2305 08:01:17301521 0 EOF"; device numbers are
 * in hex. A line that waits for another's lock has "->" in it. */
static enum errc ask_kernel(const struct stat *st, bool *out_is, struct err *err)
{
    char line[256], wanted[64];
    FILE *list = fopen("/proc/locks", "re");
    if (list == NULL)
        return os_err_set(err, errno, "cannot read /proc/locks");
    (void)snprintf(wanted, sizeof(wanted), " %02x:%02x:%ju ", major(st->st_dev), minor(st->st_dev),
                   (uintmax_t)st->st_ino);
    *out_is = false;
    while (!*out_is && fgets(line, sizeof(line), list) != NULL)
        *out_is = strstr(line, wanted) != NULL && strstr(line, "->") == NULL &&
                  strstr(line, "LEASE") == NULL && strstr(line, "DELEG") == NULL;
    (void)fclose(list);
    return E_OK;
}

enum errc fs_is_locked(void *self, const char *path, bool *out_is, struct err *err)
{
    struct stat st;
    int fd = -1;
    UNUSED(self);
    *out_is = false;
    enum errc rc = posix_open_nofollow(path, O_RDONLY, &fd, err);
    if (rc == E_ABSENT)
        return E_OK;
    if (rc != E_OK)
        return rc;
    if (fstat(fd, &st) != 0)
        rc = os_err_set(err, errno, "cannot look at");
    if (rc == E_OK)
        rc = ask_fcntl(fd, out_is, err);
    if (rc == E_OK && !*out_is)
        rc = ask_kernel(&st, out_is, err);
    (void)close(fd);
    return rc;
}
