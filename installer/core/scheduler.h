#ifndef SUREFOOT_CORE_SCHEDULER_H
#define SUREFOOT_CORE_SCHEDULER_H

/* scheduler.h: the product's own scheduler, by its commands or by a setting. */

#include "installer/core/setup.h"

enum scheduler_is { SCHEDULER_UNKNOWN = 0, SCHEDULER_ON, SCHEDULER_OFF };

/* scheduler_status asks. E_ARGUMENT where the product file has none. E_IO where its answer is
 * neither. A setting that is not there, or has another value than its two, is E_IO as well. */
MUST_USE enum errc scheduler_status(const struct setup *setup, enum scheduler_is *out,
                                    struct err *err);

/* scheduler_suspend and scheduler_resume turn it off and on and ask whether it is. Repeatable. */
MUST_USE enum errc scheduler_suspend(const struct setup *setup, struct err *err);
MUST_USE enum errc scheduler_resume(const struct setup *setup, struct err *err);

#endif
