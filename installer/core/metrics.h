#ifndef SUREFOOT_CORE_METRICS_H
#define SUREFOOT_CORE_METRICS_H

/* metrics.h: the state of a product as an OpenMetrics text (OpenMetrics 1.0) for a node exporter.
 * Pure. */

#include <stdbool.h>
#include <stdint.h>

#include "manifest/state.h"
#include "platform/base/buf.h"

struct metrics {
    const char *product;
    const struct upgrade_state *state;
    int word; /* enum state_word, as it counts now */
    bool newer_available, recovery_pending;
    int64_t downtime_ms; /* of the attempt that just ended; -1: none */
    int64_t now;
};

/* metrics_write appends the text, "# EOF" at its end. The buf's own errors. */
MUST_USE enum errc metrics_write(const struct metrics *m, struct buf *out, struct err *err);

#endif
