/* A proven archive's entries against the release document's list: each file hashed, nothing
 * written. */

#include "installer/core/tree_match.h"
#include "installer/core/unpack.h"
#include "keys/publish/gate_private.h"

struct reading {
    struct unpack *unpack;
    struct tree_match *match;
    struct hasher *hasher;
    const char *where;
    struct gate *g;
};

static enum errc add_piece(void *ctx, struct span piece, struct err *err)
{
    return hasher_add(ctx, piece, err);
}

static enum errc check_bytes(const struct reading *r, const struct release_file *file,
                             struct err *err)
{
    struct digest_set set;
    enum errc rc = hasher_reset(r->hasher, err);
    if (rc == E_OK)
        rc = unpack_data(r->unpack, add_piece, r->hasher, err);
    if (rc == E_OK)
        rc = hasher_finish(r->hasher, &set, err);
    if (rc == E_OK && !span_equal(digest_span(&set.of[DIGEST_SHA256]), span_of(file->sha256, 32)))
        gate_add(r->g, GATE_REFUSED, "DigestMismatch", r->where,
                 "%s: its SHA-256 is not the one in the release document", file->path);
    return rc;
}

/* What does not match is a finding, and the next entry is looked at. */
static enum errc check_entry(const struct reading *r, const struct unpack_entry *entry,
                             struct err *err)
{
    const struct release_file *file;
    struct err why;
    enum errc rc = tree_match_entry(r->match, entry, &file, &why);
    if (rc != E_OK) {
        gate_add(r->g, GATE_REFUSED, "UncoveredData", r->where, "%s", why.text);
        return E_OK;
    }
    r->g->n_files += file != NULL;
    return file != NULL && entry->kind == UNPACK_FILE ? check_bytes(r, file, err) : E_OK;
}

static enum errc check_entries(const struct reading *r, struct err *err)
{
    for (;;) {
        struct unpack_entry entry;
        bool is_end;
        enum errc rc = unpack_next(r->unpack, &entry, &is_end, err);
        if (rc != E_OK)
            return rc;
        if (is_end)
            return tree_match_end(r->match, err);
        rc = check_entry(r, &entry, err);
        if (rc != E_OK)
            return rc;
    }
}

void gate_archive(const struct verified_package *package, const char *where, struct gate *g)
{
    const struct unpack_limits limits = unpack_entry_limits();
    struct reading r = { .where = where, .g = g };
    struct err err;
    enum errc rc = unpack_open(verified_package_source(package), &limits, &r.unpack, &err);
    if (rc == E_OK)
        rc = tree_match_new(verified_package_payload(package), &r.match, &err);
    if (rc == E_OK)
        rc = hasher_new(DIGEST_BIT(DIGEST_SHA256), &r.hasher, &err);
    if (rc == E_OK)
        rc = check_entries(&r, &err);
    if (rc != E_OK)
        gate_add_err(g, where, &err);
    hasher_free(r.hasher);
    tree_match_free(r.match);
    unpack_close(r.unpack);
}
