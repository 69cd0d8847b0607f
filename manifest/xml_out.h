#ifndef SUREFOOT_MANIFEST_XML_OUT_H
#define SUREFOOT_MANIFEST_XML_OUT_H

/* xml_out.h: elements and attributes to bytes, in one form: UTF-8, the XML declaration, two spaces
 * a level, attributes in double quotes on the line of their element, <a/> for what is empty, LF
 * after every line. The same calls give the same bytes on every machine.
 *
 *   <?xml version="1.0" encoding="UTF-8"?>
 *   <a xmlns="urn:example" b="1">
 *     <c>text</c>
 *   </a>
 *
 * Escaped: & < > everywhere, " in attributes. Refused, since no reader of ours would give it back
 * as it was: control characters (tab and line ends too), broken UTF-8, white space around the text
 * of an element.
 *
 * The first error is kept; every later call does nothing. xml_out_finish gives it, so that the code
 * between reads as the document does. What it does not check: names, which are ours. */

#include <stddef.h>
#include <stdint.h>

#include "platform/base/buf.h"
#include "platform/base/err.h"
#include "platform/base/span.h"

#define XML_OUT_DEPTH_MAX 16

struct xml_out {
    struct buf *to;
    enum errc rc;
    struct err err;
    size_t depth;
    const char *names[XML_OUT_DEPTH_MAX]; /* of the open elements; literals */
    bool is_tag_open, has_text;
};

/* xml_out_init writes the XML declaration to `to`, which must outlive the writer. */
void xml_out_init(struct xml_out *x, struct buf *to);

/* xml_out_start opens an element, xml_out_end closes the innermost one. */
void xml_out_start(struct xml_out *x, const char *name);
void xml_out_end(struct xml_out *x);

/* Attributes of the element that was just opened. */
void xml_out_attr(struct xml_out *x, const char *name, struct span value);
void xml_out_attr_text(struct xml_out *x, const char *name, const char *value);
void xml_out_attr_number(struct xml_out *x, const char *name, uint64_t value);
void xml_out_attr_time(struct xml_out *x, const char *name, int64_t unix_s);
void xml_out_attr_hex(struct xml_out *x, const char *name, struct span bytes);

/* xml_out_text is all the text of the element that was just opened, which has no elements. */
void xml_out_text(struct xml_out *x, struct span text);

/* xml_out_finish is the first error: E_MALFORMED for what is refused, E_LIMIT past the buf's cap,
 * E_NOMEM; E_INTERNAL where an element was left open. */
MUST_USE enum errc xml_out_finish(struct xml_out *x, struct err *err);

#endif
