/* The directory: entries of 128 bytes, each judged by itself.
 *
 *     0 name (64) | 64 name length | 66 type | 67 colour | 68 left | 72 right | 76 child |
 *     80 CLSID (16) | 96 state | 100 created (8) | 108 modified (8) | 116 start | 120 size (8) */

#include <inttypes.h>
#include <stdlib.h>

#include "platform/base/reader.h"
#include "verify/cfb_private.h"

#define NAME_LEN_MIN 4 /* one character and the NUL */
#define NAME_LEN_MAX 64
#define V3_SIZE_MAX 0x80000000U

static enum errc check_type(uint32_t id, uint8_t type, struct err *err)
{
    switch (type) {
    case CFB_EMPTY:
    case CFB_STORAGE:
    case CFB_STREAM:
        if (id == CFB_ROOT_ID)
            return err_set(err, E_MALFORMED, "directory: the first entry is not the root");
        return E_OK;
    case CFB_ROOT:
        if (id != CFB_ROOT_ID)
            return err_set(err, E_MALFORMED, "directory entry %" PRIu32 ": a second root", id);
        return E_OK;
    default:
        return err_set(err, E_MALFORMED, "directory entry %" PRIu32 ": type %u", id,
                       (unsigned)type);
    }
}

static enum errc read_name(struct span raw, uint32_t id, struct span *out, struct err *err)
{
    uint16_t len = get_u16le(raw.ptr + 64);
    if (len < NAME_LEN_MIN || len > NAME_LEN_MAX || len % 2 != 0)
        return err_set(err, E_MALFORMED, "directory entry %" PRIu32 ": a name of %u bytes", id,
                       (unsigned)len);
    size_t n = (size_t)len - 2;
    if (get_u16le(raw.ptr + n) != 0)
        return err_set(err, E_MALFORMED, "directory entry %" PRIu32 ": its name has no NUL", id);
    for (size_t i = 0; i < n; i += 2)
        if (get_u16le(raw.ptr + i) == 0)
            return err_set(err, E_MALFORMED, "directory entry %" PRIu32 ": a NUL inside its name",
                           id);
    *out = span_of(raw.ptr, n);
    return E_OK;
}

/* Version 3 has 32-bit sizes; what stands in the upper half is cfb_check's business. */
static enum errc read_size(const struct cfb *cfb, uint32_t id, struct cfb_entry *e, struct err *err)
{
    if (e->type == CFB_STORAGE)
        return E_OK;
    uint64_t size = get_u64le(e->raw.ptr + 120);
    if (cfb->header.major == 3) {
        size &= UINT32_MAX;
        if (size >= V3_SIZE_MAX)
            return err_set(err, E_MALFORMED,
                           "directory entry %" PRIu32 ": %" PRIu64 " bytes in a version 3 file", id,
                           size);
    }
    if (size > cfb->src->size)
        return err_set(err, E_TRUNCATED,
                       "directory entry %" PRIu32 ": %" PRIu64 " bytes in a file of %" PRIu64, id,
                       size, cfb->src->size);
    e->size = size;
    return E_OK;
}

static enum errc check_links(struct span raw, uint32_t id, enum cfb_type type, struct err *err)
{
    if (raw.ptr[67] > 1)
        return err_set(err, E_MALFORMED, "directory entry %" PRIu32 ": colour %u", id,
                       (unsigned)raw.ptr[67]);
    if (type == CFB_STREAM && get_u32le(raw.ptr + 76) != CFB_NONE)
        return err_set(err, E_MALFORMED, "directory entry %" PRIu32 ": a stream with a child", id);
    if (type == CFB_ROOT &&
        (get_u32le(raw.ptr + 68) != CFB_NONE || get_u32le(raw.ptr + 72) != CFB_NONE))
        return err_set(err, E_MALFORMED, "directory: the root has a sibling");
    return E_OK;
}

static enum errc read_entry(struct cfb *cfb, uint32_t id, struct err *err)
{
    struct cfb_entry *e = &cfb->entries[id];
    *e = (struct cfb_entry){ .raw = span_of(cfb->raw_dir + (size_t)id * ENTRY_LEN, ENTRY_LEN),
                             .parent = CFB_NONE,
                             .first_child = CFB_NONE,
                             .next = CFB_NONE };
    uint8_t type = e->raw.ptr[66];
    enum errc rc = check_type(id, type, err);
    if (rc != E_OK || type == CFB_EMPTY)
        return rc;
    e->type = (enum cfb_type)type;
    e->start = get_u32le(e->raw.ptr + 116);
    rc = read_name(e->raw, id, &e->name, err);
    if (rc == E_OK)
        rc = check_links(e->raw, id, e->type, err);
    return rc == E_OK ? read_size(cfb, id, e, err) : rc;
}

static enum errc check_counts(const struct cfb *cfb, struct err *err)
{
    uint32_t wanted = cfb->header.major == 3 ? 0 : cfb->dir_chain.n;
    if (cfb->dir_chain.n == 0)
        return err_set(err, E_MALFORMED, "compound file without a directory");
    if (cfb->header.n_dir_sectors != wanted)
        return err_set(err, E_MALFORMED,
                       "directory of %" PRIu32 " sectors, the header says %" PRIu32
                       ", not %" PRIu32,
                       cfb->dir_chain.n, cfb->header.n_dir_sectors, wanted);
    if (cfb->dir_chain.n > CFB_ENTRIES_MAX / (cfb->sector_len / ENTRY_LEN))
        return err_set(err, E_LIMIT, "directory of %" PRIu32 " sectors, limit %u entries",
                       cfb->dir_chain.n, CFB_ENTRIES_MAX);
    return E_OK;
}

static enum errc read_raw(struct cfb *cfb, struct err *err)
{
    size_t len = (size_t)cfb->dir_chain.n << cfb->shift;
    cfb->n_entries = (uint32_t)(len / ENTRY_LEN);
    cfb->raw_dir = malloc(len);
    cfb->entries = calloc(cfb->n_entries, sizeof(*cfb->entries));
    if (cfb->raw_dir == NULL || cfb->entries == NULL)
        return err_nomem(err);
    for (uint32_t i = 0; i < cfb->dir_chain.n; i++) {
        enum errc rc =
            source_read_at(cfb->src, cfb_sector_at(cfb, cfb->dir_chain.at[i]),
                           cfb->raw_dir + ((size_t)i << cfb->shift), cfb->sector_len, err);
        if (rc != E_OK)
            return err_prefix(err, "directory: ");
    }
    return E_OK;
}

enum errc cfb_load_dir(struct cfb *cfb, struct err *err)
{
    enum errc rc =
        cfb_load_chain(cfb, cfb->header.dir_start, "the directory", &cfb->dir_chain, err);
    if (rc == E_OK)
        rc = check_counts(cfb, err);
    if (rc == E_OK)
        rc = read_raw(cfb, err);
    for (uint32_t id = 0; id < cfb->n_entries && rc == E_OK; id++)
        rc = read_entry(cfb, id, err);
    return rc;
}
