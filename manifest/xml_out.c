#include "manifest/xml_out.h"

#include <inttypes.h>
#include <stdio.h>

#include "platform/base/text.h"

#define SHOWN 80

void xml_out_init(struct xml_out *x, struct buf *to)
{
    *x = (struct xml_out){ .to = to };
    x->rc = buf_add_text(to, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n", &x->err);
}

static void put(struct xml_out *x, const char *text)
{
    if (x->rc == E_OK)
        x->rc = buf_add_text(x->to, text, &x->err);
}

static void put_indent(struct xml_out *x, size_t depth)
{
    for (size_t i = 0; i < depth; i++)
        put(x, "  ");
}

/* A character that XML forbids, or that a reader is allowed to change. */
static bool is_control(uint32_t code)
{
    return code < 0x20 || (code >= 0x7F && code <= 0x9F) || code == 0x2028 || code == 0x2029 ||
           code == 0xFFFE || code == 0xFFFF;
}

static const char *escape_of(uint32_t code)
{
    switch (code) {
    case '&': return "&amp;";
    case '<': return "&lt;";
    case '>': return "&gt;";
    case '"': return "&quot;";
    default: return NULL;
    }
}

static enum errc refuse(const struct xml_out *x, const char *what, struct span value,
                        struct err *err)
{
    char shown[SHOWN];
    return err_set(err, E_MALFORMED, "<%s>: \"%s\" %s", x->names[x->depth - 1],
                   text_printable(value, shown, sizeof(shown)), what);
}

/* Runs without anything to escape are added as they are. */
static enum errc add_escaped(struct xml_out *x, struct span value, struct err *err)
{
    enum errc rc = E_OK;
    size_t from = 0;
    for (size_t at = 0, n; at < value.len && rc == E_OK; at += n) {
        uint32_t code;
        n = text_utf8_next(span_sub(value, at, value.len), &code);
        if (n == 0)
            return refuse(x, "is no UTF-8", value, err);
        if (is_control(code))
            return refuse(x, "has a control character", value, err);
        const char *escape = escape_of(code);
        if (escape == NULL)
            continue;
        rc = buf_add(x->to, span_sub(value, from, at - from), err);
        if (rc == E_OK)
            rc = buf_add_text(x->to, escape, err);
        from = at + n;
    }
    return rc == E_OK ? buf_add(x->to, span_sub(value, from, value.len - from), err) : rc;
}

/* Was an element just opened, so that its tag takes attributes, or its text? */
static bool is_tag_open(struct xml_out *x)
{
    if (x->rc == E_OK && !x->is_tag_open)
        x->rc = err_set(&x->err, E_INTERNAL, "an attribute or a text where no element was opened");
    return x->rc == E_OK;
}

static void close_tag(struct xml_out *x)
{
    if (x->is_tag_open)
        put(x, ">\n");
    x->is_tag_open = false;
}

void xml_out_start(struct xml_out *x, const char *name)
{
    close_tag(x);
    if (x->rc == E_OK && x->depth == XML_OUT_DEPTH_MAX)
        x->rc = err_set(&x->err, E_INTERNAL, "elements more than %d deep", XML_OUT_DEPTH_MAX);
    if (x->rc != E_OK)
        return;
    put_indent(x, x->depth);
    put(x, "<");
    put(x, name);
    x->names[x->depth++] = name;
    x->is_tag_open = true;
    x->has_text = false;
}

void xml_out_end(struct xml_out *x)
{
    if (x->rc == E_OK && x->depth == 0)
        x->rc = err_set(&x->err, E_INTERNAL, "no element is open");
    if (x->rc != E_OK)
        return;
    const char *name = x->names[--x->depth];
    if (x->is_tag_open) {
        put(x, "/>\n");
    } else {
        if (!x->has_text)
            put_indent(x, x->depth);
        put(x, "</");
        put(x, name);
        put(x, ">\n");
    }
    x->is_tag_open = x->has_text = false;
}

void xml_out_attr(struct xml_out *x, const char *name, struct span value)
{
    if (!is_tag_open(x))
        return;
    put(x, " ");
    put(x, name);
    put(x, "=\"");
    if (x->rc == E_OK)
        x->rc = add_escaped(x, value, &x->err);
    put(x, "\"");
}

void xml_out_attr_text(struct xml_out *x, const char *name, const char *value)
{
    xml_out_attr(x, name, span_text(value));
}

void xml_out_attr_number(struct xml_out *x, const char *name, uint64_t value)
{
    char text[24];
    (void)snprintf(text, sizeof(text), "%" PRIu64, value);
    xml_out_attr_text(x, name, text);
}

void xml_out_attr_time(struct xml_out *x, const char *name, int64_t unix_s)
{
    char text[32];
    xml_out_attr_text(x, name, text_format_time(unix_s, text));
}

void xml_out_attr_hex(struct xml_out *x, const char *name, struct span bytes)
{
    char text[TEXT_HEX_LEN(64)];
    if (x->rc == E_OK && bytes.len > 64)
        x->rc = err_set(&x->err, E_INTERNAL, "more than 64 bytes of hex");
    if (x->rc == E_OK)
        xml_out_attr_text(x, name, text_to_hex(bytes, text));
}

static bool has_space_around(struct span text)
{
    return text.len > 0 && (text.ptr[0] == ' ' || text.ptr[text.len - 1] == ' ');
}

void xml_out_text(struct xml_out *x, struct span text)
{
    if (!is_tag_open(x))
        return;
    if (has_space_around(text)) {
        x->rc = refuse(x, "has spaces around it", text, &x->err);
        return;
    }
    put(x, ">");
    if (x->rc == E_OK)
        x->rc = add_escaped(x, text, &x->err);
    x->is_tag_open = false;
    x->has_text = true;
}

enum errc xml_out_finish(struct xml_out *x, struct err *err)
{
    if (x->rc == E_OK && x->depth != 0)
        x->rc = err_set(&x->err, E_INTERNAL, "<%s> was left open", x->names[x->depth - 1]);
    if (x->rc != E_OK && err != NULL)
        *err = x->err;
    return x->rc;
}
