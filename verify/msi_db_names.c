/* Names of streams, packed two characters in a code unit, and text in code pages. */

#include "platform/base/reader.h"
#include "platform/base/text.h"
#include "verify/msi_db_private.h"

#define PAIRS 0x3800U
#define SINGLES 0x4800U
#define TABLE_MARK 0x4840U
#define BITS 6U
#define N_CHARACTERS 64U

static const char alphabet[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._";

/* A character's place in the alphabet, N_CHARACTERS for one that has none. */
static uint32_t place_of(uint32_t code)
{
    if (code >= '0' && code <= '9')
        return code - '0';
    if (code >= 'A' && code <= 'Z')
        return code - 'A' + 10;
    if (code >= 'a' && code <= 'z')
        return code - 'a' + 36;
    return code == '.' ? 62 : code == '_' ? 63 : N_CHARACTERS;
}

static bool put_unit(struct msi_name *name, uint32_t unit)
{
    if (name->len == sizeof(name->utf16))
        return false;
    name->utf16[name->len++] = (uint8_t)unit;
    name->utf16[name->len++] = (uint8_t)(unit >> 8);
    return true;
}

static bool put_code(struct msi_name *name, uint32_t code)
{
    if (code < 0x10000)
        return put_unit(name, code);
    code -= 0x10000;
    return put_unit(name, 0xD800 + (code >> 10)) && put_unit(name, 0xDC00 + (code & 0x3FF));
}

bool msi_name_pack(struct span utf8, bool is_table, struct msi_name *out)
{
    out->len = 0;
    if (utf8.len == 0 || (is_table && !put_unit(out, TABLE_MARK)))
        return false;
    for (size_t at = 0; at < utf8.len;) {
        uint32_t code;
        size_t n = text_utf8_next(span_sub(utf8, at, utf8.len - at), &code);
        if (n == 0 || (code >= PAIRS && code <= TABLE_MARK)) /* would be read as packed */
            return false;
        at += n;
        uint32_t low = place_of(code);
        uint32_t high = at < utf8.len ? place_of(utf8.ptr[at]) : N_CHARACTERS;
        bool is_pair = low < N_CHARACTERS && high < N_CHARACTERS;
        if (!put_code(out, is_pair              ? PAIRS + (high << BITS) + low
                           : low < N_CHARACTERS ? SINGLES + low
                                                : code))
            return false;
        at += is_pair ? 1 : 0;
    }
    return true;
}

static enum errc add_unit(struct buf *b, struct span unit, struct err *err)
{
    uint32_t code = get_u16le(unit.ptr);
    if (code < PAIRS || code >= TABLE_MARK)
        return buf_add(b, unit, err);
    const char first = alphabet[code % N_CHARACTERS];
    enum errc rc = buf_add(b, span_of((const uint8_t[]){ (uint8_t)first, 0 }, 2), err);
    if (rc == E_OK && code < SINGLES) {
        const char second = alphabet[(code - PAIRS) / N_CHARACTERS];
        rc = buf_add(b, span_of((const uint8_t[]){ (uint8_t)second, 0 }, 2), err);
    }
    return rc;
}

enum errc msi_name_unpack(struct span utf16, struct buf *b, bool *out_is_table, struct err *err)
{
    struct buf units;
    enum errc rc = E_OK;
    bool is_table = utf16.len >= 2 && get_u16le(utf16.ptr) == TABLE_MARK;
    buf_init(&units, 2 * utf16.len + 2);
    for (size_t at = is_table ? 2 : 0; rc == E_OK && utf16.len - at >= 2; at += 2)
        rc = add_unit(&units, span_sub(utf16, at, 2), err);
    if (rc == E_OK)
        rc = text_from_utf16(b, buf_span(&units), false, err);
    if (rc == E_OK)
        *out_is_table = is_table;
    buf_fini(&units);
    return rc;
}

/* --- code pages */

#define CODE_PAGE_UTF8 65001U
#define CODE_PAGE_WESTERN 1252U
#define REPLACEMENT 0xFFFDU

/* 0x80..0x9F of code page 1252; the rest above is as in Unicode. */
static const uint16_t western[32] = {
    0x20AC,      REPLACEMENT, 0x201A, 0x0192, 0x201E, 0x2026,      0x2020, 0x2021,
    0x02C6,      0x2030,      0x0160, 0x2039, 0x0152, REPLACEMENT, 0x017D, REPLACEMENT,
    REPLACEMENT, 0x2018,      0x2019, 0x201C, 0x201D, 0x2022,      0x2013, 0x2014,
    0x02DC,      0x2122,      0x0161, 0x203A, 0x0153, REPLACEMENT, 0x017E, 0x0178,
};

static size_t next_code(struct span rest, uint32_t code_page, uint32_t *out)
{
    uint8_t byte = rest.ptr[0];
    size_t n = code_page == CODE_PAGE_UTF8 ? text_utf8_next(rest, out) : 0;
    if (n == 0) {
        n = 1;
        *out = byte < 0x80 ? byte : REPLACEMENT;
        if (code_page == CODE_PAGE_WESTERN && byte >= 0x80)
            *out = byte < 0xA0 ? western[byte - 0x80] : byte;
    }
    if (*out == 0)
        *out = REPLACEMENT;
    return n;
}

enum errc msi_add_utf8(struct span raw, uint32_t code_page, struct buf *b, struct err *err)
{
    enum errc rc = E_OK;
    for (size_t at = 0; at < raw.len && rc == E_OK;) {
        uint32_t code = 0;
        uint8_t utf8[4];
        at += next_code(span_sub(raw, at, raw.len - at), code_page, &code);
        rc = buf_add(b, span_of(utf8, text_put_utf8(code, utf8)), err);
    }
    return rc;
}
