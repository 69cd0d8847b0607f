#ifndef SUREFOOT_PLATFORM_SINK_H
#define SUREFOOT_PLATFORM_SINK_H

/* sink.h: a new file that is there whole or not at all. The bytes go to a file in the same folder
 * that has no name yet, or where the file system can't do that a temporary one (".surefoot-" and a
 * random name); sink_commit flushes it, gives it its name in one step and flushes the folder;
 * sink_abort takes it away. Until the commit whatever had the name keeps it, and a sink that failed
 * has left nothing. What is not promised: a program that is killed may leave a temporary file
 * behind, on most file systems only in the instant of the commit. */

#include <stdint.h>

#include "platform/base/err.h"
#include "platform/base/span.h"

/* SINK_PRIVATE: none but the owner may open it (mode 0600; on Windows as fs.make_private_folder has
 * it). Without
 * it the file gets what the system gives to new files. SINK_NO_REPLACE: a name that is taken is
 * E_EXISTS, at once and again at the commit. Otherwise a regular file of that name is replaced; a
 * folder, device or symbolic link never is (E_ARGUMENT). */
/* SINK_UNFLUSHED: for a tree of many files that is flushed as a whole later (fs.flush_tree), in a
 * folder that is ours alone: the file has its name from the start, nothing is flushed, and it is
 * never put in place of another (E_EXISTS). Where a platform knows no better it is as
 * SINK_NO_REPLACE. */
enum sink_flags { SINK_PRIVATE = 1, SINK_NO_REPLACE = 2, SINK_UNFLUSHED = 4 };

struct sink;

struct sink_ops {
    enum errc (*write)(struct sink *s, struct span bytes, struct err *err);
    enum errc (*commit)(struct sink *s, struct err *err);
    void (*close)(struct sink *s); /* frees it; undoes what was not committed */
};

struct sink {
    const struct sink_ops *ops;
    uint64_t size; /* bytes written so far */
};

/* sink_write appends all the bytes or fails: E_SPACE where the device is full. After a failure only
 * sink_abort makes sense. */
MUST_USE enum errc sink_write(struct sink *s, struct span bytes, struct err *err);

/* sink_commit puts the file in place and frees the sink, also where it fails; then the name is as
 * it was before, and the temporary file is gone. (Only where the folder itself can't be flushed,
 * the last step, the new file stays.) */
MUST_USE enum errc sink_commit(struct sink *s, struct err *err);

/* sink_abort takes back what was written and frees the sink; NULL is fine. */
void sink_abort(struct sink *s);

/* sink_file_create begins a file at `path` (UTF-8). `flags` are of enum sink_flags. E_ABSENT where
 * the folder is missing; E_ACCESS where it can't be written, or where SINK_PRIVATE was asked and
 * the file system can't keep a file from others; E_EXISTS and E_ARGUMENT see above. Caller ends the
 * sink with sink_commit or sink_abort. Above the platform: platform->fs->create. Implemented in
 * platform/posix and platform/win32. */
MUST_USE enum errc sink_file_create(const char *path, unsigned flags, struct sink **out_sink,
                                    struct err *err);

#endif
