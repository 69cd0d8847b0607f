#ifndef SUREFOOT_VERIFY_MINISIGN_H
#define SUREFOOT_VERIFY_MINISIGN_H

/* minisign.h: minisign's text formats, read exactly (https://jedisct1.github.io/minisign/).
 *
 * signature: "untrusted comment: ..." LF base64(alg[2] || key id[8] || ed25519[64]) LF
 *            "trusted comment: ..." LF base64(ed25519[64] over signature[64] || trusted comment) LF
 * public key: "untrusted comment: ..." LF base64("Ed" || key id[8] || ed25519[32]) LF
 * alg "ED": the signature is over BLAKE2b-512 of the content; "Ed": over the content itself
 * (legacy). Lines may end in CR LF, the last one may lack its end; nothing follows the last line.
 *
 * What it does not check: the untrusted comment, which nothing authenticates; how old the trusted
 * comment's own timestamp is. */

#include "platform/base/err.h"
#include "platform/base/span.h"
#include "verify/policy.h"
#include "verify/trust.h"
#include "verify/verdict.h"

#define MINISIGN_TEXT_MAX (16 * 1024)
#define MINISIGN_KEY_ID_ROOM 17

struct minisign_signature {
    bool prehashed;
    uint8_t key_id[8];
    uint8_t signature[64];
    uint8_t global_signature[64];
    struct span trusted_comment;     /* borrowed from the text */
    struct region untrusted_comment; /* in the text: the first line without its start and end */
};

/* minisign_read_signature and minisign_read_key read a whole text: E_MALFORMED, E_LIMIT past
 * MINISIGN_TEXT_MAX, E_UNSUPPORTED for an algorithm that is neither "ED" nor "Ed". A key may also
 * be its base64 line alone. */
MUST_USE enum errc minisign_read_signature(struct span text, struct minisign_signature *out,
                                           struct err *err);
MUST_USE enum errc minisign_read_key(struct span text, struct minisign_key *out, struct err *err);

/* minisign_looks_like is true if the text begins as a signature does. */
bool minisign_looks_like(struct span text);

/* minisign_key_id_text writes a key id as minisign prints it: the eight bytes as a little-endian
 * number in upper-case hex, all sixteen digits. Returns `to`. */
const char *minisign_key_id_text(const uint8_t id[8], char to[MINISIGN_KEY_ID_ROOM]);

/* minisign_judge proves it over `src` with the keys of policy->trust: one sig_verdict. KeyMismatch
 * where none of them has the signature's key id, SignatureInvalid where the content, the signature
 * or the trusted comment was altered, Unsupported for a legacy signature of more than
 * MINISIGN_LEGACY_MAX bytes. */
MUST_USE enum errc minisign_judge(struct source *src, struct span text, const struct policy *policy,
                                  struct verdict *v, struct err *err);

#endif
