#ifndef SUREFOOT_VERIFY_DETACHED_H
#define SUREFOOT_VERIFY_DETACHED_H

/* detached.h: a signature that lies beside the file: CMS (RFC 5652, DER or PEM, signedAttrs
 * demanded, eContent absent, eContentType data) or minisign. Which one is decided by the
 * signature's own bytes, never by its name. */

#include "platform/source.h"
#include "verify/policy.h"
#include "verify/verdict.h"

#define DETACHED_SIGNATURE_MAX (1024 * 1024)
#define MINISIGN_LEGACY_MAX (16 * 1024 * 1024)

/* detached_system sniffs; SYSTEM_NONE where it is neither. */
enum sig_system detached_system(struct span signature);

/* detached_judge proves one detached signature over all of `src`: one sig_verdict. What is wrong is
 * a finding; an error means that it could not be found out. */
MUST_USE enum errc detached_judge(struct source *src, struct span signature,
                                  const struct policy *policy, struct verdict *v, struct err *err);

/* detached_judge_bytes is the same for content in memory (feeds, release documents). */
MUST_USE enum errc detached_judge_bytes(struct span content, struct span signature,
                                        const struct policy *policy, struct verdict *v,
                                        struct err *err);
#endif
