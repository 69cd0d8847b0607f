#include "verify/script.h"

#include <stdlib.h>
#include <string.h>

#include "platform/base/num.h"
#include "platform/base/reader.h"
#include "platform/base/text.h"

#define NOT_ASCII 0xFF
#define REPLACEMENT 0xFFFD

static const uint8_t utf8_bom[] = { 0xEF, 0xBB, 0xBF };
static const uint8_t utf16_bom[] = { 0xFF, 0xFE };

static void find_encoding(struct script_text *t)
{
    struct span raw = span_of(t->raw, t->raw_len);
    t->bom_len = 0;
    t->unit_len = 1;
    if (span_starts_with(raw, span_of(utf8_bom, sizeof(utf8_bom)))) {
        t->bom_len = sizeof(utf8_bom);
    } else if (span_starts_with(raw, span_of(utf16_bom, sizeof(utf16_bom)))) {
        t->bom_len = sizeof(utf16_bom);
        t->unit_len = 2;
    } else if (raw.len >= 2 && raw.ptr[0] != 0 && raw.ptr[0] < 0x80 && raw.ptr[1] == 0) {
        t->unit_len = 2;
    }
}

static enum errc make_units(struct script_text *t, struct err *err)
{
    struct span body = span_sub(span_of(t->raw, t->raw_len), t->bom_len, t->raw_len);
    t->units = body;
    if (t->unit_len == 1)
        return E_OK;
    size_t n = body.len / 2;
    t->narrowed = malloc(n == 0 ? 1 : n);
    if (t->narrowed == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < n; i++) {
        uint16_t unit = get_u16le(body.ptr + 2 * i);
        t->narrowed[i] = unit < 0x80 ? (uint8_t)unit : NOT_ASCII;
    }
    t->units = span_of(t->narrowed, n);
    return E_OK;
}

enum errc script_text_read(struct source *src, struct region part, const struct script_text *like,
                           struct script_text *out, struct err *err)
{
    if (part.len > SCRIPT_BYTES_MAX)
        return err_set(err, E_LIMIT, "script: more than %d bytes", SCRIPT_BYTES_MAX);
    struct script_text t = { .raw_len = (size_t)part.len };
    t.raw = malloc(t.raw_len == 0 ? 1 : t.raw_len);
    if (t.raw == NULL)
        return err_nomem(err);
    enum errc rc = source_read_at(src, part.at, t.raw, t.raw_len, err);
    if (rc == E_OK) {
        if (like == NULL)
            find_encoding(&t);
        else
            t.unit_len = like->unit_len;
        rc = make_units(&t, err);
    }
    if (rc != E_OK) {
        script_text_fini(&t);
        return rc;
    }
    *out = t;
    return E_OK;
}

void script_text_fini(struct script_text *t)
{
    free(t->raw);
    free(t->narrowed);
    *t = (struct script_text){ .raw = NULL };
}

uint64_t script_text_offset(const struct script_text *t, size_t at)
{
    return t->bom_len + (uint64_t)at * t->unit_len;
}

/* --- as UTF-16LE */

/* Windows-1252 for 0x80..0x9F; the five bytes that it leaves undefined stay what they are. */
static const uint16_t ansi_upper[32] = {
    0x20AC, 0x0081, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0x008D, 0x017D, 0x008F, 0x0090, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x009D, 0x017E, 0x0178,
};

static uint32_t ansi_code(uint8_t byte)
{
    return byte >= 0x80 && byte < 0xA0 ? ansi_upper[byte - 0x80] : byte;
}

static size_t put_unit(uint32_t unit, uint8_t *to)
{
    to[0] = (uint8_t)unit;
    to[1] = (uint8_t)(unit >> 8);
    return 2;
}

/* put_utf16 writes a code point and returns its length in bytes, 2 or 4. */
static size_t put_utf16(uint32_t code, uint8_t *to)
{
    if (code < 0x10000)
        return put_unit(code, to);
    code -= 0x10000;
    return put_unit(0xD800 + (code >> 10), to) + put_unit(0xDC00 + (code & 0x3FF), to + 2);
}

/* next_code takes one character off `rest`: one byte, which is false, where it is no UTF-8. */
static bool next_code(struct span *rest, enum script_reading reading, uint32_t *out)
{
    size_t n = 1;
    if (reading == SCRIPT_ANSI)
        *out = ansi_code(rest->ptr[0]);
    else
        n = text_utf8_next(*rest, out);
    bool is_good = n != 0;
    if (!is_good) {
        *out = REPLACEMENT;
        n = 1;
    }
    *rest = span_sub(*rest, n, rest->len);
    return is_good;
}

enum errc script_text_hash(const struct script_text *t, struct region part,
                           enum script_reading reading, struct hasher *h, uint32_t *n_units,
                           uint64_t *first_bad, struct err *err)
{
    uint8_t wide[4096];
    uint64_t at = script_text_offset(t, (size_t)part.at);
    struct span rest =
        span_sub(span_of(t->raw, t->raw_len), (size_t)at, (size_t)part.len * t->unit_len);
    if (t->unit_len == 2) {
        *n_units += (uint32_t)(rest.len / 2);
        return hasher_add(h, rest, err);
    }
    if (t->bom_len != 0)
        reading = SCRIPT_UTF8;
    const uint8_t *start = rest.ptr;
    while (rest.len > 0) {
        size_t n = 0;
        while (rest.len > 0 && n <= sizeof(wide) - 4) {
            uint32_t code;
            uint64_t here = at + (uint64_t)(rest.ptr - start);
            if (!next_code(&rest, reading, &code) && *first_bad == NO_OFFSET)
                *first_bad = here;
            n += put_utf16(code, wide + n);
        }
        *n_units += (uint32_t)(n / 2);
        enum errc rc = hasher_add(h, span_of(wide, n), err);
        if (rc != E_OK)
            return rc;
    }
    return E_OK;
}
