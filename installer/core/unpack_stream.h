#ifndef SUREFOOT_CORE_UNPACK_STREAM_H
#define SUREFOOT_CORE_UNPACK_STREAM_H

/* unpack_stream.h: a file's bytes in order, out of the one compression that is around them (gzip,
 * xz, zstd or none; unpack_frame.h says in which form). libarchive's filters decompress; which one
 * is decided here by the first bytes, and no second one is looked for inside.
 *
 * At the end it is checked that all of the file was used, and of gzip the checksum and length over
 * all that came out (libarchive 3.6.2 passes over these), so that several members are refused. */

#include <stdbool.h>
#include <stddef.h>

#include "installer/core/unpack_entry.h"
#include "platform/source.h"

struct archive;
struct unpack_stream;

/* unpack_stream_open: `src` and `limits` are borrowed and must outlive the stream. Errors as
 * unpack_frame_check's. Caller frees with unpack_stream_close. */
MUST_USE enum errc unpack_stream_open(struct source *src, const struct unpack_limits *limits,
                                      struct unpack_stream **out, struct err *err);
void unpack_stream_close(struct unpack_stream *s);

/* unpack_stream_read gives the next bytes: `room` of them, fewer only where the end is reached and
 * was found right, none from then on. E_MALFORMED for a damaged file and for bytes after its end,
 * E_LIMIT for a bomb. */
MUST_USE enum errc unpack_stream_read(struct unpack_stream *s, uint8_t *to, size_t room,
                                      size_t *out_n, struct err *err);

/* unpack_stream_blame is err_set with what libarchive says: E_NOMEM or E_MALFORMED. Where it fails
 * and says nothing, it is `unsaid` of the two: while it opens, memory is all that it does not speak
 * of. */
enum errc unpack_stream_blame(struct archive *a, enum errc unsaid, struct err *err);

#endif
