#ifndef SUREFOOT_PUBLISH_FEED_PLACE_H
#define SUREFOOT_PUBLISH_FEED_PLACE_H

/* feed_place.h: a release folder's feed on the disk: feed.xml, and each of its signatures under two
 * names with the same bytes,
 *
 *   feed.xml.HASH.minisig   HASH: SHA-256 of the feed, lower-case hex
 *   feed.xml.minisig
 *
 * and likewise .p7s. They are written in this order and feed.xml last. So whatever a client fetches
 * while they are replaced, or after a writer was killed, the signature of the feed that it has lies
 * there: under the first name always, under the second when the writer is done. Signatures of older
 * feeds stay, for caches; they are small.
 *
 * A feed that does not prove genuine is neither read nor written. One writer at a time: whoever
 * reads a feed to write the next one, or puts a release into the folder, holds the place's lock. */

#include "keys/publish/signers.h"
#include "manifest/feed.h"
#include "verify/policy.h"

#define FEED_PLACE_NAME "feed.xml"
#define FEED_PLACE_POLICIES_MAX 4

struct feed_place {
    struct platform *platform;
    const char *dir;
    const struct policy *policies[FEED_PLACE_POLICIES_MAX]; /* whose feeds are built upon */
    size_t n_policies;
};

/* feed_place_lock takes the folder for one writer: E_BUSY, naming the other, where there is one.
 * The lock lies in the folder as ".surefoot-publish.lock" and is gone after feed_place_unlock,
 * which does nothing for a zeroed lock; one that a killed writer left is no lock. */
struct feed_place_lock {
    struct platform *platform;
    struct fs_lock *held;
    char path[4096];
};
MUST_USE enum errc feed_place_lock(struct platform *p, const char *dir, struct feed_place_lock *out,
                                   struct err *err);
void feed_place_unlock(struct feed_place_lock *lock);

/* feed_place_make_folder makes the release folder where only it is missing; *out_made says whether
 * it did, so that the caller can take it away again. E_ARGUMENT where its own folder is not there,
 * or something that is no folder has the name. */
MUST_USE enum errc feed_place_make_folder(struct platform *p, const char *dir, bool *out_made,
                                          struct err *err);

/* feed_place_read reads the feed that is there and proves it as of the time it says it was issued
 * at: it may have expired since. *out_is_there is false, and *out untouched, where there is none.
 * E_REFUSED, with what to do, where a signature is missing or one does not hold. Caller frees *out
 * with feed_fini. */
MUST_USE enum errc feed_place_read(const struct feed_place *place, struct feed *out,
                                   bool *out_is_there, struct err *err);

/* feed_place_read_unverified reads it without proof: for what can only refuse more by it. */
MUST_USE enum errc feed_place_read_unverified(struct platform *p, const char *dir, struct feed *out,
                                              bool *out_is_there, struct err *err);

/* feed_place_prove is what a client does with the new feed at `now`, under the place's policies. */
MUST_USE enum errc feed_place_prove(const struct feed_place *place, struct span bytes,
                                    const struct signatures *signatures, int64_t now,
                                    struct err *err);

/* feed_place_write proves the new feed and then writes it. A signature by a system that does not
 * sign this time must not lie beside the feed: E_EXISTS, before anything is written. Where writing
 * fails, what was there is there again, as far as the disk lets us. */
MUST_USE enum errc feed_place_write(const struct feed_place *place, struct span bytes,
                                    const struct signatures *signatures, int64_t now,
                                    struct err *err);

#endif
