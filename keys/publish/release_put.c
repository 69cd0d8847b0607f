#include "keys/publish/release_private.h"

#include <stdio.h>
#include <string.h>

#include "installer/core/unpack.h"
#include "keys/publish/pack.h"
#include "keys/publish/payload_of.h"
#include "platform/base/text.h"
#include "verify/digest.h"

/* --- the payload into its place */

static enum errc make_folder(struct release_making *m)
{
    char path[RELEASE_MAKE_PATH_ROOM];
    if (!m->lacks_folder)
        return E_OK;
    enum errc rc = release_name_folder(m, path);
    if (rc == E_OK)
        rc = release_prefix_path(m, m->platform->fs->make_folder(m->platform->self, path, m->err),
                                 path);
    m->made_folder = rc == E_OK;
    return rc;
}

static enum errc is_free(const struct release_making *m, const char *path, bool *out)
{
    struct fs_info info;
    enum errc rc = m->platform->fs->stat_link(m->platform->self, path, &info, m->err);
    *out = rc == E_OK && info.kind == FS_ABSENT;
    return release_prefix_path(m, rc, path);
}

/* is_payload: are these the bytes that the document speaks of? */
static enum errc is_payload(const struct payload *payload, struct source *src, bool *out,
                            struct err *err)
{
    struct digest_set set;
    *out = false;
    if (src->size != payload->size)
        return E_OK;
    enum errc rc = digest_source(src, DIGEST_BIT(DIGEST_SHA256), &set, err);
    *out = rc == E_OK &&
           memcmp(set.of[DIGEST_SHA256].bytes, payload->sha256, sizeof(payload->sha256)) == 0;
    return rc;
}

/* check_same: what lies there already must be the payload to the byte. */
static enum errc check_same(const struct release_making *m, const char *path)
{
    struct source *src = NULL;
    bool is_same = false;
    enum errc rc = m->platform->fs->open_source(m->platform->self, path, &src, m->err);
    if (rc == E_OK)
        rc = is_payload(&m->payload, src, &is_same, m->err);
    if (rc == E_OK && !is_same)
        rc = err_set(m->err, E_EXISTS,
                     "is there with other bytes, and is not replaced: remove it, or make a new "
                     "version");
    source_close(src);
    return release_prefix_path(m, rc, path);
}

static enum errc begin_file(const struct release_making *m, const char *path, bool was_free,
                            struct sink **out)
{
    enum errc rc = m->platform->fs->create(m->platform->self, path, was_free ? SINK_NO_REPLACE : 0,
                                           out, m->err);
    return release_prefix_path(m, rc, path);
}

/* --- would a client unpack it? */

static struct unpack_entry entry_of(const struct tree_entry *e)
{
    static const enum unpack_kind kinds[] = {
        [TREE_FILE] = UNPACK_FILE, [TREE_FOLDER] = UNPACK_FOLDER, [TREE_LINK] = UNPACK_LINK
    };
    struct unpack_entry entry = {
        .kind = kinds[e->kind], .path = span_text(e->path), .size = e->size, .mode = e->mode
    };
    if (e->kind == TREE_LINK)
        entry.target = span_text(e->target);
    return entry;
}

/* The client's own judge, before anything is packed: its limits are narrower than a tree's. The
 * ratio is looked at when it is known. */
static enum errc check_entries(const struct tree *t, struct err *err)
{
    const struct unpack_limits limits = unpack_entry_limits();
    struct unpack_entry_judge *judge;
    enum errc rc = unpack_entry_judge_new(&limits, UINT64_MAX, &judge, err);
    if (rc != E_OK)
        return rc;
    for (size_t i = 0; i < tree_n(t) && rc == E_OK; i++) {
        struct unpack_entry entry = entry_of(tree_get(t, i));
        rc = unpack_entry_judge(judge, &entry, err);
    }
    unpack_entry_judge_free(judge);
    return rc == E_OK ? rc : err_prefix(err, "clients would refuse it: ");
}

static enum errc check_ratio(const struct pack_result *result, struct err *err)
{
    const struct unpack_limits limits = unpack_entry_limits();
    enum errc rc = unpack_entry_check_ratio(&limits, result->unpacked_size, result->size, err);
    return rc == E_OK ? rc : err_prefix(err, "clients would refuse it: ");
}

/* --- what is not published */

static enum errc check_head(void *ctx, struct span head, struct err *err)
{
    const char *what = signers_find_secret(head);
    UNUSED(ctx);
    return what == NULL
               ? E_OK
               : err_set(err, E_REFUSED,
                         "is %s, and would be published: take it away, or say --allow-keys "
                         "where the product really has it",
                         what);
}

static tree_head_fn choose_check(const struct release_making *m)
{
    return m->ask->allows_keys ? NULL : check_head;
}

static enum errc say_no_files(struct err *err)
{
    return err_set(err, E_ARGUMENT, "has no files: there is nothing to release");
}

/* --- a folder */

static bool has_files(const struct tree *t)
{
    for (size_t i = 0; i < tree_n(t); i++)
        if (tree_get(t, i)->kind == TREE_FILE)
            return true;
    return false;
}

static enum errc read_tree(struct release_making *m)
{
    struct tree_unwanted unwanted[RELEASE_UNWANTED_MAX];
    struct tree_options options = { .leaves_hashing = true, .unwanted = unwanted };
    enum errc rc = release_list_unwanted(m, unwanted, &options.n_unwanted);
    if (rc != E_OK)
        return rc; /* names the path */
    rc = tree_read(m->platform, m->ask->source, &options, &m->tree, m->err);
    if (rc == E_OK)
        rc = check_entries(m->tree, m->err);
    rc = release_refuse(rc, m->err);
    if (rc == E_OK && !has_files(m->tree))
        rc = say_no_files(m->err);
    return release_prefix_path(m, rc, m->ask->source);
}

/* What fails while one is read and the other written may be of either. */
static enum errc prefix_both(const struct release_making *m)
{
    char from[80], to[80];
    return err_prefix(
        m->err, "%s, into %s: ", text_printable(span_text(m->ask->source), from, sizeof(from)),
        text_printable(span_text(m->payload.path), to, sizeof(to)));
}

static enum errc pack(struct release_making *m, struct sink *sink)
{
    const struct pack_options options = { .time = m->ask->created,
                                          .level = m->ask->level,
                                          .check_head = choose_check(m),
                                          .progress = m->ask->progress,
                                          .progress_ctx = m->ask->packing_ctx };
    struct pack_result result;
    enum errc rc = pack_tree(m->tree, &options, sink, &result, m->err);
    if (rc != E_OK)
        return prefix_both(m);
    rc = payload_of_tree(m->tree, &m->arena, &m->payload, m->err);
    if (rc == E_OK)
        rc = release_prefix_path(m, release_refuse(check_ratio(&result, m->err), m->err),
                                 m->ask->source);
    if (rc != E_OK)
        return rc;
    if (result.unpacked_size != m->payload.unpacked_size ||
        result.sha256.len != sizeof(m->payload.sha256))
        return err_set(m->err, E_INTERNAL, "the archive is not of the tree that was read");
    m->payload.size = result.size;
    memcpy(m->payload.sha256, result.sha256.bytes, sizeof(m->payload.sha256));
    return E_OK;
}

/* --- a file */

static enum errc hash_given(struct release_making *m)
{
    struct digest_set set;
    enum errc rc = digest_source(m->source, DIGEST_BIT(DIGEST_SHA256), &set, m->err);
    m->payload.size = m->source->size;
    if (rc == E_OK)
        memcpy(m->payload.sha256, set.of[DIGEST_SHA256].bytes, sizeof(m->payload.sha256));
    return release_prefix_path(m, rc, m->ask->source);
}

static enum errc write_piece(void *ctx, struct span piece, struct err *err)
{
    return sink_write(ctx, piece, err);
}

static enum errc copy_given(struct release_making *m, struct sink *sink)
{
    void *scratch;
    enum errc rc = arena_alloc(&m->arena, SOURCE_PIECE, &scratch, m->err);
    if (rc == E_OK)
        rc = source_each(m->source, 0, m->source->size, scratch, write_piece, sink, m->err);
    return rc == E_OK ? rc : prefix_both(m);
}

static enum errc read_archive(struct release_making *m)
{
    enum errc rc =
        payload_of_archive(m->source, choose_check(m), NULL, &m->arena, &m->payload, m->err);
    if (rc == E_OK && m->payload.files.n == 0)
        rc = say_no_files(m->err);
    return release_prefix_path(m, release_refuse(rc, m->err), m->ask->source);
}

enum errc release_read_given(struct release_making *m)
{
    if (m->source == NULL)
        return read_tree(m);
    enum errc rc = hash_given(m);
    if (rc == E_OK && m->payload.kind == PAYLOAD_MSI)
        rc = release_check_msi_signature(m);
    if (rc == E_OK && m->payload.kind == PAYLOAD_ARCHIVE)
        rc = read_archive(m);
    return rc;
}

enum errc release_write_payload(struct release_making *m)
{
    bool was_free = false;
    enum errc rc = make_folder(m);
    if (rc == E_OK)
        rc = release_join(m, m->payload.path, NULL, m->made->payload);
    if (rc == E_OK)
        rc = is_free(m, m->made->payload, &was_free);
    m->made->was_there = !was_free;
    if (rc == E_OK && !was_free && m->source != NULL)
        return check_same(m, m->made->payload);
    if (rc == E_OK)
        rc = begin_file(m, m->made->payload, was_free, &m->sink);
    if (rc != E_OK)
        return rc;
    return m->source == NULL ? pack(m, m->sink) : copy_given(m, m->sink);
}

/* What it leaves is noted, to be taken away if something fails. */
static enum errc end_sink(struct release_making *m, struct sink *sink)
{
    if (m->made->was_there) {
        sink_abort(sink);
        return check_same(m, m->made->payload);
    }
    enum errc rc = sink_commit(sink, m->err);
    if (rc != E_OK)
        return release_prefix_path(m, rc, m->made->payload);
    (void)text_copy(m->written[m->n_written++], RELEASE_MAKE_PATH_ROOM, m->made->payload);
    return E_OK;
}

enum errc release_place_payload(struct release_making *m, struct source **out_placed)
{
    struct sink *sink = m->sink;
    m->sink = NULL;
    enum errc rc = sink == NULL ? E_OK : end_sink(m, sink);
    if (rc != E_OK)
        return rc;
    rc = m->platform->fs->open_source(m->platform->self, m->made->payload, out_placed, m->err);
    return release_prefix_path(m, rc, m->made->payload);
}

/* --- signatures */

/* An old signature is noted before it is replaced: it may be gone also where writing fails. */
static enum errc write_signature(struct release_making *m, const struct signatures *s, size_t i)
{
    char path[RELEASE_MAKE_PATH_ROOM];
    struct release_replaced *old = &m->replaced[m->n_replaced];
    bool was_there = false;
    enum errc rc = release_join(m, m->payload.path, s->suffixes[i], path);
    if (rc != E_OK)
        return rc;
    rc = signers_read_place(m->platform, path, &old->bytes, &was_there, m->err);
    if (rc == E_OK && was_there) {
        (void)text_copy(old->path, sizeof(old->path), path);
        m->n_replaced++;
    }
    if (rc == E_OK)
        rc = platform_write_file(m->platform, path, buf_span(&s->items[i]),
                                 was_there ? 0 : SINK_NO_REPLACE, m->err);
    if (rc == E_OK && !was_there)
        (void)text_copy(m->written[m->n_written++], RELEASE_MAKE_PATH_ROOM, path);
    return release_prefix_path(m, rc, path);
}

enum errc release_sign_payload(const struct release_making *m, struct source *placed,
                               struct signatures *out, struct err *err)
{
    char words[SIGN_COMMENT_MAX / 4];
    /* Clients hold these against the release document (verify/package.c). */
    (void)snprintf(words, sizeof(words), "\tproduct:%s\tversion:%s", m->ask->product,
                   m->ask->version.text);
    return signers_sign(m->ask->signers, placed, m->payload.path, words, out, err);
}

enum errc release_write_signatures(struct release_making *m, const struct signatures *s)
{
    enum errc rc = E_OK;
    for (size_t i = 0; i < s->n && rc == E_OK; i++)
        rc = write_signature(m, s, i);
    return rc;
}

enum errc release_check_placed(const struct release_making *m, struct source *placed,
                               struct err *err)
{
    bool is_same = false;
    enum errc rc = is_payload(&m->payload, placed, &is_same, err);
    if (rc == E_OK && !is_same)
        rc = err_set(err, E_IO, "does not read back as it was written");
    return rc == E_OK ? rc : release_name_path(m->made->payload, err);
}
