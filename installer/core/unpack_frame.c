#include "installer/core/unpack_frame.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "platform/base/num.h"
#include "platform/base/reader.h"

#define ZSTD_MAGIC 0xFD2FB528U
#define ZSTD_SKIPPABLE 0x184D2A50U /* the last four bits are free */
#define ZSTD_HEADER_MAX 18
#define ZSTD_BLOCK_HEADER 3
#define ZSTD_CHECKSUM 4

#define XZ_HEADER 12 /* of the stream, and as many in its footer */
#define XZ_INDEX_MAX (16U * 1024 * 1024)
#define XZ_BLOCK_HEADER_MAX 1024
#define XZ_FILTER_LZMA2 0x21
#define XZ_DICTIONARY_MAX 28 /* 2 << 25 bytes */

#define GZIP_HEADER 10

static const uint8_t xz_magic[6] = { 0xFD, '7', 'z', 'X', 'Z', 0 };

static bool is_zstd(struct span head)
{
    uint32_t magic = head.len < 4 ? 0 : get_u32le(head.ptr);
    return magic == ZSTD_MAGIC || (magic & ~0xFU) == ZSTD_SKIPPABLE;
}

enum unpack_wrap unpack_frame_wrap_of(struct span head)
{
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

/* Goes from block to block; *at is where the first one's header lies, and then where they end. */
static enum errc walk_zstd_blocks(struct source *src, uint64_t *at, struct err *err)
{
    uint8_t bytes[ZSTD_BLOCK_HEADER];
    for (bool is_last = false; !is_last;) {
        enum errc rc = source_read_at(src, *at, bytes, sizeof(bytes), err);
        if (rc != E_OK)
            return err_prefix(err, "zstd: a block's header: ");
        uint64_t header = get_number(bytes, sizeof(bytes)), type = header >> 1 & 3;
        uint64_t len = type == 1 ? 1 : header >> 3; /* 1: one byte, repeated */
        if (type == 3)
            return err_set(err, E_MALFORMED, "zstd: a block of no known type at %" PRIu64, *at);
        *at += sizeof(bytes);
        if (len > src->size - *at)
            return err_set(err, E_TRUNCATED, "zstd: the file ends inside a block, at %" PRIu64,
                           src->size);
        *at += len;
        is_last = (header & 1) != 0;
    }
    return E_OK;
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
        rc = walk_zstd_blocks(src, &at, err);
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

/* --- xz */

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

/* A block's header: its size, flags, sizes that may be there, one filter: LZMA2. */
static enum errc read_xz_block(struct reader *r, struct err *err)
{
    uint64_t ignored, filter, properties_len;
    uint8_t size, flags, dictionary;
    bool has_all = reader_u8(r, &size) && reader_u8(r, &flags);
    if (!has_all || size == 0 || (flags & 0x3C) != 0)
        return err_set(err, E_MALFORMED, "xz: no block where the index says one is");
    if (((flags & 0x40) != 0 && !read_vli(r, &ignored)) ||
        ((flags & 0x80) != 0 && !read_vli(r, &ignored)) || !read_vli(r, &filter))
        return err_set(err, E_MALFORMED, "xz: a block's header ends early");
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

static enum errc check_xz_block(struct source *src, uint64_t at, uint64_t len, struct err *err)
{
    uint8_t bytes[XZ_BLOCK_HEADER_MAX];
    size_t n = (size_t)num_min(len, sizeof(bytes));
    enum errc rc = source_read_at(src, at, bytes, n, err);
    struct reader r = reader_of(span_of(bytes, n), at);
    return rc == E_OK ? read_xz_block(&r, err) : rc;
}

/* Goes through the index: each record is a block, one after another from behind the stream's header
 * to the index. */
static enum errc walk_xz_index(struct source *src, struct reader *r, uint64_t end, struct err *err)
{
    uint64_t n, len, unpacked, at = XZ_HEADER;
    uint8_t mark;
    if (!reader_u8(r, &mark) || mark != 0 || !read_vli(r, &n))
        return err_set(err, E_MALFORMED, "xz: no index before the footer");
    for (; n > 0; n--) {
        uint64_t padded;
        if (!read_vli(r, &len) || !read_vli(r, &unpacked) || len == 0 ||
            !num_align(len, 4, &padded) || padded > end - at)
            return err_set(err, E_MALFORMED, "xz: an index that does not fit its file");
        enum errc rc = check_xz_block(src, at, len, err);
        if (rc != E_OK)
            return rc;
        at += padded;
    }
    if (at != end)
        return err_set(err, E_MALFORMED,
                       "xz: %" PRIu64 " bytes are no part of the last stream: several streams, or "
                       "something before it",
                       end - at);
    return E_OK;
}

static enum errc check_xz_index(struct source *src, size_t len, struct err *err)
{
    uint64_t at = src->size - XZ_HEADER - len;
    uint8_t *bytes = malloc(len);
    if (bytes == NULL)
        return err_nomem(err);
    enum errc rc = source_read_at(src, at, bytes, len, err);
    struct reader r = reader_of(span_of(bytes, len), at);
    if (rc == E_OK)
        rc = walk_xz_index(src, &r, at, err);
    free(bytes);
    return rc;
}

static enum errc check_xz(struct source *src, struct err *err)
{
    uint8_t footer[XZ_HEADER];
    if (src->size < 2 * XZ_HEADER)
        return err_set(err, E_TRUNCATED, "xz: the file ends inside its header");
    enum errc rc = source_read_at(src, src->size - sizeof(footer), footer, sizeof(footer), err);
    if (rc != E_OK)
        return rc;
    if (footer[10] != 'Y' || footer[11] != 'Z')
        return err_set(err, E_MALFORMED,
                       "xz: does not end with its footer: cut off, or bytes after the end");
    uint64_t len = ((uint64_t)get_u32le(footer + 4) + 1) * 4;
    if (len > XZ_INDEX_MAX)
        return err_set(err, E_LIMIT, "xz: an index of %" PRIu64 " bytes, the limit is %u", len,
                       XZ_INDEX_MAX);
    if (len > src->size - 2 * XZ_HEADER)
        return err_set(err, E_MALFORMED, "xz: an index that does not fit its file");
    return check_xz_index(src, (size_t)len, err);
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
    case UNPACK_XZ: return check_xz(src, err);
    case UNPACK_ZSTD: return check_zstd(src, err);
    case UNPACK_PLAIN: break;
    }
    return E_OK;
}
