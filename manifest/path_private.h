#ifndef SUREFOOT_MANIFEST_PATH_PRIVATE_H
#define SUREFOOT_MANIFEST_PATH_PRIVATE_H

/* path_private.h: what path_fold.c knows of characters, for path.c. */

#include <stdint.h>

/* path_code_fault is what is wrong with a character beyond ASCII in a path, as the end of a
 * sentence; NULL for nothing. It says nothing of what text_printable hides. */
const char *path_code_fault(uint32_t code);

#endif
