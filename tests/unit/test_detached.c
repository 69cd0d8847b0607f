/* Detached CMS signatures: made here when the test runs, and those of the corpus. */

#include "verify/detached.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/sign_kit.h"
#include "verify/cms.h"

#define NOW 1790000000
#define CONTENT "the bytes of a release\n"

static struct verdict judge(const struct policy *policy, struct span content, struct span signature)
{
    struct verdict v = { 0 };
    struct err err;
    if (detached_judge_bytes(content, signature, policy, &v, &err) != E_OK)
        fail_msg("%s", err.text);
    verdict_settle(&v, policy);
    return v;
}

static void print_findings(const struct verdict *v)
{
    for (size_t i = 0; i < v->n_sigs; i++) {
        const struct sig_verdict *sig = v->sigs[i];
        for (size_t k = 0; k < sig->findings.n; k++)
            print_message("  %s: %s\n", reason_word(sig->findings.items[k].reason),
                          sig->findings.items[k].text);
    }
}

static void assert_judged(const struct policy *policy, const char *content, struct span signature,
                          enum outcome outcome, enum reason reason)
{
    struct verdict v = judge(policy, span_text(content), signature);
    assert_int_equal(v.n_sigs, 1);
    if (v.outcome != outcome ||
        (reason != REASON_NONE && !findings_have(&v.sigs[0]->findings, reason))) {
        print_findings(&v);
        fail_msg("%s where %s belongs, proven 0x%x", outcome_word(v.outcome), outcome_word(outcome),
                 v.sigs[0]->proven);
    }
    verdict_fini(&v);
}

static struct buf sign(const struct sign_world *w, const struct sign_kit_ask *ask)
{
    struct buf b;
    buf_init(&b, 1 << 20);
    sign_kit_sign(&w->kit, span_text(CONTENT), ask, &b);
    return b;
}

/* assert_signed judges what `ask` makes. */
static void assert_signed(const struct sign_world *w, const struct sign_kit_ask *ask,
                          const char *content, enum outcome outcome, enum reason reason)
{
    struct buf b = sign(w, ask);
    assert_judged(&w->policy, content, buf_span(&b), outcome, reason);
    buf_fini(&b);
}

static const struct sign_kit_ask plain = { 0 }, pem = { .pem = true };

static void detached_accepts_der_and_pem(void **state)
{
    UNUSED(state);
    struct sign_world w = sign_world_new("codeSigning", NOW);
    assert_signed(&w, &plain, CONTENT, OUTCOME_ACCEPTED, REASON_NONE);
    assert_signed(&w, &pem, CONTENT, OUTCOME_ACCEPTED, REASON_NONE);

    struct buf b = sign(&w, &plain);
    struct verdict v = judge(&w.policy, span_text(CONTENT), buf_span(&b));
    assert_int_equal(v.sigs[0]->system, SYSTEM_CMS);
    assert_int_equal(v.sigs[0]->digest, DIGEST_SHA256);
    assert_string_equal(v.sigs[0]->signer.subject, "O=Test Signer");
    assert_int_equal(v.sigs[0]->findings.n, 0);
    verdict_fini(&v);
    buf_fini(&b);
    sign_world_free(&w);
}

static void detached_refuses_other_content(void **state)
{
    UNUSED(state);
    struct sign_world w = sign_world_new("codeSigning", NOW);
    assert_signed(&w, &plain, "the bytes of a release", OUTCOME_REFUSED, REASON_DIGEST_MISMATCH);
    assert_signed(&w, &plain, "", OUTCOME_REFUSED, REASON_DIGEST_MISMATCH);
    sign_world_free(&w);
}

static void detached_refuses_what_is_no_detached_signature_of_data(void **state)
{
    UNUSED(state);
    struct sign_world w = sign_world_new("codeSigning", NOW);
    const struct sign_kit_ask attached = { .attached = true }, bare = { .flags = CMS_NOATTR },
                              list = { .content_type = "1.3.6.1.4.1.311.10.1" },
                              other = { .content_type = "1.2.840.113549.1.9.16.1.4" };
    assert_signed(&w, &attached, CONTENT, OUTCOME_REFUSED, REASON_MALFORMED);
    assert_signed(&w, &bare, CONTENT, OUTCOME_REFUSED, REASON_MALFORMED);
    assert_signed(&w, &list, CONTENT, OUTCOME_REFUSED, REASON_CONTENT_TYPE_MISMATCH);
    assert_signed(&w, &other, CONTENT, OUTCOME_REFUSED, REASON_CONTENT_TYPE_MISMATCH);
    sign_world_free(&w);
}

static void detached_refuses_two_signers(void **state)
{
    UNUSED(state);
    struct sign_world w = sign_world_new("codeSigning", NOW),
                      second = sign_world_new("codeSigning", NOW);
    const struct sign_kit_ask both = { .second = &second.kit };
    assert_signed(&w, &both, CONTENT, OUTCOME_REFUSED, REASON_MALFORMED);
    sign_world_free(&w);
    sign_world_free(&second);
}

static void detached_demands_the_purpose_that_the_policy_names(void **state)
{
    UNUSED(state);
    struct sign_world mail = sign_world_new("emailProtection", NOW),
                      none = sign_world_new(NULL, NOW);
    assert_signed(&mail, &plain, CONTENT, OUTCOME_REFUSED, REASON_NOT_CODE_SIGNING);
    assert_signed(&none, &plain, CONTENT, OUTCOME_REFUSED, REASON_NOT_CODE_SIGNING);
    mail.policy.cms_eku = "1.3.6.1.5.5.7.3.4";
    none.policy.cms_eku = "1.3.6.1.5.5.7.3.4";
    assert_signed(&mail, &plain, CONTENT, OUTCOME_ACCEPTED, REASON_NONE);
    assert_signed(&none, &plain, CONTENT, OUTCOME_REFUSED, REASON_NOT_CODE_SIGNING);
    none.policy.cms_eku = EKU_ANY;
    assert_signed(&none, &plain, CONTENT, OUTCOME_ACCEPTED, REASON_NONE);
    sign_world_free(&mail);
    sign_world_free(&none);
}

static void detached_refuses_a_stranger_and_one_who_expired(void **state)
{
    UNUSED(state);
    struct sign_world w = sign_world_new("codeSigning", NOW),
                      other = sign_world_new("codeSigning", NOW);
    struct buf b = sign(&w, &plain);
    assert_judged(&other.policy, CONTENT, buf_span(&b), OUTCOME_REFUSED, REASON_CHAIN_UNTRUSTED);
    w.policy.now = NOW + 2 * 86400;
    assert_judged(&w.policy, CONTENT, buf_span(&b), OUTCOME_REFUSED, REASON_CHAIN_EXPIRED);
    w.policy.now = NOW;
    w.policy.require_timestamp = true;
    assert_judged(&w.policy, CONTENT, buf_span(&b), OUTCOME_REFUSED, REASON_TIMESTAMP_MISSING);
    w.policy.require_timestamp = false;
    static const char *const names[] = { "Somebody Else" };
    w.policy.publishers = names;
    w.policy.n_publishers = 1;
    assert_judged(&w.policy, CONTENT, buf_span(&b), OUTCOME_REFUSED, REASON_PUBLISHER_MISMATCH);
    buf_fini(&b);
    sign_world_free(&w);
    sign_world_free(&other);
}

static void detached_refuses_weak_digests(void **state)
{
    UNUSED(state);
    struct sign_world w = sign_world_new("codeSigning", NOW);
    const struct sign_kit_ask sha1 = { .md = EVP_sha1() };
    assert_signed(&w, &sha1, CONTENT, OUTCOME_REFUSED, REASON_WEAK_DIGEST);
    w.policy.allowed = ALLOW_SHA1;
    assert_signed(&w, &sha1, CONTENT, OUTCOME_ACCEPTED, REASON_WEAK_DIGEST);
    sign_world_free(&w);
}

static void detached_refuses_every_flipped_byte_and_truncation(void **state)
{
    UNUSED(state);
    struct sign_world w = sign_world_new("codeSigning", NOW);
    struct buf kinds[] = { sign(&w, &plain), sign(&w, &pem) };
    for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
        for (size_t i = 0; i < kinds[k].len; i++) {
            uint8_t bit = (uint8_t)(1U << (i % 8));
            kinds[k].ptr[i] ^= bit;
            struct verdict v = judge(&w.policy, span_text(CONTENT), buf_span(&kinds[k]));
            kinds[k].ptr[i] ^= bit;
            bool last_line_end = k == 1 && i + 1 == kinds[k].len; /* nothing hangs on it */
            if (v.outcome == OUTCOME_ACCEPTED && !last_line_end)
                fail_msg("accepted with byte %zu of %s flipped", i, k == 0 ? "DER" : "PEM");
            verdict_fini(&v);
            if (i + 1 < kinds[k].len)
                assert_judged(&w.policy, CONTENT, span_of(kinds[k].ptr, i), OUTCOME_REFUSED,
                              REASON_MALFORMED);
        }
        buf_fini(&kinds[k]);
    }
    sign_world_free(&w);
}

static void detached_refuses_bytes_behind_the_der(void **state)
{
    UNUSED(state);
    struct sign_world w = sign_world_new("codeSigning", NOW);
    struct err err;
    struct buf b = sign(&w, &plain);
    assert_int_equal(buf_add_byte(&b, 0, &err), E_OK);
    assert_judged(&w.policy, CONTENT, buf_span(&b), OUTCOME_REFUSED, REASON_NONE);
    buf_fini(&b);
    sign_world_free(&w);
}

static void detached_notes_text_around_pem(void **state)
{
    UNUSED(state);
    struct sign_world w = sign_world_new("codeSigning", NOW);
    struct err err;
    struct buf b = sign(&w, &pem), text;
    buf_init(&text, 1 << 20);
    assert_int_equal(buf_add_text(&text, "signed by hand\r\n", &err), E_OK);
    assert_int_equal(buf_add(&text, buf_span(&b), &err), E_OK);
    assert_int_equal(buf_add_text(&text, "-- \nregards", &err), E_OK);
    struct verdict v = judge(&w.policy, span_text(CONTENT), buf_span(&text));
    assert_int_equal(v.outcome, OUTCOME_ACCEPTED);
    assert_true(findings_have(&v.sigs[0]->findings, REASON_UNCOVERED_DATA));
    assert_int_equal(v.report.n_ranges, 0);
    verdict_fini(&v);

    assert_int_equal(buf_add_text(&text, "\n", &err), E_OK);
    assert_int_equal(buf_add(&text, buf_span(&b), &err), E_OK);
    assert_judged(&w.policy, CONTENT, buf_span(&text), OUTCOME_REFUSED, REASON_MALFORMED);
    buf_fini(&text);
    buf_fini(&b);
    sign_world_free(&w);
}

static void detached_reads_pem_of_one_form(void **state)
{
    UNUSED(state);
    static const struct {
        const char *text;
        bool reads;
    } rows[] = {
        { "-----BEGIN CMS-----\nAAAA\n-----END CMS-----\n", true },
        { "-----BEGIN CMS-----\nAAAA\n-----END CMS-----", true },
        { "-----BEGIN PKCS7-----\r\nAAAAAAAA\r\nAAAA\r\n-----END PKCS7-----\r\n", true },
        { "text\n-----BEGIN CMS-----\nAAAA\n-----END CMS-----\ntext", true },
        { "-----BEGIN CMS-----\nAAAA\n-----END PKCS7-----\n", false },
        { "-----BEGIN CMS-----\nAAAA\n", false },
        { "-----BEGIN CMS-----\nAAAA\n\n-----END CMS-----\n", false },
        { "-----BEGIN CMS-----\n\nAAAA\n-----END CMS-----\n", false },
        { "-----BEGIN CMS-----\nAAAA\nAAAAAAAA\n-----END CMS-----\n", false },
        { "-----BEGIN CMS-----\nAAAAAAAA\nAAAA\nAAAA\n-----END CMS-----\n", false },
        { "-----BEGIN CMS-----\nAAAA \n-----END CMS-----\n", false },
        { "-----BEGIN CMS-----\nAAA=\nAAAA\n-----END CMS-----\n", false },
        { "-----BEGIN CMS----- \nAAAA\n-----END CMS-----\n", false },
        { " -----BEGIN CMS-----\nAAAA\n-----END CMS-----\n", false },
        { "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", false },
        { "-----BEGIN CMS-----\nHeader: x\n\nAAAA\n-----END CMS-----\n", false },
        { "-----BEGIN CMS-----\n"
          "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"
          "-----END CMS-----\n",
          false },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf out;
        struct err err;
        size_t around;
        buf_init(&out, 4096);
        enum errc rc = detached_read_pem(span_text(rows[i].text), &out, &around, &err);
        if ((rc == E_OK) != rows[i].reads)
            fail_msg("row %zu: %s", i, errc_name(rc));
        buf_fini(&out);
    }
}

static void detached_tells_systems_by_their_bytes(void **state)
{
    UNUSED(state);
    assert_int_equal(detached_system(span_text("untrusted comment: x")), SYSTEM_MINISIGN);
    assert_int_equal(detached_system(span_of("\x30\x82\x01\x00", 4)), SYSTEM_CMS);
    assert_int_equal(detached_system(span_text("a\n-----BEGIN PKCS7-----\n")), SYSTEM_CMS);
    assert_int_equal(detached_system(span_text("0 is a digit")), SYSTEM_NONE);
    assert_int_equal(detached_system(span_text("")), SYSTEM_NONE);
    assert_int_equal(detached_system(span_text("-----BEGIN PGP SIGNATURE-----\n")), SYSTEM_NONE);
}

static void detached_refuses_what_it_does_not_know(void **state)
{
    UNUSED(state);
    struct sign_world w = sign_world_new("codeSigning", NOW);
    assert_judged(&w.policy, CONTENT, span_text("-----BEGIN PGP SIGNATURE-----\n"), OUTCOME_REFUSED,
                  REASON_MALFORMED);
    assert_judged(&w.policy, CONTENT, span_text(""), OUTCOME_REFUSED, REASON_MALFORMED);
    uint8_t *big = calloc(1, DETACHED_SIGNATURE_MAX + 1);
    assert_non_null(big);
    assert_judged(&w.policy, CONTENT, span_of(big, DETACHED_SIGNATURE_MAX + 1), OUTCOME_REFUSED,
                  REASON_MALFORMED);
    free(big);
    sign_world_free(&w);
}

/* --- the corpus */

#define RAUC "rauc+rauc/test/openssl-ca/"
#define FWUPD "fwupd+fwupd/src/tests/colorhug/"

static struct buf read_corpus(const char *name)
{
    const char *corpus = getenv("SUREFOOT_CORPUS");
    char path[1024];
    struct buf b;
    uint8_t *to;
    struct err err;
    buf_init(&b, 1 << 20);
    (void)snprintf(path, sizeof(path), "%s/cms/%s", corpus == NULL ? "/nonexistent" : corpus, name);
    FILE *f = fopen(path, "rb");
    if (f == NULL)
        return b;
    assert_int_equal(buf_reserve(&b, 1 << 18, &to, &err), E_OK);
    b.len = fread(to, 1, 1 << 18, f);
    (void)fclose(f);
    return b;
}

struct corpus_row {
    const char *content, *signature,
        *anchors;    /* anchors NULL: the signer's own certificate is pinned */
    const char *eku; /* NULL: code signing */
    bool crl;
    int64_t at;
    enum outcome outcome;
    enum reason reason;
};

#define RAUC_TIME 1577836800  /* 2020-01-01 */
#define FWUPD_TIME 1790000000 /* 2026-09-21 */
#define EKU_MAIL "1.3.6.1.5.5.7.3.4"

static const struct corpus_row corpus_rows[] = {
    { RAUC "manifest", RAUC "manifest-r1.sig", RAUC "provisioning-ca.pem", EKU_ANY, true, RAUC_TIME,
      OUTCOME_ACCEPTED, REASON_NONE },
    { RAUC "manifest", RAUC "manifest-a1.sig", RAUC "provisioning-ca.pem", EKU_ANY, true, RAUC_TIME,
      OUTCOME_ACCEPTED, REASON_NONE },
    { RAUC "manifest", RAUC "manifest-a2.sig", RAUC "provisioning-ca.pem", EKU_ANY, false,
      RAUC_TIME, OUTCOME_ACCEPTED, REASON_NONE },
    { RAUC "manifest", RAUC "manifest-a2.sig", RAUC "provisioning-ca.pem", EKU_ANY, true, RAUC_TIME,
      OUTCOME_REFUSED, REASON_REVOKED },
    { RAUC "manifest", RAUC "manifest-r1.sig", RAUC "provisioning-ca.pem", NULL, false, RAUC_TIME,
      OUTCOME_REFUSED, REASON_NOT_CODE_SIGNING },
    { RAUC "manifest", RAUC "manifest-cs1.sig", RAUC "provisioning-ca.pem", NULL, false, RAUC_TIME,
      OUTCOME_ACCEPTED, REASON_NONE },
    { RAUC "manifest", RAUC "manifest-cs1.sig", RAUC "provisioning-ca.pem", EKU_MAIL, false,
      RAUC_TIME, OUTCOME_REFUSED, REASON_NOT_CODE_SIGNING },
    { RAUC "manifest", RAUC "manifest-ep1.sig", RAUC "provisioning-ca.pem", NULL, false, RAUC_TIME,
      OUTCOME_REFUSED, REASON_NOT_CODE_SIGNING },
    { RAUC "manifest", RAUC "manifest-ts1.sig", RAUC "provisioning-ca.pem", NULL, false, RAUC_TIME,
      OUTCOME_REFUSED, REASON_NOT_CODE_SIGNING },
    { RAUC "provisioning-ca.pem", RAUC "manifest-r1.sig", RAUC "provisioning-ca.pem", EKU_ANY,
      false, RAUC_TIME, OUTCOME_REFUSED, REASON_DIGEST_MISMATCH },
    { FWUPD "firmware.bin", FWUPD "firmware.bin.p7b", NULL, NULL, false, FWUPD_TIME,
      OUTCOME_ACCEPTED, REASON_NONE },
    { FWUPD "firmware.bin", FWUPD "firmware.bin.p7c", NULL, EKU_ANY, false, FWUPD_TIME,
      OUTCOME_ACCEPTED, REASON_NONE },
    { FWUPD "firmware.bin", FWUPD "firmware.bin.p7c", NULL, NULL, false, FWUPD_TIME,
      OUTCOME_REFUSED, REASON_NOT_CODE_SIGNING },
    { FWUPD "firmware.bin.sha256", FWUPD "firmware.bin.sha256.p7c", NULL, EKU_ANY, false,
      FWUPD_TIME, OUTCOME_ACCEPTED, REASON_NONE },
    { FWUPD "firmware.bin", FWUPD "firmware.bin.sha256.p7c", NULL, EKU_ANY, false, FWUPD_TIME,
      OUTCOME_REFUSED, REASON_DIGEST_MISMATCH },
    { FWUPD "firmware.bin", FWUPD "firmware.bin.p7b", RAUC "provisioning-ca.pem", NULL, false,
      FWUPD_TIME, OUTCOME_REFUSED, REASON_CHAIN_UNTRUSTED },
};

/* pin_of is the thumbprint of the first certificate in a PEM signature. */
static struct pin pin_of(struct span pem_text)
{
    struct pin pin = { .kind = PIN_CERT_SHA256 };
    struct cms cms;
    struct der cert;
    struct digest digest;
    struct buf der;
    struct err err;
    size_t around;
    buf_init(&der, 1 << 20);
    assert_int_equal(detached_read_pem(pem_text, &der, &around, &err), E_OK);
    assert_int_equal(cms_read(buf_span(&der), 0, &cms, &err), E_OK);
    struct reader certs = der_inside(&cms.certs);
    assert_int_equal(der_read_any(&certs, "certificate", &cert, &err), E_OK);
    assert_int_equal(digest_bytes(DIGEST_SHA256, cert.whole, &digest, &err), E_OK);
    memcpy(pin.bytes, digest.bytes, sizeof(pin.bytes));
    buf_fini(&der);
    return pin;
}

static bool judge_corpus_row(const struct corpus_row *row)
{
    struct trust *trust;
    struct err err;
    struct buf content = read_corpus(row->content), signature = read_corpus(row->signature),
               anchors = read_corpus(row->anchors == NULL ? "" : row->anchors);
    struct pin pin = { 0 };
    assert_int_equal(trust_new(&trust, &err), E_OK);
    if (row->anchors == NULL)
        pin = pin_of(buf_span(&signature));
    else
        assert_int_equal(trust_add_anchors(trust, ANCHOR_CODE, buf_span(&anchors), &err), E_OK);
    if (row->crl)
        assert_int_equal(trust_add_crls(trust, buf_span(&anchors), &err), E_OK);
    struct policy policy = { .now = row->at,
                             .trust = trust,
                             .pins = &pin,
                             .n_pins = row->anchors == NULL,
                             .cms_eku = row->eku,
                             .profile = PROFILE_WINDOWS,
                             .revocation = row->crl ? REVOCATION_CRL : REVOCATION_OFF };
    struct verdict v = judge(&policy, buf_span(&content), buf_span(&signature));
    bool as_expected =
        v.outcome == row->outcome &&
        (row->reason == REASON_NONE || findings_have(&v.sigs[0]->findings, row->reason));
    if (!as_expected) {
        print_message("%s: %s, proven 0x%x\n", row->signature, outcome_word(v.outcome),
                      v.sigs[0]->proven);
        print_findings(&v);
    }
    verdict_fini(&v);
    trust_free(trust);
    buf_fini(&content);
    buf_fini(&signature);
    buf_fini(&anchors);
    return as_expected;
}

static void detached_judges_the_corpus_as_expected(void **state)
{
    UNUSED(state);
    struct buf probe = read_corpus(RAUC "manifest");
    bool absent = probe.len == 0;
    buf_fini(&probe);
    if (absent) {
        print_message("no corpus at SUREFOOT_CORPUS\n");
        skip();
    }
    size_t n_wrong = 0;
    for (size_t i = 0; i < ARRAY_LEN(corpus_rows); i++)
        n_wrong += !judge_corpus_row(&corpus_rows[i]);
    assert_int_equal(n_wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(detached_accepts_der_and_pem),
        cmocka_unit_test(detached_refuses_other_content),
        cmocka_unit_test(detached_refuses_what_is_no_detached_signature_of_data),
        cmocka_unit_test(detached_refuses_two_signers),
        cmocka_unit_test(detached_demands_the_purpose_that_the_policy_names),
        cmocka_unit_test(detached_refuses_a_stranger_and_one_who_expired),
        cmocka_unit_test(detached_refuses_weak_digests),
        cmocka_unit_test(detached_refuses_every_flipped_byte_and_truncation),
        cmocka_unit_test(detached_refuses_bytes_behind_the_der),
        cmocka_unit_test(detached_notes_text_around_pem),
        cmocka_unit_test(detached_reads_pem_of_one_form),
        cmocka_unit_test(detached_tells_systems_by_their_bytes),
        cmocka_unit_test(detached_refuses_what_it_does_not_know),
        cmocka_unit_test(detached_judges_the_corpus_as_expected),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
