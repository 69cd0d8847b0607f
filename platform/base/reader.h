#ifndef SUREFOOT_BASE_READER_H
#define SUREFOOT_BASE_READER_H

/* reader.h: a cursor over hostile bytes in memory. Each read moves forward and returns true, or
 * moves nowhere, writes nothing and returns false. `at` is the offset of the next byte in the whole
 * file, for messages. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "platform/base/cc.h"
#include "platform/base/span.h"

struct reader {
    struct span rest;
    uint64_t at;
};

static inline struct reader reader_of(struct span bytes, uint64_t at)
{
    return (struct reader){ .rest = bytes, .at = at };
}

static inline bool reader_is_done(const struct reader *r)
{
    return r->rest.len == 0;
}

MUST_USE bool reader_skip(struct reader *r, size_t len);
MUST_USE bool reader_take(struct reader *r, size_t len, struct span *out);
MUST_USE bool reader_copy(struct reader *r, void *to, size_t len);
MUST_USE bool reader_u8(struct reader *r, uint8_t *out);
MUST_USE bool reader_u16le(struct reader *r, uint16_t *out);
MUST_USE bool reader_u32le(struct reader *r, uint32_t *out);
MUST_USE bool reader_u64le(struct reader *r, uint64_t *out);
MUST_USE bool reader_u16be(struct reader *r, uint16_t *out);
MUST_USE bool reader_u32be(struct reader *r, uint32_t *out);

/* reader_cstring takes bytes up to a NUL, which is skipped and not part of *out; false if none
 * comes within `max`. */
MUST_USE bool reader_cstring(struct reader *r, size_t max, struct span *out);

/* get_u*: for tables whose bounds the caller has just checked. `p` must have the bytes. */
uint16_t get_u16le(const uint8_t *p);
uint32_t get_u32le(const uint8_t *p);
uint64_t get_u64le(const uint8_t *p);

#endif
