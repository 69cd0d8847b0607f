#include "platform/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/base/text.h"
#include "platform/posix/os_err.h"

#define TRIES_MAX 8

/* Everything is done relative to the folder that was opened first, so that all of it happens in one
 * folder even if its path is given to another. */
struct file_sink {
    struct sink base;
    int folder;
    int fd;
    unsigned flags;
    bool is_temporary_there;
    char temporary[48];
    char name[]; /* the last part of the path */
};

static enum errc file_write(struct sink *s, struct span bytes, struct err *err)
{
    const struct file_sink *file = (const struct file_sink *)s;
    while (bytes.len > 0) {
        ssize_t n = write(file->fd, bytes.ptr, bytes.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return os_err_set(err, errno, "cannot write");
        bytes = span_of(bytes.ptr + n, bytes.len - (size_t)n);
    }
    return E_OK;
}

/* Gives the temporary file its name, unless there is such a name. File systems that can't rename so
 * (or kernels) can mostly link. */
static int rename_to_new_name(const struct file_sink *file)
{
    if (renameat2(file->folder, file->temporary, file->folder, file->name, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return -1;
    if (linkat(file->folder, file->temporary, file->folder, file->name, 0) != 0)
        return -1;
    return unlinkat(file->folder, file->temporary, 0);
}

static enum errc file_commit(struct sink *s, struct err *err)
{
    struct file_sink *file = (struct file_sink *)s;
    if (fsync(file->fd) != 0)
        return os_err_set(err, errno, "cannot flush to the device");
    int fd = file->fd;
    file->fd = -1;
    if (close(fd) != 0)
        return os_err_set(err, errno, "cannot write to the end");
    bool no_replace = (file->flags & SINK_NO_REPLACE) != 0;
    int failed = no_replace ? rename_to_new_name(file)
                            : renameat(file->folder, file->temporary, file->folder, file->name);
    if (failed != 0 && errno == EEXIST)
        return err_set(err, E_EXISTS, "is there already, and is not replaced");
    if (failed != 0)
        return os_err_set(err, errno, "cannot put the finished file in place");
    file->is_temporary_there = false;
    /* EINVAL: a file system on which a folder has nothing to flush */
    if (fsync(file->folder) != 0 && errno != EINVAL)
        return os_err_set(err, errno, "is in place, but its folder cannot be flushed");
    return E_OK;
}

static void file_close(struct sink *s)
{
    struct file_sink *file = (struct file_sink *)s;
    if (file->fd >= 0)
        (void)close(file->fd);
    if (file->is_temporary_there)
        (void)unlinkat(file->folder, file->temporary, 0);
    if (file->folder >= 0)
        (void)close(file->folder);
    free(file);
}

static enum errc make_temporary_name(struct file_sink *file, struct err *err)
{
    uint8_t random[12];
    char hex[TEXT_HEX_LEN(sizeof(random))];
    if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
        return os_err_set(err, errno, "the system gives no random bytes");
    (void)snprintf(file->temporary, sizeof(file->temporary), ".surefoot-%s",
                   text_to_hex(span_of(random, sizeof(random)), hex));
    return E_OK;
}

static enum errc open_temporary(struct file_sink *file, struct err *err)
{
    mode_t mode = (file->flags & SINK_PRIVATE) != 0 ? 0600 : 0666;
    for (int i = 0; i < TRIES_MAX; i++) {
        enum errc rc = make_temporary_name(file, err);
        if (rc != E_OK)
            return rc;
        file->fd = openat(file->folder, file->temporary,
                          O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
        if (file->fd >= 0) {
            file->is_temporary_there = true;
            return E_OK;
        }
        if (errno != EEXIST)
            break;
    }
    return os_err_set(err, errno, "cannot write in its folder");
}

/* File systems without owners give every file the same mode, which then shows here. */
static enum errc check_is_private(const struct file_sink *file, struct err *err)
{
    struct stat st;
    if (fstat(file->fd, &st) != 0)
        return os_err_set(err, errno, "cannot look at the new file");
    if ((st.st_mode & 077) != 0)
        return err_set(err, E_ACCESS,
                       "the file system of its folder cannot keep a file from other users; choose "
                       "a folder on another one");
    return E_OK;
}

static enum errc check_name_is_free(const struct file_sink *file, struct err *err)
{
    struct stat st;
    if (fstatat(file->folder, file->name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT ? E_OK : os_err_set(err, errno, "cannot look at");
    if ((file->flags & SINK_NO_REPLACE) != 0)
        return err_set(err, E_EXISTS, "is there already, and is not replaced");
    if (S_ISDIR(st.st_mode))
        return err_set(err, E_ARGUMENT, "is a folder; name a file in it");
    if (!S_ISREG(st.st_mode))
        return err_set(err, E_ARGUMENT, "is there, is no regular file, and so is not replaced");
    return E_OK;
}

static enum errc open_folder(const char *path, size_t len, int *out_fd, struct err *err)
{
    char *folder = len == 0 ? strdup(".") : strndup(path, len);
    if (folder == NULL)
        return err_nomem(err);
    *out_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int os = errno;
    free(folder);
    if (*out_fd < 0)
        return os_err_set(err, os, "cannot open its folder");
    return E_OK;
}

enum errc sink_file_create(const char *path, unsigned flags, struct sink **out_sink,
                           struct err *err)
{
    static const struct sink_ops ops = { file_write, file_commit, file_close };
    const char *slash = strrchr(path, '/');
    const char *name = slash == NULL ? path : slash + 1;
    if (name[0] == '\0')
        return err_set(err, E_ARGUMENT, "is no name of a file");
    struct file_sink *file = malloc(sizeof(*file) + strlen(name) + 1);
    if (file == NULL)
        return err_nomem(err);
    *file = (struct file_sink){ .base = { .ops = &ops }, .folder = -1, .fd = -1, .flags = flags };
    (void)text_copy(file->name, strlen(name) + 1, name);
    enum errc rc = open_folder(path, (size_t)(name - path), &file->folder, err);
    if (rc == E_OK)
        rc = check_name_is_free(file, err);
    if (rc == E_OK)
        rc = open_temporary(file, err);
    if (rc == E_OK && (flags & SINK_PRIVATE) != 0)
        rc = check_is_private(file, err);
    if (rc == E_OK)
        *out_sink = &file->base;
    else
        file_close(&file->base);
    return rc;
}
