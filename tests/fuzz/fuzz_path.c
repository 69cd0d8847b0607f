/* The input is paths, one a line; one that ends in ">" is a folder. What path_check accepts is held
 * against its promises once more, naively; the set of them against every two; and each as the
 * target of a link at each. */

#include "manifest/path.h"

#include <stdlib.h>
#include <string.h>

#include "platform/base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PATHS_MAX 12

struct paths {
    struct path_entry entries[PATHS_MAX];
    struct buf keys[PATHS_MAX];
    size_t n;
};

static void require(int truth)
{
    if (!truth)
        abort();
}

static void check_bytes(struct span path)
{
    require(path.len > 0 && path.len <= PATH_TREE_MAX && text_is_utf8(path));
    require(path.ptr[0] != '/' && path.ptr[path.len - 1] != '/');
    for (size_t i = 0; i < path.len; i++) {
        uint8_t next = i + 1 < path.len ? path.ptr[i + 1] : '/', byte = path.ptr[i];
        require(byte >= 0x20 && byte != 0x7F && strchr("\\:<>\"|?*", byte) == NULL);
        require(next != '/' || (byte != '.' && byte != ' ' && byte != '/'));
    }
}

static void check_components(struct span path)
{
    size_t depth = 1, start = 0;
    for (size_t i = 0; i <= path.len; i++) {
        if (i < path.len && path.ptr[i] != '/')
            continue;
        struct span c = span_sub(path, start, i - start);
        require(c.len > 0 && c.len <= PATH_COMPONENT_MAX);
        require(!span_equal_text(c, "NUL") && !span_equal_text(c, "con"));
        start = i + 1;
        depth += i < path.len;
    }
    require(depth <= PATH_DEPTH_MAX);
}

/* A key is its own key. */
static void check_key(struct span path, struct buf *key)
{
    struct buf again;
    require(path_fold(path, key, NULL) == E_OK && key->len <= path.len * PATH_FOLD_GROWTH);
    if (key->len > PATH_TREE_MAX)
        return;
    buf_init(&again, (size_t)PATH_TREE_MAX * PATH_FOLD_GROWTH);
    require(path_fold(buf_span(key), &again, NULL) == E_OK);
    require(span_equal(buf_span(key), buf_span(&again)));
    buf_fini(&again);
}

static void add_line(struct paths *p, struct span line)
{
    bool is_folder = line.len > 0 && line.ptr[line.len - 1] == '>';
    struct span path = span_sub(line, 0, line.len - is_folder);
    struct buf *key = &p->keys[p->n];
    struct err err;
    buf_init(key, (size_t)PATH_TREE_MAX * PATH_FOLD_GROWTH);
    if (path_check(path, &err) != E_OK) {
        require(strncmp(err.text, "path \"", 6) == 0);
        if (path_fold(path, key, &err) != E_OK)
            require(!text_is_utf8(path) || path.len > PATH_TREE_MAX);
        buf_fini(key);
        return;
    }
    check_bytes(path);
    check_components(path);
    check_key(path, key);
    p->entries[p->n++] = (struct path_entry){ path, is_folder };
}

/* folder_end is where the `n`th slash of `s` stands, its length where it has fewer. */
static size_t folder_end(struct span s, size_t n)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] == '/' && n-- == 0)
            return i;
    return s.len;
}

/* The rule, as its header has it: of each folder or path that two have in common. */
static bool pair_clashes(const struct paths *p, size_t a, size_t b)
{
    struct span key_a = buf_span(&p->keys[a]), key_b = buf_span(&p->keys[b]);
    struct span path_a = p->entries[a].path, path_b = p->entries[b].path;
    for (size_t n = 0; n < PATH_DEPTH_MAX; n++) {
        size_t end_a = folder_end(key_a, n), end_b = folder_end(key_b, n);
        if (!span_equal(span_sub(key_a, 0, end_a), span_sub(key_b, 0, end_b)))
            return false;
        bool whole_a = end_a == key_a.len, whole_b = end_b == key_b.len;
        if ((whole_a && whole_b) || (whole_a && !p->entries[a].is_folder) ||
            (whole_b && !p->entries[b].is_folder))
            return true;
        if (!span_equal(span_sub(path_a, 0, folder_end(path_a, n)),
                        span_sub(path_b, 0, folder_end(path_b, n))))
            return true;
        if (whole_a || whole_b)
            return false;
    }
    return false;
}

static void check_set(const struct paths *p)
{
    size_t a = PATHS_MAX, b = PATHS_MAX;
    bool clash = false;
    for (size_t i = 0; i < p->n; i++)
        for (size_t k = i + 1; k < p->n; k++)
            clash = clash || pair_clashes(p, i, k);
    enum errc rc = path_set_check(p->entries, p->n, &a, &b, NULL);
    require(rc == (clash ? E_MALFORMED : E_OK));
    require(!clash || (a < p->n && b < p->n && a != b && pair_clashes(p, a, b)));
}

/* A link's target, walked by counting. */
static void check_link(struct span at, struct span target)
{
    long depth = 0;
    for (size_t i = 0; i < at.len; i++)
        depth += at.ptr[i] == '/';
    if (path_check_link(at, target, NULL) != E_OK)
        return;
    for (size_t start = 0, i = 0; i <= target.len; i++) {
        if (i < target.len && target.ptr[i] != '/')
            continue;
        struct span c = span_sub(target, start, i - start);
        depth += span_equal_text(c, "..") ? -1 : !span_equal_text(c, ".");
        require(c.len > 0 && depth >= 0);
        start = i + 1;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct paths p = { .n = 0 };
    struct span rest = span_of(data, size);
    while (rest.len > 0 && p.n < PATHS_MAX) {
        const uint8_t *lf = memchr(rest.ptr, '\n', rest.len);
        size_t len = lf == NULL ? rest.len : (size_t)(lf - rest.ptr);
        struct span line = span_sub(rest, 0, len);
        rest = span_sub(rest, len + 1, rest.len);
        for (size_t i = 0; i < p.n; i++)
            check_link(p.entries[i].path, line);
        add_line(&p, line);
    }
    check_set(&p);
    for (size_t i = 0; i < p.n; i++)
        buf_fini(&p.keys[i]);
    return 0;
}
