#ifndef SUREFOOT_CORE_UNPACK_H
#define SUREFOOT_CORE_UNPACK_H

/* unpack.h: an archive's entries, one at a time, each judged before it is handed out
 * (unpack_entry.h says what is refused). Nothing is written here: the caller gets names and bytes.
 * The archive is read through the source that was proven, and never opened again.
 *
 * Formats, told by the first bytes, each read by one of libarchive's readers and no other:
 *   tar (ustar, pax, GNU), plain or in one gzip, xz or zstd
 *   zip (stored, deflate)     cab (stored, MSZIP, LZX)     7z
 * Self-extracting programs, nested compression and parts of volumes are refused.
 *
 * How far it goes beyond libarchive (3.6.2):
 *   - tar: every header is read a second time (unpack_tar.h), as is the form of the compression
 *     (unpack_frame.h). After the end mark (two blocks of zeros, which must be there) only zeros,
 *     at most UNPACK_TAIL_MAX, and nothing after the compressed stream.
 *   - zip: the directory is held against the local headers (unpack_zip.h).
 *   - cab: cbCabinet must be the file's size, or the signature fill the rest. That its blocks do
 *     not overlap, and that there is nothing between them, is not seen.
 *   - 7z: the directory, unpacked if it is packed, is read a second time and held against what
 *     libarchive makes of it, entry by entry (unpack_7z.h). Between its streams there is nothing;
 *     what lies in one behind the end of what is packed in it is not seen.
 *   - of cab and 7z names in ASCII alone are read: libarchive would convert others to the locale.
 *
 * Memory: gzip, zip and cab need little; zstd, xz and 7z at most 64 MiB for the window, refused
 * before unpacking. A tar's headers: at most UNPACK_HEADERS_MAX an entry. What libarchive 3.6.2
 * takes for a 7z beside the window, and what bounds it before libarchive is asked:
 *   - names, and a property's value at once: UNPACK_7Z_DIRECTORY_MAX; of what it passes over, 4 KiB
 *   - about 100 bytes an entry, and a byte for each of its lists of bits: the limit of entries, of
 *     which each has four bytes of the directory or more for its name
 *   - about 300 bytes a folder with its two coders at most and their five bytes of properties at
 *     most, its packed stream, sizes and checksums: UNPACK_7Z_FOLDERS_MAX
 *   - 13 bytes for the size and checksum of each file that has bytes: as many as entries
 *   - a name while it is converted, a link's target: PATH_TREE_MAX letters and bytes
 *   - 64 KiB of what was just unpacked, 40 KiB for Deflate, a block of the file
 * So at the limits of unpack_entry_limits that is less than 300 MiB with our own list, and of an
 * archive with a thousand files the window and a MiB. Not needed, for these are refused: the tables
 * of PPMd and BZip2, and the side streams of BCJ2, which it would hold whole. */

#include <stdbool.h>

#include "installer/core/unpack_entry.h"
#include "platform/source.h"

#define UNPACK_TAIL_MAX (1024U * 1024)
#define UNPACK_HEADERS_MAX (4U * 1024 * 1024)

struct unpack;

/* unpack_open reads enough to know the format. `src` is borrowed and must outlive *out; the limits
 * are copied. E_UNSUPPORTED where it is no archive of these formats; else as unpack_next. Caller
 * ends it with unpack_close. */
MUST_USE enum errc unpack_open(struct source *src, const struct unpack_limits *limits,
                               struct unpack **out, struct err *err);
void unpack_close(struct unpack *u);

/* unpack_next gives the next entry, whose spans are valid until the next call; *out_end is true,
 * and *out untouched, where the archive ended as it should. Bytes of the entry before that nobody
 * asked for are passed over. E_MALFORMED for what is damaged or refused, E_LIMIT for a bomb,
 * E_UNSUPPORTED for what could be and is not read, E_TRUNCATED, and the source's own. After an
 * error only unpack_close makes sense. */
MUST_USE enum errc unpack_next(struct unpack *u, struct unpack_entry *out, bool *out_end,
                               struct err *err);

/* unpack_data gives the bytes of the file that unpack_next just gave, in order, in pieces: exactly
 * `size` in all, or an error; holes of sparse files as zeros. Of other kinds there are none. To be
 * called once. Errors as unpack_next's, and what `fn` returns. */
MUST_USE enum errc unpack_data(struct unpack *u, source_piece_fn fn, void *ctx, struct err *err);

/* unpack_format is a word for the report, such as "tar, zstd", "zip", "7z". */
const char *unpack_format(const struct unpack *u);

#endif
