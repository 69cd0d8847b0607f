#ifndef SUREFOOT_CORE_UNPACK_7Z_H
#define SUREFOOT_CORE_UNPACK_7Z_H

/* unpack_7z.h: the directory of a 7z archive (7-Zip's DOC/7zFormat.txt), read before libarchive
 * sees it: libarchive asks for as much memory as the archive says, for the dictionary, for lists of
 * so many folders and files, for the directory itself.
 *
 *      signature header   packed streams...   [packed directory]   directory
 *
 * The directory is plain, or packed once, as 7-Zip does it: by LZMA, or stored. Every packed byte
 * must belong to a stream that the directory names, in order and without gaps; the numbers of
 * streams, files, names and sizes must agree. A link's target is short.
 *
 * Read: Copy, LZMA, LZMA2, Deflate, PPMd, and before them at most one of the filters BCJ (x86) and
 * Delta; dictionary or model of at most UNPACK_WINDOW_MAX. E_UNSUPPORTED: BCJ2, BZip2 (which not
 * every build of libarchive has) and all others, archives of several parts, and properties that
 * packers do not write. E_MALFORMED: what is encrypted, and what is not as above. E_LIMIT: larger
 * dictionaries, more files than `limits` has, a directory of more than UNPACK_7Z_DIRECTORY_MAX
 * bytes, packed or unpacked.
 *
 * What it does not check: checksums (libarchive does), paths, modes, and sizes of entries (the
 * judge of entries does). */

#include "installer/core/unpack_entry.h"
#include "platform/source.h"

#define UNPACK_7Z_DIRECTORY_MAX (16U * 1024 * 1024)
#define UNPACK_7Z_TARGET_MAX 4096U

/* unpack_7z_check reads the directory of `src`; *out_n is the number of files, folders and links in
 * it. */
MUST_USE enum errc unpack_7z_check(struct source *src, const struct unpack_limits *limits,
                                   uint32_t *out_n, struct err *err);

#endif
