/* A feed and its signatures in one file, and the history of attempts: what is written reads back,
 * and damage is refused. */

#include "manifest/history.h"
#include "manifest/stored.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "platform/base/text.h"

static void write_pair(struct buf *b)
{
    struct err err;
    struct stored_feed s = { .url = span_text("https://example.org/feed.xml"),
                             .etag = span_text("\"x\""),
                             .feed = span_text("<feed/>\n"),
                             .n_signatures = 2 };
    s.signatures[0] = span_text("one\nfeed 3\nxxx");
    s.signatures[1] = span_text("two");
    buf_init(b, STORED_BYTES_MAX);
    assert_int_equal(stored_write(&s, b, &err), E_OK);
}

static void pair_reads_back(void **state)
{
    struct stored_feed s;
    struct buf b;
    struct err err;
    UNUSED(state);
    write_pair(&b);
    assert_int_equal(stored_read(buf_span(&b), &s, &err), E_OK);
    assert_true(span_equal_text(s.url, "https://example.org/feed.xml"));
    assert_true(span_equal_text(s.etag, "\"x\""));
    assert_int_equal(s.modified.len, 0);
    assert_true(span_equal_text(s.feed, "<feed/>\n"));
    assert_int_equal(s.n_signatures, 2);
    assert_true(span_equal_text(s.signatures[0], "one\nfeed 3\nxxx"));
    assert_true(span_equal_text(s.signatures[1], "two"));
    buf_fini(&b);
}

static void every_cut_is_refused(void **state)
{
    struct stored_feed s;
    struct buf b;
    struct err err;
    size_t n_whole = 0;
    UNUSED(state);
    write_pair(&b);
    for (size_t len = 0; len < b.len; len++)
        n_whole += stored_read(span_of(b.ptr, len), &s, &err) == E_OK;
    assert_int_equal(n_whole, 1); /* cut between two signatures it is a pair with one */
    buf_fini(&b);
}

static void nonsense_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "surefoot stored feed 2\nfeed 1\nx\nsignature 1\ny\n",
        "surefoot stored feed 1\nfeed 1\nx\n",
        "surefoot stored feed 1\nsignature 1\nx\n",
        "surefoot stored feed 1\nfeed 1\nx\nfeed 1\nx\nsignature 1\ny\n",
        "surefoot stored feed 1\nfeed 99\nx\nsignature 1\ny\n",
        "surefoot stored feed 1\nfeed 1\nx\nsignature 1\ny\nother 1\nz\n",
        "surefoot stored feed 1\nfeed -1\nx\nsignature 1\ny\n",
        "surefoot stored feed 1\nfeed 1\nxsignature 1\ny\n",
        "surefoot stored feed 1\nfeed 0\n\nsignature 1\ny\n",
        "surefoot stored feed 1\nfeed 18446744073709551615\nx\nsignature 1\ny\n",
    };
    struct stored_feed s;
    struct err err;
    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (stored_read(span_text(bad[i]), &s, &err) != E_MALFORMED)
            fail_msg("accepted: row %zu", i);
}

/* --- history */

static void make_attempt(struct attempt *a, struct attempt_reason *reason, const char *to)
{
    struct err err;
    *a = (struct attempt){ .command = ATTEMPT_RUN,
                           .result = "UpgradeAbortedSyncExeInUse",
                           .has_downtime = true,
                           .downtime_ms = 42,
                           .started = 1000,
                           .ended = 2000,
                           .tree = "2.0-ab" };
    assert_int_equal(version_read(span_text(to), &a->to, &err), E_OK);
    *reason = (struct attempt_reason){ "UpgradeAbortedSyncExeInUse", "in use: <&\">" };
    a->reasons.items = reason;
    a->reasons.n = 1;
}

static void attempt_reads_back(void **state)
{
    struct attempt_document d;
    struct attempt_reason reason;
    struct attempt a;
    struct buf b;
    struct err err;
    UNUSED(state);
    make_attempt(&a, &reason, "2.0");
    buf_init(&b, HISTORY_BYTES_MAX);
    assert_int_equal(attempt_write(&a, &b, &err), E_OK);
    assert_int_equal(attempt_read(buf_span(&b), &d, &err), E_OK);
    assert_int_equal(d.attempt.command, ATTEMPT_RUN);
    assert_string_equal(d.attempt.to.text, "2.0");
    assert_string_equal(d.attempt.from.text, "");
    assert_true(d.attempt.has_downtime && d.attempt.downtime_ms == 42);
    assert_string_equal(d.attempt.tree, "2.0-ab");
    assert_null(d.attempt.old_tree);
    assert_string_equal(d.attempt.reasons.items[0].text, "in use: <&\">");
    attempt_fini(&d);
    buf_fini(&b);
}

/* add_attempt adds one to a document, as a run does. */
static void add_attempt(struct buf *b, size_t i)
{
    struct history h = { .product = NULL };
    struct attempt_reason reason;
    struct attempt a;
    struct buf next;
    struct err err;
    char to[20];
    (void)snprintf(to, sizeof(to), "1.%zu", i);
    make_attempt(&a, &reason, to);
    if (b->len > 0)
        assert_int_equal(history_read(buf_span(b), &h, &err), E_OK);
    buf_init(&next, HISTORY_BYTES_MAX);
    assert_int_equal(history_write(&h, "orchard", &a, &next, &err), E_OK);
    if (b->len > 0)
        history_fini(&h);
    buf_fini(b);
    *b = next;
}

static void history_grows_and_forgets_the_oldest(void **state)
{
    struct history h;
    struct buf b;
    struct err err;
    UNUSED(state);
    buf_init(&b, 0);
    for (size_t i = 0; i < HISTORY_ATTEMPTS_MAX + 3; i++)
        add_attempt(&b, i);
    assert_int_equal(history_read(buf_span(&b), &h, &err), E_OK);
    assert_int_equal(h.attempts.n, HISTORY_ATTEMPTS_MAX);
    assert_string_equal(h.attempts.items[0].to.text, "1.3");
    assert_string_equal(h.attempts.items[HISTORY_ATTEMPTS_MAX - 1].to.text, "1.502");
    history_fini(&h);
    buf_fini(&b);
}

static void damaged_history_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "<history xmlns='urn:surefoot:history:1'/>",
        "<history xmlns='urn:surefoot:history:2' product='a'/>",
        "<history xmlns='urn:surefoot:history:1' product='a'><attempt/></history>",
        "<history xmlns='urn:surefoot:history:1' product='a'><attempt command='fly' "
        "started='2026-01-01T00:00:00Z'/></history>",
        "<history xmlns='urn:surefoot:history:1' product='a'><attempt command='run' "
        "started='yesterday'/></history>",
    };
    struct history h;
    struct err err;
    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (history_read(span_text(bad[i]), &h, &err) == E_OK)
            fail_msg("accepted: row %zu", i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pair_reads_back),
        cmocka_unit_test(every_cut_is_refused),
        cmocka_unit_test(nonsense_is_refused),
        cmocka_unit_test(attempt_reads_back),
        cmocka_unit_test(history_grows_and_forgets_the_oldest),
        cmocka_unit_test(damaged_history_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
