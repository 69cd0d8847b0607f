/* unpack: archives made here with libarchive, read back; the judge alone; and what becomes of each
 * archive that is cut off or altered at every place. Hostile ones are in tests/kit/archives.py. */

#include "installer/core/unpack.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <archive.h>
#include <archive_entry.h>
#include <cmocka.h>

#include "installer/core/unpack_frame.h"
#include "platform/base/buf.h"
#include "platform/base/crc32.h"

#define ARCHIVE_MAX (4U * 1024 * 1024)
#define LISTING_MAX (64U * 1024)
#define BODY_LEN 3000

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define IS_SLOW 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) && !defined(IS_SLOW)
#define IS_SLOW 1
#endif
#ifdef IS_SLOW
#define ALTERED_STEP 7 /* each bit of a byte has its turn, in different bytes */
#else
#define ALTERED_STEP 1
#endif

/* --- making archives */

struct making {
    const char *name;
    int format, filter; /* libarchive's codes */
};

static const struct making makings[] = {
    { "ustar", ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_NONE },
    { "pax, gzip", ARCHIVE_FORMAT_TAR_PAX_RESTRICTED, ARCHIVE_FILTER_GZIP },
    { "GNU tar, xz", ARCHIVE_FORMAT_TAR_GNUTAR, ARCHIVE_FILTER_XZ },
    { "ustar, zstd", ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_ZSTD },
    { "zip", ARCHIVE_FORMAT_ZIP, ARCHIVE_FILTER_NONE },
    { "7z", ARCHIVE_FORMAT_7ZIP, ARCHIVE_FILTER_NONE },
};

static const uint8_t *body(void)
{
    static uint8_t bytes[BODY_LEN];
    uint32_t seed = 1;
    for (size_t i = 0; i < sizeof(bytes); i++) {
        seed = seed * 1664525 + 1013904223;
        bytes[i] = (uint8_t)(seed >> 24);
    }
    return bytes;
}

static la_ssize_t take(struct archive *a, void *ctx, const void *bytes, size_t len)
{
    struct err err;
    UNUSED(a);
    assert_int_equal(buf_add(ctx, span_of(bytes, len), &err), E_OK);
    return (la_ssize_t)len;
}

static void put_entry(struct archive *a, const char *path, unsigned mode, const void *bytes,
                      size_t len)
{
    struct archive_entry *e = archive_entry_new();
    archive_entry_set_pathname(e, path);
    archive_entry_set_mode(e, (__LA_MODE_T)mode);
    archive_entry_set_size(e, (la_int64_t)len);
    archive_entry_set_mtime(e, 1, 0);
    assert_int_equal(archive_write_header(a, e), ARCHIVE_OK);
    if (len > 0)
        assert_int_equal(archive_write_data(a, bytes, len), (la_ssize_t)len);
    archive_entry_free(e);
}

/* make_archive gives an archive with a folder, an empty file, one of BODY_LEN bytes and a small
 * one. */
static struct buf make_archive(const struct making *m)
{
    struct buf out;
    struct archive *a = archive_write_new();
    buf_init(&out, ARCHIVE_MAX);
    assert_int_equal(archive_write_set_format(a, m->format), ARCHIVE_OK);
    assert_int_equal(archive_write_add_filter(a, m->filter), ARCHIVE_OK);
    assert_int_equal(archive_write_set_bytes_per_block(a, 0), ARCHIVE_OK);
    assert_int_equal(archive_write_open(a, &out, NULL, take, NULL), ARCHIVE_OK);
    put_entry(a, "d/", AE_IFDIR | 0755, NULL, 0);
    put_entry(a, "d/empty", AE_IFREG | 0644, NULL, 0);
    put_entry(a, "d/body", AE_IFREG | 0755, body(), BODY_LEN);
    put_entry(a, "small", AE_IFREG | 0644, "small", 5);
    assert_int_equal(archive_write_close(a), ARCHIVE_OK);
    assert_int_equal(archive_write_free(a), ARCHIVE_OK);
    return out;
}

/* --- reading them */

static enum errc add_piece(void *ctx, struct span piece, struct err *err)
{
    return buf_add(ctx, piece, err);
}

static enum errc list_entry(struct unpack *u, const struct unpack_entry *e, struct buf *out,
                            struct err *err)
{
    enum errc rc = buf_printf(out, err, "%d %o %.*s ", (int)e->kind, e->mode, (int)e->path.len,
                              (const char *)e->path.ptr);
    if (rc == E_OK)
        rc = unpack_data(u, add_piece, out, err);
    return rc == E_OK ? buf_add_byte(out, '\n', err) : rc;
}

/* list reads all of an archive, also its bytes if asked, and adds what is there to `out`. */
static enum errc list(struct source *src, bool with_bytes, struct buf *out, struct err *err)
{
    struct unpack_limits limits = unpack_entry_limits();
    struct unpack *u = NULL;
    struct unpack_entry e;
    bool is_end = false;
    enum errc rc = unpack_open(src, &limits, &u, err);
    while (rc == E_OK && !is_end) {
        rc = unpack_next(u, &e, &is_end, err);
        if (rc == E_OK && !is_end && with_bytes)
            rc = list_entry(u, &e, out, err);
    }
    unpack_close(u);
    return rc;
}

static enum errc list_bytes(struct span bytes, bool with_bytes, struct buf *out, struct err *err)
{
    struct source *src;
    assert_int_equal(source_memory_new(bytes, &src, err), E_OK);
    enum errc rc = list(src, with_bytes, out, err);
    source_close(src);
    return rc;
}

static struct buf expected(void)
{
    struct buf out;
    struct err err;
    buf_init(&out, LISTING_MAX);
    assert_int_equal(buf_add_text(&out, "2 755 d \n1 644 d/empty \n1 755 d/body ", &err), E_OK);
    assert_int_equal(buf_add(&out, span_of(body(), BODY_LEN), &err), E_OK);
    assert_int_equal(buf_add_text(&out, "\n1 644 small small\n", &err), E_OK);
    return out;
}

/* The writer of 7z puts empty files and folders last. */
static void sort_of_7z(struct buf *listing)
{
    struct err err;
    buf_clear(listing);
    assert_int_equal(buf_add_text(listing, "1 755 d/body ", &err), E_OK);
    assert_int_equal(buf_add(listing, span_of(body(), BODY_LEN), &err), E_OK);
    assert_int_equal(buf_add_text(listing, "\n1 644 small small\n1 644 d/empty \n2 755 d \n", &err),
                     E_OK);
}

static struct buf expected_of(const struct making *m)
{
    struct buf out = expected();
    if (m->format == ARCHIVE_FORMAT_7ZIP)
        sort_of_7z(&out);
    return out;
}

static void unpack_reads_what_was_packed(void **state)
{
    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(makings); i++) {
        struct buf archive = make_archive(&makings[i]), got, wanted = expected_of(&makings[i]);
        struct err err = { .code = E_OK };
        buf_init(&got, LISTING_MAX);
        if (list_bytes(buf_span(&archive), true, &got, &err) != E_OK)
            fail_msg("%s: %s", makings[i].name, err.text);
        if (!span_equal(buf_span(&got), buf_span(&wanted)))
            fail_msg("%s: %.*s", makings[i].name, (int)got.len, (const char *)got.ptr);
        buf_fini(&archive);
        buf_fini(&got);
        buf_fini(&wanted);
    }
}

static void unpack_passes_over_bytes_that_nobody_wants(void **state)
{
    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(makings); i++) {
        struct buf archive = make_archive(&makings[i]);
        struct err err;
        assert_int_equal(list_bytes(buf_span(&archive), false, NULL, &err), E_OK);
        buf_fini(&archive);
    }
}

/* Cut off anywhere, no archive is read to its end. */
static void unpack_refuses_every_archive_that_is_cut_off(void **state)
{
    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(makings); i++) {
        struct buf archive = make_archive(&makings[i]), got;
        buf_init(&got, LISTING_MAX);
        for (size_t len = 0; len < archive.len;
             len += len < 600 || len > archive.len - 600 ? 1 : 7) {
            struct err err = { .code = E_OK };
            /* Of a plain tar, what follows the two blocks of zeros may be missing. */
            if (i == 0 && len >= archive.len - 8 * 1024 &&
                span_is_filled(span_sub(buf_span(&archive), len - 1024, archive.len), 0))
                break;
            buf_clear(&got);
            /* A copy of its own size: a sanitizer sees reads past its end. */
            uint8_t *copy = malloc(len + 1);
            memcpy(copy, archive.ptr, len);
            enum errc rc = list_bytes(span_of(copy, len), true, &got, &err);
            if (rc == E_OK || !(errc_is_about_bytes(rc) || rc == E_UNSUPPORTED))
                fail_msg("%s cut at %zu: %d %s", makings[i].name, len, (int)rc, err.text);
            free(copy);
        }
        buf_fini(&archive);
        buf_fini(&got);
    }
}

/* Altered anywhere, it ends in an error about its bytes, or is read to the end as something. Where
 * each try is slow (with sanitizers; there is a fuzz target too) every seventh byte. */
static void unpack_survives_every_altered_byte(void **state)
{
    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(makings); i++) {
        struct buf archive = make_archive(&makings[i]), got;
        buf_init(&got, LISTING_MAX);
        size_t n = archive.len > 4096 ? 4096 : archive.len;
        for (size_t at = i % ALTERED_STEP; at < n; at += ALTERED_STEP) {
            struct err err = { .code = E_OK };
            archive.ptr[at] ^= (uint8_t)(1U << (at % 8));
            buf_clear(&got);
            enum errc rc = list_bytes(buf_span(&archive), true, &got, &err);
            if (rc != E_OK && rc != E_UNSUPPORTED && rc != E_NOMEM && !errc_is_about_bytes(rc))
                fail_msg("%s altered at %zu: %d %s", makings[i].name, at, (int)rc, err.text);
            archive.ptr[at] ^= (uint8_t)(1U << (at % 8));
        }
        buf_fini(&archive);
        buf_fini(&got);
    }
}

/* --- the directory of a 7z */

/* A folder, an empty file and two files in one stream that is stored. The directory is plain and
 * begins at 40. */
static const uint8_t sevenzip[] = {
    0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C, 0x00, 0x04, 0xAF, 0xE9, 0x5F, 0x7E, 0x08, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x71, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x17, 0xCC, 0x87, 0xC6,
    0x68, 0x65, 0x6C, 0x6C, 0x6F, 0x79, 0x6F, 0x75, 0x01, 0x04, 0x06, 0x00, 0x01, 0x09, 0x08, 0x00,
    0x07, 0x0B, 0x01, 0x00, 0x01, 0x01, 0x00, 0x0C, 0x08, 0x00, 0x08, 0x0D, 0x02, 0x09, 0x05, 0x0A,
    0x01, 0x86, 0xA6, 0x10, 0x36, 0x16, 0x78, 0x6B, 0x66, 0x00, 0x00, 0x05, 0x04, 0x0E, 0x01, 0xA0,
    0x0F, 0x01, 0x40, 0x19, 0x02, 0x00, 0x00, 0x11, 0x15, 0x00, 0x64, 0x00, 0x00, 0x00, 0x64, 0x00,
    0x2F, 0x00, 0x61, 0x00, 0x00, 0x00, 0x65, 0x00, 0x00, 0x00, 0x62, 0x00, 0x00, 0x00, 0x14, 0x13,
    0x00, 0x50, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x15, 0x12, 0x01, 0x00, 0x10, 0x80, 0xED, 0x41, 0x20, 0x80, 0xA4, 0x81, 0x20,
    0x80, 0xA4, 0x81, 0x20, 0x80, 0xED, 0x81, 0x00, 0x00,
};
#define SEVENZIP_FIRST 32
#define SEVENZIP_DIRECTORY_AT 40

static void put_u32le(uint8_t *p, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(value >> (8 * i));
}

/* The first header of a 7z whose directory is the last `len` bytes, so that all its checksums are
 * right. */
static void mend_7z(uint8_t *bytes, size_t size, size_t len)
{
    put_u32le(bytes + 20, (uint32_t)len);
    put_u32le(bytes + 28, crc32_of(span_of(bytes + size - len, len)));
    put_u32le(bytes + 8, crc32_of(span_of(bytes + 12, SEVENZIP_FIRST - 12)));
}

static void unpack_7z_reads_a_plain_directory(void **state)
{
    struct err err = { .code = E_OK };
    struct buf got;
    UNUSED(state);
    buf_init(&got, LISTING_MAX);
    if (list_bytes(span_of(sevenzip, sizeof(sevenzip)), true, &got, &err) != E_OK)
        fail_msg("%s", err.text);
    assert_true(span_equal_text(buf_span(&got), "2 755 d \n1 644 d/a hello\n1 644 e \n"
                                                "1 755 b you\n"));
    buf_fini(&got);
}

/* The file is whole, and its directory ends early anywhere. */
static void unpack_7z_refuses_every_directory_that_is_cut_off(void **state)
{
    UNUSED(state);
    for (size_t size = SEVENZIP_DIRECTORY_AT + 1; size < sizeof(sevenzip); size++) {
        struct err err = { .code = E_OK };
        uint8_t *copy = malloc(size);
        memcpy(copy, sevenzip, size);
        mend_7z(copy, size, size - SEVENZIP_DIRECTORY_AT);
        enum errc rc = list_bytes(span_of(copy, size), false, NULL, &err);
        if (rc != E_MALFORMED || strncmp(err.text, "7z: ", 4) != 0)
            fail_msg("cut at %zu: %d %s", size, (int)rc, err.text);
        free(copy);
    }
}

/* Each value of each byte of the directory: it is refused for its bytes, or it is read to the end,
 * which says that libarchive and we found the same. */
static void unpack_7z_survives_every_other_byte_in_the_directory(void **state)
{
    uint8_t bytes[sizeof(sevenzip)];
    struct buf got;
    size_t n_read = 0;
    UNUSED(state);
    buf_init(&got, LISTING_MAX);
    memcpy(bytes, sevenzip, sizeof(bytes));
    for (size_t at = SEVENZIP_DIRECTORY_AT; at < sizeof(bytes); at++)
        for (unsigned mask = 1; mask < 256; mask++) {
            struct err err = { .code = E_OK };
            bytes[at] ^= (uint8_t)mask;
            mend_7z(bytes, sizeof(bytes), sizeof(bytes) - SEVENZIP_DIRECTORY_AT);
            buf_clear(&got);
            enum errc rc = list_bytes(span_of(bytes, sizeof(bytes)), true, &got, &err);
            if (rc != E_OK && rc != E_UNSUPPORTED && !errc_is_about_bytes(rc))
                fail_msg("altered at %zu by 0x%x: %d %s", at, mask, (int)rc, err.text);
            if (rc != E_OK && strstr(err.text, "can be") != NULL)
                fail_msg("altered at %zu by 0x%x: %s", at, mask, err.text);
            n_read += rc == E_OK;
            bytes[at] ^= (uint8_t)mask;
        }
    assert_in_range(n_read, 1000, 60UL * 255); /* times, letters of names, modes */
    buf_fini(&got);
}

/* --- a source that fails */

struct failing {
    struct source base;
    struct source *inner;
    size_t n_left;
};

static enum errc read_or_fail(struct source *src, uint64_t at, void *to, size_t len,
                              struct err *err)
{
    struct failing *f = (struct failing *)(void *)src;
    if (f->n_left-- == 0)
        return err_set(err, E_IO, "the disk is gone");
    return source_read_at(f->inner, at, to, len, err);
}

static void close_nothing(struct source *src)
{
    UNUSED(src);
}

static void unpack_tells_the_sources_own_error(void **state)
{
    static const struct source_ops ops = { read_or_fail, close_nothing };
    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(makings); i++) {
        struct buf archive = make_archive(&makings[i]), got;
        struct source *inner;
        struct err err;
        enum errc rc = E_IO;
        buf_init(&got, LISTING_MAX);
        assert_int_equal(source_memory_new(buf_span(&archive), &inner, &err), E_OK);
        for (size_t n = 0; rc != E_OK && n < 1000; n++) {
            struct failing f = { { .ops = &ops, .size = archive.len }, inner, n };
            err = (struct err){ .code = E_OK };
            buf_clear(&got);
            rc = list(&f.base, true, &got, &err);
            if (rc != E_OK && (rc != E_IO || strstr(err.text, "the disk is gone") == NULL))
                fail_msg("%s, read %zu: %d %s", makings[i].name, n, (int)rc, err.text);
        }
        assert_int_equal(rc, E_OK);
        source_close(inner);
        buf_fini(&archive);
        buf_fini(&got);
    }
}

/* --- promises of the interface */

static enum errc stop(void *ctx, struct span piece, struct err *err)
{
    UNUSED(ctx);
    UNUSED(piece);
    return err_set(err, E_SPACE, "no room");
}

static void unpack_data_is_given_once_and_hands_on_the_callers_error(void **state)
{
    struct unpack_limits limits = unpack_entry_limits();
    struct buf archive = make_archive(&makings[3]), got;
    struct source *src;
    struct unpack *u;
    struct unpack_entry e;
    struct err err;
    bool is_end = false;
    UNUSED(state);
    buf_init(&got, LISTING_MAX);
    assert_int_equal(source_memory_new(buf_span(&archive), &src, &err), E_OK);
    assert_int_equal(unpack_open(src, &limits, &u, &err), E_OK);
    assert_string_equal(unpack_format(u), "tar, zstd");
    assert_int_equal(unpack_next(u, &e, &is_end, &err), E_OK); /* d */
    assert_int_equal(unpack_data(u, stop, NULL, &err), E_OK);
    assert_int_equal(unpack_next(u, &e, &is_end, &err), E_OK); /* d/empty */
    assert_int_equal(unpack_data(u, stop, NULL, &err), E_OK);
    assert_int_equal(unpack_next(u, &e, &is_end, &err), E_OK);
    assert_int_equal(unpack_data(u, add_piece, &got, &err), E_OK);
    assert_true(span_equal_text(e.path, "d/body")); /* still there */
    assert_int_equal(unpack_data(u, add_piece, &got, &err), E_INTERNAL);
    assert_int_equal(unpack_next(u, &e, &is_end, &err), E_OK);
    assert_int_equal(unpack_data(u, stop, NULL, &err), E_SPACE);
    assert_string_equal(err.text, "entry \"small\": no room");
    unpack_close(u);
    unpack_close(NULL);
    source_close(src);
    buf_fini(&archive);
    buf_fini(&got);
}

/* --- the judge alone */

struct told {
    enum unpack_kind kind;
    const char *path, *target;
    uint64_t size;
    unsigned mode;
};

static enum errc judge(const struct unpack_limits *limits, const struct told *told, size_t n,
                       struct err *err)
{
    struct unpack_entry_judge *j;
    enum errc rc = E_OK;
    assert_int_equal(unpack_entry_judge_new(limits, 1000, &j, err), E_OK);
    for (size_t i = 0; i < n && rc == E_OK; i++) {
        struct unpack_entry e = { .kind = told[i].kind,
                                  .path = span_text(told[i].path),
                                  .size = told[i].size,
                                  .mode = told[i].mode };
        if (told[i].target != NULL)
            e.target = span_text(told[i].target);
        rc = unpack_entry_judge(j, &e, err);
        if (rc != E_OK && i + 1 < n)
            fail_msg("refused too early: %s", err->text);
    }
    unpack_entry_judge_free(j);
    return rc;
}

static void judge_accepts_a_tree_in_any_order(void **state)
{
    static const struct told told[] = {
        { UNPACK_FILE, "a/b/c", NULL, 5, 0644 },    { UNPACK_FOLDER, "a/b", NULL, 0, 0755 },
        { UNPACK_FILE, "a/d", NULL, 0, 0600 },      { UNPACK_LINK, "a/b/l", "../d", 0, 0777 },
        { UNPACK_HARDLINK, "z", "a/b/c", 0, 0644 }, { UNPACK_FOLDER, "a", NULL, 0, 0755 },
        { UNPACK_FOLDER, "empty", NULL, 0, 0700 },  { UNPACK_FILE, "empty/later", NULL, 0, 0644 },
        { UNPACK_FILE, "a/b/e", NULL, 0, 0644 },
    };
    struct unpack_limits limits = unpack_entry_limits();
    struct err err;
    UNUSED(state);
    assert_int_equal(judge(&limits, told, ARRAY_LEN(told), &err), E_OK);
}

/* Each: the last entry is the one that is refused. */
static void judge_refuses_the_last_of(void **state)
{
    static const struct {
        struct told told[4];
        size_t n;
        enum errc code;
        const char *words;
    } cases[] = {
        { { { UNPACK_NONE, "a", NULL, 0, 0 } }, 1, E_MALFORMED, "no known kind" },
        { { { UNPACK_SOCKET, "a", NULL, 0, 0 } }, 1, E_MALFORMED, "a socket" },
        { { { UNPACK_FILE, "a", NULL, 0, 010644 } }, 1, E_MALFORMED, "mode" },
        { { { UNPACK_FOLDER, "a", NULL, 5, 0755 } }, 1, E_MALFORMED, "brings 5 bytes" },
        { { { UNPACK_FILE, "a/b", NULL, 0, 0644 }, { UNPACK_LINK, "a", "c", 0, 0 } },
          2,
          E_MALFORMED,
          "other entries lie below it" },
        { { { UNPACK_FILE, "a/b", NULL, 0, 0644 }, { UNPACK_FILE, "A", NULL, 0, 0644 } },
          2,
          E_MALFORMED,
          "same path as \"a\"" },
        { { { UNPACK_FOLDER, "x/Y", NULL, 0, 0755 }, { UNPACK_FILE, "x/y/z", NULL, 0, 0644 } },
          2,
          E_MALFORMED,
          "spelt \"x/Y\"" },
        { { { UNPACK_FILE, "x/y", NULL, 0, 0644 },
            { UNPACK_FILE, "x/z", NULL, 0, 0644 },
            { UNPACK_FILE, "x/y/w", NULL, 0, 0644 } },
          3,
          E_MALFORMED,
          "lies below \"x/y\", which is a file" },
        { { { UNPACK_FILE, "f", NULL, 0, 0644 },
            { UNPACK_HARDLINK, "g", "f", 0, 0644 },
            { UNPACK_HARDLINK, "h", "g", 0, 0644 } },
          3,
          E_MALFORMED,
          "which is a hard link" },
        { { { UNPACK_FILE, "f", NULL, UINT64_MAX, 0644 } }, 1, E_LIMIT, "the limit is" },
    };
    struct unpack_limits limits = unpack_entry_limits();
    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err err = { .code = E_OK };
        enum errc rc = judge(&limits, cases[i].told, cases[i].n, &err);
        if (rc != cases[i].code || strstr(err.text, cases[i].words) == NULL)
            fail_msg("case %zu: %d %s", i, (int)rc, err.text);
    }
}

static void judge_counts_sums_and_ratios(void **state)
{
    static const struct told told[] = { { UNPACK_FILE, "a", NULL, 600, 0644 },
                                        { UNPACK_FILE, "b", NULL, 600, 0644 } };
    struct unpack_limits limits = { .entry_bytes = 600,
                                    .total_bytes = 1200,
                                    .ratio = 2,
                                    .ratio_free_bytes = 10,
                                    .n_entries = 2,
                                    .depth = 1 };
    struct err err;
    UNUSED(state);
    assert_int_equal(judge(&limits, told, 2, &err), E_OK);
    limits.n_entries = 1;
    assert_int_equal(judge(&limits, told, 2, &err), E_LIMIT);
    limits.n_entries = 2;
    limits.total_bytes = 1199;
    assert_int_equal(judge(&limits, told, 2, &err), E_LIMIT);
    limits.total_bytes = 1200;
    limits.ratio = 1; /* the archive has 1000 bytes */
    assert_int_equal(judge(&limits, told, 2, &err), E_LIMIT);
    limits.ratio_free_bytes = 1200;
    assert_int_equal(judge(&limits, told, 2, &err), E_OK);
    limits.entry_bytes = 599;
    assert_int_equal(judge(&limits, told, 1, &err), E_LIMIT);
}

static void judge_finds_its_way_among_many(void **state)
{
    struct unpack_limits limits = unpack_entry_limits();
    struct unpack_entry_judge *j;
    struct err err;
    char path[64];
    UNUSED(state);
    assert_int_equal(unpack_entry_judge_new(&limits, 1000, &j, &err), E_OK);
    for (unsigned i = 0; i < 20000; i++) {
        (void)snprintf(path, sizeof(path), "d%u/f%u", i % 97, i);
        struct unpack_entry e = { .kind = UNPACK_FILE, .path = span_text(path), .mode = 0644 };
        assert_int_equal(unpack_entry_judge(j, &e, &err), E_OK);
    }
    struct unpack_entry again = { .kind = UNPACK_FILE,
                                  .path = span_text("d46/f19931"),
                                  .mode = 0644 };
    assert_int_equal(unpack_entry_judge(j, &again, &err), E_MALFORMED);
    unpack_entry_judge_free(j);
    unpack_entry_judge_free(NULL);
}

/* --- the compressions' forms */

static void frame_tells_compressions_by_their_first_bytes(void **state)
{
    UNUSED(state);
    assert_int_equal(unpack_frame_wrap_of(span_of("\x1f\x8b\x08", 3)), UNPACK_GZIP);
    assert_int_equal(unpack_frame_wrap_of(span_of("\xfd"
                                                  "7zXZ\0",
                                                  6)),
                     UNPACK_XZ);
    assert_int_equal(unpack_frame_wrap_of(span_of("\x28\xb5\x2f\xfd", 4)), UNPACK_ZSTD);
    assert_int_equal(unpack_frame_wrap_of(span_of("\x5f\x2a\x4d\x18", 4)), UNPACK_ZSTD);
    assert_int_equal(unpack_frame_wrap_of(span_of("BZh9", 4)), UNPACK_PLAIN);
    assert_int_equal(unpack_frame_wrap_of(span_of(NULL, 0)), UNPACK_PLAIN);
}

static void frame_limits_the_window_of_a_single_segment(void **state)
{
    /* Flags 0xE0: content size in 8 bytes, which is the window as well. */
    uint8_t frame[16] = { 0x28, 0xB5, 0x2F, 0xFD, 0xE0, 0, 0, 0, 4, 0, 0, 0, 0, 1, 0, 0 };
    struct source *src;
    struct err err;
    UNUSED(state);
    assert_int_equal(source_memory_new(span_of(frame, sizeof(frame)), &src, &err), E_OK);
    assert_int_equal(unpack_frame_check(UNPACK_ZSTD, src, &err), E_OK);
    frame[5] = 1;
    assert_int_equal(unpack_frame_check(UNPACK_ZSTD, src, &err), E_LIMIT);
    source_close(src);
}

/* Two blocks without checksums. The first has its sizes in its header and two chunks of bytes as
 * they are, the second has one chunk that is packed. */
static const uint8_t xz_two_blocks[] = {
    0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00, 0x00, 0x00, 0xFF, 0x12, 0xD9, 0x41, /* 0: header */
    0x02, 0xC0, 0x0F, 0x08, 0x21, 0x01, 0x08, 0x00, 0xEF, 0x96, 0xA9, 0xFB, /* 12: block's */
    0x01, 0x00, 0x02, 0x61, 0x62, 0x63, 0x02, 0x00, 0x04, 0x64, 0x65, 0x66, /* 24, 30: chunks */
    0x67, 0x68, 0x00, 0x00, 0x02, 0x00, 0x21, 0x01, 0x08, 0x00, 0x00, 0x00, /* 38: end; 40 */
    0xD8, 0x0F, 0x23, 0x13, 0xE0, 0x01, 0x2B, 0x00, 0x08, 0x5D, 0x00, 0x30, /* 52: chunk */
    0xEF, 0xFB, 0xB7, 0xBF, 0xEE, 0x00, 0x00, 0x00, 0x00, 0x02, 0x1B, 0x08, /* 67: end; 68: */
    0x1C, 0xAC, 0x02, 0x00, 0x78, 0x59, 0x47, 0x53, 0xA8, 0x00, 0x0A, 0xFC, /* index; 80: footer */
    0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x59, 0x5A,
};

static enum errc check_xz_bytes(const uint8_t *bytes, size_t len, struct err *err)
{
    struct source *src;
    *err = (struct err){ .code = E_OK };
    assert_int_equal(source_memory_new(span_of(bytes, len), &src, err), E_OK);
    enum errc rc = unpack_frame_check(UNPACK_XZ, src, err);
    source_close(src);
    return rc;
}

static void frame_refuses_an_xz_whose_blocks_are_not_those_of_its_index(void **state)
{
    static const struct {
        size_t at;
        uint8_t byte;
        enum errc code;
        const char *words;
    } cases[] = {
        { 7, 0x01, E_MALFORMED, "name two kinds of checksum" },
        { 12, 0x00, E_MALFORMED, "no block at 12" },
        { 13, 0xC1, E_UNSUPPORTED, "a filter other than LZMA2" },
        { 13, 0xC4, E_MALFORMED, "no block's header at 14" },
        { 14, 0x10, E_MALFORMED, "has 15 packed bytes, its header says 16" },
        { 15, 0x09, E_MALFORMED, "unpacks to 8 bytes, its header says 9" },
        { 16, 0x03, E_UNSUPPORTED, "a filter other than LZMA2" },
        { 17, 0x00, E_MALFORMED, "without its one property" },
        { 18, 0x1D, E_LIMIT, "larger dictionary" },
        { 19, 0x01, E_MALFORMED, "header holds more" },
        { 24, 0x03, E_MALFORMED, "no known kind, 3, at 24" },
        { 24, 0x7F, E_MALFORMED, "no known kind, 127, at 24" },
        { 24, 0x00, E_MALFORMED, "8 bytes fewer than the 8" },
        { 30, 0x00, E_MALFORMED, "5 bytes fewer than the 8" },
        { 31, 0x01, E_MALFORMED, "runs into the index at 68" },
        { 32, 0x05, E_MALFORMED, "unpack to more than the 8 bytes" },
        { 39, 0x01, E_MALFORMED, "between a block and its checksum" },
        { 40, 0x00, E_MALFORMED, "no block at 40" },
        { 44, 0x28, E_LIMIT, "larger dictionary" },
        { 52, 0xE1, E_MALFORMED, "unpack to more than the 300" },
        { 54, 0x2A, E_MALFORMED, "1 bytes fewer than the 300" },
        { 56, 0x07, E_MALFORMED, "the block at 40 has 27 bytes, the index says 28" },
        { 56, 0x09, E_MALFORMED, "runs into the index" },
        { 67, 0x01, E_MALFORMED, "runs into the index" },
        { 68, 0x01, E_MALFORMED, "no index before the footer" },
        { 69, 0x01, E_MALFORMED, "no part of the last stream" },
        { 69, 0x03, E_MALFORMED, "of another length than the footer says" },
        { 70, 0x1A, E_MALFORMED, "has 27 bytes, the index says 26" },
        { 71, 0x07, E_MALFORMED, "unpack to more than the 7" },
        { 75, 0x01, E_MALFORMED, "between the index and its checksum" },
        { 84, 0x01, E_MALFORMED, "no index before the footer" },
        { 84, 0x03, E_MALFORMED, "no index before the footer" },
        { 84, 0x20, E_MALFORMED, "does not fit its file" },
        { 87, 0x01, E_LIMIT, "an index of" },
        { 88, 0x01, E_MALFORMED, "name two kinds of checksum" },
        { 91, 0x00, E_MALFORMED, "does not end with its footer" },
    };
    uint8_t bytes[sizeof(xz_two_blocks)];
    struct err err;
    UNUSED(state);
    assert_int_equal(check_xz_bytes(xz_two_blocks, sizeof(xz_two_blocks), &err), E_OK);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        memcpy(bytes, xz_two_blocks, sizeof(bytes));
        bytes[cases[i].at] = cases[i].byte;
        enum errc rc = check_xz_bytes(bytes, sizeof(bytes), &err);
        if (rc != cases[i].code || strstr(err.text, cases[i].words) == NULL)
            fail_msg("byte %zu as 0x%02X: %d %s", cases[i].at, cases[i].byte, (int)rc, err.text);
    }
}

/* What may be otherwise in the form above: the content, checksums, a smaller dictionary, and
 * whether a chunk empties it. The first six bytes have told that it is an xz. */
static bool is_free_in_xz(size_t at, uint8_t byte)
{
    static const struct {
        size_t first, last;
    } free_bytes[] = { { 0, 5 },   { 8, 11 },  { 20, 23 }, { 27, 29 }, { 33, 37 },
                       { 48, 51 }, { 57, 66 }, { 76, 79 }, { 80, 83 } };
    for (size_t i = 0; i < ARRAY_LEN(free_bytes); i++)
        if (at >= free_bytes[i].first && at <= free_bytes[i].last)
            return true;
    switch (at) {
    case 18:
    case 44: return byte <= 28;
    case 24:
    case 30: return byte == 1 || byte == 2;
    case 52: return byte == 0xC0 || byte == 0xE0;
    }
    return byte == xz_two_blocks[at];
}

static void frame_refuses_every_other_form_of_an_xz(void **state)
{
    uint8_t bytes[sizeof(xz_two_blocks)];
    struct err err;
    UNUSED(state);
    for (size_t i = 0; i < sizeof(bytes) * 256; i++) {
        size_t at = i / 256;
        memcpy(bytes, xz_two_blocks, sizeof(bytes));
        bytes[at] = (uint8_t)i;
        enum errc rc = check_xz_bytes(bytes, sizeof(bytes), &err);
        if ((rc == E_OK) != is_free_in_xz(at, bytes[at]))
            fail_msg("byte %zu as 0x%02X: %d %s", at, bytes[at], (int)rc, err.text);
    }
    for (size_t len = 0; len < sizeof(bytes); len++) {
        /* A copy of its own size: a sanitizer sees reads past its end. */
        uint8_t *copy = malloc(len + 1);
        memcpy(copy, xz_two_blocks, len);
        assert_int_not_equal(check_xz_bytes(copy, len, &err), E_OK);
        free(copy);
    }
}

/* One block of chunks that bring one byte each; the read that is one too many fails. */
static void frame_reads_an_xz_of_many_small_chunks_in_pieces(void **state)
{
    static const uint8_t chunk[] = { 2, 0, 0, 'x' };
    enum { N = 100000, FIRST = 24, LEN = FIRST + 4 * N + 4 + 12 + 12 };
    static const struct source_ops ops = { read_or_fail, close_nothing };
    uint8_t *bytes = calloc(1, LEN), *end = bytes + FIRST + 4 * N + 4;
    struct source *inner;
    struct err err;
    UNUSED(state);
    memcpy(bytes, xz_two_blocks, 12);
    memcpy(bytes + 12, xz_two_blocks + 40, 12);
    for (size_t i = 0; i < N; i++)
        memcpy(bytes + FIRST + 4 * i, chunk, sizeof(chunk));
    memcpy(end, "\0\1\x8d\xb5\x18\xa0\x8d\x06", 8); /* 12 + 4 * N + 1 bytes, N unpacked */
    memcpy(end + 12, xz_two_blocks + 80, 12);
    end[12 + 4] = 2;
    assert_int_equal(source_memory_new(span_of(bytes, LEN), &inner, &err), E_OK);
    struct failing f = { { .ops = &ops, .size = LEN }, inner, LEN / 4000 + 4 };
    enum errc rc = unpack_frame_check(UNPACK_XZ, &f.base, &err);
    if (rc != E_OK)
        fail_msg("%s", err.text);
    source_close(inner);
    free(bytes);
}

/* A frame of empty blocks; the read that is one too many fails. */
static void frame_reads_a_zstd_of_many_empty_blocks_in_pieces(void **state)
{
    enum { N = 1000000, FIRST = 6, LEN = FIRST + 3 * N };
    static const uint8_t head[FIRST] = { 0x28, 0xB5, 0x2F, 0xFD, 0, 0 };
    static const struct source_ops ops = { read_or_fail, close_nothing };
    uint8_t *bytes = calloc(1, LEN);
    struct source *inner;
    struct err err;
    UNUSED(state);
    memcpy(bytes, head, sizeof(head));
    bytes[LEN - 3] = 1;
    assert_int_equal(source_memory_new(span_of(bytes, LEN), &inner, &err), E_OK);
    struct failing f = { { .ops = &ops, .size = LEN }, inner, LEN / 65536 + 4 };
    enum errc rc = unpack_frame_check(UNPACK_ZSTD, &f.base, &err);
    if (rc != E_OK)
        fail_msg("%s", err.text);
    bytes[LEN - 3] = 0; /* no block is the last */
    f = (struct failing){ { .ops = &ops, .size = LEN }, inner, LEN / 65536 + 4 };
    assert_int_equal(unpack_frame_check(UNPACK_ZSTD, &f.base, &err), E_TRUNCATED);
    f = (struct failing){ { .ops = &ops, .size = LEN - 1 }, inner, LEN / 65536 + 4 };
    assert_int_equal(unpack_frame_check(UNPACK_ZSTD, &f.base, &err), E_TRUNCATED);
    source_close(inner);
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unpack_reads_what_was_packed),
        cmocka_unit_test(unpack_passes_over_bytes_that_nobody_wants),
        cmocka_unit_test(unpack_refuses_every_archive_that_is_cut_off),
        cmocka_unit_test(unpack_survives_every_altered_byte),
        cmocka_unit_test(unpack_7z_reads_a_plain_directory),
        cmocka_unit_test(unpack_7z_refuses_every_directory_that_is_cut_off),
        cmocka_unit_test(unpack_7z_survives_every_other_byte_in_the_directory),
        cmocka_unit_test(unpack_tells_the_sources_own_error),
        cmocka_unit_test(unpack_data_is_given_once_and_hands_on_the_callers_error),
        cmocka_unit_test(judge_accepts_a_tree_in_any_order),
        cmocka_unit_test(judge_refuses_the_last_of),
        cmocka_unit_test(judge_counts_sums_and_ratios),
        cmocka_unit_test(judge_finds_its_way_among_many),
        cmocka_unit_test(frame_tells_compressions_by_their_first_bytes),
        cmocka_unit_test(frame_limits_the_window_of_a_single_segment),
        cmocka_unit_test(frame_refuses_an_xz_whose_blocks_are_not_those_of_its_index),
        cmocka_unit_test(frame_refuses_every_other_form_of_an_xz),
        cmocka_unit_test(frame_reads_an_xz_of_many_small_chunks_in_pieces),
        cmocka_unit_test(frame_reads_a_zstd_of_many_empty_blocks_in_pieces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
