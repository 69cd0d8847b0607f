/* Does our user's word count as an administrator's does? This has not yet been seen on Microsoft's
 * own Windows. */

#include "platform/win32/security.h"

bool security_user_is_safe(HANDLE token)
{
    TOKEN_ELEVATION_TYPE type = TokenElevationTypeFull;
    DWORD len;
    if (!GetTokenInformation(token, TokenElevationType, &type, sizeof(type), &len))
        return false;
    return type != TokenElevationTypeFull;
}
