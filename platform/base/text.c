#include "platform/base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

size_t text_utf8_next(struct span s, uint32_t *out_code)
{
    if (s.len == 0)
        return 0;
    uint8_t lead = s.ptr[0];
    if (lead < 0x80) {
        *out_code = lead;
        return 1;
    }
    size_t len = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4 || s.len < len)
        return 0;
    uint32_t code = lead & (0xFFU >> (len + 1));
    for (size_t i = 1; i < len; i++) {
        if ((s.ptr[i] & 0xC0) != 0x80)
            return 0;
        code = (code << 6) | (s.ptr[i] & 0x3FU);
    }
    static const uint32_t least[5] = { 0, 0, 0x80, 0x800, 0x10000 };
    if (code < least[len] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
        return 0;
    *out_code = code;
    return len;
}

bool text_is_utf8(struct span s)
{
    while (s.len > 0) {
        uint32_t code;
        size_t n = text_utf8_next(s, &code);
        if (n == 0)
            return false;
        s = span_sub(s, n, s.len);
    }
    return true;
}

size_t text_put_utf8(uint32_t code, uint8_t to[4])
{
    if (code < 0x80) {
        to[0] = (uint8_t)code;
        return 1;
    }
    if (code < 0x800) {
        to[0] = (uint8_t)(0xC0 | (code >> 6));
        to[1] = (uint8_t)(0x80 | (code & 0x3F));
        return 2;
    }
    if (code < 0x10000) {
        to[0] = (uint8_t)(0xE0 | (code >> 12));
        to[1] = (uint8_t)(0x80 | ((code >> 6) & 0x3F));
        to[2] = (uint8_t)(0x80 | (code & 0x3F));
        return 3;
    }
    to[0] = (uint8_t)(0xF0 | (code >> 18));
    to[1] = (uint8_t)(0x80 | ((code >> 12) & 0x3F));
    to[2] = (uint8_t)(0x80 | ((code >> 6) & 0x3F));
    to[3] = (uint8_t)(0x80 | (code & 0x3F));
    return 4;
}

/* Characters that change how a line looks without being seen: C0, DEL, C1, the bidirectional
 * controls and isolates, line and paragraph separators, zero-width and tag characters, the byte
 * order mark, noncharacters. */
static bool code_is_hidden(uint32_t c)
{
    return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0xAD || c == 0x61C || c == 0x180E ||
           (c >= 0x200B && c <= 0x200F) || (c >= 0x2028 && c <= 0x202E) ||
           (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF || (c >= 0xFFF0 && c <= 0xFFFB) ||
           (c & 0xFFFE) == 0xFFFE || (c >= 0xE0000 && c <= 0xE0FFF);
}

/* One character of `in` as it may be shown; returns how many input bytes that was and writes at
 * most 12 bytes. */
static size_t printable_piece(struct span in, char piece[16], size_t *out_len)
{
    uint32_t code;
    size_t n = text_utf8_next(in, &code);
    if (n == 0) {
        *out_len = (size_t)snprintf(piece, 16, "\\x%02x", in.ptr[0]);
        return 1;
    }
    if (code_is_hidden(code)) {
        *out_len = (size_t)(code < 0x80 ? snprintf(piece, 16, "\\x%02x", (unsigned)code)
                                        : snprintf(piece, 16, "\\u{%" PRIX32 "}", code));
    } else {
        memcpy(piece, in.ptr, n);
        *out_len = n;
    }
    return n;
}

const char *text_printable(struct span in, char *to, size_t room)
{
    size_t used = 0;
    size_t cut_at = 0; /* the last place where "..." still fits */
    while (in.len > 0) {
        char piece[16];
        size_t len;
        size_t n = printable_piece(in, piece, &len);
        if (used + 4 <= room)
            cut_at = used;
        if (used + len + 1 > room) {
            memcpy(to + cut_at, "...", 4);
            return to;
        }
        memcpy(to + used, piece, len);
        used += len;
        in = span_sub(in, n, in.len);
    }
    to[used] = '\0';
    return to;
}

const char *text_print(char *to, size_t room, const char *fmt, va_list args)
{
    char raw[512];
    (void)vsnprintf(raw, sizeof(raw), fmt, args);
    return text_printable(span_text(raw), to, room);
}

enum errc text_add_printable(struct buf *b, struct span in, struct err *err)
{
    while (in.len > 0) {
        char piece[16];
        size_t len;
        size_t n = printable_piece(in, piece, &len);
        enum errc rc = buf_add(b, span_of(piece, len), err);
        if (rc != E_OK)
            return rc;
        in = span_sub(in, n, in.len);
    }
    return E_OK;
}

enum errc text_from_utf16(struct buf *b, struct span in, bool big_endian, struct err *err)
{
    if (in.len % 2 != 0)
        return err_set(err, E_MALFORMED, "UTF-16 text of %zu bytes, an odd number", in.len);
    for (size_t i = 0; i < in.len; i += 2) {
        unsigned hi = big_endian ? 0 : 1;
        uint32_t code = ((uint32_t)in.ptr[i + hi] << 8) | in.ptr[i + 1 - hi];
        if (code >= 0xD800 && code <= 0xDBFF && in.len - i >= 4) {
            uint32_t low = ((uint32_t)in.ptr[i + 2 + hi] << 8) | in.ptr[i + 3 - hi];
            if (low >= 0xDC00 && low <= 0xDFFF) {
                code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
                i += 2;
            }
        }
        if (code >= 0xD800 && code <= 0xDFFF)
            code = 0xFFFD;
        uint8_t utf8[4];
        enum errc rc = buf_add(b, span_of(utf8, text_put_utf8(code, utf8)), err);
        if (rc != E_OK)
            return rc;
    }
    return E_OK;
}

const char *text_to_hex(struct span in, char *to)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < in.len; i++) {
        to[2 * i] = digits[in.ptr[i] >> 4];
        to[2 * i + 1] = digits[in.ptr[i] & 15];
    }
    to[2 * in.len] = '\0';
    return to;
}

/* One more than the digit's value; 0: no digit. */
static const uint8_t hex_digits[256] = {
    ['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
    ['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
    ['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
};

bool text_from_hex(struct span hex, uint8_t *to, size_t len)
{
    if (hex.len / 2 != len || hex.len % 2 != 0)
        return false;
    for (size_t i = 0; i < len; i++) {
        unsigned hi = hex_digits[hex.ptr[2 * i]];
        unsigned lo = hex_digits[hex.ptr[2 * i + 1]];
        if (hi == 0 || lo == 0)
            return false;
        to[i] = (uint8_t)((hi - 1) << 4 | (lo - 1));
    }
    return true;
}

char *text_copy(char *to, size_t room, const char *from)
{
    size_t len = strnlen(from, room - 1);
    memcpy(to, from, len);
    to[len] = '\0';
    return to;
}
