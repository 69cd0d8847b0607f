#include "platform/source.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "platform/base/num.h"

enum errc source_read_at(struct source *src, uint64_t at, void *to, size_t len, struct err *err)
{
    if (len == 0)
        return E_OK;
    if (at > src->size || len > src->size - at)
        return err_set(err, E_TRUNCATED, "%zu bytes wanted at %" PRIu64 ", the end is at %" PRIu64,
                       len, at, src->size);
    return src->ops->read_at(src, at, to, len, err);
}

void source_close(struct source *src)
{
    if (src != NULL)
        src->ops->close(src);
}

enum errc source_each(struct source *src, uint64_t at, uint64_t len, uint8_t *scratch,
                      source_piece_fn fn, void *ctx, struct err *err)
{
    while (len > 0) {
        size_t n = (size_t)num_min(len, SOURCE_PIECE);
        enum errc rc = source_read_at(src, at, scratch, n, err);
        if (rc == E_OK)
            rc = fn(ctx, span_of(scratch, n), err);
        if (rc != E_OK)
            return rc;
        at += n;
        len -= n;
    }
    return E_OK;
}

struct memory_source {
    struct source base;
    struct span bytes;
};

static enum errc memory_read_at(struct source *src, uint64_t at, void *to, size_t len,
                                struct err *err)
{
    const struct memory_source *memory = (const struct memory_source *)src;
    UNUSED(err);
    memcpy(to, memory->bytes.ptr + at, len);
    return E_OK;
}

static void memory_close(struct source *src)
{
    free(src);
}

enum errc source_memory_new(struct span bytes, struct source **out_src, struct err *err)
{
    static const struct source_ops ops = { memory_read_at, memory_close };
    struct memory_source *memory = malloc(sizeof(*memory));
    if (memory == NULL)
        return err_nomem(err);
    *memory = (struct memory_source){ .base = { .ops = &ops, .size = bytes.len }, .bytes = bytes };
    *out_src = &memory->base;
    return E_OK;
}

/* A piece of the list: where it begins in the list's own numbering, and what it is of the inner
 * source. */
struct piece {
    uint64_t begins_at;
    struct region of_inner;
};

struct regions_source {
    struct source base;
    struct source *inner;
    size_t n_pieces;
    struct piece pieces[];
};

static size_t find_piece(const struct regions_source *list, uint64_t at)
{
    size_t low = 0, high = list->n_pieces;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (list->pieces[middle].begins_at <= at)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static enum errc regions_read_at(struct source *src, uint64_t at, void *to, size_t len,
                                 struct err *err)
{
    struct regions_source *list = (struct regions_source *)src;
    uint8_t *fill = to;
    for (size_t i = find_piece(list, at); len > 0 && i < list->n_pieces; i++) {
        const struct piece *piece = &list->pieces[i];
        uint64_t skip = at - piece->begins_at;
        size_t n = (size_t)num_min(len, piece->of_inner.len - skip);
        enum errc rc = source_read_at(list->inner, piece->of_inner.at + skip, fill, n, err);
        if (rc != E_OK)
            return rc;
        fill += n;
        at += n;
        len -= n;
    }
    return len == 0 ? E_OK : err_set(err, E_INTERNAL, "a list of regions ends before its size");
}

enum errc source_regions_new(struct source *inner, const struct region *regions, size_t n_regions,
                             struct source **out_src, struct err *err)
{
    static const struct source_ops ops = { regions_read_at, memory_close };
    if (n_regions > (SIZE_MAX - sizeof(struct regions_source)) / sizeof(struct piece))
        return err_set(err, E_LIMIT, "%zu regions in a list", n_regions);
    struct regions_source *list = malloc(sizeof(*list) + n_regions * sizeof(struct piece));
    if (list == NULL)
        return err_nomem(err);
    *list = (struct regions_source){ .base = { .ops = &ops }, .inner = inner };
    for (size_t i = 0; i < n_regions; i++) {
        struct region r = regions[i];
        if (r.at > inner->size || r.len > inner->size - r.at) {
            free(list);
            return err_set(err, E_TRUNCATED,
                           "region %zu lies outside: %" PRIu64 " bytes at %" PRIu64, i, r.len,
                           r.at);
        }
        if (r.len == 0)
            continue;
        list->pieces[list->n_pieces++] = (struct piece){ list->base.size, r };
        if (!num_add(list->base.size, r.len, &list->base.size)) {
            free(list);
            return err_set(err, E_LIMIT, "a list of regions longer than any file");
        }
    }
    *out_src = &list->base;
    return E_OK;
}
