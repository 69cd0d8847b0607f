#include "verify/authenticode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/der_build.h"
#include "verify/authenticode_private.h"

#define PE_IMAGE_DATA "1.3.6.1.4.1.311.2.1.15"
#define CAB_DATA "1.3.6.1.4.1.311.2.1.25"
#define LINK "1.3.6.1.4.1.311.2.1.28"
#define SIP_INFO "1.3.6.1.4.1.311.2.1.30"
#define PAGE_HASHES_V1 "1.3.6.1.4.1.311.2.3.1"
#define PAGE_HASHES_V2 "1.3.6.1.4.1.311.2.3.2"
#define ENHANCED_HASH "1.3.6.1.4.1.311.2.5.1"
#define SHA256 "2.16.840.1.101.3.4.2.1"

static const uint8_t digest[32] = { 9, 8, 7 };
static const uint8_t guid[16] = { 0xF1, 0x10, 0x0C };
static const uint8_t hashes_class[16] = { 0xA6, 0xB5, 0x86, 0xD5, 0xB4, 0xA1, 0x24, 0x66,
                                          0xAE, 0x05, 0xA2, 0x17, 0xDA, 0x8E, 0x60, 0xD6 };

/* --- SpcIndirectDataContent */

static struct bits digest_info(void)
{
    return TLV(DER_SEQUENCE, der_alg(SHA256), der_octets(digest, 32));
}

static struct bits moniker(const uint8_t *class_id, const char *type)
{
    struct bits table = TLV(DER_SET, der_attr(type, der_octets("table", 5)));
    return TLV(DER_CONTEXT_CONSTRUCTED(1), der_octets(class_id, 16),
               der_octets(table.bytes, table.len));
}

static struct bits pe_data(struct bits link)
{
    struct bits flags = TLV(DER_BIT_STRING, bits_of("\0", 1));
    return TLV(DER_SEQUENCE, der_oid(PE_IMAGE_DATA),
               TLV(DER_SEQUENCE, flags, TLV(DER_CONTEXT_CONSTRUCTED(0), link)));
}

static struct bits sip_data(struct bits guid_octets)
{
    struct bits zero = der_number(0);
    return TLV(DER_SEQUENCE, der_oid(SIP_INFO),
               TLV(DER_SEQUENCE, der_number(1), guid_octets, zero, zero, zero, zero, zero));
}

static enum errc read_spc(struct bits data, struct bits info, struct spc *out)
{
    static struct bits kept;
    struct err err;
    kept = JOIN(data, info);
    return spc_read(bits_span(&kept), 0, out, &err);
}

static void page_hashes_are_found_in_the_moniker(void **state)
{
    struct spc spc;
    UNUSED(state);
    assert_int_equal(read_spc(pe_data(moniker(hashes_class, PAGE_HASHES_V2)), digest_info(), &spc),
                     E_OK);
    assert_int_equal(spc.type, OID_SPC_PE_IMAGE_DATA);
    assert_int_equal(spc.page_alg, DIGEST_SHA256);
    assert_true(span_equal_text(spc.page_hashes, "table"));
    assert_true(span_equal(spc.digest, span_of(digest, 32)));
    assert_int_equal(read_spc(pe_data(moniker(hashes_class, PAGE_HASHES_V1)), digest_info(), &spc),
                     E_OK);
    assert_int_equal(spc.page_alg, DIGEST_SHA1);
}

static void a_link_without_object_has_no_page_hashes(void **state)
{
    struct spc spc;
    UNUSED(state);
    assert_int_equal(read_spc(pe_data(TLV(DER_CONTEXT_CONSTRUCTED(2), EMPTY(DER_CONTEXT(0)))),
                              digest_info(), &spc),
                     E_OK);
    assert_int_equal(spc.page_alg, DIGEST_NONE);
}

static void objects_of_unknown_class_or_kind_are_refused(void **state)
{
    struct spc spc;
    UNUSED(state);
    assert_int_equal(read_spc(pe_data(moniker(guid, PAGE_HASHES_V2)), digest_info(), &spc),
                     E_MALFORMED);
    assert_int_equal(read_spc(pe_data(moniker(hashes_class, SHA256)), digest_info(), &spc),
                     E_MALFORMED);
}

static void the_digest_must_be_there_and_of_its_length(void **state)
{
    struct bits data = sip_data(der_octets(guid, 16));
    struct spc spc;
    UNUSED(state);
    assert_int_equal(read_spc(data, digest_info(), &spc), E_OK);
    assert_int_not_equal(read_spc(data, NOTHING, &spc), E_OK);
    assert_int_not_equal(read_spc(NOTHING, NOTHING, &spc), E_OK);
    static const size_t wrong[] = { 0, 1, 16, 31 };
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
        assert_int_equal(
            read_spc(data, TLV(DER_SEQUENCE, der_alg(SHA256), der_octets(digest, wrong[i])), &spc),
            E_MALFORMED);
    assert_int_equal(
        read_spc(data, TLV(DER_SEQUENCE, der_alg("1.2.3"), der_octets(digest, 32)), &spc),
        E_UNSUPPORTED);
    assert_int_equal(read_spc(data, JOIN(digest_info(), EMPTY(DER_NULL)), &spc), E_MALFORMED);
}

static void a_guid_has_sixteen_bytes(void **state)
{
    struct spc spc;
    UNUSED(state);
    assert_int_equal(read_spc(sip_data(der_octets(guid, 15)), digest_info(), &spc), E_MALFORMED);
    assert_int_equal(read_spc(sip_data(NOTHING), digest_info(), &spc), E_MALFORMED);
}

static void an_unknown_type_reads_and_binds_to_nothing(void **state)
{
    static const enum oid kinds[] = { OID_SPC_PE_IMAGE_DATA, OID_SPC_CAB_DATA, OID_SPC_SIP_INFO };
    struct spc spc;
    UNUSED(state);
    assert_int_equal(
        read_spc(TLV(DER_SEQUENCE, der_oid("1.2.3.4"), EMPTY(DER_SEQUENCE)), digest_info(), &spc),
        E_OK);
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        struct spc_binding binding = { .type = kinds[i] };
        struct findings f = { .n = 0 };
        assert_false(spc_check_binding(&spc, &binding, &f));
        assert_true(findings_have(&f, REASON_CONTENT_TYPE_MISMATCH));
    }
}

static void a_guid_of_another_kind_does_not_bind(void **state)
{
    struct spc_binding binding = { .type = OID_SPC_SIP_INFO };
    struct findings f = { .n = 0 };
    struct spc spc;
    UNUSED(state);
    assert_int_equal(read_spc(sip_data(der_octets(guid, 16)), digest_info(), &spc), E_OK);
    assert_false(spc_check_binding(&spc, &binding, &f));
    memcpy(binding.sip_guid, guid, 16);
    assert_true(spc_check_binding(&spc, &binding, &f));
    assert_int_equal(f.n, 1);
}

static void a_cabinet_may_have_a_link_with_one_more_hash(void **state)
{
    struct spc_binding cab = { .type = OID_SPC_CAB_DATA }, pe = { .type = OID_SPC_PE_IMAGE_DATA };
    struct findings f = { .n = 0 };
    struct spc spc;
    UNUSED(state);
    assert_int_equal(
        read_spc(TLV(DER_SEQUENCE, der_oid(LINK), moniker(hashes_class, ENHANCED_HASH)),
                 digest_info(), &spc),
        E_OK);
    assert_true(spc_check_binding(&spc, &cab, &f));
    assert_false(spc_check_binding(&spc, &pe, &f));
    assert_int_equal(read_spc(TLV(DER_SEQUENCE, der_oid(LINK), moniker(hashes_class, SHA256)),
                              digest_info(), &spc),
                     E_MALFORMED);
    assert_int_equal(read_spc(TLV(DER_SEQUENCE, der_oid(CAB_DATA),
                                  TLV(DER_CONTEXT_CONSTRUCTED(2), EMPTY(DER_CONTEXT(0)))),
                              digest_info(), &spc),
                     E_OK);
    assert_true(spc_check_binding(&spc, &cab, &f));
}

/* --- SpcSpOpusInfo */

static enum errc read_opus(struct bits value, struct sig_verdict *sig)
{
    struct reader r = reader_of(bits_span(&value), 0);
    struct der d;
    struct err err;
    assert_int_equal(der_read_any(&r, "opus", &d, &err), E_OK);
    return opus_read(&d, sig, &err);
}

static struct bits name_field(uint8_t tag, const char *bytes, size_t len)
{
    return TLV(DER_CONTEXT_CONSTRUCTED(0), TLV(tag, bits_of(bytes, len)));
}

static void names_are_shown_as_printable_utf8(void **state)
{
    struct sig_verdict *sig = calloc(1, sizeof(*sig));
    UNUSED(state);
    assert_non_null(sig);
    struct bits url = TLV(DER_CONTEXT_CONSTRUCTED(1), der_text(DER_CONTEXT(0), "http://x\n"));
    assert_int_equal(
        read_opus(TLV(DER_SEQUENCE, name_field(DER_CONTEXT(0), "\0A\0\n\0B", 6), url), sig), E_OK);
    assert_string_equal(sig->program_name, "A\\x0aB");
    assert_null(strchr(sig->program_url, '\n'));
    free(sig);
}

static void bad_names_are_errors_and_show_nothing(void **state)
{
    struct sig_verdict *sig = calloc(1, sizeof(*sig));
    UNUSED(state);
    assert_non_null(sig);
    assert_int_not_equal(read_opus(TLV(DER_SEQUENCE, name_field(DER_CONTEXT(0), "\0A\0", 3)), sig),
                         E_OK);
    assert_int_not_equal(read_opus(TLV(DER_SEQUENCE, name_field(DER_OCTET_STRING, "AB", 2)), sig),
                         E_OK);
    assert_int_not_equal(read_opus(TLV(DER_SEQUENCE, EMPTY(DER_CONTEXT_CONSTRUCTED(0))), sig),
                         E_OK);
    assert_int_not_equal(read_opus(TLV(DER_SEQUENCE, der_number(1)), sig), E_OK);
    assert_string_equal(sig->program_name, "");
    assert_int_equal(read_opus(EMPTY(DER_SEQUENCE), sig), E_OK);
    free(sig);
}

/* --- the order of proof, with a file of a kind made up here */

struct toy {
    struct format_base base;
    enum errc rc;
    struct span der;
};

static enum errc toy_signature(struct format *f, struct format_signature *out, struct err *err)
{
    struct toy *toy = (struct toy *)(void *)f;
    *out = (struct format_signature){ toy->der, 0 };
    return toy->rc == E_OK ? E_OK : err_set(err, toy->rc, "toy");
}

static enum errc toy_digest(struct format *f, uint32_t algs, struct digest_set *out,
                            struct report *report, struct err *err)
{
    UNUSED(f), UNUSED(report), UNUSED(err);
    out->algs = algs;
    return E_OK;
}

static void toy_binding(const struct format *f, struct spc_binding *out)
{
    UNUSED(f);
    out->type = OID_SPC_PE_IMAGE_DATA;
}

static enum errc judge_toy(enum errc rc, struct bits der, struct verdict *v)
{
    static const struct format_ops ops = { .kind = KIND_PE,
                                           .word = "toy",
                                           .signature = toy_signature,
                                           .digest = toy_digest,
                                           .binding = toy_binding };
    struct toy toy = { .base = { .ops = &ops }, .rc = rc, .der = bits_span(&der) };
    struct policy policy = { .profile = PROFILE_WINDOWS };
    struct err err;
    return authenticode_judge((struct format *)(void *)&toy, &policy, v, &err);
}

static void no_signature_adds_none(void **state)
{
    struct verdict v = { .n_sigs = 0 };
    UNUSED(state);
    assert_int_equal(judge_toy(E_ABSENT, NOTHING, &v), E_OK);
    assert_int_equal(v.n_sigs, 0);
    verdict_fini(&v);
}

static void a_signature_that_does_not_read_is_not_unsigned(void **state)
{
    static const enum errc codes[] = { E_MALFORMED, E_TRUNCATED, E_LIMIT, E_UNSUPPORTED };
    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        struct verdict v = { .n_sigs = 0 };
        assert_int_equal(judge_toy(codes[i], NOTHING, &v), E_OK);
        assert_int_equal(v.n_sigs, 1);
        assert_int_equal(v.sigs[0]->proven, 0);
        assert_int_equal(v.sigs[0]->required, FACTS_ALL);
        assert_true(findings_have_weight(&v.sigs[0]->findings, WEIGHT_FATAL));
        verdict_fini(&v);
    }
}

static void what_could_not_be_read_is_an_error(void **state)
{
    struct verdict v = { .n_sigs = 0 };
    UNUSED(state);
    assert_int_equal(judge_toy(E_IO, NOTHING, &v), E_IO);
    verdict_fini(&v);
}

static void junk_for_a_signature_is_malformed(void **state)
{
    struct verdict v = { .n_sigs = 0 };
    UNUSED(state);
    assert_int_equal(judge_toy(E_OK, der_octets("junk", 4), &v), E_OK);
    assert_int_equal(v.n_sigs, 1);
    assert_int_equal(v.sigs[0]->proven, 0);
    assert_true(findings_have(&v.sigs[0]->findings, REASON_MALFORMED));
    verdict_fini(&v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(page_hashes_are_found_in_the_moniker),
        cmocka_unit_test(a_link_without_object_has_no_page_hashes),
        cmocka_unit_test(objects_of_unknown_class_or_kind_are_refused),
        cmocka_unit_test(the_digest_must_be_there_and_of_its_length),
        cmocka_unit_test(a_guid_has_sixteen_bytes),
        cmocka_unit_test(an_unknown_type_reads_and_binds_to_nothing),
        cmocka_unit_test(a_guid_of_another_kind_does_not_bind),
        cmocka_unit_test(a_cabinet_may_have_a_link_with_one_more_hash),
        cmocka_unit_test(names_are_shown_as_printable_utf8),
        cmocka_unit_test(bad_names_are_errors_and_show_nothing),
        cmocka_unit_test(no_signature_adds_none),
        cmocka_unit_test(a_signature_that_does_not_read_is_not_unsigned),
        cmocka_unit_test(what_could_not_be_read_is_an_error),
        cmocka_unit_test(junk_for_a_signature_is_malformed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
