/* The pieces that a directory of 7z is made of, see unpack_7z.h. */

#include <inttypes.h>

#include "installer/core/unpack_7z_private.h"

static enum errc ends_early(const struct reader *r, struct err *err)
{
    return err_set(err, E_MALFORMED, "7z: the directory ends early, at byte %" PRIu64 " of it",
                   r->at + r->rest.len);
}

enum errc unpack_7z_take_byte(struct reader *r, uint8_t *out, struct err *err)
{
    return reader_u8(r, out) ? E_OK : ends_early(r, err);
}

/* The ones that the first byte begins with say how many bytes follow, the low ones first; what it
 * has behind them is the highest part. */
enum errc unpack_7z_take_number(struct reader *r, uint64_t *out, struct err *err)
{
    uint8_t first, byte = 0;
    uint64_t value = 0;
    unsigned n = 0;
    enum errc rc = unpack_7z_take_byte(r, &first, err);
    for (; rc == E_OK && n < 8 && (first & (0x80U >> n)) != 0; n++) {
        rc = unpack_7z_take_byte(r, &byte, err);
        if (rc == E_OK)
            value |= (uint64_t)byte << (8 * n);
    }
    if (rc != E_OK)
        return rc;
    if (n < 8)
        value |= (uint64_t)(first & ((0x80U >> n) - 1)) << (8 * n);
    *out = value;
    return E_OK;
}

enum errc unpack_7z_take_bytes(struct reader *r, uint64_t len, struct span *out, struct err *err)
{
    if (len > r->rest.len || !reader_take(r, (size_t)len, out))
        return ends_early(r, err);
    return E_OK;
}

enum errc unpack_7z_expect(struct reader *r, enum unpack_7z_mark mark, const char *what,
                           struct err *err)
{
    uint8_t got = 0;
    enum errc rc = unpack_7z_take_byte(r, &got, err);
    if (rc == E_OK && got != mark)
        return err_set(err, E_MALFORMED,
                       "7z: 0x%02x at byte %" PRIu64 " of the directory, where %s begins or ends",
                       got, r->at - 1, what);
    return rc;
}

bool unpack_7z_take_if(struct reader *r, enum unpack_7z_mark mark)
{
    uint8_t got;
    struct reader ahead = *r;
    if (!reader_u8(&ahead, &got) || got != mark)
        return false;
    *r = ahead;
    return true;
}

enum errc unpack_7z_take_bits(struct reader *r, uint64_t n, struct span *out, struct err *err)
{
    enum errc rc = unpack_7z_take_bytes(r, n / 8 + (n % 8 != 0), out, err);
    if (rc == E_OK && n % 8 != 0 && (out->ptr[out->len - 1] & (0xFFU >> n % 8)) != 0)
        return err_set(err, E_MALFORMED,
                       "7z: more bits than things, before byte %" PRIu64 " of the directory",
                       r->at);
    return rc;
}

bool unpack_7z_bit(struct span bits, uint64_t i)
{
    return i / 8 < bits.len && (bits.ptr[i / 8] & (0x80U >> i % 8)) != 0;
}

uint64_t unpack_7z_count(struct span bits, uint64_t n)
{
    uint64_t count = 0;
    for (uint64_t i = 0; i < n; i++)
        count += unpack_7z_bit(bits, i);
    return count;
}

enum errc unpack_7z_take_defined(struct reader *r, uint64_t n, struct span *out_bits,
                                 uint64_t *out_n, struct err *err)
{
    uint8_t all = 0;
    *out_bits = span_of(NULL, 0);
    *out_n = n;
    enum errc rc = unpack_7z_take_byte(r, &all, err);
    if (rc == E_OK && all > 1)
        return err_set(err, E_MALFORMED,
                       "7z: neither all nor some, %u at byte %" PRIu64 " of the directory", all,
                       r->at - 1);
    if (rc != E_OK || all == 1)
        return rc;
    rc = unpack_7z_take_bits(r, n, out_bits, err);
    if (rc == E_OK)
        *out_n = unpack_7z_count(*out_bits, n);
    return rc;
}

enum errc unpack_7z_take_external(struct reader *r, const char *what, struct err *err)
{
    uint8_t is_external = 0;
    enum errc rc = unpack_7z_take_byte(r, &is_external, err);
    if (rc == E_OK && is_external != 0)
        return err_set(err, E_UNSUPPORTED, "7z: %s in a stream of their own, which are not read",
                       what);
    return rc;
}
