#ifndef SUREFOOT_WIN32_HOST_PARTS_H
#define SUREFOOT_WIN32_HOST_PARTS_H

/* host_parts.h: operations of host_ops that have a file of their own; platform.h says what they do.
 */

#include "platform/platform.h"

/* host_named.c */
enum errc host_group_exists(void *self, const char *name, bool *out_exists, struct err *err);
enum errc host_sid_exists(void *self, const char *sid, bool *out_exists, struct err *err);
enum errc host_mutex_held(void *self, const char *name, bool *out_held, struct err *err);

#endif
