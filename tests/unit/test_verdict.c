/* The one function that accepts. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "verify/policy.h"
#include "verify/verdict.h"

static const struct policy strict = { .profile = PROFILE_STRICT };
static const struct policy windows = { .profile = PROFILE_WINDOWS };

static struct sig_verdict *add_good(struct verdict *v)
{
    struct sig_verdict *sig = NULL;
    assert_int_equal(verdict_add_sig(v, &sig, NULL), E_OK);
    sig->system = SYSTEM_AUTHENTICODE;
    sig->required = FACTS_ALL;
    sig->proven = FACTS_ALL;
    return sig;
}

static enum outcome settle(struct verdict *v, const struct policy *p)
{
    verdict_settle(v, p);
    return v->outcome;
}

static void a_zeroed_verdict_accepts_nothing(void **state)
{
    (void)state;
    struct verdict v = { .type = "pe" };
    assert_int_equal(settle(&v, &strict), OUTCOME_REFUSED);
    struct sig_verdict *sig = NULL;
    assert_int_equal(verdict_add_sig(&v, &sig, NULL), E_OK);
    assert_int_equal(settle(&v, &windows), OUTCOME_REFUSED);
    assert_int_equal(sig->ruling, RULING_REFUSED);
    assert_true(sig->findings.n > 0); /* and it says why */
    verdict_fini(&v);
}

static void every_single_fact_is_needed(void **state)
{
    (void)state;
    for (uint32_t fact = 1; fact <= FACT_TIME; fact <<= 1) {
        struct verdict v = { .type = "pe" };
        struct sig_verdict *sig = add_good(&v);
        assert_int_equal(settle(&v, &windows), OUTCOME_ACCEPTED);
        sig->proven &= ~fact;
        assert_int_equal(settle(&v, &windows), OUTCOME_REFUSED);
        assert_true(sig->findings.n > 0);
        verdict_fini(&v);
    }
}

static void facts_of_two_signatures_are_never_joined(void **state)
{
    (void)state;
    struct verdict v = { .type = "pe" };
    add_good(&v)->proven = FACTS_INTACT | FACT_CHAIN | FACT_TIME;
    add_good(&v)->proven = FACTS_INTACT | FACT_SIGNER;
    assert_int_equal(settle(&v, &strict), OUTCOME_REFUSED);
    verdict_fini(&v);
}

static void a_weaker_sibling_is_no_reason(void **state)
{
    (void)state;
    struct verdict v = { .type = "pe" };
    findings_add(&add_good(&v)->findings, REASON_WEAK_DIGEST, WEIGHT_SHA1, NO_OFFSET, "SHA-1");
    add_good(&v);
    assert_int_equal(settle(&v, &strict), OUTCOME_ACCEPTED);
    assert_int_equal(v.sigs[0]->ruling, RULING_REFUSED);
    struct policy all = strict;
    all.all_signatures = true;
    assert_int_equal(settle(&v, &all), OUTCOME_REFUSED);
    verdict_fini(&v);
}

static void a_broken_sibling_refuses_the_file(void **state)
{
    (void)state;
    static const enum reason broken[] = { REASON_DIGEST_MISMATCH, REASON_SIGNATURE_INVALID,
                                          REASON_MALFORMED, REASON_TIMESTAMP_INVALID,
                                          REASON_CONTENT_TYPE_MISMATCH };
    for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
        struct verdict v = { .type = "pe" };
        add_good(&v);
        findings_add(&add_good(&v)->findings, broken[i], WEIGHT_FATAL, NO_OFFSET, "broken");
        assert_int_equal(settle(&v, &windows), OUTCOME_REFUSED);
        verdict_fini(&v);
    }
}

static const struct {
    enum reason reason;
    enum weight weight;
    uint32_t allowed;
    bool in_strict, in_windows, when_allowed, when_pinned; /* accepted? */
} weights[] = {
    { REASON_MALFORMED, WEIGHT_FATAL, ~0U, false, false, false, false },
    { REASON_UNCOVERED_DATA, WEIGHT_COVERAGE, ALLOW_UNCOVERED_DATA, false, true, true, true },
    { REASON_UNCOVERED_DATA, WEIGHT_COVERAGE, ALLOW_UNSIGNED_METADATA, false, true, false, true },
    { REASON_UNSIGNED_METADATA, WEIGHT_COVERAGE, ALLOW_UNSIGNED_METADATA, false, true, true, true },
    { REASON_CERTIFICATE_TABLE_PADDING, WEIGHT_COVERAGE, ALLOW_CERTIFICATE_TABLE_PADDING, false,
      true, true, true },
    { REASON_CHECKSUM_MISMATCH, WEIGHT_COVERAGE, ALLOW_CHECKSUM, false, true, true, true },
    { REASON_TRAILING_DATA, WEIGHT_COVERAGE, ~0U, false, true, false, true },
    { REASON_NOT_CODE_SIGNING, WEIGHT_LENIENT, ~0U, false, true, false, false },
    { REASON_WEAK_DIGEST, WEIGHT_SHA1, ALLOW_SHA1, false, true, true, false },
    { REASON_WEAK_DIGEST, WEIGHT_SHA1, ALLOW_RSA1024, false, true, false, false },
    { REASON_WEAK_KEY, WEIGHT_RSA1024, ALLOW_RSA1024, false, false, true, false },
    { REASON_WEAK_KEY, WEIGHT_RSA1024_ANCHOR, ALLOW_RSA1024, false, true, true, false },
    { REASON_NO_PUBLISHER_DEMANDED, WEIGHT_NOTE, 0, true, true, true, true },
    { REASON_MALFORMED, WEIGHT_CONTAINER, ~0U, false, false, false, false },
};

static bool is_accepted(size_t i, const struct policy *p)
{
    struct verdict v = { .type = "pe" };
    add_good(&v);
    findings_add(&v.report.findings, weights[i].reason, weights[i].weight, 5, "something");
    bool accepted = settle(&v, p) == OUTCOME_ACCEPTED;
    assert_int_equal(v.report.findings.items[0].fatal, !accepted);
    verdict_fini(&v);
    return accepted;
}

static void weights_mean_what_the_profile_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(weights); i++) {
        struct policy allowing = strict, pinned = strict;
        allowing.allowed = weights[i].allowed;
        pinned.has_sha256 = true;
        assert_int_equal(is_accepted(i, &strict), weights[i].in_strict);
        assert_int_equal(is_accepted(i, &windows), weights[i].in_windows);
        assert_int_equal(is_accepted(i, &allowing), weights[i].when_allowed);
        assert_int_equal(is_accepted(i, &pinned), weights[i].when_pinned);
    }
}

static void required_systems_must_each_be_met(void **state)
{
    (void)state;
    struct policy both = strict;
    both.required_systems = SYSTEM_AUTHENTICODE | SYSTEM_MINISIGN;
    struct verdict v = { .type = "pe" };
    add_good(&v);
    assert_int_equal(settle(&v, &both), OUTCOME_REFUSED);
    assert_true(findings_have(&v.report.findings, REASON_REQUIRED_SIGNATURE_MISSING));
    verdict_fini(&v);

    struct verdict w = { .type = "pe" };
    add_good(&w);
    add_good(&w)->system = SYSTEM_MINISIGN;
    assert_int_equal(settle(&w, &both), OUTCOME_ACCEPTED);
    w.sigs[1]->proven = FACTS_INTACT; /* intact, by a stranger */
    assert_int_equal(settle(&w, &both), OUTCOME_REFUSED);
    verdict_fini(&w);
}

static void a_signature_over_the_whole_file_covers_all(void **state)
{
    (void)state;
    struct verdict v = { .type = "msi" };
    findings_add(&v.report.findings, REASON_MALFORMED, WEIGHT_CONTAINER, NO_OFFSET,
                 "does not read");
    findings_add(&v.report.findings, REASON_UNCOVERED_DATA, WEIGHT_COVERAGE, NO_OFFSET, "slack");
    struct sig_verdict *sig = add_good(&v);
    sig->system = SYSTEM_MINISIGN;
    sig->whole_file = true;
    assert_int_equal(settle(&v, &strict), OUTCOME_ACCEPTED);
    sig->proven = FACTS_INTACT;
    assert_int_equal(settle(&v, &strict), OUTCOME_REFUSED);
    verdict_fini(&v);
}

static void outcomes_without_a_signature(void **state)
{
    (void)state;
    struct verdict v = { .type = "pe" };
    findings_add(&v.report.findings, REASON_UNSIGNED, WEIGHT_FATAL, NO_OFFSET, "none");
    assert_int_equal(settle(&v, &strict), OUTCOME_UNSIGNED);
    verdict_fini(&v);
    findings_add(&v.report.findings, REASON_UNSUPPORTED, WEIGHT_FATAL, NO_OFFSET, "none");
    assert_int_equal(settle(&v, &strict), OUTCOME_UNSUPPORTED);
    findings_add(&v.report.findings, REASON_READ_ERROR, WEIGHT_FATAL, NO_OFFSET, "i/o");
    assert_int_equal(settle(&v, &strict), OUTCOME_ERROR);
    verdict_fini(&v);
}

static void full_tables_refuse(void **state)
{
    (void)state;
    struct verdict v = { .type = "pe" };
    add_good(&v);
    for (int i = 0; i < FINDINGS_MAX + 5; i++)
        findings_add(&v.report.findings, REASON_NO_PUBLISHER_DEMANDED, WEIGHT_NOTE, NO_OFFSET,
                     "note %d", i);
    assert_int_equal(v.report.findings.n, FINDINGS_MAX);
    assert_int_equal(settle(&v, &windows), OUTCOME_REFUSED);
    verdict_fini(&v);

    struct verdict w = { .type = "pe" };
    struct sig_verdict *sig;
    struct err err;
    for (int i = 0; i < SIGS_MAX; i++)
        add_good(&w);
    assert_int_equal(verdict_add_sig(&w, &sig, &err), E_LIMIT);
    assert_int_equal(settle(&w, &windows), OUTCOME_REFUSED);
    verdict_fini(&w);
}

static void the_same_finding_is_kept_once(void **state)
{
    (void)state;
    struct findings f = { 0 };
    findings_add(&f, REASON_MALFORMED, WEIGHT_FATAL, 1, "line\nbreak");
    findings_add(&f, REASON_MALFORMED, WEIGHT_FATAL, 2, "line\nbreak");
    findings_add(&f, REASON_MALFORMED, WEIGHT_FATAL, 2, "other");
    assert_int_equal(f.n, 2);
    assert_string_equal(f.items[0].text, "line?break");
}

static void ranges_that_touch_are_joined(void **state)
{
    (void)state;
    static const char what[] = "slack";
    struct report r = { 0 };
    struct err err;
    assert_int_equal(report_uncovered(&r, 10, 5, what, &err), E_OK);
    assert_int_equal(report_uncovered(&r, 15, 5, what, &err), E_OK);
    assert_int_equal(report_uncovered(&r, 21, 0, what, &err), E_OK);
    assert_int_equal(report_uncovered(&r, 30, 1, what, &err), E_OK);
    assert_int_equal(r.n_ranges, 2);
    assert_int_equal(r.ranges[0].len, 10);
    for (uint64_t i = 0; i < UNCOVERED_MAX - 2; i++)
        assert_int_equal(report_uncovered(&r, 100 + 2 * i, 1, what, &err), E_OK);
    assert_int_equal(report_uncovered(&r, 1, 1, what, &err), E_LIMIT);
    report_fini(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_zeroed_verdict_accepts_nothing),
        cmocka_unit_test(every_single_fact_is_needed),
        cmocka_unit_test(facts_of_two_signatures_are_never_joined),
        cmocka_unit_test(a_weaker_sibling_is_no_reason),
        cmocka_unit_test(a_broken_sibling_refuses_the_file),
        cmocka_unit_test(weights_mean_what_the_profile_says),
        cmocka_unit_test(required_systems_must_each_be_met),
        cmocka_unit_test(a_signature_over_the_whole_file_covers_all),
        cmocka_unit_test(outcomes_without_a_signature),
        cmocka_unit_test(full_tables_refuse),
        cmocka_unit_test(the_same_finding_is_kept_once),
        cmocka_unit_test(ranges_that_touch_are_joined),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
