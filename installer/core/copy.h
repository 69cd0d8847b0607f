#ifndef SUREFOOT_CORE_COPY_H
#define SUREFOOT_CORE_COPY_H

/* copy.h: copies on one machine: of a file or of all in a folder, with owners, modes, attributes
 * and times. Blocks are shared where the file system can (reflink). Nothing is flushed: the caller
 * does, with fs.flush_tree. Sockets, pipes and devices are left out: they are made anew by whoever
 * uses them. Links are copied as links and never followed; another volume below a folder is
 * E_UNSUPPORTED.
 *
 * What it does not check: that nobody writes meanwhile. */

#include "platform/platform.h"

/* copy_file copies a regular file to a name that is free. */
MUST_USE enum errc copy_file(struct platform *p, const char *from, const char *to, struct err *err);

/* copy_bytes copies what is in it alone, to where and as a sink with these flags does (sink.h):
 * whole or not at all. */
MUST_USE enum errc copy_bytes(struct platform *p, const char *from, const char *to, unsigned flags,
                              struct err *err);

/* copy_one copies a file, link or folder itself (not what is in it). *out_left_out where it is of a
 * kind that is left out. */
MUST_USE enum errc copy_one(struct platform *p, const char *from, const char *to,
                            const struct fs_info *info, bool *out_left_out, struct err *err);

/* copy_tree copies a file or link, or a folder and all in it, to a name that is free. */
MUST_USE enum errc copy_tree(struct platform *p, const char *from, const char *to, struct err *err);

#endif
