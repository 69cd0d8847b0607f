#include "installer/core/unpack_stream.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <archive.h>
#include <archive_entry.h>

#include "installer/core/unpack_frame.h"
#include "platform/base/crc32.h"
#include "platform/base/num.h"
#include "platform/base/reader.h"
#include "platform/base/text.h"

#define GZIP_TRAILER 8

struct unpack_stream {
    struct source *src;
    const struct unpack_limits *limits;
    enum unpack_wrap wrap;
    bool is_done;
    uint64_t at;  /* in src: bytes given to libarchive, or out where there is no compression */
    uint64_t out; /* bytes given to the caller */
    /* Where there is compression: */
    struct archive *archive;
    struct archive_entry *entry; /* of the one that the raw format has */
    struct err read_err;         /* why a read of src failed; libarchive can't carry that */
    struct span piece;           /* decompressed, not yet given out */
    uint8_t raw[SOURCE_PIECE];
    struct crc32 crc;
};

enum errc unpack_stream_blame(struct archive *a, enum errc unsaid, struct err *err)
{
    char words[160];
    const char *text = archive_error_string(a);
    if (archive_errno(a) == ENOMEM || (text == NULL && unsaid == E_NOMEM))
        return err_nomem(err);
    struct span said = span_text(text == NULL ? "damaged, and libarchive does not say how" : text);
    while (said.len > 0 && said.ptr[said.len - 1] == '\n')
        said.len--;
    return err_set(err, E_MALFORMED, "%s", text_printable(said, words, sizeof(words)));
}

static la_ssize_t give_raw(struct archive *a, void *ctx, const void **out)
{
    struct unpack_stream *s = ctx;
    size_t n = (size_t)num_min(sizeof(s->raw), s->src->size - s->at);
    if (source_read_at(s->src, s->at, s->raw, n, &s->read_err) != E_OK) {
        archive_set_error(a, EIO, "cannot read");
        return -1;
    }
    s->at += n;
    *out = s->raw;
    return (la_ssize_t)n;
}

static int add_filter(struct archive *a, enum unpack_wrap wrap)
{
    switch (wrap) {
    case UNPACK_GZIP: return archive_read_append_filter(a, ARCHIVE_FILTER_GZIP);
    case UNPACK_XZ: return archive_read_append_filter(a, ARCHIVE_FILTER_XZ);
    case UNPACK_ZSTD: return archive_read_append_filter(a, ARCHIVE_FILTER_ZSTD);
    case UNPACK_PLAIN: break;
    }
    return ARCHIVE_FATAL;
}

/* blame prefers our own reason over libarchive's. */
static enum errc blame(struct unpack_stream *s, enum errc unsaid, struct err *err)
{
    if (s->read_err.code != E_OK)
        return err_set(err, s->read_err.code, "%s", s->read_err.text);
    if (unpack_stream_blame(s->archive, unsaid, err) == E_NOMEM)
        return E_NOMEM;
    return err_prefix(err, "%s: ", unpack_frame_word(s->wrap));
}

/* The content as one entry: libarchive calls this format raw. */
static enum errc open_filter(struct unpack_stream *s, struct err *err)
{
    s->archive = archive_read_new();
    s->entry = archive_entry_new();
    if (s->archive == NULL || s->entry == NULL)
        return err_nomem(err);
    if (add_filter(s->archive, s->wrap) != ARCHIVE_OK ||
        archive_read_set_format(s->archive, ARCHIVE_FORMAT_RAW) != ARCHIVE_OK ||
        archive_read_open(s->archive, s, NULL, give_raw, NULL) != ARCHIVE_OK ||
        archive_read_next_header2(s->archive, s->entry) != ARCHIVE_OK)
        return blame(s, E_NOMEM, err);
    return E_OK;
}

enum errc unpack_stream_open(struct source *src, const struct unpack_limits *limits,
                             struct unpack_stream **out, struct err *err)
{
    uint8_t head[6];
    size_t n = (size_t)num_min(sizeof(head), src->size);
    enum errc rc = source_read_at(src, 0, head, n, err);
    if (rc != E_OK)
        return rc;
    struct unpack_stream *s = calloc(1, sizeof(*s));
    if (s == NULL)
        return err_nomem(err);
    s->src = src;
    s->limits = limits;
    s->wrap = unpack_frame_wrap_of(span_of(head, n));
    rc = unpack_frame_check(s->wrap, src, err);
    if (rc == E_OK && s->wrap == UNPACK_GZIP)
        crc32_init(&s->crc);
    if (rc == E_OK && s->wrap != UNPACK_PLAIN)
        rc = open_filter(s, err);
    if (rc == E_OK)
        *out = s;
    else
        unpack_stream_close(s);
    return rc;
}

void unpack_stream_close(struct unpack_stream *s)
{
    if (s == NULL)
        return;
    if (s->archive != NULL)
        (void)archive_read_free(s->archive);
    archive_entry_free(s->entry);
    free(s);
}

/* Of one member these last eight bytes are the checksum and length of all that came out. */
static enum errc check_gzip_end(struct unpack_stream *s, struct err *err)
{
    uint8_t trailer[GZIP_TRAILER];
    enum errc rc =
        source_read_at(s->src, s->src->size - sizeof(trailer), trailer, sizeof(trailer), err);
    if (rc != E_OK)
        return rc;
    if (get_u32le(trailer + 4) != (uint32_t)s->out)
        return err_set(err, E_MALFORMED,
                       "gzip: the length at its end is not that of what was unpacked: damaged, or "
                       "several members");
    if (get_u32le(trailer) != s->crc.value)
        return err_set(err, E_MALFORMED, "gzip: the checksum at its end does not match: damaged");
    return E_OK;
}

static enum errc check_end(struct unpack_stream *s, struct err *err)
{
    int64_t used = archive_filter_bytes(s->archive, -1);
    if (used < 0 || (uint64_t)used != s->src->size)
        return err_set(err, E_MALFORMED, "%s: %" PRId64 " bytes follow the end at %" PRId64,
                       unpack_frame_word(s->wrap), (int64_t)s->src->size - used, used);
    return s->wrap == UNPACK_GZIP ? check_gzip_end(s, err) : E_OK;
}

/* Asks libarchive for the next piece; at the end there is none. */
static enum errc next_piece(struct unpack_stream *s, struct err *err)
{
    const void *bytes;
    size_t len;
    la_int64_t offset;
    int r = archive_read_data_block(s->archive, &bytes, &len, &offset);
    if (s->read_err.code != E_OK)
        return blame(s, E_MALFORMED, err); /* some filters take it for the end */
    if (r == ARCHIVE_EOF) {
        s->is_done = true;
        return check_end(s, err);
    }
    if (r != ARCHIVE_OK)
        return blame(s, E_MALFORMED, err);
    s->piece = span_of(bytes, len);
    if (s->wrap == UNPACK_GZIP)
        crc32_add(&s->crc, s->piece);
    return E_OK;
}

static enum errc read_plain(struct unpack_stream *s, uint8_t *to, size_t room, size_t *out_n,
                            struct err *err)
{
    size_t n = (size_t)num_min(room, s->src->size - s->at);
    enum errc rc = source_read_at(s->src, s->at, to, n, err);
    if (rc != E_OK)
        return rc;
    s->at += n;
    *out_n = n;
    return E_OK;
}

enum errc unpack_stream_read(struct unpack_stream *s, uint8_t *to, size_t room, size_t *out_n,
                             struct err *err)
{
    size_t filled = 0;
    if (s->wrap == UNPACK_PLAIN)
        return read_plain(s, to, room, out_n, err);
    while (filled < room && !s->is_done) {
        size_t n = s->piece.len < room - filled ? s->piece.len : room - filled;
        if (n > 0)
            memcpy(to + filled, s->piece.ptr, n);
        filled += n;
        s->out += n;
        s->piece = span_sub(s->piece, n, s->piece.len);
        enum errc rc = unpack_entry_check_ratio(s->limits, s->out, s->src->size, err);
        if (rc == E_OK && filled < room)
            rc = next_piece(s, err);
        if (rc != E_OK)
            return rc;
    }
    *out_n = filled;
    return E_OK;
}
