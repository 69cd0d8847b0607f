#include "keys/publish/feed_place.h"

#include <stdio.h>
#include <string.h>

#include "platform/base/text.h"
#include "verify/detached.h"
#include "verify/package.h"

#define PATH_ROOM 4096

static const char *const suffixes[] = { "minisig", "p7s" };
#define N_SUFFIXES ARRAY_LEN(suffixes)

/* --- names */

/* name_file: "DIR/feed.xml" and, where `hash` or `suffix` is not NULL, ".HASH" and ".SUFFIX". */
static enum errc name_file(const char *dir, const char *hash, const char *suffix,
                           char to[PATH_ROOM], struct err *err)
{
    int n =
        snprintf(to, PATH_ROOM, "%s/" FEED_PLACE_NAME "%s%s%s%s", dir, hash == NULL ? "" : ".",
                 hash == NULL ? "" : hash, suffix == NULL ? "" : ".", suffix == NULL ? "" : suffix);
    if (n < 0 || n >= PATH_ROOM)
        return err_set(err, E_ARGUMENT, "a path longer than %d bytes", PATH_ROOM - 1);
    return E_OK;
}

static enum errc hash_feed(struct span bytes, char to[TEXT_SHA256_ROOM], struct err *err)
{
    struct digest d;
    enum errc rc = digest_bytes(DIGEST_SHA256, bytes, &d, err);
    if (rc == E_OK)
        (void)text_to_hex(digest_span(&d), to);
    return rc;
}

static enum errc prefix_path(enum errc rc, const char *path, struct err *err)
{
    char shown[120];
    if (rc == E_OK)
        return E_OK;
    return err_prefix(err, "%s: ", text_printable(span_text(path), shown, sizeof(shown)));
}

enum errc feed_place_lock(struct platform *p, const char *dir, struct feed_place_lock *out,
                          struct err *err)
{
    char shown[120];
    int n = snprintf(out->path, sizeof(out->path), "%s/.surefoot-publish.lock", dir);
    if (n < 0 || n >= (int)sizeof(out->path))
        return err_set(err, E_ARGUMENT, "a path longer than %zu bytes", sizeof(out->path) - 1);
    enum errc rc = p->fs->lock(p->self, out->path, &out->held, err);
    if (rc == E_OK)
        out->platform = p;
    else
        (void)err_prefix(err, "%s: %s: ", text_printable(span_text(dir), shown, sizeof(shown)),
                         rc == E_BUSY ? "another surefoot-publish is at work here; its lock"
                                      : "cannot be locked");
    return rc;
}

/* It is taken away while it is still held: who waits for this file finds that it is gone. */
void feed_place_unlock(struct feed_place_lock *lock)
{
    struct err ignored;
    if (lock->held == NULL)
        return;
    (void)lock->platform->fs->remove(lock->platform->self, lock->path, &ignored);
    lock->platform->fs->unlock(lock->platform->self, lock->held);
    lock->held = NULL;
}

enum errc feed_place_make_folder(struct platform *p, const char *dir, bool *out_made,
                                 struct err *err)
{
    enum fs_kind kind = FS_FOLDER;
    enum errc rc = p->fs->kind(p->self, dir, &kind, err);
    *out_made = false;
    if (rc == E_OK && kind == FS_ABSENT) {
        rc = p->fs->make_folder(p->self, dir, err);
        *out_made = rc == E_OK;
    } else if (rc == E_OK && kind != FS_FOLDER) {
        rc = err_set(err, E_ARGUMENT, "is there and is no folder");
    }
    if (rc == E_ABSENT)
        rc = err_set(err, E_ARGUMENT, "the folder that it is to be made in is not there");
    return prefix_path(rc, dir, err);
}

/* read_if_there reads a file of the place; *out stays as it was where there is none. */
static enum errc read_if_there(struct platform *p, const char *path, size_t cap, struct buf *out,
                               bool *out_is_there, struct err *err)
{
    enum fs_kind kind;
    enum errc rc = p->fs->kind(p->self, path, &kind, err);
    *out_is_there = false;
    if (rc == E_OK && kind != FS_ABSENT) {
        rc = platform_read_file(p, path, cap, out, err);
        *out_is_there = rc == E_OK;
    }
    return prefix_path(rc, path, err);
}

/* --- what is there */

/* The files of a place as they are found. `twin`: the signature under the feed's hash. */
struct found {
    bool has_feed, has_plain[N_SUFFIXES], has_twin[N_SUFFIXES];
    struct buf feed, plain[N_SUFFIXES], twin[N_SUFFIXES];
    char hash[TEXT_SHA256_ROOM];
};

static void found_fini(struct found *f)
{
    buf_fini(&f->feed);
    for (size_t i = 0; i < N_SUFFIXES; i++) {
        buf_fini(&f->plain[i]);
        buf_fini(&f->twin[i]);
    }
}

static enum errc find_signature(struct platform *p, const char *dir, size_t i, struct found *f,
                                struct err *err)
{
    char path[PATH_ROOM];
    enum errc rc = name_file(dir, NULL, suffixes[i], path, err);
    if (rc == E_OK)
        rc = read_if_there(p, path, DETACHED_SIGNATURE_MAX, &f->plain[i], &f->has_plain[i], err);
    if (rc == E_OK && f->has_feed)
        rc = name_file(dir, f->hash, suffixes[i], path, err);
    if (rc == E_OK && f->has_feed)
        rc = read_if_there(p, path, DETACHED_SIGNATURE_MAX, &f->twin[i], &f->has_twin[i], err);
    return rc;
}

/* find_all reads what is there. Caller frees *f with found_fini, also after an error. */
static enum errc find_all(struct platform *p, const char *dir, struct found *f, struct err *err)
{
    char path[PATH_ROOM];
    *f = (struct found){ .has_feed = false };
    enum errc rc = name_file(dir, NULL, NULL, path, err);
    if (rc == E_OK)
        rc = read_if_there(p, path, FEED_BYTES_MAX, &f->feed, &f->has_feed, err);
    if (rc == E_OK && f->has_feed)
        rc = hash_feed(buf_span(&f->feed), f->hash, err);
    for (size_t i = 0; i < N_SUFFIXES && rc == E_OK; i++)
        rc = find_signature(p, dir, i, f, err);
    return rc;
}

/* --- proof */

/* *out_refusal is the word of the reason why a feed was refused, NULL where there is none. */
static enum errc prove(const struct feed_place *place, struct span bytes,
                       const struct span *signatures, size_t n, const struct feed *draft,
                       int64_t now, const char **out_refusal, struct err *err)
{
    static const struct fresh_marks no_marks;
    struct policy copies[FEED_PLACE_POLICIES_MAX];
    const struct policy *policies[FEED_PLACE_POLICIES_MAX];
    struct verdict verdicts[1 + FEED_SIGNATURES_MAX];
    struct verified_feed *proven = NULL;
    if (place->n_policies > FEED_PLACE_POLICIES_MAX || n > FEED_SIGNATURES_MAX)
        return err_set(err, E_INTERNAL, "more keys or signatures of a feed than there is room for");
    for (size_t i = 0; i < place->n_policies; i++) {
        copies[i] = *place->policies[i];
        copies[i].now = now;
        policies[i] = &copies[i];
    }
    struct feed_ask ask = { draft->product, draft->channel, policies, place->n_policies, now,
                            &no_marks };
    enum errc rc = verified_feed_make(bytes, signatures, n, &ask, verdicts, &proven, err);
    *out_refusal = package_refusal(verdicts, 1 + n);
    for (size_t i = 0; i <= n; i++)
        verdict_fini(&verdicts[i]);
    verified_feed_free(proven);
    return rc;
}

enum errc feed_place_prove(const struct feed_place *place, struct span bytes,
                           const struct signatures *signatures, int64_t now, struct err *err)
{
    struct span spans[SIGNERS_MAX];
    struct feed draft;
    const char *refusal;
    enum errc rc = feed_read_unverified(bytes, &draft, err);
    if (rc != E_OK)
        return rc;
    for (size_t i = 0; i < signatures->n; i++)
        spans[i] = buf_span(&signatures->items[i]);
    rc = prove(place, bytes, spans, signatures->n, &draft, now, &refusal, err);
    feed_fini(&draft);
    return rc;
}

/* Of each system the signature under the hash; where that is not there, the other. A writer that
 * was killed leaves one of the other kind that belongs to no feed. */
static size_t choose_signatures(const struct found *f, struct span spans[N_SUFFIXES])
{
    size_t n = 0;
    for (size_t i = 0; i < N_SUFFIXES; i++) {
        if (f->has_twin[i])
            spans[n++] = buf_span(&f->twin[i]);
        else if (f->has_plain[i])
            spans[n++] = buf_span(&f->plain[i]);
    }
    return n;
}

/* hint_for: what a person can do depends on whether the signer or the bytes are other ones. */
static const char *hint_for(const char *refusal)
{
    static const enum reason of_signer[] = { REASON_KEY_MISMATCH, REASON_CHAIN_UNTRUSTED,
                                             REASON_PUBLISHER_MISMATCH, REASON_PIN_MISMATCH };
    for (size_t i = 0; i < ARRAY_LEN(of_signer) && refusal != NULL; i++)
        if (strcmp(refusal, reason_word(of_signer[i])) == 0)
            return "by another key? say so with --trusted-key, or --anchors";
    return "put it and its signatures back as they were published";
}

static enum errc prove_found(const struct feed_place *place, const struct found *f,
                             const struct feed *draft, struct err *err)
{
    struct span spans[N_SUFFIXES];
    const char *refusal = NULL;
    size_t n = choose_signatures(f, spans);
    if (n == 0)
        return err_set(err, E_REFUSED, "no signature lies beside it, so it is not built upon");
    enum errc rc = prove(place, buf_span(&f->feed), spans, n, draft, draft->issued, &refusal, err);
    if (rc != E_REFUSED)
        return rc;
    return err_prefix(err, "not built upon (%s): ", hint_for(refusal));
}

static enum errc name_in_error(const char *dir, enum errc rc, struct err *err)
{
    char path[PATH_ROOM];
    struct err ignored;
    if (rc == E_OK || name_file(dir, NULL, NULL, path, &ignored) != E_OK)
        return rc;
    return prefix_path(rc, path, err);
}

enum errc feed_place_read(const struct feed_place *place, struct feed *out, bool *out_is_there,
                          struct err *err)
{
    struct found f;
    struct feed draft;
    enum errc rc = find_all(place->platform, place->dir, &f, err);
    *out_is_there = f.has_feed;
    if (rc == E_OK && f.has_feed) {
        rc = feed_read_unverified(buf_span(&f.feed), &draft, err);
        if (rc == E_OK) {
            rc = prove_found(place, &f, &draft, err);
            if (rc != E_OK)
                feed_fini(&draft);
        }
        rc = name_in_error(place->dir, rc, err);
        if (rc == E_OK)
            *out = draft;
    }
    found_fini(&f);
    return rc;
}

enum errc feed_place_read_unverified(struct platform *p, const char *dir, struct feed *out,
                                     bool *out_is_there, struct err *err)
{
    struct buf bytes = { .ptr = NULL };
    char path[PATH_ROOM];
    enum errc rc = name_file(dir, NULL, NULL, path, err);
    *out_is_there = false;
    if (rc == E_OK)
        rc = read_if_there(p, path, FEED_BYTES_MAX, &bytes, out_is_there, err);
    if (rc == E_OK && *out_is_there)
        rc = name_in_error(dir, feed_read_unverified(buf_span(&bytes), out, err), err);
    buf_fini(&bytes);
    return rc;
}

/* --- writing */

static enum errc write_one(const struct feed_place *place, const char *hash, const char *suffix,
                           struct span bytes, struct err *err)
{
    char path[PATH_ROOM];
    enum errc rc = name_file(place->dir, hash, suffix, path, err);
    if (rc == E_OK)
        rc = prefix_path(platform_write_file(place->platform, path, bytes, 0, err), path, err);
    return rc;
}

static void remove_one(const struct feed_place *place, const char *hash, const char *suffix)
{
    char path[PATH_ROOM];
    struct err ignored;
    if (name_file(place->dir, hash, suffix, path, &ignored) == E_OK)
        (void)place->platform->fs->remove(place->platform->self, path, &ignored);
}

static bool is_signed_by(const struct signatures *s, const char *suffix)
{
    for (size_t i = 0; i < s->n; i++)
        if (strcmp(s->suffixes[i], suffix) == 0)
            return true;
    return false;
}

/* A client that finds a signature which belongs to an older feed refuses the new one. */
static enum errc check_no_other(const struct found *f, const struct signatures *s, struct err *err)
{
    for (size_t i = 0; i < N_SUFFIXES; i++)
        if (f->has_plain[i] && !is_signed_by(s, suffixes[i]))
            return err_set(err, E_EXISTS,
                           FEED_PLACE_NAME ".%s is there, and no signer of its kind was given: "
                                           "sign with that key as well, or remove the file first",
                           suffixes[i]);
    return E_OK;
}

/* The signature of the feed that is still there gets its second name, if it has none: from the next
 * step on the first one is another feed's. */
static enum errc keep_old_twins(const struct feed_place *place, const struct found *f,
                                struct err *err)
{
    enum errc rc = E_OK;
    for (size_t i = 0; i < N_SUFFIXES && rc == E_OK; i++)
        if (f->has_feed && f->has_plain[i] && !f->has_twin[i])
            rc = write_one(place, f->hash, suffixes[i], buf_span(&f->plain[i]), err);
    return rc;
}

/* What was there before is put back. New twins go; old ones harm nobody. */
static void undo(const struct feed_place *place, const struct found *f, const char *hash,
                 const struct signatures *s)
{
    struct err ignored;
    for (size_t i = 0; i < N_SUFFIXES; i++) {
        if (!is_signed_by(s, suffixes[i]))
            continue;
        if (f->has_plain[i]) {
            enum errc rc = write_one(place, NULL, suffixes[i], buf_span(&f->plain[i]), &ignored);
            UNUSED(rc);
        } else {
            remove_one(place, NULL, suffixes[i]);
        }
        if (strcmp(hash, f->hash) != 0)
            remove_one(place, hash, suffixes[i]);
    }
}

static enum errc write_all(const struct feed_place *place, const struct found *f, struct span bytes,
                           const struct signatures *s, struct err *err)
{
    char hash[TEXT_SHA256_ROOM];
    enum errc rc = hash_feed(bytes, hash, err);
    if (rc == E_OK)
        rc = keep_old_twins(place, f, err);
    if (rc != E_OK)
        return rc;
    for (size_t i = 0; i < s->n && rc == E_OK; i++)
        rc = write_one(place, hash, s->suffixes[i], buf_span(&s->items[i]), err);
    for (size_t i = 0; i < s->n && rc == E_OK; i++)
        rc = write_one(place, NULL, s->suffixes[i], buf_span(&s->items[i]), err);
    if (rc == E_OK)
        rc = write_one(place, NULL, NULL, bytes, err);
    if (rc != E_OK)
        undo(place, f, hash, s);
    return rc;
}

enum errc feed_place_write(const struct feed_place *place, struct span bytes,
                           const struct signatures *signatures, int64_t now, struct err *err)
{
    struct found f;
    enum errc rc = feed_place_prove(place, bytes, signatures, now, err);
    if (rc != E_OK)
        return err_prefix(err, "the new feed does not pass, nothing is changed: ");
    rc = find_all(place->platform, place->dir, &f, err);
    if (rc == E_OK)
        rc = check_no_other(&f, signatures, err);
    if (rc == E_OK)
        rc = write_all(place, &f, bytes, signatures, err);
    found_fini(&f);
    return rc;
}
