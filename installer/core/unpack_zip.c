#include "installer/core/unpack_zip.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "manifest/path.h"
#include "platform/base/num.h"
#include "platform/base/reader.h"
#include "platform/base/text.h"

#define LOCAL_MAGIC 0x04034B50U
#define CENTRAL_MAGIC 0x02014B50U
#define END_MAGIC 0x06054B50U
#define END64_MAGIC 0x06064B50U
#define LOCATOR_MAGIC 0x07064B50U
#define DESCRIPTOR_MAGIC 0x08074B50U

#define LOCAL_LEN 30
#define END_LEN 22
#define END64_LEN 56
#define LOCATOR_LEN 20
#define DESCRIPTOR_MAX 24
#define LOCAL_MAX (LOCAL_LEN + 2 * 65535)

enum flag { FLAG_ENCRYPTED = 0x1, FLAG_DESCRIPTOR = 0x8, FLAG_STRONG = 0x40, FLAG_UTF8 = 0x800 };
#define FLAGS_OF_DEFLATE 0x6 /* how hard it tried */
#define FLAG_MASKED 0x2000

enum extra { EXTRA_ZIP64 = 0x0001, EXTRA_UNICODE_PATH = 0x7075, EXTRA_AES = 0x9901 };
enum made_by { MADE_BY_DOS = 0, MADE_BY_UNIX = 3 };
#define DOS_FOLDER 0x10
#define MODE_KIND 0170000

/* What a header says of an entry, either of the two. */
struct header {
    uint16_t made_by, flags, method;
    uint32_t crc;
    uint64_t packed, size, local_at;
    uint32_t attributes;
    struct span name;
    bool is_encrypted;
};

struct directory {
    uint64_t at, len, n;
};

struct item {
    struct unpack_entry entry;
    char *target; /* of a symbolic link; owned */
};

struct unpack_zip {
    uint8_t *directory; /* names point into it */
    struct item *items;
    uint32_t n;
};

/* --- the end records */

static enum errc check_disks(bool is_one, struct err *err)
{
    return is_one ? E_OK
                  : err_set(err, E_MALFORMED, "zip: is a part of an archive on several disks");
}

static enum errc read_end(struct source *src, struct directory *out, struct err *err)
{
    uint8_t bytes[END_LEN];
    if (src->size < END_LEN)
        return err_set(err, E_TRUNCATED, "zip: ends early");
    enum errc rc = source_read_at(src, src->size - END_LEN, bytes, sizeof(bytes), err);
    if (rc != E_OK)
        return rc;
    if (get_u32le(bytes) != END_MAGIC || get_u16le(bytes + 20) != 0)
        return err_set(err, E_MALFORMED,
                       "zip: no end record at the very end: cut off, or a comment or other bytes "
                       "after it");
    *out = (struct directory){ .at = get_u32le(bytes + 16),
                               .len = get_u32le(bytes + 12),
                               .n = get_u16le(bytes + 10) };
    return check_disks(get_u16le(bytes + 4) == 0 && get_u16le(bytes + 6) == 0 &&
                           get_u16le(bytes + 8) == out->n,
                       err);
}

/* What does not fit into the end record is all ones there; what does must be the same. */
static bool agrees(uint64_t small, uint64_t ones, uint64_t large)
{
    return small == large || small == ones;
}

static enum errc use_end64(const uint8_t b[END64_LEN], struct directory *d, struct err *err)
{
    struct directory large = { .at = get_u64le(b + 48),
                               .len = get_u64le(b + 40),
                               .n = get_u64le(b + 32) };
    if (get_u32le(b) != END64_MAGIC || get_u64le(b + 4) != END64_LEN - 12)
        return err_set(err, E_MALFORMED, "zip: no zip64 end record where its locator says it is");
    if (!agrees(d->at, UINT32_MAX, large.at) || !agrees(d->len, UINT32_MAX, large.len) ||
        !agrees(d->n, UINT16_MAX, large.n))
        return err_set(err, E_MALFORMED, "zip: its two end records disagree");
    *d = large;
    return check_disks(
        get_u32le(b + 16) == 0 && get_u32le(b + 20) == 0 && get_u64le(b + 24) == large.n, err);
}

/* *end is where the directory has to end: before the end records that there are. */
static enum errc read_end64(struct source *src, struct directory *d, uint64_t *end, struct err *err)
{
    uint8_t locator[LOCATOR_LEN], record[END64_LEN];
    *end = src->size - END_LEN;
    if (*end < LOCATOR_LEN + END64_LEN)
        return E_OK;
    enum errc rc = source_read_at(src, *end - LOCATOR_LEN, locator, sizeof(locator), err);
    if (rc != E_OK || get_u32le(locator) != LOCATOR_MAGIC)
        return rc;
    *end -= LOCATOR_LEN + END64_LEN;
    if (get_u32le(locator + 4) != 0 || get_u32le(locator + 16) != 1)
        return check_disks(false, err);
    if (get_u64le(locator + 8) != *end)
        return err_set(err, E_MALFORMED, "zip: bytes between its end records");
    rc = source_read_at(src, *end, record, sizeof(record), err);
    return rc == E_OK ? use_end64(record, d, err) : rc;
}

static enum errc find_directory(struct source *src, uint32_t n_max, struct directory *out,
                                struct err *err)
{
    uint64_t end = 0;
    enum errc rc = read_end(src, out, err);
    if (rc == E_OK)
        rc = read_end64(src, out, &end, err);
    if (rc != E_OK)
        return rc;
    if (out->at > end || end - out->at != out->len)
        return err_set(err, E_MALFORMED,
                       "zip: the directory does not end where the end record begins, at %" PRIu64,
                       end);
    if (out->n > n_max)
        return err_set(err, E_LIMIT, "zip: %" PRIu64 " entries, the limit is %" PRIu32, out->n,
                       n_max);
    if (out->len > UNPACK_ZIP_DIRECTORY_MAX)
        return err_set(err, E_LIMIT, "zip: a directory of %" PRIu64 " bytes, the limit is %u",
                       out->len, UNPACK_ZIP_DIRECTORY_MAX);
    return E_OK;
}

/* --- headers */

/* Values that are all ones in the header stand in the zip64 field, in this order. */
static enum errc use_zip64(struct span field, bool has_place, struct header *h, struct err *err)
{
    struct reader r = reader_of(field, 0);
    bool ok = true;
    if (h->size == UINT32_MAX)
        ok = reader_u64le(&r, &h->size);
    if (ok && h->packed == UINT32_MAX)
        ok = reader_u64le(&r, &h->packed);
    if (ok && has_place && h->local_at == UINT32_MAX)
        ok = reader_u64le(&r, &h->local_at);
    if (!ok || h->size > INT64_MAX || h->packed > INT64_MAX)
        return err_set(err, E_MALFORMED, "zip: a zip64 field without a size that it must have");
    return E_OK;
}

static enum errc use_extra(uint16_t id, struct span field, bool is_central, struct header *h,
                           struct err *err)
{
    switch (id) {
    case EXTRA_ZIP64: return use_zip64(field, is_central, h, err);
    case EXTRA_UNICODE_PATH:
        return err_set(err, E_MALFORMED,
                       "zip: an entry with a second name (in an extra field): pack with UTF-8 "
                       "names");
    case EXTRA_AES: h->is_encrypted = true; return E_OK;
    default: return E_OK; /* times, owners */
    }
}

static enum errc read_extras(struct span extras, bool is_central, struct header *h, struct err *err)
{
    struct reader r = reader_of(extras, 0);
    bool had_zip64 = false;
    while (!reader_is_done(&r)) {
        uint16_t id, len;
        struct span field;
        if (!reader_u16le(&r, &id) || !reader_u16le(&r, &len) || !reader_take(&r, len, &field))
            return err_set(err, E_MALFORMED, "zip: an extra field that ends early");
        if (id == EXTRA_ZIP64 && had_zip64)
            return err_set(err, E_MALFORMED, "zip: two zip64 fields in one header");
        had_zip64 |= id == EXTRA_ZIP64;
        enum errc rc = use_extra(id, field, is_central, h, err);
        if (rc != E_OK)
            return rc;
    }
    if (!had_zip64 && (h->size == UINT32_MAX || h->packed == UINT32_MAX ||
                       (is_central && h->local_at == UINT32_MAX)))
        return err_set(err, E_MALFORMED, "zip: a zip64 field is spoken of, and missing");
    return E_OK;
}

static bool read_sizes(struct reader *r, struct header *h)
{
    uint32_t packed, size;
    if (!(reader_u32le(r, &h->crc) && reader_u32le(r, &packed) && reader_u32le(r, &size)))
        return false;
    h->packed = packed;
    h->size = size;
    return true;
}

static bool take_central(struct reader *r, struct header *h, struct span *extras)
{
    uint16_t name_len, extra_len, comment_len, disk;
    uint32_t magic, at;
    if (!(reader_u32le(r, &magic) && magic == CENTRAL_MAGIC && reader_u16le(r, &h->made_by) &&
          reader_skip(r, 2) && reader_u16le(r, &h->flags) && reader_u16le(r, &h->method) &&
          reader_skip(r, 4) && read_sizes(r, h) && reader_u16le(r, &name_len) &&
          reader_u16le(r, &extra_len) && reader_u16le(r, &comment_len) && reader_u16le(r, &disk) &&
          disk == 0 && reader_skip(r, 2) && reader_u32le(r, &h->attributes) &&
          reader_u32le(r, &at) && reader_take(r, name_len, &h->name) &&
          reader_take(r, extra_len, extras) && reader_skip(r, comment_len)))
        return false;
    h->local_at = at;
    return true;
}

static enum errc read_central(struct reader *r, struct header *out, struct err *err)
{
    struct header h = { .crc = 0 };
    struct span extras;
    uint64_t at = r->at;
    if (!take_central(r, &h, &extras))
        return err_set(err, E_MALFORMED, "zip: no entry of the directory at %" PRIu64, at);
    h.is_encrypted = (h.flags & (FLAG_ENCRYPTED | FLAG_STRONG | FLAG_MASKED)) != 0;
    enum errc rc = read_extras(extras, true, &h, err);
    *out = h;
    return rc;
}

static bool take_local(struct reader *r, struct header *h, struct span *extras)
{
    uint16_t name_len, extra_len;
    uint32_t magic;
    return reader_u32le(r, &magic) && magic == LOCAL_MAGIC && reader_skip(r, 2) &&
           reader_u16le(r, &h->flags) && reader_u16le(r, &h->method) && reader_skip(r, 4) &&
           read_sizes(r, h) && reader_u16le(r, &name_len) && reader_u16le(r, &extra_len) &&
           reader_take(r, name_len, &h->name) && reader_take(r, extra_len, extras);
}

/* --- one entry: both headers, the bytes, the descriptor */

/* Where the walk through the file is. `scratch` has LOCAL_MAX bytes. */
struct walk {
    struct source *src;
    uint64_t at, end; /* end: where the directory begins */
    uint8_t *scratch;
};

static enum errc compare_name(const struct header *local, const struct header *h, struct err *err)
{
    char name[80];
    if (!span_equal(local->name, h->name))
        return err_set(err, E_MALFORMED, "zip: its header before the bytes names it \"%s\"",
                       text_printable(local->name, name, sizeof(name)));
    if (local->method != h->method)
        return err_set(err, E_MALFORMED, "zip: two methods, %u and %u", h->method, local->method);
    if (local->flags != h->flags)
        return err_set(err, E_MALFORMED, "zip: two sets of flags, 0x%x and 0x%x", h->flags,
                       local->flags);
    return E_OK;
}

static enum errc compare_sizes(const struct header *local, const struct header *h, struct err *err)
{
    bool later = (h->flags & FLAG_DESCRIPTOR) != 0;
    if (local->size != h->size && !(later && local->size == 0))
        return err_set(err, E_MALFORMED, "zip: two sizes, %" PRIu64 " and %" PRIu64, h->size,
                       local->size);
    if (local->packed != h->packed && !(later && local->packed == 0))
        return err_set(err, E_MALFORMED, "zip: two packed sizes, %" PRIu64 " and %" PRIu64,
                       h->packed, local->packed);
    if (local->crc != h->crc && !(later && local->crc == 0))
        return err_set(err, E_MALFORMED, "zip: two checksums");
    return E_OK;
}

/* Reads as many bytes of a local header into the scratch as it says that it has. */
static enum errc fill_local(struct walk *w, size_t *out_len, struct err *err)
{
    uint64_t len = LOCAL_LEN;
    enum errc rc = E_OK;
    for (int pass = 0; pass < 2 && rc == E_OK; pass++) {
        if (len > w->end - w->at)
            return err_set(err, E_MALFORMED, "zip: no header at %" PRIu64 " that fits", w->at);
        rc = source_read_at(w->src, w->at, w->scratch, (size_t)len, err);
        if (rc == E_OK)
            len = (uint64_t)LOCAL_LEN + get_u16le(w->scratch + 26) + get_u16le(w->scratch + 28);
    }
    *out_len = (size_t)len;
    return rc;
}

/* Reads the local header at w->at and goes behind it. */
static enum errc pass_local(struct walk *w, const struct header *h, struct err *err)
{
    struct header local = { .crc = 0 };
    struct span extras;
    size_t len = 0;
    if (h->local_at != w->at)
        return err_set(err, E_MALFORMED,
                       "zip: begins at %" PRIu64 ", where the one before it ends is %" PRIu64,
                       h->local_at, w->at);
    enum errc rc = fill_local(w, &len, err);
    if (rc != E_OK)
        return rc;
    struct reader r = reader_of(span_of(w->scratch, len), w->at);
    if (!take_local(&r, &local, &extras))
        return err_set(err, E_MALFORMED, "zip: no header at %" PRIu64, w->at);
    rc = compare_name(&local, h, err);
    if (rc == E_OK)
        rc = read_extras(extras, false, &local, err);
    if (rc == E_OK)
        rc = compare_sizes(&local, h, err);
    w->at = r.at;
    return rc;
}

/* One of the four spellings: with a mark or without, sizes of four bytes or eight. */
static bool is_descriptor(struct span bytes, const struct header *h)
{
    bool has_mark = bytes.len == 16 || bytes.len == 24, is_large = bytes.len >= 20;
    struct reader r = reader_of(bytes, 0);
    uint32_t mark, crc, packed32 = 0, size32 = 0;
    uint64_t packed = 0, size = 0;
    if (has_mark && !(reader_u32le(&r, &mark) && mark == DESCRIPTOR_MAGIC))
        return false;
    if (!reader_u32le(&r, &crc) || crc != h->crc)
        return false;
    if (is_large)
        return reader_u64le(&r, &packed) && reader_u64le(&r, &size) && packed == h->packed &&
               size == h->size && reader_is_done(&r);
    return reader_u32le(&r, &packed32) && reader_u32le(&r, &size32) && packed32 == h->packed &&
           size32 == h->size && reader_is_done(&r);
}

static enum errc pass_descriptor(struct walk *w, const struct header *h, struct err *err)
{
    static const size_t lens[] = { 16, 24, 12, 20 };
    uint8_t bytes[DESCRIPTOR_MAX];
    size_t n = (size_t)num_min(sizeof(bytes), w->end - w->at);
    enum errc rc = source_read_at(w->src, w->at, bytes, n, err);
    if (rc != E_OK)
        return rc;
    for (size_t i = 0; i < ARRAY_LEN(lens); i++)
        if (lens[i] <= n && is_descriptor(span_of(bytes, lens[i]), h)) {
            w->at += lens[i];
            return E_OK;
        }
    return err_set(err, E_MALFORMED,
                   "zip: what follows its bytes is not the descriptor that the "
                   "directory speaks of");
}

static enum errc pass_bytes(struct walk *w, const struct header *h, struct err *err)
{
    if (h->packed > w->end - w->at)
        return err_set(err, E_MALFORMED, "zip: its bytes reach into the directory");
    w->at += h->packed;
    return (h->flags & FLAG_DESCRIPTOR) != 0 ? pass_descriptor(w, h, err) : E_OK;
}

/* --- what the entry is */

static enum errc set_kind(const struct header *h, struct unpack_entry *e, struct err *err)
{
    bool has_slash = h->name.len > 0 && h->name.ptr[h->name.len - 1] == '/';
    unsigned mode = h->attributes >> 16;
    if (h->made_by >> 8 == MADE_BY_UNIX) {
        e->kind = (mode & MODE_KIND) == 0 ? (has_slash ? UNPACK_FOLDER : UNPACK_FILE)
                                          : unpack_entry_kind_of_mode(mode);
        e->mode = mode & 07777;
    } else if (h->made_by >> 8 == MADE_BY_DOS) {
        e->kind = (h->attributes & DOS_FOLDER) != 0 ? UNPACK_FOLDER : UNPACK_FILE;
    } else {
        e->kind = has_slash ? UNPACK_FOLDER : UNPACK_FILE;
    }
    if (e->mode == 0)
        e->mode = e->kind == UNPACK_FOLDER ? 0755 : 0644;
    if ((e->kind == UNPACK_FOLDER) != has_slash)
        return err_set(err, E_MALFORMED,
                       "zip: a folder by its name or by its attributes, and not "
                       "by both");
    if (has_slash)
        e->path.len--;
    return E_OK;
}

static enum errc check_method(const struct header *h, struct err *err)
{
    const unsigned known =
        FLAG_ENCRYPTED | FLAGS_OF_DEFLATE | FLAG_DESCRIPTOR | FLAG_STRONG | FLAG_UTF8 | FLAG_MASKED;
    if ((h->flags & ~known) != 0)
        return err_set(err, E_MALFORMED, "zip: flags that nobody knows, 0x%x", h->flags & ~known);
    if (h->is_encrypted)
        return E_OK; /* the judge says so */
    if (h->method != 0 && h->method != 8)
        return err_set(err, E_UNSUPPORTED, "zip: method %u; stored and deflate are read",
                       h->method);
    if (h->method == 0 && h->packed != h->size)
        return err_set(err, E_MALFORMED, "zip: stored, and of two sizes");
    return E_OK;
}

static enum errc check_name(const struct header *h, struct err *err)
{
    for (size_t i = 0; i < h->name.len; i++)
        if (h->name.ptr[i] >= 0x80 && (h->flags & FLAG_UTF8) == 0)
            return err_set(err, E_MALFORMED,
                           "zip: a name outside ASCII that is not marked as UTF-8");
    return E_OK;
}

/* A link's target is its bytes; the local header has been passed. */
static enum errc read_target(struct walk *w, const struct header *h, struct item *item,
                             struct err *err)
{
    if (h->method != 0)
        return err_set(err, E_UNSUPPORTED, "zip: a symbolic link whose target is compressed");
    if (h->size > PATH_TREE_MAX)
        return err_set(err, E_LIMIT, "zip: a symbolic link with a target of %" PRIu64 " bytes",
                       h->size);
    if (h->size > w->end - w->at)
        return err_set(err, E_MALFORMED, "zip: its bytes reach into the directory");
    item->target = malloc((size_t)h->size + 1);
    if (item->target == NULL)
        return err_nomem(err);
    item->entry.target = span_of(item->target, (size_t)h->size);
    item->entry.size = 0;
    return source_read_at(w->src, w->at, item->target, (size_t)h->size, err);
}

static enum errc read_item(struct walk *w, const struct header *h, struct item *item,
                           struct err *err)
{
    struct unpack_entry *e = &item->entry;
    *e = (struct unpack_entry){ .path = h->name, .size = h->size, .is_encrypted = h->is_encrypted };
    enum errc rc = check_method(h, err);
    if (rc == E_OK)
        rc = check_name(h, err);
    if (rc == E_OK)
        rc = set_kind(h, e, err);
    if (rc == E_OK)
        rc = pass_local(w, h, err);
    if (rc == E_OK && e->kind == UNPACK_LINK && !h->is_encrypted)
        rc = read_target(w, h, item, err);
    return rc == E_OK ? pass_bytes(w, h, err) : rc;
}

static enum errc read_items(struct unpack_zip *z, struct walk *w, struct reader *r, uint64_t n,
                            struct err *err)
{
    char name[80];
    for (uint64_t i = 0; i < n; i++) {
        struct header h = { .crc = 0 };
        enum errc rc = read_central(r, &h, err);
        if (rc != E_OK)
            return rc;
        z->n++;
        rc = read_item(w, &h, &z->items[i], err);
        if (rc != E_OK)
            return err_prefix(err, "entry \"%s\": ", text_printable(h.name, name, sizeof(name)));
    }
    if (!reader_is_done(r))
        return err_set(err, E_MALFORMED, "zip: more in the directory than its %" PRIu64 " entries",
                       n);
    if (w->at != w->end)
        return err_set(err, E_MALFORMED,
                       "zip: %" PRIu64 " bytes before the directory are no entry's",
                       w->end - w->at);
    return E_OK;
}

static enum errc allocate(struct unpack_zip *z, const struct directory *d, struct walk *w,
                          struct err *err)
{
    z->directory = malloc((size_t)d->len + 1);
    z->items = calloc((size_t)d->n + 1, sizeof(*z->items));
    w->scratch = malloc(LOCAL_MAX);
    return z->directory == NULL || z->items == NULL || w->scratch == NULL ? err_nomem(err) : E_OK;
}

enum errc unpack_zip_read(struct source *src, uint32_t n_max, struct unpack_zip **out,
                          struct err *err)
{
    struct directory d = { .n = 0 };
    enum errc rc = find_directory(src, n_max, &d, err);
    if (rc != E_OK)
        return rc;
    struct walk w = { .src = src, .end = d.at };
    struct unpack_zip *z = calloc(1, sizeof(*z));
    if (z == NULL)
        return err_nomem(err);
    rc = allocate(z, &d, &w, err);
    if (rc == E_OK)
        rc = source_read_at(src, d.at, z->directory, (size_t)d.len, err);
    struct reader r = reader_of(span_of(z->directory, (size_t)d.len), d.at);
    if (rc == E_OK)
        rc = read_items(z, &w, &r, d.n, err);
    free(w.scratch);
    if (rc == E_OK)
        *out = z;
    else
        unpack_zip_free(z);
    return rc;
}

void unpack_zip_free(struct unpack_zip *z)
{
    if (z == NULL)
        return;
    for (uint32_t i = 0; i < z->n; i++)
        free(z->items[i].target);
    free(z->items);
    free(z->directory);
    free(z);
}

uint32_t unpack_zip_n(const struct unpack_zip *z)
{
    return z->n;
}

struct unpack_entry unpack_zip_entry(const struct unpack_zip *z, uint32_t i)
{
    return z->items[i].entry;
}
