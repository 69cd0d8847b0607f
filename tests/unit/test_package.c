/* From bytes that nobody has proven to a package: each step's refusals, and what passes. */

#include "verify/package.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "platform/base/text.h"
#include "tests/unit/minisign_kit.h"
#include "tests/unit/sign_kit.h"

#define NOW INT64_C(1790000000)
#define DAY (INT64_C(24) * 3600)
#define PAYLOAD "the bytes of an archive"

/* A maker with a key, a stranger with another, and a client that knows the first. */
struct world {
    struct minisign_kit maker, stranger;
    struct trust *trust;
    struct policy policy;
    struct fresh_marks marks;
    const struct policy *policies[2];
    struct feed_ask ask;
    struct payload_floor floor;
    char document[2048], feed[2048], signature[512];
    struct verdict v[1 + FEED_SIGNATURES_MAX];
    struct err err;
};

static struct world *world_new(void)
{
    struct world *w = calloc(1, sizeof(*w));
    assert_non_null(w);
    w->maker = minisign_kit_new(1);
    w->stranger = minisign_kit_new(2);
    assert_int_equal(trust_new(&w->trust, &w->err), E_OK);
    minisign_kit_trust(&w->maker, w->trust);
    w->policy = (struct policy){ .now = NOW, .trust = w->trust };
    w->policies[0] = &w->policy;
    w->ask = (struct feed_ask){ "orchard", "stable", w->policies, 1, NOW, &w->marks };
    w->floor = (struct payload_floor){ SYSTEM_MINISIGN, &w->policy };
    text_copy(w->document, sizeof(w->document), "<release/>");
    return w;
}

static void forget_verdicts(struct world *w)
{
    for (size_t i = 0; i < ARRAY_LEN(w->v); i++) {
        verdict_fini(&w->v[i]);
        w->v[i] = (struct verdict){ .outcome = OUTCOME_NONE };
    }
}

static void world_free(struct world *w)
{
    EVP_PKEY_free(w->maker.key);
    EVP_PKEY_free(w->stranger.key);
    trust_free(w->trust);
    forget_verdicts(w);
    free(w);
}

static const char *sha256_text(struct span bytes, char to[TEXT_SHA256_ROOM])
{
    struct digest d;
    struct err err;
    assert_int_equal(digest_bytes(DIGEST_SHA256, bytes, &d, &err), E_OK);
    return text_to_hex(digest_span(&d), to);
}

/* write_document makes the release document; `demands` are its <demand> elements. */
static void write_document(struct world *w, const char *product, const char *version,
                           const char *demands)
{
    char payload[TEXT_SHA256_ROOM], file[TEXT_SHA256_ROOM];
    snprintf(w->document, sizeof(w->document),
             "<release xmlns='urn:surefoot:release:1' product='%s' version='%s' "
             "created='2026-09-01T00:00:00Z'>"
             "<payload kind='archive' path='orchard.tar.zst' size='%zu' sha256='%s' "
             "unpacked-size='3'>%s"
             "<file path='bin/orchard' size='3' sha256='%s' mode='755'/></payload></release>",
             product, version, strlen(PAYLOAD), sha256_text(span_text(PAYLOAD), payload), demands,
             sha256_text(span_text("abc"), file));
}

struct feed_spec {
    const char *product, *channel;
    uint64_t serial;
    int64_t issued, expires;
    size_t size_off;     /* added to the document's size */
    const char *sha256;  /* NULL: the document's */
    const char *version; /* of the release */
};

static const struct feed_spec good_feed = { "orchard", "stable", 7,    NOW - DAY,
                                            NOW + DAY, 0,        NULL, "2.1.0" };

static void write_feed(struct world *w, const struct feed_spec *s)
{
    char issued[32], expires[32], sha256[TEXT_SHA256_ROOM];
    struct span document = span_text(w->document);
    snprintf(w->feed, sizeof(w->feed),
             "<feed xmlns='urn:surefoot:feed:1' product='%s' channel='%s' serial='%" PRIu64
             "' issued='%s' expires='%s'><release version='%s' status='auto'>"
             "<document path='2.1.0/release.xml' size='%zu' sha256='%s'/></release></feed>",
             s->product, s->channel, s->serial, text_format_time(s->issued, issued),
             text_format_time(s->expires, expires), s->version, document.len + s->size_off,
             s->sha256 == NULL ? sha256_text(document, sha256) : s->sha256);
}

static bool verdict_has(const struct world *w, enum reason reason)
{
    bool has = false;
    for (size_t k = 0; k < ARRAY_LEN(w->v); k++) {
        has = has || findings_have(&w->v[k].report.findings, reason);
        for (size_t i = 0; i < w->v[k].n_sigs; i++)
            has = has || findings_have(&w->v[k].sigs[i]->findings, reason);
    }
    return has;
}

static enum errc prove_feed(struct world *w, const struct span *signatures, size_t n,
                            struct verified_feed **out)
{
    forget_verdicts(w);
    return verified_feed_make(span_text(w->feed), signatures, n, &w->ask, w->v, out, &w->err);
}

static void assert_feed_refused(struct world *w, const struct span *signatures, size_t n,
                                enum reason reason)
{
    struct verified_feed *feed = NULL;
    enum errc rc = prove_feed(w, signatures, n, &feed);
    if (rc != E_REFUSED || !verdict_has(w, reason) || w->v[0].outcome == OUTCOME_ACCEPTED)
        fail_msg("%s belongs there: %s, %s, %s", reason_word(reason), errc_name(rc),
                 outcome_word(w->v[0].outcome), w->err.text);
    assert_null(feed);
    assert_true(strlen(w->err.text) > 10);
}

/* signed_feed is write_feed, signed by the maker and proven. */
static struct verified_feed *signed_feed(struct world *w)
{
    write_feed(w, &good_feed);
    struct span s = span_text(minisign_kit_sign(&w->maker, span_text(w->feed), w->signature));
    struct verified_feed *feed = NULL;
    if (prove_feed(w, &s, 1, &feed) != E_OK)
        fail_msg("%s", w->err.text);
    return feed;
}

/* --- the feed */

static void feed_passes_and_is_noted(void **state)
{
    UNUSED(state);
    struct world *w = world_new();
    write_document(w, "orchard", "2.1.0", "<demand system='minisign'/>");
    struct verified_feed *feed = signed_feed(w);
    assert_int_equal(w->v[1].outcome, OUTCOME_ACCEPTED);
    assert_int_equal(verified_feed_get(feed)->serial, 7);
    assert_int_equal(verified_feed_note(feed, &w->marks, &w->err), E_OK);
    assert_int_equal(w->marks.n, 1);
    assert_int_equal(strncmp(w->marks.items[0].key, "minisign:", 9), 0);
    assert_int_equal(strlen(w->marks.items[0].key), 9 + 64);
    assert_int_equal(w->marks.items[0].serial, 7);
    assert_int_equal(w->marks.items[0].issued, NOW - DAY);
    verified_feed_free(feed);
    world_free(w);
}

static void feed_signatures_are_all_demanded(void **state)
{
    UNUSED(state);
    struct world *w = world_new();
    char other[512], by_stranger[512], of_other_bytes[512];
    write_feed(w, &good_feed);
    struct span bytes = span_text(w->feed);
    struct span good = span_text(minisign_kit_sign(&w->maker, bytes, w->signature));
    struct span strange = span_text(minisign_kit_sign(&w->stranger, bytes, by_stranger));
    struct span wrong =
        span_text(minisign_kit_sign(&w->maker, span_text("other bytes"), of_other_bytes));
    struct span cut = span_sub(good, 0, good.len / 2);
    struct minisign_kit forger = { .key = w->stranger.key };
    memcpy(forger.id, w->maker.id, sizeof(forger.id));
    struct span forged = span_text(minisign_kit_sign(&forger, bytes, other));

    assert_feed_refused(w, NULL, 0, REASON_UNSIGNED);
    assert_feed_refused(w, &strange, 1, REASON_KEY_MISMATCH);
    assert_feed_refused(w, &wrong, 1, REASON_SIGNATURE_INVALID);
    assert_feed_refused(w, &forged, 1, REASON_SIGNATURE_INVALID);
    assert_feed_refused(w, &cut, 1, REASON_MALFORMED);
    const struct span beside[][2] = { { good, strange }, { wrong, good }, { good, forged } };
    assert_feed_refused(w, beside[0], 2, REASON_KEY_MISMATCH);
    assert_feed_refused(w, beside[1], 2, REASON_SIGNATURE_INVALID);
    assert_feed_refused(w, beside[2], 2, REASON_SIGNATURE_INVALID);
    world_free(w);
}

/* Every byte that is changed after signing is found out before anything is parsed. */
static void feed_altered_is_refused_unparsed(void **state)
{
    UNUSED(state);
    struct world *w = world_new();
    write_feed(w, &good_feed);
    struct span s = span_text(minisign_kit_sign(&w->maker, span_text(w->feed), w->signature));
    for (size_t i = 0; i < strlen(w->feed); i += 7) {
        w->feed[i] = (char)(w->feed[i] ^ 1);
        assert_feed_refused(w, &s, 1, REASON_SIGNATURE_INVALID);
        assert_false(verdict_has(w, REASON_MALFORMED));
        w->feed[i] = (char)(w->feed[i] ^ 1);
    }
    world_free(w);
}

static void feed_rules_hold_for_what_is_signed(void **state)
{
    UNUSED(state);
    struct feed_spec specs[] = { good_feed, good_feed, good_feed, good_feed, good_feed, good_feed };
    specs[0].product = "garden";
    specs[1].channel = "beta";
    specs[2].serial = 6;
    specs[3].expires = NOW;
    specs[4].issued = NOW + DAY + 1, specs[4].expires = NOW + 2 * DAY;
    specs[5].serial = 2000000;
    static const enum reason want[] = { REASON_WRONG_PRODUCT,   REASON_WRONG_PRODUCT,
                                        REASON_OLDER_THAN_SEEN, REASON_EXPIRED,
                                        REASON_ISSUED_AHEAD,    REASON_SERIAL_JUMP };
    struct world *w = world_new();
    struct verified_feed *first = signed_feed(w);
    assert_int_equal(verified_feed_note(first, &w->marks, &w->err), E_OK);
    verified_feed_free(first);
    for (size_t i = 0; i < ARRAY_LEN(specs); i++) {
        write_feed(w, &specs[i]);
        struct span s = span_text(minisign_kit_sign(&w->maker, span_text(w->feed), w->signature));
        assert_feed_refused(w, &s, 1, want[i]);
    }
    world_free(w);
}

static void feed_that_is_signed_and_does_not_read_is_refused(void **state)
{
    UNUSED(state);
    struct world *w = world_new();
    snprintf(w->feed, sizeof(w->feed), "<!DOCTYPE feed><feed xmlns='urn:surefoot:feed:1'/>");
    struct span s = span_text(minisign_kit_sign(&w->maker, span_text(w->feed), w->signature));
    assert_feed_refused(w, &s, 1, REASON_MALFORMED);
    world_free(w);
}

static void feed_of_a_clock_that_went_back_is_refused(void **state)
{
    UNUSED(state);
    struct world *w = world_new();
    assert_int_equal(fresh_note(&w->marks, "cms:aa", 1, NOW + DAY + 1, &w->err), E_OK);
    write_feed(w, &good_feed);
    struct span s = span_text(minisign_kit_sign(&w->maker, span_text(w->feed), w->signature));
    assert_feed_refused(w, &s, 1, REASON_CLOCK_BEHIND);
    world_free(w);
}

static void feed_signed_with_cms_is_noted_by_its_key(void **state)
{
    UNUSED(state);
    struct sign_world cms = sign_world_new("codeSigning", NOW);
    struct world *w = world_new();
    struct buf b;
    const struct sign_kit_ask how = { .pem = false };
    cms.policy.trust = cms.trust;
    w->policies[1] = &cms.policy;
    w->ask.n_policies = 2;
    write_feed(w, &good_feed);
    buf_init(&b, 1 << 16);
    sign_kit_sign(&cms.kit, span_text(w->feed), &how, &b);
    struct span s[] = { buf_span(&b),
                        span_text(minisign_kit_sign(&w->maker, span_text(w->feed), w->signature)) };
    struct verified_feed *feed = NULL;
    if (prove_feed(w, s, 2, &feed) != E_OK)
        fail_msg("%s", w->err.text);
    assert_int_equal(verified_feed_note(feed, &w->marks, &w->err), E_OK);
    assert_int_equal(w->marks.n, 2);
    assert_int_equal(strncmp(w->marks.items[0].key, "cms:", 4), 0);
    assert_int_equal(strlen(w->marks.items[0].key), 4 + 64);
    verified_feed_free(feed);
    w->ask.n_policies = 1; /* a client that knows no certificates */
    assert_feed_refused(w, s, 2, REASON_KEY_MISMATCH);
    buf_fini(&b);
    world_free(w);
    sign_world_free(&cms);
}

/* --- the release document */

/* The document, and that its payload is admitted. */
static enum errc prove_release(struct world *w, const struct verified_feed *feed,
                               const struct payload_floor *floors, size_t n,
                               struct verified_release **out)
{
    struct verified_release *release = NULL;
    forget_verdicts(w);
    enum errc rc =
        verified_release_make(span_text(w->document), feed,
                              &verified_feed_get(feed)->releases.items[0], w->v, &release, &w->err);
    if (rc != E_OK)
        return rc;
    forget_verdicts(w);
    rc = verified_release_admits(release, &verified_release_get(release)->payloads.items[0], floors,
                                 n, w->v, &w->err);
    if (rc == E_OK)
        *out = release;
    else
        verified_release_free(release);
    return rc;
}

static void assert_release_refused(struct world *w, const struct verified_feed *feed,
                                   const struct payload_floor *floor, enum reason reason)
{
    struct verified_release *release = NULL;
    enum errc rc = prove_release(w, feed, floor, 1, &release);
    if (rc != E_REFUSED || !verdict_has(w, reason))
        fail_msg("%s belongs there: %s %s", reason_word(reason), errc_name(rc), w->err.text);
    assert_null(release);
}

static void release_other_than_the_feed_names_is_refused(void **state)
{
    UNUSED(state);
    struct world *w = world_new();
    write_document(w, "orchard", "2.1.0", "<demand system='minisign'/>");
    struct verified_feed *feed = signed_feed(w);
    w->document[60] = (char)(w->document[60] ^ 1);
    assert_release_refused(w, feed, &w->floor, REASON_WRONG_DOCUMENT);
    w->document[60] = (char)(w->document[60] ^ 1);
    w->document[strlen(w->document) - 1] = '\0';
    assert_release_refused(w, feed, &w->floor, REASON_WRONG_DOCUMENT);
    verified_feed_free(feed);

    static const char *const others[][2] = { { "garden", "2.1.0" }, { "orchard", "2.1.1" } };
    static const enum reason want[] = { REASON_WRONG_PRODUCT, REASON_WRONG_DOCUMENT };
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        write_document(w, others[i][0], others[i][1], "<demand system='minisign'/>");
        feed = signed_feed(w);
        assert_release_refused(w, feed, &w->floor, want[i]);
        verified_feed_free(feed);
    }
    world_free(w);
}

static void release_that_does_not_read_is_refused(void **state)
{
    UNUSED(state);
    struct world *w = world_new();
    write_document(w, "orchard", "2.1.0", "<demand system='minisign'/><surprise/>");
    struct verified_feed *feed = signed_feed(w);
    assert_release_refused(w, feed, &w->floor, REASON_MALFORMED);
    verified_feed_free(feed);
    world_free(w);
}

static void release_may_demand_more_never_less(void **state)
{
    UNUSED(state);
    static const char *const works[] = { "Orchard Works", "Orchard Ltd" };
    struct world *w = world_new();
    struct policy named = w->policy, stamped = w->policy;
    named.publishers = works, named.n_publishers = 2;
    stamped.require_timestamp = true;
    const struct payload_floor by_key = { SYSTEM_MINISIGN, &w->policy },
                               by_name = { SYSTEM_CMS, &named }, by_time = { SYSTEM_CMS, &stamped };
    const struct {
        const char *demands;
        const struct payload_floor *floor;
        enum reason want;
    } rows[] = {
        { "<demand system='minisign'/>", &by_key, REASON_NONE },
        { "<demand system='cms'/>", &by_key, REASON_DEMANDS_TOO_LITTLE },
        { "<demand system='minisign'/><demand system='cms'/>", &by_key,
          REASON_REQUIRED_SIGNATURE_MISSING },
        { "<demand system='minisign'/>", &by_name, REASON_DEMANDS_TOO_LITTLE },
        { "<demand system='cms'/>", &by_name, REASON_DEMANDS_TOO_LITTLE },
        { "<demand system='cms' publisher='Stranger'/>", &by_name, REASON_DEMANDS_TOO_LITTLE },
        { "<demand system='cms' publisher='Orchard Ltd'/>", &by_name, REASON_NONE },
        { "<demand system='cms' publisher='Orchard Ltd' timestamp='true'/>", &by_name,
          REASON_NONE },
        { "<demand system='cms'/>", &by_time, REASON_DEMANDS_TOO_LITTLE },
        { "<demand system='cms' timestamp='false'/>", &by_time, REASON_DEMANDS_TOO_LITTLE },
        { "<demand system='cms' timestamp='true'/>", &by_time, REASON_NONE },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        print_message("  %s\n", rows[i].demands);
        write_document(w, "orchard", "2.1.0", rows[i].demands);
        struct verified_feed *feed = signed_feed(w);
        struct verified_release *release = NULL;
        if (rows[i].want != REASON_NONE)
            assert_release_refused(w, feed, rows[i].floor, rows[i].want);
        else if (prove_release(w, feed, rows[i].floor, 1, &release) != E_OK)
            fail_msg("%s", w->err.text);
        verified_release_free(release);
        verified_feed_free(feed);
    }
    world_free(w);
}

static void release_needs_a_floor(void **state)
{
    UNUSED(state);
    struct world *w = world_new();
    write_document(w, "orchard", "2.1.0", "<demand system='minisign'/>");
    struct verified_feed *feed = signed_feed(w);
    struct verified_release *release = NULL;
    assert_int_equal(prove_release(w, feed, NULL, 0, &release), E_ARGUMENT);
    assert_null(release);
    verified_feed_free(feed);
    world_free(w);
}

/* --- the payload */

static enum errc prove_payload(struct world *w, const struct verified_release *release,
                               const char *bytes, const struct span *signatures, size_t n,
                               struct verified_package **out)
{
    struct source *src;
    assert_int_equal(source_memory_new(span_text(bytes), &src, &w->err), E_OK);
    forget_verdicts(w);
    enum errc rc = verified_package_make(src, &verified_release_get(release)->payloads.items[0],
                                         release, &w->floor, 1, signatures, n, w->v, out, &w->err);
    if (rc != E_OK)
        source_close(src);
    return rc;
}

static void assert_payload_refused(struct world *w, const struct verified_release *release,
                                   const char *bytes, const struct span *signatures, size_t n,
                                   enum reason reason)
{
    struct verified_package *package = NULL;
    enum errc rc = prove_payload(w, release, bytes, signatures, n, &package);
    if (rc != E_REFUSED || !verdict_has(w, reason) || w->v[0].outcome == OUTCOME_ACCEPTED)
        fail_msg("%s belongs there: %s %s", reason_word(reason), errc_name(rc), w->err.text);
    assert_null(package);
}

static void payload_needs_its_bytes_and_its_signature(void **state)
{
    UNUSED(state);
    struct world *w = world_new();
    write_document(w, "orchard", "2.1.0", "<demand system='minisign'/>");
    struct verified_feed *feed = signed_feed(w);
    struct verified_release *release = NULL;
    assert_int_equal(prove_release(w, feed, &w->floor, 1, &release), E_OK);
    verified_feed_free(feed);

    char texts[4][512];
    static const char other[] = "the bytes of an Archive", more[] = PAYLOAD "x";
    const struct span good = span_text(minisign_kit_sign(&w->maker, span_text(PAYLOAD), texts[0])),
                      strange =
                          span_text(minisign_kit_sign(&w->stranger, span_text(PAYLOAD), texts[1])),
                      of_other =
                          span_text(minisign_kit_sign(&w->maker, span_text(other), texts[2])),
                      of_more = span_text(minisign_kit_sign(&w->maker, span_text(more), texts[3]));
    const struct span both[] = { good, strange };

    /* Signed by the right key, and still not what the release document lists. */
    assert_payload_refused(w, release, other, &of_other, 1, REASON_DIGEST_MISMATCH);
    assert_payload_refused(w, release, more, &of_more, 1, REASON_DIGEST_MISMATCH);
    /* What is listed, and not signed by the right key. */
    assert_payload_refused(w, release, PAYLOAD, NULL, 0, REASON_UNSIGNED);
    assert_payload_refused(w, release, PAYLOAD, &strange, 1, REASON_KEY_MISMATCH);
    assert_payload_refused(w, release, PAYLOAD, &of_other, 1, REASON_SIGNATURE_INVALID);
    assert_payload_refused(w, release, PAYLOAD, both, 2, REASON_KEY_MISMATCH);

    struct verified_package *package = NULL;
    if (prove_payload(w, release, PAYLOAD, &good, 1, &package) != E_OK)
        fail_msg("%s", w->err.text);
    assert_int_equal(w->v[0].outcome, OUTCOME_ACCEPTED);
    assert_int_equal(verified_package_source(package)->size, strlen(PAYLOAD));
    assert_ptr_equal(verified_package_release(package), verified_release_get(release));
    assert_string_equal(verified_package_payload(package)->path, "orchard.tar.zst");
    verified_package_free(package);
    verified_release_free(release);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(feed_passes_and_is_noted),
        cmocka_unit_test(feed_signatures_are_all_demanded),
        cmocka_unit_test(feed_altered_is_refused_unparsed),
        cmocka_unit_test(feed_rules_hold_for_what_is_signed),
        cmocka_unit_test(feed_that_is_signed_and_does_not_read_is_refused),
        cmocka_unit_test(feed_of_a_clock_that_went_back_is_refused),
        cmocka_unit_test(feed_signed_with_cms_is_noted_by_its_key),
        cmocka_unit_test(release_other_than_the_feed_names_is_refused),
        cmocka_unit_test(release_that_does_not_read_is_refused),
        cmocka_unit_test(release_may_demand_more_never_less),
        cmocka_unit_test(release_needs_a_floor),
        cmocka_unit_test(payload_needs_its_bytes_and_its_signature),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
