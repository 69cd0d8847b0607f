#ifndef SUREFOOT_BASE_SPAN_H
#define SUREFOOT_BASE_SPAN_H

/* span.h: borrowed bytes, passed by value. A span never owns; it is valid as long as what it points
 * into. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct span {
    const uint8_t *ptr;
    size_t len;
};

/* region: a range of a file or of any other thing with offsets. */
struct region {
    uint64_t at, len;
};

static inline struct span span_of(const void *ptr, size_t len)
{
    return (struct span){ .ptr = ptr, .len = len };
}

/* span_text is the bytes of a C string, without its NUL. */
struct span span_text(const char *text);

/* span_sub is the part at `at`, cut where `s` ends: an empty span if `at` is past the end. */
struct span span_sub(struct span s, size_t at, size_t len);

bool span_equal(struct span a, struct span b);
bool span_equal_text(struct span a, const char *text);
bool span_starts_with(struct span s, struct span start);

/* span_is_filled is true if every byte is `value` (also for no bytes at all). */
bool span_is_filled(struct span s, uint8_t value);

/* span_compare orders as memcmp does, the shorter first where one is the other's start. */
int span_compare(struct span a, struct span b);

#endif
