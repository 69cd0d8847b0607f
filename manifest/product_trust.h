#ifndef SUREFOOT_MANIFEST_PRODUCT_TRUST_H
#define SUREFOOT_MANIFEST_PRODUCT_TRUST_H

/* product_trust.h: whose signature counts. Any one key or signer of the feed will do, so that one
 * can follow another; of a payload every system named must hold. A release may demand more than
 * this, never less. The words are those of `surefoot verify` and its policy documents.
 *
 *   <trust>
 *     <feed>
 *       <minisign><key>RWQ...</key><key file="next.pub"/></minisign>
 *       <cms><anchors>roots.pem</anchors><publisher>Orchard Works</publisher></cms>
 *     </feed>
 *     <payload>
 *       <minisign>...</minisign>
 *       <cms>...</cms>
 *       <authenticode>...</authenticode>
 *     </payload>
 *   </trust>
 *
 * What it does not check: the files named, and the keys beyond their form. */

#include <stdbool.h>
#include <stdint.h>

#include "manifest/schema.h"

/* trust_key: a minisign public key, here as its one line or in a file; the other is NULL. */
struct trust_key {
    const char *text, *file;
};

struct trust_text {
    const char *text;
};

enum trust_profile { TRUST_STRICT, TRUST_WINDOWS };
enum trust_revocation { TRUST_REVOCATION_OFF, TRUST_REVOCATION_CRL, TRUST_REVOCATION_ONLINE };
extern const char *const trust_profile_words[], *const trust_revocation_words[];

/* Places in the list of words, each once a bit of `allowed`. */
enum trust_allow {
    TRUST_ALLOW_SHA1,
    TRUST_ALLOW_RSA1024,
    TRUST_ALLOW_UNSIGNED_METADATA,
    TRUST_ALLOW_UNCOVERED_DATA,
    TRUST_ALLOW_CERTIFICATE_TABLE_PADDING,
    TRUST_ALLOW_CHECKSUM_MISMATCH,
};
extern const char *const trust_allow_words[];

struct trust_allowance {
    int word; /* enum trust_allow */
};

/* trust_signer: a holder of certificates. There is at least one publisher or pin. Without anchors
 * those of the configuration folder hold, as for `surefoot verify`; without timestamp anchors the
 * same as the anchors. */
struct trust_signer {
    int profile;    /* enum trust_profile */
    int revocation; /* enum trust_revocation; crl where lists are named and nothing is said */
    bool needs_timestamp;
    uint32_t allowed; /* bits 1 << enum trust_allow */
    const char *eku;  /* of CMS: a name or dotted OID; NULL: codeSigning */
    LIST_OF(struct trust_text) anchors;
    LIST_OF(struct trust_text) timestamp_anchors;
    LIST_OF(struct trust_text) publishers; /* any one of them */
    LIST_OF(struct trust_text) pins;       /* any one: sha256:HEX or spki-sha256:HEX */
    LIST_OF(struct trust_text) crls;
    LIST_OF(struct trust_allowance) allowances; /* `allowed` as it was written */
};

struct trust_minisign {
    LIST_OF(struct trust_key) keys; /* any one of them; none: minisign is not demanded */
};

struct product_trust {
    struct trust_minisign feed_minisign;
    LIST_OF(struct trust_signer) feed_cms;
    struct trust_minisign minisign; /* of payloads, from here on */
    bool has_cms, has_authenticode;
    struct trust_signer cms, authenticode;
};

#endif
