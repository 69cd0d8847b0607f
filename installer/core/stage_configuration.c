/* Configuration files: kept, replaced or merged. The release's own are in the pristine folder by
 * now.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "installer/core/copy.h"
#include "installer/core/merge.h"
#include "installer/core/stage_private.h"
#include "platform/base/text.h"

bool stage_is_configuration(const struct stage *s, const char *rel)
{
    return product_files_find_configuration(&s->ask.setup->product.files, rel) != NULL;
}

/* What there is of one configuration file. */
struct sides {
    char here[SETUP_PATH_ROOM], base[SETUP_PATH_ROOM], theirs[SETUP_PATH_ROOM];
    struct fs_info here_info;
    bool has_here, has_base, has_theirs;
};

static enum errc look_at(const struct stage *s, const char *root, const char *rel,
                         char path[SETUP_PATH_ROOM], struct fs_info *info, bool *out_has,
                         struct err *err)
{
    *out_has = false;
    if (root[0] == '\0')
        return E_OK;
    enum errc rc = setup_join(root, rel, path, err);
    if (rc == E_OK)
        rc = s->p->fs->stat_link(s->p->self, path, info, err);
    *out_has = rc == E_OK && info->kind == FS_FILE;
    if (rc == E_OK && info->kind != FS_FILE && info->kind != FS_ABSENT)
        rc = err_set(err, E_UNSUPPORTED, "%.120s: a configuration file that is no file", rel);
    return rc;
}

static enum errc find_sides(const struct stage *s, const char *rel, struct sides *to,
                            struct err *err)
{
    struct fs_info ignored;
    to->here_info = (struct fs_info){ .kind = FS_ABSENT };
    enum errc rc = look_at(s, s->old_tree, rel, to->here, &to->here_info, &to->has_here, err);
    if (rc == E_OK)
        rc = look_at(s, s->old_pristine, rel, to->base, &ignored, &to->has_base, err);
    return rc == E_OK ? look_at(s, s->pristine, rel, to->theirs, &ignored, &to->has_theirs, err)
                      : rc;
}

/* --- what can stop an upgrade */

static enum errc stop(struct stage *s, const char *rel, const char *why, struct err *err)
{
    struct stage_report *r = s->report;
    if (r->n_stops == STAGE_STOPS_MAX)
        return err_set(err, E_LIMIT, "more than %d configuration files can't be merged",
                       STAGE_STOPS_MAX);
    text_copy(r->stops[r->n_stops].path, sizeof(r->stops[0].path), rel);
    text_copy(r->stops[r->n_stops].why, sizeof(r->stops[0].why), why);
    r->n_stops++;
    return E_OK;
}

/* --- the ways */

static enum errc name_file(enum errc rc, const char *rel, struct err *err)
{
    return rc == E_OK ? rc : err_prefix(err, "%.120s: ", rel);
}

static enum errc put_theirs(const struct stage *s, const char *rel, const struct sides *sides,
                            struct err *err)
{
    char to[SETUP_PATH_ROOM];
    const struct release_file *file = payload_find_file(s->payload, span_text(rel));
    enum errc rc = stage_path(s, rel, to, err);
    if (rc == E_OK)
        rc = stage_make_parents(s, s->tree, rel, err);
    if (rc == E_OK)
        rc = name_file(copy_file(s->p, sides->theirs, to, err), rel, err);
    return rc == E_OK ? stage_dress(s, rel, file != NULL ? file->mode : 0644, err) : rc;
}

/* A copy, never a second name: what is written to one is not to show in the other. */
static enum errc put_here(const struct stage *s, const char *rel, const struct sides *sides,
                          struct err *err)
{
    char to[SETUP_PATH_ROOM];
    bool left_out = false;
    enum errc rc = stage_path(s, rel, to, err);
    if (rc == E_OK)
        rc = stage_make_parents(s, s->tree, rel, err);
    if (rc == E_OK)
        rc =
            name_file(copy_one(s->p, sides->here, to, &sides->here_info, &left_out, err), rel, err);
    return rc;
}

static enum errc put_merged(const struct stage *s, const char *rel, struct span merged,
                            struct err *err)
{
    char to[SETUP_PATH_ROOM];
    enum errc rc = stage_path(s, rel, to, err);
    if (rc == E_OK)
        rc = stage_make_parents(s, s->tree, rel, err);
    if (rc == E_OK)
        rc = name_file(stage_write_bytes(s, to, merged, err), rel, err);
    return rc == E_OK ? stage_dress(s, rel, STAGE_NO_MODE, err) : rc;
}

struct texts {
    struct buf base, here, theirs, merged;
};

static void texts_fini(struct texts *t)
{
    buf_fini(&t->base);
    buf_fini(&t->here);
    buf_fini(&t->theirs);
    buf_fini(&t->merged);
}

static enum errc read_texts(const struct stage *s, const struct sides *sides, struct texts *t,
                            struct err *err)
{
    enum errc rc = platform_read_file(s->p, sides->base, MERGE_BYTES_MAX, &t->base, err);
    if (rc == E_OK)
        rc = platform_read_file(s->p, sides->here, MERGE_BYTES_MAX, &t->here, err);
    if (rc == E_OK && sides->has_theirs)
        rc = platform_read_file(s->p, sides->theirs, MERGE_BYTES_MAX, &t->theirs, err);
    return rc;
}

static enum errc merge(struct stage *s, const char *rel, const struct sides *sides, struct err *err)
{
    struct texts t = { .base = { .len = 0 } };
    struct merge_conflict conflict;
    bool merges = false;
    char why[160];
    enum errc rc = name_file(read_texts(s, sides, &t, err), rel, err);
    if (rc == E_OK && !sides->has_theirs) { /* the maker took it away */
        if (!span_equal(buf_span(&t.base), buf_span(&t.here)))
            rc = stop(s, rel, "was changed here, and the new release has it no more", err);
    } else if (rc == E_OK) {
        buf_init(&t.merged, 2 * MERGE_BYTES_MAX);
        rc = merge_text(buf_span(&t.base), buf_span(&t.here), buf_span(&t.theirs), &t.merged,
                        &merges, &conflict, err);
        (void)snprintf(why, sizeof(why),
                       "changed here at line %zu and by the maker at line %zu; make one of the two "
                       "changes in the installed file",
                       conflict.here_line, conflict.theirs_line);
        if (rc == E_OK)
            rc = merges ? put_merged(s, rel, buf_span(&t.merged), err) : stop(s, rel, why, err);
    }
    if (rc == E_LIMIT)
        rc = stop(s, rel, "is too large to be merged", err);
    texts_fini(&t);
    return rc;
}

static enum errc configure(struct stage *s, const struct files_configuration *c,
                           const struct sides *sides, struct err *err)
{
    if (!sides->has_here || c->action == CONFIGURATION_REPLACE)
        return sides->has_theirs ? put_theirs(s, c->path, sides, err) : E_OK;
    if (c->action == CONFIGURATION_KEEP)
        return put_here(s, c->path, sides, err);
    if (!sides->has_base && sides->has_theirs)
        return stop(s, c->path,
                    "there is no base to merge from: what the installed release had "
                    "is not known; say action=\"keep\" or \"replace\" this once",
                    err);
    if (!sides->has_base)
        return put_here(s, c->path, sides, err); /* no release has it: it is the machine's own */
    return merge(s, c->path, sides, err);
}

enum errc stage_configure_all(struct stage *s, struct err *err)
{
    const struct product_files *files = &s->ask.setup->product.files;
    struct sides *sides = malloc(sizeof(*sides));
    enum errc rc = sides == NULL ? err_nomem(err) : E_OK;
    for (size_t i = 0; i < files->configuration.n && rc == E_OK; i++) {
        const struct files_configuration *c = &files->configuration.items[i];
        rc = find_sides(s, c->path, sides, err);
        if (rc == E_OK)
            rc = configure(s, c, sides, err);
        if (rc == E_OK)
            rc = stage_take(s, c->path, &sides->here_info, err);
    }
    free(sides);
    return rc;
}

static enum errc configure_again(struct stage *s, const struct files_configuration *c,
                                 struct sides *sides, struct err *err)
{
    struct stage_taken *taken = stage_find_taken(s, c->path);
    char made[SETUP_PATH_ROOM];
    enum errc rc = find_sides(s, c->path, sides, err);
    if (rc != E_OK || taken == NULL || stage_is_same(&taken->info, &sides->here_info))
        return rc;
    rc = stage_path(s, c->path, made, err);
    if (rc == E_OK && s->p->fs->remove(s->p->self, made, err) != E_OK && err->code != E_ABSENT)
        return err->code;
    if (rc == E_OK)
        rc = configure(s, c, sides, err);
    if (rc == E_OK && s->report->n_stops > 0)
        rc = err_set(err, E_EXISTS, "%.120s: %.100s", s->report->stops[0].path,
                     s->report->stops[0].why);
    taken->info = sides->here_info;
    return rc;
}

enum errc stage_configure_changed(struct stage *s, struct err *err)
{
    const struct product_files *files = &s->ask.setup->product.files;
    struct sides *sides = malloc(sizeof(*sides));
    enum errc rc = sides == NULL ? err_nomem(err) : E_OK;
    for (size_t i = 0; i < files->configuration.n && rc == E_OK; i++)
        rc = configure_again(s, &files->configuration.items[i], sides, err);
    free(sides);
    return rc;
}
