#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>

#include "platform/base/text.h"
#include "platform/posix/os_err.h"
#include "platform/posix/posix.h"

#define RECORD_MAX (1024 * 1024) /* a group's record holds all its members */
#define GROUPS_MAX 65536

/* Not found is said in several ways; of those in getpwnam(3), EBADF and EPERM may also mean that
 * the list of accounts can't be read. */
static bool is_not_found(int os)
{
    return os == 0 || os == ENOENT || os == ESRCH;
}

enum errc posix_find_user(const char *name, struct posix_user *out, struct err *err)
{
    struct passwd record, *found = NULL;
    char *room = malloc(RECORD_MAX);
    if (room == NULL)
        return err_nomem(err);
    enum errc rc = E_OK;
    int os = getpwnam_r(name, &record, room, RECORD_MAX, &found);
    if (found != NULL)
        *out = (struct posix_user){ .uid = record.pw_uid, .gid = record.pw_gid };
    else if (is_not_found(os))
        rc = err_set(err, E_ABSENT, "there is no user \"%.64s\"", name);
    else
        rc = os_err_set(err, os, "cannot look up the user \"%.64s\"", name);
    free(room);
    return rc;
}

const char *posix_user_name(uid_t uid, char *to, size_t room)
{
    struct passwd record, *found = NULL;
    char text[4096];
    if (getpwuid_r(uid, &record, text, sizeof(text), &found) == 0 && found != NULL)
        return text_printable(span_text(record.pw_name), to, room);
    (void)snprintf(to, room, "%lu", (unsigned long)uid);
    return to;
}

enum errc posix_group_exists(const char *name, bool *out_exists, struct err *err)
{
    struct group record, *found = NULL;
    char *room = malloc(RECORD_MAX);
    if (room == NULL)
        return err_nomem(err);
    enum errc rc = E_OK;
    int os = getgrnam_r(name, &record, room, RECORD_MAX, &found);
    if (found != NULL || is_not_found(os))
        *out_exists = found != NULL;
    else
        rc = os_err_set(err, os, "cannot look up the group \"%.64s\"", name);
    free(room);
    return rc;
}

enum errc posix_groups_of(const char *name, gid_t first, gid_t **out, int *out_n, struct err *err)
{
    int n = GROUPS_MAX;
    gid_t *groups = malloc(GROUPS_MAX * sizeof(*groups));
    if (groups == NULL)
        return err_nomem(err);
    if (getgrouplist(name, first, groups, &n) < 0) {
        free(groups);
        return err_set(err, E_LIMIT, "the user \"%.64s\" is in more than %d groups", name,
                       GROUPS_MAX);
    }
    *out = groups;
    *out_n = n;
    return E_OK;
}
