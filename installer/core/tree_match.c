#include "installer/core/tree_match.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "platform/base/text.h"

#define SHOWN 120

struct tree_match {
    const struct payload *payload;
    bool *file_came, *link_came; /* of each in the payload's lists */
};

enum errc tree_match_new(const struct payload *payload, struct tree_match **out, struct err *err)
{
    struct tree_match *m = calloc(1, sizeof(*m));
    if (m == NULL)
        return err_nomem(err);
    m->payload = payload;
    m->file_came = calloc(payload->files.n + 1, sizeof(bool));
    m->link_came = calloc(payload->links.n + 1, sizeof(bool));
    if (m->file_came == NULL || m->link_came == NULL) {
        tree_match_free(m);
        return err_nomem(err);
    }
    *out = m;
    return E_OK;
}

void tree_match_free(struct tree_match *m)
{
    if (m == NULL)
        return;
    free(m->file_came);
    free(m->link_came);
    free(m);
}

/* --- where the document has a path; its lists are sorted bytewise */

/* lower_bound is the number of paths in a sorted list that come before `path`. The list's items are
 * `size` bytes each and begin with their path. */
static size_t lower_bound(const void *items, size_t n, size_t size, struct span path)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        const char *at;
        memcpy(&at, (const char *)items + mid * size, sizeof(at));
        if (span_compare(span_text(at), path) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static bool find_file(const struct payload *p, struct span path, size_t *out)
{
    *out = lower_bound(p->files.items, p->files.n, sizeof(*p->files.items), path);
    return *out < p->files.n && span_equal_text(path, p->files.items[*out].path);
}

static bool find_link(const struct payload *p, struct span path, size_t *out)
{
    *out = lower_bound(p->links.items, p->links.n, sizeof(*p->links.items), path);
    return *out < p->links.n && span_equal_text(path, p->links.items[*out].path);
}

static bool is_below(struct span folder, const char *path)
{
    struct span p = span_text(path);
    return p.len > folder.len && span_starts_with(p, folder) && p.ptr[folder.len] == '/';
}

/* holds_something: what lies below "a" sorts after "a", though not always right after ("a-b",
 * "a/b"): the search is for "a/". */
static bool holds_something(const struct payload *p, struct span folder)
{
    char slash[PATH_TREE_MAX + 2];
    if (folder.len > PATH_TREE_MAX)
        return false;
    memcpy(slash, folder.ptr, folder.len);
    slash[folder.len] = '/';
    struct span below = span_of(slash, folder.len + 1);
    size_t f = lower_bound(p->files.items, p->files.n, sizeof(*p->files.items), below);
    size_t l = lower_bound(p->links.items, p->links.n, sizeof(*p->links.items), below);
    size_t d = lower_bound(p->folders.items, p->folders.n, sizeof(*p->folders.items), below);
    return (f < p->files.n && is_below(folder, p->files.items[f].path)) ||
           (l < p->links.n && is_below(folder, p->links.items[l].path)) ||
           (d < p->folders.n && is_below(folder, p->folders.items[d].path));
}

static bool is_folder(const struct payload *p, struct span path)
{
    size_t d = lower_bound(p->folders.items, p->folders.n, sizeof(*p->folders.items), path);
    return (d < p->folders.n && span_equal_text(path, p->folders.items[d].path)) ||
           holds_something(p, path);
}

/* --- entries */

static enum errc not_listed(const struct unpack_entry *entry, const char *what, struct err *err)
{
    char shown[SHOWN];
    return err_set(err, E_MALFORMED, "%s: the release document lists no such %s",
                   text_printable(entry->path, shown, sizeof(shown)), what);
}

/* is_same_file: a hard link has no bytes of its own, so what it names must be listed alike. */
static bool is_same_file(const struct payload *p, struct span target,
                         const struct release_file *file)
{
    size_t i;
    return find_file(p, target, &i) && p->files.items[i].size == file->size &&
           memcmp(p->files.items[i].sha256, file->sha256, sizeof(file->sha256)) == 0;
}

static enum errc match_file(struct tree_match *m, const struct unpack_entry *entry,
                            const struct release_file **out, struct err *err)
{
    size_t i;
    if (!find_file(m->payload, entry->path, &i))
        return not_listed(entry, "file", err);
    const struct release_file *file = &m->payload->files.items[i];
    if (entry->kind == UNPACK_FILE && entry->size != file->size)
        return err_set(err, E_MALFORMED,
                       "%s: has %" PRIu64 " bytes, the release document says %" PRIu64, file->path,
                       entry->size, file->size);
    if (entry->kind == UNPACK_HARDLINK && !is_same_file(m->payload, entry->target, file))
        return err_set(err, E_MALFORMED,
                       "%s: is one file with another that the release document lists differently",
                       file->path);
    m->file_came[i] = true;
    *out = file;
    return E_OK;
}

static enum errc match_link(struct tree_match *m, const struct unpack_entry *entry, struct err *err)
{
    size_t i;
    char shown[SHOWN];
    if (!find_link(m->payload, entry->path, &i))
        return not_listed(entry, "link", err);
    const struct release_link *link = &m->payload->links.items[i];
    if (!span_equal_text(entry->target, link->to))
        return err_set(err, E_MALFORMED, "%s: leads to %s, the release document says %s",
                       link->path, text_printable(entry->target, shown, sizeof(shown)), link->to);
    m->link_came[i] = true;
    return E_OK;
}

enum errc tree_match_entry(struct tree_match *m, const struct unpack_entry *entry,
                           const struct release_file **out_file, struct err *err)
{
    *out_file = NULL;
    switch (entry->kind) {
    case UNPACK_FILE:
    case UNPACK_HARDLINK: return match_file(m, entry, out_file, err);
    case UNPACK_LINK: return match_link(m, entry, err);
    case UNPACK_FOLDER:
        return is_folder(m->payload, entry->path) ? E_OK : not_listed(entry, "folder", err);
    default: return not_listed(entry, "thing", err);
    }
}

enum errc tree_match_end(const struct tree_match *m, struct err *err)
{
    size_t n_missing = 0;
    const char *first = NULL;
    for (size_t i = 0; i < m->payload->files.n + m->payload->links.n; i++) {
        size_t n_files = m->payload->files.n;
        bool came = i < n_files ? m->file_came[i] : m->link_came[i - n_files];
        if (came)
            continue;
        if (n_missing++ == 0)
            first = i < n_files ? m->payload->files.items[i].path
                                : m->payload->links.items[i - n_files].path;
    }
    if (n_missing == 0)
        return E_OK;
    return err_set(err, E_MALFORMED, "%s: missing from the archive (%zu missing in all)", first,
                   n_missing);
}
