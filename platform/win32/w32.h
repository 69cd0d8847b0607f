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

/* w32_path_text writes a path of the system's as ours: UTF-8, '/' inside, no \\\\?\\ before it, and
 * no
 * '/' at its end but a drive's own. E_LIMIT where there is no room. In library.c. */
MUST_USE enum errc w32_path_text(const wchar_t *wide, char *to, size_t room, struct err *err);

/* w32_function is a function of a library of the system that few need: loaded from System32 alone,
 * and never let go. NULL where either is missing. Cast it to its type. In library.c. */
typedef void (*w32_any_fn)(void);
w32_any_fn w32_function(const wchar_t *library, const char *name);

/* w32_source_open_nofollow is in source_file.c. */
MUST_USE enum errc w32_source_open_nofollow(const char *path, struct source **out_src,
                                            struct err *err);

/* w32_source_handle gives the handle that a file's source holds: borrowed, and to be read with
 * offsets. False where it is a source of another kind. In source_file.c. */
bool w32_source_handle(const struct source *src, HANDLE *out);

/* w32_account_name writes the name of an account, or its SID as text where it has none. In
 * account.c, as the next. */
void w32_account_name(PSID sid, char *to, size_t room);

/* w32_token_user reads whose the token is: into `room` bytes at `to`, a TOKEN_USER at its start.
 * False where that is not told. */
#define W32_TOKEN_USER_ROOM 256
bool w32_token_user(HANDLE token, void *to, DWORD room);

/* w32_is_system_account: do we run as the machine itself (LocalSystem)? */
bool w32_is_system_account(void);

/* w32_is_elevated: the rights of an administrator; true where that cannot be found out. */
bool w32_is_elevated(void);

extern const struct fs_ops win32_fs_ops;
extern const struct proc_ops win32_proc_ops;
extern const struct host_ops win32_host_ops;

#endif
