#ifndef SUREFOOT_POSIX_OS_ERR_H
#define SUREFOOT_POSIX_OS_ERR_H

/* os_err.h: the one table from errno to enum errc. */

#include "platform/base/err.h"

/* os_err_set is err_set with the code that `os` (an errno) means, the system's words added and kept
 * in err->os. */
enum errc os_err_set(struct err *err, int os, const char *fmt, ...) PRINTF_FORMAT(3, 4);

#endif
