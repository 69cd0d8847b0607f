#include "manifest/path.h"

#include <stdlib.h>
#include <string.h>

#include "manifest/path_private.h"
#include "platform/base/sort.h"
#include "platform/base/text.h"

#define SHOWN 80                          /* room for a path in a message */
#define SET_BYTES_MAX (96U * 1024 * 1024) /* keys of a set */
#define SET_MEMBERS_MAX 2000000U          /* paths and the folders that they name */

/* struct member: a path of the set, or a folder that it lies in: the first bytes of the path and of
 * its key. */
struct member {
    uint64_t hash;              /* of these bytes of the key */
    uint32_t number;            /* of the entry */
    uint32_t key_at;            /* in the buf of all keys */
    uint16_t key_len, path_len; /* less than the entry's where this is a folder of its path */
};

/* Members are sorted by hash, which says nothing but is fast; where hashes are equal by key, and of
 * equal keys the entries themselves come before the folders that others lie in. */
struct set {
    const struct path_entry *entries;
    struct member *members;
    size_t n;
    struct buf keys;
};

static struct span member_key(const struct set *s, size_t i)
{
    return span_of(s->keys.ptr + s->members[i].key_at, s->members[i].key_len);
}

static struct span member_path(const struct set *s, size_t i)
{
    return span_sub(s->entries[s->members[i].number].path, 0, s->members[i].path_len);
}

static bool is_entry(const struct set *s, size_t i)
{
    return s->members[i].path_len == s->entries[s->members[i].number].path.len;
}

static bool member_less(void *ctx, size_t i, size_t k)
{
    const struct set *s = ctx;
    if (s->members[i].hash != s->members[k].hash)
        return s->members[i].hash < s->members[k].hash;
    int order = span_compare(member_key(s, i), member_key(s, k));
    return order != 0 ? order < 0 : is_entry(s, i) && !is_entry(s, k);
}

static void member_swap(void *ctx, size_t i, size_t k)
{
    struct set *s = ctx;
    struct member held = s->members[i];
    s->members[i] = s->members[k];
    s->members[k] = held;
}

/* n_same is how many bytes a path has in common with the entry before it: folders that end within
 * them are members already. So the folders of a tree that is listed folder by folder count once. */
static size_t n_same(const struct path_entry *entries, size_t number)
{
    struct span path = entries[number].path;
    struct span before = number == 0 ? (struct span){ 0 } : entries[number - 1].path;
    size_t n = 0;
    while (n < path.len && n < before.len && path.ptr[n] == before.ptr[n])
        n++;
    return n;
}

static size_t n_members(const struct path_entry *entries, size_t n)
{
    size_t sum = n;
    for (size_t i = 0; i < n; i++)
        sum += path_n_slashes(span_sub(entries[i].path, n_same(entries, i), entries[i].path.len));
    return sum;
}

static uint64_t hash_more(uint64_t hash, struct span bytes)
{
    for (size_t i = 0; i < bytes.len; i++)
        hash = (hash ^ bytes.ptr[i]) * 0x100000001B3; /* FNV-1a */
    return hash;
}

/* add_members adds an entry whose key lies at `key_at`, and the folders that the entry before it
 * did not have. */
static void add_members(struct set *s, size_t number, size_t key_at)
{
    struct span path = s->entries[number].path;
    struct span key = span_of(s->keys.ptr + key_at, s->keys.len - key_at);
    size_t same = n_same(s->entries, number), at = 0, in_key = 0;
    uint64_t hash = 0xCBF29CE484222325;
    while (at <= path.len) {
        struct span component = path_component_at(key, in_key);
        hash = hash_more(hash, component);
        in_key += component.len;
        at += path_component_at(path, at).len;
        if (at >= same)
            s->members[s->n++] = (struct member){ hash, (uint32_t)number, (uint32_t)key_at,
                                                  (uint16_t)in_key, (uint16_t)at };
        hash = hash_more(hash, span_of("/", 1));
        in_key++;
        at++;
    }
}

static enum errc add_entries(struct set *s, size_t n, struct err *err)
{
    enum errc rc = E_OK;
    for (size_t i = 0; i < n && rc == E_OK; i++) {
        size_t key_at = s->keys.len;
        rc = path_fold(s->entries[i].path, &s->keys, err);
        if (rc == E_OK)
            add_members(s, i, key_at);
    }
    return rc;
}

/* find_clash says how two members that follow each other cannot be side by side; NULL where they
 * can. */
static const char *find_clash(const struct set *s, size_t i)
{
    if (s->members[i].hash != s->members[i + 1].hash ||
        !span_equal(member_key(s, i), member_key(s, i + 1)))
        return NULL;
    bool equal = span_equal(member_path(s, i), member_path(s, i + 1));
    if (is_entry(s, i) && is_entry(s, i + 1))
        return equal ? "stand twice" : "are one where case does not count";
    if (is_entry(s, i) && !s->entries[s->members[i].number].is_folder)
        return "cannot both be: the first is no folder";
    return equal ? NULL : "spell one folder in two ways";
}

static enum errc report_clash(const struct set *s, size_t i, const char *how, size_t *out_a,
                              size_t *out_b, struct err *err)
{
    char shown_a[SHOWN], shown_b[SHOWN];
    size_t a = s->members[i].number, b = s->members[i + 1].number;
    if (out_a != NULL)
        *out_a = a;
    if (out_b != NULL)
        *out_b = b;
    return err_set(err, E_MALFORMED, "paths \"%s\" and \"%s\" %s",
                   text_printable(s->entries[a].path, shown_a, SHOWN),
                   text_printable(s->entries[b].path, shown_b, SHOWN), how);
}

static enum errc check_neighbours(const struct set *s, size_t *out_a, size_t *out_b,
                                  struct err *err)
{
    for (size_t i = 0; i + 1 < s->n; i++) {
        const char *how = find_clash(s, i);
        if (how != NULL)
            return report_clash(s, i, how, out_a, out_b, err);
    }
    return E_OK;
}

enum errc path_set_check(const struct path_entry *entries, size_t n, size_t *out_a, size_t *out_b,
                         struct err *err)
{
    if (n > PATH_SET_MAX)
        return err_set(err, E_LIMIT, "%zu paths, limit %d", n, PATH_SET_MAX);
    struct set s = { .entries = entries };
    const size_t members = n_members(entries, n);
    if (members > SET_MEMBERS_MAX)
        return err_set(err, E_LIMIT, "%zu paths and folders that they name, limit %u", members,
                       SET_MEMBERS_MAX);
    s.members = calloc(members + 1, sizeof(*s.members));
    if (s.members == NULL)
        return err_nomem(err);
    buf_init(&s.keys, SET_BYTES_MAX);
    enum errc rc = add_entries(&s, n, err);
    if (rc == E_OK) {
        sort_items(s.n, member_less, member_swap, &s);
        rc = check_neighbours(&s, out_a, out_b, err);
    }
    buf_fini(&s.keys);
    free(s.members);
    return rc;
}
