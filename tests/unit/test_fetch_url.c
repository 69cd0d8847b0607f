/* URLs: what is one, what may be asked, where a redirect may lead, and how one is made of another.
 */

#include "installer/core/fetch_url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct fetch_url url_of(const char *text)
{
    struct fetch_url url;
    struct err err;
    if (fetch_url_read(span_text(text), &url, &err) != E_OK)
        fail_msg("\"%.80s\" is no URL: %s", text, err.text);
    return url;
}

static void assert_span(struct span s, const char *text)
{
    if (!span_equal_text(s, text))
        fail_msg("\"%.*s\" is not \"%s\"", (int)s.len, (const char *)s.ptr, text);
}

static void url_is_taken_apart(void **state)
{
    UNUSED(state);
    static const struct {
        const char *text;
        enum fetch_scheme scheme;
        const char *authority, *host, *path, *query;
    } good[] = {
        { "https://a.example", FETCH_HTTPS, "a.example", "a.example", "", "" },
        { "https://a.example/", FETCH_HTTPS, "a.example", "a.example", "/", "" },
        { "HTTPS://A.example:8443/x/y?z=/@:", FETCH_HTTPS, "A.example:8443", "A.example", "/x/y",
          "?z=/@:" },
        { "https://a.example?q", FETCH_HTTPS, "a.example", "a.example", "", "?q" },
        { "http://127.0.0.1:1/p@q", FETCH_HTTP, "127.0.0.1:1", "127.0.0.1", "/p@q", "" },
        { "http://[::1]:65535/", FETCH_HTTP, "[::1]:65535", "[::1]", "/", "" },
        { "https://[2001:db8::7.7.7.7]/", FETCH_HTTPS, "[2001:db8::7.7.7.7]", "[2001:db8::7.7.7.7]",
          "/", "" },
        { "https://xn--bcher-kva.example./%20", FETCH_HTTPS, "xn--bcher-kva.example.",
          "xn--bcher-kva.example.", "/%20", "" },
        { "https://my_host/", FETCH_HTTPS, "my_host", "my_host", "/", "" },
        { "https://1.2.3.4.example/", FETCH_HTTPS, "1.2.3.4.example", "1.2.3.4.example", "/", "" },
        { "file:///srv/x", FETCH_FILE, "", "", "/srv/x", "" },
    };
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        struct fetch_url url = url_of(good[i].text);
        assert_int_equal(url.scheme, good[i].scheme);
        assert_span(url.authority, good[i].authority);
        assert_span(url.host, good[i].host);
        assert_span(url.path, good[i].path);
        assert_span(url.query, good[i].query);
    }
}

static void url_refuses_what_others_could_read_otherwise(void **state)
{
    UNUSED(state);
    static const struct {
        const char *text, *says;
    } bad[] = {
        { "", "neither https" },
        { "https:/a.example/", "neither https" },
        { "https:a.example", "neither https" },
        { "//a.example/", "neither https" },
        { "ftp://a.example/", "neither https" },
        { "javascript:alert(1)", "neither https" },
        { "httpss://a.example/", "neither https" },
        { "https://", "no host" },
        { "https:///x", "no host" },
        { "https://:443/", "no host" },
        { "https://?x", "no host" },
        { "https://u@a.example/", "a login" },
        { "https://u:p@a.example/", "a login" },
        { "https://a.example@evil.example/", "a login" },
        { "https://@a.example/", "a login" },
        { "https://a.example/#x", "byte 0x23" },
        { "https://a.example\\@evil.example/", "byte 0x5c" },
        { "https://a.example/ x", "byte 0x20" },
        { "https://a.example/\r\nHost: b", "byte 0x0d" },
        { "https://a.example/\t", "byte 0x09" },
        { "https://a.example/\x7F", "byte 0x7f" },
        { "https://a.example/\xC3\xA9", "byte 0xc3" },
        { "https://\xC3\xA9.example/", "byte 0xc3" },
        { "https://a.example/\"", "byte 0x22" },
        { "https://a%2eexample/", "byte 0x25" },
        { "https://a..example/", "an empty part" },
        { "https://.example/", "an empty part" },
        { "https://a.example:/", "the port" },
        { "https://a.example:0/", "the port" },
        { "https://a.example:65536/", "the port" },
        { "https://a.example:123456/", "the port" },
        { "https://a.example:+1/", "the port" },
        { "https://a.example:80:80/", "the port" },
        { "https://2130706433/", "is a number" },
        { "https://0x7f.1/", "is a number" },
        { "https://0x7f000001/", "is a number" },
        { "https://127.1/", "is a number" },
        { "https://127.0.0.010/", "is a number" },
        { "https://127.0.0.256/", "is a number" },
        { "https://127.0.0.1.1/", "is a number" },
        { "https://a.0/", "is a number" },
        { "https://[::1/", "no IPv6" },
        { "https://[]/", "no IPv6" },
        { "https://[1]/", "no IPv6" },
        { "https://[fe80::1%25eth0]/", "no IPv6" },
        { "https://[::1]x/", "no port" },
        { "https://[::1]]/", "no port" },
        { "file://a.example/x", "file:///" },
        { "file://localhost/x", "file:///" },
        { "file:///", "file:///" },
        { "file:/x", "neither https" },
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct fetch_url url = { .scheme = FETCH_FILE };
        struct err err = { .text = "" };
        if (fetch_url_read(span_text(bad[i].text), &url, &err) != E_MALFORMED)
            fail_msg("\"%s\" is a URL", bad[i].text);
        if (strstr(err.text, bad[i].says) == NULL)
            fail_msg("\"%s\": says \"%s\", not \"%s\"", bad[i].text, err.text, bad[i].says);
    }
}

static void url_has_limits(void **state)
{
    UNUSED(state);
    static char text[FETCH_URL_MAX + 2];
    struct fetch_url url;
    struct err err;
    memset(text, 'a', sizeof(text) - 1);
    memcpy(text, "https://b/", 10);
    assert_int_equal(fetch_url_read(span_of(text, FETCH_URL_MAX), &url, &err), E_OK);
    assert_int_equal(fetch_url_read(span_of(text, FETCH_URL_MAX + 1), &url, &err), E_LIMIT);
    memcpy(text, "https://", 8);
    memset(text + 8, 'a', 10);
    assert_int_equal(fetch_url_read(span_of(text, 8 + 255), &url, &err), E_OK);
    assert_int_equal(fetch_url_read(span_of(text, 8 + 256), &url, &err), E_LIMIT);
    assert_int_equal(fetch_url_read(span_of("https://a\0b/", 12), &url, &err), E_MALFORMED);
}

static void url_knows_this_machine(void **state)
{
    UNUSED(state);
    static const char *const ours[] = { "http://localhost/",     "http://LocalHost:80",
                                        "http://127.0.0.1/",     "http://127.255.0.3:9/x",
                                        "https://127.0.0.1:99/", "http://[::1]/" };
    static const char *const others[] = { "http://localhost.example/",
                                          "http://alocalhost/",
                                          "http://localhost./",
                                          "http://127.0.0.1.example/",
                                          "http://128.0.0.1/",
                                          "http://[::2]/",
                                          "http://[1::1]/",
                                          "http://[::ffff:127.0.0.1]/",
                                          "http://0.0.0.0/",
                                          "file:///localhost" };
    for (size_t i = 0; i < ARRAY_LEN(ours); i++) {
        struct fetch_url url = url_of(ours[i]);
        if (!fetch_url_is_loopback(&url))
            fail_msg("%s is this machine", ours[i]);
    }
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        struct fetch_url url = url_of(others[i]);
        if (fetch_url_is_loopback(&url))
            fail_msg("%s is not this machine for certain", others[i]);
    }
}

static void http_is_for_this_machine_or_allowed(void **state)
{
    UNUSED(state);
    struct err err;
    struct fetch_url far = url_of("http://a.example/"), near = url_of("http://127.0.0.1/"),
                     safe = url_of("https://a.example/"), file = url_of("file:///x");
    assert_int_equal(fetch_url_check(&far, false, &err), E_ARGUMENT);
    assert_non_null(strstr(err.text, "use https"));
    assert_int_equal(fetch_url_check(&far, true, &err), E_OK);
    assert_int_equal(fetch_url_check(&near, false, &err), E_OK);
    assert_int_equal(fetch_url_check(&safe, false, &err), E_OK);
    assert_int_equal(fetch_url_check(&file, false, &err), E_OK);
}

static void redirects_lead_to_nothing_weaker(void **state)
{
    UNUSED(state);
    static const struct {
        const char *from, *to;
        bool allows_http;
        const char *says; /* NULL: may go there */
    } cases[] = {
        { "https://a.example/", "https://b.example/", false, NULL },
        { "https://a.example/", "https://b.example/", true, NULL },
        { "https://a.example/", "http://a.example/", false, "which is weaker" },
        { "https://a.example/", "http://a.example/", true, "which is weaker" },
        { "https://127.0.0.1/", "http://127.0.0.1/", true, "which is weaker" },
        { "https://a.example/", "file:///etc/passwd", true, "to a file" },
        { "http://127.0.0.1/", "file:///etc/passwd", false, "to a file" },
        { "file:///x", "https://a.example/", true, "to a file" },
        { "http://127.0.0.1/", "https://a.example/", false, NULL },
        { "http://127.0.0.1/", "http://127.0.0.1:99/", false, NULL },
        { "http://127.0.0.1/", "http://a.example/", false, "http is not allowed" },
        { "http://127.0.0.1/", "http://a.example/", true, NULL },
        { "http://a.example/", "https://a.example/", true, NULL },
        { "http://a.example/", "http://b.example/", true, NULL },
        { "http://a.example/", "http://localhost:631/", true, "this machine itself" },
        { "https://a.example/", "https://[::1]/", true, "this machine itself" },
        { "https://a.example/", "https://127.9.9.9/", false, "this machine itself" },
        { "https://localhost/", "https://127.0.0.1/", false, NULL },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct fetch_url from = url_of(cases[i].from), to = url_of(cases[i].to);
        struct err err = { .text = "" };
        enum errc rc = fetch_url_check_redirect(&from, &to, cases[i].allows_http, &err);
        if (rc != (cases[i].says == NULL ? E_OK : E_MALFORMED))
            fail_msg("%s to %s: code %d", cases[i].from, cases[i].to, (int)rc);
        if (cases[i].says != NULL && strstr(err.text, cases[i].says) == NULL)
            fail_msg("%s to %s: says \"%s\"", cases[i].from, cases[i].to, err.text);
    }
}

static void location_is_seen_from_where_it_was_said(void **state)
{
    UNUSED(state);
    static const struct {
        const char *base, *location, *result; /* NULL: refused */
    } cases[] = {
        { "https://a.example/x/y?q", "https://b.example/z", "https://b.example/z" },
        { "https://a.example/x/y?q", "//b.example:99/z", "https://b.example:99/z" },
        { "http://a.example/x/y?q", "//b.example/z", "http://b.example/z" },
        { "https://a.example:8/x/y?q", "/z?r", "https://a.example:8/z?r" },
        { "https://a.example/x/y?q", "z", "https://a.example/x/z" },
        { "https://a.example/x/", "z/../w", "https://a.example/x/z/../w" },
        { "https://a.example", "z", "https://a.example/z" },
        { "https://a.example/x/y?q", "?r", "https://a.example/x/y?r" },
        { "https://a.example/x", "/z#part", "https://a.example/z" },
        { "https://a.example/x", "./a:b", "https://a.example/./a:b" },
        { "https://a.example/x", "/a@b", "https://a.example/a@b" },
        { "https://a.example/x", "", NULL },
        { "https://a.example/x", "#part", NULL },
        { "https://a.example/x", "ftp://b.example/", NULL },
        { "https://a.example/x", "data:text/plain,x", NULL },
        { "https://a.example/x", "a:b", NULL },
        { "https://a.example/x", "//u@b.example/", NULL },
        { "https://a.example/x", "https:///z", NULL },
        { "https://a.example/x", "///z", NULL },
        { "https://a.example/x", "/\\b.example/", NULL },
        { "https://a.example/x", "\\\\b.example/", NULL },
        { "https://a.example/x", "/a b", NULL },
        { "https://a.example/x", "/\xC3\xA9", NULL },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char to[FETCH_URL_ROOM] = "untouched";
        struct err err;
        enum errc rc = fetch_url_redirect(cases[i].base, span_text(cases[i].location), to, &err);
        const char *result = cases[i].result == NULL ? "untouched" : cases[i].result;
        if (rc != (cases[i].result == NULL ? E_MALFORMED : E_OK) || strcmp(to, result) != 0)
            fail_msg("\"%s\" from %s: code %d, %s", cases[i].location, cases[i].base, (int)rc, to);
    }
}

static void path_beside_a_document_is_encoded(void **state)
{
    UNUSED(state);
    static const struct {
        const char *base, *path, *result; /* NULL: refused */
    } cases[] = {
        { "https://a.example/p/feed.xml?q", "2.0/release.xml",
          "https://a.example/p/2.0/release.xml" },
        { "https://a.example", "x", "https://a.example/x" },
        { "https://a.example/p", "x", "https://a.example/x" },
        { "file:///srv/p/feed.xml", "a b", "file:///srv/p/a%20b" },
        { "https://a.example/",
          "gr\xC3\xBC\xC3\x9F"
          "e#?%:@",
          "https://a.example/gr%C3%BC%C3%9Fe%23%3F%25%3A%40" },
        { "https://a.example/", "a~b_c-d.e", "https://a.example/a~b_c-d.e" },
        { "https://a.example/", "//b.example/x", NULL },
        { "https://a.example/", "/x", NULL },
        { "https://a.example/", "", NULL },
        { "https://a.example/", "x/", NULL },
        { "https://a.example/", "x//y", NULL },
        { "https://a.example/", "..", NULL },
        { "https://a.example/p/", "x/../y", NULL },
        { "https://a.example/p/", "./y", NULL },
        { "no URL", "y", NULL },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char to[FETCH_URL_ROOM] = "untouched";
        struct err err;
        enum errc rc = fetch_url_beside(cases[i].base, cases[i].path, to, &err);
        const char *result = cases[i].result == NULL ? "untouched" : cases[i].result;
        if (rc != (cases[i].result == NULL ? E_MALFORMED : E_OK) || strcmp(to, result) != 0)
            fail_msg("\"%s\" beside %s: code %d, %s", cases[i].path, cases[i].base, (int)rc, to);
    }
    static char longest[FETCH_URL_MAX + 1];
    char to[FETCH_URL_ROOM];
    struct err err;
    memset(longest, ' ', sizeof(longest) - 1);
    assert_int_equal(fetch_url_beside("https://a.example/", longest, to, &err), E_LIMIT);
}

static void suffix_goes_before_the_query(void **state)
{
    UNUSED(state);
    char to[FETCH_URL_ROOM];
    struct err err;
    assert_int_equal(fetch_url_append("https://a.example/f.xml?k=1", ".minisig", to, &err), E_OK);
    assert_string_equal(to, "https://a.example/f.xml.minisig?k=1");
    assert_int_equal(fetch_url_append("file:///f.xml", ".0aF.p7s", to, &err), E_OK);
    assert_string_equal(to, "file:///f.xml.0aF.p7s");
    assert_int_equal(fetch_url_append("https://a.example/f.xml", "?x", to, &err), E_ARGUMENT);
    assert_int_equal(fetch_url_append("https://a.example/f.xml", "/x", to, &err), E_ARGUMENT);
    assert_int_equal(fetch_url_append("https://a.example/p/", ".minisig", to, &err), E_MALFORMED);
    assert_int_equal(fetch_url_append("https://a.example", ".minisig", to, &err), E_MALFORMED);
}

static void file_url_becomes_a_path(void **state)
{
    UNUSED(state);
    static const struct {
        const char *url, *path; /* NULL: refused */
    } cases[] = {
        { "file:///srv/x.tar", "/srv/x.tar" },
        { "file:///a%20b%25", "/a b%" },
        { "file:///gr%C3%BC%c3%9Fe", "/gr\xC3\xBC\xC3\x9F"
                                     "e" },
        { "file:///a%00b", NULL },
        { "file:///a%2Fb", NULL },
        { "file:///a%2fb", NULL },
        { "file:///a%", NULL },
        { "file:///a%4", NULL },
        { "file:///a%zz", NULL },
        { "file:///a?b", NULL },
        { "file:///a%FF", NULL },
        { "file:///a%C0%AF", NULL },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct fetch_url url = url_of(cases[i].url);
        struct buf path;
        struct err err;
        buf_init(&path, 100);
        enum errc rc = fetch_url_file_path(&url, &path, &err);
        if (rc != (cases[i].path == NULL ? E_MALFORMED : E_OK) ||
            !span_equal_text(buf_span(&path), cases[i].path == NULL ? "" : cases[i].path))
            fail_msg("%s: code %d", cases[i].url, (int)rc);
        buf_fini(&path);
    }
    struct fetch_url other = url_of("https://a.example/x");
    struct buf path;
    buf_init(&path, 100);
    assert_int_equal(fetch_url_file_path(&other, &path, NULL), E_ARGUMENT);
    buf_fini(&path);
}

static void place_is_named_without_its_secrets(void **state)
{
    UNUSED(state);
    char to[FETCH_HOST_ROOM];
    struct fetch_url url = url_of("https://a.example:8443/private/x?token=secret");
    assert_string_equal(fetch_url_host_text(&url, to), "a.example:8443");
    url = url_of("file:///home/x");
    assert_string_equal(fetch_url_host_text(&url, to), "file");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(url_is_taken_apart),
        cmocka_unit_test(url_refuses_what_others_could_read_otherwise),
        cmocka_unit_test(url_has_limits),
        cmocka_unit_test(url_knows_this_machine),
        cmocka_unit_test(http_is_for_this_machine_or_allowed),
        cmocka_unit_test(redirects_lead_to_nothing_weaker),
        cmocka_unit_test(location_is_seen_from_where_it_was_said),
        cmocka_unit_test(path_beside_a_document_is_encoded),
        cmocka_unit_test(suffix_goes_before_the_query),
        cmocka_unit_test(file_url_becomes_a_path),
        cmocka_unit_test(place_is_named_without_its_secrets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
