#ifndef SUREFOOT_VERIFY_JUDGE_H
#define SUREFOOT_VERIFY_JUDGE_H

/* judge.h: the whole proof of one file. The order: which kind; its embedded signatures, or its
 * membership in a catalog; the signatures beside it; its pinned hash; then verdict_settle. What
 * that would accept the policy's witness is asked of, and it is settled once more with the answer.
 */

#include "platform/source.h"
#include "verify/policy.h"
#include "verify/verdict.h"

/* A detached signature. One that was only found lying beside the file, and for which no key or
 * anchor was given, is not looked at, and that is said (NotLookedAt); one that was named is always
 * judged. */
struct judge_signature {
    struct span bytes;
    bool was_named;
};

struct judge_ask {
    const struct policy *policy;
    const struct judge_signature *signatures; /* of any system */
    size_t n_signatures;
};

/* judge_file fills a zeroed verdict; caller frees it with verdict_fini, also after an error. E_OK
 * for every file that was judged, whatever the outcome; an error (E_IO, E_NOMEM) is also the
 * verdict's outcome OUTCOME_ERROR with a ReadError finding. */
MUST_USE enum errc judge_file(struct source *src, const struct judge_ask *ask, struct verdict *v,
                              struct err *err);

#endif
