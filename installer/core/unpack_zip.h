#ifndef SUREFOOT_CORE_UNPACK_ZIP_H
#define SUREFOOT_CORE_UNPACK_ZIP_H

/* unpack_zip.h: the directory of a zip (PKWARE's APPNOTE 6.3), held against what stands before each
 * entry's bytes. A zip says most things twice, and readers differ in which one they believe:
 *
 *      [local header, bytes, descriptor]...   directory   [zip64 end, its locator]   end of
 * directory
 *
 * So every byte must be accounted for and both must say the same: the first local header at 0, each
 * next one where the one before ends, in the order of the directory, the directory where the last
 * ends, the end record at the very end of the file without a comment. Name, method, flags,
 * checksum and sizes are equal in both (zeros in the local header where a descriptor follows the
 * bytes, which then has the same values).
 *
 * Read: methods 0 (stored) and 8 (deflate), which need no memory to speak of; files, folders,
 * symbolic links (their targets stored); names in ASCII, or UTF-8 with the flag that says so.
 * Refused (E_MALFORMED): everything else that is not as above, archives on several disks, names in
 * an extra field beside the name, bytes of a folder. E_UNSUPPORTED: other methods. E_LIMIT: more
 * entries than asked for, a directory of more than UNPACK_ZIP_DIRECTORY_MAX bytes.
 * Encrypted entries are marked, for the judge. What it does not check: paths, modes, and that the
 * bytes are what the checksum says (libarchive does, while they are unpacked). */

#include "installer/core/unpack_entry.h"
#include "platform/source.h"

#define UNPACK_ZIP_DIRECTORY_MAX (256U * 1024 * 1024)

struct unpack_zip;

/* unpack_zip_read reads the directory of `src`, which is borrowed for the call. Caller frees with
 * unpack_zip_free. */
MUST_USE enum errc unpack_zip_read(struct source *src, uint32_t n_max, struct unpack_zip **out,
                                   struct err *err);
void unpack_zip_free(struct unpack_zip *z);

/* unpack_zip_entry: the entries in the order of the file. Spans are valid as long as `z` is. */
uint32_t unpack_zip_n(const struct unpack_zip *z);
struct unpack_entry unpack_zip_entry(const struct unpack_zip *z, uint32_t i);

#endif
