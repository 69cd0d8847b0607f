#include "verify/detached.h"

#include <string.h>

#include "platform/base/base64.h"
#include "platform/base/reader.h"

static const struct {
    const char *begin, *end;
} labels[] = {
    { "-----BEGIN PKCS7-----", "-----END PKCS7-----" },
    { "-----BEGIN CMS-----", "-----END CMS-----" },
};
#define NO_LABEL ARRAY_LEN(labels)

/* next_line takes one line without its LF or CR LF; the last one may lack it. False at the end. */
static bool next_line(struct reader *r, struct span *out)
{
    if (reader_is_done(r))
        return false;
    const uint8_t *lf = memchr(r->rest.ptr, '\n', r->rest.len);
    size_t len = lf == NULL ? r->rest.len : (size_t)(lf - r->rest.ptr);
    if (!reader_take(r, len, out))
        return false;
    if (lf != NULL && len != 0 && out->ptr[len - 1] == '\r')
        out->len--;
    return lf == NULL || reader_skip(r, 1);
}

static size_t label_begun_by(struct span line)
{
    for (size_t i = 0; i < ARRAY_LEN(labels); i++) {
        if (span_equal_text(line, labels[i].begin))
            return i;
    }
    return NO_LABEL;
}

/* find_begin moves past the next line that begins a block, NO_LABEL where there is none. *out_at is
 * where that line starts. */
static size_t find_begin(struct reader *r, uint64_t *out_at)
{
    struct span line;
    for (*out_at = r->at; next_line(r, &line); *out_at = r->at) {
        size_t label = label_begun_by(line);
        if (label != NO_LABEL)
            return label;
    }
    return NO_LABEL;
}

/* read_lines joins the base64 lines up to the end line. */
static enum errc read_lines(struct reader *r, const char *end, struct buf *joined, struct err *err)
{
    size_t full = 0, last = 0;
    struct span line;
    for (bool first = true; next_line(r, &line); first = false) {
        if (span_equal_text(line, end))
            return E_OK;
        if (line.len == 0 || line.len > DETACHED_PEM_LINE_MAX)
            return err_set(err, E_MALFORMED, "PEM: a line of %zu characters", line.len);
        if (first)
            full = line.len;
        else if (last != full || line.len > full)
            return err_set(err, E_MALFORMED, "PEM: lines of %zu, %zu and %zu characters", full,
                           last, line.len);
        last = line.len;
        enum errc rc = buf_add(joined, line, err);
        if (rc != E_OK)
            return rc;
    }
    return err_set(err, E_MALFORMED, "PEM: no line \"%s\"", end);
}

bool detached_is_pem(struct span text)
{
    struct reader r = reader_of(text, 0);
    uint64_t at;
    return find_begin(&r, &at) != NO_LABEL;
}

enum errc detached_read_pem(struct span text, struct buf *out, size_t *out_around, struct err *err)
{
    struct reader r = reader_of(text, 0);
    uint64_t begin_at, other_at;
    size_t label = find_begin(&r, &begin_at);
    if (label == NO_LABEL)
        return err_set(err, E_MALFORMED, "PEM: no block of a CMS signature");

    struct buf joined;
    buf_init(&joined, text.len);
    enum errc rc = read_lines(&r, labels[label].end, &joined, err);
    size_t around = (size_t)begin_at + r.rest.len;
    if (rc == E_OK && find_begin(&r, &other_at) != NO_LABEL)
        rc = err_set(err, E_MALFORMED, "PEM: a second signature block");
    if (rc == E_OK)
        rc = base64_decode(buf_span(&joined), out, err);
    if (rc == E_OK)
        *out_around = around;
    buf_fini(&joined);
    return rc;
}
