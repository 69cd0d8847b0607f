/* What nobody else may enter, and permission bits, which Windows has none of. platform.h says what
 * is done instead. */

#include <stdlib.h>

#include "platform/win32/fs_parts.h"
#include "platform/win32/security.h"
#include "platform/win32/w32.h"

static enum errc check_folder(const wchar_t *wide, bool is_readable, struct err *err)
{
    HANDLE handle = NULL;
    enum errc rc = security_open(wide, READ_CONTROL | FILE_READ_ATTRIBUTES, &handle, err);
    if (rc != E_OK)
        return rc;
    rc = is_readable ? security_check_kept(handle, err) : security_check_private(handle, err);
    (void)CloseHandle(handle);
    return rc;
}

static enum errc make_folder(const wchar_t *wide, bool is_readable, struct err *err)
{
    SECURITY_ATTRIBUTES security = { .nLength = sizeof(security) };
    enum errc rc = is_readable ? security_kept(&security.lpSecurityDescriptor, err)
                               : security_private(&security.lpSecurityDescriptor, err);
    if (rc != E_OK)
        return rc;
    if (!CreateDirectoryW(wide, &security))
        rc = w32_err_set(err, GetLastError(), "cannot make the folder");
    (void)LocalFree(security.lpSecurityDescriptor);
    if (rc != E_OK)
        return rc;
    rc = check_folder(wide, is_readable, err);
    if (rc != E_OK)
        (void)RemoveDirectoryW(wide);
    return rc;
}

enum errc fs_make_private_wide(const wchar_t *wide, struct err *err)
{
    return make_folder(wide, false, err);
}

static enum errc make_at(const char *path, bool is_readable, struct err *err)
{
    wchar_t *wide = NULL;
    enum errc rc = w32_path(path, &wide, err);
    if (rc == E_OK)
        rc = make_folder(wide, is_readable, err);
    free(wide);
    return rc;
}

enum errc fs_make_private_folder(void *self, const char *path, struct err *err)
{
    UNUSED(self);
    return make_at(path, false, err);
}

enum errc fs_make_readable_folder(void *self, const char *path, struct err *err)
{
    UNUSED(self);
    return make_at(path, true, err);
}

enum errc fs_is_shared(void *self, const char *path, bool *out_shared, struct err *err)
{
    wchar_t *wide = NULL;
    DWORD rights = FILE_ALL_ACCESS;
    UNUSED(self);
    enum errc rc = w32_path(path, &wide, err);
    if (rc != E_OK)
        return rc;
    HANDLE handle =
        CreateFileW(wide, READ_CONTROL, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                    NULL, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL);
    if (handle == INVALID_HANDLE_VALUE) {
        rc = w32_err_set(err, GetLastError(), "cannot look at");
    } else {
        rc = security_rights_of_others(handle, true, &rights, err);
        (void)CloseHandle(handle);
    }
    if (rc == E_OK)
        *out_shared = (rights & (ACL_READING | ACL_WRITING)) != 0;
    free(wide);
    return rc;
}

unsigned fs_mode_of(HANDLE handle, bool is_folder)
{
    DWORD rights = FILE_ALL_ACCESS; /* where it can't be found out, the worst */
    struct err ignored;
    if (security_rights_of_others(handle, false, &rights, &ignored) != E_OK)
        rights = FILE_ALL_ACCESS;
    unsigned mode = is_folder ? 0700 : 0600;
    if ((rights & (ACL_READING | ACL_WRITING)) != 0)
        mode |= is_folder ? 055 : 044;
    if ((rights & ACL_WRITING) != 0)
        mode |= 022;
    return mode;
}

static enum errc set_list(HANDLE handle, bool is_private, struct err *err)
{
    PSECURITY_DESCRIPTOR descriptor = NULL;
    enum errc rc =
        is_private ? security_private(&descriptor, err) : security_readable(&descriptor, err);
    if (rc != E_OK)
        return rc;
    rc = security_set_list(handle, descriptor, is_private, err);
    (void)LocalFree(descriptor);
    return rc == E_OK && is_private ? security_check_private(handle, err) : rc;
}

static enum errc change_mode(HANDLE handle, unsigned mode, struct err *err)
{
    DWORD rights = 0;
    enum errc rc = security_rights_of_others(handle, false, &rights, err);
    if (rc != E_OK)
        return rc;
    const bool is_private = (rights & (ACL_READING | ACL_WRITING)) == 0;
    if (is_private && (mode & 04) != 0)
        return set_list(handle, false, err);
    return !is_private && (mode & 077) == 0 ? set_list(handle, true, err) : E_OK;
}

enum errc fs_set_mode(void *self, const char *path, unsigned mode, struct err *err)
{
    wchar_t *wide = NULL;
    HANDLE handle = NULL;
    struct fs_info info;
    enum errc rc = fs_stat_link(self, path, &info, err);
    if (rc == E_OK && info.kind == FS_ABSENT)
        rc = err_set(err, E_ABSENT, "is not there");
    else if (rc == E_OK && info.kind == FS_LINK)
        rc = err_set(err, E_ARGUMENT, "is a link, which has no permissions of its own");
    else if (rc == E_OK && (mode & ~07777U) != 0)
        rc = err_set(err, E_ARGUMENT, "is to get permissions %o, which are none", mode);
    if (rc == E_OK)
        rc = w32_path(path, &wide, err);
    if (rc == E_OK)
        rc = security_open(wide, READ_CONTROL | WRITE_DAC | FILE_READ_ATTRIBUTES, &handle, err);
    if (rc == E_OK)
        rc = change_mode(handle, mode, err);
    if (handle != NULL)
        (void)CloseHandle(handle);
    free(wide);
    return rc;
}
