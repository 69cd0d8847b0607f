#ifndef SUREFOOT_MANIFEST_STORED_H
#define SUREFOOT_MANIFEST_STORED_H

/* stored.h: a feed and its signatures in one file, so that they are never of two different times,
 * with where they came from and what to ask the server by. What lies in it is proven again whenever
 * it is used.
 *
 *   "surefoot stored feed 1" LF
 *   then, each:  NAME " " LENGTH LF  that many bytes  LF
 *   NAME: url, etag, modified, accepted (a time; each at most once), feed (once), signature (1 to 8
 * times)
 *
 * What it does not check: the bytes. */

#include <stddef.h>

#include "platform/base/buf.h"
#include "platform/base/err.h"
#include "platform/base/span.h"

#define STORED_SIGNATURES_MAX 8
#define STORED_BYTES_MAX (4 * 1024 * 1024)
#define STORED_TEXT_MAX 4096 /* of url, etag, modified */

/* struct stored_feed: everything is borrowed from the bytes that were read; empty where it is not
 * there. */
struct stored_feed {
    struct span url, etag, modified, accepted;
    struct span feed;
    size_t n_signatures;
    struct span signatures[STORED_SIGNATURES_MAX];
};

/* stored_read takes a file's bytes apart. E_MALFORMED, E_LIMIT. */
MUST_USE enum errc stored_read(struct span bytes, struct stored_feed *out, struct err *err);

/* stored_write appends the file's bytes. E_ARGUMENT without a feed or signature; the buf's own. */
MUST_USE enum errc stored_write(const struct stored_feed *s, struct buf *out, struct err *err);

#endif
