#ifndef SUREFOOT_VERIFY_JUDGE_H
#define SUREFOOT_VERIFY_JUDGE_H

/* judge.h: the whole proof of one file. The order: which kind; its embedded signatures, or its
 * membership in a catalog; the signatures beside it; its pinned hash; then verdict_settle. */

#include "platform/source.h"
#include "verify/policy.h"
#include "verify/verdict.h"

struct judge_ask {
    const struct policy *policy;
    const struct span *signatures; /* the bytes of detached signatures, each of any system */
    size_t n_signatures;
};

/* judge_file fills a zeroed verdict; caller frees it with verdict_fini, also after an error. E_OK
 * for every file that was judged, whatever the outcome; an error (E_IO, E_NOMEM) is also the
 * verdict's outcome OUTCOME_ERROR with a ReadError finding. */
MUST_USE enum errc judge_file(struct source *src, const struct judge_ask *ask, struct verdict *v,
                              struct err *err);

#endif
