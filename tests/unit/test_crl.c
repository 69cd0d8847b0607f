#include <stdio.h>

#include "tests/unit/make_cert.h"

#include "verify/crl.h"
#include "verify/trust.h"

/* A revocation list; every value that is given may make it wrong. */
struct list_spec {
    const struct made *issuer;
    const char *sign_key, *hash;
    int64_t from, to; /* 0: a week ago, in a month; to -1: none */
    const struct made *revoked;
    int64_t revoked_at;
    int reason; /* -1: none */
    int64_t invalid_since;
    struct ext_spec ext, entry_ext;
};

static struct {
    const struct made *root, *inter, *leaf, *dumb, *dumb_leaf;
} w;

static int make_world(void **state)
{
    UNUSED(state);
    w.root = make(&(struct spec){ .cn = "Root", .key = "p256:root", .exts = { CA_EXTS } });
    w.inter = make(&(struct spec){
        .cn = "Inter", .key = "p256:inter", .issuer = w.root, .exts = { CA_EXTS } });
    w.leaf = make(&(struct spec){ .cn = "Leaf", .issuer = w.inter, .exts = { LEAF_EXTS } });
    w.dumb = make(&(struct spec){
        .cn = "Dumb",
        .key = "p256:dumb",
        .issuer = w.root,
        .exts = { { "basicConstraints", "critical,CA:TRUE" }, { "keyUsage", "keyCertSign" } } });
    w.dumb_leaf = make(&(struct spec){ .cn = "Leaf", .issuer = w.dumb, .exts = { LEAF_EXTS } });
    return 0;
}

static X509_REVOKED *make_entry(const struct list_spec *s)
{
    X509_REVOKED *entry = X509_REVOKED_new();
    ASN1_TIME *at = ASN1_TIME_set(NULL, s->revoked_at);
    assert_int_equal(X509_REVOKED_set_revocationDate(entry, at), 1);
    assert_int_equal(X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(s->revoked->x509)),
                     1);
    ASN1_TIME_free(at);
    if (s->reason >= 0) {
        ASN1_ENUMERATED *reason = ASN1_ENUMERATED_new();
        assert_int_equal(ASN1_ENUMERATED_set(reason, s->reason), 1);
        assert_int_equal(X509_REVOKED_add1_ext_i2d(entry, NID_crl_reason, reason, 0, 0), 1);
        ASN1_ENUMERATED_free(reason);
    }
    if (s->invalid_since != 0) {
        ASN1_GENERALIZEDTIME *since = ASN1_GENERALIZEDTIME_set(NULL, s->invalid_since);
        assert_int_equal(X509_REVOKED_add1_ext_i2d(entry, NID_invalidity_date, since, 0, 0), 1);
        ASN1_GENERALIZEDTIME_free(since);
    }
    if (s->entry_ext.name != NULL) {
        X509_EXTENSION *ext = X509V3_EXT_nconf(NULL, NULL, s->entry_ext.name, s->entry_ext.value);
        assert_int_equal(X509_REVOKED_add_ext(entry, ext, -1), 1);
        X509_EXTENSION_free(ext);
    }
    return entry;
}

static void add_list_ext(X509_CRL *list, const struct ext_spec *spec)
{
    CONF *conf = make_conf();
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, NULL, NULL, NULL, list, 0);
    X509V3_set_nconf(&ctx, conf);
    X509_EXTENSION *ext = X509V3_EXT_nconf(conf, &ctx, spec->name, spec->value);
    assert_non_null(ext);
    assert_int_equal(X509_CRL_add_ext(list, ext, -1), 1);
    X509_EXTENSION_free(ext);
    NCONF_free(conf);
}

static int make_list(const struct list_spec *s, uint8_t **out)
{
    X509_CRL *list = X509_CRL_new();
    ASN1_TIME *from = ASN1_TIME_set(NULL, s->from != 0 ? s->from : NOW - 7 * DAY);
    ASN1_TIME *to = ASN1_TIME_set(NULL, s->to != 0 ? s->to : NOW + 30 * DAY);
    EVP_PKEY *key = s->sign_key != NULL ? key_of(s->sign_key) : s->issuer->key;
    assert_int_equal(X509_CRL_set_version(list, 1), 1);
    assert_int_equal(X509_CRL_set_issuer_name(list, X509_get_subject_name(s->issuer->x509)), 1);
    assert_int_equal(X509_CRL_set1_lastUpdate(list, from), 1);
    if (s->to != -1)
        assert_int_equal(X509_CRL_set1_nextUpdate(list, to), 1);
    if (s->revoked != NULL)
        assert_int_equal(X509_CRL_add0_revoked(list, make_entry(s)), 1);
    if (s->ext.name != NULL)
        add_list_ext(list, &s->ext);
    assert_int_equal(X509_CRL_sort(list), 1);
    assert_true(X509_CRL_sign(list, key,
                              s->hash == NULL ? EVP_sha256() : EVP_get_digestbyname(s->hash)) > 0);
    int len = i2d_X509_CRL(list, out);
    ASN1_TIME_free(from);
    ASN1_TIME_free(to);
    X509_CRL_free(list);
    return len;
}

static void add_list(struct trust *t, const struct list_spec *s)
{
    uint8_t *der = NULL;
    int len = make_list(s, &der);
    assert_int_equal(trust_add_crls(t, span_of(der, (size_t)len), NULL), E_OK);
    OPENSSL_free(der);
}

struct question {
    int64_t at; /* 0: now */
    bool at_is_proven;
    const struct made *leaf, *inter;
};

static struct findings ask(const struct list_spec *lists, size_t n, const struct question *q)
{
    struct trust *t;
    struct findings findings = { 0 };
    assert_int_equal(trust_new(&t, NULL), E_OK);
    for (size_t i = 0; i < n; i++)
        add_list(t, &lists[i]);
    assert_int_equal(trust_n_crls(t), n);
    struct policy policy = { .now = NOW, .trust = t, .revocation = REVOCATION_CRL };
    struct crl_ask crl_ask = { &policy, q->at != 0 ? q->at : NOW, q->at_is_proven };
    const struct cert *path[3] = { q->leaf != NULL ? q->leaf->cert : w.leaf->cert,
                                   q->inter != NULL ? q->inter->cert : w.inter->cert,
                                   w.root->cert };
    assert_int_equal(crl_check_path(path, 3, &crl_ask, &findings, NULL), E_OK);
    trust_free(t);
    return findings;
}

static void lists_that_say_nothing_bad_pass(void **state)
{
    UNUSED(state);
    const struct list_spec lists[] = {
        { .issuer = w.inter },
        { .issuer = w.root, .revoked = w.leaf, .revoked_at = T_2026, .reason = 1 },
        /* beside lists that count for nothing */
        { .issuer = w.inter, .sign_key = "p256:thief", .revoked = w.leaf, .revoked_at = T_2026 },
        { .issuer = w.inter, .from = NOW + DAY, .revoked = w.leaf, .revoked_at = T_2026 },
        { .issuer = w.inter, .from = T_2025, .to = T_2026 },
    };
    struct findings f = ask(lists, ARRAY_LEN(lists), &(struct question){ 0 });
    if (f.n > 0)
        fail_msg("%s", f.items[0].text);
}

static void no_list_for_any_certificate_is_unknown(void **state)
{
    UNUSED(state);
    const struct list_spec lists[] = { { .issuer = w.inter }, { .issuer = w.root } };
    struct findings f = ask(lists, 0, &(struct question){ 0 });
    assert_int_equal(f.n, 2);
    f = ask(lists, 1, &(struct question){ 0 });
    assert_int_equal(f.n, 1);
    assert_int_equal(f.items[0].reason, REASON_REVOCATION_UNKNOWN);
    f = ask(lists + 1, 1, &(struct question){ 0 });
    assert_int_equal(f.n, 1);
    assert_int_equal(f.items[0].reason, REASON_REVOCATION_UNKNOWN);
    assert_int_equal(f.items[0].weight, WEIGHT_FATAL);
}

static void lists_that_do_not_count_leave_it_unknown(void **state)
{
    UNUSED(state);
    const struct list_spec bad[] = {
        { .sign_key = "p256:thief" },
        { .from = NOW + 1 },
        { .from = T_2025, .to = NOW - 1 },
        { .to = -1 },
        { .ext = { "deltaCRL", "critical,DER:020103" } },
        { .ext = { "issuingDistributionPoint", "critical,@idp" } },
        { .ext = { "issuingDistributionPoint", "@idp" } },
        { .ext = { "1.2.3.4", "critical,DER:0500" } },
        { .revoked = w.root,
          .revoked_at = T_2026,
          .reason = -1,
          .entry_ext = { "1.2.3.4", "critical,DER:0500" } },
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct list_spec lists[] = { bad[i], { .issuer = w.root } };
        lists[0].issuer = w.inter;
        struct findings f = ask(lists, 2, &(struct question){ 0 });
        if (f.n != 1 || f.items[0].reason != REASON_REVOCATION_UNKNOWN)
            fail_msg("row %zu: %zu findings, %s", i, f.n, f.items[0].text);
    }
}

static void list_by_one_who_may_not_sign_lists_does_not_count(void **state)
{
    UNUSED(state);
    const struct list_spec lists[] = { { .issuer = w.dumb }, { .issuer = w.root } };
    struct findings f = ask(lists, 2, &(struct question){ .leaf = w.dumb_leaf, .inter = w.dumb });
    assert_int_equal(f.n, 1);
    assert_int_equal(f.items[0].reason, REASON_REVOCATION_UNKNOWN);
}

static void sha1_list_counts_and_is_weak(void **state)
{
    UNUSED(state);
    const struct list_spec lists[] = { { .issuer = w.inter, .hash = "SHA1" },
                                       { .issuer = w.root } };
    struct findings f = ask(lists, 2, &(struct question){ 0 });
    assert_int_equal(f.n, 1);
    assert_int_equal(f.items[0].reason, REASON_WEAK_DIGEST);
    assert_int_equal(f.items[0].weight, WEIGHT_SHA1);
}

static void revocation_counts_by_time_and_reason(void **state)
{
    UNUSED(state);
    const int64_t early = T_2026, stamp = T_2026 + 30 * DAY, late = T_2026 + 60 * DAY;
    const struct {
        int64_t revoked_at;
        int reason;
        int64_t invalid_since;
        bool at_is_proven, is_revoked;
    } rows[] = {
        { early, -1, 0, false, true },    { early, -1, 0, true, true },
        { early, 4, 0, true, true },      { early, 6, 0, true, true },
        { late, -1, 0, false, true },     { late, 4, 0, false, true },
        { late, -1, 0, true, false },     { late, 4, 0, true, false },
        { late, 6, 0, true, false },      { stamp, 4, 0, true, true },
        { stamp + 1, 4, 0, true, false }, { late, 1, 0, true, false },
        { late, 1, early, true, true },   { late, 1, stamp, true, true },
        { late, 1, late, true, false },   { late, 2, early, true, true },
        { late, 4, early, true, false },  { early, 8, 0, true, true },
    };
    const struct made *const who[] = { w.leaf, w.inter };
    for (size_t i = 0; i < ARRAY_LEN(rows) * 2; i++) {
        size_t r = i / 2;
        const struct list_spec lists[] = { { .issuer = i % 2 == 0 ? w.inter : w.root,
                                             .revoked = who[i % 2],
                                             .revoked_at = rows[r].revoked_at,
                                             .reason = rows[r].reason,
                                             .invalid_since = rows[r].invalid_since },
                                           { .issuer = i % 2 == 0 ? w.root : w.inter } };
        struct question q = { .at = stamp, .at_is_proven = rows[r].at_is_proven };
        struct findings f = ask(lists, 2, &q);
        if (findings_have(&f, REASON_REVOKED) != rows[r].is_revoked)
            fail_msg("row %zu of %s", r, i % 2 == 0 ? "leaf" : "intermediate");
        assert_int_equal(f.n, rows[r].is_revoked ? 1 : 0);
    }
}

static void reason_that_does_not_read_is_the_worst(void **state)
{
    UNUSED(state);
    const struct list_spec lists[] = { { .issuer = w.inter,
                                         .revoked = w.leaf,
                                         .revoked_at = T_2026 + 60 * DAY,
                                         .reason = -1,
                                         .invalid_since = T_2026,
                                         .entry_ext = { "2.5.29.21", "DER:0500" } },
                                       { .issuer = w.root } };
    struct findings f =
        ask(lists, 2, &(struct question){ .at = T_2026 + 30 * DAY, .at_is_proven = true });
    assert_true(findings_have(&f, REASON_REVOKED));
}

static void list_out_of_date_still_revokes(void **state)
{
    UNUSED(state);
    const struct list_spec lists[] = {
        { .issuer = w.inter },
        { .issuer = w.inter,
          .from = T_2025,
          .to = T_2026,
          .revoked = w.leaf,
          .revoked_at = T_2025,
          .reason = 1 },
        { .issuer = w.root },
    };
    struct findings f = ask(lists, 3, &(struct question){ 0 });
    assert_int_equal(f.n, 1);
    assert_int_equal(f.items[0].reason, REASON_REVOKED);
}

static void damaged_lists_are_refused(void **state)
{
    UNUSED(state);
    uint8_t *der = NULL;
    int len = make_list(
        &(struct list_spec){
            .issuer = w.inter, .revoked = w.leaf, .revoked_at = T_2026, .reason = 1 },
        &der);
    struct crl *c;
    uint8_t *more = calloc(1, (size_t)len + 1);
    assert_non_null(more);
    memcpy(more, der, (size_t)len);
    for (size_t n = 0; n < (size_t)len; n++)
        assert_int_equal(crl_read(span_of(der, n), &c, NULL), E_MALFORMED);
    assert_int_equal(crl_read(span_of(more, (size_t)len + 1), &c, NULL), E_MALFORMED);
    assert_int_equal(crl_read(made_der(w.leaf), &c, NULL), E_MALFORMED);
    free(more);
    OPENSSL_free(der);
    crl_free(NULL);
}

/* --- where lists may be had */

#define DOT "http://a.example/x.crl"

static void points_that_may_be_asked_are_read(void **state)
{
    UNUSED(state);
    char much[CRL_URL_MAX + 64];
    (void)memset(much, 'x', sizeof(much));
    (void)memcpy(much, "URI:http://", 11);
    much[sizeof(much) - 1] = '\0';
    const struct {
        const char *value;
        size_t n;
        const char *first;
    } rows[] = {
        { "URI:" DOT, 1, DOT },
        { "URI:HTTPS://a/b,URI:" DOT ",URI:" DOT, 2, "HTTPS://a/b" },
        { "URI:ldap://a/b,URI:" DOT, 1, DOT },
        { "URI:file:///etc/passwd", 0, NULL },
        { "URI:ftp://a/b,URI:http:/a,URI:http://,DNS:a.example", 0, NULL },
        { "URI:http://a/1,URI:http://a/2,URI:http://a/3,URI:http://a/4,URI:http://a/5", 4,
          "http://a/1" },
        { "URI:http://a/a b", 0, NULL },
        { much, 0, NULL },
        /* a name, and with it reasons, another issuer, or nothing that reads */
        { "DER:300D300BA009A007860568747470", 0, NULL },
        { "DER:30123010A00CA00A8608687474703A2F2F61", 0, NULL },
        { "DER:30113010A00EA00C860A687474703A2F2F612F62", 0, NULL },
        { "DER:30123010A00EA00C860A687474703A2F2F612F62", 1, "http://a/b" },
        { "DER:30163014A00EA00C860A687474703A2F2F612F6281020140", 0, NULL },
        { "DER:0500", 0, NULL },
        { "DER:3000", 0, NULL },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct made *m = make(&(struct spec){
            .cn = "Points",
            .issuer = w.inter,
            .exts = {
                { strncmp(rows[i].value, "DER:", 4) == 0 ? "2.5.29.31" : "crlDistributionPoints",
                  rows[i].value } } });
        struct crl_points points;
        assert_non_null(m->cert);
        crl_points_read(m->cert, &points);
        if (points.n != rows[i].n ||
            (points.n > 0 && !span_equal_text(points.urls[0], rows[i].first)))
            fail_msg("row %zu: %zu addresses", i, points.n);
    }
    struct crl_points points;
    crl_points_read(w.leaf->cert, &points);
    assert_int_equal(points.n, 0);
}

static void wants_are_kept_once_and_have_an_end(void **state)
{
    UNUSED(state);
    struct crl_wants wants = { .n = 0 };
    char text[CRL_WANTS_MAX + 8][24];
    const struct span two[] = { span_text("http://a/1"), span_text("http://a/2") };
    assert_int_equal(crl_wants_add(&wants, two, 2, NULL), E_OK);
    assert_int_equal(crl_wants_add(&wants, two, 2, NULL), E_OK);
    assert_int_equal(wants.n, 2);
    assert_int_equal(wants.items[0].list, wants.items[1].list);
    for (size_t i = 0; i < ARRAY_LEN(text); i++) {
        (void)snprintf(text[i], sizeof(text[i]), "http://b/%zu", i);
        const struct span one = span_text(text[i]);
        assert_int_equal(crl_wants_add(&wants, &one, 1, NULL), E_OK);
    }
    assert_int_equal(wants.n, CRL_WANTS_MAX);
    assert_int_not_equal(wants.items[2].list, wants.items[3].list);
    crl_wants_cut(&wants, 1);
    assert_int_equal(wants.n, 1);
    assert_string_equal(wants.items[0].url, "http://a/1");
    crl_wants_fini(&wants);
    crl_wants_fini(&wants);
}

static void what_no_list_speaks_of_is_wanted(void **state)
{
    UNUSED(state);
    const struct made *leaf = make(&(struct spec){
        .cn = "Leaf",
        .issuer = w.inter,
        .exts = { LEAF_EXTS, { "crlDistributionPoints", "URI:http://a/1,URI:http://a/2" } } });
    const struct cert *path[] = { leaf->cert, w.inter->cert, w.root->cert };
    struct crl_wants wants = { .n = 0 };
    struct trust *t;
    const char *why = "";
    uint8_t *der = NULL;
    assert_int_equal(trust_new(&t, NULL), E_OK);
    struct policy policy = { .now = NOW, .trust = t, .revocation = REVOCATION_ONLINE };
    assert_int_equal(crl_note_wanted(path, 3, &policy, &wants, NULL), E_OK);
    assert_int_equal(wants.n, 2); /* the intermediate names no address, the root is the end */
    crl_wants_fini(&wants);

    /* one has been asked, in vain */
    assert_int_equal(trust_note_place(t, "http://a/1", span_of(NULL, 0), "gone", NULL), E_OK);
    assert_int_equal(crl_note_wanted(path, 3, &policy, &wants, NULL), E_OK);
    assert_int_equal(wants.n, 1);
    assert_string_equal(wants.items[0].url, "http://a/2");
    crl_wants_fini(&wants);

    /* the other gives a list */
    int len = make_list(&(struct list_spec){ .issuer = w.inter }, &der);
    assert_int_equal(trust_note_place(t, "http://a/2", span_of(der, (size_t)len), NULL, NULL),
                     E_OK);
    assert_int_equal(crl_note_wanted(path, 3, &policy, &wants, NULL), E_OK);
    assert_int_equal(wants.n, 0);
    assert_true(trust_place_is_known(t, span_text("http://a/1"), &why));
    assert_string_equal(why, "gone");
    assert_true(trust_place_is_known(t, span_text("http://a/2"), &why));
    assert_null(why);
    assert_false(trust_place_is_known(t, span_text("http://a/"), &why));
    crl_wants_fini(&wants);
    OPENSSL_free(der);
    trust_free(t);
}

static void places_that_give_no_list_are_remembered_as_such(void **state)
{
    UNUSED(state);
    struct trust *t;
    const char *why = NULL;
    char url[32];
    assert_int_equal(trust_new(&t, NULL), E_OK);
    assert_int_equal(trust_note_place(t, "http://a/1", span_text("<html>"), NULL, NULL), E_OK);
    assert_int_equal(trust_note_place(t, "http://a/1", span_text("later"), "later", NULL), E_OK);
    assert_true(trust_place_is_known(t, span_text("http://a/1"), &why));
    assert_non_null(strstr(why, "no revocation list"));
    assert_int_equal(trust_n_crls(t), 0);
    for (size_t i = 2; i <= TRUST_PLACES_MAX; i++) {
        (void)snprintf(url, sizeof(url), "http://a/%zu", i);
        assert_int_equal(trust_note_place(t, url, span_of(NULL, 0), "no", NULL), E_OK);
    }
    assert_int_equal(trust_note_place(t, "http://b", span_of(NULL, 0), "no", NULL), E_LIMIT);
    trust_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_that_say_nothing_bad_pass),
        cmocka_unit_test(no_list_for_any_certificate_is_unknown),
        cmocka_unit_test(lists_that_do_not_count_leave_it_unknown),
        cmocka_unit_test(list_by_one_who_may_not_sign_lists_does_not_count),
        cmocka_unit_test(sha1_list_counts_and_is_weak),
        cmocka_unit_test(revocation_counts_by_time_and_reason),
        cmocka_unit_test(reason_that_does_not_read_is_the_worst),
        cmocka_unit_test(list_out_of_date_still_revokes),
        cmocka_unit_test(damaged_lists_are_refused),
        cmocka_unit_test(points_that_may_be_asked_are_read),
        cmocka_unit_test(wants_are_kept_once_and_have_an_end),
        cmocka_unit_test(what_no_list_speaks_of_is_wanted),
        cmocka_unit_test(places_that_give_no_list_are_remembered_as_such),
    };
    return cmocka_run_group_tests(tests, make_world, free_made);
}
