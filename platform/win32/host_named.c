/* What has a name on Windows: groups, by name or by SID, and mutexes. */

#include <windows.h>

#include <sddl.h>

#include <stdlib.h>
#include <string.h>

#include "platform/base/text.h"
#include "platform/win32/host_parts.h"
#include "platform/win32/w32.h"

#define NAME_ROOM 512 /* an account's and a domain's have at most 256 */

static bool is_group(SID_NAME_USE use)
{
    return use == SidTypeGroup || use == SidTypeAlias || use == SidTypeWellKnownGroup;
}

/* What a lookup says that found nothing; all else that fails is an error. */
static enum errc settle(BOOL found, SID_NAME_USE use, bool *out_exists, struct err *err)
{
    const DWORD os = found ? ERROR_SUCCESS : GetLastError();
    if (!found && os != ERROR_NONE_MAPPED)
        return w32_err_set(err, os, "cannot look up the group");
    *out_exists = found && is_group(use);
    return E_OK;
}

enum errc host_group_exists(void *self, const char *name, bool *out_exists, struct err *err)
{
    BYTE sid[SECURITY_MAX_SID_SIZE];
    wchar_t domain[NAME_ROOM];
    DWORD sid_len = sizeof(sid), domain_len = NAME_ROOM;
    SID_NAME_USE use = SidTypeUnknown;
    wchar_t *wide = NULL;
    UNUSED(self);
    enum errc rc = w32_wide(name, &wide, err);
    if (rc != E_OK)
        return rc;
    BOOL found = LookupAccountNameW(NULL, wide, sid, &sid_len, domain, &domain_len, &use);
    rc = settle(found, use, out_exists, err);
    free(wide);
    return rc;
}

/* Windows also reads abbreviations such as "BA", which are no identifiers. */
static enum errc read_sid(const char *text, PSID *out, struct err *err)
{
    wchar_t *wide = NULL;
    enum errc rc = w32_wide(text, &wide, err);
    if (rc != E_OK)
        return rc;
    if (strncmp(text, "S-1-", 4) != 0 || !ConvertStringSidToSidW(wide, out))
        rc = err_set(err, E_ARGUMENT, "is no security identifier such as S-1-5-32-544");
    free(wide);
    return rc;
}

enum errc host_sid_exists(void *self, const char *sid, bool *out_exists, struct err *err)
{
    wchar_t name[NAME_ROOM], domain[NAME_ROOM];
    DWORD name_len = NAME_ROOM, domain_len = NAME_ROOM;
    SID_NAME_USE use = SidTypeUnknown;
    PSID read = NULL;
    UNUSED(self);
    enum errc rc = read_sid(sid, &read, err);
    if (rc != E_OK)
        return rc;
    BOOL found = LookupAccountSidW(NULL, read, name, &name_len, domain, &domain_len, &use);
    rc = settle(found, use, out_exists, err);
    (void)LocalFree(read);
    return rc;
}

static enum errc ask_mutex(HANDLE mutex, bool *out_held, struct err *err)
{
    const DWORD answer = WaitForSingleObject(mutex, 0);
    *out_held = answer == WAIT_TIMEOUT;
    if (answer == WAIT_TIMEOUT)
        return E_OK;
    if (answer != WAIT_OBJECT_0 && answer != WAIT_ABANDONED)
        return w32_err_set(err, GetLastError(), "cannot ask the mutex");
    return ReleaseMutex(mutex) ? E_OK
                               : w32_err_set(err, GetLastError(), "cannot give the mutex back");
}

enum errc host_mutex_held(void *self, const char *name, bool *out_held, struct err *err)
{
    wchar_t *wide = NULL;
    UNUSED(self);
    enum errc rc = w32_wide(name, &wide, err);
    if (rc != E_OK)
        return rc;
    HANDLE mutex = OpenMutexW(SYNCHRONIZE, FALSE, wide);
    const DWORD os = mutex == NULL ? GetLastError() : ERROR_SUCCESS;
    free(wide);
    if (mutex != NULL) {
        rc = ask_mutex(mutex, out_held, err);
        (void)CloseHandle(mutex);
        return rc;
    }
    *out_held = false;
    if (os == ERROR_FILE_NOT_FOUND)
        return E_OK;
    return os == ERROR_INVALID_HANDLE ? err_set(err, E_ARGUMENT, "is the name of no mutex")
                                      : w32_err_set(err, os, "cannot open the mutex");
}
