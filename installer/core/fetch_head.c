#include "installer/core/fetch_head.h"

#include <inttypes.h>
#include <string.h>

#include "platform/base/num.h"
#include "platform/base/reader.h"
#include "platform/base/text.h"

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}
static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c - 'A' + 'a') : c;
}

static bool is_word(struct span text, const char *word)
{
    size_t n = strlen(word);
    for (size_t i = 0; i < n; i++)
        if (i >= text.len || lower(text.ptr[i]) != lower((uint8_t)word[i]))
            return false;
    return text.len == n;
}

static struct span trim(struct span s)
{
    while (s.len > 0 && (s.ptr[0] == ' ' || s.ptr[0] == '\t'))
        s = span_sub(s, 1, s.len);
    while (s.len > 0 && (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == '\t'))
        s.len--;
    return s;
}

/* take_number reads decimal digits, at least one, from where the reader is. */
static bool take_number(struct reader *r, uint64_t *out)
{
    uint64_t n = 0;
    size_t n_digits = 0;
    while (!reader_is_done(r) && is_digit(r->rest.ptr[0])) {
        uint8_t c;
        if (!reader_u8(r, &c) || !num_mul(n, 10, &n) || !num_add(n, (uint64_t)(c - '0'), &n))
            return false;
        n_digits++;
    }
    *out = n;
    return n_digits > 0;
}

static bool take_text(struct reader *r, const char *text)
{
    struct span start;
    return reader_take(r, strlen(text), &start) && span_equal_text(start, text);
}

/* --- dates */

static bool take_two(struct reader *r, int *out)
{
    struct span s;
    if (!reader_take(r, 2, &s) || !is_digit(s.ptr[0]) || !is_digit(s.ptr[1]))
        return false;
    *out = (s.ptr[0] - '0') * 10 + (s.ptr[1] - '0');
    return true;
}

/* take_name reads one of names of three letters, written one after another; its number is 1 for the
 * first. */
static bool take_name(struct reader *r, const char *names, int *out)
{
    struct span s;
    if (!reader_take(r, 3, &s))
        return false;
    for (int i = 0; names[3 * i] != '\0'; i++)
        if (memcmp(s.ptr, names + 3 * (size_t)i, 3) == 0) {
            *out = i + 1;
            return true;
        }
    return false;
}

bool fetch_head_read_date(struct span text, int64_t *out_unix_s)
{
    struct reader r = reader_of(text, 0);
    int weekday, day, month, century, year, hour, minute, second;
    return take_name(&r, "MonTueWedThuFriSatSun", &weekday) && take_text(&r, ", ") &&
           take_two(&r, &day) && take_text(&r, " ") &&
           take_name(&r, "JanFebMarAprMayJunJulAugSepOctNovDec", &month) && take_text(&r, " ") &&
           take_two(&r, &century) && take_two(&r, &year) && take_text(&r, " ") &&
           take_two(&r, &hour) && take_text(&r, ":") && take_two(&r, &minute) &&
           take_text(&r, ":") && take_two(&r, &second) && take_text(&r, " GMT") &&
           reader_is_done(&r) &&
           text_time_of(century * 100 + year, month, day, hour, minute, second, out_unix_s);
}

/* --- entity tags */

static struct span opaque_of(struct span etag)
{
    return span_starts_with(etag, span_text("W/")) ? span_sub(etag, 2, etag.len) : etag;
}

bool fetch_head_is_etag(struct span text)
{
    struct span tag = opaque_of(text);
    if (text.len > FETCH_ETAG_MAX || tag.len < 2)
        return false;
    for (size_t i = 0; i < tag.len; i++) {
        bool is_end = i == 0 || i + 1 == tag.len;
        if ((tag.ptr[i] == '"') != is_end || tag.ptr[i] <= ' ' || tag.ptr[i] > '~')
            return false;
    }
    return true;
}

bool fetch_head_is_strong(const char *etag)
{
    return etag[0] == '"' && fetch_head_is_etag(span_text(etag));
}

bool fetch_head_etags_match(const char *a, const char *b)
{
    return span_equal(opaque_of(span_text(a)), opaque_of(span_text(b)));
}

/* --- fields: each reads one value */

static enum errc twice(const char *name, struct err *err)
{
    return err_set(err, E_MALFORMED, "sends two different values of %s", name);
}

static enum errc read_length(struct fetch_head *h, struct span value, struct err *err)
{
    struct reader r = reader_of(value, 0);
    uint64_t n;
    if (!take_number(&r, &n) || !reader_is_done(&r) || n > INT64_MAX)
        return err_set(err, E_MALFORMED, "sends a Content-Length that is no number");
    if (h->has_length && h->length != n)
        return twice("Content-Length", err);
    h->has_length = true;
    h->length = n;
    return E_OK;
}

/* "bytes FIRST-LAST/TOTAL". A "*" for one of both is no range that we act on. */
static enum errc read_range(struct fetch_head *h, struct span value, struct err *err)
{
    struct reader r = reader_of(value, 0);
    struct fetch_range n;
    bool is_range = take_text(&r, "bytes ") && take_number(&r, &n.first) && take_text(&r, "-") &&
                    take_number(&r, &n.last) && take_text(&r, "/") && take_number(&r, &n.total) &&
                    reader_is_done(&r) && n.first <= n.last && n.last < n.total;
    if (h->has_range && (!is_range || memcmp(&n, &h->range, sizeof(n)) != 0))
        return twice("Content-Range", err);
    if (is_range)
        h->range = n;
    h->has_range = is_range;
    return E_OK;
}

static enum errc read_transfer(struct fetch_head *h, struct span value, struct err *err)
{
    if (!is_word(value, "chunked") || h->is_chunked)
        return err_set(err, E_MALFORMED, "sends a Transfer-Encoding other than chunked");
    h->is_chunked = true;
    return E_OK;
}

static enum errc read_encoding(struct fetch_head *h, struct span value, struct err *err)
{
    UNUSED(err);
    h->is_encoded = h->is_encoded || (value.len > 0 && !is_word(value, "identity"));
    return E_OK;
}

static enum errc read_etag(struct fetch_head *h, struct span value, struct err *err)
{
    if (!fetch_head_is_etag(value))
        return E_OK;
    if (h->etag[0] != '\0' && !span_equal_text(value, h->etag))
        return twice("ETag", err);
    memcpy(h->etag, value.ptr, value.len);
    h->etag[value.len] = '\0';
    return E_OK;
}

static enum errc read_last_modified(struct fetch_head *h, struct span value, struct err *err)
{
    int64_t ignored;
    if (!fetch_head_read_date(value, &ignored) || value.len >= sizeof(h->last_modified))
        return E_OK;
    if (h->last_modified[0] != '\0' && !span_equal_text(value, h->last_modified))
        return twice("Last-Modified", err);
    memcpy(h->last_modified, value.ptr, value.len);
    h->last_modified[value.len] = '\0';
    return E_OK;
}

static enum errc read_location(struct fetch_head *h, struct span value, struct err *err)
{
    if (value.len > FETCH_URL_MAX)
        return err_set(err, E_LIMIT, "sends a Location of %zu bytes, limit %d", value.len,
                       FETCH_URL_MAX);
    if (h->has_location && !span_equal_text(value, h->location))
        return twice("Location", err);
    if (value.len > 0)
        memcpy(h->location, value.ptr, value.len);
    h->location[value.len] = '\0';
    h->has_location = true;
    return E_OK;
}

static enum errc read_date(struct fetch_head *h, struct span value, struct err *err)
{
    UNUSED(err);
    if (!fetch_head_read_date(value, &h->date))
        h->date = 0;
    return E_OK;
}

/* RFC 9110 8.8.2.2: what was modified in the second in which it was sent may be modified once more
 * in that second, and the date would not tell. */
static void drop_young_date(struct fetch_head *h)
{
    int64_t modified;
    if (h->date != 0 && fetch_head_read_date(span_text(h->last_modified), &modified) &&
        modified >= h->date)
        h->last_modified[0] = '\0';
}

/* What is not understood says nothing: it is advice. */
static enum errc read_retry(struct fetch_head *h, struct span value, struct err *err)
{
    UNUSED(err);
    struct reader r = reader_of(value, 0);
    uint64_t n;
    if (take_number(&r, &n) && reader_is_done(&r))
        h->retry_after_s = (int64_t)num_min(n, INT32_MAX);
    else if (!fetch_head_read_date(value, &h->retry_at))
        h->retry_at = 0;
    return E_OK;
}

static const struct {
    const char *name;
    enum errc (*read)(struct fetch_head *h, struct span value, struct err *err);
} fields[] = {
    { "Content-Length", read_length },
    { "Content-Range", read_range },
    { "Transfer-Encoding", read_transfer },
    { "Content-Encoding", read_encoding },
    { "ETag", read_etag },
    { "Last-Modified", read_last_modified },
    { "Date", read_date },
    { "Location", read_location },
    { "Retry-After", read_retry },
};

/* --- lines */

/* begin: a status line; what was read of an answer before it is forgotten, but not how much. */
static enum errc begin(struct fetch_head *h, struct span line, struct err *err)
{
    struct reader r = reader_of(line, 0);
    uint64_t status;
    struct span minor, digits;
    if (!take_text(&r, "HTTP/1.") || !reader_take(&r, 1, &minor) ||
        (minor.ptr[0] != '0' && minor.ptr[0] != '1') || !take_text(&r, " ") ||
        !reader_take(&r, 3, &digits))
        return err_set(err, E_MALFORMED, "answers with no HTTP/1 status line");
    struct reader of_digits = reader_of(digits, 0);
    if (!take_number(&of_digits, &status) || !reader_is_done(&of_digits) || status < 100 ||
        status > 599)
        return err_set(err, E_MALFORMED, "answers with a status that is no number of HTTP");
    if (!reader_is_done(&r) && r.rest.ptr[0] != ' ')
        return err_set(err, E_MALFORMED, "answers with a status that is no number of HTTP");
    *h = (struct fetch_head){ .status = (int)status, .n_bytes = h->n_bytes, .n_lines = h->n_lines };
    return E_OK;
}

/* end: an interim answer is none; of one with a body, that is of one length and as it is. */
static enum errc end(struct fetch_head *h, struct err *err)
{
    if (h->status >= 100 && h->status < 200) {
        h->status = 0;
        return E_OK;
    }
    h->is_done = true;
    drop_young_date(h);
    if (h->status != 200 && h->status != 206)
        return E_OK;
    if (h->is_chunked && h->has_length)
        return err_set(err, E_MALFORMED, "sends a Content-Length and chunks as well");
    if (h->is_encoded)
        return err_set(err, E_MALFORMED,
                       "sends the body in a Content-Encoding, which was not asked for");
    return E_OK;
}

static enum errc check_bytes(struct span line, struct err *err)
{
    for (size_t i = 0; i < line.len; i++)
        if ((line.ptr[i] < ' ' && line.ptr[i] != '\t') || line.ptr[i] == 0x7F)
            return err_set(err, E_MALFORMED, "sends byte 0x%02x in its head", line.ptr[i]);
    return E_OK;
}

static enum errc add_field(struct fetch_head *h, struct span line, struct err *err)
{
    const uint8_t *colon = memchr(line.ptr, ':', line.len);
    if (line.ptr[0] == ' ' || line.ptr[0] == '\t')
        return err_set(err, E_MALFORMED, "sends a header that goes on in a second line");
    if (colon == NULL || colon == line.ptr)
        return err_set(err, E_MALFORMED, "sends a line in its head that is no header");
    struct span name = span_sub(line, 0, (size_t)(colon - line.ptr));
    if (name.ptr[name.len - 1] == ' ' || name.ptr[name.len - 1] == '\t')
        return err_set(err, E_MALFORMED, "sends a header with a space before its colon");
    struct span value = trim(span_sub(line, name.len + 1, line.len));
    for (size_t i = 0; i < ARRAY_LEN(fields); i++)
        if (is_word(name, fields[i].name))
            return fields[i].read(h, value, err);
    return E_OK;
}

static struct span without_line_end(struct span line)
{
    if (line.len > 0 && line.ptr[line.len - 1] == '\n')
        line.len--;
    if (line.len > 0 && line.ptr[line.len - 1] == '\r')
        line.len--;
    return line;
}

enum errc fetch_head_add_line(struct fetch_head *h, struct span line, struct err *err)
{
    if (line.len > FETCH_HEAD_BYTES_MAX - h->n_bytes)
        return err_set(err, E_LIMIT, "sends a head of more than %d bytes", FETCH_HEAD_BYTES_MAX);
    if (h->n_lines >= FETCH_HEAD_LINES_MAX)
        return err_set(err, E_LIMIT, "sends a head of more than %d lines", FETCH_HEAD_LINES_MAX);
    h->n_bytes += line.len;
    h->n_lines++;
    line = without_line_end(line);
    enum errc rc = check_bytes(line, err);
    if (rc != E_OK)
        return rc;
    if (h->status == 0 || h->is_done || span_starts_with(line, span_text("HTTP/")))
        return begin(h, line, err);
    return line.len == 0 ? end(h, err) : add_field(h, line, err);
}
