/* The table of a catalog's members, ordered for look-up by hash. */

#include "verify/catalog.h"

#include <stdlib.h>

static int compare_key(enum digest_alg alg_a, struct span a, enum digest_alg alg_b, struct span b)
{
    if (alg_a != alg_b)
        return alg_a < alg_b ? -1 : 1;
    return span_compare(a, b);
}

static bool is_less(const struct catalog_member *a, const struct catalog_member *b)
{
    return compare_key(a->alg, a->hash, b->alg, b->hash) < 0;
}

static void swap(struct catalog_member *a, struct catalog_member *b)
{
    struct catalog_member kept = *a;
    *a = *b;
    *b = kept;
}

/* sift_down restores the heap [0, n) whose only flaw may be at its entry `top`. */
static void sift_down(struct catalog_member *items, size_t top, size_t n)
{
    for (size_t child = 2 * top + 1; child < n; child = 2 * top + 1) {
        if (child + 1 < n && is_less(&items[child], &items[child + 1]))
            child++;
        if (!is_less(&items[top], &items[child]))
            return;
        swap(&items[top], &items[child]);
        top = child;
    }
}

/* A heap sort, because the C library's qsort may be quadratic on an order that a stranger chose. */
void catalog_members_sort(struct catalog_members *m)
{
    for (size_t i = m->n / 2; i-- > 0;)
        sift_down(m->items, i, m->n);
    for (size_t n = m->n; n-- > 1;) {
        swap(&m->items[0], &m->items[n]);
        sift_down(m->items, 0, n);
    }
}

size_t catalog_members_find(const struct catalog_members *m, const struct digest *digest)
{
    size_t low = 0, high = m->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct catalog_member *item = &m->items[middle];
        if (compare_key(item->alg, item->hash, digest->alg, digest_span(digest)) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < m->n && m->items[low].alg == digest->alg &&
        span_equal(m->items[low].hash, digest_span(digest)))
        return low;
    return m->n;
}

void catalog_members_fini(struct catalog_members *m)
{
    free(m->items);
    *m = (struct catalog_members){ 0 };
}
