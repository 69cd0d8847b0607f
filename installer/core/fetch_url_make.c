#include "installer/core/fetch_url.h"

#include <string.h>

#include "installer/core/fetch_url_private.h"
#include "platform/base/reader.h"
#include "platform/base/text.h"

struct maker {
    char *to; /* FETCH_URL_ROOM bytes */
    size_t len;
    bool is_full;
};

static void put(struct maker *m, struct span bytes)
{
    if (bytes.len > FETCH_URL_MAX - m->len)
        m->is_full = true;
    else if (bytes.len > 0)
        memcpy(m->to + m->len, bytes.ptr, bytes.len);
    if (!m->is_full)
        m->len += bytes.len;
}

static void put_origin(struct maker *m, const struct fetch_url *url)
{
    put(m, span_text(fetch_url_starts[url->scheme]));
    put(m, url->authority);
}

/* put_folder: the path up to its last "/". */
static void put_folder(struct maker *m, const struct fetch_url *url)
{
    size_t len = url->path.len;
    while (len > 0 && url->path.ptr[len - 1] != '/')
        len--;
    put(m, len == 0 ? span_text("/") : span_sub(url->path, 0, len));
}

/* finish ends the text and reads it again: nothing leaves here that is not a URL. */
static enum errc finish(struct maker *m, struct err *err)
{
    struct fetch_url ignored;
    if (m->is_full)
        return err_set(err, E_LIMIT, "the URL becomes longer than %d bytes", FETCH_URL_MAX);
    m->to[m->len] = '\0';
    return fetch_url_read(span_text(m->to), &ignored, err);
}

/* has_scheme: letters, digits, "+", "-" and "." before the first ":". */
static bool has_scheme(struct span text)
{
    size_t end = find_any(text, ":/?");
    bool is_scheme = end > 0 && end < text.len && text.ptr[end] == ':' && is_letter(text.ptr[0]);
    for (size_t i = 0; is_scheme && i < end; i++)
        is_scheme =
            is_letter(text.ptr[i]) || is_digit(text.ptr[i]) || strchr("+-.", text.ptr[i]) != NULL;
    return is_scheme;
}

enum errc fetch_url_redirect(const char *base, struct span location, char to[FETCH_URL_ROOM],
                             struct err *err)
{
    struct fetch_url from;
    struct span target = span_sub(location, 0, find_any(location, "#"));
    char made[FETCH_URL_ROOM];
    struct maker m = { .to = made };
    enum errc rc = fetch_url_read(span_text(base), &from, err);
    if (rc == E_OK)
        rc = fetch_url_check_bytes(target, err);
    if (rc != E_OK)
        return rc;
    if (target.len == 0)
        return err_set(err, E_MALFORMED, "the URL is empty");
    if (span_starts_with(target, span_text("//"))) {
        put(&m, span_sub(span_text(fetch_url_starts[from.scheme]), 0,
                         strlen(fetch_url_starts[from.scheme]) - 2));
    } else if (!has_scheme(target)) {
        put_origin(&m, &from);
        if (target.ptr[0] == '?')
            put(&m, from.path);
        else if (target.ptr[0] != '/')
            put_folder(&m, &from);
    }
    put(&m, target);
    rc = finish(&m, err);
    if (rc == E_OK)
        memcpy(to, made, m.len + 1);
    return rc;
}

static enum errc check_relative(struct span path, struct err *err)
{
    while (true) {
        size_t end = find_any(path, "/");
        struct span part = span_sub(path, 0, end);
        if (part.len == 0)
            return err_set(err, E_MALFORMED, "the path is absolute or has an empty part");
        if (span_equal_text(part, ".") || span_equal_text(part, ".."))
            return err_set(err, E_MALFORMED, "the path has \".\" or \"..\" in it");
        if (end == path.len)
            return E_OK;
        path = span_sub(path, end + 1, path.len);
    }
}

static void put_encoded(struct maker *m, uint8_t c)
{
    static const char digits[] = "0123456789ABCDEF";
    const char coded[3] = { '%', digits[c >> 4], digits[c & 15] };
    if (is_letter(c) || is_digit(c) || (c != '\0' && strchr("-._~/", c) != NULL))
        put(m, span_of(&c, 1));
    else
        put(m, span_of(coded, sizeof(coded)));
}

enum errc fetch_url_beside(const char *base, const char *path, char to[FETCH_URL_ROOM],
                           struct err *err)
{
    struct fetch_url from;
    char made[FETCH_URL_ROOM];
    struct maker m = { .to = made };
    enum errc rc = fetch_url_read(span_text(base), &from, err);
    if (rc == E_OK)
        rc = check_relative(span_text(path), err);
    if (rc != E_OK)
        return rc;
    put_origin(&m, &from);
    put_folder(&m, &from);
    for (const char *c = path; *c != '\0'; c++)
        put_encoded(&m, (uint8_t)*c);
    rc = finish(&m, err);
    if (rc == E_OK)
        memcpy(to, made, m.len + 1);
    return rc;
}

enum errc fetch_url_append(const char *base, const char *suffix, char to[FETCH_URL_ROOM],
                           struct err *err)
{
    struct fetch_url from;
    char made[FETCH_URL_ROOM];
    struct maker m = { .to = made };
    enum errc rc = fetch_url_read(span_text(base), &from, err);
    if (rc != E_OK)
        return rc;
    for (const char *c = suffix; *c != '\0'; c++)
        if (!is_letter((uint8_t)*c) && !is_digit((uint8_t)*c) && strchr(".-_", *c) == NULL)
            return err_set(err, E_ARGUMENT, "a suffix of a URL has byte 0x%02x in it", (uint8_t)*c);
    if (from.path.len == 0 || from.path.ptr[from.path.len - 1] == '/')
        return err_set(err, E_MALFORMED, "the URL names a folder, not a document");
    put_origin(&m, &from);
    put(&m, from.path);
    put(&m, span_text(suffix));
    put(&m, from.query);
    rc = finish(&m, err);
    if (rc == E_OK)
        memcpy(to, made, m.len + 1);
    return rc;
}

/* --- files */

static enum errc decode(struct span text, struct buf *out, struct err *err)
{
    struct reader r = reader_of(text, 0);
    uint8_t c;
    enum errc rc = E_OK;
    while (rc == E_OK && reader_u8(&r, &c)) {
        struct span hex;
        bool is_coded = c == '%';
        if (is_coded && !(reader_take(&r, 2, &hex) && text_from_hex(hex, &c, 1)))
            return err_set(err, E_MALFORMED, "the URL has a \"%%\" without two hex digits");
        if (c == '\0')
            return err_set(err, E_MALFORMED, "the file's URL has a NUL in it");
        if (is_coded && c == '/')
            return err_set(err, E_MALFORMED, "the file's URL has an encoded \"/\" in it");
        rc = buf_add_byte(out, c, err);
    }
    return rc;
}

enum errc fetch_url_file_path(const struct fetch_url *url, struct buf *out, struct err *err)
{
    size_t before = out->len;
    if (url->scheme != FETCH_FILE)
        return err_set(err, E_ARGUMENT, "the URL is not of a file");
    if (url->query.len > 0)
        return err_set(err, E_MALFORMED, "the file's URL has a query; write \"?\" as %%3F");
    enum errc rc = decode(url->path, out, err);
    if (rc == E_OK && !text_is_utf8(span_sub(buf_span(out), before, out->len)))
        rc = err_set(err, E_MALFORMED, "the file's URL is no UTF-8");
    if (rc != E_OK)
        out->len = before;
    return rc;
}
