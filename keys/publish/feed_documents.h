#ifndef SUREFOOT_PUBLISH_FEED_DOCUMENTS_H
#define SUREFOOT_PUBLISH_FEED_DOCUMENTS_H

/* feed_documents.h: the release documents that a feed names, looked for in the release folder: is
 * what the feed is about to offer there, and is what it offers already still what it was?
 *
 * What it does not check: payloads' hashes and signatures (surefoot-publish verify-release does,
 * and takes as long as that takes). */

#include "manifest/feed.h"
#include "platform/platform.h"

/* feed_documents_find finds DIR/V/release.xml for a feed of `product`: *out gets its path, size and
 * SHA-256, from the arena. E_ABSENT where the document or a payload that it lists is missing, or a
 * detached signature that it demands; E_REFUSED where it is of another product or version, or a
 * payload has another size; E_MALFORMED where it does not read. */
MUST_USE enum errc feed_documents_find(struct platform *p, const char *dir, const char *product,
                                       const struct version *version, struct arena *a,
                                       struct document_ref *out, struct err *err);

/* feed_documents_check is E_REFUSED where a document that the feed names is in the folder and has
 * other bytes. One that is not there is passed over: old releases may be kept elsewhere. */
MUST_USE enum errc feed_documents_check(struct platform *p, const char *dir,
                                        const struct feed *feed, struct err *err);

#endif
