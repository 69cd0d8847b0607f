#ifndef SUREFOOT_WIN32_SECURITY_H
#define SUREFOOT_WIN32_SECURITY_H

/* security.h: owners and access lists of open files and folders, read and set through the handle
 * alone, so that nothing is passed on to what is below (SetNamedSecurityInfo would do that).
 * acl.h judges them. */

#include <windows.h>

#include <stdbool.h>
#include <stdint.h>

#include "platform/base/err.h"
#include "platform/win32/acl.h"

/* Who we are. An elevated user's word doesn't count where the same user has programs without those
 * rights as well (User Account Control's two tokens): any of these could have made the file. */
struct security_self {
    struct acl_self acl;
    BYTE user[SECURITY_MAX_SID_SIZE];
    bool is_elevated;
};
MUST_USE enum errc security_self(struct security_self *out, struct err *err);

/* security_user_is_safe is in a file of its own (security_user.c): wine gives each process an
 * administrator's half of two tokens and each file to the user, so that nothing would ever be
 * safe there; tests have another answer. */
bool security_user_is_safe(HANDLE token);

/* What a file has. Caller frees with security_fini. */
struct security {
    PSECURITY_DESCRIPTOR descriptor;
    PSID owner, group; /* borrowed from it */
    ACL *list;         /* likewise; NULL: everyone may do everything */
    bool is_protected; /* what its folder has is not passed on to it */
};
MUST_USE enum errc security_read(HANDLE handle, struct security *out, struct err *err);
void security_fini(struct security *s);

/* security_open opens what stands at a wide path, a link itself, folders too; sharing everything.
 */
MUST_USE enum errc security_open(const wchar_t *wide, DWORD access, HANDLE *out, struct err *err);

/* security_rights_of_others is acl_rights_of_others of an open file. `is_ours_safe`: our user is
 * none of the others, whether its word counts or not: for what is to be kept from other users. */
MUST_USE enum errc security_rights_of_others(HANDLE handle, bool is_ours_safe, DWORD *out_rights,
                                             struct err *err);

/* security_private makes the descriptor of what nobody else may enter: SYSTEM, Administrators and,
 * unless we are elevated, our user have all rights, and inherit them below; nothing is inherited
 * from above. When elevated it belongs to Administrators. Caller frees with LocalFree.
 * security_readable: the same, everyone may read and run, and it inherits from above again.
 * security_kept: everyone may read and run, and nothing is inherited from above. */
MUST_USE enum errc security_private(PSECURITY_DESCRIPTOR *out, struct err *err);
MUST_USE enum errc security_readable(PSECURITY_DESCRIPTOR *out, struct err *err);
MUST_USE enum errc security_kept(PSECURITY_DESCRIPTOR *out, struct err *err);

/* security_set_list sets the access list that the descriptor has. */
MUST_USE enum errc security_set_list(HANDLE handle, PSECURITY_DESCRIPTOR descriptor,
                                     bool is_protected, struct err *err);

/* security_check_private: E_ACCESS unless what the file system made of it keeps all others out. A
 * file system without access lists drops them and says nothing. security_check_kept: the same of
 * changing it alone; others may read. */
MUST_USE enum errc security_check_private(HANDLE handle, struct err *err);
MUST_USE enum errc security_check_kept(HANDLE handle, struct err *err);

/* security_check_own: is it a regular file with one name, of an owner who counts, that no one else
 * may write? E_ACCESS if not, and for a link; E_ARGUMENT where it is no file. */
MUST_USE enum errc security_check_own(HANDLE handle, struct err *err);

/* security_name is how people know an account: "BUILTIN\Users", or its identifier. NULL is
 * everyone. Returns `to`. */
const char *security_name(PSID sid, char *to, size_t room);

#endif
