#ifndef SUREFOOT_CORE_SETUP_PRIVATE_H
#define SUREFOOT_CORE_SETUP_PRIVATE_H

#include "installer/core/setup.h"

/* setup_guard_all judges everything that the product file names and that must be beyond doubt,
 * where we are elevated. E_ARGUMENT as setup_guard. */
MUST_USE enum errc setup_guard_all(const struct setup *s, struct err *err);

#endif
