#ifndef SUREFOOT_VERIFY_POLICY_H
#define SUREFOOT_VERIFY_POLICY_H

/* policy.h: what is demanded of a file, as plain data that the command line, a policy document or a
 * product file fills. Everything it points to is borrowed and must outlive the judging. */

#include <stdbool.h>
#include <stdint.h>

#include "platform/witness.h"
#include "verify/digest.h"
#include "verify/trust.h"
#include "verify/verdict.h"

struct crl_wants; /* crl_points.h */

enum profile { PROFILE_STRICT = 0, PROFILE_WINDOWS };
enum revocation { REVOCATION_OFF = 0, REVOCATION_CRL, REVOCATION_ONLINE };

/* --allow */
enum allowance {
    ALLOW_SHA1 = 1 << 0,
    ALLOW_RSA1024 = 1 << 1,
    ALLOW_UNSIGNED_METADATA = 1 << 2,
    ALLOW_UNCOVERED_DATA = 1 << 3,
    ALLOW_CERTIFICATE_TABLE_PADDING = 1 << 4,
    ALLOW_CHECKSUM = 1 << 5,
};

enum pin_kind { PIN_CERT_SHA256, PIN_SPKI_SHA256 };
struct pin {
    enum pin_kind kind;
    uint8_t bytes[32];
};

#define EKU_ANY "any"

struct policy {
    enum profile profile;
    uint32_t allowed; /* enum allowance */
    int64_t now;      /* judged as of this time, seconds since 1970 */
    enum revocation revocation;
    struct crl_wants *wants; /* ONLINE: lists that judging finds wanting are noted here; or NULL */
    bool require_timestamp;
    bool all_signatures;
    uint32_t required_systems; /* enum sig_system; 0: any one */
    const char *const *publishers;
    size_t n_publishers; /* any one of them */
    const struct pin *pins;
    size_t n_pins; /* any one of them */
    bool has_sha256;
    uint8_t sha256[32];            /* of the whole file */
    const char *cms_eku;           /* dotted OID, or EKU_ANY; NULL: code signing */
    const struct trust *trust;     /* anchors, lists, keys; may be empty, never NULL */
    const struct catalog *catalog; /* judge by membership; may be NULL */
    bool want_file_digest;
    /* Asked of a PE file that all else accepts by a signature inside it, and can only refuse it:
     * WITNESS_BROKEN, _BANNED and _UNKNOWN are fatal, WITNESS_CHAIN is a finding, the others change
     * nothing. NULL: nobody is. */
    const struct witness_ops *witness;
    void *witness_self;
};

/* policy_allows_name reads one word of --allow ("sha1", "UnsignedMetadata", ...; letters' case does
 * not matter) into a bit, 0 where there is no such word. */
uint32_t policy_allowance_of(const char *word);

/* policy_read_pin reads "sha256:HEX" or "spki-sha256:HEX", policy_read_systems adds the bits of a
 * text like "authenticode+minisign". E_ARGUMENT, with a text for the user. */
MUST_USE enum errc policy_read_pin(const char *text, struct pin *out, struct err *err);
MUST_USE enum errc policy_read_systems(const char *text, uint32_t *systems, struct err *err);

/* policy_read_eku reads a purpose by name ("codeSigning", ..., "any") or dotted OID into a policy's
 * cms_eku; a dotted OID is borrowed. E_ARGUMENT, with a text for the user. */
MUST_USE enum errc policy_read_eku(const char *text, const char **out, struct err *err);

/* policy_demands_chain is true if a certificate chain can be accepted at all: there is an anchor or
 * a sha256 pin. */
bool policy_demands_chain(const struct policy *p);

/* policy_check_usable says, as E_ARGUMENT with a text for the user, why nothing could ever be
 * accepted: no anchor, pin, or key at all; demands of two systems without --require. */
MUST_USE enum errc policy_check_usable(const struct policy *p, struct err *err);

#endif
