#include "verify/format_msi.h"

#include <stdlib.h>

#include "platform/base/sort.h"

struct hashing {
    const struct msi_layout *layout;
    struct hasher *hasher;
};

/* --- the order of siblings */

static bool is_less(void *ctx, size_t i, size_t k)
{
    const struct cfb_entry **list = ctx;
    return span_compare(list[i]->name, list[k]->name) < 0;
}

static void swap(void *ctx, size_t i, size_t k)
{
    const struct cfb_entry **list = ctx, *kept = list[i];
    list[i] = list[k];
    list[k] = kept;
}

static bool is_left_out(const struct msi_layout *l, const struct cfb_entry *e)
{
    return e == l->signature || e == l->ex;
}

/* The children of a storage that are hashed, sorted. Caller frees *out. */
static enum errc sort_children(const struct msi_layout *l, const struct cfb_entry *storage,
                               const struct cfb_entry ***out, size_t *out_n, struct err *err)
{
    size_t n = 0;
    for (uint32_t id = storage->first_child; id != CFB_NONE; id = cfb_entry(l->cfb, id)->next)
        n++;
    const struct cfb_entry **list = calloc(n + 1, sizeof(const struct cfb_entry *));
    if (list == NULL)
        return err_nomem(err);
    n = 0;
    for (uint32_t id = storage->first_child; id != CFB_NONE; id = cfb_entry(l->cfb, id)->next)
        if (!is_left_out(l, cfb_entry(l->cfb, id)))
            list[n++] = cfb_entry(l->cfb, id);
    sort_items(n, is_less, swap, list);
    *out = list;
    *out_n = n;
    return E_OK;
}

/* --- content */

static enum errc add_run(void *ctx, struct region run, struct err *err)
{
    const struct hashing *h = ctx;
    return hasher_add_source(h->hasher, h->layout->src, run.at, run.len, err);
}

/* Recursion is bounded by CFB_DEPTH_MAX. */
static enum errc add_content(struct hashing *h, const struct cfb_entry *storage, struct err *err)
{
    const struct cfb_entry **children;
    size_t n;
    enum errc rc = sort_children(h->layout, storage, &children, &n, err);
    if (rc != E_OK)
        return rc;
    for (size_t i = 0; i < n && rc == E_OK; i++)
        rc = children[i]->type == CFB_STREAM
                 ? cfb_each_run(h->layout->cfb, children[i], add_run, h, err)
                 : add_content(h, children[i], err);
    free(children);
    return rc == E_OK ? hasher_add(h->hasher, cfb_entry_clsid(storage), err) : rc;
}

enum errc msi_hash_content(const struct msi_layout *l, uint32_t algs, struct digest_set *out,
                           struct err *err)
{
    struct hashing h = { l, NULL };
    enum errc rc = hasher_new(algs, &h.hasher, err);
    if (rc == E_OK && l->ex != NULL)
        rc = cfb_each_run(l->cfb, l->ex, add_run, &h, err);
    if (rc == E_OK)
        rc = add_content(&h, cfb_entry(l->cfb, CFB_ROOT_ID), err);
    if (rc == E_OK)
        rc = hasher_finish(h.hasher, out, err);
    hasher_free(h.hasher);
    return rc;
}

/* --- metadata */

static enum errc add_fields(struct hashing *h, const struct cfb_entry *e, struct err *err)
{
    bool is_root = e->type == CFB_ROOT;
    struct span fields[] = {
        is_root ? span_of(NULL, 0) : e->name,
        e->type == CFB_STREAM ? span_sub(e->raw, 120, 4) : cfb_entry_clsid(e),
        cfb_entry_state(e),
        is_root ? span_of(NULL, 0) : cfb_entry_times(e),
    };
    enum errc rc = E_OK;
    for (size_t i = 0; i < ARRAY_LEN(fields) && rc == E_OK; i++)
        rc = hasher_add(h->hasher, fields[i], err);
    return rc;
}

static enum errc add_metadata(struct hashing *h, const struct cfb_entry *e, struct err *err)
{
    const struct cfb_entry **children;
    size_t n;
    enum errc rc = add_fields(h, e, err);
    if (rc == E_OK && e->type == CFB_STREAM)
        return E_OK;
    if (rc == E_OK)
        rc = sort_children(h->layout, e, &children, &n, err);
    if (rc != E_OK)
        return rc;
    for (size_t i = 0; i < n && rc == E_OK; i++)
        rc = add_metadata(h, children[i], err);
    free(children);
    return rc;
}

enum errc msi_hash_metadata(const struct msi_layout *l, enum digest_alg alg, struct digest *out,
                            struct err *err)
{
    struct hashing h = { l, NULL };
    struct digest_set set;
    enum errc rc = hasher_new(DIGEST_BIT(alg), &h.hasher, err);
    if (rc == E_OK)
        rc = add_metadata(&h, cfb_entry(l->cfb, CFB_ROOT_ID), err);
    if (rc == E_OK)
        rc = hasher_finish(h.hasher, &set, err);
    hasher_free(h.hasher);
    if (rc == E_OK)
        *out = set.of[alg];
    return rc;
}
