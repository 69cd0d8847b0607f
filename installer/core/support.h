#ifndef SUREFOOT_CORE_SUPPORT_H
#define SUREFOOT_CORE_SUPPORT_H

/* support.h: what a feed says of the version that is installed: was it withdrawn, and how long will
 * its maker stand by it? Pure. */

#include <stdbool.h>
#include <stdint.h>

#include "manifest/feed.h"

struct support {
    bool is_withdrawn;
    int64_t ends; /* the earliest of all that match; 0: not said */
    bool is_near; /* within its notice period, or past */
    bool has_ended;
};

void support_of(const struct feed *feed, const struct version *installed, int64_t now,
                struct support *out);

#endif
