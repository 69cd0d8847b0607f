#include "installer/core/setup.h"

#include <stdio.h>
#include <string.h>

#include "installer/core/setup_private.h"
#include "installer/core/trust_files.h"
#include "manifest/value.h"
#include "platform/base/text.h"

enum errc setup_join(const char *folder, const char *name, char to[SETUP_PATH_ROOM],
                     struct err *err)
{
    size_t len = strlen(folder);
    const bool has_slash = len == 0 || folder[len - 1] == '/' || name[0] == '\0';
    const char *between = has_slash ? "" : "/";
    int n = snprintf(to, SETUP_PATH_ROOM, "%s%s%s", folder, between, name);
    if (n < 0 || n >= SETUP_PATH_ROOM)
        return err_set(err, E_LIMIT, "a path longer than %d bytes", SETUP_PATH_ROOM - 1);
    return E_OK;
}

void setup_parent(const char *path, char to[SETUP_PATH_ROOM])
{
    text_copy(to, SETUP_PATH_ROOM, path);
    os_path_cut_name(to);
}

enum errc setup_name_path(const char *path, struct err *err)
{
    char shown[160];
    return err_prefix(err, "%s: ", text_printable(span_text(path), shown, sizeof(shown)));
}

enum errc setup_sync_parent(struct platform *p, const char *path, struct err *err)
{
    char parent[SETUP_PATH_ROOM];
    setup_parent(path, parent);
    return p->fs->sync_folder(p->self, parent, err);
}

enum errc setup_sync_again(struct platform *p, const char *path, struct err *err)
{
    enum errc rc = setup_sync_parent(p, path, err);
    return rc == E_ABSENT ? E_OK : rc;
}

enum errc setup_make_folder(struct platform *p, const char *path, bool is_private, struct err *err)
{
    enum errc rc = is_private ? p->fs->make_private_folder(p->self, path, err)
                              : p->fs->make_folder(p->self, path, err);
    return rc == E_OK ? setup_sync_parent(p, path, err) : rc;
}

enum errc setup_make_folders(struct platform *p, const char *path, bool is_private, struct err *err)
{
    char parent[SETUP_PATH_ROOM];
    enum fs_kind kind = FS_ABSENT;
    enum errc rc = p->fs->kind(p->self, path, &kind, err);
    if (rc != E_OK || kind == FS_FOLDER)
        return rc;
    if (kind != FS_ABSENT) {
        (void)err_set(err, E_EXISTS, "is no folder");
        return setup_name_path(path, err);
    }
    setup_parent(path, parent);
    if (strcmp(parent, path) != 0)
        rc = setup_make_folders(p, parent, is_private, err);
    if (rc != E_OK)
        return rc;
    rc = setup_make_folder(p, path, is_private, err);
    return rc == E_OK || rc == E_EXISTS ? E_OK : setup_name_path(path, err);
}

enum errc setup_resolve(const struct setup *setup, const char *name, char to[SETUP_PATH_ROOM],
                        struct err *err)
{
    struct trust_files files = { .platform = setup->platform, .base = setup->base };
    return trust_files_resolve(&files, name, to, err);
}

/* What is the administrator's to mend is a usage error; trouble with the machine stays what it is.
 */
static enum errc as_usage(enum errc rc, struct err *err)
{
    if (rc != E_OK && rc != E_NOMEM && rc != E_IO && rc != E_INTERNAL)
        rc = err->code = E_ARGUMENT;
    return rc;
}

enum errc setup_guard(const struct setup *setup, const char *path, unsigned flags, struct err *err)
{
    struct platform *p = setup->platform;
    struct fs_guard guard = { .is_safe = false };
    char shown[160];
    if (!setup->is_elevated)
        return E_OK;
    enum errc rc = p->fs->guard(p->self, path, flags, &guard, err);
    if (rc != E_OK) {
        (void)err_prefix(err, "%s: ", text_printable(span_text(path), shown, sizeof(shown)));
        return as_usage(rc, err);
    }
    if (!guard.is_safe)
        return err_set(err, E_ARGUMENT,
                       "%s: %s; with these rights only what an administrator alone can change is "
                       "used",
                       text_printable(span_text(guard.path), shown, sizeof(shown)), guard.why);
    return E_OK;
}

/* --- which file */

static bool is_path(const char *word)
{
    size_t len = strlen(word);
    return strchr(word, '/') != NULL || strchr(word, '\\') != NULL ||
           (len > 4 && strcmp(word + len - 4, ".xml") == 0);
}

static enum errc find_file(struct setup *s, const char *word, struct err *err)
{
    struct platform *p = s->platform;
    char config[SETUP_PATH_ROOM], name[80];
    enum errc rc;
    if (is_path(word)) {
        rc = p->host->absolute_path(p->self, word, s->path, sizeof(s->path), err);
        os_path_slashes(p->paths, s->path);
        return rc;
    }
    if (value_check_name(span_text(word), err) != E_OK)
        return err_prefix(err, "a product is a name or the path of its file: ");
    (void)snprintf(name, sizeof(name), "products.d/%s.xml", word);
    rc = p->host->config_folder(p->self, config, sizeof(config), err);
    if (rc == E_OK)
        rc = setup_join(config, name, s->path, err);
    os_path_slashes(p->paths, s->path);
    return rc;
}

/* --- where its folders are */

static enum errc resolve_folder(const struct setup *s, const char *said, enum host_folder usual,
                                char to[SETUP_PATH_ROOM], struct err *err)
{
    struct platform *p = s->platform;
    char folder[SETUP_PATH_ROOM];
    enum errc rc;
    if (said != NULL) {
        rc = setup_resolve(s, said, to, err);
    } else {
        rc = p->host->usual_folder(p->self, usual, folder, sizeof(folder), err);
        if (rc == E_OK)
            rc = setup_join(folder, s->product.name, to, err);
    }
    if (rc == E_OK) {
        os_path_slashes(p->paths, to);
        os_path_cut_slashes(to);
    }
    return rc;
}

static enum errc resolve_folders(struct setup *s, struct err *err)
{
    const char *install = s->product.install.folder;
    enum errc rc = resolve_folder(s, s->product.state_folder, HOST_STATE, s->state, err);
    if (rc == E_OK)
        rc = resolve_folder(s, s->product.cache_folder, HOST_CACHE, s->cache, err);
    if (rc == E_OK && install != NULL)
        rc = resolve_folder(s, install, HOST_STATE, s->install, err);
    return rc;
}

/* --- reading */

static enum errc read_bytes(struct setup *s, struct err *err)
{
    return platform_fill_from_file(s->platform, s->path, PRODUCT_BYTES_MAX, &s->bytes, err);
}

static enum errc take_copy(struct setup *s, struct span copy, struct err *err)
{
    buf_init(&s->bytes, PRODUCT_BYTES_MAX);
    return buf_add(&s->bytes, copy, err);
}

static enum errc load(struct setup *s, const struct span *copy, struct err *err)
{
    enum errc rc = setup_guard(s, s->path, 0, err);
    if (rc != E_OK)
        return rc;
    rc = copy != NULL ? take_copy(s, *copy, err) : read_bytes(s, err);
    if (rc == E_OK)
        rc = product_read(buf_span(&s->bytes), &s->product, err);
    if (rc == E_OK)
        rc = resolve_folders(s, err);
    if (rc != E_OK) {
        (void)setup_name_path(s->path, err);
        return as_usage(rc, err);
    }
    return as_usage(setup_guard_all(s, err), err);
}

static enum errc load_word(struct platform *platform, const char *word, const struct span *copy,
                           struct setup *out, struct err *err)
{
    *out = (struct setup){ .platform = platform,
                           .is_elevated = platform->proc->is_elevated(platform->self) };
    enum errc rc = find_file(out, word, err);
    if (rc == E_OK) {
        trust_files_folder_of(platform, out->path, out->base);
        rc = load(out, copy, err);
    }
    if (rc != E_OK)
        setup_fini(out);
    return rc;
}

enum errc setup_load(struct platform *platform, const char *word, struct setup *out,
                     struct err *err)
{
    return load_word(platform, word, NULL, out, err);
}

enum errc setup_recall(struct platform *platform, const char *word, struct span copy,
                       struct setup *out, struct err *err)
{
    return load_word(platform, word, &copy, out, err);
}

void setup_fini(struct setup *setup)
{
    product_fini(&setup->product);
    buf_fini(&setup->bytes);
}

bool setup_is_msi(const struct setup *setup)
{
    return setup->product.install.kind == PAYLOAD_MSI;
}
