#include "tests/unit/make_cert.h"

#include <openssl/crypto.h>

#include "verify/chain.h"
#include "verify/trust.h"

/* What is judged: a chain of certificates, the leaf first; the last is the anchor where
 * `anchors` does not say otherwise, the rest is in the bag. */
struct court {
    struct trust *trust;
    struct cert_bag bag;
    struct policy policy;
    struct chain_ask ask;
    struct findings findings;
    struct chain_report report;
    uint32_t proven;
    enum errc rc;
};

static void court_open(struct court *c, enum chain_purpose purpose)
{
    *c = (struct court){ .policy = { .now = NOW } };
    assert_int_equal(trust_new(&c->trust, NULL), E_OK);
    c->policy.trust = c->trust;
    c->ask =
        (struct chain_ask){ .purpose = purpose, .bag = &c->bag, .policy = &c->policy, .at = NOW };
}

static void court_trust(struct court *c, enum anchor_use use, const struct made *anchor)
{
    assert_int_equal(trust_add_anchors(c->trust, use, made_der(anchor), NULL), E_OK);
}

static void court_bag(struct court *c, const struct made *m)
{
    assert_non_null(m->cert);
    c->bag.certs[c->bag.n++] = m->cert;
}

static void court_judge(struct court *c, const struct made *leaf)
{
    assert_non_null(leaf->cert);
    c->ask.leaf = leaf->cert;
    c->rc = chain_judge(&c->ask, &c->findings, &c->proven, &c->report, NULL);
}

static void court_close(struct court *c)
{
    trust_free(c->trust);
}

static void assert_clean(const struct court *c)
{
    if (c->findings.n > 0)
        fail_msg("%s: %s", reason_word(c->findings.items[0].reason), c->findings.items[0].text);
    assert_int_equal(c->rc, E_OK);
    assert_true((c->proven & FACT_CHAIN) != 0);
}

static void assert_found(const struct court *c, enum reason reason, enum weight weight)
{
    bool is_there = false;
    assert_int_equal(c->rc, E_OK);
    for (size_t i = 0; i < c->findings.n; i++)
        is_there = is_there ||
                   (c->findings.items[i].reason == reason && c->findings.items[i].weight == weight);
    if (!is_there)
        fail_msg("no %s of weight %d; %zu findings, first %s (%d): %s", reason_word(reason), weight,
                 c->findings.n, reason_word(c->findings.items[0].reason),
                 c->findings.items[0].weight, c->findings.items[0].text);
    assert_true(((c->proven & FACT_CHAIN) != 0) ==
                !findings_have_weight(&c->findings, WEIGHT_FATAL));
}

/* --- the ordinary world */

static struct {
    const struct made *root, *inter, *leaf, *tsa_root, *tsa, *other_root;
} w;

static const struct made *make_ca(const struct made *issuer, const char *cn, const char *key)
{
    return make(&(struct spec){
        .o = "Maker", .cn = cn, .key = key, .issuer = issuer, .exts = { CA_EXTS } });
}

static int make_world(void **state)
{
    UNUSED(state);
    w.root = make_ca(NULL, "Root", "p256:root");
    w.inter = make_ca(w.root, "Inter", "p256:inter");
    w.leaf = make(&(struct spec){ .o = "Orchard",
                                  .cn = "Leaf",
                                  .issuer = w.inter,
                                  .from = T_2025,
                                  .to = T_2027,
                                  .exts = { LEAF_EXTS } });
    w.tsa_root = make_ca(NULL, "Time Root", "p256:tsa_root");
    w.tsa = make(&(struct spec){ .cn = "Clock", .issuer = w.tsa_root, .exts = { TSA_EXTS } });
    w.other_root = make_ca(NULL, "Other Root", "p256:other");
    return 0;
}

/* judge_under judges a leaf under the root, by way of `inter` where it is not NULL. */
static void judge_under(struct court *c, enum chain_purpose purpose, const struct made *leaf,
                        const struct made *inter, const struct made *root)
{
    court_open(c, purpose);
    court_trust(c, ANCHOR_CODE, root);
    if (inter != NULL)
        court_bag(c, inter);
    court_judge(c, leaf);
}

static void ordinary_chain_is_proven(void **state)
{
    UNUSED(state);
    struct court c;
    judge_under(&c, CHAIN_CODE_SIGNING, w.leaf, w.inter, w.root);
    assert_clean(&c);
    assert_int_equal(c.proven, FACT_CHAIN | FACT_SIGNER);
    assert_int_equal(c.report.n, 3);
    assert_string_equal(c.report.subjects[0], "CN=Leaf, O=Orchard");
    assert_string_equal(c.report.subjects[2], "CN=Root, O=Maker");
    court_close(&c);
}

static void every_kind_of_key_may_sign(void **state)
{
    UNUSED(state);
    static const char *const kinds[] = { "rsa2048", "p384", "ed25519" };
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        struct court c;
        const struct made *root = make_ca(NULL, kinds[i], kinds[i]);
        judge_under(&c, CHAIN_CODE_SIGNING,
                    make(&(struct spec){
                        .cn = "x", .issuer = root, .key = kinds[i], .exts = { LEAF_EXTS } }),
                    NULL, root);
        assert_clean(&c);
        court_close(&c);
    }
}

/* --- wrong leaves, all under the intermediate */

static void wrong_leaves_are_refused(void **state)
{
    UNUSED(state);
#define EKU "extendedKeyUsage"
#define KU "keyUsage"
    const struct {
        const char *what;
        struct spec spec;
        enum chain_purpose purpose;
        enum reason want;
        enum weight weight;
    } rows[] = {
        { "no EKU",
          { .exts = { { KU, "digitalSignature" } } },
          CHAIN_CODE_SIGNING,
          REASON_NOT_CODE_SIGNING,
          WEIGHT_FATAL },
        { "no extensions",
          { .no_ids = true },
          CHAIN_CODE_SIGNING,
          REASON_NOT_CODE_SIGNING,
          WEIGHT_FATAL },
        { "version 1",
          { .is_v1 = true },
          CHAIN_CODE_SIGNING,
          REASON_NOT_CODE_SIGNING,
          WEIGHT_FATAL },
        { "serverAuth",
          { .exts = { { EKU, "serverAuth" } } },
          CHAIN_CODE_SIGNING,
          REASON_NOT_CODE_SIGNING,
          WEIGHT_FATAL },
        { "any EKU",
          { .exts = { { EKU, "anyExtendedKeyUsage" } } },
          CHAIN_CODE_SIGNING,
          REASON_NOT_CODE_SIGNING,
          WEIGHT_FATAL },
        { "timeStamping",
          { .exts = { TSA_EXTS } },
          CHAIN_CODE_SIGNING,
          REASON_NOT_CODE_SIGNING,
          WEIGHT_FATAL },
        { "keyUsage",
          { .exts = { { KU, "keyEncipherment" }, { EKU, "codeSigning" } } },
          CHAIN_CODE_SIGNING,
          REASON_NOT_CODE_SIGNING,
          WEIGHT_LENIENT },
        { "nonRepudiation",
          { .exts = { { KU, "nonRepudiation" }, { EKU, "codeSigning" } } },
          CHAIN_CODE_SIGNING,
          REASON_NOT_CODE_SIGNING,
          WEIGHT_LENIENT },
        { "expired",
          { .from = T_2020, .to = T_2026, .exts = { LEAF_EXTS } },
          CHAIN_CODE_SIGNING,
          REASON_CHAIN_EXPIRED,
          WEIGHT_FATAL },
        { "a second too old",
          { .from = T_2020, .to = NOW, .exts = { LEAF_EXTS } },
          CHAIN_CODE_SIGNING,
          REASON_CHAIN_EXPIRED,
          WEIGHT_FATAL },
        { "a second too young",
          { .from = NOW + 1, .exts = { LEAF_EXTS } },
          CHAIN_CODE_SIGNING,
          REASON_CHAIN_EXPIRED,
          WEIGHT_FATAL },
        { "critical",
          { .exts = { LEAF_EXTS, { "1.2.3.4.5", "critical,DER:0500" } } },
          CHAIN_CODE_SIGNING,
          REASON_CHAIN_UNTRUSTED,
          WEIGHT_FATAL },
        { "explicit curve",
          { .key = "explicit", .exts = { LEAF_EXTS } },
          CHAIN_CODE_SIGNING,
          REASON_CHAIN_UNTRUSTED,
          WEIGHT_FATAL },
        { "kind of key",
          { .key = "ed448", .exts = { LEAF_EXTS } },
          CHAIN_CODE_SIGNING,
          REASON_CHAIN_UNTRUSTED,
          WEIGHT_FATAL },
        { "rsa 512",
          { .key = "rsa512", .exts = { LEAF_EXTS } },
          CHAIN_CODE_SIGNING,
          REASON_WEAK_KEY,
          WEIGHT_FATAL },
        { "rsa 1024",
          { .key = "rsa1024", .exts = { LEAF_EXTS } },
          CHAIN_CODE_SIGNING,
          REASON_WEAK_KEY,
          WEIGHT_RSA1024 },
        { "rsa 2040",
          { .key = "rsa2040", .exts = { LEAF_EXTS } },
          CHAIN_CODE_SIGNING,
          REASON_WEAK_KEY,
          WEIGHT_RSA1024 },
        { "p192",
          { .key = "p192", .exts = { LEAF_EXTS } },
          CHAIN_CODE_SIGNING,
          REASON_WEAK_KEY,
          WEIGHT_FATAL },
        { "sha1",
          { .hash = "SHA1", .exts = { LEAF_EXTS } },
          CHAIN_CODE_SIGNING,
          REASON_WEAK_DIGEST,
          WEIGHT_SHA1 },
        { "thief",
          { .sign_key = "p256:thief", .exts = { LEAF_EXTS } },
          CHAIN_CODE_SIGNING,
          REASON_CHAIN_UNTRUSTED,
          WEIGHT_FATAL },
        { "invalid",
          { .exts = { LEAF_EXTS, { "2.5.29.19", "DER:30030201FF" } } },
          CHAIN_CODE_SIGNING,
          REASON_CHAIN_UNTRUSTED,
          WEIGHT_FATAL },
        { "stamp: no EKU",
          { .exts = { { KU, "digitalSignature" } } },
          CHAIN_TIMESTAMP,
          REASON_TIMESTAMP_INVALID,
          WEIGHT_FATAL },
        { "stamp: code",
          { .exts = { LEAF_EXTS } },
          CHAIN_TIMESTAMP,
          REASON_TIMESTAMP_INVALID,
          WEIGHT_FATAL },
        { "stamp: not critical",
          { .exts = { { EKU, "timeStamping" } } },
          CHAIN_TIMESTAMP,
          REASON_TIMESTAMP_INVALID,
          WEIGHT_LENIENT },
        { "stamp: not alone",
          { .exts = { { EKU, "critical,timeStamping,codeSigning" } } },
          CHAIN_TIMESTAMP,
          REASON_TIMESTAMP_INVALID,
          WEIGHT_FATAL },
        { "stamp: expired",
          { .to = T_2026, .exts = { TSA_EXTS } },
          CHAIN_TIMESTAMP,
          REASON_TIMESTAMP_UNTRUSTED,
          WEIGHT_FATAL },
        { "stamp: thief",
          { .sign_key = "p256:thief", .exts = { TSA_EXTS } },
          CHAIN_TIMESTAMP,
          REASON_TIMESTAMP_UNTRUSTED,
          WEIGHT_FATAL },
        { "stamp: keyUsage",
          { .exts = { { KU, "keyAgreement" }, { EKU, "critical,timeStamping" } } },
          CHAIN_TIMESTAMP,
          REASON_TIMESTAMP_INVALID,
          WEIGHT_LENIENT },
        { "stamp: rsa 1024",
          { .key = "rsa1024", .exts = { TSA_EXTS } },
          CHAIN_TIMESTAMP,
          REASON_WEAK_KEY,
          WEIGHT_RSA1024 },
        { "legacy: code",
          { .exts = { LEAF_EXTS } },
          CHAIN_TIMESTAMP_LEGACY,
          REASON_TIMESTAMP_INVALID,
          WEIGHT_FATAL },
        { "legacy: rsa 1024",
          { .key = "rsa1024", .exts = { TSA_EXTS } },
          CHAIN_TIMESTAMP_LEGACY,
          REASON_WEAK_KEY,
          WEIGHT_LENIENT },
        { "cms: no EKU",
          { .exts = { { KU, "digitalSignature" } } },
          CHAIN_CMS,
          REASON_NOT_CODE_SIGNING,
          WEIGHT_FATAL },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct court c;
        struct spec spec = rows[i].spec;
        spec.cn = rows[i].what;
        spec.issuer = w.inter;
        const struct made *leaf = make(&spec);
        print_message("  %s\n", rows[i].what);
        judge_under(&c, rows[i].purpose, leaf, w.inter, w.root);
        assert_found(&c, rows[i].want, rows[i].weight);
        court_close(&c);
    }
}

static void right_leaves_of_other_purposes_pass(void **state)
{
    UNUSED(state);
    const struct {
        struct spec spec;
        enum chain_purpose purpose;
        const char *cms_eku;
    } rows[] = {
        { { .exts = { TSA_EXTS } }, CHAIN_TIMESTAMP, NULL },
        { { .exts = { { EKU, "timeStamping,codeSigning" } } }, CHAIN_TIMESTAMP_LEGACY, NULL },
        { { .exts = { { KU, "nonRepudiation" }, { EKU, "critical,timeStamping" } } },
          CHAIN_TIMESTAMP,
          NULL },
        { { .exts = { LEAF_EXTS } }, CHAIN_CMS, NULL },
        { { .exts = { { EKU, "emailProtection" } } }, CHAIN_CMS, "1.3.6.1.5.5.7.3.4" },
        { { .no_ids = true }, CHAIN_CMS, EKU_ANY },
        { { .exts = { { KU, "digitalSignature" } } }, CHAIN_CMS, EKU_ANY },
        { { .exts = { { EKU, "clientAuth,codeSigning" } } }, CHAIN_CODE_SIGNING, NULL },
        { { .exts = { LEAF_EXTS, { "1.2.3.4.5", "DER:0500" } } }, CHAIN_CODE_SIGNING, NULL },
        { { .from = NOW, .to = NOW + 1, .exts = { LEAF_EXTS } }, CHAIN_CODE_SIGNING, NULL },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct court c;
        struct spec spec = rows[i].spec;
        spec.cn = "x";
        spec.issuer = w.inter;
        court_open(&c, rows[i].purpose);
        c.policy.cms_eku = rows[i].cms_eku;
        court_trust(&c, ANCHOR_CODE, w.root);
        court_bag(&c, w.inter);
        court_judge(&c, make(&spec));
        assert_clean(&c);
        court_close(&c);
    }
}

/* --- wrong authorities between the leaf and the root, or as the root */

static void wrong_authorities_are_refused(void **state)
{
    UNUSED(state);
#define BC "basicConstraints"
    static const char *const whats[] = { "as intermediate", "as anchor" };
    const struct {
        const char *what;
        struct spec spec;
        enum reason want;
        enum weight weight;
        enum reason as_anchor; /* REASON_NONE: passes there */
    } rows[] = {
        { "CA false",
          { .exts = { { BC, "CA:FALSE" }, { KU, "keyCertSign" } } },
          REASON_CHAIN_UNTRUSTED,
          WEIGHT_FATAL,
          REASON_CHAIN_UNTRUSTED },
        { "no constraints",
          { .exts = { { KU, "keyCertSign" } } },
          REASON_CHAIN_UNTRUSTED,
          WEIGHT_FATAL,
          REASON_NONE },
        { "version 1", { .is_v1 = true }, REASON_CHAIN_UNTRUSTED, WEIGHT_FATAL, REASON_NONE },
        { "a leaf",
          { .exts = { LEAF_EXTS } },
          REASON_CHAIN_UNTRUSTED,
          WEIGHT_FATAL,
          REASON_CHAIN_UNTRUSTED },
        { "keyUsage",
          { .exts = { { BC, "critical,CA:TRUE" }, { KU, "digitalSignature" } } },
          REASON_CHAIN_UNTRUSTED,
          WEIGHT_FATAL,
          REASON_CHAIN_UNTRUSTED },
        { "negative pathlen",
          { .exts = { { BC, "DER:30060101FF0201FF" }, { KU, "keyCertSign" } } },
          REASON_CHAIN_UNTRUSTED,
          WEIGHT_FATAL,
          REASON_CHAIN_UNTRUSTED },
        { "EKU",
          { .exts = { CA_EXTS, { EKU, "serverAuth" } } },
          REASON_NOT_CODE_SIGNING,
          WEIGHT_FATAL,
          REASON_NOT_CODE_SIGNING },
        { "expired",
          { .to = T_2026, .exts = { CA_EXTS } },
          REASON_CHAIN_EXPIRED,
          WEIGHT_FATAL,
          REASON_CHAIN_EXPIRED },
        { "young",
          { .from = T_2027, .exts = { CA_EXTS } },
          REASON_CHAIN_EXPIRED,
          WEIGHT_FATAL,
          REASON_CHAIN_EXPIRED },
        { "critical",
          { .exts = { CA_EXTS, { "1.2.3.4.5", "critical,DER:0500" } } },
          REASON_CHAIN_UNTRUSTED,
          WEIGHT_FATAL,
          REASON_CHAIN_UNTRUSTED },
        { "excluded",
          { .exts = { CA_EXTS, { "nameConstraints", "critical,excluded;dirName:maker" } } },
          REASON_CHAIN_UNTRUSTED,
          WEIGHT_FATAL,
          REASON_CHAIN_UNTRUSTED },
        { "not permitted",
          { .exts = { CA_EXTS, { "nameConstraints", "critical,permitted;dirName:others" } } },
          REASON_CHAIN_UNTRUSTED,
          WEIGHT_FATAL,
          REASON_CHAIN_UNTRUSTED },
        { "needs a policy",
          { .exts = { CA_EXTS, { "policyConstraints", "critical,requireExplicitPolicy:0" } } },
          REASON_CHAIN_UNTRUSTED,
          WEIGHT_FATAL,
          REASON_NONE },
        { "needs a policy that the leaf has not",
          { .exts = { CA_EXTS,
                      { "policyConstraints", "critical,requireExplicitPolicy:0" },
                      { "certificatePolicies", "1.2.3.4" } } },
          REASON_CHAIN_UNTRUSTED,
          WEIGHT_FATAL,
          REASON_NONE },
        { "explicit curve",
          { .key = "explicit", .exts = { CA_EXTS } },
          REASON_CHAIN_UNTRUSTED,
          WEIGHT_FATAL,
          REASON_CHAIN_UNTRUSTED },
        { "rsa 1024",
          { .key = "rsa1024", .exts = { CA_EXTS } },
          REASON_WEAK_KEY,
          WEIGHT_RSA1024,
          REASON_WEAK_KEY },
        { "rsa 512",
          { .key = "rsa512", .exts = { CA_EXTS } },
          REASON_WEAK_KEY,
          WEIGHT_FATAL,
          REASON_WEAK_KEY },
        { "sha1",
          { .hash = "SHA1", .exts = { CA_EXTS } },
          REASON_WEAK_DIGEST,
          WEIGHT_SHA1,
          REASON_NONE },
        { "thief",
          { .sign_key = "p256:thief", .exts = { CA_EXTS } },
          REASON_CHAIN_UNTRUSTED,
          WEIGHT_FATAL,
          REASON_NONE },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows) * 2; i++) {
        struct court c;
        size_t r = i / 2;
        bool is_anchor = i % 2 == 1;
        struct spec spec = rows[r].spec;
        spec.o = "Maker";
        spec.cn = rows[r].what;
        if (spec.key == NULL)
            spec.key = "p256:inter";
        spec.issuer = is_anchor ? NULL : w.root;
        const struct made *ca = make(&spec);
        const struct made *leaf = make(&(struct spec){
            .o = "Maker", .cn = "x", .issuer = ca, .no_ids = true, .exts = { LEAF_EXTS } });
        print_message("  %s %s\n", rows[r].what, whats[i % 2]);
        if (is_anchor)
            judge_under(&c, CHAIN_CODE_SIGNING, leaf, NULL, ca);
        else
            judge_under(&c, CHAIN_CODE_SIGNING, leaf, ca, w.root);
        if (!is_anchor)
            assert_found(&c, rows[r].want, rows[r].weight);
        else if (rows[r].as_anchor != REASON_NONE)
            assert_true(findings_have(&c.findings, rows[r].as_anchor));
        else if (strncmp(rows[r].what, "needs a policy", 14) != 0)
            assert_clean(&c);
        court_close(&c);
    }
}

static void md5_is_fatal_but_in_a_legacy_chain(void **state)
{
    UNUSED(state);
    struct court c;
    const struct made *root = make_ca(NULL, "RSA Root", "rsa2048");
    const struct made *leaf =
        make(&(struct spec){ .cn = "x", .issuer = root, .hash = "MD5", .exts = { LEAF_EXTS } });
    judge_under(&c, CHAIN_CODE_SIGNING, leaf, NULL, root);
    assert_found(&c, REASON_WEAK_DIGEST, WEIGHT_FATAL);
    court_close(&c);
    leaf = make(&(struct spec){ .cn = "x", .issuer = root, .hash = "MD5", .exts = { TSA_EXTS } });
    judge_under(&c, CHAIN_TIMESTAMP, leaf, NULL, root);
    assert_found(&c, REASON_WEAK_DIGEST, WEIGHT_FATAL);
    court_close(&c);
    judge_under(&c, CHAIN_TIMESTAMP_LEGACY, leaf, NULL, root);
    assert_found(&c, REASON_WEAK_DIGEST, WEIGHT_LENIENT);
    court_close(&c);
}

static void path_length_is_kept(void **state)
{
    UNUSED(state);
    struct court c;
    const struct made *top = make(
        &(struct spec){ .cn = "Top",
                        .issuer = w.root,
                        .exts = { { BC, "critical,CA:TRUE,pathlen:0" }, { KU, "keyCertSign" } } });
    const struct made *low = make_ca(top, "Low", "p256:low");
    court_open(&c, CHAIN_CODE_SIGNING);
    court_trust(&c, ANCHOR_CODE, w.root);
    court_bag(&c, low);
    court_bag(&c, top);
    court_judge(&c, make(&(struct spec){ .cn = "x", .issuer = low, .exts = { LEAF_EXTS } }));
    assert_found(&c, REASON_CHAIN_UNTRUSTED, WEIGHT_FATAL);
    court_close(&c);
    judge_under(&c, CHAIN_CODE_SIGNING,
                make(&(struct spec){ .cn = "x", .issuer = top, .exts = { LEAF_EXTS } }), top,
                w.root);
    assert_clean(&c);
    court_close(&c);
}

/* --- where a chain ends */

static void chain_without_its_anchor_is_refused(void **state)
{
    UNUSED(state);
    struct court c;
    judge_under(&c, CHAIN_CODE_SIGNING, w.leaf, w.inter, w.other_root);
    assert_found(&c, REASON_CHAIN_UNTRUSTED, WEIGHT_FATAL);
    court_close(&c);
    judge_under(&c, CHAIN_CODE_SIGNING, w.leaf, NULL, w.root);
    assert_found(&c, REASON_CHAIN_UNTRUSTED, WEIGHT_FATAL);
    court_close(&c);

    court_open(&c, CHAIN_CODE_SIGNING); /* no anchor at all, and the root in the bag */
    court_bag(&c, w.inter);
    court_bag(&c, w.root);
    court_judge(&c, w.leaf);
    assert_found(&c, REASON_CHAIN_UNTRUSTED, WEIGHT_FATAL);
    assert_int_equal(c.proven, 0);
    assert_int_equal(c.report.n, 3);
    court_close(&c);

    court_open(&c, CHAIN_CODE_SIGNING); /* anchors for timestamps are none for code */
    court_trust(&c, ANCHOR_TIMESTAMP, w.root);
    court_bag(&c, w.inter);
    court_judge(&c, w.leaf);
    assert_found(&c, REASON_CHAIN_UNTRUSTED, WEIGHT_FATAL);
    court_close(&c);
}

static void right_name_with_wrong_key_is_no_anchor(void **state)
{
    UNUSED(state);
    struct court c;
    const struct made *fake = make(&(struct spec){
        .o = "Maker", .cn = "Root", .key = "p256:thief", .no_ids = true, .exts = { CA_EXTS } });
    const struct made *leaf =
        make(&(struct spec){ .cn = "x", .issuer = fake, .no_ids = true, .exts = { LEAF_EXTS } });
    judge_under(&c, CHAIN_CODE_SIGNING, leaf, fake, w.root);
    assert_found(&c, REASON_CHAIN_UNTRUSTED, WEIGHT_FATAL);
    court_close(&c);
}

static void intermediate_may_be_the_anchor(void **state)
{
    UNUSED(state);
    struct court c;
    judge_under(&c, CHAIN_CODE_SIGNING, w.leaf, NULL, w.inter);
    assert_clean(&c);
    assert_int_equal(c.report.n, 2);
    court_close(&c);
}

static void second_way_is_tried_where_the_first_fails(void **state)
{
    UNUSED(state);
    const struct spec wrong[] = {
        { .to = T_2026, .exts = { CA_EXTS } },   { .exts = { CA_EXTS, { EKU, "serverAuth" } } },
        { .hash = "SHA1", .exts = { CA_EXTS } }, { .sign_key = "p256:thief", .exts = { CA_EXTS } },
        { .exts = { { BC, "CA:FALSE" } } },
    };
    for (size_t i = 0; i < ARRAY_LEN(wrong) * 2; i++) {
        struct court c;
        struct spec spec = wrong[i / 2];
        spec.o = "Maker";
        spec.cn = "Inter";
        spec.key = "p256:inter";
        spec.issuer = w.root;
        const struct made *bad = make(&spec);
        court_open(&c, CHAIN_CODE_SIGNING);
        court_trust(&c, ANCHOR_CODE, w.root);
        court_bag(&c, i % 2 == 0 ? bad : w.inter);
        court_bag(&c, i % 2 == 0 ? w.inter : bad);
        court_judge(&c, w.leaf);
        assert_clean(&c);
        court_close(&c);
    }
}

static void roots_that_sign_each_other_end_the_walk(void **state)
{
    UNUSED(state);
    struct court c;
    const struct made *a = make_ca(NULL, "A", "p256:loop_a"), *b = make_ca(a, "B", "p256:loop_b");
    const struct made *a2 = make_ca(b, "A", "p256:loop_a");
    court_open(&c, CHAIN_CODE_SIGNING);
    court_trust(&c, ANCHOR_CODE, w.root);
    court_bag(&c, a);
    court_bag(&c, a2);
    court_bag(&c, b);
    court_judge(&c, make(&(struct spec){ .cn = "x", .issuer = b, .exts = { LEAF_EXTS } }));
    assert_found(&c, REASON_CHAIN_UNTRUSTED, WEIGHT_FATAL);
    court_close(&c);
}

static void outsize_chains_and_crowds_are_given_up(void **state)
{
    UNUSED(state);
    struct court c;
    const struct made *up = w.root;
    court_open(&c, CHAIN_CODE_SIGNING);
    court_trust(&c, ANCHOR_CODE, w.root);
    for (int i = 0; i < CHAIN_MAX; i++) {
        char cn[8] = { 'S', (char)('a' + i) };
        up = make_ca(up, cn, "p256:step");
        court_bag(&c, up);
    }
    court_judge(&c, make(&(struct spec){ .cn = "x", .issuer = up, .exts = { LEAF_EXTS } }));
    assert_found(&c, REASON_CHAIN_UNTRUSTED, WEIGHT_FATAL);
    court_close(&c);

    /* forty authorities of one name and key, each of which may have issued any other */
    court_open(&c, CHAIN_CODE_SIGNING);
    court_trust(&c, ANCHOR_CODE, w.root);
    for (int i = 0; i < 40; i++) {
        up = make(&(struct spec){ .cn = "Crowd", .key = "p256:step", .exts = { CA_EXTS } });
        court_bag(&c, up);
    }
    court_judge(&c, make(&(struct spec){ .cn = "x", .issuer = up, .exts = { LEAF_EXTS } }));
    assert_found(&c, REASON_CHAIN_UNTRUSTED, WEIGHT_FATAL);
    court_close(&c);
}

/* --- pins and publishers */

static struct pin pin_of(enum pin_kind kind, const struct made *m)
{
    struct pin pin = { .kind = kind };
    const struct digest *d =
        kind == PIN_CERT_SHA256 ? cert_sha256(m->cert) : cert_spki_sha256(m->cert);
    memcpy(pin.bytes, d->bytes, sizeof(pin.bytes));
    return pin;
}

static void judge_pinned(struct court *c, struct pin *pin, bool has_anchor, const struct made *leaf)
{
    court_open(c, CHAIN_CODE_SIGNING);
    c->policy.pins = pin;
    c->policy.n_pins = 1;
    if (has_anchor)
        court_trust(c, ANCHOR_CODE, w.root);
    court_bag(c, w.inter);
    court_judge(c, leaf);
}

static void pins_narrow_and_may_end_a_chain(void **state)
{
    UNUSED(state);
    const struct made *const members[] = { w.leaf, w.inter, w.root };
    for (size_t i = 0; i < ARRAY_LEN(members); i++) {
        struct court c;
        struct pin whole = pin_of(PIN_CERT_SHA256, members[i]);
        struct pin key = pin_of(PIN_SPKI_SHA256, members[i]);
        judge_pinned(&c, &whole, true, w.leaf);
        assert_clean(&c);
        assert_true((c.proven & FACT_SIGNER) != 0);
        court_close(&c);
        judge_pinned(&c, &key, true, w.leaf);
        assert_clean(&c);
        court_close(&c);
        judge_pinned(&c, &key, false, w.leaf); /* a key alone ends nothing */
        assert_found(&c, REASON_CHAIN_UNTRUSTED, WEIGHT_FATAL);
        court_close(&c);
        judge_pinned(&c, &whole, false, w.leaf);
        if (i < 2)
            assert_clean(&c); /* the root is not in the bag */
        else
            assert_found(&c, REASON_CHAIN_UNTRUSTED, WEIGHT_FATAL);
        court_close(&c);
    }
}

static void pins_of_others_are_refused(void **state)
{
    UNUSED(state);
    struct court c;
    struct pin other = pin_of(PIN_CERT_SHA256, w.other_root);
    judge_pinned(&c, &other, true, w.leaf);
    assert_found(&c, REASON_PIN_MISMATCH, WEIGHT_FATAL);
    assert_true((c.proven & FACT_SIGNER) == 0);
    court_close(&c);
    other = pin_of(PIN_SPKI_SHA256, w.leaf);
    other.kind = PIN_CERT_SHA256;
    judge_pinned(&c, &other, true, w.leaf);
    assert_found(&c, REASON_PIN_MISMATCH, WEIGHT_FATAL);
    court_close(&c);
    const struct made *stranger =
        make(&(struct spec){ .cn = "x", .issuer = w.other_root, .exts = { LEAF_EXTS } });
    struct pin right = pin_of(PIN_CERT_SHA256, stranger);
    judge_pinned(&c, &right, true, stranger);
    assert_found(&c, REASON_CHAIN_UNTRUSTED, WEIGHT_FATAL);
    assert_int_equal(c.proven, 0);
    court_close(&c);
}

static void pinned_leaf_keeps_time_and_purpose(void **state)
{
    UNUSED(state);
    struct court c;
    const struct made *old =
        make(&(struct spec){ .cn = "x", .issuer = w.inter, .to = T_2026, .exts = { LEAF_EXTS } });
    struct pin pin = pin_of(PIN_CERT_SHA256, old);
    judge_pinned(&c, &pin, false, old);
    assert_found(&c, REASON_CHAIN_EXPIRED, WEIGHT_FATAL);
    court_close(&c);
    const struct made *web =
        make(&(struct spec){ .cn = "x", .issuer = w.inter, .exts = { { EKU, "serverAuth" } } });
    pin = pin_of(PIN_CERT_SHA256, web);
    judge_pinned(&c, &pin, false, web);
    assert_found(&c, REASON_NOT_CODE_SIGNING, WEIGHT_FATAL);
    court_close(&c);
}

static void pin_does_not_end_a_timestamp_chain(void **state)
{
    UNUSED(state);
    struct court c;
    struct pin pin = pin_of(PIN_CERT_SHA256, w.tsa);
    court_open(&c, CHAIN_TIMESTAMP);
    c.policy.pins = &pin;
    c.policy.n_pins = 1;
    court_judge(&c, w.tsa);
    assert_found(&c, REASON_TIMESTAMP_UNTRUSTED, WEIGHT_FATAL);
    court_close(&c);
}

static void timestamp_has_anchors_of_its_own(void **state)
{
    UNUSED(state);
    struct court c;
    const char *const publisher = "Nobody";
    struct pin pin = pin_of(PIN_CERT_SHA256, w.other_root);
    court_open(&c, CHAIN_TIMESTAMP);
    court_trust(&c, ANCHOR_CODE, w.root);
    court_trust(&c, ANCHOR_TIMESTAMP, w.tsa_root);
    c.policy.publishers = &publisher;
    c.policy.n_publishers = 1;
    c.policy.pins = &pin;
    c.policy.n_pins = 1;
    court_judge(&c, w.tsa);
    assert_clean(&c);
    assert_int_equal(c.proven, FACT_CHAIN);
    court_close(&c);

    court_open(&c, CHAIN_TIMESTAMP);
    court_trust(&c, ANCHOR_CODE, w.tsa_root);
    court_trust(&c, ANCHOR_TIMESTAMP, w.root);
    court_judge(&c, w.tsa);
    assert_found(&c, REASON_TIMESTAMP_UNTRUSTED, WEIGHT_FATAL);
    court_close(&c);
}

static void any_of_the_publishers_will_do_and_no_other(void **state)
{
    UNUSED(state);
    struct court c;
    const char *const names[] = { "Pear Yard", "Orchard" };
    court_open(&c, CHAIN_CODE_SIGNING);
    court_trust(&c, ANCHOR_CODE, w.root);
    court_bag(&c, w.inter);
    c.policy.publishers = names;
    c.policy.n_publishers = 2;
    court_judge(&c, w.leaf);
    assert_clean(&c);
    assert_int_equal(c.proven, FACT_CHAIN | FACT_SIGNER);
    c.policy.n_publishers = 1;
    court_judge(&c, w.leaf);
    assert_int_equal(c.proven, FACT_CHAIN);
    assert_true(findings_have(&c.findings, REASON_PUBLISHER_MISMATCH));
    court_close(&c);
}

static void publisher_under_no_anchor_proves_no_signer(void **state)
{
    UNUSED(state);
    struct court c;
    const char *const name = "Orchard";
    court_open(&c, CHAIN_CODE_SIGNING);
    court_trust(&c, ANCHOR_CODE, w.other_root);
    c.policy.publishers = &name;
    c.policy.n_publishers = 1;
    court_judge(&c, w.leaf);
    assert_int_equal(c.proven, 0);
    court_close(&c);
}

static void proven_time_decides_validity(void **state)
{
    UNUSED(state);
    struct court c;
    court_open(&c, CHAIN_CODE_SIGNING);
    court_trust(&c, ANCHOR_CODE, w.root);
    court_bag(&c, w.inter);
    c.policy.now = T_2027 + 400 * DAY;
    c.ask.at = T_2026;
    c.ask.at_is_proven = true;
    court_judge(&c, w.leaf);
    assert_clean(&c);
    c.ask.at = T_2027 + 1;
    court_judge(&c, w.leaf);
    assert_found(&c, REASON_CHAIN_EXPIRED, WEIGHT_FATAL);
    court_close(&c);
}

/* --- memory */

static size_t allocations, fail_at;

static bool must_fail(void)
{
    return fail_at != 0 && ++allocations >= fail_at;
}

static void *scarce_malloc(size_t n, const char *file, int line)
{
    UNUSED(file);
    UNUSED(line);
    return must_fail() ? NULL : malloc(n);
}

static void *scarce_realloc(void *p, size_t n, const char *file, int line)
{
    UNUSED(file);
    UNUSED(line);
    if (n == 0) {
        free(p);
        return NULL;
    }
    return must_fail() ? NULL : realloc(p, n);
}

static void scarce_free(void *p, const char *file, int line)
{
    UNUSED(file);
    UNUSED(line);
    free(p);
}

/* From the nth allocation on, OpenSSL gets no memory: a good chain is then not proven, or was
 * before; a bad one never is. */
static void no_chain_is_proven_by_lack_of_memory(void **state)
{
    UNUSED(state);
    const struct made *const leaves[] = {
        w.leaf,
        make(&(struct spec){
            .cn = "thief", .issuer = w.inter, .sign_key = "p256:thief", .exts = { LEAF_EXTS } }),
        make(&(struct spec){ .cn = "old", .issuer = w.inter, .to = T_2026, .exts = { LEAF_EXTS } }),
        make(&(struct spec){ .cn = "web", .issuer = w.inter, .exts = { { EKU, "serverAuth" } } }),
    };
    for (size_t k = 0; k < ARRAY_LEN(leaves); k++) {
        size_t n = 1, n_errors = 0;
        for (bool is_through = false; !is_through && n < 5000; n++) {
            struct court c;
            court_open(&c, CHAIN_CODE_SIGNING);
            court_trust(&c, ANCHOR_CODE, w.root);
            court_bag(&c, w.inter);
            allocations = 0;
            fail_at = n;
            court_judge(&c, leaves[k]);
            fail_at = 0;
            is_through = allocations < n;
            n_errors += c.rc == E_NOMEM;
            assert_true(c.rc == E_OK || c.rc == E_NOMEM);
            if (c.rc == E_OK && (k > 0 || (c.proven & FACT_CHAIN) == 0))
                assert_true(findings_have_weight(&c.findings, WEIGHT_FATAL));
            assert_true(k == 0 || (c.proven & FACT_CHAIN) == 0);
            court_close(&c);
        }
        assert_true(n < 5000);
        assert_true(n_errors > 0);
    }
}

int main(void)
{
    if (CRYPTO_set_mem_functions(scarce_malloc, scarce_realloc, scarce_free) != 1)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ordinary_chain_is_proven),
        cmocka_unit_test(every_kind_of_key_may_sign),
        cmocka_unit_test(wrong_leaves_are_refused),
        cmocka_unit_test(right_leaves_of_other_purposes_pass),
        cmocka_unit_test(wrong_authorities_are_refused),
        cmocka_unit_test(md5_is_fatal_but_in_a_legacy_chain),
        cmocka_unit_test(path_length_is_kept),
        cmocka_unit_test(chain_without_its_anchor_is_refused),
        cmocka_unit_test(right_name_with_wrong_key_is_no_anchor),
        cmocka_unit_test(intermediate_may_be_the_anchor),
        cmocka_unit_test(second_way_is_tried_where_the_first_fails),
        cmocka_unit_test(roots_that_sign_each_other_end_the_walk),
        cmocka_unit_test(outsize_chains_and_crowds_are_given_up),
        cmocka_unit_test(pins_narrow_and_may_end_a_chain),
        cmocka_unit_test(pins_of_others_are_refused),
        cmocka_unit_test(pinned_leaf_keeps_time_and_purpose),
        cmocka_unit_test(pin_does_not_end_a_timestamp_chain),
        cmocka_unit_test(timestamp_has_anchors_of_its_own),
        cmocka_unit_test(any_of_the_publishers_will_do_and_no_other),
        cmocka_unit_test(publisher_under_no_anchor_proves_no_signer),
        cmocka_unit_test(proven_time_decides_validity),
        cmocka_unit_test(no_chain_is_proven_by_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, make_world, free_made);
}
