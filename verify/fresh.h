#ifndef SUREFOOT_VERIFY_FRESH_H
#define SUREFOOT_VERIFY_FRESH_H

/* fresh.h: is a feed that is genuine also the newest that its signer has made, as far as this
 * machine can know? What was seen before is kept per signing key, so that an old feed is refused
 * and a stolen key cannot block a new one.
 *
 * What it does not check: signatures. */

#include "manifest/feed.h"
#include "verify/verdict.h"

#define FRESH_CLOCK_SLACK_S (INT64_C(24) * 3600)
#define FRESH_SERIAL_JUMP_MAX UINT64_C(1000000)
#define FRESH_KEY_ROOM 80
#define FRESH_MARKS_MAX 64

/* fresh_mark: the newest that was seen of one key, which is named "minisign:" or "cms:" and the
 * SHA-256 of the public key, in lower-case hex: never by a key id, which the maker of a key
 * chooses. */
struct fresh_mark {
    char key[FRESH_KEY_ROOM];
    uint64_t serial;
    int64_t issued; /* seconds since 1970 */
};

/* fresh_marks: of the keys that the product file names, no others: whoever keeps the marks drops
 * the rest. */
struct fresh_marks {
    size_t n;
    struct fresh_mark items[FRESH_MARKS_MAX];
};

/* fresh_check adds a fatal finding for each rule that the feed, signed by `key`, breaks at `now`:
 * Expired, OlderThanSeen, SerialJump, IssuedAhead, ClockBehind. */
void fresh_check(const struct feed *feed, const char *key, const struct fresh_marks *marks,
                 int64_t now, struct findings *findings);

/* fresh_note records what was seen; a mark never goes back. E_LIMIT past FRESH_MARKS_MAX keys. */
MUST_USE enum errc fresh_note(struct fresh_marks *marks, const char *key, uint64_t serial,
                              int64_t issued, struct err *err);

#endif
