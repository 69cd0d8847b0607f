#include <string.h>

#include "installer/core/setting_private.h"
#include "platform/base/text.h"

/* A line as it stands. `body` has no space around it. */
struct line {
    size_t number;
    struct span body;
    size_t body_at; /* in the file */
    size_t indent;
    bool goes_on; /* it ends in a backslash */
};

struct ini {
    struct span bytes;
    size_t at, n_lines;
    struct span section, name; /* what is looked for */
    bool is_inside;            /* in the section that is looked for */
    bool section_seen;
    bool before_goes_on; /* the line before this one ended in a backslash */
    size_t key_indent;   /* of the newest line with a key, SIZE_MAX: none in this section */
    bool last_is_ours;   /* the newest line with a key is the one that was found */
};

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t';
}

static struct span trim(struct span s, size_t *at)
{
    while (s.len > 0 && is_blank(s.ptr[0])) {
        s = span_sub(s, 1, s.len - 1);
        *at += 1;
    }
    while (s.len > 0 && is_blank(s.ptr[s.len - 1]))
        s.len--;
    return s;
}

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

static bool is_same_word(struct span a, struct span b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (lower(a.ptr[i]) != lower(b.ptr[i]))
            return false;
    return true;
}

static enum errc unclear(const struct line *line, struct err *err, const char *why)
{
    return err_set(err, E_MALFORMED, "line %zu: %s", line->number, why);
}

/* False at the end. */
static bool next_line(struct ini *f, struct line *out)
{
    struct span rest = span_sub(f->bytes, f->at, f->bytes.len - f->at);
    if (rest.len == 0)
        return false;
    const uint8_t *end = memchr(rest.ptr, '\n', rest.len);
    size_t len = end == NULL ? rest.len : (size_t)(end - rest.ptr);
    struct span raw = span_sub(rest, 0, len);
    if (end != NULL && raw.len > 0 && raw.ptr[raw.len - 1] == '\r')
        raw.len--;
    *out = (struct line){ .number = ++f->n_lines, .body_at = f->at };
    out->body = trim(raw, &out->body_at);
    out->indent = out->body_at - f->at;
    out->goes_on = raw.len > 0 && raw.ptr[raw.len - 1] == '\\';
    f->at += len + (end != NULL);
    return true;
}

static enum errc take_section(struct ini *f, const struct line *line, struct err *err)
{
    size_t at = 0;
    const uint8_t *close = memchr(line->body.ptr, ']', line->body.len);
    if (close == NULL || close + 1 != line->body.ptr + line->body.len)
        return unclear(line, err, "a section's name is not between [ and ], or more follows");
    struct span name = span_sub(line->body, 1, line->body.len - 2);
    bool was_inside = f->is_inside;
    f->is_inside = false;
    f->key_indent = SIZE_MAX;
    f->last_is_ours = false;
    bool is_ours = f->section.len > 0 && is_same_word(trim(name, &at), f->section);
    if ((was_inside || is_ours) && line->indent > 0)
        return unclear(line, err,
                       "a section that stands deeper may be the end of a value above it");
    if (!is_ours)
        return E_OK;
    if (!span_equal(name, f->section))
        return unclear(line, err, "the section is written otherwise: mend its case and spaces");
    if (f->section_seen)
        return unclear(line, err, "the section is there twice");
    if (f->before_goes_on)
        return unclear(line, err, "the line before the section ends in a backslash");
    f->is_inside = f->section_seen = true;
    return E_OK;
}

/* Where the name ends: at the first "=", else at the first ":". */
static size_t find_separator(struct span body)
{
    const uint8_t *at = memchr(body.ptr, '=', body.len);
    if (at == NULL)
        at = memchr(body.ptr, ':', body.len);
    return at == NULL ? body.len : (size_t)(at - body.ptr);
}

/* The other reading of "a: b = c": its name is "a". */
static bool is_other_reading(const struct ini *f, struct span body, size_t separator)
{
    size_t at = 0;
    const uint8_t *colon = memchr(body.ptr, ':', separator);
    return colon != NULL &&
           is_same_word(trim(span_sub(body, 0, (size_t)(colon - body.ptr)), &at), f->name);
}

static const char *why_not_plain(struct span value)
{
    for (size_t i = 0; i < value.len; i++) {
        uint8_t c = value.ptr[i];
        if ((c < ' ' && c != '\t') || c == 0x7F)
            return "the value has a control character";
        if (c == '"' || c == '\'')
            if (i == 0 || i + 1 == value.len)
                return "the value has a quote at one end alone";
        if ((c == '#' || c == ';') && (i == 0 || is_blank(value.ptr[i - 1])))
            return "the value may end before a comment, or not";
    }
    return NULL;
}

static const char *why_not_quoted(struct span inner, uint8_t quote)
{
    for (size_t i = 0; i < inner.len; i++) {
        uint8_t c = inner.ptr[i];
        if ((c < ' ' && c != '\t') || c == 0x7F)
            return "the value has a control character";
        if (c == quote || c == '\\')
            return "the value has a quote or a backslash between its quotes";
    }
    return NULL;
}

static bool is_quoted(struct span value)
{
    return value.len >= 2 && (value.ptr[0] == '"' || value.ptr[0] == '\'') &&
           value.ptr[value.len - 1] == value.ptr[0];
}

static enum errc take_value(const struct line *line, size_t separator, struct setting_found *out,
                            struct err *err)
{
    size_t at = line->body_at + separator + 1, written_at = at;
    struct span value = trim(span_sub(line->body, separator + 1, line->body.len), &at);
    struct span inner = is_quoted(value) ? span_sub(value, 1, value.len - 2) : value;
    const char *why = is_quoted(value) ? why_not_quoted(inner, value.ptr[0]) : why_not_plain(value);
    if (why != NULL)
        return unclear(line, err, why);
    out->at = (struct region){ .at = value.len == 0 ? written_at : at, .len = value.len };
    return setting_put_text(out, inner, err);
}

/* A line in the section that is looked for, and it is no comment. */
static enum errc take_line(struct ini *f, const struct line *line, struct setting_found *out,
                           struct err *err)
{
    size_t at = 0, separator = find_separator(line->body);
    struct span name = trim(span_sub(line->body, 0, separator), &at);
    bool may_go_on = f->key_indent != SIZE_MAX && line->indent > f->key_indent;
    bool is_ours = is_same_word(name, f->name);
    if (f->last_is_ours && may_go_on)
        return unclear(line, err, "the value may go on in this line, which stands deeper");
    if (is_other_reading(f, line->body, separator))
        return unclear(line, err, "the name may end at \":\" or at \"=\"");
    if (!may_go_on) {
        f->key_indent = line->indent;
        f->last_is_ours = is_ours;
    }
    if (!is_ours)
        return E_OK;
    if (!span_equal(name, f->name))
        return unclear(line, err, "the name is written otherwise: mend its case");
    if (out->is_found)
        return unclear(line, err, "the name is there twice");
    if (separator == line->body.len)
        return unclear(line, err, "the name stands without a value");
    if (may_go_on)
        return unclear(line, err, "this may be the end of a value above it, as it stands deeper");
    if (f->before_goes_on || line->goes_on)
        return unclear(line, err, "the value or the line before it ends in a backslash");
    return take_value(line, separator, out, err);
}

static enum errc check_line(const struct line *line, struct err *err)
{
    if (memchr(line->body.ptr, '\r', line->body.len) != NULL)
        return unclear(line, err, "a carriage return that ends no line");
    return E_OK;
}

static enum errc read_lines(struct ini *f, struct setting_found *out, struct err *err)
{
    struct line line;
    while (next_line(f, &line)) {
        enum errc rc = line.body.len == 0 ? E_OK : check_line(&line, err);
        bool is_comment = line.body.len == 0 || line.body.ptr[0] == '#' || line.body.ptr[0] == ';';
        if (rc == E_OK && !is_comment)
            rc = line.body.ptr[0] == '[' ? take_section(f, &line, err)
                 : f->is_inside          ? take_line(f, &line, out, err)
                                         : E_OK;
        if (rc != E_OK)
            return rc;
        f->before_goes_on = line.goes_on;
    }
    return E_OK;
}

/* All parts but the last are the section, with the "/" between them. */
static enum errc ini_find(struct span bytes, const struct setting_key *key,
                          struct setting_found *out, struct err *err)
{
    struct ini f = { .bytes = bytes, .at = setting_mark_len(bytes), .key_indent = SIZE_MAX };
    const struct span *last = &key->parts[key->n - 1];
    f.name = *last;
    if (key->n > 1)
        f.section = span_of(key->parts[0].ptr, (size_t)(last->ptr - key->parts[0].ptr) - 1);
    else
        f.is_inside = true;
    return read_lines(&f, out, err);
}

static enum errc ini_write(struct span bytes, const struct setting_found *old, const char *value,
                           struct buf *out, struct err *err)
{
    struct span written = span_sub(bytes, (size_t)old->at.at, (size_t)old->at.len);
    struct span quote = span_sub(written, 0, is_quoted(written) ? 1 : 0);
    enum errc rc = buf_add(out, quote, err);
    if (rc == E_OK)
        rc = buf_add_text(out, value, err);
    return rc == E_OK ? buf_add(out, quote, err) : rc;
}

const struct setting_format_ops setting_ini_ops = { .find = ini_find, .write = ini_write };
