#ifndef SUREFOOT_BASE_OS_PATH_H
#define SUREFOOT_BASE_OS_PATH_H

/* os_path.h: paths of a machine, as text: what is absolute, what is above, what a name beside a
 * file means. Inside Surefoot they are UTF-8 with "/" between their components; Windows also writes
 * "\", and begins with a drive ("C:/x") or another machine's share ("//server/share/x").
 *
 * os_path_resolve takes what a person wrote and knows which system they wrote it for. The others
 * take what came out of it, and need not know: a path from the root on begins with "/" on POSIX, so
 * that none of it is taken for a drive.
 *
 * What it does not check: whether anything is there; "." and ".." are components as any other. */

#include <stdbool.h>
#include <stddef.h>

#include "platform/base/err.h"

/* How a machine writes paths; platform.h's struct platform says which. */
enum os_path_style { OS_PATH_POSIX = 0, OS_PATH_WINDOWS };

/* os_path_slashes turns Windows' "\" into "/"; a POSIX name may have one in it and keeps it. */
void os_path_slashes(enum os_path_style style, char *path);

/* os_path_is_absolute: does the path mean the same wherever we were started? "/x" on POSIX, "C:/x",
 * "C:\x" and "\\server\share" on Windows, where "/x" and "C:x" do not. */
bool os_path_is_absolute(enum os_path_style style, const char *path);

/* os_path_resolve writes what `name` means in a file in the folder `base` ("" or with a "/" at its
 * end): an absolute one itself, on Windows with "/" for "\", and "\x" on the drive of `base`; any
 * other is below `base`. Where that is "", a command line's own name stays as it is. E_ARGUMENT for
 * "C:x", which depends on where that drive was last, and where there is no room. */
MUST_USE enum errc os_path_resolve(enum os_path_style style, const char *base, const char *name,
                                   char *to, size_t room, struct err *err);

/* os_path_from_url makes a path of a file: URL's, decoded: on Windows "/C:/x" is "C:/x".
 * E_MALFORMED where it has no drive there, or a "\". The path is changed in place. */
MUST_USE enum errc os_path_from_url(enum os_path_style style, char *path, struct err *err);

/* os_path_root_len is how much of a path is its root: of "/x" 1, of "C:/x" 3, of "//server/share/x"
 * up to the "x"; 0 of a relative one. */
size_t os_path_root_len(const char *path);
bool os_path_is_root(const char *path);

/* os_path_cut_slashes takes those at a path's end away, but for the root's own. os_path_cut_name
 * makes of a path the folder that holds it; of a root, and of a name without a folder, itself. */
void os_path_cut_slashes(char *path);
void os_path_cut_name(char *path);

/* os_path_folder_len is how much of a path is before its name, with the "/"; 0: it has no folder.
 * os_path_name is the part behind that. */
size_t os_path_folder_len(enum os_path_style style, const char *path);
const char *os_path_name(enum os_path_style style, const char *path);

#endif
