#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "installer/core/stage_private.h"
#include "platform/base/text.h"

enum errc stage_path(const struct stage *s, const char *rel, char to[SETUP_PATH_ROOM],
                     struct err *err)
{
    return setup_join(s->tree, rel, to, err);
}

enum errc stage_old_path(const struct stage *s, const char *rel, char to[SETUP_PATH_ROOM],
                         struct err *err)
{
    return setup_join(s->old_tree, rel, to, err);
}

/* --- folders: private until they are dressed at the end */

static enum errc make_folder(const struct stage *s, const char *path, struct err *err)
{
    enum errc rc = s->p->fs->make_private_folder(s->p->self, path, err);
    return rc == E_EXISTS ? E_OK : rc;
}

/* From the root down; the path comes out as it was. */
static enum errc make_from_root(const struct stage *s, char *path, size_t root_len, struct err *err)
{
    enum errc rc = E_OK;
    char *slash = path + root_len;
    while (rc == E_OK && (slash = strchr(slash + 1, '/')) != NULL) {
        *slash = '\0';
        rc = make_folder(s, path, err);
        *slash = '/';
    }
    return rc == E_OK ? make_folder(s, path, err) : rc;
}

enum errc stage_make_parents(const struct stage *s, const char *root, const char *rel,
                             struct err *err)
{
    char path[SETUP_PATH_ROOM];
    enum errc rc = setup_join(root, rel, path, err);
    if (rc != E_OK)
        return rc;
    const size_t root_len = strlen(root);
    char *last = strrchr(path, '/');
    if ((size_t)(last - path) <= root_len)
        return E_OK;
    *last = '\0';
    rc = make_folder(s, path, err); /* mostly it is there, or is alone missing */
    if (rc == E_ABSENT)
        rc = make_from_root(s, path, root_len, err);
    return rc == E_OK ? rc : err_prefix(err, "%.120s: ", path);
}

/* --- owners, attributes, modes */

/* old_like: what the old tree has at the path, of the same kind; else its nearest folder above, for
 * the owner alone. */
static enum errc dress_like(const struct stage *s, const char *rel, const char *path,
                            enum fs_kind kind, struct err *err)
{
    char old[SETUP_PATH_ROOM], above[SETUP_PATH_ROOM];
    struct fs_info info;
    if (s->old_tree[0] == '\0')
        return E_OK;
    enum errc rc = stage_old_path(s, rel, old, err);
    if (rc == E_OK)
        rc = s->p->fs->stat_link(s->p->self, old, &info, err);
    if (rc == E_OK && info.kind == kind)
        return s->p->fs->copy_owner_and_attributes(s->p->self, old, path, err);
    text_copy(above, sizeof(above), old);
    while (rc == E_OK && info.kind != FS_FOLDER && strlen(above) > strlen(s->old_tree)) {
        setup_parent(above, old);
        text_copy(above, sizeof(above), old);
        rc = s->p->fs->stat_link(s->p->self, above, &info, err);
    }
    if (rc != E_OK || info.kind != FS_FOLDER)
        return rc;
    struct fs_info own;
    rc = s->p->fs->stat_link(s->p->self, path, &own, err);
    if (rc == E_OK && (own.owner != info.owner || own.group != info.group))
        rc = s->p->fs->set_owner(s->p->self, path, info.owner, info.group, err);
    return rc;
}

enum errc stage_dress(const struct stage *s, const char *rel, unsigned mode, struct err *err)
{
    char path[SETUP_PATH_ROOM];
    struct fs_info info;
    enum errc rc = stage_path(s, rel, path, err);
    if (rc == E_OK)
        rc = s->p->fs->stat_link(s->p->self, path, &info, err);
    if (rc == E_OK)
        rc = dress_like(s, rel, path, info.kind, err);
    if (rc == E_OK && mode < STAGE_NO_MODE && info.kind != FS_LINK)
        rc = s->p->fs->set_mode(s->p->self, path, mode, err);
    return rc == E_OK ? rc : err_prefix(err, "%.120s: ", rel);
}

enum errc stage_write_bytes(const struct stage *s, const char *path, struct span bytes,
                            struct err *err)
{
    struct sink *sink = NULL;
    enum errc rc = s->p->fs->create(s->p->self, path,
                                    SINK_PRIVATE | SINK_NO_REPLACE | SINK_UNFLUSHED, &sink, err);
    if (rc == E_OK)
        rc = sink_write(sink, bytes, err);
    if (rc == E_OK) {
        rc = sink_commit(sink, err);
        sink = NULL;
    }
    sink_abort(sink);
    return rc;
}

enum errc stage_check_hash(const struct stage *s, const struct release_file *file, struct err *err)
{
    struct digest_set digests;
    enum errc rc = hasher_finish(s->hasher, &digests, err);
    if (rc == E_OK &&
        !span_equal(digest_span(&digests.of[DIGEST_SHA256]), span_of(file->sha256, 32)))
        rc = err_set(err, E_MALFORMED, "%.120s: its bytes are not those that the release lists",
                     file->path);
    return rc;
}

/* --- what was taken over */

bool stage_is_same(const struct fs_info *a, const struct fs_info *b)
{
    return a->kind == b->kind && a->size == b->size && a->mtime_ns == b->mtime_ns &&
           a->id[0] == b->id[0] && a->id[1] == b->id[1] && a->mode == b->mode &&
           a->owner == b->owner && a->group == b->group;
}

struct stage_taken *stage_find_taken(struct stage *s, const char *path)
{
    for (size_t i = 0; i < s->n_taken; i++)
        if (strcmp(s->taken[i].path, path) == 0)
            return &s->taken[i];
    return NULL;
}

enum errc stage_take(struct stage *s, const char *path, const struct fs_info *info, struct err *err)
{
    if (s->n_taken == s->n_taken_room) {
        const size_t n_room = s->n_taken_room == 0 ? 64 : s->n_taken_room * 2;
        struct stage_taken *taken = realloc(s->taken, n_room * sizeof(*taken));
        if (taken == NULL)
            return err_nomem(err);
        s->taken = taken;
        s->n_taken_room = n_room;
    }
    s->taken[s->n_taken++] = (struct stage_taken){ path, *info };
    return E_OK;
}
