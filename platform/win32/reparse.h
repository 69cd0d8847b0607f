#ifndef SUREFOOT_WIN32_REPARSE_H
#define SUREFOOT_WIN32_REPARSE_H

/* reparse.h: links of Windows: junctions (IO_REPARSE_TAG_MOUNT_POINT that lead to a folder) and
 * symbolic links. reparse_data.c reads and writes their bytes (MS-FSCC 2.1.2.4, 2.1.2.5) and is
 * pure. The rest is a thin seam to the file system, in reparse.c: wine has none of it (8.0:
 * FSCTL_SET_REPARSE_POINT says that it is not supported), so that tests under wine are linked with
 * tests/win32/reparse_wine.c instead, whose junctions are the host's symbolic links. What
 * reparse.c does has not yet been seen on Microsoft's own Windows. */

#include <windows.h>

#include <stdbool.h>

#include "platform/base/buf.h"
#include "platform/base/err.h"

enum reparse_kind { REPARSE_NONE = 0, REPARSE_JUNCTION, REPARSE_SYMLINK, REPARSE_OTHER };

/* --- the seam. Paths are those that w32_path makes; the last component is never followed. */

/* reparse_attributes is GetFileAttributesW: of a link itself. */
DWORD reparse_attributes(const wchar_t *path);

/* reparse_kind_of says what is at a path whose attributes say that it is a reparse point. */
MUST_USE enum errc reparse_kind_of(const wchar_t *path, enum reparse_kind *out, struct err *err);

/* reparse_get reads where a link leads. A junction's target is absolute, "C:\folder" or
 * "\\?\Volume{...}\"; that of a symbolic link may be relative. Caller frees *out_target with free.
 * E_ARGUMENT where there is no link. */
MUST_USE enum errc reparse_get(const wchar_t *path, wchar_t **out_target, bool *out_is_relative,
                               struct err *err);

/* reparse_set makes a junction of an empty folder, or has one lead elsewhere, in one step. `target`
 * is absolute, without a prefix: "C:\folder". E_UNSUPPORTED where the file system knows no
 * junctions; E_EXISTS where a link of another kind is there, or the folder is not empty. */
MUST_USE enum errc reparse_set(const wchar_t *path, const wchar_t *target, struct err *err);

/* reparse_remove takes a link to a folder away, not what it leads to, or an empty folder. */
MUST_USE enum errc reparse_remove(const wchar_t *path, struct err *err);

/* reparse_rename gives a link another name on its volume, and is on the device when it returns. It
 * replaces nothing. The answer is Windows' error code, 0 for none. */
MUST_USE DWORD reparse_rename(const wchar_t *from, const wchar_t *to);

/* --- the bytes */

#define REPARSE_BYTES_MAX (16 * 1024) /* MAXIMUM_REPARSE_DATA_BUFFER_SIZE */

/* reparse_write_junction appends them. E_LIMIT where the target is too long for them. */
MUST_USE enum errc reparse_write_junction(const wchar_t *target, struct buf *out, struct err *err);

/* reparse_read is reparse_get for bytes. E_MALFORMED where they are none of the two. */
MUST_USE enum errc reparse_read(struct span bytes, wchar_t **out_target, bool *out_is_relative,
                                struct err *err);

#endif
