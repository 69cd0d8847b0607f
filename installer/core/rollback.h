#ifndef SUREFOOT_CORE_ROLLBACK_H
#define SUREFOOT_CORE_ROLLBACK_H

/* rollback.h: back, by hand, to a version that is kept. Its tree is held against the signed release
 * that it came from, configuration and data aside, before anything is stopped; one that does not
 * hold is refused. Data stays as it is now: what the newer version did with it is not undone, but
 * where going back fails it is put back as an upgrade would. */

#include "installer/core/upgrade.h"

/* rollback_do goes to `to`, or to the newest that is kept (NULL; never a withdrawn one then). The
 * version that it leaves is put on hold. Outcome as upgrade_do's. */
MUST_USE enum errc rollback_do(const struct setup *setup, const char *product_word,
                               const struct events *events, const struct version *to, bool dry_run,
                               struct upgrade_outcome *out, struct err *err);

#endif
