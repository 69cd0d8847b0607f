#ifndef SUREFOOT_VERIFY_STAMP_PRIVATE_H
#define SUREFOOT_VERIFY_STAMP_PRIVATE_H

/* stamp_private.h: what the stamp_*.c files share. */

#include "verify/chain.h"
#include "verify/stamp.h"

/* The signature that is stamped, and whom to believe. */
struct stamp_ask {
    const struct cms *cms;
    const struct cert *signer;
    const struct cert_bag *bag;
    const struct policy *policy;
};

/* What one timestamp says, as far as it is proven before the authority's chain is looked at. */
struct stamp_claim {
    enum chain_purpose purpose;
    const struct cert *authority;
    const struct cert_bag *bag; /* where the authority's issuers lie */
    int64_t time;
    bool is_sound; /* its own mathematics hold, and it is of this very signature */
};

/* stamp_judge_token and stamp_judge_countersignature judge the only value of the attribute: they
 * add findings and, if all of it is proven, make sig->stamp trusted. */
MUST_USE enum errc stamp_judge_token(const struct stamp_ask *ask, const struct der *value,
                                     struct sig_verdict *sig, struct report *report,
                                     struct err *err);
MUST_USE enum errc stamp_judge_countersignature(const struct stamp_ask *ask,
                                                const struct der *value, struct sig_verdict *sig,
                                                struct report *report, struct err *err);

/* stamp_judge_authority does what both kinds have in common: the time against the signer's
 * certificate, the authority's chain at that time, and the filling of sig->stamp. */
MUST_USE enum errc stamp_judge_authority(const struct stamp_ask *ask,
                                         const struct stamp_claim *claim, struct sig_verdict *sig,
                                         struct err *err);

/* stamp_add_findings adds what was found inside a timestamp: a SignatureInvalid there is a
 * TimestampInvalid here. */
void stamp_add_findings(struct findings *to, const struct findings *inside);

/* stamp_invalid adds a fatal TimestampInvalid. */
void stamp_invalid(struct findings *to, uint64_t at, const char *text);

/* stamp_check_uncovered adds a timestamp's own unsigned attributes as uncovered data. */
MUST_USE enum errc stamp_check_uncovered(const struct cms_signer *signer, struct report *report,
                                         struct err *err);

/* stamp_check_ess is true if the signed attribute SigningCertificate (RFC 5035), of either version,
 * names the authority's certificate; where neither is there that is a finding (WEIGHT_LENIENT). */
MUST_USE enum errc stamp_check_ess(const struct cms_signer *signer, const struct cert *authority,
                                   struct findings *findings, bool *out_ok, struct err *err);

#endif
