#include <string.h>

#include "keys/publish/payload_of.h"

#define ROOM_FIRST 64

enum errc payload_list_room(struct arena *a, void **items, size_t n, size_t *n_room, size_t size,
                            struct err *err)
{
    void *grown;
    if (n < *n_room)
        return E_OK;
    size_t room = n < ROOM_FIRST ? ROOM_FIRST : n * 2;
    enum errc rc = arena_alloc(a, room * size, &grown, err);
    if (rc != E_OK)
        return rc;
    if (n > 0)
        memcpy(grown, *items, n * size);
    *items = grown;
    *n_room = room;
    return E_OK;
}

struct counts {
    size_t n[TREE_LINK + 1];
};

static struct counts count(const struct tree *t)
{
    struct counts c = { { 0 } };
    for (size_t i = 0; i < tree_n(t); i++)
        c.n[tree_get(t, i)->kind]++;
    return c;
}

/* The lists get all their room at once. */
static enum errc make_room(struct arena *a, const struct counts *c, struct payload *out,
                           struct err *err)
{
    void *files, *folders, *links;
    enum errc rc = arena_alloc(a, (c->n[TREE_FILE] + 1) * sizeof(*out->files.items), &files, err);
    if (rc == E_OK)
        rc = arena_alloc(a, (c->n[TREE_FOLDER] + 1) * sizeof(*out->folders.items), &folders, err);
    if (rc == E_OK)
        rc = arena_alloc(a, (c->n[TREE_LINK] + 1) * sizeof(*out->links.items), &links, err);
    if (rc != E_OK)
        return rc;
    out->files.items = files;
    out->folders.items = folders;
    out->links.items = links;
    return E_OK;
}

static enum errc add_file(const struct tree_entry *e, const char *path, struct payload *out,
                          struct err *err)
{
    struct release_file f = { .path = path, .size = e->size, .mode = e->mode };
    if (e->sha256.len != sizeof(f.sha256))
        return err_set(err, E_INTERNAL, "a file of the tree was not hashed");
    memcpy(f.sha256, e->sha256.bytes, sizeof(f.sha256));
    out->files.items[out->files.n++] = f;
    out->unpacked_size += e->size;
    return E_OK;
}

/* The tree may go before the payload: texts are copied. */
static enum errc add_entry(const struct tree_entry *e, struct arena *a, struct payload *out,
                           struct err *err)
{
    const char *path, *target = NULL;
    enum errc rc = arena_text(a, span_text(e->path), &path, err);
    if (rc == E_OK && e->kind == TREE_LINK)
        rc = arena_text(a, span_text(e->target), &target, err);
    if (rc != E_OK)
        return rc;
    if (e->kind == TREE_FILE)
        return add_file(e, path, out, err);
    if (e->kind == TREE_FOLDER)
        out->folders.items[out->folders.n++] = (struct release_folder){ path, e->mode };
    else
        out->links.items[out->links.n++] = (struct release_link){ path, target };
    return E_OK;
}

enum errc payload_of_tree(const struct tree *t, struct arena *a, struct payload *out,
                          struct err *err)
{
    const struct counts c = count(t);
    out->kind = PAYLOAD_ARCHIVE;
    out->unpacked_size = 0;
    enum errc rc = make_room(a, &c, out, err);
    for (size_t i = 0; i < tree_n(t) && rc == E_OK; i++)
        rc = add_entry(tree_get(t, i), a, out, err);
    return rc;
}
