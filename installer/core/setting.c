#include "installer/core/setting.h"

#include <stdio.h>
#include <string.h>

#include "platform/base/text.h"

/* A setting of a file, and where that is. */
struct place {
    struct platform *p;
    const struct product_setting *setting;
    char path[SETUP_PATH_ROOM];
    char beside[SETUP_PATH_ROOM]; /* while it is changed */
};

/* What could be found out, or not, is about this. */
static enum errc about(const struct product_setting *s, struct err *err)
{
    char file[120], key[80];
    return err_prefix(
        err, "%s: %s: ",
        text_printable(span_text(s->file != NULL ? s->file : s->registry), file, sizeof(file)),
        text_printable(span_text(s->file != NULL ? s->key : s->value), key, sizeof(key)));
}

static enum errc find_place(const struct setup *setup, const struct product_setting *setting,
                            struct place *out, struct err *err)
{
    *out = (struct place){ .p = setup->platform, .setting = setting };
    return setup_resolve(setup, setting->file, out->path, err);
}

static enum errc get(const struct place *place, struct setting_found *found, struct err *err)
{
    struct buf bytes;
    enum errc rc = platform_read_file(place->p, place->path, SETTING_FILE_MAX, &bytes, err);
    if (rc != E_OK)
        return rc;
    rc = setting_find((enum setting_format)place->setting->format, buf_span(&bytes),
                      place->setting->key, found, err);
    buf_fini(&bytes);
    return rc;
}

static enum errc get_of_file(const struct setup *setup, const struct product_setting *setting,
                             char out[SETTING_VALUE_MAX + 1], bool *out_found, struct err *err)
{
    struct place place;
    struct setting_found found = { .is_found = false };
    enum errc rc = find_place(setup, setting, &place, err);
    if (rc == E_OK)
        rc = get(&place, &found, err);
    if (rc != E_OK && rc != E_ABSENT)
        return rc;
    *out_found = found.is_found;
    if (found.is_found)
        (void)text_copy(out, SETTING_VALUE_MAX + 1, found.text);
    return E_OK;
}

static enum errc get_of_registry(const struct setup *setup, const struct product_setting *setting,
                                 char out[SETTING_VALUE_MAX + 1], bool *out_found, struct err *err)
{
    struct platform *p = setup->platform;
    return p->registry->get(p->self, setting->registry, setting->value, out, SETTING_VALUE_MAX + 1,
                            out_found, err);
}

enum errc setting_get(const struct setup *setup, const struct product_setting *setting,
                      char out[SETTING_VALUE_MAX + 1], bool *out_found, struct err *err)
{
    enum errc rc = setting->file != NULL ? get_of_file(setup, setting, out, out_found, err)
                                         : get_of_registry(setup, setting, out, out_found, err);
    if (rc != E_OK)
        (void)about(setting, err);
    return rc;
}

/* ------------------------------------------------------------------------------------------
 * changing */

static bool is_same_file(const struct fs_info *a, const struct fs_info *b)
{
    return a->kind == b->kind && a->id[0] == b->id[0] && a->id[1] == b->id[1] &&
           a->size == b->size && a->mtime_ns == b->mtime_ns;
}

static enum errc look(const struct place *place, struct fs_info *out, struct err *err)
{
    enum errc rc = place->p->fs->stat_link(place->p->self, place->path, out, err);
    if (rc != E_OK)
        return rc;
    switch (out->kind) {
    case FS_ABSENT: return err_set(err, E_ABSENT, "the file is not there");
    case FS_FILE: break;
    case FS_LINK: return err_set(err, E_UNSUPPORTED, "is a link: name the file that it leads to");
    default: return err_set(err, E_ARGUMENT, "is no file");
    }
    if (out->n_links > 1)
        return err_set(err, E_UNSUPPORTED,
                       "the file has a second name (a hard link), which would keep the old value");
    return E_OK;
}

/* What one of us who was killed has left. */
static enum errc clear_beside(const struct place *place, struct err *err)
{
    enum errc rc = place->p->fs->remove(place->p->self, place->beside, err);
    return rc == E_ABSENT ? E_OK : rc;
}

/* The new file beside the old one, with all that this has but its bytes. */
static enum errc write_beside(const struct place *place, struct span bytes, struct err *err)
{
    struct platform *p = place->p;
    enum errc rc =
        platform_write_file(p, place->beside, bytes, SINK_PRIVATE | SINK_NO_REPLACE, err);
    return rc == E_OK ? p->fs->copy_owner_and_attributes(p->self, place->path, place->beside, err)
                      : rc;
}

static enum errc check_beside(const struct place *place, const struct fs_info *read,
                              struct err *err)
{
    struct fs_info old = { .kind = FS_ABSENT };
    enum errc rc = place->p->fs->stat_link(place->p->self, place->beside, &old, err);
    if (rc == E_OK && !is_same_file(&old, read))
        return err_set(err, E_BUSY, "somebody else changed the file meanwhile; try again");
    return rc;
}

/* One step; what was there is beside then. If that is not what was read, it goes back. */
static enum errc swap(const struct place *place, const struct fs_info *read, struct err *err)
{
    struct platform *p = place->p;
    enum errc rc = p->fs->exchange(p->self, place->beside, place->path, err);
    if (rc != E_OK)
        return rc;
    rc = check_beside(place, read, err);
    if (rc != E_OK) {
        enum errc back = p->fs->exchange(p->self, place->beside, place->path, NULL);
        rc = back == E_OK ? rc : err_set(err, back, "cannot take back what was put in its place");
    }
    return rc;
}

/* For file systems that can't swap: the old file's second name keeps what it is like, while the
 * sink puts a private one in its place. */
static enum errc replace(const struct place *place, const struct fs_info *read, struct span bytes,
                         struct err *err)
{
    struct platform *p = place->p;
    enum errc rc = clear_beside(place, err);
    if (rc == E_OK)
        rc = p->fs->hard_link(p->self, place->path, place->beside, err);
    if (rc == E_OK)
        rc = check_beside(place, read, err);
    if (rc == E_OK)
        rc = platform_write_file(p, place->path, bytes, SINK_PRIVATE, err);
    if (rc != E_OK)
        return rc;
    rc = p->fs->copy_owner_and_attributes(p->self, place->beside, place->path, err);
    if (rc != E_OK && p->fs->remove(p->self, place->path, NULL) == E_OK)
        (void)p->fs->rename_new(p->self, place->beside, place->path, NULL);
    return rc;
}

static enum errc put(struct place *place, const struct fs_info *read, struct span bytes,
                     struct err *err)
{
    struct platform *p = place->p;
    enum errc rc = write_beside(place, bytes, err);
    if (rc == E_OK)
        rc = swap(place, read, err);
    if (rc == E_UNSUPPORTED)
        rc = replace(place, read, bytes, err);
    (void)p->fs->remove(p->self, place->beside, NULL);
    if (rc != E_OK)
        return rc;
    char folder[SETUP_PATH_ROOM];
    setup_parent(place->beside, folder);
    return p->fs->sync_folder(p->self, folder, err);
}

static enum errc change(struct place *place, const char *value, struct err *err)
{
    const enum setting_format format = (enum setting_format)place->setting->format;
    struct fs_info read;
    struct buf bytes, new;
    enum errc rc = clear_beside(place, err);
    if (rc == E_OK)
        rc = look(place, &read, err);
    if (rc == E_OK)
        rc = platform_read_file(place->p, place->path, SETTING_FILE_MAX, &bytes, err);
    if (rc != E_OK)
        return rc;
    buf_init(&new, SETTING_FILE_MAX);
    rc = setting_replace(format, buf_span(&bytes), place->setting->key, value, &new, err);
    if (rc == E_OK && !span_equal(buf_span(&bytes), buf_span(&new)))
        rc = put(place, &read, buf_span(&new), err);
    buf_fini(&new);
    buf_fini(&bytes);
    return rc;
}

static enum errc set_in_file(const struct setup *setup, const struct product_setting *setting,
                             const char *value, struct err *err)
{
    struct place place;
    enum errc rc = find_place(setup, setting, &place, err);
    if (rc != E_OK)
        return rc;
    int n = snprintf(place.beside, sizeof(place.beside), "%s.surefoot-new", place.path);
    if (n < 0 || (size_t)n >= sizeof(place.beside))
        return err_set(err, E_LIMIT, "the path is too long");
    return change(&place, value, err);
}

static enum errc set_in_registry(const struct setup *setup, const struct product_setting *setting,
                                 const char *value, struct err *err)
{
    struct platform *p = setup->platform;
    char old[SETTING_VALUE_MAX + 1];
    bool found = false;
    enum errc rc = get_of_registry(setup, setting, old, &found, err);
    if (rc == E_OK && !found)
        return err_set(err, E_ABSENT, "the value is not there");
    if (rc != E_OK || strcmp(old, value) == 0)
        return rc;
    return p->registry->set(p->self, setting->registry, setting->value, value, err);
}

enum errc setting_set(const struct setup *setup, const struct product_setting *setting,
                      const char *value, struct err *err)
{
    enum errc rc = setting->file != NULL ? set_in_file(setup, setting, value, err)
                                         : set_in_registry(setup, setting, value, err);
    if (rc != E_OK)
        (void)about(setting, err);
    return rc;
}
