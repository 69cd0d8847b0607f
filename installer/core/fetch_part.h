#ifndef SUREFOOT_CORE_FETCH_PART_H
#define SUREFOOT_CORE_FETCH_PART_H

/* fetch_part.h: a file that comes piece by piece, is hashed as it is written, and may be left for a
 * later run to go on with: PATH.part, private, of which only the bytes count, which are hashed
 * again. While it is open the bytes go to a new file (sink.h), so a killed program leaves that file
 * and the PATH.part of before. */

#include <stdbool.h>
#include <stdint.h>

#include "platform/base/err.h"
#include "platform/base/span.h"
#include "platform/platform.h"
#include "verify/digest.h"

struct fetch_part {
    struct platform *platform;
    const char *path; /* of the finished file */
    char *name;       /* PATH.part */
    struct sink *sink;
    struct hasher *hasher;
    uint64_t have, size; /* bytes that are here, and that it will have */
    bool is_broken;      /* the disk failed: nothing is to be kept */
};

/* fetch_part_open begins with what is in PATH.part, where that is a file of fewer than `size`
 * bytes. E_EXISTS where something is at `path`; sink.h's. `path` must outlive it. Caller ends it
 * with fetch_part_close, also after an error, if the struct was zeroed before. */
MUST_USE enum errc fetch_part_open(struct fetch_part *p, struct platform *platform,
                                   const char *path, uint64_t size, struct err *err);

/* fetch_part_add appends; the caller has seen that it is not too much. */
MUST_USE enum errc fetch_part_add(struct fetch_part *p, struct span piece, struct err *err);

/* fetch_part_restart forgets all bytes. */
MUST_USE enum errc fetch_part_restart(struct fetch_part *p, struct err *err);

/* fetch_part_hash is the SHA-256 of all bytes; after it only restart, commit and close make sense.
 */
MUST_USE enum errc fetch_part_hash(struct fetch_part *p, uint8_t out[32], struct err *err);

/* fetch_part_commit gives the file its own name; PATH.part is then gone. */
MUST_USE enum errc fetch_part_commit(struct fetch_part *p, struct err *err);

/* fetch_part_close ends it. `keeps`: what is here is left in PATH.part, as far as possible; else
 * there is no such file afterwards. */
void fetch_part_close(struct fetch_part *p, bool keeps);

#endif
