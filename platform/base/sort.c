#include "platform/base/sort.h"

/* A heap sort: item i is not before 2i + 1 and 2i + 2. */
struct heap {
    sort_less_fn less;
    sort_swap_fn swap;
    void *ctx;
};

/* sift_down restores the heap [0, n) whose only flaw may be at `top`. */
static void sift_down(const struct heap *h, size_t top, size_t n)
{
    for (size_t child = 2 * top + 1; child < n; child = 2 * top + 1) {
        if (child + 1 < n && h->less(h->ctx, child, child + 1))
            child++;
        if (!h->less(h->ctx, top, child))
            return;
        h->swap(h->ctx, top, child);
        top = child;
    }
}

void sort_items(size_t n, sort_less_fn less, sort_swap_fn swap, void *ctx)
{
    struct heap h = { less, swap, ctx };
    for (size_t i = n / 2; i-- > 0;)
        sift_down(&h, i, n);
    while (n > 1) {
        swap(ctx, 0, --n);
        sift_down(&h, 0, n);
    }
}
