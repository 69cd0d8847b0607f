/* The tables of sectors: the FAT says of each sector which one follows it; the DIFAT says where the
 * FAT lies, its first 109 numbers in the header, the others in a chain of sectors whose last number
 * is the next of them. */

#include <inttypes.h>
#include <stdlib.h>

#include "platform/base/reader.h"
#include "verify/cfb_private.h"

enum errc cfb_claim(struct cfb *cfb, uint32_t sector, const char *what, struct err *err)
{
    if (sector >= cfb->n_sectors)
        return err_set(err, E_MALFORMED,
                       "compound file: %s is in sector 0x%" PRIX32 ", the file has 0x%" PRIX32,
                       what, sector, cfb->n_sectors);
    if (bit_is_set(cfb->owned, sector))
        return err_set(err, E_MALFORMED,
                       "compound file: %s is in sector 0x%" PRIX32
                       ", which belongs to something else or to it twice",
                       what, sector);
    bit_set(cfb->owned, sector);
    return E_OK;
}

static enum errc read_words(struct cfb *cfb, uint32_t sector, uint32_t *to, struct err *err)
{
    uint8_t bytes[SECTOR_LEN_MAX];
    enum errc rc =
        source_read_at(cfb->src, cfb_sector_at(cfb, sector), bytes, cfb->sector_len, err);
    if (rc != E_OK)
        return err_prefix(err, "compound file, sector 0x%" PRIX32 ": ", sector);
    for (size_t i = 0; i < cfb_words_per_sector(cfb); i++)
        to[i] = get_u32le(bytes + 4 * i);
    return E_OK;
}

enum errc cfb_load_words(struct cfb *cfb, const struct sectors *where, struct sectors *out,
                         struct err *err)
{
    uint32_t per = cfb_words_per_sector(cfb);
    struct sectors words = { malloc((size_t)where->n * per * 4 + 1), where->n * per };
    if (words.at == NULL)
        return err_nomem(err);
    for (uint32_t i = 0; i < where->n; i++) {
        enum errc rc = read_words(cfb, where->at[i], words.at + (size_t)i * per, err);
        if (rc != E_OK) {
            free(words.at);
            return rc;
        }
    }
    *out = words;
    return E_OK;
}

/* --- DIFAT */

static enum errc check_unused(const uint32_t *words, uint32_t from, uint32_t to, struct err *err)
{
    for (uint32_t i = from; i < to; i++)
        if (words[i] != FREESECT)
            return err_set(err, E_MALFORMED, "DIFAT: the unused place %" PRIu32 " holds 0x%" PRIX32,
                           i, words[i]);
    return E_OK;
}

static enum errc claim_table(struct cfb *cfb, const struct sectors *table, const char *what,
                             struct err *err)
{
    for (uint32_t i = 0; i < table->n; i++) {
        enum errc rc = cfb_claim(cfb, table->at[i], what, err);
        if (rc != E_OK)
            return rc;
    }
    return E_OK;
}

static enum errc check_difat_end(struct cfb *cfb, uint32_t next, uint32_t last_sector,
                                 struct err *err)
{
    if (next == ENDOFCHAIN)
        return E_OK;
    if (next != FREESECT) /* some writers end the chain so */
        return err_set(err, E_MALFORMED, "DIFAT: goes on after its %" PRIu32 " sectors",
                       cfb->header.n_difat_sectors);
    cfb->odd_difat_end = cfb_sector_at(cfb, last_sector) + cfb->sector_len - 4;
    return E_OK;
}

/* Reads the DIFAT's own sectors. `done` numbers of FAT sectors are known before. */
static enum errc load_difat_sectors(struct cfb *cfb, uint32_t done, struct err *err)
{
    uint32_t per = cfb_words_per_sector(cfb) - 1; /* the last word is the next sector */
    uint32_t words[SECTOR_LEN_MAX / 4];
    uint32_t at = cfb->header.difat_start;
    enum errc rc = E_OK;
    for (uint32_t i = 0; i < cfb->difat_sectors.n && rc == E_OK; i++) {
        cfb->difat_sectors.at[i] = at;
        rc = cfb_claim(cfb, at, "the DIFAT", err);
        if (rc == E_OK)
            rc = read_words(cfb, at, words, err);
        if (rc != E_OK)
            return rc;
        uint32_t k = 0;
        for (; k < per && done < cfb->fat_sectors.n; k++)
            cfb->fat_sectors.at[done++] = words[k];
        rc = check_unused(words, k, per, err);
        if (rc == E_OK && i + 1 == cfb->difat_sectors.n)
            rc = check_difat_end(cfb, words[per], at, err);
        at = words[per];
    }
    return rc;
}

static enum errc check_counts(struct cfb *cfb, struct err *err)
{
    const struct cfb_header *h = &cfb->header;
    uint32_t per = cfb_words_per_sector(cfb);
    if (h->n_fat_sectors == 0)
        return err_set(err, E_MALFORMED, "compound file without a FAT");
    if (h->n_fat_sectors > cfb->n_sectors)
        return err_set(err, E_MALFORMED, "FAT of %" PRIu32 " sectors in a file of %" PRIu32,
                       h->n_fat_sectors, cfb->n_sectors);
    if (h->n_fat_sectors > CFB_SECTORS_MAX / per)
        return err_set(err, E_LIMIT, "FAT of %" PRIu32 " sectors, limit %" PRIu32, h->n_fat_sectors,
                       CFB_SECTORS_MAX / per);
    uint32_t more = h->n_fat_sectors > HEADER_DIFAT ? h->n_fat_sectors - HEADER_DIFAT : 0;
    if (h->n_difat_sectors != (more + per - 2) / (per - 1))
        return err_set(err, E_MALFORMED, "DIFAT of %" PRIu32 " sectors for a FAT of %" PRIu32,
                       h->n_difat_sectors, h->n_fat_sectors);
    return E_OK;
}

static enum errc load_difat(struct cfb *cfb, struct err *err)
{
    const struct cfb_header *h = &cfb->header;
    cfb->fat_sectors = (struct sectors){ calloc(h->n_fat_sectors, 4), h->n_fat_sectors };
    cfb->difat_sectors =
        (struct sectors){ calloc((size_t)h->n_difat_sectors + 1, 4), h->n_difat_sectors };
    if (cfb->fat_sectors.at == NULL || cfb->difat_sectors.at == NULL)
        return err_nomem(err);
    uint32_t done = 0;
    for (; done < HEADER_DIFAT && done < h->n_fat_sectors; done++)
        cfb->fat_sectors.at[done] = h->difat[done];
    enum errc rc = check_unused(h->difat, done, HEADER_DIFAT, err);
    if (rc == E_OK)
        rc = load_difat_sectors(cfb, done, err);
    return rc == E_OK ? claim_table(cfb, &cfb->fat_sectors, "the FAT", err) : rc;
}

/* --- FAT */

static enum errc check_marks(const struct cfb *cfb, const struct sectors *table, uint32_t mark,
                             const char *what, struct err *err)
{
    for (uint32_t i = 0; i < table->n; i++) {
        uint32_t sector = table->at[i];
        if (sector >= cfb->fat.n || cfb->fat.at[sector] != mark)
            return err_set(err, E_MALFORMED,
                           "FAT: sector 0x%" PRIX32 " holds %s and is not marked so", sector, what);
    }
    return E_OK;
}

enum errc cfb_load_fat(struct cfb *cfb, struct err *err)
{
    enum errc rc = check_counts(cfb, err);
    if (rc == E_OK)
        rc = load_difat(cfb, err);
    if (rc == E_OK)
        rc = cfb_load_words(cfb, &cfb->fat_sectors, &cfb->fat, err);
    if (rc == E_OK)
        rc = check_marks(cfb, &cfb->fat_sectors, FATSECT, "the FAT", err);
    return rc == E_OK ? check_marks(cfb, &cfb->difat_sectors, DIFSECT, "the DIFAT", err) : rc;
}

/* --- chains */

static enum errc next_in_chain(const struct cfb *cfb, uint32_t *at, const char *what,
                               struct err *err)
{
    if (*at >= cfb->n_sectors || *at >= cfb->fat.n)
        return err_set(err, E_MALFORMED,
                       "compound file: the chain of %s leads to sector 0x%" PRIX32
                       ", the file has 0x%" PRIX32,
                       what, *at, cfb->n_sectors);
    *at = cfb->fat.at[*at];
    return E_OK;
}

static enum errc count_chain(const struct cfb *cfb, uint32_t start, const char *what,
                             uint32_t *out_n, struct err *err)
{
    uint32_t n = 0;
    for (uint32_t at = start; at != ENDOFCHAIN; n++) {
        if (n == cfb->n_sectors)
            return err_set(err, E_MALFORMED, "compound file: the chain of %s is a circle", what);
        enum errc rc = next_in_chain(cfb, &at, what, err);
        if (rc != E_OK)
            return rc;
    }
    *out_n = n;
    return E_OK;
}

enum errc cfb_load_chain(struct cfb *cfb, uint32_t start, const char *what, struct sectors *out,
                         struct err *err)
{
    struct sectors chain = { NULL, 0 };
    enum errc rc = count_chain(cfb, start, what, &chain.n, err);
    if (rc != E_OK)
        return rc;
    chain.at = malloc((size_t)chain.n * 4 + 1);
    if (chain.at == NULL)
        return err_nomem(err);
    uint32_t at = start;
    for (uint32_t i = 0; i < chain.n && rc == E_OK; i++) {
        chain.at[i] = at;
        rc = cfb_claim(cfb, at, what, err);
        if (rc == E_OK)
            rc = next_in_chain(cfb, &at, what, err);
    }
    if (rc == E_OK)
        *out = chain;
    else
        free(chain.at);
    return rc;
}
