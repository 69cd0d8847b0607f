/* Signers: what they make is what the client accepts, and keys, certificates and passphrases that
 * do not fit are refused before anything is given out. Files live in memory; keys and certificates
 * are made when the test runs. */

#include "make_cert.h"

#include <stdio.h>

#include "keys/publish/keyfile.h"
#include "keys/publish/sign.h"
#include "platform/base/text.h"
#include "verify/cms.h"
#include "verify/detached.h"
#include "verify/minisign.h"

#include <openssl/pkcs12.h>

#define CONTENT "what is signed\n"
#define PASSPHRASE "open sesame"

/* --- a machine whose files are these */

static struct {
    const char *name;
    struct buf bytes;
} files[40];
static size_t n_files;
static const char *shared_name;
static int64_t machine_now = NOW;

static enum errc machine_open(void *self, const char *path, struct source **out, struct err *err)
{
    UNUSED(self);
    for (size_t i = 0; i < n_files; i++)
        if (strcmp(files[i].name, path) == 0)
            return source_memory_new(buf_span(&files[i].bytes), out, err);
    return err_set(err, E_ABSENT, "cannot open");
}

static enum errc machine_is_shared(void *self, const char *path, bool *out_shared, struct err *err)
{
    UNUSED(self);
    UNUSED(err);
    *out_shared = shared_name != NULL && strcmp(shared_name, path) == 0;
    return E_OK;
}

static int64_t machine_clock(void *self)
{
    UNUSED(self);
    return machine_now;
}

static struct platform *machine(void)
{
    static const struct fs_ops fs = { .open_source = machine_open, .is_shared = machine_is_shared };
    static const struct host_ops host = { .now = machine_clock };
    static struct platform p = { .fs = &fs, .host = &host };
    return &p;
}

/* A file of this name is made once. */
static struct buf *new_file(const char *name)
{
    assert_true(n_files < ARRAY_LEN(files));
    files[n_files].name = name;
    buf_init(&files[n_files].bytes, 1 << 20);
    return &files[n_files++].bytes;
}

static void put_text(const char *name, const char *text)
{
    assert_int_equal(buf_add_text(new_file(name), text, NULL), E_OK);
}

static void put_bio(const char *name, BIO *bio)
{
    char *bytes;
    long len = BIO_get_mem_data(bio, &bytes);
    assert_true(len > 0);
    assert_int_equal(buf_add(new_file(name), span_of(bytes, (size_t)len), NULL), E_OK);
    BIO_free(bio);
}

static void put_certs(const char *name, size_t n, const struct made *const *certs)
{
    BIO *bio = BIO_new(BIO_s_mem());
    for (size_t i = 0; i < n; i++)
        assert_int_equal(PEM_write_bio_X509(bio, certs[i]->x509), 1);
    put_bio(name, bio);
}
#define PUT_CERTS(name, ...)                                                                       \
    put_certs(name, sizeof((const struct made *const[]){ __VA_ARGS__ }) / sizeof(void *),          \
              (const struct made *const[]){ __VA_ARGS__ })

static void put_key(const char *name, EVP_PKEY *key, const char *passphrase)
{
    BIO *bio = BIO_new(BIO_s_mem());
    const EVP_CIPHER *cipher = passphrase == NULL ? NULL : EVP_aes_256_cbc();
    assert_int_equal(
        PEM_write_bio_PrivateKey(bio, key, cipher, NULL, 0, NULL, (void *)(uintptr_t)passphrase),
        1);
    put_bio(name, bio);
}

static struct keypair pair;

static void put_minisign(const char *name, const char *passphrase)
{
    static const struct keyfile_cost cheap = { 32768, 1 << 20 };
    assert_int_equal(keyfile_write_secret(&pair, "test", passphrase == NULL ? NULL : &cheap,
                                          span_text(passphrase == NULL ? "" : passphrase),
                                          new_file(name), NULL),
                     E_OK);
}

/* --- the people of these tests */

static const struct made *root, *middle, *leaf, *rsa, *p384, *stranger, *no_eku, *expired, *future,
    *weak, *edwards, *own_root;

static const struct made *make_leaf(struct spec s)
{
    const struct ext_spec exts[] = { LEAF_EXTS };
    if (s.exts[0].name == NULL)
        memcpy(s.exts, exts, sizeof(exts));
    return make(&s);
}

static void make_people(void)
{
    root = make(&(struct spec){ .o = "Maker", .cn = "Root", .exts = { CA_EXTS } });
    middle = make(&(struct spec){
        .o = "Maker", .cn = "Middle", .key = "p256:m", .issuer = root, .exts = { CA_EXTS } });
    leaf =
        make_leaf((struct spec){ .o = "Maker", .cn = "Leaf", .key = "p256:l", .issuer = middle });
    rsa = make_leaf((struct spec){ .o = "Maker", .cn = "RSA", .key = "rsa2048", .issuer = middle });
    p384 = make_leaf((struct spec){ .o = "Maker", .cn = "P384", .key = "p384", .issuer = middle });
    stranger = make(
        &(struct spec){ .o = "Other", .cn = "Stranger", .key = "p256:s", .exts = { CA_EXTS } });
    no_eku = make_leaf((struct spec){ .o = "Maker",
                                      .cn = "No EKU",
                                      .key = "p256:l",
                                      .issuer = middle,
                                      .exts = { { "keyUsage", "critical,digitalSignature" } } });
    expired = make_leaf((struct spec){
        .o = "Maker", .cn = "Old", .key = "p256:l", .issuer = middle, .to = T_2026 });
    future = make_leaf((struct spec){
        .o = "Maker", .cn = "Young", .key = "p256:l", .issuer = middle, .from = T_2027 });
    weak =
        make_leaf((struct spec){ .o = "Maker", .cn = "Weak", .key = "rsa1024", .issuer = middle });
    edwards =
        make_leaf((struct spec){ .o = "Maker", .cn = "Ed", .key = "ed25519", .issuer = middle });
    own_root = make_leaf((struct spec){ .o = "Alone", .cn = "Self", .key = "p256:a" });
}

static int set_up(void **state)
{
    UNUSED(state);
    make_people();
    assert_int_equal(keypair_new(&pair, NULL), E_OK);
    put_minisign("open.key", NULL);
    put_minisign("sealed.key", PASSPHRASE);
    put_text("pass", PASSPHRASE "\n");
    put_text("pass-crlf", PASSPHRASE "\r\n");
    put_text("pass-no-end", PASSPHRASE);
    put_text("pass-wrong", "open sesam\n");
    put_text("pass-two", PASSPHRASE "\n\n");
    put_text("pass-lines", PASSPHRASE "\nand more\n");
    put_text("empty", "");
    PUT_CERTS("chain.pem", leaf, middle, root);
    PUT_CERTS("no-root.pem", leaf, middle);
    PUT_CERTS("leaf.pem", leaf);
    PUT_CERTS("mixed.pem", leaf, stranger, root, rsa, middle);
    PUT_CERTS("wrong-order.pem", middle, leaf, root);
    PUT_CERTS("rsa.pem", rsa, middle);
    PUT_CERTS("p384.pem", p384, middle);
    PUT_CERTS("no-eku.pem", no_eku, middle);
    PUT_CERTS("expired.pem", expired, middle);
    PUT_CERTS("future.pem", future, middle);
    PUT_CERTS("weak.pem", weak, middle);
    PUT_CERTS("edwards.pem", edwards, middle);
    PUT_CERTS("alone.pem", own_root);
    put_key("leaf.key", leaf->key, NULL);
    put_key("leaf-sealed.key", leaf->key, PASSPHRASE);
    put_key("rsa.key", rsa->key, NULL);
    put_key("p384.key", p384->key, NULL);
    put_key("weak.key", weak->key, NULL);
    put_key("edwards.key", edwards->key, NULL);
    put_key("alone.key", own_root->key, NULL);
    return 0;
}

static int clean_up(void **state)
{
    for (size_t i = 0; i < n_files; i++)
        buf_fini(&files[i].bytes);
    return free_made(state);
}

/* --- asking */

static char warned[400];

static void note_warning(void *ctx, const char *line)
{
    UNUSED(ctx);
    (void)text_copy(warned, sizeof(warned), line);
}

static struct signer_ask ask_of(const char *passphrase_file)
{
    struct signer_ask ask;
    signer_ask_init(&ask);
    ask.passphrase.file = passphrase_file;
    ask.passphrase.warn = note_warning;
    return ask;
}

static struct signer_ask ask_key(const char *key, const char *passphrase_file)
{
    struct signer_ask ask = ask_of(passphrase_file);
    ask.key = key;
    return ask;
}

static struct signer_ask ask_cert(const char *cert, const char *key)
{
    struct signer_ask ask = ask_of("pass");
    ask.cert = cert;
    ask.cert_key = key;
    return ask;
}

static struct signer *open_signer(struct signer_ask ask)
{
    struct signer *s = NULL;
    struct err err = { .text = "" };
    enum errc rc = signer_open(machine(), &ask, &s, &err);
    if (rc != E_OK)
        print_error("signer_open: %s\n", err.text);
    assert_int_equal(rc, E_OK);
    return s;
}

static void assert_no_signer(struct signer_ask ask, enum errc rc, const char *says)
{
    struct signer *s = NULL;
    struct err err = { .text = "" };
    assert_int_equal(signer_open(machine(), &ask, &s, &err), rc);
    assert_null(s);
    if (strstr(err.text, says) == NULL)
        print_error("not \"%s\" in: %s\n", says, err.text);
    assert_non_null(strstr(err.text, says));
}

static struct buf sign_text(struct signer *s, const char *content, const char *comment)
{
    struct buf signature;
    struct source *src;
    struct err err = { .text = "" };
    buf_init(&signature, SIGN_SIGNATURE_MAX);
    assert_int_equal(source_memory_new(span_text(content), &src, &err), E_OK);
    enum errc rc = signer_sign(s, src, comment, &signature, &err);
    if (rc != E_OK)
        print_error("signer_sign: %s\n", err.text);
    assert_int_equal(rc, E_OK);
    source_close(src);
    return signature;
}

/* What the client makes of it, with this trust. */
static enum outcome judge(const char *content, struct span signature, const struct made *anchor)
{
    struct verdict v = { .outcome = OUTCOME_NONE };
    struct trust *trust;
    char line[KEYFILE_PUBLIC_LINE_ROOM];
    assert_int_equal(trust_new(&trust, NULL), E_OK);
    assert_int_equal(trust_add_key(trust, span_text(keyfile_public_line(&pair, line)), NULL), E_OK);
    if (anchor != NULL)
        assert_int_equal(trust_add_anchors(trust, ANCHOR_CODE, made_der(anchor), NULL), E_OK);
    struct policy policy = { .trust = trust, .now = machine_now };
    assert_int_equal(detached_judge_bytes(span_text(content), signature, &policy, &v, NULL), E_OK);
    verdict_settle(&v, &policy);
    enum outcome outcome = v.outcome;
    verdict_fini(&v);
    trust_free(trust);
    return outcome;
}

/* --- minisign */

static void minisign_signatures_are_accepted(void **state)
{
    UNUSED(state);
    struct signer *s = open_signer(ask_key("open.key", NULL));
    struct buf signature = sign_text(s, CONTENT, "version 1\tof this");
    struct minisign_signature read;
    char id[MINISIGN_KEY_ID_ROOM];
    assert_string_equal(signer_suffix(s), "minisig");
    assert_int_equal(signer_describe(s)->system, SYSTEM_MINISIGN);
    assert_string_equal(signer_describe(s)->key_id, minisign_key_id_text(pair.id, id));
    assert_int_equal(judge(CONTENT, buf_span(&signature), NULL), OUTCOME_ACCEPTED);
    assert_int_equal(judge(CONTENT " ", buf_span(&signature), NULL), OUTCOME_REFUSED);
    assert_int_equal(minisign_read_signature(buf_span(&signature), &read, NULL), E_OK);
    assert_true(read.prehashed);
    assert_true(span_equal_text(read.trusted_comment, "version 1\tof this"));
    buf_fini(&signature);
    signer_close(s);
}

static void minisign_comments_say_when_and_what(void **state)
{
    UNUSED(state);
    struct signer *s = open_signer(ask_key("open.key", NULL));
    struct buf signature = sign_text(s, CONTENT, NULL);
    struct minisign_signature read;
    char comment[SIGN_COMMENT_MAX + 1];
    assert_int_equal(minisign_read_signature(buf_span(&signature), &read, NULL), E_OK);
    assert_true(span_equal_text(read.trusted_comment, "timestamp:1780272000\thashed"));
    buf_fini(&signature);
    assert_string_equal(signer_file_comment(s, "a/b\\feed.xml", comment),
                        "timestamp:1780272000\tfile:feed.xml\thashed");
    assert_string_equal(signer_file_comment(s, "a\nb", comment),
                        "timestamp:1780272000\tfile:a\\x0ab\thashed");
    signature = sign_text(s, CONTENT, comment);
    assert_int_equal(judge(CONTENT, buf_span(&signature), NULL), OUTCOME_ACCEPTED);
    buf_fini(&signature);
    signer_close(s);
}

static void comments_that_are_no_line_are_refused(void **state)
{
    UNUSED(state);
    static const char *const bad[] = { "two\nlines", "\x1b[31m", "\xc3" };
    struct signer *s = open_signer(ask_key("open.key", NULL));
    struct source *src;
    struct buf out;
    struct err err;
    char longest[SIGN_COMMENT_MAX + 2];
    buf_init(&out, SIGN_SIGNATURE_MAX);
    memset(longest, 'c', sizeof(longest));
    longest[sizeof(longest) - 1] = '\0';
    assert_int_equal(source_memory_new(span_text(CONTENT), &src, &err), E_OK);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(signer_sign(s, src, bad[i], &out, &err), E_ARGUMENT);
    assert_int_equal(signer_sign(s, src, longest, &out, &err), E_ARGUMENT);
    assert_int_equal(out.len, 0);
    longest[sizeof(longest) - 2] = '\0';
    assert_int_equal(signer_sign(s, src, longest, &out, &err), E_OK);
    source_close(src);
    buf_fini(&out);
    signer_close(s);
}

static void passphrases_come_from_a_file(void **state)
{
    UNUSED(state);
    static const char *const good[] = { "pass", "pass-crlf", "pass-no-end" };
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        struct signer *s = open_signer(ask_key("sealed.key", good[i]));
        struct buf signature = sign_text(s, CONTENT, NULL);
        assert_int_equal(judge(CONTENT, buf_span(&signature), NULL), OUTCOME_ACCEPTED);
        buf_fini(&signature);
        signer_close(s);
    }
}

static void wrong_passphrases_are_told(void **state)
{
    UNUSED(state);
    assert_no_signer(ask_key("sealed.key", "pass-wrong"), E_ACCESS, "wrong passphrase");
    assert_no_signer(ask_key("sealed.key", "empty"), E_ACCESS, "wrong passphrase");
    assert_no_signer(ask_key("sealed.key", "pass-two"), E_ARGUMENT, "more than one line");
    assert_no_signer(ask_key("sealed.key", "pass-lines"), E_ARGUMENT, "more than one line");
    assert_no_signer(ask_key("sealed.key", "nowhere"), E_ARGUMENT, "--passphrase-file nowhere");
    assert_no_signer(ask_key("sealed.key", "chain.pem"), E_ARGUMENT, "limit is");
}

static void secrets_that_others_may_read_are_named(void **state)
{
    UNUSED(state);
    warned[0] = '\0';
    signer_close(open_signer(ask_key("sealed.key", "pass")));
    assert_string_equal(warned, "");
    shared_name = "pass";
    signer_close(open_signer(ask_key("sealed.key", "pass")));
    assert_non_null(strstr(warned, "pass: others may read this passphrase"));
    shared_name = "sealed.key";
    warned[0] = '\0';
    signer_close(open_signer(ask_key("sealed.key", "pass")));
    assert_string_equal(warned, ""); /* it is encrypted */
    shared_name = "open.key";
    signer_close(open_signer(ask_key("open.key", NULL)));
    assert_non_null(strstr(warned, "open.key: others may read this secret key"));
    shared_name = "leaf.key";
    signer_close(open_signer(ask_cert("chain.pem", "leaf.key")));
    assert_non_null(strstr(warned, "leaf.key: others may read this secret key"));
    shared_name = NULL;
}

static void files_that_are_no_key_are_refused(void **state)
{
    UNUSED(state);
    assert_no_signer(ask_key("nowhere", NULL), E_ARGUMENT, "--key nowhere: cannot open");
    assert_no_signer(ask_key("empty", NULL), E_ARGUMENT, "is no minisign secret key");
    assert_no_signer(ask_key("leaf.key", NULL), E_ARGUMENT, "is no minisign secret key");
    assert_no_signer(ask_cert("chain.pem", "open.key"), E_ARGUMENT, "no private key");
    assert_no_signer(ask_cert("chain.pem", "chain.pem"), E_ARGUMENT, "no private key");
    assert_no_signer(ask_cert("chain.pem", "nowhere"), E_ARGUMENT, "--cert-key nowhere");
    assert_no_signer(ask_cert("leaf.key", "leaf.key"), E_ARGUMENT, "no certificate");
    assert_no_signer(ask_cert("empty", "leaf.key"), E_ARGUMENT, "no certificate");
    struct signer_ask ask = ask_of("pass");
    ask.pkcs12 = "chain.pem";
    assert_no_signer(ask, E_ARGUMENT, "is no PKCS#12 file");
}

/* --- CMS */

static size_t n_certs_in(struct span signature)
{
    struct cms cms;
    struct cert_bag bag = { .n = 0 };
    struct report report = { 0 };
    assert_int_equal(cms_read(signature, 0, &cms, NULL), E_OK);
    assert_int_equal(cms_read_certs(&cms, &bag, &report, NULL), E_OK);
    size_t n = bag.n;
    for (size_t i = 0; i < n; i++)
        assert_false(span_equal(cert_der(bag.certs[i]), cert_der(root->cert)));
    cert_bag_fini(&bag);
    report_fini(&report);
    return n;
}

static void assert_signs(struct signer_ask ask, size_t n_certs, const struct made *anchor)
{
    struct signer *s = open_signer(ask);
    struct buf signature = sign_text(s, CONTENT, NULL);
    assert_string_equal(signer_suffix(s), "p7s");
    assert_int_equal(signer_describe(s)->system, SYSTEM_CMS);
    assert_int_equal(n_certs_in(buf_span(&signature)), n_certs);
    assert_int_equal(judge(CONTENT, buf_span(&signature), anchor), OUTCOME_ACCEPTED);
    assert_int_equal(judge(CONTENT "!", buf_span(&signature), anchor), OUTCOME_REFUSED);
    assert_int_equal(judge(CONTENT, buf_span(&signature), stranger), OUTCOME_REFUSED);
    buf_fini(&signature);
    signer_close(s);
}

static void cms_signatures_are_accepted(void **state)
{
    UNUSED(state);
    assert_signs(ask_cert("chain.pem", "leaf.key"), 2, root);
    assert_signs(ask_cert("no-root.pem", "leaf.key"), 2, root);
    assert_signs(ask_cert("no-root.pem", "leaf.key"), 2, middle);
    assert_signs(ask_cert("leaf.pem", "leaf.key"), 1, middle);
    assert_signs(ask_cert("rsa.pem", "rsa.key"), 2, root);
    assert_signs(ask_cert("p384.pem", "p384.key"), 2, root);
    assert_signs(ask_cert("chain.pem", "leaf-sealed.key"), 2, root);
    assert_signs(ask_cert("alone.pem", "alone.key"), 1, own_root);
}

static void certificates_of_others_are_left_out(void **state)
{
    UNUSED(state);
    assert_signs(ask_cert("mixed.pem", "leaf.key"), 2, root);
}

static void cms_signatures_say_what_they_must(void **state)
{
    UNUSED(state);
    struct signer *s = open_signer(ask_cert("chain.pem", "leaf.key"));
    struct buf signature = sign_text(s, CONTENT, NULL);
    const struct cms_attr *attr;
    struct der value;
    struct cms cms;
    assert_int_equal(cms_read(buf_span(&signature), 0, &cms, NULL), E_OK);
    assert_false(cms.has_content);
    assert_int_equal(cms.version, 1);
    assert_int_equal(cms.signer.version, 1);
    assert_int_equal(cms.signer.digest, DIGEST_SHA256);
    assert_int_equal(cms.signer.signed_attrs.n, 4); /* with signingCertificateV2, and no more */
    assert_int_equal(cms.signer.unsigned_attrs.n, 0);
    assert_int_equal(cms_attr_find(&cms.signer.signed_attrs, OID_SIGNING_TIME, &attr, NULL), E_OK);
    assert_non_null(attr);
    assert_int_equal(cms_attr_value(attr, &value, NULL), E_OK);
    assert_true(span_equal_text(value.content, "260601000000Z"));
    assert_int_equal(
        cms_attr_find(&cms.signer.signed_attrs, OID_SIGNING_CERTIFICATE_V2, &attr, NULL), E_OK);
    assert_non_null(attr);
    assert_non_null(strstr(signer_describe(s)->cert.subject, "CN=Leaf"));
    assert_int_equal(signer_describe(s)->cert.not_after, T_2040);
    buf_fini(&signature);
    signer_close(s);
}

static void certificates_that_the_client_refuses_do_not_sign(void **state)
{
    UNUSED(state);
    assert_no_signer(ask_cert("no-eku.pem", "leaf.key"), E_REFUSED, "NotCodeSigning");
    assert_no_signer(ask_cert("expired.pem", "leaf.key"), E_REFUSED, "ChainExpired");
    assert_no_signer(ask_cert("future.pem", "leaf.key"), E_REFUSED, "ChainExpired");
    assert_no_signer(ask_cert("weak.pem", "weak.key"), E_REFUSED, "WeakKey");
    assert_no_signer(ask_cert("edwards.pem", "edwards.key"), E_UNSUPPORTED, "ED25519");
}

static void keys_of_others_do_not_sign(void **state)
{
    UNUSED(state);
    assert_no_signer(ask_cert("chain.pem", "rsa.key"), E_ARGUMENT,
                     "the key is not that of the certificate CN=Leaf");
    assert_no_signer(ask_cert("chain.pem", "alone.key"), E_ARGUMENT, "the key is not that of");
    assert_no_signer(ask_cert("wrong-order.pem", "leaf.key"), E_ARGUMENT,
                     "belongs to certificate 2 of the file");
}

static void wrong_passphrases_of_pem_are_told(void **state)
{
    UNUSED(state);
    struct signer_ask ask = ask_cert("chain.pem", "leaf-sealed.key");
    ask.passphrase.file = "pass-wrong";
    assert_no_signer(ask, E_ACCESS, "wrong passphrase for this private key");
    ask.passphrase.file = "pass-lines";
    assert_no_signer(ask, E_ARGUMENT, "more than one line");
}

static void a_certificate_expires_while_signing_goes_on(void **state)
{
    UNUSED(state);
    struct signer *s = open_signer(ask_cert("chain.pem", "leaf.key"));
    struct source *src;
    struct buf out;
    struct err err;
    buf_init(&out, SIGN_SIGNATURE_MAX);
    assert_int_equal(source_memory_new(span_text(CONTENT), &src, &err), E_OK);
    machine_now = T_2040 + DAY;
    assert_int_equal(signer_sign(s, src, NULL, &out, &err), E_REFUSED);
    machine_now = NOW;
    assert_non_null(strstr(err.text, "ChainExpired"));
    assert_int_equal(out.len, 0);
    assert_int_equal(signer_sign(s, src, "a comment", &out, &err), E_ARGUMENT);
    source_close(src);
    buf_fini(&out);
    signer_close(s);
}

static void put_pkcs12(const char *name, const char *passphrase, bool with_key, bool with_cert)
{
    STACK_OF(X509) *others = sk_X509_new_null();
    BIO *bio = BIO_new(BIO_s_mem());
    assert_true(sk_X509_push(others, middle->x509) > 0);
    assert_true(sk_X509_push(others, root->x509) > 0);
    PKCS12 *p12 = PKCS12_create(passphrase, "x", with_key ? leaf->key : NULL,
                                with_cert ? leaf->x509 : NULL, others, 0, 0, 0, 0, 0);
    assert_non_null(p12);
    assert_int_equal(i2d_PKCS12_bio(bio, p12), 1);
    PKCS12_free(p12);
    sk_X509_free(others);
    put_bio(name, bio);
}

static void pkcs12_signs(void **state)
{
    UNUSED(state);
    struct signer_ask ask = ask_of("pass");
    put_pkcs12("sealed.p12", PASSPHRASE, true, true);
    put_pkcs12("open.p12", "", true, true);
    put_pkcs12("no-key.p12", PASSPHRASE, false, false);
    ask.pkcs12 = "sealed.p12";
    assert_signs(ask, 2, root);
    ask.passphrase.file = "pass-wrong";
    assert_no_signer(ask, E_ACCESS, "wrong passphrase for this PKCS#12 file");
    ask.passphrase.file = NULL;
    ask.pkcs12 = "open.p12";
    assert_signs(ask, 2, root);
    ask.passphrase.file = "pass";
    ask.pkcs12 = "no-key.p12";
    assert_no_signer(ask, E_ARGUMENT, "there is no private key in it");
}

static void a_cut_pkcs12_is_refused(void **state)
{
    UNUSED(state);
    put_pkcs12("cut.p12", PASSPHRASE, true, true);
    struct signer_ask ask = ask_of("pass");
    struct buf *bytes = &files[n_files - 1].bytes;
    size_t whole = bytes->len;
    ask.pkcs12 = "cut.p12";
    for (bytes->len = 0; bytes->len < whole; bytes->len += 37) {
        struct signer *s = NULL;
        struct err err;
        assert_int_equal(signer_open(machine(), &ask, &s, &err), E_ARGUMENT);
    }
    bytes->len = whole;
}

/* --- contents */

/* A file that is long, that changes after so many bytes were read, or that fails. */
struct strange_source {
    struct source base;
    uint64_t n_read, change_after, fail_after;
    size_t largest;
};

static enum errc strange_read(struct source *src, uint64_t at, void *to, size_t len,
                              struct err *err)
{
    struct strange_source *s = (struct strange_source *)src;
    UNUSED(at);
    s->n_read += len;
    if (len > s->largest)
        s->largest = len;
    if (s->n_read > s->fail_after)
        return err_set(err, E_IO, "cannot read");
    memset(to, s->n_read > s->change_after ? 'b' : 'a', len);
    return E_OK;
}

static void strange_close(struct source *src)
{
    UNUSED(src);
}

static const struct source_ops strange_ops = { strange_read, strange_close };

#define LONG_SIZE (UINT64_C(20) << 20)

static void contents_are_read_in_pieces(void **state)
{
    UNUSED(state);
    const struct signer_ask asks[] = { ask_key("open.key", NULL),
                                       ask_cert("chain.pem", "leaf.key") };
    for (size_t i = 0; i < 2; i++) {
        struct strange_source src = {
            { .ops = &strange_ops, .size = LONG_SIZE }, 0, UINT64_MAX, UINT64_MAX, 0
        };
        struct signer *s = open_signer(asks[i]);
        struct buf out;
        struct err err;
        buf_init(&out, SIGN_SIGNATURE_MAX);
        assert_int_equal(signer_sign(s, &src.base, NULL, &out, &err), E_OK);
        assert_int_equal(src.n_read, 2 * LONG_SIZE); /* signed, and judged */
        assert_true(src.largest <= 1 << 20);
        buf_fini(&out);
        signer_close(s);
    }
}

static void a_content_that_changes_meanwhile_is_refused(void **state)
{
    UNUSED(state);
    const struct signer_ask asks[] = { ask_key("open.key", NULL),
                                       ask_cert("chain.pem", "leaf.key") };
    for (size_t i = 0; i < 2; i++) {
        struct strange_source src = {
            { .ops = &strange_ops, .size = LONG_SIZE }, 0, LONG_SIZE, UINT64_MAX, 0
        };
        struct signer *s = open_signer(asks[i]);
        struct buf out;
        struct err err;
        buf_init(&out, SIGN_SIGNATURE_MAX);
        assert_int_equal(buf_add_text(&out, "before", &err), E_OK);
        assert_int_equal(signer_sign(s, &src.base, NULL, &out, &err), E_REFUSED);
        assert_non_null(strstr(err.text, i == 0 ? "SignatureInvalid" : "DigestMismatch"));
        assert_true(span_equal_text(buf_span(&out), "before"));
        buf_fini(&out);
        signer_close(s);
    }
}

static void a_content_that_cannot_be_read_is_an_error(void **state)
{
    UNUSED(state);
    const uint64_t at[] = { 100000, LONG_SIZE + 100000 };
    for (size_t i = 0; i < 2; i++) {
        struct strange_source src = {
            { .ops = &strange_ops, .size = LONG_SIZE }, 0, UINT64_MAX, at[i], 0
        };
        struct signer *s = open_signer(ask_cert("chain.pem", "leaf.key"));
        struct buf out;
        struct err err;
        buf_init(&out, SIGN_SIGNATURE_MAX);
        assert_int_equal(signer_sign(s, &src.base, NULL, &out, &err), E_IO);
        assert_int_equal(out.len, 0);
        buf_fini(&out);
        signer_close(s);
    }
}

/* --- options */

static void questions_without_sense_are_refused(void **state)
{
    UNUSED(state);
    const struct {
        struct signer_ask ask;
        const char *says;
    } rows[] = {
        { { .passphrase = { .fd = NO_DESCRIPTOR } }, "no key" },
        { { .cert = "chain.pem" }, "no key" },
        { { .key = "open.key", .pkcs12 = "x" }, "exclude each other" },
        { { .key = "open.key", .cert_key = "x" }, "exclude each other" },
        { { .key = "open.key", .cert = "x" }, "--cert goes with" },
        { { .pkcs12 = "x", .cert = "x" }, "--cert goes with" },
        { { .cert_key = "leaf.key" }, "--cert-key wants --cert" },
        { { .pkcs11 = "pkcs11:token=x" }, "--pkcs11 wants --cert" },
        { { .cert = "chain.pem", .pkcs11 = "token=x" }, "begins with pkcs11:" },
        { { .cert = "chain.pem", .pkcs11 = "pkcs11:token=x?pin-value=1234" },
          "PIN does not belong" },
        { { .cert = "chain.pem", .pkcs11 = "pkcs11:x?pin-source=file:y" }, "PIN does not belong" },
        { { .key = "open.key", .pkcs11_module = "x.so" }, "--pkcs11-module goes with" },
        { { .key = "open.key", .passphrase = { .file = "pass", .fd = 0 } }, "one of them" },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_no_signer(rows[i].ask, E_ARGUMENT, rows[i].says);
}

static void options_are_taken_once(void **state)
{
    UNUSED(state);
    struct signer_ask ask;
    struct err err;
    bool taken = false;
    signer_ask_init(&ask);
    assert_false(signer_ask_is_given(&ask));
    for (size_t i = 0; i < signer_n_specs; i++) {
        assert_int_equal(signer_option(&ask, signer_specs[i].name, "7", &taken, &err), E_OK);
        assert_true(taken);
    }
    assert_true(signer_ask_is_given(&ask));
    assert_string_equal(ask.pkcs11_module, "7");
    assert_int_equal(ask.passphrase.fd, 7);
    assert_int_equal(signer_option(&ask, "key", "other", &taken, &err), E_ARGUMENT);
    assert_int_equal(signer_option(&ask, "passphrase-fd", "x", &taken, &err), E_ARGUMENT);
    assert_int_equal(signer_option(&ask, "passphrase-fd", "-1", &taken, &err), E_ARGUMENT);
    assert_int_equal(signer_option(&ask, "passphrase-fd", "1x", &taken, &err), E_ARGUMENT);
    assert_int_equal(signer_option(&ask, "passphrase-fd", "99999999999999999999", &taken, &err),
                     E_ARGUMENT);
    assert_int_equal(signer_option(&ask, "out", "x", &taken, &err), E_OK);
    assert_false(taken);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(minisign_signatures_are_accepted),
        cmocka_unit_test(minisign_comments_say_when_and_what),
        cmocka_unit_test(comments_that_are_no_line_are_refused),
        cmocka_unit_test(passphrases_come_from_a_file),
        cmocka_unit_test(wrong_passphrases_are_told),
        cmocka_unit_test(secrets_that_others_may_read_are_named),
        cmocka_unit_test(files_that_are_no_key_are_refused),
        cmocka_unit_test(cms_signatures_are_accepted),
        cmocka_unit_test(certificates_of_others_are_left_out),
        cmocka_unit_test(cms_signatures_say_what_they_must),
        cmocka_unit_test(certificates_that_the_client_refuses_do_not_sign),
        cmocka_unit_test(keys_of_others_do_not_sign),
        cmocka_unit_test(wrong_passphrases_of_pem_are_told),
        cmocka_unit_test(a_certificate_expires_while_signing_goes_on),
        cmocka_unit_test(pkcs12_signs),
        cmocka_unit_test(a_cut_pkcs12_is_refused),
        cmocka_unit_test(contents_are_read_in_pieces),
        cmocka_unit_test(a_content_that_changes_meanwhile_is_refused),
        cmocka_unit_test(a_content_that_cannot_be_read_is_an_error),
        cmocka_unit_test(questions_without_sense_are_refused),
        cmocka_unit_test(options_are_taken_once),
    };
    return cmocka_run_group_tests(tests, set_up, clean_up);
}
