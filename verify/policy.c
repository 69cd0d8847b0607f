#include "verify/policy.h"

#include <ctype.h>
#include <string.h>

#include "platform/base/text.h"

static bool same_word(const char *a, const char *b)
{
    for (; *a != '\0' && *b != '\0'; a++, b++)
        if (tolower((unsigned char)*a) != tolower((unsigned char)*b))
            return false;
    return *a == *b;
}

uint32_t policy_allowance_of(const char *word)
{
    static const struct {
        const char *word;
        enum allowance bit;
    } words[] = {
        { "sha1", ALLOW_SHA1 },
        { "rsa1024", ALLOW_RSA1024 },
        { "UnsignedMetadata", ALLOW_UNSIGNED_METADATA },
        { "UncoveredData", ALLOW_UNCOVERED_DATA },
        { "CertificateTablePadding", ALLOW_CERTIFICATE_TABLE_PADDING },
        { "ChecksumMismatch", ALLOW_CHECKSUM },
        { "checksum", ALLOW_CHECKSUM },
    };
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (same_word(words[i].word, word))
            return (uint32_t)words[i].bit;
    return 0;
}

enum errc policy_read_pin(const char *text, struct pin *out, struct err *err)
{
    static const struct {
        const char *start;
        enum pin_kind kind;
    } kinds[] = { { "sha256:", PIN_CERT_SHA256 }, { "spki-sha256:", PIN_SPKI_SHA256 } };
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        size_t len = strlen(kinds[i].start);
        struct pin pin = { .kind = kinds[i].kind };
        if (strncmp(text, kinds[i].start, len) != 0)
            continue;
        if (!text_from_hex(span_text(text + len), pin.bytes, sizeof(pin.bytes)))
            return err_set(err, E_ARGUMENT, "a pin %sHEX wants 64 hex digits", kinds[i].start);
        *out = pin;
        return E_OK;
    }
    return err_set(err, E_ARGUMENT, "a pin is sha256:HEX or spki-sha256:HEX");
}

enum errc policy_read_systems(const char *text, uint32_t *systems, struct err *err)
{
    static const enum sig_system all[] = { SYSTEM_AUTHENTICODE, SYSTEM_CMS, SYSTEM_MINISIGN };
    uint32_t found = 0;
    for (const char *word = text; word != NULL;) {
        size_t len = strcspn(word, "+");
        uint32_t bit = 0;
        for (size_t i = 0; i < ARRAY_LEN(all); i++)
            if (span_equal(span_of(word, len), span_text(sig_system_word(all[i]))))
                bit = (uint32_t)all[i];
        if (bit == 0)
            return err_set(err, E_ARGUMENT,
                           "a list of systems is authenticode, cms, minisign, joined by +");
        found |= bit;
        word = word[len] == '+' ? word + len + 1 : NULL;
    }
    *systems |= found;
    return E_OK;
}

static bool has_ending_pin(const struct policy *p)
{
    for (size_t i = 0; i < p->n_pins; i++)
        if (p->pins[i].kind == PIN_CERT_SHA256)
            return true;
    return false;
}

enum errc policy_read_eku(const char *text, const char **out, struct err *err)
{
    static const struct {
        const char *name, *oid;
    } names[] = {
        { "any", EKU_ANY },
        { "codeSigning", "1.3.6.1.5.5.7.3.3" },
        { "emailProtection", "1.3.6.1.5.5.7.3.4" },
        { "serverAuth", "1.3.6.1.5.5.7.3.1" },
        { "clientAuth", "1.3.6.1.5.5.7.3.2" },
        { "timeStamping", "1.3.6.1.5.5.7.3.8" },
    };
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (strcmp(names[i].name, text) == 0) {
            *out = names[i].oid;
            return E_OK;
        }
    }
    if (strspn(text, "0123456789.") != strlen(text) || strchr(text, '.') == NULL)
        return err_set(err, E_ARGUMENT,
                       "--eku wants codeSigning, emailProtection, any, ... or a dotted OID");
    *out = text;
    return E_OK;
}

bool policy_demands_chain(const struct policy *p)
{
    return trust_n_anchors(p->trust, ANCHOR_CODE) > 0 || has_ending_pin(p);
}

enum errc policy_check_usable(const struct policy *p, struct err *err)
{
    bool chain = policy_demands_chain(p);
    bool key = trust_n_keys(p->trust) > 0;
    if (!chain && !key && p->n_pins > 0)
        return err_set(
            err, E_ARGUMENT,
            "a pin of a key alone cannot end a chain: add --anchors, or pin a certificate with "
            "--pin sha256:HEX");
    if (!chain && !key)
        return err_set(
            err, E_ARGUMENT,
            "nothing to trust: without --anchors, --pin or --key no file could ever be accepted");
    uint32_t certs = SYSTEM_AUTHENTICODE | SYSTEM_CMS;
    if (p->n_publishers > 0 && !chain)
        return err_set(err, E_ARGUMENT,
                       "--publisher speaks of certificates: add --anchors or --pin sha256:HEX");
    if (key && (p->n_publishers > 0 || p->n_pins > 0) && p->required_systems == 0)
        return err_set(err, E_ARGUMENT,
                       "demands of two systems (a publisher or pin, and a key): say with --require "
                       "which must hold, "
                       "for example --require authenticode+minisign");
    if ((p->required_systems & SYSTEM_MINISIGN) != 0 && !key)
        return err_set(err, E_ARGUMENT, "--require minisign needs --key FILE");
    if ((p->required_systems & certs) != 0 && !chain)
        return err_set(err, E_ARGUMENT,
                       "--require authenticode or cms needs --anchors or --pin sha256:HEX");
    if (p->required_systems != 0 && (p->required_systems & certs) == 0 &&
        (p->n_publishers > 0 || p->n_pins > 0))
        return err_set(err, E_ARGUMENT,
                       "a publisher or pin is demanded, and --require names no system that has "
                       "one: nobody would look at it");
    if (p->required_systems != 0 && (p->required_systems & SYSTEM_MINISIGN) == 0 && key)
        return err_set(err, E_ARGUMENT,
                       "a key is given, and --require does not name minisign: nobody would "
                       "demand it");
    return E_OK;
}
