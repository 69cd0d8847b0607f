#ifndef SUREFOOT_TESTS_DER_BUILD_H
#define SUREFOOT_TESTS_DER_BUILD_H

/* der_build.h: DER made by value, for tests: TLV(DER_SEQUENCE, a, b) is a SEQUENCE of a and b. */

#include <assert.h>
#include <string.h>

#include "platform/base/span.h"
#include "verify/der.h"
#include "verify/oid.h"

#define BITS_ROOM 2048

struct bits {
    size_t len;
    uint8_t bytes[BITS_ROOM];
};

static inline struct span bits_span(const struct bits *b)
{
    return span_of(b->bytes, b->len);
}

static inline struct bits bits_of(const void *bytes, size_t len)
{
    struct bits b = { .len = len };
    assert(len <= BITS_ROOM);
    if (len > 0)
        memcpy(b.bytes, bytes, len);
    return b;
}

static inline struct bits bits_join(const struct bits *parts, size_t n)
{
    struct bits b = { .len = 0 };
    for (size_t i = 0; i < n; i++) {
        assert(parts[i].len <= BITS_ROOM - b.len);
        memcpy(b.bytes + b.len, parts[i].bytes, parts[i].len);
        b.len += parts[i].len;
    }
    return b;
}

static inline struct bits bits_tlv(uint8_t tag, const struct bits *parts, size_t n)
{
    struct bits content = bits_join(parts, n);
    uint8_t head[4] = { tag, (uint8_t)content.len };
    size_t head_len = 2;
    if (content.len >= 0x100) {
        head[1] = 0x82;
        head[2] = (uint8_t)(content.len >> 8);
        head[3] = (uint8_t)content.len;
        head_len = 4;
    } else if (content.len >= 0x80) {
        head[1] = 0x81;
        head[2] = (uint8_t)content.len;
        head_len = 3;
    }
    struct bits both[2] = { bits_of(head, head_len), content };
    return bits_join(both, 2);
}

#define TLV(tag, ...)                                                                              \
    bits_tlv((tag), (const struct bits[]){ __VA_ARGS__ },                                          \
             sizeof((const struct bits[]){ __VA_ARGS__ }) / sizeof(struct bits))
#define JOIN(...)                                                                                  \
    bits_join((const struct bits[]){ __VA_ARGS__ },                                                \
              sizeof((const struct bits[]){ __VA_ARGS__ }) / sizeof(struct bits))
#define EMPTY(tag) bits_tlv((tag), NULL, 0)
#define NOTHING bits_of(NULL, 0)

static inline struct bits der_oid(const char *dotted)
{
    uint8_t content[64];
    size_t len = 0;
    enum errc e = oid_from_text(dotted, content, sizeof(content), &len, NULL);
    assert(e == E_OK);
    UNUSED(e);
    return TLV(DER_OID, bits_of(content, len));
}

static inline struct bits der_number(uint8_t n)
{
    return TLV(DER_INTEGER, bits_of(&n, 1));
}

static inline struct bits der_octets(const void *bytes, size_t len)
{
    return TLV(DER_OCTET_STRING, bits_of(bytes, len));
}

static inline struct bits der_text(uint8_t tag, const char *text)
{
    return TLV(tag, bits_of(text, strlen(text)));
}

static inline struct bits der_alg(const char *dotted)
{
    return TLV(DER_SEQUENCE, der_oid(dotted), EMPTY(DER_NULL));
}

static inline struct bits der_attr(const char *dotted, struct bits value)
{
    return TLV(DER_SEQUENCE, der_oid(dotted), TLV(DER_SET, value));
}

#endif
