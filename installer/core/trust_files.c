#include "installer/core/trust_files.h"

#include <stdio.h>
#include <string.h>

#include "platform/base/buf.h"
#include "platform/base/text.h"

enum errc trust_files_resolve(const struct trust_files *f, const char *name,
                              char to[TRUST_PATH_ROOM], struct err *err)
{
    const char *base = f->base == NULL ? "" : f->base;
    return os_path_resolve(f->platform->paths, base, name, to, TRUST_PATH_ROOM, err);
}

void trust_files_folder_of(const struct platform *p, const char *path, char to[TRUST_PATH_ROOM])
{
    text_copy(to, TRUST_PATH_ROOM, path);
    to[os_path_folder_len(p->paths, to)] = '\0';
    os_path_slashes(p->paths, to);
}

static enum errc as_usage(enum errc rc, struct err *err)
{
    if (rc != E_OK && rc != E_NOMEM && rc != E_IO)
        rc = err->code = E_ARGUMENT;
    return rc;
}

static enum errc add_bytes(enum trust_file what, struct span bytes, struct trust *trust,
                           struct err *err)
{
    switch (what) {
    case TRUST_FILE_ANCHORS: return trust_add_anchors(trust, ANCHOR_CODE, bytes, err);
    case TRUST_FILE_TIMESTAMP_ANCHORS:
        return trust_add_anchors(trust, ANCHOR_TIMESTAMP, bytes, err);
    case TRUST_FILE_CRL: return trust_add_crls(trust, bytes, err);
    case TRUST_FILE_KEY: return trust_add_key(trust, bytes, err);
    }
    return err_set(err, E_INTERNAL, "no such kind of file");
}

struct adding {
    const struct trust_files *files;
    enum trust_file what;
    struct trust *trust;
    const char *folder;
    size_t n_added;
};

static enum errc add_file(const struct adding *a, const char *path, struct err *err)
{
    struct buf bytes;
    enum errc rc = platform_read_file(a->files->platform, path, TRUST_BYTES_MAX, &bytes, err);
    if (rc == E_OK)
        rc = add_bytes(a->what, buf_span(&bytes), a->trust, err);
    buf_fini(&bytes);
    return rc;
}

static bool is_certificate_name(const char *name)
{
    static const char *const endings[] = { ".pem", ".crt", ".cer", ".der" };
    size_t len = strlen(name);
    for (size_t i = 0; i < ARRAY_LEN(endings); i++)
        if (len > 4 && strcmp(name + len - 4, endings[i]) == 0)
            return true;
    return false;
}

static enum errc add_named(void *ctx, const char *name, struct err *err)
{
    struct adding *a = ctx;
    char path[TRUST_PATH_ROOM], shown[100];
    if (!is_certificate_name(name))
        return E_OK;
    int n = snprintf(path, sizeof(path), "%s/%s", a->folder, name);
    if (n < 0 || (size_t)n >= sizeof(path))
        return err_set(err, E_ARGUMENT, "a path longer than %d bytes", TRUST_PATH_ROOM - 1);
    a->n_added++;
    enum errc rc = add_file(a, path, err);
    if (rc == E_OK)
        return rc;
    return err_prefix(err, "%s: ", text_printable(span_text(name), shown, sizeof(shown)));
}

static enum errc add_folder(struct adding *a, const char *path, struct err *err)
{
    struct platform *p = a->files->platform;
    a->folder = path;
    enum errc rc = p->fs->list(p->self, path, add_named, a, err);
    if (rc == E_OK && a->n_added == 0)
        return err_set(err, E_ARGUMENT, "has no certificate (*.pem, *.crt, *.cer, *.der)");
    return rc;
}

enum errc trust_files_add(const struct trust_files *f, enum trust_file what, const char *name,
                          struct trust *trust, struct err *err)
{
    struct adding a = { .files = f, .what = what, .trust = trust };
    const bool may_be_folder = what == TRUST_FILE_ANCHORS || what == TRUST_FILE_TIMESTAMP_ANCHORS;
    char path[TRUST_PATH_ROOM];
    enum fs_kind kind = FS_FILE;
    enum errc rc = trust_files_resolve(f, name, path, err);
    if (rc == E_OK)
        rc = f->platform->fs->kind(f->platform->self, path, &kind, err);
    if (rc == E_OK)
        rc = kind == FS_FOLDER && may_be_folder ? add_folder(&a, path, err)
                                                : add_file(&a, path, err);
    return as_usage(rc, err);
}

/* The system's store may hold what we do not read: that one then ends no chain. */
static enum errc add_system_anchor(void *ctx, struct span der, struct err *err)
{
    struct err ignored = { .code = E_OK };
    enum errc rc = trust_add_anchors(ctx, ANCHOR_CODE, der, &ignored);
    return rc == E_NOMEM ? err_nomem(err) : E_OK;
}

enum errc trust_files_add_default_anchors(const struct trust_files *f, struct trust *trust,
                                          struct err *err)
{
    struct platform *p = f->platform;
    struct adding a = { .files = f, .what = TRUST_FILE_ANCHORS, .trust = trust };
    char path[TRUST_PATH_ROOM], shown[100];
    enum fs_kind kind = FS_ABSENT;
    enum errc rc = p->host->config_folder(p->self, path, sizeof(path) - 16, err);
    if (rc != E_OK)
        return rc;
    size_t len = strlen(path);
    (void)text_copy(path + len, sizeof(path) - len, "/anchors.d");
    rc = p->fs->kind(p->self, path, &kind, err);
    if (rc == E_OK && kind == FS_FOLDER) {
        a.folder = path;
        rc = as_usage(p->fs->list(p->self, path, add_named, &a, err), err);
        if (rc != E_OK)
            return err_prefix(err, "%s: ", text_printable(span_text(path), shown, sizeof(shown)));
    }
    return rc == E_OK ? p->host->system_anchors(p->self, add_system_anchor, trust, err) : rc;
}
