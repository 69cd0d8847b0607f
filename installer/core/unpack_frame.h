#ifndef SUREFOOT_CORE_UNPACK_FRAME_H
#define SUREFOOT_CORE_UNPACK_FRAME_H

/* unpack_frame.h: the outer form of a compressed tar, read before anything is decompressed, so that
 * what the decoder would need, and what it would pass over, is known and refused first:
 *
 *   zstd (RFC 8878)  one frame, up to the end of the file; window at most UNPACK_WINDOW_MAX; no
 *                    dictionary, no skippable frames. Every block's header is visited.
 *   xz (the .xz file format 1.1.0)  one stream, without padding, up to the end; LZMA2 alone, each
 *                    block's dictionary at most UNPACK_WINDOW_MAX. Every block is walked over the
 *                    headers of its chunks to its end; the index and the sizes in its header, where
 *                    they are, must say the same.
 *   gzip (RFC 1952)  the header's fixed part. Its window is always 32 KiB. That there is one member
 *                    up to the end can only be seen while unpacking: unpack_stream.
 *
 * Several members one after another are legal in each of the three; they are refused: no packer of
 * releases makes them, and programs differ in what they read of them.
 * What it does not check: checksums, which the decoders do. */

#include "platform/source.h"

#define UNPACK_WINDOW_MAX (64U * 1024 * 1024)

enum unpack_wrap { UNPACK_PLAIN = 0, UNPACK_GZIP, UNPACK_XZ, UNPACK_ZSTD };

/* unpack_frame_wrap_of tells by the first bytes; UNPACK_PLAIN for everything else. */
enum unpack_wrap unpack_frame_wrap_of(struct span head);

/* unpack_frame_word is "zstd" and so on, "" for UNPACK_PLAIN. */
const char *unpack_frame_word(enum unpack_wrap wrap);

/* unpack_frame_check: E_MALFORMED where it is not of the form above, E_LIMIT where it needs more
 * memory, E_UNSUPPORTED for filters and dictionaries, E_TRUNCATED. UNPACK_PLAIN passes. */
MUST_USE enum errc unpack_frame_check(enum unpack_wrap wrap, struct source *src, struct err *err);

#endif
