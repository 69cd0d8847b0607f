/* The table of a catalog's members, ordered for look-up by hash. */

#include "verify/catalog.h"

#include <stdlib.h>

#include "platform/base/sort.h"

static int compare_key(enum digest_alg alg_a, struct span a, enum digest_alg alg_b, struct span b)
{
    if (alg_a != alg_b)
        return alg_a < alg_b ? -1 : 1;
    return span_compare(a, b);
}

static uint64_t first_bytes(struct span hash)
{
    uint64_t first = 0;
    for (size_t i = 0; i < sizeof(first); i++)
        first = first << 8 | (i < hash.len ? hash.ptr[i] : 0);
    return first;
}

/* The hashes lie scattered over the whole catalog: most comparisons need not go there. */
static bool is_less(const struct catalog_member *a, const struct catalog_member *b)
{
    if (a->alg == b->alg && a->first != b->first)
        return a->first < b->first;
    return compare_key(a->alg, a->hash, b->alg, b->hash) < 0;
}

static bool is_less_at(void *ctx, size_t i, size_t k)
{
    const struct catalog_member *items = ctx;
    return is_less(&items[i], &items[k]);
}

static void swap_at(void *ctx, size_t i, size_t k)
{
    struct catalog_member *items = ctx, kept = items[i];
    items[i] = items[k];
    items[k] = kept;
}

void catalog_members_sort(struct catalog_members *m)
{
    for (size_t i = 0; i < m->n; i++)
        m->items[i].first = first_bytes(m->items[i].hash);
    sort_items(m->n, is_less_at, swap_at, m->items);
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
