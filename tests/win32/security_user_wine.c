/* Under wine every file belongs to the one user there is, whose word has to count. */

#include "platform/win32/security.h"

bool security_user_is_safe(HANDLE token)
{
    UNUSED(token);
    return true;
}
