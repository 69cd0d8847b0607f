#ifndef SUREFOOT_BASE_SORT_H
#define SUREFOOT_BASE_SORT_H

/* sort.h: sorting in n log n steps, whatever the order was. The C library's qsort may take n * n
 * steps on an order that a stranger chose. */

#include <stdbool.h>
#include <stddef.h>

/* The items are the caller's, by number: is item `i` before item `k`, and let them change places.
 */
typedef bool (*sort_less_fn)(void *ctx, size_t i, size_t k);
typedef void (*sort_swap_fn)(void *ctx, size_t i, size_t k);

/* sort_items puts the items 0..n-1 in ascending order. Of equal ones any may come first. */
void sort_items(size_t n, sort_less_fn less, sort_swap_fn swap, void *ctx);

#endif
