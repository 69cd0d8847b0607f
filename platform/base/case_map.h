#ifndef SUREFOOT_BASE_CASE_MAP_H
#define SUREFOOT_BASE_CASE_MAP_H

/* case_map.h: letters' case by a table of ranges, as Unicode's conversions are: to upper, to lower
 * or folded is the table's matter. */

#include <stddef.h>
#include <stdint.h>

struct case_range {
    uint32_t first, last;
    uint8_t step; /* every one, or every other one */
    int32_t add;  /* to what it becomes */
};

/* case_map gives what a code becomes by ranges that are sorted and do not overlap; one in none of
 * them stays. */
uint32_t case_map(const struct case_range *ranges, size_t n, uint32_t code);

#endif
