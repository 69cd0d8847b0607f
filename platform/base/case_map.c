#include "platform/base/case_map.h"

uint32_t case_map(const struct case_range *ranges, size_t n, uint32_t code)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (ranges[middle].last < code)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == n || code < ranges[low].first || (code - ranges[low].first) % ranges[low].step != 0)
        return code;
    return (uint32_t)((int32_t)code + ranges[low].add);
}
