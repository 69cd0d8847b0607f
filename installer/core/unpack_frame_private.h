#ifndef SUREFOOT_CORE_UNPACK_FRAME_PRIVATE_H
#define SUREFOOT_CORE_UNPACK_FRAME_PRIVATE_H

/* unpack_frame_private.h: the longest of the three forms has a file of its own. */

#include "platform/source.h"

MUST_USE enum errc unpack_frame_check_xz(struct source *src, struct err *err);

#endif
