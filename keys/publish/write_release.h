#ifndef SUREFOOT_PUBLISH_WRITE_RELEASE_H
#define SUREFOOT_PUBLISH_WRITE_RELEASE_H

/* write_release.h: a struct release to the bytes of release.xml (manifest/release.h has the form).
 * The same release gives the same bytes: payloads stand sorted by path; files, folders and links
 * are sorted bytewise by path, as the reader demands, in whatever order they come.
 *
 * What is written is read back with the client's own reader and compared field by field: what does
 * not come back as it went is never given out. */

#include "manifest/release.h"
#include "platform/base/buf.h"

/* write_release appends the document to `out`, a buf with a cap of RELEASE_BYTES_MAX. E_MALFORMED,
 * with what the reader says, for a release that no client would read (paths that clash, no demand,
 * an empty tree); E_LIMIT for one that is too large. */
MUST_USE enum errc write_release(const struct release *release, struct buf *out, struct err *err);

#endif
