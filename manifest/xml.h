#ifndef SUREFOOT_MANIFEST_XML_H
#define SUREFOOT_MANIFEST_XML_H

/* xml.h: bytes to element events, under limits. No DOCTYPE, no entities but the five of XML, no
 * other encoding than UTF-8, no processing instructions, no network, no tree. Names are compared by
 * the caller; a document says what it knows.
 *
 * What it does not check: which elements may stand where. */

#include "platform/base/err.h"
#include "platform/base/span.h"

#define XML_DEPTH_MAX 16
#define XML_ATTRS_MAX 32
#define XML_TEXT_MAX (64 * 1024)

struct xml_attr {
    const char *name, *value; /* UTF-8 */
};

struct xml_element {
    const char *name, *ns;        /* ns is "" where there is none */
    const struct xml_attr *attrs; /* of no namespace; one of a namespace is refused */
    size_t n_attrs;
    int line;
};

/* All strings live until the handler returns. An error that a handler returns ends the reading;
 * "line N: " is put before its text. `text` gets the whole character content of an element that has
 * no element inside, white space trimmed at both ends; text between elements that is not white
 * space is refused. */
struct xml_handler {
    enum errc (*start)(void *ctx, const struct xml_element *element, struct err *err);
    enum errc (*end)(void *ctx, const char *name, const char *text, int line, struct err *err);
};

/* xml_read reads one document of at most `cap` bytes. E_LIMIT, E_MALFORMED with line and cause. */
MUST_USE enum errc xml_read(struct span bytes, size_t cap, const struct xml_handler *handler,
                            void *ctx, struct err *err);

#endif
