/* Making one file like another, and its time. An owner other than ourselves is given with the
 * privilege to restore files, which is switched on for that call alone. Not copied: alternate
 * streams and extended attributes, which are contents; the integrity label, by which the system
 * trusts a program; encryption and compression, which the new file's folder decides. Not yet seen
 * on Microsoft's own Windows. */

#include <stdlib.h>

#include "platform/win32/fs_parts.h"
#include "platform/win32/security.h"
#include "platform/win32/w32.h"

#define COPIED                                                                                     \
    (FILE_ATTRIBUTE_READONLY | FILE_ATTRIBUTE_HIDDEN | FILE_ATTRIBUTE_SYSTEM |                     \
     FILE_ATTRIBUTE_ARCHIVE | FILE_ATTRIBUTE_NOT_CONTENT_INDEXED)

static enum errc read_attributes(HANDLE handle, DWORD *out, struct err *err)
{
    BY_HANDLE_FILE_INFORMATION info;
    if (!GetFileInformationByHandle(handle, &info))
        return w32_err_set(err, GetLastError(), "cannot look at");
    *out = info.dwFileAttributes;
    return E_OK;
}

static enum errc set_attributes(HANDLE handle, DWORD attributes, struct err *err)
{
    FILE_BASIC_INFO basic = { .FileAttributes = attributes & COPIED };
    if (basic.FileAttributes == 0)
        basic.FileAttributes = FILE_ATTRIBUTE_NORMAL; /* 0 would leave them as they are */
    if (!SetFileInformationByHandle(handle, FileBasicInfo, &basic, sizeof(basic)))
        return w32_err_set(err, GetLastError(), "cannot set the attributes");
    return E_OK;
}

/* --- owner and group */

static bool is_same_owner(const struct security *a, const struct security *b)
{
    return EqualSid(a->owner, b->owner) &&
           (a->group == NULL || b->group == NULL ? a->group == b->group
                                                 : EqualSid(a->group, b->group) != 0);
}

static DWORD try_owner(HANDLE to, PSECURITY_DESCRIPTOR descriptor)
{
    return SetKernelObjectSecurity(to, OWNER_SECURITY_INFORMATION | GROUP_SECURITY_INFORMATION,
                                   descriptor)
               ? ERROR_SUCCESS
               : GetLastError();
}

static DWORD try_owner_with_privilege(HANDLE to, PSECURITY_DESCRIPTOR descriptor)
{
    TOKEN_PRIVILEGES wanted = { .PrivilegeCount = 1 }, before = { .PrivilegeCount = 0 };
    DWORD len = 0;
    HANDLE token = NULL;
    wanted.Privileges[0].Attributes = SE_PRIVILEGE_ENABLED;
    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_ADJUST_PRIVILEGES | TOKEN_QUERY, &token))
        return GetLastError();
    DWORD os = ERROR_PRIVILEGE_NOT_HELD;
    if (LookupPrivilegeValueW(NULL, L"SeRestorePrivilege", &wanted.Privileges[0].Luid) &&
        AdjustTokenPrivileges(token, FALSE, &wanted, sizeof(before), &before, &len)) {
        os = GetLastError() == ERROR_NOT_ALL_ASSIGNED ? (DWORD)ERROR_PRIVILEGE_NOT_HELD
                                                      : try_owner(to, descriptor);
        (void)AdjustTokenPrivileges(token, FALSE, &before, 0, NULL, NULL);
    }
    (void)CloseHandle(token);
    return os;
}

static enum errc copy_owner(HANDLE from, HANDLE to, struct err *err)
{
    char name[120];
    struct security a = { .descriptor = NULL }, b = { .descriptor = NULL };
    enum errc rc = security_read(from, &a, err);
    if (rc == E_OK)
        rc = security_read(to, &b, err);
    if (rc == E_OK && !is_same_owner(&a, &b)) {
        DWORD os = try_owner(to, a.descriptor);
        if (os == ERROR_INVALID_OWNER || os == ERROR_PRIVILEGE_NOT_HELD)
            os = try_owner_with_privilege(to, a.descriptor);
        if (os != ERROR_SUCCESS)
            rc = w32_err_set(err, os, "cannot be given to %s",
                             security_name(a.owner, name, sizeof(name)));
    }
    security_fini(&a);
    security_fini(&b);
    return rc;
}

/* --- all of it */

static enum errc copy_list(HANDLE from, HANDLE to, struct err *err)
{
    struct security s;
    enum errc rc = security_read(from, &s, err);
    if (rc != E_OK)
        return rc;
    rc = security_set_list(to, s.descriptor, s.is_protected, err);
    security_fini(&s);
    return rc;
}

static enum errc close_to_others(HANDLE to, struct err *err)
{
    PSECURITY_DESCRIPTOR descriptor = NULL;
    enum errc rc = security_private(&descriptor, err);
    if (rc != E_OK)
        return rc;
    rc = security_set_list(to, descriptor, true, err);
    (void)LocalFree(descriptor);
    return rc;
}

/* First nobody else is let in, then the owner changes, then the list: at no time may anyone do what
 * neither of the two allows. */
static enum errc copy_all(HANDLE from, HANDLE to, bool is_link, struct err *err)
{
    DWORD attributes = 0;
    enum errc rc = is_link ? E_OK : close_to_others(to, err);
    if (rc == E_OK)
        rc = copy_owner(from, to, err);
    if (rc == E_OK)
        rc = copy_list(from, to, err);
    if (rc == E_OK && !is_link)
        rc = read_attributes(from, &attributes, err);
    return rc == E_OK && !is_link ? set_attributes(to, attributes, err) : rc;
}

static enum errc look_both(void *self, const char *from, const char *to, enum fs_kind *out_kind,
                           struct err *err)
{
    struct fs_info a, b;
    enum errc rc = fs_stat_link(self, from, &a, err);
    if (rc == E_OK)
        rc = fs_stat_link(self, to, &b, err);
    if (rc == E_OK && a.kind == FS_ABSENT)
        rc = err_set(err, E_ABSENT, "what it is to be like is not there");
    else if (rc == E_OK && b.kind == FS_ABSENT)
        rc = err_set(err, E_ABSENT, "is not there");
    else if (rc == E_OK && a.kind != b.kind)
        rc = err_set(err, E_ARGUMENT, "is of another kind than what it is to be like");
    if (rc == E_OK)
        *out_kind = a.kind;
    return rc;
}

enum errc fs_copy_owner_and_attributes(void *self, const char *from, const char *to,
                                       struct err *err)
{
    wchar_t *wide_from = NULL, *wide_to = NULL;
    HANDLE from_handle = NULL, to_handle = NULL;
    enum fs_kind kind = FS_ABSENT;
    enum errc rc = look_both(self, from, to, &kind, err);
    if (rc == E_OK)
        rc = w32_path(from, &wide_from, err);
    if (rc == E_OK)
        rc = w32_path(to, &wide_to, err);
    if (rc == E_OK)
        rc = security_open(wide_from, READ_CONTROL | FILE_READ_ATTRIBUTES, &from_handle, err);
    if (rc == E_OK)
        rc = security_open(wide_to,
                           READ_CONTROL | WRITE_DAC | WRITE_OWNER | FILE_READ_ATTRIBUTES |
                               FILE_WRITE_ATTRIBUTES,
                           &to_handle, err);
    if (rc == E_OK)
        rc = copy_all(from_handle, to_handle, kind == FS_LINK, err);
    if (from_handle != NULL)
        (void)CloseHandle(from_handle);
    if (to_handle != NULL)
        (void)CloseHandle(to_handle);
    free(wide_from);
    free(wide_to);
    return rc;
}

enum errc fs_set_owner(void *self, const char *path, uint32_t owner, uint32_t group,
                       struct err *err)
{
    UNUSED(self);
    UNUSED(path);
    UNUSED(owner);
    UNUSED(group);
    return err_set(err, E_UNSUPPORTED, "owners are not set by number on Windows");
}

/* From ns since 1970 to 100 ns since 1601, which is before all that the first can hold. */
static FILETIME file_time(int64_t unix_ns)
{
    const int64_t epoch = INT64_C(116444736000000000);
    const uint64_t ticks = (uint64_t)(unix_ns / 100 - (unix_ns % 100 < 0 ? 1 : 0) + epoch);
    return (FILETIME){ .dwLowDateTime = (DWORD)ticks, .dwHighDateTime = (DWORD)(ticks >> 32) };
}

enum errc fs_set_mtime(void *self, const char *path, int64_t mtime_ns, struct err *err)
{
    const FILETIME written = file_time(mtime_ns);
    wchar_t *wide = NULL;
    HANDLE handle = NULL;
    UNUSED(self);
    enum errc rc = w32_path(path, &wide, err);
    if (rc == E_OK)
        rc = security_open(wide, FILE_WRITE_ATTRIBUTES, &handle, err);
    if (rc == E_OK && !SetFileTime(handle, NULL, NULL, &written))
        rc = w32_err_set(err, GetLastError(), "cannot set the time");
    if (handle != NULL)
        (void)CloseHandle(handle);
    free(wide);
    return rc;
}
