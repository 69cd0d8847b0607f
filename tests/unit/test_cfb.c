#include "verify/cfb.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "cfb_build.h"

static const uint8_t filling[9000] = { 1, 2, 3, 4 };

/* Entries: 1 alpha (mini), 2 Beta (big), 3 sub (storage), 4 inner (in sub), 5 empty, 6 gamma. */
static const struct build_item items[] = {
    { .name = "alpha", .parent = BUILD_ROOT, .data = { (const uint8_t *)"alpha's bytes", 13 } },
    { .name = "Beta", .parent = BUILD_ROOT, .data = { filling, 5000 } },
    { .name = "sub", .parent = BUILD_ROOT, .type = CFB_STORAGE },
    { .name = "inner", .parent = 2, .data = { (const uint8_t *)"inner", 5 } },
    { .name = "empty", .parent = BUILD_ROOT },
    { .name = "gamma", .parent = BUILD_ROOT, .data = { filling, 130 } },
};
enum { ALPHA = 1, BETA, SUB, INNER, EMPTY, GAMMA };

static struct build sound(unsigned version)
{
    struct build b = { .version = version, .items = items, .n_items = ARRAY_LEN(items) };
    build_file(&b);
    return b;
}

/* What opening and checking said. */
struct looked {
    enum errc open, check;
    struct err err;
    struct report report;
};

static struct looked look(struct build *b)
{
    struct looked o = { 0 };
    struct source *src;
    struct cfb *cfb;
    assert_int_equal(source_memory_new(span_of(b->bytes, b->len), &src, &o.err), E_OK);
    o.open = cfb_open(src, &cfb, &o.err);
    if (o.open == E_OK) {
        o.check = cfb_check(cfb, &o.report, &o.err);
        cfb_close(cfb);
    }
    source_close(src);
    return o;
}

/* Breaks a sound file of both versions and looks. */
typedef void (*break_fn)(struct build *b);

static void expect_error(break_fn fn, enum errc code, const char *text)
{
    for (unsigned version = 3; version <= 4; version++) {
        struct build b = sound(version);
        fn(&b);
        struct looked o = look(&b);
        enum errc rc = o.open != E_OK ? o.open : o.check;
        if (rc != code || strstr(o.err.text, text) == NULL)
            fail_msg("version %u: %s: %s, wanted %s: %s", version, errc_name(rc), o.err.text,
                     errc_name(code), text);
        report_fini(&o.report);
        build_free(&b);
    }
}

static void expect_malformed(break_fn fn, const char *text)
{
    expect_error(fn, E_MALFORMED, text);
}

static void expect_range(break_fn fn, const char *what)
{
    for (unsigned version = 3; version <= 4; version++) {
        struct build b = sound(version);
        fn(&b);
        struct looked o = look(&b);
        if (o.open != E_OK || o.check != E_OK)
            fail_msg("version %u: %s", version, o.err.text);
        bool found = false;
        for (size_t i = 0; i < o.report.n_ranges; i++)
            found = found || strcmp(o.report.ranges[i].what, what) == 0;
        if (!found || !findings_have(&o.report.findings, REASON_UNCOVERED_DATA))
            fail_msg("version %u: no range \"%s\", %zu others", version, what, o.report.n_ranges);
        report_fini(&o.report);
        build_free(&b);
    }
}

/* --- what is sound */

static void cfb_reads_both_versions_and_finds_nothing_odd(void **state)
{
    UNUSED(state);
    for (unsigned version = 3; version <= 4; version++) {
        struct build b = sound(version);
        struct looked o = look(&b);
        assert_int_equal(o.open, E_OK);
        assert_int_equal(o.check, E_OK);
        assert_int_equal(o.report.findings.n, 0);
        assert_int_equal(o.report.n_ranges, 0);
        report_fini(&o.report);
        build_free(&b);
    }
}

static void cfb_finds_children_by_exact_name(void **state)
{
    UNUSED(state);
    struct build b = sound(3);
    struct source *src;
    struct cfb *cfb;
    assert_int_equal(source_memory_new(span_of(b.bytes, b.len), &src, NULL), E_OK);
    assert_int_equal(cfb_open(src, &cfb, NULL), E_OK);
    assert_ptr_equal(cfb_find(cfb, CFB_ROOT_ID, span_of("B\0e\0t\0a", 8)), cfb_entry(cfb, BETA));
    assert_null(cfb_find(cfb, CFB_ROOT_ID, span_of("b\0e\0t\0a", 8)));
    assert_null(cfb_find(cfb, CFB_ROOT_ID, span_of("i\0n\0n\0e\0r", 10)));
    assert_ptr_equal(cfb_find(cfb, SUB, span_of("i\0n\0n\0e\0r", 10)), cfb_entry(cfb, INNER));
    assert_int_equal(cfb_entry(cfb, INNER)->parent, SUB);
    assert_int_equal(cfb_entry(cfb, INNER)->depth, 2);
    assert_int_equal(cfb_entry_at(cfb, cfb_entry(cfb, GAMMA)), build_entry_at(&b, GAMMA));
    cfb_close(cfb);
    source_close(src);
    build_free(&b);
}

static void cfb_lists_children_in_the_order_of_the_tree(void **state)
{
    static const uint32_t order[] = { SUB, BETA, ALPHA, EMPTY, GAMMA };
    UNUSED(state);
    struct build b = sound(4);
    struct source *src;
    struct cfb *cfb;
    assert_int_equal(source_memory_new(span_of(b.bytes, b.len), &src, NULL), E_OK);
    assert_int_equal(cfb_open(src, &cfb, NULL), E_OK);
    uint32_t id = cfb_entry(cfb, CFB_ROOT_ID)->first_child;
    for (size_t i = 0; i < ARRAY_LEN(order); i++, id = cfb_entry(cfb, id)->next)
        assert_int_equal(id, order[i]);
    assert_int_equal(id, CFB_NONE);
    cfb_close(cfb);
    source_close(src);
    build_free(&b);
}

static void cfb_reads_streams_whole_and_as_sources(void **state)
{
    UNUSED(state);
    struct build b = sound(3);
    struct source *src, *stream;
    struct cfb *cfb;
    struct buf bytes;
    uint8_t part[100];
    assert_int_equal(source_memory_new(span_of(b.bytes, b.len), &src, NULL), E_OK);
    assert_int_equal(cfb_open(src, &cfb, NULL), E_OK);
    buf_init(&bytes, 5000);
    assert_int_equal(cfb_read(cfb, cfb_entry(cfb, BETA), &bytes, NULL), E_OK);
    assert_true(span_equal(buf_span(&bytes), span_of(filling, 5000)));
    assert_int_equal(cfb_read(cfb, cfb_entry(cfb, ALPHA), &bytes, NULL), E_LIMIT);
    assert_int_equal(cfb_stream_open(cfb, cfb_entry(cfb, GAMMA), &stream, NULL), E_OK);
    assert_int_equal(stream->size, 130);
    assert_int_equal(source_read_at(stream, 30, part, 100, NULL), E_OK);
    assert_memory_equal(part, filling + 30, 100);
    assert_int_equal(source_read_at(stream, 31, part, 100, NULL), E_TRUNCATED);
    source_close(stream);
    assert_int_equal(cfb_stream_open(cfb, cfb_entry(cfb, EMPTY), &stream, NULL), E_OK);
    assert_int_equal(stream->size, 0);
    source_close(stream);
    buf_fini(&bytes);
    cfb_close(cfb);
    source_close(src);
    build_free(&b);
}

static void cfb_reads_a_file_without_streams(void **state)
{
    UNUSED(state);
    for (unsigned version = 3; version <= 4; version++) {
        struct build b = { .version = version };
        build_file(&b);
        struct looked o = look(&b);
        assert_int_equal(o.open, E_OK);
        assert_int_equal(o.check, E_OK);
        assert_int_equal(o.report.findings.n, 0);
        build_free(&b);
    }
}

static void names_are_ordered_by_length_then_upper_case(void **state)
{
    static const struct {
        const char *a, *b; /* two code units each, or one */
        size_t len_a, len_b;
        int order;
    } cases[] = {
        { "z\0", "a\0a\0", 2, 4, -1 },       { "a\0", "A\0", 2, 2, 0 },
        { "a\0", "B\0", 2, 2, -1 },          { "_\0", "a\0", 2, 2, 1 },       /* 5F after 41 */
        { "\xE9\0", "\xC9\0", 2, 2, 0 },     { "\xF7\0", "\xD7\0", 2, 2, 1 }, /* no letters */
        { "\x01\x01", "\x00\x01", 2, 2, 0 }, { "\x02\x01", "\x01\x01", 2, 2, 1 },
        { "\x51\x04", "\x01\x04", 2, 2, 0 }, { "\x28\xD8", "\x00\xD8", 2, 2, 1 },
    };
    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(cfb_compare_names(span_of(cases[i].a, cases[i].len_a),
                                           span_of(cases[i].b, cases[i].len_b)),
                         cases[i].order);
}

/* --- header */

#define SET16(name, at, v)                                                                         \
    static void name(struct build *b)                                                              \
    {                                                                                              \
        put_u16(b->bytes + (at), (v));                                                             \
    }
#define SET32(name, at, v)                                                                         \
    static void name(struct build *b)                                                              \
    {                                                                                              \
        put_u32(b->bytes + (at), (v));                                                             \
    }

SET16(break_magic, 0, 0)
SET16(break_clsid, 8, 1)
SET16(break_version, 26, 5)
SET16(break_byte_order, 28, 0xFEFF)
SET16(break_shift, 30, 11)
SET16(break_mini_shift, 32, 7)
SET16(break_reserved, 38, 1)
SET32(break_n_dir, 40, 77)
SET32(break_no_fat, 44, 0)
SET32(break_huge_fat, 44, 0x7FFFFFFF)
SET32(break_dir_start, 48, 0x00FFFFFF)
SET32(break_dir_none, 48, BUILD_END)
SET32(break_cutoff, 56, 8192)
SET32(break_n_minifat, 64, 2)
SET32(break_n_difat, 72, 1)
SET32(break_fat_place, 76, BUILD_FREE)
SET32(break_unused_difat, 80, 3)
SET16(odd_minor, 24, 0x3B)
SET32(odd_transaction, 52, 7)
SET32(odd_difat_start, 68, BUILD_FREE)

static void cfb_refuses_headers_that_are_not_canonical(void **state)
{
    UNUSED(state);
    expect_malformed(break_magic, "first bytes");
    expect_malformed(break_clsid, "the CLSID");
    expect_malformed(break_version, "version 5");
    expect_malformed(break_byte_order, "the byte order");
    expect_malformed(break_shift, "the sector shift");
    expect_malformed(break_mini_shift, "the mini sector shift");
    expect_malformed(break_reserved, "the reserved field");
    expect_malformed(break_n_dir, "the header says 77");
    expect_malformed(break_no_fat, "without a FAT");
    expect_malformed(break_huge_fat, "FAT of 2147483647 sectors");
    expect_malformed(break_dir_start, "the chain of the directory leads to");
    expect_malformed(break_dir_none, "without a directory");
    expect_malformed(break_cutoff, "the mini stream cutoff");
    expect_malformed(break_n_minifat, "mini FAT of 1 sectors");
    expect_malformed(break_n_difat, "DIFAT of 1 sectors");
    expect_malformed(break_fat_place, "the FAT is in sector");
    expect_malformed(break_unused_difat, "the unused place 1");
}

static void cfb_reports_header_fields_that_may_be_anything(void **state)
{
    UNUSED(state);
    expect_range(odd_minor, "minor version of the header");
    expect_range(odd_transaction, "transaction number");
    expect_range(odd_difat_start, "start of a DIFAT that is not there");
}

/* --- chains */

static size_t big_sector(struct build *b)
{
    return get_u32le(build_entry(b, BETA) + 116);
}

static void chain_big_in_circle(struct build *b)
{
    put_u32(build_fat(b, big_sector(b) + 1), (uint32_t)big_sector(b));
}
static void chain_big_too_long(struct build *b)
{
    size_t last = big_sector(b) + build_count(5000, b->sector) - 1;
    put_u32(build_fat(b, last), (uint32_t)build_sector_of(b, b->mini_at));
}
static void chain_big_too_short(struct build *b)
{
    put_u32(build_fat(b, big_sector(b)), BUILD_END);
}
static void chain_big_into_dir(struct build *b)
{
    put_u32(build_entry(b, BETA) + 116, (uint32_t)build_sector_of(b, b->dir_at));
}
static void chain_big_outside(struct build *b)
{
    put_u32(build_fat(b, big_sector(b)), 0x00FFFFF0);
}
static void chain_dir_in_circle(struct build *b)
{
    size_t last = build_sector_of(b, b->fat_at) - 1;
    put_u32(build_fat(b, last), (uint32_t)build_sector_of(b, b->dir_at));
}
static void chain_minifat_in_circle(struct build *b)
{
    size_t sector = build_sector_of(b, b->minifat_at);
    put_u32(build_fat(b, sector), (uint32_t)sector);
}
static void chain_mini_in_circle(struct build *b)
{
    size_t start = get_u32le(build_entry(b, GAMMA) + 116);
    put_u32(b->bytes + b->minifat_at + (start + 2) * 4, (uint32_t)start);
}
static void chain_mini_shared(struct build *b)
{
    put_u32(build_entry(b, INNER) + 116, get_u32le(build_entry(b, ALPHA) + 116));
}
static void chain_mini_outside(struct build *b)
{
    put_u32(build_entry(b, ALPHA) + 116, 5000);
}
static void fat_not_marked(struct build *b)
{
    put_u32(build_fat(b, build_sector_of(b, b->fat_at)), BUILD_END);
}
static void fat_past_end(struct build *b)
{
    put_u32(build_fat(b, b->next), BUILD_END);
}
static void mini_stream_too_long(struct build *b)
{
    put_u32(build_entry(b, 0) + 120, 64 * 100);
}
static void mini_stream_too_short(struct build *b)
{
    put_u32(build_entry(b, 0) + 120, 64);
}

static void cfb_refuses_chains_that_are_no_chains(void **state)
{
    UNUSED(state);
    expect_malformed(chain_big_in_circle, "");
    expect_malformed(chain_big_too_long, "goes on");
    expect_malformed(chain_big_too_short, "bytes to go");
    expect_malformed(chain_big_into_dir, "");
    expect_malformed(chain_big_outside, "leads to sector");
    expect_malformed(chain_dir_in_circle, "is a circle");
    expect_malformed(chain_minifat_in_circle, "is a circle");
    expect_malformed(chain_mini_in_circle, "goes on");
    expect_malformed(chain_mini_shared, "belongs to two");
    expect_malformed(chain_mini_outside, "leads to mini sector");
    expect_malformed(fat_not_marked, "not marked so");
    expect_malformed(fat_past_end, "past the file's end");
    expect_malformed(mini_stream_too_long, "mini stream of");
    expect_malformed(mini_stream_too_short, "");
}

/* --- directory */

#define ENTRY8(name, entry, at, v)                                                                 \
    static void name(struct build *b)                                                              \
    {                                                                                              \
        build_entry(b, (entry))[at] = (v);                                                         \
    }
#define ENTRY32(name, entry, at, v)                                                                \
    static void name(struct build *b)                                                              \
    {                                                                                              \
        put_u32(build_entry(b, (entry)) + (at), (v));                                              \
    }

ENTRY8(type_lockbytes, ALPHA, 66, 3)
ENTRY8(type_second_root, SUB, 66, 5)
ENTRY8(type_no_root, 0, 66, 1)
ENTRY8(type_empty_but_reached, EMPTY, 66, 0)
ENTRY8(name_odd, ALPHA, 64, 11)
ENTRY8(name_empty, ALPHA, 64, 2)
ENTRY8(name_long, ALPHA, 64, 66)
ENTRY8(name_short, ALPHA, 64, 8)
ENTRY8(name_with_nul, ALPHA, 2, 0)
ENTRY8(colour_two, ALPHA, 67, 2)
ENTRY32(stream_with_child, ALPHA, 76, GAMMA)
ENTRY32(root_with_sibling, 0, 72, ALPHA)
ENTRY32(child_outside, 0, 76, 0x00FFFFFF)
ENTRY32(child_is_root, SUB, 76, 0)
ENTRY32(child_shared, SUB, 76, ALPHA)
ENTRY32(size_huge_v4, BETA, 120, 0x7FFFFFFF)
ENTRY8(odd_root_name, 0, 0, 'B')
ENTRY8(odd_root_colour, 0, 67, 0)
ENTRY8(odd_name_tail, ALPHA, 62, 'x')
ENTRY32(odd_storage_start, SUB, 116, 9)
ENTRY32(odd_storage_size, SUB, 124, 9)
ENTRY32(odd_empty_start, EMPTY, 116, 3)
ENTRY8(odd_unused, 7, 100, 1)
ENTRY32(odd_mini_size, 0, 120, 64 * 5 - 1)

static void same_name(struct build *b)
{
    memcpy(build_entry(b, EMPTY), "A\0L\0P\0H\0A", 10);
}
static void not_sorted(struct build *b)
{
    uint8_t *top = build_entry(b, get_u32le(build_entry(b, 0) + 76));
    uint32_t left = get_u32le(top + 68);
    put_u32(top + 68, get_u32le(top + 72));
    put_u32(top + 72, left);
}

static void cfb_refuses_entries_that_are_not_of_the_format(void **state)
{
    UNUSED(state);
    expect_malformed(type_lockbytes, "type 3");
    expect_malformed(type_second_root, "a second root");
    expect_malformed(type_no_root, "not the root");
    expect_malformed(type_empty_but_reached, "unused entry");
    expect_malformed(name_odd, "a name of 11 bytes");
    expect_malformed(name_empty, "a name of 2 bytes");
    expect_malformed(name_long, "a name of 66 bytes");
    expect_malformed(name_short, "has no NUL");
    expect_malformed(name_with_nul, "a NUL inside");
    expect_malformed(colour_two, "colour 2");
    expect_malformed(stream_with_child, "a stream with a child");
    expect_malformed(root_with_sibling, "the root has a sibling");
    expect_malformed(child_outside, "a link to entry");
    expect_malformed(child_is_root, "two links to entry 0");
    expect_malformed(child_shared, "two links to entry");
    expect_malformed(same_name, "the same name");
    expect_malformed(not_sorted, "not sorted");
    expect_error(size_huge_v4, E_TRUNCATED, "bytes in a file of");
}

static void cfb_reports_entry_fields_that_may_be_anything(void **state)
{
    UNUSED(state);
    expect_range(odd_root_name, "name of the root entry");
    expect_range(odd_root_colour, "colour of the root entry");
    expect_range(odd_name_tail, "rest of a name");
    expect_range(odd_storage_start, "start and size of a storage");
    expect_range(odd_storage_size, "start and size of a storage");
    expect_range(odd_empty_start, "start of an empty stream");
    expect_range(odd_unused, "unused entry");
    expect_range(odd_mini_size, "size of the mini stream");
}

static void sizes_of_version_3_have_31_bits(void **state)
{
    UNUSED(state);
    struct build b = sound(3);
    put_u32(build_entry(&b, BETA) + 120, 0x80000000U);
    struct looked o = look(&b);
    assert_int_equal(o.open, E_MALFORMED);
    put_u32(build_entry(&b, BETA) + 120, 5000);
    put_u32(build_entry(&b, BETA) + 124, 1);
    o = look(&b);
    assert_int_equal(o.check, E_OK);
    assert_true(findings_have(&o.report.findings, REASON_MALFORMED));
    assert_true(findings_have(&o.report.findings, REASON_UNCOVERED_DATA));
    report_fini(&o.report);
    build_free(&b);
}

/* --- colours */

/* Gives the root's tree of `n` streams colours from a text, in the order of names: r or b. */
static struct looked look_at_colours(const char *colours)
{
    static const char *const names[] = { "a", "b", "c", "d", "e", "f", "g" };
    struct build_item many[7] = { 0 };
    size_t n = strlen(colours);
    for (size_t i = 0; i < n; i++)
        many[i] = (struct build_item){ .name = names[i], .parent = BUILD_ROOT };
    struct build b = { .version = 3, .items = many, .n_items = n };
    build_file(&b);
    for (size_t i = 0; i < n; i++)
        build_entry(&b, i + 1)[67] = colours[i] == 'b';
    struct looked o = look(&b);
    assert_int_equal(o.check, E_OK);
    build_free(&b);
    return o;
}

static void colours_are_all_black_or_a_red_black_tree(void **state)
{
    /* The tree of seven: d over b and f, those over a c e g. Of three: b over a c. */
    static const struct {
        const char *colours;
        size_t n_ranges; /* neighbours are not joined: one a node */
        bool malformed;
    } cases[] = {
        { "bbb", 0, false },     { "rbr", 0, false },     { "bbbbbbb", 0, false },
        { "rbrbrbr", 0, false }, { "brbbbrb", 0, false }, { "rbb", 3, false },
        { "brb", 3, true },      { "rrb", 3, true },      { "rbrbbbb", 7, false },
        { "bb", 0, false },      { "rb", 1, false },
    };
    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct looked o = look_at_colours(cases[i].colours);
        if (o.report.n_ranges != cases[i].n_ranges ||
            findings_have(&o.report.findings, REASON_MALFORMED) != cases[i].malformed)
            fail_msg("colours %s: %zu ranges", cases[i].colours, o.report.n_ranges);
        report_fini(&o.report);
    }
}

/* --- slack, free sectors, the end */

static void slack_big(struct build *b)
{
    b->bytes[(big_sector(b) + 1) * b->sector + 5000] = 1;
}
static void slack_mini(struct build *b)
{
    b->bytes[b->mini_at + 13] = 1;
}
static void slack_mini_stream(struct build *b)
{
    b->bytes[b->mini_at + b->n_minis * 64] = 1;
}
static void mini_fat_end(struct build *b)
{
    put_u32(b->bytes + b->minifat_at + b->n_minis * 4, BUILD_END);
}
static void mini_stream_longer(struct build *b)
{
    put_u32(build_entry(b, 0) + 120, (uint32_t)(b->n_minis + 1) * 64);
}
static void entry_not_reached(struct build *b)
{
    uint8_t *e = build_entry(b, 7);
    build_fill_entry(e, "ghost", CFB_STREAM);
}

static void cfb_reports_slack_that_is_not_zero(void **state)
{
    UNUSED(state);
    expect_range(slack_big, "slack after a stream");
    expect_range(slack_mini, "slack after a stream");
    expect_range(slack_mini_stream, "slack after the mini stream");
    expect_range(mini_fat_end, "mini FAT past the mini stream's end");
    expect_range(mini_stream_longer, "mini sectors after the last used one");
    expect_range(entry_not_reached, "entry that nothing leads to");
}

static void cfb_reports_the_rest_of_a_version_4_header(void **state)
{
    UNUSED(state);
    struct build b = sound(4);
    b.bytes[4095] = 1;
    struct looked o = look(&b);
    assert_int_equal(o.report.n_ranges, 1);
    assert_int_equal(o.report.ranges[0].at, 512);
    report_fini(&o.report);
    build_free(&b);
}

/* Beta's sectors become free: they lie before sectors in use. */
static void free_beta(struct build *b, uint8_t fill, uint32_t mark)
{
    size_t n = build_count(5000, b->sector);
    memset(b->bytes + (big_sector(b) + 1) * b->sector, fill, n * b->sector);
    for (size_t i = 0; i < n; i++)
        put_u32(build_fat(b, big_sector(b) + i), mark);
    put_u32(build_entry(b, BETA) + 116, BUILD_END);
    put_u32(build_entry(b, BETA) + 120, 0);
}

static void free_sectors_are_zero_or_reported(void **state)
{
    UNUSED(state);
    struct build b = sound(3);
    free_beta(&b, 0, BUILD_FREE);
    struct looked o = look(&b);
    assert_int_equal(o.check, E_OK);
    assert_int_equal(o.report.n_ranges, 0);
    build_free(&b);
    b = sound(3);
    free_beta(&b, 0x41, BUILD_FREE);
    o = look(&b);
    assert_int_equal(o.report.n_ranges, 1);
    assert_int_equal(o.report.ranges[0].len, 5120);
    assert_string_equal(o.report.ranges[0].what, "free sectors");
    report_fini(&o.report);
    build_free(&b);
    b = sound(3);
    free_beta(&b, 0, BUILD_END);
    o = look(&b);
    assert_string_equal(o.report.ranges[0].what, "sectors that belong to nothing");
    report_fini(&o.report);
    build_free(&b);
}

static void anything_after_the_last_used_sector_is_trailing_data(void **state)
{
    static const size_t lengths[] = { 1, 466, 512, 4096, 70000 };
    UNUSED(state);
    for (size_t i = 0; i < 2 * ARRAY_LEN(lengths); i++) {
        size_t more = lengths[i / 2];
        struct build b = sound(i % 2 == 0 ? 3 : 4);
        b.bytes = realloc(b.bytes, b.len + more);
        memset(b.bytes + b.len, 0, more);
        size_t end = b.len;
        b.len += more;
        struct looked o = look(&b);
        assert_int_equal(o.check, E_OK);
        assert_int_equal(o.report.findings.n, 1);
        assert_int_equal(o.report.findings.items[0].reason, REASON_TRAILING_DATA);
        assert_int_equal(o.report.findings.items[0].weight, WEIGHT_FATAL);
        assert_int_equal(o.report.ranges[0].at, end);
        assert_int_equal(o.report.ranges[0].len, more);
        report_fini(&o.report);
        build_free(&b);
    }
}

static void trailing_sectors_marked_as_used_are_still_trailing(void **state)
{
    UNUSED(state);
    struct build b = sound(3);
    b.bytes = realloc(b.bytes, b.len + 512);
    memset(b.bytes + b.len, 'x', 512);
    put_u32(build_fat(&b, b.next), BUILD_END);
    b.len += 512;
    struct looked o = look(&b);
    assert_true(findings_have(&o.report.findings, REASON_TRAILING_DATA));
    report_fini(&o.report);
    build_free(&b);
}

static void a_file_cut_anywhere_is_refused(void **state)
{
    UNUSED(state);
    for (unsigned version = 3; version <= 4; version++) {
        struct build b = sound(version);
        size_t whole = b.len;
        for (size_t cut = 1; cut <= whole; cut += cut < 600 ? 1 : 61) {
            b.len = whole - cut;
            struct looked o = look(&b);
            assert_true(o.open != E_OK || o.check != E_OK);
            report_fini(&o.report);
        }
        build_free(&b);
    }
}

static void a_stream_at_the_end_may_be_cut_in_its_slack_and_is_reported(void **state)
{
    UNUSED(state);
    struct build b = sound(3);
    /* Beta's last sector changes places with the FAT's, the last of the file. */
    size_t last = big_sector(&b) + 9, fat = b.next - 1;
    uint8_t table[512];
    memcpy(table, b.bytes + b.fat_at, 512);
    memcpy(b.bytes + b.fat_at, b.bytes + (last + 1) * 512, 512);
    put_u32(table + 4 * (last - 1), (uint32_t)fat);
    put_u32(table + 4 * fat, BUILD_END);
    put_u32(table + 4 * last, BUILD_FAT);
    memcpy(b.bytes + (last + 1) * 512, table, 512);
    put_u32(b.bytes + 76, (uint32_t)last);
    struct looked o = look(&b);
    assert_int_equal(o.check, E_OK);
    assert_int_equal(o.report.findings.n, 0);
    b.len -= 120; /* 5000 = 9 * 512 + 392 */
    o = look(&b);
    assert_int_equal(o.check, E_OK);
    assert_true(findings_have(&o.report.findings, REASON_UNCOVERED_DATA));
    report_fini(&o.report);
    b.len -= 1;
    o = look(&b);
    assert_int_equal(o.check, E_TRUNCATED);
    report_fini(&o.report);
    build_free(&b);
}

/* --- limits */

static struct looked look_at_nest(size_t depth)
{
    struct build_item nest[BUILD_ITEMS_MAX] = { 0 };
    for (size_t i = 0; i < depth; i++)
        nest[i] = (struct build_item){ .name = "s", .type = CFB_STORAGE, .parent = (int)i - 1 };
    struct build b = { .version = 3, .items = nest, .n_items = depth };
    build_file(&b);
    struct looked o = look(&b);
    report_fini(&o.report);
    build_free(&b);
    return o;
}

static void storages_deeper_than_the_limit_are_refused(void **state)
{
    UNUSED(state);
    assert_int_equal(look_at_nest(CFB_DEPTH_MAX).open, E_OK);
    assert_int_equal(look_at_nest(CFB_DEPTH_MAX + 1).open, E_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cfb_reads_both_versions_and_finds_nothing_odd),
        cmocka_unit_test(cfb_finds_children_by_exact_name),
        cmocka_unit_test(cfb_lists_children_in_the_order_of_the_tree),
        cmocka_unit_test(cfb_reads_streams_whole_and_as_sources),
        cmocka_unit_test(cfb_reads_a_file_without_streams),
        cmocka_unit_test(names_are_ordered_by_length_then_upper_case),
        cmocka_unit_test(cfb_refuses_headers_that_are_not_canonical),
        cmocka_unit_test(cfb_reports_header_fields_that_may_be_anything),
        cmocka_unit_test(cfb_refuses_chains_that_are_no_chains),
        cmocka_unit_test(cfb_refuses_entries_that_are_not_of_the_format),
        cmocka_unit_test(cfb_reports_entry_fields_that_may_be_anything),
        cmocka_unit_test(sizes_of_version_3_have_31_bits),
        cmocka_unit_test(colours_are_all_black_or_a_red_black_tree),
        cmocka_unit_test(cfb_reports_slack_that_is_not_zero),
        cmocka_unit_test(cfb_reports_the_rest_of_a_version_4_header),
        cmocka_unit_test(free_sectors_are_zero_or_reported),
        cmocka_unit_test(anything_after_the_last_used_sector_is_trailing_data),
        cmocka_unit_test(trailing_sectors_marked_as_used_are_still_trailing),
        cmocka_unit_test(a_file_cut_anywhere_is_refused),
        cmocka_unit_test(a_stream_at_the_end_may_be_cut_in_its_slack_and_is_reported),
        cmocka_unit_test(storages_deeper_than_the_limit_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
