/* PE files built here, byte by byte, and those of the corpus.
 *
 *   0x000 DOS header   0x080 "PE\0\0", COFF   0x098 optional header (PE32+)   0x188 two section
 * headers 0x200 .text        0x400 .data            0x600 16 bytes of overlay       0x610
 * certificate table */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/base/buf.h"
#include "platform/base/num.h"
#include "platform/base/reader.h"
#include "verify/format.h"

#define OPT 0x98
#define SECTIONS_AT(plus) (OPT + ((plus) ? 240u : 224u))
#define SECURITY_AT(plus) (OPT + ((plus) ? 112u : 96u) + 32)
#define CHECKSUM_AT (OPT + 64)
#define TABLE_AT 0x610
#define DER_LEN 13
#define FILE_LEN (TABLE_AT + 24)

struct file {
    uint8_t bytes[8192];
    size_t len;
};

static void put(struct file *f, size_t at, unsigned n_bytes, uint64_t value)
{
    assert_true(at + n_bytes <= sizeof(f->bytes));
    for (unsigned i = 0; i < n_bytes; i++)
        f->bytes[at + i] = (uint8_t)(value >> 8 * i);
}

static uint32_t slow_checksum(const struct file *f)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < f->len; i++)
        if (i < CHECKSUM_AT || i >= CHECKSUM_AT + 4)
            sum += (uint64_t)f->bytes[i] << (i % 2 == 0 ? 0 : 8);
    while (sum > 0xFFFF)
        sum = (sum & 0xFFFF) + (sum >> 16);
    return (uint32_t)(sum + f->len);
}

static void put_section(struct file *f, size_t at, uint32_t va, uint32_t raw_at)
{
    put(f, at + 8, 4, 0x200);
    put(f, at + 12, 4, va);
    put(f, at + 16, 4, 0x200);
    put(f, at + 20, 4, raw_at);
}

static void build(struct file *f, bool plus)
{
    memset(f, 0, sizeof(*f));
    f->len = FILE_LEN;
    for (size_t i = 0x200; i < TABLE_AT; i++)
        f->bytes[i] = (uint8_t)(i * 7 + i / 256);
    put(f, 0, 2, 0x5A4D);
    put(f, 60, 4, 0x80);
    put(f, 0x80, 4, 0x4550);
    put(f, 0x84, 2, plus ? 0x8664 : 0x14C);
    put(f, 0x86, 2, 2);
    put(f, 0x94, 2, plus ? 240 : 224);
    put(f, OPT, 2, plus ? 0x20B : 0x10B);
    put(f, OPT + 32, 4, 0x1000);
    put(f, OPT + 36, 4, 0x200);
    put(f, OPT + 60, 4, 0x200);
    put(f, OPT + (plus ? 108 : 92), 4, 16);
    put(f, SECURITY_AT(plus), 4, TABLE_AT);
    put(f, SECURITY_AT(plus) + 4, 4, 24);
    put_section(f, SECTIONS_AT(plus), 0x1000, 0x200);
    put_section(f, SECTIONS_AT(plus) + 40, 0x2000, 0x400);
    put(f, TABLE_AT, 4, 24);
    put(f, TABLE_AT + 4, 4, 0x00020200);
    put(f, TABLE_AT + 8, 2, 0x0B30);
    memset(f->bytes + TABLE_AT + 10, 0x55, DER_LEN - 2);
    put(f, CHECKSUM_AT, 4, slow_checksum(f));
}

/* What there is to know of a file after it was opened, or of why it was not. */
struct judged {
    enum errc rc;
    struct err err;
    struct source *src;
    struct format *format;
    struct report report;
    struct format_signature signature;
    enum errc signature_rc;
    struct digest digest;
};

static void judge_source(struct source *src, struct judged *j)
{
    *j = (struct judged){ .src = src };
    j->rc = format_pe.open(j->src, &j->report, &j->format, &j->err);
    if (j->rc != E_OK)
        return;
    struct digest_set set;
    j->signature_rc = format_pe.signature(j->format, &j->signature, &j->err);
    assert_int_equal(
        format_pe.digest(j->format, DIGEST_BIT(DIGEST_SHA256), &set, &j->report, &j->err), E_OK);
    j->digest = set.of[DIGEST_SHA256];
}

static void judge(const struct file *f, struct judged *j)
{
    struct source *src;
    assert_int_equal(source_memory_new(span_of(f->bytes, f->len), &src, NULL), E_OK);
    judge_source(src, j);
}

static void judged_fini(struct judged *j)
{
    format_pe.close(j->format);
    report_fini(&j->report);
    source_close(j->src);
}

/* The digest by the rule's own words: three ranges left out. */
static void slow_digest(const struct file *f, bool plus, struct digest *out)
{
    struct buf b;
    buf_init(&b, sizeof(f->bytes));
    struct span all = span_of(f->bytes, f->len);
    size_t security_at = SECURITY_AT(plus);
    assert_int_equal(buf_add(&b, span_sub(all, 0, CHECKSUM_AT), NULL), E_OK);
    assert_int_equal(
        buf_add(&b, span_sub(all, CHECKSUM_AT + 4, security_at - CHECKSUM_AT - 4), NULL), E_OK);
    assert_int_equal(buf_add(&b, span_sub(all, security_at + 8, TABLE_AT - security_at - 8), NULL),
                     E_OK);
    assert_int_equal(buf_add(&b, span_sub(all, FILE_LEN, f->len), NULL), E_OK);
    assert_int_equal(digest_bytes(DIGEST_SHA256, buf_span(&b), out, NULL), E_OK);
    buf_fini(&b);
}

static void pe_reads_signed_files_of_both_widths(void **state)
{
    UNUSED(state);
    for (int plus = 0; plus < 2; plus++) {
        struct file f;
        struct judged j;
        struct digest expected;
        build(&f, plus);
        judge(&f, &j);
        slow_digest(&f, plus, &expected);
        assert_int_equal(j.rc, E_OK);
        assert_int_equal(j.signature_rc, E_OK);
        assert_int_equal(j.signature.at, TABLE_AT + 8);
        assert_int_equal(j.signature.der.len, DER_LEN);
        assert_true(span_equal(j.signature.der, span_of(f.bytes + TABLE_AT + 8, DER_LEN)));
        assert_true(span_equal(digest_span(&j.digest), digest_span(&expected)));
        assert_int_equal(j.report.findings.n, 0);
        assert_int_equal(j.report.n_ranges, 0);
        judged_fini(&j);
    }
}

static void pe_is_known_by_its_content(void **state)
{
    UNUSED(state);
    struct file f;
    struct source *src;
    build(&f, true);
    assert_int_equal(source_memory_new(span_of(f.bytes, f.len), &src, NULL), E_OK);
    struct span head = span_of(f.bytes, num_min(f.len, FORMAT_HEAD_MAX));
    assert_true(format_pe.sniff(src, head));
    assert_false(format_pe.sniff(src, span_sub(head, 0, 63)));
    put(&f, 60, 4, 0xFFFFFFFC);
    assert_false(format_pe.sniff(src, head));
    put(&f, 60, 4, 0x84);
    assert_false(format_pe.sniff(src, head));
    put(&f, 60, 4, 0x80);
    put(&f, 0, 1, 'm');
    assert_false(format_pe.sniff(src, head));
    source_close(src);
}

/* One change to the good file, and the words of the refusal. */
static const struct {
    size_t at;
    unsigned n_bytes;
    uint64_t value;
    const char *words;
} refused[] = {
    { 0, 2, 0x4D5A, "no DOS header" },
    { 60, 4, 0, "inside the DOS header" },
    { 60, 4, 0x3C, "inside the DOS header" },
    { 60, 4, 0x82, "not a multiple of 4" },
    { 60, 4, 0x84, "no PE signature" },
    { 60, 4, 0x10000, "wanted at" },
    { 60, 4, 0xFFFFFFFC, "wanted at" },
    { 0x80, 4, 0x454E, "no PE signature" },
    { 0x86, 2, 4, "SizeOfHeaders is 512, the section headers end at" },
    { 0x86, 2, 1024, "inside the headers" },
    { 0x86, 2, 0xFFFF, "65535 sections" },
    { 0x94, 2, 0, "magic is 0x0" },
    { 0x94, 2, 111, "111 bytes of 112" },
    { 0x94, 2, 239, "its 16 directories end at 240" },
    { 0x94, 2, 0xFFF0, "inside the headers" },
    { OPT, 2, 0x107, "magic is 0x107" },
    { OPT + 108, 4, 17, "17 data directories" },
    { OPT + 108, 4, 0xFFFFFFFF, "4294967295 data directories" },
    { OPT + 108, 4, 0x20000004, "536870916 data directories" },
    { OPT + 60, 4, 0, "SizeOfHeaders is 0" },
    { OPT + 60, 4, 0x1D7, "SizeOfHeaders is 471" },
    { OPT + 60, 4, 0x611, "the content ends at 1552" },
    { 0x188 + 20, 4, 0x1D7, "section 0 begins at 471, inside the headers" },
    { 0x188 + 20, 4, 0x201, "section 1 at 1024 overlaps the one at 513" },
    { 0x1B0 + 20, 4, 0x200, "section 1 at 512 overlaps the one at 512" },
    { 0x1B0 + 20, 4, 0x411, "past the content's end" },
    { 0x1B0 + 16, 4, 0x211, "past the content's end" },
    { 0x1B0 + 16, 4, 0xFFFFFFFF, "past the content's end" },
    { 0x1B0 + 20, 4, 0xFFFFFFFF, "past the content's end" },
    { 0x128, 4, 0, "inside the headers" },
    { 0x128, 4, 0x1D0, "inside the headers" },
    { 0x128, 4, 0x600, "certificate table entry of" },
    { 0x128, 4, 0x611, "not a multiple of 8" },
    { 0x128, 4, 0x618, "past the end" },
    { 0x128, 4, 0x628, "past the end" },
    { 0x128, 4, 0xFFFFFFF8, "past the end" },
    { 0x12C, 4, 0, "empty certificate table" },
    { 0x12C, 4, 7, "the certificate table has 7 bytes" },
    { 0x12C, 4, 16, "entry of 24 bytes in a table of 16" },
    { 0x12C, 4, 23, "entry of 24 bytes in a table of 23" },
    { 0x12C, 4, 25, "past the end" },
    { 0x12C, 4, 0xFFFFFFFF, "past the end" },
    { TABLE_AT, 4, 0, "entry of 0 bytes" },
    { TABLE_AT, 4, 7, "entry of 7 bytes" },
    { TABLE_AT, 4, 8, "16 bytes follow the one entry" },
    { TABLE_AT, 4, 16, "8 bytes follow the one entry" },
    { TABLE_AT, 4, 17, "the signature has 7 bytes of 11" },
    { TABLE_AT, 4, 25, "entry of 25 bytes in a table of 24" },
    { TABLE_AT, 4, 0xFFFFFFFF, "in a table of 24" },
    { TABLE_AT + 4, 2, 0x100, "revision 0x0100" },
    { TABLE_AT + 6, 2, 1, "type 0x0001" },
    { TABLE_AT + 6, 2, 0xEF1, "type 0x0ef1" },
    { TABLE_AT + 8, 1, 0x31, "holds no signature" },
    { TABLE_AT + 9, 1, 0x0F, "the signature has 14 bytes of 15" },
    { TABLE_AT + 9, 1, 0x80, "length is in 0 bytes" },
    { TABLE_AT + 9, 1, 0x85, "length is in 5 bytes" },
    { TABLE_AT + 9, 1, 0x84, "the signature has 10 bytes of" },
};

static void pe_refuses_headers_and_tables_that_do_not_agree(void **state)
{
    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        struct file f;
        struct judged j;
        build(&f, true);
        put(&f, refused[i].at, refused[i].n_bytes, refused[i].value);
        judge(&f, &j);
        if (j.rc == E_OK || strstr(j.err.text, refused[i].words) == NULL)
            fail_msg("change %zu: wanted '%s', got %d '%s'", i, refused[i].words, (int)j.rc,
                     j.err.text);
        assert_true(errc_is_about_bytes(j.rc));
        judged_fini(&j);
    }
}

static void pe_refuses_every_truncation(void **state)
{
    UNUSED(state);
    struct file f;
    build(&f, true);
    for (f.len = 0; f.len < FILE_LEN; f.len++) {
        struct judged j;
        judge(&f, &j);
        assert_true(errc_is_about_bytes(j.rc));
        judged_fini(&j);
    }
}

/* Changes that are readable, and what they must be called. */
static const struct {
    size_t at;
    unsigned n_bytes;
    uint64_t value;
    enum reason reason;
    enum weight weight;
} noticed[] = {
    { 0x94, 2, 248, REASON_MALFORMED, WEIGHT_LENIENT },
    { 0x1B0 + 20, 4, 0x1F0, REASON_MALFORMED, WEIGHT_LENIENT },
    { TABLE_AT, 4, 22, REASON_CERTIFICATE_TABLE_PADDING, WEIGHT_COVERAGE },
    { TABLE_AT + 23, 1, 1, REASON_CERTIFICATE_TABLE_PADDING, WEIGHT_COVERAGE },
    { TABLE_AT + 21, 1, 0x80, REASON_CERTIFICATE_TABLE_PADDING, WEIGHT_COVERAGE },
    { TABLE_AT + 9, 1, 5, REASON_CERTIFICATE_TABLE_PADDING, WEIGHT_COVERAGE },
    { CHECKSUM_AT, 4, 1, REASON_CHECKSUM_MISMATCH, WEIGHT_COVERAGE },
    { 0x210, 1, 0xFF, REASON_CHECKSUM_MISMATCH, WEIGHT_COVERAGE },
};

static void pe_notices_what_is_odd_but_readable(void **state)
{
    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(noticed); i++) {
        struct file f;
        struct judged j;
        build(&f, true);
        put(&f, 0x1B0 + 16, 4, 0x10); /* short enough to lie before the first section, too */
        if (noticed[i].at == 0x94)    /* a longer optional header moves the section headers */
            memmove(f.bytes + 0x190, f.bytes + 0x188, 80);
        put(&f, noticed[i].at, noticed[i].n_bytes, noticed[i].value);
        if (noticed[i].reason != REASON_CHECKSUM_MISMATCH)
            put(&f, CHECKSUM_AT, 4, slow_checksum(&f));
        judge(&f, &j);
        if (j.rc != E_OK)
            fail_msg("change %zu: %s", i, j.err.text);
        assert_int_equal(j.report.findings.n, 1);
        assert_int_equal(j.report.findings.items[0].reason, noticed[i].reason);
        assert_int_equal(j.report.findings.items[0].weight, noticed[i].weight);
        assert_int_equal(j.report.n_ranges,
                         noticed[i].reason == REASON_CERTIFICATE_TABLE_PADDING ? 1 : 0);
        judged_fini(&j);
    }
}

static void pe_names_the_range_of_bytes_behind_the_signature(void **state)
{
    UNUSED(state);
    struct file f;
    struct judged j;
    build(&f, true);
    f.len += 64;
    memset(f.bytes + FILE_LEN, 'j', 64);
    put(&f, 0x12C, 4, 24 + 64);
    put(&f, TABLE_AT, 4, 24 + 64);
    put(&f, CHECKSUM_AT, 4, slow_checksum(&f));
    judge(&f, &j);
    assert_int_equal(j.signature.der.len, DER_LEN);
    assert_true(findings_have(&j.report.findings, REASON_CERTIFICATE_TABLE_PADDING));
    assert_int_equal(j.report.n_ranges, 1);
    assert_int_equal(j.report.ranges[0].at, TABLE_AT + 8 + DER_LEN);
    assert_int_equal(j.report.ranges[0].len, 3 + 64);
    judged_fini(&j);
}

static void pe_allows_padding_that_dwlength_does_not_count(void **state)
{
    UNUSED(state);
    struct file f;
    struct judged j;
    build(&f, true);
    put(&f, TABLE_AT, 4, 8 + DER_LEN);
    put(&f, CHECKSUM_AT, 4, slow_checksum(&f));
    judge(&f, &j);
    assert_int_equal(j.rc, E_OK);
    assert_int_equal(j.report.findings.n, 0);
    judged_fini(&j);
}

static void pe_refuses_a_second_entry(void **state)
{
    UNUSED(state);
    struct file f;
    struct judged j;
    build(&f, true);
    memcpy(f.bytes + FILE_LEN, f.bytes + TABLE_AT, 24);
    f.len += 24;
    put(&f, 0x12C, 4, 48);
    judge(&f, &j);
    assert_int_equal(j.rc, E_MALFORMED);
    judged_fini(&j);
}

static void pe_refuses_bytes_after_the_table_and_hashes_them(void **state)
{
    UNUSED(state);
    for (size_t more = 1; more < 20; more++) {
        struct file f;
        struct judged j;
        struct digest expected;
        build(&f, true);
        f.len += more;
        put(&f, CHECKSUM_AT, 4, slow_checksum(&f));
        judge(&f, &j);
        slow_digest(&f, true, &expected);
        assert_int_equal(j.report.findings.n, 1);
        assert_int_equal(j.report.findings.items[0].reason, REASON_TRAILING_DATA);
        assert_int_equal(j.report.findings.items[0].weight, WEIGHT_FATAL);
        assert_int_equal(j.report.findings.items[0].at, FILE_LEN);
        assert_true(span_equal(digest_span(&j.digest), digest_span(&expected)));
        judged_fini(&j);
    }
}

static void pe_is_unsigned_only_with_an_empty_or_absent_directory_entry(void **state)
{
    UNUSED(state);
    struct file f;
    struct judged j;
    build(&f, true);
    put(&f, 0x128, 8, 0);
    f.len = TABLE_AT;
    judge(&f, &j);
    assert_int_equal(j.rc, E_OK);
    assert_int_equal(j.signature_rc, E_ABSENT);
    judged_fini(&j);

    put(&f, OPT + 108, 4, 4); /* the entry's place now belongs to nobody, and is hashed */
    judge(&f, &j);
    struct digest before = j.digest;
    assert_int_equal(j.signature_rc, E_ABSENT);
    judged_fini(&j);
    put(&f, 0x128, 1, 1);
    judge(&f, &j);
    assert_int_equal(j.signature_rc, E_ABSENT);
    assert_false(span_equal(digest_span(&before), digest_span(&j.digest)));
    judged_fini(&j);
}

static void pe_accepts_a_checksum_that_was_never_set(void **state)
{
    UNUSED(state);
    struct file f;
    struct judged j;
    build(&f, true);
    put(&f, CHECKSUM_AT, 4, 0);
    judge(&f, &j);
    assert_int_equal(j.report.findings.n, 0);
    judged_fini(&j);
}

static void pe_sums_files_of_every_length(void **state)
{
    UNUSED(state);
    struct file f;
    build(&f, true);
    put(&f, 0x128, 8, 0);
    for (size_t i = TABLE_AT; i < sizeof(f.bytes); i++)
        f.bytes[i] = (uint8_t)(i * 251 >> 3);
    for (f.len = 4090; f.len <= sizeof(f.bytes); f.len += f.len < 4100 ? 1 : 511) {
        struct judged j;
        put(&f, CHECKSUM_AT, 4, slow_checksum(&f));
        judge(&f, &j);
        assert_int_equal(j.report.findings.n, 0);
        judged_fini(&j);
    }
}

static bool looks_untouched(const struct judged *j, const struct judged *good)
{
    return j->rc == E_OK && j->signature_rc == E_OK && j->report.findings.n == 0 &&
           span_equal(j->signature.der, good->signature.der) &&
           span_equal(digest_span(&j->digest), digest_span(&good->digest));
}

static void pe_lets_no_flipped_bit_go_unnoticed(void **state)
{
    UNUSED(state);
    for (int variant = 0; variant < 3; variant++) {
        struct file f;
        struct judged good;
        build(&f, true);
        if (variant == 1)
            put(&f, TABLE_AT, 4, 8 + DER_LEN);
        put(&f, CHECKSUM_AT, 4, variant == 2 ? 0 : slow_checksum(&f));
        judge(&f, &good);
        assert_true(looks_untouched(&good, &good));
        struct file copy = f;
        for (size_t i = 0; i < f.len * 8; i++) {
            struct judged j;
            copy.bytes[i / 8] ^= (uint8_t)(1u << i % 8);
            judge(&copy, &j);
            if (looks_untouched(&j, &good))
                fail_msg("variant %d: byte %zu, bit %zu", variant, i / 8, i % 8);
            judged_fini(&j);
            copy.bytes[i / 8] = f.bytes[i / 8];
        }
        judged_fini(&good);
    }
}

/* A file with a long first section: 40 pages and a bit, headers longer than a page. */
#define LONG_HEADERS 0x1200
#define LONG_SECTION (40 * 4096 + 0x600)

struct pages {
    uint8_t *bytes;
    size_t len;
    struct buf table;
};

static void add_entry(struct pages *p, uint32_t at, struct span hash)
{
    uint8_t offset[4] = { (uint8_t)at, (uint8_t)(at >> 8), (uint8_t)(at >> 16),
                          (uint8_t)(at >> 24) };
    assert_int_equal(buf_add(&p->table, span_of(offset, 4), NULL), E_OK);
    assert_int_equal(buf_add(&p->table, hash, NULL), E_OK);
}

static void add_page(struct pages *p, uint32_t at, size_t len)
{
    uint8_t page[4096] = { 0 };
    size_t page_len = sizeof(page);
    memcpy(page, p->bytes + at, len);
    if (at == 0) {
        size_t security_at = SECURITY_AT(true);
        memmove(page + security_at, page + security_at + 8, sizeof(page) - security_at - 8);
        memmove(page + CHECKSUM_AT, page + CHECKSUM_AT + 4, sizeof(page) - CHECKSUM_AT - 4);
        page_len -= 12;
    }
    struct digest d;
    assert_int_equal(digest_bytes(DIGEST_SHA256, span_of(page, page_len), &d, NULL), E_OK);
    add_entry(p, at, digest_span(&d));
}

static void build_pages(struct pages *p)
{
    static const uint8_t zeros[32];
    struct file f;
    build(&f, true);
    put(&f, 0x128, 8, 0);
    put(&f, CHECKSUM_AT, 4, 0);
    put(&f, OPT + 60, 4, LONG_HEADERS);
    put(&f, 0x188 + 16, 4, LONG_SECTION);
    put(&f, 0x188 + 20, 4, LONG_HEADERS);
    put(&f, 0x1B0 + 16, 4, 0x1000);
    put(&f, 0x1B0 + 20, 4, LONG_HEADERS + LONG_SECTION);
    p->len = LONG_HEADERS + LONG_SECTION + 0x1000;
    p->bytes = malloc(p->len);
    assert_non_null(p->bytes);
    for (size_t i = 0; i < p->len; i++)
        p->bytes[i] = (uint8_t)(i * 31 + i / 4096);
    memcpy(p->bytes, f.bytes, 0x200);

    buf_init(&p->table, 65536);
    add_page(p, 0, 4096);
    add_page(p, 4096, 0x200);
    for (uint32_t at = 0; at < LONG_SECTION; at += 4096)
        add_page(p, LONG_HEADERS + at, at + 4096 <= LONG_SECTION ? 4096 : 0x600);
    add_page(p, LONG_HEADERS + LONG_SECTION, 4096);
    add_entry(p, (uint32_t)p->len, span_of(zeros, 32));
}

static size_t n_page_findings(const struct pages *p, struct span table)
{
    struct source *src;
    struct format *format;
    struct report report = { 0 };
    assert_int_equal(source_memory_new(span_of(p->bytes, p->len), &src, NULL), E_OK);
    assert_int_equal(format_pe.open(src, &report, &format, NULL), E_OK);
    assert_int_equal(format_pe.check_page_hashes(format, DIGEST_SHA256, table, &report, NULL),
                     E_OK);
    size_t n = report.findings.n;
    assert_true(n == 0 || report.findings.items[0].reason == REASON_PAGE_HASH_MISMATCH);
    assert_true(n == 0 || report.findings.items[0].weight == WEIGHT_FATAL);
    format_pe.close(format);
    report_fini(&report);
    source_close(src);
    return n;
}

static void page_hashes_of_headers_and_sections_hold(void **state)
{
    UNUSED(state);
    struct pages p;
    build_pages(&p);
    assert_int_equal(n_page_findings(&p, buf_span(&p.table)), 0);
    buf_fini(&p.table);
    free(p.bytes);
}

static void page_hashes_refuse_a_table_changed_anywhere(void **state)
{
    UNUSED(state);
    struct pages p;
    build_pages(&p);
    for (size_t i = 0; i < p.table.len; i += 5) {
        p.table.ptr[i] ^= 0x10;
        if (n_page_findings(&p, buf_span(&p.table)) != 1)
            fail_msg("byte %zu", i);
        p.table.ptr[i] ^= 0x10;
    }
    for (size_t len = 0; len < p.table.len; len += len < 40 ? 1 : 36)
        assert_int_equal(n_page_findings(&p, span_sub(buf_span(&p.table), 0, len)), 1);
    add_entry(&p, (uint32_t)p.len, span_sub(buf_span(&p.table), p.table.len - 32, 32));
    assert_int_equal(n_page_findings(&p, buf_span(&p.table)), 1);
    buf_fini(&p.table);
    free(p.bytes);
}

static void page_hashes_refuse_content_changed_on_any_page(void **state)
{
    UNUSED(state);
    struct pages p;
    build_pages(&p);
    for (size_t at = 0x1FF; at < p.len; at += 1021) {
        p.bytes[at] ^= 1;
        assert_int_equal(n_page_findings(&p, buf_span(&p.table)), 1);
        p.bytes[at] ^= 1;
    }
    buf_fini(&p.table);
    free(p.bytes);
}

/* --- the corpus */

/* The value that follows `at`, which is where a tag is. */
static struct span value_at(struct span der, size_t at)
{
    struct reader r = reader_of(span_sub(der, at, der.len), 0);
    uint8_t tag, first = 0, byte;
    struct span out = { 0 };
    assert_true(reader_u8(&r, &tag) && reader_u8(&r, &first));
    size_t len = first;
    if (first >= 0x80)
        for (len = 0; first > 0x80 && reader_u8(&r, &byte); first--)
            len = len << 8 | byte;
    assert_true(reader_take(&r, len, &out));
    return out;
}

static size_t find_after(struct span in, size_t from, const char *what, size_t len)
{
    for (size_t i = from; i + len <= in.len; i++)
        if (memcmp(in.ptr + i, what, len) == 0)
            return i + len;
    return SIZE_MAX;
}

#define PE_IMAGE_DATA "\x06\x0A\x2B\x06\x01\x04\x01\x82\x37\x02\x01\x0F"
#define PAGES_V2 "\x06\x0A\x2B\x06\x01\x04\x01\x82\x37\x02\x03\x02"
#define SHA1_NULL "\x30\x09\x06\x05\x2B\x0E\x03\x02\x1A\x05\x00"
#define SHA256_NULL "\x30\x0D\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00"

/* Is the digest the first signature speaks of the file's own? */
static bool signed_digest_matches(struct judged *j)
{
    struct span der = j->signature.der;
    size_t data = find_after(der, 0, PE_IMAGE_DATA, 12);
    assert_true(data != SIZE_MAX);
    size_t sha1 = find_after(der, data, SHA1_NULL, 11);
    size_t sha256 = find_after(der, data, SHA256_NULL, 15);
    enum digest_alg alg = sha1 < sha256 ? DIGEST_SHA1 : DIGEST_SHA256;
    struct digest_set set;
    struct report report = { 0 };
    assert_int_equal(format_pe.digest(j->format, DIGEST_BIT(alg), &set, &report, NULL), E_OK);
    report_fini(&report);
    return span_equal(value_at(der, sha1 < sha256 ? sha1 : sha256), digest_span(&set.of[alg]));
}

static void check_corpus_pages(struct judged *j, const char *path)
{
    struct span der = j->signature.der;
    size_t at = find_after(der, 0, PAGES_V2, 12);
    if (at == SIZE_MAX)
        return;
    struct span table = value_at(value_at(der, at), 0);
    assert_int_equal(format_pe.check_page_hashes(j->format, DIGEST_SHA256, table, &j->report, NULL),
                     E_OK);
    if (findings_have(&j->report.findings, REASON_PAGE_HASH_MISMATCH))
        fail_msg("%s: %s", path, j->report.findings.items[0].text);
}

static void check_corpus_file(const char *path, const char *expected)
{
    struct source *src;
    struct judged j;
    assert_int_equal(source_file_open(path, &src, NULL), E_OK);
    uint8_t head[FORMAT_HEAD_MAX];
    size_t head_len = (size_t)num_min(src->size, sizeof(head));
    assert_int_equal(source_read_at(src, 0, head, head_len, NULL), E_OK);
    bool is_pe = format_pe.sniff(src, span_of(head, head_len));
    judge_source(src, &j);
    bool two_entries = strstr(path, "authenticode_duplicated") != NULL;
    if (strcmp(expected, "malformed") == 0 || two_entries) {
        assert_true(errc_is_about_bytes(j.rc));
    } else if (strcmp(expected, "unsigned") == 0) {
        assert_true(!is_pe || j.signature_rc == E_ABSENT);
    } else {
        bool is_altered =
            strcmp(expected, "bad-digest") == 0 || strcmp(expected, "partial-bad:primary") == 0;
        if (j.rc != E_OK)
            fail_msg("%s: %s", path, j.err.text);
        assert_int_equal(j.signature_rc, E_OK);
        if (signed_digest_matches(&j) == is_altered)
            fail_msg("%s is %s, and its digest says otherwise", path, expected);
        check_corpus_pages(&j, path);
    }
    judged_fini(&j);
}

static void pe_files_of_the_corpus_are_what_the_index_says(void **state)
{
    UNUSED(state);
    char path[1024], line[4096];
    const char *corpus = getenv("SUREFOOT_CORPUS");
    (void)snprintf(path, sizeof(path), "%s/INDEX.tsv", corpus == NULL ? "" : corpus);
    FILE *index = fopen(path, "r");
    if (index == NULL) {
        print_message("no corpus at SUREFOOT_CORPUS\n");
        skip();
    }
    size_t n = 0;
    while (fgets(line, sizeof(line), index) != NULL) {
        char *field[8] = { line };
        for (size_t i = 1; i < ARRAY_LEN(field) && field[i - 1] != NULL; i++) {
            field[i] = strchr(field[i - 1], '\t');
            if (field[i] != NULL)
                *field[i]++ = '\0';
        }
        if (field[7] == NULL || strcmp(field[1], "pe") != 0)
            continue;
        (void)snprintf(path, sizeof(path), "%s/%s", corpus, field[2]);
        check_corpus_file(path, field[6]);
        n++;
    }
    (void)fclose(index);
    assert_true(n > 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pe_reads_signed_files_of_both_widths),
        cmocka_unit_test(pe_is_known_by_its_content),
        cmocka_unit_test(pe_refuses_headers_and_tables_that_do_not_agree),
        cmocka_unit_test(pe_refuses_every_truncation),
        cmocka_unit_test(pe_notices_what_is_odd_but_readable),
        cmocka_unit_test(pe_names_the_range_of_bytes_behind_the_signature),
        cmocka_unit_test(pe_allows_padding_that_dwlength_does_not_count),
        cmocka_unit_test(pe_refuses_a_second_entry),
        cmocka_unit_test(pe_refuses_bytes_after_the_table_and_hashes_them),
        cmocka_unit_test(pe_is_unsigned_only_with_an_empty_or_absent_directory_entry),
        cmocka_unit_test(pe_accepts_a_checksum_that_was_never_set),
        cmocka_unit_test(pe_sums_files_of_every_length),
        cmocka_unit_test(pe_lets_no_flipped_bit_go_unnoticed),
        cmocka_unit_test(page_hashes_of_headers_and_sections_hold),
        cmocka_unit_test(page_hashes_refuse_a_table_changed_anywhere),
        cmocka_unit_test(page_hashes_refuse_content_changed_on_any_page),
        cmocka_unit_test(pe_files_of_the_corpus_are_what_the_index_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
