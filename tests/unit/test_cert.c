#include "tests/unit/make_cert.h"

static const struct made *root_of(const char *key)
{
    return make(&(struct spec){ .o = "Maker", .cn = "Root", .key = key, .exts = { CA_EXTS } });
}

static const struct made *leaf_of(const struct made *root, const char *key)
{
    return make(&(struct spec){
        .o = "Orchard", .cn = "Leaf", .key = key, .issuer = root, .exts = { LEAF_EXTS } });
}

static void certificate_gives_what_was_put_in(void **state)
{
    UNUSED(state);
    const struct made *root = root_of("p256:root");
    const struct made *m = make(&(struct spec){ .o = "Orchard",
                                                .cn = "Leaf",
                                                .issuer = root,
                                                .serial = 0xABCD,
                                                .from = T_2025,
                                                .to = T_2027,
                                                .exts = { LEAF_EXTS } });
    struct cert_facts facts;
    assert_int_equal(m->rc, E_OK);
    assert_true(span_equal(cert_der(m->cert), made_der(m)));
    assert_true(span_equal(cert_issuer(m->cert), cert_subject(root->cert)));
    assert_int_equal(cert_serial(m->cert).len, 3); /* 00 AB CD */
    assert_int_equal(cert_key_id(m->cert).len, 20);
    assert_int_equal(cert_not_before(m->cert), T_2025);
    assert_int_equal(cert_not_after(m->cert), T_2027);
    cert_describe(m->cert, &facts);
    assert_string_equal(facts.subject, "CN=Leaf, O=Orchard");
    assert_string_equal(facts.issuer, "CN=Root, O=Maker");
    assert_string_equal(facts.serial, "abcd");
    assert_true(cert_has_eku(m->cert, "1.3.6.1.5.5.7.3.3"));
    assert_false(cert_has_eku(m->cert, "1.3.6.1.5.5.7.3.8"));
    assert_false(cert_has_eku(m->cert, "not an OID"));
    assert_int_equal(cert_n_ekus(m->cert), 1);
    assert_false(cert_eku_is_critical(m->cert));
    assert_int_equal(cert_n_ekus(root->cert), 0);
    assert_false(cert_has_eku(root->cert, "1.3.6.1.5.5.7.3.3"));
    assert_true(cert_names_issuer(m->cert, root->cert));
    assert_false(cert_names_issuer(root->cert, m->cert));
}

static void long_serial_is_cut_and_says_so(void **state)
{
    UNUSED(state);
    const struct made *m = root_of("p256:root");
    X509 *x = X509_dup(m->x509);
    BIGNUM *n = BN_new();
    assert_int_equal(BN_set_bit(n, 8 * 60), 1);
    ASN1_INTEGER *serial = BN_to_ASN1_INTEGER(n, NULL);
    assert_int_equal(X509_set_serialNumber(x, serial), 1);
    uint8_t *der = NULL;
    assert_true(i2d_re_X509_tbs(x, NULL) > 0);
    int len = i2d_X509(x, &der);
    struct cert *c;
    struct cert_facts facts;
    assert_int_equal(cert_read(span_of(der, (size_t)len), &c, NULL), E_OK);
    cert_describe(c, &facts);
    assert_non_null(strstr(facts.serial, "..."));
    cert_free(c);
    OPENSSL_free(der);
    ASN1_INTEGER_free(serial);
    BN_free(n);
    X509_free(x);
}

/* No byte may change without either the reader or the issuer's key finding out. */
static void flip_every_byte(const struct made *m, const struct made *root)
{
    static const uint8_t masks[] = { 0x01, 0x20, 0x80, 0xFF };
    uint8_t *bytes = malloc(m->len);
    assert_non_null(bytes);
    memcpy(bytes, m->der, m->len);
    for (size_t i = 0; i < m->len; i++) {
        for (size_t k = 0; k < sizeof(masks); k++) {
            struct cert *c;
            bytes[i] ^= masks[k];
            if (cert_read(span_of(bytes, m->len), &c, NULL) == E_OK) {
                if (cert_check_issuer(c, root->cert, NULL) == E_OK)
                    fail_msg("byte %zu flipped with 0x%02x is accepted", i, masks[k]);
                cert_free(c);
            }
            bytes[i] ^= masks[k];
        }
    }
    free(bytes);
}

static void no_flipped_byte_is_accepted(void **state)
{
    UNUSED(state);
    static const char *const kinds[] = { "p256:root", "rsa2048", "ed25519" };
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        const struct made *root = root_of(kinds[i]), *m = leaf_of(root, "p256:leaf");
        assert_int_equal(cert_check_issuer(m->cert, root->cert, NULL), E_OK);
        assert_int_equal(cert_check_issuer(root->cert, m->cert, NULL), E_REFUSED);
        flip_every_byte(m, root);
    }
}

static void short_long_and_empty_bytes_are_refused(void **state)
{
    UNUSED(state);
    const struct made *m = root_of("p256:root");
    struct cert *c = NULL;
    uint8_t *more = calloc(1, m->len + 1);
    assert_non_null(more);
    memcpy(more, m->der, m->len);
    for (size_t n = 0; n < m->len; n++)
        assert_int_not_equal(cert_read(span_of(m->der, n), &c, NULL), E_OK);
    assert_int_equal(cert_read(span_of(more, m->len + 1), &c, NULL), E_MALFORMED);
    assert_null(c);
    free(more);
    cert_free(NULL);
}

static void oversize_certificate_is_refused(void **state)
{
    UNUSED(state);
    struct cert *c;
    uint8_t *big = calloc(1, 300 * 1024);
    assert_non_null(big);
    assert_int_equal(cert_read(span_of(big, 300 * 1024), &c, NULL), E_LIMIT);
    free(big);
}

static void extension_that_comes_twice_is_refused(void **state)
{
    UNUSED(state);
    const struct made *m = make(&(struct spec){
        .cn = "x", .exts = { { "1.2.3.4", "DER:0500" }, { "1.2.3.4", "DER:0500" } } });
    assert_int_equal(m->rc, E_MALFORMED);
}

static void bad_ekus_are_refused(void **state)
{
    UNUSED(state);
    static const char *const bad[] = {
        "DER:3000", "DER:300A0608", "DER:30030601",        "DER:3003060155FF",
        "DER:0500", "DER:30020500", "DER:3005060355048081"
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        const struct made *m =
            make(&(struct spec){ .cn = "x", .exts = { { "2.5.29.37", bad[i] } } });
        assert_int_not_equal(m->rc, E_OK);
    }
}

/* rebuild writes tbs and algorithm of `m` with another signature value. */
static enum errc rebuild(const struct made *m, struct span signature, struct cert **out)
{
    X509 *x = X509_dup(m->x509);
    const ASN1_BIT_STRING *bits;
    X509_get0_signature(&bits, NULL, x);
    ASN1_BIT_STRING *to = (ASN1_BIT_STRING *)(uintptr_t)bits;
    assert_int_equal(
        ASN1_BIT_STRING_set(to, (unsigned char *)(uintptr_t)signature.ptr, (int)signature.len), 1);
    uint8_t *der = NULL;
    int len = i2d_X509(x, &der);
    enum errc rc = cert_read(span_of(der, (size_t)len), out, NULL);
    OPENSSL_free(der);
    X509_free(x);
    return rc;
}

static struct span signature_of(const struct made *m)
{
    const ASN1_BIT_STRING *bits;
    X509_get0_signature(&bits, NULL, m->x509);
    return span_of(bits->data, (size_t)bits->length);
}

static void ecdsa_signature_in_another_form_is_refused(void **state)
{
    UNUSED(state);
    const struct made *root = root_of("p256:root"), *m = leaf_of(root, "p256:leaf");
    struct span sig = signature_of(m);
    uint8_t other[160];
    struct cert *c;
    assert_int_equal(rebuild(m, sig, &c), E_OK);
    assert_int_equal(cert_check_issuer(c, root->cert, NULL), E_OK);
    cert_free(c);

    /* r with a zero byte before it */
    assert_int_equal(sig.ptr[0], 0x30);
    memcpy(other, sig.ptr, 4);
    other[1]++;
    other[3]++;
    other[4] = 0;
    memcpy(other + 5, sig.ptr + 4, sig.len - 4);
    assert_int_equal(rebuild(m, span_of(other, sig.len + 1), &c), E_OK);
    assert_int_equal(cert_check_issuer(c, root->cert, NULL), E_REFUSED);
    cert_free(c);

    /* a byte behind it */
    memcpy(other, sig.ptr, sig.len);
    other[sig.len] = 0;
    assert_int_equal(rebuild(m, span_of(other, sig.len + 1), &c), E_OK);
    assert_int_equal(cert_check_issuer(c, root->cert, NULL), E_REFUSED);
    cert_free(c);

    /* the length in two bytes */
    other[0] = 0x30;
    other[1] = 0x81;
    memcpy(other + 2, sig.ptr + 1, sig.len - 1);
    assert_int_equal(rebuild(m, span_of(other, sig.len + 1), &c), E_OK);
    assert_int_equal(cert_check_issuer(c, root->cert, NULL), E_REFUSED);
    cert_free(c);
}

static void rsa_signature_of_another_length_is_refused(void **state)
{
    UNUSED(state);
    const struct made *root = root_of("rsa2048"), *m = leaf_of(root, "p256:leaf");
    struct span sig = signature_of(m);
    uint8_t other[300] = { 0 };
    struct cert *c;
    memcpy(other + 1, sig.ptr, sig.len);
    assert_int_equal(rebuild(m, span_of(other, sig.len + 1), &c), E_OK);
    assert_int_equal(cert_check_issuer(c, root->cert, NULL), E_REFUSED);
    cert_free(c);
    assert_int_equal(rebuild(m, span_of(sig.ptr, sig.len - 1), &c), E_OK);
    assert_int_equal(cert_check_issuer(c, root->cert, NULL), E_REFUSED);
    cert_free(c);
}

static void curve_spelt_out_verifies_nothing(void **state)
{
    UNUSED(state);
    const struct made *root = root_of("explicit"), *m = leaf_of(root, "p256:leaf");
    assert_int_equal(root->rc, E_OK);
    assert_int_equal(cert_check_issuer(m->cert, root->cert, NULL), E_REFUSED);
}

/* --- names */

static bool published(const struct spec *s, const char *name)
{
    const struct made *m = make(s);
    return m->rc == E_OK && cert_is_published_by(m->cert, name);
}

static void publisher_is_an_exact_o_or_cn(void **state)
{
    UNUSED(state);
    const struct spec s = { .o = "Orchard Works", .cn = "Release key" };
    assert_true(published(&s, "Orchard Works"));
    assert_true(published(&s, "Release key"));
    static const char *const others[] = { "",
                                          "Orchard",
                                          "orchard works",
                                          "Orchard Works ",
                                          " Orchard Works",
                                          "Orchard  Works",
                                          "CN=Release key",
                                          "Release key, O=Orchard Works" };
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        assert_false(published(&s, others[i]));
    assert_false(published(&(struct spec){ .exts = { CA_EXTS } }, ""));
}

static void publisher_is_compared_as_code_points(void **state)
{
    UNUSED(state);
    struct spec s = { .cn = "\0O\0k\0\xe9", .cn_len = 6, .cn_type = V_ASN1_BMPSTRING };
    assert_true(published(&s, "Ok\xc3\xa9"));
    s = (struct spec){ .cn = "Ok\xe9", .cn_len = 3, .cn_type = V_ASN1_T61STRING };
    assert_true(published(&s, "Ok\xc3\xa9"));
    s = (struct spec){ .cn = "Ok", .cn_type = V_ASN1_PRINTABLESTRING };
    assert_true(published(&s, "Ok"));
    s = (struct spec){ .cn = "Orch\xd0\xb0rd" };
    assert_false(published(&s, "Orchard"));
}

static void nul_in_a_name_never_matches(void **state)
{
    UNUSED(state);
    const struct spec s = { .cn = "Orchard\0.evil", .cn_len = 13 };
    assert_false(published(&s, "Orchard"));
}

static void described_names_cannot_pass_for_others(void **state)
{
    UNUSED(state);
    struct cert_facts facts;
    const struct made *m = make(&(struct spec){ .o = "Pear, O=Orchard", .cn = "a\n\x1b[31m" });
    cert_describe(m->cert, &facts);
    assert_null(strchr(facts.subject, '\n'));
    assert_null(strchr(facts.subject, '\x1b'));
    assert_non_null(strstr(facts.subject, "O=Pear\\, O=Orchard"));
}

/* --- signatures over messages */

#define RSA_OID "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00"
#define RSA_SHA256_OID "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b\x05\x00"
#define RSA_BARE_OID "\x30\x0b\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01"
#define RSA_ODD_OID "\x30\x0e\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x02\x01\x00"
#define RSA_MORE_OID "\x30\x0f\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00\x05\x00"
#define EC_OID "\x30\x09\x06\x07\x2a\x86\x48\xce\x3d\x02\x01"
#define ECDSA_SHA256_OID "\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02"
#define ECDSA_SHA384_OID "\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x03"
#define ECDSA_NULL_OID "\x30\x0c\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02\x05\x00"
#define ED25519_OID "\x30\x05\x06\x03\x2b\x65\x70"
#define ED25519_NULL_OID "\x30\x07\x06\x03\x2b\x65\x70\x05\x00"
#define UNKNOWN_OID "\x30\x05\x06\x03\x2b\x65\x71"
#define SHA256_ALG "\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00"
#define SHA384_ALG "\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02\x05\x00"
#define MGF1_HEAD "\x30\x1a\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08"
#define PSS_HEAD "\x30\x41\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a\x30\x34"
#define PSS(hash, mgf, salt)                                                                       \
    PSS_HEAD "\xa0\x0f" hash "\xa1\x1c" MGF1_HEAD mgf "\xa2\x03\x02\x01" salt
#define PSS_LONG(salt)                                                                             \
    "\x30\x42\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a\x30\x35\xa0\x0f" SHA256_ALG              \
    "\xa1\x1c" MGF1_HEAD SHA256_ALG "\xa2\x04\x02\x02" salt
#define BYTES(s) span_of(s, sizeof(s) - 1)

struct signing {
    const char *key, *hash;
    int padding, salt;
};

static size_t sign_message(const struct signing *how, const char *message, uint8_t to[1024])
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *pctx;
    size_t len = 1024;
    assert_int_equal(
        EVP_DigestSignInit_ex(ctx, &pctx, how->hash, NULL, NULL, key_of(how->key), NULL), 1);
    if (how->padding != 0)
        assert_true(EVP_PKEY_CTX_set_rsa_padding(pctx, how->padding) > 0);
    if (how->padding == RSA_PKCS1_PSS_PADDING)
        assert_true(EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, how->salt) > 0);
    assert_int_equal(EVP_DigestSign(ctx, to, &len, (const unsigned char *)message, strlen(message)),
                     1);
    EVP_MD_CTX_free(ctx);
    return len;
}

static void signatures_hold_only_as_they_claim(void **state)
{
    UNUSED(state);
    const struct signing rsa = { "rsa2048", "SHA256", RSA_PKCS1_PADDING, 0 };
    const struct signing pss = { "rsa2048", "SHA256", RSA_PKCS1_PSS_PADDING, 32 };
    const struct signing pss_33 = { "rsa2048", "SHA256", RSA_PKCS1_PSS_PADDING, 33 };
    const struct signing pss_20 = { "rsa2048", "SHA256", RSA_PKCS1_PSS_PADDING, 20 };
    const struct signing pss_max = { "rsa2048", "SHA256", RSA_PKCS1_PSS_PADDING, 222 };
    const struct signing ec = { "p256", "SHA256", 0, 0 };
    const struct signing ed = { "ed25519", NULL, 0, 0 };
    const struct {
        const struct signing *how;
        struct span algorithm;
        enum digest_alg digest;
        enum errc want;
    } rows[] = {
        { &rsa, BYTES(RSA_OID), DIGEST_SHA256, E_OK },
        { &rsa, BYTES(RSA_BARE_OID), DIGEST_SHA256, E_OK },
        { &rsa, BYTES(RSA_SHA256_OID), DIGEST_SHA256, E_OK },
        { &rsa, BYTES(RSA_SHA256_OID), DIGEST_SHA384, E_MALFORMED },
        { &rsa, BYTES(RSA_OID), DIGEST_SHA384, E_REFUSED },
        { &rsa, BYTES(RSA_OID), DIGEST_NONE, E_UNSUPPORTED },
        { &rsa, BYTES(RSA_OID), DIGEST_BLAKE2B512, E_UNSUPPORTED },
        { &rsa, BYTES(RSA_ODD_OID), DIGEST_SHA256, E_MALFORMED },
        { &rsa, BYTES(RSA_MORE_OID), DIGEST_SHA256, E_MALFORMED },
        { &rsa, BYTES(RSA_OID "x"), DIGEST_SHA256, E_MALFORMED },
        { &rsa, BYTES(""), DIGEST_SHA256, E_TRUNCATED },
        { &rsa, BYTES(UNKNOWN_OID), DIGEST_SHA256, E_UNSUPPORTED },
        { &rsa, BYTES(ECDSA_SHA256_OID), DIGEST_SHA256, E_MALFORMED },
        { &rsa, BYTES(PSS(SHA256_ALG, SHA256_ALG, "\x20")), DIGEST_SHA256, E_REFUSED },
        { &pss, BYTES(PSS(SHA256_ALG, SHA256_ALG, "\x20")), DIGEST_SHA256, E_OK },
        { &pss, BYTES(PSS(SHA256_ALG, SHA256_ALG, "\x21")), DIGEST_SHA256, E_REFUSED },
        { &pss, BYTES(PSS(SHA256_ALG, SHA256_ALG, "\x14")), DIGEST_SHA256, E_MALFORMED },
        { &pss, BYTES(PSS(SHA256_ALG, SHA256_ALG, "\x7f")), DIGEST_SHA256, E_REFUSED },
        { &pss_33, BYTES(PSS(SHA256_ALG, SHA256_ALG, "\x21")), DIGEST_SHA256, E_OK },
        { &pss_33, BYTES(PSS(SHA256_ALG, SHA256_ALG, "\x20")), DIGEST_SHA256, E_REFUSED },
        { &pss_20, BYTES(PSS(SHA256_ALG, SHA256_ALG, "\x14")), DIGEST_SHA256, E_MALFORMED },
        { &pss_max, BYTES(PSS_LONG("\x00\xde")), DIGEST_SHA256, E_OK },
        { &pss_max, BYTES(PSS_LONG("\x00\xdf")), DIGEST_SHA256, E_MALFORMED },
        { &pss_max, BYTES(PSS_LONG("\x00\xdd")), DIGEST_SHA256, E_REFUSED },
        { &pss_max, BYTES(PSS_LONG("\x00\x20")), DIGEST_SHA256, E_MALFORMED },
        { &pss, BYTES(PSS(SHA256_ALG, SHA256_ALG, "\xff")), DIGEST_SHA256, E_MALFORMED },
        { &pss, BYTES(PSS(SHA256_ALG, SHA384_ALG, "\x20")), DIGEST_SHA256, E_MALFORMED },
        { &pss, BYTES(PSS(SHA384_ALG, SHA384_ALG, "\x20")), DIGEST_SHA256, E_MALFORMED },
        { &pss, BYTES(RSA_OID), DIGEST_SHA256, E_REFUSED },
        { &ec, BYTES(EC_OID), DIGEST_SHA256, E_OK },
        { &ec, BYTES(ECDSA_SHA256_OID), DIGEST_SHA256, E_OK },
        { &ec, BYTES(ECDSA_SHA384_OID), DIGEST_SHA256, E_MALFORMED },
        { &ec, BYTES(ECDSA_NULL_OID), DIGEST_SHA256, E_MALFORMED },
        { &ec, BYTES(RSA_OID), DIGEST_SHA256, E_MALFORMED },
        { &ec, BYTES(ED25519_OID), DIGEST_SHA512, E_MALFORMED },
        { &ed, BYTES(ED25519_OID), DIGEST_SHA512, E_OK },
        { &ed, BYTES(ED25519_OID), DIGEST_SHA256, E_MALFORMED },
        { &ed, BYTES(ED25519_NULL_OID), DIGEST_SHA512, E_MALFORMED },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct made *m = root_of(rows[i].how->key);
        uint8_t sig[1024];
        size_t len = sign_message(rows[i].how, "message", sig);
        struct signature_claim claim = { rows[i].algorithm, rows[i].digest, span_of(sig, len) };
        enum errc rc = cert_check_signature(m->cert, &claim, span_text("message"), NULL);
        if (rc != rows[i].want)
            fail_msg("row %zu: %s, wanted %s", i, errc_name(rc), errc_name(rows[i].want));
        if (rc != E_OK)
            continue;
        assert_int_equal(cert_check_signature(m->cert, &claim, span_text("Message"), NULL),
                         E_REFUSED);
        assert_int_equal(cert_check_signature(m->cert, &claim, span_text(""), NULL), E_REFUSED);
        claim.value.len--;
        assert_int_equal(cert_check_signature(m->cert, &claim, span_text("message"), NULL),
                         E_REFUSED);
        claim.value.len = 0;
        assert_int_equal(cert_check_signature(m->cert, &claim, span_text("message"), NULL),
                         E_REFUSED);
        claim.value.len = len;
        sig[len / 2] ^= 1;
        assert_int_equal(cert_check_signature(m->cert, &claim, span_text("message"), NULL),
                         E_REFUSED);
    }
}

static void bare_digest_holds_only_for_itself(void **state)
{
    UNUSED(state);
    const struct made *m = root_of("rsa2048");
    struct digest d;
    uint8_t sig[1024];
    size_t len = sizeof(sig);
    assert_int_equal(digest_bytes(DIGEST_SHA1, span_text("x"), &d, NULL), E_OK);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(m->key, NULL);
    assert_int_equal(EVP_PKEY_sign_init(ctx), 1);
    assert_true(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) > 0);
    assert_int_equal(EVP_PKEY_sign(ctx, sig, &len, d.bytes, d.len), 1);
    EVP_PKEY_CTX_free(ctx);
    assert_int_equal(cert_check_bare_digest(m->cert, span_of(sig, len), &d, NULL), E_OK);
    d.bytes[19] ^= 1;
    assert_int_equal(cert_check_bare_digest(m->cert, span_of(sig, len), &d, NULL), E_REFUSED);
    d.bytes[19] ^= 1;
    d.len = 19;
    assert_int_equal(cert_check_bare_digest(m->cert, span_of(sig, len), &d, NULL), E_REFUSED);
    d.len = 0;
    assert_int_equal(cert_check_bare_digest(m->cert, span_of(sig, len), &d, NULL), E_REFUSED);
    d.len = 20;
    const struct made *ec = root_of("p256:root");
    assert_int_equal(cert_check_bare_digest(ec->cert, span_of(sig, len), &d, NULL), E_REFUSED);

    /* an ordinary signature over the same bytes is not a bare one */
    len = sign_message(&(struct signing){ "rsa2048", "SHA1", RSA_PKCS1_PADDING, 0 }, "x", sig);
    assert_int_equal(cert_check_bare_digest(m->cert, span_of(sig, len), &d, NULL), E_REFUSED);
}

static void bag_finds_by_issuer_and_serial_or_key(void **state)
{
    UNUSED(state);
    const struct made *root = root_of("p256:root"), *leaf = leaf_of(root, "p256:leaf");
    struct cert_bag bag = { .n = 2, .certs = { root->cert, leaf->cert } };
    assert_ptr_equal(cert_bag_find(&bag, cert_issuer(leaf->cert), cert_serial(leaf->cert)),
                     leaf->cert);
    assert_null(cert_bag_find(&bag, cert_subject(leaf->cert), cert_serial(leaf->cert)));
    assert_null(cert_bag_find(&bag, cert_issuer(leaf->cert), span_text("zz")));
    assert_ptr_equal(cert_bag_find_key_id(&bag, cert_key_id(leaf->cert)), leaf->cert);
    assert_null(cert_bag_find_key_id(&bag, span_of(NULL, 0)));
    assert_null(cert_bag_find_key_id(&bag, span_text("x")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(certificate_gives_what_was_put_in),
        cmocka_unit_test(long_serial_is_cut_and_says_so),
        cmocka_unit_test(no_flipped_byte_is_accepted),
        cmocka_unit_test(short_long_and_empty_bytes_are_refused),
        cmocka_unit_test(oversize_certificate_is_refused),
        cmocka_unit_test(extension_that_comes_twice_is_refused),
        cmocka_unit_test(bad_ekus_are_refused),
        cmocka_unit_test(ecdsa_signature_in_another_form_is_refused),
        cmocka_unit_test(rsa_signature_of_another_length_is_refused),
        cmocka_unit_test(curve_spelt_out_verifies_nothing),
        cmocka_unit_test(publisher_is_an_exact_o_or_cn),
        cmocka_unit_test(publisher_is_compared_as_code_points),
        cmocka_unit_test(nul_in_a_name_never_matches),
        cmocka_unit_test(described_names_cannot_pass_for_others),
        cmocka_unit_test(signatures_hold_only_as_they_claim),
        cmocka_unit_test(bare_digest_holds_only_for_itself),
        cmocka_unit_test(bag_finds_by_issuer_and_serial_or_key),
    };
    return cmocka_run_group_tests(tests, NULL, free_made);
}
