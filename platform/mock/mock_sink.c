/* Files that are read and written. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/base/text.h"
#include "platform/mock/mock_machine.h"

/* --- reading */

struct mock_source {
    struct source base;
    struct disk_node *node;
};

static enum errc source_read(struct source *src, uint64_t at, void *to, size_t len, struct err *err)
{
    const struct mock_source *s = (const struct mock_source *)src;
    if (at > s->node->bytes.len || len > s->node->bytes.len - at)
        return err_set(err, E_TRUNCATED, "has become shorter while it was read");
    if (len > 0)
        memcpy(to, s->node->bytes.ptr + at, len);
    return E_OK;
}

static void source_end(struct source *src)
{
    struct mock_source *s = (struct mock_source *)src;
    s->node->n_readers -= s->node->n_readers > 0;
    free(s);
}

enum errc mock_open_source(struct mock *m, const char *path, bool follows, struct source **out_src,
                           struct err *err)
{
    static const struct source_ops ops = { source_read, source_end };
    struct disk_node *node = NULL;
    enum errc rc = disk_get(&m->disk, path, follows, &node, err);
    if (rc != E_OK)
        return rc;
    if (node->kind == FS_LINK)
        return err_set(err, E_ACCESS, "is a symbolic link, which is not followed");
    if (node->kind != FS_FILE)
        return err_set(err, E_ARGUMENT, "is no regular file");
    struct mock_source *s = mock_calloc(1, sizeof(*s));
    s->base = (struct source){ &ops, node->bytes.len, { node->volume + 1, node->number } };
    s->node = node;
    node->n_readers++;
    *out_src = &s->base;
    return E_OK;
}

/* --- writing */

struct mock_sink {
    struct sink base;
    struct mock *m;
    struct disk_node *folder, *node;
    unsigned flags;
    char name[256];
    char *path;
};

static enum errc sink_add(struct sink *base, struct span bytes, struct err *err)
{
    struct mock_sink *s = (struct mock_sink *)base;
    return disk_write(&s->m->disk, s->node, bytes, s->path, err);
}

static enum errc set_taken(struct err *err)
{
    return err_set(err, E_EXISTS, "is there already, and is not replaced");
}

/* First a temporary name, then the right one in its place, as a system does that has no way to link
 * over a name. */
static enum errc give_name(struct mock_sink *s, struct err *err)
{
    struct disk *d = &s->m->disk;
    char temporary[40];
    (void)snprintf(temporary, sizeof(temporary), ".surefoot-%llu",
                   (unsigned long long)s->node->number);
    struct disk_change link = { .n = 1, .set = { { s->folder, temporary, s->node } } };
    struct disk_change rename = {
        .n = 2, .set = { { s->folder, temporary, NULL }, { s->folder, s->name, s->node } }
    };
    struct disk_change undo = { .n = 1, .set = { { s->folder, temporary, NULL } } };
    enum errc rc = disk_change(d, &link, "name", s->path, err);
    if (rc != E_OK)
        return rc;
    rc = disk_change(d, &rename, "rename", s->path, err);
    if (rc != E_OK)
        (void)!disk_change(d, &undo, "remove", s->path, NULL);
    return rc;
}

static enum errc sink_end(struct sink *base, struct err *err)
{
    struct mock_sink *s = (struct mock_sink *)base;
    struct disk *d = &s->m->disk;
    const struct disk_node *there = disk_names_get(d, &s->folder->names, s->name);
    if ((s->flags & SINK_UNFLUSHED) != 0) {
        s->node->n_writers = 0;
        s->folder = NULL; /* it stays */
        return E_OK;
    }
    if (there != NULL && (s->flags & SINK_NO_REPLACE) != 0)
        return set_taken(err);
    if (there != NULL && d->is_windows && there->n_readers > 0)
        return err_set(err, E_BUSY, "is open in another program");
    enum errc rc = disk_flush(d, s->node, s->path, err);
    if (rc == E_OK)
        rc = give_name(s, err);
    if (rc == E_OK && (rc = disk_flush_names(d, s->folder, s->path, err)) != E_OK)
        (void)err_prefix(err, "is in place, but ");
    return rc;
}

/* What was not committed goes; a plan that fails everything can't keep it. */
static void sink_close(struct sink *base)
{
    struct mock_sink *s = (struct mock_sink *)base;
    s->node->n_writers = 0;
    if ((s->flags & SINK_UNFLUSHED) != 0 && s->folder != NULL) {
        struct disk_change change = { .n = 1, .set = { { s->folder, s->name, NULL } } };
        (void)!disk_change(&s->m->disk, &change, "remove", s->path, NULL);
    }
    free(s->path);
    free(s);
}

static enum errc check_name(const struct mock_sink *s, const struct disk_node *there,
                            struct err *err)
{
    if (there == NULL)
        return E_OK;
    if ((s->flags & (SINK_NO_REPLACE | SINK_UNFLUSHED)) != 0)
        return set_taken(err);
    if (there->kind == FS_FOLDER)
        return err_set(err, E_ARGUMENT, "is a folder; name a file in it");
    return there->kind == FS_FILE
               ? E_OK
               : err_set(err, E_ARGUMENT, "is there, is no regular file, and so is not replaced");
}

/* Of one that is flushed later the name is there from the start. */
static enum errc begin(struct mock_sink *s, struct err *err)
{
    const bool is_private = (s->flags & (SINK_PRIVATE | SINK_UNFLUSHED)) != 0;
    s->node = disk_node_new(&s->m->disk, s->folder->volume, FS_FILE, is_private ? 0600 : 0644);
    s->node->n_writers = 1;
    if ((s->flags & SINK_UNFLUSHED) == 0)
        return s->m->disk.volumes[s->folder->volume].is_read_only
                   ? err_set(err, E_ACCESS, "is on a volume that is read-only")
                   : E_OK;
    struct disk_change change = { .n = 1, .set = { { s->folder, s->name, s->node } } };
    return disk_change(&s->m->disk, &change, "create", s->path, err);
}

enum errc mock_create(struct mock *m, const char *path, unsigned flags, struct sink **out_sink,
                      struct err *err)
{
    static const struct sink_ops ops = { sink_add, sink_end, sink_close };
    struct disk_place place;
    enum errc rc = disk_find(&m->disk, path, false, &place, err);
    if (rc != E_OK)
        return rc;
    if (place.folder == NULL)
        return err_set(err, E_ARGUMENT, "is a folder; name a file in it");
    struct mock_sink *s = mock_calloc(1, sizeof(*s));
    s->base.ops = &ops;
    s->m = m;
    s->flags = flags;
    rc = check_name(s, place.node, err);
    if (rc != E_OK) {
        free(s);
        return rc;
    }
    s->folder = place.folder;
    s->path = mock_text(path);
    (void)text_copy(s->name, sizeof(s->name), place.name);
    rc = begin(s, err);
    if (rc == E_OK) {
        *out_sink = &s->base;
        return E_OK;
    }
    s->flags = 0;
    sink_close(&s->base);
    return rc;
}
