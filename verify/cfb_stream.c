/* Following a stream. No step trusts the table: each sector is checked where it is used, and a walk
 * takes no more steps than the stream has units, so a circle ends too. */

#include <inttypes.h>
#include <stdlib.h>

#include "platform/base/num.h"
#include "verify/cfb_private.h"

uint64_t cfb_mini_at(const struct cfb *cfb, uint32_t mini)
{
    uint64_t at = (uint64_t)mini * MINI_LEN;
    return cfb_sector_at(cfb, cfb->mini_chain.at[at >> cfb->shift]) + (at & (cfb->sector_len - 1));
}

struct cfb_walk cfb_walk_of(const struct cfb *cfb, const struct cfb_entry *stream)
{
    bool is_mini = stream->size < MINI_CUTOFF;
    return (struct cfb_walk){ .cfb = cfb,
                              .is_mini = is_mini,
                              .unit_len = is_mini ? MINI_LEN : cfb->sector_len,
                              .at = stream->start,
                              .left = stream->type == CFB_STREAM ? stream->size : 0 };
}

/* What the table says of a unit: where it lies, and which one is next. */
static bool look_up(const struct cfb_walk *w, uint64_t *out_at, uint32_t *out_next)
{
    const struct cfb *cfb = w->cfb;
    const struct sectors *table = w->is_mini ? &cfb->minifat : &cfb->fat;
    uint32_t n_units = w->is_mini ? cfb->n_minis : cfb->n_sectors;
    if (w->at >= n_units || w->at >= table->n)
        return false;
    *out_at = w->is_mini ? cfb_mini_at(cfb, w->at) : cfb_sector_at(cfb, w->at);
    *out_next = table->at[w->at];
    return true;
}

enum errc cfb_walk_step(struct cfb_walk *w, uint32_t *out_unit, struct region *out, struct err *err)
{
    const char *what = w->is_mini ? "mini sector" : "sector";
    uint64_t at;
    uint32_t next;
    if (!look_up(w, &at, &next))
        return err_set(err, E_MALFORMED,
                       "compound file: a stream leads to %s 0x%" PRIX32 " with %" PRIu64
                       " bytes to go",
                       what, w->at, w->left);
    uint64_t n = num_min(w->left, w->unit_len);
    uint64_t size = w->cfb->src->size;
    if (at > size || n > size - at)
        return err_set(err, E_TRUNCATED,
                       "compound file: a stream leaves the file, which ends at %" PRIu64, size);
    if (n == w->left && next != ENDOFCHAIN)
        return err_set(err, E_MALFORMED,
                       "compound file: a stream's chain goes on after %s 0x%" PRIX32, what, w->at);
    *out_unit = w->at;
    *out = (struct region){ at, n };
    w->at = next;
    w->left -= n;
    return E_OK;
}

enum errc cfb_each_run(const struct cfb *cfb, const struct cfb_entry *stream, cfb_run_fn fn,
                       void *ctx, struct err *err)
{
    struct cfb_walk w = cfb_walk_of(cfb, stream);
    struct region run = { 0, 0 };
    while (w.left > 0) {
        uint32_t unit;
        struct region next;
        enum errc rc = cfb_walk_step(&w, &unit, &next, err);
        if (rc != E_OK)
            return rc;
        if (run.len != 0 && run.at + run.len == next.at) {
            run.len += next.len;
            continue;
        }
        if (run.len != 0)
            rc = fn(ctx, run, err);
        if (rc != E_OK)
            return rc;
        run = next;
    }
    return run.len == 0 ? E_OK : fn(ctx, run, err);
}

/* --- reading */

struct reading {
    struct source *src;
    struct buf *to;
};

static enum errc read_run(void *ctx, struct region run, struct err *err)
{
    const struct reading *reading = ctx;
    uint8_t *to;
    enum errc rc = buf_reserve(reading->to, (size_t)run.len, &to, err);
    if (rc == E_OK)
        rc = source_read_at(reading->src, run.at, to, (size_t)run.len, err);
    if (rc == E_OK)
        reading->to->len += (size_t)run.len;
    return rc;
}

enum errc cfb_read(const struct cfb *cfb, const struct cfb_entry *stream, struct buf *b,
                   struct err *err)
{
    if (stream->size > b->cap - b->len)
        return err_set(err, E_LIMIT, "compound file: a stream of %" PRIu64 " bytes, limit %zu",
                       stream->size, b->cap - b->len);
    struct reading reading = { cfb->src, b };
    return cfb_each_run(cfb, stream, read_run, &reading, err);
}

/* --- a stream as a source */

struct region_list {
    struct region *items;
    size_t n, room;
};

static enum errc add_region(void *ctx, struct region run, struct err *err)
{
    struct region_list *list = ctx;
    if (list->n == CFB_REGIONS_MAX)
        return err_set(err, E_LIMIT, "compound file: a stream in more than %u pieces",
                       CFB_REGIONS_MAX);
    if (list->n == list->room) {
        size_t room = list->room == 0 ? 16 : list->room * 2;
        struct region *grown = realloc(list->items, room * sizeof(*grown));
        if (grown == NULL)
            return err_nomem(err);
        list->items = grown;
        list->room = room;
    }
    list->items[list->n++] = run;
    return E_OK;
}

enum errc cfb_stream_open(const struct cfb *cfb, const struct cfb_entry *stream,
                          struct source **out, struct err *err)
{
    struct region_list list = { NULL, 0, 0 };
    enum errc rc = cfb_each_run(cfb, stream, add_region, &list, err);
    if (rc == E_OK)
        rc = source_regions_new(cfb->src, list.items, list.n, out, err);
    free(list.items);
    return rc;
}
