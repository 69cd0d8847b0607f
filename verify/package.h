#ifndef SUREFOOT_VERIFY_PACKAGE_H
#define SUREFOOT_VERIFY_PACKAGE_H

/* package.h: from bytes that nobody has proven to what an upgrade may be made of, one step at a
 * time. Each step takes the one before it, so there is no other way:
 *
 *   feed.xml, its signatures ──► verified_feed ──► verified_release ──► verified_package
 *                                 keys, freshness   named by size and    the payload's bytes: hash,
 *                                                   SHA-256; demands     and every signature that
 *                                                   no less than floor   floor and release demand
 *
 * Each step fills a verdict for reports; the caller frees it with verdict_fini, also after an
 * error. E_REFUSED where something did not prove genuine: the verdict says what, all at once, and
 * the error text the first of it. Other errors mean that it could not be found out.
 *
 * What it does not check: whether the release is for this machine (feed_release_is_for, rollout),
 * and whether an archive's entries are the release's files (installer/core/unpack.h). */

#include "manifest/feed.h"
#include "manifest/release.h"
#include "platform/source.h"
#include "verify/fresh.h"
#include "verify/policy.h"
#include "verify/verdict.h"

/* package_refusal is the word of the first fatal reason among verdicts, for a result's detail:
 * "Expired"; NULL where there is none. */
const char *package_refusal(const struct verdict *v, size_t n_verdicts);

/* --- the feed */

struct feed_ask {
    const char *product, *channel;
    /* The feed's keys and signers. A policy that has keys judges minisign signatures, one that has
     * anchors or pins CMS signatures; a signature must be accepted by one of those for its system.
     */
    const struct policy *const *policies;
    size_t n_policies;
    int64_t now;
    const struct fresh_marks *marks;
};

struct verified_feed; /* opaque; freed with verified_feed_free */

/* verified_feed_make proves the feed and parses it only then. Every signature given must hold: one
 * that is bad refuses the feed, whatever the others say. `v` has room for 1 + n_signatures
 * (n_signatures at most FEED_SIGNATURES_MAX): the feed's own verdict, then one for each signature.
 */
#define FEED_SIGNATURES_MAX 8
MUST_USE enum errc verified_feed_make(struct span unverified_feed,
                                      const struct span *unverified_signatures, size_t n_signatures,
                                      const struct feed_ask *ask, struct verdict *v,
                                      struct verified_feed **out, struct err *err);
void verified_feed_free(struct verified_feed *f);
const struct feed *verified_feed_get(const struct verified_feed *f);

/* verified_feed_recall proves a feed that was accepted before and stored: the same, but for
 * freshness, which such a feed has no more: for what is installed and for going back, never for
 * something new. ask->now is when it was accepted; marks are not looked at, and REVOCATION_ONLINE
 * counts as off: today's lists say nothing of then, and going back needs no network. */
MUST_USE enum errc verified_feed_recall(struct span unverified_feed,
                                        const struct span *unverified_signatures,
                                        size_t n_signatures, const struct feed_ask *ask,
                                        struct verdict *v, struct verified_feed **out,
                                        struct err *err);

/* verified_feed_note records in `marks`, for each key that signed it, that this feed was seen. */
MUST_USE enum errc verified_feed_note(const struct verified_feed *f, struct fresh_marks *marks,
                                      struct err *err);

/* package_forget_marks takes out the marks of minisign keys that none of the policies has any more,
 * and all of CMS signers where none of them judges such. */
void package_forget_marks(const struct policy *const *policies, size_t n_policies,
                          struct fresh_marks *marks);

/* --- the release document */

/* package_system_of is the system that a demand speaks of; package_find_demand a payload's demand
 * of a system, NULL where it has none. */
enum sig_system package_system_of(const struct payload_demand *demand);
const struct payload_demand *package_find_demand(const struct payload *p, enum sig_system system);

/* payload_floor: what the product file demands of every payload, one for each system. */
struct payload_floor {
    enum sig_system system;
    const struct policy *policy; /* trust, publishers, pins, require_timestamp, now; borrowed */
};

struct verified_release; /* opaque; freed with verified_release_free */

/* verified_release_make proves that the document is the one that `from` names, and parses it.
 * `feed` may be freed afterwards. */
MUST_USE enum errc verified_release_make(struct span unverified_document,
                                         const struct verified_feed *feed,
                                         const struct feed_release *from, struct verdict *v,
                                         struct verified_release **out, struct err *err);
void verified_release_free(struct verified_release *r);
const struct release *verified_release_get(const struct verified_release *r);

/* verified_release_admits holds one of its payloads, the one that this machine would take, against
 * the floors (at least 1): a payload that demands less is DemandsTooLittle, one that demands what
 * the floors have no trust for RequiredSignatureMissing. To be asked before anything is fetched;
 * verified_package_make asks again. */
MUST_USE enum errc verified_release_admits(const struct verified_release *r,
                                           const struct payload *of,
                                           const struct payload_floor *floors, size_t n_floors,
                                           struct verdict *v, struct err *err);

/* --- the payload */

struct verified_package; /* opaque; freed with verified_package_free */

/* verified_package_make proves the bytes behind `payload`, which it takes on success: from then on
 * this one source is the payload. `of` is a payload of the release that it admits under the floors.
 * `signatures` are those beside it. For each floor a signature of its system must meet the floor
 * and what the release demands of that system; size and SHA-256 are the document's. The release
 * must outlive the package. `v` has room for n_floors (at least 1) verdicts, one a floor. */
MUST_USE enum errc verified_package_make(struct source *payload, const struct payload *of,
                                         const struct verified_release *release,
                                         const struct payload_floor *floors, size_t n_floors,
                                         const struct span *unverified_signatures,
                                         size_t n_signatures, struct verdict *v,
                                         struct verified_package **out, struct err *err);
void verified_package_free(struct verified_package *p);
struct source *verified_package_source(const struct verified_package *p);
const struct payload *verified_package_payload(const struct verified_package *p);
const struct release *verified_package_release(const struct verified_package *p);

#endif
