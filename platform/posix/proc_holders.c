#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "platform/posix/os_err.h"
#include "platform/posix/posix.h"
#include "platform/posix/proc_parts.h"

struct search {
    const char *folder; /* without links */
    size_t len;         /* 0 for the root folder */
    proc_holder_fn fn;
    void *ctx;
    int64_t boot_s;
    size_t n_hidden;
    char held[PATH_MAX];
    struct proc_seen seen;
};

static bool is_below(const struct search *s, const char *path)
{
    return strncmp(path, s->folder, s->len) == 0 && (path[s->len] == '/' || path[s->len] == '\0');
}

static bool holds_by_link(struct search *s, int64_t pid, const char *what, bool *is_hidden)
{
    return proc_read_link(pid, what, s->held, is_hidden) && is_below(s, s->held);
}

static bool holds_a_file(struct search *s, int64_t pid, bool *is_hidden)
{
    char path[64], what[300];
    bool is_found = false;
    const struct dirent *entry;
    (void)snprintf(path, sizeof(path), "/proc/%" PRId64 "/fd", pid);
    DIR *folder = opendir(path);
    if (folder == NULL) {
        if (errno == EACCES || errno == EPERM)
            *is_hidden = true;
        return false;
    }
    while (!is_found && (entry = readdir(folder)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        (void)snprintf(what, sizeof(what), "fd/%s", entry->d_name);
        is_found = holds_by_link(s, pid, what, is_hidden);
    }
    (void)closedir(folder);
    return is_found;
}

/* "7f..-7f.. r-xp 00000000 08:01 1234    /usr/lib/x.so": the path is from the first slash on. */
static bool is_mapping_below(struct search *s, char *line)
{
    const char *path = strchr(line, '/');
    line[strcspn(line, "\n")] = '\0';
    if (path == NULL || !is_below(s, path))
        return false;
    (void)snprintf(s->held, sizeof(s->held), "%s", path);
    return true;
}

static bool holds_a_mapping(struct search *s, int64_t pid, bool *is_hidden)
{
    char path[64];
    char *line = NULL;
    size_t room = 0;
    bool is_found = false;
    (void)snprintf(path, sizeof(path), "/proc/%" PRId64 "/maps", pid);
    FILE *maps = fopen(path, "re");
    if (maps == NULL) {
        if (errno == EACCES || errno == EPERM)
            *is_hidden = true;
        return false;
    }
    while (!is_found && getline(&line, &room, maps) > 0)
        is_found = is_mapping_below(s, line);
    free(line);
    (void)fclose(maps);
    return is_found;
}

static bool find_hold(struct search *s, int64_t pid, enum proc_hold *out_how, bool *is_hidden)
{
    if (holds_by_link(s, pid, "exe", is_hidden))
        *out_how = PROC_HOLDS_PROGRAM;
    else if (holds_by_link(s, pid, "cwd", is_hidden) || holds_by_link(s, pid, "root", is_hidden))
        *out_how = PROC_HOLDS_FOLDER;
    else if (holds_a_file(s, pid, is_hidden))
        *out_how = PROC_HOLDS_FILE;
    else if (holds_a_mapping(s, pid, is_hidden))
        *out_how = PROC_HOLDS_LIBRARY;
    else
        return false;
    return true;
}

static enum errc search_one(void *ctx, int64_t pid, struct err *err)
{
    struct search *s = ctx;
    struct err why = { .code = E_OK };
    enum proc_hold how;
    bool is_hidden = false;
    if (pid == getpid())
        return E_OK;
    if (!find_hold(s, pid, &how, &is_hidden)) {
        s->n_hidden += is_hidden;
        return E_OK;
    }
    enum errc rc = proc_look(pid, s->boot_s, &s->seen, &why);
    if (rc == E_ABSENT)
        return E_OK;
    if (rc != E_OK)
        return err_set(err, rc, "process %" PRId64 ": %s", pid, why.text);
    return s->fn(s->ctx, &s->seen.info, how, s->held, err);
}

enum errc proc_holders(void *self, const char *folder, proc_holder_fn fn, void *ctx,
                       size_t *out_n_hidden, struct err *err)
{
    enum errc rc = E_OK;
    UNUSED(self);
    char *real = realpath(folder, NULL);
    if (real == NULL)
        return os_err_set(err, errno, "cannot find out where the folder is");
    struct search *s = calloc(1, sizeof(*s));
    if (s == NULL)
        rc = err_nomem(err);
    if (rc == E_OK) {
        s->folder = real;
        s->len = strcmp(real, "/") == 0 ? 0 : strlen(real);
        s->fn = fn;
        s->ctx = ctx;
        rc = proc_read_boot_time(&s->boot_s, err);
    }
    if (rc == E_OK)
        rc = proc_each_pid(search_one, s, err);
    if (rc == E_OK)
        *out_n_hidden = s->n_hidden;
    free(s);
    free(real);
    return rc;
}
