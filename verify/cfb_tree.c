/* The trees: the children of each storage hang in a binary tree, sorted by name, whose top the
 * storage's `child` names. Each is walked once, in order, without recursion (a tree may be one long
 * line), and becomes the list first_child, next.
 *
 * Colours: a red-black tree has a black top, no red node under a red one, and the same number of
 * black nodes on every way from the top to where nothing hangs. A tree all black is fine as well,
 * whatever its shape: many writers make only such. In both, the other colour in any one node is
 * found out, but for a red-black tree with a single red node, which is all black without it. */

#include <inttypes.h>
#include <stdlib.h>

#include "platform/base/reader.h"
#include "verify/cfb_private.h"

/* A node on the way down. */
struct step {
    uint32_t id;
    uint32_t n_black; /* black nodes down to it, itself counted */
    bool is_red;
};

struct tree {
    struct cfb *cfb;
    uint32_t storage;
    struct step *way; /* room for every entry */
    uint32_t n_way;
    uint32_t last;     /* the node before, in order */
    uint32_t n_leaves; /* places where nothing hangs */
    uint32_t n_black;  /* black nodes down to the first of them */
    uint32_t n_red;
    bool unbalanced, red_red;
};

static uint32_t link_at(const struct cfb_entry *e, size_t at)
{
    return get_u32le(e->raw.ptr + at);
}

static enum errc enter(struct tree *t, uint32_t id, const struct step *above, struct err *err)
{
    struct cfb *cfb = t->cfb;
    if (id >= cfb->n_entries)
        return err_set(err, E_MALFORMED,
                       "directory: a link to entry %" PRIu32 ", there are %" PRIu32, id,
                       cfb->n_entries);
    struct cfb_entry *e = &cfb->entries[id];
    if (e->type == CFB_EMPTY)
        return err_set(err, E_MALFORMED, "directory: a link to the unused entry %" PRIu32, id);
    if (e->type == CFB_ROOT || e->parent != CFB_NONE)
        return err_set(err, E_MALFORMED, "directory: two links to entry %" PRIu32, id);
    e->parent = t->storage;
    e->depth = cfb->entries[t->storage].depth + 1;

    bool is_red = e->raw.ptr[67] == 0;
    bool above_red = above == NULL || above->is_red;
    uint32_t n_black = above == NULL ? 0 : above->n_black;
    t->n_red += is_red ? 1 : 0;
    t->red_red = t->red_red || (is_red && above_red);
    t->way[t->n_way++] = (struct step){ id, n_black + (is_red ? 0 : 1), is_red };
    return E_OK;
}

/* Goes from `id` down to the left until nothing hangs there. */
static enum errc go_left(struct tree *t, uint32_t id, const struct step *above, struct err *err)
{
    struct step from = above == NULL ? (struct step){ 0 } : *above;
    bool at_top = above == NULL;
    while (id != CFB_NONE) {
        enum errc rc = enter(t, id, at_top ? NULL : &from, err);
        if (rc != E_OK)
            return rc;
        from = t->way[t->n_way - 1];
        at_top = false;
        id = link_at(&t->cfb->entries[id], 68);
    }
    if (t->n_leaves++ == 0)
        t->n_black = from.n_black;
    t->unbalanced = t->unbalanced || from.n_black != t->n_black;
    return E_OK;
}

static enum errc visit(struct tree *t, uint32_t id, struct err *err)
{
    struct cfb *cfb = t->cfb;
    if (t->last == CFB_NONE) {
        cfb->entries[t->storage].first_child = id;
    } else {
        int order = cfb_compare_names(cfb->entries[t->last].name, cfb->entries[id].name);
        if (order == 0)
            return err_set(err, E_MALFORMED,
                           "directory: entries %" PRIu32 " and %" PRIu32 " have the same name",
                           t->last, id);
        if (order > 0)
            return err_set(err, E_MALFORMED,
                           "directory: entries %" PRIu32 " and %" PRIu32 " are not sorted", t->last,
                           id);
        cfb->entries[t->last].next = id;
    }
    t->last = id;
    return E_OK;
}

static enum errc walk_tree(struct tree *t, struct err *err)
{
    struct cfb_entry *storage = &t->cfb->entries[t->storage];
    enum errc rc = go_left(t, link_at(storage, 76), NULL, err);
    while (rc == E_OK && t->n_way > 0) {
        struct step here = t->way[--t->n_way];
        rc = visit(t, here.id, err);
        if (rc == E_OK)
            rc = go_left(t, link_at(&t->cfb->entries[here.id], 72), &here, err);
    }
    if (t->red_red)
        storage->colours = CFB_COLOURS_RED_RED;
    else if (t->n_red > 0 && t->unbalanced)
        storage->colours = CFB_COLOURS_UNBALANCED;
    else if (t->n_red == 1)
        storage->colours = CFB_COLOURS_ONE_RED;
    return rc;
}

/* Appends the storages among the children of `id` to the list of those to be walked. */
static enum errc add_storages(const struct cfb *cfb, uint32_t id, uint32_t *todo, uint32_t *n,
                              struct err *err)
{
    for (uint32_t child = cfb->entries[id].first_child; child != CFB_NONE;
         child = cfb->entries[child].next) {
        if (cfb->entries[child].type != CFB_STORAGE)
            continue;
        if (cfb->entries[child].depth > CFB_DEPTH_MAX)
            return err_set(err, E_LIMIT, "directory: more than %d storages in one another",
                           CFB_DEPTH_MAX);
        todo[(*n)++] = child;
    }
    return E_OK;
}

enum errc cfb_load_tree(struct cfb *cfb, struct err *err)
{
    struct step *way = calloc(cfb->n_entries, sizeof(*way));
    uint32_t *todo = calloc(cfb->n_entries, sizeof(*todo));
    uint32_t n_todo = 1; /* the root, entry 0 */
    enum errc rc = way == NULL || todo == NULL ? err_nomem(err) : E_OK;
    for (uint32_t i = 0; rc == E_OK && i < n_todo; i++) {
        struct tree t = { .cfb = cfb, .storage = todo[i], .way = way, .last = CFB_NONE };
        rc = walk_tree(&t, err);
        if (rc == E_OK)
            rc = add_storages(cfb, todo[i], todo, &n_todo, err);
    }
    free(way);
    free(todo);
    return rc;
}
