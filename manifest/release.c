#include "manifest/release.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "manifest/path.h"
#include "platform/base/num.h"
#include "platform/base/text.h"

#define ARENA_MAX (256 * 1024 * 1024)
#define MIRRORS_MAX 16
#define SHOWN 70

const char *const payload_kind_words[] = { "archive", "msi", NULL };
const char *const demand_system_words[] = { "authenticode", "cms", "minisign", NULL };

/* --- the table, as release.rng has it */

static const struct schema_value mirror_values[] = {
    SCHEMA_MUST(NULL, VALUE_URL, struct payload_mirror, url),
};
static const struct schema_element mirror = { .name = "mirror",
                                              SCHEMA_VALUES(mirror_values),
                                              .max = MIRRORS_MAX,
                                              .store = STORE_LIST,
                                              .at = offsetof(struct payload, mirrors),
                                              .record_size = sizeof(struct payload_mirror) };

static enum errc check_demand(void *record, struct err *err)
{
    const struct payload_demand *d = record;
    if (d->system != DEMAND_MINISIGN)
        return E_OK;
    if (d->publisher != NULL)
        return err_set(err, E_MALFORMED,
                       "a minisign signature names no publisher, so none can be demanded");
    if (d->needs_timestamp)
        return err_set(err, E_MALFORMED,
                       "a minisign signature has no timestamp, so none can be demanded");
    return E_OK;
}

static const struct schema_value demand_values[] = {
    SCHEMA_MUST("system", VALUE_WORD, struct payload_demand, system, .words = demand_system_words),
    SCHEMA_MAY("publisher", VALUE_TEXT, struct payload_demand, publisher),
    SCHEMA_MAY("timestamp", VALUE_FLAG, struct payload_demand, needs_timestamp),
};
static const struct schema_element demand = { .name = "demand",
                                              SCHEMA_VALUES(demand_values),
                                              .max = 10,
                                              .store = STORE_LIST,
                                              .at = offsetof(struct payload, demands),
                                              .record_size = sizeof(struct payload_demand),
                                              .check = check_demand };

/* A file that others may write is theirs as soon as it is installed. */
static enum errc check_mode(uint32_t mode, struct err *err)
{
    if ((mode & 022) != 0)
        return err_set(err, E_MALFORMED,
                       "mode %03" PRIo32 " lets others than the owner write: at most 755", mode);
    return E_OK;
}

static enum errc check_file_mode(void *record, struct err *err)
{
    return check_mode(((const struct release_file *)record)->mode, err);
}

static enum errc check_folder_mode(void *record, struct err *err)
{
    return check_mode(((const struct release_folder *)record)->mode, err);
}

static const struct schema_value file_values[] = {
    SCHEMA_MUST("path", VALUE_PATH, struct release_file, path),
    SCHEMA_MUST("size", VALUE_NUMBER, struct release_file, size),
    SCHEMA_MUST("sha256", VALUE_SHA256, struct release_file, sha256),
    SCHEMA_MUST("mode", VALUE_MODE, struct release_file, mode),
};
static const struct schema_element file = { .name = "file",
                                            SCHEMA_VALUES(file_values),
                                            .max = RELEASE_FILES_MAX,
                                            .store = STORE_LIST,
                                            .at = offsetof(struct payload, files),
                                            .record_size = sizeof(struct release_file),
                                            .check = check_file_mode };

static const struct schema_value folder_values[] = {
    SCHEMA_MUST("path", VALUE_PATH, struct release_folder, path),
    SCHEMA_MUST("mode", VALUE_MODE, struct release_folder, mode),
};
static const struct schema_element folder = { .name = "folder",
                                              SCHEMA_VALUES(folder_values),
                                              .max = RELEASE_FILES_MAX,
                                              .store = STORE_LIST,
                                              .at = offsetof(struct payload, folders),
                                              .record_size = sizeof(struct release_folder),
                                              .check = check_folder_mode };

static enum errc check_link(void *record, struct err *err)
{
    const struct release_link *l = record;
    return path_check_link(span_text(l->path), span_text(l->to), err);
}

static const struct schema_value link_values[] = {
    SCHEMA_MUST("path", VALUE_PATH, struct release_link, path),
    SCHEMA_MUST("to", VALUE_ARGUMENT, struct release_link, to),
};
static const struct schema_element link = { .name = "link",
                                            SCHEMA_VALUES(link_values),
                                            .max = RELEASE_FILES_MAX,
                                            .store = STORE_LIST,
                                            .at = offsetof(struct payload, links),
                                            .record_size = sizeof(struct release_link),
                                            .check = check_link };

static enum errc check_payload(void *record, struct err *err);

static const struct schema_value payload_values[] = {
    SCHEMA_MUST("kind", VALUE_WORD, struct payload, kind, .words = payload_kind_words),
    SCHEMA_MAY("os", VALUE_WORDS, struct payload, os, .words = target_os_words),
    SCHEMA_MAY("arch", VALUE_WORDS, struct payload, arch, .words = target_arch_words),
    SCHEMA_MUST("path", VALUE_PATH, struct payload, path),
    SCHEMA_MUST("size", VALUE_NUMBER, struct payload, size, .min = 1),
    SCHEMA_MUST("sha256", VALUE_SHA256, struct payload, sha256),
    SCHEMA_MUST("unpacked-size", VALUE_NUMBER, struct payload, unpacked_size),
    SCHEMA_MAY("upgrade-code", VALUE_GUID, struct payload, upgrade_code),
    SCHEMA_MAY("product-code", VALUE_GUID, struct payload, product_code),
    SCHEMA_MAY("product-version", VALUE_VERSION, struct payload, product_version),
};
static const struct schema_element *const payload_children[] = { &mirror, &demand, &file,
                                                                 &folder, &link,   NULL };
static const struct schema_element payload = { .name = "payload",
                                               SCHEMA_VALUES(payload_values),
                                               .children = payload_children,
                                               .min = 1,
                                               .max = RELEASE_PAYLOADS_MAX,
                                               .store = STORE_LIST,
                                               .at = offsetof(struct release, payloads),
                                               .record_size = sizeof(struct payload),
                                               .check = check_payload };

static enum errc check_release(void *record, struct err *err);

static const struct schema_value release_values[] = {
    SCHEMA_MUST("product", VALUE_NAME, struct release, product),
    SCHEMA_MUST("version", VALUE_VERSION, struct release, version),
    SCHEMA_MUST("created", VALUE_TIME, struct release, created),
};
static const struct schema_element *const release_children[] = { &payload, NULL };
static const struct schema_element root = { .name = "release",
                                            SCHEMA_VALUES(release_values),
                                            .children = release_children,
                                            .check = check_release };

/* --- demands */

static enum errc check_demands(const struct payload *p, struct err *err)
{
    uint32_t seen = 0;
    if (p->demands.n == 0)
        return err_set(err, E_MALFORMED,
                       "demands no signature: at least one <demand system=\"...\"/> must say how "
                       "the payload is proven");
    for (size_t i = 0; i < p->demands.n; i++) {
        int system = p->demands.items[i].system;
        if ((seen >> system & 1) != 0)
            return err_set(err, E_MALFORMED, "demands %s twice", demand_system_words[system]);
        if (p->kind == PAYLOAD_ARCHIVE && system == DEMAND_AUTHENTICODE)
            return err_set(err, E_MALFORMED,
                           "demands authenticode, which an archive cannot carry; cms and minisign "
                           "signatures lie beside it");
        seen |= UINT32_C(1) << system;
    }
    return E_OK;
}

/* --- the tree of an archive */

/* check_order holds one path against the one before it in its list (NULL: none). A document has one
 * form, so its lists are sorted. */
static enum errc check_order(const char *what, const char *before, const char *path,
                             struct err *err)
{
    char a[SHOWN], b[SHOWN];
    int order = before == NULL ? -1 : strcmp(before, path);
    if (order < 0)
        return E_OK;
    (void)text_printable(span_text(path), b, sizeof(b));
    if (order == 0)
        return err_set(err, E_MALFORMED, "lists the %s \"%s\" twice", what, b);
    return err_set(err, E_MALFORMED, "lists the %s \"%s\" after \"%s\": they must be sorted", what,
                   b, text_printable(span_text(before), a, sizeof(a)));
}

static enum errc check_sorted(const struct payload *p, struct err *err)
{
    enum errc rc = E_OK;
    for (size_t i = 1; rc == E_OK && i < p->files.n; i++)
        rc = check_order("file", p->files.items[i - 1].path, p->files.items[i].path, err);
    for (size_t i = 1; rc == E_OK && i < p->folders.n; i++)
        rc = check_order("folder", p->folders.items[i - 1].path, p->folders.items[i].path, err);
    for (size_t i = 1; rc == E_OK && i < p->links.n; i++)
        rc = check_order("link", p->links.items[i - 1].path, p->links.items[i].path, err);
    return rc;
}

static enum errc check_sum(const struct payload *p, struct err *err)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < p->files.n; i++)
        if (!num_add(sum, p->files.items[i].size, &sum))
            return err_set(err, E_MALFORMED, "its files have more bytes than can be counted");
    if (sum != p->unpacked_size)
        return err_set(err, E_MALFORMED,
                       "\"unpacked-size\" is %" PRIu64 ", and its files have %" PRIu64 " bytes",
                       p->unpacked_size, sum);
    return E_OK;
}

/* check_paths: the paths of all three lists lie side by side in one tree. */
static enum errc check_paths(const struct payload *p, struct err *err)
{
    size_t n = 0, room = p->files.n + p->folders.n + p->links.n;
    if (room > RELEASE_FILES_MAX)
        return err_set(err, E_LIMIT, "%zu files, folders and links, the limit is %d", room,
                       RELEASE_FILES_MAX);
    struct path_entry *entries = calloc(room, sizeof(*entries));
    if (entries == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < p->files.n; i++)
        entries[n++].path = span_text(p->files.items[i].path);
    for (size_t i = 0; i < p->folders.n; i++)
        entries[n++] = (struct path_entry){ span_text(p->folders.items[i].path), true };
    for (size_t i = 0; i < p->links.n; i++)
        entries[n++].path = span_text(p->links.items[i].path);
    enum errc rc = path_set_check(entries, n, NULL, NULL, err);
    free(entries);
    return rc;
}

static enum errc check_archive(const struct payload *p, struct err *err)
{
    if (p->upgrade_code != NULL || p->product_code != NULL || p->product_version.text[0] != '\0')
        return err_set(err, E_MALFORMED,
                       "an archive has no \"upgrade-code\", \"product-code\" and "
                       "\"product-version\"; an MSI has");
    if (p->files.n == 0)
        return err_set(err, E_MALFORMED,
                       "an archive lists each <file> that is in it, and this one "
                       "lists none");
    enum errc rc = check_sorted(p, err);
    if (rc == E_OK)
        rc = check_sum(p, err);
    return rc == E_OK ? check_paths(p, err) : rc;
}

/* --- an MSI */

static enum errc check_msi(const struct payload *p, struct err *err)
{
    const char *missing = p->upgrade_code == NULL              ? "upgrade-code"
                          : p->product_code == NULL            ? "product-code"
                          : p->product_version.text[0] == '\0' ? "product-version"
                                                               : NULL;
    if (missing != NULL)
        return err_set(err, E_MALFORMED, "an MSI must have \"%s\", as its Property table has it",
                       missing);
    if (p->os != UINT32_C(1) << OS_WINDOWS)
        return err_set(err, E_MALFORMED, "an MSI must say os=\"windows\"");
    if (p->files.n + p->folders.n + p->links.n != 0)
        return err_set(err, E_MALFORMED,
                       "an MSI lists no <file>, <folder> or <link>; Windows Installer knows them");
    return E_OK;
}

/* --- payloads */

static enum errc check_payload(void *record, struct err *err)
{
    const struct payload *p = record;
    if ((p->os & (p->os - 1)) != 0)
        return err_set(err, E_MALFORMED,
                       "\"os\" names several systems; a payload is for one, or without it for all");
    if ((p->arch & (p->arch - 1)) != 0)
        return err_set(
            err, E_MALFORMED,
            "\"arch\" names several processors; a payload is for one, or without it for all");
    enum errc rc = check_demands(p, err);
    if (rc == E_OK)
        rc = p->kind == PAYLOAD_MSI ? check_msi(p, err) : check_archive(p, err);
    return rc;
}

static enum errc check_two(const struct payload *a, const struct payload *b, struct err *err)
{
    char shown[SHOWN];
    if (a->kind == b->kind && a->os == b->os && a->arch == b->arch)
        return err_set(
            err, E_MALFORMED,
            "two payloads of the same \"kind\", \"os\" and \"arch\": \"%s\" is the second",
            text_printable(span_text(b->path), shown, sizeof(shown)));
    bool is_same = a->size == b->size && memcmp(a->sha256, b->sha256, sizeof(a->sha256)) == 0;
    if (strcmp(a->path, b->path) == 0 && !is_same)
        return err_set(err, E_MALFORMED,
                       "two payloads at \"%s\" that differ in \"size\" or \"sha256\"",
                       text_printable(span_text(b->path), shown, sizeof(shown)));
    return E_OK;
}

static enum errc check_release(void *record, struct err *err)
{
    const struct release *r = record;
    enum errc rc = E_OK;
    for (size_t i = 0; i < r->payloads.n; i++)
        for (size_t k = 0; rc == E_OK && k < i; k++)
            rc = check_two(&r->payloads.items[k], &r->payloads.items[i], err);
    return rc;
}

/* --- reading */

enum errc release_read_unverified(struct span bytes, struct release *out, struct err *err)
{
    struct release release = { .product = NULL };
    arena_init(&release.arena, ARENA_MAX);
    enum errc rc =
        schema_read(bytes, RELEASE_BYTES_MAX, RELEASE_NS, &root, &release, &release.arena, err);
    if (rc != E_OK)
        release_fini(&release);
    else
        *out = release;
    return rc;
}

void release_fini(struct release *release)
{
    arena_fini(&release->arena);
    *release = (struct release){ .product = NULL };
}

/* --- questions */

const struct payload *release_find_payload(const struct release *r, enum target_os os,
                                           enum target_arch arch, enum payload_kind kind)
{
    const struct payload *best = NULL;
    int best_fit = -1;
    for (size_t i = 0; i < r->payloads.n; i++) {
        const struct payload *p = &r->payloads.items[i];
        bool is_for = p->kind == (int)kind && (p->os == 0 || (p->os >> os & 1) != 0) &&
                      (p->arch == 0 || (p->arch >> arch & 1) != 0);
        int fit = (p->os != 0 ? 2 : 0) + (p->arch != 0 ? 1 : 0);
        if (is_for && fit > best_fit) {
            best = p;
            best_fit = fit;
        }
    }
    return best;
}

/* --- where a payload has a path; its lists are sorted bytewise */

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

const struct release_file *payload_find_file(const struct payload *p, struct span path)
{
    size_t i = lower_bound(p->files.items, p->files.n, sizeof(*p->files.items), path);
    return i < p->files.n && span_equal_text(path, p->files.items[i].path) ? &p->files.items[i]
                                                                           : NULL;
}

const struct release_link *payload_find_link(const struct payload *p, struct span path)
{
    size_t i = lower_bound(p->links.items, p->links.n, sizeof(*p->links.items), path);
    return i < p->links.n && span_equal_text(path, p->links.items[i].path) ? &p->links.items[i]
                                                                           : NULL;
}

const struct release_folder *payload_find_folder(const struct payload *p, struct span path)
{
    size_t i = lower_bound(p->folders.items, p->folders.n, sizeof(*p->folders.items), path);
    return i < p->folders.n && span_equal_text(path, p->folders.items[i].path)
               ? &p->folders.items[i]
               : NULL;
}

static bool is_below(struct span above, const char *path)
{
    struct span p = span_text(path);
    return p.len > above.len && span_starts_with(p, above) && p.ptr[above.len] == '/';
}

/* What lies below "a" sorts after "a", though not always right after ("a-b", "a/b"): the search is
 * for "a/". */
bool payload_holds(const struct payload *p, struct span path)
{
    char slash[PATH_TREE_MAX + 2];
    if (path.len > PATH_TREE_MAX)
        return false;
    memcpy(slash, path.ptr, path.len);
    slash[path.len] = '/';
    struct span below = span_of(slash, path.len + 1);
    size_t f = lower_bound(p->files.items, p->files.n, sizeof(*p->files.items), below);
    size_t l = lower_bound(p->links.items, p->links.n, sizeof(*p->links.items), below);
    size_t d = lower_bound(p->folders.items, p->folders.n, sizeof(*p->folders.items), below);
    return (f < p->files.n && is_below(path, p->files.items[f].path)) ||
           (l < p->links.n && is_below(path, p->links.items[l].path)) ||
           (d < p->folders.n && is_below(path, p->folders.items[d].path));
}

bool payload_lists(const struct payload *p, struct span path)
{
    return payload_find_file(p, path) != NULL || payload_find_link(p, path) != NULL ||
           payload_find_folder(p, path) != NULL || payload_holds(p, path);
}
