#include "installer/core/merge.h"

#include <stdlib.h>
#include <string.h>

#include "platform/base/text.h"

#define CELLS_MAX (4U * 1024 * 1024) /* of the table that compares two middles, line by line */
#define NO_LINE SIZE_MAX

/* --- lines, each with its own end */

struct lines {
    size_t n;
    struct span *items;
};

static enum errc split(struct span text, struct lines *out, struct err *err)
{
    size_t n = 0, at = 0;
    for (size_t i = 0; i < text.len; i++)
        n += text.ptr[i] == '\n';
    n += text.len > 0 && text.ptr[text.len - 1] != '\n';
    if (n > MERGE_LINES_MAX)
        return err_set(err, E_LIMIT, "more than %d lines", MERGE_LINES_MAX);
    out->items = calloc(n + 1, sizeof(out->items[0]));
    if (out->items == NULL)
        return err_nomem(err);
    for (out->n = 0; at < text.len; out->n++) {
        const uint8_t *lf = memchr(text.ptr + at, '\n', text.len - at);
        const size_t end = lf == NULL ? text.len : (size_t)(lf - text.ptr) + 1;
        out->items[out->n] = span_sub(text, at, end - at);
        at = end;
    }
    return E_OK;
}

static bool same_line(const struct lines *a, size_t i, const struct lines *b, size_t k)
{
    return span_equal(a->items[i], b->items[k]);
}

static bool same_lines(const struct lines *a, size_t a_from, size_t a_to, const struct lines *b,
                       size_t b_from, size_t b_to)
{
    if (a_to - a_from != b_to - b_from)
        return false;
    for (size_t i = a_from; i < a_to; i++)
        if (!same_line(a, i, b, b_from + i - a_from))
            return false;
    return true;
}

/* --- which line of the base is which line of the other: the longest common subsequence of what
 * lies between equal beginnings and equal ends. A middle that is too large counts as changed whole.
 */

struct middle {
    const struct lines *base, *other;
    size_t from, base_to, other_to;
};

static enum errc match_middle(const struct middle *m, size_t *match, struct err *err)
{
    const size_t rows = m->base_to - m->from, columns = m->other_to - m->from;
    if (rows == 0 || columns == 0 || rows > CELLS_MAX / columns)
        return E_OK;
    uint32_t *best = calloc((rows + 1) * (columns + 1), sizeof(best[0]));
    if (best == NULL)
        return err_nomem(err);
    const size_t width = columns + 1;
    for (size_t i = rows; i > 0; i--)
        for (size_t k = columns; k > 0; k--) {
            const uint32_t down = best[i * width + k - 1], right = best[(i - 1) * width + k];
            best[(i - 1) * width + k - 1] =
                same_line(m->base, m->from + i - 1, m->other, m->from + k - 1)
                    ? best[i * width + k] + 1
                    : (down > right ? down : right);
        }
    for (size_t i = 0, k = 0; i < rows && k < columns;) {
        if (same_line(m->base, m->from + i, m->other, m->from + k)) {
            match[m->from + i++] = m->from + k++;
        } else if (best[(i + 1) * width + k] >= best[i * width + k + 1]) {
            i++;
        } else {
            k++;
        }
    }
    free(best);
    return E_OK;
}

static enum errc match_lines(const struct lines *base, const struct lines *other, size_t **out,
                             struct err *err)
{
    size_t *match = calloc(base->n + 1, sizeof(match[0]));
    if (match == NULL)
        return err_nomem(err);
    for (size_t i = 0; i <= base->n; i++)
        match[i] = NO_LINE;
    struct middle m = { base, other, 0, base->n, other->n };
    while (m.from < m.base_to && m.from < m.other_to && same_line(base, m.from, other, m.from)) {
        match[m.from] = m.from;
        m.from++;
    }
    while (m.base_to > m.from && m.other_to > m.from &&
           same_line(base, m.base_to - 1, other, m.other_to - 1))
        match[--m.base_to] = --m.other_to;
    enum errc rc = match_middle(&m, match, err);
    if (rc == E_OK)
        *out = match;
    else
        free(match);
    return rc;
}

/* --- the merge: between lines that all three have */

struct merging {
    struct lines base, here, theirs;
    size_t *in_here, *in_theirs; /* for each line of the base */
    struct buf *out;
};

static enum errc add_lines(const struct lines *l, size_t from, size_t to, struct buf *out,
                           struct err *err)
{
    enum errc rc = E_OK;
    for (size_t i = from; i < to && rc == E_OK; i++)
        rc = buf_add(out, l->items[i], err);
    return rc;
}

struct chunk {
    size_t base, here, theirs; /* where it begins; the next one's begin is its end */
};

static enum errc merge_chunk(struct merging *m, const struct chunk *from, const struct chunk *to,
                             bool *out_merges, struct merge_conflict *conflict, struct err *err)
{
    const bool here_is_base =
        same_lines(&m->base, from->base, to->base, &m->here, from->here, to->here);
    const bool theirs_is_base =
        same_lines(&m->base, from->base, to->base, &m->theirs, from->theirs, to->theirs);
    if (here_is_base)
        return add_lines(&m->theirs, from->theirs, to->theirs, m->out, err);
    if (theirs_is_base ||
        same_lines(&m->here, from->here, to->here, &m->theirs, from->theirs, to->theirs))
        return add_lines(&m->here, from->here, to->here, m->out, err);
    *out_merges = false;
    *conflict = (struct merge_conflict){ from->here + 1, from->theirs + 1 };
    return E_OK;
}

static enum errc merge_all(struct merging *m, bool *out_merges, struct merge_conflict *conflict,
                           struct err *err)
{
    struct chunk from = { 0, 0, 0 };
    enum errc rc = E_OK;
    *out_merges = true;
    for (size_t i = 0; i <= m->base.n && rc == E_OK && *out_merges; i++) {
        struct chunk to = { i, m->here.n, m->theirs.n };
        if (i < m->base.n) {
            if (m->in_here[i] == NO_LINE || m->in_theirs[i] == NO_LINE)
                continue;
            to = (struct chunk){ i, m->in_here[i], m->in_theirs[i] };
        }
        rc = merge_chunk(m, &from, &to, out_merges, conflict, err);
        if (rc == E_OK && *out_merges && i < m->base.n)
            rc = buf_add(m->out, m->base.items[i], err);
        from = (struct chunk){ to.base + 1, to.here + 1, to.theirs + 1 };
    }
    return rc;
}

static enum errc merge_lines(struct span base, struct span here, struct span theirs,
                             struct buf *out, bool *out_merges, struct merge_conflict *conflict,
                             struct err *err)
{
    struct merging m = { .out = out };
    enum errc rc = split(base, &m.base, err);
    if (rc == E_OK)
        rc = split(here, &m.here, err);
    if (rc == E_OK)
        rc = split(theirs, &m.theirs, err);
    if (rc == E_OK)
        rc = match_lines(&m.base, &m.here, &m.in_here, err);
    if (rc == E_OK)
        rc = match_lines(&m.base, &m.theirs, &m.in_theirs, err);
    if (rc == E_OK)
        rc = merge_all(&m, out_merges, conflict, err);
    free(m.base.items);
    free(m.here.items);
    free(m.theirs.items);
    free(m.in_here);
    free(m.in_theirs);
    return rc;
}

/* --- */

static bool has_nul(struct span s)
{
    return s.len > 0 && memchr(s.ptr, '\0', s.len) != NULL;
}

enum errc merge_text(struct span base, struct span here, struct span theirs, struct buf *out,
                     bool *out_merges, struct merge_conflict *conflict, struct err *err)
{
    const size_t at = out->len;
    enum errc rc;
    if (base.len > MERGE_BYTES_MAX || here.len > MERGE_BYTES_MAX || theirs.len > MERGE_BYTES_MAX)
        return err_set(err, E_LIMIT, "a text of more than %d bytes", MERGE_BYTES_MAX);
    *conflict = (struct merge_conflict){ 1, 1 };
    *out_merges = true;
    if (span_equal(here, base) || span_equal(here, theirs))
        return buf_add(out, theirs, err);
    if (span_equal(theirs, base))
        return buf_add(out, here, err);
    if (has_nul(base) || has_nul(here) || has_nul(theirs)) {
        *out_merges = false;
        return E_OK;
    }
    rc = merge_lines(base, here, theirs, out, out_merges, conflict, err);
    if (rc != E_OK || !*out_merges)
        out->len = at;
    return rc;
}
