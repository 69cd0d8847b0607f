/* The verified package's entries, each through the judge, held against the document's list, hashed
 * and written where it belongs. */

#include <stdlib.h>
#include <string.h>

#include "installer/core/copy.h"
#include "installer/core/stage_private.h"
#include "installer/core/tree_match.h"
#include "installer/core/unpack.h"
#include "platform/base/text.h"

struct unpacking {
    struct stage *s;
    struct unpack *u;
    struct tree_match *match;
};

/* --- one file's bytes */

struct writing {
    struct sink *sink;
    struct hasher *hasher;
};

static enum errc take_piece(void *ctx, struct span piece, struct err *err)
{
    const struct writing *w = ctx;
    enum errc rc = hasher_add(w->hasher, piece, err);
    return rc == E_OK ? sink_write(w->sink, piece, err) : rc;
}

static enum errc write_file(struct unpacking *x, const char *path, const struct release_file *file,
                            struct err *err)
{
    const struct stage *s = x->s;
    struct writing w = { .hasher = s->hasher };
    enum errc rc = s->p->fs->create(s->p->self, path,
                                    SINK_PRIVATE | SINK_NO_REPLACE | SINK_UNFLUSHED, &w.sink, err);
    if (rc != E_OK)
        return err_prefix(err, "%.120s: ", file->path);
    rc = hasher_reset(s->hasher, err);
    if (rc == E_OK)
        rc = unpack_data(x->u, take_piece, &w, err);
    if (rc == E_OK)
        rc = stage_check_hash(s, file, err);
    if (rc == E_OK) {
        rc = sink_commit(w.sink, err);
        w.sink = NULL;
    }
    sink_abort(w.sink);
    x->s->report->bytes_written += rc == E_OK ? file->size : 0;
    return rc;
}

/* --- where it goes: configuration aside, as the release has it */

static enum errc place_file(struct unpacking *x, const struct release_file *file, struct err *err)
{
    struct stage *s = x->s;
    const bool is_configuration = stage_is_configuration(s, file->path);
    const char *root = is_configuration ? s->pristine : s->tree;
    char path[SETUP_PATH_ROOM];
    enum errc rc = stage_make_parents(s, root, file->path, err);
    if (rc == E_OK)
        rc = setup_join(root, file->path, path, err);
    if (rc == E_OK)
        rc = write_file(x, path, file, err);
    s->report->n_files += rc == E_OK;
    if (rc != E_OK || is_configuration)
        return rc;
    return stage_dress(s, file->path, file->mode, err);
}

static size_t index_of(const struct stage *s, const struct release_file *file)
{
    return (size_t)(file - s->payload->files.items);
}

/* Another name of a file that came before is a file of its own here. */
static enum errc place_hard_link(struct unpacking *x, const struct unpack_entry *e,
                                 const struct release_file *file, struct err *err)
{
    struct stage *s = x->s;
    const struct release_file *first = payload_find_file(s->payload, e->target);
    char from[SETUP_PATH_ROOM], to[SETUP_PATH_ROOM];
    if (first == NULL || first->size != file->size || memcmp(first->sha256, file->sha256, 32) != 0)
        return err_set(err, E_MALFORMED,
                       "%.120s: another name of a file that the release lists differently",
                       file->path);
    const char *from_root = stage_is_configuration(s, first->path) ? s->pristine : s->tree;
    const bool is_configuration = stage_is_configuration(s, file->path);
    const char *to_root = is_configuration ? s->pristine : s->tree;
    enum errc rc = setup_join(from_root, first->path, from, err);
    if (rc == E_OK)
        rc = setup_join(to_root, file->path, to, err);
    if (rc == E_OK)
        rc = stage_make_parents(s, to_root, file->path, err);
    if (rc == E_OK)
        rc = copy_file(s->p, from, to, err);
    s->report->n_files += rc == E_OK;
    if (rc != E_OK || is_configuration)
        return rc;
    s->report->bytes_written += file->size;
    return stage_dress(s, file->path, file->mode, err);
}

static enum errc place_link(struct unpacking *x, const struct unpack_entry *e, struct err *err)
{
    struct stage *s = x->s;
    char rel[PATH_TREE_MAX + 1], target[PATH_TREE_MAX + 1], path[SETUP_PATH_ROOM];
    if (e->path.len > PATH_TREE_MAX || e->target.len > PATH_TREE_MAX)
        return err_set(err, E_LIMIT, "a link's path is too long");
    memcpy(rel, e->path.ptr, e->path.len);
    rel[e->path.len] = '\0';
    memcpy(target, e->target.ptr, e->target.len);
    target[e->target.len] = '\0';
    enum errc rc = stage_make_parents(s, s->tree, rel, err);
    if (rc == E_OK)
        rc = stage_path(s, rel, path, err);
    if (rc == E_OK)
        rc = s->p->fs->make_link(s->p->self, target, path, err);
    return rc == E_OK ? stage_dress(s, rel, STAGE_NO_MODE, err) : rc;
}

static enum errc place_entry(struct unpacking *x, const struct unpack_entry *e, struct err *err)
{
    const struct release_file *file = NULL;
    enum errc rc = tree_match_entry(x->match, e, &file, err);
    if (rc != E_OK)
        return rc;
    switch (e->kind) {
    case UNPACK_FOLDER: return E_OK; /* all folders are made from the document's list */
    case UNPACK_LINK: return place_link(x, e, err);
    case UNPACK_FILE:
        return stage_is_reused(x->s, index_of(x->s, file)) ? E_OK : place_file(x, file, err);
    case UNPACK_HARDLINK:
        return stage_is_reused(x->s, index_of(x->s, file)) ? E_OK
                                                           : place_hard_link(x, e, file, err);
    default: return err_set(err, E_INTERNAL, "an entry of no kind");
    }
}

enum errc stage_unpack(struct stage *s, struct verified_package *package, struct err *err)
{
    struct unpack_limits limits = unpack_entry_limits();
    struct unpacking x = { .s = s };
    struct unpack_entry e;
    bool end = false;
    enum errc rc = tree_match_new(s->payload, &x.match, err);
    if (rc == E_OK)
        rc = unpack_open(verified_package_source(package), &limits, &x.u, err);
    while (rc == E_OK && !end) {
        rc = unpack_next(x.u, &e, &end, err);
        if (rc == E_OK && !end)
            rc = place_entry(&x, &e, err);
    }
    if (rc == E_OK)
        rc = tree_match_end(x.match, err);
    unpack_close(x.u);
    tree_match_free(x.match);
    return rc == E_OK ? rc : err_prefix(err, "archive: ");
}
