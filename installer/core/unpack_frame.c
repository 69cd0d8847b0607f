#include "installer/core/unpack_frame.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "installer/core/unpack_frame_private.h"
#include "platform/base/num.h"
#include "platform/base/reader.h"

#define ZSTD_MAGIC 0xFD2FB528U
#define ZSTD_SKIPPABLE 0x184D2A50U /* the last four bits are free */
#define ZSTD_HEADER_MAX 18
#define ZSTD_BLOCK_HEADER 3
#define ZSTD_CHECKSUM 4
#define ZSTD_PIECE (64 * 1024)
#define ZSTD_SMALL 1024 /* bytes of a block; behind such a one, a piece is read */

#define GZIP_HEADER 10

static bool is_zstd(struct span head)
{
    uint32_t magic = head.len < 4 ? 0 : get_u32le(head.ptr);
    return magic == ZSTD_MAGIC || (magic & ~0xFU) == ZSTD_SKIPPABLE;
}

enum unpack_wrap unpack_frame_wrap_of(struct span head)
{
    static const uint8_t xz_magic[6] = { 0xFD, '7', 'z', 'X', 'Z', 0 };
    static const uint8_t gzip_magic[2] = { 0x1F, 0x8B };
    if (is_zstd(head))
        return UNPACK_ZSTD;
    if (span_starts_with(head, span_of(xz_magic, sizeof(xz_magic))))
        return UNPACK_XZ;
    if (span_starts_with(head, span_of(gzip_magic, sizeof(gzip_magic))))
        return UNPACK_GZIP;
    return UNPACK_PLAIN;
}

const char *unpack_frame_word(enum unpack_wrap wrap)
{
    switch (wrap) {
    case UNPACK_GZIP: return "gzip";
    case UNPACK_XZ: return "xz";
    case UNPACK_ZSTD: return "zstd";
    case UNPACK_PLAIN: break;
    }
    return "";
}

/* --- zstd */

static uint64_t get_number(const uint8_t *p, size_t len)
{
    uint64_t value = 0;
    for (size_t i = 0; i < len; i++)
        value |= (uint64_t)p[i] << (8 * i);
    return value;
}

static enum errc check_window(uint64_t window, struct err *err)
{
    if (window > UNPACK_WINDOW_MAX)
        return err_set(err, E_LIMIT,
                       "zstd: unpacking needs a window of %" PRIu64
                       " bytes, the limit is %u (compress without --long and --ultra)",
                       window, UNPACK_WINDOW_MAX);
    return E_OK;
}

/* Takes the frame's header: window or content size, no dictionary. */
static enum errc read_zstd_header(struct reader *r, bool *out_has_checksum, struct err *err)
{
    static const uint8_t size_len[4] = { 0, 2, 4, 8 }, dictionary_len[4] = { 0, 1, 2, 4 };
    struct span dictionary, size;
    uint32_t magic;
    uint8_t flags, window = 0;
    if (!reader_u32le(r, &magic) || !reader_u8(r, &flags))
        return err_set(err, E_TRUNCATED, "zstd: the file ends inside its header");
    if (magic != ZSTD_MAGIC)
        return err_set(err, E_MALFORMED, "zstd: begins with a frame that is skipped");
    if ((flags & 0x08) != 0)
        return err_set(err, E_MALFORMED, "zstd: the frame's reserved bit is set");
    bool is_single = (flags & 0x20) != 0;
    size_t n = flags >> 6 == 0 && is_single ? 1 : size_len[flags >> 6];
    if ((!is_single && !reader_u8(r, &window)) ||
        !reader_take(r, dictionary_len[flags & 3], &dictionary) || !reader_take(r, n, &size))
        return err_set(err, E_TRUNCATED, "zstd: the file ends inside its header");
    if (!span_is_filled(dictionary, 0))
        return err_set(err, E_UNSUPPORTED, "zstd: needs a dictionary, which there is none of");
    *out_has_checksum = (flags & 0x04) != 0;
    uint64_t base = UINT64_C(1) << (10 + (window >> 3));
    return check_window(is_single ? get_number(size.ptr, n) + (n == 2 ? 256 : 0)
                                  : base + base / 8 * (window & 7),
                        err);
}

/* The blocks lie one behind the other, and only their headers are looked at. Where they are small
 * they are read many at once. */
struct zstd_walk {
    struct source *src;
    uint64_t at;        /* of the next block's header; at last, where the blocks end */
    bool is_dense;      /* the last block was small */
    struct region held; /* what of the file is in `piece` */
    uint8_t piece[ZSTD_PIECE];
};

static enum errc take_zstd_block_header(struct zstd_walk *w, uint64_t *out, struct err *err)
{
    if (w->at < w->held.at || w->at + ZSTD_BLOCK_HEADER > w->held.at + w->held.len) {
        const uint64_t wanted = w->is_dense ? sizeof(w->piece) : ZSTD_BLOCK_HEADER;
        w->held = (struct region){ w->at, num_min(wanted, w->src->size - w->at) };
        if (w->held.len < ZSTD_BLOCK_HEADER)
            return err_set(err, E_TRUNCATED,
                           "zstd: the file ends inside a block's header, at %" PRIu64,
                           w->src->size);
        enum errc rc = source_read_at(w->src, w->at, w->piece, (size_t)w->held.len, err);
        if (rc != E_OK)
            return err_prefix(err, "zstd: a block's header: ");
    }
    *out = get_number(w->piece + (size_t)(w->at - w->held.at), ZSTD_BLOCK_HEADER);
    w->at += ZSTD_BLOCK_HEADER;
    return E_OK;
}

static enum errc walk_zstd_blocks(struct zstd_walk *w, struct err *err)
{
    for (bool is_last = false; !is_last;) {
        uint64_t header = 0;
        enum errc rc = take_zstd_block_header(w, &header, err);
        if (rc != E_OK)
            return rc;
        uint64_t type = header >> 1 & 3;
        uint64_t len = type == 1 ? 1 : header >> 3; /* 1: one byte, repeated */
        if (type == 3)
            return err_set(err, E_MALFORMED, "zstd: a block of no known type at %" PRIu64,
                           w->at - ZSTD_BLOCK_HEADER);
        if (len > w->src->size - w->at)
            return err_set(err, E_TRUNCATED, "zstd: the file ends inside a block, at %" PRIu64,
                           w->src->size);
        w->at += len;
        w->is_dense = len < ZSTD_SMALL;
        is_last = (header & 1) != 0;
    }
    return E_OK;
}

/* Gives where the blocks end that begin at *at. */
static enum errc pass_zstd_blocks(struct source *src, uint64_t *at, struct err *err)
{
    struct zstd_walk *w = malloc(sizeof(*w));
    if (w == NULL)
        return err_nomem(err);
    w->src = src;
    w->at = *at;
    w->is_dense = false;
    w->held = (struct region){ 0, 0 };
    enum errc rc = walk_zstd_blocks(w, err);
    *at = w->at;
    free(w);
    return rc;
}

static enum errc check_zstd(struct source *src, struct err *err)
{
    uint8_t bytes[ZSTD_HEADER_MAX];
    size_t len = (size_t)num_min(sizeof(bytes), src->size);
    bool has_checksum = false;
    enum errc rc = source_read_at(src, 0, bytes, len, err);
    struct reader r = reader_of(span_of(bytes, len), 0);
    if (rc == E_OK)
        rc = read_zstd_header(&r, &has_checksum, err);
    uint64_t at = r.at;
    if (rc == E_OK)
        rc = pass_zstd_blocks(src, &at, err);
    if (rc != E_OK)
        return rc;
    if (has_checksum && src->size - at < ZSTD_CHECKSUM)
        return err_set(err, E_TRUNCATED, "zstd: the file ends before its checksum");
    at += has_checksum ? ZSTD_CHECKSUM : 0;
    if (at != src->size)
        return err_set(err, E_MALFORMED, "zstd: %" PRIu64 " bytes follow the end at %" PRIu64,
                       src->size - at, at);
    return E_OK;
}

/* --- gzip */

static enum errc check_gzip(struct source *src, struct err *err)
{
    uint8_t header[GZIP_HEADER];
    enum errc rc = source_read_at(src, 0, header, sizeof(header), err);
    if (rc != E_OK)
        return err_prefix(err, "gzip: its header: ");
    if (header[2] != 8)
        return err_set(err, E_UNSUPPORTED, "gzip: method %u, not deflate", header[2]);
    if ((header[3] & 0xE0) != 0)
        return err_set(err, E_MALFORMED, "gzip: reserved flags are set");
    return E_OK;
}

enum errc unpack_frame_check(enum unpack_wrap wrap, struct source *src, struct err *err)
{
    switch (wrap) {
    case UNPACK_GZIP: return check_gzip(src, err);
    case UNPACK_XZ: return unpack_frame_check_xz(src, err);
    case UNPACK_ZSTD: return check_zstd(src, err);
    case UNPACK_PLAIN: break;
    }
    return E_OK;
}
