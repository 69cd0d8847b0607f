/* What of databases is POSIX' own: unixODBC, and the permissions of SQLite's files. */

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/odbc/db_parts.h"
#include "platform/posix/os_err.h"
#include "platform/posix/posix.h"

#define MANAGER "libodbc.so.2"
#define INSTALLER "libodbcinst.so.2"

enum errc db_os_load_manager(void **out, struct err *err)
{
    *out = dlopen(MANAGER, RTLD_NOW | RTLD_GLOBAL);
    return *out != NULL ? E_OK
                        : err_set(err, E_UNSUPPORTED, "this machine has no ODBC; install unixodbc");
}

void *db_os_load_installer(void)
{
    return dlopen(INSTALLER, RTLD_NOW);
}

void *db_os_find(void *library, const char *name)
{
    return dlsym(library, name);
}

bool db_os_is_ended(void)
{
    return true;
}

void db_os_wipe(void *bytes, size_t len)
{
    explicit_bzero(bytes, len);
}

enum errc db_os_check_file(const char *file, struct err *err)
{
    struct stat st;
    if (file[0] != '/')
        return err_set(err, E_ARGUMENT,
                       "the connection names no file by its whole path (Database=)");
    if (stat(file, &st) != 0 && (errno == ENOENT || errno == ENOTDIR))
        return err_set(err, E_ABSENT,
                       "the file that the connection names (Database=) is not there");
    if (stat(file, &st) != 0)
        return os_err_set(err, errno, "cannot look at the file that the connection names");
    if (!S_ISREG(st.st_mode))
        return err_set(err, E_ARGUMENT, "what the connection names is no file");
    return E_OK;
}

static enum errc find_file(struct db_link *link, char to[PATH_MAX], struct err *err)
{
    bool is_null;
    return db_link_text(link, "SELECT file FROM pragma_database_list WHERE name = 'main'", NULL,
                        NULL, to, PATH_MAX, &is_null, err);
}

static bool may(const char *file, bool is_for_writing)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(file, '/');
    if (slash == NULL || (size_t)(slash - file) + 1 >= sizeof(folder))
        return false;
    (void)memcpy(folder, file, (size_t)(slash - file) + 1);
    folder[slash - file + 1] = '\0';
    if (!is_for_writing)
        return faccessat(AT_FDCWD, file, R_OK, AT_EACCESS) == 0;
    return faccessat(AT_FDCWD, file, R_OK | W_OK, AT_EACCESS) == 0 &&
           faccessat(AT_FDCWD, folder, W_OK | X_OK, AT_EACCESS) == 0;
}

/* For root alone: what another may, asked with his rights. This process is there for us only, and
 * has no other threads. */
static enum errc may_as(const char *account, const struct posix_user *user, const char *file,
                        bool is_for_writing, bool *out, struct err *err)
{
    gid_t *groups = NULL;
    int n = 0;
    enum errc rc = posix_groups_of(account, user->gid, &groups, &n, err);
    if (rc != E_OK)
        return rc;
    bool is_he =
        setgroups((size_t)n, groups) == 0 && setegid(user->gid) == 0 && seteuid(user->uid) == 0;
    free(groups);
    if (is_he)
        *out = may(file, is_for_writing);
    if (seteuid(0) != 0 || setegid(0) != 0 || setgroups(0, NULL) != 0)
        _exit(1);
    return is_he ? E_OK : err_set(err, E_ACCESS, "cannot take the account's place");
}

enum errc db_os_file_right(struct db_link *link, const char *account, bool is_for_writing,
                           bool *out, struct err *err)
{
    char file[PATH_MAX];
    struct posix_user user;
    enum errc rc = find_file(link, file, err);
    if (rc == E_OK && account == NULL)
        *out = may(file, is_for_writing);
    if (rc != E_OK || account == NULL)
        return rc;
    rc = posix_find_user(account, &user, err);
    *out = false;
    if (rc != E_OK)
        return rc == E_ABSENT ? E_OK : rc;
    if (user.uid == geteuid())
        *out = may(file, is_for_writing);
    else if (geteuid() == 0)
        rc = may_as(account, &user, file, is_for_writing, out, err);
    else
        rc = err_set(err, E_ACCESS, "only root can find out what another account may");
    return rc;
}
