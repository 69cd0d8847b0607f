#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/base/text.h"
#include "platform/posix/again.h"
#include "platform/posix/os_err.h"
#include "platform/posix/posix.h"
#include "platform/posix/proc_parts.h"

/* proc(5): from the state (3), which follows the name, to the start time (22) */
#define FIELDS_TO_START 19
#define DELETED " (deleted)"

enum errc proc_read_boot_time(int64_t *out_boot_s, struct err *err)
{
    size_t room = 256 * 1024; /* /proc/stat has a line for each processor and interrupt */
    char *text = malloc(room);
    if (text == NULL)
        return err_nomem(err);
    enum errc rc = posix_read_small("/proc/stat", text, room, err);
    const char *line = rc == E_OK ? strstr(text, "\nbtime ") : NULL;
    if (line != NULL)
        *out_boot_s = strtoll(line + strlen("\nbtime "), NULL, 10);
    else if (rc == E_OK)
        rc = err_set(err, E_MALFORMED, "/proc/stat does not say when the machine started");
    free(text);
    return rc;
}

/* "123 (name) S 1 ...": the name may hold anything, brackets too, so it ends at the last one. */
static bool read_stat(char *text, char **out_name, char *out_state, uint64_t *out_born)
{
    char *name = strchr(text, '('), *end = strrchr(text, ')');
    if (name == NULL || end == NULL || end < name)
        return false;
    *end = '\0';
    const char *field = end + 1;
    for (int i = 0; i < FIELDS_TO_START && field != NULL; i++)
        field = strchr(field + 1, ' ');
    if (field == NULL)
        return false;
    *out_name = name + 1;
    *out_state = end[1] == ' ' ? end[2] : '\0';
    *out_born = strtoull(field + 1, NULL, 10);
    return true;
}

bool proc_read_link(int64_t pid, const char *what, char to[PATH_MAX], bool *out_is_hidden)
{
    char path[300];
    struct stat st;
    (void)snprintf(path, sizeof(path), "/proc/%" PRId64 "/%s", pid, what);
    ssize_t n = readlink(path, to, PATH_MAX - 1);
    if (n < 0) {
        if (errno == EACCES || errno == EPERM)
            *out_is_hidden = true;
        return false;
    }
    to[n] = '\0';
    size_t len = (size_t)n, tail = strlen(DELETED);
    if (len > tail && strcmp(to + len - tail, DELETED) == 0 && lstat(to, &st) != 0)
        to[len - tail] = '\0';
    return true;
}

/* The effective user, whose rights it has. The folder's owner would be root for some. */
static void read_user(int64_t pid, char *to, size_t room)
{
    char path[64], text[4096];
    unsigned long real, effective;
    (void)snprintf(path, sizeof(path), "/proc/%" PRId64 "/status", pid);
    to[0] = '\0';
    if (posix_read_small(path, text, sizeof(text), NULL) != E_OK)
        return;
    const char *line = strstr(text, "\nUid:");
    if (line != NULL && sscanf(line, "\nUid: %lu %lu", &real, &effective) == 2)
        (void)posix_user_name((uid_t)effective, to, room);
}

enum errc proc_look(int64_t pid, int64_t boot_s, struct proc_seen *out, struct err *err)
{
    char path[64], text[1024], *name, state;
    bool is_hidden;
    long ticks = sysconf(_SC_CLK_TCK);
    (void)snprintf(path, sizeof(path), "/proc/%" PRId64 "/stat", pid);
    enum errc rc = posix_read_small(path, text, sizeof(text), err);
    if (rc != E_OK)
        return rc;
    if (!read_stat(text, &name, &state, &out->info.born) || ticks <= 0)
        return err_set(err, E_MALFORMED, "%s is not as proc(5) has it", path);
    if (state == 'Z' || state == 'X') /* dead, and its parent has not asked how it ended */
        return err_set(err, E_ABSENT, "process %" PRId64 " has ended", pid);
    (void)text_printable(span_text(name), out->name, sizeof(out->name));
    if (!proc_read_link(pid, "exe", out->path, &is_hidden))
        out->path[0] = '\0';
    read_user(pid, out->user, sizeof(out->user));
    out->info.pid = pid;
    out->info.started_s = boot_s + (int64_t)(out->info.born / (uint64_t)ticks);
    out->info.path = out->path;
    out->info.name = out->name;
    out->info.user = out->user;
    return E_OK;
}

static int is_number(const struct dirent *entry)
{
    return isdigit((unsigned char)entry->d_name[0]);
}

static int order_numbers(const struct dirent **a, const struct dirent **b)
{
    long long left = strtoll((*a)->d_name, NULL, 10), right = strtoll((*b)->d_name, NULL, 10);
    return left < right ? -1 : left > right;
}

enum errc proc_each_pid(proc_pid_fn fn, void *ctx, struct err *err)
{
    struct dirent **entries;
    enum errc rc = E_OK;
    int n = again_scandir("/proc", &entries, is_number, order_numbers);
    if (n < 0)
        return os_err_set(err, errno, "cannot list the processes in /proc");
    for (int i = 0; i < n; i++) {
        if (rc == E_OK)
            rc = fn(ctx, strtoll(entries[i]->d_name, NULL, 10), err);
        free(entries[i]);
    }
    free(entries);
    if (n == 0)
        return err_set(err, E_UNSUPPORTED, "/proc shows no processes; is it mounted?");
    return rc;
}
