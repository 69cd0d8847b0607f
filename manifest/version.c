#include "manifest/version.h"

#include <inttypes.h>
#include <string.h>

#include "platform/base/reader.h"
#include "platform/base/text.h"

#define SHOWN 100 /* room for a version in a message */

static bool next_is(const struct reader *r, const char *start)
{
    return span_starts_with(r->rest, span_text(start));
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_identifier_byte(uint8_t c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
}

/* take_while takes the bytes that `is` holds for, maybe none. */
static struct span take_while(struct reader *r, bool (*is)(uint8_t))
{
    size_t len = 0;
    while (len < r->rest.len && is(r->rest.ptr[len]))
        len++;
    struct span taken = { 0 };
    return reader_take(r, len, &taken) ? taken : (struct span){ 0 };
}

/* unexpected says what stands where `wanted` should. */
static enum errc unexpected(const struct reader *r, const char *wanted, struct err *err)
{
    uint32_t code;
    size_t n = text_utf8_next(r->rest, &code);
    char shown[16];
    if (reader_is_done(r))
        return err_set(err, E_MALFORMED, "ends where %s was expected", wanted);
    return err_set(err, E_MALFORMED, "\"%s\" at byte %" PRIu64 ", where %s was expected",
                   text_printable(span_sub(r->rest, 0, n == 0 ? 1 : n), shown, sizeof(shown)),
                   r->at, wanted);
}

static enum errc read_part(struct reader *r, unsigned number, uint32_t *out, struct err *err)
{
    struct span digits = take_while(r, is_digit);
    uint64_t value = 0;
    if (digits.len == 0)
        return unexpected(r, "a digit", err);
    for (size_t i = 0; i < digits.len; i++) {
        value = value * 10 + (uint64_t)(digits.ptr[i] - '0');
        if (value > UINT32_MAX)
            return err_set(err, E_MALFORMED, "part %u is above %" PRIu32, number, UINT32_MAX);
    }
    *out = (uint32_t)value;
    return E_OK;
}

static enum errc read_parts(struct reader *r, struct version *v, struct err *err)
{
    do {
        if (v->n_parts == VERSION_PARTS_MAX)
            return err_set(err, E_MALFORMED, "has a fifth part, where four are the most");
        enum errc rc = read_part(r, v->n_parts + 1U, &v->parts[v->n_parts], err);
        if (rc != E_OK)
            return rc;
        v->n_parts++;
    } while (next_is(r, ".") && reader_skip(r, 1));
    return E_OK;
}

static bool is_number(struct span identifier)
{
    for (size_t i = 0; i < identifier.len; i++)
        if (!is_digit(identifier.ptr[i]))
            return false;
    return true;
}

/* read_identifiers reads one or more of them, with dots between. */
static enum errc read_identifiers(struct reader *r, bool zeros_may_lead, struct err *err)
{
    do {
        uint64_t at = r->at;
        struct span id = take_while(r, is_identifier_byte);
        if (id.len == 0)
            return unexpected(r, "a letter, digit or hyphen", err);
        if (!zeros_may_lead && id.len > 1 && id.ptr[0] == '0' && is_number(id))
            return err_set(err, E_MALFORMED,
                           "the pre-release's number at byte %" PRIu64 " starts with 0", at);
    } while (next_is(r, ".") && reader_skip(r, 1));
    return E_OK;
}

static enum errc read_pre_release(struct reader *r, struct version *v, struct err *err)
{
    if (!next_is(r, "-") || !reader_skip(r, 1))
        return E_OK;
    uint64_t at = r->at;
    enum errc rc = read_identifiers(r, false, err);
    if (rc != E_OK)
        return rc;
    v->pre_at = (uint8_t)at;
    v->pre_len = (uint8_t)(r->at - at);
    return E_OK;
}

static enum errc read_build(struct reader *r, struct err *err)
{
    if (!next_is(r, "+") || !reader_skip(r, 1))
        return E_OK;
    return read_identifiers(r, true, err);
}

/* check_start gives the usual mistakes messages of their own. */
static enum errc check_start(struct span text, struct err *err)
{
    if (text.len == 0)
        return err_set(err, E_MALFORMED, "is empty");
    if (text.len > VERSION_TEXT_MAX)
        return err_set(err, E_LIMIT, "has %zu bytes, limit %d", text.len, VERSION_TEXT_MAX);
    if (text.ptr[0] == 'v' || text.ptr[0] == 'V')
        return err_set(err, E_MALFORMED, "starts with \"%c\": write the numbers alone",
                       text.ptr[0]);
    return E_OK;
}

/* prefix puts the text before what is wrong with it. */
static enum errc prefix(enum errc rc, const char *what, struct span text, struct err *err)
{
    char shown[SHOWN];
    (void)err_prefix(err, "%s \"%s\": ", what, text_printable(text, shown, sizeof(shown)));
    return rc;
}

enum errc version_read(struct span text, struct version *out, struct err *err)
{
    struct version v = { .n_parts = 0 };
    struct reader r = reader_of(text, 0);
    enum errc rc = check_start(text, err);
    if (rc == E_OK)
        rc = read_parts(&r, &v, err);
    if (rc == E_OK)
        rc = read_pre_release(&r, &v, err);
    if (rc == E_OK)
        rc = read_build(&r, err);
    if (rc == E_OK && !reader_is_done(&r))
        rc = unexpected(&r, "the end", err);
    if (rc != E_OK)
        return prefix(rc, "version", text, err);
    memcpy(v.text, text.ptr, text.len);
    *out = v;
    return E_OK;
}

/* read_open reads the parts before ".*". */
static enum errc read_open(struct span parts, struct version *v, struct err *err)
{
    struct reader r = reader_of(parts, 0);
    enum errc rc = check_start(parts, err);
    if (rc == E_OK)
        rc = read_parts(&r, v, err);
    if (rc != E_OK)
        return rc;
    if (!reader_is_done(&r))
        return unexpected(&r, "\".*\"", err);
    if (v->n_parts == VERSION_PARTS_MAX)
        return err_set(err, E_MALFORMED, "four parts leave nothing for \"*\" to stand for");
    memcpy(v->text, parts.ptr, parts.len);
    return E_OK;
}

enum errc version_pattern_read(struct span text, struct version_pattern *out, struct err *err)
{
    struct version_pattern p = { .is_open = false };
    size_t len = text.len < 2 ? 0 : text.len - 2;
    p.is_open = text.len >= 2 && span_equal_text(span_sub(text, len, 2), ".*");
    enum errc rc = p.is_open ? read_open(span_sub(text, 0, len), &p.start, err)
                             : version_read(text, &p.start, err);
    if (rc != E_OK)
        return p.is_open ? prefix(rc, "version pattern", text, err) : rc;
    *out = p;
    return E_OK;
}

/* next_identifier takes the first one and the dot behind it. */
static struct span next_identifier(struct span *rest)
{
    const uint8_t *dot = memchr(rest->ptr, '.', rest->len);
    size_t len = dot == NULL ? rest->len : (size_t)(dot - rest->ptr);
    struct span id = span_sub(*rest, 0, len);
    *rest = span_sub(*rest, len + 1, rest->len);
    return id;
}

static int sign(bool is_less)
{
    return is_less ? -1 : 1;
}

/* Numbers have no leading zeros here, so that the longer one is the greater. */
static int compare_identifiers(struct span a, struct span b)
{
    bool a_is_number = is_number(a), b_is_number = is_number(b);
    if (a_is_number != b_is_number)
        return sign(a_is_number);
    if (a_is_number && a.len != b.len)
        return sign(a.len < b.len);
    return span_compare(a, b);
}

static int compare_pre_releases(struct span a, struct span b)
{
    if (a.len == 0 || b.len == 0)
        return (a.len == 0) - (b.len == 0); /* the one that has none is the release itself */
    while (a.len != 0 && b.len != 0) {
        int order = compare_identifiers(next_identifier(&a), next_identifier(&b));
        if (order != 0)
            return order;
    }
    return (a.len != 0) - (b.len != 0);
}

static struct span pre_release(const struct version *v)
{
    return span_of(v->text + v->pre_at, v->pre_len);
}

int version_compare(const struct version *a, const struct version *b)
{
    for (size_t i = 0; i < VERSION_PARTS_MAX; i++)
        if (a->parts[i] != b->parts[i])
            return sign(a->parts[i] < b->parts[i]);
    return compare_pre_releases(pre_release(a), pre_release(b));
}

bool version_matches(const struct version_pattern *pattern, const struct version *v)
{
    if (!pattern->is_open)
        return version_compare(&pattern->start, v) == 0;
    for (size_t i = 0; i < pattern->start.n_parts; i++)
        if (pattern->start.parts[i] != v->parts[i])
            return false;
    return true;
}
