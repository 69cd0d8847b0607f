#include "installer/core/unpack_entry.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "manifest/path.h"
#include "platform/base/buf.h"
#include "platform/base/num.h"
#include "platform/base/text.h"
#include "verify/digest.h"

#define NAMES_MAX (64U * 1024 * 1024) /* bytes of all names that are remembered */
#define NAME_SHOWN 100
#define SLOTS_FIRST 1024

/* A path that is taken. `path` and `key` (path_fold) are offsets into `names`. */
struct taken {
    uint64_t hash;
    size_t path_at, path_len, key_at, key_len;
    enum unpack_kind kind;
    bool is_listed; /* false: a folder that only others' paths speak of */
};

struct unpack_entry_judge {
    struct unpack_limits limits;
    uint64_t packed, total;
    uint32_t n_entries;
    struct buf names, key;
    struct taken *taken;
    size_t n_taken, room;
    /* Open addressing: 1 + an index into `taken`, 0 for none; n_slots is a power of two and at
     * least twice n_taken. */
    uint32_t *slots;
    size_t n_slots;
    struct region parent; /* in `names`: the folder that was last found to be right */
};

enum unpack_kind unpack_entry_kind_of_mode(unsigned mode)
{
    switch (mode & 0170000) {
    case 0: return UNPACK_NONE;
    case 0100000: return UNPACK_FILE;
    case 0040000: return UNPACK_FOLDER;
    case 0120000: return UNPACK_LINK;
    case 0010000: return UNPACK_FIFO;
    case 0140000: return UNPACK_SOCKET;
    default: return UNPACK_DEVICE;
    }
}

struct unpack_limits unpack_entry_limits(void)
{
    return (struct unpack_limits){
        .entry_bytes = UINT64_C(16) << 30,
        .total_bytes = UINT64_C(64) << 30,
        .ratio = 250,
        .ratio_free_bytes = UINT64_C(64) << 20,
        .n_entries = 1000000,
        .depth = 32,
    };
}

enum errc unpack_entry_check_ratio(const struct unpack_limits *limits, uint64_t unpacked,
                                   uint64_t packed, struct err *err)
{
    if (unpacked <= limits->ratio_free_bytes || unpacked / limits->ratio < packed)
        return E_OK;
    return err_set(err, E_LIMIT,
                   "%" PRIu64 " bytes unpack to %" PRIu64 ", that is more than %" PRIu64
                   " to one: the archive is a bomb, or the limit is too low for it",
                   packed, unpacked, limits->ratio);
}

enum errc unpack_entry_judge_new(const struct unpack_limits *limits, uint64_t packed,
                                 struct unpack_entry_judge **out, struct err *err)
{
    if (limits->ratio == 0)
        return err_set(err, E_ARGUMENT, "a limit of nothing to one");
    struct unpack_entry_judge *j = calloc(1, sizeof(*j));
    if (j == NULL)
        return err_nomem(err);
    j->limits = *limits;
    j->packed = packed;
    buf_init(&j->names, NAMES_MAX);
    buf_init(&j->key, (size_t)PATH_TREE_MAX * PATH_FOLD_GROWTH);
    j->slots = calloc(SLOTS_FIRST, sizeof(*j->slots));
    if (j->slots == NULL) {
        unpack_entry_judge_free(j);
        return err_nomem(err);
    }
    j->n_slots = SLOTS_FIRST;
    *out = j;
    return E_OK;
}

void unpack_entry_judge_free(struct unpack_entry_judge *j)
{
    if (j == NULL)
        return;
    buf_fini(&j->names);
    buf_fini(&j->key);
    free(j->taken);
    free(j->slots);
    free(j);
}

static struct span name_at(const struct unpack_entry_judge *j, size_t at, size_t len)
{
    return span_sub(buf_span(&j->names), at, len);
}

/* The hash is a cryptographic one: the names are a stranger's, who must not be able to choose ones
 * that all meet. */
static enum errc hash_key(struct span key, uint64_t *out, struct err *err)
{
    struct digest d;
    enum errc rc = digest_bytes(DIGEST_SHA256, key, &d, err);
    if (rc == E_OK)
        memcpy(out, d.bytes, sizeof(*out));
    return rc;
}

static void put_slot(struct unpack_entry_judge *j, size_t index)
{
    size_t at = (size_t)j->taken[index].hash & (j->n_slots - 1);
    while (j->slots[at] != 0)
        at = (at + 1) & (j->n_slots - 1);
    j->slots[at] = (uint32_t)index + 1;
}

/* find_taken is the one with this key, or NULL. */
static struct taken *find_taken(struct unpack_entry_judge *j, struct span key, uint64_t hash)
{
    for (size_t at = (size_t)hash & (j->n_slots - 1); j->slots[at] != 0;
         at = (at + 1) & (j->n_slots - 1)) {
        struct taken *t = &j->taken[j->slots[at] - 1];
        if (t->hash == hash && span_equal(name_at(j, t->key_at, t->key_len), key))
            return t;
    }
    return NULL;
}

static enum errc grow_slots(struct unpack_entry_judge *j, struct err *err)
{
    size_t n = j->n_slots * 2;
    uint32_t *slots = n > UINT32_MAX / 2 ? NULL : calloc(n, sizeof(*slots));
    if (slots == NULL)
        return err_nomem(err);
    free(j->slots);
    j->slots = slots;
    j->n_slots = n;
    for (size_t i = 0; i < j->n_taken; i++)
        put_slot(j, i);
    return E_OK;
}

static enum errc grow_taken(struct unpack_entry_judge *j, struct err *err)
{
    size_t room = j->room == 0 ? SLOTS_FIRST : j->room * 2;
    struct taken *taken = realloc(j->taken, room * sizeof(*taken));
    if (taken == NULL)
        return err_nomem(err);
    j->taken = taken;
    j->room = room;
    return E_OK;
}

/* add_taken remembers a path whose key is in j->key. */
static enum errc add_taken(struct unpack_entry_judge *j, struct span path, uint64_t hash,
                           enum unpack_kind kind, bool is_listed, struct err *err)
{
    struct taken t = { .hash = hash, .kind = kind, .is_listed = is_listed };
    enum errc rc = j->n_taken == j->room ? grow_taken(j, err) : E_OK;
    if (rc == E_OK && (j->n_taken + 1) * 2 > j->n_slots)
        rc = grow_slots(j, err);
    t.path_at = j->names.len;
    t.path_len = path.len;
    if (rc == E_OK)
        rc = buf_add(&j->names, path, err);
    t.key_at = j->names.len;
    t.key_len = j->key.len;
    if (rc == E_OK)
        rc = buf_add(&j->names, buf_span(&j->key), err);
    if (rc != E_OK)
        return rc;
    j->taken[j->n_taken++] = t;
    put_slot(j, j->n_taken - 1);
    return E_OK;
}

static enum errc fold_path(struct unpack_entry_judge *j, struct span path, uint64_t *out_hash,
                           struct err *err)
{
    buf_clear(&j->key);
    enum errc rc = path_fold(path, &j->key, err);
    return rc == E_OK ? hash_key(buf_span(&j->key), out_hash, err) : rc;
}

static const char *shown(struct span text, char to[NAME_SHOWN])
{
    return text_printable(text, to, NAME_SHOWN);
}

static const char *kind_word(enum unpack_kind kind)
{
    switch (kind) {
    case UNPACK_FILE: return "a file";
    case UNPACK_FOLDER: return "a folder";
    case UNPACK_LINK: return "a symbolic link";
    case UNPACK_HARDLINK: return "a hard link";
    case UNPACK_DEVICE: return "a device";
    case UNPACK_FIFO: return "a named pipe";
    case UNPACK_SOCKET: return "a socket";
    case UNPACK_NONE: break;
    }
    return "of no known kind";
}

/* check_folder: `path` is used as a folder by an entry below it. */
static enum errc check_folder(struct unpack_entry_judge *j, struct span path, struct err *err)
{
    char name[NAME_SHOWN];
    uint64_t hash;
    enum errc rc = fold_path(j, path, &hash, err);
    if (rc != E_OK)
        return rc;
    const struct taken *t = find_taken(j, buf_span(&j->key), hash);
    if (t == NULL)
        return add_taken(j, path, hash, UNPACK_FOLDER, false, err);
    struct span before = name_at(j, t->path_at, t->path_len);
    if (t->kind != UNPACK_FOLDER)
        return err_set(err, E_MALFORMED, "lies below \"%s\", which is %s", shown(before, name),
                       kind_word(t->kind));
    if (!span_equal(before, path))
        return err_set(err, E_MALFORMED, "its folder was spelt \"%s\" before: one on some systems",
                       shown(before, name));
    return E_OK;
}

static size_t parent_len(struct span path)
{
    size_t len = path.len;
    while (len > 0 && path.ptr[len - 1] != '/')
        len--;
    return len == 0 ? 0 : len - 1;
}

/* Entries mostly come folder by folder: one that lies where the last one did needs no look. */
static enum errc check_folders(struct unpack_entry_judge *j, struct span path, struct err *err)
{
    struct span parent = span_sub(path, 0, parent_len(path));
    enum errc rc = E_OK;
    if (parent.len == 0 ||
        span_equal(parent, name_at(j, (size_t)j->parent.at, (size_t)j->parent.len)))
        return E_OK;
    for (size_t i = 0; i <= parent.len && rc == E_OK; i++)
        if (i == parent.len || parent.ptr[i] == '/')
            rc = check_folder(j, span_sub(parent, 0, i), err);
    return rc;
}

/* The place of the folder is the one of the path itself, once that is remembered. */
static void keep_parent(struct unpack_entry_judge *j, struct span path)
{
    const struct taken *last = &j->taken[j->n_taken - 1];
    j->parent = (struct region){ last->path_at, parent_len(path) };
}

static enum errc check_place(struct unpack_entry_judge *j, const struct unpack_entry *e,
                             struct err *err)
{
    char name[NAME_SHOWN];
    uint64_t hash;
    enum errc rc = check_folders(j, e->path, err);
    if (rc == E_OK)
        rc = fold_path(j, e->path, &hash, err);
    if (rc != E_OK)
        return rc;
    struct taken *t = find_taken(j, buf_span(&j->key), hash);
    if (t == NULL) {
        rc = add_taken(j, e->path, hash, e->kind, true, err);
        if (rc == E_OK)
            keep_parent(j, e->path);
        return rc;
    }
    struct span before = name_at(j, t->path_at, t->path_len);
    if (!span_equal(before, e->path))
        return err_set(err, E_MALFORMED, "is the same path as \"%s\" on some systems",
                       shown(before, name));
    if (t->is_listed)
        return err_set(err, E_MALFORMED, "stands twice in the archive");
    if (e->kind != UNPACK_FOLDER)
        return err_set(err, E_MALFORMED, "is %s, and other entries lie below it",
                       kind_word(e->kind));
    t->is_listed = true;
    return E_OK;
}

static enum errc check_kind(const struct unpack_entry *e, struct err *err)
{
    switch (e->kind) {
    case UNPACK_FILE:
    case UNPACK_FOLDER:
    case UNPACK_LINK:
    case UNPACK_HARDLINK: return E_OK;
    case UNPACK_DEVICE:
    case UNPACK_FIFO:
    case UNPACK_SOCKET:
    case UNPACK_NONE: break;
    }
    return err_set(err, E_MALFORMED, "is %s, which no release tree may hold", kind_word(e->kind));
}

static enum errc check_mode(const struct unpack_entry *e, struct err *err)
{
    if ((e->mode & 04000) != 0)
        return err_set(err, E_MALFORMED, "has the setuid bit");
    if ((e->mode & 02000) != 0)
        return err_set(err, E_MALFORMED, "has the setgid bit");
    if ((e->mode & 01000) != 0)
        return err_set(err, E_MALFORMED, "has the sticky bit");
    if ((e->mode & ~0777U) != 0)
        return err_set(err, E_MALFORMED, "has a mode of 0%o", e->mode);
    return E_OK;
}

static enum errc check_depth(const struct unpack_entry_judge *j, struct span path, struct err *err)
{
    uint32_t depth = 1;
    for (size_t i = 0; i < path.len; i++)
        depth += path.ptr[i] == '/';
    if (depth > j->limits.depth)
        return err_set(err, E_LIMIT, "lies %" PRIu32 " deep, the limit is %" PRIu32, depth,
                       j->limits.depth);
    return E_OK;
}

static enum errc check_hard_link(struct unpack_entry_judge *j, struct span target, struct err *err)
{
    char name[NAME_SHOWN];
    uint64_t hash;
    enum errc rc = path_check(target, err);
    if (rc == E_OK)
        rc = fold_path(j, target, &hash, err);
    if (rc != E_OK)
        return err_prefix(err, "is a hard link to ");
    const struct taken *t = find_taken(j, buf_span(&j->key), hash);
    if (t == NULL || !span_equal(name_at(j, t->path_at, t->path_len), target))
        return err_set(err, E_MALFORMED,
                       "is a hard link to \"%s\", which is not in the archive before it",
                       shown(target, name));
    if (t->kind != UNPACK_FILE)
        return err_set(err, E_MALFORMED, "is a hard link to \"%s\", which is %s",
                       shown(target, name), kind_word(t->kind));
    return E_OK;
}

static enum errc check_target(struct unpack_entry_judge *j, const struct unpack_entry *e,
                              struct err *err)
{
    if (e->kind == UNPACK_HARDLINK)
        return check_hard_link(j, e->target, err);
    return e->kind == UNPACK_LINK ? path_check_link(e->path, e->target, err) : E_OK;
}

static enum errc check_size(struct unpack_entry_judge *j, const struct unpack_entry *e,
                            struct err *err)
{
    if (e->kind != UNPACK_FILE && e->size != 0)
        return err_set(err, E_MALFORMED, "is %s, and brings %" PRIu64 " bytes", kind_word(e->kind),
                       e->size);
    if (e->size > j->limits.entry_bytes)
        return err_set(err, E_LIMIT, "has %" PRIu64 " bytes, the limit is %" PRIu64, e->size,
                       j->limits.entry_bytes);
    if (!num_add(j->total, e->size, &j->total) || j->total > j->limits.total_bytes)
        return err_set(err, E_LIMIT,
                       "with its %" PRIu64 " bytes it is more than %" PRIu64
                       " in all, which is the limit",
                       e->size, j->limits.total_bytes);
    return unpack_entry_check_ratio(&j->limits, j->total, j->packed, err);
}

static enum errc check_entry(struct unpack_entry_judge *j, const struct unpack_entry *e,
                             struct err *err)
{
    enum errc rc = E_OK;
    if (e->is_encrypted)
        rc = err_set(err, E_MALFORMED, "is encrypted");
    if (rc == E_OK)
        rc = check_kind(e, err);
    if (rc == E_OK && e->kind != UNPACK_LINK) /* a link's own mode means nothing */
        rc = check_mode(e, err);
    if (rc == E_OK)
        rc = check_depth(j, e->path, err);
    if (rc == E_OK)
        rc = check_size(j, e, err);
    if (rc == E_OK)
        rc = check_target(j, e, err);
    if (rc == E_OK)
        rc = check_place(j, e, err);
    return rc;
}

enum errc unpack_entry_judge(struct unpack_entry_judge *j, const struct unpack_entry *e,
                             struct err *err)
{
    char name[NAME_SHOWN];
    if (j->n_entries == j->limits.n_entries)
        return err_set(err, E_LIMIT, "more than %" PRIu32 " entries, which is the limit",
                       j->limits.n_entries);
    j->n_entries++;
    if (path_check(e->path, err) != E_OK)
        return err_prefix(err, "entry ");
    enum errc rc = check_entry(j, e, err);
    return rc == E_OK ? E_OK : err_prefix(err, "entry \"%s\": ", shown(e->path, name));
}
