#include "installer/core/copy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "installer/core/setup.h"
#include "platform/base/text.h"

#define DEPTH_MAX 128

static enum errc write_piece(void *ctx, struct span piece, struct err *err)
{
    return sink_write(ctx, piece, err);
}

enum errc copy_bytes(struct platform *p, const char *from, const char *to, unsigned flags,
                     struct err *err)
{
    struct source *src = NULL;
    struct sink *sink = NULL;
    uint8_t *scratch = malloc(SOURCE_PIECE);
    enum errc rc =
        scratch == NULL ? err_nomem(err) : p->fs->open_source_nofollow(p->self, from, &src, err);
    if (rc == E_OK)
        rc = p->fs->create(p->self, to, flags, &sink, err);
    if (rc == E_OK)
        rc = source_each(src, 0, src->size, scratch, write_piece, sink, err);
    if (rc == E_OK) {
        rc = sink_commit(sink, err);
        sink = NULL;
    }
    sink_abort(sink);
    source_close(src);
    free(scratch);
    return rc;
}

enum errc copy_file(struct platform *p, const char *from, const char *to, struct err *err)
{
    enum errc rc = p->fs->clone(p->self, from, to, err);
    return rc == E_UNSUPPORTED
               ? copy_bytes(p, from, to, SINK_PRIVATE | SINK_NO_REPLACE | SINK_UNFLUSHED, err)
               : rc;
}

static enum errc copy_link(struct platform *p, const char *from, const char *to, struct err *err)
{
    struct buf target;
    buf_init(&target, SETUP_PATH_ROOM);
    enum errc rc = p->fs->read_link(p->self, from, &target, err);
    if (rc == E_OK)
        rc = buf_add_byte(&target, '\0', err);
    if (rc == E_OK)
        rc = p->fs->make_link(p->self, (const char *)target.ptr, to, err);
    buf_fini(&target);
    return rc;
}

/* Its own things, after its contents: the mode may deny writing, and the time is of the last one.
 */
static enum errc finish_one(struct platform *p, const char *from, const char *to,
                            const struct fs_info *info, struct err *err)
{
    enum errc rc = p->fs->copy_owner_and_attributes(p->self, from, to, err);
    return rc == E_OK ? p->fs->set_mtime(p->self, to, info->mtime_ns, err) : rc;
}

static enum errc begin_one(struct platform *p, const char *from, const char *to,
                           const struct fs_info *info, bool *out_left_out, struct err *err)
{
    *out_left_out = false;
    switch (info->kind) {
    case FS_FILE: return copy_file(p, from, to, err);
    case FS_LINK: return copy_link(p, from, to, err);
    case FS_FOLDER: return p->fs->make_private_folder(p->self, to, err);
    case FS_ABSENT:
    case FS_OTHER: break;
    }
    *out_left_out = true;
    return E_OK;
}

enum errc copy_one(struct platform *p, const char *from, const char *to, const struct fs_info *info,
                   bool *out_left_out, struct err *err)
{
    enum errc rc = begin_one(p, from, to, info, out_left_out, err);
    if (rc == E_OK && !*out_left_out)
        rc = finish_one(p, from, to, info, err);
    return rc;
}

/* --- trees */

struct copying {
    struct platform *p;
    const char *from, *to;
    uint64_t volume;
    size_t depth;
};

static enum errc copy_below(const struct copying *c, struct err *err);

static enum errc copy_name(void *ctx, const char *name, struct err *err)
{
    const struct copying *outer = ctx;
    char from[SETUP_PATH_ROOM], to[SETUP_PATH_ROOM];
    struct copying c = *outer;
    enum errc rc = setup_join(outer->from, name, from, err);
    if (rc == E_OK)
        rc = setup_join(outer->to, name, to, err);
    c.from = from;
    c.to = to;
    c.depth++;
    return rc == E_OK ? copy_below(&c, err) : rc;
}

static enum errc copy_below(const struct copying *c, struct err *err)
{
    struct platform *p = c->p;
    struct fs_info info;
    bool left_out = false;
    enum errc rc = p->fs->stat_link(p->self, c->from, &info, err);
    if (rc == E_OK && info.kind != FS_ABSENT && info.id[0] != c->volume)
        rc = err_set(err, E_UNSUPPORTED, "is another volume");
    if (rc == E_OK && c->depth > DEPTH_MAX)
        rc = err_set(err, E_LIMIT, "more than %d folders deep", DEPTH_MAX);
    if (rc == E_OK)
        rc = begin_one(p, c->from, c->to, &info, &left_out, err);
    if (rc != E_OK)
        return setup_name_path(c->from, err);
    if (left_out)
        return E_OK;
    if (info.kind == FS_FOLDER) {
        struct copying below = *c;
        rc = p->fs->list(p->self, c->from, copy_name, &below, err);
        if (rc != E_OK)
            return rc;
    }
    rc = finish_one(p, c->from, c->to, &info, err);
    return rc == E_OK ? rc : setup_name_path(c->to, err);
}

enum errc copy_tree(struct platform *p, const char *from, const char *to, struct err *err)
{
    struct fs_info info;
    enum errc rc = p->fs->stat_link(p->self, from, &info, err);
    if (rc == E_OK && info.kind == FS_ABSENT)
        rc = err_set(err, E_ABSENT, "is not there");
    if (rc != E_OK)
        return setup_name_path(from, err);
    struct copying c = { .p = p, .from = from, .to = to, .volume = info.id[0] };
    return copy_below(&c, err);
}
