#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "platform/base/text.h"
#include "platform/posix/again.h"
#include "platform/posix/os_err.h"
#include "platform/posix/posix.h"

const char *posix_fd_path(int fd, char to[POSIX_FD_PATH_ROOM])
{
    (void)snprintf(to, POSIX_FD_PATH_ROOM, "/proc/self/fd/%d", fd);
    return to;
}

/* "link/" would be followed whatever the flags say. */
static enum errc check_no_slash_at_end(const char *path, struct err *err)
{
    size_t len = strlen(path);
    if (len > 1 && path[len - 1] == '/')
        return err_set(err, E_ARGUMENT, "ends in a slash; leave it out");
    return E_OK;
}

enum errc posix_open_nofollow(const char *path, int flags, int *out_fd, struct err *err)
{
    enum errc rc = check_no_slash_at_end(path, err);
    if (rc != E_OK)
        return rc;
    /* O_NONBLOCK: a named pipe must not hold us up before we can say that it is no file. */
    int fd = again_open(path, flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0600);
    if (fd < 0 && errno == ELOOP)
        return err_set(err, E_ACCESS, "is a symbolic link, which is not followed");
    if (fd < 0)
        return os_err_set(err, errno, "cannot open");
    *out_fd = fd;
    return E_OK;
}

enum errc posix_open_path(const char *path, int *out_fd, struct stat *out, struct err *err)
{
    int fd = -1;
    enum errc rc = posix_open_nofollow(path, O_PATH, &fd, err);
    if (rc != E_OK)
        return rc;
    if (fstat(fd, out) != 0) {
        rc = os_err_set(err, errno, "cannot look at");
        (void)close(fd);
        return rc;
    }
    *out_fd = fd;
    return E_OK;
}

enum errc posix_write_all(int fd, struct span bytes, struct err *err)
{
    while (bytes.len > 0) {
        ssize_t n = write(fd, bytes.ptr, bytes.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return os_err_set(err, errno, "cannot write");
        bytes = span_of(bytes.ptr + n, bytes.len - (size_t)n);
    }
    return E_OK;
}

static enum errc open_folder(const char *path, size_t len, int *out_fd, struct err *err)
{
    char *folder = len == 0 ? strdup(".") : strndup(path, len);
    if (folder == NULL)
        return err_nomem(err);
    *out_fd = again_open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    int os = errno;
    free(folder);
    if (*out_fd < 0)
        return os_err_set(err, os, "cannot open its folder");
    return E_OK;
}

enum errc posix_open_parent(const char *path, int *out_fd, const char **out_name, struct err *err)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash == NULL ? path : slash + 1;
    if (name[0] == '\0')
        return err_set(err, E_ARGUMENT, "is no name of a file");
    enum errc rc = open_folder(path, (size_t)(name - path), out_fd, err);
    if (rc == E_OK)
        *out_name = name;
    return rc;
}

enum errc posix_flush_folder(int fd, struct err *err)
{
    /* EINVAL: a file system on which a folder has nothing to flush */
    if (again_fsync(fd) != 0 && errno != EINVAL)
        return os_err_set(err, errno, "cannot flush the folder to the device");
    return E_OK;
}

enum errc posix_random(uint8_t *to, size_t len, struct err *err)
{
    while (len > 0) {
        ssize_t n = getrandom(to, len, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return os_err_set(err, errno, "the system gives no random bytes");
        to += n;
        len -= (size_t)n;
    }
    return E_OK;
}

enum errc posix_temporary_name(char to[POSIX_TEMPORARY_ROOM], struct err *err)
{
    uint8_t random[12];
    char hex[TEXT_HEX_LEN(sizeof(random))];
    enum errc rc = posix_random(random, sizeof(random), err);
    if (rc == E_OK)
        (void)snprintf(to, POSIX_TEMPORARY_ROOM, ".surefoot-%s",
                       text_to_hex(span_of(random, sizeof(random)), hex));
    return rc;
}

static ssize_t read_up_to(int fd, char *to, size_t room)
{
    size_t len = 0;
    while (len < room) {
        ssize_t n = read(fd, to + len, room - len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        len += (size_t)n;
    }
    return (ssize_t)len;
}

enum errc posix_read_small(const char *path, char *to, size_t room, struct err *err)
{
    int fd = again_open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0);
    if (fd < 0)
        return os_err_set(err, errno, "cannot open %s", path);
    ssize_t len = read_up_to(fd, to, room - 1);
    enum errc rc = len < 0 ? os_err_set(err, errno, "cannot read %s", path) : E_OK;
    if (rc == E_OK)
        to[len] = '\0';
    (void)close(fd);
    return rc;
}

int64_t posix_monotonic_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

bool posix_is_elevated(void)
{
    return geteuid() == 0 || getauxval(AT_SECURE) != 0;
}

void posix_reset_signals(void)
{
    struct sigaction action;
    sigset_t none;
    (void)memset(&action, 0, sizeof(action));
    action.sa_handler = SIG_DFL;
    for (int i = 1; i < NSIG; i++)
        (void)sigaction(i, &action, NULL);
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}
