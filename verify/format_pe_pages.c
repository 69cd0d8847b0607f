/* Page hashes of a PE file: a table inside the signature, (u32 offset, hash) for each page of 4096
 * bytes of the headers and of every section's raw data, and an entry with the end offset and a hash
 * of zeros. A page that ends early is hashed with zeros up to its size; the headers' first one is
 * hashed without CheckSum and the directory entry, and not made longer for it. The page is 4096
 * bytes whatever SectionAlignment says.
 *
 * The pages are shared out in shares, which several cores hash side by side. */

#include <inttypes.h>
#include <stdlib.h>

#include "platform/base/num.h"
#include "platform/base/reader.h"
#include "platform/work.h"
#include "verify/format_pe.h"

#define OFFSET_LEN 4
#define SHARES_MAX 64
#define SHARE_PAGES_MIN 64
#define READ_PAGES (SOURCE_PIECE / PE_PAGE)

struct share {
    uint64_t first, n; /* of the pages, counted over the whole table */
    uint64_t n_wrong, first_wrong_at;
    enum errc rc;
    struct err err;
};

struct pages {
    const struct pe *pe;
    enum digest_alg alg;
    size_t hash_len;
    struct span table;
    uint64_t n;
    size_t n_shares;
    struct share shares[SHARES_MAX];
};

/* What one share works with. */
struct worker {
    const struct pages *pages;
    struct share *share;
    struct hasher *hasher;
    uint8_t *scratch; /* SOURCE_PIECE bytes */
};

/* Region 0 is the headers, the others are the sections. */
static struct region region_of(const struct pe *pe, size_t i)
{
    return i == 0 ? (struct region){ 0, pe->headers_size } : pe->sections[i - 1];
}

static uint64_t n_pages_of(struct region r)
{
    return r.len / PE_PAGE + (r.len % PE_PAGE != 0);
}

static uint64_t count_pages(const struct pe *pe)
{
    uint64_t n = 0;
    for (size_t i = 0; i <= pe->n_sections; i++)
        n += n_pages_of(region_of(pe, i));
    return n;
}

static uint64_t find_end(const struct pe *pe)
{
    uint64_t end = pe->headers_size;
    for (size_t i = 0; i < pe->n_sections; i++) {
        uint64_t section_end = pe->sections[i].at + pe->sections[i].len;
        end = section_end > end ? section_end : end;
    }
    return end;
}

static struct span entry_at(const struct pages *p, uint64_t i)
{
    size_t len = OFFSET_LEN + p->hash_len;
    return span_sub(p->table, (size_t)i * len, len);
}

static bool entry_is(struct span entry, uint64_t at, struct span hash)
{
    return entry.len == OFFSET_LEN + hash.len && get_u32le(entry.ptr) == at &&
           span_equal(span_sub(entry, OFFSET_LEN, hash.len), hash);
}

static enum errc check_page(struct worker *w, uint64_t number, uint64_t at, struct span page,
                            struct err *err)
{
    static const uint8_t zeros[PE_PAGE];
    struct digest_set set;
    enum errc rc = hasher_reset(w->hasher, err);
    if (rc == E_OK)
        rc = pe_hash(w->pages->pe, w->hasher, at, page, err);
    if (rc == E_OK && page.len < PE_PAGE)
        rc = hasher_add(w->hasher, span_of(zeros, PE_PAGE - page.len), err);
    if (rc == E_OK)
        rc = hasher_finish(w->hasher, &set, err);
    if (rc == E_OK &&
        !entry_is(entry_at(w->pages, number), at, digest_span(&set.of[w->pages->alg])) &&
        w->share->n_wrong++ == 0)
        w->share->first_wrong_at = at;
    return rc;
}

/* Checks `n` pages of one region from its page `skip` on; the first has `number` in the table. */
static enum errc check_pages(struct worker *w, struct region r, uint64_t skip, uint64_t n,
                             uint64_t number, struct err *err)
{
    uint64_t at = r.at + skip * PE_PAGE;
    uint64_t end = num_min(r.at + r.len, at + n * PE_PAGE);
    while (at < end) {
        size_t len = (size_t)num_min(end - at, READ_PAGES * PE_PAGE);
        enum errc rc = source_read_at(w->pages->pe->base.src, at, w->scratch, len, err);
        struct span rest = span_of(w->scratch, len);
        while (rc == E_OK && rest.len > 0) {
            struct span page = span_sub(rest, 0, PE_PAGE);
            rc = check_page(w, number++, at, page, err);
            rest = span_sub(rest, page.len, rest.len - page.len);
            at += page.len;
        }
        if (rc != E_OK)
            return rc;
    }
    return E_OK;
}

static enum errc check_share(struct worker *w, struct err *err)
{
    const struct pe *pe = w->pages->pe;
    uint64_t next = w->share->first, end = next + w->share->n, first = 0;
    enum errc rc = E_OK;
    for (size_t i = 0; i <= pe->n_sections && next < end && rc == E_OK; i++) {
        struct region r = region_of(pe, i);
        uint64_t region_end = first + n_pages_of(r);
        if (next < region_end) {
            uint64_t n = num_min(region_end, end) - next;
            rc = check_pages(w, r, next - first, n, next, err);
            next += n;
        }
        first = region_end;
    }
    return rc;
}

static void run_share(void *ctx, size_t i)
{
    struct pages *p = ctx;
    struct share *share = &p->shares[i];
    struct worker w = { .pages = p, .share = share, .scratch = malloc(SOURCE_PIECE) };
    share->rc = w.scratch == NULL ? err_nomem(&share->err)
                                  : hasher_new(DIGEST_BIT(p->alg), &w.hasher, &share->err);
    if (share->rc == E_OK)
        share->rc = check_share(&w, &share->err);
    hasher_free(w.hasher);
    free(w.scratch);
}

/* The table's length, and its last entry, which has no page. */
static bool check_shape(const struct pages *p, struct report *report)
{
    static const uint8_t zeros[DIGEST_LEN_MAX];
    uint64_t wanted = (p->n + 1) * (OFFSET_LEN + p->hash_len);
    if (p->table.len != wanted) {
        findings_add(&report->findings, REASON_PAGE_HASH_MISMATCH, WEIGHT_FATAL, NO_OFFSET,
                     "the table of page hashes has %zu bytes, %" PRIu64 " pages need %" PRIu64,
                     p->table.len, p->n, wanted);
        return false;
    }
    if (!entry_is(entry_at(p, p->n), find_end(p->pe), span_of(zeros, p->hash_len))) {
        findings_add(&report->findings, REASON_PAGE_HASH_MISMATCH, WEIGHT_FATAL, NO_OFFSET,
                     "the table of page hashes does not end as the file does");
        return false;
    }
    return true;
}

static void share_out(struct pages *p)
{
    uint64_t each = p->n / SHARES_MAX + 1;
    each = each < SHARE_PAGES_MIN ? SHARE_PAGES_MIN : each;
    for (uint64_t first = 0; first < p->n; first += each)
        p->shares[p->n_shares++] =
            (struct share){ .first = first, .n = num_min(each, p->n - first) };
}

static enum errc gather(const struct pages *p, struct report *report, struct err *err)
{
    uint64_t n_wrong = 0, first_at = NO_OFFSET;
    for (size_t i = 0; i < p->n_shares; i++) {
        const struct share *share = &p->shares[i];
        if (share->rc != E_OK) {
            return err_set(err, share->rc, "PE: page hashes: %s", share->err.text);
        }
        if (n_wrong == 0 && share->n_wrong > 0)
            first_at = share->first_wrong_at;
        n_wrong += share->n_wrong;
    }
    if (n_wrong > 0)
        findings_add(&report->findings, REASON_PAGE_HASH_MISMATCH, WEIGHT_FATAL, first_at,
                     "%" PRIu64 " of %" PRIu64 " pages are not what was signed", n_wrong, p->n);
    return E_OK;
}

enum errc pe_check_page_hashes(struct format *f, enum digest_alg alg, struct span table,
                               struct report *report, struct err *err)
{
    if (digest_len(alg) == 0)
        return err_set(err, E_ARGUMENT, "PE: page hashes of no algorithm");
    struct pages *p = calloc(1, sizeof(*p));
    if (p == NULL)
        return err_nomem(err);
    p->pe = (const struct pe *)f;
    p->alg = alg;
    p->hash_len = digest_len(alg);
    p->table = table;
    p->n = count_pages(p->pe);
    enum errc rc = E_OK;
    if (check_shape(p, report)) {
        share_out(p);
        work_run(p->n_shares, run_share, p);
        rc = gather(p, report, err);
    }
    free(p);
    return rc;
}
