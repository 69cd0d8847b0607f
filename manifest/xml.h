#ifndef SUREFOOT_MANIFEST_XML_H
#define SUREFOOT_MANIFEST_XML_H

/* xml.h: bytes to element events, under limits. UTF-8 alone (with or without a byte order mark), no
 * DOCTYPE, no entities but the five of XML, no processing instructions, no network, no tree that
 * grows. Comments and CDATA are read as XML has them.
 *
 * libxml2 reads the markup. What is dangerous or dear to read is found in the raw bytes before
 * libxml2 sees any of them: a DOCTYPE, an instruction, an element of many attributes, a long run of
 * text and comments.
 *
 * What it does not check: which elements may stand where, and what their values mean. */

#include "platform/base/err.h"
#include "platform/base/span.h"

#define XML_DEPTH_MAX 16
#define XML_ATTRS_MAX 32         /* declarations of namespaces among them */
#define XML_TEXT_MAX (64 * 1024) /* bytes of a tag, and of all that is between two */

struct xml_attr {
    const char *name, *value; /* UTF-8; the name is ASCII */
};

struct xml_element {
    const char *name, *ns;        /* the name is ASCII; ns is "" where there is none */
    const struct xml_attr *attrs; /* of no namespace; one of a namespace is refused */
    size_t n_attrs;
    int line; /* where its "<" stands */
};

/* All strings live until the handler returns. An error that a handler returns ends the reading;
 * "line N: " is put before its text, the line in which the element begins. `text` gets the whole
 * character content of an element that has no element inside, white space trimmed at both ends;
 * text between elements that is not white space is refused. */
struct xml_handler {
    enum errc (*start)(void *ctx, const struct xml_element *element, struct err *err);
    enum errc (*end)(void *ctx, const char *name, const char *text, int line, struct err *err);
};

/* xml_read reads one document of at most `cap` bytes. E_LIMIT, E_MALFORMED with line and cause;
 * E_NOMEM where it could not find out. */
MUST_USE enum errc xml_read(struct span bytes, size_t cap, const struct xml_handler *handler,
                            void *ctx, struct err *err);

#endif
