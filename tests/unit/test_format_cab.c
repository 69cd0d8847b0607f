/* Signed cabinets built here, byte by byte, and those of the corpus.
 *
 *   0 header   36 reserve   60 one CFFOLDER   68 one CFFILE "a"   86 one CFDATA of 5 bytes
 *   99 signature: a SEQUENCE of 11 bytes and 3 bytes of padding */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "verify/cab.h"
#include "verify/format.h"

#define FOLDER_AT 60
#define FILE_AT 68
#define DATA_AT 86
#define SIG_AT 99
#define DER_LEN 13
#define FILE_LEN (SIG_AT + 16)

struct file {
    uint8_t bytes[256];
    size_t len;
};

static void put(struct file *f, size_t at, unsigned n_bytes, uint64_t value)
{
    assert_true(at + n_bytes <= sizeof(f->bytes));
    for (unsigned i = 0; i < n_bytes; i++)
        f->bytes[at + i] = (uint8_t)(value >> 8 * i);
}

static struct file signed_cab(void)
{
    struct file f = { .len = FILE_LEN };
    memcpy(f.bytes, "MSCF", 4);
    put(&f, 8, 4, SIG_AT);
    put(&f, 16, 4, FILE_AT);
    put(&f, 24, 2, 0x0103);
    put(&f, 26, 2, 1);
    put(&f, 28, 2, 1);
    put(&f, 30, 2, CAB_HAS_RESERVE);
    put(&f, 32, 2, 0x1234);
    put(&f, 36, 2, 20);
    put(&f, 40, 4, 0x00100000);
    put(&f, 44, 4, SIG_AT);
    put(&f, 48, 4, 16);
    put(&f, FOLDER_AT, 4, DATA_AT);
    put(&f, FOLDER_AT + 4, 2, 1);
    put(&f, FILE_AT, 4, 5);
    put(&f, FILE_AT + 14, 2, 0x20);
    f.bytes[FILE_AT + 16] = 'a';
    put(&f, DATA_AT + 4, 2, 5);
    put(&f, DATA_AT + 6, 2, 5);
    memcpy(f.bytes + DATA_AT + 8, "hello", 5);
    memcpy(f.bytes + SIG_AT, "\x30\x0B\x04\x09signature", DER_LEN);
    return f;
}

/* What a caller sees of a file. */
struct seen {
    enum errc open, signature, digest;
    struct findings findings;
    uint8_t der[DIGEST_LEN_MAX];
    size_t der_len;
    struct digest_set set;
};

static struct seen look_at(struct span bytes)
{
    struct seen s = { .open = E_INTERNAL, .signature = E_INTERNAL, .digest = E_INTERNAL };
    struct report report = { .n_ranges = 0 };
    struct source *src;
    struct format *f;
    struct format_signature sig;
    assert_int_equal(source_memory_new(bytes, &src, NULL), E_OK);
    s.open = format_cab.open(src, &report, &f, NULL);
    if (s.open == E_OK) {
        s.signature = format_cab.signature(f, &sig, NULL);
        if (s.signature == E_OK && sig.der.len <= sizeof(s.der)) {
            memcpy(s.der, sig.der.ptr, sig.der.len);
            s.der_len = sig.der.len;
        }
        s.digest = format_cab.digest(f, DIGEST_BIT(DIGEST_SHA256) | DIGEST_BIT(DIGEST_SHA1), &s.set,
                                     &report, NULL);
        format_cab.close(f);
    }
    s.findings = report.findings;
    report_fini(&report);
    source_close(src);
    return s;
}

static struct seen look(const struct file *f)
{
    return look_at(span_of(f->bytes, f->len));
}

static void assert_refused(const struct file *f, enum reason reason, const char *what)
{
    struct seen s = look(f);
    if (s.open != E_OK) {
        if (reason != REASON_MALFORMED)
            fail_msg("%s: open failed with %s", what, errc_name(s.open));
        return;
    }
    if (!findings_have(&s.findings, reason))
        fail_msg("%s: no %s", what, reason_word(reason));
}

static void a_signed_cab_has_no_findings(void **state)
{
    UNUSED(state);
    struct file f = signed_cab();
    struct seen s = look(&f);
    assert_int_equal(s.open, E_OK);
    assert_int_equal(s.findings.n, 0);
    assert_int_equal(s.signature, E_OK);
    assert_int_equal(s.der_len, DER_LEN);
    assert_memory_equal(s.der, f.bytes + SIG_AT, DER_LEN);
}

static void digest_leaves_out_what_signing_changes(void **state)
{
    UNUSED(state);
    struct file f = signed_cab();
    uint8_t hashed[256];
    memcpy(hashed, f.bytes, 4);
    memcpy(hashed + 4, f.bytes + 8, 26);
    memcpy(hashed + 30, f.bytes + 56, SIG_AT - 56);
    struct digest wanted;
    assert_int_equal(digest_bytes(DIGEST_SHA256, span_of(hashed, 30 + SIG_AT - 56), &wanted, NULL),
                     E_OK);
    struct seen s = look(&f);
    assert_int_equal(s.digest, E_OK);
    assert_memory_equal(s.set.of[DIGEST_SHA256].bytes, wanted.bytes, wanted.len);
    assert_int_equal(s.set.of[DIGEST_SHA1].len, 20);
}

static void every_bit_of_a_signed_cab_counts(void **state)
{
    UNUSED(state);
    struct file good = signed_cab();
    struct seen whole = look(&good);
    for (size_t bit = 0; bit < good.len * 8; bit++) {
        struct file f = good;
        f.bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
        struct seen s = look(&f);
        bool is_noticed = s.open != E_OK || s.signature != E_OK || s.findings.n > 0 ||
                          s.der_len != whole.der_len || memcmp(s.der, whole.der, s.der_len) != 0 ||
                          memcmp(&s.set.of[DIGEST_SHA256], &whole.set.of[DIGEST_SHA256],
                                 sizeof(s.set.of[0])) != 0;
        if (!is_noticed)
            fail_msg("bit %zu of byte %zu can be flipped", bit % 8, bit / 8);
    }
}

static void a_field_with_another_value_is_malformed(void **state)
{
    UNUSED(state);
    static const struct {
        const char *what;
        size_t at;
        unsigned n_bytes;
        uint64_t value;
    } fields[] = {
        { "reserved1", 4, 4, 1 },
        { "cbCabinet is the file's size", 8, 4, FILE_LEN },
        { "cbCabinet is huge", 8, 4, UINT32_MAX },
        { "reserved2", 12, 4, 1 },
        { "file entries over the folders", 16, 4, FILE_AT - 1 },
        { "file entries behind the end", 16, 4, SIG_AT },
        { "file entries far outside", 16, 4, 0x7FFFFFFF },
        { "reserved3", 20, 4, 0x80000000 },
        { "minor version", 24, 1, 2 },
        { "major version", 25, 1, 2 },
        { "no folder", 26, 2, 0 },
        { "too many folders", 26, 2, 2 },
        { "no file", 28, 2, 0 },
        { "too many files", 28, 2, 0xFFFF },
        { "a previous cabinet", 30, 2, 5 },
        { "a next cabinet", 30, 2, 6 },
        { "an unknown flag", 30, 2, 0x8004 },
        { "a number in a set", 34, 2, 1 },
        { "a smaller reserve", 36, 2, 16 },
        { "a larger reserve", 36, 2, 24 },
        { "folder reserve", 38, 1, 4 },
        { "data reserve", 39, 1, 4 },
        { "another mark", 40, 4, 0x00200000 },
        { "signature over the header", 44, 4, 40 },
        { "signature in the data", 44, 4, SIG_AT - 8 },
        { "signature behind the end", 44, 4, FILE_LEN + 8 },
        { "signature offset that wraps", 44, 4, 0xFFFFFFF0 },
        { "signature without bytes", 48, 4, 0 },
        { "signature past the end", 48, 4, 24 },
        { "huge signature", 48, 4, UINT32_MAX },
        { "reserve's end, not hashed", 52, 4, 1 },
        { "reserve's end, hashed", 56, 4, 1 },
        { "data before the file entries", FOLDER_AT, 4, 40 },
        { "data behind the cabinet", FOLDER_AT, 4, SIG_AT },
        { "data far outside", FOLDER_AT, 4, UINT32_MAX },
        { "more blocks than there are", FOLDER_AT + 4, 2, 2 },
        { "a block that ends in the signature", DATA_AT + 4, 2, 6 },
    };
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        struct file f = signed_cab();
        put(&f, fields[i].at, fields[i].n_bytes, fields[i].value);
        assert_refused(&f, REASON_MALFORMED, fields[i].what);
    }
}

static void bytes_after_the_signature_are_trailing_data(void **state)
{
    UNUSED(state);
    for (size_t n = 1; n <= 16; n++) {
        struct file f = signed_cab();
        f.len += n;
        struct seen s = look(&f);
        assert_int_equal(s.open, E_OK);
        assert_true(findings_have(&s.findings, REASON_TRAILING_DATA));
        assert_true(findings_have_weight(&s.findings, WEIGHT_FATAL));
    }
}

static void the_der_is_padded_with_zero_to_eight_and_no_more(void **state)
{
    UNUSED(state);
    struct file f = signed_cab();
    f.bytes[FILE_LEN - 1] = 1;
    assert_refused(&f, REASON_TRAILING_DATA, "padding that is not zero");

    f = signed_cab();
    put(&f, 48, 4, 24);
    f.len += 8;
    assert_refused(&f, REASON_TRAILING_DATA, "eight zero bytes too many");

    f = signed_cab();
    put(&f, 48, 4, DER_LEN);
    f.len = SIG_AT + DER_LEN;
    assert_refused(&f, REASON_MALFORMED, "no padding");
}

static void a_signature_that_is_no_der_is_malformed(void **state)
{
    UNUSED(state);
    static const char *const ders[] = { "\x30\x81\x0B", "\x30\x0F", "\x31\x0B", "\x30\x80",
                                        "\x3F\x0B" };
    for (size_t i = 0; i < ARRAY_LEN(ders); i++) {
        struct file f = signed_cab();
        memcpy(f.bytes + SIG_AT, ders[i], strlen(ders[i]));
        struct seen s = look(&f);
        assert_true(errc_is_about_bytes(s.open));
    }
}

static void a_cut_off_cab_is_refused_at_every_length(void **state)
{
    UNUSED(state);
    struct file f = signed_cab();
    for (f.len = 0; f.len < FILE_LEN; f.len++)
        if (look(&f).open == E_OK)
            fail_msg("opens when cut at %zu", f.len);
}

/* The same cabinet without reserve and signature. */
static struct file unsigned_cab(void)
{
    struct file s = signed_cab(), f = { .len = SIG_AT - 24 };
    memcpy(f.bytes, s.bytes, CAB_HEADER_LEN);
    memcpy(f.bytes + CAB_HEADER_LEN, s.bytes + FOLDER_AT, SIG_AT - FOLDER_AT);
    put(&f, 8, 4, f.len);
    put(&f, 16, 4, FILE_AT - 24);
    put(&f, 30, 2, 0);
    put(&f, 36, 4, DATA_AT - 24);
    return f;
}

static void an_unsigned_cab_has_no_signature(void **state)
{
    UNUSED(state);
    struct file f = unsigned_cab();
    struct seen s = look(&f);
    assert_int_equal(s.open, E_OK);
    assert_int_equal(s.signature, E_ABSENT);
    assert_int_equal(s.digest, E_OK);
    assert_int_equal(s.findings.n, 0);

    f.len += 5;
    s = look(&f);
    assert_int_equal(s.signature, E_ABSENT);
    assert_true(findings_have(&s.findings, REASON_TRAILING_DATA));
}

static void a_set_volume_without_signature_is_unsigned(void **state)
{
    UNUSED(state);
    struct file f = unsigned_cab();
    put(&f, 30, 2, CAB_HAS_NEXT);
    put(&f, 34, 2, 3);
    struct seen s = look(&f);
    assert_int_equal(s.open, E_OK);
    assert_int_equal(s.signature, E_ABSENT);
}

static void an_empty_reserve_is_unsigned_if_nothing_follows(void **state)
{
    UNUSED(state);
    struct file f = signed_cab();
    put(&f, 40, 4, 0);
    put(&f, 44, 4, 0);
    put(&f, 48, 4, 0);
    assert_int_equal(look(&f).open, E_MALFORMED);
    f.len = SIG_AT;
    assert_int_equal(look(&f).signature, E_ABSENT);
}

static void a_chain_of_a_million_blocks_is_a_limit(void **state)
{
    UNUSED(state);
    const size_t n_folders = 17, n_blocks = 65535;
    const size_t files_at = 60 + n_folders * 8, data_at = files_at + 17;
    const size_t sig_at = data_at + n_blocks * 8;
    uint8_t *bytes = calloc(1, sig_at + 16);
    assert_non_null(bytes);
    struct file f = signed_cab();
    put(&f, 8, 4, sig_at);
    put(&f, 16, 4, files_at);
    put(&f, 26, 2, n_folders);
    put(&f, 44, 4, sig_at);
    for (size_t i = 0; i < n_folders; i++) {
        put(&f, FOLDER_AT + 8 * i, 4, data_at);
        put(&f, FOLDER_AT + 8 * i + 4, 4, n_blocks);
    }
    memcpy(bytes, f.bytes, files_at);
    memcpy(bytes + sig_at, "\x30\x0B\x04\x09signature", DER_LEN);
    assert_int_equal(look_at(span_of(bytes, sig_at + 16)).open, E_LIMIT);
    free(bytes);
}

static void only_mscf_at_the_very_beginning_is_a_cab(void **state)
{
    UNUSED(state);
    assert_true(format_cab.sniff(NULL, span_text("MSCF")));
    assert_false(format_cab.sniff(NULL, span_text("MSC")));
    assert_false(format_cab.sniff(NULL, span_text("xMSCF....")));
    assert_false(format_cab.sniff(NULL, span_text("")));
    struct file f = signed_cab();
    f.bytes[0] = 'm';
    assert_int_equal(look(&f).open, E_MALFORMED);
}

/* --- the corpus */

static bool holds(struct span whole, struct span part)
{
    for (size_t i = 0; i + part.len <= whole.len; i++)
        if (memcmp(whole.ptr + i, part.ptr, part.len) == 0)
            return true;
    return false;
}

static void check_corpus_file(const char *folder, const char *name, bool has_findings)
{
    char path[512];
    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    struct source *src;
    struct format *f;
    struct format_signature sig;
    struct digest_set set;
    struct report report = { .n_ranges = 0 };
    const uint32_t algs = DIGEST_BIT(DIGEST_SHA256) | DIGEST_BIT(DIGEST_SHA1);
    assert_int_equal(source_file_open(path, &src, NULL), E_OK);
    assert_int_equal(format_cab.open(src, &report, &f, NULL), E_OK);
    assert_int_equal(format_cab.signature(f, &sig, NULL), E_OK);
    assert_int_equal(format_cab.digest(f, algs, &set, &report, NULL), E_OK);
    if (!holds(sig.der, digest_span(&set.of[DIGEST_SHA256])) &&
        !holds(sig.der, digest_span(&set.of[DIGEST_SHA1])))
        fail_msg("%s: another digest was signed", name);
    assert_int_equal(report.findings.n > 0, has_findings);
    format_cab.close(f);
    report_fini(&report);
    source_close(src);
}

static void signed_cabs_of_the_corpus_have_the_signed_digest(void **state)
{
    UNUSED(state);
    const char *corpus = getenv("SUREFOOT_CORPUS");
    struct source *index;
    char path[512];
    (void)snprintf(path, sizeof(path), "%s/INDEX.tsv", corpus == NULL ? "" : corpus);
    if (corpus == NULL || source_file_open(path, &index, NULL) != E_OK) {
        print_message("the corpus is not there\n");
        skip();
        return;
    }
    source_close(index);
    check_corpus_file(corpus, "cab/wix/test.cab", false);
    check_corpus_file(corpus, "cab/wix/signed_cab1.cab", false);
    check_corpus_file(corpus, "cab/jsign/sample.c00ddebc.cab", true); /* first of a set */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signed_cab_has_no_findings),
        cmocka_unit_test(digest_leaves_out_what_signing_changes),
        cmocka_unit_test(every_bit_of_a_signed_cab_counts),
        cmocka_unit_test(a_field_with_another_value_is_malformed),
        cmocka_unit_test(bytes_after_the_signature_are_trailing_data),
        cmocka_unit_test(the_der_is_padded_with_zero_to_eight_and_no_more),
        cmocka_unit_test(a_signature_that_is_no_der_is_malformed),
        cmocka_unit_test(a_cut_off_cab_is_refused_at_every_length),
        cmocka_unit_test(an_unsigned_cab_has_no_signature),
        cmocka_unit_test(a_set_volume_without_signature_is_unsigned),
        cmocka_unit_test(an_empty_reserve_is_unsigned_if_nothing_follows),
        cmocka_unit_test(a_chain_of_a_million_blocks_is_a_limit),
        cmocka_unit_test(only_mscf_at_the_very_beginning_is_a_cab),
        cmocka_unit_test(signed_cabs_of_the_corpus_have_the_signed_digest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
