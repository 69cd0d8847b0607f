/* feed: what a maker offers, read; what is refused; who a release is for. */

#include "manifest/feed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "platform/base/buf.h"

#define HASH "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define ISSUED "2026-11-25T00:00:00Z"
#define EXPIRES "2026-12-25T00:00:00Z"
#define FEED(issued, expires, inside)                                                              \
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"                                                 \
    "<feed xmlns=\"urn:surefoot:feed:1\" product=\"orchard\" channel=\"stable\" serial=\"42\"\n"   \
    "      issued=\"" issued "\" expires=\"" expires "\">\n" inside "</feed>\n"
#define GOOD(inside) FEED(ISSUED, EXPIRES, inside) /* `inside` begins in line 4 */
#define DOCUMENT "<document path='2.1.0/release.xml' size='1234' sha256='" HASH "'/>\n"
/* What is put into a release stands in line 6. */
#define RELEASE(version, inside)                                                                   \
    "<release version='" version "' status='auto'>\n" DOCUMENT inside "</release>\n"

static void assert_refused_as(const char *text, enum errc code, int line, const char *says)
{
    struct feed feed;
    struct err err = { .text = "" };
    char where[24] = "";
    enum errc rc = feed_read_unverified(span_text(text), &feed, &err);
    if (rc == E_OK)
        feed_fini(&feed);
    if (line != 0)
        (void)snprintf(where, sizeof(where), "line %d: ", line);
    if (rc != code || strncmp(err.text, where, strlen(where)) != 0 ||
        strstr(err.text, says) == NULL)
        fail_msg("%.700s\ncode %d (%s), not \"%s...%s\"", text, (int)rc,
                 rc == E_OK ? "ok" : err.text, where, says);
}

static void assert_refused(const char *text, int line, const char *says)
{
    assert_refused_as(text, E_MALFORMED, line, says);
}

static struct feed read_good(const char *text)
{
    struct feed feed;
    struct err err;
    if (feed_read_unverified(span_text(text), &feed, &err) != E_OK)
        fail_msg("%s\n%s", text, err.text);
    return feed;
}

static void assert_read(const char *text)
{
    struct feed feed = read_good(text);
    feed_fini(&feed);
}

static struct version version_of(const char *text)
{
    struct version v;
    assert_int_equal(version_read(span_text(text), &v, NULL), E_OK);
    return v;
}

/* --- reading */

static const char whole[] = GOOD(
    "<support version='1.*' ends='2027-01-01T00:00:00Z' notice='P60D'/>\n"
    "<release version='2.1.0' status='download' severity='critical'>\n"
    "  <skip version='1.9.3'/><skip version='1.8.*'/>\n"
    "  <install-by time='2026-12-24T00:00:00Z'/>\n"
    "  <from lowest='1.4' below='2.1'/><from lowest='0.9' below='1.0-rc.1'/>\n"
    "  <eligible os='windows linux' arch='x86_64'/>\n"
    "  <rollout start='2026-11-26T00:00:00Z' percent='10' step='PT24H'/>\n" DOCUMENT "</release>\n"
    "<release version='2.0.5' status='withdrawn'>" DOCUMENT "</release>\n"
    "<support version='2.0' ends='2027-06-01T00:00:00+02:00'/>\n");

static void feed_holds_all_that_is_said(void **state)
{
    UNUSED(state);
    struct feed f = read_good(whole);
    assert_string_equal(f.product, "orchard");
    assert_string_equal(f.channel, "stable");
    assert_int_equal(f.serial, 42);
    assert_int_equal(f.issued, 1795564800);
    assert_int_equal(f.expires - f.issued, 30 * 86400);
    assert_int_equal(f.releases.n, 2);
    const struct feed_release *r = &f.releases.items[0];
    assert_string_equal(r->version.text, "2.1.0");
    assert_int_equal(r->status, STATUS_DOWNLOAD);
    assert_int_equal(r->severity, SEVERITY_CRITICAL);
    assert_string_equal(r->document.path, "2.1.0/release.xml");
    assert_int_equal(r->document.size, 1234);
    assert_int_equal(r->document.sha256[1], 0x11);
    assert_int_equal(r->document.sha256[31], 0xFF);
    assert_int_equal(r->rollout.start - f.issued, 86400);
    assert_int_equal(r->rollout.percent, 10);
    assert_int_equal(r->rollout.step_s, 86400);
    assert_int_equal(r->os, 1U << OS_LINUX | 1U << OS_WINDOWS);
    assert_int_equal(r->arch, 1U << ARCH_X86_64);
    assert_int_equal(r->install_by - f.issued, 29 * 86400);
    assert_int_equal(r->from.n, 2);
    assert_string_equal(r->from.items[1].below.text, "1.0-rc.1");
    assert_int_equal(r->skip.n, 2);
    assert_true(!r->skip.items[0].version.is_open && r->skip.items[1].version.is_open);
    feed_fini(&f);
}

static void feed_knows_what_holds_where_nothing_is_said(void **state)
{
    UNUSED(state);
    struct feed f = read_good(whole);
    const struct feed_release *r = &f.releases.items[1];
    assert_int_equal(r->status, STATUS_WITHDRAWN);
    assert_int_equal(r->severity, SEVERITY_LOW);
    assert_int_equal(r->rollout.percent, 0);
    assert_int_equal(r->os, 0);
    assert_int_equal(r->arch, 0);
    assert_int_equal(r->install_by, 0);
    assert_int_equal(r->from.n + r->skip.n, 0);
    assert_int_equal(f.supports.n, 2);
    assert_int_equal(f.supports.items[0].notice_s, 60 * 86400);
    assert_int_equal(f.supports.items[1].notice_s, 30 * 86400);
    assert_int_equal(f.supports.items[1].ends, 1780264800 + 365 * 86400);
    feed_fini(&f);
    feed_fini(&f);
}

static void feed_may_be_empty(void **state)
{
    UNUSED(state);
    assert_read(GOOD(""));
    assert_read(GOOD("<!-- nothing yet -->\n"));
    assert_read(FEED("2026-01-01T00:00:00Z", "2027-01-02T00:00:00Z", "")); /* 366 days */
    assert_read(FEED(ISSUED, "2026-11-25T00:00:01Z", ""));
    assert_read(
        "<f:feed xmlns:f='urn:surefoot:feed:1' product='a' channel='b' serial='1' issued='" ISSUED
        "' expires='" EXPIRES "'/>");
}

static void feed_refuses_times_that_do_not_fit(void **state)
{
    UNUSED(state);
    assert_refused(FEED(ISSUED, ISSUED, ""), 2, "<feed>: \"expires\" is not after \"issued\"");
    assert_refused(FEED(EXPIRES, ISSUED, ""), 2, "\"expires\" is not after \"issued\"");
    assert_refused(FEED("2026-01-01T00:00:00Z", "2027-01-02T00:00:01Z", ""), 2,
                   "\"expires\" is more than 366 days after \"issued\"");
    assert_refused(FEED("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", ""), 2,
                   "more than 366 days");
    assert_refused(FEED("2026-02-30T00:00:00Z", EXPIRES, ""), 2,
                   "<feed issued>: \"2026-02-30T00:00:00Z\" is not a time such as");
    assert_refused(FEED(ISSUED, "tomorrow", ""), 2, "<feed expires>: \"tomorrow\" is not a time");
    assert_refused(GOOD("<support version='1' ends='2027-01-01'/>"), 4,
                   "<support ends>: \"2027-01-01\"");
}

static void feed_refuses_the_same_twice(void **state)
{
    UNUSED(state);
    assert_refused(GOOD(RELEASE("2.1.0", "") RELEASE("2.1", "")), 2,
                   "<feed>: has two releases of the same version, 2.1.0 and 2.1");
    assert_refused(GOOD(RELEASE("1.0+a", "") RELEASE("2", "") RELEASE("1+b", "")), 2,
                   "has two releases of the same version, 1.0+a and 1+b");
    assert_refused(GOOD("<support version='1.*' ends='" EXPIRES "'/>"
                        "<support version='1.*' ends='" ISSUED "'/>"),
                   2, "says twice when support of version 1.* ends");
    assert_refused(GOOD("<support version='1.0' ends='" EXPIRES "'/>"
                        "<support version='1' ends='" ISSUED "'/>"),
                   2, "says twice when support of version 1 ends");
    assert_read(GOOD("<support version='1.*' ends='" EXPIRES "'/>"
                     "<support version='1.0.*' ends='" EXPIRES "'/>"
                     "<support version='1.0' ends='" EXPIRES "'/>"));
    assert_read(GOOD(RELEASE("2.1.0", "") RELEASE("2.1.0-rc.1", "")));
    assert_refused(GOOD(RELEASE("1", DOCUMENT)), 6,
                   "<release> has a second <document>, and may have one");
    assert_refused(GOOD(RELEASE("1", "<eligible/><eligible/>")), 6, "has a second <eligible>");
    assert_refused(
        GOOD(RELEASE("1", "<install-by time='" ISSUED "'/><install-by time='" ISSUED "'/>")), 6,
        "has a second <install-by>");
    assert_refused(GOOD(RELEASE("1", "<rollout start='" ISSUED
                                     "' percent='1'/>\n<rollout start='" ISSUED "' percent='1'/>")),
                   7, "has a second <rollout>");
}

static void feed_refuses_ranges_and_lists_that_say_nothing(void **state)
{
    UNUSED(state);
    assert_refused(GOOD(RELEASE("3", "<from/>")), 6,
                   "<from>: says neither \"lowest\" nor \"below\"");
    assert_refused(GOOD(RELEASE("3", "<from lowest='2' below='2.0'/>")), 6,
                   "<from>: no version is at least 2 and below 2.0");
    assert_refused(GOOD(RELEASE("3", "<from lowest='2' below='1'/>")), 6,
                   "no version is at least 2 and");
    assert_refused(GOOD(RELEASE("3", "<from lowest='2' below='2-rc.1'/>")), 6,
                   "no version is at least");
    assert_refused(GOOD(RELEASE("3", "<from lowest=''/>")), 6, "<from lowest>: ");
    assert_refused(GOOD(RELEASE("3", "<from lowest='1.*'/>")), 6, "<from lowest>: ");
    assert_refused(GOOD(RELEASE("3", "<skip/>")), 6, "<skip> lacks its attribute \"version\"");
    assert_refused(GOOD(RELEASE("3", "<skip version='*'/>")), 6, "<skip version>: ");
    assert_refused(GOOD(RELEASE("3", "<eligible os='linux linux'/>")), 6,
                   "<eligible os>: has \"linux\" twice");
    assert_refused(GOOD(RELEASE("3", "<eligible os='beos'/>")), 6,
                   "<eligible os>: \"beos\" is none of: linux windows macos freebsd");
    assert_read(GOOD(RELEASE("3", "<from lowest='2-rc.1' below='2'/><eligible/>")));
}

static void feed_refuses_numbers_out_of_range(void **state)
{
    UNUSED(state);
#define SERIAL(n)                                                                                  \
    "<feed xmlns='urn:surefoot:feed:1' product='a' channel='b' serial='" n "' issued='" ISSUED     \
    "' expires='" EXPIRES "'/>"
    assert_read(SERIAL("18446744073709551615"));
    assert_refused(SERIAL("18446744073709551616"), 1,
                   "<feed serial>: \"18446744073709551616\" is not a number");
    assert_refused(SERIAL("0"), 1, "<feed serial>: is 0, the least is 1");
    assert_refused(SERIAL("042"), 1, "is not a number (digits alone, no leading zero)");
    assert_refused(SERIAL("-1"), 1, "is not a number");
#define ROLLOUT(percent, step)                                                                     \
    GOOD(RELEASE("1", "<rollout start='" ISSUED "' percent='" percent "' step='" step "'/>"))
    assert_read(ROLLOUT("100", "PT1M"));
    assert_refused(ROLLOUT("0", "PT1M"), 6, "<rollout percent>: is 0, the least is 1");
    assert_refused(ROLLOUT("101", "PT1M"), 6, "<rollout percent>: is 101, the most is 100");
    assert_refused(ROLLOUT("10%", "PT1M"), 6, "<rollout percent>: \"10%\" is not a number");
    assert_refused(ROLLOUT("10", "PT59S"), 6, "<rollout step>: is 59, the least is 60");
    assert_refused(ROLLOUT("10", "P1M"), 6, "<rollout step>: \"P1M\" is not a duration");
}

static void feed_refuses_documents_that_cannot_be(void **state)
{
    UNUSED(state);
#define NAMED(path, size, sha256)                                                                  \
    GOOD("<release version='1' status='auto'>\n<document path='" path "' size='" size              \
         "' sha256='" sha256 "'/></release>")
    assert_read(NAMED("release.xml", "1", HASH));
    assert_refused(NAMED("../release.xml", "1", HASH), 5, "<document path>: ");
    assert_refused(NAMED("/release.xml", "1", HASH), 5, "<document path>: ");
    assert_refused(NAMED("https://example.org/release.xml", "1", HASH), 5, "<document path>: ");
    assert_refused(NAMED("a\\release.xml", "1", HASH), 5, "<document path>: ");
    assert_refused(NAMED("CON", "1", HASH), 5, "<document path>: ");
    assert_refused(NAMED("", "1", HASH), 5, "<document path>: ");
    assert_refused(NAMED("release.xml", "0", HASH), 5, "<document size>: is 0, the least is 1");
    assert_refused(NAMED("release.xml", "1KiB", HASH), 5,
                   "<document size>: \"1KiB\" is not a number");
    assert_refused(NAMED("release.xml", "1", HASH "0"), 5, "<document sha256>: ");
    assert_refused(NAMED("release.xml", "1", ""), 5, "<document sha256>: is empty where a SHA-256");
    assert_refused(NAMED("release.xml", "1",
                         "00112233445566778899AABBCCDDEEFF00112233445566778899aabbccddeeff"),
                   5, "is not a SHA-256 (64 hex digits in lower case)");
    assert_refused(GOOD("<release version='1' status='auto'/>"), 4, "<release> lacks <document>");
    assert_refused(GOOD("<release version='1' status='on'>" DOCUMENT "</release>"), 4,
                   "<release status>: \"on\" is none of: auto download withdrawn");
    assert_refused(GOOD("<release version='v1' status='auto'>" DOCUMENT "</release>"), 4,
                   "<release version>: ");
    assert_refused(GOOD("<release version='1.*' status='auto'>" DOCUMENT "</release>"), 4,
                   "<release version>: ");
}

static void feed_refuses_other_documents(void **state)
{
    UNUSED(state);
    assert_refused("<feed xmlns='urn:surefoot:feed:2'/>", 1,
                   "<feed> is not in the namespace urn:surefoot:feed:1");
    assert_refused("<release xmlns='urn:surefoot:feed:1'/>", 1,
                   "the document is a <release> where a <feed> was expected");
    assert_refused(GOOD(RELEASE("1", "<exec path='x'/>")), 6,
                   "<exec> is not known inside <release>");
    assert_refused(GOOD("<document path='a' size='1' sha256='" HASH "'/>"), 4,
                   "<document> is not known inside <feed>");
    assert_refused("<!DOCTYPE feed>" GOOD(""), 1, "a DOCTYPE");
    assert_refused("", 1, "is empty");
}

#define EMPTY_BUT_OPEN                                                                             \
    "<feed xmlns='urn:surefoot:feed:1' product='a' channel='b' serial='1' issued='" ISSUED         \
    "' expires='" EXPIRES "'>"

static void feed_has_a_limit_of_size(void **state)
{
    UNUSED(state);
    struct feed feed;
    struct err err;
    struct buf b;
    buf_init(&b, 2 * (size_t)FEED_BYTES_MAX);
    assert_int_equal(buf_add_text(&b, EMPTY_BUT_OPEN, NULL), E_OK);
    for (unsigned i = 0; i < 100; i++)
        assert_int_equal(
            buf_printf(&b, NULL, "<support version='%u' ends='" EXPIRES "'/>%10000s", i, ""), E_OK);
    assert_int_equal(buf_add_text(&b, "</feed>", NULL), E_OK);
    while (b.len < FEED_BYTES_MAX)
        assert_int_equal(buf_add_byte(&b, '\n', NULL), E_OK);
    assert_int_equal(b.len, FEED_BYTES_MAX);
    assert_int_equal(feed_read_unverified(buf_span(&b), &feed, &err), E_OK);
    assert_int_equal(feed.supports.n, 100);
    feed_fini(&feed);
    assert_int_equal(buf_add_byte(&b, '\n', NULL), E_OK);
    assert_int_equal(feed_read_unverified(buf_span(&b), &feed, &err), E_LIMIT);
    assert_string_equal(err.text, "1048577 bytes of XML, the limit is 1048576");
    buf_fini(&b);
}

static void feed_has_a_limit_of_releases(void **state)
{
    UNUSED(state);
    struct feed feed;
    struct err err;
    for (unsigned n = 1000; n <= 1001; n++) {
        struct buf b;
        char text[200];
        buf_init(&b, FEED_BYTES_MAX);
        assert_int_equal(buf_add_text(&b, EMPTY_BUT_OPEN, NULL), E_OK);
        for (unsigned i = 0; i < n; i++) {
            (void)snprintf(text, sizeof(text),
                           "<release version='%u' status='auto'>" DOCUMENT "</release>", i);
            assert_int_equal(buf_add_text(&b, text, NULL), E_OK);
        }
        assert_int_equal(buf_add_text(&b, "</feed>", NULL), E_OK);
        enum errc rc = feed_read_unverified(buf_span(&b), &feed, &err);
        if (n == 1000) {
            assert_int_equal(rc, E_OK);
            assert_int_equal(feed.releases.n, 1000);
            assert_string_equal(feed.releases.items[999].version.text, "999");
            feed_fini(&feed);
        } else {
            assert_int_equal(rc, E_MALFORMED);
            assert_non_null(strstr(err.text, "<feed> has more than 1000 <release>"));
        }
        buf_fini(&b);
    }
}

/* --- questions */

static void find_release_compares_as_versions_do(void **state)
{
    UNUSED(state);
    struct feed f = read_good(whole);
    struct version same = version_of("2.1.0.0+build"), other = version_of("2.1.0-rc.1");
    assert_ptr_equal(feed_find_release(&f, &same), &f.releases.items[0]);
    assert_null(feed_find_release(&f, &other));
    feed_fini(&f);
}

static void a_release_is_for_ranges_without_what_is_skipped(void **state)
{
    UNUSED(state);
    static const struct {
        const char *installed;
        bool is_for;
    } cases[] = {
        { "0.8.9", false },   { "0.9", true },      { "1.0-beta", true },  { "1.0-rc.1", false },
        { "1.0", false },     { "1.3.9", false },   { "1.4", true },       { "1.4-rc.1", false },
        { "1.8", false },     { "1.8.7", false },   { "1.8-rc.1", false }, { "1.9.2", true },
        { "1.9.3", false },   { "1.9.3.0", false }, { "1.9.3.1", true },   { "2.0.5", true },
        { "2.1-rc.1", true }, { "2.1", false },     { "3", false },
    };
    struct feed f = read_good(whole);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct version v = version_of(cases[i].installed);
        if (feed_release_is_for(&f.releases.items[0], &v) != cases[i].is_for)
            fail_msg("%s", cases[i].installed);
        assert_true(feed_release_is_for(&f.releases.items[1], &v));
    }
    assert_true(feed_release_is_for(&f.releases.items[0], NULL));
    feed_fini(&f);
}

static void open_ends_of_a_range_are_open(void **state)
{
    UNUSED(state);
    struct feed f =
        read_good(GOOD(RELEASE("3", "<from below='1.5'/>") RELEASE("4", "<from lowest='2'/>")));
    struct version zero = version_of("0"), low = version_of("1.4.9"), mid = version_of("1.5"),
                   high = version_of("2");
    const struct feed_release *below = &f.releases.items[0], *from = &f.releases.items[1];
    assert_true(feed_release_is_for(below, &zero) && feed_release_is_for(below, &low));
    assert_false(feed_release_is_for(below, &mid) || feed_release_is_for(below, &high));
    assert_true(feed_release_is_for(from, &high));
    assert_false(feed_release_is_for(from, &mid) || feed_release_is_for(from, &zero));
    feed_fini(&f);
}

static void rollout_grows_step_by_step(void **state)
{
    UNUSED(state);
    struct feed_rollout none = { 0 }, once = { 1000, 10, 0 }, grows = { 1000, 30, 60 },
                        old = { INT64_MIN / 2, 1, 60 };
    assert_int_equal(feed_rollout_percent(&none, -5), 100);
    assert_int_equal(feed_rollout_percent(&once, 999), 0);
    assert_int_equal(feed_rollout_percent(&once, 1000), 10);
    assert_int_equal(feed_rollout_percent(&once, INT64_MAX / 2), 10);
    assert_int_equal(feed_rollout_percent(&grows, 999), 0);
    assert_int_equal(feed_rollout_percent(&grows, 1059), 30);
    assert_int_equal(feed_rollout_percent(&grows, 1060), 60);
    assert_int_equal(feed_rollout_percent(&grows, 1120), 90);
    assert_int_equal(feed_rollout_percent(&grows, 1180), 100);
    assert_int_equal(feed_rollout_percent(&grows, INT64_MAX / 2), 100);
    assert_int_equal(feed_rollout_percent(&old, INT64_MAX / 2), 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(feed_holds_all_that_is_said),
        cmocka_unit_test(feed_knows_what_holds_where_nothing_is_said),
        cmocka_unit_test(feed_may_be_empty),
        cmocka_unit_test(feed_refuses_times_that_do_not_fit),
        cmocka_unit_test(feed_refuses_the_same_twice),
        cmocka_unit_test(feed_refuses_ranges_and_lists_that_say_nothing),
        cmocka_unit_test(feed_refuses_numbers_out_of_range),
        cmocka_unit_test(feed_refuses_documents_that_cannot_be),
        cmocka_unit_test(feed_refuses_other_documents),
        cmocka_unit_test(feed_has_a_limit_of_size),
        cmocka_unit_test(feed_has_a_limit_of_releases),
        cmocka_unit_test(find_release_compares_as_versions_do),
        cmocka_unit_test(a_release_is_for_ranges_without_what_is_skipped),
        cmocka_unit_test(open_ends_of_a_range_are_open),
        cmocka_unit_test(rollout_grows_step_by_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
