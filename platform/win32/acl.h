#ifndef SUREFOOT_WIN32_ACL_H
#define SUREFOOT_WIN32_ACL_H

/* acl.h: who, beside those that have the machine anyway, may do what to a file. Pure: identifiers
 * and an access list in, rights out; nothing is opened or asked.
 *
 * Trusted are SYSTEM, Administrators, TrustedInstaller, and the own user where its word counts
 * (security.h). Everyone else is an other: Everyone, Users, another user, a service's account, an
 * account that is a member of Administrators too.
 *
 * An owner may always change the access list, and so has all rights. CREATOR OWNER and OWNER RIGHTS
 * are the owner. Each entry that allows counts, wherever it stands; entries that deny are not
 * counted, so what is said is never less than what others may do. An entry that is inherited only
 * says nothing of what it stands at. No list at all (NULL) allows everything to everyone, and so
 * does, here, an entry of a kind that is not known. */

#include <windows.h>

#include <stdbool.h>

struct acl_self {
    PSID user;         /* who runs this */
    bool is_user_safe; /* does the user's word count as an administrator's does? */
};

/* Where a component stands in a path that is judged (fs.guard). */
enum acl_place { ACL_AT_END, ACL_ON_THE_WAY, ACL_ROOT_ON_THE_WAY };

bool acl_is_trusted(const struct acl_self *self, PSID sid);

/* acl_rights_of_others: all rights, generic ones mapped to those of files, that any other has.
 * *out_who, where not NULL, is one who has some of the rights `wanted` (borrowed from the list or
 * the owner; NULL: everyone, or nobody). */
DWORD acl_rights_of_others(const struct acl_self *self, PSID owner, const ACL *list, DWORD wanted,
                           PSID *out_who);

/* acl_unsafe_rights: which rights of others make a component unsafe. At the end of a path all with
 * which it can be changed. On the way, a folder in which others may make names is safe, as long as
 * they can't take away or rename it or what is in it: so are the root of the system's volume and
 * ProgramData as Windows makes them, where Users may add folders, or files too. That is what a
 * sticky folder is on POSIX. Such a folder is not empty, so it can't be made a junction either. The
 * root of a volume cannot be taken away, whoever has that right (as Windows gives it to all users
 * on volumes for data). */
DWORD acl_unsafe_rights(enum acl_place place);

#define ACL_READING FILE_READ_DATA
#define ACL_WRITING                                                                                \
    (FILE_WRITE_DATA | FILE_APPEND_DATA | FILE_WRITE_EA | FILE_WRITE_ATTRIBUTES |                  \
     FILE_DELETE_CHILD | DELETE | WRITE_DAC | WRITE_OWNER)

#endif
