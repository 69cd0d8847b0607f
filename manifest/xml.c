#include "manifest/xml.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include <libxml/xmlreader.h>

#include "platform/base/buf.h"
#include "platform/base/text.h"

struct reading {
    xmlTextReaderPtr reader;
    const struct xml_handler *handler;
    void *ctx;
    struct buf text;
    bool has_child[XML_DEPTH_MAX + 1]; /* an element at this depth has an element inside */
    char complaint[200];               /* libxml2's own words, the first of them */
};

static void keep_complaint(void *arg, const char *msg, xmlParserSeverities severity,
                           xmlTextReaderLocatorPtr where)
{
    struct reading *r = arg;
    UNUSED(severity);
    UNUSED(where);
    if (r->complaint[0] != '\0')
        return;
    struct span line = span_text(msg);
    while (line.len > 0 && (line.ptr[line.len - 1] == '\n' || line.ptr[line.len - 1] == ' '))
        line.len--;
    (void)text_printable(line, r->complaint, sizeof(r->complaint));
}

static int line_of(const struct reading *r)
{
    /* The parser reads ahead; the node knows where it began. */
    long line = xmlGetLineNo(xmlTextReaderCurrentNode(r->reader));
    return line > 0 && line <= INT_MAX ? (int)line : xmlTextReaderGetParserLineNumber(r->reader);
}

static enum errc at_line(const struct reading *r, enum errc rc, struct err *err)
{
    return rc == E_OK ? E_OK : err_prefix(err, "line %d: ", line_of(r));
}

static enum errc read_attrs(struct reading *r, struct xml_attr *attrs, size_t *out_n,
                            struct err *err)
{
    size_t n = 0;
    while (xmlTextReaderMoveToNextAttribute(r->reader) == 1) {
        const char *name = (const char *)xmlTextReaderConstName(r->reader);
        const char *value = (const char *)xmlTextReaderConstValue(r->reader);
        if (name == NULL || value == NULL)
            return err_nomem(err);
        if (strcmp(name, "xmlns") == 0 || strncmp(name, "xmlns:", 6) == 0)
            continue;
        if (strchr(name, ':') != NULL)
            return err_set(err, E_MALFORMED, "attribute \"%.60s\" of another namespace", name);
        if (n == XML_ATTRS_MAX)
            return err_set(err, E_LIMIT, "more than %d attributes", XML_ATTRS_MAX);
        attrs[n++] = (struct xml_attr){ name, value };
    }
    (void)xmlTextReaderMoveToElement(r->reader);
    *out_n = n;
    return E_OK;
}

static enum errc end_element(struct reading *r, const char *name, int depth, struct err *err)
{
    struct span text = buf_span(&r->text);
    while (text.len > 0 && strchr(" \t\r\n", text.ptr[0]) != NULL)
        text = span_sub(text, 1, text.len);
    while (text.len > 0 && strchr(" \t\r\n", text.ptr[text.len - 1]) != NULL)
        text.len--;
    if (r->has_child[depth] && text.len > 0)
        return err_set(err, E_MALFORMED, "text between elements inside <%.60s>", name);
    /* The NUL goes over the first byte after the text, or into the byte that buf_add_byte makes. */
    size_t begins_at = text.len == 0 ? 0 : (size_t)(text.ptr - r->text.ptr);
    enum errc rc = buf_add_byte(&r->text, '\0', err);
    if (rc != E_OK)
        return rc;
    r->text.ptr[begins_at + text.len] = '\0';
    rc = r->handler->end(r->ctx, name, (const char *)r->text.ptr + begins_at, line_of(r), err);
    buf_clear(&r->text);
    return rc;
}

static enum errc start_element(struct reading *r, struct err *err)
{
    struct xml_attr attrs[XML_ATTRS_MAX];
    struct xml_element element = { .attrs = attrs, .line = line_of(r) };
    int depth = xmlTextReaderDepth(r->reader);
    int is_empty = xmlTextReaderIsEmptyElement(r->reader);
    if (depth < 0 || depth >= XML_DEPTH_MAX)
        return err_set(err, E_LIMIT, "elements nested more than %d deep", XML_DEPTH_MAX);
    element.name = (const char *)xmlTextReaderConstLocalName(r->reader);
    element.ns = (const char *)xmlTextReaderConstNamespaceUri(r->reader);
    if (element.name == NULL)
        return err_nomem(err);
    if (element.ns == NULL)
        element.ns = "";
    struct span stray = buf_span(&r->text);
    for (size_t i = 0; i < stray.len; i++)
        if (strchr(" \t\r\n", stray.ptr[i]) == NULL)
            return err_set(err, E_MALFORMED, "text before <%.60s>, between elements", element.name);
    buf_clear(&r->text);
    if (depth > 0)
        r->has_child[depth - 1] = true;
    r->has_child[depth] = false;
    enum errc rc = read_attrs(r, attrs, &element.n_attrs, err);
    if (rc == E_OK)
        rc = r->handler->start(r->ctx, &element, err);
    if (rc == E_OK && is_empty == 1)
        rc = end_element(r, element.name, depth, err);
    return rc;
}

static enum errc add_text(struct reading *r, struct err *err)
{
    const char *text = (const char *)xmlTextReaderConstValue(r->reader);
    return text == NULL ? err_nomem(err) : buf_add_text(&r->text, text, err);
}

static enum errc read_node(struct reading *r, struct err *err)
{
    switch (xmlTextReaderNodeType(r->reader)) {
    case XML_READER_TYPE_ELEMENT: return start_element(r, err);
    case XML_READER_TYPE_END_ELEMENT:
        return end_element(r, (const char *)xmlTextReaderConstLocalName(r->reader),
                           xmlTextReaderDepth(r->reader), err);
    case XML_READER_TYPE_TEXT:
    case XML_READER_TYPE_CDATA:
    case XML_READER_TYPE_WHITESPACE:
    case XML_READER_TYPE_SIGNIFICANT_WHITESPACE: return add_text(r, err);
    case XML_READER_TYPE_COMMENT: return E_OK;
    case XML_READER_TYPE_DOCUMENT_TYPE:
        return err_set(err, E_MALFORMED, "a DOCTYPE; these documents have none");
    case XML_READER_TYPE_PROCESSING_INSTRUCTION:
        return err_set(err, E_MALFORMED, "a processing instruction");
    default:
        return err_set(err, E_MALFORMED,
                       "an entity or another part that these documents do not have");
    }
}

static enum errc read_nodes(struct reading *r, struct err *err)
{
    int more;
    while ((more = xmlTextReaderRead(r->reader)) == 1) {
        const xmlChar *encoding = xmlTextReaderConstEncoding(r->reader);
        if (encoding != NULL && xmlStrcasecmp(encoding, BAD_CAST "UTF-8") != 0)
            return err_set(err, E_MALFORMED, "is not UTF-8");
        enum errc rc = at_line(r, read_node(r, err), err);
        if (rc != E_OK)
            return rc;
    }
    if (more != 0)
        return err_set(err, E_MALFORMED, "line %d: %s", line_of(r),
                       r->complaint[0] == '\0' ? "is no well-formed XML" : r->complaint);
    return E_OK;
}

enum errc xml_read(struct span bytes, size_t cap, const struct xml_handler *handler, void *ctx,
                   struct err *err)
{
    if (bytes.len > cap || bytes.len > INT_MAX)
        return err_set(err, E_LIMIT, "%zu bytes of XML, the limit is %zu", bytes.len, cap);
    if (!text_is_utf8(bytes))
        return err_set(err, E_MALFORMED, "is not UTF-8");
    struct reading r = { .handler = handler, .ctx = ctx };
    buf_init(&r.text, XML_TEXT_MAX);
    r.reader =
        xmlReaderForMemory((const char *)bytes.ptr, (int)bytes.len, NULL, "UTF-8", XML_PARSE_NONET);
    enum errc rc;
    if (r.reader == NULL) {
        rc = err_nomem(err);
    } else {
        xmlTextReaderSetErrorHandler(r.reader, keep_complaint, &r);
        rc = read_nodes(&r, err);
        xmlFreeTextReader(r.reader);
    }
    buf_fini(&r.text);
    return rc;
}
