/* The maker's writers: what they write is what the client's readers read, in one form, and what no
 * client would read is never given out. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "keys/publish/write_feed.h"
#include "keys/publish/write_release.h"
#include "manifest/xml_out.h"
#include "platform/base/text.h"

#define T0 INT64_C(1764028800) /* 2025-11-25T00:00:00Z */
#define DAY INT64_C(86400)

static struct version version_of(const char *text)
{
    struct version v;
    struct err err;
    if (version_read(span_text(text), &v, &err) != E_OK)
        fail_msg("%s", err.text);
    return v;
}

static struct version_pattern pattern_of(const char *text)
{
    struct version_pattern p;
    struct err err;
    assert_int_equal(version_pattern_read(span_text(text), &p, &err), E_OK);
    return p;
}

static bool has_text(const struct buf *b, const char *text)
{
    size_t len = strlen(text);
    for (size_t at = 0; at + len <= b->len; at++)
        if (memcmp(b->ptr + at, text, len) == 0)
            return true;
    return false;
}

static void assert_refused(enum errc rc, enum errc wanted, const struct err *err, const char *words)
{
    if (rc != wanted || strstr(err->text, words) == NULL)
        fail_msg("%s and \"%s\" belong there, not %s: %s", errc_name(wanted), words, errc_name(rc),
                 err->text);
}

/* --- xml_out */

static void xml_has_one_form(void **state)
{
    static const char wanted[] = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                                 "<a xmlns=\"urn:x\" n=\"18446744073709551615\">\n"
                                 "  <b/>\n"
                                 "  <c t=\"1970-01-01T00:00:00Z\" h=\"00ff\">text</c>\n"
                                 "  <d>\n"
                                 "    <e>\xC3\xA4 &amp;&lt;&gt;&quot;'</e>\n"
                                 "  </d>\n"
                                 "</a>\n";
    struct xml_out x;
    struct buf b;
    struct err err;
    UNUSED(state);
    buf_init(&b, 4096);
    xml_out_init(&x, &b);
    xml_out_start(&x, "a");
    xml_out_attr_text(&x, "xmlns", "urn:x");
    xml_out_attr_number(&x, "n", UINT64_MAX);
    xml_out_start(&x, "b");
    xml_out_end(&x);
    xml_out_start(&x, "c");
    xml_out_attr_time(&x, "t", 0);
    xml_out_attr_hex(&x, "h", span_of("\0\xFF", 2));
    xml_out_text(&x, span_text("text"));
    xml_out_end(&x);
    xml_out_start(&x, "d");
    xml_out_start(&x, "e");
    xml_out_text(&x, span_text("\xC3\xA4 &<>\"'"));
    xml_out_end(&x);
    xml_out_end(&x);
    xml_out_end(&x);
    assert_int_equal(xml_out_finish(&x, &err), E_OK);
    assert_int_equal(b.len, sizeof(wanted) - 1);
    assert_memory_equal(b.ptr, wanted, b.len);
    buf_fini(&b);
}

static void xml_refuses_what_would_not_come_back(void **state)
{
    static const struct {
        const char *value, *words;
        size_t len;
        bool in_text_alone;
    } rows[] = {
        { "a\tb", "control character", 3, false },
        { "a\nb", "control character", 3, false },
        { "a\rb", "control character", 3, false },
        { "a\0b", "control character", 3, false },
        { "a\x1B[0m", "control character", 5, false },
        { "a\x7F", "control character", 2, false },
        { "a\xC2\x85", "control character", 3, false },     /* U+0085 */
        { "a\xE2\x80\xA8", "control character", 4, false }, /* U+2028 */
        { "a\xEF\xBF\xBE", "control character", 4, false }, /* U+FFFE */
        { "a\xFF", "no UTF-8", 2, false },
        { "a\xC0\x80", "no UTF-8", 3, false },     /* overlong */
        { "a\xED\xA0\x80", "no UTF-8", 4, false }, /* a surrogate */
        { " a", "spaces around", 2, true },
        { "a ", "spaces around", 2, true },
    };
    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        for (int in_text = 0; in_text < 2; in_text++) {
            struct xml_out x;
            struct buf b;
            struct err err;
            buf_init(&b, 4096);
            xml_out_init(&x, &b);
            xml_out_start(&x, "a");
            if (in_text != 0)
                xml_out_text(&x, span_of(rows[i].value, rows[i].len));
            else
                xml_out_attr(&x, "b", span_of(rows[i].value, rows[i].len));
            xml_out_end(&x);
            enum errc rc = xml_out_finish(&x, &err);
            if (rows[i].in_text_alone && in_text == 0)
                assert_int_equal(rc, E_OK);
            else
                assert_refused(rc, E_MALFORMED, &err, rows[i].words);
            buf_fini(&b);
        }
    }
}

static void xml_keeps_its_first_error(void **state)
{
    struct xml_out x;
    struct buf b;
    struct err err;
    UNUSED(state);
    buf_init(&b, 42); /* the declaration and a little more */
    xml_out_init(&x, &b);
    for (int i = 0; i < 10; i++) {
        xml_out_start(&x, "element");
        xml_out_attr_text(&x, "a", "\x01");
    }
    assert_int_equal(xml_out_finish(&x, &err), E_LIMIT);
    buf_fini(&b);
    buf_init(&b, 4096);
    xml_out_init(&x, &b);
    xml_out_start(&x, "element");
    assert_refused(xml_out_finish(&x, &err), E_INTERNAL, &err, "left open");
    buf_fini(&b);
}

/* --- feeds */

static struct version_range ranges[2];
static struct feed_skip skips[2];
static struct feed_release feed_releases[3];
static struct feed_support supports[3];

static struct document_ref document_of(const char *path)
{
    struct document_ref d = { .path = path, .size = 1234 };
    memset(d.sha256, 0xAB, sizeof(d.sha256));
    return d;
}

/* A feed that uses every field, with its lists out of order. */
static struct feed feed_full(void)
{
    struct feed feed = { .product = "orchard", .channel = "stable", .serial = 42 };
    feed.issued = T0;
    feed.expires = T0 + 30 * DAY;
    ranges[0] = (struct version_range){ true, true, version_of("1.4"), version_of("2.1") };
    ranges[1] = (struct version_range){ .has_lowest = true, .lowest = version_of("0.9-rc.1") };
    skips[0].version = pattern_of("1.9.3");
    skips[1].version = pattern_of("1.8.*");
    feed_releases[0] =
        (struct feed_release){ .version = version_of("2.0"), .status = STATUS_WITHDRAWN };
    feed_releases[0].document = document_of("2.0/release.xml");
    feed_releases[1] = (struct feed_release){ .version = version_of("2.1.0+build.7"),
                                              .severity = SEVERITY_CRITICAL,
                                              .rollout = { T0 + DAY, 10, 3600 },
                                              .os = 1U << OS_LINUX | 1U << OS_WINDOWS,
                                              .arch = 1U << ARCH_AARCH64,
                                              .install_by = T0 + 9 * DAY };
    feed_releases[1].document = document_of("2.1.0+build.7/release.xml");
    feed_releases[1].from.items = ranges;
    feed_releases[1].from.n = 2;
    feed_releases[1].skip.items = skips;
    feed_releases[1].skip.n = 2;
    feed_releases[2] = (struct feed_release){ .version = version_of("2.1.0-rc.1"),
                                              .status = STATUS_DOWNLOAD,
                                              .severity = SEVERITY_MODERATE,
                                              .rollout = { T0, 100, 0 } };
    feed_releases[2].document = document_of("2.1.0-rc.1/release.xml");
    supports[0] = (struct feed_support){ pattern_of("2.*"), T0 + 400 * DAY, 30 * DAY };
    supports[1] = (struct feed_support){ pattern_of("1.*"), T0 + 40 * DAY, 0 };
    supports[2] = (struct feed_support){ pattern_of("1"), T0 + 20 * DAY, 3601 };
    feed.releases.items = feed_releases;
    feed.releases.n = 3;
    feed.supports.items = supports;
    feed.supports.n = 3;
    return feed;
}

static void feed_comes_back_as_it_went(void **state)
{
    static const char *const in_order[] = { "2.1.0+build.7", "2.1.0-rc.1", "2.0" };
    struct feed feed = feed_full(), back;
    struct buf b, again;
    struct err err;
    UNUSED(state);
    buf_init(&b, FEED_BYTES_MAX);
    buf_init(&again, FEED_BYTES_MAX);
    if (write_feed(&feed, &b, &err) != E_OK)
        fail_msg("%s", err.text);
    assert_int_equal(feed_read_unverified(buf_span(&b), &back, &err), E_OK);
    assert_int_equal(back.releases.n, 3);
    for (size_t i = 0; i < 3; i++)
        assert_string_equal(back.releases.items[i].version.text, in_order[i]);
    const struct feed_release *r = &back.releases.items[0];
    assert_int_equal(r->severity, SEVERITY_CRITICAL);
    assert_int_equal(r->rollout.start, T0 + DAY);
    assert_int_equal(r->rollout.percent, 10);
    assert_int_equal(r->rollout.step_s, 3600);
    assert_int_equal(r->os, 1U << OS_LINUX | 1U << OS_WINDOWS);
    assert_int_equal(r->arch, 1U << ARCH_AARCH64);
    assert_int_equal(r->from.n, 2);
    assert_string_equal(r->from.items[0].below.text, "2.1");
    assert_false(r->from.items[1].has_below);
    assert_int_equal(r->skip.n, 2);
    assert_true(r->skip.items[1].version.is_open);
    assert_int_equal(r->install_by, T0 + 9 * DAY);
    assert_int_equal(back.releases.items[2].status, STATUS_WITHDRAWN);
    assert_int_equal(back.releases.items[2].rollout.percent, 0);
    assert_int_equal(back.supports.n, 3);
    assert_int_equal(back.supports.items[0].notice_s, 3601);
    assert_int_equal(back.supports.items[1].notice_s, 0);
    assert_true(has_text(&b, "product=\"orchard\" channel=\"stable\" serial=\"42\""));
    /* What was read gives the same bytes. */
    assert_int_equal(write_feed(&back, &again, &err), E_OK);
    assert_int_equal(again.len, b.len);
    assert_memory_equal(again.ptr, b.ptr, b.len);
    feed_fini(&back);
    buf_fini(&again);
    buf_fini(&b);
}

typedef void (*spoil_fn)(struct feed *feed);

static void same_version_twice(struct feed *f)
{
    f->releases.items[2].version = version_of("2.0.0");
}
static void expires_first(struct feed *f)
{
    f->expires = f->issued;
}
static void lives_too_long(struct feed *f)
{
    f->expires = f->issued + FEED_LIFE_MAX_S + 1;
}
static void serial_zero(struct feed *f)
{
    f->serial = 0;
}
static void product_in_capitals(struct feed *f)
{
    f->product = "Orchard";
}
static void path_leaves(struct feed *f)
{
    f->releases.items[0].document.path = "../release.xml";
}
static void step_too_short(struct feed *f)
{
    f->releases.items[1].rollout.step_s = 59;
}
static void percent_too_large(struct feed *f)
{
    f->releases.items[1].rollout.percent = 101;
}
static void range_empty(struct feed *f)
{
    f->releases.items[1].from.items[0].below = version_of("1.4.0");
}
static void range_of_nothing(struct feed *f)
{
    f->releases.items[1].from.items[1].has_lowest = false;
}
static void channel_of_control(struct feed *f)
{
    f->channel = "sta\nble";
}
/* Two that the writer can't spell: they would be lost in silence. */
static void os_without_a_word(struct feed *f)
{
    f->releases.items[1].os |= 1U << 20;
}
static void rollout_negative(struct feed *f)
{
    f->releases.items[1].rollout.step_s = -5;
}

static void feed_that_no_client_reads_is_not_given_out(void **state)
{
    static const struct {
        spoil_fn spoil;
        enum errc rc;
        const char *words;
    } rows[] = {
        { same_version_twice, E_MALFORMED, "two releases" },
        { expires_first, E_MALFORMED, "expires" },
        { lives_too_long, E_MALFORMED, "366 days" },
        { serial_zero, E_MALFORMED, "serial" },
        { product_in_capitals, E_MALFORMED, "product" },
        { path_leaves, E_MALFORMED, "path" },
        { step_too_short, E_MALFORMED, "step" },
        { percent_too_large, E_MALFORMED, "percent" },
        { range_empty, E_MALFORMED, "no version is at least" },
        { range_of_nothing, E_MALFORMED, "neither" },
        { channel_of_control, E_MALFORMED, "control character" },
        { os_without_a_word, E_INTERNAL, "read back" },
        { rollout_negative, E_INTERNAL, "read back" },
    };
    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct feed feed = feed_full();
        struct buf b;
        struct err err;
        buf_init(&b, FEED_BYTES_MAX);
        rows[i].spoil(&feed);
        assert_refused(write_feed(&feed, &b, &err), rows[i].rc, &err, rows[i].words);
        assert_int_equal(b.len, 0);
        buf_fini(&b);
    }
}

static void feed_that_is_too_large_is_a_limit(void **state)
{
    struct feed feed = feed_full();
    struct buf b;
    struct err err;
    UNUSED(state);
    buf_init(&b, 300);
    assert_int_equal(write_feed(&feed, &b, &err), E_LIMIT);
    assert_int_equal(b.len, 0);
    buf_fini(&b);
}

/* --- releases */

static struct payload payloads[2];
static struct payload_demand demands[2];
static struct payload_mirror mirrors[2];
static struct release_file files[3];
static struct release_folder folders[2];
static struct release_link links[2];

static void fill_tree(struct payload *p)
{
    files[0] = (struct release_file){ .path = "lib/z", .size = 5, .mode = 0644 };
    files[1] = (struct release_file){ .path = "bin/orchard", .size = 7, .mode = 0755 };
    files[2] = (struct release_file){ .path = "a & b'c", .size = 0, .mode = 0 };
    folders[0] = (struct release_folder){ "var/log", 0750 };
    folders[1] = (struct release_folder){ "\xC3\xA4pfel", 0755 };
    links[0] = (struct release_link){ "lib/y", "z" };
    links[1] = (struct release_link){ "bin/sub", "../lib/z" };
    p->files.items = files;
    p->files.n = 3;
    p->folders.items = folders;
    p->folders.n = 2;
    p->links.items = links;
    p->links.n = 2;
    p->unpacked_size = 12;
}

static struct release release_full(void)
{
    struct release r = { .product = "orchard", .version = version_of("2.1.0"), .created = T0 };
    payloads[0] = (struct payload){ .kind = PAYLOAD_MSI,
                                    .os = 1U << OS_WINDOWS,
                                    .arch = 1U << ARCH_X86_64,
                                    .path = "orchard.msi",
                                    .size = 1,
                                    .unpacked_size = 99,
                                    .upgrade_code = "{01234567-89AB-CDEF-0123-456789ABCDEF}",
                                    .product_code = "{11234567-89AB-CDEF-0123-456789ABCDEF}",
                                    .product_version = version_of("2.01.0") };
    demands[0] = (struct payload_demand){ DEMAND_AUTHENTICODE, "Orchard & Works", true };
    payloads[0].demands.items = &demands[0];
    payloads[0].demands.n = 1;
    payloads[1] = (struct payload){ .os = 1U << OS_LINUX, .path = "orchard-linux.tar.zst" };
    payloads[1].size = UINT64_C(5) << 32;
    memset(payloads[1].sha256, 0x1F, sizeof(payloads[1].sha256));
    demands[1] = (struct payload_demand){ .system = DEMAND_MINISIGN };
    payloads[1].demands.items = &demands[1];
    payloads[1].demands.n = 1;
    mirrors[0].url = "https://mirror.example.org/z";
    mirrors[1].url = "https://a.example.org/x?y=1&z=2";
    payloads[1].mirrors.items = mirrors;
    payloads[1].mirrors.n = 2;
    fill_tree(&payloads[1]);
    r.payloads.items = payloads;
    r.payloads.n = 2;
    return r;
}

static void release_comes_back_as_it_went(void **state)
{
    struct release release = release_full(), back;
    struct buf b, again;
    struct err err;
    UNUSED(state);
    buf_init(&b, RELEASE_BYTES_MAX);
    buf_init(&again, RELEASE_BYTES_MAX);
    if (write_release(&release, &b, &err) != E_OK)
        fail_msg("%s", err.text);
    assert_int_equal(release_read_unverified(buf_span(&b), &back, &err), E_OK);
    assert_int_equal(back.payloads.n, 2);
    const struct payload *p = &back.payloads.items[0], *msi = &back.payloads.items[1];
    assert_string_equal(p->path, "orchard-linux.tar.zst"); /* "-" is before "." */
    assert_int_equal(p->size, UINT64_C(5) << 32);
    assert_int_equal(p->sha256[31], 0x1F);
    assert_string_equal(p->mirrors.items[0].url, mirrors[0].url); /* in their own order */
    assert_string_equal(p->mirrors.items[1].url, mirrors[1].url);
    assert_string_equal(p->files.items[0].path, "a & b'c");
    assert_int_equal(p->files.items[0].mode, 0);
    assert_string_equal(p->files.items[1].path, "bin/orchard");
    assert_int_equal(p->files.items[1].mode, 0755);
    assert_string_equal(p->links.items[0].to, "../lib/z");
    assert_string_equal(p->folders.items[1].path, "\xC3\xA4pfel");
    assert_string_equal(msi->demands.items[0].publisher, "Orchard & Works");
    assert_true(msi->demands.items[0].needs_timestamp);
    assert_string_equal(msi->product_version.text, "2.01.0");
    assert_int_equal(write_release(&back, &again, &err), E_OK);
    assert_int_equal(again.len, b.len);
    assert_memory_equal(again.ptr, b.ptr, b.len);
    release_fini(&back);
    buf_fini(&again);
    buf_fini(&b);
}

typedef void (*spoil_release_fn)(struct release *release);

static void no_demand(struct release *r)
{
    r->payloads.items[1].demands.n = 0;
}
static void archive_with_authenticode(struct release *r)
{
    r->payloads.items[1].demands.items[0].system = DEMAND_AUTHENTICODE;
}
static void tree_empty(struct release *r)
{
    r->payloads.items[1].files.n = r->payloads.items[1].links.n = 0;
    r->payloads.items[1].unpacked_size = 0;
}
static void sum_wrong(struct release *r)
{
    r->payloads.items[1].unpacked_size++;
}
static void case_clash(struct release *r)
{
    r->payloads.items[1].files.items[0].path = "BIN/ORCHARD";
}
static void file_twice(struct release *r)
{
    r->payloads.items[1].files.items[0].path = "bin/orchard";
}
static void link_leaves(struct release *r)
{
    r->payloads.items[1].links.items[0].to = "../../etc/passwd";
}
static void setuid(struct release *r)
{
    r->payloads.items[1].files.items[0].mode = 04755;
}
static void path_absolute(struct release *r)
{
    r->payloads.items[1].files.items[0].path = "/etc/passwd";
}
static void url_of_script(struct release *r)
{
    r->payloads.items[1].mirrors.items[0].url = "javascript:x";
}
static void two_systems(struct release *r)
{
    r->payloads.items[1].arch = 1U << ARCH_X86 | 1U << ARCH_ARMV7;
}

static void release_that_no_client_reads_is_not_given_out(void **state)
{
    static const struct {
        spoil_release_fn spoil;
        const char *words;
    } rows[] = {
        { no_demand, "demands no signature" },
        { archive_with_authenticode, "authenticode" },
        { tree_empty, "file" },
        { sum_wrong, "unpacked-size" },
        { case_clash, "orchard" },
        { file_twice, "twice" },
        { link_leaves, "leaves the tree" },
        { setuid, "mode" },
        { path_absolute, "path" },
        { url_of_script, "mirror" },
        { two_systems, "arch" },
    };
    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct release release = release_full();
        struct buf b;
        struct err err;
        buf_init(&b, RELEASE_BYTES_MAX);
        rows[i].spoil(&release);
        assert_refused(write_release(&release, &b, &err), E_MALFORMED, &err, rows[i].words);
        assert_int_equal(b.len, 0);
        buf_fini(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(xml_has_one_form),
        cmocka_unit_test(xml_refuses_what_would_not_come_back),
        cmocka_unit_test(xml_keeps_its_first_error),
        cmocka_unit_test(feed_comes_back_as_it_went),
        cmocka_unit_test(feed_that_no_client_reads_is_not_given_out),
        cmocka_unit_test(feed_that_is_too_large_is_a_limit),
        cmocka_unit_test(release_comes_back_as_it_went),
        cmocka_unit_test(release_that_no_client_reads_is_not_given_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
