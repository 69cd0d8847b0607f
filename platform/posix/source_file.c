#include "platform/source.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/posix/again.h"
#include "platform/posix/os_err.h"
#include "platform/posix/posix.h"

#define ADVISED_MIN (1024 * 1024)

struct file_source {
    struct source base;
    int fd;
};

static enum errc file_read_at(struct source *src, uint64_t at, void *to, size_t len,
                              struct err *err)
{
    const struct file_source *file = (const struct file_source *)src;
    uint8_t *fill = to;
    while (len > 0) {
        ssize_t n = pread(file->fd, fill, len, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return os_err_set(err, errno, "cannot read at %" PRIu64, at);
        if (n == 0)
            return err_set(err, E_TRUNCATED,
                           "the file became shorter while it was read, it ends at %" PRIu64, at);
        fill += n;
        at += (uint64_t)n;
        len -= (size_t)n;
    }
    return E_OK;
}

static void file_close(struct source *src)
{
    struct file_source *file = (struct file_source *)src;
    (void)close(file->fd);
    free(file);
}

/* Takes the descriptor, also where it fails. */
static enum errc open_source(int fd, struct source **out_src, struct err *err)
{
    static const struct source_ops ops = { file_read_at, file_close };
    enum errc rc;
    struct stat st;
    struct file_source *file = NULL;
    if (fstat(fd, &st) != 0) {
        rc = os_err_set(err, errno, "cannot look at");
        goto fail;
    }
    if (S_ISDIR(st.st_mode)) {
        rc = err_set(err, E_ARGUMENT, "is a folder; name the files in it");
        goto fail;
    }
    if (!S_ISREG(st.st_mode)) {
        rc = err_set(err, E_ARGUMENT, "is no regular file");
        goto fail;
    }
    file = malloc(sizeof(*file));
    if (file == NULL) {
        rc = err_nomem(err);
        goto fail;
    }
    if (st.st_size >= ADVISED_MIN) /* a small file is read in one go anyway */
        (void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    *file = (struct file_source){ .base = { .ops = &ops,
                                            .size = (uint64_t)st.st_size,
                                            .id = { (uint64_t)st.st_dev, (uint64_t)st.st_ino } },
                                  .fd = fd };
    *out_src = &file->base;
    return E_OK;
fail:
    (void)close(fd);
    return rc;
}

enum errc source_file_open(const char *path, struct source **out_src, struct err *err)
{
    /* O_NONBLOCK: a named pipe must not hold us up before we can say that it is no file. */
    int fd = again_open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0);
    if (fd < 0)
        return os_err_set(err, errno, "cannot open");
    return open_source(fd, out_src, err);
}

enum errc posix_source_open_nofollow(const char *path, struct source **out_src, struct err *err)
{
    int fd = -1;
    enum errc rc = posix_open_nofollow(path, O_RDONLY, &fd, err);
    return rc == E_OK ? open_source(fd, out_src, err) : rc;
}
