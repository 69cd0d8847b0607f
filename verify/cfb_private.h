#ifndef SUREFOOT_VERIFY_CFB_PRIVATE_H
#define SUREFOOT_VERIFY_CFB_PRIVATE_H

/* cfb_private.h: what the cfb_*.c files share. cfb.c decides the order; cfb_fat.c reads the tables
 * of sectors, cfb_dir.c the directory's entries, cfb_tree.c joins them into trees, cfb_stream.c
 * follows streams, cfb_check.c accounts for every byte. */

#include "verify/cfb.h"

#define SECTOR_MAX 0xFFFFFFFAU /* the highest number of a real sector */
#define DIFSECT 0xFFFFFFFCU
#define FATSECT 0xFFFFFFFDU
#define ENDOFCHAIN 0xFFFFFFFEU
#define FREESECT 0xFFFFFFFFU

#define HEADER_LEN 512U
#define HEADER_DIFAT 109U
#define ENTRY_LEN 128U
#define MINI_LEN 64U
#define MINI_CUTOFF 4096U
#define SECTOR_LEN_MAX 4096U

struct cfb_header {
    uint16_t minor, major;
    uint32_t n_dir_sectors, n_fat_sectors, dir_start, transaction, minifat_start, n_minifat_sectors,
        difat_start, n_difat_sectors;
    uint32_t difat[HEADER_DIFAT];
};

/* Sector numbers or table entries, on the heap. */
struct sectors {
    uint32_t *at;
    uint32_t n;
};

struct cfb {
    struct source *src;
    struct cfb_header header;
    unsigned shift;      /* 9 or 12 */
    uint32_t sector_len; /* 1 << shift */
    uint32_t n_sectors;  /* in the file after the header, a last one that is cut short included */
    uint8_t *owned;      /* a bit for each sector that belongs to something */

    struct sectors fat_sectors, difat_sectors; /* where the tables lie */
    struct sectors fat, minifat;               /* what they say */
    struct sectors dir_chain, mini_chain, minifat_chain;
    uint32_t n_minis;       /* mini sectors in the mini stream */
    uint64_t odd_difat_end; /* offset of an end of the DIFAT chain that is FREESECT, else 0 */

    uint8_t *raw_dir;
    struct cfb_entry *entries;
    uint32_t n_entries;
};

/* --- bits */

static inline bool bit_is_set(const uint8_t *bits, uint32_t i)
{
    return (bits[i / 8] >> (i % 8) & 1) != 0;
}
static inline void bit_set(uint8_t *bits, uint32_t i)
{
    bits[i / 8] = (uint8_t)(bits[i / 8] | 1U << (i % 8));
}

/* --- cfb_fat.c */

static inline uint64_t cfb_sector_at(const struct cfb *cfb, uint32_t sector)
{
    return ((uint64_t)sector + 1) << cfb->shift;
}
static inline uint32_t cfb_words_per_sector(const struct cfb *cfb)
{
    return cfb->sector_len / 4;
}

/* cfb_claim notes that a sector belongs to `what`; E_MALFORMED if it is outside the file or belongs
 * to something else. */
MUST_USE enum errc cfb_claim(struct cfb *cfb, uint32_t sector, const char *what, struct err *err);

/* cfb_load_fat reads DIFAT and FAT, and claims their sectors. */
MUST_USE enum errc cfb_load_fat(struct cfb *cfb, struct err *err);

/* cfb_load_chain follows a chain to its end and claims it. cfb_load_words reads the sectors of a
 * chain as a table of little-endian numbers. Caller frees out->at. */
MUST_USE enum errc cfb_load_chain(struct cfb *cfb, uint32_t start, const char *what,
                                  struct sectors *out, struct err *err);
MUST_USE enum errc cfb_load_words(struct cfb *cfb, const struct sectors *where, struct sectors *out,
                                  struct err *err);

/* --- cfb_dir.c, cfb_tree.c */

/* cfb_load_dir reads the entries and judges each by itself. */
MUST_USE enum errc cfb_load_dir(struct cfb *cfb, struct err *err);

/* cfb_load_tree sets parent, first_child, next, depth and colours of all that the root leads to. */
MUST_USE enum errc cfb_load_tree(struct cfb *cfb, struct err *err);

/* --- cfb_stream.c */

/* A walk over the sectors or mini sectors of a stream. */
struct cfb_walk {
    const struct cfb *cfb;
    bool is_mini;
    uint32_t unit_len;
    uint32_t at;   /* the next one */
    uint64_t left; /* bytes of the stream; 0 ends the walk */
};
struct cfb_walk cfb_walk_of(const struct cfb *cfb, const struct cfb_entry *stream);

/* cfb_walk_step gives the next unit's number and the region of the file with the stream's bytes in
 * it. The last step fails unless the chain ends there. */
MUST_USE enum errc cfb_walk_step(struct cfb_walk *w, uint32_t *out_unit, struct region *out,
                                 struct err *err);

/* cfb_mini_at is the file offset of a mini sector below n_minis. */
uint64_t cfb_mini_at(const struct cfb *cfb, uint32_t mini);

#endif
