#include "platform/base/span.h"

#include <string.h>

struct span span_text(const char *text)
{
    return span_of(text, strlen(text));
}

struct span span_sub(struct span s, size_t at, size_t len)
{
    if (at >= s.len)
        return span_of(NULL, 0);
    if (len > s.len - at)
        len = s.len - at;
    return span_of(s.ptr + at, len);
}

bool span_equal(struct span a, struct span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

bool span_equal_text(struct span a, const char *text)
{
    return span_equal(a, span_text(text));
}

bool span_starts_with(struct span s, struct span start)
{
    return s.len >= start.len && span_equal(span_sub(s, 0, start.len), start);
}

bool span_is_filled(struct span s, uint8_t value)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] != value)
            return false;
    return true;
}

int span_compare(struct span a, struct span b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int order = n == 0 ? 0 : memcmp(a.ptr, b.ptr, n);
    if (order != 0)
        return order;
    return a.len < b.len ? -1 : a.len > b.len;
}
