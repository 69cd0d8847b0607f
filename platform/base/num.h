#ifndef SUREFOOT_BASE_NUM_H
#define SUREFOOT_BASE_NUM_H

/* num.h: arithmetic on numbers from strangers. Each returns false, and leaves *out alone, where the
 * result does not fit. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "platform/base/cc.h"

MUST_USE static inline bool num_add(uint64_t a, uint64_t b, uint64_t *out)
{
    if (b > UINT64_MAX - a)
        return false;
    *out = a + b;
    return true;
}

MUST_USE static inline bool num_mul(uint64_t a, uint64_t b, uint64_t *out)
{
    if (a != 0 && b > UINT64_MAX / a)
        return false;
    *out = a * b;
    return true;
}

/* num_align rounds up to a multiple of `to`, a power of two. */
MUST_USE static inline bool num_align(uint64_t a, uint64_t to, uint64_t *out)
{
    uint64_t sum;
    if (!num_add(a, to - 1, &sum))
        return false;
    *out = sum & ~(to - 1);
    return true;
}

static inline uint64_t num_min(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

#endif
