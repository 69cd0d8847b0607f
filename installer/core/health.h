#ifndef SUREFOOT_CORE_HEALTH_H
#define SUREFOOT_CORE_HEALTH_H

/* health.h: is the version that was just started well? In two parts, as product_service.h says it:
 * first all services run and every probe holds in one round, within `within` of the start; then for
 * `stays_up` the services stay the same processes (neither stopped nor started again) and at most
 * `failures` rounds of probes fail.
 *
 * What it does not check: what no probe asks. */

#include <stdbool.h>

#include "installer/core/setup.h"

struct health {
    bool is_healthy;
    int64_t healthy_ms; /* monotonic: when the first good round ended; 0: there was none */
    unsigned n_rounds, n_failed;
    char why[240]; /* not healthy: the last thing that failed, for people */
};

/* Called before each round; an error ends the watch and is returned. */
typedef enum errc (*health_tick_fn)(void *ctx, struct err *err);

/* health_watch watches; started_ms is the monotonic time of the start. E_OK with a verdict; an
 * error only where nothing could be found out. `tick` may be NULL. */
MUST_USE enum errc health_watch(const struct setup *setup, int64_t started_ms, health_tick_fn tick,
                                void *ctx, struct health *out, struct err *err);

/* health_round asks everything once, now: for the old version after a rollback, and for doctor. */
MUST_USE enum errc health_round(const struct setup *setup, struct health *out, struct err *err);

#endif
