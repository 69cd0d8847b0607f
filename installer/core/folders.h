#ifndef SUREFOOT_CORE_FOLDERS_H
#define SUREFOOT_CORE_FOLDERS_H

/* folders.h: the configuration folder and what is in it (products.d, anchors.d, keys), made such
 * that everyone may read it and only an administrator can change it. On Windows any user may make
 * folders in ProgramData and then owns them: whoever comes first must be us, and where it was
 * somebody else that is said and nothing of it is used (fs.guard).
 *
 * What it does not check: what is in the folders. */

#include "platform/platform.h"

/* Called with each folder, from the top down, and whether it was made now. */
typedef enum errc (*folders_fn)(void *ctx, const char *path, bool is_made, struct err *err);

/* folders_prepare makes those that are not there and judges all. E_ACCESS, naming the component and
 * why: others can change one of them or what is above it; E_EXISTS: something that is no folder
 * stands there. What was made before that stays. */
MUST_USE enum errc folders_prepare(struct platform *p, folders_fn fn, void *ctx, struct err *err);

#endif
