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

/* These three are inline because reading DER is made of them. */
MUST_USE static inline bool reader_take(struct reader *r, size_t len, struct span *out)
{
    if (len > r->rest.len)
        return false;
    *out = span_of(r->rest.ptr, len);
    if (len == 0)
        return true; /* nothing is added to a pointer that may be NULL */
    r->rest = span_of(r->rest.ptr + len, r->rest.len - len);
    r->at += len;
    return true;
}
MUST_USE static inline bool reader_skip(struct reader *r, size_t len)
{
    struct span ignored;
    return reader_take(r, len, &ignored);
}
MUST_USE static inline bool reader_u8(struct reader *r, uint8_t *out)
{
    struct span b;
    if (!reader_take(r, 1, &b))
        return false;
    *out = b.ptr[0];
    return true;
}

MUST_USE bool reader_copy(struct reader *r, void *to, size_t len);
MUST_USE bool reader_u16le(struct reader *r, uint16_t *out);
MUST_USE bool reader_u32le(struct reader *r, uint32_t *out);
MUST_USE bool reader_u64le(struct reader *r, uint64_t *out);
MUST_USE bool reader_u16be(struct reader *r, uint16_t *out);
MUST_USE bool reader_u32be(struct reader *r, uint32_t *out);

/* reader_cstring takes bytes up to a NUL, which is skipped and not part of *out; false if none
 * comes within `max`. */
MUST_USE bool reader_cstring(struct reader *r, size_t max, struct span *out);

/* get_u*: for tables whose bounds the caller has just checked. `p` must have the bytes. */
static inline uint16_t get_u16le(const uint8_t *p)
{
    return (uint16_t)(p[0] | (p[1] << 8));
}
static inline uint32_t get_u32le(const uint8_t *p)
{
    return (uint32_t)p[0] | ((uint32_t)p[1] << 8) | ((uint32_t)p[2] << 16) | ((uint32_t)p[3] << 24);
}
static inline uint64_t get_u64le(const uint8_t *p)
{
    return (uint64_t)get_u32le(p) | ((uint64_t)get_u32le(p + 4) << 32);
}

#endif
