#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "installer/core/place.h"
#include "installer/core/stage.h"
#include "platform/base/text.h"

/* --- on which side we are */

static enum errc id_of(const struct place *p, const char *path, char to[PLACE_ID_ROOM],
                       struct err *err)
{
    struct platform *m = p->setup->platform;
    struct fs_info info;
    enum errc rc = m->fs->stat_link(m->self, path, &info, err);
    if (rc == E_OK && info.kind == FS_FOLDER)
        (void)snprintf(to, PLACE_ID_ROOM, "%" PRIx64, info.id[1]);
    else if (rc == E_OK)
        (void)snprintf(to, PLACE_ID_ROOM, "none");
    return rc;
}

enum errc place_id(const struct place *p, const char *new_name, char to[PLACE_ID_ROOM],
                   struct err *err)
{
    char path[SETUP_PATH_ROOM];
    if (p->mode == STATE_SWITCH_MSI) {
        (void)snprintf(to, PLACE_ID_ROOM, "msi"); /* its package says which it is */
        return E_OK;
    }
    enum errc rc = place_put_away(p, new_name, path, err);
    if (rc == E_OK)
        rc = id_of(p, path, to, err);
    if (rc == E_OK && strcmp(to, "none") == 0)
        rc = err_set(err, E_ABSENT, "there is no tree %s", new_name);
    return rc;
}

static enum errc is_exchanged(const struct place *p, const char *new_name, const char *new_id,
                              bool *out, struct err *err)
{
    char path[SETUP_PATH_ROOM], away[PLACE_ID_ROOM], in_place[PLACE_ID_ROOM];
    enum errc rc = place_staged(p, new_name, path, err);
    if (rc == E_OK)
        rc = id_of(p, path, away, err);
    if (rc == E_OK)
        rc = id_of(p, p->setup->install, in_place, err);
    if (rc != E_OK)
        return rc;
    if ((strcmp(away, new_id) == 0) == (strcmp(in_place, new_id) == 0))
        return err_set(err, E_MALFORMED,
                       "the tree %s is neither where it was made nor in the install folder",
                       new_name);
    *out = strcmp(in_place, new_id) == 0;
    return E_OK;
}

static enum errc is_pointed(const struct place *p, const char *new_name, bool *out, struct err *err)
{
    char current[SETUP_PATH_ROOM], wanted[SETUP_PATH_ROOM];
    bool there = false;
    enum errc rc = place_current(p, current, &there, err);
    if (rc == E_OK)
        rc = place_put_away(p, new_name, wanted, err);
    if (rc == E_OK)
        *out = there && strcmp(current, wanted) == 0;
    return rc;
}

enum errc place_is_switched(const struct place *p, const char *new_name, const char *new_id,
                            bool *out, struct err *err)
{
    return p->mode == STATE_SWITCH_POINTER ? is_pointed(p, new_name, out, err)
                                           : is_exchanged(p, new_name, new_id, out, err);
}

/* --- the one step */

static enum errc point_to(const struct place *p, const char *name, struct err *err)
{
    struct platform *m = p->setup->platform;
    char link[SETUP_PATH_ROOM], target[STATE_TREE_ROOM + 16];
    (void)snprintf(target, sizeof(target), "versions/%s", name);
    enum errc rc = setup_join(p->setup->install, "current", link, err);
    if (rc == E_OK && name[0] == '\0')
        rc = m->fs->remove(m->self, link, err);
    else if (rc == E_OK)
        rc = m->fs->point(m->self, link, target, err);
    return rc;
}

static enum errc sync_switch(const struct place *p, const char *new_name, struct err *err)
{
    struct platform *m = p->setup->platform;
    char run[SETUP_PATH_ROOM];
    if (p->mode == STATE_SWITCH_POINTER)
        return m->fs->sync_folder(m->self, p->setup->install, err);
    enum errc rc = place_run(p, new_name, run, err);
    if (rc == E_OK)
        rc = setup_sync_parent(m, p->setup->install, err);
    return rc == E_OK ? m->fs->sync_folder(m->self, run, err) : rc;
}

static enum errc swap(const struct place *p, const char *new_name, bool has_old, bool is_back,
                      struct err *err)
{
    struct platform *m = p->setup->platform;
    const char *folder = p->setup->install;
    char staged[SETUP_PATH_ROOM];
    enum errc rc = place_staged(p, new_name, staged, err);
    if (rc != E_OK)
        return rc;
    if (has_old)
        return m->fs->exchange(m->self, folder, staged, err);
    return m->fs->rename_new(m->self, is_back ? folder : staged, is_back ? staged : folder, err);
}

/* What is so already may have been made so by a run that died before it was flushed. */
static enum errc turn(const struct place *p, const char *new_name, const char *old_name,
                      const char *new_id, bool is_back, struct err *err)
{
    bool is_switched = false;
    enum errc rc = place_is_switched(p, new_name, new_id, &is_switched, err);
    if (rc != E_OK)
        return rc;
    if (is_switched == is_back)
        rc = p->mode == STATE_SWITCH_POINTER ? point_to(p, is_back ? old_name : new_name, err)
                                             : swap(p, new_name, old_name[0] != '\0', is_back, err);
    if (rc == E_OK)
        rc = sync_switch(p, new_name, err);
    return rc == E_OK ? rc : err_prefix(err, is_back ? "switching back: " : "switching: ");
}

enum errc place_switch(const struct place *p, const char *new_name, const char *old_name,
                       const char *new_id, struct err *err)
{
    return turn(p, new_name, old_name, new_id, false, err);
}

enum errc place_switch_back(const struct place *p, const char *new_name, const char *old_name,
                            const char *new_id, struct err *err)
{
    return turn(p, new_name, old_name, new_id, true, err);
}

/* --- before and after */

enum errc place_prepare(const struct place *p, const char *name, struct err *err)
{
    struct platform *m = p->setup->platform;
    char staged[SETUP_PATH_ROOM], away[SETUP_PATH_ROOM], versions[SETUP_PATH_ROOM];
    struct fs_info info;
    if (p->mode != STATE_SWITCH_POINTER)
        return E_OK;
    enum errc rc = place_versions(p, versions, err);
    if (rc == E_OK)
        rc = place_staged(p, name, staged, err);
    if (rc == E_OK)
        rc = place_put_away(p, name, away, err);
    if (rc == E_OK)
        rc = m->fs->stat_link(m->self, staged, &info, err);
    if (rc != E_OK || info.kind == FS_ABSENT)
        return rc;
    rc = setup_make_folder(m, versions, false, err);
    if (rc == E_OK || rc == E_EXISTS)
        rc = m->fs->rename_new(m->self, staged, away, err);
    return rc == E_OK ? m->fs->sync_folder(m->self, versions, err) : rc;
}

enum errc place_old_tree(const struct place *p, const char *new_name, const char *old_name,
                         bool is_switched, char to[SETUP_PATH_ROOM], struct err *err)
{
    if (p->mode == STATE_SWITCH_POINTER)
        return place_put_away(p, old_name, to, err);
    if (is_switched && p->mode == STATE_SWITCH_EXCHANGE)
        return place_staged(p, new_name, to, err);
    text_copy(to, SETUP_PATH_ROOM, p->setup->install);
    return E_OK;
}

enum errc place_new_tree(const struct place *p, const char *new_name, bool is_switched,
                         char to[SETUP_PATH_ROOM], struct err *err)
{
    if (p->mode == STATE_SWITCH_POINTER || (p->mode == STATE_SWITCH_EXCHANGE && !is_switched))
        return place_put_away(p, new_name, to, err);
    text_copy(to, SETUP_PATH_ROOM, p->setup->install);
    return E_OK;
}

static enum errc put_old_away(const struct place *p, const char *new_name, const char *old_name,
                              struct err *err)
{
    struct platform *m = p->setup->platform;
    char from[SETUP_PATH_ROOM], to[SETUP_PATH_ROOM], run[SETUP_PATH_ROOM];
    struct fs_info info;
    enum errc rc = place_staged(p, new_name, from, err);
    if (rc == E_OK)
        rc = m->fs->stat_link(m->self, from, &info, err);
    if (rc != E_OK || old_name[0] == '\0')
        return rc;
    rc = place_staged(p, old_name, to, err);
    if (rc == E_OK && info.kind == FS_ABSENT)
        return setup_sync_again(m, to, err);
    if (rc == E_OK)
        rc = place_run(p, old_name, run, err);
    if (rc == E_OK)
        rc = setup_make_folder(m, run, true, err);
    if (rc == E_OK || rc == E_EXISTS)
        rc = m->fs->rename_new(m->self, from, to, err);
    return rc == E_OK ? m->fs->sync_folder(m->self, run, err) : rc;
}

enum errc place_settle(const struct place *p, const char *new_name, const char *old_name,
                       struct err *err)
{
    char run[SETUP_PATH_ROOM];
    enum errc rc = E_OK;
    if (p->mode == STATE_SWITCH_MSI)
        return E_OK; /* the package stays, to come back to */
    if (p->mode == STATE_SWITCH_EXCHANGE)
        rc = put_old_away(p, new_name, old_name, err);
    if (rc == E_OK)
        rc = place_run(p, new_name, run, err);
    return rc == E_OK ? stage_sweep(p->setup->platform, run, err) : rc;
}

enum errc place_discard(const struct place *p, const char *name, struct err *err)
{
    char path[SETUP_PATH_ROOM];
    enum errc rc = place_put_away(p, name, path, err);
    if (rc == E_OK)
        rc = stage_sweep(p->setup->platform, path, err);
    if (rc == E_OK)
        rc = place_run(p, name, path, err);
    return rc == E_OK ? stage_sweep(p->setup->platform, path, err) : rc;
}
