#include "keys/publish/blake2b.h"

#include <stdbool.h>
#include <string.h>

#include "keys/publish/passphrase.h"
#include "platform/base/reader.h"

#define BLOCK 128
#define N_ROUNDS 12

/* RFC 7693 2.6 and 2.7. */
static const uint64_t start_values[8] = {
    0x6A09E667F3BCC908, 0xBB67AE8584CAA73B, 0x3C6EF372FE94F82B, 0xA54FF53A5F1D36F1,
    0x510E527FADE682D1, 0x9B05688C2B3E6C1F, 0x1F83D9ABFB41BD6B, 0x5BE0CD19137E2179,
};

static const uint8_t orders[10][16] = {
    { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 },
    { 14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3 },
    { 11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4 },
    { 7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8 },
    { 9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13 },
    { 2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9 },
    { 12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11 },
    { 13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10 },
    { 6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5 },
    { 10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0 },
};

static uint64_t turn_right(uint64_t x, unsigned n)
{
    return (x >> n) | (x << (64 - n));
}

/* RFC 7693 3.1, the mixing function G. */
static void mix(uint64_t v[16], size_t a, size_t b, size_t c, size_t d, uint64_t x, uint64_t y)
{
    v[a] += v[b] + x;
    v[d] = turn_right(v[d] ^ v[a], 32);
    v[c] += v[d];
    v[b] = turn_right(v[b] ^ v[c], 24);
    v[a] += v[b] + y;
    v[d] = turn_right(v[d] ^ v[a], 16);
    v[c] += v[d];
    v[b] = turn_right(v[b] ^ v[c], 63);
}

/* RFC 7693 3.2, the compression function F; `n_before` counts the bytes up to this block's end. */
static void compress(uint64_t h[8], const uint8_t block[BLOCK], uint64_t n_before, bool is_last)
{
    uint64_t v[16], m[16];
    for (size_t i = 0; i < 8; i++) {
        v[i] = h[i];
        v[i + 8] = start_values[i];
    }
    for (size_t i = 0; i < 16; i++)
        m[i] = get_u64le(block + 8 * i);
    v[12] ^= n_before;
    if (is_last)
        v[14] = ~v[14];
    for (size_t round = 0; round < N_ROUNDS; round++) {
        const uint8_t *s = orders[round % 10];
        mix(v, 0, 4, 8, 12, m[s[0]], m[s[1]]);
        mix(v, 1, 5, 9, 13, m[s[2]], m[s[3]]);
        mix(v, 2, 6, 10, 14, m[s[4]], m[s[5]]);
        mix(v, 3, 7, 11, 15, m[s[6]], m[s[7]]);
        mix(v, 0, 5, 10, 15, m[s[8]], m[s[9]]);
        mix(v, 1, 6, 11, 12, m[s[10]], m[s[11]]);
        mix(v, 2, 7, 8, 13, m[s[12]], m[s[13]]);
        mix(v, 3, 4, 9, 14, m[s[14]], m[s[15]]);
    }
    for (size_t i = 0; i < 8; i++)
        h[i] ^= v[i] ^ v[i + 8];
    secret_wipe(v, sizeof(v));
    secret_wipe(m, sizeof(m));
}

void blake2b(struct span bytes, uint8_t *to, size_t len)
{
    uint64_t h[8], n_done = 0;
    uint8_t last[BLOCK] = { 0 };
    memcpy(h, start_values, sizeof(h));
    h[0] ^= 0x01010000U ^ (uint64_t)len;
    while (bytes.len - n_done > BLOCK) {
        compress(h, bytes.ptr + n_done, n_done + BLOCK, false);
        n_done += BLOCK;
    }
    if (bytes.len > n_done)
        memcpy(last, bytes.ptr + n_done, (size_t)(bytes.len - n_done));
    compress(h, last, bytes.len, true);
    for (size_t i = 0; i < len; i++)
        to[i] = (uint8_t)(h[i / 8] >> (8 * (i % 8)));
    secret_wipe(last, sizeof(last));
    secret_wipe(h, sizeof(h));
}
