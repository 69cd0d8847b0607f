#include "verify/stamp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "platform/source.h"
#include "tests/unit/der_build.h"

#define SIGNED_DATA "1.2.840.113549.1.7.2"
#define DATA "1.2.840.113549.1.7.1"
#define TST_INFO "1.2.840.113549.1.9.16.1.4"
#define CONTENT_TYPE "1.2.840.113549.1.9.3"
#define MESSAGE_DIGEST "1.2.840.113549.1.9.4"
#define SIGNING_TIME "1.2.840.113549.1.9.5"
#define COUNTERSIGNATURE "1.2.840.113549.1.9.6"
#define CMS_TOKEN "1.2.840.113549.1.9.16.2.14"
#define SPC_TIMESTAMP "1.3.6.1.4.1.311.3.3.1"
#define SHA256 "2.16.840.1.101.3.4.2.1"
#define MD5 "1.2.840.113549.2.5"
#define RSA "1.2.840.113549.1.1.1"
#define SIGNATURE "the signature's bytes"

/* --- made here: nothing is signed, so that what is right so far ends at the missing certificate */

static struct bits sha256_of(struct span bytes)
{
    struct digest d;
    struct err err;
    assert_int_equal(digest_bytes(DIGEST_SHA256, bytes, &d, &err), E_OK);
    return der_octets(d.bytes, d.len);
}

static struct bits sid(void)
{
    return TLV(DER_SEQUENCE, EMPTY(DER_SEQUENCE), der_number(7));
}

static struct bits signer_over(struct bits content, const char *type, struct bits more_attrs)
{
    struct bits attrs = TLV(DER_CONTEXT_CONSTRUCTED(0), der_attr(CONTENT_TYPE, der_oid(type)),
                            more_attrs, der_attr(MESSAGE_DIGEST, sha256_of(bits_span(&content))));
    return TLV(DER_SEQUENCE, der_number(1), sid(), der_alg(SHA256), attrs, der_alg(RSA),
               der_octets("x", 1));
}

static struct bits token_of(const char *type, struct bits tst)
{
    struct bits content = TLV(DER_SEQUENCE, der_oid(type),
                              TLV(DER_CONTEXT_CONSTRUCTED(0), der_octets(tst.bytes, tst.len)));
    struct bits data = TLV(DER_SEQUENCE, der_number(3), TLV(DER_SET, der_alg(SHA256)), content,
                           TLV(DER_SET, signer_over(tst, type, NOTHING)));
    return TLV(DER_SEQUENCE, der_oid(SIGNED_DATA), TLV(DER_CONTEXT_CONSTRUCTED(0), data));
}

static struct bits imprint(void)
{
    return TLV(DER_SEQUENCE, der_alg(SHA256), sha256_of(span_text(SIGNATURE)));
}

static struct bits tst_of(struct bits version, struct bits of, const char *time, struct bits more)
{
    return TLV(DER_SEQUENCE, version, der_oid("1.2.3"), of, der_number(5),
               der_text(DER_GENERALIZED_TIME, time), more);
}

static struct bits good_tst(void)
{
    return tst_of(der_number(1), imprint(), "20260203040506.25Z", NOTHING);
}

/* judge reads a signature with these unsigned attributes and judges its timestamp. */
static void judge(struct bits unsigned_attrs, bool demanded, struct sig_verdict *sig)
{
    static struct bits whole;
    struct policy policy = { .profile = PROFILE_WINDOWS, .require_timestamp = demanded };
    struct cms cms = { .version = 1 };
    struct cert_bag bag = { .n = 0 };
    struct report report = { .n_ranges = 0 };
    struct err err;
    whole = TLV(DER_SEQUENCE, der_number(1), sid(), der_alg(SHA256), der_alg(RSA),
                der_octets(SIGNATURE, strlen(SIGNATURE)), unsigned_attrs);
    struct reader r = reader_of(bits_span(&whole), 0);
    assert_int_equal(trust_new((struct trust **)(void *)&policy.trust, &err), E_OK);
    assert_int_equal(cms_read_signer(&r, &cms.signer, &err), E_OK);
    memset(sig, 0, sizeof(*sig));
    sig->system = SYSTEM_AUTHENTICODE;
    assert_int_equal(stamp_judge(&cms, NULL, &bag, &policy, sig, &report, &err), E_OK);
    assert_false(sig->stamp.trusted);
    report_fini(&report);
    trust_free((struct trust *)(uintptr_t)policy.trust);
}

static bool says(const struct sig_verdict *sig, const char *text)
{
    for (size_t i = 0; i < sig->findings.n; i++)
        if (strstr(sig->findings.items[i].text, text) != NULL)
            return true;
    return false;
}

#define UNSIGNED(...) TLV(DER_CONTEXT_CONSTRUCTED(1), __VA_ARGS__)

static void refuse_token(struct bits token, const char *text)
{
    static struct sig_verdict sig;
    judge(UNSIGNED(der_attr(SPC_TIMESTAMP, token)), false, &sig);
    assert_int_equal(sig.stamp.kind, STAMP_RFC3161);
    assert_true(findings_have(&sig.findings, REASON_TIMESTAMP_INVALID));
    if (!says(&sig, text))
        fail_msg("wanted \"%s\", got \"%s\"", text, sig.findings.items[0].text);
}

static void refuse_tst(struct bits tst, const char *text)
{
    refuse_token(token_of(TST_INFO, tst), text);
}

/* all_but_the_certificate is true if the missing certificate is all that is wrong. */
static bool all_but_the_certificate(const struct sig_verdict *sig)
{
    return sig->findings.n == 1 && sig->findings.items[0].reason == REASON_TIMESTAMP_INVALID &&
           sig->findings.items[0].weight == WEIGHT_FATAL &&
           says(sig, "certificate is not in the signature");
}

static void a_token_without_certificate_is_refused(void **state)
{
    static struct sig_verdict sig;
    UNUSED(state);
    judge(UNSIGNED(der_attr(SPC_TIMESTAMP, token_of(TST_INFO, good_tst()))), true, &sig);
    assert_true(all_but_the_certificate(&sig));
}

static void none_is_missing_only_where_demanded(void **state)
{
    static struct sig_verdict sig;
    UNUSED(state);
    judge(NOTHING, false, &sig);
    assert_int_equal(sig.findings.n, 0);
    assert_int_equal(sig.stamp.kind, STAMP_NONE);
    judge(NOTHING, true, &sig);
    assert_true(findings_have(&sig.findings, REASON_TIMESTAMP_MISSING));
    judge(UNSIGNED(der_attr(CMS_TOKEN, token_of(TST_INFO, good_tst()))), true, &sig);
    assert_true(findings_have(&sig.findings, REASON_TIMESTAMP_MISSING));
}

static void two_timestamps_are_refused(void **state)
{
    struct bits one = der_attr(SPC_TIMESTAMP, token_of(TST_INFO, good_tst()));
    static struct sig_verdict sig;
    UNUSED(state);
    judge(UNSIGNED(one, one), false, &sig);
    assert_true(says(&sig, "more than one"));
    judge(UNSIGNED(one, der_attr(COUNTERSIGNATURE, EMPTY(DER_SEQUENCE))), false, &sig);
    assert_true(says(&sig, "more than one"));
    judge(UNSIGNED(der_attr(SPC_TIMESTAMP,
                            JOIN(token_of(TST_INFO, good_tst()), token_of(TST_INFO, good_tst())))),
          false, &sig);
    assert_true(says(&sig, "not exactly one value"));
}

static void what_is_no_token_is_refused(void **state)
{
    UNUSED(state);
    refuse_token(der_octets("junk", 4), "ContentInfo");
    refuse_token(EMPTY(DER_SEQUENCE), "ContentInfo");
    refuse_token(token_of(DATA, good_tst()), "no TSTInfo");
    refuse_tst(NOTHING, "TSTInfo");
    refuse_tst(JOIN(good_tst(), EMPTY(DER_NULL)), "nothing behind it");
    refuse_tst(tst_of(der_number(2), imprint(), "20260203040506Z", NOTHING), "version 2");
}

static void the_imprint_is_of_this_signature(void **state)
{
    struct bits right = sha256_of(span_text(SIGNATURE));
    struct bits wrong = sha256_of(span_text("another"));
    UNUSED(state);
    refuse_tst(tst_of(der_number(1), TLV(DER_SEQUENCE, der_alg(SHA256), wrong), "20260203040506Z",
                      NOTHING),
               "another signature");
    refuse_tst(tst_of(der_number(1), TLV(DER_SEQUENCE, der_alg(SHA256), der_octets("", 0)),
                      "20260203040506Z", NOTHING),
               "imprint of 0 bytes");
    refuse_tst(tst_of(der_number(1), TLV(DER_SEQUENCE, der_alg("1.2.3"), right), "20260203040506Z",
                      NOTHING),
               "imprint by 1.2.3");
    refuse_tst(
        tst_of(der_number(1), TLV(DER_SEQUENCE, der_alg(MD5), right), "20260203040506Z", NOTHING),
        "MD5");
    refuse_tst(tst_of(der_number(1), TLV(DER_SEQUENCE, right), "20260203040506Z", NOTHING),
               "messageImprint");
}

static void the_time_is_exact(void **state)
{
    static const char *const bad[] = { "20260203040506",
                                       "20260203040506.Z",
                                       "20260203040506.50Z",
                                       "20260203040506,5Z",
                                       "20261303040506Z",
                                       "20260230040506Z",
                                       "20260203240506Z",
                                       "202602030405Z",
                                       "20260203040506+0000",
                                       "yesterday",
                                       "" };
    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        refuse_tst(tst_of(der_number(1), imprint(), bad[i], NOTHING), "TSTInfo");
}

static struct bits extension(uint8_t critical)
{
    struct bits flag = TLV(DER_BOOLEAN, bits_of(&critical, 1));
    return TLV(DER_CONTEXT_CONSTRUCTED(1),
               TLV(DER_SEQUENCE, der_oid("1.2.3"), flag, der_octets("v", 1)));
}

static void what_follows_the_time_has_its_order(void **state)
{
    static struct sig_verdict sig;
    static const uint8_t yes = 0xFF;
    struct bits accuracy = TLV(DER_SEQUENCE, der_number(1));
    struct bits ordering = TLV(DER_BOOLEAN, bits_of(&yes, 1));
    struct bits tsa = TLV(DER_CONTEXT_CONSTRUCTED(0), EMPTY(DER_SEQUENCE));
    UNUSED(state);
    judge(UNSIGNED(der_attr(SPC_TIMESTAMP,
                            token_of(TST_INFO, tst_of(der_number(1), imprint(), "20260203040506Z",
                                                      JOIN(accuracy, ordering, der_number(9), tsa,
                                                           extension(0)))))),
          false, &sig);
    assert_true(all_but_the_certificate(&sig));
    refuse_tst(tst_of(der_number(1), imprint(), "20260203040506Z", JOIN(ordering, accuracy)),
               "TSTInfo");
    refuse_tst(tst_of(der_number(1), imprint(), "20260203040506Z", der_octets("more", 4)),
               "TSTInfo");
    refuse_tst(tst_of(der_number(1), imprint(), "20260203040506Z", extension(0xFF)),
               "critical extension 1.2.3");
}

/* --- countersignatures */

static struct bits over_signature(const char *type, struct bits more)
{
    return signer_over(bits_of(SIGNATURE, strlen(SIGNATURE)), type, more);
}

static struct bits time_attr(void)
{
    return der_attr(SIGNING_TIME, der_text(DER_UTC_TIME, "260203040506Z"));
}

static void refuse_countersignature(struct bits value, const char *text)
{
    static struct sig_verdict sig;
    judge(UNSIGNED(der_attr(COUNTERSIGNATURE, value)), false, &sig);
    assert_int_equal(sig.stamp.kind, STAMP_PKCS9);
    assert_true(findings_have(&sig.findings, REASON_TIMESTAMP_INVALID));
    if (!says(&sig, text))
        fail_msg("wanted \"%s\", got \"%s\"", text, sig.findings.items[0].text);
}

static void a_countersignature_without_certificate_is_refused(void **state)
{
    static struct sig_verdict sig;
    UNUSED(state);
    judge(UNSIGNED(der_attr(COUNTERSIGNATURE, over_signature(DATA, time_attr()))), true, &sig);
    assert_true(all_but_the_certificate(&sig));
}

static void countersignatures_that_do_not_hold_are_refused(void **state)
{
    struct bits other = signer_over(bits_of("other", 5), DATA, time_attr());
    struct bits bare =
        TLV(DER_SEQUENCE, der_number(1), sid(), der_alg(SHA256), der_alg(RSA), der_octets("x", 1));
    UNUSED(state);
    refuse_countersignature(der_octets("junk", 4), "SignerInfo");
    refuse_countersignature(other, "not the digest of the content");
    refuse_countersignature(bare, "no signed attributes");
    refuse_countersignature(over_signature(DATA, NOTHING), "says no time");
    refuse_countersignature(over_signature(DATA, JOIN(time_attr(), time_attr())), "there twice");
    refuse_countersignature(over_signature(TST_INFO, time_attr()), "content of type");
    refuse_countersignature(
        over_signature(DATA, der_attr(SIGNING_TIME, der_text(DER_UTC_TIME, "2602030405Z"))),
        "no time with seconds");
}

/* --- a real catalog's timestamp */

#define FILE_MAX (8 * 1024 * 1024)

static struct span load(const char *name)
{
    const char *folder = getenv("SUREFOOT_CORPUS");
    char path[1024];
    struct source *src = NULL;
    struct err err;
    (void)snprintf(path, sizeof(path), "%s/%s", folder == NULL ? "." : folder, name);
    if (folder == NULL || source_file_open(path, &src, &err) != E_OK) {
        print_message("no %s: set SUREFOOT_CORPUS\n", path);
        skip();
    }
    assert_true(src->size <= FILE_MAX);
    uint8_t *bytes = malloc((size_t)src->size);
    assert_non_null(bytes);
    assert_int_equal(source_read_at(src, 0, bytes, (size_t)src->size, &err), E_OK);
    struct span s = span_of(bytes, (size_t)src->size);
    source_close(src);
    return s;
}

struct real {
    struct span bytes;
    struct cms cms;
    struct cert_bag bag;
    const struct cert *signer;
    struct trust *trust;
};

static void real_init(struct real *real, const char *name)
{
    struct report report = { .n_ranges = 0 };
    struct err err;
    struct span roots = load("roots/all-known-roots.pem");
    real->bytes = load(name);
    assert_int_equal(trust_new(&real->trust, &err), E_OK);
    assert_int_equal(trust_add_anchors(real->trust, ANCHOR_CODE, roots, &err), E_OK);
    assert_int_equal(cms_read(real->bytes, 0, &real->cms, &err), E_OK);
    real->bag = (struct cert_bag){ .memo = trust_memo(real->trust) };
    assert_int_equal(cms_read_certs(&real->cms, &real->bag, &report, &err), E_OK);
    real->signer = cms_find_signer(&real->cms.signer, &real->bag);
    assert_non_null(real->signer);
    report_fini(&report);
    free((void *)(uintptr_t)roots.ptr);
}

static void real_fini(struct real *real)
{
    cert_bag_fini(&real->bag);
    trust_free(real->trust);
    free((void *)(uintptr_t)real->bytes.ptr);
}

/* judge_real reads the bytes anew, as they are now; false where they do not even read. */
static bool judge_real(const struct real *real, struct sig_verdict *sig, struct report *report)
{
    struct policy policy = { .profile = PROFILE_WINDOWS, .now = 1750000000, .trust = real->trust };
    struct cms cms;
    struct err err;
    memset(sig, 0, sizeof(*sig));
    sig->system = SYSTEM_AUTHENTICODE;
    if (cms_read(real->bytes, 0, &cms, &err) != E_OK)
        return false;
    assert_int_equal(stamp_judge(&cms, real->signer, &real->bag, &policy, sig, report, &err), E_OK);
    return true;
}

static void flip_every_byte_of_the_stamp(struct real *real)
{
    static struct sig_verdict sig;
    const struct cms_attr *attr = &real->cms.signer.unsigned_attrs.items[0];
    uint8_t *bytes = (uint8_t *)(uintptr_t)real->bytes.ptr + attr->at;
    for (size_t i = 0; i < attr->len; i += 7) {
        struct report report = { .n_ranges = 0 };
        bytes[i] ^= 0x04;
        if (judge_real(real, &sig, &report) && sig.stamp.trusted &&
            !findings_have_weight(&sig.findings, WEIGHT_LENIENT) &&
            !findings_have(&report.findings, REASON_UNCOVERED_DATA))
            fail_msg("byte %zu of the timestamp changes nothing", i);
        bytes[i] ^= 0x04;
        report_fini(&report);
    }
}

static void a_real_token_is_trusted_until_a_byte_changes(void **state)
{
    static struct sig_verdict sig;
    struct report report = { .n_ranges = 0 };
    struct real real;
    UNUSED(state);
    real_init(&real, "cat/signify/oem89.cat");
    assert_true(judge_real(&real, &sig, &report));
    assert_int_equal(sig.stamp.kind, STAMP_RFC3161);
    assert_true(sig.stamp.trusted);
    assert_true(sig.stamp.time > 1500000000);
    report_fini(&report);
    flip_every_byte_of_the_stamp(&real);
    real_fini(&real);
}

static void a_real_countersignature_is_trusted_until_a_byte_changes(void **state)
{
    static struct sig_verdict sig;
    struct report report = { .n_ranges = 0 };
    struct real real;
    UNUSED(state);
    real_init(&real, "cat/relic/hyperv.cat");
    assert_true(judge_real(&real, &sig, &report));
    assert_int_equal(sig.stamp.kind, STAMP_PKCS9);
    assert_true(sig.stamp.trusted);
    assert_true(findings_have(&sig.findings, REASON_WEAK_DIGEST));
    report_fini(&report);
    flip_every_byte_of_the_stamp(&real);
    real_fini(&real);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_without_certificate_is_refused),
        cmocka_unit_test(none_is_missing_only_where_demanded),
        cmocka_unit_test(two_timestamps_are_refused),
        cmocka_unit_test(what_is_no_token_is_refused),
        cmocka_unit_test(the_imprint_is_of_this_signature),
        cmocka_unit_test(the_time_is_exact),
        cmocka_unit_test(what_follows_the_time_has_its_order),
        cmocka_unit_test(a_countersignature_without_certificate_is_refused),
        cmocka_unit_test(countersignatures_that_do_not_hold_are_refused),
        cmocka_unit_test(a_real_token_is_trusted_until_a_byte_changes),
        cmocka_unit_test(a_real_countersignature_is_trusted_until_a_byte_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
