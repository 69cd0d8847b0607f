#ifndef SUREFOOT_CORE_UNPACK_TAR_H
#define SUREFOOT_CORE_UNPACK_TAR_H

/* unpack_tar.h: an entry's headers in a tar, read strictly: ustar and pax (POSIX.1-2017, pax,
 * "ustar Interchange Format" and "pax Header Block"), and GNU's (tar manual, "Basic Tar Format").
 * libarchive reads tars of many kinds and passes over what it does not know; this second reading
 * says exactly what is there, and unpack refuses where the two differ.
 *
 * An entry's headers are blocks of 512 bytes:
 *
 *   [g comment]  [x records | L long name, K long link]  header  [S: more of the sparse map]
 *
 *      0 name 100    100 mode 8    108 uid, gid    124 size 12    136 mtime 12    148 checksum 8
 *    156 type        157 target 100     257 "ustar\0" "00" or "ustar  \0"    265 owner's names
 *    329 device 16   345 prefix 155 (POSIX) or times, sparse map, 483 real size 12 (GNU)
 *
 * Types read: 0 and NUL (file), 1 (hard link), 2 (symbolic link), 5 (folder), S (GNU's sparse
 * file); devices and pipes are told from these, for the judge. Refused, E_MALFORMED: any other type
 * (volume labels, parts of other volumes, access control lists, ...), pax records that ask for what
 * is not unpacked (extended attributes, access control lists, flags) or that nobody knows, records
 * that stand twice, a name given in two ways, bytes after a name's NUL, a checksum or number that
 * is none, entries after the end mark, tars without "ustar" (older than 1988).
 * What it does not check: what the judge does (paths, modes, sizes). */

#include "installer/core/unpack_entry.h"
#include "platform/base/buf.h"

#define UNPACK_TAR_BLOCK 512

/* unpack_tar_read reads the headers of one entry, which must fill `region`; for a pax sparse file
 * (GNU 1.0) the map that follows belongs to it. `scratch` (cap at least 512) holds a path that is
 * in two pieces. The entry's spans are valid as long as `region` and `scratch` are. A leading "./"
 * is taken off the path; "." alone, the root, becomes an empty path. */
MUST_USE enum errc unpack_tar_read(struct span region, struct buf *scratch,
                                   struct unpack_entry *out, struct err *err);

#endif
