#ifndef SUREFOOT_PLATFORM_NATIVE_H
#define SUREFOOT_PLATFORM_NATIVE_H

/* native.h: the tables of the native machine that a build may be without. meson.build chooses
 * between a real one of this system and the one of service_none.c, db_none.c, registry_none.c,
 * msi_none.c, task_none.c or witness_none.c, which is the same on all.
 */

#include "platform/platform.h"

extern const struct service_ops native_service_ops;
extern const struct db_ops native_db_ops;
extern const struct registry_ops native_registry_ops;
extern const struct msi_ops native_msi_ops;
extern const struct task_ops native_task_ops;
extern const struct witness_ops native_witness_ops;

#endif
