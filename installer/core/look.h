#ifndef SUREFOOT_CORE_LOOK_H
#define SUREFOOT_CORE_LOOK_H

/* look.h: a look at what the maker offers: the feed, proven, and the release documents that it
 * names. Feed and signatures are stored together; where the server says that nothing is new, what
 * is stored is proven again. A pair that does not hold may be one that caches mixed: it is fetched
 * anew past them, twice, and then refused. The feeds of a product file are tried in their order:
 * one that can't be had or does not hold is said, and the next one is asked.
 *
 * What it does not check: whether a release is for this machine (decide.h). */

#include "installer/core/event.h"
#include "installer/core/fetch.h"
#include "installer/core/memory.h"
#include "installer/core/product_demands.h"
#include "manifest/stored.h"
#include "verify/package.h"

struct look_ask {
    const struct setup *setup;
    const struct product_demands *demands;
    const struct memory *memory; /* marks; not changed */
    const struct events *events; /* or NULL */
    int64_t now;
};

/* struct look: owns everything. */
struct look {
    const struct product_feed *from; /* which feed it was */
    struct verified_feed *feed;
    struct buf stored;   /* of manifest/stored.h: what a later look and what is installed keep */
    struct fetch *fetch; /* to go on with */
    struct fresh_marks marks; /* with this feed's in them */
    bool was_new;
    char refusal[40]; /* after E_REFUSED: the word of the first reason */
};

/* look_at_feed: E_REFUSED where no feed holds and one was refused (the text says why), else the
 * fetch's own codes where none could be had. Caller frees with look_fini, also after an error. */
MUST_USE enum errc look_at_feed(const struct look_ask *ask, struct look *out, struct err *err);
void look_fini(struct look *look);

/* look_hang_up closes the connections, where nothing more is asked for: what follows may take its
 * time, and programs that are started need not inherit them. */
void look_hang_up(struct look *look);

/* look_recall proves the stored pair alone, without asking anyone: E_ABSENT where there is none. It
 * may have expired since; look->fetch is NULL. */
MUST_USE enum errc look_recall(const struct look_ask *ask, struct look *out, struct err *err);

/* look_at_release gets a release document, from the cache where it is there, and proves it. Its
 * bytes are appended to `document` (or NULL). E_REFUSED, or the fetch's own codes. */
MUST_USE enum errc look_at_release(const struct look_ask *ask, struct look *look,
                                   const struct feed_release *release,
                                   struct verified_release **out, struct buf *document,
                                   struct err *err);

/* look_new_fetch makes downloads as the product file says, with http to others only where `allows`.
 * Caller frees with fetch_free. `progress` may be NULL. */
MUST_USE enum errc look_new_fetch(const struct setup *setup, bool allows_http,
                                  fetch_progress_fn progress, void *ctx, struct fetch **out,
                                  struct err *err);

/* look_go_online lets revocation lists be fetched as the product file says other downloads are,
 * where the demands want that (product_demands_go_online). */
MUST_USE enum errc look_go_online(const struct setup *setup, struct product_demands *demands,
                                  struct err *err);

#endif
