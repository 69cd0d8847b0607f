#include "keys/publish/feed_documents.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "manifest/release.h"
#include "platform/base/buf.h"
#include "platform/base/text.h"
#include "verify/digest.h"

#define PATH_ROOM 4096

struct place {
    struct platform *platform;
    const char *dir;
    struct err *err;
};

static enum errc prefix_path(const struct place *p, enum errc rc, const char *path)
{
    char shown[120];
    if (rc == E_OK)
        return E_OK;
    return err_prefix(p->err, "%s: ", text_printable(span_text(path), shown, sizeof(shown)));
}

static enum errc join(const struct place *p, const char *name, char to[PATH_ROOM])
{
    int n = snprintf(to, PATH_ROOM, "%s/%s", p->dir, name);
    if (n < 0 || n >= PATH_ROOM)
        return err_set(p->err, E_ARGUMENT, "a path longer than %d bytes", PATH_ROOM - 1);
    return E_OK;
}

/* --- payloads of a document */

/* name_beside: "V/PATH", where the document is "V/release.xml". */
static enum errc name_beside(const struct place *p, const struct version *v, const char *path,
                             const char *ending, char to[PATH_ROOM])
{
    int n = snprintf(to, PATH_ROOM, "%s/%s/%s%s", p->dir, v->text, path, ending);
    if (n < 0 || n >= PATH_ROOM)
        return err_set(p->err, E_ARGUMENT, "a path longer than %d bytes", PATH_ROOM - 1);
    return E_OK;
}

static enum errc check_size(const struct place *p, const struct version *v,
                            const struct payload *payload)
{
    char path[PATH_ROOM];
    struct source *src = NULL;
    enum errc rc = name_beside(p, v, payload->path, "", path);
    if (rc == E_OK)
        rc = p->platform->fs->open_source(p->platform->self, path, &src, p->err);
    if (rc == E_OK && src->size != payload->size)
        rc = err_set(p->err, E_REFUSED,
                     "has %" PRIu64 " bytes, and its release document says %" PRIu64, src->size,
                     payload->size);
    source_close(src);
    return prefix_path(p, rc, path);
}

/* Without the signature that the document demands no client could accept the payload. */
static enum errc check_signature(const struct place *p, const struct version *v,
                                 const struct payload *payload, int system)
{
    char path[PATH_ROOM];
    enum fs_kind kind = FS_ABSENT;
    if (system == DEMAND_AUTHENTICODE)
        return E_OK; /* it lies inside */
    enum errc rc =
        name_beside(p, v, payload->path, system == DEMAND_CMS ? ".p7s" : ".minisig", path);
    if (rc == E_OK)
        rc = p->platform->fs->kind(p->platform->self, path, &kind, p->err);
    if (rc == E_OK && kind == FS_ABSENT)
        rc = err_set(p->err, E_ABSENT, "the payload's signature is demanded, and is not there");
    return prefix_path(p, rc, path);
}

static enum errc check_payloads(const struct place *p, const struct release *r)
{
    enum errc rc = E_OK;
    for (size_t i = 0; i < r->payloads.n && rc == E_OK; i++) {
        const struct payload *payload = &r->payloads.items[i];
        rc = check_size(p, &r->version, payload);
        for (size_t k = 0; k < payload->demands.n && rc == E_OK; k++)
            rc = check_signature(p, &r->version, payload, payload->demands.items[k].system);
    }
    return rc;
}

/* --- the document */

static enum errc check_words(const struct place *p, const struct release *r, const char *product,
                             const struct version *version)
{
    if (strcmp(r->product, product) != 0)
        return err_set(p->err, E_REFUSED, "is of product %s, and the feed is of %s", r->product,
                       product);
    if (strcmp(r->version.text, version->text) != 0)
        return err_set(p->err, E_REFUSED, "is of version %s, not %s", r->version.text,
                       version->text);
    return E_OK;
}

static enum errc check_document(const struct place *p, struct span bytes, const char *path,
                                const char *product, const struct version *version)
{
    struct release r = { .product = NULL };
    enum errc rc = release_read_unverified(bytes, &r, p->err);
    if (rc == E_OK)
        rc = check_words(p, &r, product, version);
    rc = prefix_path(p, rc, path);
    if (rc == E_OK)
        rc = check_payloads(p, &r);
    release_fini(&r);
    return rc;
}

static enum errc name_document(struct span bytes, const char *name, struct arena *a,
                               struct document_ref *out, struct err *err)
{
    struct digest d;
    struct document_ref ref = { .size = bytes.len };
    enum errc rc = digest_bytes(DIGEST_SHA256, bytes, &d, err);
    if (rc == E_OK)
        rc = arena_text(a, span_text(name), &ref.path, err);
    if (rc != E_OK)
        return rc;
    memcpy(ref.sha256, d.bytes, sizeof(ref.sha256));
    *out = ref;
    return E_OK;
}

enum errc feed_documents_find(struct platform *platform, const char *dir, const char *product,
                              const struct version *version, struct arena *a,
                              struct document_ref *out, struct err *err)
{
    const struct place p = { platform, dir, err };
    char name[VERSION_TEXT_MAX + 16], path[PATH_ROOM];
    struct buf bytes = { .ptr = NULL };
    (void)snprintf(name, sizeof(name), "%s/release.xml", version->text);
    enum errc rc = join(&p, name, path);
    if (rc == E_OK)
        rc = prefix_path(&p, platform_read_file(platform, path, RELEASE_BYTES_MAX, &bytes, err),
                         path);
    if (rc == E_OK)
        rc = check_document(&p, buf_span(&bytes), path, product, version);
    if (rc == E_OK)
        rc = name_document(buf_span(&bytes), name, a, out, err);
    buf_fini(&bytes);
    return rc;
}

/* --- those that the feed names */

static enum errc compare_document(const struct place *p, const char *path,
                                  const struct feed_release *r)
{
    struct buf bytes = { .ptr = NULL };
    struct digest d;
    enum errc rc = platform_read_file(p->platform, path, RELEASE_BYTES_MAX, &bytes, p->err);
    if (rc == E_OK)
        rc = digest_bytes(DIGEST_SHA256, buf_span(&bytes), &d, p->err);
    if (rc == E_OK && (bytes.len != r->document.size ||
                       memcmp(d.bytes, r->document.sha256, sizeof(r->document.sha256)) != 0))
        rc = err_set(p->err, E_REFUSED,
                     "is not the document that the feed names: put it back, or --remove %s and "
                     "make a new version",
                     r->version.text);
    buf_fini(&bytes);
    return rc;
}

enum errc feed_documents_check(struct platform *platform, const char *dir, const struct feed *feed,
                               struct err *err)
{
    const struct place p = { platform, dir, err };
    enum errc rc = E_OK;
    for (size_t i = 0; i < feed->releases.n && rc == E_OK; i++) {
        const struct feed_release *r = &feed->releases.items[i];
        char path[PATH_ROOM];
        enum fs_kind kind = FS_ABSENT;
        rc = join(&p, r->document.path, path);
        if (rc == E_OK)
            rc = platform->fs->kind(platform->self, path, &kind, err);
        if (rc == E_OK && kind != FS_ABSENT)
            rc = compare_document(&p, path, r);
        rc = prefix_path(&p, rc, path);
    }
    return rc;
}
