#ifndef SUREFOOT_VERIFY_MINISIGN_H
#define SUREFOOT_VERIFY_MINISIGN_H

/* minisign.h: minisign's text formats, read exactly (https://jedisct1.github.io/minisign/).
 *
 * signature: "untrusted comment: ..." LF base64(alg[2] || key id[8] || ed25519[64]) LF
 *            "trusted comment: ..." LF base64(ed25519[64] over signature[64] || trusted comment) LF
 * alg "ED": the signature is over BLAKE2b-512 of the content; "Ed": over the content itself
 * (legacy). Lines may end in CR LF; nothing follows the last line. The untrusted comment is not
 * authenticated. */

#include "platform/base/err.h"
#include "platform/base/span.h"
#include "verify/policy.h"
#include "verify/trust.h"
#include "verify/verdict.h"

struct minisign_signature {
    bool prehashed;
    uint8_t key_id[8];
    uint8_t signature[64];
    uint8_t global_signature[64];
    struct span trusted_comment; /* borrowed from the text */
    struct region untrusted_comment;
};

MUST_USE enum errc minisign_read_signature(struct span text, struct minisign_signature *out,
                                           struct err *err);
MUST_USE enum errc minisign_read_key(struct span text, struct minisign_key *out, struct err *err);

/* minisign_judge proves it over `src` with the keys of policy->trust: one sig_verdict. */
MUST_USE enum errc minisign_judge(struct source *src, struct span text, const struct policy *policy,
                                  struct verdict *v, struct err *err);

#endif
