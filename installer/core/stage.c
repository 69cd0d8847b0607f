/* The order in which a new tree is made. */

#include "installer/core/stage.h"

#include <stdlib.h>
#include <string.h>

#include "installer/core/stage_private.h"
#include "platform/base/text.h"

/* --- what it takes */

static void copy_text(char to[SETUP_PATH_ROOM], const char *from)
{
    text_copy(to, SETUP_PATH_ROOM, from != NULL ? from : "");
}

static enum errc stage_new(const struct stage_ask *ask, const struct payload *payload,
                           struct stage_report *report, struct stage **out, struct err *err)
{
    struct stage *s = calloc(1, sizeof(*s));
    if (s == NULL)
        return err_nomem(err);
    s->ask = *ask;
    s->payload = payload;
    s->p = ask->setup->platform;
    s->report = report;
    copy_text(s->tree, ask->tree);
    copy_text(s->pristine, ask->pristine);
    copy_text(s->old_tree, ask->old_tree);
    copy_text(s->old_pristine, ask->old_pristine);
    s->reused = calloc(payload->files.n / 8 + 1, 1);
    enum errc rc =
        s->reused == NULL ? err_nomem(err) : hasher_new(DIGEST_BIT(DIGEST_SHA256), &s->hasher, err);
    if (rc == E_OK)
        *out = s;
    else
        stage_free(s);
    return rc;
}

void stage_free(struct stage *s)
{
    if (s == NULL)
        return;
    hasher_free(s->hasher);
    free(s->reused);
    free(s->taken);
    free(s);
}

/* --- folders: made first, dressed last, the deepest before those above */

static enum errc make_listed_folders(const struct stage *s, struct err *err)
{
    enum errc rc = E_OK;
    for (size_t i = 0; i < s->payload->folders.n && rc == E_OK; i++) {
        char path[SETUP_PATH_ROOM];
        const char *rel = s->payload->folders.items[i].path;
        rc = stage_make_parents(s, s->tree, rel, err);
        if (rc == E_OK)
            rc = stage_path(s, rel, path, err);
        if (rc == E_OK)
            rc = s->p->fs->make_private_folder(s->p->self, path, err);
        if (rc == E_EXISTS)
            rc = E_OK;
    }
    return rc;
}

static unsigned mode_of_folder(const struct stage *s, const char *rel)
{
    const struct release_folder *folder = payload_find_folder(s->payload, span_text(rel));
    return folder != NULL ? folder->mode : 0755;
}

static bool is_carried_folder(const struct stage *s, const char *rel)
{
    const struct survey_entry *e = s->ask.survey != NULL ? survey_find(s->ask.survey, rel) : NULL;
    return e != NULL && e->class == SURVEY_CARRY;
}

struct dressing {
    const struct stage *s;
    const char *rel;
};

static enum errc dress_folder(const struct stage *s, const char *rel, struct err *err);

static enum errc dress_name(void *ctx, const char *name, struct err *err)
{
    const struct dressing *d = ctx;
    char rel[SETUP_PATH_ROOM], path[SETUP_PATH_ROOM];
    struct fs_info info;
    enum errc rc = setup_join(d->rel, name, rel, err);
    if (rc == E_OK)
        rc = stage_path(d->s, rel, path, err);
    if (rc == E_OK)
        rc = d->s->p->fs->stat_link(d->s->p->self, path, &info, err);
    return rc == E_OK && info.kind == FS_FOLDER ? dress_folder(d->s, rel, err) : rc;
}

static enum errc dress_folder(const struct stage *s, const char *rel, struct err *err)
{
    struct dressing d = { s, rel };
    char path[SETUP_PATH_ROOM];
    enum errc rc = stage_path(s, rel, path, err);
    if (rc == E_OK)
        rc = s->p->fs->list(s->p->self, path, dress_name, &d, err);
    if (rc != E_OK || is_carried_folder(s, rel))
        return rc;
    return stage_dress(s, rel, rel[0] != '\0' ? mode_of_folder(s, rel) : 0755, err);
}

/* Data that is installed takes the place of what the release brings for a first installation. */
static enum errc make_room_for_data(const struct stage *s, struct err *err)
{
    const struct product_files *files = &s->ask.setup->product.files;
    enum errc rc = E_OK;
    for (size_t k = 0; k < files->data.n && rc == E_OK && s->old_tree[0] != '\0'; k++) {
        char old[SETUP_PATH_ROOM], made[SETUP_PATH_ROOM];
        struct fs_info info;
        const char *rel = files->data.items[k].path;
        if (rel == NULL)
            continue;
        rc = stage_old_path(s, rel, old, err);
        if (rc == E_OK)
            rc = s->p->fs->stat_link(s->p->self, old, &info, err);
        if (rc != E_OK || info.kind == FS_ABSENT)
            continue;
        rc = stage_path(s, rel, made, err);
        if (rc == E_OK)
            rc = stage_sweep(s->p, made, err);
        if (rc == E_OK)
            rc = stage_make_parents(s, s->tree, rel, err);
    }
    return rc;
}

/* The tree's own folder keeps the mode that an administrator gave it. */
static enum errc dress_root(const struct stage *s, struct err *err)
{
    struct fs_info old;
    if (s->old_tree[0] == '\0')
        return E_OK;
    enum errc rc = s->p->fs->stat_link(s->p->self, s->old_tree, &old, err);
    return rc == E_OK ? s->p->fs->set_mode(s->p->self, s->tree, old.mode, err) : rc;
}

/* --- the order */

static enum errc make_roots(const struct stage *s, struct err *err)
{
    enum errc rc = s->p->fs->make_private_folder(s->p->self, s->tree, err);
    if (rc == E_OK)
        rc = s->p->fs->make_private_folder(s->p->self, s->pristine, err);
    return rc;
}

static enum errc flush(const struct stage *s, struct err *err)
{
    enum errc rc = s->p->fs->flush_tree(s->p->self, s->tree, err);
    if (rc == E_OK)
        rc = s->p->fs->flush_tree(s->p->self, s->pristine, err);
    if (rc == E_OK)
        rc = setup_sync_parent(s->p, s->tree, err);
    return rc == E_OK ? setup_sync_parent(s->p, s->pristine, err) : rc;
}

static enum errc build(struct stage *s, struct verified_package *package, struct err *err)
{
    enum errc rc = make_roots(s, err);
    if (rc == E_OK)
        rc = make_listed_folders(s, err);
    if (rc == E_OK)
        rc = stage_reuse_all(s, err);
    if (rc == E_OK)
        rc = stage_unpack(s, package, err);
    if (rc == E_OK)
        rc = stage_configure_all(s, err);
    if (rc != E_OK || s->report->n_stops > 0)
        return rc;
    rc = stage_carry_all(s, err);
    if (rc == E_OK)
        rc = make_room_for_data(s, err);
    if (rc == E_OK)
        rc = dress_folder(s, "", err);
    if (rc == E_OK)
        rc = dress_root(s, err);
    return rc == E_OK ? flush(s, err) : rc;
}

enum errc stage_build(const struct stage_ask *ask, struct verified_package *package,
                      struct stage_report *report, struct stage **out, struct err *err)
{
    struct stage *s = NULL;
    *report = (struct stage_report){ .n_files = 0 };
    enum errc rc = stage_new(ask, verified_package_payload(package), report, &s, err);
    if (rc == E_OK)
        rc = build(s, package, err);
    if (rc == E_OK)
        *out = s;
    else
        stage_free(s);
    return rc;
}

void stage_moved(struct stage *s, const char *tree)
{
    text_copy(s->tree, sizeof(s->tree), tree);
}

enum errc stage_refresh(struct stage *s, struct err *err)
{
    struct stage_report again = { .n_files = 0 };
    if (s == NULL)
        return err_set(err, E_ARGUMENT, "nothing is known of how the tree was made");
    s->report = &again;
    enum errc rc = stage_configure_changed(s, err);
    if (rc == E_OK)
        rc = stage_carry_changed(s, err);
    s->report = NULL;
    return rc == E_OK ? s->p->fs->flush_tree(s->p->self, s->tree, err) : rc;
}
