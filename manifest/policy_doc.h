#ifndef SUREFOOT_MANIFEST_POLICY_DOC_H
#define SUREFOOT_MANIFEST_POLICY_DOC_H

/* policy_doc.h: all of `surefoot verify`'s trust options as one document (urn:surefoot:policy:1,
 * policy.rng), read into a plain list. Each element is named as its option is and holds its
 * argument:
 *
 *   <policy xmlns="urn:surefoot:policy:1">
 *     <profile>strict</profile>
 *     <anchors>roots.pem</anchors>
 *     <publisher>Example Corporation</publisher>
 *     <require-timestamp/>
 *   </policy>
 *
 * What it does not check: the arguments; they mean what they mean on the command line. */

#include "platform/base/err.h"
#include "platform/base/span.h"

#define POLICY_DOC_BYTES_MAX (256 * 1024)
#define POLICY_DOC_ITEMS_MAX 256

struct policy_item {
    const char *name; /* "anchors" */
    char *value;      /* NULL for an option without an argument */
    int line;
};

struct policy_doc {
    size_t n;
    struct policy_item items[POLICY_DOC_ITEMS_MAX];
};

/* policy_doc_read reads the document. E_MALFORMED with line and cause for an unknown element, an
 * argument where none belongs or none where one does, a repeated element that may stand once.
 * Caller frees with policy_doc_fini. */
MUST_USE enum errc policy_doc_read(struct span bytes, struct policy_doc *out, struct err *err);
void policy_doc_fini(struct policy_doc *doc);

#endif
