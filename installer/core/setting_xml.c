#include <limits.h>
#include <string.h>

#include <libxml/parser.h>
#include <libxml/tree.h>

#include "installer/core/setting_private.h"
#include "platform/base/text.h"

/* --------------------------------------------------------------------------------- libxml2's part
 */

struct complaint {
    bool is_there, is_of_memory;
    int line;
    char text[120];
};

static void keep_complaint(void *arg, const xmlError *e)
{
    struct complaint *c = arg;
    if (e->code == XML_ERR_NO_MEMORY)
        c->is_of_memory = true;
    if (e->level < XML_ERR_FATAL || c->is_there) /* less is about namespaces */
        return;
    struct span line = span_text(e->message == NULL ? "is not well-formed" : e->message);
    while (line.len > 0 && (line.ptr[line.len - 1] == '\n' || line.ptr[line.len - 1] == ' '))
        line.len--;
    (void)text_printable(line, c->text, sizeof(c->text));
    c->line = e->line;
    c->is_there = true;
}

static void say_nothing(void *ctx, const char *fmt, ...)
{
    UNUSED(ctx);
    UNUSED(fmt);
}

/* The handlers of the thread are the caller's program's again afterwards; these may be our own. */
struct others {
    xmlStructuredErrorFunc fn;
    xmlGenericErrorFunc generic;
    void *ctx, *generic_ctx;
};

static struct others listen_to(struct complaint *c)
{
    struct others o = { xmlStructuredError, xmlGenericError, xmlStructuredErrorContext,
                        xmlGenericErrorContext };
    /* Older releases of libxml2 have no `const` in this type. */
    xmlSetStructuredErrorFunc(c, (xmlStructuredErrorFunc)keep_complaint);
    xmlSetGenericErrorFunc(NULL, say_nothing);
    return o;
}

static void listen_no_more(const struct others *o)
{
    xmlSetStructuredErrorFunc(o->ctx, o->fn);
    xmlSetGenericErrorFunc(o->generic_ctx, o->generic);
    xmlResetLastError();
}

static enum errc complain(const struct complaint *c, struct err *err)
{
    if (c->is_of_memory)
        return err_nomem(err);
    if (!c->is_there)
        return err_set(err, E_MALFORMED, "is not well-formed XML, or empty");
    return err_set(err, E_MALFORMED, "line %d: is not well-formed XML: %s", c->line, c->text);
}

/* Caller frees *out_doc with xmlFreeDoc. */
static enum errc parse(struct span bytes, xmlDocPtr *out_doc, struct err *err)
{
    struct complaint c = { .is_there = false };
    struct others others = listen_to(&c);
    xmlDocPtr doc =
        xmlReadMemory((const char *)bytes.ptr, (int)bytes.len, NULL, NULL, XML_PARSE_NONET);
    listen_no_more(&others);
    enum errc rc = E_OK;
    if (doc == NULL || c.is_of_memory)
        rc = complain(&c, err);
    else if (doc->intSubset != NULL || doc->extSubset != NULL)
        rc = err_set(err, E_MALFORMED, "has a DOCTYPE, which may change what it says");
    else if (doc->encoding != NULL && xmlStrcasecmp(doc->encoding, BAD_CAST "UTF-8") != 0 &&
             xmlStrcasecmp(doc->encoding, BAD_CAST "US-ASCII") != 0)
        rc = err_set(err, E_UNSUPPORTED, "says that it is of another encoding than UTF-8");
    if (rc == E_OK)
        *out_doc = doc;
    else
        xmlFreeDoc(doc);
    return rc;
}

static struct span without_prefix(struct span name)
{
    const uint8_t *colon = name.len == 0 ? NULL : memchr(name.ptr, ':', name.len);
    size_t skipped = colon == NULL ? 0 : (size_t)(colon - name.ptr) + 1;
    return span_sub(name, skipped, name.len - skipped);
}

static bool is_named(const xmlChar *name, struct span part)
{
    return span_equal(without_prefix(span_text((const char *)name)), part);
}

/* What a key says: n elements, and an attribute or none. */
struct place {
    const struct span *elements;
    size_t n;
    struct span attribute; /* empty: none */
};

static enum errc read_place(const struct setting_key *key, struct place *out, struct err *err)
{
    struct span last = key->parts[key->n - 1];
    *out = (struct place){ .elements = key->parts, .n = key->n };
    if (last.ptr[0] != '@')
        return E_OK;
    out->n--;
    out->attribute = span_sub(last, 1, last.len - 1);
    if (out->n == 0 || out->attribute.len == 0)
        return err_set(err, E_ARGUMENT, "a key in XML is a/b/c or a/b/@attribute");
    return E_OK;
}

static enum errc twice(struct span name, struct err *err)
{
    char shown[80];
    return err_set(err, E_MALFORMED, "\"%s\" is there twice, so it is not clear which one counts",
                   text_printable(name, shown, sizeof(shown)));
}

/* The one node of that name in a list of them; NULL where there is none. */
static enum errc one_of(xmlNodePtr first, xmlElementType type, struct span name, xmlNodePtr *out,
                        struct err *err)
{
    *out = NULL;
    for (xmlNodePtr node = first; node != NULL; node = node->next) {
        if (node->type != type || !is_named(node->name, name))
            continue;
        if (*out != NULL)
            return twice(name, err);
        *out = node;
    }
    return E_OK;
}

/* An element, or an attribute; NULL where it is not there. */
static enum errc find_node(xmlDocPtr doc, const struct place *place, xmlNodePtr *out,
                           struct err *err)
{
    xmlNodePtr list = doc->children, node = NULL;
    for (size_t i = 0; i < place->n; i++) {
        enum errc rc = one_of(list, XML_ELEMENT_NODE, place->elements[i], &node, err);
        if (rc != E_OK)
            return rc;
        *out = node;
        if (node == NULL)
            return E_OK;
        list = node->children;
    }
    if (place->attribute.len == 0)
        return E_OK;
    return one_of((xmlNodePtr)node->properties, XML_ATTRIBUTE_NODE, place->attribute, out, err);
}

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct span trim(struct span s)
{
    while (s.len > 0 && is_space(s.ptr[0]))
        s = span_sub(s, 1, s.len - 1);
    while (s.len > 0 && is_space(s.ptr[s.len - 1]))
        s.len--;
    return s;
}

/* Nothing but text, or one CDATA. */
static enum errc check_content(xmlNodePtr node, struct err *err)
{
    size_t n_cdata = 0, n_text = 0;
    for (xmlNodePtr c = node->children; c != NULL; c = c->next) {
        if (c->type == XML_ELEMENT_NODE)
            return err_set(err, E_MALFORMED, "the key names an element with others in it");
        if (c->type != XML_TEXT_NODE && c->type != XML_CDATA_SECTION_NODE)
            return err_set(err, E_MALFORMED, "the value has a comment or the like in it");
        n_cdata += c->type == XML_CDATA_SECTION_NODE;
        n_text += c->type == XML_TEXT_NODE && c->content != NULL &&
                  trim(span_text((const char *)c->content)).len > 0;
    }
    if (n_cdata > 1 || (n_cdata == 1 && n_text > 0))
        return err_set(err, E_MALFORMED, "the value is text and CDATA together");
    return E_OK;
}

/* ------------------------------------------------------------------------------------- the scanner
 */

/* It goes over what libxml2 takes for well-formed, and knows no more than how tags end. Before
 * that, it sees to it that libxml2 is not given what makes it slow: it compares every attribute of
 * a tag, and every namespace, with all others, and words each "--" of a comment with all that is
 * before it.
 */
#define ATTRIBUTES_MAX 1000 /* of an element */
#define NAMESPACES_MAX 1000 /* declared in the document */

struct tag {
    size_t at, end; /* "<" and behind ">" */
    struct span name;
    bool is_end, is_empty;
};
struct scan {
    struct span bytes;
    size_t at;
    const char *trouble; /* why it is not for libxml2 */
};

static size_t behind(const struct scan *s, size_t at, const char *what)
{
    size_t len = strlen(what);
    while (at < s->bytes.len && s->bytes.len - at >= len) {
        const uint8_t *found = memchr(s->bytes.ptr + at, what[0], s->bytes.len - at - len + 1);
        if (found == NULL)
            break;
        at = (size_t)(found - s->bytes.ptr);
        if (memcmp(found, what, len) == 0)
            return at + len;
        at++;
    }
    return s->bytes.len;
}

static size_t behind_tag(const struct scan *s, size_t at)
{
    uint8_t quote = 0;
    for (; at < s->bytes.len; at++) {
        uint8_t c = s->bytes.ptr[at];
        if (quote == 0 && c == '>')
            return at + 1;
        if (quote == 0 && (c == '"' || c == '\''))
            quote = c;
        else if (c == quote)
            quote = 0;
    }
    return at;
}

static struct tag read_tag(const struct scan *s, size_t at)
{
    struct tag tag = { .at = at, .end = behind_tag(s, at) };
    struct span inside = span_sub(s->bytes, at + 1, tag.end - at - 1);
    if (inside.len > 0 && inside.ptr[inside.len - 1] == '>')
        inside.len--;
    tag.is_end = inside.len > 0 && inside.ptr[0] == '/';
    tag.is_empty = !tag.is_end && inside.len > 0 && inside.ptr[inside.len - 1] == '/';
    inside = span_sub(inside, tag.is_end ? 1 : 0, inside.len);
    size_t len = 0;
    while (len < inside.len && !is_space(inside.ptr[len]) && inside.ptr[len] != '/')
        len++;
    tag.name = span_sub(inside, 0, len);
    return tag;
}

/* False at the end. */
static bool next_tag(struct scan *s, struct tag *out)
{
    while (s->at < s->bytes.len && s->trouble == NULL) {
        const uint8_t *found = memchr(s->bytes.ptr + s->at, '<', s->bytes.len - s->at);
        if (found == NULL)
            break;
        size_t at = (size_t)(found - s->bytes.ptr);
        struct span rest = span_sub(s->bytes, at, s->bytes.len - at);
        if (span_starts_with(rest, span_text("<!--"))) {
            s->at = behind(s, at + 4, "--");
            if (s->at == s->bytes.len || s->bytes.ptr[s->at] != '>')
                s->trouble =
                    "is not well-formed XML: a comment with \"--\" in it, or without an end";
        } else if (span_starts_with(rest, span_text("<![CDATA["))) {
            s->at = behind(s, at + 9, "]]>");
        } else if (span_starts_with(rest, span_text("<?"))) {
            s->at = behind(s, at + 2, "?>");
        } else if (span_starts_with(rest, span_text("<!"))) {
            s->trouble = "has a DOCTYPE, which may change what it says";
        } else {
            *out = read_tag(s, at);
            s->at = out->end;
            return true;
        }
    }
    return false;
}

static bool scan_attribute(const struct scan *s, const struct tag *tag, struct span name,
                           struct region *out)
{
    size_t at = (size_t)(tag->name.ptr - s->bytes.ptr) + tag->name.len;
    while (at < tag->end) {
        while (at < tag->end && is_space(s->bytes.ptr[at]))
            at++;
        size_t name_at = at;
        while (at < tag->end && !is_space(s->bytes.ptr[at]) && s->bytes.ptr[at] != '=')
            at++;
        struct span found = span_sub(s->bytes, name_at, at - name_at);
        while (at < tag->end && s->bytes.ptr[at] != '"' && s->bytes.ptr[at] != '\'')
            at++;
        if (at >= tag->end)
            break;
        size_t value_at = at + 1;
        const uint8_t *close =
            memchr(s->bytes.ptr + value_at, s->bytes.ptr[at], tag->end - value_at);
        if (close == NULL)
            break;
        at = (size_t)(close - s->bytes.ptr) + 1;
        if (span_equal_text(found, "xmlns") || span_starts_with(found, span_text("xmlns:")))
            continue;
        if (span_equal(without_prefix(found), name)) {
            *out = (struct region){ .at = value_at, .len = at - 1 - value_at };
            return true;
        }
    }
    return false;
}

static struct region trimmed(struct span bytes, size_t at, size_t end)
{
    struct span value = trim(span_sub(bytes, at, end - at));
    if (value.len == 0)
        return (struct region){ .at = at, .len = 0 };
    return (struct region){ .at = (uint64_t)(value.ptr - bytes.ptr), .len = value.len };
}

/* What stands between the element's tags; nothing lies between but text, as libxml2 saw. */
static bool scan_content(struct scan *s, const struct tag *tag, struct region *out)
{
    struct tag close;
    if (tag->is_empty) {
        *out = (struct region){ .at = tag->end - 2, .len = 2 };
        return true;
    }
    if (!next_tag(s, &close) || !close.is_end)
        return false;
    *out = trimmed(s->bytes, tag->end, close.at);
    return true;
}

/* The first element of that place, which is the only one. */
static bool scan_place(struct span bytes, const struct place *place, struct region *out)
{
    struct scan s = { .bytes = bytes };
    struct tag tag;
    size_t depth = 0, matched = 0;
    while (next_tag(&s, &tag)) {
        if (tag.is_end) {
            depth -= depth > 0;
            matched = matched < depth ? matched : depth;
            continue;
        }
        bool is_next = matched == depth && depth < place->n &&
                       span_equal(without_prefix(tag.name), place->elements[depth]);
        if (is_next && depth + 1 == place->n)
            return place->attribute.len > 0 ? scan_attribute(&s, &tag, place->attribute, out)
                                            : scan_content(&s, &tag, out);
        if (is_next && !tag.is_empty)
            matched++;
        depth += !tag.is_empty;
    }
    return false;
}

/* ------------------------------------------------------------------------------------ the two
 * together */

static size_t count(struct span in, const char *what)
{
    struct scan s = { .bytes = in };
    size_t n = 0;
    while ((s.at = behind(&s, s.at, what)) < in.len)
        n++;
    return n;
}

/* Each has a value in quotes. */
static size_t count_attributes(struct span tag)
{
    size_t n = 0;
    uint8_t quote = 0;
    for (size_t i = 0; i < tag.len; i++) {
        uint8_t c = tag.ptr[i];
        if (quote == 0 && (c == '"' || c == '\'')) {
            quote = c;
            n++;
        } else if (c == quote) {
            quote = 0;
        }
    }
    return n;
}

static enum errc check_bytes(struct span bytes, struct err *err)
{
    struct scan s = { .bytes = bytes };
    struct tag tag;
    if (!text_is_utf8(bytes))
        return err_set(err, E_UNSUPPORTED, "is not UTF-8");
    size_t n_namespaces = 0;
    while (next_tag(&s, &tag)) {
        struct span inside = span_sub(bytes, tag.at, tag.end - tag.at);
        if (count_attributes(inside) > ATTRIBUTES_MAX)
            return err_set(err, E_LIMIT, "an element with more than %d attributes", ATTRIBUTES_MAX);
        n_namespaces += count(inside, "xmlns");
    }
    if (s.trouble != NULL)
        return err_set(err, E_MALFORMED, "%s", s.trouble);
    if (n_namespaces > NAMESPACES_MAX)
        return err_set(err, E_LIMIT, "more than %d namespaces", NAMESPACES_MAX);
    return E_OK;
}

/* What libxml2 reads where nothing but the value, as it is written, is in an element or attribute.
 */
static enum errc read_alone(struct span bytes, struct region at, bool is_attribute,
                            xmlChar **out_text, struct err *err)
{
    struct buf b;
    xmlDocPtr doc = NULL;
    struct span raw = span_sub(bytes, (size_t)at.at, (size_t)at.len);
    struct span quote = is_attribute ? span_sub(bytes, (size_t)at.at - 1, 1) : span_of(NULL, 0);
    buf_init(&b, raw.len + 32);
    enum errc rc = buf_add_text(&b, is_attribute ? "<v a=" : "<v>", err);
    if (rc == E_OK)
        rc = buf_add(&b, quote, err);
    if (rc == E_OK)
        rc = buf_add(&b, raw, err);
    if (rc == E_OK)
        rc = buf_add(&b, quote, err);
    if (rc == E_OK)
        rc = buf_add_text(&b, is_attribute ? "/>" : "</v>", err);
    if (rc == E_OK)
        rc = parse(buf_span(&b), &doc, err);
    if (rc == E_OK) {
        *out_text =
            xmlNodeGetContent(is_attribute ? (xmlNodePtr)doc->children->properties : doc->children);
        rc = *out_text == NULL ? err_nomem(err) : E_OK;
        xmlFreeDoc(doc);
    }
    buf_fini(&b);
    return rc;
}

static enum errc differ(struct err *err)
{
    return err_set(err, E_MALFORMED, "the value can't be found where it is written");
}

/* libxml2's value of the node, and what stands at the place that the scanner found. */
static enum errc take_value(struct span bytes, xmlNodePtr node, bool is_attribute,
                            struct setting_found *out, struct err *err)
{
    xmlChar *whole = xmlNodeGetContent(node), *alone = NULL;
    bool is_empty_tag = !is_attribute && out->at.len == 2 && node->children == NULL;
    enum errc rc = whole == NULL ? err_nomem(err) : E_OK;
    if (rc == E_OK && !is_empty_tag)
        rc = read_alone(bytes, out->at, is_attribute, &alone, err);
    if (rc == E_MALFORMED)
        rc = differ(err);
    struct span read = span_text(is_empty_tag || rc != E_OK ? "" : (const char *)alone);
    struct span meant = span_text(rc != E_OK ? "" : (const char *)whole);
    if (rc == E_OK &&
        (is_attribute ? !span_equal(read, meant) : !span_equal(trim(read), trim(meant))))
        rc = differ(err);
    if (rc == E_OK)
        rc = setting_put_text(out, read, err);
    xmlFree(whole);
    xmlFree(alone);
    return rc;
}

static enum errc find_in(xmlDocPtr doc, struct span bytes, const struct place *place,
                         struct setting_found *out, struct err *err)
{
    xmlNodePtr node = NULL;
    bool is_attribute = place->attribute.len > 0;
    enum errc rc = find_node(doc, place, &node, err);
    if (rc != E_OK || node == NULL)
        return rc;
    if (!is_attribute)
        rc = check_content(node, err);
    if (rc != E_OK)
        return rc;
    if (!scan_place(bytes, place, &out->at))
        return differ(err);
    return take_value(bytes, node, is_attribute, out, err);
}

static enum errc xml_find(struct span bytes, const struct setting_key *key,
                          struct setting_found *out, struct err *err)
{
    struct complaint c = { .is_there = false };
    struct place place;
    xmlDocPtr doc = NULL;
    enum errc rc = read_place(key, &place, err);
    if (rc == E_OK)
        rc = check_bytes(bytes, err);
    if (rc != E_OK)
        return rc;
    struct others others = listen_to(&c);
    rc = parse(bytes, &doc, err);
    if (rc == E_OK)
        rc = find_in(doc, bytes, &place, out, err);
    xmlFreeDoc(doc);
    listen_no_more(&others);
    return c.is_of_memory ? err_nomem(err) : rc;
}

/* --------------------------------------------------------------------------------------------
 * writing */

static enum errc write_escaped(const char *value, struct buf *out, struct err *err)
{
    enum errc rc = E_OK;
    for (size_t i = 0; value[i] != '\0' && rc == E_OK; i++) {
        uint8_t c = (uint8_t)value[i];
        bool is_edge = i == 0 || value[i + 1] == '\0';
        if (strchr("&<>\"'\t\r\n", c) != NULL || (c == ' ' && is_edge))
            rc = buf_printf(out, err, "&#%u;", c);
        else
            rc = buf_add_byte(out, c, err);
    }
    return rc;
}

/* "<a x='1'/>" becomes "<a x='1'>value</a>". */
static enum errc write_into_empty(struct span bytes, const struct setting_found *old,
                                  const char *value, struct buf *out, struct err *err)
{
    size_t at = (size_t)old->at.at;
    while (at > 0 && bytes.ptr[at] != '<')
        at--;
    struct tag tag = read_tag(&(struct scan){ .bytes = bytes }, at);
    enum errc rc = buf_add_byte(out, '>', err);
    if (rc == E_OK)
        rc = write_escaped(value, out, err);
    if (rc == E_OK)
        rc = buf_add_text(out, "</", err);
    if (rc == E_OK)
        rc = buf_add(out, tag.name, err);
    return rc == E_OK ? buf_add_byte(out, '>', err) : rc;
}

static enum errc xml_write(struct span bytes, const struct setting_found *old, const char *value,
                           struct buf *out, struct err *err)
{
    struct span written = span_sub(bytes, (size_t)old->at.at, (size_t)old->at.len);
    if (old->text[0] == '\0' && span_equal_text(written, "/>"))
        return write_into_empty(bytes, old, value, out, err);
    return write_escaped(value, out, err);
}

/* The document without the value, as libxml2 writes it. Caller frees with xmlFree. */
static enum errc dump_without(struct span bytes, const struct place *place, xmlChar **out,
                              int *out_len, struct err *err)
{
    xmlDocPtr doc = NULL;
    xmlNodePtr node = NULL;
    enum errc rc = parse(bytes, &doc, err);
    if (rc != E_OK)
        return rc;
    rc = find_node(doc, place, &node, err);
    if (rc == E_OK && node == NULL)
        rc = differ(err);
    if (rc == E_OK) {
        xmlNodeSetContent(node, BAD_CAST "");
        xmlDocDumpMemory(doc, out, out_len);
        rc = *out == NULL ? err_nomem(err) : E_OK;
    }
    xmlFreeDoc(doc);
    return rc;
}

static enum errc xml_compare(struct span before, struct span after, const struct setting_key *key,
                             const char *value, struct err *err)
{
    struct place place;
    xmlChar *old = NULL, *new = NULL;
    int old_len = 0, new_len = 0;
    struct complaint c = { .is_there = false };
    UNUSED(value);
    enum errc rc = read_place(key, &place, err);
    struct others others = listen_to(&c);
    if (rc == E_OK)
        rc = dump_without(before, &place, &old, &old_len, err);
    if (rc == E_OK)
        rc = dump_without(after, &place, &new, &new_len, err);
    if (rc == E_OK && !span_equal(span_of(old, (size_t)old_len), span_of(new, (size_t)new_len)))
        rc = err_set(err, E_MALFORMED, "with the new value the rest would be read otherwise");
    xmlFree(old);
    xmlFree(new);
    listen_no_more(&others);
    return c.is_of_memory ? err_nomem(err) : rc;
}

const struct setting_format_ops setting_xml_ops = { .find = xml_find,
                                                    .write = xml_write,
                                                    .compare = xml_compare };
