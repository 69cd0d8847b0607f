#include "platform/win32/acl.h"

#include "platform/base/cc.h"

#define SUBS_MAX 6

struct known {
    BYTE authority; /* its last byte; the others are 0 */
    BYTE n;
    DWORD subs[SUBS_MAX];
};

static bool is_known(PSID sid, const struct known *known)
{
    const SID_IDENTIFIER_AUTHORITY *authority = GetSidIdentifierAuthority(sid);
    if (*GetSidSubAuthorityCount(sid) != known->n || authority->Value[5] != known->authority)
        return false;
    for (size_t i = 0; i < 5; i++)
        if (authority->Value[i] != 0)
            return false;
    for (DWORD i = 0; i < known->n; i++)
        if (*GetSidSubAuthority(sid, i) != known->subs[i])
            return false;
    return true;
}

static bool is_among(PSID sid, const struct known *known, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (is_known(sid, &known[i]))
            return true;
    return false;
}

bool acl_is_trusted(const struct acl_self *self, PSID sid)
{
    static const struct known known[] = {
        { 5, 1, { 18 } },      /* SYSTEM */
        { 5, 2, { 32, 544 } }, /* Administrators */
        /* NT SERVICE\TrustedInstaller: the hash of that name, the same on every machine */
        { 5, 6, { 80, 956008885, 3418522649, 1831038044, 1853292631, 2271478464 } },
    };
    if (sid == NULL || !IsValidSid(sid))
        return false;
    if (self->is_user_safe && self->user != NULL && EqualSid(sid, self->user))
        return true;
    return is_among(sid, known, ARRAY_LEN(known));
}

static bool stands_for_owner(PSID sid)
{
    static const struct known known[] = { { 3, 1, { 0 } }, { 3, 1, { 4 } } };
    return IsValidSid(sid) && is_among(sid, known, ARRAY_LEN(known));
}

static DWORD files_rights(DWORD mask)
{
    static GENERIC_MAPPING files = { FILE_GENERIC_READ, FILE_GENERIC_WRITE, FILE_GENERIC_EXECUTE,
                                     FILE_ALL_ACCESS };
    MapGenericMask(&mask, &files);
    return mask;
}

/* What the entry allows to whom. Callback entries have their condition behind the identifier; it is
 * taken as met. */
static DWORD read_entry(const ACE_HEADER *entry, PSID *out_sid)
{
    *out_sid = NULL;
    switch (entry->AceType) {
    case ACCESS_DENIED_ACE_TYPE:
    case ACCESS_DENIED_OBJECT_ACE_TYPE:
    case ACCESS_DENIED_CALLBACK_ACE_TYPE:
    case ACCESS_DENIED_CALLBACK_OBJECT_ACE_TYPE: return 0;
    case ACCESS_ALLOWED_ACE_TYPE:
    case ACCESS_ALLOWED_CALLBACK_ACE_TYPE: break;
    default: return FILE_ALL_ACCESS;
    }
    const ACCESS_ALLOWED_ACE *allowed = (const ACCESS_ALLOWED_ACE *)(const void *)entry;
    if (entry->AceSize < sizeof(*allowed))
        return FILE_ALL_ACCESS;
    *out_sid = (PSID)(ULONG_PTR)&allowed->SidStart;
    return files_rights(allowed->Mask);
}

DWORD acl_rights_of_others(const struct acl_self *self, PSID owner, const ACL *list, DWORD wanted,
                           PSID *out_who)
{
    const bool is_owner_trusted = acl_is_trusted(self, owner);
    PSID who = is_owner_trusted ? NULL : owner;
    DWORD all = is_owner_trusted ? 0 : FILE_ALL_ACCESS;
    if (list == NULL)
        all = FILE_ALL_ACCESS;
    for (DWORD i = 0; list != NULL && i < list->AceCount; i++) {
        ACE_HEADER *entry = NULL;
        PSID sid = NULL;
        if (!GetAce((ACL *)(ULONG_PTR)list, i, (LPVOID *)&entry)) {
            all = FILE_ALL_ACCESS;
            break;
        }
        if ((entry->AceFlags & INHERIT_ONLY_ACE) != 0)
            continue;
        DWORD rights = read_entry(entry, &sid);
        if (sid != NULL && stands_for_owner(sid))
            sid = owner;
        if (sid != NULL && acl_is_trusted(self, sid))
            continue;
        if (who == NULL && (rights & wanted) != 0)
            who = sid;
        all |= rights;
    }
    if (out_who != NULL)
        *out_who = who;
    return all;
}

DWORD acl_unsafe_rights(enum acl_place place)
{
    const DWORD names = FILE_WRITE_DATA | FILE_APPEND_DATA | FILE_WRITE_EA | FILE_WRITE_ATTRIBUTES;
    switch (place) {
    case ACL_ON_THE_WAY: return ACL_WRITING & ~names;
    case ACL_ROOT_ON_THE_WAY: return ACL_WRITING & ~names & ~(DWORD)DELETE;
    case ACL_AT_END: break;
    }
    return ACL_WRITING;
}
