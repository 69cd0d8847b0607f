#ifndef SUREFOOT_CORE_FETCH_URL_PRIVATE_H
#define SUREFOOT_CORE_FETCH_URL_PRIVATE_H

/* fetch_url_private.h: what fetch_url.c (taking apart, judging) and fetch_url_make.c (making one
 * from another) share. ASCII alone, whatever the locale is. */

#include <stdbool.h>
#include <string.h>

#include "installer/core/fetch_url.h"

extern const char *const fetch_url_starts[]; /* by enum fetch_scheme */

/* fetch_url_check_bytes: short enough, and of no other bytes than a URL may have. */
MUST_USE enum errc fetch_url_check_bytes(struct span text, struct err *err);

static inline bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}
static inline bool is_letter(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* find_any: where the first of these characters is; the length where there is none. */
static inline size_t find_any(struct span text, const char *set)
{
    size_t i = 0, n = strlen(set);
    while (i < text.len && memchr(set, text.ptr[i], n) == NULL)
        i++;
    return i;
}

#endif
