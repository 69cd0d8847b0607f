/* The account of every byte of a compound file that its readers pass over. What has one right value
 * must have it; what may be anything is a range that no one proves. */

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "platform/base/num.h"
#include "platform/base/reader.h"
#include "verify/cfb_private.h"

/* In files of version 4 over 2 GiB, the sector with this byte is kept for locks. */
#define RANGE_LOCK_AT 0x7FFFFF00U

static const uint8_t root_name[] = { 'R', 0, 'o', 0, 'o', 0, 't', 0, ' ', 0,
                                     'E', 0, 'n', 0, 't', 0, 'r', 0, 'y', 0 };

struct account {
    struct cfb *cfb;
    struct report *report;
    uint8_t *mini_owned; /* a bit for each mini sector */
    uint8_t *scratch;    /* SOURCE_PIECE bytes */
    uint64_t n_bytes;    /* uncovered so far */
    uint64_t first_at;
    const char *first_what;
};

/* --- ranges */

static enum errc cover(struct account *a, uint64_t at, uint64_t len, const char *what,
                       struct err *err)
{
    if (a->first_what == NULL) {
        a->first_what = what;
        a->first_at = at;
    }
    a->n_bytes += len;
    return report_uncovered(a->report, at, len, what, err);
}

static enum errc cover_if(struct account *a, bool is_odd, uint64_t at, uint64_t len,
                          const char *what, struct err *err)
{
    return is_odd ? cover(a, at, len, what, err) : E_OK;
}

/* Reads a part of the file (what of it is there) that should be zero. */
static enum errc cover_unless_zero(struct account *a, uint64_t at, uint64_t len, const char *what,
                                   struct err *err)
{
    uint64_t size = a->cfb->src->size;
    enum errc rc = E_OK;
    len = at < size ? num_min(len, size - at) : 0;
    while (len > 0 && rc == E_OK) {
        size_t n = (size_t)num_min(len, SOURCE_PIECE);
        rc = source_read_at(a->cfb->src, at, a->scratch, n, err);
        if (rc == E_OK && !span_is_filled(span_of(a->scratch, n), 0))
            rc = cover(a, at, n, what, err);
        at += n;
        len -= n;
    }
    return rc;
}

/* --- streams: their chains, and what is left of their last sector */

static enum errc claim_mini(struct account *a, uint32_t mini, struct err *err)
{
    if (bit_is_set(a->mini_owned, mini))
        return err_set(err, E_MALFORMED,
                       "compound file: mini sector 0x%" PRIX32 " belongs to two streams", mini);
    bit_set(a->mini_owned, mini);
    return E_OK;
}

static enum errc check_stream(struct account *a, const struct cfb_entry *e, struct err *err)
{
    struct cfb_walk w = cfb_walk_of(a->cfb, e);
    struct region part = { 0, 0 };
    uint32_t unit;
    enum errc rc = E_OK;
    while (w.left > 0 && rc == E_OK) {
        rc = cfb_walk_step(&w, &unit, &part, err);
        if (rc == E_OK)
            rc = w.is_mini ? claim_mini(a, unit, err) : cfb_claim(a->cfb, unit, "a stream", err);
    }
    if (rc != E_OK || e->size == 0)
        return rc;
    return cover_unless_zero(a, part.at + part.len, w.unit_len - part.len, "slack after a stream",
                             err);
}

static bool is_reached(const struct cfb *cfb, const struct cfb_entry *e)
{
    return e->parent != CFB_NONE || e == &cfb->entries[CFB_ROOT_ID];
}

static enum errc check_streams(struct account *a, struct err *err)
{
    enum errc rc = E_OK;
    for (uint32_t id = 0; id < a->cfb->n_entries && rc == E_OK; id++) {
        const struct cfb_entry *e = &a->cfb->entries[id];
        if (e->type == CFB_STREAM && is_reached(a->cfb, e))
            rc = check_stream(a, e, err);
    }
    return rc;
}

/* --- fields of the header */

static enum errc check_header(struct account *a, struct err *err)
{
    const struct cfb *cfb = a->cfb;
    const struct cfb_header *h = &cfb->header;
    enum errc rc = cover_if(a, h->minor != 0x3E, 24, 2, "minor version of the header", err);
    if (rc == E_OK)
        rc = cover_if(a, h->transaction != 0, 52, 4, "transaction number", err);
    if (rc == E_OK)
        rc = cover_if(a, h->n_minifat_sectors == 0 && h->minifat_start != ENDOFCHAIN, 60, 4,
                      "start of a mini FAT that is not there", err);
    if (rc == E_OK)
        rc = cover_if(a, h->n_difat_sectors == 0 && h->difat_start != ENDOFCHAIN, 68, 4,
                      "start of a DIFAT that is not there", err);
    if (rc == E_OK)
        rc = cover_if(a, cfb->odd_difat_end != 0, cfb->odd_difat_end, 4, "end of the DIFAT", err);
    return rc == E_OK ? cover_unless_zero(a, HEADER_LEN, cfb->sector_len - HEADER_LEN,
                                          "rest of the header's sector", err)
                      : rc;
}

/* --- fields of directory entries */

static bool is_unused(struct span raw)
{
    return span_is_filled(span_sub(raw, 0, 68), 0) &&
           (span_is_filled(span_sub(raw, 68, 12), 0) ||
            span_is_filled(span_sub(raw, 68, 12), 0xFF)) &&
           span_is_filled(span_sub(raw, 80, 48), 0);
}

static enum errc check_root(struct account *a, const struct cfb_entry *e, uint64_t at,
                            struct err *err)
{
    enum errc rc = cover_if(a, !span_equal(e->name, span_of(root_name, sizeof(root_name))), at, 66,
                            "name of the root entry", err);
    if (rc == E_OK)
        rc = cover_if(a, e->raw.ptr[67] != 1, at + 67, 1, "colour of the root entry", err);
    if (rc == E_OK)
        rc = cover_if(a, e->size == 0 && e->start != ENDOFCHAIN, at + 116, 4,
                      "start of a mini stream that is not there", err);
    return rc == E_OK
               ? cover_if(a, e->size % MINI_LEN != 0, at + 120, 4, "size of the mini stream", err)
               : rc;
}

static enum errc check_high_size(struct account *a, const struct cfb_entry *e, uint64_t at,
                                 struct err *err)
{
    if (a->cfb->header.major != 3 || span_is_filled(span_sub(e->raw, 124, 4), 0))
        return E_OK;
    findings_add(&a->report->findings, REASON_MALFORMED, WEIGHT_COVERAGE, at + 124,
                 "directory: a size above 32 bits in a version 3 file");
    return cover(a, at + 124, 4, "upper half of a size in version 3", err);
}

static enum errc check_by_type(struct account *a, const struct cfb_entry *e, uint64_t at,
                               struct err *err)
{
    switch (e->type) {
    case CFB_EMPTY: return cover_if(a, !is_unused(e->raw), at, ENTRY_LEN, "unused entry", err);
    case CFB_ROOT: return check_root(a, e, at, err);
    case CFB_STORAGE:
        return cover_if(a, !span_is_filled(span_sub(e->raw, 116, 12), 0), at + 116, 12,
                        "start and size of a storage", err);
    case CFB_STREAM:
        return cover_if(a, e->size == 0 && e->start != ENDOFCHAIN, at + 116, 4,
                        "start of an empty stream", err);
    }
    return E_OK;
}

static enum errc check_entry(struct account *a, const struct cfb_entry *e, struct err *err)
{
    uint64_t at = cfb_entry_at(a->cfb, e);
    if (e->type != CFB_EMPTY && !is_reached(a->cfb, e))
        return cover(a, at, ENTRY_LEN, "entry that nothing leads to", err);
    enum errc rc = check_by_type(a, e, at, err);
    if (rc != E_OK || e->type == CFB_EMPTY)
        return rc;
    size_t used = e->name.len + 2;
    rc = cover_if(a, !span_is_filled(span_sub(e->raw, used, 64 - used), 0), at + used, 64 - used,
                  "rest of a name", err);
    return rc == E_OK && e->type != CFB_STORAGE ? check_high_size(a, e, at, err) : rc;
}

static enum errc check_colours(struct account *a, const struct cfb_entry *storage, struct err *err)
{
    const struct cfb *cfb = a->cfb;
    enum errc rc = E_OK;
    if (storage->colours == CFB_COLOURS_FINE)
        return E_OK;
    if (storage->colours == CFB_COLOURS_RED_RED)
        findings_add(&a->report->findings, REASON_MALFORMED, WEIGHT_COVERAGE,
                     cfb_entry_at(cfb, storage),
                     "directory: a red node at the top or under a red one");
    for (uint32_t id = storage->first_child; id != CFB_NONE && rc == E_OK;
         id = cfb->entries[id].next) {
        bool is_black = cfb->entries[id].raw.ptr[67] == 1;
        if (storage->colours != CFB_COLOURS_ONE_RED || !is_black)
            rc = cover(a, cfb_entry_at(cfb, &cfb->entries[id]) + 67, 1, "colour of a tree's node",
                       err);
    }
    return rc;
}

static enum errc check_dir(struct account *a, struct err *err)
{
    enum errc rc = E_OK;
    for (uint32_t id = 0; id < a->cfb->n_entries && rc == E_OK; id++) {
        rc = check_entry(a, &a->cfb->entries[id], err);
        if (rc == E_OK)
            rc = check_colours(a, &a->cfb->entries[id], err);
    }
    return rc;
}

/* --- sectors that belong to nothing */

/* A FAT that speaks of sectors past the file's end is one of a file that was cut off. */
static enum errc check_fat_end(const struct cfb *cfb, struct err *err)
{
    for (uint32_t i = cfb->n_sectors; i < cfb->fat.n; i++)
        if (cfb->fat.at[i] != FREESECT)
            return err_set(err, E_MALFORMED,
                           "FAT: says 0x%" PRIX32 " of sector 0x%" PRIX32 ", past the file's end",
                           cfb->fat.at[i], i);
    return E_OK;
}

/* The last mini FAT entries stand for no mini sector and say so with FREESECT. One writer in wide
 * use ends the table with a single ENDOFCHAIN. The two differ in one bit that no hash covers, so
 * only one of them can be the right value for a file, and which one is told by how that writer lays
 * out a file: entries in the order of a walk through the tree, siblings as a list (no node has a
 * left one), and at the end signature, mini stream, mini FAT, directory and FAT, one behind the
 * other. */
static bool ends_with_signature(const struct cfb *cfb)
{
    static const uint8_t name[] = "\5\0D\0i\0g\0i\0t\0a\0l\0S\0i\0g\0n\0a\0t\0u\0r\0e";
    const struct cfb_entry *e = cfb_find(cfb, CFB_ROOT_ID, span_of(name, sizeof(name)));
    if (e == NULL || e->size == 0)
        return false;
    if (e->size < MINI_CUTOFF)
        return e->start + (e->size + MINI_LEN - 1) / MINI_LEN == cfb->n_minis;
    return e->start + (e->size + cfb->sector_len - 1) / cfb->sector_len == cfb->mini_chain.at[0];
}

static bool is_laid_out_as_list(const struct cfb *cfb)
{
    uint32_t n_used = 0;
    for (uint32_t id = 0; id < cfb->n_entries; id++) {
        const struct cfb_entry *e = &cfb->entries[id];
        if (e->type == CFB_EMPTY)
            continue;
        uint32_t right = get_u32le(e->raw.ptr + 72), child = get_u32le(e->raw.ptr + 76);
        if (get_u32le(e->raw.ptr + 68) != CFB_NONE || (right != CFB_NONE && right <= id) ||
            (child != CFB_NONE && child != id + 1))
            return false;
        n_used++;
    }
    if (n_used < 4 || cfb->mini_chain.n == 0 || cfb->fat_sectors.n == 0 ||
        !ends_with_signature(cfb))
        return false;
    uint32_t mini_fat_at = cfb->mini_chain.at[cfb->mini_chain.n - 1] + 1;
    uint32_t dir_at = mini_fat_at + cfb->minifat_chain.n;
    uint32_t fat_at = dir_at + cfb->dir_chain.n;
    return cfb->header.minifat_start == mini_fat_at && cfb->header.dir_start == dir_at &&
           cfb->fat_sectors.at[0] == fat_at && fat_at + cfb->fat_sectors.n == cfb->n_sectors;
}

static enum errc check_mini_fat_end(struct account *a, struct err *err)
{
    const struct cfb *cfb = a->cfb;
    enum errc rc = E_OK;
    uint32_t expected = is_laid_out_as_list(cfb) ? ENDOFCHAIN : FREESECT;
    for (uint32_t i = cfb->n_minis; i < cfb->minifat.n && rc == E_OK; i++) {
        if (cfb->minifat.at[i] != expected) {
            uint64_t at = (uint64_t)i * 4;
            uint64_t sector_at = cfb_sector_at(cfb, cfb->minifat_chain.at[at >> cfb->shift]);
            rc = cover(a, sector_at + (at & (cfb->sector_len - 1)), 4,
                       "mini FAT past the mini stream's end", err);
        }
        expected = FREESECT;
    }
    return rc;
}

/* Looks at the mini sectors from `i` that no stream owns and that lie side by side in the file;
 * says how many. */
static enum errc check_free_minis(struct account *a, uint32_t i, uint32_t end, uint32_t *out_n,
                                  struct err *err)
{
    const struct cfb *cfb = a->cfb;
    uint64_t at = cfb_mini_at(cfb, i);
    uint32_t mark = cfb->minifat.at[i], n = 1;
    while (i + n < end && !bit_is_set(a->mini_owned, i + n) && cfb->minifat.at[i + n] == mark &&
           cfb_mini_at(cfb, i + n) == at + (uint64_t)n * MINI_LEN)
        n++;
    *out_n = n;
    if (mark != FREESECT)
        return cover(a, at, (uint64_t)n * MINI_LEN, "mini sectors that belong to nothing", err);
    return cover_unless_zero(a, at, (uint64_t)n * MINI_LEN, "free mini sectors", err);
}

/* The root entry's size says where the mini stream ends, and no hash covers it: it must end with a
 * mini sector in use, and what follows in its last sector is slack. */
static enum errc check_mini_end(struct account *a, uint32_t n_used, struct err *err)
{
    const struct cfb *cfb = a->cfb;
    enum errc rc = E_OK;
    if (cfb->n_minis == 0)
        return E_OK;
    for (uint32_t i = n_used; i < cfb->n_minis && rc == E_OK; i++)
        rc = cover(a, cfb_mini_at(cfb, i), MINI_LEN, "mini sectors after the last used one", err);
    uint64_t rest = ((uint64_t)cfb->mini_chain.n << cfb->shift) - (uint64_t)cfb->n_minis * MINI_LEN;
    return rc == E_OK ? cover_unless_zero(a, cfb_mini_at(cfb, cfb->n_minis - 1) + MINI_LEN, rest,
                                          "slack after the mini stream", err)
                      : rc;
}

static enum errc check_minis(struct account *a, struct err *err)
{
    const struct cfb *cfb = a->cfb;
    uint32_t n_used = cfb->n_minis;
    while (n_used > 0 && !bit_is_set(a->mini_owned, n_used - 1))
        n_used--;
    enum errc rc = check_mini_fat_end(a, err);
    for (uint32_t i = 0; i < n_used && rc == E_OK;) {
        uint32_t n = 1;
        if (!bit_is_set(a->mini_owned, i))
            rc = check_free_minis(a, i, n_used, &n, err);
        i += n;
    }
    return rc == E_OK ? check_mini_end(a, n_used, err) : rc;
}

/* Of a run of sectors that nothing owns, all of them marked alike. */
static enum errc check_unowned(struct account *a, uint32_t first, uint32_t n, struct err *err)
{
    const struct cfb *cfb = a->cfb;
    uint64_t at = cfb_sector_at(cfb, first), len = (uint64_t)n << cfb->shift;
    uint32_t mark = cfb->fat.at[first];
    bool is_lock = cfb->header.major == 4 && mark == ENDOFCHAIN && n == 1 &&
                   at == RANGE_LOCK_AT / cfb->sector_len * cfb->sector_len;
    if (mark != FREESECT && !is_lock)
        return cover(a, at, len, "sectors that belong to nothing", err);
    return cover_unless_zero(a, at, len, "free sectors", err);
}

static enum errc check_sectors_below(struct account *a, uint32_t end, struct err *err)
{
    const struct cfb *cfb = a->cfb;
    enum errc rc = E_OK;
    for (uint32_t i = 0; i < end && rc == E_OK;) {
        uint32_t n = 1;
        if (!bit_is_set(cfb->owned, i)) {
            while (i + n < end && !bit_is_set(cfb->owned, i + n) &&
                   cfb->fat.at[i + n] == cfb->fat.at[i])
                n++;
            rc = check_unowned(a, i, n, err);
        }
        i += n;
    }
    return rc;
}

static enum errc check_file_end(struct account *a, uint32_t n_used, struct err *err)
{
    uint64_t size = a->cfb->src->size, end = cfb_sector_at(a->cfb, n_used);
    if (size > end) {
        findings_add(&a->report->findings, REASON_TRAILING_DATA, WEIGHT_FATAL, end,
                     "%" PRIu64 " bytes after the compound file's last used sector", size - end);
        return report_uncovered(a->report, end, size - end, "after the last used sector", err);
    }
    if (size < end)
        findings_add(&a->report->findings, REASON_UNCOVERED_DATA, WEIGHT_COVERAGE, size,
                     "the file ends %" PRIu64 " bytes before the end of its last sector",
                     end - size);
    return E_OK;
}

static enum errc check_sectors(struct account *a, struct err *err)
{
    const struct cfb *cfb = a->cfb;
    uint32_t n_used = cfb->n_sectors;
    while (n_used > 0 && !bit_is_set(cfb->owned, n_used - 1))
        n_used--;
    enum errc rc = check_fat_end(cfb, err);
    if (n_used > cfb->fat.n)
        return err_set(err, E_INTERNAL, "compound file: a sector in use that the FAT lacks");
    if (rc == E_OK)
        rc = check_sectors_below(a, n_used, err);
    return rc == E_OK ? check_file_end(a, n_used, err) : rc;
}

/* --- all of it */

static enum errc check_all(struct account *a, struct err *err)
{
    enum errc rc = check_header(a, err);
    if (rc == E_OK)
        rc = check_dir(a, err);
    if (rc == E_OK)
        rc = check_streams(a, err);
    if (rc == E_OK)
        rc = check_minis(a, err);
    return rc == E_OK ? check_sectors(a, err) : rc;
}

enum errc cfb_check(struct cfb *cfb, struct report *report, struct err *err)
{
    struct account a = { .cfb = cfb,
                         .report = report,
                         .mini_owned = calloc((size_t)cfb->n_minis / 8 + 1, 1),
                         .scratch = malloc(SOURCE_PIECE) };
    enum errc rc = a.mini_owned == NULL || a.scratch == NULL ? err_nomem(err) : E_OK;
    if (rc == E_OK)
        rc = check_all(&a, err);
    if (rc == E_OK && a.first_what != NULL)
        findings_add(&report->findings, REASON_UNCOVERED_DATA, WEIGHT_COVERAGE, a.first_at,
                     "%" PRIu64 " bytes that no signature covers, the first: %s", a.n_bytes,
                     a.first_what);
    free(a.mini_owned);
    free(a.scratch);
    return rc;
}
