#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "installer/core/setting_private.h"
#include "platform/base/text.h"

/* --------------------------------------------------------------------------------- jansson's part
 */

/* All numbers as reals, so that one past 64 bits elsewhere does no harm: what a number says is how
 * it is written. */
#define FLAGS (JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL)

static json_t *load_one(struct span bytes, size_t flags)
{
    json_error_t e;
    return json_loadb((const char *)bytes.ptr, bytes.len, flags, &e);
}

/* Caller ends it with json_decref. */
static enum errc parse(struct span bytes, json_t **out, struct err *err)
{
    json_error_t e;
    char shown[120];
    *out = json_loadb(bytes.len == 0 ? "" : (const char *)bytes.ptr, bytes.len, FLAGS, &e);
    if (*out != NULL)
        return E_OK;
    if (e.text[0] == '\0' || json_error_code(&e) == json_error_out_of_memory)
        return err_nomem(err); /* all else has words */
    return err_set(err, E_MALFORMED, "line %d: is not JSON, or has a name twice: %s", e.line,
                   text_printable(span_text(e.text), shown, sizeof(shown)));
}

static void *find_name(json_t *object, struct span name)
{
    void *at = json_object_iter(object);
    while (at != NULL && !span_equal_text(name, json_object_iter_key(at)))
        at = json_object_iter_next(object, at);
    return at;
}

static json_t *get(json_t *in, struct span part)
{
    size_t i;
    if (json_is_object(in))
        return json_object_iter_value(find_name(in, part));
    return json_is_array(in) && setting_part_index(part, &i) ? json_array_get(in, i) : NULL;
}

static json_t *get_first(json_t *in, const struct setting_key *key, size_t n)
{
    for (size_t i = 0; i < n && in != NULL; i++)
        in = get(in, key->parts[i]);
    return in;
}

/* ------------------------------------------------------------------------------------- the scanner
 */

/* It goes over what jansson takes for JSON, and knows no more than where a value ends. */
struct scan {
    struct span bytes;
    size_t at;
};

static uint8_t peek(const struct scan *s)
{
    return s->at < s->bytes.len ? s->bytes.ptr[s->at] : 0;
}

static void skip_space(struct scan *s)
{
    while (peek(s) == ' ' || peek(s) == '\t' || peek(s) == '\r' || peek(s) == '\n')
        s->at++;
}

static void skip_string(struct scan *s)
{
    for (s->at++; s->at < s->bytes.len && peek(s) != '"'; s->at++)
        if (peek(s) == '\\')
            s->at++;
    s->at++;
}

static void skip_containers(struct scan *s)
{
    size_t depth = 0;
    do {
        uint8_t c = peek(s);
        if (c == '"') {
            skip_string(s);
            continue;
        }
        depth += c == '{' || c == '[';
        depth -= c == '}' || c == ']';
        s->at++;
    } while (depth > 0 && s->at < s->bytes.len);
}

static struct span skip_value(struct scan *s)
{
    size_t start = s->at;
    if (peek(s) == '"')
        skip_string(s);
    else if (peek(s) == '{' || peek(s) == '[')
        skip_containers(s);
    else
        while (s->at < s->bytes.len && strchr(",]} \t\r\n", peek(s)) == NULL)
            s->at++;
    if (s->at > s->bytes.len)
        s->at = s->bytes.len;
    return span_sub(s->bytes, start, s->at - start);
}

/* A name as it is written, with its quotes. */
static bool is_name(struct span written, struct span name)
{
    if (memchr(written.ptr, '\\', written.len) == NULL)
        return written.len >= 2 && span_equal(span_sub(written, 1, written.len - 2), name);
    json_t *text = load_one(written, JSON_DECODE_ANY);
    bool is = json_is_string(text) && span_equal_text(name, json_string_value(text));
    json_decref(text);
    return is;
}

/* Goes to the value of one part of the key, inside the object or array that begins here. */
static bool enter(struct scan *s, struct span part)
{
    bool is_object = peek(s) == '{';
    size_t index = 0, wanted = 0;
    if (!is_object && (peek(s) != '[' || !setting_part_index(part, &wanted)))
        return false;
    do {
        bool is_it = index++ == wanted;
        s->at++; /* the bracket, or the comma */
        skip_space(s);
        if (peek(s) == '}' || peek(s) == ']')
            return false;
        if (is_object) {
            is_it = is_name(skip_value(s), part);
            skip_space(s);
            s->at++; /* ":" */
            skip_space(s);
        }
        if (is_it)
            return s->at < s->bytes.len;
        (void)skip_value(s);
        skip_space(s);
    } while (peek(s) == ',');
    return false;
}

static bool scan_key(struct span bytes, const struct setting_key *key, struct region *out)
{
    struct scan s = { .bytes = bytes };
    skip_space(&s);
    for (size_t i = 0; i < key->n; i++)
        if (!enter(&s, key->parts[i]))
            return false;
    out->at = s.at;
    out->len = skip_value(&s).len;
    return out->len > 0;
}

/* ------------------------------------------------------------------------------------ the two
 * together */

static struct span without_mark(struct span bytes)
{
    size_t n = setting_mark_len(bytes);
    return span_sub(bytes, n, bytes.len - n);
}

static enum errc take_value(struct span bytes, const json_t *value, struct setting_found *out,
                            struct err *err)
{
    struct span written = span_sub(bytes, (size_t)out->at.at, (size_t)out->at.len);
    json_t *alone = load_one(written, FLAGS | JSON_DECODE_ANY);
    bool is_same = alone != NULL && json_equal(alone, value);
    json_decref(alone);
    if (!is_same)
        return err_set(err, E_MALFORMED, "the value can't be found where it is written");
    if (json_is_string(value))
        written = span_of(json_string_value(value), json_string_length(value));
    return setting_put_text(out, written, err);
}

static enum errc json_find(struct span file, const struct setting_key *key,
                           struct setting_found *out, struct err *err)
{
    struct span bytes = without_mark(file);
    json_t *root = NULL;
    enum errc rc = parse(bytes, &root, err);
    if (rc != E_OK)
        return rc;
    const json_t *value = get_first(root, key, key->n);
    if (value == NULL)
        rc = E_OK;
    else if (json_is_object(value) || json_is_array(value))
        rc = err_set(err, E_MALFORMED, "the key names an object or an array, no value");
    else if (!scan_key(bytes, key, &out->at))
        rc = err_set(err, E_MALFORMED, "the value can't be found where it is written");
    else
        rc = take_value(bytes, value, out, err);
    out->at.at += setting_mark_len(file);
    json_decref(root);
    return rc;
}

/* --------------------------------------------------------------------------------------------
 * writing */

/* A number, true, false or null. */
static bool is_bare(const char *value)
{
    if (strpbrk(value, " \t\r\n\"{[") != NULL)
        return false;
    json_t *read = load_one(span_text(value), FLAGS | JSON_DECODE_ANY);
    bool is = read != NULL;
    json_decref(read);
    return is;
}

static enum errc json_write(struct span bytes, const struct setting_found *old, const char *value,
                            struct buf *out, struct err *err)
{
    if (bytes.ptr[old->at.at] != '"' && is_bare(value))
        return buf_add_text(out, value, err);
    json_t *text = json_string(value);
    char *written = text == NULL ? NULL : json_dumps(text, JSON_ENCODE_ANY);
    enum errc rc = written == NULL ? err_nomem(err) : buf_add_text(out, written, err);
    free(written);
    json_decref(text);
    return rc;
}

static bool forget(json_t *root, const struct setting_key *key)
{
    json_t *in = get_first(root, key, key->n - 1);
    struct span last = key->parts[key->n - 1];
    void *at = json_is_object(in) ? find_name(in, last) : NULL;
    size_t i;
    if (at != NULL)
        return json_object_iter_set_new(in, at, json_null()) == 0;
    return json_is_array(in) && setting_part_index(last, &i) &&
           json_array_set_new(in, i, json_null()) == 0;
}

static enum errc json_compare(struct span before, struct span after, const struct setting_key *key,
                              const char *value, struct err *err)
{
    json_t *old = NULL, *new = NULL;
    UNUSED(value);
    enum errc rc = parse(without_mark(before), &old, err);
    if (rc == E_OK)
        rc = parse(without_mark(after), &new, err);
    if (rc == E_OK && !(forget(old, key) && forget(new, key) && json_equal(old, new)))
        rc = err_set(err, E_MALFORMED, "with the new value the rest would be read otherwise");
    json_decref(old);
    json_decref(new);
    return rc;
}

const struct setting_format_ops setting_json_ops = { .find = json_find,
                                                     .write = json_write,
                                                     .compare = json_compare };
