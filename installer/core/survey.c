#include "installer/core/survey.h"

#include <stdlib.h>
#include <string.h>

#include "manifest/arena.h"
#include "platform/base/text.h"

#define PATH_ROOM 4096
#define DEPTH_MAX 128
#define ARENA_MAX (512 * 1024 * 1024)

struct walk {
    const struct setup *setup;
    struct platform *p;
    const struct payload *installed, *coming; /* either may be NULL */
    char root[SETUP_PATH_ROOM];
    uint64_t volume; /* of the tree */
    struct survey *s;
    size_t n_room;
    struct arena *names;
};

/* --- what the releases list */

static bool lists(const struct payload *p, const char *path)
{
    return p != NULL && payload_lists(p, span_text(path));
}

/* --- what the product file says */

/* holds_named: does something that the product file names lie in this folder? */
static bool holds_named(const struct product_files *files, const char *folder)
{
    for (size_t i = 0; i < files->configuration.n; i++)
        if (product_files_is_in(files->configuration.items[i].path, folder))
            return true;
    for (size_t i = 0; i < files->data.n; i++)
        if (files->data.items[i].path != NULL &&
            product_files_is_in(files->data.items[i].path, folder))
            return true;
    for (size_t i = 0; i < files->exceptions.n; i++)
        if (files->exceptions.items[i].action != UNLISTED_STOP &&
            product_files_is_in(files->exceptions.items[i].path, folder))
            return true;
    return false;
}

static int rule_of(const struct product_files *files, const char *path)
{
    int action = files->unlisted;
    size_t longest = 0;
    for (size_t i = 0; i < files->exceptions.n; i++) {
        const struct files_unlisted *e = &files->exceptions.items[i];
        const size_t len = strlen(e->path);
        if ((strcmp(path, e->path) == 0 || product_files_is_in(path, e->path)) && len >= longest) {
            longest = len;
            action = e->action;
        }
    }
    return action;
}

static enum survey_class class_unlisted(const struct walk *w, const char *path,
                                        const struct fs_info *info)
{
    const struct product_files *files = &w->setup->product.files;
    if (info->kind == FS_FOLDER && holds_named(files, path))
        return SURVEY_CARRY;
    switch (rule_of(files, path)) {
    case UNLISTED_CARRY: /* a socket is made anew by whoever listens */
        return info->kind == FS_OTHER ? SURVEY_LEAVE : SURVEY_CARRY;
    case UNLISTED_LEAVE_BEHIND: return SURVEY_LEAVE;
    default: return SURVEY_STOP;
    }
}

/* --- sums */

struct sum {
    struct platform *p;
    const char *folder;
    uint64_t bytes;
    size_t depth;
};

static enum errc sum_path(struct platform *p, const char *path, uint64_t *io_bytes, size_t depth,
                          struct err *err);

static enum errc sum_name(void *ctx, const char *name, struct err *err)
{
    struct sum *sum = ctx;
    char path[SETUP_PATH_ROOM];
    enum errc rc = setup_join(sum->folder, name, path, err);
    return rc == E_OK ? sum_path(sum->p, path, &sum->bytes, sum->depth, err) : rc;
}

static enum errc sum_path(struct platform *p, const char *path, uint64_t *io_bytes, size_t depth,
                          struct err *err)
{
    struct fs_info info;
    enum errc rc = p->fs->stat_link(p->self, path, &info, err);
    if (rc != E_OK || info.kind == FS_ABSENT)
        return rc;
    if (depth == DEPTH_MAX)
        return err_set(err, E_LIMIT, "%.120s: more than %d folders deep", path, DEPTH_MAX);
    *io_bytes += info.size;
    if (info.kind != FS_FOLDER)
        return E_OK;
    struct sum sum = { .p = p, .folder = path, .depth = depth + 1 };
    rc = p->fs->list(p->self, path, sum_name, &sum, err);
    *io_bytes += sum.bytes;
    return rc;
}

/* Data that needs no copy needs no room. */
static enum errc sum_data(struct walk *w, struct err *err)
{
    const struct product_files *files = &w->setup->product.files;
    enum errc rc = E_OK;
    for (size_t k = 0; k < files->data.n && rc == E_OK; k++) {
        const struct files_data *d = &files->data.items[k];
        char path[SETUP_PATH_ROOM];
        if (d->protect != DATA_SNAPSHOT || (d->path != NULL && w->root[0] == '\0'))
            continue;
        rc = d->path != NULL ? setup_join(w->root, d->path, path, err)
                             : setup_resolve(w->setup, d->folder, path, err);
        if (rc == E_OK)
            rc = sum_path(w->p, path, &w->s->data_bytes[k], 0, err);
    }
    return rc;
}

/* --- the walk */

static enum errc add_entry(struct walk *w, const char *path, enum survey_class class,
                           const struct fs_info *info, struct err *err)
{
    struct survey *s = w->s;
    if (s->n == SURVEY_ENTRIES_MAX)
        return err_set(err, E_LIMIT, "more than %d files in the installed tree",
                       SURVEY_ENTRIES_MAX);
    if (s->n == w->n_room) {
        const size_t n_room = w->n_room == 0 ? 256 : w->n_room * 2;
        struct survey_entry *entries = realloc(s->entries, n_room * sizeof(*entries));
        if (entries == NULL)
            return err_nomem(err);
        s->entries = entries;
        w->n_room = n_room;
    }
    struct survey_entry *e = &s->entries[s->n];
    *e = (struct survey_entry){ .class = class, .info = *info };
    enum errc rc = arena_text(w->names, span_text(path), &e->path, err);
    if (rc != E_OK)
        return rc;
    s->n++;
    s->n_of[class]++;
    if (info->kind == FS_FILE && (class == SURVEY_CARRY || class == SURVEY_CONFIGURATION))
        s->carry_bytes += info->size;
    return E_OK;
}

static enum errc is_mounted(const struct walk *w, const char *path, const struct fs_info *info,
                            bool *out, struct err *err)
{
    *out = info->id[0] != w->volume;
    if (info->kind != FS_FOLDER || *out)
        return E_OK;
    enum errc rc = w->p->fs->is_mount_point(w->p->self, path, out, err);
    return rc == E_UNSUPPORTED ? E_OK : rc;
}

struct folder {
    struct walk *w;
    const char *rel; /* "" for the tree itself */
    size_t depth;
};

static enum errc walk_folder(struct walk *w, const char *rel, size_t depth, struct err *err);

static enum errc classify(struct walk *w, const char *rel, const char *path,
                          const struct fs_info *info, enum survey_class *out, struct err *err)
{
    const struct product_files *files = &w->setup->product.files;
    bool mounted = false;
    enum errc rc = is_mounted(w, path, info, &mounted, err);
    if (rc != E_OK)
        return rc;
    if (mounted)
        *out = SURVEY_FOREIGN;
    else if (product_files_find_data(files, rel) != NULL)
        *out = SURVEY_DATA;
    else if (info->kind == FS_FILE && product_files_find_configuration(files, rel) != NULL)
        *out = SURVEY_CONFIGURATION;
    else if (lists(w->installed, rel) || lists(w->coming, rel))
        *out = SURVEY_LISTED;
    else
        *out = class_unlisted(w, rel, info);
    return E_OK;
}

static enum errc walk_name(void *ctx, const char *name, struct err *err)
{
    const struct folder *f = ctx;
    struct walk *w = f->w;
    char rel[PATH_ROOM], path[SETUP_PATH_ROOM];
    struct fs_info info;
    enum survey_class class = SURVEY_STOP;
    enum errc rc = setup_join(f->rel, name, rel, err);
    if (rc == E_OK)
        rc = setup_join(w->root, rel, path, err);
    if (rc == E_OK)
        rc = w->p->fs->stat_link(w->p->self, path, &info, err);
    if (rc != E_OK || info.kind == FS_ABSENT)
        return rc;
    rc = classify(w, rel, path, &info, &class, err);
    if (rc == E_OK)
        rc = add_entry(w, rel, class, &info, err);
    if (rc == E_OK && info.kind == FS_FOLDER && class != SURVEY_DATA && class != SURVEY_FOREIGN)
        rc = walk_folder(w, rel, f->depth + 1, err);
    return rc;
}

static enum errc walk_folder(struct walk *w, const char *rel, size_t depth, struct err *err)
{
    struct folder f = { w, rel, depth };
    char path[SETUP_PATH_ROOM];
    enum errc rc = E_OK;
    if (depth == DEPTH_MAX)
        return err_set(err, E_LIMIT, "%.120s: more than %d folders deep", rel, DEPTH_MAX);
    rc = setup_join(w->root, rel, path, err);
    if (rc == E_OK)
        rc = w->p->fs->list(w->p->self, path, walk_name, &f, err);
    return rc;
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct survey_entry *)a)->path, ((const struct survey_entry *)b)->path);
}

static enum errc walk_tree(struct walk *w, struct err *err)
{
    struct fs_info root;
    enum errc rc = w->p->fs->stat_link(w->p->self, w->root, &root, err);
    if (rc == E_OK && root.kind != FS_FOLDER)
        rc = err_set(err, E_ARGUMENT, "is no folder");
    if (rc == E_OK) {
        w->volume = root.id[0];
        rc = walk_folder(w, "", 0, err);
    }
    if (rc == E_OK && w->s->n > 0)
        qsort(w->s->entries, w->s->n, sizeof(w->s->entries[0]), by_path);
    return rc == E_OK ? rc : err_prefix(err, "%.120s: ", w->root);
}

enum errc survey_make(const struct setup *setup, const char *tree, const struct payload *installed,
                      const struct payload *coming, struct survey **out, struct err *err)
{
    struct survey *s = calloc(1, sizeof(*s));
    struct arena *names = calloc(1, sizeof(*names));
    const size_t n_data = setup->product.files.data.n;
    if (s != NULL)
        s->data_bytes = calloc(n_data + 1, sizeof(s->data_bytes[0]));
    if (s == NULL || names == NULL || s->data_bytes == NULL) {
        if (s != NULL)
            free(s->data_bytes);
        free(s);
        free(names);
        return err_nomem(err);
    }
    arena_init(names, ARENA_MAX);
    s->memory = names;
    struct walk w = { .setup = setup,
                      .p = setup->platform,
                      .installed = installed,
                      .coming = coming,
                      .s = s,
                      .names = names };
    text_copy(w.root, sizeof(w.root), tree != NULL ? tree : "");
    enum errc rc = tree != NULL ? walk_tree(&w, err) : E_OK;
    if (rc == E_OK)
        rc = sum_data(&w, err);
    if (rc == E_OK)
        *out = s;
    else
        survey_free(s);
    return rc;
}

const struct survey_entry *survey_find(const struct survey *s, const char *path)
{
    const struct survey_entry key = { .path = path };
    return s->n == 0 ? NULL : bsearch(&key, s->entries, s->n, sizeof(s->entries[0]), by_path);
}

void survey_free(struct survey *s)
{
    if (s == NULL)
        return;
    arena_fini(s->memory);
    free(s->memory);
    free(s->entries);
    free(s->data_bytes);
    free(s);
}
