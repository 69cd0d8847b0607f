#include "manifest/product_private.h"

#include <string.h>

#include "platform/base/text.h"

#define TEXTS_MAX 32        /* anchors, publishers and the like of one signer */
#define KEY_LINE_LEN 56     /* base64 of 42 bytes: "Ed", an id of 8, 32 of the key */
#define KEY_LINE_START "RW" /* base64 of "Ed" begins so, and goes on with one of QRST */

const char *const trust_profile_words[] = { "strict", "windows", NULL };
const char *const trust_revocation_words[] = { "off", "crl", "online", NULL };
const char *const trust_allow_words[] = { "sha1",
                                          "rsa1024",
                                          "UnsignedMetadata",
                                          "UncoveredData",
                                          "CertificateTablePadding",
                                          "ChecksumMismatch",
                                          NULL };

/* --- keys */

static bool is_key_line(const char *text)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    return strlen(text) == KEY_LINE_LEN && strspn(text, digits) == KEY_LINE_LEN &&
           strncmp(text, KEY_LINE_START, strlen(KEY_LINE_START)) == 0 &&
           strchr("QRST", text[strlen(KEY_LINE_START)]) != NULL;
}

static enum errc check_key(void *record, struct err *err)
{
    const struct trust_key *key = record;
    if (key->text != NULL && key->file != NULL)
        return err_set(err, E_MALFORMED, "is written here and in a file: say one of them");
    if (key->text == NULL && key->file == NULL)
        return err_set(err, E_MALFORMED, "is empty: write the key's line, or name its file");
    if (key->text != NULL && !is_key_line(key->text))
        return err_set(err, E_MALFORMED,
                       "is no minisign public key: that is a line of %d characters, and begins "
                       "with " KEY_LINE_START,
                       KEY_LINE_LEN);
    return E_OK;
}

static const struct schema_value key_values[] = {
    SCHEMA_MAY(NULL, VALUE_ARGUMENT, struct trust_key, text),
    SCHEMA_MAY("file", VALUE_ARGUMENT, struct trust_key, file),
};
static const struct schema_element key = { .name = "key",
                                           SCHEMA_VALUES(key_values),
                                           .min = 1,
                                           .max = TEXTS_MAX,
                                           .store = STORE_LIST,
                                           .at = offsetof(struct trust_minisign, keys),
                                           .record_size = sizeof(struct trust_key),
                                           .check = check_key };
static const struct schema_element *const minisign_children[] = { &key, NULL };

/* --- signers */

static enum errc check_pin(void *record, struct err *err)
{
    static const char *const kinds[] = { "sha256:", "spki-sha256:" };
    const char *text = ((const struct trust_text *)record)->text;
    uint8_t ignored[32];
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        size_t len = strlen(kinds[i]);
        if (strncmp(text, kinds[i], len) == 0 &&
            text_from_hex(span_text(text + len), ignored, sizeof(ignored)))
            return E_OK;
    }
    return err_set(err, E_MALFORMED,
                   "is neither sha256:HEX nor spki-sha256:HEX with 64 hex digits");
}

static bool is_oid(const char *text)
{
    bool has_dot = false;
    for (;;) {
        size_t n = strspn(text, "0123456789");
        if (n == 0)
            return false;
        text += n;
        if (*text == '\0')
            return has_dot;
        if (*text++ != '.')
            return false;
        has_dot = true;
    }
}

static enum errc check_eku(void *record, struct err *err)
{
    static const char *const names[] = { "any",        "codeSigning", "emailProtection",
                                         "serverAuth", "clientAuth",  "timeStamping" };
    const char *eku = ((const struct trust_signer *)record)->eku;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strcmp(eku, names[i]) == 0)
            return E_OK;
    if (is_oid(eku))
        return E_OK;
    return err_set(err, E_MALFORMED,
                   "is no purpose: say any, codeSigning, emailProtection, serverAuth, clientAuth, "
                   "timeStamping or a dotted OID");
}

static const struct schema_value text_values[] = {
    SCHEMA_MUST(NULL, VALUE_ARGUMENT, struct trust_text, text),
};

#define TEXT_LIST(name_, field_)                                                                   \
    .name = name_, SCHEMA_VALUES(text_values), .max = TEXTS_MAX, .store = STORE_LIST,              \
    .at = offsetof(struct trust_signer, field_), .record_size = sizeof(struct trust_text)

static const struct schema_element anchors = { TEXT_LIST("anchors", anchors) };
static const struct schema_element timestamp_anchors = { TEXT_LIST("timestamp-anchors",
                                                                   timestamp_anchors) };
static const struct schema_element publisher = { TEXT_LIST("publisher", publishers) };
static const struct schema_element pin = { TEXT_LIST("pin", pins), .check = check_pin };
static const struct schema_element crl = { TEXT_LIST("crl", crls) };

static const struct schema_value profile_values[] = {
    SCHEMA_MUST(NULL, VALUE_WORD, struct trust_signer, profile, .words = trust_profile_words),
};
static const struct schema_element profile = { .name = "profile",
                                               SCHEMA_VALUES(profile_values),
                                               .max = 1 };

static const struct schema_value revocation_values[] = {
    SCHEMA_MUST(NULL, VALUE_WORD, struct trust_signer, revocation, .words = trust_revocation_words),
};
static const struct schema_element revocation = { .name = "revocation",
                                                  SCHEMA_VALUES(revocation_values),
                                                  .max = 1 };

static const struct schema_value eku_values[] = {
    SCHEMA_MUST(NULL, VALUE_ARGUMENT, struct trust_signer, eku),
};
static const struct schema_element eku = {
    .name = "eku", SCHEMA_VALUES(eku_values), .max = 1, .check = check_eku
};

static void begin_require_timestamp(void *record)
{
    ((struct trust_signer *)record)->needs_timestamp = true;
}

static const struct schema_element require_timestamp = { .name = "require-timestamp",
                                                         .max = 1,
                                                         .begin = begin_require_timestamp };

static const struct schema_value allow_values[] = {
    SCHEMA_MUST(NULL, VALUE_WORD, struct trust_allowance, word, .words = trust_allow_words),
};
static const struct schema_element allow = { .name = "allow",
                                             SCHEMA_VALUES(allow_values),
                                             .max = TEXTS_MAX,
                                             .store = STORE_LIST,
                                             .at = offsetof(struct trust_signer, allowances),
                                             .record_size = sizeof(struct trust_allowance) };

/* What stands in <revocation> before it is said: an end of the enum that is none of it. */
#define REVOCATION_UNSAID (-1)

static enum errc settle_revocation(struct trust_signer *s, struct err *err)
{
    bool has_lists = s->crls.n > 0;
    if (s->revocation == REVOCATION_UNSAID)
        s->revocation = has_lists ? TRUST_REVOCATION_CRL : TRUST_REVOCATION_OFF;
    if (s->revocation == TRUST_REVOCATION_OFF && has_lists)
        return err_set(err, E_MALFORMED,
                       "names a <crl>, and <revocation> is off: leave one of them out");
    if (s->revocation == TRUST_REVOCATION_CRL && !has_lists)
        return err_set(err, E_MALFORMED,
                       "demands revocation lists and names none: everything would be refused; "
                       "name them in <crl>, or leave <revocation> out");
    return E_OK;
}

static void begin_signer(void *record)
{
    ((struct trust_signer *)record)->revocation = REVOCATION_UNSAID;
}

static enum errc check_signer(void *record, struct err *err)
{
    struct trust_signer *s = record;
    if (s->publishers.n == 0 && s->pins.n == 0)
        return err_set(err, E_MALFORMED,
                       "names neither <publisher> nor <pin>: any holder of a certificate under "
                       "the anchors would pass");
    for (size_t i = 0; i < s->allowances.n; i++)
        s->allowed |= UINT32_C(1) << s->allowances.items[i].word;
    return settle_revocation(s, err);
}

static const struct schema_element *const authenticode_children[] = {
    &profile, &anchors,    &timestamp_anchors, &publisher, &pin,
    &crl,     &revocation, &require_timestamp, &allow,     NULL
};
static const struct schema_element *const cms_children[] = {
    &profile, &anchors,    &timestamp_anchors, &publisher, &pin,
    &crl,     &revocation, &require_timestamp, &allow,     &eku,
    NULL
};

/* --- who may sign what */

static const struct schema_element feed_minisign = { .name = "minisign",
                                                     .children = minisign_children,
                                                     .max = 1,
                                                     .store = STORE_FIELD,
                                                     .at = offsetof(struct product_trust,
                                                                    feed_minisign) };
static const struct schema_element feed_cms = { .name = "cms",
                                                .children = cms_children,
                                                .max = TEXTS_MAX,
                                                .store = STORE_LIST,
                                                .at = offsetof(struct product_trust, feed_cms),
                                                .record_size = sizeof(struct trust_signer),
                                                .begin = begin_signer,
                                                .check = check_signer };

static enum errc check_feed(void *record, struct err *err)
{
    const struct product_trust *trust = record;
    if (trust->feed_minisign.keys.n == 0 && trust->feed_cms.n == 0)
        return err_set(err, E_MALFORMED,
                       "names nobody who signs the feed: add a <minisign> with its keys, or a "
                       "<cms>");
    return E_OK;
}

static const struct schema_element *const feed_children[] = { &feed_minisign, &feed_cms, NULL };
static const struct schema_element feed = {
    .name = "feed", .children = feed_children, .min = 1, .max = 1, .check = check_feed
};

static const struct schema_element minisign = { .name = "minisign",
                                                .children = minisign_children,
                                                .max = 1,
                                                .store = STORE_FIELD,
                                                .at = offsetof(struct product_trust, minisign) };
static const struct schema_element cms = { .name = "cms",
                                           .children = cms_children,
                                           .max = 1,
                                           .store = STORE_FIELD,
                                           .at = offsetof(struct product_trust, cms),
                                           .begin = begin_signer,
                                           .check = check_signer };
static const struct schema_element authenticode = { .name = "authenticode",
                                                    .children = authenticode_children,
                                                    .max = 1,
                                                    .store = STORE_FIELD,
                                                    .at = offsetof(struct product_trust,
                                                                   authenticode),
                                                    .begin = begin_signer,
                                                    .check = check_signer };

/* A signer that was read has a publisher or a pin; one that was not has neither. */
static bool is_named(const struct trust_signer *s)
{
    return s->publishers.n > 0 || s->pins.n > 0;
}

static enum errc check_payload(void *record, struct err *err)
{
    struct product_trust *trust = record;
    trust->has_cms = is_named(&trust->cms);
    trust->has_authenticode = is_named(&trust->authenticode);
    if (trust->minisign.keys.n == 0 && !trust->has_cms && !trust->has_authenticode)
        return err_set(err, E_MALFORMED,
                       "a product file that demands nothing is broken: say here which signature "
                       "every payload must carry, <minisign>, <cms> or <authenticode>");
    return E_OK;
}

static const struct schema_element *const payload_children[] = { &minisign, &cms, &authenticode,
                                                                 NULL };
static const struct schema_element payload = {
    .name = "payload", .children = payload_children, .max = 1, .check = check_payload
};

/* Without <payload>, the sentence of an empty one is said of <trust>. */
static enum errc check_trust(void *record, struct err *err)
{
    const struct product_trust *trust = record;
    if (trust->minisign.keys.n == 0 && !trust->has_cms && !trust->has_authenticode)
        return err_set(err, E_MALFORMED,
                       "a product file that demands nothing is broken: add a <payload> that says "
                       "which signature every payload must carry");
    return E_OK;
}

static const struct schema_element *const trust_children[] = { &feed, &payload, NULL };
const struct schema_element product_trust_element = { .name = "trust",
                                                      .children = trust_children,
                                                      .min = 1,
                                                      .max = 1,
                                                      .store = STORE_FIELD,
                                                      .at = offsetof(struct product, trust),
                                                      .check = check_trust };
