#include "keys/publish/tree.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "manifest/path.h"
#include "platform/base/buf.h"
#include "platform/base/num.h"
#include "platform/base/sort.h"
#include "platform/base/text.h"
#include "platform/work.h"

#define FULL_PATH_MAX 8192
#define NAME_SHOWN 90
#define READ_WHOLE_MAX (64U * 1024) /* files up to this size are hashed from memory */
#define LOOK_PIECE 64               /* entries that are looked at in one go */
#define LINKS_MAX 16                /* that lead from one to the next */

struct tree {
    struct platform *platform;
    char *folder;
    struct tree_entry *entries;
    bool *is_used;                      /* while it is read: does a folder hold anything */
    const struct tree_options *options; /* while it is read */
    size_t n, room;
    uint64_t bytes;
};

static const char *shown(const char *path, char to[NAME_SHOWN])
{
    return text_printable(span_text(path), to, NAME_SHOWN);
}

/* full_path is the path of an entry as the system opens it. */
static enum errc full_path(const struct tree *t, const char *path, char to[FULL_PATH_MAX],
                           struct err *err)
{
    const char *slash = path[0] == '\0' ? "" : "/";
    int n = snprintf(to, FULL_PATH_MAX, "%s%s%s", t->folder, slash, path);
    if (n < 0 || n >= FULL_PATH_MAX)
        return err_set(err, E_LIMIT, "a path of more than %d bytes", FULL_PATH_MAX - 1);
    return E_OK;
}

static char *copy_text(const char *text, size_t len)
{
    char *copy = malloc(len + 1);
    if (copy != NULL) {
        memcpy(copy, text, len);
        copy[len] = '\0';
    }
    return copy;
}

/* --- listing */

/* One folder being listed: entry number `at`, or the root. */
struct listing {
    struct tree *tree;
    const char *path; /* of the folder, "" for the root */
    size_t at;
    bool is_root;
};

static enum errc grow(struct tree *t, struct err *err)
{
    size_t room = t->room == 0 ? 256 : t->room * 2;
    struct tree_entry *entries = realloc(t->entries, room * sizeof(*entries));
    if (entries == NULL)
        return err_nomem(err);
    t->entries = entries;
    bool *is_used = realloc(t->is_used, room * sizeof(*is_used));
    if (is_used == NULL)
        return err_nomem(err);
    t->is_used = is_used;
    t->room = room;
    return E_OK;
}

static enum errc read_target(struct tree *t, struct tree_entry *e, const char *full,
                             struct err *err)
{
    struct buf target;
    buf_init(&target, PATH_TREE_MAX + 1);
    enum errc rc = t->platform->fs->read_link(t->platform->self, full, &target, err);
    if (rc == E_OK)
        rc = path_check_link(span_text(e->path), buf_span(&target), err);
    if (rc == E_OK) {
        e->target = copy_text((const char *)target.ptr, target.len);
        rc = e->target == NULL ? err_nomem(err) : E_OK;
    }
    e->mode = 0777;
    buf_fini(&target);
    return rc;
}

static bool is_same_id(const uint64_t a[2], const uint64_t b[2])
{
    return a[0] == b[0] && a[1] == b[1];
}

static enum errc check_wanted(const struct tree *t, const struct fs_info *info, struct err *err)
{
    for (size_t i = 0; i < t->options->n_unwanted; i++)
        if (is_same_id(t->options->unwanted[i].id, info->id))
            return err_set(err, E_ARGUMENT, "%s", t->options->unwanted[i].why);
    return E_OK;
}

static enum errc use_info(struct tree *t, struct tree_entry *e, const struct fs_info *info,
                          const char *full, struct err *err)
{
    switch (info->kind) {
    case FS_FILE:
        e->kind = TREE_FILE;
        e->size = info->size;
        e->mode = (info->mode & 0111) != 0 ? 0755 : 0644;
        if ((info->mode & 07000) != 0)
            return err_set(err, E_MALFORMED, "has setuid, setgid or sticky bits (mode %04o)",
                           info->mode);
        return E_OK;
    case FS_FOLDER:
        e->kind = TREE_FOLDER;
        e->mode = 0755;
        return E_OK;
    case FS_LINK: e->kind = TREE_LINK; return read_target(t, e, full, err);
    case FS_OTHER:
        return err_set(err, E_MALFORMED, "is no file, folder or link, and no release can hold it");
    case FS_ABSENT: break;
    }
    return err_set(err, E_ABSENT, "went away while the folder was listed");
}

static enum errc look_at(struct tree *t, struct tree_entry *e, struct err *err)
{
    char full[FULL_PATH_MAX];
    struct fs_info info;
    enum errc rc = full_path(t, e->path, full, err);
    if (rc == E_OK)
        rc = t->platform->fs->stat_link(t->platform->self, full, &info, err);
    if (rc == E_OK)
        rc = check_wanted(t, &info, err);
    if (rc != E_OK)
        return rc;
    e->id[0] = info.id[0];
    e->id[1] = info.id[1];
    return use_info(t, e, &info, full, err);
}

static enum errc say_changed(struct err *err)
{
    return err_set(err, E_BUSY,
                   "changed since it was listed: another one has its place; let nothing write "
                   "here meanwhile");
}

static char *join(const char *folder, const char *name)
{
    size_t folder_len = strlen(folder), len = folder_len + strlen(name) + 2;
    char *path = malloc(len);
    if (path != NULL)
        (void)snprintf(path, len, folder_len == 0 ? "%s%s" : "%s/%s", folder, name);
    return path;
}

static enum errc add_name(void *ctx, const char *name, struct err *err)
{
    struct listing *l = ctx;
    struct tree *t = l->tree;
    if (t->n == TREE_ENTRIES_MAX)
        return err_set(err, E_LIMIT, "more than %d files and folders", TREE_ENTRIES_MAX);
    enum errc rc = t->n == t->room ? grow(t, err) : E_OK;
    if (rc != E_OK)
        return rc;
    struct tree_entry *e = &t->entries[t->n];
    *e = (struct tree_entry){ .path = join(l->path, name) };
    if (e->path == NULL)
        return err_nomem(err);
    t->is_used[t->n++] = false;
    if (!l->is_root)
        t->is_used[l->at] = true;
    return path_check(span_text(e->path), err); /* names it */
}

/* Entries are looked at side by side, some at a time. */
struct looking {
    struct tree *tree;
    size_t first;
    struct err *errs; /* of each piece */
};

static void look_piece(void *ctx, size_t i)
{
    struct looking *l = ctx;
    struct err *err = &l->errs[i];
    char text[NAME_SHOWN];
    size_t at = l->first + i * LOOK_PIECE, end = at + LOOK_PIECE;
    for (; at < end && at < l->tree->n && err->code == E_OK; at++) {
        struct tree_entry *e = &l->tree->entries[at];
        if (look_at(l->tree, e, err) != E_OK)
            (void)err_prefix(err, "\"%s\": ", shown(e->path, text));
    }
}

/* look_at_all looks at the entries from `first` on, and adds up their bytes. */
static enum errc look_at_all(struct tree *t, size_t first, struct err *err)
{
    size_t n = (t->n - first + LOOK_PIECE - 1) / LOOK_PIECE;
    struct looking l = { .tree = t, .first = first, .errs = calloc(n + 1, sizeof(*l.errs)) };
    enum errc rc = E_OK;
    if (l.errs == NULL)
        return err_nomem(err);
    work_run(n, look_piece, &l);
    for (size_t i = 0; i < n && rc == E_OK; i++)
        if (l.errs[i].code != E_OK) {
            rc = l.errs[i].code;
            if (err != NULL)
                *err = l.errs[i];
        }
    free(l.errs);
    for (size_t i = first; i < t->n && rc == E_OK; i++)
        if (!num_add(t->bytes, t->entries[i].size, &t->bytes))
            rc = err_set(err, E_LIMIT, "more bytes than can be counted");
    return rc;
}

static enum errc list_folder(struct tree *t, size_t at, bool is_root, struct err *err)
{
    char full[FULL_PATH_MAX], text[NAME_SHOWN];
    struct fs_info info;
    const char *path = is_root ? "" : t->entries[at].path;
    struct listing l = { .tree = t, .path = path, .at = at, .is_root = is_root };
    enum errc rc = full_path(t, path, full, err);
    size_t before = t->n;
    if (rc == E_OK)
        rc = t->platform->fs->list(t->platform->self, full, add_name, &l, err);
    if (rc != E_OK && t->n != before)
        return rc; /* names it */
    if (rc == E_OK && !is_root)
        rc = t->platform->fs->stat_link(t->platform->self, full, &info, err);
    /* A number is given again when its file is gone: the kind counts too. */
    if (rc == E_OK && !is_root &&
        (info.kind != FS_FOLDER || !is_same_id(info.id, t->entries[at].id)))
        rc = say_changed(err);
    return rc == E_OK ? rc : err_prefix(err, "\"%s\": ", shown(is_root ? t->folder : path, text));
}

/* The folder itself may be one that is not wanted; it may be named by a link. */
static enum errc check_root(const struct tree *t, struct err *err)
{
    char text[NAME_SHOWN];
    struct fs_info info;
    enum errc rc = tree_identify(t->platform, t->folder, &info, err);
    if (rc == E_OK && info.kind != FS_ABSENT)
        rc = check_wanted(t, &info, err);
    return rc == E_OK ? rc : err_prefix(err, "\"%s\": ", shown(t->folder, text));
}

/* A level of folders after another: names first, and then all that is below is looked at side by
 * side. The entries' paths do not move while the list does. */
static enum errc list_all(struct tree *t, struct err *err)
{
    enum errc rc = check_root(t, err);
    if (rc == E_OK)
        rc = list_folder(t, 0, true, err);
    if (rc == E_OK)
        rc = look_at_all(t, 0, err);
    for (size_t from = 0, end = t->n; rc == E_OK && from < end; from = end, end = t->n) {
        for (size_t i = from; i < end && rc == E_OK; i++)
            if (t->entries[i].kind == TREE_FOLDER)
                rc = list_folder(t, i, false, err);
        if (rc == E_OK)
            rc = look_at_all(t, end, err);
    }
    return rc;
}

static void free_entry(struct tree_entry *e)
{
    free((char *)(uintptr_t)e->path);
    free((char *)(uintptr_t)e->target);
}

/* Folders that hold something are made with what they hold. */
static void drop_used_folders(struct tree *t)
{
    size_t kept = 0;
    for (size_t i = 0; i < t->n; i++) {
        if (t->entries[i].kind == TREE_FOLDER && t->is_used[i])
            free_entry(&t->entries[i]);
        else
            t->entries[kept++] = t->entries[i];
    }
    t->n = kept;
}

static bool is_before(void *ctx, size_t i, size_t k)
{
    const struct tree *t = ctx;
    return strcmp(t->entries[i].path, t->entries[k].path) < 0;
}

static void swap_entries(void *ctx, size_t i, size_t k)
{
    struct tree *t = ctx;
    struct tree_entry entry = t->entries[i];
    t->entries[i] = t->entries[k];
    t->entries[k] = entry;
}

static enum errc check_set(const struct tree *t, struct err *err)
{
    struct path_entry *paths = calloc(t->n + 1, sizeof(*paths));
    if (paths == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < t->n; i++)
        paths[i] = (struct path_entry){ .path = span_text(t->entries[i].path),
                                        .is_folder = t->entries[i].kind == TREE_FOLDER };
    enum errc rc = path_set_check(paths, t->n, NULL, NULL, err);
    free(paths);
    return rc;
}

/* --- hashing */

struct hashing {
    struct tree *tree;
    const struct tree_options *options;
    uint64_t done; /* of tree->bytes */
    bool has_failed;
    struct err err;     /* of the first, in the order of the list, that failed */
    enum errc *results; /* of each */
};

static enum errc hash_whole(struct source *src, struct digest *out, struct err *err)
{
    uint8_t bytes[READ_WHOLE_MAX];
    enum errc rc = source_read_at(src, 0, bytes, (size_t)src->size, err);
    return rc == E_OK ? digest_bytes(DIGEST_SHA256, span_of(bytes, (size_t)src->size), out, err)
                      : rc;
}

static enum errc hash_file(const struct tree *t, size_t i, struct digest *out, struct err *err)
{
    struct digest_set set;
    struct source *src;
    char text[NAME_SHOWN];
    enum errc rc = tree_open(t, i, &src, err);
    if (rc != E_OK)
        return rc;
    if (src->size <= READ_WHOLE_MAX) {
        rc = hash_whole(src, out, err);
    } else {
        rc = digest_source(src, DIGEST_BIT(DIGEST_SHA256), &set, err);
        if (rc == E_OK)
            *out = set.of[DIGEST_SHA256];
    }
    source_close(src);
    return rc == E_OK ? rc : err_prefix(err, "\"%s\": ", shown(t->entries[i].path, text));
}

static void hash_piece(void *ctx, size_t i)
{
    struct hashing *h = ctx;
    struct err ignored = { .code = E_OK };
    if (h->tree->entries[i].kind == TREE_FILE)
        h->results[i] = hash_file(h->tree, i, &h->tree->entries[i].sha256, &ignored);
}

/* Comes in the order of the list. Why a file failed is found out by trying once more: there may be
 * very many, and a message each would be much memory. */
static void count_piece(void *ctx, size_t i)
{
    struct hashing *h = ctx;
    char text[NAME_SHOWN];
    h->done += h->tree->entries[i].size;
    if (h->results[i] != E_OK && !h->has_failed) {
        h->has_failed = true;
        (void)err_set(&h->err, h->results[i], "\"%s\": could not be read",
                      shown(h->tree->entries[i].path, text));
        (void)hash_file(h->tree, i, &h->tree->entries[i].sha256, &h->err);
    }
    if (h->options->progress != NULL)
        h->options->progress(h->options->progress_ctx, h->done, h->tree->bytes);
}

static enum errc hash_all(struct tree *t, const struct tree_options *options, struct err *err)
{
    struct hashing h = { .tree = t, .options = options };
    h.results = calloc(t->n + 1, sizeof(*h.results));
    if (h.results == NULL)
        return err_nomem(err);
    work_run_ordered(t->n, hash_piece, count_piece, &h);
    free(h.results);
    if (h.has_failed && err != NULL)
        *err = h.err;
    return h.has_failed ? h.err.code : E_OK;
}

/* --- the whole */

static enum errc read_tree(struct tree *t, const struct tree_options *options, struct err *err)
{
    t->options = options;
    enum errc rc = list_all(t, err);
    t->options = NULL;
    if (rc != E_OK)
        return rc;
    if (!options->lists_folders)
        drop_used_folders(t);
    sort_items(t->n, is_before, swap_entries, t);
    rc = check_set(t, err);
    return rc == E_OK && !options->leaves_hashing ? hash_all(t, options, err) : rc;
}

enum errc tree_read(struct platform *p, const char *folder, const struct tree_options *options,
                    struct tree **out, struct err *err)
{
    struct tree *t = calloc(1, sizeof(*t));
    if (t == NULL)
        return err_nomem(err);
    t->platform = p;
    t->folder = copy_text(folder, strlen(folder));
    enum errc rc = t->folder == NULL ? err_nomem(err) : read_tree(t, options, err);
    if (rc == E_OK)
        *out = t;
    else
        tree_free(t);
    return rc;
}

void tree_free(struct tree *t)
{
    if (t == NULL)
        return;
    for (size_t i = 0; i < t->n; i++)
        free_entry(&t->entries[i]);
    free(t->entries);
    free(t->is_used);
    free(t->folder);
    free(t);
}

size_t tree_n(const struct tree *t)
{
    return t->n;
}

const struct tree_entry *tree_get(const struct tree *t, size_t i)
{
    return &t->entries[i];
}

void tree_set_sha256(struct tree *t, size_t i, const struct digest *sha256)
{
    t->entries[i].sha256 = *sha256;
}

uint64_t tree_bytes(const struct tree *t)
{
    return t->bytes;
}

enum errc tree_open(const struct tree *t, size_t i, struct source **out, struct err *err)
{
    char full[FULL_PATH_MAX], text[NAME_SHOWN];
    const struct tree_entry *e = &t->entries[i];
    struct source *src = NULL;
    enum errc rc = full_path(t, e->path, full, err);
    if (rc == E_OK)
        rc = t->platform->fs->open_source_nofollow(t->platform->self, full, &src, err);
    if (rc == E_OK && !is_same_id(src->id, e->id)) /* and it is a file, or it would not open */
        rc = say_changed(err);
    if (rc == E_OK && src->size != e->size)
        rc = err_set(err, E_MALFORMED,
                     "changed since it was listed: %" PRIu64 " bytes, and not %" PRIu64, src->size,
                     e->size);
    if (rc != E_OK) {
        source_close(src);
        return err_prefix(err, "\"%s\": ", shown(e->path, text));
    }
    *out = src;
    return E_OK;
}

/* --- what a path leads to */

/* follow replaces a path that is a link by what that leads to. */
static enum errc follow(struct platform *p, char path[FULL_PATH_MAX], struct err *err)
{
    struct buf target;
    buf_init(&target, FULL_PATH_MAX - 1);
    enum errc rc = p->fs->read_link(p->self, path, &target, err);
    if (rc == E_OK) {
        const char *slash = strrchr(path, '/');
        bool is_whole = slash == NULL || (target.len > 0 && target.ptr[0] == '/');
        size_t keep = is_whole ? 0 : (size_t)(slash + 1 - path);
        if (target.len >= FULL_PATH_MAX - keep) {
            rc = err_set(err, E_LIMIT, "a path of more than %d bytes", FULL_PATH_MAX - 1);
        } else {
            if (target.len > 0)
                memcpy(path + keep, target.ptr, target.len);
            path[keep + target.len] = '\0';
        }
    }
    buf_fini(&target);
    return rc;
}

enum errc tree_identify(struct platform *p, const char *path, struct fs_info *out, struct err *err)
{
    char at[FULL_PATH_MAX];
    struct fs_info info;
    if (strlen(path) >= sizeof(at))
        return err_set(err, E_LIMIT, "a path of more than %d bytes", FULL_PATH_MAX - 1);
    (void)text_copy(at, sizeof(at), path);
    for (int i = 0; i < LINKS_MAX; i++) {
        enum errc rc = p->fs->stat_link(p->self, at, &info, err);
        if (rc == E_OK && info.kind == FS_LINK)
            rc = follow(p, at, err);
        if (rc != E_OK && rc != E_UNSUPPORTED)
            return rc;
        if (rc == E_UNSUPPORTED || info.kind != FS_LINK) {
            *out = info;
            return E_OK;
        }
    }
    return err_set(err, E_LIMIT, "more than %d links, one after another", LINKS_MAX);
}
