/* What lasts, and what the power takes. */

#include <stdlib.h>
#include <string.h>

#include "platform/mock/mock_private.h"

/* --- changes of names become stable */

static bool touches(const struct disk_change *change, const struct disk_node *folder)
{
    for (size_t i = 0; i < change->n; i++)
        if (change->set[i].folder == folder)
            return true;
    return false;
}

static bool share_a_name(const struct disk *d, const struct disk_change *a,
                         const struct disk_change *b)
{
    for (size_t i = 0; i < a->n; i++)
        for (size_t k = 0; k < b->n; k++)
            if (a->set[i].folder == b->set[k].folder &&
                disk_compare(d, a->set[i].name, b->set[k].name) == 0)
                return true;
    return false;
}

/* Those that came before and touch the same names first. */
static void make_stable(struct disk *d, size_t at)
{
    struct disk_change *change = &d->pending[at];
    if (change->is_stable)
        return;
    for (size_t i = 0; i < at; i++)
        if (!d->pending[i].is_stable && share_a_name(d, &d->pending[i], change))
            make_stable(d, i);
    for (size_t i = 0; i < change->n; i++)
        disk_names_set(d, &change->set[i].folder->stable_names, change->set[i].name,
                       change->set[i].node);
    change->is_stable = true;
}

static void drop_stable(struct disk *d)
{
    size_t n = 0;
    for (size_t i = 0; i < d->n_pending; i++) {
        if (!d->pending[i].is_stable) {
            d->pending[n++] = d->pending[i];
            continue;
        }
        for (size_t k = 0; k < d->pending[i].n; k++)
            free(d->pending[i].set[k].name);
    }
    d->n_pending = n;
}

static void copy_bytes(struct buf *to, struct span bytes)
{
    buf_clear(to);
    if (buf_add(to, bytes, NULL) != E_OK)
        abort();
}

static void make_node_stable(struct disk_node *node)
{
    if (node->is_dirty && node->kind == FS_FILE)
        copy_bytes(&node->stable_bytes, buf_span(&node->bytes));
    node->stable_meta = node->meta;
    node->is_dirty = false;
}

/* --- flushing */

enum errc disk_flush(struct disk *d, struct disk_node *node, const char *path, struct err *err)
{
    bool is_ignored = false;
    enum errc rc = fault_ask(d->plan, FAULT_FLUSH, "flush", path, &is_ignored, err);
    if (rc == E_OK && !is_ignored)
        make_node_stable(node);
    return rc;
}

enum errc disk_flush_names(struct disk *d, struct disk_node *folder, const char *path,
                           struct err *err)
{
    bool is_ignored = false;
    enum errc rc = fault_ask(d->plan, FAULT_FLUSH, "flush_names", path, &is_ignored, err);
    if (rc != E_OK || is_ignored)
        return rc;
    for (size_t i = 0; i < d->n_pending; i++)
        if (touches(&d->pending[i], folder))
            make_stable(d, i);
    drop_stable(d);
    make_node_stable(folder);
    return E_OK;
}

static void make_tree_stable(struct disk *d, struct disk_node *node)
{
    for (size_t i = 0; i < d->n_pending; i++)
        if (touches(&d->pending[i], node))
            make_stable(d, i);
    make_node_stable(node);
    for (size_t i = 0; i < node->names.n; i++)
        make_tree_stable(d, node->names.items[i].node);
}

enum errc disk_flush_tree(struct disk *d, struct disk_node *folder, const char *path,
                          struct err *err)
{
    bool is_ignored = false;
    enum errc rc = fault_ask(d->plan, FAULT_FLUSH, "flush_tree", path, &is_ignored, err);
    if (rc != E_OK || is_ignored)
        return rc;
    make_tree_stable(d, folder);
    drop_stable(d);
    return E_OK;
}

/* --- the power goes */

size_t disk_n_pending(const struct disk *d, size_t *out_n_dirty)
{
    *out_n_dirty = 0;
    for (const struct disk_node *node = d->nodes; node != NULL; node = node->next)
        *out_n_dirty += node->is_dirty;
    return d->n_pending;
}

/* SplitMix64, a sequence that is the same for a seed on every machine. */
static uint64_t next_random(uint64_t *seed)
{
    uint64_t z = *seed += 0x9e3779b97f4a7c15U;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9U;
    z = (z ^ z >> 27) * 0x94d049bb133111ebU;
    return z ^ z >> 31;
}

static bool is_kept(const struct disk_loss *loss, size_t i, uint64_t *seed)
{
    switch (loss->how) {
    case LOSS_NONE: return true;
    case LOSS_ALL: return false;
    case LOSS_FIRST: return i < loss->n;
    case LOSS_BUT_ONE: return i != loss->n;
    case LOSS_RANDOM: break;
    }
    /* Some crashes keep much, some little. */
    return next_random(seed) % 8 < 1 + loss->n % 7;
}

/* A change hangs on earlier ones of its names: where one of those is lost, it is too. */
static bool hangs_on_lost(const struct disk *d, const bool *kept, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (!kept[i] && share_a_name(d, &d->pending[i], &d->pending[at]))
            return true;
    return false;
}

static void lose_names(struct disk *d, const struct disk_loss *loss, uint64_t *seed)
{
    bool *kept = mock_calloc(d->n_pending + 1, sizeof(*kept));
    for (size_t i = 0; i < d->n_pending; i++)
        kept[i] = is_kept(loss, i, seed) && !hangs_on_lost(d, kept, i);
    for (size_t i = 0; i < d->n_pending; i++)
        if (kept[i])
            make_stable(d, i);
    free(kept);
    for (size_t i = 0; i < d->n_pending; i++)
        d->pending[i].is_stable = true;
    drop_stable(d);
}

/* Half of what was added, and of the new size with zeros: what file systems leave of a write that
 * was under way. */
static void tear(struct disk_node *file, bool has_zeros)
{
    const size_t before = file->stable_bytes.len, after = file->bytes.len;
    if (after <= before)
        return;
    const size_t half = before + (after - before) / 2;
    copy_bytes(&file->stable_bytes, span_of(file->bytes.ptr, has_zeros ? after : half));
    if (has_zeros)
        memset(file->stable_bytes.ptr + before, 0, after - before);
}

static void lose_contents(struct disk_node *node, const struct disk_loss *loss, uint64_t *seed)
{
    if (!node->is_dirty)
        return;
    if (loss->how == LOSS_NONE || loss->how == LOSS_BUT_ONE) {
        make_node_stable(node);
    } else if (loss->how == LOSS_RANDOM) {
        const uint64_t choice = next_random(seed) % 4;
        if (choice == 0)
            make_node_stable(node);
        else if (choice < 3)
            tear(node, choice == 1);
    }
}

static void copy_names(struct disk *d, struct disk_names *to, const struct disk_names *from)
{
    disk_names_fini(to);
    for (size_t i = 0; i < from->n; i++)
        disk_names_set(d, to, from->items[i].text, from->items[i].node);
}

void disk_crash(struct disk *d, const struct disk_loss *loss)
{
    uint64_t seed = loss->n;
    lose_names(d, loss, &seed);
    for (struct disk_node *node = d->nodes; node != NULL; node = node->next) {
        lose_contents(node, loss, &seed);
        if (node->kind == FS_FILE)
            copy_bytes(&node->bytes, buf_span(&node->stable_bytes));
        copy_names(d, &node->names, &node->stable_names);
        node->meta = node->stable_meta;
        node->is_dirty = node->is_locked = false;
        node->n_readers = node->n_writers = 0;
    }
}
