#ifndef SUREFOOT_VERIFY_CFB_H
#define SUREFOOT_VERIFY_CFB_H

/* cfb.h: an exact reader of compound files ([MS-CFB], versions 3 and 4), the container of MSI, MSP
 * and old Office documents: a small file system of sectors, chained by a table (FAT), with streams
 * under 4096 bytes packed into one "mini stream" of 64-byte sectors.
 *
 *     header | sector 0 | sector 1 | ...        sector n lies at (n + 1) * sector size
 *
 * cfb_open proves what is needed to find one's way: header, FAT, mini FAT, directory chain, every
 * directory entry, the sorted trees of siblings. It reads no stream. cfb_check goes through the
 * rest of the file and says which bytes belong to nothing; without it, two streams may still share
 * a sector. What is not checked: the contents of streams, and characters that Windows would not
 * have in names.
 *
 * Limits: CFB_SECTORS_MAX sectors (2 GiB in version 3, the format's own limit; 16 GiB in version
 * 4), CFB_MINIS_MAX mini sectors (64 MiB), CFB_ENTRIES_MAX directory entries, CFB_DEPTH_MAX
 * storages in one another. Memory: 4 bytes a sector, about 240 bytes an entry. */

#include "platform/base/buf.h"
#include "platform/base/err.h"
#include "platform/base/span.h"
#include "platform/source.h"
#include "verify/verdict.h"

#define CFB_SECTORS_MAX (4U * 1024 * 1024)
#define CFB_MINIS_MAX (1024U * 1024)
#define CFB_ENTRIES_MAX 65536U
#define CFB_DEPTH_MAX 64
#define CFB_REGIONS_MAX (256U * 1024)

#define CFB_NONE UINT32_MAX
#define CFB_ROOT_ID 0U

enum cfb_type { CFB_EMPTY = 0, CFB_STORAGE = 1, CFB_STREAM = 2, CFB_ROOT = 5 };

/* What is odd about the colours of a storage's children; Windows does not look at them. */
enum cfb_colours {
    CFB_COLOURS_FINE = 0,   /* all black, or a red-black tree */
    CFB_COLOURS_ONE_RED,    /* a red-black tree that would be all black but for one node */
    CFB_COLOURS_UNBALANCED, /* some ways down meet more black nodes than others */
    CFB_COLOURS_RED_RED,    /* a red node under a red one, or a red top */
};

/* A directory entry; its id is its number in the directory. All spans are borrowed from the cfb. */
struct cfb_entry {
    enum cfb_type type;
    enum cfb_colours colours;   /* of its children */
    struct span name;           /* UTF-16LE, without the NUL */
    struct span raw;            /* the entry's 128 bytes */
    uint64_t size;              /* bytes, of a stream or of the root's mini stream */
    uint32_t start;             /* first sector or mini sector */
    uint32_t depth;             /* storages above it */
    uint32_t parent;            /* CFB_NONE for the root and for what nothing leads to */
    uint32_t first_child, next; /* children in the tree's order; CFB_NONE ends */
};

/* Pieces of a raw entry. */
static inline struct span cfb_entry_clsid(const struct cfb_entry *e)
{
    return span_sub(e->raw, 80, 16);
}
static inline struct span cfb_entry_state(const struct cfb_entry *e)
{
    return span_sub(e->raw, 96, 4);
}
static inline struct span cfb_entry_times(const struct cfb_entry *e) /* created, modified */
{
    return span_sub(e->raw, 100, 16);
}

struct cfb;

/* cfb_is_one tells a compound file by its first eight bytes. */
bool cfb_is_one(struct span head);

/* cfb_open reads the structure. `src` must outlive the cfb. E_MALFORMED, E_TRUNCATED where it is
 * broken, E_LIMIT past the limits above. Caller frees with cfb_close. */
MUST_USE enum errc cfb_open(struct source *src, struct cfb **out, struct err *err);
void cfb_close(struct cfb *cfb);

/* cfb_entry gives the entry of an id that came from the cfb; cfb_entry_at the file offset of its
 * 128 bytes. */
uint32_t cfb_n_entries(const struct cfb *cfb);
const struct cfb_entry *cfb_entry(const struct cfb *cfb, uint32_t id);
uint64_t cfb_entry_at(const struct cfb *cfb, const struct cfb_entry *e);

/* cfb_find gives the child of a storage with exactly these UTF-16LE bytes as its name (case
 * counts), or NULL. */
const struct cfb_entry *cfb_find(const struct cfb *cfb, uint32_t storage, struct span name);

/* cfb_compare_names is the order of siblings: the shorter first, then by upper-cased code units. No
 * two siblings compare as 0. */
int cfb_compare_names(struct span a, struct span b);

/* cfb_each_run hands the stream's bytes to `fn` as regions of the file, in order, neighbours
 * joined. E_MALFORMED where the chain is not exactly as long as the stream, E_TRUNCATED where it
 * leaves the file. Stops at the first error, `fn`'s too. */
typedef enum errc (*cfb_run_fn)(void *ctx, struct region run, struct err *err);
MUST_USE enum errc cfb_each_run(const struct cfb *cfb, const struct cfb_entry *stream,
                                cfb_run_fn fn, void *ctx, struct err *err);

/* cfb_read appends a whole stream to `b`, whose cap is the limit. */
MUST_USE enum errc cfb_read(const struct cfb *cfb, const struct cfb_entry *stream, struct buf *b,
                            struct err *err);

/* cfb_stream_open gives a stream as a source of its own, which the file's source must outlive (the
 * cfb need not). E_LIMIT where it is in more than CFB_REGIONS_MAX pieces. Caller frees with
 * source_close. */
MUST_USE enum errc cfb_stream_open(const struct cfb *cfb, const struct cfb_entry *stream,
                                   struct source **out, struct err *err);

/* cfb_check accounts for the whole file. An error (E_MALFORMED, E_TRUNCATED) where a stream's chain
 * is broken, a sector belongs to two, or a table goes on past the file's end. Otherwise it adds to
 * the report: TrailingData (fatal) where the file goes on after its last used sector;
 * UncoveredData (coverage), one finding with all ranges, for slack and free sectors that are not
 * zero, sectors that are allocated and belong to nothing, and fields that have not the one value
 * that the format gives them; Malformed (coverage) for red nodes under red ones and for stray high
 * halves of sizes in version 3. To be called once. */
MUST_USE enum errc cfb_check(struct cfb *cfb, struct report *report, struct err *err);

#endif
