#ifndef SUREFOOT_CORE_REVOCATION_H
#define SUREFOOT_CORE_REVOCATION_H

/* revocation.h: revocation lists from the network, for --revocation online and <revocation>online.
 * verify/ judges, and notes in a policy's `wants` which addresses are still to be asked; here they
 * are asked, and what came of it goes into the trust; then the same is judged again. So verify/
 * stays without a network, and nobody is asked but for a signature that holds in all else.
 *
 * What it promises: each address is asked once, however many files and trusts want it; http is
 * allowed, since a list is signed; a list is at most REVOCATION_LIST_MAX bytes; one that does not
 * come, or not in time, is no error but a reason that the verdict then gives (RevocationUnknown).
 * All else is as fetch.h has it. Safe from several threads: one asks, the others wait.
 *
 * What it does not check: the lists. crl.h does. It speaks no OCSP and keeps nothing on the disk.
 */

#include "installer/core/fetch.h"
#include "platform/source.h"
#include "verify/crl_points.h"
#include "verify/judge.h"
#include "verify/trust.h"

#define REVOCATION_LIST_MAX (16 * 1024 * 1024)   /* bytes */
#define REVOCATION_BYTES_MAX (128 * 1024 * 1024) /* of all lists of one run */
#define REVOCATION_LISTS_MAX 128                 /* addresses of one run */
#define REVOCATION_STALL_S 10                    /* at most; settings may want it sooner */
#define REVOCATION_DEADLINE_S 60                 /* of one list, likewise */
#define REVOCATION_BUDGET_S 300 /* of all lists of one run; then no more is asked */

struct revocation_lists;

/* revocation_new: of the settings, what is said of the machine, the proxy, certificates and the
 * agent counts; times are cut to those above, and http is allowed. E_UNSUPPORTED in a program that
 * was built without a network; else as fetch_new. Caller frees with revocation_free. */
MUST_USE enum errc revocation_new(const struct fetch_settings *settings,
                                  struct revocation_lists **out, struct err *err);
void revocation_free(struct revocation_lists *r);

/* revocation_fetch asks for every list that is wanted and not known to the trust, tells the trust,
 * and empties `wants`. *out_again: the trust knows more now, so judge once more. E_NOMEM. */
MUST_USE enum errc revocation_fetch(struct revocation_lists *r, struct crl_wants *wants,
                                    struct trust *trust, bool *out_again, struct err *err);

/* revocation_judge has something judged under a policy, and once more for each time that lists were
 * fetched. `fn` may be called often; each call begins anew. `r` may be NULL: nothing is fetched.
 * `trust` is the policy's. */
typedef enum errc (*revocation_judge_fn)(void *ctx, const struct policy *policy, struct err *err);
MUST_USE enum errc revocation_judge(struct revocation_lists *r, struct trust *trust,
                                    const struct policy *policy, revocation_judge_fn fn, void *ctx,
                                    struct err *err);

/* revocation_judge_file is judge_file, once more for each time that lists were fetched. `r` may be
 * NULL: nothing is. `trust` is ask->policy->trust. Many threads may share `r` and the trust. */
MUST_USE enum errc revocation_judge_file(struct revocation_lists *r, struct trust *trust,
                                         struct source *src, const struct judge_ask *ask,
                                         struct verdict *v, struct err *err);

#endif
