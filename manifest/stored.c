#include "manifest/stored.h"

#include <inttypes.h>
#include <string.h>

#include "manifest/value.h"

static const char magic[] = "surefoot stored feed 1\n";

/* --- reading */

/* take_line cuts the bytes before the next LF off `rest`. */
static bool take_line(struct span *rest, struct span *out)
{
    const uint8_t *lf = rest->len == 0 ? NULL : memchr(rest->ptr, '\n', rest->len);
    if (lf == NULL)
        return false;
    *out = span_sub(*rest, 0, (size_t)(lf - rest->ptr));
    *rest = span_sub(*rest, out->len + 1, rest->len);
    return true;
}

static enum errc take_piece(struct span *rest, struct span *out_name, struct span *out,
                            struct err *err)
{
    struct span line;
    uint64_t len;
    const uint8_t *space;
    if (!take_line(rest, &line) ||
        (space = line.len == 0 ? NULL : memchr(line.ptr, ' ', line.len)) == NULL)
        return err_set(err, E_MALFORMED, "stored feed: a piece has no name and length");
    *out_name = span_sub(line, 0, (size_t)(space - line.ptr));
    if (value_read_number(span_sub(line, out_name->len + 1, line.len), &len, err) != E_OK)
        return err_prefix(err, "stored feed: a piece's length: ");
    if (len >= rest->len)
        return err_set(err, E_MALFORMED, "stored feed: ends within a piece");
    *out = span_sub(*rest, 0, (size_t)len);
    if (rest->ptr[len] != '\n')
        return err_set(err, E_MALFORMED, "stored feed: a piece does not end where it should");
    *rest = span_sub(*rest, (size_t)len + 1, rest->len);
    return E_OK;
}

static enum errc keep_once(struct span *to, struct span piece, size_t max, const char *name,
                           struct err *err)
{
    if (to->len != 0 || piece.len == 0)
        return err_set(err, E_MALFORMED, "stored feed: %s twice, or empty", name);
    if (piece.len > max || memchr(piece.ptr, '\0', max == STORED_TEXT_MAX ? piece.len : 0) != NULL)
        return err_set(err, E_MALFORMED, "stored feed: %s is no text of its kind", name);
    *to = piece;
    return E_OK;
}

static enum errc keep_piece(struct stored_feed *s, struct span name, struct span piece,
                            struct err *err)
{
    if (span_equal_text(name, "url"))
        return keep_once(&s->url, piece, STORED_TEXT_MAX, "url", err);
    if (span_equal_text(name, "etag"))
        return keep_once(&s->etag, piece, STORED_TEXT_MAX, "etag", err);
    if (span_equal_text(name, "modified"))
        return keep_once(&s->modified, piece, STORED_TEXT_MAX, "modified", err);
    if (span_equal_text(name, "accepted"))
        return keep_once(&s->accepted, piece, STORED_TEXT_MAX, "accepted", err);
    if (span_equal_text(name, "feed"))
        return keep_once(&s->feed, piece, STORED_BYTES_MAX, "feed", err);
    if (!span_equal_text(name, "signature"))
        return err_set(err, E_MALFORMED, "stored feed: a piece of an unknown name");
    if (s->n_signatures == STORED_SIGNATURES_MAX)
        return err_set(err, E_LIMIT, "stored feed: more than %d signatures", STORED_SIGNATURES_MAX);
    s->signatures[s->n_signatures++] = piece;
    return E_OK;
}

enum errc stored_read(struct span bytes, struct stored_feed *out, struct err *err)
{
    const size_t head = sizeof(magic) - 1;
    struct stored_feed s = { .n_signatures = 0 };
    enum errc rc = E_OK;
    if (bytes.len > STORED_BYTES_MAX)
        return err_set(err, E_LIMIT, "stored feed: %zu bytes, at most %d", bytes.len,
                       STORED_BYTES_MAX);
    if (bytes.len < head || memcmp(bytes.ptr, magic, head) != 0)
        return err_set(err, E_MALFORMED, "stored feed: does not begin as one");
    struct span rest = span_sub(bytes, head, bytes.len);
    while (rc == E_OK && rest.len > 0) {
        struct span name, piece;
        rc = take_piece(&rest, &name, &piece, err);
        if (rc == E_OK)
            rc = keep_piece(&s, name, piece, err);
    }
    if (rc == E_OK && (s.feed.len == 0 || s.n_signatures == 0))
        rc = err_set(err, E_MALFORMED, "stored feed: no feed, or no signature");
    if (rc == E_OK)
        *out = s;
    return rc;
}

/* --- writing */

static enum errc put(struct buf *out, const char *name, struct span piece, struct err *err)
{
    if (piece.len == 0)
        return E_OK;
    enum errc rc = buf_printf(out, err, "%s %zu\n", name, piece.len);
    if (rc == E_OK)
        rc = buf_add(out, piece, err);
    return rc == E_OK ? buf_add_byte(out, '\n', err) : rc;
}

enum errc stored_write(const struct stored_feed *s, struct buf *out, struct err *err)
{
    if (s->feed.len == 0 || s->n_signatures == 0)
        return err_set(err, E_ARGUMENT, "stored feed: no feed, or no signature");
    const size_t at = out->len;
    enum errc rc = buf_add_text(out, magic, err);
    if (rc == E_OK)
        rc = put(out, "url", s->url, err);
    if (rc == E_OK)
        rc = put(out, "etag", s->etag, err);
    if (rc == E_OK)
        rc = put(out, "modified", s->modified, err);
    if (rc == E_OK)
        rc = put(out, "accepted", s->accepted, err);
    if (rc == E_OK)
        rc = put(out, "feed", s->feed, err);
    for (size_t i = 0; i < s->n_signatures && rc == E_OK; i++)
        rc = put(out, "signature", s->signatures[i], err);
    if (rc != E_OK)
        out->len = at;
    return rc;
}
