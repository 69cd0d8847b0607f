/* The walk through an .xz file, see unpack_frame.h. */

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "installer/core/unpack_frame.h"
#include "installer/core/unpack_frame_private.h"
#include "platform/base/num.h"
#include "platform/base/reader.h"

#define XZ_HEADER 12 /* of the stream, and as many in its footer */
#define XZ_INDEX_MAX (16U * 1024 * 1024)
#define XZ_PIECE 4096 /* read at once; more than a block's header has, 1024 */
#define XZ_CRC 4
#define XZ_UNSAID UINT64_MAX /* more than a number of the format can be */
#define XZ_FILTER_LZMA2 0x21
#define XZ_DICTIONARY_MAX 28 /* 2 << 25 bytes */

/* read_vli takes a number of 7 bits a byte, in its shortest spelling. */
static bool read_vli(struct reader *r, uint64_t *out)
{
    uint64_t value = 0;
    uint8_t byte = 0x80;
    for (unsigned shift = 0; (byte & 0x80) != 0; shift += 7) {
        if (shift > 56 || !reader_u8(r, &byte) || (byte == 0 && shift > 0))
            return false;
        value |= (uint64_t)(byte & 0x7F) << shift;
    }
    *out = value;
    return true;
}

/* The walk goes through the blocks in the order in which the decoder meets them; the index is only
 * held against what was found. Each step goes forward, and none passes `end`. */
struct xz_walk {
    struct source *src;
    uint64_t at;        /* the next byte to look at */
    uint64_t end;       /* where the index begins */
    size_t check_len;   /* bytes of checksum behind each block */
    struct region held; /* what of the file is in `piece` */
    uint8_t piece[XZ_PIECE];
};

/* A block as the index has it. */
struct xz_record {
    uint64_t len; /* without the zeros that fill up to four bytes */
    uint64_t unpacked;
};

/* What a block's header says of its size, or XZ_UNSAID. */
struct xz_sizes {
    uint64_t packed, unpacked;
};

static enum errc skip_xz(struct xz_walk *w, size_t len, struct err *err)
{
    if (len > w->end - w->at)
        return err_set(err, E_MALFORMED,
                       "xz: a block runs into the index at %" PRIu64 ": damaged, or an index that "
                       "lies",
                       w->end);
    w->at += len;
    return E_OK;
}

/* Takes the next bytes, fewer than XZ_PIECE; they are valid until the next call. */
static enum errc take_xz(struct xz_walk *w, size_t len, struct span *out, struct err *err)
{
    uint64_t at = w->at;
    enum errc rc = skip_xz(w, len, err);
    if (rc != E_OK)
        return rc;
    if (at < w->held.at || w->at > w->held.at + w->held.len) {
        w->held = (struct region){ at, num_min(sizeof(w->piece), w->end - at) };
        rc = source_read_at(w->src, at, w->piece, (size_t)w->held.len, err);
        if (rc != E_OK)
            return err_prefix(err, "xz: a block: ");
    }
    *out = span_of(w->piece + (size_t)(at - w->held.at), len);
    return E_OK;
}

/* The filters of a block: LZMA2 alone, whose one property is the dictionary. */
static enum errc read_xz_filter(struct reader *r, uint8_t flags, struct err *err)
{
    uint64_t filter, properties_len;
    uint8_t dictionary;
    if (!read_vli(r, &filter))
        return err_set(err, E_MALFORMED, "xz: a block's header ends early, at %" PRIu64, r->at);
    if ((flags & 3) != 0 || filter != XZ_FILTER_LZMA2)
        return err_set(err, E_UNSUPPORTED,
                       "xz: a filter other than LZMA2 (compress without --x86 "
                       "and the like)");
    if (!read_vli(r, &properties_len) || properties_len != 1 || !reader_u8(r, &dictionary))
        return err_set(err, E_MALFORMED, "xz: LZMA2 without its one property");
    if (dictionary > XZ_DICTIONARY_MAX)
        return err_set(err, E_LIMIT,
                       "xz: unpacking needs a larger dictionary than %u bytes, which is the limit "
                       "(compress with -9 or less)",
                       UNPACK_WINDOW_MAX);
    return E_OK;
}

/* A block's header behind its first byte: flags, sizes that may be there, the filter, zeros. */
static enum errc read_xz_header(struct reader *r, struct xz_sizes *out, struct err *err)
{
    uint8_t flags;
    *out = (struct xz_sizes){ XZ_UNSAID, XZ_UNSAID };
    if (!reader_u8(r, &flags) || (flags & 0x3C) != 0)
        return err_set(err, E_MALFORMED, "xz: no block's header at %" PRIu64, r->at);
    if (((flags & 0x40) != 0 && !read_vli(r, &out->packed)) ||
        ((flags & 0x80) != 0 && !read_vli(r, &out->unpacked)))
        return err_set(err, E_MALFORMED, "xz: a block's header ends early, at %" PRIu64, r->at);
    enum errc rc = read_xz_filter(r, flags, err);
    if (rc == E_OK && !span_is_filled(r->rest, 0))
        return err_set(err, E_MALFORMED, "xz: a block's header holds more, at %" PRIu64, r->at);
    return rc;
}

static enum errc take_xz_header(struct xz_walk *w, struct xz_sizes *out, struct err *err)
{
    struct span bytes;
    enum errc rc = take_xz(w, 1, &bytes, err);
    if (rc != E_OK)
        return rc;
    size_t n_words = bytes.ptr[0]; /* of four bytes, behind the first one */
    if (n_words == 0)
        return err_set(err, E_MALFORMED, "xz: no block at %" PRIu64 ", where the index says one is",
                       w->at - 1);
    rc = take_xz(w, n_words * 4 + 3, &bytes, err);
    if (rc != E_OK)
        return rc;
    struct reader r = reader_of(span_sub(bytes, 0, bytes.len - XZ_CRC), w->at - bytes.len);
    return read_xz_header(&r, out, err);
}

/* The sizes of a chunk of LZMA2 behind its control byte, and over its bytes to the next one. */
static enum errc pass_xz_chunk(struct xz_walk *w, uint8_t control, uint64_t *out_unpacked,
                               struct err *err)
{
    bool is_packed = control >= 0x80;
    uint16_t unpacked = 0, len = 0;
    struct span bytes;
    enum errc rc = take_xz(w, is_packed ? 4 : 2, &bytes, err);
    if (rc != E_OK)
        return rc;
    struct reader r = reader_of(bytes, w->at - bytes.len);
    if (!reader_u16be(&r, &unpacked) || (is_packed && !reader_u16be(&r, &len)))
        return err_set(err, E_MALFORMED, "xz: a chunk's header ends early, at %" PRIu64, r.at);
    *out_unpacked = ((is_packed ? control & 0x1FU : 0) << 16 | unpacked) + 1;
    if (!is_packed)
        return skip_xz(w, (size_t)*out_unpacked, err);
    size_t properties_len = control >= 0xC0 ? 1 : 0;
    return skip_xz(w, properties_len + len + 1, err);
}

/* Goes from chunk to chunk, up to the zero behind the last one. */
static enum errc walk_xz_chunks(struct xz_walk *w, uint64_t unpacked, struct err *err)
{
    uint64_t begin = w->at, left = unpacked, n = 0;
    for (;;) {
        struct span control;
        enum errc rc = take_xz(w, 1, &control, err);
        if (rc != E_OK)
            return rc;
        if (control.ptr[0] == 0)
            break;
        if (control.ptr[0] > 2 && control.ptr[0] < 0x80)
            return err_set(err, E_MALFORMED, "xz: a chunk of no known kind, %u, at %" PRIu64,
                           control.ptr[0], w->at - 1);
        rc = pass_xz_chunk(w, control.ptr[0], &n, err);
        if (rc != E_OK)
            return rc;
        if (n > left)
            return err_set(err, E_MALFORMED,
                           "xz: the chunks at %" PRIu64 " unpack to more than the %" PRIu64
                           " bytes that the index says",
                           begin, unpacked);
        left -= n;
    }
    if (left > 0)
        return err_set(err, E_MALFORMED,
                       "xz: the chunks at %" PRIu64 " unpack to %" PRIu64
                       " bytes fewer than the %" PRIu64 " that the index says",
                       begin, left, unpacked);
    return E_OK;
}

/* What the header says of its block, if it does, holds as well. */
static enum errc check_xz_sizes(struct xz_sizes said, uint64_t packed, uint64_t unpacked,
                                uint64_t at, struct err *err)
{
    if (said.packed != XZ_UNSAID && said.packed != packed)
        return err_set(err, E_MALFORMED,
                       "xz: the block at %" PRIu64 " has %" PRIu64 " packed bytes, its header says "
                       "%" PRIu64,
                       at, packed, said.packed);
    if (said.unpacked != XZ_UNSAID && said.unpacked != unpacked)
        return err_set(err, E_MALFORMED,
                       "xz: the block at %" PRIu64 " unpacks to %" PRIu64 " bytes, its header says "
                       "%" PRIu64,
                       at, unpacked, said.unpacked);
    return E_OK;
}

/* Behind a block's chunks: zeros up to four bytes, and the checksum. */
static enum errc pass_xz_block_end(struct xz_walk *w, struct err *err)
{
    struct span zeros;
    enum errc rc = take_xz(w, (size_t)(-w->at & 3), &zeros, err);
    if (rc != E_OK)
        return rc;
    if (!span_is_filled(zeros, 0))
        return err_set(err, E_MALFORMED,
                       "xz: bytes between a block and its checksum, before "
                       "%" PRIu64,
                       w->at);
    return skip_xz(w, w->check_len, err);
}

static enum errc walk_xz_block(struct xz_walk *w, struct xz_record record, struct err *err)
{
    uint64_t begin = w->at;
    struct xz_sizes said;
    enum errc rc = take_xz_header(w, &said, err);
    if (rc != E_OK)
        return rc;
    uint64_t packed_at = w->at;
    rc = walk_xz_chunks(w, record.unpacked, err);
    if (rc != E_OK)
        return rc;
    uint64_t len = w->at - begin + w->check_len;
    if (len != record.len)
        return err_set(err, E_MALFORMED,
                       "xz: the block at %" PRIu64 " has %" PRIu64
                       " bytes, the index says %" PRIu64,
                       begin, len, record.len);
    rc = check_xz_sizes(said, w->at - packed_at, record.unpacked, begin, err);
    return rc == E_OK ? pass_xz_block_end(w, err) : rc;
}

static enum errc read_xz_index_head(struct reader *r, uint64_t *out_n, struct err *err)
{
    uint8_t mark;
    if (!reader_u8(r, &mark) || mark != 0 || !read_vli(r, out_n))
        return err_set(err, E_MALFORMED, "xz: no index before the footer");
    return E_OK;
}

static enum errc read_xz_record(struct reader *r, struct xz_record *out, struct err *err)
{
    if (!read_vli(r, &out->len) || !read_vli(r, &out->unpacked))
        return err_set(err, E_MALFORMED, "xz: an index that ends early, at %" PRIu64, r->at);
    return E_OK;
}

static enum errc check_xz_index_end(struct reader *r, struct err *err)
{
    struct span zeros;
    if (!reader_take(r, (size_t)(-r->at & 3), &zeros) || r->rest.len != XZ_CRC)
        return err_set(err, E_MALFORMED, "xz: an index of another length than the footer says");
    if (!span_is_filled(zeros, 0))
        return err_set(err, E_MALFORMED, "xz: bytes between the index and its checksum");
    return E_OK;
}

/* The index by itself: its blocks fill the file from the stream's header to the index, and nothing
 * follows its records but zeros up to four bytes and the checksum. */
static enum errc check_xz_index_fits(struct reader r, uint64_t end, struct err *err)
{
    uint64_t n, at = XZ_HEADER;
    enum errc rc = read_xz_index_head(&r, &n, err);
    for (; rc == E_OK && n > 0; n--) {
        struct xz_record record;
        uint64_t padded;
        rc = read_xz_record(&r, &record, err);
        if (rc != E_OK)
            break;
        if (!num_align(record.len, 4, &padded) || padded > end - at)
            return err_set(err, E_MALFORMED, "xz: an index that does not fit its file");
        at += padded;
    }
    if (rc != E_OK)
        return rc;
    if (at != end)
        return err_set(err, E_MALFORMED,
                       "xz: %" PRIu64 " bytes are no part of the last stream: several streams, or "
                       "something before it",
                       end - at);
    return check_xz_index_end(&r, err);
}

static enum errc walk_xz_blocks(struct xz_walk *w, struct reader index, struct err *err)
{
    uint64_t n = 0;
    enum errc rc = read_xz_index_head(&index, &n, err);
    for (; rc == E_OK && n > 0; n--) {
        struct xz_record record;
        rc = read_xz_record(&index, &record, err);
        if (rc == E_OK)
            rc = walk_xz_block(w, record, err);
    }
    if (rc == E_OK && w->at != w->end)
        return err_set(err, E_MALFORMED, "xz: more blocks at %" PRIu64 " than the index says",
                       w->at);
    return rc;
}

static enum errc check_xz_blocks(struct xz_walk *w, size_t index_len, struct err *err)
{
    uint8_t *bytes = malloc(index_len);
    if (bytes == NULL)
        return err_nomem(err);
    enum errc rc = source_read_at(w->src, w->end, bytes, index_len, err);
    struct reader index = reader_of(span_of(bytes, index_len), w->end);
    if (rc == E_OK)
        rc = check_xz_index_fits(index, w->end, err);
    if (rc == E_OK)
        rc = walk_xz_blocks(w, index, err);
    free(bytes);
    return rc;
}

/* The bytes of checksum behind each block, by the stream's two bytes of flags. */
static enum errc get_xz_check_len(const uint8_t *flags, size_t *out, struct err *err)
{
    if (flags[0] != 0)
        return err_set(err, E_UNSUPPORTED, "xz: flags that nobody knows in its header");
    switch (flags[1]) {
    case 0: *out = 0; return E_OK;
    case 1: *out = 4; return E_OK;   /* CRC32 */
    case 4: *out = 8; return E_OK;   /* CRC64 */
    case 10: *out = 32; return E_OK; /* SHA-256 */
    }
    return err_set(err, E_UNSUPPORTED,
                   "xz: a checksum of unknown kind %u (compress with --check=crc64)", flags[1]);
}

static enum errc check_xz_footer(const uint8_t *header, const uint8_t *footer, uint64_t size,
                                 struct err *err)
{
    if (footer[10] != 'Y' || footer[11] != 'Z')
        return err_set(err, E_MALFORMED,
                       "xz: does not end with its footer: cut off, or bytes after the end");
    if (memcmp(header + 6, footer + 8, 2) != 0)
        return err_set(err, E_MALFORMED,
                       "xz: its header and its footer name two kinds of checksum");
    uint64_t len = ((uint64_t)get_u32le(footer + 4) + 1) * 4;
    if (len > XZ_INDEX_MAX)
        return err_set(err, E_LIMIT, "xz: an index of %" PRIu64 " bytes, the limit is %u", len,
                       XZ_INDEX_MAX);
    if (len > size - 2 * XZ_HEADER)
        return err_set(err, E_MALFORMED, "xz: an index that does not fit its file");
    return E_OK;
}

enum errc unpack_frame_check_xz(struct source *src, struct err *err)
{
    uint8_t header[XZ_HEADER], footer[XZ_HEADER];
    struct xz_walk w = { .src = src, .at = XZ_HEADER };
    if (src->size < 2 * XZ_HEADER)
        return err_set(err, E_TRUNCATED, "xz: the file ends inside its header");
    enum errc rc = source_read_at(src, 0, header, sizeof(header), err);
    if (rc == E_OK)
        rc = source_read_at(src, src->size - sizeof(footer), footer, sizeof(footer), err);
    if (rc == E_OK)
        rc = check_xz_footer(header, footer, src->size, err);
    if (rc == E_OK)
        rc = get_xz_check_len(header + 6, &w.check_len, err);
    if (rc != E_OK)
        return rc;
    size_t index_len = ((size_t)get_u32le(footer + 4) + 1) * 4;
    w.end = src->size - XZ_HEADER - index_len;
    return check_xz_blocks(&w, index_len, err);
}
