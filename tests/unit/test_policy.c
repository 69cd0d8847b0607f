/* Words of the command line that become demands, and demands that nothing could ever meet. */

#include "tests/unit/make_cert.h"

#include "verify/policy.h"

#define ZEROS "00000000000000000000000000000000000000000000000000000000000000"

/* --- words */

static void allowances_are_read_without_regard_to_case(void **state)
{
    UNUSED(state);
    static const struct {
        const char *word;
        uint32_t want;
    } rows[] = {
        { "sha1", ALLOW_SHA1 },
        { "SHA1", ALLOW_SHA1 },
        { "rsa1024", ALLOW_RSA1024 },
        { "UnsignedMetadata", ALLOW_UNSIGNED_METADATA },
        { "unsignedmetadata", ALLOW_UNSIGNED_METADATA },
        { "UncoveredData", ALLOW_UNCOVERED_DATA },
        { "CertificateTablePadding", ALLOW_CERTIFICATE_TABLE_PADDING },
        { "ChecksumMismatch", ALLOW_CHECKSUM },
        { "checksum", ALLOW_CHECKSUM },
        { "", 0 },
        { "sha", 0 },
        { "sha12", 0 },
        { " sha1", 0 },
        { "md5", 0 },
        { "sha1,rsa1024", 0 },
        { "ChainExpired", 0 },
        { "DigestMismatch", 0 },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (policy_allowance_of(rows[i].word) != rows[i].want)
            fail_msg("'%s' is 0x%x", rows[i].word, (unsigned)policy_allowance_of(rows[i].word));
}

static void pins_are_64_hex_digits_behind_their_kind(void **state)
{
    UNUSED(state);
    struct pin pin;
    assert_int_equal(policy_read_pin("sha256:" ZEROS "aB", &pin, NULL), E_OK);
    assert_int_equal(pin.kind, PIN_CERT_SHA256);
    assert_int_equal(pin.bytes[0], 0);
    assert_int_equal(pin.bytes[31], 0xab);
    assert_int_equal(policy_read_pin("spki-sha256:" ZEROS "01", &pin, NULL), E_OK);
    assert_int_equal(pin.kind, PIN_SPKI_SHA256);
    assert_int_equal(pin.bytes[31], 1);
}

static void other_pins_are_refused_and_write_nothing(void **state)
{
    UNUSED(state);
    static const struct {
        const char *text, *words;
    } bad[] = {
        { "", "sha256:HEX or spki-sha256:HEX" },
        { "sha256", "sha256:HEX or spki-sha256:HEX" },
        { "SHA256:" ZEROS "00", "sha256:HEX or spki-sha256:HEX" },
        { " sha256:" ZEROS "00", "sha256:HEX or spki-sha256:HEX" },
        { "sha1:" ZEROS "00", "sha256:HEX or spki-sha256:HEX" },
        { ZEROS "00", "sha256:HEX or spki-sha256:HEX" },
        { "sha256:", "pin sha256:HEX wants 64 hex digits" },
        { "sha256:" ZEROS, "pin sha256:HEX wants 64 hex digits" },
        { "sha256:" ZEROS "0", "pin sha256:HEX wants 64 hex digits" },
        { "sha256:" ZEROS "000", "pin sha256:HEX wants 64 hex digits" },
        { "sha256:" ZEROS "0000", "pin sha256:HEX wants 64 hex digits" },
        { "sha256:" ZEROS "0g", "pin sha256:HEX wants 64 hex digits" },
        { "sha256:" ZEROS "0 ", "pin sha256:HEX wants 64 hex digits" },
        { "spki-sha256:" ZEROS, "pin spki-sha256:HEX wants 64 hex digits" },
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct pin pin = { PIN_SPKI_SHA256, { 7 } };
        struct err err;
        assert_int_equal(policy_read_pin(bad[i].text, &pin, &err), E_ARGUMENT);
        if (strstr(err.text, bad[i].words) == NULL)
            fail_msg("'%s': %s", bad[i].text, err.text);
        assert_int_equal(pin.bytes[0], 7);
    }
}

static void systems_are_words_joined_by_plus(void **state)
{
    UNUSED(state);
    uint32_t systems = 0;
    assert_int_equal(policy_read_systems("authenticode+minisign", &systems, NULL), E_OK);
    assert_int_equal(systems, SYSTEM_AUTHENTICODE | SYSTEM_MINISIGN);
    assert_int_equal(policy_read_systems("cms", &systems, NULL), E_OK);
    assert_int_equal(systems, SYSTEM_AUTHENTICODE | SYSTEM_CMS | SYSTEM_MINISIGN);
    systems = 0;
    assert_int_equal(policy_read_systems("cms+cms", &systems, NULL), E_OK);
    assert_int_equal(systems, SYSTEM_CMS);
}

static void other_systems_are_refused_and_add_nothing(void **state)
{
    UNUSED(state);
    static const char *const bad[] = { "",         "+",          "cms+", "+cms",    "cms++cms",
                                       "CMS",      "cms,cms",    "gpg",  "cms+gpg", "cms minisign",
                                       "minisig ", "minisignum", "none", "any" };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        uint32_t systems = 0;
        struct err err;
        if (policy_read_systems(bad[i], &systems, &err) != E_ARGUMENT || systems != 0)
            fail_msg("'%s' is taken", bad[i]);
        assert_non_null(strstr(err.text, "authenticode, cms, minisign, joined by +"));
    }
}

/* --- demands */

#define KEY_TEXT "RWQAAQIDBAUGBwABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"

/* What a row demands besides `required`. */
enum given {
    ANCHOR = 1,
    STAMP_ANCHOR = 2,
    KEY = 4,
    PUBLISHER = 8,
    CERT_PIN = 16,
    KEY_PIN = 32,
};

static const char *const publishers[] = { "Orchard Works" };
static const struct pin pins[] = { { PIN_CERT_SHA256, { 1 } }, { PIN_SPKI_SHA256, { 2 } } };

static struct trust *trust_with(unsigned given)
{
    struct trust *t;
    const struct made *root =
        make(&(struct spec){ .cn = "A", .key = "p256:a", .exts = { CA_EXTS } });
    assert_int_equal(trust_new(&t, NULL), E_OK);
    if ((given & ANCHOR) != 0)
        assert_int_equal(trust_add_anchors(t, ANCHOR_CODE, made_der(root), NULL), E_OK);
    if ((given & STAMP_ANCHOR) != 0)
        assert_int_equal(trust_add_anchors(t, ANCHOR_TIMESTAMP, made_der(root), NULL), E_OK);
    if ((given & KEY) != 0)
        assert_int_equal(trust_add_key(t, span_text(KEY_TEXT), NULL), E_OK);
    return t;
}

static enum errc check(unsigned given, uint32_t required, bool *out_chain, struct err *err)
{
    struct policy p = { .trust = trust_with(given), .required_systems = required };
    p.publishers = publishers;
    p.n_publishers = (given & PUBLISHER) != 0 ? 1 : 0;
    p.pins = (given & CERT_PIN) != 0 ? &pins[0] : &pins[1];
    p.n_pins = ((given & CERT_PIN) != 0 ? 1U : 0U) + ((given & KEY_PIN) != 0 ? 1U : 0U);
    enum errc rc = policy_check_usable(&p, err);
    *out_chain = policy_demands_chain(&p);
    trust_free((struct trust *)p.trust);
    return rc;
}

static void demands_that_a_file_can_meet_are_usable(void **state)
{
    UNUSED(state);
    static const struct {
        unsigned given;
        uint32_t required;
        bool chain;
    } rows[] = {
        { ANCHOR, 0, true },
        { ANCHOR | PUBLISHER, 0, true },
        { ANCHOR | KEY_PIN, 0, true },
        { ANCHOR | KEY, 0, true },
        { CERT_PIN, 0, true },
        { CERT_PIN | KEY_PIN, 0, true },
        { CERT_PIN | PUBLISHER, SYSTEM_CMS, true },
        { KEY, 0, false },
        { KEY, SYSTEM_MINISIGN, false },
        { ANCHOR | PUBLISHER | KEY, SYSTEM_AUTHENTICODE | SYSTEM_MINISIGN, true },
        { ANCHOR | KEY, SYSTEM_MINISIGN, true },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err err;
        bool chain;
        if (check(rows[i].given, rows[i].required, &chain, &err) != E_OK)
            fail_msg("row %zu: %s", i, err.text);
        assert_int_equal(chain, rows[i].chain);
    }
}

static void demands_that_nothing_or_nobody_could_meet_are_refused(void **state)
{
    UNUSED(state);
    static const struct {
        unsigned given;
        uint32_t required;
        const char *words;
    } rows[] = {
        { 0, 0, "nothing to trust" },
        { PUBLISHER, 0, "nothing to trust" },
        { STAMP_ANCHOR, 0, "nothing to trust" },
        { 0, SYSTEM_AUTHENTICODE, "nothing to trust" },
        { KEY_PIN, 0, "a pin of a key alone cannot end a chain" },
        { KEY_PIN | STAMP_ANCHOR, 0, "a pin of a key alone cannot end a chain" },
        { KEY | PUBLISHER, 0, "--publisher speaks of certificates" },
        { KEY | PUBLISHER, SYSTEM_MINISIGN, "--publisher speaks of certificates" },
        { ANCHOR | KEY | PUBLISHER, 0, "demands of two systems" },
        { ANCHOR | KEY | KEY_PIN, 0, "demands of two systems" },
        { CERT_PIN | KEY, 0, "demands of two systems" },
        { ANCHOR, SYSTEM_MINISIGN, "--require minisign needs --key" },
        { ANCHOR, SYSTEM_AUTHENTICODE | SYSTEM_MINISIGN, "--require minisign needs --key" },
        { KEY, SYSTEM_AUTHENTICODE, "--require authenticode or cms needs --anchors" },
        { KEY, SYSTEM_CMS | SYSTEM_MINISIGN, "--require authenticode or cms needs --anchors" },
        { ANCHOR | KEY | PUBLISHER, SYSTEM_MINISIGN, "names no system that has one" },
        { CERT_PIN | KEY, SYSTEM_MINISIGN, "names no system that has one" },
        { ANCHOR | KEY, SYSTEM_AUTHENTICODE, "does not name minisign" },
        { ANCHOR | KEY | PUBLISHER, SYSTEM_CMS, "does not name minisign" },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err err = { .text = "" };
        bool chain;
        if (check(rows[i].given, rows[i].required, &chain, &err) != E_ARGUMENT ||
            strstr(err.text, rows[i].words) == NULL)
            fail_msg("row %zu: %s", i, err.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(allowances_are_read_without_regard_to_case),
        cmocka_unit_test(pins_are_64_hex_digits_behind_their_kind),
        cmocka_unit_test(other_pins_are_refused_and_write_nothing),
        cmocka_unit_test(systems_are_words_joined_by_plus),
        cmocka_unit_test(other_systems_are_refused_and_add_nothing),
        cmocka_unit_test(demands_that_a_file_can_meet_are_usable),
        cmocka_unit_test(demands_that_nothing_or_nobody_could_meet_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, free_made);
}
