#include "verify/der.h"

#include <inttypes.h>

#include "platform/base/text.h"

#define LENGTH_BYTES_MAX 4
#define UNIVERSAL_MAX 0x3F /* universal tags have the two top bits clear */
#define CONSTRUCTED 0x20
#define HIGH_TAG 0x1F

/* --- one value */

/* read_long_length reads a length whose first byte, the value's second, is 0x80 or more. */
static enum errc read_long_length(const struct reader *r, const char *what, size_t *out_head_len,
                                  size_t *out_len, struct err *err)
{
    struct span bytes = span_sub(r->rest, 2, LENGTH_BYTES_MAX);
    uint64_t at = r->at + 1;
    size_t n = r->rest.ptr[1] & 0x7FU;
    if (n == 0)
        return err_set(err, E_MALFORMED, "%s: indefinite length at %" PRIu64, what, at);
    if (n > LENGTH_BYTES_MAX)
        return err_set(err, E_MALFORMED, "%s: length of %zu bytes at %" PRIu64, what, n, at);
    if (n > bytes.len)
        return err_set(err, E_TRUNCATED, "%s: ends in its length at %" PRIu64, what, at);
    uint32_t len = 0;
    for (size_t i = 0; i < n; i++)
        len = (len << 8) | bytes.ptr[i];
    if (len < 0x80 || (n > 1 && len >> (8 * (n - 1)) == 0))
        return err_set(err, E_MALFORMED, "%s: length not in its shortest form at %" PRIu64, what,
                       at);
    *out_head_len = 2 + n;
    *out_len = len;
    return E_OK;
}

/* Every byte of a signature passes here several times: it is written to be fast. */
enum errc der_read_any(struct reader *r, const char *what, struct der *out, struct err *err)
{
    struct span all = r->rest;
    if (all.len == 0)
        return err_set(err, E_TRUNCATED, "%s: missing at %" PRIu64, what, r->at);
    if ((all.ptr[0] & HIGH_TAG) == HIGH_TAG)
        return err_set(err, E_MALFORMED, "%s: high tag number at %" PRIu64, what, r->at);
    if (all.len == 1)
        return err_set(err, E_TRUNCATED, "%s: ends before its length at %" PRIu64, what, r->at + 1);
    size_t head_len = 2, len = all.ptr[1];
    if (len >= 0x80) {
        enum errc e = read_long_length(r, what, &head_len, &len, err);
        if (e != E_OK)
            return e;
    }
    if (len > all.len - head_len)
        return err_set(err, E_TRUNCATED, "%s: %zu bytes at %" PRIu64 ", but only %zu are left",
                       what, len, r->at + head_len, all.len - head_len);
    *out = (struct der){ .tag = all.ptr[0],
                         .whole = span_of(all.ptr, head_len + len),
                         .content = span_of(all.ptr + head_len, len),
                         .at = r->at };
    r->rest = span_of(all.ptr + head_len + len, all.len - head_len - len);
    r->at += head_len + len;
    return E_OK;
}

bool der_next_is(const struct reader *r, uint8_t tag)
{
    return r->rest.len > 0 && r->rest.ptr[0] == tag;
}

enum errc der_read(struct reader *r, uint8_t tag, const char *what, struct der *out,
                   struct err *err)
{
    if (r->rest.len > 0 && r->rest.ptr[0] != tag)
        return err_set(err, E_MALFORMED, "%s: tag 0x%02X where 0x%02X belongs at %" PRIu64, what,
                       r->rest.ptr[0], tag, r->at);
    return der_read_any(r, what, out, err);
}

enum errc der_enter(struct reader *r, uint8_t tag, const char *what, struct reader *out,
                    struct err *err)
{
    struct der d;
    enum errc e = der_read(r, tag, what, &d, err);
    if (e == E_OK)
        *out = der_inside(&d);
    return e;
}

enum errc der_end(const struct reader *r, const char *what, struct err *err)
{
    if (reader_is_done(r))
        return E_OK;
    return err_set(err, E_MALFORMED, "%s: %zu bytes too many at %" PRIu64, what, r->rest.len,
                   r->at);
}

/* --- the form of primitive values */

static enum errc check_boolean(const struct der *d, const char *what, struct err *err)
{
    if (d->content.len != 1)
        return err_set(err, E_MALFORMED, "%s: BOOLEAN of %zu bytes at %" PRIu64, what,
                       d->content.len, d->at);
    if (d->content.ptr[0] != 0 && d->content.ptr[0] != 0xFF)
        return err_set(err, E_MALFORMED, "%s: BOOLEAN 0x%02X at %" PRIu64, what, d->content.ptr[0],
                       d->at);
    return E_OK;
}

static enum errc check_integer(const struct der *d, const char *what, struct err *err)
{
    struct span c = d->content;
    if (c.len == 0)
        return err_set(err, E_MALFORMED, "%s: empty INTEGER at %" PRIu64, what, d->at);
    if (c.len > 1 && ((c.ptr[0] == 0 && c.ptr[1] < 0x80) || (c.ptr[0] == 0xFF && c.ptr[1] >= 0x80)))
        return err_set(err, E_MALFORMED, "%s: INTEGER not in its shortest form at %" PRIu64, what,
                       d->at);
    return E_OK;
}

static enum errc check_bits(const struct der *d, const char *what, struct err *err)
{
    struct span c = d->content;
    if (c.len == 0)
        return err_set(err, E_MALFORMED, "%s: empty BIT STRING at %" PRIu64, what, d->at);
    uint8_t unused = c.ptr[0];
    if (unused > 7)
        return err_set(err, E_MALFORMED, "%s: %d unused bits at %" PRIu64, what, unused, d->at);
    if (unused > 0 && c.len == 1)
        return err_set(err, E_MALFORMED, "%s: unused bits of nothing at %" PRIu64, what, d->at);
    if ((c.ptr[c.len - 1] & ((1U << unused) - 1)) != 0 && c.len > 1)
        return err_set(err, E_MALFORMED, "%s: unused bits are not 0 at %" PRIu64, what, d->at);
    return E_OK;
}

static enum errc check_null(const struct der *d, const char *what, struct err *err)
{
    if (d->content.len != 0)
        return err_set(err, E_MALFORMED, "%s: NULL of %zu bytes at %" PRIu64, what, d->content.len,
                       d->at);
    return E_OK;
}

static enum errc check_oid(const struct der *d, const char *what, struct err *err)
{
    struct span c = d->content;
    if (c.len == 0)
        return err_set(err, E_MALFORMED, "%s: empty OID at %" PRIu64, what, d->at);
    if (c.ptr[c.len - 1] >= 0x80)
        return err_set(err, E_MALFORMED, "%s: OID ends within a number at %" PRIu64, what, d->at);
    for (size_t i = 0; i < c.len; i++)
        if (c.ptr[i] == 0x80 && (i == 0 || c.ptr[i - 1] < 0x80))
            return err_set(err, E_MALFORMED, "%s: OID not in its shortest form at %" PRIu64, what,
                           d->at);
    return E_OK;
}

static bool take_pair(struct reader *r, int *out)
{
    uint8_t pair[2];
    struct reader rest = *r;
    if (!reader_copy(&rest, pair, 2) || pair[0] < '0' || pair[0] > '9' || pair[1] < '0' ||
        pair[1] > '9')
        return false;
    *out = (pair[0] - '0') * 10 + (pair[1] - '0');
    *r = rest;
    return true;
}

/* take_year: RFC 5280 4.1.2.5.1 puts the two digits of UTCTime into 1950..2049. */
static bool take_year(struct reader *r, uint8_t tag, int *out)
{
    int high, low;
    if (!take_pair(r, &low))
        return false;
    if (tag == DER_UTC_TIME) {
        *out = low < 50 ? 2000 + low : 1900 + low;
        return true;
    }
    high = low;
    if (!take_pair(r, &low))
        return false;
    *out = high * 100 + low;
    return true;
}

/* take_fraction reads ".ddd" without a last 0 (X.690 11.7.3). Digits behind the ninth are read and
 * count for nothing. */
static bool take_fraction(struct reader *r, uint32_t *out_nanos)
{
    uint32_t nanos = 0, unit = 100000000;
    uint8_t digit, last = '0';
    if (!reader_u8(r, &digit) || digit != '.')
        return false;
    while (r->rest.len > 0 && r->rest.ptr[0] >= '0' && r->rest.ptr[0] <= '9') {
        last = r->rest.ptr[0];
        nanos += (uint32_t)(last - '0') * unit;
        unit /= 10;
        if (!reader_skip(r, 1))
            return false;
    }
    *out_nanos = nanos;
    return last != '0';
}

static enum errc read_time_value(const struct der *d, const char *what, int64_t *out_unix_s,
                                 uint32_t *out_nanos, struct err *err)
{
    struct reader r = der_inside(d);
    int year, month, day, hour, minute, second;
    uint8_t zone;
    *out_nanos = 0;
    if (!take_year(&r, d->tag, &year) || !take_pair(&r, &month) || !take_pair(&r, &day))
        return err_set(err, E_MALFORMED, "%s: no date at %" PRIu64, what, d->at);
    if (!take_pair(&r, &hour) || !take_pair(&r, &minute) || !take_pair(&r, &second))
        return err_set(err, E_MALFORMED, "%s: no time with seconds at %" PRIu64, what, d->at);
    if (d->tag == DER_GENERALIZED_TIME && der_next_is(&r, '.') && !take_fraction(&r, out_nanos))
        return err_set(err, E_MALFORMED, "%s: fraction not in its shortest form at %" PRIu64, what,
                       d->at);
    if (!reader_u8(&r, &zone) || zone != 'Z')
        return err_set(err, E_MALFORMED, "%s: time without Z at %" PRIu64, what, d->at);
    if (!reader_is_done(&r))
        return err_set(err, E_MALFORMED, "%s: bytes behind the time at %" PRIu64, what, d->at);
    if (!text_time_of(year, month, day, hour, minute, second, out_unix_s))
        return err_set(err, E_MALFORMED, "%s: no such time at %" PRIu64, what, d->at);
    return E_OK;
}

static enum errc check_time(const struct der *d, const char *what, struct err *err)
{
    int64_t unix_s;
    uint32_t nanos;
    return read_time_value(d, what, &unix_s, &nanos, err);
}

/* --- reading typed values: the reader moves only where the form holds */

typedef enum errc (*form_fn)(const struct der *d, const char *what, struct err *err);

static enum errc read_form(struct reader *r, uint8_t tag, form_fn check, const char *what,
                           struct der *out, struct err *err)
{
    struct reader rest = *r;
    struct der d;
    enum errc e = der_read(&rest, tag, what, &d, err);
    if (e == E_OK)
        e = check(&d, what, err);
    if (e != E_OK)
        return e;
    *r = rest;
    *out = d;
    return E_OK;
}

enum errc der_read_integer(struct reader *r, const char *what, struct span *out, struct err *err)
{
    struct der d;
    enum errc e = read_form(r, DER_INTEGER, check_integer, what, &d, err);
    if (e == E_OK)
        *out = d.content;
    return e;
}

static enum errc check_u32(const struct der *d, const char *what, struct err *err)
{
    enum errc e = check_integer(d, what, err);
    if (e != E_OK)
        return e;
    if (d->content.ptr[0] >= 0x80)
        return err_set(err, E_MALFORMED, "%s: negative at %" PRIu64, what, d->at);
    if (d->content.len > 5 || (d->content.len == 5 && d->content.ptr[0] != 0))
        return err_set(err, E_MALFORMED, "%s: more than 32 bits at %" PRIu64, what, d->at);
    return E_OK;
}

enum errc der_read_u32(struct reader *r, const char *what, uint32_t *out, struct err *err)
{
    struct der d;
    enum errc e = read_form(r, DER_INTEGER, check_u32, what, &d, err);
    if (e != E_OK)
        return e;
    uint32_t value = 0;
    for (size_t i = 0; i < d.content.len; i++)
        value = (value << 8) | d.content.ptr[i];
    *out = value;
    return E_OK;
}

enum errc der_read_oid(struct reader *r, const char *what, struct span *out_content,
                       struct err *err)
{
    struct der d;
    enum errc e = read_form(r, DER_OID, check_oid, what, &d, err);
    if (e == E_OK)
        *out_content = d.content;
    return e;
}

enum errc der_read_octets(struct reader *r, const char *what, struct span *out_content,
                          struct err *err)
{
    struct der d;
    enum errc e = der_read(r, DER_OCTET_STRING, what, &d, err);
    if (e == E_OK)
        *out_content = d.content;
    return e;
}

enum errc der_read_boolean(struct reader *r, const char *what, bool *out, struct err *err)
{
    struct der d;
    enum errc e = read_form(r, DER_BOOLEAN, check_boolean, what, &d, err);
    if (e == E_OK)
        *out = d.content.ptr[0] != 0;
    return e;
}

static enum errc check_whole_bytes(const struct der *d, const char *what, struct err *err)
{
    enum errc e = check_bits(d, what, err);
    if (e == E_OK && d->content.ptr[0] != 0)
        return err_set(err, E_MALFORMED, "%s: not whole bytes at %" PRIu64, what, d->at);
    return e;
}

enum errc der_read_bits(struct reader *r, const char *what, struct span *out, struct err *err)
{
    struct der d;
    enum errc e = read_form(r, DER_BIT_STRING, check_whole_bytes, what, &d, err);
    if (e == E_OK)
        *out = span_sub(d.content, 1, d.content.len);
    return e;
}

enum errc der_read_time(struct reader *r, const char *what, int64_t *out_unix_s,
                        uint32_t *out_nanos, struct err *err)
{
    uint8_t tag = der_next_is(r, DER_UTC_TIME) ? DER_UTC_TIME : DER_GENERALIZED_TIME;
    struct der d;
    int64_t unix_s;
    uint32_t nanos;
    enum errc e = read_form(r, tag, check_time, what, &d, err);
    if (e == E_OK)
        e = read_time_value(&d, what, &unix_s, &nanos, err);
    if (e != E_OK)
        return e;
    *out_unix_s = unix_s;
    if (out_nanos != NULL)
        *out_nanos = nanos;
    return E_OK;
}

/* --- a whole tree */

#define DER_ENUMERATED 0x0A

static enum errc check_form(const struct der *d, const char *what, struct err *err)
{
    switch (d->tag) {
    case 0x00: return err_set(err, E_MALFORMED, "%s: end of contents at %" PRIu64, what, d->at);
    case DER_BOOLEAN: return check_boolean(d, what, err);
    case DER_INTEGER:
    case DER_ENUMERATED: return check_integer(d, what, err);
    case DER_BIT_STRING: return check_bits(d, what, err);
    case DER_NULL: return check_null(d, what, err);
    case DER_OID: return check_oid(d, what, err);
    case DER_UTC_TIME:
    case DER_GENERALIZED_TIME: return check_time(d, what, err);
    case DER_SEQUENCE & ~CONSTRUCTED:
    case DER_SET & ~CONSTRUCTED:
        return err_set(err, E_MALFORMED, "%s: primitive tag 0x%02X at %" PRIu64, what, d->tag,
                       d->at);
    default: return E_OK;
    }
}

static bool is_constructed(uint8_t tag)
{
    return (tag & CONSTRUCTED) != 0;
}

static enum errc check_value(const struct der *d, const char *what, struct err *err)
{
    if (!is_constructed(d->tag))
        return check_form(d, what, err);
    if (d->tag <= UNIVERSAL_MAX && d->tag != DER_SEQUENCE && d->tag != DER_SET)
        return err_set(err, E_MALFORMED, "%s: constructed tag 0x%02X at %" PRIu64, what, d->tag,
                       d->at);
    return E_OK;
}

/* The walk keeps its own stack: one reader for each level that is open. */
enum errc der_check_exact(struct span bytes, uint64_t at, const char *what, struct err *err)
{
    struct reader levels[DER_DEPTH_MAX];
    size_t depth = 0;
    levels[0] = reader_of(bytes, at);
    for (;;) {
        struct der d;
        if (reader_is_done(&levels[depth])) {
            if (depth == 0)
                return E_OK;
            depth--;
            continue;
        }
        enum errc e = der_read_any(&levels[depth], what, &d, err);
        if (e == E_OK)
            e = check_value(&d, what, err);
        if (e != E_OK)
            return e;
        if (!is_constructed(d.tag))
            continue;
        if (depth + 1 == DER_DEPTH_MAX)
            return err_set(err, E_LIMIT, "%s: more than %d levels at %" PRIu64, what, DER_DEPTH_MAX,
                           d.at);
        levels[++depth] = der_inside(&d);
    }
}

enum errc der_check_set_order(struct span set_content, uint64_t at, const char *what,
                              struct err *err)
{
    struct reader r = reader_of(set_content, at);
    struct span last = span_of(NULL, 0);
    while (!reader_is_done(&r)) {
        struct der d;
        enum errc e = der_read_any(&r, what, &d, err);
        if (e != E_OK)
            return e;
        if (span_compare(last, d.whole) > 0)
            return err_set(err, E_MALFORMED, "%s: not in the order of DER at %" PRIu64, what, d.at);
        last = d.whole;
    }
    return E_OK;
}
