/* A packed directory's bytes. libarchive unpacks it for itself and does not hand it out, so it is
 * given the same stream and the same coder once more, as the one file of an archive that is made
 * here in memory: what is walked is what libarchive's own decoder makes of it, in every build, and
 * no other library is needed. */

#include <stdlib.h>

#include <archive.h>
#include <archive_entry.h>

#include "installer/core/unpack_7z_private.h"
#include "installer/core/unpack_stream.h"
#include "platform/base/buf.h"
#include "platform/base/crc32.h"

#define DIRECTORY_LEN 128 /* bytes that suffice for the directory of one file */

static enum errc add_u32(struct buf *b, uint32_t value, struct err *err)
{
    const uint8_t bytes[4] = { (uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16),
                               (uint8_t)(value >> 24) };
    return buf_add(b, span_of(bytes, sizeof(bytes)), err);
}

static enum errc add_u64(struct buf *b, uint64_t value, struct err *err)
{
    enum errc rc = add_u32(b, (uint32_t)value, err);
    return rc == E_OK ? add_u32(b, (uint32_t)(value >> 32), err) : rc;
}

/* A number in its longest spelling. */
static enum errc add_number(struct buf *b, uint64_t value, struct err *err)
{
    enum errc rc = buf_add_byte(b, 0xFF, err);
    return rc == E_OK ? add_u64(b, value, err) : rc;
}

static enum errc make_directory(uint64_t packed, struct span coders, uint64_t size, struct buf *b,
                                struct err *err)
{
    static const uint8_t begin[] = { MARK_HEADER, MARK_STREAMS, MARK_PACKED, 0, 1, MARK_SIZE };
    static const uint8_t folder[] = { MARK_END, MARK_FOLDERS, MARK_FOLDER, 1, 0 };
    static const uint8_t unpacked[] = { MARK_UNPACKED_SIZE };
    static const uint8_t file[] = {
        MARK_END, MARK_SUBSTREAMS, MARK_END, MARK_END, MARK_FILES, 1, MARK_NAMES, 5, 0, 'x', 0, 0,
        0,        MARK_END,        MARK_END
    };
    enum errc rc = buf_add(b, span_of(begin, sizeof(begin)), err);
    if (rc == E_OK)
        rc = add_number(b, packed, err);
    if (rc == E_OK)
        rc = buf_add(b, span_of(folder, sizeof(folder)), err);
    if (rc == E_OK)
        rc = buf_add(b, coders, err);
    if (rc == E_OK)
        rc = buf_add(b, span_of(unpacked, sizeof(unpacked)), err);
    if (rc == E_OK)
        rc = add_number(b, size, err);
    return rc == E_OK ? buf_add(b, span_of(file, sizeof(file)), err) : rc;
}

static enum errc add_first(struct buf *b, uint64_t packed, struct span directory, struct err *err)
{
    static const uint8_t magic[] = { '7', 'z', 0xBC, 0xAF, 0x27, 0x1C, 0, 4 };
    uint8_t bytes[20];
    struct buf rest;
    buf_init(&rest, sizeof(bytes));
    enum errc rc = add_u64(&rest, packed, err);
    if (rc == E_OK)
        rc = add_u64(&rest, directory.len, err);
    if (rc == E_OK)
        rc = add_u32(&rest, crc32_of(directory), err);
    if (rc == E_OK)
        rc = buf_add(b, span_of(magic, sizeof(magic)), err);
    if (rc == E_OK)
        rc = add_u32(b, crc32_of(buf_span(&rest)), err);
    if (rc == E_OK)
        rc = buf_add(b, buf_span(&rest), err);
    buf_fini(&rest);
    return rc;
}

static enum errc add_packed(struct buf *b, struct source *src, struct region packed,
                            struct err *err)
{
    uint8_t *to;
    enum errc rc = buf_reserve(b, (size_t)packed.len, &to, err);
    if (rc == E_OK)
        rc = source_read_at(src, packed.at, to, (size_t)packed.len, err);
    if (rc == E_OK)
        b->len += (size_t)packed.len;
    return rc;
}

static enum errc make_archive(struct source *src, struct region packed, struct span coders,
                              uint64_t size, struct buf *b, struct err *err)
{
    struct buf directory;
    buf_init(&directory, DIRECTORY_LEN);
    enum errc rc = make_directory(packed.len, coders, size, &directory, err);
    if (rc == E_OK)
        rc = add_first(b, packed.len, buf_span(&directory), err);
    if (rc == E_OK)
        rc = add_packed(b, src, packed, err);
    if (rc == E_OK)
        rc = buf_add(b, buf_span(&directory), err);
    buf_fini(&directory);
    return rc;
}

static enum errc read_file(struct archive *a, struct archive_entry *e, struct span archive,
                           uint8_t *to, size_t size, struct err *err)
{
    if (archive_read_support_format_7zip(a) != ARCHIVE_OK ||
        archive_read_open_memory(a, archive.ptr, archive.len) != ARCHIVE_OK)
        return unpack_stream_blame(a, E_NOMEM, err);
    if (archive_read_next_header2(a, e) != ARCHIVE_OK)
        return unpack_stream_blame(a, E_MALFORMED, err);
    for (size_t done = 0; done < size;) {
        la_ssize_t n = archive_read_data(a, to + done, size - done);
        if (n < 0)
            return unpack_stream_blame(a, E_MALFORMED, err);
        if (n == 0)
            return err_set(err, E_MALFORMED, "unpacks to fewer bytes than it should have");
        done += (size_t)n;
    }
    return E_OK;
}

enum errc unpack_7z_decode(struct source *src, struct region packed, struct span coders,
                           uint8_t *to, size_t size, struct err *err)
{
    struct buf archive;
    struct archive *a = archive_read_new();
    struct archive_entry *e = archive_entry_new();
    buf_init(&archive, UNPACK_7Z_DIRECTORY_MAX + UNPACK_7Z_FIRST + DIRECTORY_LEN);
    enum errc rc = a == NULL || e == NULL ? err_nomem(err) : E_OK;
    if (rc == E_OK)
        rc = make_archive(src, packed, coders, size, &archive, err);
    if (rc == E_OK)
        rc = read_file(a, e, buf_span(&archive), to, size, err);
    if (a != NULL)
        (void)archive_read_free(a);
    archive_entry_free(e);
    buf_fini(&archive);
    return rc;
}
