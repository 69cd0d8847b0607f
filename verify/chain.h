#ifndef SUREFOOT_VERIFY_CHAIN_H
#define SUREFOOT_VERIFY_CHAIN_H

/* chain.h: does a certificate lead to an anchor, for a purpose, at a time, and is it the demanded
 * one? We find the ways that lead to an end ourselves, so that a second way is tried where the
 * first fails; each is verified by OpenSSL (RFC 5280) with everything set by us, and by our own
 * checks at every depth: validity, EKU, keyUsage, key sizes, digests, explicit EC parameters,
 * revocation.
 *
 * What ends a chain: with anchors only they do (roots or intermediates, as they were given), and
 * pins narrow; without any anchor for code, a certificate whose sha256 is pinned does. A root's own
 * signature is not looked at; its validity, EKU, key size and constraints are.
 *
 * What it does not check: OCSP, certificate transparency, lists of distrust. A list that no longer
 * carries a certificate which expired says nothing against it. */

#include "platform/base/err.h"
#include "verify/cert.h"
#include "verify/policy.h"

enum chain_purpose {
    CHAIN_CODE_SIGNING, /* Authenticode: codeSigning EKU on the leaf, allowed by every CA that has
                           an EKU extension */
    CHAIN_CMS,          /* detached CMS: policy->cms_eku */
    CHAIN_TIMESTAMP,    /* RFC 3161: timeStamping, sole and critical on the leaf */
    CHAIN_TIMESTAMP_LEGACY, /* PKCS#9: timeStamping among the EKUs; MD5 and RSA-1024 are findings
                               here (WEIGHT_LENIENT) */
};

struct chain_ask {
    enum chain_purpose purpose;
    const struct cert *leaf;
    const struct cert_bag *bag;
    const struct policy *policy; /* trust, pins, publishers, revocation, profile */
    int64_t at;                  /* when every certificate must be valid */
    bool at_is_proven; /* `at` comes from a trusted timestamp: revocation after it is excused as
                          THREATS.md says */
    struct crl_wants *wants; /* where lists are noted that a way lacks which holds in all else; NULL
                                where the leaf's signature does not hold, or nobody would ask */
};

struct chain_report {
    size_t n;                            /* where no chain was found: as far as it went */
    char subjects[CHAIN_MAX][NAME_ROOM]; /* the leaf first */
};

/* chain_judge adds findings (for the two timestamp purposes: TimestampUntrusted and
 * TimestampInvalid stand for ChainUntrusted, ChainExpired and NotCodeSigning) and sets *out_proven
 * to FACT_CHAIN and, where publisher and pins hold (or none is demanded), FACT_SIGNER, as far as
 * proven. FACT_SIGNER is never proven without FACT_CHAIN. For a timestamp publisher and
 * pins are not asked, and FACT_CHAIN alone is proven. An error means that it could not be
 * found out (memory); bad certificates are findings. */
MUST_USE enum errc chain_judge(const struct chain_ask *ask, struct findings *findings,
                               uint32_t *out_proven, struct chain_report *out_report,
                               struct err *err);

#endif
