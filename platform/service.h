#ifndef SUREFOOT_PLATFORM_SERVICE_H
#define SUREFOOT_PLATFORM_SERVICE_H

/* service.h: the system's service manager: systemd, or Windows' own. Part of platform.h's machine.
 *
 * What it does not check: whether a service that runs is well (installer/core/health.h). */

#include <stdint.h>

#include "platform/base/cc.h"
#include "platform/base/err.h"

/* What a service is just now. A zeroed one says nothing. */
enum service_is {
    SERVICE_IS_UNKNOWN = 0,
    SERVICE_IS_ABSENT, /* the manager knows none of that name */
    SERVICE_IS_STOPPED,
    SERVICE_IS_FAILED, /* stopped, and not because someone asked */
    SERVICE_IS_STARTING,
    SERVICE_IS_RUNNING,
    SERVICE_IS_STOPPING,
};

struct service_status {
    enum service_is is;
    int64_t pid;       /* of its main process; 0: none, or not known */
    uint64_t n_starts; /* restarts by the manager itself; grows where it came up again */
    char text[80];     /* the manager's own words: "failed (exit-code)" */
};

struct service_ops {
    /* E_OK also where there is no such service (SERVICE_IS_ABSENT). E_UNSUPPORTED: no manager. */
    enum errc (*status)(void *self, const char *name, struct service_status *out, struct err *err);
    /* Starts it and waits until it runs: as the manager says so. Of one that runs: at once.
     * E_ABSENT, E_TIMEOUT, E_ACCESS, E_IO where it failed; the text has the manager's reason. */
    enum errc (*start)(void *self, const char *name, int64_t timeout_ms, struct err *err);
    /* Stops it and waits until none of its processes is left. Of one that is stopped: at once.
     * Errors as start's; after E_TIMEOUT it may still stop. */
    enum errc (*stop)(void *self, const char *name, int64_t timeout_ms, struct err *err);
};

#endif
