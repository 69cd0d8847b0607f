#include "installer/core/unpack_7z.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "installer/core/unpack_frame.h"
#include "installer/core/unpack_stream.h"
#include "platform/base/buf.h"
#include "platform/base/num.h"
#include "platform/base/reader.h"

#define SIGNATURE_LEN 32
#define CODERS_MAX 2
#define PPMD_MEMORY_MIN (1U << 11)
#define DICTIONARY_MAX 28 /* LZMA2's word for 64 MiB, as in .xz */
#define MODE_KIND 0170000U
#define MODE_LINK 0120000U

/* The numbers of the format's properties. */
enum {
    P_END = 0x00,
    P_HEADER = 0x01,
    P_MAIN_STREAMS = 0x04,
    P_FILES = 0x05,
    P_PACK_INFO = 0x06,
    P_UNPACK_INFO = 0x07,
    P_SUBSTREAMS = 0x08,
    P_SIZE = 0x09,
    P_CRC = 0x0A,
    P_FOLDER = 0x0B,
    P_UNPACK_SIZES = 0x0C,
    P_N_STREAMS = 0x0D,
    P_EMPTY_STREAM = 0x0E,
    P_EMPTY_FILE = 0x0F,
    P_ANTI = 0x10,
    P_NAMES = 0x11,
    P_CREATED = 0x12,
    P_ACCESSED = 0x13,
    P_WRITTEN = 0x14,
    P_ATTRIBUTES = 0x15,
    P_ENCODED_HEADER = 0x17,
    P_DUMMY = 0x19,
};

/* A folder, in 7-Zip's words: what is unpacked as one, and holds files one after another. */
struct folder {
    uint64_t n_coders, unpacked, n_streams;
    bool has_crc;
    bool is_lzma, is_copy; /* its one coder, for the directory's own */
    struct span properties;
};

struct streams {
    uint64_t at, len; /* of the packed bytes, behind the signature header */
    size_t n_folders, n;
    struct folder *folders;
    uint64_t *sizes; /* of the n files with bytes */
};

struct walk {
    struct reader r;
    const struct unpack_limits *limits;
    struct err *err;
};

static void streams_fini(struct streams *s)
{
    free(s->folders);
    free(s->sizes);
    *s = (struct streams){ .len = 0 };
}

static enum errc broken(const struct walk *w, const char *what)
{
    return err_set(w->err, E_MALFORMED, "7z: its directory: %s, at byte %" PRIu64, what, w->r.at);
}

static enum errc ends_early(const struct walk *w)
{
    return broken(w, "ends early");
}

/* --- numbers, flags, checksums */

/* The ones that the first byte begins with say how many bytes follow. */
static enum errc read_number(struct walk *w, uint64_t *out)
{
    uint8_t first, byte;
    uint64_t value = 0;
    if (!reader_u8(&w->r, &first))
        return ends_early(w);
    uint8_t mask = 0x80;
    for (unsigned i = 0; i < 8 && (first & mask) != 0; i++, mask = (uint8_t)(mask >> 1)) {
        if (!reader_u8(&w->r, &byte))
            return ends_early(w);
        value |= (uint64_t)byte << (8 * i);
    }
    unsigned n = 0;
    for (uint8_t bit = 0x80; n < 8 && (first & bit) != 0; bit = (uint8_t)(bit >> 1))
        n++;
    if (n < 7)
        value |= (uint64_t)(first & (mask - 1)) << (8 * n);
    *out = value;
    return E_OK;
}

/* A number of things of which each takes memory. */
static enum errc read_count(struct walk *w, size_t *out)
{
    uint64_t n;
    enum errc rc = read_number(w, &n);
    if (rc == E_OK && n > w->limits->n_entries)
        return err_set(w->err, E_LIMIT,
                       "7z: its directory speaks of %" PRIu64 " entries; the limit is %" PRIu32, n,
                       w->limits->n_entries);
    if (rc == E_OK)
        *out = (size_t)n;
    return rc;
}

static enum errc read_id(struct walk *w, uint8_t *out)
{
    return reader_u8(&w->r, out) ? E_OK : ends_early(w);
}

static enum errc expect(struct walk *w, uint8_t wanted, const char *what)
{
    uint8_t id = P_END;
    enum errc rc = read_id(w, &id);
    return rc == E_OK && id != wanted ? broken(w, what) : rc;
}

/* n flags, most significant bit first; behind a byte that says whether all are set where
 * `has_all`. */
struct flags {
    struct span bits;
    bool are_all;
};

static enum errc read_flags(struct walk *w, size_t n, bool has_all, struct flags *out)
{
    uint8_t all = 0;
    *out = (struct flags){ .are_all = false };
    if (has_all && !reader_u8(&w->r, &all))
        return ends_early(w);
    out->are_all = all != 0;
    if (!out->are_all && !reader_take(&w->r, (n + 7) / 8, &out->bits))
        return ends_early(w);
    return E_OK;
}

static bool flag_is_set(const struct flags *f, size_t i)
{
    return f->are_all || (f->bits.ptr != NULL && (f->bits.ptr[i / 8] & (0x80U >> (i % 8))) != 0);
}

static size_t flags_set(const struct flags *f, size_t n)
{
    size_t set = 0;
    for (size_t i = 0; i < n; i++)
        set += flag_is_set(f, i);
    return set;
}

static enum errc skip_crcs(struct walk *w, size_t n, struct flags *out)
{
    enum errc rc = read_flags(w, n, true, out);
    if (rc == E_OK && !reader_skip(&w->r, 4 * flags_set(out, n)))
        rc = ends_early(w);
    return rc;
}

/* --- coders */

static enum errc refuse_coder(struct walk *w, const char *what)
{
    return err_set(w->err, E_UNSUPPORTED,
                   "7z: packed with %s, which is not unpacked here (pack with LZMA2, and with "
                   "the filter BCJ or none)",
                   what);
}

static enum errc check_window(struct walk *w, uint64_t bytes)
{
    if (bytes > UNPACK_WINDOW_MAX)
        return err_set(w->err, E_LIMIT,
                       "7z: unpacking needs a dictionary of %" PRIu64
                       " bytes; the limit is %u (pack with a smaller one)",
                       bytes, UNPACK_WINDOW_MAX);
    return E_OK;
}

static enum errc check_lzma(struct walk *w, struct span properties)
{
    if (properties.len != UNPACK_LZMA_PROPERTIES || properties.ptr[0] >= 9 * 5 * 5)
        return broken(w, "LZMA with properties that it has not");
    return check_window(w, get_u32le(properties.ptr + 1));
}

static enum errc check_lzma2(struct walk *w, struct span properties)
{
    if (properties.len != 1 || properties.ptr[0] > 40)
        return broken(w, "LZMA2 with properties that it has not");
    return check_window(w, properties.ptr[0] > DICTIONARY_MAX ? UINT32_MAX : 0);
}

static enum errc check_ppmd(struct walk *w, struct span properties)
{
    if (properties.len != 5 || get_u32le(properties.ptr + 1) < PPMD_MEMORY_MIN)
        return broken(w, "PPMd with properties that it has not");
    return check_window(w, get_u32le(properties.ptr + 1));
}

static bool has_id(struct span id, const char *bytes, size_t len)
{
    return span_equal(id, span_of(bytes, len));
}
#define IS(id, bytes) has_id(id, bytes, sizeof(bytes) - 1)

static enum errc check_coder(struct walk *w, struct span id, struct span properties,
                             struct folder *f)
{
    f->is_lzma = f->is_copy = false;
    f->properties = properties;
    if (IS(id, "\x00") || IS(id, "\x04\x01\x08")) { /* stored, Deflate */
        f->is_copy = id.len == 1;
        return properties.len == 0 ? E_OK : broken(w, "properties of a coder that has none");
    }
    if (IS(id, "\x03\x01\x01")) {
        f->is_lzma = true;
        return check_lzma(w, properties);
    }
    if (IS(id, "\x21"))
        return check_lzma2(w, properties);
    if (IS(id, "\x03\x04\x01"))
        return check_ppmd(w, properties);
    if (IS(id, "\x03"))
        return properties.len == 1 ? E_OK : broken(w, "Delta without its one property");
    if (IS(id, "\x03\x03\x01\x03"))
        return properties.len == 0 ? E_OK : broken(w, "BCJ with properties");
    if (IS(id, "\x06\xf1\x07\x01"))
        return err_set(w->err, E_MALFORMED, "7z: it is encrypted");
    if (IS(id, "\x03\x03\x01\x1b"))
        return refuse_coder(w, "the filter BCJ2");
    return refuse_coder(w, IS(id, "\x04\x02\x02") ? "BZip2" : "a method or filter of another kind");
}

static enum errc read_coder(struct walk *w, struct folder *f)
{
    uint8_t flags;
    uint64_t len = 0;
    struct span id, properties = span_of(NULL, 0);
    if (!reader_u8(&w->r, &flags) || !reader_take(&w->r, flags & 0x0F, &id))
        return ends_early(w);
    if ((flags & 0xC0) != 0)
        return broken(w, "a coder with flags that are not used");
    if ((flags & 0x10) != 0) /* several streams in or out */
        return refuse_coder(w, IS(id, "\x03\x03\x01\x1b") ? "the filter BCJ2"
                                                          : "coders of several streams");
    enum errc rc = (flags & 0x20) != 0 ? read_number(w, &len) : E_OK;
    if (rc == E_OK && (len > w->r.rest.len || !reader_take(&w->r, (size_t)len, &properties)))
        rc = ends_early(w);
    return rc == E_OK ? check_coder(w, id, properties, f) : rc;
}

/* Coders of one stream each, so that what binds two of them is one pair, and one stream is
 * packed. */
static enum errc read_folder(struct walk *w, struct folder *f)
{
    enum errc rc = read_number(w, &f->n_coders);
    if (rc == E_OK && f->n_coders == 0)
        return broken(w, "a folder without a coder");
    if (rc == E_OK && f->n_coders > CODERS_MAX)
        return refuse_coder(w, "BCJ2, or more than one filter");
    for (uint64_t i = 0; i < f->n_coders && rc == E_OK; i++)
        rc = read_coder(w, f);
    for (uint64_t i = 1; i < f->n_coders && rc == E_OK; i++) {
        uint64_t in, out = 0;
        rc = read_number(w, &in);
        if (rc == E_OK)
            rc = read_number(w, &out);
        if (rc == E_OK && (in >= f->n_coders || out >= f->n_coders || in == out))
            rc = broken(w, "coders that are bound to nothing");
    }
    return rc;
}

/* --- streams */

static enum errc read_pack_info(struct walk *w, struct streams *s, size_t *out_n)
{
    struct flags ignored;
    uint8_t id = P_END;
    enum errc rc = read_number(w, &s->at);
    if (rc == E_OK)
        rc = read_count(w, out_n);
    if (rc == E_OK)
        rc = expect(w, P_SIZE, "packed streams without their sizes");
    for (size_t i = 0; i < *out_n && rc == E_OK; i++) {
        uint64_t len;
        rc = read_number(w, &len);
        if (rc == E_OK && !num_add(s->len, len, &s->len))
            rc = broken(w, "sizes that are past all bounds");
    }
    if (rc == E_OK)
        rc = read_id(w, &id);
    if (rc == E_OK && id == P_CRC) {
        rc = skip_crcs(w, *out_n, &ignored);
        if (rc == E_OK)
            rc = read_id(w, &id);
    }
    return rc == E_OK && id != P_END ? broken(w, "an unknown property of packed streams") : rc;
}

static enum errc read_unpacked_sizes(struct walk *w, struct streams *s)
{
    enum errc rc = expect(w, P_UNPACK_SIZES, "folders without their sizes");
    for (size_t i = 0; i < s->n_folders; i++)
        for (uint64_t k = 0; k < s->folders[i].n_coders && rc == E_OK; k++) {
            uint64_t size;
            rc = read_number(w, &size);
            if (rc == E_OK && k == 0)
                s->folders[i].unpacked = size;
            if (rc == E_OK && size != s->folders[i].unpacked)
                rc = broken(w, "a filter that changes the size");
        }
    return rc;
}

static enum errc read_unpack_info(struct walk *w, struct streams *s)
{
    struct flags crcs;
    uint8_t id = P_END;
    enum errc rc = expect(w, P_FOLDER, "no folders");
    if (rc == E_OK)
        rc = read_count(w, &s->n_folders);
    if (rc == E_OK)
        rc = expect(w, 0, "folders that stand elsewhere");
    if (rc != E_OK)
        return rc;
    s->folders = calloc(s->n_folders + 1, sizeof(*s->folders));
    if (s->folders == NULL)
        return err_nomem(w->err);
    for (size_t i = 0; i < s->n_folders && rc == E_OK; i++)
        rc = read_folder(w, &s->folders[i]);
    if (rc == E_OK)
        rc = read_unpacked_sizes(w, s);
    if (rc == E_OK)
        rc = read_id(w, &id);
    if (rc == E_OK && id == P_CRC) {
        rc = skip_crcs(w, s->n_folders, &crcs);
        for (size_t i = 0; i < s->n_folders && rc == E_OK; i++)
            s->folders[i].has_crc = flag_is_set(&crcs, i);
        if (rc == E_OK)
            rc = read_id(w, &id);
    }
    return rc == E_OK && id != P_END ? broken(w, "an unknown property of folders") : rc;
}

static enum errc read_n_streams(struct walk *w, struct streams *s)
{
    enum errc rc = E_OK;
    for (size_t i = 0; i < s->n_folders && rc == E_OK; i++) {
        size_t n = 0;
        rc = read_count(w, &n);
        if (rc == E_OK && n == 0)
            rc = broken(w, "a folder without a file");
        s->folders[i].n_streams = n;
    }
    return rc;
}

static enum errc count_streams(struct walk *w, struct streams *s)
{
    s->n = 0;
    for (size_t i = 0; i < s->n_folders; i++)
        s->n += (size_t)num_min(s->folders[i].n_streams, SIZE_MAX - s->n);
    if (s->n > w->limits->n_entries)
        return err_set(w->err, E_LIMIT,
                       "7z: its directory speaks of %zu files; the limit is %" PRIu32, s->n,
                       w->limits->n_entries);
    s->sizes = calloc(s->n + 1, sizeof(*s->sizes));
    return s->sizes == NULL ? err_nomem(w->err) : E_OK;
}

/* Of each folder all but the last are said; the last one has what remains. */
static enum errc read_sizes(struct walk *w, struct streams *s, bool are_said)
{
    enum errc rc = E_OK;
    size_t at = 0;
    for (size_t i = 0; i < s->n_folders; i++) {
        uint64_t rest = s->folders[i].unpacked;
        for (uint64_t k = 1; k < s->folders[i].n_streams && rc == E_OK; k++) {
            uint64_t size = 0;
            rc = are_said ? read_number(w, &size) : broken(w, "files without their sizes");
            if (rc == E_OK && size > rest)
                rc = broken(w, "files that are larger than their folder");
            if (rc != E_OK)
                break;
            s->sizes[at++] = size;
            rest -= size;
        }
        if (rc != E_OK)
            return rc;
        s->sizes[at++] = rest;
    }
    return rc;
}

static enum errc skip_file_crcs(struct walk *w, const struct streams *s)
{
    struct flags ignored;
    size_t n = 0;
    for (size_t i = 0; i < s->n_folders; i++)
        if (s->folders[i].n_streams != 1 || !s->folders[i].has_crc)
            n += (size_t)s->folders[i].n_streams;
    return skip_crcs(w, n, &ignored);
}

/* `id` is the property that was just read; *out the one after it. */
static enum errc read_substreams(struct walk *w, struct streams *s, uint8_t id, uint8_t *out)
{
    const bool is_there = id == P_SUBSTREAMS;
    enum errc rc = is_there ? read_id(w, &id) : E_OK;
    for (size_t i = 0; i < s->n_folders; i++)
        s->folders[i].n_streams = 1;
    if (rc == E_OK && is_there && id == P_N_STREAMS) {
        rc = read_n_streams(w, s);
        if (rc == E_OK)
            rc = read_id(w, &id);
    }
    if (rc == E_OK)
        rc = count_streams(w, s);
    const bool are_said = is_there && id == P_SIZE;
    if (rc == E_OK)
        rc = read_sizes(w, s, are_said);
    if (rc == E_OK && are_said)
        rc = read_id(w, &id);
    if (rc == E_OK && is_there && id == P_CRC) {
        rc = skip_file_crcs(w, s);
        if (rc == E_OK)
            rc = read_id(w, &id);
    }
    if (rc == E_OK && is_there && id != P_END)
        return broken(w, "an unknown property of files' bytes");
    return rc == E_OK && is_there ? read_id(w, out) : (*out = id, rc);
}

static enum errc read_streams(struct walk *w, struct streams *s)
{
    size_t n_packed = 0;
    uint8_t id = P_END;
    enum errc rc = read_id(w, &id);
    if (rc == E_OK && id == P_PACK_INFO) {
        rc = read_pack_info(w, s, &n_packed);
        if (rc == E_OK)
            rc = read_id(w, &id);
    }
    if (rc == E_OK && id == P_UNPACK_INFO) {
        rc = read_unpack_info(w, s);
        if (rc == E_OK)
            rc = read_id(w, &id);
    }
    if (rc == E_OK && n_packed != s->n_folders)
        return broken(w, "as many packed streams as folders there must be, and are not");
    if (rc == E_OK)
        rc = read_substreams(w, s, id, &id);
    return rc == E_OK && id != P_END ? broken(w, "an unknown property of streams") : rc;
}

/* --- files */

struct files {
    size_t n, n_empty;
    struct flags empty, with_attributes;
    struct span attributes;
    bool has_empty, has_names, has_attributes;
};

static enum errc check_names(struct walk *w, struct span body, size_t n)
{
    size_t ends = 0;
    if (body.len == 0 || body.ptr[0] != 0)
        return broken(w, "names that stand elsewhere");
    body = span_sub(body, 1, body.len);
    for (size_t i = 0; i + 1 < body.len; i += 2)
        ends += body.ptr[i] == 0 && body.ptr[i + 1] == 0;
    if (body.len % 2 != 0 || ends != n || (n > 0 && get_u16le(body.ptr + body.len - 2) != 0) ||
        (n == 0 && body.len > 0))
        return broken(w, "not as many names as files");
    return E_OK;
}

static enum errc read_attributes(struct walk *w, struct walk *inner, struct files *f)
{
    enum errc rc = read_flags(inner, f->n, true, &f->with_attributes);
    if (rc == E_OK)
        rc = expect(inner, 0, "attributes that stand elsewhere");
    f->attributes = inner->r.rest;
    f->has_attributes = true;
    if (rc == E_OK && f->attributes.len != 4 * flags_set(&f->with_attributes, f->n))
        return broken(w, "not as many attributes as files");
    return rc;
}

static enum errc read_file_property(struct walk *w, uint8_t id, struct span body, struct files *f)
{
    struct walk inner = { reader_of(body, w->r.at - body.len), w->limits, w->err };
    struct flags flags;
    enum errc rc = E_OK;
    switch (id) {
    case P_EMPTY_STREAM:
        rc = f->has_empty ? broken(w, "empty files named twice")
                          : read_flags(&inner, f->n, false, &f->empty);
        f->has_empty = true;
        f->n_empty = rc == E_OK ? flags_set(&f->empty, f->n) : 0;
        return rc;
    case P_EMPTY_FILE: return read_flags(&inner, f->n_empty, false, &flags);
    case P_ANTI:
        rc = read_flags(&inner, f->n_empty, false, &flags);
        return rc == E_OK && flags_set(&flags, f->n_empty) > 0
                   ? broken(w, "files that are to be deleted")
                   : rc;
    case P_NAMES:
        rc = f->has_names ? broken(w, "names that stand twice") : check_names(w, body, f->n);
        f->has_names = true;
        return rc;
    case P_ATTRIBUTES:
        return f->has_attributes ? broken(w, "attributes that stand twice")
                                 : read_attributes(w, &inner, f);
    case P_CREATED:
    case P_ACCESSED:
    case P_WRITTEN:
        rc = read_flags(&inner, f->n, true, &flags);
        if (rc == E_OK)
            rc = expect(&inner, 0, "times that stand elsewhere");
        return rc == E_OK && inner.r.rest.len != 8 * flags_set(&flags, f->n)
                   ? broken(w, "not as many times as files")
                   : rc;
    case P_DUMMY: return span_is_filled(body, 0) ? E_OK : broken(w, "a filling that is none");
    default: return broken(w, "an unknown property of files");
    }
}

/* libarchive reads a link's target into memory, before anybody judges it. */
static enum errc check_links(struct walk *w, const struct files *f, const struct streams *s)
{
    size_t stream = 0, attribute = 0;
    for (size_t i = 0; i < f->n; i++) {
        const bool is_empty = f->has_empty && flag_is_set(&f->empty, i);
        uint32_t mode = 0;
        if (f->has_attributes && flag_is_set(&f->with_attributes, i))
            mode = get_u32le(f->attributes.ptr + 4 * attribute++) >> 16;
        if ((mode & MODE_KIND) == MODE_LINK && !is_empty && s->sizes[stream] > UNPACK_7Z_TARGET_MAX)
            return err_set(w->err, E_MALFORMED,
                           "7z: entry %zu: a link's target of %" PRIu64 " bytes; the limit is %u",
                           i + 1, s->sizes[stream], UNPACK_7Z_TARGET_MAX);
        stream += !is_empty;
    }
    return E_OK;
}

static enum errc read_files(struct walk *w, const struct streams *s, size_t *out_n)
{
    struct files f = { .n = 0 };
    enum errc rc = read_count(w, &f.n);
    while (rc == E_OK) {
        uint8_t id = P_END;
        uint64_t len = 0;
        struct span body = span_of(NULL, 0);
        rc = read_id(w, &id);
        if (rc != E_OK || id == P_END)
            break;
        rc = read_number(w, &len);
        if (rc == E_OK && (len > w->r.rest.len || !reader_take(&w->r, (size_t)len, &body)))
            rc = ends_early(w);
        if (rc == E_OK)
            rc = read_file_property(w, id, body, &f);
    }
    if (rc == E_OK && f.n > 0 && !f.has_names)
        rc = broken(w, "files without names");
    if (rc == E_OK && f.n - f.n_empty != s->n)
        rc = broken(w, "not as many files with bytes as there are streams");
    if (rc == E_OK)
        rc = check_links(w, &f, s);
    *out_n = f.n;
    return rc;
}

/* --- the directory, plain */

static enum errc read_plain(struct walk *w, uint64_t packed_end, size_t *out_n)
{
    struct streams s = { .len = 0 };
    uint8_t id = P_END;
    uint64_t end = 0;
    enum errc rc = read_id(w, &id);
    *out_n = 0;
    if (rc == E_OK && id == P_MAIN_STREAMS) {
        rc = read_streams(w, &s);
        if (rc == E_OK)
            rc = read_id(w, &id);
    }
    if (rc == E_OK && (s.at != 0 || !num_add(s.at, s.len, &end) || end != packed_end))
        rc = broken(w, "packed bytes that no stream has, or streams without bytes");
    if (rc == E_OK && id == P_FILES) {
        rc = read_files(w, &s, out_n);
        if (rc == E_OK)
            rc = read_id(w, &id);
    } else if (rc == E_OK && s.n > 0) {
        rc = broken(w, "streams without files");
    }
    if (rc == E_OK && (id != P_END || !reader_is_done(&w->r)))
        rc = broken(w, "something that is not read here");
    streams_fini(&s);
    return rc;
}

/* --- the directory, packed */

static enum errc unpack_directory(struct source *src, const struct streams *s, struct buf *out,
                                  struct err *err)
{
    const struct folder *f = &s->folders[0];
    struct buf packed;
    uint8_t *room;
    buf_init(&packed, UNPACK_7Z_DIRECTORY_MAX);
    enum errc rc = buf_reserve(&packed, (size_t)s->len, &room, err);
    if (rc == E_OK)
        rc = source_read_at(src, SIGNATURE_LEN + s->at, room, (size_t)s->len, err);
    if (rc == E_OK) {
        packed.len = (size_t)s->len;
        rc = f->is_copy ? buf_add(out, buf_span(&packed), err)
                        : unpack_stream_lzma(f->properties.ptr, buf_span(&packed),
                                             (size_t)f->unpacked, out, err);
    }
    buf_fini(&packed);
    return rc == E_OK ? rc : err_prefix(err, "7z: its packed directory: ");
}

/* One folder, of one coder, right before what speaks of it. */
static enum errc check_directory(struct walk *w, const struct streams *s, uint64_t next_at)
{
    uint64_t end;
    if (s->n_folders != 1 || s->n != 1 || s->folders[0].n_coders != 1 ||
        !(s->folders[0].is_lzma || s->folders[0].is_copy))
        return refuse_coder(w, "another directory than 7-Zip's (LZMA)");
    if (!num_add(s->at, s->len, &end) || end != next_at)
        return broken(w, "does not lie right before its end");
    if (s->len > UNPACK_7Z_DIRECTORY_MAX || s->folders[0].unpacked > UNPACK_7Z_DIRECTORY_MAX)
        return err_set(w->err, E_LIMIT, "7z: a directory of %" PRIu64 " bytes; the limit is %u",
                       s->len > s->folders[0].unpacked ? s->len : s->folders[0].unpacked,
                       UNPACK_7Z_DIRECTORY_MAX);
    if (s->folders[0].is_copy && s->folders[0].unpacked != s->len)
        return broken(w, "a stored directory of two sizes");
    return E_OK;
}

static enum errc read_packed(struct source *src, struct walk *w, uint64_t next_at, size_t *out_n)
{
    struct streams s = { .len = 0 };
    struct buf plain;
    buf_init(&plain, UNPACK_7Z_DIRECTORY_MAX + 1);
    enum errc rc = read_streams(w, &s);
    if (rc == E_OK && !reader_is_done(&w->r))
        rc = broken(w, "something that is not read here");
    if (rc == E_OK)
        rc = check_directory(w, &s, next_at);
    if (rc == E_OK)
        rc = unpack_directory(src, &s, &plain, w->err);
    if (rc == E_OK) {
        struct walk inner = { reader_of(buf_span(&plain), 0), w->limits, w->err };
        rc = expect(&inner, P_HEADER, "is packed twice, or is none");
        if (rc == E_OK)
            rc = read_plain(&inner, s.at, out_n);
    }
    buf_fini(&plain);
    streams_fini(&s);
    return rc;
}

/* --- the file */

static enum errc check_place(const struct source *src, const uint8_t head[SIGNATURE_LEN],
                             struct err *err)
{
    uint64_t end;
    if (head[6] != 0)
        return err_set(err, E_UNSUPPORTED, "7z: version %u of the format", head[6]);
    if (!num_add(get_u64le(head + 12), get_u64le(head + 20), &end) ||
        !num_add(end, SIGNATURE_LEN, &end) || end > src->size)
        return err_set(err, E_TRUNCATED, "7z: the file ends before its directory");
    if (end < src->size)
        return err_set(err, E_MALFORMED, "7z: %" PRIu64 " bytes follow the end", src->size - end);
    if (get_u64le(head + 20) > UNPACK_7Z_DIRECTORY_MAX)
        return err_set(err, E_LIMIT, "7z: a directory of %" PRIu64 " bytes; the limit is %u",
                       get_u64le(head + 20), UNPACK_7Z_DIRECTORY_MAX);
    return E_OK;
}

static enum errc read_directory(struct source *src, const struct unpack_limits *limits,
                                struct span directory, uint64_t next_at, size_t *out_n,
                                struct err *err)
{
    struct walk w = { reader_of(directory, SIGNATURE_LEN + next_at), limits, err };
    uint8_t id = P_END;
    if (!reader_u8(&w.r, &id)) /* an archive of nothing has none */
        return next_at == 0 ? E_OK : broken(&w, "is none, and there are packed bytes");
    if (id == P_HEADER)
        return read_plain(&w, next_at, out_n);
    if (id == P_ENCODED_HEADER)
        return read_packed(src, &w, next_at, out_n);
    return broken(&w, "is none");
}

enum errc unpack_7z_check(struct source *src, const struct unpack_limits *limits, uint32_t *out_n,
                          struct err *err)
{
    uint8_t head[SIGNATURE_LEN], *room;
    struct buf directory;
    size_t n = 0;
    enum errc rc = source_read_at(src, 0, head, sizeof(head), err);
    if (rc != E_OK)
        return err_prefix(err, "7z: its first header: ");
    rc = check_place(src, head, err);
    if (rc != E_OK)
        return rc;
    const uint64_t next_at = get_u64le(head + 12);
    const size_t len = (size_t)get_u64le(head + 20);
    buf_init(&directory, UNPACK_7Z_DIRECTORY_MAX + 1);
    rc = buf_reserve(&directory, len + 1, &room, err);
    if (rc == E_OK)
        rc = source_read_at(src, SIGNATURE_LEN + next_at, room, len, err);
    if (rc == E_OK)
        rc = read_directory(src, limits, span_of(room, len), next_at, &n, err);
    buf_fini(&directory);
    *out_n = (uint32_t)n;
    return rc;
}
