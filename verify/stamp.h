#ifndef SUREFOOT_VERIFY_STAMP_H
#define SUREFOOT_VERIFY_STAMP_H

/* stamp.h: the time of a signature, proven by a third party: an RFC 3161 token in an unsigned
 * attribute (1.3.6.1.4.1.311.3.3.1 for Authenticode, 1.2.840.113549.1.9.16.2.14 for CMS), or a
 * PKCS#9 countersignature (RFC 5652 section 11.4, and its legacy form that signs a bare SHA-1). A
 * timestamp that is present but bad is a refusal, never "no timestamp". */

#include "verify/cms.h"
#include "verify/policy.h"
#include "verify/verdict.h"

/* stamp_judge looks at the signer's unsigned attributes and fills sig->stamp; findings go to
 * sig->findings (TimestampInvalid, TimestampUntrusted, WeakDigest, WeakKey, TimestampMissing where
 * the policy demands one) and to report (uncovered bytes in the token's own bag).
 * sig->stamp.trusted says whether the time may be used. `signer` is the signer's certificate (its
 * validity bounds the time), `bag` the outer bag, where a countersigner's certificates lie. */
MUST_USE enum errc stamp_judge(const struct cms *cms, const struct cert *signer,
                               const struct cert_bag *bag, const struct policy *policy,
                               struct sig_verdict *sig, struct report *report, struct err *err);

/* stamp_is_attribute is true for an unsigned attribute that is a timestamp in this system. */
bool stamp_is_attribute(enum oid oid, enum sig_system system);

#endif
