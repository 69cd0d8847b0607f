#ifndef SUREFOOT_PUBLISH_PAYLOAD_OF_H
#define SUREFOOT_PUBLISH_PAYLOAD_OF_H

/* payload_of.h: what a release document says of a payload, found out from the payload itself: the
 * tree of a folder, the entries of an archive, the words of an installer package. Filled in are the
 * kind, unpacked size and what follows it; path, size and hash of the file itself are the caller's.
 *
 * Memory is the arena's. Nothing is written or run. What is not checked here: what only the whole
 * document shows (write_release reads it back). */

#include "keys/publish/tree.h"
#include "manifest/release.h"
#include "platform/source.h"

/* payload_of_tree lists what tree_read found. */
MUST_USE enum errc payload_of_tree(const struct tree *t, struct arena *a, struct payload *out,
                                   struct err *err);

/* payload_of_archive reads all of an archive through the client's own reader and hashes each file;
 * a hard link is listed as a file with the bytes of the one that it names. Modes and folders are
 * as the archive has them. `check_head`, which may be NULL, is asked of each file. Errors as
 * unpack_next's, and what check_head says, with the file's name before it. */
MUST_USE enum errc payload_of_archive(struct source *src, tree_head_fn check_head, void *head_ctx,
                                      struct arena *a, struct payload *out, struct err *err);

/* payload_of_msi reads the codes and the version from the table Property, the processor from the
 * summary information (0 where it names none that we know), and the size of what is installed from
 * the table File. E_MALFORMED where the package lacks a code or has one of another form. */
MUST_USE enum errc payload_of_msi(struct source *src, struct arena *a, struct payload *out,
                                  struct err *err);

/* payload_looks_like_msi tells by the first bytes. */
MUST_USE enum errc payload_looks_like_msi(struct source *src, bool *out, struct err *err);

/* payload_list_room makes sure that a list in an arena has room for one more item: *items, of
 * `size` bytes each, may move. */
MUST_USE enum errc payload_list_room(struct arena *a, void **items, size_t n, size_t *n_room,
                                     size_t size, struct err *err);

#endif
