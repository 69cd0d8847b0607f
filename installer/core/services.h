#ifndef SUREFOOT_CORE_SERVICES_H
#define SUREFOOT_CORE_SERVICES_H

/* services.h: the product's services, each by the system's manager or by its commands, which the
 * caller need not know. `i` is the place in product.services. */

#include "installer/core/setup.h"

/* services_status: of commands, the exit code of `status` (0 runs; 1, 2, 3 does not; else E_IO). */
MUST_USE enum errc services_status(const struct setup *setup, size_t i, struct service_status *out,
                                   struct err *err);

/* services_stop ends when the service is stopped, as its status says; of one that is not running at
 * once. E_TIMEOUT and E_IO where it would not stop; it may then be running or not. */
MUST_USE enum errc services_stop(const struct setup *setup, size_t i, struct err *err);

/* services_start ends when the service runs, as its status says; of one that runs at once.
 * E_TIMEOUT and E_IO where it would not start. */
MUST_USE enum errc services_start(const struct setup *setup, size_t i, struct err *err);

#endif
