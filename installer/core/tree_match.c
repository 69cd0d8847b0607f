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

/* --- entries */

static bool is_folder(const struct payload *p, struct span path)
{
    return payload_find_folder(p, path) != NULL || payload_holds(p, path);
}

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
    const struct release_file *other = payload_find_file(p, target);
    return other != NULL && other->size == file->size &&
           memcmp(other->sha256, file->sha256, sizeof(file->sha256)) == 0;
}

static enum errc match_file(struct tree_match *m, const struct unpack_entry *entry,
                            const struct release_file **out, struct err *err)
{
    const struct release_file *file = payload_find_file(m->payload, entry->path);
    if (file == NULL)
        return not_listed(entry, "file", err);
    if (entry->kind == UNPACK_FILE && entry->size != file->size)
        return err_set(err, E_MALFORMED,
                       "%s: has %" PRIu64 " bytes, the release document says %" PRIu64, file->path,
                       entry->size, file->size);
    if (entry->kind == UNPACK_HARDLINK && !is_same_file(m->payload, entry->target, file))
        return err_set(err, E_MALFORMED,
                       "%s: is one file with another that the release document lists differently",
                       file->path);
    m->file_came[file - m->payload->files.items] = true;
    *out = file;
    return E_OK;
}

static enum errc match_link(struct tree_match *m, const struct unpack_entry *entry, struct err *err)
{
    const struct release_link *link = payload_find_link(m->payload, entry->path);
    char shown[SHOWN];
    if (link == NULL)
        return not_listed(entry, "link", err);
    if (!span_equal_text(entry->target, link->to))
        return err_set(err, E_MALFORMED, "%s: leads to %s, the release document says %s",
                       link->path, text_printable(entry->target, shown, sizeof(shown)), link->to);
    m->link_came[link - m->payload->links.items] = true;
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
