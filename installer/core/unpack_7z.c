#include "installer/core/unpack_7z.h"

#include <inttypes.h>
#include <stdlib.h>

#include "installer/core/unpack_7z_private.h"
#include "platform/base/crc32.h"
#include "platform/base/num.h"

/* What the first header says of the directory. */
struct first {
    uint64_t at, len; /* `at` counts from behind the first header */
    uint32_t crc;
};

/* The directory's bytes, and where it or its packed form begins: there the streams end. */
struct directory {
    uint8_t *bytes;
    size_t len;
    uint64_t at;
};

/* --- the first header */

static enum errc check_first(const uint8_t b[UNPACK_7Z_FIRST], struct err *err)
{
    if (b[6] != 0)
        return err_set(err, E_UNSUPPORTED, "7z: version %u.%u, of which 0 is read", b[6], b[7]);
    /* libarchive 3.6.2 passes over this one. */
    if (crc32_of(span_of(b + 12, UNPACK_7Z_FIRST - 12)) != get_u32le(b + 8))
        return err_set(err, E_MALFORMED, "7z: the checksum of its first header does not match");
    return E_OK;
}

/* The directory is the last thing of the file. Of an archive of nothing there is none. */
static enum errc check_place(const struct first *f, uint64_t size, struct err *err)
{
    uint64_t end;
    if (!num_add(f->at, f->len, &end) || end > size - UNPACK_7Z_FIRST)
        return err_set(err, E_TRUNCATED, "7z: the file ends before its directory");
    if (end < size - UNPACK_7Z_FIRST)
        return err_set(err, E_MALFORMED, "7z: %" PRIu64 " bytes follow the end",
                       size - UNPACK_7Z_FIRST - end);
    if (f->len == 0 && f->at != 0)
        return err_set(err, E_MALFORMED, "7z: streams without a directory");
    return E_OK;
}

static enum errc check_directory_len(uint64_t len, struct err *err)
{
    if (len > UNPACK_7Z_DIRECTORY_MAX)
        return err_set(err, E_LIMIT,
                       "7z: a directory of %" PRIu64
                       " bytes, the limit is %u: pack fewer files, or a tar",
                       len, UNPACK_7Z_DIRECTORY_MAX);
    return E_OK;
}

static enum errc read_first(struct source *src, struct first *out, struct err *err)
{
    uint8_t b[UNPACK_7Z_FIRST];
    enum errc rc = source_read_at(src, 0, b, sizeof(b), err);
    if (rc != E_OK)
        return err_prefix(err, "7z: its first header: ");
    rc = check_first(b, err);
    *out = (struct first){ get_u64le(b + 12), get_u64le(b + 20), get_u32le(b + 28) };
    if (rc == E_OK)
        rc = check_place(out, src->size, err);
    return rc == E_OK ? check_directory_len(out->len, err) : rc;
}

/* --- the directory's bytes */

static enum errc check_crc(const uint8_t *bytes, size_t len, uint32_t crc, struct err *err)
{
    if (crc32_of(span_of(bytes, len)) != crc)
        return err_set(err, E_MALFORMED, "7z: the checksum of its directory does not match");
    return E_OK;
}

static enum errc load_directory(struct source *src, const struct first *f, struct directory *d,
                                struct err *err)
{
    d->at = f->at;
    d->len = (size_t)f->len;
    d->bytes = malloc(d->len);
    if (d->bytes == NULL)
        return err_nomem(err);
    enum errc rc = source_read_at(src, UNPACK_7Z_FIRST + f->at, d->bytes, d->len, err);
    return rc == E_OK ? check_crc(d->bytes, d->len, f->crc, err) : rc;
}

static enum errc check_encoded(const struct unpack_7z_streams *s, uint64_t at, struct err *err)
{
    uint64_t end;
    if (s->n != 1)
        return err_set(err, E_MALFORMED, "7z: a directory packed into %" PRIu32 " streams", s->n);
    if (s->folders[0].n_coders != 1)
        return err_set(err, E_MALFORMED, "7z: a directory behind a filter");
    if (!s->folders[0].has_crc)
        return err_set(err, E_MALFORMED, "7z: a packed directory without its checksum");
    if (!num_add(s->packed.at, s->packed.len, &end) || end != at)
        return err_set(err, E_MALFORMED,
                       "7z: the packed directory does not end where what describes it begins");
    /* A real one is smaller than what comes out, or not much larger. */
    if (s->packed.len > UNPACK_7Z_DIRECTORY_MAX)
        return err_set(err, E_LIMIT, "7z: a packed directory of %" PRIu64 " bytes, the limit is %u",
                       s->packed.len, UNPACK_7Z_DIRECTORY_MAX);
    return check_directory_len(s->folders[0].size, err);
}

static enum errc decode_into(struct source *src, const struct unpack_7z_streams *s,
                             struct directory *d, struct err *err)
{
    const struct unpack_7z_folder *f = &s->folders[0];
    struct region packed = { UNPACK_7Z_FIRST + s->packed.at, s->packed.len };
    uint8_t *bytes = malloc((size_t)f->size);
    if (bytes == NULL)
        return err_nomem(err);
    enum errc rc = unpack_7z_decode(src, packed, s->coders, bytes, (size_t)f->size, err);
    if (rc != E_OK)
        rc = err_prefix(err, "7z: the packed directory: ");
    else
        rc = check_crc(bytes, (size_t)f->size, f->crc, err);
    if (rc != E_OK) {
        free(bytes);
        return rc;
    }
    free(d->bytes);
    *d = (struct directory){ bytes, (size_t)f->size, s->packed.at };
    return E_OK;
}

/* What was read describes how the real directory is packed, and is replaced by that one. */
static enum errc unpack_directory(struct source *src, const struct unpack_limits *limits,
                                  struct directory *d, struct err *err)
{
    struct reader r = reader_of(span_of(d->bytes, d->len), 0);
    struct unpack_7z_streams s = { .n = 0 };
    enum errc rc = unpack_7z_expect(&r, MARK_ENCODED_HEADER, "the directory", err);
    if (rc == E_OK)
        rc = unpack_7z_streams_read(&r, limits, true, &s, err);
    if (rc == E_OK && !reader_is_done(&r))
        rc = err_set(err, E_MALFORMED, "7z: more behind what describes its packed directory");
    if (rc == E_OK)
        rc = check_encoded(&s, d->at, err);
    if (rc == E_OK)
        rc = decode_into(src, &s, d, err);
    unpack_7z_streams_fini(&s);
    if (rc == E_OK && d->bytes[0] == MARK_ENCODED_HEADER)
        return err_set(err, E_MALFORMED, "7z: a directory that is packed twice");
    return rc;
}

/* --- the walk */

static enum errc take_streams(struct reader *r, const struct unpack_limits *limits, uint64_t end,
                              struct unpack_7z_streams *s, struct err *err)
{
    enum errc rc = E_OK;
    if (unpack_7z_take_if(r, MARK_STREAMS))
        rc = unpack_7z_streams_read(r, limits, false, s, err);
    if (rc == E_OK && (s->packed.at != 0 || s->packed.len != end))
        return err_set(err, E_MALFORMED,
                       "7z: its streams are %" PRIu64 " bytes at %" PRIu64 ", and not the %" PRIu64
                       " at 0 before the directory",
                       s->packed.len, s->packed.at, end);
    return rc;
}

static enum errc walk_directory(const struct directory *d, const struct unpack_limits *limits,
                                struct unpack_7z *z, struct err *err)
{
    struct reader r = reader_of(span_of(d->bytes, d->len), 0);
    struct unpack_7z_streams s = { .n = 0 };
    enum errc rc = unpack_7z_expect(&r, MARK_HEADER, "the directory", err);
    if (rc == E_OK && (unpack_7z_take_if(&r, MARK_ARCHIVE_PROPERTIES) ||
                       unpack_7z_take_if(&r, MARK_MORE_STREAMS)))
        return err_set(err, E_UNSUPPORTED,
                       "7z: properties of the archive, or streams of the directory's own, which "
                       "are not read");
    if (rc == E_OK)
        rc = take_streams(&r, limits, d->at, &s, err);
    if (rc == E_OK)
        rc = unpack_7z_expect(&r, MARK_FILES, "the list of files", err);
    if (rc == E_OK)
        rc = unpack_7z_files_read(&r, limits, &s, z, err);
    unpack_7z_streams_fini(&s);
    if (rc == E_OK)
        rc = unpack_7z_expect(&r, MARK_END, "the directory", err);
    if (rc == E_OK && !reader_is_done(&r))
        return err_set(err, E_MALFORMED, "7z: %zu bytes follow the end of the directory",
                       r.rest.len);
    return rc;
}

static enum errc read_directory(struct source *src, const struct unpack_limits *limits,
                                const struct first *f, struct unpack_7z *z, struct err *err)
{
    struct directory d = { .len = 0 };
    enum errc rc = load_directory(src, f, &d, err);
    if (rc == E_OK && d.bytes[0] == MARK_ENCODED_HEADER)
        rc = unpack_directory(src, limits, &d, err);
    if (rc == E_OK)
        rc = walk_directory(&d, limits, z, err);
    free(d.bytes);
    return rc;
}

enum errc unpack_7z_read(struct source *src, const struct unpack_limits *limits,
                         struct unpack_7z **out, struct err *err)
{
    struct first f = { .len = 0 };
    enum errc rc = read_first(src, &f, err);
    if (rc != E_OK)
        return rc;
    struct unpack_7z *z = calloc(1, sizeof(*z));
    if (z == NULL)
        return err_nomem(err);
    if (f.len > 0)
        rc = read_directory(src, limits, &f, z, err);
    if (rc == E_OK)
        *out = z;
    else
        unpack_7z_free(z);
    return rc;
}

void unpack_7z_free(struct unpack_7z *z)
{
    if (z == NULL)
        return;
    free(z->items);
    free(z->names);
    free(z);
}

/* --- what was read */

uint32_t unpack_7z_n(const struct unpack_7z *z)
{
    return z->n;
}

struct unpack_entry unpack_7z_entry(const struct unpack_7z *z, uint32_t i)
{
    const struct unpack_7z_item *item = &z->items[i];
    struct unpack_entry e = { .kind = (enum unpack_kind)item->kind,
                              .path = span_of(z->names + item->name_at, item->name_len),
                              .size = item->kind == UNPACK_LINK ? 0 : item->size,
                              .mode = item->mode };
    if (e.kind == UNPACK_FOLDER && e.path.ptr[e.path.len - 1] == '/')
        e.path.len--;
    return e;
}

size_t unpack_7z_target_len(const struct unpack_7z *z, uint32_t i)
{
    return z->items[i].kind == UNPACK_LINK ? (size_t)z->items[i].size : 0;
}
