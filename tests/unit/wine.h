#ifndef SUREFOOT_TESTS_WINE_H
#define SUREFOOT_TESTS_WINE_H

/* wine.h: is this wine, and not Windows? For what a test of Windows sees in one of the two alone.
 */

#include <windows.h>

#include <stdbool.h>

static inline bool is_wine(void)
{
    return GetProcAddress(GetModuleHandleA("ntdll.dll"), "wine_get_version") != NULL;
}

#endif
