/* tree and pack: folders that exist in a table alone, so that they can have what no disk of ours
 * has, in any order, and change while they are packed. What is packed is read back with unpack. */

#include "keys/publish/pack.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "installer/core/unpack.h"
#include "keys/publish/keyfile.h"
#include "keys/publish/signers.h"
#include "platform/base/buf.h"
#include "platform/base/text.h"

#define ROOT "build"
#define LARGE_LEN (48U * 1024 * 1024)
#define ARCHIVE_MAX (64U * 1024 * 1024)
#define LISTING_MAX (1024U * 1024)

/* --- a machine with one folder */

struct made {
    const char *path; /* below ROOT */
    enum fs_kind kind;
    const char *text; /* a file's bytes, a link's target */
    unsigned mode;
    size_t len; /* of a large file, made up */
};

struct world {
    const struct made *items;
    size_t n;
    bool is_backwards;
    /* From the time on that `is_changed` is set: */
    bool is_changed;
    const char *changed_path, *changed_text; /* text NULL: gone */
    enum fs_kind changed_kind;               /* what has its place instead, if not 0 */
    bool keeps_id;                           /* that has the number of what was there before */
    bool is_changed_by_list; /* is_changed from the next listing of that folder on */
};

static struct world world;
static uint8_t *large; /* LARGE_LEN bytes, as compressible as programs are */

static int make_large(void **state)
{
    uint32_t seed = 7;
    UNUSED(state);
    large = malloc(LARGE_LEN);
    if (large == NULL)
        return 1;
    for (size_t i = 0; i < LARGE_LEN; i++) {
        seed = seed * 1664525 + 1013904223;
        large[i] = (uint8_t)((seed >> 28) + (i >> 12));
    }
    return 0;
}

static int free_large(void **state)
{
    UNUSED(state);
    free(large);
    return 0;
}

static const char *below_root(const char *path)
{
    size_t len = strlen(ROOT);
    if (strncmp(path, ROOT, len) != 0)
        return NULL;
    return path[len] == '/' ? path + len + 1 : path[len] == '\0' ? path + len : NULL;
}

static const struct made *find_made(const char *full)
{
    const char *path = below_root(full);
    for (size_t i = 0; path != NULL && i < world.n; i++)
        if (strcmp(world.items[i].path, path) == 0)
            return &world.items[i];
    return NULL;
}

static struct span bytes_of(const struct made *m)
{
    if (world.is_changed && strcmp(m->path, world.changed_path) == 0)
        return span_text(world.changed_text);
    return m->len > 0 ? span_of(large, m->len) : span_text(m->text);
}

static enum errc world_list(void *self, const char *folder, fs_name_fn fn, void *ctx,
                            struct err *err)
{
    const char *path = below_root(folder);
    enum errc rc = E_OK;
    UNUSED(self);
    if (path == NULL)
        return err_set(err, E_ABSENT, "cannot list: not there");
    world.is_changed |= world.is_changed_by_list && strcmp(path, world.changed_path) == 0;
    size_t len = strlen(path);
    for (size_t k = 0; k < world.n && rc == E_OK; k++) {
        const char *item = world.items[world.is_backwards ? world.n - 1 - k : k].path;
        const char *name = len == 0 ? item : item + len + 1;
        if (len > 0 && (strncmp(item, path, len) != 0 || item[len] != '/'))
            continue;
        if (strchr(name, '/') == NULL)
            rc = fn(ctx, name, err);
    }
    return rc;
}

static bool is_exchanged(const struct made *m)
{
    return world.is_changed && world.changed_kind != FS_ABSENT &&
           strcmp(m->path, world.changed_path) == 0;
}

static void set_id(const struct made *m, uint64_t id[2])
{
    id[0] = 5;
    id[1] = (uint64_t)(m - world.items) + (is_exchanged(m) && !world.keeps_id ? 1000 : 1);
}

static enum errc world_stat_link(void *self, const char *path, struct fs_info *out, struct err *err)
{
    const struct made *m = find_made(path);
    UNUSED(self);
    UNUSED(err);
    *out = (struct fs_info){ .kind = FS_ABSENT };
    if (m == NULL)
        return E_OK;
    out->kind = is_exchanged(m) ? world.changed_kind : m->kind;
    set_id(m, out->id);
    out->mode = m->mode;
    out->size = m->kind == FS_FILE ? bytes_of(m).len : 0;
    return E_OK;
}

static enum errc world_read_link(void *self, const char *path, struct buf *out, struct err *err)
{
    UNUSED(self);
    return buf_add_text(out, find_made(path)->text, err);
}

static enum errc world_open(void *self, const char *path, struct source **out, struct err *err)
{
    const struct made *m = find_made(path);
    UNUSED(self);
    if (m == NULL || (world.is_changed && world.changed_text == NULL &&
                      strcmp(m->path, world.changed_path) == 0))
        return err_set(err, E_ABSENT, "cannot open: not there");
    if (m->mode == 0)
        return err_set(err, E_ACCESS, "cannot open: not allowed");
    enum errc rc = source_memory_new(bytes_of(m), out, err);
    if (rc == E_OK)
        set_id(m, (*out)->id);
    return rc;
}

static enum errc world_open_nofollow(void *self, const char *path, struct source **out,
                                     struct err *err)
{
    const struct made *m = find_made(path);
    if (m != NULL && (is_exchanged(m) ? world.changed_kind : m->kind) == FS_LINK)
        return err_set(err, E_ACCESS, "is a symbolic link, which is not followed");
    return world_open(self, path, out, err);
}

static const struct fs_ops world_fs = { .list = world_list,
                                        .open_source_nofollow = world_open_nofollow,
                                        .stat_link = world_stat_link,
                                        .read_link = world_read_link };
static struct platform machine = { .fs = &world_fs };

#define FILE_OF(path, text)                                                                        \
    {                                                                                              \
        path, FS_FILE, text, 0644, 0                                                               \
    }

/* 120 letters, and folders of ten letters each: what ustar has room for, and what it has not. */
#define TEN(c) c c c c c c c c c c
#define LONG_NAME                                                                                  \
    TEN("n")                                                                                       \
    TEN("n")                                                                                       \
    TEN("n") TEN("n") TEN("n") TEN("n") TEN("n") TEN("n") TEN("n") TEN("n") TEN("n") TEN("n")

static const struct made orchard[] = {
    { "bin", FS_FOLDER, NULL, 0700, 0 },
    { "bin/orchard", FS_FILE, "program", 0711, 0 },
    { "bin/tool", FS_FILE, "tool", 0770, 0 },
    { "empty", FS_FOLDER, NULL, 0755, 0 },
    FILE_OF("gr\xc3\xbc\xc3\x9f", "hello"),
    { "lib", FS_FOLDER, NULL, 0755, 0 },
    { "lib/a.so", FS_LINK, "a.so.1", 0777, 0 },
    { "lib/a.so.1", FS_FILE, "library", 0600, 0 },
    { "lib/far", FS_LINK, "../" LONG_NAME, 0777, 0 },
    { "lib/none", FS_FILE, "", 0644, 0 },
    FILE_OF(LONG_NAME, "long"),
    { TEN("a"), FS_FOLDER, NULL, 0755, 0 },
    { TEN("a") "/" TEN("b"), FS_FOLDER, NULL, 0755, 0 },
    { TEN("a") "/" TEN("b") "/" TEN("c"), FS_FOLDER, NULL, 0755, 0 },
    { "large", FS_FILE, NULL, 0644, LARGE_LEN },
    { "middle", FS_FILE, NULL, 0644, 700000 },
};

static void use(const struct made *items, size_t n)
{
    world = (struct world){ .items = items, .n = n };
}

static struct tree *read_tree(bool lists_folders)
{
    struct tree_options options = { .lists_folders = lists_folders };
    struct err err = { .code = E_OK };
    struct tree *t;
    if (tree_read(&machine, ROOT, &options, &t, &err) != E_OK)
        fail_msg("%s", err.text);
    return t;
}

static enum errc try_tree(const struct made *items, size_t n, struct err *err)
{
    struct tree_options options = { .lists_folders = false };
    struct tree *t = NULL;
    use(items, n);
    enum errc rc = tree_read(&machine, ROOT, &options, &t, err);
    tree_free(t);
    return rc;
}

/* --- trees */

static void list_tree(const struct tree *t, struct buf *out)
{
    struct err err;
    for (size_t i = 0; i < tree_n(t); i++) {
        const struct tree_entry *e = tree_get(t, i);
        char hex[TEXT_SHA256_ROOM] = "-";
        if (e->kind == TREE_FILE)
            (void)text_to_hex(digest_span(&e->sha256), hex);
        assert_int_equal(buf_printf(out, &err, "%d %o %u %s %s %s\n", (int)e->kind, e->mode,
                                    (unsigned)e->size, hex, e->path,
                                    e->target == NULL ? "" : e->target),
                         E_OK);
    }
}

static void tree_is_sorted_and_normal(void **state)
{
    static const struct {
        enum tree_kind kind;
        const char *path;
        unsigned mode;
    } wanted[] = {
        { TREE_FOLDER, TEN("a") "/" TEN("b") "/" TEN("c"), 0755 },
        { TREE_FILE, "bin/orchard", 0755 },
        { TREE_FILE, "bin/tool", 0755 },
        { TREE_FOLDER, "empty", 0755 },
        { TREE_FILE, "gr\xc3\xbc\xc3\x9f", 0644 },
        { TREE_FILE, "large", 0644 },
        { TREE_LINK, "lib/a.so", 0777 },
        { TREE_FILE, "lib/a.so.1", 0644 },
        { TREE_LINK, "lib/far", 0777 },
        { TREE_FILE, "lib/none", 0644 },
        { TREE_FILE, "middle", 0644 },
        { TREE_FILE, LONG_NAME, 0644 },
    };
    UNUSED(state);
    use(orchard, ARRAY_LEN(orchard));
    struct tree *t = read_tree(false);
    struct digest d;
    struct err err;
    assert_int_equal(tree_n(t), ARRAY_LEN(wanted));
    for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
        assert_int_equal(tree_get(t, i)->kind, wanted[i].kind);
        assert_string_equal(tree_get(t, i)->path, wanted[i].path);
        assert_int_equal(tree_get(t, i)->mode, wanted[i].mode);
    }
    assert_string_equal(tree_get(t, 6)->target, "a.so.1");
    assert_int_equal(digest_bytes(DIGEST_SHA256, span_text("program"), &d, &err), E_OK);
    assert_true(span_equal(digest_span(&d), digest_span(&tree_get(t, 1)->sha256)));
    assert_int_equal(tree_bytes(t), LARGE_LEN + 700000 + 7 + 4 + 5 + 7 + 4);
    tree_free(t);
    tree_free(NULL);
}

static void tree_lists_all_folders_where_asked(void **state)
{
    UNUSED(state);
    use(orchard, 6);
    struct tree *t = read_tree(true);
    assert_int_equal(tree_n(t), 6);
    assert_string_equal(tree_get(t, 0)->path, "bin");
    assert_int_equal(tree_get(t, 0)->kind, TREE_FOLDER);
    tree_free(t);
}

static void tree_is_the_same_in_any_order(void **state)
{
    struct buf a, b;
    UNUSED(state);
    buf_init(&a, LISTING_MAX);
    buf_init(&b, LISTING_MAX);
    use(orchard, ARRAY_LEN(orchard));
    struct tree *t = read_tree(false);
    list_tree(t, &a);
    tree_free(t);
    world.is_backwards = true;
    t = read_tree(false);
    list_tree(t, &b);
    tree_free(t);
    assert_true(span_equal(buf_span(&a), buf_span(&b)));
    buf_fini(&a);
    buf_fini(&b);
}

static void tree_refuses_what_no_release_may_hold(void **state)
{
    static const struct {
        struct made items[3];
        size_t n;
        enum errc code;
        const char *words[2];
    } cases[] = {
        { { { "dev", FS_OTHER, NULL, 0644, 0 } }, 1, E_MALFORMED, { "\"dev\"", "no file" } },
        { { { "su", FS_FILE, "x", 04755, 0 } }, 1, E_MALFORMED, { "\"su\"", "setuid" } },
        { { { "sg", FS_FILE, "x", 02755, 0 } }, 1, E_MALFORMED, { "\"sg\"", "2755" } },
        { { { "l", FS_LINK, "/etc/passwd", 0777, 0 } }, 1, E_MALFORMED, { "\"l\"", "absolute" } },
        { { { "l", FS_LINK, "../../x", 0777, 0 } }, 1, E_MALFORMED, { "\"l\"", "leaves" } },
        { { FILE_OF("ab:c", "x") }, 1, E_MALFORMED, { "\"ab:c\"", "stream" } },
        { { FILE_OF("con.txt", "x") }, 1, E_MALFORMED, { "\"con.txt\"", "device" } },
        { { FILE_OF("a\nb", "x") }, 1, E_MALFORMED, { "\"a\\x0ab\"", "control" } },
        { { FILE_OF("caf\xe9", "x") }, 1, E_MALFORMED, { "\"caf\\xe9\"", "UTF-8" } },
        { { FILE_OF("Readme", "x"), FILE_OF("README", "y") },
          2,
          E_MALFORMED,
          { "Readme", "README" } },
        { { { "D", FS_FOLDER, NULL, 0755, 0 }, FILE_OF("D/a", "x"), FILE_OF("d", "y") },
          3,
          E_MALFORMED,
          { "D", "d" } },
        { { FILE_OF("a", "x"), { "secret", FS_FILE, "x", 0, 0 } },
          2,
          E_ACCESS,
          { "\"secret\"", "not allowed" } },
    };
    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err err = { .code = E_OK };
        enum errc rc = try_tree(cases[i].items, cases[i].n, &err);
        if (rc != cases[i].code || strstr(err.text, cases[i].words[0]) == NULL ||
            strstr(err.text, cases[i].words[1]) == NULL)
            fail_msg("case %zu: %d %s", i, (int)rc, err.text);
    }
}

static void tree_names_a_folder_that_is_missing(void **state)
{
    struct tree_options options = { .lists_folders = false };
    struct tree *t;
    struct err err;
    UNUSED(state);
    assert_int_equal(tree_read(&machine, "elsewhere", &options, &t, &err), E_ABSENT);
    assert_string_equal(err.text, "\"elsewhere\": cannot list: not there");
}

static void tree_refuses_what_is_not_wanted(void **state)
{
    static const struct made items[] = {
        { "conf", FS_FOLDER, NULL, 0755, 0 },    FILE_OF("conf/k.key", "x"),
        { "dist", FS_FOLDER, NULL, 0755, 0 },    FILE_OF("dist/old", "y"),
        { "l", FS_LINK, "conf/k.key", 0777, 0 }, FILE_OF("z", "z"),
    };
    static const struct {
        struct tree_unwanted unwanted[2];
        const char *words; /* NULL: none */
    } cases[] = {
        { { { { 5, 2 }, "is a key" }, { { 9, 9 }, "is gone" } }, "\"conf/k.key\": is a key" },
        { { { { 9, 9 }, "is gone" }, { { 5, 3 }, "is DIR" } }, "\"dist\": is DIR" },
        { { { { 6, 2 }, "is of another volume" }, { { 5, 7 }, "is of no file" } }, NULL },
    };
    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct tree_options options = { .unwanted = cases[i].unwanted, .n_unwanted = 2 };
        struct tree *t = NULL;
        struct err err = { .code = E_OK };
        use(items, ARRAY_LEN(items));
        enum errc rc = tree_read(&machine, ROOT, &options, &t, &err);
        assert_int_equal(rc, cases[i].words == NULL ? E_OK : E_ARGUMENT);
        if (cases[i].words != NULL)
            assert_string_equal(err.text, cases[i].words);
        tree_free(t);
    }
}

static void tree_refuses_to_be_what_is_not_wanted(void **state)
{
    static const struct made items[] = { { "", FS_FOLDER, NULL, 0755, 0 } };
    static const struct tree_unwanted unwanted = { { 5, 1 }, "is DIR" };
    struct tree_options options = { .unwanted = &unwanted, .n_unwanted = 1 };
    struct tree *t;
    struct err err;
    UNUSED(state);
    use(items, 1);
    assert_int_equal(tree_read(&machine, ROOT, &options, &t, &err), E_ARGUMENT);
    assert_string_equal(err.text, "\"build\": is DIR");
}

/* What is listed then may be of another folder, somewhere else. */
static void tree_notices_a_folder_that_is_exchanged_while_it_is_listed(void **state)
{
    static const struct {
        enum fs_kind kind;
        bool keeps_id;
    } cases[] = { { FS_LINK, false }, { FS_FOLDER, false }, { FS_LINK, true }, { FS_FILE, true } };
    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct tree_options options = { .leaves_hashing = true };
        struct tree *t;
        struct err err;
        use(orchard, ARRAY_LEN(orchard));
        world.changed_path = "lib";
        world.changed_kind = cases[i].kind;
        world.keeps_id = cases[i].keeps_id;
        world.is_changed_by_list = true;
        assert_int_equal(tree_read(&machine, ROOT, &options, &t, &err), E_BUSY);
        assert_non_null(strstr(err.text, "\"lib\": changed since it was listed: another one"));
    }
}

static void tree_identifies_what_links_lead_to(void **state)
{
    static const struct made items[] = {
        { "a", FS_LINK, "d/b", 0777, 0 },        { "d", FS_FOLDER, NULL, 0755, 0 },
        { "d/b", FS_LINK, "c", 0777, 0 },        FILE_OF("d/c", "x"),
        { "none", FS_LINK, "nothing", 0777, 0 }, { "r", FS_LINK, "s", 0777, 0 },
        { "s", FS_LINK, "r", 0777, 0 },          { "out", FS_LINK, "/elsewhere", 0777, 0 },
    };
    struct fs_info info;
    struct err err;
    UNUSED(state);
    use(items, ARRAY_LEN(items));
    static const char *const same[] = { ROOT "/a", ROOT "/d/b", ROOT "/d/c" };
    for (size_t i = 0; i < ARRAY_LEN(same); i++) {
        assert_int_equal(tree_identify(&machine, same[i], &info, &err), E_OK);
        assert_int_equal(info.kind, FS_FILE);
        assert_int_equal(info.id[1], 4);
    }
    static const char *const absent[] = { ROOT "/none", ROOT "/out", ROOT "/x", "" };
    for (size_t i = 0; i < ARRAY_LEN(absent); i++) {
        assert_int_equal(tree_identify(&machine, absent[i], &info, &err), E_OK);
        assert_int_equal(info.kind, FS_ABSENT);
    }
    assert_int_equal(tree_identify(&machine, ROOT "/r", &info, &err), E_LIMIT);
}

/* --- archives */

struct memory_sink {
    struct sink base;
    struct buf bytes;
    uint64_t fails_after; /* bytes */
    int n_failures;
};

static enum errc memory_write(struct sink *s, struct span bytes, struct err *err)
{
    struct memory_sink *m = (struct memory_sink *)(void *)s;
    if (m->bytes.len + bytes.len > m->fails_after) {
        m->n_failures++;
        return err_set(err, E_SPACE, "the disk is full");
    }
    return buf_add(&m->bytes, bytes, err);
}

static struct memory_sink memory_sink(void)
{
    static const struct sink_ops ops = { .write = memory_write };
    struct memory_sink m = { .base = { .ops = &ops }, .fails_after = UINT64_MAX };
    buf_init(&m.bytes, ARCHIVE_MAX);
    return m;
}

static struct memory_sink pack(struct tree *t, int64_t time, unsigned n_workers)
{
    struct pack_options options = { .time = time, .level = PACK_LEVEL, .n_workers = n_workers };
    struct memory_sink sink = memory_sink();
    struct pack_result result;
    struct digest d;
    struct err err = { .code = E_OK };
    if (pack_tree(t, &options, &sink.base, &result, &err) != E_OK)
        fail_msg("%s", err.text);
    assert_int_equal(result.size, sink.bytes.len);
    assert_int_equal(result.unpacked_size, tree_bytes(t));
    assert_int_equal(digest_bytes(DIGEST_SHA256, buf_span(&sink.bytes), &d, &err), E_OK);
    assert_true(span_equal(digest_span(&d), digest_span(&result.sha256)));
    return sink;
}

static enum errc hash_piece(void *ctx, struct span piece, struct err *err)
{
    return hasher_add(ctx, piece, err);
}

static void list_unpacked(struct unpack *u, const struct unpack_entry *e, struct hasher *h,
                          struct buf *out)
{
    static const int kinds[] = { 0, TREE_FILE, TREE_FOLDER, TREE_LINK };
    char hex[TEXT_SHA256_ROOM] = "-";
    struct digest_set set;
    struct err err;
    assert_int_equal(hasher_reset(h, &err), E_OK);
    assert_int_equal(unpack_data(u, hash_piece, h, &err), E_OK);
    assert_int_equal(hasher_finish(h, &set, &err), E_OK);
    if (e->kind == UNPACK_FILE)
        (void)text_to_hex(digest_span(&set.of[DIGEST_SHA256]), hex);
    assert_int_equal(buf_printf(out, &err, "%d %o %u %s %.*s %.*s\n", kinds[e->kind], e->mode,
                                (unsigned)e->size, hex, (int)e->path.len, (const char *)e->path.ptr,
                                (int)e->target.len, (const char *)e->target.ptr),
                     E_OK);
}

static void unpack_all(struct span archive, struct buf *out)
{
    struct unpack_limits limits = unpack_entry_limits();
    struct unpack_entry e;
    struct source *src;
    struct unpack *u;
    struct hasher *h;
    struct err err = { .code = E_OK };
    bool is_end = false;
    assert_int_equal(hasher_new(DIGEST_BIT(DIGEST_SHA256), &h, &err), E_OK);
    assert_int_equal(source_memory_new(archive, &src, &err), E_OK);
    if (unpack_open(src, &limits, &u, &err) != E_OK)
        fail_msg("%s", err.text);
    while (!is_end) {
        if (unpack_next(u, &e, &is_end, &err) != E_OK)
            fail_msg("%s", err.text);
        if (!is_end)
            list_unpacked(u, &e, h, out);
    }
    assert_string_equal(unpack_format(u), "tar, zstd");
    unpack_close(u);
    source_close(src);
    hasher_free(h);
}

static void pack_gives_what_unpack_reads(void **state)
{
    struct buf packed, unpacked;
    UNUSED(state);
    for (int lists_folders = 0; lists_folders < 2; lists_folders++) {
        buf_init(&packed, LISTING_MAX);
        buf_init(&unpacked, LISTING_MAX);
        use(orchard, ARRAY_LEN(orchard));
        struct tree *t = read_tree(lists_folders != 0);
        struct memory_sink sink = pack(t, 1000000000, 0);
        list_tree(t, &packed);
        unpack_all(buf_span(&sink.bytes), &unpacked);
        if (!span_equal(buf_span(&packed), buf_span(&unpacked)))
            fail_msg("%.*s", (int)unpacked.len, (const char *)unpacked.ptr);
        tree_free(t);
        buf_fini(&sink.bytes);
        buf_fini(&packed);
        buf_fini(&unpacked);
    }
}

static void pack_makes_the_same_bytes_whoever_makes_them(void **state)
{
    UNUSED(state);
    use(orchard, ARRAY_LEN(orchard));
    struct tree *t = read_tree(false);
    struct memory_sink first = pack(t, 7, 1);
    for (unsigned n_workers = 0; n_workers < 6; n_workers++) {
        struct memory_sink again = pack(t, 7, n_workers);
        if (!span_equal(buf_span(&first.bytes), buf_span(&again.bytes)))
            fail_msg("other bytes with %u workers", n_workers);
        buf_fini(&again.bytes);
    }
    struct memory_sink later = pack(t, 8, 0);
    assert_false(span_equal(buf_span(&first.bytes), buf_span(&later.bytes)));
    tree_free(t);
    world.is_backwards = true;
    t = read_tree(false);
    struct memory_sink other = pack(t, 7, 0);
    assert_true(span_equal(buf_span(&first.bytes), buf_span(&other.bytes)));
    tree_free(t);
    buf_fini(&first.bytes);
    buf_fini(&later.bytes);
    buf_fini(&other.bytes);
}

static void pack_has_room_for_paths_of_every_length(void **state)
{
    static char paths[257][300];
    static struct made items[257] = { { "f", FS_FOLDER, NULL, 0755, 0 } };
    struct buf packed, unpacked;
    size_t n = 1;
    UNUSED(state);
    for (size_t len = 3; len < 257; len++) {
        memset(paths[n], 'x', len);
        memcpy(paths[n], "f/", 2);
        items[n] = (struct made){ paths[n], FS_FILE, "x", 0644, 0 };
        n++;
    }
    use(items, n);
    struct tree *t = read_tree(false);
    struct memory_sink sink = pack(t, 0, 1);
    buf_init(&packed, LISTING_MAX);
    buf_init(&unpacked, LISTING_MAX);
    list_tree(t, &packed);
    unpack_all(buf_span(&sink.bytes), &unpacked);
    assert_true(packed.len > 254 && span_equal(buf_span(&packed), buf_span(&unpacked)));
    tree_free(t);
    buf_fini(&sink.bytes);
    buf_fini(&packed);
    buf_fini(&unpacked);
}

static enum errc try_pack(struct tree *t, const struct pack_options *options, uint64_t fails_after,
                          int *n_failures, struct err *err)
{
    struct memory_sink sink = memory_sink();
    struct pack_result result;
    sink.fails_after = fails_after;
    enum errc rc = pack_tree(t, options, &sink.base, &result, err);
    *n_failures = sink.n_failures;
    buf_fini(&sink.bytes);
    return rc;
}

static void pack_notices_files_that_changed(void **state)
{
    static const struct {
        const char *path, *text, *words;
        enum errc code;
    } cases[] = {
        { "lib/a.so.1", "librarY", "its bytes are others", E_MALFORMED },
        { "lib/a.so.1", "libraries", "9 bytes, and not 7", E_MALFORMED },
        { "lib/none", "x", "1 bytes, and not 0", E_MALFORMED },
        { "lib/a.so.1", NULL, "not there", E_ABSENT },
        { "large", "small now", "changed since it was listed", E_MALFORMED },
    };
    struct pack_options options = { .time = 0, .level = 1 };
    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err err = { .code = E_OK };
        int n_failures;
        use(orchard, ARRAY_LEN(orchard));
        struct tree *t = read_tree(false);
        world.changed_path = cases[i].path;
        world.changed_text = cases[i].text;
        world.is_changed = true;
        enum errc rc = try_pack(t, &options, UINT64_MAX, &n_failures, &err);
        if (rc != cases[i].code || strstr(err.text, cases[i].words) == NULL ||
            strstr(err.text, cases[i].path) == NULL)
            fail_msg("case %zu: %d %s", i, (int)rc, err.text);
        tree_free(t);
    }
}

static void pack_follows_nothing_that_took_the_place_of_a_file(void **state)
{
    static const struct {
        const char *path;
        enum fs_kind kind;
        enum errc code;
        const char *words;
    } cases[] = {
        { "bin/tool", FS_LINK, E_ACCESS,
          "\"bin/tool\": is a symbolic link, which is not followed" },
        { "large", FS_LINK, E_ACCESS, "\"large\": is a symbolic link, which is not followed" },
        { "bin/tool", FS_FILE, E_BUSY, "\"bin/tool\": changed since it was listed: another one" },
        { "large", FS_FILE, E_BUSY, "\"large\": changed since it was listed: another one" },
    };
    struct pack_options options = { .time = 0, .level = 1 };
    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct tree_options reading = { .leaves_hashing = true };
        struct err err = { .code = E_OK };
        struct tree *t;
        int n_failures;
        use(orchard, ARRAY_LEN(orchard));
        assert_int_equal(tree_read(&machine, ROOT, &reading, &t, &err), E_OK);
        world.changed_path = cases[i].path;
        world.changed_text = "tool"; /* of the same size, where that is told */
        world.changed_kind = cases[i].kind;
        world.is_changed = true;
        assert_int_equal(try_pack(t, &options, UINT64_MAX, &n_failures, &err), cases[i].code);
        if (strncmp(err.text, cases[i].words, strlen(cases[i].words)) != 0)
            fail_msg("case %zu: %s", i, err.text);
        tree_free(t);
    }
}

/* Refuses the file that begins with these bytes, of which there are so many; ctx is NULL: none. */
struct refused_head {
    struct span start;
    size_t len;
};

static enum errc check_head(void *ctx, struct span head, struct err *err)
{
    const struct refused_head *refused = ctx;
    if (head.len > TREE_HEAD_MAX)
        return err_set(err, E_INTERNAL, "more than the head");
    if (head.len != refused->len || !span_starts_with(head, refused->start))
        return E_OK;
    return err_set(err, E_REFUSED, "is not for others");
}

static void pack_asks_of_the_head_of_every_file(void **state)
{
    UNUSED(state);
    const struct {
        struct refused_head refused;
        const char *words; /* NULL: passes */
    } cases[] = {
        { { span_text("program"), 7 }, "\"bin/orchard\": is not for others" },
        { { span_text(""), 0 }, "\"lib/none\": is not for others" },
        { { span_text("long"), 4 }, "\"" TEN("n") }, /* and the last of all */
        { { span_of(large, 8), TREE_HEAD_MAX }, "\"large\": is not for others" },
        { { span_text("programs"), 8 }, NULL },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct refused_head refused = cases[i].refused;
        struct pack_options options = { .level = 1,
                                        .check_head = check_head,
                                        .head_ctx = &refused };
        struct err err = { .code = E_OK };
        int n_failures;
        use(orchard, ARRAY_LEN(orchard));
        struct tree *t = read_tree(false);
        enum errc rc = try_pack(t, &options, UINT64_MAX, &n_failures, &err);
        assert_int_equal(rc, cases[i].words == NULL ? E_OK : E_REFUSED);
        if (rc != E_OK && strncmp(err.text, cases[i].words, strlen(cases[i].words)) != 0)
            fail_msg("case %zu: %s", i, err.text);
        tree_free(t);
    }
}

static void pack_notices_a_large_file_of_other_bytes(void **state)
{
    struct pack_options options = { .time = 0, .level = 1 };
    struct err err = { .code = E_OK };
    int n_failures;
    UNUSED(state);
    use(orchard, ARRAY_LEN(orchard));
    struct tree *t = read_tree(false);
    large[LARGE_LEN - 1] ^= 1;
    assert_int_equal(try_pack(t, &options, UINT64_MAX, &n_failures, &err), E_MALFORMED);
    assert_string_equal(err.text, "\"large\": changed since it was listed: its bytes are others");
    large[LARGE_LEN - 1] ^= 1;
    tree_free(t);
}

/* A full disk is told as such, and nothing is written after it. */
static void pack_hands_on_the_sinks_error(void **state)
{
    struct pack_options options = { .time = 0, .level = 1 };
    UNUSED(state);
    use(orchard, ARRAY_LEN(orchard));
    struct tree *t = read_tree(false);
    for (uint64_t after = 0; after < 3000000; after += 1000000) {
        struct err err = { .code = E_OK };
        int n_failures = 0;
        assert_int_equal(try_pack(t, &options, after, &n_failures, &err), E_SPACE);
        assert_string_equal(err.text, "the disk is full");
        assert_int_equal(n_failures, 1);
    }
    tree_free(t);
}

static void pack_refuses_times_and_levels_that_do_not_exist(void **state)
{
    static const struct pack_options wrong[] = {
        { .time = -1, .level = 3 },
        { .time = PACK_TIME_MAX + 1, .level = 3 },
        { .time = 0, .level = 0 },
        { .time = 0, .level = PACK_LEVEL_MAX + 1 },
    };
    UNUSED(state);
    use(orchard, 2);
    struct tree *t = read_tree(false);
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        struct err err;
        int n_failures;
        assert_int_equal(try_pack(t, &wrong[i], 0, &n_failures, &err), E_ARGUMENT);
        assert_int_equal(n_failures, 0);
    }
    tree_free(t);
}

static void pack_makes_an_archive_of_nothing(void **state)
{
    struct buf unpacked;
    UNUSED(state);
    use(orchard, 0);
    struct tree *t = read_tree(false);
    struct memory_sink sink = pack(t, PACK_TIME_MAX, 0);
    buf_init(&unpacked, LISTING_MAX);
    unpack_all(buf_span(&sink.bytes), &unpacked);
    assert_int_equal(unpacked.len, 0);
    tree_free(t);
    buf_fini(&sink.bytes);
    buf_fini(&unpacked);
}

/* --- what reads as a secret key */

#define BEGIN "-----BEGIN "

static void secrets_in_pem_are_found(void **state)
{
    static const char *const secret[] = {
        BEGIN "PRIVATE KEY-----\nMC4=\n",
        BEGIN "ENCRYPTED PRIVATE KEY-----\r\nMC4=\r\n",
        BEGIN "RSA PRIVATE KEY-----",
        BEGIN "EC PRIVATE KEY----- \t\n",
        BEGIN "OPENSSH PRIVATE KEY-----\n",
        BEGIN "PGP PRIVATE KEY BLOCK-----\n\n",
        "Bag Attributes\n    friendlyName: x\n" BEGIN "CERTIFICATE-----\nMC4=\n"
        "-----END CERTIFICATE-----\n\n" BEGIN "PRIVATE KEY-----\nMC4=\n",
        "-\n--\n" BEGIN "PRIVATE KEY-----\n",
        "V VV PRIV PRIVATE PRIVATE KE\n" BEGIN "VPRIVATE KEY-----\n",
    };
    static const char *const none[] = {
        "",
        "\n",
        BEGIN,
        BEGIN "\n",
        BEGIN "-----",
        BEGIN "PUBLIC KEY-----\nMCow=\n",
        BEGIN "CERTIFICATE-----\n",
        BEGIN "PRIVATE KEY\n-----\n",
        "----BEGIN "
        "PRIVATE KEY-----\n",
        "if (line == \"" BEGIN "PRIVATE KEY-----\")\n",
        "-----END PRIVATE KEY-----\n",
    };
    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(secret); i++)
        if (signers_find_secret(span_text(secret[i])) == NULL)
            fail_msg("missed: %s", secret[i]);
    for (size_t i = 0; i < ARRAY_LEN(none); i++)
        if (signers_find_secret(span_text(none[i])) != NULL)
            fail_msg("found: %s", none[i]);
}

static void secrets_among_a_programs_texts_are_none(void **state)
{
    static const char program[] = "\x7f"
                                  "ELF\0\n" BEGIN "PRIVATE KEY-----\n\0";
    static const char script[] = "#!/bin/sh\n" BEGIN "PRIVATE KEY-----\nMC4=\n\0\1\2";
    UNUSED(state);
    assert_null(signers_find_secret(span_of(program, sizeof(program))));
    assert_string_equal(signers_find_secret(span_of(script, sizeof(script))),
                        "a private key in PEM");
}

static void add_key_text(struct buf *out, const struct keyfile_cost *cost, bool is_public)
{
    struct keypair pair;
    struct err err;
    assert_int_equal(keypair_new(&pair, &err), E_OK);
    enum errc rc = is_public ? keyfile_write_public(&pair, "k", out, &err)
                             : keyfile_write_secret(&pair, "k", cost, span_text("word"), out, &err);
    assert_int_equal(rc, E_OK);
    keypair_wipe(&pair);
}

static void secrets_of_minisign_are_found(void **state)
{
    static const struct keyfile_cost cheap = { 32768, 16777216 };
    const struct keyfile_cost *const costs[] = { NULL, &cheap };
    struct buf text;
    struct err err;
    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(costs); i++) {
        buf_init(&text, KEYFILE_TEXT_MAX);
        add_key_text(&text, costs[i], false);
        struct span whole = buf_span(&text);
        assert_string_equal(signers_find_secret(whole), "a minisign secret key");
        assert_non_null(signers_find_secret(span_sub(whole, 0, whole.len - 1))); /* without LF */
        assert_null(signers_find_secret(span_sub(whole, 0, whole.len - 10)));
        assert_null(signers_find_secret(span_sub(whole, 1, whole.len)));
        assert_int_equal(buf_add_text(&text, "\nmore\n", &err), E_OK);
        assert_non_null(signers_find_secret(buf_span(&text)));
        buf_fini(&text);
    }
    buf_init(&text, KEYFILE_TEXT_MAX);
    add_key_text(&text, NULL, true);
    assert_null(signers_find_secret(buf_span(&text)));
    buf_fini(&text);
    assert_null(signers_find_secret(span_text("untrusted comment: x")));
    assert_null(signers_find_secret(span_text("untrusted comment: x\n")));
}

/* --- progress */

struct progress {
    uint64_t last, total, n;
    bool went_back;
};

static void watch(void *ctx, uint64_t done, uint64_t total)
{
    struct progress *p = ctx;
    p->went_back |= done < p->last;
    p->last = done;
    p->total = total;
    p->n++;
}

static void progress_goes_forward_to_the_end(void **state)
{
    struct progress reading = { 0 }, packing = { 0 };
    struct tree_options options = { .progress = watch, .progress_ctx = &reading };
    struct pack_options pack_options = { .level = 1, .progress = watch, .progress_ctx = &packing };
    struct tree *t;
    struct err err;
    int n_failures;
    UNUSED(state);
    use(orchard, ARRAY_LEN(orchard));
    assert_int_equal(tree_read(&machine, ROOT, &options, &t, &err), E_OK);
    assert_int_equal(try_pack(t, &pack_options, UINT64_MAX, &n_failures, &err), E_OK);
    assert_false(reading.went_back);
    assert_false(packing.went_back);
    assert_int_equal(reading.last, tree_bytes(t));
    assert_int_equal(reading.total, tree_bytes(t));
    assert_int_equal(packing.last, tree_bytes(t));
    assert_true(packing.n >= tree_n(t));
    tree_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tree_is_sorted_and_normal),
        cmocka_unit_test(tree_lists_all_folders_where_asked),
        cmocka_unit_test(tree_is_the_same_in_any_order),
        cmocka_unit_test(tree_refuses_what_no_release_may_hold),
        cmocka_unit_test(tree_names_a_folder_that_is_missing),
        cmocka_unit_test(tree_refuses_what_is_not_wanted),
        cmocka_unit_test(tree_refuses_to_be_what_is_not_wanted),
        cmocka_unit_test(tree_notices_a_folder_that_is_exchanged_while_it_is_listed),
        cmocka_unit_test(tree_identifies_what_links_lead_to),
        cmocka_unit_test(pack_gives_what_unpack_reads),
        cmocka_unit_test(pack_makes_the_same_bytes_whoever_makes_them),
        cmocka_unit_test(pack_has_room_for_paths_of_every_length),
        cmocka_unit_test(pack_notices_files_that_changed),
        cmocka_unit_test(pack_follows_nothing_that_took_the_place_of_a_file),
        cmocka_unit_test(pack_asks_of_the_head_of_every_file),
        cmocka_unit_test(pack_notices_a_large_file_of_other_bytes),
        cmocka_unit_test(pack_hands_on_the_sinks_error),
        cmocka_unit_test(pack_refuses_times_and_levels_that_do_not_exist),
        cmocka_unit_test(pack_makes_an_archive_of_nothing),
        cmocka_unit_test(secrets_in_pem_are_found),
        cmocka_unit_test(secrets_among_a_programs_texts_are_none),
        cmocka_unit_test(secrets_of_minisign_are_found),
        cmocka_unit_test(progress_goes_forward_to_the_end),
    };
    return cmocka_run_group_tests(tests, make_large, free_large);
}
