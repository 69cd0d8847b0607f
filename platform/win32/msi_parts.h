#ifndef SUREFOOT_WIN32_MSI_PARTS_H
#define SUREFOOT_WIN32_MSI_PARTS_H

/* msi_parts.h: what msi.c calls of Windows Installer. It is found in msi_library.c; a program that
 * has another msi_library_load among its sources has its functions called instead
 * (tests/unit/test_msi_calls.c). */

#include <windows.h>

#include <msi.h>

#include "platform/base/cc.h"
#include "platform/base/err.h"

struct msi_library {
    UINT(WINAPI *enum_related)(LPCWSTR, DWORD, DWORD, LPWSTR);
    UINT(WINAPI *get_info)(LPCWSTR, LPCWSTR, LPWSTR, LPDWORD);
    INSTALLSTATE(WINAPI *query_state)(LPCWSTR);
    UINT(WINAPI *install)(LPCWSTR, LPCWSTR);
    UINT(WINAPI *configure)(LPCWSTR, int, INSTALLSTATE, LPCWSTR);
    INSTALLUILEVEL(WINAPI *set_ui)(INSTALLUILEVEL, HWND *);
    DWORD(WINAPI *enable_log)(DWORD, LPCWSTR, DWORD);
};

/* msi_library_load finds all of them in the system's own msi.dll; E_UNSUPPORTED where one is
 * missing. */
MUST_USE enum errc msi_library_load(struct msi_library *out, struct err *err);

#endif
