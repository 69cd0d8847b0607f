#include "platform/mock/disk.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "platform/base/text.h"
#include "platform/mock/mock_private.h"

#define LINKS_MAX 16

/* --- names in a folder */

int disk_compare(const struct disk *d, const char *a, const char *b)
{
    for (; *a != '\0' && *b != '\0'; a++, b++) {
        int x = (unsigned char)*a, y = (unsigned char)*b;
        if (d->is_windows && x >= 'A' && x <= 'Z')
            x += 'a' - 'A';
        if (d->is_windows && y >= 'A' && y <= 'Z')
            y += 'a' - 'A';
        if (x != y)
            return x - y;
    }
    return (unsigned char)*a - (unsigned char)*b;
}

/* Where the name is, or would be. */
static size_t find_name(const struct disk *d, const struct disk_names *names, const char *name,
                        bool *out_found)
{
    size_t i = 0;
    int order = 1;
    while (i < names->n && (order = disk_compare(d, names->items[i].text, name)) < 0)
        i++;
    *out_found = i < names->n && order == 0;
    return i;
}

struct disk_node *disk_names_get(const struct disk *d, const struct disk_names *names,
                                 const char *name)
{
    bool found = false;
    const size_t i = find_name(d, names, name, &found);
    return found ? names->items[i].node : NULL;
}

void disk_names_set(const struct disk *d, struct disk_names *names, const char *name,
                    struct disk_node *node)
{
    bool found = false;
    const size_t i = find_name(d, names, name, &found);
    if (found && node != NULL) {
        names->items[i].node = node;
    } else if (found) {
        free(names->items[i].text);
        memmove(&names->items[i], &names->items[i + 1],
                (names->n - i - 1) * sizeof(names->items[0]));
        names->n--;
    } else if (node != NULL) {
        names->items = mock_grow(names->items, names->n, &names->room, sizeof(names->items[0]));
        memmove(&names->items[i + 1], &names->items[i], (names->n - i) * sizeof(names->items[0]));
        names->items[i] = (struct disk_name){ mock_text(name), node };
        names->n++;
    }
}

void disk_names_fini(struct disk_names *names)
{
    for (size_t i = 0; i < names->n; i++)
        free(names->items[i].text);
    free(names->items);
    *names = (struct disk_names){ NULL, 0, 0 };
}

/* --- nodes */

struct disk_node *disk_node_new(struct disk *d, size_t volume, enum fs_kind kind, unsigned mode)
{
    struct disk_node *node = mock_calloc(1, sizeof(*node));
    node->next = d->nodes;
    d->nodes = node;
    node->number = ++d->n_numbers;
    node->volume = volume;
    node->kind = kind;
    node->meta = (struct disk_meta){ .mode = mode, .mtime_ns = d->now_ns++ };
    node->stable_meta = node->meta;
    buf_init(&node->bytes, SIZE_MAX / 4);
    buf_init(&node->stable_bytes, SIZE_MAX / 4);
    return node;
}

static void change_fini(struct disk_change *change)
{
    for (size_t i = 0; i < change->n; i++)
        free(change->set[i].name);
}

void disk_init(struct disk *d, bool is_windows)
{
    memset(d, 0, sizeof(*d));
    d->is_windows = is_windows;
    d->now_ns = 1;
}

void disk_fini(struct disk *d)
{
    struct disk_node *next;
    for (struct disk_node *node = d->nodes; node != NULL; node = next) {
        next = node->next;
        free(node->target);
        buf_fini(&node->bytes);
        buf_fini(&node->stable_bytes);
        disk_names_fini(&node->names);
        disk_names_fini(&node->stable_names);
        free(node);
    }
    for (size_t i = 0; i < d->n_pending; i++)
        change_fini(&d->pending[i]);
    free(d->pending);
}

void disk_mount(struct disk *d, const char *path, uint64_t capacity)
{
    struct disk_place place;
    const size_t volume = d->n_volumes++;
    assert(volume < DISK_VOLUMES_MAX);
    struct disk_node *root = disk_node_new(d, volume, FS_FOLDER, 0755);
    d->volumes[volume] = (struct disk_volume){ capacity, false, !d->is_windows, root };
    if (volume == 0)
        return;
    if (disk_find(d, path, true, &place, NULL) != E_OK || place.folder == NULL)
        abort();
    disk_names_set(d, &place.folder->names, place.name, root);
    disk_names_set(d, &place.folder->stable_names, place.name, root);
}

/* --- walking */

static size_t part_of(const struct disk *d, const char *path)
{
    return strcspn(path, d->is_windows ? "/\\" : "/");
}

struct walk {
    struct disk *d;
    struct disk_node *above[64]; /* the folders that we came through */
    size_t n;
    unsigned n_links;
};

static enum errc walk_path(struct walk *w, const char *path, bool follows, struct disk_place *out,
                           struct err *err);

static enum errc enter(struct walk *w, struct disk_node *folder, struct err *err)
{
    if (w->n == ARRAY_LEN(w->above))
        return err_set(err, E_LIMIT, "lies too deep");
    w->above[w->n++] = folder;
    return E_OK;
}

static enum errc follow(struct walk *w, const struct disk_node *link, bool follows,
                        struct disk_place *out, struct err *err)
{
    if (w->n_links++ == LINKS_MAX)
        return err_set(err, E_ACCESS, "leads through too many links");
    return walk_path(w, link->target, follows, out, err);
}

/* One part of a path, in the folder that we are in. */
static enum errc step_into(struct walk *w, const char *part, size_t len, bool is_last, bool follows,
                           struct disk_place *out, struct err *err)
{
    struct disk_node *folder = w->above[w->n - 1];
    const bool is_up = len == 2 && memcmp(part, "..", 2) == 0;
    if (is_up || (len == 1 && part[0] == '.')) {
        w->n -= is_up && w->n > 1;
        *out = (struct disk_place){ .folder = NULL, .node = w->above[w->n - 1] };
        return E_OK;
    }
    if (len >= sizeof(out->name))
        return err_set(err, E_LIMIT, "has too long a name in it");
    memcpy(out->name, part, len);
    out->name[len] = '\0';
    out->folder = folder;
    out->node = disk_names_get(w->d, &folder->names, out->name);
    if (out->node != NULL && out->node->kind == FS_LINK && (!is_last || follows)) {
        enum errc rc = follow(w, out->node, true, out, err);
        if (rc != E_OK || is_last)
            return rc;
    }
    if (is_last)
        return E_OK;
    if (out->node == NULL)
        return err_set(err, E_ABSENT, "is not there, nor is its folder");
    if (out->node->kind != FS_FOLDER)
        return err_set(err, E_ABSENT, "is not there: a file is in the way");
    return enter(w, out->node, err);
}

static enum errc walk_path(struct walk *w, const char *path, bool follows, struct disk_place *out,
                           struct err *err)
{
    enum errc rc = E_OK;
    const char *at = path;
    if (part_of(w->d, path) == 0 && path[0] != '\0')
        w->n = 1;
    *out = (struct disk_place){ .folder = NULL, .node = w->above[w->n - 1] };
    while (rc == E_OK) {
        while (*at != '\0' && part_of(w->d, at) == 0)
            at++;
        if (*at == '\0')
            return E_OK;
        const size_t len = part_of(w->d, at);
        const char *next = at + len;
        while (*next != '\0' && part_of(w->d, next) == 0)
            next++;
        rc = step_into(w, at, len, *next == '\0', follows || at[len] != '\0', out, err);
        at = next;
    }
    return rc;
}

enum errc disk_find(struct disk *d, const char *path, bool follows, struct disk_place *out,
                    struct err *err)
{
    struct walk w = { .d = d, .above = { d->volumes[0].root }, .n = 1 };
    return walk_path(&w, path, follows, out, err);
}

enum errc disk_get(struct disk *d, const char *path, bool follows, struct disk_node **out,
                   struct err *err)
{
    struct disk_place place;
    enum errc rc = disk_find(d, path, follows, &place, err);
    if (rc == E_OK && place.node == NULL)
        rc = err_set(err, E_ABSENT, "is not there");
    if (rc == E_OK)
        *out = place.node;
    return rc;
}

/* --- looking */

uint64_t disk_n_links(const struct disk *d, const struct disk_node *node)
{
    uint64_t n = 0;
    for (const struct disk_node *folder = d->nodes; folder != NULL; folder = folder->next)
        for (size_t i = 0; i < folder->names.n; i++)
            n += folder->names.items[i].node == node;
    return n;
}

/* Files without a name count while somebody has them open. */
static bool is_in_use(const struct disk *d, const struct disk_node *node)
{
    return node->n_readers > 0 || node->n_writers > 0 || disk_n_links(d, node) > 0;
}

uint64_t disk_free_bytes(const struct disk *d, size_t volume)
{
    uint64_t used = 0;
    const uint64_t capacity = d->volumes[volume].capacity;
    if (capacity == UINT64_MAX)
        return UINT64_MAX;
    for (const struct disk_node *node = d->nodes; node != NULL; node = node->next)
        if (node->volume == volume && node->kind == FS_FILE && node->bytes.len > 0 &&
            is_in_use(d, node))
            used += node->bytes.len;
    return used < capacity ? capacity - used : 0;
}

bool disk_is_root_of_volume(const struct disk *d, const struct disk_node *node)
{
    return d->volumes[node->volume].root == node;
}

bool disk_has_open(const struct disk_node *node)
{
    if (node->n_readers > 0 || node->n_writers > 0)
        return true;
    for (size_t i = 0; i < node->names.n; i++)
        if (disk_has_open(node->names.items[i].node))
            return true;
    return false;
}

/* --- changing */

static enum errc may_change(struct disk *d, size_t volume, enum fault_kind kind, const char *what,
                            const char *path, bool *out_ignored, struct err *err)
{
    *out_ignored = false;
    if (d->volumes[volume].is_read_only)
        return err_set(err, E_ACCESS, "is on a volume that is read-only");
    return fault_ask(d->plan, kind, what, path, out_ignored, err);
}

static void remember(struct disk *d, const struct disk_change *change)
{
    d->pending = mock_grow(d->pending, d->n_pending, &d->room_pending, sizeof(d->pending[0]));
    struct disk_change *own = &d->pending[d->n_pending++];
    *own = *change;
    own->is_stable = false;
    for (size_t i = 0; i < own->n; i++)
        own->set[i].name = mock_text(change->set[i].name);
}

enum errc disk_change(struct disk *d, const struct disk_change *change, const char *what,
                      const char *path, struct err *err)
{
    bool is_ignored = false;
    enum errc rc =
        may_change(d, change->set[0].folder->volume, FAULT_CHANGE, what, path, &is_ignored, err);
    if (rc != E_OK || is_ignored)
        return rc;
    for (size_t i = 0; i < change->n; i++) {
        disk_names_set(d, &change->set[i].folder->names, change->set[i].name, change->set[i].node);
        change->set[i].folder->meta.mtime_ns = d->now_ns++;
    }
    remember(d, change);
    return E_OK;
}

enum errc disk_write(struct disk *d, struct disk_node *file, struct span bytes, const char *path,
                     struct err *err)
{
    bool is_ignored = false;
    enum errc rc = may_change(d, file->volume, FAULT_CHANGE, "write", path, &is_ignored, err);
    if (rc == E_OK && disk_free_bytes(d, file->volume) < bytes.len)
        rc = err_set(err, E_SPACE, "cannot be written: no space left on the device");
    if (rc != E_OK || is_ignored)
        return rc;
    file->is_dirty = true;
    file->meta.mtime_ns = d->now_ns++;
    return buf_add(&file->bytes, bytes, err);
}

enum errc disk_cut(struct disk *d, struct disk_node *file, size_t size, const char *path,
                   struct err *err)
{
    bool is_ignored = false;
    enum errc rc = may_change(d, file->volume, FAULT_CHANGE, "cut", path, &is_ignored, err);
    if (rc != E_OK || is_ignored)
        return rc;
    file->is_dirty = true;
    file->meta.mtime_ns = d->now_ns++;
    file->bytes.len = size < file->bytes.len ? size : file->bytes.len;
    return E_OK;
}

enum errc disk_set_meta(struct disk *d, struct disk_node *node, const struct disk_meta *meta,
                        const char *what, const char *path, struct err *err)
{
    bool is_ignored = false;
    enum errc rc = may_change(d, node->volume, FAULT_CHANGE, what, path, &is_ignored, err);
    if (rc != E_OK || is_ignored)
        return rc;
    node->is_dirty = true;
    node->meta = *meta;
    return E_OK;
}
