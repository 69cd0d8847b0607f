/* Files that no release lists and that come along: copies, so that the old tree stays whole. */

#include <stdlib.h>
#include <string.h>

#include "installer/core/copy.h"
#include "installer/core/stage_private.h"

static enum errc carry_one(struct stage *s, const struct survey_entry *e, struct err *err)
{
    char from[SETUP_PATH_ROOM], to[SETUP_PATH_ROOM];
    bool left_out = false;
    enum errc rc = stage_old_path(s, e->path, from, err);
    if (rc == E_OK)
        rc = stage_path(s, e->path, to, err);
    if (rc == E_OK)
        rc = stage_make_parents(s, s->tree, e->path, err);
    if (rc == E_OK)
        rc = copy_one(s->p, from, to, &e->info, &left_out, err);
    if (rc == E_EXISTS && e->info.kind == FS_FOLDER)
        rc = E_OK;
    if (rc == E_ABSENT)
        rc = E_OK; /* gone meanwhile: the look after the stop decides */
    return rc == E_OK ? rc : err_prefix(err, "%.120s: ", e->path);
}

enum errc stage_carry_all(struct stage *s, struct err *err)
{
    const struct survey *survey = s->ask.survey;
    enum errc rc = E_OK;
    for (size_t i = 0; survey != NULL && i < survey->n && rc == E_OK; i++) {
        const struct survey_entry *e = &survey->entries[i];
        if (e->class != SURVEY_CARRY)
            continue;
        rc = carry_one(s, e, err);
        if (rc == E_OK && e->info.kind != FS_FOLDER)
            rc = stage_take(s, e->path, &e->info, err);
    }
    return rc;
}

/* --- after the stop */

static enum errc drop_carried(struct stage *s, const char *path, struct err *err)
{
    char made[SETUP_PATH_ROOM];
    enum errc rc = stage_path(s, path, made, err);
    if (rc == E_OK)
        rc = s->p->fs->remove(s->p->self, made, err);
    return rc == E_ABSENT ? E_OK : rc;
}

/* is_taken_along: what came since the first look is never left behind unasked. */
static bool is_taken_along(const struct stage *s, const struct survey_entry *e)
{
    return e->class == SURVEY_CARRY ||
           (e->class == SURVEY_STOP && survey_find(s->ask.survey, e->path) == NULL &&
            (e->info.kind == FS_FILE || e->info.kind == FS_LINK || e->info.kind == FS_FOLDER));
}

static enum errc carry_if_changed(struct stage *s, const struct survey_entry *e, struct err *err)
{
    const struct survey_entry *before = survey_find(s->ask.survey, e->path);
    if (before != NULL && stage_is_same(&before->info, &e->info))
        return E_OK;
    if (before != NULL && e->info.kind == FS_FOLDER)
        return E_OK; /* its time changed with what is in it */
    enum errc rc = e->info.kind != FS_FOLDER ? drop_carried(s, e->path, err) : E_OK;
    return rc == E_OK ? carry_one(s, e, err) : rc;
}

static enum errc drop_gone(struct stage *s, const struct survey *now, struct err *err)
{
    enum errc rc = E_OK;
    for (size_t i = 0; i < s->n_taken && rc == E_OK; i++)
        if (!stage_is_configuration(s, s->taken[i].path) &&
            survey_find(now, s->taken[i].path) == NULL)
            rc = drop_carried(s, s->taken[i].path, err);
    return rc;
}

enum errc stage_carry_changed(struct stage *s, struct err *err)
{
    struct survey *now = NULL;
    if (s->ask.survey == NULL || s->old_tree[0] == '\0')
        return E_OK;
    enum errc rc = survey_make(s->ask.setup, s->old_tree, s->ask.installed, s->payload, &now, err);
    for (size_t i = 0; rc == E_OK && i < now->n; i++)
        if (is_taken_along(s, &now->entries[i]))
            rc = carry_if_changed(s, &now->entries[i], err);
    if (rc == E_OK)
        rc = drop_gone(s, now, err);
    survey_free(now);
    return rc;
}
