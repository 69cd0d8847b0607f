#ifndef SUREFOOT_CORE_FETCH_PROBE_H
#define SUREFOOT_CORE_FETCH_PROBE_H

/* fetch_probe.h: one GET at a service that was just started: does it answer as a healthy one does?
 * No proxy, no redirect followed, TLS with a proven certificate; a body of at most
 * FETCH_PROBE_BODY_MAX is looked at. */

#include <stdbool.h>
#include <stdint.h>

#include "platform/base/err.h"
#include "platform/base/span.h"

#define FETCH_PROBE_BODY_MAX (1024 * 1024)

struct fetch_probe {
    const char *url;
    struct span ca;       /* PEM; empty: the system's */
    uint64_t status;      /* wanted */
    const char *contains; /* NULL: any body */
    int64_t timeout_ms;
};

/* fetch_probe_ask: *out_holds, and why not for people (`room` bytes). E_NOMEM, E_UNSUPPORTED. */
MUST_USE enum errc fetch_probe_ask(const struct fetch_probe *probe, bool *out_holds, char *why,
                                   size_t room, struct err *err);

#endif
