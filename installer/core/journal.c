#include "installer/core/journal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/base/text.h"
#include "verify/digest.h"

#define LINE_MAX_LEN 256

static const char *const words[] = { "begin", "done", "undo", "undone", "mark" };
static const char no_sum[] = "0000000000000000";

const char *journal_event_word(enum journal_event event)
{
    return (size_t)event < ARRAY_LEN(words) ? words[event] : "none";
}

void journal_init(struct journal *j)
{
    *j = (struct journal){ .n = 0 };
    text_copy(j->sum, sizeof(j->sum), no_sum);
}

void journal_fini(struct journal *j)
{
    free(j->records);
    *j = (struct journal){ .n = 0 };
}

/* --- one record */

static bool is_step(const char *text)
{
    size_t len = strlen(text);
    return len > 0 && len < JOURNAL_STEP_ROOM && strspn(text, "abcdefghijklmnopqrstuvwxyz-") == len;
}

static bool is_name(const char *text)
{
    size_t len = strlen(text);
    return len > 0 && len < JOURNAL_NAME_ROOM && strcmp(text, ".") != 0 &&
           strcmp(text, "..") != 0 &&
           strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == len;
}

static enum errc sum_of(const char *before, struct span line, char to[JOURNAL_SUM_LEN + 1],
                        struct err *err)
{
    uint8_t bytes[JOURNAL_SUM_LEN + LINE_MAX_LEN];
    char hex[TEXT_SHA256_ROOM];
    struct digest d;
    memcpy(bytes, before, JOURNAL_SUM_LEN);
    memcpy(bytes + JOURNAL_SUM_LEN, line.ptr, line.len);
    enum errc rc = digest_bytes(DIGEST_SHA256, span_of(bytes, JOURNAL_SUM_LEN + line.len), &d, err);
    if (rc == E_OK)
        text_copy(to, JOURNAL_SUM_LEN + 1, text_to_hex(digest_span(&d), hex));
    return rc;
}

static enum errc keep(struct journal *j, const struct journal_record *r, const char *sum,
                      struct err *err)
{
    if (j->n == JOURNAL_RECORDS_MAX)
        return err_set(err, E_LIMIT, "journal: more than %d records", JOURNAL_RECORDS_MAX);
    if (j->n == j->n_room) {
        size_t n_room = j->n_room == 0 ? 32 : j->n_room * 2;
        struct journal_record *records = realloc(j->records, n_room * sizeof(*records));
        if (records == NULL)
            return err_nomem(err);
        j->records = records;
        j->n_room = n_room;
    }
    j->records[j->n++] = *r;
    text_copy(j->sum, sizeof(j->sum), sum);
    return E_OK;
}

enum errc journal_add(struct journal *j, enum journal_event event, const char *step,
                      const char *name, struct buf *out, struct err *err)
{
    struct journal_record r = { .event = event };
    char line[LINE_MAX_LEN], sum[JOURNAL_SUM_LEN + 1];
    if (!is_step(step) || !is_name(name))
        return err_set(err, E_ARGUMENT, "journal: no step \"%.40s\" with a name \"%.60s\"", step,
                       name);
    text_copy(r.step, sizeof(r.step), step);
    text_copy(r.name, sizeof(r.name), name);
    int len = snprintf(line, sizeof(line), "%zu %s %s %s ", j->n + 1, journal_event_word(event),
                       step, name);
    size_t at = out->len;
    enum errc rc = sum_of(j->sum, span_of(line, (size_t)len), sum, err);
    if (rc == E_OK)
        rc = buf_printf(out, err, "%s%s\n", line, sum);
    if (rc == E_OK)
        rc = keep(j, &r, sum, err);
    if (rc != E_OK)
        out->len = at;
    return rc;
}

/* --- reading */

/* take_word cuts the bytes up to the next space off `rest`. */
static bool take_word(struct span *rest, char *to, size_t room)
{
    const uint8_t *space = rest->len == 0 ? NULL : memchr(rest->ptr, ' ', rest->len);
    size_t len = space == NULL ? 0 : (size_t)(space - rest->ptr);
    if (len == 0 || len >= room || memchr(rest->ptr, '\0', len) != NULL)
        return false;
    memcpy(to, rest->ptr, len);
    to[len] = '\0';
    *rest = span_sub(*rest, len + 1, rest->len);
    return true;
}

static bool read_event(const char *word, enum journal_event *out)
{
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (strcmp(words[i], word) == 0) {
            *out = (enum journal_event)i;
            return true;
        }
    return false;
}

/* read_line is false where the line is no record, or not the next one. `line` has no LF. */
static enum errc read_line(const struct journal *j, struct span line, struct journal_record *r,
                           char sum[JOURNAL_SUM_LEN + 1], bool *out_holds, struct err *err)
{
    char seq[24], word[16], expected[24];
    struct span rest = line;
    *out_holds = false;
    snprintf(expected, sizeof(expected), "%zu", j->n + 1);
    if (line.len < JOURNAL_SUM_LEN || line.len > LINE_MAX_LEN ||
        !take_word(&rest, seq, sizeof(seq)) || strcmp(seq, expected) != 0 ||
        !take_word(&rest, word, sizeof(word)) || !read_event(word, &r->event) ||
        !take_word(&rest, r->step, sizeof(r->step)) || !is_step(r->step) ||
        !take_word(&rest, r->name, sizeof(r->name)) || !is_name(r->name) ||
        rest.len != JOURNAL_SUM_LEN)
        return E_OK;
    enum errc rc = sum_of(j->sum, span_sub(line, 0, line.len - JOURNAL_SUM_LEN), sum, err);
    *out_holds = rc == E_OK && span_equal_text(rest, sum);
    return rc;
}

/* read_next reads the record that `rest` begins with; a last one that does not hold ends it. */
static enum errc read_next(struct journal *j, struct span *rest, bool *out_torn, struct err *err)
{
    struct journal_record r;
    char sum[JOURNAL_SUM_LEN + 1];
    bool holds = false;
    const uint8_t *lf = memchr(rest->ptr, '\n', rest->len);
    size_t len = lf == NULL ? rest->len : (size_t)(lf - rest->ptr);
    *out_torn = false;
    enum errc rc = lf == NULL ? E_OK : read_line(j, span_sub(*rest, 0, len), &r, sum, &holds, err);
    if (rc != E_OK)
        return rc;
    if (holds) {
        *rest = span_sub(*rest, len + 1, rest->len);
        return keep(j, &r, sum, err);
    }
    if (lf != NULL && len + 1 < rest->len)
        return err_set(err, E_MALFORMED,
                       "journal: record %zu does not hold its sum, and others follow it", j->n + 1);
    *out_torn = true;
    return E_OK;
}

enum errc journal_read(struct span bytes, struct journal *j, size_t *out_len, struct err *err)
{
    struct span rest = bytes;
    bool is_torn = false;
    if (bytes.len > JOURNAL_BYTES_MAX)
        return err_set(err, E_LIMIT, "journal: %zu bytes, at most %d", bytes.len,
                       JOURNAL_BYTES_MAX);
    while (rest.len > 0 && !is_torn) {
        enum errc rc = read_next(j, &rest, &is_torn, err);
        if (rc != E_OK)
            return rc;
    }
    *out_len = bytes.len - rest.len;
    return E_OK;
}

/* --- questions */

bool journal_has_mark(const struct journal *j, const char *step)
{
    for (size_t i = 0; i < j->n; i++)
        if (j->records[i].event == JOURNAL_MARK && strcmp(j->records[i].step, step) == 0)
            return true;
    return false;
}

bool journal_step_state(const struct journal *j, const char *step, const char *name,
                        enum journal_event *out)
{
    bool found = false;
    for (size_t i = 0; i < j->n; i++) {
        const struct journal_record *r = &j->records[i];
        if (r->event == JOURNAL_MARK || strcmp(r->step, step) != 0 || strcmp(r->name, name) != 0)
            continue;
        *out = r->event;
        found = true;
    }
    return found;
}
