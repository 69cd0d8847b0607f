#ifndef SUREFOOT_MANIFEST_PATH_PRIVATE_H
#define SUREFOOT_MANIFEST_PATH_PRIVATE_H

/* path_private.h: what path.c, path_fold.c and path_set.c share. */

#include <stddef.h>
#include <stdint.h>

#include "platform/base/span.h"

/* path_component_at is the bytes from `at` to the next "/" or the end. A path has one more
 * component than it has slashes, the empty ones too: walk by `at += component.len + 1` while at <=
 * path.len.
 */
struct span path_component_at(struct span path, size_t at);
size_t path_n_slashes(struct span path);

/* path_code_fault is what is wrong with a character beyond ASCII in a path, as the end of a
 * sentence; NULL for nothing. It says nothing of what text_printable hides. */
const char *path_code_fault(uint32_t code);

#endif
