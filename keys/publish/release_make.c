#include "keys/publish/release_make.h"

#include <stdio.h>
#include <string.h>

#include "keys/publish/release_private.h"
#include "keys/publish/write_release.h"
#include "platform/base/text.h"
#include "platform/work.h"
#include "verify/digest.h"

#define ARENA_MAX (256 * 1024 * 1024)

/* --- paths */

enum errc release_name_path(const char *path, struct err *err)
{
    char shown[120];
    return err_prefix(err, "%s: ", text_printable(span_text(path), shown, sizeof(shown)));
}

enum errc release_prefix_path(const struct release_making *m, enum errc rc, const char *path)
{
    return rc == E_OK ? E_OK : release_name_path(path, m->err);
}

enum errc release_join(const struct release_making *m, const char *name, const char *suffix,
                       char to[RELEASE_MAKE_PATH_ROOM])
{
    int n = snprintf(to, RELEASE_MAKE_PATH_ROOM, "%s/%s/%s%s%s", m->ask->dir, m->ask->version.text,
                     name, suffix == NULL ? "" : ".", suffix == NULL ? "" : suffix);
    if (n < 0 || n >= RELEASE_MAKE_PATH_ROOM)
        return err_set(m->err, E_ARGUMENT, "a path longer than %d bytes",
                       RELEASE_MAKE_PATH_ROOM - 1);
    return E_OK;
}

enum errc release_kind_at(const struct release_making *m, const char *path, enum fs_kind *out)
{
    return release_prefix_path(m, m->platform->fs->kind(m->platform->self, path, out, m->err),
                               path);
}

enum errc release_name_folder(const struct release_making *m, char to[RELEASE_MAKE_PATH_ROOM])
{
    int n = snprintf(to, RELEASE_MAKE_PATH_ROOM, "%s/%s", m->ask->dir, m->ask->version.text);
    if (n < 0 || n >= RELEASE_MAKE_PATH_ROOM)
        return err_set(m->err, E_ARGUMENT, "a path longer than %d bytes",
                       RELEASE_MAKE_PATH_ROOM - 1);
    return E_OK;
}

/* --- errors */

enum errc release_refuse(enum errc rc, struct err *err)
{
    if (rc != E_MALFORMED && rc != E_LIMIT && rc != E_TRUNCATED)
        return rc;
    if (err != NULL)
        err->code = E_REFUSED;
    return E_REFUSED;
}

/* --- the document */

static enum errc make_document(struct release_making *m, struct err *err)
{
    bool adds = m->ask->is_addition && m->has_old;
    struct release r = { .product = m->ask->product,
                         .version = m->ask->version,
                         .created = adds ? m->old.created : m->ask->created };
    size_t n_old = adds ? m->old.payloads.n : 0;
    void *items;
    enum errc rc = arena_alloc(&m->arena, (n_old + 1) * sizeof(*r.payloads.items), &items, err);
    if (rc != E_OK)
        return rc;
    r.payloads.items = items;
    for (; r.payloads.n < n_old; r.payloads.n++)
        r.payloads.items[r.payloads.n] = m->old.payloads.items[r.payloads.n];
    r.payloads.items[r.payloads.n++] = m->payload;
    return release_refuse(write_release(&r, &m->document, err), err);
}

static enum errc write_document(struct release_making *m)
{
    struct digest d;
    enum errc rc = release_join(m, RELEASE_DOCUMENT_NAME, NULL, m->made->document);
    if (rc == E_OK)
        rc = digest_bytes(DIGEST_SHA256, buf_span(&m->document), &d, m->err);
    if (rc == E_OK)
        rc = release_prefix_path(
            m,
            platform_write_file(m->platform, m->made->document, buf_span(&m->document), 0, m->err),
            m->made->document);
    if (rc != E_OK)
        return rc;
    memcpy(m->made->document_sha256, d.bytes, sizeof(m->made->document_sha256));
    m->made->document_size = m->document.len;
    return E_OK;
}

/* --- the order of work */

static enum errc look(struct release_making *m)
{
    enum errc rc = release_check_folders(m);
    if (rc == E_OK)
        rc = feed_place_lock(m->platform, m->ask->dir, &m->lock, m->err);
    if (rc == E_OK)
        rc = release_check_not_in_feed(m);
    if (rc == E_OK)
        rc = release_open_given(m);
    if (rc == E_OK)
        rc = release_settle_demands(m);
    if (rc == E_OK)
        rc = release_read_old(m);
    if (rc == E_OK)
        rc = release_check_places(m);
    return rc == E_OK ? release_read_given(m) : rc;
}

/* Side by side: the payload is put in its place and signed; the document is made; the payload is
 * read back. The last wants the first half of the first: where that is not done when its turn
 * comes, it is left for the end. */
struct finishing {
    struct release_making *m;
    struct signatures signatures;
    enum errc document_rc, payload_rc, check_rc;
    struct err document_err, check_err;
    bool is_checked;
    struct source *_Atomic placed; /* NULL until the payload is in its place */
};

static void place_and_sign(struct finishing *f)
{
    struct source *placed = NULL;
    f->payload_rc = release_place_payload(f->m, &placed);
    if (f->payload_rc != E_OK)
        return;
    f->placed = placed;
    f->payload_rc = release_sign_payload(f->m, placed, &f->signatures, f->m->err);
}

static void check_placed(struct finishing *f, struct source *placed)
{
    f->check_rc = release_check_placed(f->m, placed, &f->check_err);
    f->is_checked = true;
}

static void finish_piece(void *ctx, size_t i)
{
    struct finishing *f = ctx;
    struct source *placed;
    switch (i) {
    case 0: place_and_sign(f); break;
    case 1: f->document_rc = make_document(f->m, &f->document_err); break;
    default:
        placed = f->placed;
        if (placed != NULL)
            check_placed(f, placed);
        break;
    }
}

static enum errc tell(struct release_making *m, enum errc rc, const struct err *why)
{
    if (rc != E_OK && m->err != NULL)
        *m->err = *why;
    return rc;
}

static enum errc finish(struct release_making *m)
{
    struct finishing f = { .m = m };
    work_run(3, finish_piece, &f);
    if (f.placed != NULL && !f.is_checked)
        check_placed(&f, f.placed);
    source_close(f.placed);
    enum errc rc = f.payload_rc;
    if (f.document_rc != E_OK)
        rc = tell(m, f.document_rc, &f.document_err);
    else if (f.check_rc != E_OK)
        rc = tell(m, f.check_rc, &f.check_err);
    if (rc == E_OK)
        rc = release_write_signatures(m, &f.signatures);
    signatures_fini(&f.signatures);
    return rc;
}

static enum errc put(struct release_making *m)
{
    enum errc rc = release_write_payload(m);
    if (rc == E_OK)
        rc = finish(m);
    return rc == E_OK ? write_document(m) : rc;
}

/* What failed first is what is told, also where this fails too. */
static void put_back(const struct release_making *m, const struct release_replaced *old)
{
    struct err ignored;
    enum errc rc = platform_write_file(m->platform, old->path, buf_span(&old->bytes), 0, &ignored);
    UNUSED(rc);
}

static void undo(struct release_making *m)
{
    struct err ignored;
    char folder[RELEASE_MAKE_PATH_ROOM];
    for (size_t i = m->n_written; i-- > 0;)
        (void)m->platform->fs->remove(m->platform->self, m->written[i], &ignored);
    for (size_t i = m->n_replaced; i-- > 0;)
        put_back(m, &m->replaced[i]);
    if (m->made_folder && release_name_folder(m, folder) == E_OK)
        (void)m->platform->fs->remove_folder(m->platform->self, folder, &ignored);
    feed_place_unlock(&m->lock);
    if (m->made_dir)
        (void)m->platform->fs->remove_folder(m->platform->self, m->ask->dir, &ignored);
}

static void report(const struct release_making *m)
{
    struct release_made *made = m->made;
    made->kind = (enum payload_kind)m->payload.kind;
    made->size = m->payload.size;
    memcpy(made->sha256, m->payload.sha256, sizeof(made->sha256));
    made->n_files = m->payload.files.n;
    made->product_version = m->payload.product_version;
    made->other_version = m->payload.kind == PAYLOAD_MSI &&
                          version_compare(&m->payload.product_version, &m->ask->version) != 0;
}

enum errc release_make(const struct release_ask *ask, struct release_made *out, struct err *err)
{
    struct release_making m = { .ask = ask, .made = out, .platform = ask->platform, .err = err };
    *out = (struct release_made){ .size = 0 };
    arena_init(&m.arena, ARENA_MAX);
    buf_init(&m.document, RELEASE_BYTES_MAX);
    enum errc rc = look(&m);
    if (rc == E_OK)
        rc = put(&m);
    if (rc == E_OK)
        report(&m);
    else
        undo(&m);
    sink_abort(m.sink);
    feed_place_unlock(&m.lock);
    buf_fini(&m.document);
    for (size_t i = 0; i < m.n_replaced; i++)
        buf_fini(&m.replaced[i].bytes);
    tree_free(m.tree);
    source_close(m.source);
    release_fini(&m.old);
    arena_fini(&m.arena);
    return rc;
}
