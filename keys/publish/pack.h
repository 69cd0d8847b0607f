#ifndef SUREFOOT_PUBLISH_PACK_H
#define SUREFOOT_PUBLISH_PACK_H

/* pack.h: a tree as a tar in zstd, whose bytes depend on the tree, the time and the level alone:
 * not on the machine's clock, locale, umask, owner, number of cores, or the order of creation.
 * (Another version of libzstd may compress to other bytes.)
 *
 * The tar is ustar (POSIX.1-2017), written here; a pax header stands before an entry only where
 * ustar has no room: a path that is not ASCII or longer than its fields, a long target, a file of 8
 * GiB or more. Entries are in the tree's order, of user and group 0 without names, all of one
 * time. Two blocks of zeros end it. libarchive compresses: one zstd frame, made by worker threads,
 * whose number does not show in the bytes. libarchive 3.6.2 can't have zstd add its own checksum;
 * the archive's SHA-256 and each file's are in the release document. */

#include <stdint.h>

#include "keys/publish/tree.h"
#include "platform/sink.h"

#define PACK_LEVEL 3
#define PACK_LEVEL_MAX 19 /* past it unpacking takes more memory than the client gives */
#define PACK_TIME_MAX INT64_C(077777777777)

struct pack_options {
    int64_t time;            /* of all entries: seconds since 1970, at most PACK_TIME_MAX */
    int level;               /* of zstd: 1..PACK_LEVEL_MAX */
    unsigned n_workers;      /* that compress; 0: as suits the machine. Not seen in the bytes */
    tree_head_fn check_head; /* asked of every file, whose bytes are read anyway; may be NULL */
    void *head_ctx;
    tree_progress_fn progress;
    void *progress_ctx; /* may be NULL, as may progress */
};

struct pack_result {
    uint64_t size; /* bytes of the archive */
    struct digest sha256;
    uint64_t unpacked_size; /* the files' sum */
};

/* pack_tree writes the archive to `to`, which the caller then commits, or aborts after an error.
 * Every file is hashed while it is packed: E_MALFORMED, naming it, where it is no longer what the
 * tree lists; where the tree has no hash of it, this one is put there. E_ARGUMENT for a time or
 * level out of range; what check_head says, with the file's name before it; what reading and
 * writing fail with. */
MUST_USE enum errc pack_tree(struct tree *t, const struct pack_options *options, struct sink *to,
                             struct pack_result *out, struct err *err);

#endif
