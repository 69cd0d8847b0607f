#ifndef SUREFOOT_PUBLISH_WRITE_FEED_H
#define SUREFOOT_PUBLISH_WRITE_FEED_H

/* write_feed.h: a struct feed to the bytes of feed.xml (manifest/feed.h has the form). The same
 * feed gives the same bytes: releases stand newest first, support sorted by its versions, and every
 * attribute that has a value is written.
 *
 * What is written is read back with the client's own reader and compared field by field: what does
 * not come back as it went is never given out. */

#include "manifest/feed.h"
#include "platform/base/buf.h"

/* write_feed appends the document to `out`, a buf with a cap of FEED_BYTES_MAX. E_MALFORMED, with
 * what the reader says, for a feed that no client would read; E_LIMIT for one that is too large. */
MUST_USE enum errc write_feed(const struct feed *feed, struct buf *out, struct err *err);

#endif
