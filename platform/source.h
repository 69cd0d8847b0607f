#ifndef SUREFOOT_PLATFORM_SOURCE_H
#define SUREFOOT_PLATFORM_SOURCE_H

/* source.h: random access to bytes that do not change their number: a file held open, memory, a
 * window of another source, a list of its regions. What was verified through a source is used
 * through the same source: nothing is opened twice.
 *
 * A read is exact: all the bytes, or an error and an untouched promise about the buffer. `size` is
 * fixed when the source is opened; a file that shrinks afterwards gives E_TRUNCATED, one that grows
 * is read up to the old size. Reading is safe from several threads at once. What is not checked:
 * that a file on disk keeps its contents (the caller holds a handle that denies writing where the
 * system can). */

#include <stdint.h>

#include "platform/base/err.h"
#include "platform/base/span.h"

struct source;

struct source_ops {
    enum errc (*read_at)(struct source *src, uint64_t at, void *to, size_t len, struct err *err);
    void (*close)(struct source *src);
};

struct source {
    const struct source_ops *ops;
    uint64_t size;  /* bytes */
    uint64_t id[2]; /* of a file: as struct fs_info has it; else zeros */
};

/* source_read_at reads exactly `len` bytes at `at`. E_TRUNCATED past the end, E_IO when the device
 * fails. */
MUST_USE enum errc source_read_at(struct source *src, uint64_t at, void *to, size_t len,
                                  struct err *err);

/* source_close ends the source and frees it; NULL is fine. */
void source_close(struct source *src);

/* source_memory_new borrows `bytes`, which must outlive the source. Caller frees with source_close.
 */
MUST_USE enum errc source_memory_new(struct span bytes, struct source **out_src, struct err *err);

/* source_regions_new is the given regions of `inner`, one after another, as if they were a file.
 * `inner` is borrowed and must outlive it; the regions are copied. E_TRUNCATED if one lies outside.
 * A window is a list of one. */
MUST_USE enum errc source_regions_new(struct source *inner, const struct region *regions,
                                      size_t n_regions, struct source **out_src, struct err *err);

/* source_file_open opens a regular file for reading (UTF-8 path, `/` or the system's own
 * separators). It fails with E_ABSENT, E_ACCESS, E_ARGUMENT for a folder or device, E_BUSY where
 * another program denies it. On Windows others may read it meanwhile, and neither write nor delete
 * it. Implemented in platform/posix and platform/win32. */
MUST_USE enum errc source_file_open(const char *path, struct source **out_src, struct err *err);

/* source_each hands all bytes of [at, at+len) to `fn` in order, in pieces of at most SOURCE_PIECE
 * bytes, read through the caller's `scratch` of SOURCE_PIECE bytes. Stops at the first error,
 * `fn`'s too. */
#define SOURCE_PIECE (64 * 1024)
typedef enum errc (*source_piece_fn)(void *ctx, struct span piece, struct err *err);
MUST_USE enum errc source_each(struct source *src, uint64_t at, uint64_t len, uint8_t *scratch,
                               source_piece_fn fn, void *ctx, struct err *err);

#endif
