#include "keys/publish/release_make.h"

#include <stdio.h>
#include <string.h>

#include "keys/publish/feed_place.h"
#include "keys/publish/pack.h"
#include "keys/publish/payload_of.h"
#include "keys/publish/write_release.h"
#include "platform/base/text.h"
#include "verify/judge.h"

#define ARENA_MAX (256 * 1024 * 1024)
#define NAME_ROOM_BYTES 512
#define DOCUMENT_NAME "release.xml"
#define WRITTEN_MAX (1 + SIGNERS_MAX)

struct making {
    const struct release_ask *ask;
    struct release_made *made;
    struct platform *platform;
    struct arena arena;
    struct payload payload;
    bool has_old;
    struct release old;             /* the document that is there */
    struct source *source;          /* the file that was given; NULL for a folder */
    struct tree *tree;              /* the folder that was given; NULL for a file */
    struct buf document;            /* the new document */
    bool lacks_folder, made_folder; /* DIR/V */
    size_t n_written;
    char written[WRITTEN_MAX][RELEASE_MAKE_PATH_ROOM]; /* what this run has put there */
    struct err *err;
};

/* --- paths */

static enum errc prefix_path(const struct making *m, enum errc rc, const char *path)
{
    char shown[120];
    if (rc == E_OK)
        return E_OK;
    return err_prefix(m->err, "%s: ", text_printable(span_text(path), shown, sizeof(shown)));
}

/* join: DIR/V/NAME and, where `suffix` is not NULL, .SUFFIX */
static enum errc join(const struct making *m, const char *name, const char *suffix,
                      char to[RELEASE_MAKE_PATH_ROOM])
{
    int n = snprintf(to, RELEASE_MAKE_PATH_ROOM, "%s/%s/%s%s%s", m->ask->dir, m->ask->version.text,
                     name, suffix == NULL ? "" : ".", suffix == NULL ? "" : suffix);
    if (n < 0 || n >= RELEASE_MAKE_PATH_ROOM)
        return err_set(m->err, E_ARGUMENT, "a path longer than %d bytes",
                       RELEASE_MAKE_PATH_ROOM - 1);
    return E_OK;
}

static enum errc kind_at(const struct making *m, const char *path, enum fs_kind *out)
{
    return prefix_path(m, m->platform->fs->kind(m->platform->self, path, out, m->err), path);
}

/* name_folder: DIR/V */
static enum errc name_folder(const struct making *m, char to[RELEASE_MAKE_PATH_ROOM])
{
    int n = snprintf(to, RELEASE_MAKE_PATH_ROOM, "%s/%s", m->ask->dir, m->ask->version.text);
    if (n < 0 || n >= RELEASE_MAKE_PATH_ROOM)
        return err_set(m->err, E_ARGUMENT, "a path longer than %d bytes",
                       RELEASE_MAKE_PATH_ROOM - 1);
    return E_OK;
}

static enum errc check_folders(struct making *m)
{
    char path[RELEASE_MAKE_PATH_ROOM];
    enum fs_kind kind = FS_ABSENT;
    enum errc rc = kind_at(m, m->ask->dir, &kind);
    if (rc == E_OK && kind != FS_FOLDER)
        rc = err_set(m->err, E_ARGUMENT, "--dir: there is no such folder; make it first");
    if (rc == E_OK)
        rc = name_folder(m, path);
    if (rc == E_OK)
        rc = kind_at(m, path, &kind);
    if (rc == E_OK && kind != FS_ABSENT && kind != FS_FOLDER)
        rc = prefix_path(m, err_set(m->err, E_EXISTS, "is there and is no folder"), path);
    m->lacks_folder = kind == FS_ABSENT;
    return rc;
}

static enum errc make_folder(struct making *m)
{
    char path[RELEASE_MAKE_PATH_ROOM];
    if (!m->lacks_folder)
        return E_OK;
    enum errc rc = name_folder(m, path);
    if (rc == E_OK)
        rc = prefix_path(m, m->platform->fs->make_folder(m->platform->self, path, m->err), path);
    m->made_folder = rc == E_OK;
    return rc;
}

/* --- what is there already */

static enum errc check_not_in_feed(const struct making *m)
{
    struct feed feed;
    bool is_there = false;
    enum errc rc = feed_place_read_unverified(m->platform, m->ask->dir, &feed, &is_there, m->err);
    if (rc != E_OK || !is_there)
        return rc;
    if (feed_find_release(&feed, &m->ask->version) != NULL)
        rc = err_set(m->err, E_EXISTS,
                     "the feed in this folder names release %s: once it is named, a release never "
                     "changes; make a new version",
                     m->ask->version.text);
    feed_fini(&feed);
    return rc;
}

static bool is_same_place(const struct payload *a, const struct payload *b)
{
    return a->kind == b->kind && a->os == b->os && a->arch == b->arch;
}

static enum errc check_old(const struct making *m)
{
    bool has_same = false, has_others = false;
    for (size_t i = 0; i < m->old.payloads.n; i++) {
        bool same = is_same_place(&m->old.payloads.items[i], &m->payload);
        has_same = has_same || same;
        has_others = has_others || !same;
    }
    if (strcmp(m->old.product, m->ask->product) != 0)
        return err_set(m->err, E_EXISTS, "is of product %s", m->old.product);
    if (strcmp(m->old.version.text, m->ask->version.text) != 0)
        return err_set(m->err, E_EXISTS, "is of version %s", m->old.version.text);
    if (m->ask->is_addition && has_same)
        return err_set(m->err, E_EXISTS,
                       "has a payload for this system and processor already; to begin anew, empty "
                       "the folder");
    if (!m->ask->is_addition && has_others)
        return err_set(m->err, E_EXISTS,
                       "has payloads for other systems; --add adds to them; to begin anew, empty "
                       "the folder");
    return E_OK;
}

static enum errc read_old(struct making *m)
{
    char path[RELEASE_MAKE_PATH_ROOM];
    struct buf bytes = { .ptr = NULL };
    enum fs_kind kind = FS_ABSENT;
    enum errc rc = join(m, DOCUMENT_NAME, NULL, path);
    if (rc == E_OK)
        rc = kind_at(m, path, &kind);
    if (rc == E_OK && kind == FS_ABSENT && m->ask->is_addition)
        return err_set(m->err, E_ARGUMENT, "--add: there is no %s/" DOCUMENT_NAME " to add to",
                       m->ask->version.text);
    if (rc != E_OK || kind == FS_ABSENT)
        return rc;
    rc = platform_read_file(m->platform, path, RELEASE_BYTES_MAX, &bytes, m->err);
    if (rc == E_OK)
        rc = release_read_unverified(buf_span(&bytes), &m->old, m->err);
    m->has_old = rc == E_OK;
    if (rc == E_OK)
        rc = check_old(m);
    buf_fini(&bytes);
    return prefix_path(m, rc, path);
}

/* --- the source */

/* open_given finds out what was given: a folder, an installer package, or else an archive. */
static enum errc open_given(struct making *m)
{
    enum fs_kind kind;
    bool is_msi = false;
    enum errc rc = m->platform->fs->kind(m->platform->self, m->ask->source, &kind, m->err);
    m->payload.os = m->ask->os;
    m->payload.arch = m->ask->arch;
    if (rc == E_OK && kind == FS_FOLDER)
        return E_OK;
    if (rc == E_OK)
        rc = m->platform->fs->open_source(m->platform->self, m->ask->source, &m->source, m->err);
    if (rc == E_OK)
        rc = payload_looks_like_msi(m->source, &is_msi, m->err);
    if (rc == E_OK && is_msi) {
        rc = payload_of_msi(m->source, &m->arena, &m->payload, m->err);
        m->payload.kind = PAYLOAD_MSI;
    }
    return prefix_path(m, rc, m->ask->source);
}

static const char *word_of(uint32_t set, const char *const *words)
{
    for (size_t i = 0; words[i] != NULL; i++)
        if ((set >> i & 1) != 0)
            return words[i];
    return "any";
}

/* What the package says of itself is not overruled. */
static enum errc check_msi_systems(struct making *m)
{
    const struct release_ask *ask = m->ask;
    if (m->payload.kind != PAYLOAD_MSI)
        return E_OK;
    if (ask->os != 0 && ask->os != m->payload.os)
        return err_set(m->err, E_ARGUMENT, "--os %s, and an installer package is for windows",
                       word_of(ask->os, target_os_words));
    if (ask->arch != 0 && m->payload.arch != 0 && ask->arch != m->payload.arch)
        return err_set(m->err, E_ARGUMENT, "--arch %s, and the package says %s",
                       word_of(ask->arch, target_arch_words),
                       word_of(m->payload.arch, target_arch_words));
    if (m->payload.arch == 0)
        m->payload.arch = ask->arch;
    return E_OK;
}

/* NAME-V-OS-ARCH.tar.zst for a folder; a file keeps its name. */
static enum errc name_payload(struct making *m)
{
    char name[NAME_ROOM_BYTES];
    const struct release_ask *ask = m->ask;
    const char *given = ask->source;
    for (const char *at = given; *at != '\0' && m->source != NULL; at++)
        if ((*at == '/' || *at == '\\') && at[1] != '\0')
            given = at + 1;
    int n = m->source != NULL
                ? snprintf(name, sizeof(name), "%s", given)
                : snprintf(name, sizeof(name), "%s-%s%s%s%s%s.tar.zst", ask->product,
                           ask->version.text, ask->os == 0 ? "" : "-",
                           ask->os == 0 ? "" : word_of(ask->os, target_os_words),
                           ask->arch == 0 ? "" : "-",
                           ask->arch == 0 ? "" : word_of(ask->arch, target_arch_words));
    if (n < 0 || n >= (int)sizeof(name))
        return err_set(m->err, E_ARGUMENT, "a file name longer than %d bytes", NAME_ROOM_BYTES - 1);
    if (strcmp(name, DOCUMENT_NAME) == 0)
        return err_set(m->err, E_ARGUMENT, "a payload can't be called " DOCUMENT_NAME);
    return arena_text(&m->arena, span_text(name), &m->payload.path, m->err);
}

/* --- demands */

static bool has_signer(const struct making *m, enum sig_system system)
{
    for (size_t i = 0; i < m->ask->signers->n; i++)
        if (signer_describe(m->ask->signers->items[i])->system == system)
            return true;
    return false;
}

static uint32_t default_demands(const struct making *m)
{
    uint32_t demands = 0;
    if (m->payload.kind == PAYLOAD_MSI)
        demands |= 1U << DEMAND_AUTHENTICODE;
    if (has_signer(m, SYSTEM_CMS))
        demands |= 1U << DEMAND_CMS;
    if (has_signer(m, SYSTEM_MINISIGN))
        demands |= 1U << DEMAND_MINISIGN;
    return demands;
}

static enum errc check_demands(const struct making *m, uint32_t demands)
{
    const uint32_t certs = 1U << DEMAND_AUTHENTICODE | 1U << DEMAND_CMS;
    const struct release_ask *ask = m->ask;
    if (demands == 0)
        return err_set(m->err, E_ARGUMENT,
                       "no demand: clients would have nothing to prove the payload by; sign it "
                       "here (--key, ...) or say who signs it (--demand)");
    if (m->payload.kind == PAYLOAD_ARCHIVE && (demands & 1U << DEMAND_AUTHENTICODE) != 0)
        return err_set(m->err, E_ARGUMENT,
                       "--demand authenticode: an archive can't carry such a signature");
    if ((demands & certs) == 0 && ask->publisher != NULL)
        return err_set(m->err, E_ARGUMENT,
                       "--publisher speaks of certificates, and only minisign is demanded");
    if ((demands & certs) == 0 && ask->needs_timestamp)
        return err_set(m->err, E_ARGUMENT,
                       "--require-timestamp speaks of certificates, and only minisign is demanded");
    if (ask->needs_timestamp && (demands & 1U << DEMAND_CMS) != 0 && has_signer(m, SYSTEM_CMS))
        return err_set(m->err, E_ARGUMENT,
                       "--require-timestamp: CMS signatures that are made here have none, so no "
                       "client would accept the payload");
    return E_OK;
}

static enum errc settle_demands(struct making *m)
{
    uint32_t demands = m->ask->demands == 0 ? default_demands(m) : m->ask->demands;
    void *items;
    enum errc rc = check_demands(m, demands);
    if (rc == E_OK)
        rc = arena_alloc(&m->arena, 3 * sizeof(*m->payload.demands.items), &items, m->err);
    if (rc != E_OK)
        return rc;
    m->payload.demands.items = items;
    for (int system = DEMAND_AUTHENTICODE; system <= DEMAND_MINISIGN; system++) {
        if ((demands >> system & 1) == 0)
            continue;
        bool is_cert = system != DEMAND_MINISIGN;
        m->payload.demands.items[m->payload.demands.n++] =
            (struct payload_demand){ system, is_cert ? m->ask->publisher : NULL,
                                     is_cert && m->ask->needs_timestamp };
    }
    return E_OK;
}

static enum errc add_mirrors(struct making *m)
{
    void *items;
    enum errc rc = arena_alloc(&m->arena, (m->ask->n_mirrors + 1) * sizeof(struct payload_mirror),
                               &items, m->err);
    if (rc != E_OK)
        return rc;
    m->payload.mirrors.items = items;
    for (size_t i = 0; i < m->ask->n_mirrors; i++)
        m->payload.mirrors.items[m->payload.mirrors.n++].url = m->ask->mirrors[i];
    return E_OK;
}

/* --- an installer package whose demand can't be met is found out here, not by clients */

static enum errc check_intact(const struct making *m, const struct verdict *v)
{
    if (v->outcome == OUTCOME_UNSIGNED || v->n_sigs == 0)
        return err_set(m->err, E_REFUSED,
                       "carries no Authenticode signature, which is demanded: sign it first, or "
                       "demand another system with --demand");
    for (size_t i = 0; i < v->n_sigs; i++)
        if ((v->sigs[i]->proven & FACTS_INTACT) != FACTS_INTACT)
            return err_set(m->err, E_REFUSED,
                           "was altered after it was signed, or its signature is broken (surefoot "
                           "verify says more)");
    return E_OK;
}

static enum errc check_msi_signature(const struct making *m)
{
    struct trust *none = NULL;
    struct verdict v = { .outcome = OUTCOME_NONE };
    bool is_demanded = false;
    for (size_t i = 0; i < m->payload.demands.n; i++)
        is_demanded = is_demanded || m->payload.demands.items[i].system == DEMAND_AUTHENTICODE;
    if (!is_demanded)
        return E_OK;
    enum errc rc = trust_new(&none, m->err);
    struct policy policy = { .trust = none, .now = m->platform->host->now(m->platform->self) };
    struct judge_ask ask = { &policy, NULL, 0 };
    if (rc == E_OK)
        rc = judge_file(m->source, &ask, &v, m->err);
    if (rc == E_OK)
        rc = check_intact(m, &v);
    verdict_fini(&v);
    trust_free(none);
    return prefix_path(m, rc, m->ask->source);
}

/* --- the payload into its place */

static enum errc is_free(const struct making *m, const char *path, bool *out)
{
    struct fs_info info;
    enum errc rc = m->platform->fs->stat_link(m->platform->self, path, &info, m->err);
    *out = rc == E_OK && info.kind == FS_ABSENT;
    return prefix_path(m, rc, path);
}

/* check_same: what lies there already must be the payload to the byte. */
static enum errc check_same(struct making *m, const char *path)
{
    struct source *src = NULL;
    struct digest_set set;
    enum errc rc = m->platform->fs->open_source(m->platform->self, path, &src, m->err);
    if (rc == E_OK && src->size == m->payload.size)
        rc = digest_source(src, DIGEST_BIT(DIGEST_SHA256), &set, m->err);
    if (rc == E_OK &&
        (src->size != m->payload.size ||
         memcmp(set.of[DIGEST_SHA256].bytes, m->payload.sha256, sizeof(m->payload.sha256)) != 0))
        rc = err_set(m->err, E_EXISTS,
                     "is there with other bytes, and is not replaced: remove it, or make a new "
                     "version");
    source_close(src);
    return prefix_path(m, rc, path);
}

/* put_in_place ends the sink. What it leaves is noted, to be taken away if something fails. */
static enum errc put_in_place(struct making *m, struct sink *sink, const char *path, bool was_free)
{
    if (!was_free) {
        sink_abort(sink);
        return check_same(m, path);
    }
    enum errc rc = sink_commit(sink, m->err);
    if (rc != E_OK)
        return prefix_path(m, rc, path);
    (void)text_copy(m->written[m->n_written++], RELEASE_MAKE_PATH_ROOM, path);
    return E_OK;
}

static enum errc begin_file(const struct making *m, const char *path, bool was_free,
                            struct sink **out)
{
    enum errc rc = m->platform->fs->create(m->platform->self, path, was_free ? SINK_NO_REPLACE : 0,
                                           out, m->err);
    return prefix_path(m, rc, path);
}

/* --- a folder */

static enum errc read_tree(struct making *m)
{
    const struct tree_options options = { .progress = m->ask->progress,
                                          .progress_ctx = m->ask->hashing_ctx };
    enum errc rc = tree_read(m->platform, m->ask->source, &options, &m->tree, m->err);
    if (rc == E_OK)
        rc = payload_of_tree(m->tree, &m->arena, &m->payload, m->err);
    return prefix_path(m, rc, m->ask->source);
}

/* What fails while one is read and the other written may be of either. */
static enum errc prefix_both(const struct making *m)
{
    char from[80], to[80];
    return err_prefix(
        m->err, "%s, into %s: ", text_printable(span_text(m->ask->source), from, sizeof(from)),
        text_printable(span_text(m->payload.path), to, sizeof(to)));
}

static enum errc pack(struct making *m, struct sink *sink)
{
    const struct pack_options options = { .time = m->ask->created,
                                          .level = m->ask->level,
                                          .progress = m->ask->progress,
                                          .progress_ctx = m->ask->packing_ctx };
    struct pack_result result;
    enum errc rc = pack_tree(m->tree, &options, sink, &result, m->err);
    if (rc != E_OK)
        return prefix_both(m);
    if (result.unpacked_size != m->payload.unpacked_size ||
        result.sha256.len != sizeof(m->payload.sha256))
        return err_set(m->err, E_INTERNAL, "the archive is not of the tree that was read");
    m->payload.size = result.size;
    memcpy(m->payload.sha256, result.sha256.bytes, sizeof(m->payload.sha256));
    return E_OK;
}

/* --- a file */

static enum errc hash_given(struct making *m)
{
    struct digest_set set;
    enum errc rc = digest_source(m->source, DIGEST_BIT(DIGEST_SHA256), &set, m->err);
    m->payload.size = m->source->size;
    if (rc == E_OK)
        memcpy(m->payload.sha256, set.of[DIGEST_SHA256].bytes, sizeof(m->payload.sha256));
    return prefix_path(m, rc, m->ask->source);
}

static enum errc write_piece(void *ctx, struct span piece, struct err *err)
{
    return sink_write(ctx, piece, err);
}

static enum errc copy_given(struct making *m, struct sink *sink)
{
    static const size_t piece = SOURCE_PIECE;
    void *scratch;
    enum errc rc = arena_alloc(&m->arena, piece, &scratch, m->err);
    if (rc == E_OK)
        rc = source_each(m->source, 0, m->source->size, scratch, write_piece, sink, m->err);
    return rc == E_OK ? rc : prefix_both(m);
}

/* read_given fills in the rest of what the document says of the payload. Nothing is written. */
static enum errc read_given(struct making *m)
{
    if (m->source == NULL)
        return read_tree(m);
    enum errc rc = hash_given(m);
    if (rc == E_OK && m->payload.kind == PAYLOAD_MSI)
        rc = check_msi_signature(m);
    if (rc == E_OK && m->payload.kind == PAYLOAD_ARCHIVE)
        rc = prefix_path(m, payload_of_archive(m->source, &m->arena, &m->payload, m->err),
                         m->ask->source);
    return rc;
}

/* write_payload writes it, before the document is made: a packed archive's hash is known then. */
static enum errc write_payload(struct making *m)
{
    struct sink *sink = NULL;
    bool was_free = false;
    enum errc rc = join(m, m->payload.path, NULL, m->made->payload);
    if (rc == E_OK)
        rc = is_free(m, m->made->payload, &was_free);
    m->made->was_there = !was_free;
    if (rc == E_OK && !was_free && m->source != NULL)
        return check_same(m, m->made->payload);
    if (rc == E_OK)
        rc = begin_file(m, m->made->payload, was_free, &sink);
    if (rc != E_OK)
        return rc;
    rc = m->source == NULL ? pack(m, sink) : copy_given(m, sink);
    if (rc == E_OK)
        return put_in_place(m, sink, m->made->payload, was_free);
    sink_abort(sink);
    return rc;
}

/* --- signatures and the document */

static enum errc write_signature(struct making *m, const struct signatures *s, size_t i)
{
    char path[RELEASE_MAKE_PATH_ROOM];
    bool was_free = false;
    enum errc rc = join(m, m->payload.path, s->suffixes[i], path);
    if (rc == E_OK)
        rc = is_free(m, path, &was_free);
    if (rc != E_OK)
        return rc;
    rc = platform_write_file(m->platform, path, buf_span(&s->items[i]), 0, m->err);
    if (rc == E_OK && was_free)
        (void)text_copy(m->written[m->n_written++], RELEASE_MAKE_PATH_ROOM, path);
    return prefix_path(m, rc, path);
}

/* The bytes that are signed are those on the disk, and those are the document's. */
static enum errc sign_payload(struct making *m)
{
    struct source *src = NULL;
    struct signatures signatures = { .n = 0 };
    if (m->ask->signers->n == 0)
        return E_OK;
    enum errc rc = check_same(m, m->made->payload);
    if (rc == E_OK)
        rc = m->platform->fs->open_source(m->platform->self, m->made->payload, &src, m->err);
    if (rc == E_OK)
        rc = signers_sign(m->ask->signers, src, m->payload.path, &signatures, m->err);
    for (size_t i = 0; i < signatures.n && rc == E_OK; i++)
        rc = write_signature(m, &signatures, i);
    signatures_fini(&signatures);
    source_close(src);
    return rc;
}

static enum errc make_document(struct making *m)
{
    bool adds = m->ask->is_addition && m->has_old;
    struct release r = { .product = m->ask->product,
                         .version = m->ask->version,
                         .created = adds ? m->old.created : m->ask->created };
    size_t n_old = adds ? m->old.payloads.n : 0;
    void *items;
    enum errc rc = arena_alloc(&m->arena, (n_old + 1) * sizeof(*r.payloads.items), &items, m->err);
    if (rc != E_OK)
        return rc;
    r.payloads.items = items;
    for (; r.payloads.n < n_old; r.payloads.n++)
        r.payloads.items[r.payloads.n] = m->old.payloads.items[r.payloads.n];
    r.payloads.items[r.payloads.n++] = m->payload;
    return write_release(&r, &m->document, m->err);
}

static enum errc write_document(struct making *m)
{
    struct digest d;
    enum errc rc = join(m, DOCUMENT_NAME, NULL, m->made->document);
    if (rc == E_OK)
        rc = digest_bytes(DIGEST_SHA256, buf_span(&m->document), &d, m->err);
    if (rc == E_OK)
        rc = prefix_path(
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

static enum errc look(struct making *m)
{
    enum errc rc = check_folders(m);
    if (rc == E_OK)
        rc = check_not_in_feed(m);
    if (rc == E_OK)
        rc = open_given(m);
    if (rc == E_OK)
        rc = check_msi_systems(m);
    if (rc == E_OK)
        rc = name_payload(m);
    if (rc == E_OK)
        rc = settle_demands(m);
    if (rc == E_OK)
        rc = add_mirrors(m);
    if (rc == E_OK)
        rc = read_old(m);
    return rc == E_OK ? read_given(m) : rc;
}

static enum errc put(struct making *m)
{
    enum errc rc = make_folder(m);
    if (rc == E_OK)
        rc = write_payload(m);
    if (rc == E_OK)
        rc = make_document(m);
    if (rc == E_OK)
        rc = sign_payload(m);
    return rc == E_OK ? write_document(m) : rc;
}

static void undo(const struct making *m)
{
    struct err ignored;
    char folder[RELEASE_MAKE_PATH_ROOM];
    for (size_t i = m->n_written; i-- > 0;)
        (void)m->platform->fs->remove(m->platform->self, m->written[i], &ignored);
    if (m->made_folder && name_folder(m, folder) == E_OK)
        (void)m->platform->fs->remove_folder(m->platform->self, folder, &ignored);
}

static void report(const struct making *m)
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
    struct making m = { .ask = ask, .made = out, .platform = ask->platform, .err = err };
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
    buf_fini(&m.document);
    tree_free(m.tree);
    source_close(m.source);
    release_fini(&m.old);
    arena_fini(&m.arena);
    return rc;
}
