#include <errno.h>
#include <limits.h>
#include <linux/limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#include "platform/posix/fs_parts.h"
#include "platform/posix/os_err.h"

/* Names, one after another, each ended by NUL. */
struct names {
    char *ptr;
    size_t len;
};

/* What users and administrators set. Not: security.capability, .ima and .evm, which vouch for
 * contents, and trusted.*, which belongs to file systems. */
static bool is_copied(const char *name)
{
    return strncmp(name, "user.", 5) == 0 || strcmp(name, "system.posix_acl_access") == 0 ||
           strcmp(name, "system.posix_acl_default") == 0 || strcmp(name, "security.selinux") == 0;
}

/* A label that we may not give is the one that the system's own rules give. */
static bool may_fail(const char *name, int os)
{
    return strcmp(name, "security.selinux") == 0 &&
           (os == EPERM || os == EACCES || os == EOPNOTSUPP || os == EINVAL);
}

static enum errc read_names(const char *path, struct names *out, struct err *err)
{
    *out = (struct names){ NULL, 0 };
    char *ptr = malloc(XATTR_LIST_MAX);
    if (ptr == NULL)
        return err_nomem(err);
    ssize_t len = listxattr(path, ptr, XATTR_LIST_MAX);
    if (len < 0 && errno != EOPNOTSUPP) {
        enum errc rc = os_err_set(err, errno, "cannot list the attributes");
        free(ptr);
        return rc;
    }
    *out = (struct names){ ptr, len < 0 ? 0 : (size_t)len };
    return E_OK;
}

static const char *next_name(const struct names *names, const char *name)
{
    const char *next = name == NULL ? names->ptr : name + strlen(name) + 1;
    return next < names->ptr + names->len ? next : NULL;
}

static bool is_among(const struct names *names, const char *wanted)
{
    const char *name = NULL;
    while ((name = next_name(names, name)) != NULL)
        if (strcmp(name, wanted) == 0)
            return true;
    return false;
}

static enum errc copy_one(const char *from, const char *to, const char *name, char *value,
                          struct err *err)
{
    ssize_t len = getxattr(from, name, value, XATTR_SIZE_MAX);
    if (len < 0)
        return os_err_set(err, errno, "cannot read the attribute %.60s", name);
    if (setxattr(to, name, value, (size_t)len, 0) == 0 || may_fail(name, errno))
        return E_OK;
    return os_err_set(err, errno, "cannot set the attribute %.60s", name);
}

static enum errc copy_each(const char *from, const char *to, const struct names *names,
                           struct err *err)
{
    enum errc rc = E_OK;
    const char *name = NULL;
    char *value = malloc(XATTR_SIZE_MAX);
    if (value == NULL)
        return err_nomem(err);
    while (rc == E_OK && (name = next_name(names, name)) != NULL)
        if (is_copied(name))
            rc = copy_one(from, to, name, value, err);
    free(value);
    return rc;
}

/* What `to` has and `from` has not: an access list from its folder's defaults, mostly. */
static enum errc remove_others(const char *to, const struct names *wanted, const struct names *has,
                               struct err *err)
{
    const char *name = NULL;
    while ((name = next_name(has, name)) != NULL) {
        if (!is_copied(name) || is_among(wanted, name))
            continue;
        if (removexattr(to, name) != 0 && errno != ENODATA && !may_fail(name, errno))
            return os_err_set(err, errno, "cannot remove the attribute %.60s", name);
    }
    return E_OK;
}

enum errc fs_copy_attributes(const char *from, const char *to, struct err *err)
{
    struct names wanted = { NULL, 0 }, has = { NULL, 0 };
    enum errc rc = read_names(from, &wanted, err);
    if (rc == E_OK)
        rc = read_names(to, &has, err);
    if (rc == E_OK)
        rc = remove_others(to, &wanted, &has, err);
    if (rc == E_OK)
        rc = copy_each(from, to, &wanted, err);
    free(wanted.ptr);
    free(has.ptr);
    return rc;
}
