#include "verify/format.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "cfb_build.h"
#include "platform/base/text.h"

#define SIGNATURE "\5DigitalSignature"
#define EX "\5MsiDigitalSignatureEx"

static const uint8_t filling[9000] = { 1, 2, 3, 4 };
static const uint8_t der[] = { 0x30, 0x03, 0x02, 0x01, 0x05 };
static uint8_t ex_bytes[32]; /* filled by fill_ex */

/* In a root without an index of its own; "abc" comes first in the tree, "Zebra" in the hash. */
static const struct build_item items[] = {
    { .name = SIGNATURE, .parent = BUILD_ROOT, .data = { der, sizeof(der) } },
    { .name = EX, .parent = BUILD_ROOT, .data = { ex_bytes, sizeof(ex_bytes) } },
    { .name = "abc", .parent = BUILD_ROOT, .data = { (const uint8_t *)"first", 5 } },
    { .name = "Zebra", .parent = BUILD_ROOT, .data = { filling, 4500 }, .state_fill = 3 },
    { .name = "sub", .parent = BUILD_ROOT, .type = CFB_STORAGE, .clsid_fill = 7, .times_fill = 9 },
    { .name = SIGNATURE, .parent = 4, .data = { (const uint8_t *)"inner", 5 }, .times_fill = 1 },
    { .name = "void", .parent = BUILD_ROOT },
};
enum { SIG_ENTRY = 1, EX_ENTRY, ABC, ZEBRA, SUB, INNER, VOID };

/* --- the hashes by hand */

static void add(struct buf *b, const void *bytes, size_t len)
{
    assert_int_equal(buf_add(b, span_of(bytes, len), NULL), E_OK);
}

static void add_fill(struct buf *b, uint8_t byte, size_t n)
{
    while (n-- > 0)
        assert_int_equal(buf_add_byte(b, byte, NULL), E_OK);
}

static void add_metadata(struct buf *b, const struct build_item *item)
{
    uint8_t size[4];
    for (const char *c = item->name; *c != '\0'; c++) {
        add(b, c, 1);
        add_fill(b, 0, 1);
    }
    put_u32(size, (uint32_t)item->data.len);
    if (item->type == CFB_STORAGE)
        add_fill(b, item->clsid_fill, 16);
    else
        add(b, size, 4);
    add_fill(b, item->state_fill, 4);
    add_fill(b, item->times_fill, 16);
}

static void hash(struct buf *b, struct digest *out)
{
    assert_int_equal(digest_bytes(DIGEST_SHA256, buf_span(b), out, NULL), E_OK);
    buf_fini(b);
}

static void fill_ex(void)
{
    struct buf b;
    struct digest d;
    buf_init(&b, 4096);
    add_fill(&b, 0, 16 + 4); /* the root's CLSID and state */
    add_metadata(&b, &items[ZEBRA - 1]);
    add_metadata(&b, &items[ABC - 1]);
    add_metadata(&b, &items[SUB - 1]);
    add_metadata(&b, &items[INNER - 1]);
    add_metadata(&b, &items[VOID - 1]);
    hash(&b, &d);
    memcpy(ex_bytes, d.bytes, sizeof(ex_bytes));
}

static struct digest expected_digest(bool with_ex)
{
    struct buf b;
    struct digest d;
    buf_init(&b, 16384);
    if (with_ex)
        add(&b, ex_bytes, sizeof(ex_bytes));
    add(&b, filling, 4500);
    add(&b, "first", 5);
    add(&b, "inner", 5);
    add_fill(&b, 7, 16);
    add_fill(&b, 0, 16);
    hash(&b, &d);
    return d;
}

/* --- looking */

static struct build sound(unsigned version)
{
    struct build b = { .version = version, .items = items, .n_items = ARRAY_LEN(items) };
    fill_ex();
    build_file(&b);
    return b;
}

struct looked {
    enum errc open, signature, digest;
    struct err err;
    struct report report;
    struct digest sha256;
    uint8_t der[64];
    size_t der_len;
    uint64_t der_at;
};

static void look_inside(struct format *f, uint32_t algs, struct looked *o)
{
    struct format_signature signature;
    struct digest_set set;
    o->signature = format_msi.signature(f, &signature, &o->err);
    if (o->signature == E_OK) {
        o->der_len = signature.der.len;
        o->der_at = signature.at;
        memcpy(o->der, signature.der.ptr, signature.der.len < 64 ? signature.der.len : 64);
    }
    o->digest = format_msi.digest(f, algs, &set, &o->report, &o->err);
    if (o->digest == E_OK)
        o->sha256 = set.of[DIGEST_SHA256];
}

static struct looked look_with(const struct build *b, uint32_t algs)
{
    struct looked o = { 0 };
    struct source *src;
    struct format *f;
    assert_int_equal(source_memory_new(span_of(b->bytes, b->len), &src, &o.err), E_OK);
    assert_true(b->len < 8 || !format_msi.sniff(src, span_of("PK\3\4", 4)));
    o.open = format_msi.open(src, &o.report, &f, &o.err);
    if (o.open == E_OK) {
        look_inside(f, algs, &o);
        format_msi.close(f);
    }
    source_close(src);
    return o;
}

static struct looked look(const struct build *b)
{
    return look_with(b, DIGEST_BIT(DIGEST_SHA256));
}

static bool same_digest(const struct digest *a, const struct digest *b)
{
    return span_equal(digest_span(a), digest_span(b));
}

static void expect_finding(const struct build *b, enum reason reason, enum weight weight)
{
    struct looked o = look(b);
    bool found = false;
    for (size_t i = 0; i < o.report.findings.n; i++)
        found = found || (o.report.findings.items[i].reason == reason &&
                          o.report.findings.items[i].weight == weight);
    if (!found)
        fail_msg("no %s: %s", reason_word(reason), o.err.text);
    report_fini(&o.report);
}

/* --- what is sound */

static void msi_hashes_names_first_then_contents_in_byte_order(void **state)
{
    UNUSED(state);
    for (unsigned version = 3; version <= 4; version++) {
        struct build b = sound(version);
        struct looked o = look(&b);
        struct digest wanted = expected_digest(true);
        assert_int_equal(o.digest, E_OK);
        assert_int_equal(o.report.findings.n, 0);
        assert_true(same_digest(&o.sha256, &wanted));
        assert_int_equal(o.der_len, sizeof(der));
        assert_memory_equal(o.der, der, sizeof(der));
        assert_memory_equal(b.bytes + o.der_at, der, sizeof(der));
        build_free(&b);
    }
}

static void msi_without_ex_says_that_names_are_not_signed(void **state)
{
    struct build_item without[ARRAY_LEN(items)];
    UNUSED(state);
    memcpy(without, items, sizeof(items));
    without[EX_ENTRY - 1] = (struct build_item){ .name = "zz", .parent = BUILD_ROOT };
    struct build b = { .version = 3, .items = without, .n_items = ARRAY_LEN(items) };
    build_file(&b);
    struct looked o = look(&b);
    struct digest wanted = expected_digest(false);
    assert_true(same_digest(&o.sha256, &wanted));
    expect_finding(&b, REASON_UNSIGNED_METADATA, WEIGHT_COVERAGE);
    report_fini(&o.report);
    build_free(&b);
}

static void msi_without_a_signature_is_unsigned_even_where_its_streams_are_broken(void **state)
{
    UNUSED(state);
    struct build b = { .version = 3, .items = items + 2, .n_items = 2 };
    build_file(&b);
    put_u32(build_entry(&b, 2) + 116, 0x00FFFFFF);
    struct looked o = look(&b);
    assert_int_equal(o.open, E_OK);
    assert_int_equal(o.signature, E_ABSENT);
    assert_int_equal(o.digest, E_MALFORMED);
    report_fini(&o.report);
    build_free(&b);
}

static void msi_names_its_sip(void **state)
{
    static const uint8_t guid[] = "\xF1\x10\x0C\0\0\0\0\0\xC0\0\0\0\0\0\0\x46";
    struct spc_binding binding;
    UNUSED(state);
    format_msi.binding(NULL, &binding);
    assert_int_equal(binding.type, OID_SPC_SIP_INFO);
    assert_memory_equal(binding.sip_guid, guid, 16);
}

/* --- Ex */

static void msi_ex_must_be_the_hash_of_names_sizes_and_times(void **state)
{
    static const struct {
        size_t entry, at;
    } places[] = {
        { ABC, 4 },   { ABC, 96 },    { ABC, 100 }, { ABC, 115 }, { SUB, 80 }, { SUB, 96 },
        { SUB, 107 }, { INNER, 112 }, { VOID, 2 },  { 0, 80 },    { 0, 96 },   { ZEBRA, 99 },
    };
    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        struct build b = sound(3);
        build_entry(&b, places[i].entry)[places[i].at] ^= 1;
        expect_finding(&b, REASON_DIGEST_MISMATCH, WEIGHT_FATAL);
        build_free(&b);
    }
}

static void msi_ex_must_be_a_hash_that_a_signature_uses(void **state)
{
    static const size_t sizes[] = { 0, 16, 20, 31, 33, 64 };
    uint8_t bytes[64] = { 0 };
    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        struct build_item other[ARRAY_LEN(items)];
        memcpy(other, items, sizeof(items));
        other[EX_ENTRY - 1].data = span_of(bytes, sizes[i]);
        struct build b = { .version = 3, .items = other, .n_items = ARRAY_LEN(items) };
        build_file(&b);
        expect_finding(&b, REASON_DIGEST_MISMATCH, WEIGHT_FATAL);
        build_free(&b);
    }
}

static void msi_ex_serves_nested_signatures_of_stronger_hashes(void **state)
{
    UNUSED(state);
    struct build b = sound(3);
    struct looked o = look_with(&b, DIGEST_BIT(DIGEST_SHA256) | DIGEST_BIT(DIGEST_SHA384));
    assert_int_equal(o.report.findings.n, 0);
    o = look_with(&b, DIGEST_BIT(DIGEST_SHA384));
    assert_true(findings_have(&o.report.findings, REASON_DIGEST_MISMATCH));
    report_fini(&o.report);
    build_free(&b);
}

/* --- what no hash covers */

static void msi_reports_fields_that_no_hash_covers(void **state)
{
    static const struct {
        size_t entry, at;
    } places[] = {
        { 0, 100 },       { 0, 115 },        { SIG_ENTRY, 96 }, { SIG_ENTRY, 100 },
        { EX_ENTRY, 99 }, { EX_ENTRY, 110 }, { ABC, 80 },       { SIG_ENTRY, 95 },
    };
    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        struct build b = sound(4);
        build_entry(&b, places[i].entry)[places[i].at] = 1;
        struct looked o = look(&b);
        assert_int_equal(o.report.n_ranges, 1);
        report_fini(&o.report);
        expect_finding(&b, REASON_UNCOVERED_DATA, WEIGHT_COVERAGE);
        build_free(&b);
    }
}

static void msi_refuses_signature_names_in_another_case_and_storages_of_that_name(void **state)
{
    UNUSED(state);
    struct build b = sound(3);
    build_entry(&b, SIG_ENTRY)[2] = 'd';
    assert_int_equal(look(&b).open, E_MALFORMED);
    build_free(&b);
    b = sound(3);
    build_entry(&b, EX_ENTRY)[2] = 'm';
    assert_int_equal(look(&b).open, E_MALFORMED);
    build_free(&b);
    b = sound(3);
    build_entry(&b, SIG_ENTRY)[66] = CFB_STORAGE;
    assert_int_equal(look(&b).open, E_MALFORMED);
    build_free(&b);
}

static void msi_bytes_after_the_der_are_left_away_and_reported(void **state)
{
    static const uint8_t zero[] = { 0x30, 0x03, 0x02, 0x01, 0x05, 0 };
    struct build_item other[ARRAY_LEN(items)];
    UNUSED(state);
    memcpy(other, items, sizeof(items));
    other[SIG_ENTRY - 1].data = span_of(zero, sizeof(zero));
    struct build b = { .version = 3, .items = other, .n_items = ARRAY_LEN(items) };
    fill_ex();
    build_file(&b);
    struct looked o = look(&b);
    assert_int_equal(o.der_len, 5);
    assert_int_equal(o.report.n_ranges, 1);
    assert_int_equal(o.report.ranges[0].at, o.der_at + 5);
    assert_int_equal(o.report.ranges[0].len, 1);
    report_fini(&o.report);
    expect_finding(&b, REASON_TRAILING_DATA, WEIGHT_COVERAGE);
    build_free(&b);
}

static void msi_refuses_an_empty_signature_stream(void **state)
{
    struct build_item other[ARRAY_LEN(items)];
    UNUSED(state);
    memcpy(other, items, sizeof(items));
    other[SIG_ENTRY - 1].data = span_of(NULL, 0);
    struct build b = { .version = 3, .items = other, .n_items = ARRAY_LEN(items) };
    build_file(&b);
    struct looked o = look(&b);
    assert_int_equal(o.open, E_MALFORMED);
    report_fini(&o.report);
    build_free(&b);
}

/* --- every byte */

/* Is the file as it is after a change still taken for what it was? */
static bool passes(const struct build *b, const struct digest *wanted)
{
    struct looked o = look(b);
    bool ok = o.open == E_OK && o.signature == E_OK && o.digest == E_OK &&
              o.report.findings.n == 0 && same_digest(&o.sha256, wanted) &&
              o.der_len == sizeof(der) && memcmp(o.der, der, sizeof(der)) == 0;
    report_fini(&o.report);
    return ok;
}

static void msi_no_byte_can_be_flipped_unnoticed(void **state)
{
    static const uint8_t masks[] = { 0x01, 0x02, 0x80, 0xFF };
    UNUSED(state);
    for (unsigned version = 3; version <= 4; version++) {
        struct build b = sound(version);
        struct digest wanted = expected_digest(true);
        assert_true(passes(&b, &wanted));
        size_t n_masks = version == 3 ? ARRAY_LEN(masks) : 1;
        for (size_t at = 0; at < b.len; at++)
            for (size_t m = 0; m < n_masks; m++) {
                b.bytes[at] ^= masks[m];
                if (passes(&b, &wanted))
                    fail_msg("version %u: flip 0x%02X at %zu", version, masks[m], at);
                b.bytes[at] ^= masks[m];
            }
        build_free(&b);
    }
}

/* --- real files */

static const char *const real[][2] = {
    { "lessmsi/putty-0.68-installer.msi",
      "2de3a896f1f05b9893d7f401a002b1e4054716f816c5059edcbcd8898d455acd" },
    { "lessmsi/IviNetSharedComponents32_Fx20_1.3.0.msi",
      "045a868f7cca0eb3961c06e0360bc73e3c4b35c970c598f4a789445fbb943cc4" },
    { "omaha/sha2_0c15be4a15bb0903c901b1d6c265302f.msi",
      "b5970a0f979d9051519e4e29ea9d5a9c2c9cd46396bcc3ec80713481ac04ae9e" },
    { "omaha/glueball-2.msi", "b5970a0f979d9051519e4e29ea9d5a9c2c9cd46396bcc3ec80713481ac04ae9e" },
};

static void expect_real(const char *folder, const char *name, const char *hex)
{
    char path[1024];
    struct source *src;
    struct format *f;
    struct report report = { 0 };
    struct digest_set set;
    uint8_t wanted[32];
    struct err err;
    (void)snprintf(path, sizeof(path), "%s/msi/%s", folder, name);
    if (source_file_open(path, &src, &err) != E_OK) {
        print_message("%s: not there\n", path);
        skip();
    }
    assert_int_equal(format_msi.open(src, &report, &f, &err), E_OK);
    assert_int_equal(format_msi.digest(f, DIGEST_BIT(DIGEST_SHA256), &set, &report, &err), E_OK);
    assert_true(text_from_hex(span_text(hex), wanted, sizeof(wanted)));
    assert_memory_equal(set.of[DIGEST_SHA256].bytes, wanted, sizeof(wanted));
    assert_false(findings_have(&report.findings, REASON_DIGEST_MISMATCH));
    assert_int_equal(findings_have(&report.findings, REASON_TRAILING_DATA),
                     strstr(name, "glueball") != NULL);
    format_msi.close(f);
    report_fini(&report);
    source_close(src);
}

static void msi_hashes_real_files_to_what_was_signed(void **state)
{
    const char *folder = getenv("SUREFOOT_CORPUS");
    UNUSED(state);
    if (folder == NULL) {
        print_message("SUREFOOT_CORPUS is not set\n");
        skip();
    }
    for (size_t i = 0; i < ARRAY_LEN(real); i++)
        expect_real(folder, real[i][0], real[i][1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(msi_hashes_names_first_then_contents_in_byte_order),
        cmocka_unit_test(msi_without_ex_says_that_names_are_not_signed),
        cmocka_unit_test(msi_without_a_signature_is_unsigned_even_where_its_streams_are_broken),
        cmocka_unit_test(msi_names_its_sip),
        cmocka_unit_test(msi_ex_must_be_the_hash_of_names_sizes_and_times),
        cmocka_unit_test(msi_ex_must_be_a_hash_that_a_signature_uses),
        cmocka_unit_test(msi_ex_serves_nested_signatures_of_stronger_hashes),
        cmocka_unit_test(msi_reports_fields_that_no_hash_covers),
        cmocka_unit_test(msi_refuses_signature_names_in_another_case_and_storages_of_that_name),
        cmocka_unit_test(msi_bytes_after_the_der_are_left_away_and_reported),
        cmocka_unit_test(msi_refuses_an_empty_signature_stream),
        cmocka_unit_test(msi_no_byte_can_be_flipped_unnoticed),
        cmocka_unit_test(msi_hashes_real_files_to_what_was_signed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
