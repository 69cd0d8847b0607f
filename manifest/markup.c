#include "manifest/markup.h"

#include <string.h>

#include "manifest/xml.h"
#include "platform/base/text.h"

static void skip_to(struct markup *s, size_t at)
{
    while (s->at < at) {
        const uint8_t *found = memchr(s->bytes.ptr + s->at, '\n', at - s->at);
        if (found == NULL)
            break;
        s->at = (size_t)(found - s->bytes.ptr) + 1;
        s->line++;
    }
    s->at = at;
}

/* find gives where `what` begins at or after `at`, the end of the bytes where it does not. */
static size_t find(const struct markup *s, size_t at, const char *what)
{
    size_t len = strlen(what);
    while (s->bytes.len - at >= len) {
        const uint8_t *found = memchr(s->bytes.ptr + at, what[0], s->bytes.len - at - len + 1);
        if (found == NULL)
            break;
        at = (size_t)(found - s->bytes.ptr);
        if (memcmp(found, what, len) == 0)
            return at;
        at++;
    }
    return s->bytes.len;
}

/* tag_end gives where the tag that goes on at `at` ends, and how many values it has. */
static size_t tag_end(const struct markup *s, size_t at, size_t *out_n_values)
{
    size_t n = 0;
    while (at < s->bytes.len && s->bytes.ptr[at] != '>') {
        uint8_t c = s->bytes.ptr[at++];
        if (c != '"' && c != '\'')
            continue;
        const uint8_t *close = memchr(s->bytes.ptr + at, c, s->bytes.len - at);
        at = close == NULL ? s->bytes.len : (size_t)(close - s->bytes.ptr) + 1;
        n++;
    }
    *out_n_values = n;
    return at < s->bytes.len ? at + 1 : at;
}

enum piece { PIECE_END, PIECE_START_TAG, PIECE_END_TAG, PIECE_OTHER };

static enum errc pass_start_tag(struct markup *s, struct err *err)
{
    size_t n_values, end = tag_end(s, s->at + 1, &n_values);
    if (n_values > XML_ATTRS_MAX)
        return err_set(err, E_LIMIT, "an element with more than %d attributes", XML_ATTRS_MAX);
    if (end - s->at > XML_TEXT_MAX)
        return err_set(err, E_LIMIT, "a tag of more than %d bytes", XML_TEXT_MAX);
    skip_to(s, end);
    return E_OK;
}

/* pass_piece goes past what begins with the "<" at which `s` is. */
static enum errc pass_piece(struct markup *s, enum piece *out, struct err *err)
{
    struct span rest = span_sub(s->bytes, s->at, s->bytes.len);
    size_t at = s->at, n_values;
    *out = PIECE_OTHER;
    if (rest.len == 0) {
        *out = PIECE_END;
    } else if (span_starts_with(rest, span_text("<!--"))) {
        skip_to(s, find(s, at + 4, "-->"));
    } else if (span_starts_with(rest, span_text("<![CDATA["))) {
        skip_to(s, find(s, at + 9, "]]>"));
    } else if (span_starts_with(rest, span_text("<!"))) {
        return err_set(err, E_MALFORMED, "a DOCTYPE; these documents have none");
    } else if (at == 0 && span_starts_with(rest, span_text("<?xml "))) {
        skip_to(s, find(s, at + 6, "?>"));
    } else if (span_starts_with(rest, span_text("<?"))) {
        return err_set(err, E_MALFORMED,
                       "a processing instruction <?...?>; these documents have none");
    } else if (span_starts_with(rest, span_text("</"))) {
        *out = PIECE_END_TAG;
        skip_to(s, tag_end(s, at + 2, &n_values));
    } else {
        *out = PIECE_START_TAG;
        return pass_start_tag(s, err);
    }
    return E_OK;
}

enum errc markup_next_tag(struct markup *s, int *out_line, struct err *err)
{
    enum piece piece;
    do {
        skip_to(s, find(s, s->at, "<"));
        size_t at = s->at;
        *out_line = s->line;
        enum errc rc = pass_piece(s, &piece, err);
        if (rc != E_OK)
            return rc;
        if (piece == PIECE_OTHER)
            continue;
        if (at - s->gap_at > XML_TEXT_MAX) {
            *out_line = s->gap_line;
            return err_set(err, E_LIMIT, "more than %d bytes of text and comments between two tags",
                           XML_TEXT_MAX);
        }
        s->gap_at = s->at;
        s->gap_line = s->line;
    } while (piece != PIECE_START_TAG && piece != PIECE_END);
    if (piece == PIECE_END)
        *out_line = 0;
    return E_OK;
}

struct markup markup_begin(struct span bytes)
{
    static const uint8_t mark[] = { 0xEF, 0xBB, 0xBF };
    if (span_starts_with(bytes, span_of(mark, sizeof(mark))))
        bytes = span_sub(bytes, sizeof(mark), bytes.len);
    return (struct markup){ .bytes = bytes, .line = 1, .gap_line = 1 };
}

enum errc markup_check_tags(struct span bytes, struct err *err)
{
    struct markup s = markup_begin(bytes);
    int line = 0;
    enum errc rc;
    do
        rc = markup_next_tag(&s, &line, err);
    while (rc == E_OK && line != 0);
    return rc == E_OK ? rc : err_prefix(err, "line %d: ", line);
}

/* n_plain is how many bytes from `at` on are ASCII, counted in eights. */
static size_t n_plain(struct span bytes, size_t at)
{
    size_t n = 0;
    uint64_t eight;
    for (; bytes.len - at - n >= sizeof(eight); n += sizeof(eight)) {
        memcpy(&eight, bytes.ptr + at + n, sizeof(eight));
        if ((eight & UINT64_C(0x8080808080808080)) != 0)
            break;
    }
    return n;
}

enum errc markup_check_encoding(struct span bytes, struct err *err)
{
    struct markup s = markup_begin(bytes);
    if (bytes.len >= 2 &&
        (memcmp(bytes.ptr, "\xFE\xFF", 2) == 0 || memcmp(bytes.ptr, "\xFF\xFE", 2) == 0 ||
         bytes.ptr[0] == 0 || (bytes.ptr[0] == '<' && bytes.ptr[1] == 0)))
        return err_set(err, E_MALFORMED, "line 1: is UTF-16 or UTF-32; these documents are UTF-8");
    const uint8_t *nul = s.bytes.len == 0 ? NULL : memchr(s.bytes.ptr, 0, s.bytes.len);
    size_t end = nul == NULL ? s.bytes.len : (size_t)(nul - s.bytes.ptr);
    for (size_t at = 0; at < end;) {
        uint32_t code;
        at += n_plain(s.bytes, at);
        size_t n = text_utf8_next(span_sub(s.bytes, at, 4), &code);
        if (at < end && n == 0) {
            skip_to(&s, at);
            return err_set(err, E_MALFORMED, "line %d: bytes that are not UTF-8", s.line);
        }
        at += n;
    }
    if (nul == NULL)
        return E_OK;
    skip_to(&s, end);
    return err_set(err, E_MALFORMED, "line %d: a byte that is 0", s.line);
}
