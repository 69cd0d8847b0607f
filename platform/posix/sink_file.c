#include "platform/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/posix/again.h"
#include "platform/base/text.h"
#include "platform/posix/os_err.h"
#include "platform/posix/posix.h"

#define TRIES_MAX 8
#define FLUSH_STEP (8U * 1024 * 1024)

/* Everything is done relative to the folder that was opened first, so that all of it happens in one
 * folder even if its path is given to another. */
struct file_sink {
    struct sink base;
    int folder;
    int fd;
    unsigned flags;
    size_t n_unstarted; /* bytes written since the device was last told to begin */
    bool is_nameless;   /* gone with its descriptor, also where we are killed */
    bool is_temporary_there;
    char temporary[POSIX_TEMPORARY_ROOM];
    char name[]; /* the last part of the path */
};

/* The device begins with what is there already, so that the flush at the end finds little to do. */
static void start_flush(struct file_sink *file, size_t n_written)
{
    file->n_unstarted += n_written;
    if ((file->flags & SINK_UNFLUSHED) != 0 || file->n_unstarted < FLUSH_STEP)
        return;
    file->n_unstarted = 0;
#ifdef SYNC_FILE_RANGE_WRITE
    (void)sync_file_range(file->fd, 0, 0, SYNC_FILE_RANGE_WRITE);
#endif
}

static enum errc file_write(struct sink *s, struct span bytes, struct err *err)
{
    struct file_sink *file = (struct file_sink *)s;
    enum errc rc = posix_write_all(file->fd, bytes, err);
    if (rc == E_OK)
        start_flush(file, bytes.len);
    return rc;
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

static int link_nameless(const struct file_sink *file, const char *name)
{
    char path[40];
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", file->fd);
    return linkat(AT_FDCWD, path, file->folder, name, AT_SYMLINK_FOLLOW);
}

/* A link never replaces: where something may have the name, there is a temporary one between. */
static enum errc name_temporary(struct file_sink *file, struct err *err)
{
    if (!file->is_nameless)
        return E_OK;
    for (int i = 0; i < TRIES_MAX; i++) {
        enum errc rc = posix_temporary_name(file->temporary, err);
        if (rc != E_OK)
            return rc;
        if (link_nameless(file, file->temporary) == 0) {
            file->is_temporary_there = true;
            return E_OK;
        }
        if (errno != EEXIST)
            break;
    }
    return os_err_set(err, errno, "cannot put the finished file in place");
}

static enum errc end_unflushed(struct file_sink *file, struct err *err)
{
    int fd = file->fd;
    file->fd = -1;
    if (close(fd) != 0)
        return os_err_set(err, errno, "cannot write to the end");
    file->is_temporary_there = false;
    return E_OK;
}

static enum errc file_commit(struct sink *s, struct err *err)
{
    struct file_sink *file = (struct file_sink *)s;
    if ((file->flags & SINK_UNFLUSHED) != 0)
        return end_unflushed(file, err);
    if (again_fsync(file->fd) != 0)
        return os_err_set(err, errno, "cannot flush to the device");
    enum errc rc = name_temporary(file, err);
    if (rc != E_OK)
        return rc;
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
    rc = posix_flush_folder(file->folder, err);
    if (rc != E_OK)
        (void)err_prefix(err, "is in place, but ");
    return rc;
}

static void file_close(struct sink *s)
{
    struct file_sink *file = (struct file_sink *)s;
    if (file->fd >= 0)
        (void)close(file->fd);
    if (file->is_temporary_there)
        (void)unlinkat(file->folder,
                       (file->flags & SINK_UNFLUSHED) != 0 ? file->name : file->temporary, 0);
    if (file->folder >= 0)
        (void)close(file->folder);
    free(file);
}

/* Not every file system can do without a name, and a name is given later by way of /proc. */
static bool open_nameless(struct file_sink *file, mode_t mode)
{
    if (access("/proc/self/fd", X_OK) != 0)
        return false;
    file->fd = again_openat(file->folder, ".", O_WRONLY | O_TMPFILE | O_CLOEXEC, mode);
    file->is_nameless = file->fd >= 0;
    return file->is_nameless;
}

static enum errc open_temporary(struct file_sink *file, struct err *err)
{
    mode_t mode = (file->flags & SINK_PRIVATE) != 0 ? 0600 : 0666;
    if (open_nameless(file, mode))
        return E_OK;
    for (int i = 0; i < TRIES_MAX; i++) {
        enum errc rc = posix_temporary_name(file->temporary, err);
        if (rc != E_OK)
            return rc;
        file->fd = again_openat(file->folder, file->temporary,
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

static enum errc open_unflushed(struct file_sink *file, struct err *err)
{
    file->fd = again_openat(file->folder, file->name,
                            O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file->fd < 0 && errno == EEXIST)
        return err_set(err, E_EXISTS, "is there already, and is not replaced");
    if (file->fd < 0)
        return os_err_set(err, errno, "cannot write in its folder");
    file->is_temporary_there = true;
    return E_OK;
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

enum errc sink_file_create(const char *path, unsigned flags, struct sink **out_sink,
                           struct err *err)
{
    static const struct sink_ops ops = { file_write, file_commit, file_close };
    const char *name = NULL;
    int folder = -1;
    enum errc rc = posix_open_parent(path, &folder, &name, err);
    if (rc != E_OK)
        return rc;
    struct file_sink *file = malloc(sizeof(*file) + strlen(name) + 1);
    if (file == NULL) {
        (void)close(folder);
        return err_nomem(err);
    }
    *file =
        (struct file_sink){ .base = { .ops = &ops }, .folder = folder, .fd = -1, .flags = flags };
    (void)text_copy(file->name, strlen(name) + 1, name);
    if ((flags & SINK_UNFLUSHED) != 0) {
        rc = open_unflushed(file, err);
    } else {
        rc = check_name_is_free(file, err);
        if (rc == E_OK)
            rc = open_temporary(file, err);
    }
    if (rc == E_OK && (flags & SINK_PRIVATE) != 0)
        rc = check_is_private(file, err);
    if (rc == E_OK)
        *out_sink = &file->base;
    else
        file_close(&file->base);
    return rc;
}
