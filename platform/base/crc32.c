#include "platform/base/crc32.h"

#include "platform/base/reader.h"

#define POLYNOMIAL 0xEDB88320U

void crc32_init(struct crc32 *c)
{
    c->value = 0;
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t v = i;
        for (int k = 0; k < 8; k++)
            v = (v & 1) != 0 ? POLYNOMIAL ^ (v >> 1) : v >> 1;
        c->table[0][i] = v;
    }
    for (uint32_t i = 0; i < 256; i++)
        for (int k = 1; k < 4; k++)
            c->table[k][i] = (c->table[k - 1][i] >> 8) ^ c->table[0][c->table[k - 1][i] & 0xFF];
}

/* Four bytes a step. */
void crc32_add(struct crc32 *c, struct span bytes)
{
    const uint32_t(*table)[256] = (const uint32_t(*)[256])c->table;
    const uint8_t *p = bytes.ptr;
    size_t n = bytes.len;
    uint32_t v = ~c->value;
    for (; n >= 4; n -= 4, p += 4) {
        v ^= get_u32le(p);
        v = table[3][v & 0xFF] ^ table[2][v >> 8 & 0xFF] ^ table[1][v >> 16 & 0xFF] ^
            table[0][v >> 24];
    }
    for (; n > 0; n--, p++)
        v = table[0][(v ^ *p) & 0xFF] ^ (v >> 8);
    c->value = ~v;
}

uint32_t crc32_of(struct span bytes)
{
    struct crc32 c;
    crc32_init(&c);
    crc32_add(&c, bytes);
    return c.value;
}
