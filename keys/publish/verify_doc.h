#ifndef SUREFOOT_PUBLISH_VERIFY_DOC_H
#define SUREFOOT_PUBLISH_VERIFY_DOC_H

/* verify_doc.h: one document on its way through surefoot-publish verify, and what is said of it.
 * Everything said goes to doc->page, as text or JSON; nothing is decided here. */

#include "keys/publish/publish.h"
#include "manifest/feed.h"
#include "verify/verdict.h"

#define DOC_SIGNATURES 2

enum doc_type { DOC_OTHER, DOC_FEED, DOC_RELEASE, DOC_PRODUCT };
extern const char *const doc_words[];

struct doc {
    const char *file;
    enum doc_type type;
    struct source *src;
    struct buf bytes; /* of all but DOC_OTHER */
    size_t n_signatures;
    struct buf signatures[DOC_SIGNATURES];
    struct span spans[DOC_SIGNATURES];
    struct verdict verdicts[1 + DOC_SIGNATURES];
    bool is_unproven; /* it reads well, and that is all */
    enum publish_format format;
    struct buf page;
    struct err err;
};

/* doc_say_feed: an accepted feed. doc_say_file: an accepted file. */
MUST_USE enum errc doc_say_feed(struct doc *d, const struct feed *feed);
MUST_USE enum errc doc_say_file(struct doc *d);

/* doc_say_form: of the right form, and `why` no more can be said: it is unproven, or (a product
 * file) there is no more to prove. `version` may be NULL. */
MUST_USE enum errc doc_say_form(struct doc *d, const char *product, const char *version,
                                const char *why);

/* doc_say_not: refused, with every reason that the verdicts have; or could not be found out. Takes
 * back what was said before. */
MUST_USE enum errc doc_say_not(struct doc *d, bool is_refused, const char *why);

#endif
