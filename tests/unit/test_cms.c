#include "verify/cms.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/der_build.h"

#define SIGNED_DATA "1.2.840.113549.1.7.2"
#define DATA "1.2.840.113549.1.7.1"
#define CONTENT_TYPE "1.2.840.113549.1.9.3"
#define MESSAGE_DIGEST "1.2.840.113549.1.9.4"
#define SHA256 "2.16.840.1.101.3.4.2.1"
#define SHA384 "2.16.840.1.101.3.4.2.2"
#define RSA "1.2.840.113549.1.1.1"

static const uint8_t digest_bytes_of_content[32] = { 1, 2, 3 };

/* --- a SignedData with every part open to change; a part that is NOTHING is left out */

struct parts {
    struct bits outer_type, version, algs, content, certs, crls, signers, behind;
};

static struct bits type_attr(void)
{
    return der_attr(CONTENT_TYPE, der_oid(DATA));
}

static struct bits digest_attr(void)
{
    return der_attr(MESSAGE_DIGEST, der_octets(digest_bytes_of_content, 32));
}

static struct bits good_attrs(void)
{
    return TLV(DER_CONTEXT_CONSTRUCTED(0), type_attr(), digest_attr());
}

static struct bits good_sid(void)
{
    return TLV(DER_SEQUENCE, EMPTY(DER_SEQUENCE), der_number(7));
}

static struct bits signer_of(struct bits sid, struct bits alg, struct bits attrs,
                             struct bits unsigned_attrs)
{
    return TLV(DER_SEQUENCE, der_number(1), sid, alg, attrs, der_alg(RSA), der_octets("sig", 3),
               unsigned_attrs);
}

static struct bits good_signer(void)
{
    return signer_of(good_sid(), der_alg(SHA256), good_attrs(), NOTHING);
}

static struct parts good(void)
{
    return (struct parts){
        .outer_type = der_oid(SIGNED_DATA),
        .version = der_number(1),
        .algs = TLV(DER_SET, der_alg(SHA256)),
        .content = TLV(DER_SEQUENCE, der_oid(DATA)),
        .signers = TLV(DER_SET, good_signer()),
    };
}

static struct bits build(const struct parts *p)
{
    struct bits data =
        TLV(DER_SEQUENCE, p->version, p->algs, p->content, p->certs, p->crls, p->signers);
    struct bits info = TLV(DER_SEQUENCE, p->outer_type, TLV(DER_CONTEXT_CONSTRUCTED(0), data));
    return JOIN(info, p->behind);
}

static enum errc read_parts(const struct parts *p, struct cms *out)
{
    static struct bits kept; /* spans in *out borrow from it */
    struct err err;
    kept = build(p);
    return cms_read(bits_span(&kept), 0, out, &err);
}

static void refuse(const struct parts *p, const char *what)
{
    struct cms cms = { .version = 99 };
    if (read_parts(p, &cms) == E_OK)
        fail_msg("%s was read", what);
    assert_int_equal(cms.version, 99);
}

static void refuse_signers(struct bits signers, const char *what)
{
    struct parts p = good();
    p.signers = signers;
    refuse(&p, what);
}

/* --- cms_read */

static void a_plain_signed_data_reads(void **state)
{
    struct parts p = good();
    struct cms cms;
    UNUSED(state);
    assert_int_equal(read_parts(&p, &cms), E_OK);
    assert_int_equal(cms.version, 1);
    assert_int_equal(cms.content_oid, OID_CMS_DATA);
    assert_false(cms.has_content);
    assert_int_equal(cms.signer.digest, DIGEST_SHA256);
    assert_int_equal(cms.signer.signed_attrs.n, 2);
    assert_int_equal(cms.signer.unsigned_attrs.n, 0);
    assert_int_equal(cms.signer.serial.len, 1);
    assert_true(span_equal_text(cms.signer.signature, "sig"));
}

static void content_is_what_lies_in_the_explicit_tag(void **state)
{
    struct parts p = good();
    struct cms cms;
    UNUSED(state);
    p.content =
        TLV(DER_SEQUENCE, der_oid(DATA), TLV(DER_CONTEXT_CONSTRUCTED(0), der_octets("content", 7)));
    assert_int_equal(read_parts(&p, &cms), E_OK);
    assert_true(cms.has_content);
    assert_int_equal(cms.content.tag, DER_OCTET_STRING);
    assert_true(span_equal_text(cms.content.content, "content"));
}

static void what_is_no_signed_data_is_refused(void **state)
{
    struct parts p;
    UNUSED(state);
    p = good(), p.outer_type = der_oid(DATA), refuse(&p, "other content type");
    p = good(), p.behind = EMPTY(DER_NULL), refuse(&p, "bytes behind it");
    p = good(), p.version = NOTHING, refuse(&p, "no version");
    p = good(), p.signers = NOTHING, refuse(&p, "no signerInfos");
    p = good(), p.signers = JOIN(p.signers, EMPTY(DER_NULL)), refuse(&p, "a value at the end");
    p = good(), p.content = EMPTY(DER_SEQUENCE), refuse(&p, "no eContentType");
    p = good();
    p.content = TLV(DER_SEQUENCE, der_oid(DATA), EMPTY(DER_CONTEXT_CONSTRUCTED(0)));
    refuse(&p, "empty eContent");
    p.content = TLV(DER_SEQUENCE, der_oid(DATA),
                    TLV(DER_CONTEXT_CONSTRUCTED(0), der_octets("a", 1), der_octets("b", 1)));
    refuse(&p, "two values in eContent");
}

static void digest_algorithms_are_exactly_the_signers(void **state)
{
    struct parts p = good();
    UNUSED(state);
    p.algs = EMPTY(DER_SET);
    refuse(&p, "no algorithm");
    p.algs = TLV(DER_SET, der_alg(SHA384));
    refuse(&p, "another algorithm");
    p.algs = TLV(DER_SET, der_alg(SHA256), der_alg(SHA384));
    refuse(&p, "two algorithms");
    p.algs = TLV(DER_SET, TLV(DER_SEQUENCE, der_oid(SHA256), der_octets("x", 1)));
    refuse(&p, "parameters that are not NULL");
    p.algs = TLV(DER_SET, TLV(DER_SEQUENCE, der_oid(SHA256), EMPTY(DER_NULL), EMPTY(DER_NULL)));
    refuse(&p, "two parameters");
}

static void absent_parameters_read_like_null(void **state)
{
    struct parts p = good();
    struct cms cms;
    UNUSED(state);
    p.algs = TLV(DER_SET, TLV(DER_SEQUENCE, der_oid(SHA256)));
    assert_int_equal(read_parts(&p, &cms), E_OK);
}

static void there_is_exactly_one_signer(void **state)
{
    UNUSED(state);
    refuse_signers(EMPTY(DER_SET), "no signer");
    refuse_signers(TLV(DER_SET, good_signer(), good_signer()), "two signers");
    refuse_signers(TLV(DER_SET, EMPTY(DER_SEQUENCE)), "an empty signer");
}

static void signer_identifiers_are_of_two_kinds(void **state)
{
    struct parts p = good();
    struct cms cms;
    UNUSED(state);
    p.signers = TLV(DER_SET, signer_of(TLV(DER_CONTEXT(0), bits_of("key", 3)), der_alg(SHA256),
                                       good_attrs(), NOTHING));
    assert_int_equal(read_parts(&p, &cms), E_OK);
    assert_true(span_equal_text(cms.signer.key_id, "key"));
    refuse_signers(
        TLV(DER_SET, signer_of(EMPTY(DER_CONTEXT(0)), der_alg(SHA256), good_attrs(), NOTHING)),
        "an empty key identifier");
    refuse_signers(
        TLV(DER_SET, signer_of(der_octets("key", 3), der_alg(SHA256), good_attrs(), NOTHING)),
        "an identifier of another kind");
}

static void attributes_are_not_empty(void **state)
{
    UNUSED(state);
    refuse_signers(TLV(DER_SET, signer_of(good_sid(), der_alg(SHA256),
                                          EMPTY(DER_CONTEXT_CONSTRUCTED(0)), NOTHING)),
                   "empty signedAttrs");
    refuse_signers(TLV(DER_SET, signer_of(good_sid(), der_alg(SHA256), good_attrs(),
                                          EMPTY(DER_CONTEXT_CONSTRUCTED(1)))),
                   "empty unsignedAttrs");
    struct bits hollow = TLV(DER_SEQUENCE, der_oid(DATA), EMPTY(DER_SET));
    refuse_signers(TLV(DER_SET, signer_of(good_sid(), der_alg(SHA256), good_attrs(),
                                          TLV(DER_CONTEXT_CONSTRUCTED(1), hollow))),
                   "an attribute without a value");
}

static void more_attributes_than_the_limit_are_refused(void **state)
{
    struct bits attrs = NOTHING;
    UNUSED(state);
    for (size_t i = 0; i <= CMS_ATTRS_MAX; i++)
        attrs = JOIN(attrs, der_attr(DATA, EMPTY(DER_NULL)));
    refuse_signers(TLV(DER_SET, signer_of(good_sid(), der_alg(SHA256), good_attrs(),
                                          TLV(DER_CONTEXT_CONSTRUCTED(1), attrs))),
                   "25 attributes");
}

static void every_cut_is_refused(void **state)
{
    struct parts p = good();
    struct bits whole = build(&p);
    struct cms cms;
    struct err err;
    UNUSED(state);
    for (size_t len = 0; len < whole.len; len++)
        assert_int_not_equal(cms_read(span_of(whole.bytes, len), 0, &cms, &err), E_OK);
}

/* --- attributes */

static void an_attribute_that_is_there_twice_is_not_found(void **state)
{
    struct parts p = good();
    struct cms cms;
    struct err err;
    const struct cms_attr *attr;
    UNUSED(state);
    p.signers =
        TLV(DER_SET, signer_of(good_sid(), der_alg(SHA256),
                               TLV(DER_CONTEXT_CONSTRUCTED(0), type_attr(), type_attr()), NOTHING));
    assert_int_equal(read_parts(&p, &cms), E_OK);
    assert_int_equal(cms_attr_find(&cms.signer.signed_attrs, OID_CONTENT_TYPE, &attr, &err),
                     E_MALFORMED);
    assert_int_equal(cms_attr_find(&cms.signer.signed_attrs, OID_SIGNING_TIME, &attr, &err), E_OK);
    assert_null(attr);
}

/* check reads a signer with these signed attributes and checks them against `data` and the digest
 * above. */
static bool check(struct bits attrs, struct findings *findings)
{
    static const uint8_t data[] = { 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07, 0x01 };
    struct digest digest = { .alg = DIGEST_SHA256, .len = 32 };
    struct cms_expected expected = { .content_type = span_of(data, sizeof(data)),
                                     .digest = &digest,
                                     .digest_reason = REASON_DIGEST_MISMATCH,
                                     .unsorted = WEIGHT_LENIENT };
    struct parts p = good();
    struct cms cms;
    memcpy(digest.bytes, digest_bytes_of_content, 32);
    findings->n = 0;
    p.signers = TLV(DER_SET, signer_of(good_sid(), der_alg(SHA256), attrs, NOTHING));
    assert_int_equal(read_parts(&p, &cms), E_OK);
    return cms_check_attributes(&cms.signer, &expected, findings);
}

static void the_two_attributes_suffice(void **state)
{
    struct findings f;
    UNUSED(state);
    assert_true(check(good_attrs(), &f));
    assert_int_equal(f.n, 0);
}

static void refuse_attrs(struct bits attrs, enum reason reason)
{
    struct findings f;
    assert_false(check(attrs, &f));
    assert_true(findings_have(&f, reason));
    assert_true(findings_have_weight(&f, WEIGHT_FATAL));
}

#define ATTRS(...) TLV(DER_CONTEXT_CONSTRUCTED(0), __VA_ARGS__)

static void attributes_that_do_not_hold_are_refused(void **state)
{
    struct bits other = der_attr(CONTENT_TYPE, der_oid(SIGNED_DATA));
    UNUSED(state);
    refuse_attrs(NOTHING, REASON_MALFORMED);
    refuse_attrs(ATTRS(type_attr()), REASON_MALFORMED);
    refuse_attrs(ATTRS(digest_attr()), REASON_MALFORMED);
    refuse_attrs(ATTRS(type_attr(), type_attr(), digest_attr()), REASON_MALFORMED);
    refuse_attrs(ATTRS(type_attr(), digest_attr(), digest_attr()), REASON_MALFORMED);
    refuse_attrs(ATTRS(other, digest_attr()), REASON_CONTENT_TYPE_MISMATCH);
    refuse_attrs(ATTRS(type_attr(), der_attr(MESSAGE_DIGEST, der_octets("", 0))),
                 REASON_DIGEST_MISMATCH);
    refuse_attrs(ATTRS(type_attr(), der_attr(MESSAGE_DIGEST, der_octets("x", 1))),
                 REASON_DIGEST_MISMATCH);
    refuse_attrs(ATTRS(type_attr(), der_attr(MESSAGE_DIGEST, der_number(1))), REASON_MALFORMED);
    refuse_attrs(
        ATTRS(type_attr(), der_attr(MESSAGE_DIGEST, JOIN(der_octets(digest_bytes_of_content, 32),
                                                         der_octets(digest_bytes_of_content, 32)))),
        REASON_MALFORMED);
    refuse_attrs(ATTRS(type_attr(), digest_attr(), der_attr(SHA256, der_number(1)),
                       der_attr(SHA256, der_number(2))),
                 REASON_MALFORMED);
}

static void attributes_out_of_order_are_a_finding(void **state)
{
    struct findings f;
    UNUSED(state);
    assert_true(check(ATTRS(digest_attr(), type_attr()), &f));
    assert_int_equal(f.n, 1);
    assert_int_equal(f.items[0].reason, REASON_MALFORMED);
    assert_int_equal(f.items[0].weight, WEIGHT_LENIENT);
}

static void signed_bytes_have_the_tag_of_a_set(void **state)
{
    struct parts p = good();
    struct bits attrs = good_attrs();
    struct cms cms;
    struct buf out;
    struct err err;
    UNUSED(state);
    assert_int_equal(read_parts(&p, &cms), E_OK);
    buf_init(&out, 1024);
    assert_int_equal(cms_signed_bytes(&cms.signer, &out, &err), E_OK);
    attrs.bytes[0] = DER_SET;
    assert_true(span_equal(buf_span(&out), bits_span(&attrs)));
    buf_fini(&out);
}

/* --- the bag */

static void junk_in_the_bag_is_uncovered(void **state)
{
    struct parts p = good();
    struct cms cms;
    struct cert_bag bag = { .n = 0 };
    struct report report = { .n_ranges = 0 };
    struct err err;
    UNUSED(state);
    p.certs = TLV(DER_CONTEXT_CONSTRUCTED(0), TLV(DER_SEQUENCE, der_octets("junk", 4)),
                  TLV(DER_CONTEXT_CONSTRUCTED(1), der_octets("attributes", 10)));
    p.crls = TLV(DER_CONTEXT_CONSTRUCTED(1), EMPTY(DER_SEQUENCE));
    assert_int_equal(read_parts(&p, &cms), E_OK);
    assert_int_equal(cms_read_certs(&cms, &bag, &report, &err), E_OK);
    assert_int_equal(bag.n, 0);
    assert_int_equal(report.findings.n, 3);
    assert_int_equal(report.n_ranges, 3);
    for (size_t i = 0; i < report.findings.n; i++)
        assert_int_equal(report.findings.items[i].weight, WEIGHT_COVERAGE);
    cert_bag_fini(&bag);
    report_fini(&report);
}

static void octets_in_the_bag_are_malformed(void **state)
{
    struct parts p = good();
    struct cms cms;
    struct cert_bag bag = { .n = 0 };
    struct report report = { .n_ranges = 0 };
    struct err err;
    UNUSED(state);
    p.certs = TLV(DER_CONTEXT_CONSTRUCTED(0), der_octets("junk", 4));
    assert_int_equal(read_parts(&p, &cms), E_OK);
    assert_int_equal(cms_read_certs(&cms, &bag, &report, &err), E_MALFORMED);
    cert_bag_fini(&bag);
    p.certs = EMPTY(DER_CONTEXT_CONSTRUCTED(0));
    assert_int_equal(read_parts(&p, &cms), E_OK);
    assert_int_equal(cms_read_certs(&cms, &bag, &report, &err), E_MALFORMED);
    cert_bag_fini(&bag);
    report_fini(&report);
}

static void a_signer_without_certificate_proves_nothing(void **state)
{
    struct parts p = good();
    struct cms cms;
    struct cert_bag bag = { .n = 0 };
    struct findings f = { .n = 0 };
    struct digest digest = { .alg = DIGEST_SHA256, .len = 32 };
    const struct cert *signer;
    uint32_t proven = 0;
    struct err err;
    UNUSED(state);
    memcpy(digest.bytes, digest_bytes_of_content, 32);
    assert_int_equal(read_parts(&p, &cms), E_OK);
    assert_int_equal(cms_check_signer(&cms, &digest, &bag, &f, &proven, &signer, &err), E_OK);
    assert_null(signer);
    assert_int_equal(proven, 0);
    assert_true(findings_have(&f, REASON_CHAIN_UNTRUSTED));
}

static void versions_that_do_not_fit_are_findings(void **state)
{
    struct parts p = good();
    struct cms cms;
    struct cert_bag bag = { .n = 0 };
    struct findings f = { .n = 0 };
    struct digest digest = { .alg = DIGEST_SHA256, .len = 32 };
    const struct cert *signer;
    uint32_t proven = 0;
    struct err err;
    UNUSED(state);
    p.version = der_number(3);
    assert_int_equal(read_parts(&p, &cms), E_OK);
    assert_int_equal(cms_check_signer(&cms, &digest, &bag, &f, &proven, &signer, &err), E_OK);
    assert_true(findings_have_weight(&f, WEIGHT_LENIENT));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_signed_data_reads),
        cmocka_unit_test(content_is_what_lies_in_the_explicit_tag),
        cmocka_unit_test(what_is_no_signed_data_is_refused),
        cmocka_unit_test(digest_algorithms_are_exactly_the_signers),
        cmocka_unit_test(absent_parameters_read_like_null),
        cmocka_unit_test(there_is_exactly_one_signer),
        cmocka_unit_test(signer_identifiers_are_of_two_kinds),
        cmocka_unit_test(attributes_are_not_empty),
        cmocka_unit_test(more_attributes_than_the_limit_are_refused),
        cmocka_unit_test(every_cut_is_refused),
        cmocka_unit_test(an_attribute_that_is_there_twice_is_not_found),
        cmocka_unit_test(the_two_attributes_suffice),
        cmocka_unit_test(attributes_that_do_not_hold_are_refused),
        cmocka_unit_test(attributes_out_of_order_are_a_finding),
        cmocka_unit_test(signed_bytes_have_the_tag_of_a_set),
        cmocka_unit_test(junk_in_the_bag_is_uncovered),
        cmocka_unit_test(octets_in_the_bag_are_malformed),
        cmocka_unit_test(a_signer_without_certificate_proves_nothing),
        cmocka_unit_test(versions_that_do_not_fit_are_findings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
