#include <stdlib.h>
#include <string.h>

#include "installer/core/unpack.h"
#include "keys/publish/payload_of.h"
#include "platform/base/sort.h"
#include "platform/base/text.h"
#include "verify/digest.h"

/* A file that is another name of one that came before it. */
struct alias {
    size_t file;
    const char *target;
};

struct listing {
    struct arena *arena;
    struct payload *out;
    struct unpack *unpack;
    struct hasher *hasher;
    tree_head_fn check_head; /* may be NULL */
    void *head_ctx;
    struct buf head; /* of the file that is being read, at most TREE_HEAD_MAX */
    LIST_OF(struct alias) aliases;
    const struct release_file **sorted; /* by path; owned */
    struct err *err;
};

/* --- entries */

static enum errc add_piece(void *ctx, struct span piece, struct err *err)
{
    struct listing *l = ctx;
    enum errc rc = E_OK;
    if (l->check_head != NULL)
        rc = buf_add(&l->head, span_sub(piece, 0, TREE_HEAD_MAX - l->head.len), err);
    return rc == E_OK ? hasher_add(l->hasher, piece, err) : rc;
}

static enum errc look_at_head(struct listing *l, const struct unpack_entry *e)
{
    char shown[100];
    if (l->check_head == NULL || l->check_head(l->head_ctx, buf_span(&l->head), l->err) == E_OK)
        return E_OK;
    return err_prefix(l->err, "\"%s\": ", text_printable(e->path, shown, sizeof(shown)));
}

static enum errc hash_entry(struct listing *l, const struct unpack_entry *e, struct release_file *f)
{
    struct digest_set set;
    buf_clear(&l->head);
    enum errc rc = hasher_reset(l->hasher, l->err);
    if (rc == E_OK)
        rc = unpack_data(l->unpack, add_piece, l, l->err);
    if (rc == E_OK)
        rc = look_at_head(l, e);
    if (rc == E_OK)
        rc = hasher_finish(l->hasher, &set, l->err);
    if (rc == E_OK)
        memcpy(f->sha256, set.of[DIGEST_SHA256].bytes, sizeof(f->sha256));
    return rc;
}

static enum errc new_file(struct listing *l, const struct release_file *f)
{
    void *items = l->out->files.items;
    enum errc rc = payload_list_room(l->arena, &items, l->out->files.n, &l->out->files.n_room,
                                     sizeof(*f), l->err);
    if (rc != E_OK)
        return rc;
    l->out->files.items = items;
    l->out->files.items[l->out->files.n++] = *f;
    return E_OK;
}

static enum errc add_file(struct listing *l, const struct unpack_entry *e, const char *path)
{
    struct release_file f = { .path = path, .size = e->size, .mode = e->mode & 0755 };
    enum errc rc = hash_entry(l, e, &f);
    return rc == E_OK ? new_file(l, &f) : rc;
}

static enum errc add_alias(struct listing *l, const struct unpack_entry *e, const char *path)
{
    struct alias alias = { .file = l->out->files.n };
    struct release_file f = { .path = path, .mode = e->mode & 0755 };
    void *items = l->aliases.items;
    enum errc rc = arena_text(l->arena, e->target, &alias.target, l->err);
    if (rc == E_OK)
        rc = payload_list_room(l->arena, &items, l->aliases.n, &l->aliases.n_room, sizeof(alias),
                               l->err);
    if (rc != E_OK)
        return rc;
    l->aliases.items = items;
    l->aliases.items[l->aliases.n++] = alias;
    return new_file(l, &f);
}

static enum errc add_folder(struct listing *l, const struct unpack_entry *e, const char *path)
{
    void *items = l->out->folders.items;
    enum errc rc = payload_list_room(l->arena, &items, l->out->folders.n, &l->out->folders.n_room,
                                     sizeof(struct release_folder), l->err);
    if (rc != E_OK)
        return rc;
    l->out->folders.items = items;
    l->out->folders.items[l->out->folders.n++] = (struct release_folder){ path, e->mode & 0755 };
    return E_OK;
}

static enum errc add_link(struct listing *l, const struct unpack_entry *e, const char *path)
{
    const char *target;
    void *items = l->out->links.items;
    enum errc rc = arena_text(l->arena, e->target, &target, l->err);
    if (rc == E_OK)
        rc = payload_list_room(l->arena, &items, l->out->links.n, &l->out->links.n_room,
                               sizeof(struct release_link), l->err);
    if (rc != E_OK)
        return rc;
    l->out->links.items = items;
    l->out->links.items[l->out->links.n++] = (struct release_link){ path, target };
    return E_OK;
}

static enum errc add_entry(struct listing *l, const struct unpack_entry *e)
{
    const char *path;
    enum errc rc = arena_text(l->arena, e->path, &path, l->err);
    if (rc != E_OK)
        return rc;
    switch (e->kind) {
    case UNPACK_FILE: return add_file(l, e, path);
    case UNPACK_HARDLINK: return add_alias(l, e, path);
    case UNPACK_FOLDER: return add_folder(l, e, path);
    case UNPACK_LINK: return add_link(l, e, path);
    case UNPACK_NONE:
    case UNPACK_DEVICE:
    case UNPACK_FIFO:
    case UNPACK_SOCKET: break;
    }
    return err_set(l->err, E_INTERNAL, "an entry of a kind that is never given out");
}

static enum errc add_entries(struct listing *l)
{
    struct unpack_entry e;
    bool is_end = false;
    enum errc rc = E_OK;
    while (rc == E_OK) {
        rc = unpack_next(l->unpack, &e, &is_end, l->err);
        if (rc != E_OK || is_end)
            break;
        rc = add_entry(l, &e);
    }
    return rc;
}

/* --- hard links, once all names are known */

static bool is_before(void *ctx, size_t i, size_t k)
{
    const struct listing *l = ctx;
    return strcmp(l->sorted[i]->path, l->sorted[k]->path) < 0;
}

static void swap(void *ctx, size_t i, size_t k)
{
    struct listing *l = ctx;
    const struct release_file *kept = l->sorted[i];
    l->sorted[i] = l->sorted[k];
    l->sorted[k] = kept;
}

static int compare_path(const void *path, const void *item)
{
    return strcmp(path, (*(const struct release_file *const *)item)->path);
}

/* In the order of the archive: a target that is itself a hard link was resolved before. */
static enum errc resolve(struct listing *l, const struct alias *alias)
{
    char shown[100];
    const struct release_file *const *found =
        bsearch(alias->target, l->sorted, l->out->files.n, sizeof(*l->sorted), compare_path);
    if (found == NULL)
        return err_set(l->err, E_MALFORMED, "a hard link to \"%s\", which is not there",
                       text_printable(span_text(alias->target), shown, sizeof(shown)));
    struct release_file *f = &l->out->files.items[alias->file];
    f->size = (*found)->size;
    memcpy(f->sha256, (*found)->sha256, sizeof(f->sha256));
    return E_OK;
}

static enum errc resolve_all(struct listing *l)
{
    enum errc rc = E_OK;
    if (l->aliases.n == 0)
        return E_OK;
    l->sorted = calloc(l->out->files.n, sizeof(*l->sorted));
    if (l->sorted == NULL)
        return err_nomem(l->err);
    for (size_t i = 0; i < l->out->files.n; i++)
        l->sorted[i] = &l->out->files.items[i];
    sort_items(l->out->files.n, is_before, swap, l);
    for (size_t i = 0; i < l->aliases.n && rc == E_OK; i++)
        rc = resolve(l, &l->aliases.items[i]);
    return rc;
}

enum errc payload_of_archive(struct source *src, tree_head_fn check_head, void *head_ctx,
                             struct arena *a, struct payload *out, struct err *err)
{
    const struct unpack_limits limits = unpack_entry_limits();
    struct listing l = {
        .arena = a, .out = out, .check_head = check_head, .head_ctx = head_ctx, .err = err
    };
    out->kind = PAYLOAD_ARCHIVE;
    buf_init(&l.head, TREE_HEAD_MAX);
    enum errc rc = hasher_new(DIGEST_BIT(DIGEST_SHA256), &l.hasher, err);
    if (rc == E_OK)
        rc = unpack_open(src, &limits, &l.unpack, err);
    if (rc == E_OK)
        rc = add_entries(&l);
    if (rc == E_OK)
        rc = resolve_all(&l);
    out->unpacked_size = 0;
    for (size_t i = 0; i < out->files.n; i++)
        out->unpacked_size += out->files.items[i].size; /* their number and sizes are limited */
    unpack_close(l.unpack);
    hasher_free(l.hasher);
    buf_fini(&l.head);
    free(l.sorted);
    return rc;
}
