#include "verify/msi_db.h"
#include "verify/msi_package.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "cfb_build.h"
#include "platform/base/text.h"

/* --- a database: its strings are numbered from 1, in the order of this list */

enum { PROPERTY = 1, VALUE, TABLE_FILE, VERSION, ONE, CAB, DATA, KEY_A, NUL, AGAIN, N_STRINGS };
static const struct span strings[N_STRINGS - 1] = {
    { (const uint8_t *)"Property", 8 }, { (const uint8_t *)"Value", 5 },
    { (const uint8_t *)"File", 4 },     { (const uint8_t *)"ProductVersion", 14 },
    { (const uint8_t *)"1.2\x80", 4 },  { (const uint8_t *)"Cab", 3 },
    { (const uint8_t *)"Data", 4 },     { (const uint8_t *)"a.b", 3 },
    { (const uint8_t *)"1\0002", 3 },   { (const uint8_t *)"Property", 8 },
};

enum { T_KEY = 0x2D48, T_TEXT = 0x1DFF, T_NUMBER = 0x1502, T_LONG = 0x1104, T_BINARY = 0x1900 };

#define U16(v) (uint8_t)((v)&0xFF), (uint8_t)((v) >> 8)
#define I2(v) U16((v) + 0x8000)

static const uint8_t tables[] = { U16(PROPERTY), U16(TABLE_FILE) };
static const uint8_t columns[] = {
    U16(PROPERTY),   U16(PROPERTY), U16(TABLE_FILE), U16(TABLE_FILE), U16(TABLE_FILE),
    U16(TABLE_FILE), I2(1),         I2(2),           I2(1),           I2(2),
    I2(3),           I2(4),         U16(PROPERTY),   U16(VALUE),      U16(KEY_A),
    U16(CAB),        U16(VALUE),    U16(DATA),       I2(T_KEY),       I2(T_TEXT),
    I2(T_KEY),       I2(T_NUMBER),  I2(T_LONG),      I2(T_BINARY),
};
/* Two rows: (a.b, -5, 70000, bytes), (Cab, null, null, null). */
static const uint8_t file_rows[] = { U16(KEY_A), U16(CAB), I2(-5), U16(0), 0x70, 0x11,   0x01,
                                     0x80,       0,        0,      0,      0,    U16(1), U16(0) };

struct parts {
    uint8_t pool[200];
    uint8_t data[200];
    size_t pool_len, data_len;
    struct span property, tables, columns;
    bool has_stream;
};

static void make_parts(struct parts *p, unsigned code_page)
{
    static const uint8_t property[] = { U16(VERSION), U16(ONE) };
    *p = (struct parts){ .property = { property, sizeof(property) },
                         .tables = { tables, sizeof(tables) },
                         .columns = { columns, sizeof(columns) },
                         .has_stream = true };
    put_u32(p->pool, code_page);
    for (size_t i = 0; i < ARRAY_LEN(strings); i++) {
        memcpy(p->data + p->data_len, strings[i].ptr, strings[i].len);
        p->data_len += strings[i].len;
        put_u16(p->pool + 4 * i + 4, (unsigned)strings[i].len);
        put_u16(p->pool + 4 * i + 6, 1);
    }
    p->pool_len = 4 * ARRAY_LEN(strings) + 4;
}

/* --- the file: built under stand-in names of the same order, then given the packed ones */

struct opened {
    struct build b;
    struct source *src;
    struct cfb *cfb;
    struct msi_db *db;
    enum errc rc;
    struct err err;
};

#define PARTS_MAX 7

struct part {
    const char *name;
    bool is_table;
    struct span data;
    struct msi_name packed;
    char stand_in[32];
};

static int compare_parts(const void *a, const void *b)
{
    const struct part *x = a, *y = b;
    return cfb_compare_names(span_of(x->packed.utf16, x->packed.len),
                             span_of(y->packed.utf16, y->packed.len));
}

static void build_parts(struct build *b, struct part *list, size_t n)
{
    struct build_item items[PARTS_MAX] = { { 0 } };
    for (size_t i = 0; i < n; i++)
        assert_true(msi_name_pack(span_text(list[i].name), list[i].is_table, &list[i].packed));
    qsort(list, n, sizeof(*list), compare_parts);
    for (size_t i = 0; i < n; i++) {
        memset(list[i].stand_in, 'a' + (int)i, list[i].packed.len / 2);
        items[i] = (struct build_item){ .name = list[i].stand_in,
                                        .parent = BUILD_ROOT,
                                        .data = list[i].data };
    }
    *b = (struct build){ .version = 3, .items = items, .n_items = n };
    build_file(b);
    for (size_t i = 0; i < n; i++)
        memcpy(build_entry(b, i + 1), list[i].packed.utf16, list[i].packed.len);
    b->items = NULL;
}

static void open_parts(struct opened *o, const struct parts *p)
{
    struct part list[PARTS_MAX] = {
        { .name = "_StringPool", .is_table = true, .data = { p->pool, p->pool_len } },
        { .name = "_StringData", .is_table = true, .data = { p->data, p->data_len } },
        { .name = "_Tables", .is_table = true, .data = p->tables },
        { .name = "_Columns", .is_table = true, .data = p->columns },
        { .name = "Property", .is_table = true, .data = p->property },
        { .name = "File", .is_table = true, .data = { file_rows, sizeof(file_rows) } },
        { .name = "File.a.b", .is_table = false, .data = { file_rows, 3 } },
    };
    memset(o, 0, sizeof(*o));
    build_parts(&o->b, list, PARTS_MAX - (p->has_stream ? 0 : 1));
    assert_int_equal(source_memory_new(span_of(o->b.bytes, o->b.len), &o->src, NULL), E_OK);
    if (cfb_open(o->src, &o->cfb, &o->err) != E_OK)
        fail_msg("%s", o->err.text);
    o->rc = msi_db_open(o->cfb, &o->db, &o->err);
}

static void close_all(struct opened *o)
{
    msi_db_close(o->db);
    cfb_close(o->cfb);
    source_close(o->src);
    build_free(&o->b);
}

static void open_sound(struct opened *o)
{
    struct parts p;
    make_parts(&p, 1252);
    open_parts(o, &p);
    if (o->rc != E_OK)
        fail_msg("%s", o->err.text);
}

static void expect_text(struct buf *b, const char *text)
{
    if (!span_equal_text(buf_span(b), text))
        fail_msg("\"%.*s\", wanted \"%s\"", (int)b->len, (const char *)b->ptr, text);
    buf_clear(b);
}

/* --- names and code pages */

static const struct {
    const char *name;
    bool is_table;
    uint16_t units[8];
    size_t n;
} names[] = {
    { "ab", false, { 0x3800 + 36 + (37 << 6) }, 1 },
    { "abc", false, { 0x3800 + 36 + (37 << 6), 0x4800 + 38 }, 2 },
    { "a-b", false, { 0x4800 + 36, '-', 0x4800 + 37 }, 3 },
    { "0", true, { 0x4840, 0x4800 }, 2 },
    { "__", false, { 0x47FF }, 1 },
    { "\xC3\xA9z", false, { 0xE9, 0x4800 + 61 }, 2 },
    { "\xF0\x9F\x98\x80", false, { 0xD83D, 0xDE00 }, 2 },
};

static void names_are_packed_and_unpacked(void **state)
{
    struct buf b;
    UNUSED(state);
    buf_init(&b, 100);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct msi_name packed;
        bool is_table;
        assert_true(msi_name_pack(span_text(names[i].name), names[i].is_table, &packed));
        assert_int_equal(packed.len, 2 * names[i].n);
        for (size_t k = 0; k < names[i].n; k++)
            assert_int_equal(get_u16le(packed.utf16 + 2 * k), names[i].units[k]);
        assert_int_equal(msi_name_unpack(span_of(packed.utf16, packed.len), &b, &is_table, NULL),
                         E_OK);
        assert_int_equal(is_table, names[i].is_table);
        expect_text(&b, names[i].name);
    }
    buf_fini(&b);
}

static void names_that_no_stream_can_have_are_refused(void **state)
{
    struct msi_name packed;
    char longest[63];
    UNUSED(state);
    memset(longest, 'a', sizeof(longest));
    assert_true(msi_name_pack(span_of(longest, 62), false, &packed));
    assert_false(msi_name_pack(span_of(longest, 63), false, &packed));
    assert_true(msi_name_pack(span_of(longest, 60), true, &packed));
    assert_false(msi_name_pack(span_of(longest, 61), true, &packed));
    assert_false(msi_name_pack(span_of(longest, 0), false, &packed));
    assert_false(msi_name_pack(span_text("\xFF"), false, &packed));
    assert_false(msi_name_pack(span_text("\xE3\xA0\x80"), false, &packed)); /* U+3800 */
    assert_false(msi_name_pack(span_text("\xE4\xA1\x80"), true, &packed));  /* U+4840 */
}

static void text_becomes_utf8_by_code_page(void **state)
{
    static const struct {
        uint32_t page;
        const char *raw, *utf8;
    } rows[] = {
        { 1252, "a\x80\xFC\x9F", "a\xE2\x82\xAC\xC3\xBC\xC5\xB8" },
        { 1252, "\x81", "\xEF\xBF\xBD" },
        { 65001, "\xE6\xB8\x85", "\xE6\xB8\x85" },
        { 65001, "\xE6\xB8x", "\xEF\xBF\xBD\xEF\xBF\xBDx" },
        { 0, "a\xFC", "a\xEF\xBF\xBD" },
        { 932, "\x83\x5C", "\xEF\xBF\xBD\\" },
    };
    struct buf b;
    UNUSED(state);
    buf_init(&b, 100);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(msi_add_utf8(span_text(rows[i].raw), rows[i].page, &b, NULL), E_OK);
        expect_text(&b, rows[i].utf8);
    }
    assert_int_equal(msi_add_utf8(span_of("a\0b", 3), 1252, &b, NULL), E_OK);
    expect_text(&b, "a\xEF\xBF\xBD"
                    "b");
    buf_fini(&b);
}

/* --- tables */

static void database_gives_values_by_their_type(void **state)
{
    struct opened o;
    const struct msi_schema *s;
    struct msi_table *t;
    const struct cfb_entry *stream;
    int32_t number;
    uint32_t column;
    struct span text;
    UNUSED(state);
    open_sound(&o);
    assert_int_equal(msi_db_n_tables(o.db), 2);
    assert_int_equal(msi_db_find_table(o.db, "File", &s, NULL), E_OK);
    assert_int_equal(msi_table_open(o.db, s, &t, NULL), E_OK);
    assert_int_equal(msi_table_n_rows(t), 2);
    assert_int_equal(msi_table_number(t, 0, 1, &number, NULL), E_OK);
    assert_int_equal(number, -5);
    assert_int_equal(msi_table_number(t, 0, 2, &number, NULL), E_OK);
    assert_int_equal(number, 70000);
    assert_int_equal(msi_table_number(t, 1, 1, &number, NULL), E_ABSENT);
    assert_int_equal(msi_table_number(t, 1, 2, &number, NULL), E_ABSENT);
    assert_int_equal(msi_table_text(t, 1, 0, &text, NULL), E_OK);
    assert_true(span_equal_text(text, "Cab"));
    assert_int_equal(msi_table_stream(t, 0, 3, &stream, NULL), E_OK);
    assert_int_equal(stream->size, 3);
    assert_int_equal(msi_table_stream(t, 1, 3, &stream, NULL), E_ABSENT);
    /* what is not there, and what is of another type */
    assert_int_equal(msi_table_number(t, 2, 1, &number, NULL), E_ARGUMENT);
    assert_int_equal(msi_table_number(t, 0, 4, &number, NULL), E_ARGUMENT);
    assert_int_equal(msi_table_number(t, 0, 0, &number, NULL), E_ARGUMENT);
    assert_int_equal(msi_table_text(t, 0, 1, &text, NULL), E_ARGUMENT);
    assert_int_equal(msi_table_stream(t, 0, 0, &stream, NULL), E_ARGUMENT);
    assert_int_equal(msi_schema_find_column(s, "Cab", MSI_I4, &column, NULL), E_OK);
    assert_int_equal(column, 1);
    assert_int_equal(msi_schema_find_column(s, "Cab", MSI_TEXT, &column, NULL), E_MALFORMED);
    assert_int_equal(msi_schema_find_column(s, "none", MSI_TEXT, &column, NULL), E_ABSENT);
    msi_table_close(t);
    close_all(&o);
}

static void binary_value_without_its_stream_is_malformed(void **state)
{
    struct opened o;
    struct parts p;
    struct msi_table *t;
    const struct cfb_entry *stream;
    UNUSED(state);
    make_parts(&p, 1252);
    p.has_stream = false;
    open_parts(&o, &p);
    assert_int_equal(o.rc, E_OK);
    assert_int_equal(msi_table_open(o.db, msi_db_table(o.db, 1), &t, NULL), E_OK);
    assert_int_equal(msi_table_stream(t, 0, 3, &stream, NULL), E_MALFORMED);
    msi_table_close(t);
    close_all(&o);
}

static enum errc find_in(const uint8_t *rows, size_t len, struct buf *b, struct err *err)
{
    struct opened o;
    struct parts p;
    make_parts(&p, 1252);
    p.property = span_of(rows, len);
    open_parts(&o, &p);
    assert_int_equal(o.rc, E_OK);
    enum errc rc = msi_db_find_property(o.db, "ProductVersion", b, err);
    close_all(&o);
    return rc;
}

static void property_is_found_once_or_refused(void **state)
{
    static const uint8_t one[] = { U16(VERSION), U16(ONE) };
    static const uint8_t null[] = { U16(VERSION), U16(0) };
    static const uint8_t other[] = { U16(CAB), U16(ONE) };
    static const uint8_t twice[] = { U16(VERSION), U16(VERSION), U16(ONE), U16(CAB) };
    static const uint8_t nul[] = { U16(VERSION), U16(NUL) };
    static const uint8_t dangling[] = { U16(VERSION), U16(N_STRINGS) };
    static const uint8_t odd[] = { U16(VERSION), 0 };
    struct buf b;
    struct err err;
    UNUSED(state);
    buf_init(&b, 100);
    assert_int_equal(find_in(one, sizeof(one), &b, &err), E_OK);
    expect_text(&b, "1.2\xE2\x82\xAC");
    assert_int_equal(find_in(null, sizeof(null), &b, &err), E_OK);
    assert_int_equal(b.len, 0);
    assert_int_equal(find_in(other, sizeof(other), &b, &err), E_ABSENT);
    assert_int_equal(find_in(one, 0, &b, &err), E_ABSENT);
    assert_int_equal(find_in(twice, sizeof(twice), &b, &err), E_MALFORMED);
    assert_non_null(strstr(err.text, "is there twice"));
    assert_int_equal(find_in(nul, sizeof(nul), &b, &err), E_MALFORMED);
    assert_non_null(strstr(err.text, "a NUL"));
    assert_int_equal(find_in(dangling, sizeof(dangling), &b, &err), E_MALFORMED);
    assert_int_equal(find_in(odd, sizeof(odd), &b, &err), E_MALFORMED);
    assert_int_equal(b.len, 0);
    buf_fini(&b);
}

static void two_tables_of_one_name_are_refused_where_it_is_asked_for(void **state)
{
    static const uint8_t both[] = { U16(PROPERTY), U16(AGAIN) };
    struct opened o;
    struct parts p;
    const struct msi_schema *s;
    UNUSED(state);
    make_parts(&p, 1252);
    p.tables = span_of(both, sizeof(both));
    p.columns = span_of(columns, 0);
    open_parts(&o, &p);
    assert_int_equal(o.rc, E_OK);
    assert_int_equal(msi_db_find_table(o.db, "Property", &s, NULL), E_MALFORMED);
    assert_int_equal(msi_db_find_table(o.db, "File", &s, NULL), E_ABSENT);
    close_all(&o);
}

static void expect_refused(const struct parts *p, enum errc code, const char *text)
{
    struct opened o;
    open_parts(&o, p);
    if (o.rc != code || strstr(o.err.text, text) == NULL)
        fail_msg("%s: %s, wanted %s: %s", errc_name(o.rc), o.err.text, errc_name(code), text);
    close_all(&o);
}

static void broken_strings_are_refused(void **state)
{
    struct parts p;
    UNUSED(state);
    make_parts(&p, 1252);
    p.pool_len -= 1;
    expect_refused(&p, E_TRUNCATED, "ends in an entry");
    make_parts(&p, 1252);
    p.pool_len = 3;
    expect_refused(&p, E_TRUNCATED, "_StringPool has 3 bytes");
    make_parts(&p, 1252);
    p.data_len -= 1;
    expect_refused(&p, E_TRUNCATED, "past the end of _StringData");
    make_parts(&p, 1252);
    p.data_len += 1;
    expect_refused(&p, E_MALFORMED, "1 bytes of _StringData belong to no string");
    make_parts(&p, 1252);
    put_u32(p.pool + p.pool_len, 0x00010000); /* a long string, */
    p.pool_len += 4;
    expect_refused(&p, E_TRUNCATED, "length of a long string");
    put_u32(p.pool + p.pool_len, UINT32_MAX); /* of 4 GiB */
    p.pool_len += 4;
    expect_refused(&p, E_TRUNCATED, "past the end of _StringData");
    make_parts(&p, 1252);
    put_u16(p.pool + 4 * PROPERTY + 2, 0); /* nothing refers to it */
    expect_refused(&p, E_MALFORMED, "which is not in use");
}

static void broken_tables_are_refused(void **state)
{
    static const uint8_t twice[] = { U16(PROPERTY), U16(PROPERTY) };
    static const uint8_t nameless[] = { U16(0) };
    static const uint8_t outside[] = { U16(999) };
    uint8_t changed[sizeof(columns)];
    struct parts p;
    UNUSED(state);
    make_parts(&p, 1252);
    p.tables = span_of(twice, sizeof(twice));
    expect_refused(&p, E_MALFORMED, "table Property is there twice");
    p.tables = span_of(nameless, sizeof(nameless));
    expect_refused(&p, E_MALFORMED, "without a name");
    p.tables = span_of(outside, sizeof(outside));
    expect_refused(&p, E_MALFORMED, "a reference to string 999");
    p.tables = span_of(tables, 2);
    expect_refused(&p, E_MALFORMED, "row 2 of _Columns is of no table");
    p.tables = span_of(tables, 1);
    expect_refused(&p, E_MALFORMED, "which are no rows of 2");
    make_parts(&p, 1252);
    static const struct {
        size_t at;
        unsigned value;
        const char *text;
    } edits[] = {
        { 12, 0x8002, "two columns 2" },
        { 12, 0x8003, "a column 3 of 2" },
        { 12, 0x8000, "a column 0 of 2" },
        { 12, 0x7FFF, "a column -1 of 2" },
        { 12, 0, "a null in row 0" },
        { 36, 0, "a null in row 0" },
        { 24, 999, "a reference to string 999" },
        { 36, 0x8000 + 0x4D48, "a column of type 0x4D48" },
        { 36, 0x7FFF, "a column of type" },
        { 36, 0x8503, "numbers of 3 bytes" },
        { 36, 0x8500, "numbers of 0 bytes" },
    };
    for (size_t i = 0; i < ARRAY_LEN(edits); i++) {
        memcpy(changed, columns, sizeof(columns));
        put_u16(changed + edits[i].at, edits[i].value);
        p.columns = span_of(changed, sizeof(changed));
        expect_refused(&p, E_MALFORMED, edits[i].text);
    }
}

/* --- the summary */

static const uint8_t summary_head[] = {
    0xFE, 0xFF, 0, 0, 6, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,  0, 0, 0,
    1,    0,    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 48, 0, 0, 0,
};
enum { SECTION = sizeof(summary_head), SUMMARY_LEN = SECTION + 64 };

static void make_summary(uint8_t to[SUMMARY_LEN])
{
    uint8_t *s = to + SECTION;
    memset(to, 0, SUMMARY_LEN);
    memcpy(to, summary_head, sizeof(summary_head));
    put_u32(s, 64);
    put_u32(s + 4, 3);
    put_u32(s + 8, MSI_SUMMARY_CODE_PAGE);
    put_u32(s + 12, 32);
    put_u32(s + 16, MSI_SUMMARY_TEMPLATE);
    put_u32(s + 20, 40);
    put_u32(s + 24, MSI_SUMMARY_WORD_COUNT);
    put_u32(s + 28, 56);
    put_u32(s + 32, 2);
    put_u16(s + 36, 1252);
    put_u32(s + 40, 30);
    put_u32(s + 44, 6);
    memcpy(s + 48, "x64;\x80", 6);
    put_u32(s + 56, 3);
    put_u32(s + 60, 2);
}

static enum errc read_summary(const uint8_t *bytes, size_t len, struct msi_summary *out,
                              struct err *err)
{
    struct build_item item = { .name = "\5SummaryInformation",
                               .parent = BUILD_ROOT,
                               .data = { bytes, len } };
    struct build b = { .version = 3, .items = &item, .n_items = 1 };
    struct source *src;
    struct cfb *cfb;
    build_file(&b);
    assert_int_equal(source_memory_new(span_of(b.bytes, b.len), &src, NULL), E_OK);
    assert_int_equal(cfb_open(src, &cfb, NULL), E_OK);
    enum errc rc = msi_summary_read(cfb, out, err);
    cfb_close(cfb);
    source_close(src);
    build_free(&b);
    return rc;
}

static void summary_gives_texts_and_numbers(void **state)
{
    uint8_t bytes[SUMMARY_LEN];
    struct msi_summary s;
    struct buf b;
    UNUSED(state);
    make_summary(bytes);
    buf_init(&b, 100);
    assert_int_equal(read_summary(bytes, sizeof(bytes), &s, NULL), E_OK);
    assert_int_equal(s.code_page, 1252);
    assert_int_equal(s.number[MSI_SUMMARY_WORD_COUNT], 2);
    assert_false(s.has[MSI_SUMMARY_TITLE]);
    assert_int_equal(msi_summary_add_text(&s, MSI_SUMMARY_TEMPLATE, &b, NULL), E_OK);
    expect_text(&b, "x64;\xE2\x82\xAC");
    assert_int_equal(msi_summary_add_text(&s, MSI_SUMMARY_TITLE, &b, NULL), E_OK);
    assert_int_equal(b.len, 0);
    buf_fini(&b);
    msi_summary_fini(&s);
}

static void broken_summaries_are_refused(void **state)
{
    static const struct {
        size_t at;
        uint32_t value;
        enum errc code;
        const char *text;
    } edits[] = {
        { 0, 0, E_MALFORMED, "starts with 0x0000" },
        { 24, 0, E_MALFORMED, "no section" },
        { 44, 5000, E_TRUNCATED, "front of its section" },
        { 44, SUMMARY_LEN - 7, E_TRUNCATED, "its section" },
        { SECTION, 65, E_TRUNCATED, "which is longer" },
        { SECTION + 4, 65, E_LIMIT, "65 summary properties" },
        { SECTION + 16, MSI_SUMMARY_CODE_PAGE, E_MALFORMED, "property 1 twice" },
        { SECTION + 20, UINT32_MAX, E_TRUNCATED, "a type" },
        { SECTION + 20, 62, E_TRUNCATED, "a type" },
        { SECTION + 44, 17, E_TRUNCATED, "a string" },
        { SECTION + 44, UINT32_MAX, E_TRUNCATED, "a string" },
        { SECTION + 28, 60, E_TRUNCATED, "a number" },
    };
    uint8_t bytes[SUMMARY_LEN];
    struct msi_summary s;
    struct err err;
    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(edits); i++) {
        make_summary(bytes);
        put_u32(bytes + edits[i].at, edits[i].value);
        enum errc rc = read_summary(bytes, sizeof(bytes), &s, &err);
        if (rc != edits[i].code || strstr(err.text, edits[i].text) == NULL)
            fail_msg("edit %zu: %s: %s", i, errc_name(rc), rc == E_OK ? "" : err.text);
        msi_summary_fini(&s);
    }
    make_summary(bytes);
    for (size_t len = 0; len < SUMMARY_LEN; len++) {
        assert_int_equal(read_summary(bytes, len, &s, &err), E_TRUNCATED);
        msi_summary_fini(&s);
    }
}

/* --- a real one */

static enum errc read_one_of_class(uint8_t class, struct err *err)
{
    static const uint8_t id[16] = { 0, 0x10, 0x0C, 0, 0, 0, 0, 0, 0xC0, 0, 0, 0, 0, 0, 0, 0x46 };
    const struct build_item items[] = { { .name = "one", .parent = BUILD_ROOT } };
    struct build b = { .version = 3, .items = items, .n_items = 1 };
    struct msi_package *out = malloc(sizeof(*out));
    struct source *src;
    assert_non_null(out);
    build_file(&b);
    memcpy(build_entry(&b, 0) + 80, id, sizeof(id));
    build_entry(&b, 0)[80] = class;
    assert_int_equal(source_memory_new(span_of(b.bytes, b.len), &src, NULL), E_OK);
    enum errc rc = msi_package_read(src, out, err);
    source_close(src);
    build_free(&b);
    free(out);
    return rc;
}

static void patches_and_transforms_are_no_packages(void **state)
{
    struct err err;
    UNUSED(state);
    assert_int_equal(read_one_of_class(0x86, &err), E_UNSUPPORTED);
    assert_non_null(strstr(err.text, "patch (.msp)"));
    assert_int_equal(read_one_of_class(0x82, &err), E_UNSUPPORTED);
    assert_non_null(strstr(err.text, "transform (.mst)"));
    assert_int_equal(read_one_of_class(0x84, &err), E_MALFORMED); /* for want of tables */
    assert_int_equal(read_one_of_class(0x11, &err), E_MALFORMED);
}

static void real_package_says_its_version(void **state)
{
    const char *folder = getenv("SUREFOOT_CORPUS");
    char path[1024];
    struct source *src;
    struct cfb *cfb;
    struct msi_db *db;
    struct buf b;
    UNUSED(state);
    (void)snprintf(path, sizeof(path), "%s/msi/lessmsi/putty-0.68-installer.msi",
                   folder == NULL ? "" : folder);
    if (source_file_open(path, &src, NULL) != E_OK) {
        print_message("%s: not there\n", path);
        skip();
    }
    buf_init(&b, 100);
    assert_int_equal(cfb_open(src, &cfb, NULL), E_OK);
    assert_int_equal(msi_db_open(cfb, &db, NULL), E_OK);
    assert_int_equal(msi_db_find_property(db, "ProductVersion", &b, NULL), E_OK);
    expect_text(&b, "0.68.0.0");
    assert_int_equal(msi_db_find_property(db, "productversion", &b, NULL), E_ABSENT);
    buf_fini(&b);
    msi_db_close(db);
    cfb_close(cfb);
    source_close(src);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_packed_and_unpacked),
        cmocka_unit_test(names_that_no_stream_can_have_are_refused),
        cmocka_unit_test(text_becomes_utf8_by_code_page),
        cmocka_unit_test(database_gives_values_by_their_type),
        cmocka_unit_test(binary_value_without_its_stream_is_malformed),
        cmocka_unit_test(property_is_found_once_or_refused),
        cmocka_unit_test(two_tables_of_one_name_are_refused_where_it_is_asked_for),
        cmocka_unit_test(broken_strings_are_refused),
        cmocka_unit_test(broken_tables_are_refused),
        cmocka_unit_test(summary_gives_texts_and_numbers),
        cmocka_unit_test(broken_summaries_are_refused),
        cmocka_unit_test(patches_and_transforms_are_no_packages),
        cmocka_unit_test(real_package_says_its_version),
    };
    return cmocka_run_group_tests_name("msi_db", tests, NULL, NULL);
}
