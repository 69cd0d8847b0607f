#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/base/text.h"
#include "platform/posix/again.h"
#include "platform/posix/fs_parts.h"
#include "platform/posix/os_err.h"
#include "platform/posix/posix.h"

#define LINKS_MAX 40 /* as the kernel has it */

/* A walk from the root, one component at a time, each opened in the folder that was judged before
 * it: what is judged is what a later walk meets, since no one but root and us can change it. */
struct walk {
    int at;              /* the folder that we are in */
    char seen[PATH_MAX]; /* its path, as people know it */
    char rest[PATH_MAX]; /* what is still to be walked */
    unsigned flags;
    int n_links;
    bool in_sticky; /* others may put names into that folder */
    struct fs_guard *out;
};

static bool is_ours(uid_t owner)
{
    return owner == 0 || owner == geteuid();
}

/* Is there anything but slashes and dots ahead? */
static bool is_last(const struct walk *w)
{
    const char *rest = w->rest;
    while (*rest == '/' || (*rest == '.' && (rest[1] == '/' || rest[1] == '\0')))
        rest++;
    return *rest == '\0';
}

/* Why others can change what stands here, or NULL. An access list shows in the group's bits, which
 * are its mask. */
static const char *why_writable(const struct walk *w, const struct stat *st)
{
    bool is_passed_sticky = S_ISDIR(st->st_mode) && (st->st_mode & S_ISVTX) != 0 && !is_last(w);
    if (S_ISLNK(st->st_mode) || is_passed_sticky)
        return NULL;
    if ((st->st_mode & S_IWOTH) != 0)
        return "is writable by everyone";
    if ((st->st_mode & S_IWGRP) != 0)
        return "is writable by its group, or by an access list";
    return NULL;
}

/* In a sticky folder anybody may give a file of ours a second name, under which we then meet it. */
static const char *why_unfit(const struct walk *w, const struct stat *st)
{
    if (S_ISLNK(st->st_mode))
        return (w->flags & FS_GUARD_LINKS) == 0 ? "is a symbolic link" : NULL;
    if (!S_ISDIR(st->st_mode) && !S_ISREG(st->st_mode))
        return "is neither a file nor a folder";
    if (w->in_sticky && S_ISREG(st->st_mode) && st->st_nlink > 1)
        return "has a second name, and lies where everyone may give it one";
    return NULL;
}

static void name_culprit(struct walk *w, const char *why)
{
    const char *path = w->seen[0] == '\0' ? "/" : w->seen;
    *w->out = (struct fs_guard){ .is_safe = false };
    (void)text_printable(span_text(path), w->out->path, sizeof(w->out->path));
    (void)text_copy(w->out->why, sizeof(w->out->why), why);
}

/* False where the walk ends here. */
static bool judge(struct walk *w, const struct stat *st)
{
    char owner[80];
    const char *why = NULL;
    if (!is_ours(st->st_uid)) {
        char name[40];
        (void)snprintf(owner, sizeof(owner), "belongs to %s",
                       posix_user_name(st->st_uid, name, sizeof(name)));
        why = owner;
    }
    if (why == NULL)
        why = why_unfit(w, st);
    if (why == NULL)
        why = why_writable(w, st);
    if (why != NULL)
        name_culprit(w, why);
    if (S_ISDIR(st->st_mode))
        w->in_sticky = (st->st_mode & (S_IWOTH | S_IWGRP)) != 0;
    return why == NULL;
}

/* Takes the next component from the rest. False where there is none. */
static bool next_component(struct walk *w, char name[NAME_MAX + 1], bool *out_fits)
{
    const char *start = w->rest + strspn(w->rest, "/");
    size_t len = strcspn(start, "/");
    *out_fits = len <= NAME_MAX;
    if (len == 0 || !*out_fits)
        return len != 0;
    memcpy(name, start, len);
    name[len] = '\0';
    memmove(w->rest, start + len, strlen(start + len) + 1);
    return true;
}

static enum errc add_seen(struct walk *w, const char *name, struct err *err)
{
    size_t len = strlen(w->seen);
    int n = snprintf(w->seen + len, sizeof(w->seen) - len, "/%s", name);
    if (n < 0 || (size_t)n >= sizeof(w->seen) - len)
        return err_set(err, E_LIMIT, "is a path of more than %d bytes", PATH_MAX);
    return E_OK;
}

static enum errc go_to_root(struct walk *w, struct err *err)
{
    struct stat st;
    int root = again_open("/", O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
    if (root < 0)
        return os_err_set(err, errno, "cannot open the root folder");
    if (w->at >= 0)
        (void)close(w->at);
    w->at = root;
    w->seen[0] = '\0';
    if (fstat(root, &st) != 0)
        return os_err_set(err, errno, "cannot look at the root folder");
    (void)judge(w, &st);
    return E_OK;
}

/* The walk goes on where the link leads, from the folder that the link is in. */
static enum errc follow(struct walk *w, int link, struct err *err)
{
    char target[PATH_MAX], rest[PATH_MAX];
    if (++w->n_links > LINKS_MAX)
        return err_set(err, E_LIMIT, "leads through more than %d links", LINKS_MAX);
    ssize_t len = readlinkat(link, "", target, sizeof(target));
    if (len < 0)
        return os_err_set(err, errno, "cannot read the link %s", w->seen);
    int n = snprintf(rest, sizeof(rest), "%.*s/%s", (int)len, target, w->rest);
    if (n < 0 || (size_t)n >= sizeof(rest))
        return err_set(err, E_LIMIT, "leads to a path of more than %d bytes", PATH_MAX);
    (void)text_copy(w->rest, sizeof(w->rest), rest);
    if (target[0] == '/')
        return go_to_root(w, err);
    *strrchr(w->seen, '/') = '\0';
    return E_OK;
}

/* One component: judged, then entered or followed. */
static enum errc step(struct walk *w, const char *name, struct err *err)
{
    struct stat st;
    enum errc rc = add_seen(w, name, err);
    if (rc != E_OK)
        return rc;
    int fd = again_openat(w->at, name, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0);
    if (fd < 0)
        return os_err_set(err, errno, "cannot open %s", w->seen);
    if (fstat(fd, &st) != 0) {
        rc = os_err_set(err, errno, "cannot look at %s", w->seen);
    } else if (judge(w, &st) && S_ISLNK(st.st_mode)) {
        rc = follow(w, fd, err);
    } else {
        int before = w->at;
        w->at = fd;
        fd = before;
    }
    (void)close(fd);
    return rc;
}

static enum errc start(struct walk *w, const char *path, struct err *err)
{
    char here[PATH_MAX] = "";
    if (path[0] == '\0')
        return err_set(err, E_ARGUMENT, "is an empty path");
    if (path[0] != '/' && getcwd(here, sizeof(here)) == NULL)
        return os_err_set(err, errno, "cannot find out the current folder");
    int n = snprintf(w->rest, sizeof(w->rest), "%s/%s", here, path);
    if (n < 0 || (size_t)n >= sizeof(w->rest))
        return err_set(err, E_LIMIT, "is a path of more than %d bytes", PATH_MAX);
    return go_to_root(w, err);
}

enum errc fs_guard(void *self, const char *path, unsigned flags, struct fs_guard *out,
                   struct err *err)
{
    char name[NAME_MAX + 1];
    bool fits = true;
    struct fs_guard found = { .is_safe = true };
    struct walk w = { .at = -1, .flags = flags, .out = &found };
    UNUSED(self);
    enum errc rc = start(&w, path, err);
    while (rc == E_OK && found.is_safe && next_component(&w, name, &fits)) {
        if (!fits)
            rc = err_set(err, E_LIMIT, "has a name of more than %d bytes", NAME_MAX);
        else if (strcmp(name, ".") != 0)
            rc = step(&w, name, err);
    }
    if (w.at >= 0)
        (void)close(w.at);
    if (rc == E_OK)
        *out = found;
    return rc;
}
