#include "platform/win32/security.h"

#include <sddl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/base/text.h"
#include "platform/win32/fs_parts.h"
#include "platform/win32/w32.h"

#define SID_TEXT_ROOM 200
#define ACCOUNT_ROOM 257

/* --- who we are */

static enum errc read_user(HANDLE token, struct security_self *out, struct err *err)
{
    union {
        TOKEN_USER user;
        BYTE bytes[sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE];
    } u;
    DWORD len;
    if (!GetTokenInformation(token, TokenUser, &u, sizeof(u), &len) ||
        !CopySid(sizeof(out->user), out->user, u.user.User.Sid))
        return w32_err_set(err, GetLastError(), "cannot find out who is running this");
    out->acl.user = out->user;
    return E_OK;
}

enum errc security_self(struct security_self *out, struct err *err)
{
    HANDLE token = NULL;
    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token))
        return w32_err_set(err, GetLastError(), "cannot find out who is running this");
    out->is_elevated = w32_is_elevated();
    out->acl.is_user_safe = security_user_is_safe(token);
    enum errc rc = read_user(token, out, err);
    (void)CloseHandle(token);
    return rc;
}

const char *security_name(PSID sid, char *to, size_t room)
{
    wchar_t name[ACCOUNT_ROOM], domain[ACCOUNT_ROOM], *text = NULL;
    DWORD name_len = ACCOUNT_ROOM, domain_len = ACCOUNT_ROOM;
    SID_NAME_USE use;
    char *utf8 = NULL;
    if (sid == NULL || !IsValidSid(sid))
        return text_copy(to, room, sid == NULL ? "everyone" : "nobody known");
    if (LookupAccountSidW(NULL, sid, name, &name_len, domain, &domain_len, &use)) {
        wchar_t both[2 * ACCOUNT_ROOM];
        (void)swprintf(both, ARRAY_LEN(both), domain[0] == L'\0' ? L"%ls%ls" : L"%ls\\%ls", domain,
                       name);
        if (w32_utf8(both, &utf8, NULL) != E_OK)
            utf8 = NULL;
    } else if (ConvertSidToStringSidW(sid, &text)) {
        if (w32_utf8(text, &utf8, NULL) != E_OK)
            utf8 = NULL;
        (void)LocalFree(text);
    }
    const char *shown = utf8 == NULL ? "another account" : utf8;
    (void)text_printable(span_text(shown), to, room);
    free(utf8);
    return to;
}

/* --- reading */

enum errc security_open(const wchar_t *wide, DWORD access, HANDLE *out, struct err *err)
{
    HANDLE handle =
        CreateFileW(wide, access, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
                    OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT, NULL);
    if (handle == INVALID_HANDLE_VALUE)
        return w32_err_set(err, GetLastError(), "cannot open");
    *out = handle;
    return E_OK;
}

static enum errc set_parts(struct security *s, struct err *err)
{
    BOOL is_default = FALSE, is_there = FALSE;
    SECURITY_DESCRIPTOR_CONTROL control = 0;
    DWORD revision = 0;
    ACL *list = NULL;
    if (!GetSecurityDescriptorOwner(s->descriptor, &s->owner, &is_default) ||
        !GetSecurityDescriptorGroup(s->descriptor, &s->group, &is_default) ||
        !GetSecurityDescriptorDacl(s->descriptor, &is_there, &list, &is_default) ||
        !GetSecurityDescriptorControl(s->descriptor, &control, &revision))
        return w32_err_set(err, GetLastError(), "cannot read its security descriptor");
    s->list = is_there ? list : NULL;
    s->is_protected = (control & SE_DACL_PROTECTED) != 0;
    return E_OK;
}

enum errc security_read(HANDLE handle, struct security *out, struct err *err)
{
    const SECURITY_INFORMATION what =
        OWNER_SECURITY_INFORMATION | GROUP_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION;
    DWORD len = 0;
    *out = (struct security){ .descriptor = NULL };
    if (!GetKernelObjectSecurity(handle, what, NULL, 0, &len) &&
        GetLastError() != ERROR_INSUFFICIENT_BUFFER)
        return w32_err_set(err, GetLastError(), "cannot read its access list");
    out->descriptor = malloc(len);
    if (out->descriptor == NULL)
        return err_nomem(err);
    enum errc rc = E_OK;
    if (!GetKernelObjectSecurity(handle, what, out->descriptor, len, &len))
        rc = w32_err_set(err, GetLastError(), "cannot read its access list");
    if (rc == E_OK)
        rc = set_parts(out, err);
    if (rc != E_OK)
        security_fini(out);
    return rc;
}

void security_fini(struct security *s)
{
    free(s->descriptor);
    *s = (struct security){ .descriptor = NULL };
}

enum errc security_rights_of_others(HANDLE handle, bool is_ours_safe, DWORD *out_rights,
                                    struct err *err)
{
    struct security_self self;
    struct security s;
    enum errc rc = security_self(&self, err);
    if (rc == E_OK)
        rc = security_read(handle, &s, err);
    if (rc != E_OK)
        return rc;
    if (is_ours_safe)
        self.acl.is_user_safe = true;
    *out_rights = acl_rights_of_others(&self.acl, s.owner, s.list, 0, NULL);
    security_fini(&s);
    return E_OK;
}

/* --- making */

static enum errc user_entry(const struct security_self *self, wchar_t *to, size_t room,
                            struct err *err)
{
    wchar_t *sid = NULL;
    to[0] = L'\0';
    if (self->is_elevated)
        return E_OK;
    if (!ConvertSidToStringSidW(self->acl.user, &sid))
        return w32_err_set(err, GetLastError(), "cannot find out who is running this");
    (void)swprintf(to, room, L"(A;OICI;FA;;;%ls)", sid);
    (void)LocalFree(sid);
    return E_OK;
}

/* Inheritance flags mean nothing at a file. */
static enum errc make(bool is_protected, bool is_readable, PSECURITY_DESCRIPTOR *out,
                      struct err *err)
{
    wchar_t text[SID_TEXT_ROOM + 120], user[SID_TEXT_ROOM];
    struct security_self self;
    enum errc rc = security_self(&self, err);
    if (rc == E_OK)
        rc = user_entry(&self, user, ARRAY_LEN(user), err);
    if (rc != E_OK)
        return rc;
    (void)swprintf(text, ARRAY_LEN(text), L"%lsD:%ls(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)%ls%ls",
                   self.is_elevated ? L"O:BA" : L"", is_protected ? L"P" : L"", user,
                   is_readable ? L"(A;OICI;FRFX;;;WD)" : L"");
    if (!ConvertStringSecurityDescriptorToSecurityDescriptorW(text, SDDL_REVISION_1, out, NULL))
        return w32_err_set(err, GetLastError(), "cannot make a security descriptor");
    return E_OK;
}

enum errc security_private(PSECURITY_DESCRIPTOR *out, struct err *err)
{
    return make(true, false, out, err);
}

enum errc security_readable(PSECURITY_DESCRIPTOR *out, struct err *err)
{
    return make(false, true, out, err);
}

enum errc security_kept(PSECURITY_DESCRIPTOR *out, struct err *err)
{
    return make(true, true, out, err);
}

enum errc security_set_list(HANDLE handle, PSECURITY_DESCRIPTOR descriptor, bool is_protected,
                            struct err *err)
{
    const SECURITY_INFORMATION what =
        DACL_SECURITY_INFORMATION | (is_protected ? PROTECTED_DACL_SECURITY_INFORMATION
                                                  : UNPROTECTED_DACL_SECURITY_INFORMATION);
    /* Entries that were inherited stay known as such, also where the system is not asked to inherit
     * them now. */
    const SECURITY_DESCRIPTOR_CONTROL inherited = SE_DACL_AUTO_INHERIT_REQ | SE_DACL_AUTO_INHERITED;
    if (!SetSecurityDescriptorControl(descriptor, SE_DACL_PROTECTED | inherited,
                                      is_protected ? SE_DACL_PROTECTED : inherited))
        return w32_err_set(err, GetLastError(), "cannot set up the access list");
    if (!SetKernelObjectSecurity(handle, what, descriptor))
        return w32_err_set(err, GetLastError(), "cannot set the access list");
    return E_OK;
}

/* --- what must be so */

static enum errc check_keeps_lists(HANDLE handle, struct err *err)
{
    DWORD flags = 0;
    if (!GetVolumeInformationByHandleW(handle, NULL, 0, NULL, NULL, &flags, NULL, 0))
        return w32_err_set(err, GetLastError(), "cannot look at the file system");
    if ((flags & FILE_PERSISTENT_ACLS) == 0)
        return err_set(err, E_ACCESS,
                       "the file system of its folder cannot keep a file from other users; choose "
                       "a folder on another one");
    return E_OK;
}

static enum errc check_denies(HANDLE handle, DWORD denied, struct err *err)
{
    DWORD rights = FILE_ALL_ACCESS;
    enum errc rc = check_keeps_lists(handle, err);
    if (rc == E_OK)
        rc = security_rights_of_others(handle, true, &rights, err);
    if (rc == E_OK && (rights & denied) != 0)
        rc = err_set(err, E_ACCESS,
                     "cannot be kept from other users on this file system; choose a folder on "
                     "another one");
    return rc;
}

enum errc security_check_private(HANDLE handle, struct err *err)
{
    return check_denies(handle, ACL_READING | ACL_WRITING, err);
}

enum errc security_check_kept(HANDLE handle, struct err *err)
{
    return check_denies(handle, ACL_WRITING, err);
}

static enum errc check_owner(HANDLE handle, struct err *err)
{
    char name[120];
    struct security_self self;
    struct security s;
    PSID who = NULL;
    enum errc rc = security_self(&self, err);
    if (rc == E_OK)
        rc = security_read(handle, &s, err);
    if (rc != E_OK)
        return rc;
    const DWORD rights = acl_rights_of_others(&self.acl, s.owner, s.list, ACL_WRITING, &who);
    if (!acl_is_trusted(&self.acl, s.owner))
        rc = err_set(err, E_ACCESS, "belongs to %s, not to us",
                     security_name(s.owner, name, sizeof(name)));
    else if ((rights & ACL_WRITING) != 0)
        rc = err_set(err, E_ACCESS, "may be written by others (%s)",
                     security_name(who, name, sizeof(name)));
    security_fini(&s);
    return rc;
}

enum errc security_check_own(HANDLE handle, struct err *err)
{
    BY_HANDLE_FILE_INFORMATION info;
    enum errc rc = fs_check_regular(handle, err);
    if (rc != E_OK)
        return rc;
    if (!GetFileInformationByHandle(handle, &info))
        return w32_err_set(err, GetLastError(), "cannot look at");
    if (info.nNumberOfLinks != 1)
        return err_set(err, E_ACCESS, "has %lu names, and must have one",
                       (unsigned long)info.nNumberOfLinks);
    return check_owner(handle, err);
}
