#include "tests/unit/make_cert.h"

#include "platform/base/buf.h"
#include "verify/trust.h"

static const struct made *root_of(const char *cn, const char *key)
{
    return make(&(struct spec){ .o = "Maker", .cn = cn, .key = key, .exts = { CA_EXTS } });
}

static void add_pem(struct buf *to, const char *label, const struct made *m)
{
    BIO *out = BIO_new(BIO_s_mem());
    char *text;
    assert_true(PEM_write_bio(out, label, "", m->der, (long)m->len) > 0);
    long len = BIO_get_mem_data(out, &text);
    assert_int_equal(buf_add(to, span_of(text, (size_t)len), NULL), E_OK);
    BIO_free(out);
}

static void pem_with_text_around_and_other_blocks_reads(void **state)
{
    UNUSED(state);
    struct buf b;
    struct trust *t;
    const struct made *a = root_of("A", "p256:a"), *c = root_of("C", "p256:c");
    buf_init(&b, 64 * 1024);
    assert_int_equal(trust_new(&t, NULL), E_OK);
    assert_int_equal(buf_add_text(&b, "# roots\nA\n", NULL), E_OK);
    add_pem(&b, "CERTIFICATE", a);
    assert_int_equal(buf_add_text(&b, "\r\nsomething else, 0x30 \x82\n", NULL), E_OK);
    add_pem(&b, "SOMETHING ELSE", a);
    add_pem(&b, "X509 CERTIFICATE", c);
    add_pem(&b, "CERTIFICATE", a);
    assert_int_equal(buf_add_text(&b, "the end", NULL), E_OK);
    assert_int_equal(trust_add_anchors(t, ANCHOR_CODE, buf_span(&b), NULL), E_OK);
    assert_int_equal(trust_n_anchors(t, ANCHOR_CODE), 2);
    assert_true(span_equal(cert_der(trust_anchor(t, ANCHOR_CODE, 1)), made_der(c)));
    trust_free(t);
    trust_free(NULL);
    buf_fini(&b);
}

static void bytes_without_a_certificate_are_refused(void **state)
{
    UNUSED(state);
    struct trust *t;
    struct buf b;
    const struct made *m = root_of("A", "p256:a");
    static const char *const bad[] = {
        "",
        "nothing of the kind",
        "-----BEGIN CERTIFICATE-----\nAAAA\n",
        "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END X509 CRL-----\n",
        "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n",
    };
    assert_int_equal(trust_new(&t, NULL), E_OK);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_not_equal(trust_add_anchors(t, ANCHOR_CODE, span_text(bad[i]), NULL), E_OK);
    assert_int_equal(trust_add_anchors(t, ANCHOR_CODE, span_of(NULL, 0), NULL), E_MALFORMED);
    assert_int_not_equal(trust_add_anchors(t, ANCHOR_CODE, span_of(m->der, m->len - 1), NULL),
                         E_OK);
    buf_init(&b, 64 * 1024);
    add_pem(&b, "TRUSTED CERTIFICATE", m);
    assert_int_equal(trust_add_anchors(t, ANCHOR_CODE, buf_span(&b), NULL), E_MALFORMED);
    buf_clear(&b);
    add_pem(&b, "CERTIFICATE", m);
    assert_int_equal(buf_add_text(&b, bad[3], NULL), E_OK);
    assert_int_equal(trust_add_anchors(t, ANCHOR_TIMESTAMP, buf_span(&b), NULL), E_MALFORMED);
    buf_fini(&b);
    assert_int_equal(trust_n_anchors(t, ANCHOR_CODE), 0);
    assert_int_equal(trust_n_crls(t), 0);
    assert_int_equal(trust_n_keys(t), 0);
    trust_free(t);
}

static void code_anchors_serve_timestamps_until_those_are_given(void **state)
{
    UNUSED(state);
    struct trust *t;
    const struct made *a = root_of("A", "p256:a"), *b = root_of("B", "p256:b");
    assert_int_equal(trust_new(&t, NULL), E_OK);
    assert_int_equal(trust_add_anchors(t, ANCHOR_CODE, made_der(a), NULL), E_OK);
    assert_int_equal(trust_n_anchors(t, ANCHOR_TIMESTAMP), 1);
    assert_int_equal(trust_add_anchors(t, ANCHOR_TIMESTAMP, made_der(b), NULL), E_OK);
    assert_int_equal(trust_n_anchors(t, ANCHOR_TIMESTAMP), 1);
    assert_true(span_equal(cert_der(trust_anchor(t, ANCHOR_TIMESTAMP, 0)), made_der(b)));
    assert_true(span_equal(cert_der(trust_anchor(t, ANCHOR_CODE, 0)), made_der(a)));
    trust_free(t);
}

static void anchors_sign_only_what_their_key_signed(void **state)
{
    UNUSED(state);
    struct trust *t;
    const struct made *a = root_of("A", "p256:a"), *false_a = root_of("A", "p256:thief");
    const struct made *leaf = make(&(struct spec){ .cn = "x", .issuer = a });
    const struct made *stolen =
        make(&(struct spec){ .cn = "x", .issuer = a, .sign_key = "p256:thief" });
    const struct made *other = make(&(struct spec){ .cn = "x", .issuer = root_of("B", "p256:a") });
    assert_int_equal(trust_new(&t, NULL), E_OK);
    assert_int_equal(trust_check_signed(t, leaf->cert, NULL), E_REFUSED);
    assert_int_equal(trust_add_anchors(t, ANCHOR_TIMESTAMP, made_der(a), NULL), E_OK);
    assert_int_equal(trust_check_signed(t, leaf->cert, NULL), E_OK);
    assert_int_equal(trust_check_signed(t, a->cert, NULL), E_OK);
    assert_int_equal(trust_check_signed(t, stolen->cert, NULL), E_REFUSED);
    assert_int_equal(trust_check_signed(t, false_a->cert, NULL), E_REFUSED);
    assert_int_equal(trust_check_signed(t, other->cert, NULL), E_REFUSED);
    trust_free(t);
}

static void oversize_input_is_refused(void **state)
{
    UNUSED(state);
    struct trust *t;
    assert_int_equal(trust_new(&t, NULL), E_OK);
    assert_int_equal(
        trust_add_anchors(t, ANCHOR_CODE, span_of("", (size_t)TRUST_BYTES_MAX + 1), NULL), E_LIMIT);
    assert_int_equal(trust_add_crls(t, span_of("", (size_t)TRUST_BYTES_MAX + 1), NULL), E_LIMIT);
    trust_free(t);
}

static void only_minisign_keys_are_keys(void **state)
{
    UNUSED(state);
    struct trust *t;
    const char *good = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3";
    assert_int_equal(trust_new(&t, NULL), E_OK);
    assert_int_not_equal(trust_add_key(t, span_text("RWQ"), NULL), E_OK);
    assert_int_not_equal(trust_add_key(t, span_text(""), NULL), E_OK);
    for (int i = 0; i < TRUST_KEYS_MAX; i++)
        assert_int_equal(trust_add_key(t, span_text(good), NULL), E_OK);
    assert_int_equal(trust_add_key(t, span_text(good), NULL), E_LIMIT);
    assert_int_equal(trust_n_keys(t), TRUST_KEYS_MAX);
    assert_int_equal(trust_key(t, 0)->id[0], 0x1f);
    trust_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pem_with_text_around_and_other_blocks_reads),
        cmocka_unit_test(bytes_without_a_certificate_are_refused),
        cmocka_unit_test(code_anchors_serve_timestamps_until_those_are_given),
        cmocka_unit_test(anchors_sign_only_what_their_key_signed),
        cmocka_unit_test(oversize_input_is_refused),
        cmocka_unit_test(only_minisign_keys_are_keys),
    };
    return cmocka_run_group_tests(tests, NULL, free_made);
}
