#ifndef SUREFOOT_POSIX_POSIX_H
#define SUREFOOT_POSIX_POSIX_H

/* posix.h: the tables that native.c puts together. */

#include "platform/platform.h"

extern const struct fs_ops posix_fs_ops;
extern const struct host_ops posix_host_ops;

#endif
