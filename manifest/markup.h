#ifndef SUREFOOT_MANIFEST_MARKUP_H
#define SUREFOOT_MANIFEST_MARKUP_H

/* markup.h: the bytes of a document as they stand, before libxml2 sees them: what it is not shown,
 * and in which line a tag begins. It knows tags, quotes, comments and CDATA, and no more: what is
 * not well formed is left to libxml2. For xml.c alone. */

#include <stddef.h>

#include "platform/base/err.h"
#include "platform/base/span.h"

/* A place in the markup. */
struct markup {
    struct span bytes;
    size_t at;
    int line;
    size_t gap_at; /* where the newest tag ended */
    int gap_line;
};

/* markup_begin is the start of a document, behind the mark of UTF-8 where it has one. */
struct markup markup_begin(struct span bytes);

/* markup_next_tag goes past the next start tag; *out_line is where it begins, 0 where none comes.
 * libxml2 keeps all that lies between two tags, so that has a limit: E_LIMIT. E_MALFORMED for what
 * these documents do not have: a DOCTYPE, a processing instruction. */
MUST_USE enum errc markup_next_tag(struct markup *s, int *out_line, struct err *err);

/* markup_check_tags goes through the whole document; errors begin with "line N: ". */
MUST_USE enum errc markup_check_tags(struct span bytes, struct err *err);

/* markup_check_encoding is E_MALFORMED, with the line, for anything but UTF-8 without NUL. */
MUST_USE enum errc markup_check_encoding(struct span bytes, struct err *err);

#endif
