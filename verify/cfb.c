#include "verify/cfb.h"

#include <inttypes.h>
#include <stdlib.h>

#include "platform/base/reader.h"
#include "verify/cfb_private.h"

static const uint8_t magic[8] = { 0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1 };

bool cfb_is_one(struct span head)
{
    return span_starts_with(head, span_of(magic, sizeof(magic)));
}

/* --- the header */

static enum errc check_zero(struct span bytes, const char *what, struct err *err)
{
    if (!span_is_filled(bytes, 0))
        return err_set(err, E_MALFORMED, "compound file header: %s is not zero", what);
    return E_OK;
}

static enum errc check_number(uint32_t is, uint32_t wanted, const char *what, struct err *err)
{
    if (is != wanted)
        return err_set(err, E_MALFORMED,
                       "compound file header: %s is 0x%" PRIX32 ", not 0x%" PRIX32, what, is,
                       wanted);
    return E_OK;
}

/* The part that tells one version from the other, up to offset 40. */
static enum errc read_version(struct cfb *cfb, struct reader *r, struct err *err)
{
    struct span clsid, reserved;
    uint16_t byte_order, shift, mini_shift;
    if (!(reader_skip(r, sizeof(magic)) && reader_take(r, 16, &clsid) &&
          reader_u16le(r, &cfb->header.minor) && reader_u16le(r, &cfb->header.major) &&
          reader_u16le(r, &byte_order) && reader_u16le(r, &shift) && reader_u16le(r, &mini_shift) &&
          reader_take(r, 6, &reserved)))
        return err_set(err, E_TRUNCATED, "compound file header ends at %" PRIu64, r->at);
    if (cfb->header.major != 3 && cfb->header.major != 4)
        return err_set(err, E_MALFORMED, "compound file version %u, not 3 or 4",
                       (unsigned)cfb->header.major);
    cfb->shift = cfb->header.major == 3 ? 9 : 12;
    cfb->sector_len = 1U << cfb->shift;
    enum errc rc = check_zero(clsid, "the CLSID", err);
    if (rc == E_OK)
        rc = check_number(byte_order, 0xFFFE, "the byte order", err);
    if (rc == E_OK)
        rc = check_number(shift, cfb->shift, "the sector shift", err);
    if (rc == E_OK)
        rc = check_number(mini_shift, 6, "the mini sector shift", err);
    return rc == E_OK ? check_zero(reserved, "the reserved field", err) : rc;
}

static enum errc read_tables(struct cfb *cfb, struct reader *r, struct err *err)
{
    struct cfb_header *h = &cfb->header;
    uint32_t cutoff;
    bool ok = reader_u32le(r, &h->n_dir_sectors) && reader_u32le(r, &h->n_fat_sectors) &&
              reader_u32le(r, &h->dir_start) && reader_u32le(r, &h->transaction) &&
              reader_u32le(r, &cutoff) && reader_u32le(r, &h->minifat_start) &&
              reader_u32le(r, &h->n_minifat_sectors) && reader_u32le(r, &h->difat_start) &&
              reader_u32le(r, &h->n_difat_sectors);
    for (size_t i = 0; ok && i < HEADER_DIFAT; i++)
        ok = reader_u32le(r, &h->difat[i]);
    if (!ok)
        return err_set(err, E_TRUNCATED, "compound file header ends at %" PRIu64, r->at);
    return check_number(cutoff, MINI_CUTOFF, "the mini stream cutoff", err);
}

static enum errc read_header(struct cfb *cfb, struct err *err)
{
    uint8_t bytes[HEADER_LEN];
    enum errc rc = source_read_at(cfb->src, 0, bytes, sizeof(bytes), err);
    if (rc != E_OK)
        return err_prefix(err, "compound file header: ");
    if (!cfb_is_one(span_of(bytes, sizeof(bytes))))
        return err_set(err, E_MALFORMED, "no compound file: the first bytes are others");
    struct reader r = reader_of(span_of(bytes, sizeof(bytes)), 0);
    rc = read_version(cfb, &r, err);
    return rc == E_OK ? read_tables(cfb, &r, err) : rc;
}

static enum errc count_sectors(struct cfb *cfb, struct err *err)
{
    uint64_t size = cfb->src->size;
    if (size < cfb->sector_len)
        return err_set(err, E_TRUNCATED,
                       "compound file of %" PRIu64 " bytes, the header alone takes %" PRIu32, size,
                       cfb->sector_len);
    uint64_t n = (size - cfb->sector_len + cfb->sector_len - 1) >> cfb->shift;
    if (n > CFB_SECTORS_MAX)
        return err_set(err, E_LIMIT, "compound file of %" PRIu64 " sectors, limit %u", n,
                       CFB_SECTORS_MAX);
    cfb->n_sectors = (uint32_t)n;
    cfb->owned = calloc((size_t)n / 8 + 1, 1);
    return cfb->owned == NULL ? err_nomem(err) : E_OK;
}

/* --- the mini stream */

static enum errc load_mini_fat(struct cfb *cfb, struct err *err)
{
    const struct cfb_header *h = &cfb->header;
    uint32_t n_max = CFB_MINIS_MAX / cfb_words_per_sector(cfb);
    if (h->n_minifat_sectors == 0)
        return E_OK;
    enum errc rc = cfb_load_chain(cfb, h->minifat_start, "the mini FAT", &cfb->minifat_chain, err);
    if (rc != E_OK)
        return rc;
    uint32_t n = cfb->minifat_chain.n;
    if (n != h->n_minifat_sectors)
        return err_set(err, E_MALFORMED,
                       "mini FAT of %" PRIu32 " sectors, the header says %" PRIu32, n,
                       h->n_minifat_sectors);
    if (n > n_max)
        return err_set(err, E_LIMIT, "mini FAT of %" PRIu32 " sectors, limit %" PRIu32, n, n_max);
    return cfb_load_words(cfb, &cfb->minifat_chain, &cfb->minifat, err);
}

static enum errc load_mini_stream(struct cfb *cfb, struct err *err)
{
    const struct cfb_entry *root = &cfb->entries[CFB_ROOT_ID];
    enum errc rc = load_mini_fat(cfb, err);
    if (rc != E_OK || root->size == 0)
        return rc;
    uint64_t n_minis = (root->size + MINI_LEN - 1) / MINI_LEN;
    if (n_minis > cfb->minifat.n)
        return err_set(err, E_MALFORMED,
                       "mini stream of %" PRIu64 " sectors, the mini FAT has %" PRIu32, n_minis,
                       cfb->minifat.n);
    cfb->n_minis = (uint32_t)n_minis;
    rc = cfb_load_chain(cfb, root->start, "the mini stream", &cfb->mini_chain, err);
    if (rc != E_OK)
        return rc;
    uint64_t n_sectors = (root->size + cfb->sector_len - 1) >> cfb->shift;
    if (cfb->mini_chain.n != n_sectors)
        return err_set(err, E_MALFORMED,
                       "mini stream of %" PRIu64 " bytes in a chain of %" PRIu32 " sectors",
                       root->size, cfb->mini_chain.n);
    return E_OK;
}

/* --- open and close */

static enum errc load_all(struct cfb *cfb, struct err *err)
{
    enum errc rc = read_header(cfb, err);
    if (rc == E_OK)
        rc = count_sectors(cfb, err);
    if (rc == E_OK)
        rc = cfb_load_fat(cfb, err);
    if (rc == E_OK)
        rc = cfb_load_dir(cfb, err);
    if (rc == E_OK)
        rc = cfb_load_tree(cfb, err);
    return rc == E_OK ? load_mini_stream(cfb, err) : rc;
}

enum errc cfb_open(struct source *src, struct cfb **out, struct err *err)
{
    struct cfb *cfb = calloc(1, sizeof(*cfb));
    if (cfb == NULL)
        return err_nomem(err);
    cfb->src = src;
    enum errc rc = load_all(cfb, err);
    if (rc == E_OK)
        *out = cfb;
    else
        cfb_close(cfb);
    return rc;
}

void cfb_close(struct cfb *cfb)
{
    if (cfb == NULL)
        return;
    free(cfb->owned);
    free(cfb->fat_sectors.at);
    free(cfb->difat_sectors.at);
    free(cfb->fat.at);
    free(cfb->minifat.at);
    free(cfb->dir_chain.at);
    free(cfb->mini_chain.at);
    free(cfb->minifat_chain.at);
    free(cfb->raw_dir);
    free(cfb->entries);
    free(cfb);
}

/* --- looking around */

uint32_t cfb_n_entries(const struct cfb *cfb)
{
    return cfb->n_entries;
}

const struct cfb_entry *cfb_entry(const struct cfb *cfb, uint32_t id)
{
    return &cfb->entries[id];
}

uint64_t cfb_entry_at(const struct cfb *cfb, const struct cfb_entry *e)
{
    uint64_t at = (uint64_t)(e - cfb->entries) * ENTRY_LEN;
    uint32_t sector = cfb->dir_chain.at[at >> cfb->shift];
    return cfb_sector_at(cfb, sector) + (at & (cfb->sector_len - 1));
}

const struct cfb_entry *cfb_find(const struct cfb *cfb, uint32_t storage, struct span name)
{
    for (uint32_t id = cfb->entries[storage].first_child; id != CFB_NONE;
         id = cfb->entries[id].next)
        if (span_equal(cfb->entries[id].name, name))
            return &cfb->entries[id];
    return NULL;
}
