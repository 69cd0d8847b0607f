#include "manifest/path.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "manifest/path_private.h"
#include "platform/base/sort.h"
#include "platform/base/text.h"

#define SHOWN 80                           /* room for a path or a component in a message */
#define SET_BYTES_MAX (256U * 1024 * 1024) /* keys of a set */
#define SHORT_BASE_MAX 8                   /* a name that Windows makes up: 8 characters, */
#define SHORT_EXTENSION_MAX 3              /* a dot and 3 */

/* component_at is the bytes from `at` to the next "/" or the end. A path has one more component
 * than it has slashes, the empty ones too: walk by `at += component.len + 1` while at <= path.len.
 */
static struct span component_at(struct span path, size_t at)
{
    struct span rest = span_sub(path, at, path.len);
    const uint8_t *slash = rest.len == 0 ? NULL : memchr(rest.ptr, '/', rest.len);
    return slash == NULL ? rest : span_sub(rest, 0, (size_t)(slash - rest.ptr));
}

/* --- characters */

static bool is_letter(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_hidden(struct span utf8)
{
    char shown[16];
    return text_printable(utf8, shown, sizeof(shown))[0] == '\\';
}

static enum errc check_ascii(uint8_t c, struct err *err)
{
    if (c == 0)
        return err_set(err, E_MALFORMED, "has a NUL byte");
    if (c < 0x20 || c == 0x7F)
        return err_set(err, E_MALFORMED, "has a control character, 0x%02x", c);
    if (c == '\\')
        return err_set(err, E_MALFORMED, "has a backslash: write \"/\" between folders");
    if (c == ':')
        return err_set(err, E_MALFORMED, "has \":\", which on Windows names another data stream");
    if (strchr("<>\"|?*", c) != NULL)
        return err_set(err, E_MALFORMED, "has '%c', which Windows forbids", c);
    return E_OK;
}

static enum errc check_code(uint32_t code, struct span utf8, struct err *err)
{
    if (code < 0x80)
        return check_ascii((uint8_t)code, err);
    if (is_hidden(utf8))
        return err_set(err, E_MALFORMED, "has U+%04" PRIX32 ", which is not seen or is a control",
                       code);
    const char *fault = path_code_fault(code);
    if (fault != NULL)
        return err_set(err, E_MALFORMED, "has U+%04" PRIX32 ", which %s", code, fault);
    return E_OK;
}

/* is_plain is true for the bytes that nothing is wrong with; most are. */
static bool is_plain(uint8_t byte)
{
    return is_letter(byte) || (byte >= '-' && byte <= '9') || byte == '_';
}

static enum errc check_codes(struct span component, struct err *err)
{
    for (size_t at = 0, n = 1; at < component.len; at += n) {
        uint32_t code;
        n = 1;
        if (is_plain(component.ptr[at]))
            continue;
        n = text_utf8_next(span_sub(component, at, component.len), &code);
        if (n == 0)
            return err_set(err, E_MALFORMED, "is no UTF-8 at its byte %zu", at);
        enum errc rc = check_code(code, span_sub(component, at, n), err);
        if (rc != E_OK)
            return rc;
    }
    return E_OK;
}

/* --- names that Windows reads otherwise */

static bool equal_but_for_case(struct span a, const char *upper)
{
    for (size_t i = 0; i < a.len; i++)
        if (upper[i] == '\0' || (is_letter(a.ptr[i]) ? a.ptr[i] & ~0x20 : a.ptr[i]) != upper[i])
            return false;
    return upper[a.len] == '\0';
}

/* "COM" or "LPT", and a digit: 0 to 9, or one of the three in superscript (U+00B9, B2, B3). */
static bool is_port(struct span base)
{
    struct span digit = span_sub(base, 3, base.len);
    struct span kind = span_sub(base, 0, 3);
    if (!equal_but_for_case(kind, "COM") && !equal_but_for_case(kind, "LPT"))
        return false;
    return (digit.len == 1 && digit.ptr[0] >= '0' && digit.ptr[0] <= '9') ||
           span_equal_text(digit, "\xC2\xB9") || span_equal_text(digit, "\xC2\xB2") ||
           span_equal_text(digit, "\xC2\xB3");
}

/* A device's name means the device in every folder, whatever follows its first dot; spaces before
 * the dot do not count. */
static bool is_device(struct span component)
{
    static const char *const names[] = {
        "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", "CLOCK$"
    };
    const uint8_t *dot = memchr(component.ptr, '.', component.len);
    struct span base =
        span_sub(component, 0, dot == NULL ? component.len : (size_t)(dot - component.ptr));
    while (base.len > 0 && base.ptr[base.len - 1] == ' ')
        base.len--;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (equal_but_for_case(base, names[i]))
            return true;
    return is_port(base);
}

static size_t n_characters(struct span utf8)
{
    size_t n = 0;
    for (size_t i = 0; i < utf8.len; i++)
        n += (utf8.ptr[i] & 0xC0) != 0x80;
    return n;
}

/* "~" and digits at the end. */
static bool has_short_tail(struct span base)
{
    size_t end = base.len;
    while (end > 0 && base.ptr[end - 1] >= '0' && base.ptr[end - 1] <= '9')
        end--;
    return end < base.len && end > 0 && base.ptr[end - 1] == '~';
}

/* Windows gives a long name a second, short one, such as PROGRA~1: a file that is named so could be
 * any of its neighbours. */
static bool is_short_name(struct span component)
{
    const uint8_t *dot = memchr(component.ptr, '.', component.len);
    size_t len = dot == NULL ? component.len : (size_t)(dot - component.ptr);
    struct span base = span_sub(component, 0, len);
    struct span extension = span_sub(component, len + 1, component.len);
    return has_short_tail(base) && n_characters(base) <= SHORT_BASE_MAX &&
           n_characters(extension) <= SHORT_EXTENSION_MAX;
}

static enum errc check_name(struct span component, struct err *err)
{
    uint8_t last = component.ptr[component.len - 1];
    if (last == '.')
        return err_set(err, E_MALFORMED, "ends in a dot, which Windows drops");
    if (last == ' ')
        return err_set(err, E_MALFORMED, "ends in a space, which Windows drops");
    if (is_device(component))
        return err_set(err, E_MALFORMED, "is a device on Windows: choose another name");
    if (is_short_name(component))
        return err_set(err, E_MALFORMED, "is a name as Windows makes up for long ones");
    return E_OK;
}

/* check_component is all that holds for one that is neither empty nor dots alone. */
static enum errc check_component(struct span component, struct err *err)
{
    char shown[SHOWN];
    enum errc rc = E_OK;
    if (component.len > PATH_COMPONENT_MAX)
        rc = err_set(err, E_LIMIT, "has %zu bytes, limit %d", component.len, PATH_COMPONENT_MAX);
    if (rc == E_OK)
        rc = check_codes(component, err);
    if (rc == E_OK)
        rc = check_name(component, err);
    if (rc != E_OK)
        (void)err_prefix(err, "\"%s\" ", text_printable(component, shown, sizeof(shown)));
    return rc;
}

/* --- whole paths */

static enum errc check_start(struct span path, struct err *err)
{
    if (path.len == 0)
        return err_set(err, E_MALFORMED, "is empty");
    if (path.len > PATH_TREE_MAX)
        return err_set(err, E_LIMIT, "has %zu bytes, limit %d", path.len, PATH_TREE_MAX);
    if (span_starts_with(path, span_text("//")) || span_starts_with(path, span_text("\\\\")))
        return err_set(err, E_MALFORMED, "names another machine (UNC): write it relative");
    if (path.ptr[0] == '/')
        return err_set(err, E_MALFORMED, "is absolute: write it relative");
    if (path.len > 1 && path.ptr[1] == ':' && is_letter(path.ptr[0]))
        return err_set(err, E_MALFORMED, "names a drive: write it relative");
    return E_OK;
}

static bool is_up(struct span component)
{
    return span_equal_text(component, "..");
}

static bool is_here(struct span component)
{
    return span_equal_text(component, ".");
}

static enum errc check_not_empty(struct span path, size_t at, struct span component,
                                 struct err *err)
{
    if (component.len != 0)
        return E_OK;
    if (at == path.len)
        return err_set(err, E_MALFORMED, "ends in \"/\"");
    return err_set(err, E_MALFORMED, "has nothing between two \"/\" at byte %zu", at);
}

static enum errc check_depth(size_t depth, struct err *err)
{
    if (depth > PATH_DEPTH_MAX)
        return err_set(err, E_LIMIT, "has more than %d components", PATH_DEPTH_MAX);
    return E_OK;
}

static enum errc check_no_dots(size_t at, struct span component, struct err *err)
{
    if (component.ptr[0] != '.')
        return E_OK;
    if (is_up(component))
        return err_set(err, E_MALFORMED, "has \"..\" at byte %zu", at);
    if (is_here(component))
        return err_set(err, E_MALFORMED, "has \".\" at byte %zu", at);
    return E_OK;
}

static enum errc check_components(struct span path, struct err *err)
{
    struct span component;
    size_t depth = 0;
    enum errc rc = E_OK;
    for (size_t at = 0; at <= path.len && rc == E_OK; at += component.len + 1) {
        component = component_at(path, at);
        rc = check_not_empty(path, at, component, err);
        if (rc == E_OK)
            rc = check_no_dots(at, component, err);
        if (rc == E_OK)
            rc = check_depth(++depth, err);
        if (rc == E_OK)
            rc = check_component(component, err);
    }
    return rc;
}

/* prefix puts the path before what is wrong with it. */
static enum errc prefix(enum errc rc, const char *what, struct span path, struct err *err)
{
    char shown[SHOWN];
    (void)err_prefix(err, "%s \"%s\": ", what, text_printable(path, shown, sizeof(shown)));
    return rc;
}

enum errc path_check(struct span path, struct err *err)
{
    enum errc rc = check_start(path, err);
    if (rc == E_OK)
        rc = check_components(path, err);
    return rc == E_OK ? E_OK : prefix(rc, "path", path, err);
}

/* --- links */

/* struct walk: where the components of a target have led so far. */
struct walk {
    size_t depth; /* below the root */
    bool has_name;
};

static enum errc walk_up(struct walk *w, size_t at, struct err *err)
{
    if (w->has_name)
        return err_set(err, E_MALFORMED, "has \"..\" at byte %zu, behind a name", at);
    if (w->depth == 0)
        return err_set(err, E_MALFORMED, "leaves the tree at byte %zu", at);
    w->depth--;
    return E_OK;
}

static enum errc walk_down(struct walk *w, struct span component, struct err *err)
{
    enum errc rc = check_depth(++w->depth, err);
    w->has_name = true;
    return rc == E_OK ? check_component(component, err) : rc;
}

static enum errc walk_target(struct walk w, struct span target, struct err *err)
{
    struct span component;
    enum errc rc = E_OK;
    for (size_t at = 0; at <= target.len && rc == E_OK; at += component.len + 1) {
        component = component_at(target, at);
        rc = check_not_empty(target, at, component, err);
        if (rc == E_OK && is_up(component))
            rc = walk_up(&w, at, err);
        else if (rc == E_OK && !is_here(component))
            rc = walk_down(&w, component, err);
    }
    return rc;
}

static size_t n_slashes(struct span path)
{
    size_t n = 0;
    for (size_t i = 0; i < path.len; i++)
        n += path.ptr[i] == '/';
    return n;
}

enum errc path_check_link(struct span at, struct span target, struct err *err)
{
    enum errc rc = path_check(at, err);
    if (rc != E_OK)
        return rc;
    rc = check_start(target, err);
    if (rc == E_OK)
        rc = walk_target((struct walk){ .depth = n_slashes(at) }, target, err);
    return rc == E_OK ? E_OK : prefix(rc, "link target", target, err);
}

/* --- sets */

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
        sum += n_slashes(span_sub(entries[i].path, n_same(entries, i), entries[i].path.len));
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
        struct span component = component_at(key, in_key);
        hash = hash_more(hash, component);
        in_key += component.len;
        at += component_at(path, at).len;
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
    s.members = calloc(n_members(entries, n) + 1, sizeof(*s.members));
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
