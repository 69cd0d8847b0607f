#ifndef SUREFOOT_WIN32_W32_H
#define SUREFOOT_WIN32_W32_H

/* w32.h: what the files of this folder share: wide paths and Windows' error codes. */

#include <windows.h>

#include <wchar.h>

#include "platform/base/err.h"
#include "platform/platform.h"

/* w32_err_set is err_set with the code that `os` (GetLastError) means, the system's words added,
 * kept in err->os. */
enum errc w32_err_set(struct err *err, DWORD os, const char *fmt, ...) PRINTF_FORMAT(3, 4);

/* w32_path makes a wide path of UTF-8: absolute, with the \\?\ prefix (\\?\UNC\ for a share), so
 * that length has no limit, and without backslashes at its end, but a root's. Caller frees with
 * free. E_ARGUMENT where it is no UTF-8, no path, or has a name that Windows would take for another
 * thing without a word: a device (CON, nul.txt, COM1), a stream of a file (a colon), one that it
 * cuts (a dot or a space at the end), or is a device's path (\\.\). */
MUST_USE enum errc w32_path(const char *path, wchar_t **out, struct err *err);

/* w32_utf8 is the other way for any wide text; lone surrogates become U+FFFD. Caller frees with
 * free. */
MUST_USE enum errc w32_utf8(const wchar_t *wide, char **out, struct err *err);

/* w32_wide makes wide text of UTF-8 as it is. Caller frees with free. */
MUST_USE enum errc w32_wide(const char *text, wchar_t **out, struct err *err);

/* w32_source_open_nofollow is in source_file.c. */
MUST_USE enum errc w32_source_open_nofollow(const char *path, struct source **out_src,
                                            struct err *err);

/* w32_is_elevated: the rights of an administrator; true where that cannot be found out. */
bool w32_is_elevated(void);

extern const struct fs_ops win32_fs_ops;
extern const struct proc_ops win32_proc_ops;
extern const struct host_ops win32_host_ops;

#endif
