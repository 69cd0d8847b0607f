#include "platform/win32/witness_code.h"

#include <inttypes.h>
#include <stdio.h>

/* Where a code speaks of a certificate or of a timestamp's authority it is the chain's: a product
 * may have a CA of its own that Windows does not know. Revocation is so too: it is what this
 * machine happens to have been told, and --revocation is how a policy asks for it. Distrust is not:
 * Microsoft, or whoever administers the machine, named that certificate. That a certificate's own
 * signature does not hold is what wine says of every ECDSA one: whether it holds we have proven. */
const struct witness_code witness_codes[] = {
    { 0x00000000, WITNESS_INTACT, "intact" },

    { 0x80096002, WITNESS_BROKEN, "TRUST_E_NO_SIGNER_CERT" },
    { 0x80096003, WITNESS_BROKEN, "TRUST_E_COUNTER_SIGNER" },
    { 0x80096010, WITNESS_BROKEN, "TRUST_E_BAD_DIGEST" },
    { 0x80096011, WITNESS_BROKEN, "TRUST_E_MALFORMED_SIGNATURE" },
    { 0x800B0003, WITNESS_BROKEN, "TRUST_E_SUBJECT_FORM_UNKNOWN" },
    { 0x800B0100, WITNESS_BROKEN, "TRUST_E_NOSIGNATURE" },
    { 0x800B0108, WITNESS_BROKEN, "CERT_E_MALFORMED" },
    { 0x800B010B, WITNESS_BROKEN, "TRUST_E_FAIL" },
    { 0x80090002, WITNESS_BROKEN, "NTE_BAD_HASH" },
    { 0x80090006, WITNESS_BROKEN, "NTE_BAD_SIGNATURE" },
    { 0x80091007, WITNESS_BROKEN, "CRYPT_E_HASH_VALUE" },
    { 0x8009100E, WITNESS_BROKEN, "CRYPT_E_NO_SIGNER" },
    { 0x80092002, WITNESS_BROKEN, "CRYPT_E_BAD_ENCODE" },
    { 0x80093100, WITNESS_BROKEN, "CRYPT_E_ASN1_ERROR" },
    { 0x80093102, WITNESS_BROKEN, "CRYPT_E_ASN1_EOD" },
    { 0x80093103, WITNESS_BROKEN, "CRYPT_E_ASN1_CORRUPT" },
    { 0x8009310B, WITNESS_BROKEN, "CRYPT_E_ASN1_BADTAG" },

    { 0x80096004, WITNESS_CHAIN, "TRUST_E_CERT_SIGNATURE" },
    { 0x80096005, WITNESS_CHAIN, "TRUST_E_TIME_STAMP" },
    { 0x80096019, WITNESS_CHAIN, "TRUST_E_BASIC_CONSTRAINTS" },
    { 0x8009601E, WITNESS_CHAIN, "TRUST_E_FINANCIAL_CRITERIA" },
    { 0x800B0004, WITNESS_CHAIN, "TRUST_E_SUBJECT_NOT_TRUSTED" },
    { 0x800B0101, WITNESS_CHAIN, "CERT_E_EXPIRED" },
    { 0x800B0102, WITNESS_CHAIN, "CERT_E_VALIDITYPERIODNESTING" },
    { 0x800B0103, WITNESS_CHAIN, "CERT_E_ROLE" },
    { 0x800B0104, WITNESS_CHAIN, "CERT_E_PATHLENCONST" },
    { 0x800B0105, WITNESS_CHAIN, "CERT_E_CRITICAL" },
    { 0x800B0106, WITNESS_CHAIN, "CERT_E_PURPOSE" },
    { 0x800B0107, WITNESS_CHAIN, "CERT_E_ISSUERCHAINING" },
    { 0x800B0109, WITNESS_CHAIN, "CERT_E_UNTRUSTEDROOT" },
    { 0x800B010A, WITNESS_CHAIN, "CERT_E_CHAINING" },
    { 0x800B010C, WITNESS_CHAIN, "CERT_E_REVOKED" },
    { 0x800B010D, WITNESS_CHAIN, "CERT_E_UNTRUSTEDTESTROOT" },
    { 0x800B010E, WITNESS_CHAIN, "CERT_E_REVOCATION_FAILURE" },
    { 0x800B010F, WITNESS_CHAIN, "CERT_E_CN_NO_MATCH" },
    { 0x800B0110, WITNESS_CHAIN, "CERT_E_WRONG_USAGE" },
    { 0x800B0111, WITNESS_BANNED, "TRUST_E_EXPLICIT_DISTRUST" },
    { 0x800B0112, WITNESS_CHAIN, "CERT_E_UNTRUSTEDCA" },
    { 0x800B0113, WITNESS_CHAIN, "CERT_E_INVALID_POLICY" },
    { 0x800B0114, WITNESS_CHAIN, "CERT_E_INVALID_NAME" },
    { 0x80092010, WITNESS_CHAIN, "CRYPT_E_REVOKED" },
    { 0x80092011, WITNESS_CHAIN, "CRYPT_E_NO_REVOCATION_DLL" },
    { 0x80092012, WITNESS_CHAIN, "CRYPT_E_NO_REVOCATION_CHECK" },
    { 0x80092013, WITNESS_CHAIN, "CRYPT_E_REVOCATION_OFFLINE" },
    { 0x80092014, WITNESS_CHAIN, "CRYPT_E_NOT_IN_REVOCATION_DATABASE" },
    { 0x80092026, WITNESS_CHAIN, "CRYPT_E_SECURITY_SETTINGS" },

    { 0x80096001, WITNESS_UNAVAILABLE, "TRUST_E_SYSTEM_ERROR" },
    { 0x800B0001, WITNESS_UNAVAILABLE, "TRUST_E_PROVIDER_UNKNOWN" },
    { 0x800B0002, WITNESS_UNAVAILABLE, "TRUST_E_ACTION_UNKNOWN" },
    { 0x80092003, WITNESS_UNAVAILABLE, "CRYPT_E_FILE_ERROR" },
    { 0x80004001, WITNESS_UNAVAILABLE, "E_NOTIMPL" },
    { 0x80070005, WITNESS_UNAVAILABLE, "E_ACCESSDENIED" },
    { 0x80070008, WITNESS_UNAVAILABLE, "ERROR_NOT_ENOUGH_MEMORY" },
    { 0x8007000E, WITNESS_UNAVAILABLE, "E_OUTOFMEMORY" },
    { 0x8007007E, WITNESS_UNAVAILABLE, "ERROR_MOD_NOT_FOUND" },
    { 0x8007007F, WITNESS_UNAVAILABLE, "ERROR_PROC_NOT_FOUND" },
};
const size_t witness_n_codes = sizeof(witness_codes) / sizeof(witness_codes[0]);

#define CHAIN_IS_BANNED 0x04000000 /* CERT_TRUST_IS_EXPLICIT_DISTRUST */

static const struct witness_code *find(uint32_t code)
{
    static const struct witness_code unknown = { 0, WITNESS_UNKNOWN,
                                                 "a code of no meaning known here" };
    for (size_t i = 0; i < witness_n_codes; i++)
        if (witness_codes[i].code == code)
            return &witness_codes[i];
    return &unknown;
}

void witness_code_read(uint32_t code, uint32_t chain_status, struct witness_answer *out)
{
    const struct witness_code *known = find(code);
    *out = (struct witness_answer){ .word = known->word };
    /* A chain may be left unjudged (wine does so where the signer's certificate has SHA-256). */
    if (out->word == WITNESS_INTACT && chain_status != 0)
        out->word = WITNESS_CHAIN;
    if (out->word == WITNESS_CHAIN && (chain_status & CHAIN_IS_BANNED) != 0)
        out->word = WITNESS_BANNED;
    if (chain_status != 0 && (out->word == WITNESS_CHAIN || out->word == WITNESS_BANNED))
        (void)snprintf(out->text, sizeof(out->text),
                       "%s (0x%08" PRIX32 "), chain status 0x%08" PRIX32, known->name, code,
                       chain_status);
    else
        (void)snprintf(out->text, sizeof(out->text), "%s (0x%08" PRIX32 ")", known->name, code);
}
