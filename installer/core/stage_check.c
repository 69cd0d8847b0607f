/* A tree that was kept, held against the release that it came from. */

#include <string.h>

#include "installer/core/stage.h"
#include "platform/base/text.h"
#include "verify/digest.h"

struct checking {
    const struct setup *setup;
    const char *tree;
    struct hasher *hasher;
};

static bool is_aside(const struct setup *setup, const char *rel)
{
    const struct product_files *files = &setup->product.files;
    for (size_t k = 0; k < files->data.n; k++) {
        const char *data = files->data.items[k].path;
        if (data != NULL && product_files_is_in(rel, data))
            return true;
    }
    return product_files_find_configuration(files, rel) != NULL ||
           product_files_find_data(files, rel) != NULL;
}

static enum errc refuse(const char *rel, const char *what, struct err *err)
{
    char shown[120];
    return err_set(err, E_REFUSED, "%s: %s", text_printable(span_text(rel), shown, sizeof(shown)),
                   what);
}

static enum errc look(const struct checking *c, const char *rel, enum fs_kind kind,
                      char path[SETUP_PATH_ROOM], struct fs_info *info, struct err *err)
{
    struct platform *p = c->setup->platform;
    enum errc rc = setup_join(c->tree, rel, path, err);
    if (rc == E_OK)
        rc = p->fs->stat_link(p->self, path, info, err);
    if (rc == E_OK && info->kind == FS_ABSENT)
        return refuse(rel, "is not there", err);
    if (rc == E_OK && info->kind != kind)
        return refuse(rel, "is of another kind", err);
    return rc;
}

static enum errc check_file(const struct checking *c, const struct release_file *file,
                            struct err *err)
{
    struct platform *p = c->setup->platform;
    char path[SETUP_PATH_ROOM];
    struct fs_info info;
    struct source *src = NULL;
    struct digest_set digests;
    if (is_aside(c->setup, file->path))
        return E_OK;
    enum errc rc = look(c, file->path, FS_FILE, path, &info, err);
    if (rc != E_OK)
        return rc;
    if (info.size != file->size)
        return refuse(file->path, "has another size", err);
    if (info.has_mode && (info.mode & 07777) != file->mode)
        return refuse(file->path, "has another mode", err);
    rc = p->fs->open_source_nofollow(p->self, path, &src, err);
    if (rc == E_OK)
        rc = hasher_reset(c->hasher, err);
    if (rc == E_OK)
        rc = hasher_add_source(c->hasher, src, 0, src->size, err);
    if (rc == E_OK)
        rc = hasher_finish(c->hasher, &digests, err);
    source_close(src);
    if (rc == E_OK &&
        !span_equal(digest_span(&digests.of[DIGEST_SHA256]), span_of(file->sha256, 32)))
        return refuse(file->path, "has other bytes", err);
    return rc;
}

static enum errc check_link(const struct checking *c, const struct release_link *link,
                            struct err *err)
{
    struct platform *p = c->setup->platform;
    char path[SETUP_PATH_ROOM];
    struct fs_info info;
    struct buf target;
    if (is_aside(c->setup, link->path))
        return E_OK;
    enum errc rc = look(c, link->path, FS_LINK, path, &info, err);
    if (rc != E_OK)
        return rc;
    buf_init(&target, SETUP_PATH_ROOM);
    rc = p->fs->read_link(p->self, path, &target, err);
    if (rc == E_OK && !span_equal_text(buf_span(&target), link->to))
        rc = refuse(link->path, "leads elsewhere", err);
    buf_fini(&target);
    return rc;
}

static enum errc check_all(const struct checking *c, const struct payload *payload, struct err *err)
{
    char path[SETUP_PATH_ROOM];
    struct fs_info info;
    enum errc rc = E_OK;
    for (size_t i = 0; i < payload->folders.n && rc == E_OK; i++)
        if (!is_aside(c->setup, payload->folders.items[i].path))
            rc = look(c, payload->folders.items[i].path, FS_FOLDER, path, &info, err);
    for (size_t i = 0; i < payload->links.n && rc == E_OK; i++)
        rc = check_link(c, &payload->links.items[i], err);
    for (size_t i = 0; i < payload->files.n && rc == E_OK; i++)
        rc = check_file(c, &payload->files.items[i], err);
    return rc;
}

enum errc stage_check_tree(const struct setup *setup, const char *tree,
                           const struct payload *payload, struct err *err)
{
    struct checking c = { .setup = setup, .tree = tree };
    enum errc rc = hasher_new(DIGEST_BIT(DIGEST_SHA256), &c.hasher, err);
    if (rc == E_OK)
        rc = check_all(&c, payload, err);
    hasher_free(c.hasher);
    return rc;
}
