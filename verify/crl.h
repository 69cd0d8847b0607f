#ifndef SUREFOOT_VERIFY_CRL_H
#define SUREFOOT_VERIFY_CRL_H

/* crl.h: revocation lists (RFC 5280 section 5), read and asked. Per certificate the answer is good,
 * revoked, or not known, and not knowing is a finding of its own.
 *
 * A list counts for a certificate if its issuer's name is the certificate's issuer, that issuer's
 * key verifies it, the issuer may sign lists, it is complete (no delta, no issuing distribution
 * point: those speak for a part of the certificates), has no critical extension that we do not
 * know, is not from the future, and is not out of date. A list that is out of date no longer says
 * that a certificate is good; that one was revoked it still says. Where it was fetched from makes
 * no difference: it is its issuer's signature that counts. */

#include "platform/base/err.h"
#include "platform/base/span.h"
#include "verify/cert.h"
#include "verify/crl_points.h"
#include "verify/policy.h"
#include "verify/verdict.h"

struct crl;

/* crl_read reads exactly one DER list. E_MALFORMED. The bytes are not kept. Safe to use from many
 * threads afterwards. Caller frees with crl_free. */
MUST_USE enum errc crl_read(struct span der, struct crl **out, struct err *err);
void crl_free(struct crl *c);

struct crl_ask {
    const struct policy *policy; /* lists from policy->trust, current at policy->now */
    int64_t at;                  /* when the signature was made */
    bool at_is_proven;           /* by a trusted timestamp */
};

/* crl_check_path asks for every certificate of a path (the leaf first) below its end, and adds
 * Revoked, RevocationUnknown (both fatal), and WeakDigest for a list signed with SHA-1. With
 * REVOCATION_ONLINE it says of each address why no list came from it.
 *
 * A certificate revoked at T, with T after a proven `at`, was good when it signed, unless its key
 * (reasons keyCompromise, cACompromise) was out of hand already: invalidity date not after `at`. On
 * hold is revoked. Without a proven time every revocation counts, whenever it was. */
MUST_USE enum errc crl_check_path(const struct cert *const *path, size_t n,
                                  const struct crl_ask *ask, struct findings *findings,
                                  struct err *err);

/* crl_note_wanted adds to `wants` the addresses that were not asked yet (trust_place_is_known) of
 * every certificate of the path below its end for which no list at hand says anything. */
MUST_USE enum errc crl_note_wanted(const struct cert *const *path, size_t n,
                                   const struct policy *policy, struct crl_wants *wants,
                                   struct err *err);

#endif
