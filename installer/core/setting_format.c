#include <string.h>

#include "installer/core/setting_private.h"
#include "platform/base/text.h"

size_t setting_mark_len(struct span bytes)
{
    return span_starts_with(bytes, span_text("\xEF\xBB\xBF")) ? 3 : 0;
}

enum errc setting_put_text(struct setting_found *out, struct span text, struct err *err)
{
    if (text.len > SETTING_VALUE_MAX)
        return err_set(err, E_LIMIT, "the value is longer than %d bytes", SETTING_VALUE_MAX);
    if (!text_is_utf8(text))
        return err_set(err, E_MALFORMED, "the value is not UTF-8");
    if (text.len > 0 && memchr(text.ptr, 0, text.len) != NULL)
        return err_set(err, E_MALFORMED, "the value has a NUL in it");
    if (text.len > 0)
        (void)memcpy(out->text, text.ptr, text.len);
    out->text[text.len] = '\0';
    out->is_found = true;
    return E_OK;
}

bool setting_part_index(struct span part, size_t *out)
{
    size_t n = 0;
    if (part.len == 0 || part.len > 9 || (part.ptr[0] == '0' && part.len > 1))
        return false;
    for (size_t i = 0; i < part.len; i++) {
        if (part.ptr[i] < '0' || part.ptr[i] > '9')
            return false;
        n = n * 10 + (size_t)(part.ptr[i] - '0');
    }
    *out = n;
    return true;
}

static enum errc read_key(const char *text, struct setting_key *out, struct err *err)
{
    struct span rest = span_text(text);
    out->n = 0;
    for (;;) {
        const uint8_t *slash = rest.len == 0 ? NULL : memchr(rest.ptr, '/', rest.len);
        size_t len = slash == NULL ? rest.len : (size_t)(slash - rest.ptr);
        if (len == 0)
            return err_set(err, E_ARGUMENT, "a key is empty, or has an empty part");
        if (out->n == SETTING_PARTS_MAX)
            return err_set(err, E_ARGUMENT, "a key has more than %d parts", SETTING_PARTS_MAX);
        out->parts[out->n++] = span_sub(rest, 0, len);
        if (slash == NULL)
            return E_OK;
        rest = span_sub(rest, len + 1, rest.len);
    }
}

static const struct setting_format_ops *ops_of(enum setting_format format)
{
    switch (format) {
    case SETTING_INI: return &setting_ini_ops;
    case SETTING_XML: return &setting_xml_ops;
    case SETTING_JSON: return &setting_json_ops;
    default: return NULL;
    }
}

static enum errc begin(enum setting_format format, struct span bytes, const char *text,
                       const struct setting_format_ops **out_ops, struct setting_key *key,
                       struct err *err)
{
    *out_ops = ops_of(format);
    if (*out_ops == NULL)
        return err_set(err, E_INTERNAL, "an unknown format of settings");
    if (bytes.len > SETTING_FILE_MAX)
        return err_set(err, E_LIMIT, "is %zu bytes, the limit is %d", bytes.len, SETTING_FILE_MAX);
    if (bytes.len >= 2 && ((bytes.ptr[0] == 0xFF && bytes.ptr[1] == 0xFE) ||
                           (bytes.ptr[0] == 0xFE && bytes.ptr[1] == 0xFF)))
        return err_set(err, E_UNSUPPORTED, "is UTF-16; only UTF-8 is read");
    if (bytes.len > 0 && memchr(bytes.ptr, 0, bytes.len) != NULL)
        return err_set(err, E_MALFORMED, "has a byte that is 0, and so is no text");
    return read_key(text, key, err);
}

enum errc setting_find(enum setting_format format, struct span bytes, const char *text,
                       struct setting_found *out, struct err *err)
{
    const struct setting_format_ops *ops;
    struct setting_key key;
    enum errc rc = begin(format, bytes, text, &ops, &key, err);
    if (rc != E_OK)
        return rc;
    *out = (struct setting_found){ .is_found = false };
    rc = ops->find(bytes, &key, out, err);
    if (rc == E_OK && out->is_found &&
        (out->at.at > bytes.len || out->at.len > bytes.len - out->at.at))
        return err_set(err, E_INTERNAL, "a value outside its file");
    return rc;
}

static enum errc put_together(const struct setting_format_ops *ops, struct span bytes,
                              const struct setting_found *old, const char *value, struct buf *out,
                              struct err *err)
{
    size_t end = (size_t)(old->at.at + old->at.len);
    enum errc rc = buf_add(out, span_sub(bytes, 0, (size_t)old->at.at), err);
    if (rc == E_OK)
        rc = ops->write(bytes, old, value, out, err);
    return rc == E_OK ? buf_add(out, span_sub(bytes, end, bytes.len - end), err) : rc;
}

/* Does the new one say what it should? Whatever makes it say something else is in the value. */
static enum errc check_new(const struct setting_format_ops *ops, struct span before,
                           struct span after, const struct setting_key *key, const char *value,
                           struct err *err)
{
    struct setting_found again = { .is_found = false };
    enum errc rc = ops->find(after, key, &again, err);
    if (rc == E_NOMEM)
        return rc;
    if (rc != E_OK || !again.is_found || strcmp(again.text, value) != 0)
        return err_set(err, E_ARGUMENT,
                       "the new value can't be written there: it would be read as "
                       "something else");
    return ops->compare == NULL ? E_OK : ops->compare(before, after, key, value, err);
}

enum errc setting_replace(enum setting_format format, struct span bytes, const char *text,
                          const char *value, struct buf *out, struct err *err)
{
    const struct setting_format_ops *ops;
    struct setting_key key;
    struct setting_found old = { .is_found = false };
    size_t start = out->len;
    enum errc rc = begin(format, bytes, text, &ops, &key, err);
    if (rc == E_OK)
        rc = ops->find(bytes, &key, &old, err);
    if (rc != E_OK)
        return rc;
    if (!old.is_found)
        return err_set(err, E_ABSENT, "is not there; only what is there is changed");
    if (strlen(value) > SETTING_VALUE_MAX || !text_is_utf8(span_text(value)))
        return err_set(err, E_ARGUMENT, "the new value is no UTF-8, or longer than %d bytes",
                       SETTING_VALUE_MAX);
    rc = put_together(ops, bytes, &old, value, out, err);
    if (rc == E_OK)
        rc = check_new(ops, bytes, span_sub(buf_span(out), start, out->len - start), &key, value,
                       err);
    if (rc != E_OK)
        out->len = start;
    return rc;
}
