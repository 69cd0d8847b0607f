/* Signed scripts written here, in every style and encoding, and those of the corpus. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/base/buf.h"
#include "platform/base/num.h"
#include "verify/format.h"
#include "verify/script.h"

#define FILE_MAX (64 * 1024)

/* --- writing one */

enum encoding { PLAIN, UTF8_BOM, UTF16_BOM, UTF16_PLAIN };

struct spec {
    enum script_language language;
    enum encoding encoding;
    const char *text, *after; /* after: what follows the block */
    const char *eol;          /* of the block */
    size_t width, last_max;
    size_t der_len;
    bool is_end_open; /* the last line has no line end */
};

/* SEQUENCE { OCTET STRING of bytes that count up } */
static size_t make_der(size_t len, uint8_t *to)
{
    assert_in_range(len, 4, 120);
    to[0] = 0x30;
    to[1] = (uint8_t)(len - 2);
    to[2] = 0x04;
    to[3] = (uint8_t)(len - 4);
    for (size_t i = 4; i < len; i++)
        to[i] = (uint8_t)(i * 7);
    return len;
}

static void add(struct buf *b, const char *text)
{
    assert_int_equal(buf_add_text(b, text, NULL), E_OK);
}

static void add_base64(struct buf *b, const uint8_t *in, size_t len)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < len; i += 3) {
        size_t n = num_min(3, len - i);
        uint32_t v = (uint32_t)in[i] << 16 | (n > 1 ? (uint32_t)in[i + 1] << 8 : 0) |
                     (n > 2 ? in[i + 2] : 0);
        for (size_t k = 0; k < 4; k++) {
            char c[2] = { k <= n ? alphabet[v >> (18 - 6 * k) & 63] : '=', 0 };
            add(b, c);
        }
    }
}

static void add_block(struct buf *b, const struct spec *s)
{
    const struct script_style *style = &script_styles[s->language];
    uint8_t der[128];
    struct buf chars;
    buf_init(&chars, FILE_MAX);
    add_base64(&chars, der, make_der(s->der_len, der));
    add(b, s->eol);
    add(b, style->begin);
    add(b, s->eol);
    for (size_t at = 0; at < chars.len;) {
        size_t left = chars.len - at, n = left <= s->last_max ? left : s->width;
        add(b, style->prefix);
        assert_int_equal(buf_add(b, span_sub(buf_span(&chars), at, n), NULL), E_OK);
        add(b, style->suffix);
        add(b, s->eol);
        at += n;
    }
    add(b, style->end);
    if (!s->is_end_open)
        add(b, s->eol);
    buf_fini(&chars);
}

/* All text here is ASCII or Latin-1 written as UTF-8, so that widening is enough for UTF-16. */
static void add_wide(struct buf *b, struct span utf8)
{
    for (size_t i = 0; i < utf8.len; i++) {
        uint8_t lead = utf8.ptr[i];
        unsigned unit = lead < 0x80 ? lead : (lead & 3U) << 6 | (utf8.ptr[++i] & 0x3FU);
        assert_int_equal(buf_add_byte(b, (uint8_t)unit, NULL), E_OK);
        assert_int_equal(buf_add_byte(b, 0, NULL), E_OK);
    }
}

static struct buf write_script(const struct spec *s)
{
    struct buf narrow, b;
    buf_init(&narrow, FILE_MAX);
    buf_init(&b, FILE_MAX);
    add(&narrow, s->text);
    add_block(&narrow, s);
    add(&narrow, s->after);
    if (s->encoding == UTF8_BOM)
        add(&b, "\xEF\xBB\xBF");
    if (s->encoding == UTF16_BOM)
        add(&b, "\xFF\xFE");
    if (s->encoding == UTF16_BOM || s->encoding == UTF16_PLAIN)
        add_wide(&b, buf_span(&narrow));
    else
        assert_int_equal(buf_add(&b, buf_span(&narrow), NULL), E_OK);
    buf_fini(&narrow);
    return b;
}

static struct spec spec_of(enum script_language language)
{
    bool is_wsh = script_styles[language].kind == KIND_SCRIPT_WSH;
    struct spec s = { .language = language, .text = "some text\r\n", .after = "", .eol = "\r\n" };
    s.width = s.last_max = is_wsh ? 44 : 64;
    s.der_len = 100;
    if (language == SCRIPT_WSF)
        s.after = "</job>\r\n";
    return s;
}

/* --- looking at one */

struct seen {
    enum file_kind kind;
    enum errc open, signature, digest;
    struct findings findings;
    size_t n_ranges, der_len;
    uint8_t der[128];
    struct digest sha256;
    struct spc_binding binding;
};

static const struct format_ops *kind_of(struct source *src, struct span bytes)
{
    struct span head = span_sub(bytes, 0, FORMAT_HEAD_MAX);
    bool is_powershell = format_script_powershell.sniff(src, head);
    bool is_wsh = format_script_wsh.sniff(src, head);
    assert_false(is_powershell && is_wsh);
    return is_powershell ? &format_script_powershell : is_wsh ? &format_script_wsh : NULL;
}

static void look_inside(const struct format_ops *ops, struct source *src, struct seen *s)
{
    struct report report = { .n_ranges = 0 };
    struct format_signature sig;
    struct digest_set set;
    struct format *f;
    s->open = ops->open(src, &report, &f, NULL);
    if (s->open == E_OK) {
        s->signature = ops->signature(f, &sig, NULL);
        if (s->signature == E_OK && sig.der.len <= sizeof(s->der)) {
            memcpy(s->der, sig.der.ptr, sig.der.len);
            s->der_len = sig.der.len;
        }
        s->digest = ops->digest(f, DIGEST_BIT(DIGEST_SHA256), &set, &report, NULL);
        s->sha256 = set.of[DIGEST_SHA256];
        ops->binding(f, &s->binding);
        ops->close(f);
    }
    s->findings = report.findings;
    s->n_ranges = report.n_ranges;
    report_fini(&report);
}

static struct seen look_at(struct span bytes)
{
    struct seen s = { .open = E_INTERNAL, .signature = E_INTERNAL, .digest = E_INTERNAL };
    struct source *src;
    assert_int_equal(source_memory_new(bytes, &src, NULL), E_OK);
    const struct format_ops *ops = kind_of(src, bytes);
    if (ops != NULL) {
        s.kind = ops->kind;
        look_inside(ops, src, &s);
    }
    source_close(src);
    return s;
}

static struct seen look(const struct spec *spec)
{
    struct buf b = write_script(spec);
    struct seen s = look_at(buf_span(&b));
    buf_fini(&b);
    return s;
}

static struct seen look_at_text(const char *text)
{
    return look_at(span_text(text));
}

static void assert_clean(const struct seen *s, const struct spec *spec)
{
    uint8_t der[128];
    assert_int_equal(s->kind, script_styles[spec->language].kind);
    assert_int_equal(s->open, E_OK);
    assert_int_equal(s->findings.n, 0);
    assert_int_equal(s->signature, E_OK);
    assert_int_equal(s->der_len, spec->der_len);
    assert_memory_equal(s->der, der, make_der(spec->der_len, der));
}

static void assert_digest_is_of(const struct seen *s, struct span bytes)
{
    struct digest wanted;
    assert_int_equal(digest_bytes(DIGEST_SHA256, bytes, &wanted, NULL), E_OK);
    assert_int_equal(s->digest, E_OK);
    assert_memory_equal(s->sha256.bytes, wanted.bytes, wanted.len);
}

/* --- what is accepted */

static void every_style_and_encoding_reads_clean(void **state)
{
    UNUSED(state);
    for (int language = 0; language < N_SCRIPT_LANGUAGES; language++)
        for (int encoding = PLAIN; encoding <= UTF16_PLAIN; encoding++)
            for (size_t der_len = 4; der_len <= 120; der_len++) {
                struct spec spec = spec_of((enum script_language)language);
                spec.encoding = (enum encoding)encoding;
                spec.der_len = der_len;
                struct seen s = look(&spec);
                assert_clean(&s, &spec);
            }
}

static void windows_script_host_lines_have_three_lengths(void **state)
{
    UNUSED(state);
    static const size_t widths[][2] = { { 44, 44 }, { 44, 48 }, { 64, 64 } };
    for (size_t i = 0; i < ARRAY_LEN(widths); i++)
        for (size_t der_len = 4; der_len <= 120; der_len++) {
            struct spec spec = spec_of(SCRIPT_JS);
            spec.width = widths[i][0];
            spec.last_max = widths[i][1];
            spec.der_len = der_len;
            struct seen s = look(&spec);
            assert_clean(&s, &spec);
        }
}

static void powershell_text_is_hashed_as_utf16_with_its_bom(void **state)
{
    UNUSED(state);
    struct spec spec = spec_of(SCRIPT_PS1);
    spec.text = "# \xC3\xA9\r\n";
    static const char bare[] = "#\0 \0\xE9\0\r\0\n";
    static const char with_bom[] = "\xFF\xFE#\0 \0\xE9\0\r\0\n";
    for (int encoding = PLAIN; encoding <= UTF16_PLAIN; encoding++) {
        spec.encoding = (enum encoding)encoding;
        bool has_bom = encoding == UTF8_BOM || encoding == UTF16_BOM;
        struct seen s = look(&spec);
        assert_digest_is_of(&s, has_bom ? span_of(with_bom, 12) : span_of(bare, 10));
        assert_int_equal(s.findings.n, 0);
    }
}

static void host_scripts_hash_the_place_and_no_bom(void **state)
{
    UNUSED(state);
    static const char wanted[] = "/\0/\0\xE9\0\x03\0\0";
    struct spec spec = spec_of(SCRIPT_JS);
    spec.text = "//\xC3\xA9";
    static const enum encoding encodings[] = { UTF8_BOM, UTF16_BOM, UTF16_PLAIN };
    for (size_t i = 0; i < ARRAY_LEN(encodings); i++) {
        spec.encoding = encodings[i];
        struct seen s = look(&spec);
        assert_digest_is_of(&s, span_of(wanted, 10));
    }
}

static void host_scripts_without_bom_are_in_the_ansi_code_page(void **state)
{
    UNUSED(state);
    static const char wanted[] = "\xC3\0\xA9\0\xAC\x20\x81\0\x04\0\0";
    struct spec spec = spec_of(SCRIPT_VBS);
    spec.text = "\xC3\xA9\x80\x81";
    struct seen s = look(&spec);
    assert_digest_is_of(&s, span_of(wanted, 12));
    assert_int_equal(s.findings.n, 0);
}

static void characters_past_the_basic_plane_are_two_units(void **state)
{
    UNUSED(state);
    static const char wanted[] = "\xFF\xFE\x3C\xD8\x4E\xDF";
    struct spec spec = spec_of(SCRIPT_MOF);
    spec.encoding = UTF8_BOM;
    spec.text = "\xF0\x9F\x8D\x8E";
    struct seen s = look(&spec);
    assert_digest_is_of(&s, span_of(wanted, 6));
}

static void a_wsf_block_lies_inside_the_text(void **state)
{
    UNUSED(state);
    static const char wanted[] = "a\0b\0c\0\x01\0\0";
    struct spec spec = spec_of(SCRIPT_WSF);
    spec.text = "a";
    spec.after = "bc";
    struct seen s = look(&spec);
    assert_clean(&s, &spec);
    assert_digest_is_of(&s, span_of(wanted, 10));
}

static void long_text_is_hashed_to_the_last_character(void **state)
{
    UNUSED(state);
    static char text[20001];
    static uint8_t wanted[40000];
    memset(text, 'x', sizeof(text) - 1);
    for (size_t i = 0; i < sizeof(wanted); i += 2)
        wanted[i] = 'x';
    text[19999] = 'y';
    wanted[39998] = 'y';
    struct spec spec = spec_of(SCRIPT_PS1);
    spec.text = text;
    struct seen s = look(&spec);
    assert_digest_is_of(&s, span_of(wanted, sizeof(wanted)));
}

static void the_binding_is_the_kinds_own_guid(void **state)
{
    UNUSED(state);
    static const uint8_t powershell[] = { 0x1F, 0xCC, 0x3B, 0x60 }, js[] = { 0x10, 0xE0, 0xC9, 6 },
                         vbs[] = { 0x4E, 0xF0, 0x29, 0x16 }, wsf[] = { 0x70, 5, 0x61, 0x1A };
    static const uint8_t *const first[N_SCRIPT_LANGUAGES] = {
        [SCRIPT_PS1] = powershell, [SCRIPT_PS_XML] = powershell, [SCRIPT_MOF] = powershell,
        [SCRIPT_JS] = js,          [SCRIPT_VBS] = vbs,           [SCRIPT_WSF] = wsf,
    };
    for (int language = 0; language < N_SCRIPT_LANGUAGES; language++) {
        struct spec spec = spec_of((enum script_language)language);
        struct seen s = look(&spec);
        assert_int_equal(s.binding.type, OID_SPC_SIP_INFO);
        assert_memory_equal(s.binding.sip_guid, first[language], 4);
    }
}

/* --- what is refused */

static bool differs(const struct seen *a, const struct seen *b)
{
    return a->kind != b->kind || a->open != E_OK || a->signature != E_OK || a->findings.n > 0 ||
           a->der_len != b->der_len || memcmp(a->der, b->der, a->der_len) != 0 ||
           memcmp(a->sha256.bytes, b->sha256.bytes, a->sha256.len) != 0;
}

static void every_bit_of_a_signed_script_counts(void **state)
{
    UNUSED(state);
    for (int language = 0; language < N_SCRIPT_LANGUAGES; language++)
        for (int encoding = PLAIN; encoding <= UTF16_PLAIN; encoding++) {
            struct spec spec = spec_of((enum script_language)language);
            spec.encoding = (enum encoding)encoding;
            struct buf b = write_script(&spec);
            struct seen whole = look_at(buf_span(&b));
            for (size_t bit = 0; bit < b.len * 8; bit++) {
                b.ptr[bit / 8] ^= (uint8_t)(1U << bit % 8);
                struct seen s = look_at(buf_span(&b));
                if (!differs(&s, &whole))
                    fail_msg("style %d encoding %d: bit %zu of byte %zu can be flipped", language,
                             encoding, bit % 8, bit / 8);
                b.ptr[bit / 8] ^= (uint8_t)(1U << bit % 8);
            }
            buf_fini(&b);
        }
}

static void every_byte_removed_or_doubled_counts(void **state)
{
    UNUSED(state);
    for (int language = 0; language < N_SCRIPT_LANGUAGES; language++) {
        struct spec spec = spec_of((enum script_language)language);
        struct buf b = write_script(&spec);
        struct seen whole = look_at(buf_span(&b));
        uint8_t edited[2048];
        for (size_t i = 0; i < b.len; i++) {
            memcpy(edited, b.ptr, i);
            memcpy(edited + i, b.ptr + i + 1, b.len - i - 1);
            struct seen shorter = look_at(span_of(edited, b.len - 1));
            edited[i] = b.ptr[i];
            memcpy(edited + i + 1, b.ptr + i, b.len - i);
            struct seen longer = look_at(span_of(edited, b.len + 1));
            if (!differs(&shorter, &whole) || !differs(&longer, &whole))
                fail_msg("style %d: byte %zu can be removed or doubled", language, i);
        }
        buf_fini(&b);
    }
}

static void assert_finding(const struct spec *spec, enum reason reason, enum weight weight)
{
    struct seen s = look(spec);
    assert_int_equal(s.open, E_OK);
    assert_true(findings_have(&s.findings, reason));
    assert_true(findings_have_weight(&s.findings, weight));
}

static void text_after_the_block_is_trailing_data(void **state)
{
    UNUSED(state);
    static const char *const tails[] = { "\r\n", "\n", " ", "x", "iex $x\r\n", "# harmless\r\n" };
    for (int language = 0; language < N_SCRIPT_LANGUAGES; language++)
        for (size_t i = 0; i < ARRAY_LEN(tails); i++) {
            struct spec spec = spec_of((enum script_language)language);
            spec.after = tails[i];
            if (language != SCRIPT_WSF)
                assert_finding(&spec, REASON_TRAILING_DATA, WEIGHT_FATAL);
        }
}

static void a_block_in_another_layout_is_malformed(void **state)
{
    UNUSED(state);
    struct spec spec = spec_of(SCRIPT_PS1);
    spec.eol = "\n";
    assert_finding(&spec, REASON_MALFORMED, WEIGHT_COVERAGE);
    spec = spec_of(SCRIPT_PS1);
    spec.width = spec.last_max = 60;
    assert_finding(&spec, REASON_MALFORMED, WEIGHT_COVERAGE);
    spec = spec_of(SCRIPT_PS1);
    spec.width = spec.last_max = 44;
    assert_finding(&spec, REASON_MALFORMED, WEIGHT_COVERAGE);
    spec = spec_of(SCRIPT_PS1);
    spec.is_end_open = true;
    assert_finding(&spec, REASON_MALFORMED, WEIGHT_COVERAGE);
    spec = spec_of(SCRIPT_JS);
    spec.width = spec.last_max = 48;
    assert_finding(&spec, REASON_MALFORMED, WEIGHT_COVERAGE);
}

static void a_second_block_of_any_style_is_malformed(void **state)
{
    UNUSED(state);
    for (int inner = 0; inner < N_SCRIPT_LANGUAGES; inner++)
        for (int outer = 0; outer < N_SCRIPT_LANGUAGES; outer++) {
            struct spec spec = spec_of((enum script_language)inner);
            struct buf first = write_script(&spec);
            assert_int_equal(buf_add_byte(&first, 0, NULL), E_OK);
            spec = spec_of((enum script_language)outer);
            spec.text = (const char *)first.ptr;
            assert_finding(&spec, REASON_MALFORMED, WEIGHT_FATAL);
            buf_fini(&first);
        }
}

static void bytes_that_are_no_utf8_are_malformed(void **state)
{
    UNUSED(state);
    static const char *const texts[] = { "\xFF", "\xC0\xAF", "\xED\xA0\x80", "a\xC3", "\x80" };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct spec spec = spec_of(SCRIPT_PS1);
        spec.text = texts[i];
        assert_finding(&spec, REASON_MALFORMED, WEIGHT_COVERAGE);
        spec = spec_of(SCRIPT_JS);
        spec.text = texts[i];
        spec.encoding = UTF8_BOM;
        assert_finding(&spec, REASON_MALFORMED, WEIGHT_COVERAGE);
    }
}

#define BEGIN "\r\n# SIG # Begin signature block\r\n"
#define END "# SIG # End signature block\r\n"

static void a_block_that_does_not_read_is_refused(void **state)
{
    UNUSED(state);
    static const struct {
        const char *what, *text;
    } bad[] = {
        { "no line", BEGIN END },
        { "no end line", BEGIN "# MAQEAgEC\r\n" },
        { "no mark", BEGIN "MAQEAgEC\r\n" END },
        { "code", BEGIN "# MAQEAgEC\r\niex $x\r\n" END },
        { "an empty line", BEGIN "# MAQEAgEC\r\n\r\n" END },
        { "another mark", BEGIN "// MAQEAgEC\r\n" END },
        { "no base64", BEGIN "# MAQE-gEC\r\n" END },
        { "blank at the end", BEGIN "# MAQEAgEC \r\n" END },
        { "padding in the middle", BEGIN "# MA==\r\n# BAIBAg==\r\n" END },
        { "padding missing", BEGIN "# MAMEAQE\r\n" END },
        { "unused bits", BEGIN "# MAMEAQH=\r\n" END },
        { "words after the end line", BEGIN "# MAQEAgEC\r\n# SIG # End signature block x\r\n" },
        { "DER cut short", BEGIN "# MAUEAgEC\r\n" END },
        { "DER with a long length", BEGIN "# MIEEBAIBAg==\r\n" END },
        { "no SEQUENCE", BEGIN "# MQQEAgEC\r\n" END },
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct seen s = look_at_text(bad[i].text);
        assert_int_equal(s.kind, KIND_SCRIPT_POWERSHELL);
        if (!errc_is_about_bytes(s.open))
            fail_msg("%s: open gives %s", bad[i].what, errc_name(s.open));
    }
    struct seen good = look_at_text(BEGIN "# MAQEAgEC\r\n" END);
    assert_int_equal(good.open, E_OK);
    assert_int_equal(good.findings.n, 0);
}

static void bytes_behind_the_der_are_trailing_data(void **state)
{
    UNUSED(state);
    struct seen s = look_at_text(BEGIN "# MAQEAgECAA==\r\n" END);
    assert_int_equal(s.open, E_OK);
    assert_int_equal(s.der_len, 6);
    assert_true(findings_have(&s.findings, REASON_TRAILING_DATA));
}

static void begin_lines_in_capitals_are_found_and_refused(void **state)
{
    UNUSED(state);
    struct seen s = look_at_text("\r\n# SIG # BEGIN SIGNATURE BLOCK\r\n# MAQEAgEC\r\n" END);
    assert_int_equal(s.open, E_OK);
    assert_true(findings_have(&s.findings, REASON_MALFORMED));
}

static void utf16_of_an_odd_length_or_with_an_ascii_block_is_malformed(void **state)
{
    UNUSED(state);
    struct spec spec = spec_of(SCRIPT_PS1);
    spec.encoding = UTF16_BOM;
    struct buf b = write_script(&spec);
    assert_int_equal(buf_add_byte(&b, 'x', NULL), E_OK);
    assert_int_equal(look_at(buf_span(&b)).open, E_MALFORMED);
    buf_fini(&b);

    buf_init(&b, FILE_MAX);
    add(&b, "\xFF\xFE");
    add_wide(&b, span_text("some text"));
    add(&b, BEGIN "# MAQEAgEC\r\n" END);
    assert_int_equal(look_at(buf_span(&b)).open, E_MALFORMED);
    buf_fini(&b);
}

static void a_script_past_the_limit_is_a_limit(void **state)
{
    UNUSED(state);
    struct buf b;
    uint8_t *fill;
    buf_init(&b, SCRIPT_BYTES_MAX + 4096);
    assert_int_equal(buf_reserve(&b, SCRIPT_BYTES_MAX, &fill, NULL), E_OK);
    memset(fill, 'x', SCRIPT_BYTES_MAX);
    b.len = SCRIPT_BYTES_MAX;
    assert_int_equal(look_at(buf_span(&b)).kind, KIND_OTHER);
    add(&b, BEGIN "# MAQEAgEC\r\n" END);
    assert_int_equal(look_at(buf_span(&b)).open, E_LIMIT);
    buf_fini(&b);
}

/* --- which kind */

static void an_unsigned_script_is_known_by_its_first_statement(void **state)
{
    UNUSED(state);
    static const struct {
        const char *text;
        enum file_kind kind;
    } texts[] = {
        { "write-host \"Hello World!\"\r\n", KIND_SCRIPT_POWERSHELL },
        { "\xEF\xBB\xBF# comment\r\n\r\nParam(\r\n", KIND_SCRIPT_POWERSHELL },
        { "<# help\r\n text #>\r\n[CmdletBinding()]param()", KIND_SCRIPT_POWERSHELL },
        { "#Requires -Version 5\n", KIND_SCRIPT_POWERSHELL },
        { "@{\r\nModuleVersion = '1'\r\n}", KIND_SCRIPT_POWERSHELL },
        { "cls\r\n", KIND_SCRIPT_POWERSHELL },
        { "/* c */\n#pragma namespace(\"x\")\n", KIND_SCRIPT_POWERSHELL },
        { "WScript.Echo(1);", KIND_SCRIPT_WSH },
        { "' hello\r\nOption Explicit\r\n", KIND_SCRIPT_WSH },
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct seen s = look_at_text(texts[i].text);
        if (s.kind != texts[i].kind)
            fail_msg("kind %d of \"%s\"", (int)s.kind, texts[i].text);
        assert_int_equal(s.open, E_OK);
        assert_int_equal(s.signature, E_ABSENT);
        assert_int_equal(s.digest, E_OK);
    }
}

static void other_text_is_no_script(void **state)
{
    UNUSED(state);
    static const char *const texts[] = {
        "",
        "Write to us.\n",
        "# Readme\n\nRun it:\n\n    Import-Module Kit\n",
        "Sign it, then look for \"# SIG # Begin signature block\" in it.\n",
        "{\n \"write-host\": 1\n}\n",
        "<?xml version=\"1.0\"?>\n<feed>\n<signature>\nabc\n</signature>\n</feed>\n",
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
        "untrusted comment: x\nRWQ\ntrusted comment: y\nabc\n",
        "#!/bin/sh\nset -eu\necho hi\n",
        "#!/usr/bin/env python3\nimport os\n",
        "/* licence */\n#include <stdio.h>\nint main(void) { return 0; }\n",
        "//\n",
        "/*",
        "<#",
        "a,b,c\n1,2,3\n",
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        if (look_at_text(texts[i]).kind != KIND_OTHER)
            fail_msg("a script: \"%s\"", texts[i]);
}

static void an_archive_of_scripts_is_no_script(void **state)
{
    UNUSED(state);
    static const char archive[] = "kit.ps1\0\0\0\0" BEGIN "# MAQEAgEC\r\n" END;
    assert_int_equal(look_at(span_of(archive, sizeof(archive) - 1)).kind, KIND_OTHER);
}

/* --- the corpus */

static bool holds(struct span whole, struct span part)
{
    for (size_t i = 0; i + part.len <= whole.len; i++)
        if (memcmp(whole.ptr + i, part.ptr, part.len) == 0)
            return true;
    return false;
}

/* 1: its signature holds the digest of the file, in one of two algorithms. */
static int digest_matches(const char *path, struct findings *findings)
{
    const uint32_t algs = DIGEST_BIT(DIGEST_SHA256) | DIGEST_BIT(DIGEST_SHA1);
    struct report report = { .n_ranges = 0 };
    struct format_signature sig;
    struct digest_set set;
    struct source *src;
    struct format *f;
    assert_int_equal(source_file_open(path, &src, NULL), E_OK);
    assert_int_equal(format_script_powershell.open(src, &report, &f, NULL), E_OK);
    assert_int_equal(format_script_powershell.signature(f, &sig, NULL), E_OK);
    assert_int_equal(format_script_powershell.digest(f, algs, &set, &report, NULL), E_OK);
    int matches = holds(sig.der, digest_span(&set.of[DIGEST_SHA256])) ||
                  holds(sig.der, digest_span(&set.of[DIGEST_SHA1]));
    format_script_powershell.close(f);
    *findings = report.findings;
    report_fini(&report);
    source_close(src);
    return matches;
}

/* check_row judges one row of INDEX.tsv: id, type, path, size, sha256, origin, expected, why. */
static int check_row(const char *corpus, const char *line)
{
    char type[16], name[256], expected[32], path[512];
    struct findings findings;
    if (sscanf(line, "%*[^\t]\t%15[^\t]\t%255[^\t]\t%*[^\t]\t%*[^\t]\t%*[^\t]\t%31[^\t]", type,
               name, expected) != 3 ||
        strcmp(type, "script") != 0)
        return 0;
    bool is_valid = strcmp(expected, "valid") == 0;
    if (!is_valid && strcmp(expected, "bad-digest") != 0)
        return 0;
    (void)snprintf(path, sizeof(path), "%s/%s", corpus, name);
    if (digest_matches(path, &findings) != is_valid)
        fail_msg("%s: expected %s", name, expected);
    if (is_valid && findings.n > 0)
        fail_msg("%s: %s", name, findings.items[0].text);
    return 1;
}

static void scripts_of_the_corpus_have_the_signed_digest_or_not(void **state)
{
    UNUSED(state);
    const char *corpus = getenv("SUREFOOT_CORPUS");
    char path[512], line[2048];
    (void)snprintf(path, sizeof(path), "%s/INDEX.tsv", corpus == NULL ? "" : corpus);
    FILE *index = corpus == NULL ? NULL : fopen(path, "r");
    if (index == NULL) {
        print_message("the corpus is not there\n");
        skip();
        return;
    }
    int n = 0;
    while (fgets(line, sizeof(line), index) != NULL)
        n += check_row(corpus, line);
    (void)fclose(index);
    assert_in_range(n, 20, 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_style_and_encoding_reads_clean),
        cmocka_unit_test(windows_script_host_lines_have_three_lengths),
        cmocka_unit_test(powershell_text_is_hashed_as_utf16_with_its_bom),
        cmocka_unit_test(host_scripts_hash_the_place_and_no_bom),
        cmocka_unit_test(host_scripts_without_bom_are_in_the_ansi_code_page),
        cmocka_unit_test(characters_past_the_basic_plane_are_two_units),
        cmocka_unit_test(a_wsf_block_lies_inside_the_text),
        cmocka_unit_test(long_text_is_hashed_to_the_last_character),
        cmocka_unit_test(the_binding_is_the_kinds_own_guid),
        cmocka_unit_test(every_bit_of_a_signed_script_counts),
        cmocka_unit_test(every_byte_removed_or_doubled_counts),
        cmocka_unit_test(text_after_the_block_is_trailing_data),
        cmocka_unit_test(a_block_in_another_layout_is_malformed),
        cmocka_unit_test(a_second_block_of_any_style_is_malformed),
        cmocka_unit_test(bytes_that_are_no_utf8_are_malformed),
        cmocka_unit_test(a_block_that_does_not_read_is_refused),
        cmocka_unit_test(bytes_behind_the_der_are_trailing_data),
        cmocka_unit_test(begin_lines_in_capitals_are_found_and_refused),
        cmocka_unit_test(utf16_of_an_odd_length_or_with_an_ascii_block_is_malformed),
        cmocka_unit_test(a_script_past_the_limit_is_a_limit),
        cmocka_unit_test(an_unsigned_script_is_known_by_its_first_statement),
        cmocka_unit_test(other_text_is_no_script),
        cmocka_unit_test(an_archive_of_scripts_is_no_script),
        cmocka_unit_test(scripts_of_the_corpus_have_the_signed_digest_or_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
