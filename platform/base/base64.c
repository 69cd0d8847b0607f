#include "platform/base/base64.h"

#define GROUP_CHARS 4

/* The value of one character, -1 outside the alphabet. */
static int value_of(uint8_t c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+')
        return 62;
    return c == '/' ? 63 : -1;
}

/* How many of the last group's characters are padding: 0, 1 or 2; more is found by value_of. */
static size_t n_padding(struct span text)
{
    if (text.len == 0 || text.ptr[text.len - 1] != '=')
        return 0;
    return text.ptr[text.len - 2] == '=' ? 2 : 1;
}

/* read_group joins the values of `n_chars` characters into the top of 24 bits. */
static enum errc read_group(struct span text, size_t at, size_t n_chars, uint32_t *out,
                            struct err *err)
{
    uint32_t bits = 0;
    for (size_t i = 0; i < n_chars; i++) {
        int value = value_of(text.ptr[at + i]);
        if (value < 0)
            return err_set(err, E_MALFORMED, "base64: byte 0x%02x at character %zu",
                           text.ptr[at + i], at + i);
        bits |= (uint32_t)value << (18 - 6 * i);
    }
    *out = bits;
    return E_OK;
}

enum errc base64_decode(struct span text, struct buf *out, struct err *err)
{
    if (text.len % GROUP_CHARS != 0)
        return err_set(err, E_MALFORMED, "base64: %zu characters, no multiple of 4", text.len);
    size_t padding = n_padding(text);
    size_t n_bytes = text.len / GROUP_CHARS * 3 - padding;
    uint8_t *to;
    enum errc rc = buf_reserve(out, n_bytes, &to, err);
    if (rc != E_OK)
        return rc;

    size_t done = 0;
    for (size_t at = 0; at < text.len; at += GROUP_CHARS) {
        size_t n_chars = text.len - at == GROUP_CHARS ? GROUP_CHARS - padding : GROUP_CHARS;
        uint32_t bits = 0;
        rc = read_group(text, at, n_chars, &bits, err);
        if (rc != E_OK)
            return rc;
        size_t n = n_chars - 1;
        for (size_t i = 0; i < n; i++)
            to[done + i] = (uint8_t)(bits >> (16 - 8 * i));
        done += n;
        if ((bits << (8 * n) & 0xFFFFFFU) != 0)
            return err_set(err, E_MALFORMED, "base64: the last bits are not zero");
    }
    out->len += done;
    return E_OK;
}

enum errc base64_encode(struct span bytes, struct buf *out, struct err *err)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint8_t *to;
    enum errc rc = buf_reserve(out, (bytes.len + 2) / 3 * GROUP_CHARS, &to, err);
    if (rc != E_OK)
        return rc;
    size_t done = 0;
    for (size_t at = 0; at < bytes.len; at += 3) {
        const size_t n = bytes.len - at < 3 ? bytes.len - at : 3;
        uint32_t bits = 0;
        for (size_t i = 0; i < 3; i++)
            bits = bits << 8 | (i < n ? bytes.ptr[at + i] : 0);
        for (size_t i = 0; i < GROUP_CHARS; i++)
            to[done++] = (uint8_t)(i <= n ? alphabet[bits >> (18 - 6 * i) & 0x3F] : '=');
    }
    out->len += done;
    return E_OK;
}
