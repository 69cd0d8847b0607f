#ifndef SUREFOOT_VERIFY_CHAIN_H
#define SUREFOOT_VERIFY_CHAIN_H

/* chain.h: does a certificate lead to an anchor, for a purpose, at a time, and is it the demanded
 * one? RFC 5280 paths by OpenSSL with everything set by us (purpose, time, depth, level; partial
 * chains only for a pinned certificate), then our own checks at every depth: EKU, keyUsage, key
 * sizes, digests, explicit EC parameters, revocation. */

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
};

struct chain_report {
    size_t n;
    char subjects[CHAIN_MAX][NAME_ROOM]; /* the leaf first */
};

/* chain_judge adds findings (for the two timestamp purposes: TimestampUntrusted and
 * TimestampInvalid stand for ChainUntrusted, ChainExpired and NotCodeSigning) and sets *out_proven
 * to FACT_CHAIN and, where publisher and pins hold (or none is demanded), FACT_SIGNER, as far as
 * proven. For a timestamp publisher and pins are not asked. An error means that it could not be
 * found out (memory); bad certificates are findings. */
MUST_USE enum errc chain_judge(const struct chain_ask *ask, struct findings *findings,
                               uint32_t *out_proven, struct chain_report *out_report,
                               struct err *err);

#endif
