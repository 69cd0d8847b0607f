#include "platform/base/reader.h"

#include <string.h>

bool reader_copy(struct reader *r, void *to, size_t len)
{
    struct span bytes;
    if (len == 0)
        return true;
    if (!reader_take(r, len, &bytes))
        return false;
    memcpy(to, bytes.ptr, len);
    return true;
}

bool reader_u16le(struct reader *r, uint16_t *out)
{
    struct span b;
    if (!reader_take(r, 2, &b))
        return false;
    *out = get_u16le(b.ptr);
    return true;
}

bool reader_u32le(struct reader *r, uint32_t *out)
{
    struct span b;
    if (!reader_take(r, 4, &b))
        return false;
    *out = get_u32le(b.ptr);
    return true;
}

bool reader_u64le(struct reader *r, uint64_t *out)
{
    struct span b;
    if (!reader_take(r, 8, &b))
        return false;
    *out = get_u64le(b.ptr);
    return true;
}

bool reader_u16be(struct reader *r, uint16_t *out)
{
    struct span b;
    if (!reader_take(r, 2, &b))
        return false;
    *out = (uint16_t)((b.ptr[0] << 8) | b.ptr[1]);
    return true;
}

bool reader_u32be(struct reader *r, uint32_t *out)
{
    struct span b;
    if (!reader_take(r, 4, &b))
        return false;
    *out = ((uint32_t)b.ptr[0] << 24) | ((uint32_t)b.ptr[1] << 16) | ((uint32_t)b.ptr[2] << 8) |
           (uint32_t)b.ptr[3];
    return true;
}

bool reader_cstring(struct reader *r, size_t max, struct span *out)
{
    size_t window = r->rest.len < max ? r->rest.len : max;
    const uint8_t *nul = window == 0 ? NULL : memchr(r->rest.ptr, 0, window);
    if (nul == NULL)
        return false;
    struct span text;
    if (!reader_take(r, (size_t)(nul - r->rest.ptr), &text) || !reader_skip(r, 1))
        return false;
    *out = text;
    return true;
}
