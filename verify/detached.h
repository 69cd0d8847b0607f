#ifndef SUREFOOT_VERIFY_DETACHED_H
#define SUREFOOT_VERIFY_DETACHED_H

/* detached.h: a signature that lies beside the file: CMS (RFC 5652, DER or PEM, signedAttrs
 * demanded, eContent absent, eContentType data) or minisign. Which one is decided by the
 * signature's own bytes, never by its name.
 *
 * What it does not check: text around a PEM block, which nothing authenticates; it is noted. */

#include "platform/base/buf.h"
#include "platform/source.h"
#include "verify/policy.h"
#include "verify/verdict.h"

#define DETACHED_SIGNATURE_MAX (1024 * 1024)
#define MINISIGN_LEGACY_MAX (16 * 1024 * 1024)

/* detached_system sniffs; SYSTEM_NONE where it is neither. */
enum sig_system detached_system(struct span signature);

/* detached_judge proves one detached signature over all of `src`: one sig_verdict. What is wrong is
 * a finding; an error means that it could not be found out. A signature of no system that we know
 * is a sig_verdict of SYSTEM_NONE with Unsupported. */
MUST_USE enum errc detached_judge(struct source *src, struct span signature,
                                  const struct policy *policy, struct verdict *v, struct err *err);

/* detached_judge_bytes is the same for content in memory (feeds, release documents). */
MUST_USE enum errc detached_judge_bytes(struct span content, struct span signature,
                                        const struct policy *policy, struct verdict *v,
                                        struct err *err);

/* detached_is_pem is true if a line of the text begins a PEM block of a CMS signature. */
bool detached_is_pem(struct span text);

/* detached_read_pem appends to `out` what the only "PKCS7" or "CMS" block of the text spells (RFC
 * 7468): whole lines of base64 of one length, at most DETACHED_PEM_LINE_MAX, the last one not
 * longer; lines end in LF or CR LF. *out_around is how many bytes lie outside the block.
 * E_MALFORMED where there is none, a second one, or it reads differently. */
#define DETACHED_PEM_LINE_MAX 76
MUST_USE enum errc detached_read_pem(struct span text, struct buf *out, size_t *out_around,
                                     struct err *err);
#endif
