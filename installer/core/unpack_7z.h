#ifndef SUREFOOT_CORE_UNPACK_7Z_H
#define SUREFOOT_CORE_UNPACK_7Z_H

/* unpack_7z.h: the directory of a 7z (7-Zip's DOC/7zFormat.txt), read before libarchive sees it.
 * libarchive allocates what a directory says: dictionaries, tables of files, folders and streams.
 * So everything that it would believe is bounded here first, and every byte is accounted for:
 *
 *      0 first header: mark, version, checksum, where the directory lies
 *     32 streams, one behind the other     [packed directory]     directory
 *
 *   directory   what packs the packed one, or: streams, files
 *   streams     sizes of the packed streams; a folder each (how it is packed); files in each
 *   files       names, times, attributes, which of them have no bytes
 *
 * Read: Copy, LZMA, LZMA2, Deflate, and behind one of these the filters BCJ (x86) or Delta; a
 * directory that is plain, or packed once by one of the first four; names in ASCII; attributes of
 * Windows and Unix.
 * Refused: E_MALFORMED, everything that is not as above: checksums of the headers that do not
 * match, streams with gaps between them or before the directory, sizes that do not add up, numbers
 * of files that disagree, properties that stand twice or hold more than they should, files without
 * bytes in a stream, kinds of which two places say two things, encryption, items that delete.
 * E_UNSUPPORTED: other methods (PPMd, BZip2, BCJ2 among them: the builds of libarchive differ in
 * what they read, and Surefoot's do not), properties that nobody needs. E_LIMIT: more files, bytes
 * in all, dictionary, or directory than the limits.
 * What it does not check: paths, modes and the sizes of single files (the judge does), what a link
 * holds, bytes of a stream behind the end of what is packed in it, and checksums of files, which
 * libarchive holds against the bytes where the directory has them. */

#include "installer/core/unpack_entry.h"
#include "platform/source.h"

/* Bytes of a directory, unpacked: some 250000 files with names and times. */
#define UNPACK_7Z_DIRECTORY_MAX (32U * 1024 * 1024)
/* Folders, each packed for itself. */
#define UNPACK_7Z_FOLDERS_MAX 65536U

struct unpack_7z;

/* unpack_7z_read reads the directory of `src`, which is borrowed for the call. Caller frees with
 * unpack_7z_free. */
MUST_USE enum errc unpack_7z_read(struct source *src, const struct unpack_limits *limits,
                                  struct unpack_7z **out, struct err *err);
void unpack_7z_free(struct unpack_7z *z);

/* unpack_7z_entry: the entries in the order of the directory. Spans are valid as long as `z` is. A
 * link's target is not among them, for it is packed; unpack_7z_target_len is its length in bytes,
 * at most PATH_TREE_MAX, and 0 for what is no link. */
uint32_t unpack_7z_n(const struct unpack_7z *z);
struct unpack_entry unpack_7z_entry(const struct unpack_7z *z, uint32_t i);
size_t unpack_7z_target_len(const struct unpack_7z *z, uint32_t i);

#endif
