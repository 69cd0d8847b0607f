#include "manifest/xml.h"

#include <limits.h>
#include <string.h>

#include <libxml/xmlreader.h>

#include "manifest/markup.h"
#include "platform/base/buf.h"
#include "platform/base/text.h"

struct reading {
    xmlTextReaderPtr reader;
    const struct xml_handler *handler;
    void *ctx;
    struct buf text;
    struct markup scan;                /* past the newest start tag */
    int line;                          /* where what is being read begins */
    int lines[XML_DEPTH_MAX];          /* the same of the elements that are open */
    bool has_child[XML_DEPTH_MAX + 1]; /* an element at this depth has an element inside */
    struct {
        bool is_there, is_of_memory;
        int line;
        char text[160]; /* libxml2's own words, the first of them */
    } complaint;
};

static void keep_complaint(void *arg, const xmlError *e)
{
    struct reading *r = arg;
    if (e->code == XML_ERR_NO_MEMORY)
        r->complaint.is_of_memory = true;
    if (e->level < XML_ERR_ERROR || r->complaint.is_there)
        return;
    struct span line = span_text(e->message == NULL ? "is not well-formed XML" : e->message);
    while (line.len > 0 && (line.ptr[line.len - 1] == '\n' || line.ptr[line.len - 1] == ' '))
        line.len--;
    (void)text_printable(line, r->complaint.text, sizeof(r->complaint.text));
    r->complaint.line = e->line;
    r->complaint.is_there = true;
}

static enum errc complain(const struct reading *r, struct err *err)
{
    if (r->complaint.is_of_memory)
        return err_nomem(err);
    if (!r->complaint.is_there)
        return err_set(err, E_MALFORMED, "line %d: is not well-formed XML", r->scan.line);
    return err_set(err, E_MALFORMED, "line %d: is not well-formed XML: %s", r->complaint.line,
                   r->complaint.text);
}

/* is_plain: our documents know ASCII names alone, and what else is in a name never reaches a
 * message. */
static bool is_plain(const char *name)
{
    for (size_t i = 0; name[i] != '\0'; i++)
        if (name[i] <= ' ' || name[i] > '~')
            return false;
    return true;
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
        if (!is_plain(name))
            return err_set(err, E_MALFORMED, "an attribute whose name is not of ASCII letters");
        if (strchr(name, ':') != NULL)
            return err_set(err, E_MALFORMED, "an attribute of another namespace, \"%.60s\"", name);
        if (n == XML_ATTRS_MAX)
            return err_set(err, E_LIMIT, "an element with more than %d attributes", XML_ATTRS_MAX);
        attrs[n++] = (struct xml_attr){ name, value };
    }
    (void)xmlTextReaderMoveToElement(r->reader);
    *out_n = n;
    return E_OK;
}

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct span trim(struct span text)
{
    while (text.len > 0 && is_space(text.ptr[0]))
        text = span_sub(text, 1, text.len);
    while (text.len > 0 && is_space(text.ptr[text.len - 1]))
        text.len--;
    return text;
}

static enum errc end_element(struct reading *r, const char *name, int depth, struct err *err)
{
    if (name == NULL || depth < 0 || depth >= XML_DEPTH_MAX)
        return err_nomem(err);
    r->line = r->lines[depth];
    struct span text = trim(buf_span(&r->text));
    if (r->has_child[depth] && text.len > 0)
        return err_set(err, E_MALFORMED, "text between the elements of <%.60s>", name);
    /* The NUL goes over the first byte after the text, or into the byte that buf_add_byte makes. */
    size_t begins_at = text.len == 0 ? 0 : (size_t)(text.ptr - r->text.ptr);
    enum errc rc = buf_add_byte(&r->text, '\0', err);
    if (rc != E_OK)
        return rc;
    r->text.ptr[begins_at + text.len] = '\0';
    rc = r->handler->end(r->ctx, name, (const char *)r->text.ptr + begins_at, r->line, err);
    buf_clear(&r->text);
    return rc;
}

/* begin_element enters `depth`, and knows its line. */
static enum errc begin_element(struct reading *r, int depth, struct err *err)
{
    enum errc rc = markup_next_tag(&r->scan, &r->line, err);
    if (rc != E_OK)
        return rc;
    if (depth < 0 || depth >= XML_DEPTH_MAX)
        return err_set(err, E_LIMIT, "elements nested more than %d deep", XML_DEPTH_MAX);
    r->lines[depth] = r->line;
    if (depth > 0)
        r->has_child[depth - 1] = true;
    r->has_child[depth] = false;
    return E_OK;
}

static enum errc start_element(struct reading *r, int depth, struct err *err)
{
    struct xml_attr attrs[XML_ATTRS_MAX];
    struct xml_element element = { .attrs = attrs, .line = r->lines[depth] };
    int is_empty = xmlTextReaderIsEmptyElement(r->reader);
    element.name = (const char *)xmlTextReaderConstLocalName(r->reader);
    element.ns = (const char *)xmlTextReaderConstNamespaceUri(r->reader);
    if (element.name == NULL)
        return err_nomem(err);
    if (element.ns == NULL)
        element.ns = "";
    if (!is_plain(element.name))
        return err_set(err, E_MALFORMED, "an element whose name is not of ASCII letters");
    if (trim(buf_span(&r->text)).len > 0)
        return err_set(err, E_MALFORMED, "text before <%.60s>, between elements", element.name);
    buf_clear(&r->text);
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
    if (text == NULL)
        return err_nomem(err);
    return buf_add_text(&r->text, text, err);
}

static enum errc read_node(struct reading *r, int depth, struct err *err)
{
    enum errc rc;
    r->line = r->scan.line;
    switch (xmlTextReaderNodeType(r->reader)) {
    case XML_READER_TYPE_ELEMENT:
        rc = begin_element(r, depth, err);
        return rc == E_OK ? start_element(r, depth, err) : rc;
    case XML_READER_TYPE_END_ELEMENT:
        return end_element(r, (const char *)xmlTextReaderConstLocalName(r->reader), depth, err);
    case XML_READER_TYPE_TEXT:
    case XML_READER_TYPE_CDATA:
    case XML_READER_TYPE_WHITESPACE:
    case XML_READER_TYPE_SIGNIFICANT_WHITESPACE: return add_text(r, err);
    case XML_READER_TYPE_COMMENT: return E_OK;
    default:
        return err_set(err, E_MALFORMED,
                       "an entity or another part that these documents do not have");
    }
}

static enum errc check_declared(const struct reading *r, struct err *err)
{
    const xmlChar *encoding = xmlTextReaderConstEncoding(r->reader);
    if (encoding != NULL && xmlStrcasecmp(encoding, BAD_CAST "UTF-8") != 0)
        return err_set(err, E_MALFORMED,
                       "line 1: says that it is of another encoding; these documents are UTF-8");
    return E_OK;
}

static enum errc read_nodes(struct reading *r, struct err *err)
{
    int more;
    bool is_first = true;
    while ((more = xmlTextReaderRead(r->reader)) == 1 && !r->complaint.is_of_memory) {
        enum errc rc = is_first ? check_declared(r, err) : E_OK;
        if (rc != E_OK)
            return rc;
        is_first = false;
        rc = read_node(r, xmlTextReaderDepth(r->reader), err);
        if (rc != E_OK)
            return err_prefix(err, "line %d: ", r->line);
    }
    return more != 0 || r->complaint.is_there || r->complaint.is_of_memory ? complain(r, err)
                                                                           : E_OK;
}

/* What libxml2 says beside its structured errors, "malloc failed" and the like, is said by us. */
static void say_nothing(void *ctx, const char *fmt, ...)
{
    UNUSED(ctx);
    UNUSED(fmt);
}

static enum errc read_reader(struct reading *r, struct span bytes, xmlStructuredErrorFunc keep,
                             struct err *err)
{
    r->reader = xmlReaderForMemory((const char *)bytes.ptr, (int)bytes.len, NULL, "UTF-8",
                                   XML_PARSE_NONET | XML_PARSE_COMPACT);
    if (r->reader == NULL)
        return err_nomem(err);
    xmlTextReaderSetStructuredErrorHandler(r->reader, keep, r);
    enum errc rc = read_nodes(r, err);
    xmlFreeTextReader(r->reader);
    return rc;
}

/* read_all keeps libxml2's complaints to itself, those of the parser and those of the thread, whose
 * handlers are the caller's program's again afterwards. */
static enum errc read_all(struct reading *r, struct span bytes, struct err *err)
{
    /* Older releases of libxml2 have no `const` in this type. */
    xmlStructuredErrorFunc keep = (xmlStructuredErrorFunc)keep_complaint;
    xmlStructuredErrorFunc others = xmlStructuredError;
    xmlGenericErrorFunc others_generic = xmlGenericError;
    void *others_ctx = xmlStructuredErrorContext, *others_generic_ctx = xmlGenericErrorContext;
    xmlSetStructuredErrorFunc(r, keep);
    xmlSetGenericErrorFunc(NULL, say_nothing);
    enum errc rc = read_reader(r, bytes, keep, err);
    xmlSetStructuredErrorFunc(others_ctx, others);
    xmlSetGenericErrorFunc(others_generic_ctx, others_generic);
    xmlResetLastError();
    return rc;
}

enum errc xml_read(struct span bytes, size_t cap, const struct xml_handler *handler, void *ctx,
                   struct err *err)
{
    struct reading r = { .handler = handler, .ctx = ctx, .scan = markup_begin(bytes) };
    if (bytes.len > cap || bytes.len > INT_MAX)
        return err_set(err, E_LIMIT, "%zu bytes of XML, the limit is %zu", bytes.len, cap);
    if (bytes.len == 0)
        return err_set(err, E_MALFORMED, "line 1: is empty, no document");
    enum errc rc = markup_check_encoding(bytes, err);
    if (rc == E_OK)
        rc = markup_check_tags(bytes, err);
    if (rc != E_OK)
        return rc;
    buf_init(&r.text, XML_TEXT_MAX + 1);
    rc = read_all(&r, bytes, err);
    buf_fini(&r.text);
    return rc;
}
