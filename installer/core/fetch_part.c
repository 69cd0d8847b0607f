#include "installer/core/fetch_part.h"

#include <stdlib.h>
#include <string.h>

#include "platform/base/text.h"

static enum errc make_name(struct fetch_part *p, struct err *err)
{
    static const char ending[] = ".part";
    size_t len = strlen(p->path);
    p->name = malloc(len + sizeof(ending));
    if (p->name == NULL)
        return err_nomem(err);
    memcpy(p->name, p->path, len);
    memcpy(p->name + len, ending, sizeof(ending));
    return E_OK;
}

static enum errc check_place_is_free(const struct fetch_part *p, struct err *err)
{
    struct fs_info info = { .kind = FS_ABSENT };
    enum errc rc = p->platform->fs->stat_link(p->platform->self, p->path, &info, err);
    if (rc == E_OK && info.kind != FS_ABSENT)
        return err_set(err, E_EXISTS, "something is where the download is to go");
    return rc;
}

static enum errc open_sink(struct fetch_part *p, struct err *err)
{
    enum errc rc = p->platform->fs->create(p->platform->self, p->name, SINK_PRIVATE, &p->sink, err);
    if (rc == E_OK)
        return E_OK;
    p->sink = NULL;
    p->is_broken = true;
    return err_prefix(err, "the download: ");
}

enum errc fetch_part_add(struct fetch_part *p, struct span piece, struct err *err)
{
    enum errc rc = sink_write(p->sink, piece, err);
    if (rc != E_OK)
        rc = err_prefix(err, "the download: ");
    if (rc == E_OK)
        rc = hasher_add(p->hasher, piece, err);
    p->is_broken = p->is_broken || rc != E_OK;
    if (rc == E_OK)
        p->have += piece.len;
    return rc;
}

static enum errc add_piece(void *ctx, struct span piece, struct err *err)
{
    return fetch_part_add(ctx, piece, err);
}

/* take_over copies what an earlier run has left. What can't be read is not missed. */
static enum errc take_over(struct fetch_part *p, struct err *err)
{
    struct source *src;
    struct err ignored = { .code = E_OK };
    if (p->platform->fs->open_source_nofollow(p->platform->self, p->name, &src, &ignored) != E_OK)
        return E_OK;
    uint8_t *scratch = malloc(SOURCE_PIECE);
    enum errc rc = scratch == NULL ? err_nomem(err) : E_OK;
    if (rc == E_OK && src->size < p->size) {
        rc = source_each(src, 0, src->size, scratch, add_piece, p, err);
        if (rc != E_OK && !p->is_broken)
            rc = fetch_part_restart(p, err);
    }
    free(scratch);
    source_close(src);
    return rc;
}

enum errc fetch_part_open(struct fetch_part *p, struct platform *platform, const char *path,
                          uint64_t size, struct err *err)
{
    *p = (struct fetch_part){ .platform = platform, .path = path, .size = size };
    enum errc rc = make_name(p, err);
    if (rc == E_OK)
        rc = check_place_is_free(p, err);
    if (rc == E_OK)
        rc = hasher_new(DIGEST_BIT(DIGEST_SHA256), &p->hasher, err);
    if (rc == E_OK)
        rc = open_sink(p, err);
    return rc == E_OK ? take_over(p, err) : rc;
}

enum errc fetch_part_restart(struct fetch_part *p, struct err *err)
{
    sink_abort(p->sink);
    p->sink = NULL;
    p->have = 0;
    enum errc rc = hasher_reset(p->hasher, err);
    p->is_broken = p->is_broken || rc != E_OK;
    return rc == E_OK ? open_sink(p, err) : rc;
}

enum errc fetch_part_hash(struct fetch_part *p, uint8_t out[32], struct err *err)
{
    struct digest_set set;
    enum errc rc = hasher_finish(p->hasher, &set, err);
    p->is_broken = p->is_broken || rc != E_OK;
    if (rc == E_OK)
        memcpy(out, set.of[DIGEST_SHA256].bytes, 32);
    return rc;
}

enum errc fetch_part_commit(struct fetch_part *p, struct err *err)
{
    struct sink *sink = p->sink;
    p->sink = NULL;
    enum errc rc = sink_commit(sink, err);
    if (rc == E_OK)
        rc = p->platform->fs->rename_new(p->platform->self, p->name, p->path, err);
    p->is_broken = p->is_broken || rc != E_OK;
    return rc == E_OK ? E_OK : err_prefix(err, "the download: ");
}

void fetch_part_close(struct fetch_part *p, bool keeps)
{
    struct err ignored = { .code = E_OK };
    const bool has_bytes = p->sink != NULL && p->have > 0 && p->have < p->size && !p->is_broken;
    struct sink *sink = p->sink;
    p->sink = NULL;
    bool is_kept = keeps && has_bytes && sink_commit(sink, &ignored) == E_OK;
    if (!(keeps && has_bytes))
        sink_abort(sink);
    if (!is_kept && p->hasher != NULL) /* it is ours: it was opened so far */
        (void)p->platform->fs->remove(p->platform->self, p->name, &ignored);
    hasher_free(p->hasher);
    free(p->name);
    *p = (struct fetch_part){ .platform = NULL };
}
