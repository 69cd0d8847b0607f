#include <windows.h>

#include <sddl.h>

#include <stdio.h>
#include <stdlib.h>

#include "platform/base/text.h"
#include "platform/win32/w32.h"

#define NAME_ROOM 512 /* an account's and a domain's have at most 256 */

static void write_text(const wchar_t *wide, char *to, size_t room)
{
    char *text = NULL;
    to[0] = '\0';
    if (w32_utf8(wide, &text, NULL) == E_OK)
        (void)text_printable(span_text(text), to, room);
    free(text);
}

void w32_account_name(PSID sid, char *to, size_t room)
{
    wchar_t name[NAME_ROOM], domain[NAME_ROOM], *number = NULL;
    DWORD name_len = NAME_ROOM, domain_len = NAME_ROOM;
    SID_NAME_USE use;
    to[0] = '\0';
    if (LookupAccountSidW(NULL, sid, name, &name_len, domain, &domain_len, &use)) {
        write_text(name, to, room);
    } else if (ConvertSidToStringSidW(sid, &number)) {
        write_text(number, to, room);
        (void)LocalFree(number);
    }
}

bool w32_token_user(HANDLE token, void *to, DWORD room)
{
    DWORD len = 0;
    return GetTokenInformation(token, TokenUser, to, room, &len) != 0;
}

bool w32_is_system_account(void)
{
    _Alignas(TOKEN_USER) BYTE user[W32_TOKEN_USER_ROOM];
    HANDLE token = NULL;
    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token))
        return false;
    const bool is_system = w32_token_user(token, user, sizeof(user)) &&
                           IsWellKnownSid(((TOKEN_USER *)user)->User.Sid, WinLocalSystemSid);
    (void)CloseHandle(token);
    return is_system;
}
