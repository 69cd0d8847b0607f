#include "verify/cab.h"

#include <inttypes.h>

#include "platform/base/num.h"
#include "platform/base/reader.h"

#define FOLDER_LEN 8
#define FILE_LEN_MIN 17 /* 16 bytes and a name that is empty but for its NUL */
#define BLOCK_HEADER_LEN 8

static bool read_fixed(struct reader *r, struct cab_header *h)
{
    return reader_skip(r, 4) && reader_u32le(r, &h->reserved1) && reader_u32le(r, &h->size) &&
           reader_u32le(r, &h->reserved2) && reader_u32le(r, &h->files_at) &&
           reader_u32le(r, &h->reserved3) && reader_u8(r, &h->minor) && reader_u8(r, &h->major) &&
           reader_u16le(r, &h->n_folders) && reader_u16le(r, &h->n_files) &&
           reader_u16le(r, &h->flags) && reader_u16le(r, &h->set_id) && reader_u16le(r, &h->number);
}

static bool read_reserve_sizes(struct reader *r, struct cab_header *h)
{
    return reader_u16le(r, &h->header_reserve) && reader_u8(r, &h->folder_reserve) &&
           reader_u8(r, &h->data_reserve);
}

static bool read_reserve(struct reader *r, struct cab_header *h)
{
    return reader_u32le(r, &h->marker) && reader_u32le(r, &h->sig_at) &&
           reader_u32le(r, &h->sig_size) && reader_u64le(r, &h->tail);
}

enum errc cab_read_header(struct source *src, struct cab_header *out, struct err *err)
{
    uint8_t bytes[CAB_SIGNED_HEADER_LEN];
    size_t len = (size_t)num_min(src->size, sizeof(bytes));
    enum errc rc = source_read_at(src, 0, bytes, len, err);
    if (rc != E_OK)
        return rc;
    if (!span_starts_with(span_of(bytes, len), span_text("MSCF")))
        return err_set(err, E_MALFORMED, "CAB: does not begin with MSCF");

    struct cab_header h = { .size = 0 };
    struct reader r = reader_of(span_of(bytes, len), 0);
    if (!read_fixed(&r, &h))
        return err_set(err, E_TRUNCATED, "CAB: ends inside its header, at %zu", len);
    if ((h.flags & CAB_HAS_RESERVE) != 0) {
        if (!read_reserve_sizes(&r, &h))
            return err_set(err, E_TRUNCATED, "CAB: ends before its reserve, at %zu", len);
        if (h.header_reserve == CAB_RESERVE_LEN && !read_reserve(&r, &h))
            return err_set(err, E_TRUNCATED, "CAB: ends inside its reserve, at %zu", len);
    }
    *out = h;
    return E_OK;
}

bool cab_names_signature(const struct cab_header *h)
{
    return h->sig_at != 0 || h->sig_size != 0;
}

static void expect(struct findings *findings, uint64_t at, const char *field, uint64_t got,
                   uint64_t wanted)
{
    if (got != wanted)
        findings_add(findings, REASON_MALFORMED, WEIGHT_FATAL, at,
                     "CAB: %s is 0x%" PRIx64 ", in a signed cabinet it must be 0x%" PRIx64, field,
                     got, wanted);
}

static void check_place_in_set(const struct cab_header *h, struct findings *findings)
{
    expect(findings, 34, "the number in a set of cabinets", h->number, 0);
    if ((h->flags & CAB_HAS_PREVIOUS) != 0)
        findings_add(findings, REASON_MALFORMED, WEIGHT_FATAL, 30,
                     "CAB: part of a set, continues a previous cabinet");
    if ((h->flags & CAB_HAS_NEXT) != 0)
        findings_add(findings, REASON_MALFORMED, WEIGHT_FATAL, 30,
                     "CAB: part of a set, continued in a next cabinet");
    const unsigned known = CAB_HAS_PREVIOUS | CAB_HAS_NEXT | CAB_HAS_RESERVE;
    expect(findings, 30, "the flags but for those known", h->flags & ~known, 0);
}

void cab_check_header(const struct cab_header *h, struct findings *findings)
{
    expect(findings, 4, "reserved1", h->reserved1, 0);
    expect(findings, 12, "reserved2", h->reserved2, 0);
    expect(findings, 20, "reserved3", h->reserved3, 0);
    expect(findings, 24, "the minor version", h->minor, 3);
    expect(findings, 25, "the major version", h->major, 1);
    check_place_in_set(h, findings);
    expect(findings, 36, "the size of the header's reserve", h->header_reserve, CAB_RESERVE_LEN);
    expect(findings, 38, "the size of a folder's reserve", h->folder_reserve, 0);
    expect(findings, 39, "the size of a block's reserve", h->data_reserve, 0);
    expect(findings, 40, "the mark of the signature", h->marker, CAB_MARKER);
    expect(findings, 44, "the signature's offset", h->sig_at, h->size);
    expect(findings, 52, "the end of the reserve", h->tail, 0);
    if (h->n_folders == 0)
        findings_add(findings, REASON_MALFORMED, WEIGHT_FATAL, 26, "CAB: has no folder");
    if (h->n_files == 0)
        findings_add(findings, REASON_MALFORMED, WEIGHT_FATAL, 28, "CAB: has no file");
}

/* The walk over all blocks of all folders: each lies after the file entries begin, and before
 * `end`. */
struct walk {
    struct source *src;
    uint64_t begin, end;
    uint32_t n_left;
};

static enum errc check_block(struct walk *w, uint64_t *at, struct err *err)
{
    uint8_t header[BLOCK_HEADER_LEN];
    if (w->n_left-- == 0)
        return err_set(err, E_LIMIT, "CAB: more than %d data blocks", CAB_BLOCKS_MAX);
    if (*at < w->begin || *at > w->end || w->end - *at < sizeof(header))
        return err_set(err, E_MALFORMED, "CAB: data block at %" PRIu64 " is outside the cabinet",
                       *at);
    enum errc rc = source_read_at(w->src, *at, header, sizeof(header), err);
    if (rc != E_OK)
        return rc;
    *at += sizeof(header);
    uint16_t len = get_u16le(header + 4);
    if (w->end - *at < len)
        return err_set(err, E_MALFORMED,
                       "CAB: data block of %u bytes at %" PRIu64 " ends outside the cabinet", len,
                       *at);
    *at += len;
    return E_OK;
}

static enum errc check_folder(struct walk *w, uint64_t entry_at, struct err *err)
{
    uint8_t entry[FOLDER_LEN];
    enum errc rc = source_read_at(w->src, entry_at, entry, sizeof(entry), err);
    uint64_t at = rc == E_OK ? get_u32le(entry) : 0;
    uint16_t n_blocks = rc == E_OK ? get_u16le(entry + 4) : 0;
    for (uint16_t i = 0; i < n_blocks && rc == E_OK; i++)
        rc = check_block(w, &at, err);
    return rc;
}

enum errc cab_check_folders(struct source *src, const struct cab_header *h, struct err *err)
{
    uint64_t folders_end = CAB_SIGNED_HEADER_LEN + (uint64_t)h->n_folders * FOLDER_LEN;
    if (h->files_at < folders_end)
        return err_set(err, E_MALFORMED, "CAB: file entries at %" PRIu32 " lie over the folders",
                       h->files_at);
    if (h->files_at > h->size || h->size - h->files_at < (uint64_t)h->n_files * FILE_LEN_MIN)
        return err_set(err, E_MALFORMED,
                       "CAB: %u file entries at %" PRIu32 " do not fit into the cabinet",
                       h->n_files, h->files_at);

    struct walk w = { src, h->files_at, h->size, CAB_BLOCKS_MAX };
    enum errc rc = E_OK;
    for (uint16_t i = 0; i < h->n_folders && rc == E_OK; i++)
        rc = check_folder(&w, CAB_SIGNED_HEADER_LEN + (uint64_t)i * FOLDER_LEN, err);
    return rc;
}
