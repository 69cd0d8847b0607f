/* The head of an HTTP answer: what is kept of it, and what is not taken for one. */

#include "installer/core/fetch_head.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* add feeds a whole text, line by line, with its line ends. */
static enum errc add(struct fetch_head *head, const char *text, struct err *err)
{
    enum errc rc = E_OK;
    while (*text != '\0' && rc == E_OK) {
        size_t len = strcspn(text, "\n");
        len += text[len] == '\n';
        rc = fetch_head_add_line(head, span_of(text, len), err);
        text += len;
    }
    return rc;
}

static struct fetch_head head_of(const char *text)
{
    struct fetch_head head = { .status = 0 };
    struct err err;
    if (add(&head, text, &err) != E_OK)
        fail_msg("\"%.100s\": %s", text, err.text);
    return head;
}

static void assert_refused(const char *text, enum errc code, const char *says)
{
    struct fetch_head head = { .status = 0 };
    struct err err = { .text = "" };
    enum errc rc = add(&head, text, &err);
    if (rc != code)
        fail_msg("\"%.100s\": code %d", text, (int)rc);
    if (strstr(err.text, says) == NULL)
        fail_msg("\"%.100s\": says \"%s\", not \"%s\"", text, err.text, says);
}

static void head_is_read(void **state)
{
    UNUSED(state);
    struct fetch_head head = head_of("HTTP/1.1 206 Partial Content\r\n"
                                     "content-LENGTH:512\r\n"
                                     "Content-Range: bytes 512-1023/1024 \r\n"
                                     "ETag:\t\"a!b\"\r\n"
                                     "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                                     "X-Other:\r\n"
                                     "Content-Encoding: identity\r\n"
                                     "Location: /x\r\n"
                                     "Retry-After: 7\r\n"
                                     "\r\n");
    assert_true(head.is_done && head.has_length && head.has_range && head.has_location);
    assert_int_equal(head.status, 206);
    assert_true(head.length == 512 && head.range.first == 512 && head.range.last == 1023 &&
                head.range.total == 1024);
    assert_string_equal(head.etag, "\"a!b\"");
    assert_string_equal(head.last_modified, "Sun, 06 Nov 1994 08:49:37 GMT");
    assert_string_equal(head.location, "/x");
    assert_true(head.retry_after_s == 7 && !head.is_encoded && !head.is_chunked);
}

static void head_may_be_short(void **state)
{
    UNUSED(state);
    struct fetch_head head = head_of("HTTP/1.0 200\n\n");
    assert_true(head.is_done && head.status == 200 && !head.has_length && head.etag[0] == '\0');
    head = head_of("HTTP/1.1 404 \r\nTransfer-Encoding: Chunked\r\nContent-Encoding: gzip\r\n\r\n");
    assert_true(head.is_done && head.is_chunked && head.is_encoded);
}

static void interim_answer_is_forgotten(void **state)
{
    UNUSED(state);
    struct fetch_head head = head_of("HTTP/1.1 103 Early Hints\r\nETag: \"no\"\r\n"
                                     "Content-Length: 3\r\n\r\n");
    assert_true(!head.is_done && head.status == 0);
    struct err err;
    assert_int_equal(add(&head, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n", &err), E_OK);
    assert_true(head.is_done && head.length == 4 && head.etag[0] == '\0');
    assert_int_equal(head.n_lines, 7);
}

static void later_answer_counts(void **state)
{
    UNUSED(state);
    struct fetch_head head = head_of("HTTP/1.1 407 Login\r\nContent-Length: 9\r\n\r\n"
                                     "HTTP/1.1 304 Same\r\nETag: W/\"x\"\r\n\r\n");
    assert_true(head.status == 304 && !head.has_length);
    assert_string_equal(head.etag, "W/\"x\"");
}

static void head_refuses_two_meanings(void **state)
{
    UNUSED(state);
#define OK "HTTP/1.1 200 OK\r\n"
    static const struct {
        const char *text, *says;
    } bad[] = {
        { "\r\n", "status line" },
        { "ICY 200 OK\r\n", "status line" },
        { "HTTP/2 200\r\n", "status line" },
        { "HTTP/1.2 200 OK\r\n", "status line" },
        { "HTTP/1.1  200 OK\r\n", "a status that" },
        { "http/1.1 200 OK\r\n", "status line" },
        { "HTTP/1.1\r\n", "status line" },
        { "HTTP/1.1 20\r\n", "status line" },
        { "HTTP/1.1 2x0 OK\r\n", "a status that" },
        { "HTTP/1.1 099 OK\r\n", "a status that" },
        { "HTTP/1.1 600 OK\r\n", "a status that" },
        { "HTTP/1.1 2000\r\n", "a status that" },
        { OK "HTTP/1.1: x\r\n", "status line" },
        { OK "Content-Length: 1\r\nContent-Length: 2\r\n",
          "two different values of Content-Length" },
        { OK "Content-Length: 1, 1\r\n", "Content-Length that is no number" },
        { OK "Content-Length: -1\r\n", "Content-Length that is no number" },
        { OK "Content-Length: +1\r\n", "Content-Length that is no number" },
        { OK "Content-Length:\r\n", "Content-Length that is no number" },
        { OK "Content-Length: 0x10\r\n", "Content-Length that is no number" },
        { OK "Content-Length: 9223372036854775808\r\n", "Content-Length that is no number" },
        { OK "Content-Length: 99999999999999999999999\r\n", "Content-Length that is no number" },
        { OK "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", "chunks as well" },
        { OK "Transfer-Encoding: gzip\r\n", "other than chunked" },
        { OK "Transfer-Encoding: gzip, chunked\r\n", "other than chunked" },
        { OK "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "other than chunked" },
        { OK "Content-Encoding: gzip\r\n\r\n", "Content-Encoding" },
        { "HTTP/1.1 206 P\r\nContent-Encoding: br\r\n\r\n", "Content-Encoding" },
        { OK "ETag: \"a\"\r\nETag: \"b\"\r\n", "two different values of ETag" },
        { OK "Location: /a\r\nLocation: /b\r\n", "two different values of Location" },
        { OK "Content-Range: bytes 1-2/3\r\nContent-Range: bytes 1-2/4\r\n",
          "two different values of Content-Range" },
        { OK "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
             "Last-Modified: Sun, 06 Nov 1994 08:49:38 GMT\r\n",
          "two different values of Last-Modified" },
        { OK " folded\r\n", "goes on in a second line" },
        { OK "\tfolded: x\r\n", "goes on in a second line" },
        { OK "ETag : \"a\"\r\n", "a space before its colon" },
        { OK ": x\r\n", "no header" },
        { OK "nothing\r\n", "no header" },
        { OK "X: a\rb\r\n", "byte 0x0d" },
        { OK "X: a\x1B[31m\r\n", "byte 0x1b" },
        { OK "X: a\x7F\r\n", "byte 0x7f" },
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_refused(bad[i].text, E_MALFORMED, bad[i].says);
    struct fetch_head head = head_of(OK);
    assert_int_equal(fetch_head_add_line(&head, span_of("X: \0\r\n", 6), NULL), E_MALFORMED);
    head = head_of(OK "Content-Length: 1\r\nContent-Length: 1\r\n\r\n");
    assert_true(head.length == 1);
}

static void range_is_whole_or_none(void **state)
{
    UNUSED(state);
    static const char *const none[] = { "bytes */10",
                                        "bytes 0-9/*",
                                        "bytes 5-4/10",
                                        "bytes 0-10/10",
                                        "bytes -9/10",
                                        "bytes 0-/10",
                                        "items 0-9/10",
                                        "bytes 0-9/10, x",
                                        "bytes=0-9/10",
                                        "",
                                        "bytes 0-99999999999999999999/10" };
    for (size_t i = 0; i < ARRAY_LEN(none); i++) {
        char text[200];
        (void)snprintf(text, sizeof(text), OK "Content-Range: %s\r\n\r\n", none[i]);
        struct fetch_head head = head_of(text);
        if (head.has_range)
            fail_msg("\"%s\" is a range", none[i]);
    }
}

/* Of the same second as the answer, or after it: not kept. */
static void young_dates_are_not_kept(void **state)
{
    UNUSED(state);
    static const struct {
        const char *date;
        bool is_kept;
    } cases[] = { { "Sun, 06 Nov 1994 08:49:38 GMT", true },
                  { "Sun, 06 Nov 1994 08:49:37 GMT", false },
                  { "Sun, 06 Nov 1994 08:49:36 GMT", false },
                  { "yesterday", true } };
    char text[200];
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        (void)snprintf(text, sizeof(text),
                       OK "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\nDate: %s\r\n\r\n",
                       cases[i].date);
        struct fetch_head head = head_of(text);
        assert_int_equal(head.last_modified[0] != '\0', cases[i].is_kept);
    }
}

static void odd_tags_and_dates_are_not_kept(void **state)
{
    UNUSED(state);
    static const char *const odd[] = { "abc",     "\"a", "a\"",     "\"a\"b\"",
                                       "w/\"a\"", "W/",  "\"a b\"", "\"\xC3\xA9\"" };
    char text[FETCH_ETAG_MAX + 100];
    for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
        (void)snprintf(text, sizeof(text), OK "ETag: %s\r\nLast-Modified: %s\r\n", odd[i], odd[i]);
        struct fetch_head head = head_of(text);
        assert_string_equal(head.etag, "");
        assert_string_equal(head.last_modified, "");
    }
    char tag[FETCH_ETAG_MAX + 2];
    memset(tag, 'a', sizeof(tag));
    tag[0] = tag[FETCH_ETAG_MAX - 1] = '"';
    assert_true(fetch_head_is_etag(span_of(tag, FETCH_ETAG_MAX)));
    tag[FETCH_ETAG_MAX - 1] = 'a';
    tag[FETCH_ETAG_MAX] = '"';
    assert_false(fetch_head_is_etag(span_of(tag, FETCH_ETAG_MAX + 1)));
}

static void tags_are_compared_and_are_strong_or_not(void **state)
{
    UNUSED(state);
    assert_true(fetch_head_is_strong("\"a\""));
    assert_false(fetch_head_is_strong("W/\"a\""));
    assert_false(fetch_head_is_strong(""));
    assert_true(fetch_head_etags_match("\"a\"", "W/\"a\""));
    assert_false(fetch_head_etags_match("\"a\"", "\"b\""));
}

static void dates_are_of_one_form(void **state)
{
    UNUSED(state);
    int64_t at = 0;
    assert_true(fetch_head_read_date(span_text("Sun, 06 Nov 1994 08:49:37 GMT"), &at));
    assert_true(at == INT64_C(784111777));
    static const char *const bad[] = { "",
                                       "Sunday, 06-Nov-94 08:49:37 GMT",
                                       "Sun Nov  6 08:49:37 1994",
                                       "Sun, 06 Nov 1994 08:49:37 UTC",
                                       "Sun, 6 Nov 1994 08:49:37 GMT",
                                       "Sun, 06 nov 1994 08:49:37 GMT",
                                       "Sun, 31 Feb 1994 08:49:37 GMT",
                                       "Sun, 06 Nov 1994 24:49:37 GMT",
                                       "Sun, 06 Nov 1994 08:49:37 GMT " };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (fetch_head_read_date(span_text(bad[i]), &at))
            fail_msg("\"%s\" is a date", bad[i]);
}

static void retry_after_is_advice(void **state)
{
    UNUSED(state);
    struct fetch_head head =
        head_of("HTTP/1.1 503 x\r\nRetry-After: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n");
    assert_true(head.retry_at == INT64_C(784111777) && head.retry_after_s == 0);
    head = head_of("HTTP/1.1 503 x\r\nRetry-After: soon\r\n\r\n");
    assert_true(head.retry_at == 0 && head.retry_after_s == 0);
    head = head_of("HTTP/1.1 503 x\r\nRetry-After: 18446744073709551615\r\n\r\n");
    assert_true(head.retry_after_s == INT32_MAX);
    head = head_of("HTTP/1.1 503 x\r\nRetry-After: -5\r\n\r\n");
    assert_true(head.retry_after_s == 0);
}

static void head_has_limits(void **state)
{
    UNUSED(state);
    static char line[FETCH_HEAD_BYTES_MAX];
    struct fetch_head head = head_of(OK);
    struct err err;
    memset(line, 'a', sizeof(line));
    line[1] = ':';
    size_t left = FETCH_HEAD_BYTES_MAX - head.n_bytes;
    assert_int_equal(fetch_head_add_line(&head, span_of(line, left + 1), &err), E_LIMIT);
    assert_int_equal(fetch_head_add_line(&head, span_of(line, left), &err), E_OK);
    assert_int_equal(fetch_head_add_line(&head, span_of("\n", 1), &err), E_LIMIT);

    head = head_of(OK);
    for (int i = 1; i < FETCH_HEAD_LINES_MAX; i++)
        assert_int_equal(add(&head, "a:\n", &err), E_OK);
    assert_int_equal(add(&head, "a:\n", &err), E_LIMIT);

    head = (struct fetch_head){ .status = 0 };
    enum errc rc = E_OK;
    for (int i = 0; i < FETCH_HEAD_LINES_MAX && rc == E_OK; i++)
        rc = add(&head, "HTTP/1.1 100 Continue\r\n\r\n", &err);
    assert_int_equal(rc, E_LIMIT);

    head = head_of(OK);
    memcpy(line, "Location: ", 10);
    assert_int_equal(fetch_head_add_line(&head, span_of(line, 10 + FETCH_URL_MAX + 1), &err),
                     E_LIMIT);
    assert_int_equal(fetch_head_add_line(&head, span_of(line, 10 + FETCH_URL_MAX), &err), E_OK);
    assert_int_equal(strlen(head.location), FETCH_URL_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(head_is_read),
        cmocka_unit_test(head_may_be_short),
        cmocka_unit_test(interim_answer_is_forgotten),
        cmocka_unit_test(later_answer_counts),
        cmocka_unit_test(head_refuses_two_meanings),
        cmocka_unit_test(range_is_whole_or_none),
        cmocka_unit_test(odd_tags_and_dates_are_not_kept),
        cmocka_unit_test(young_dates_are_not_kept),
        cmocka_unit_test(tags_are_compared_and_are_strong_or_not),
        cmocka_unit_test(dates_are_of_one_form),
        cmocka_unit_test(retry_after_is_advice),
        cmocka_unit_test(head_has_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
