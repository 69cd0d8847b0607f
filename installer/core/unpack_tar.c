#include "installer/core/unpack_tar.h"

#include <inttypes.h>
#include <string.h>

#include "platform/base/num.h"
#include "platform/base/reader.h"
#include "platform/base/text.h"

#define NAME_LEN 100
#define PREFIX_AT 345
#define PREFIX_LEN 155
#define SPARSE_MORE_AT 482     /* in the header: does another block of the map follow */
#define SPARSE_MORE_IN_MAP 504 /* the same in such a block */
#define SPARSE_BLOCKS_MAX 4096
#define GNU_EXTRA_AT                                                                               \
    369 /* offset, long names, sparse map, real size: only sparse files have them */
#define GNU_EXTRA_LEN (495 - GNU_EXTRA_AT)
#define EXTENSIONS_MAX 4 /* g, x or L and K, before a header */

/* What came before the header proper. A span with ptr NULL is not there. */
struct extension {
    struct span path, target, sparse_name;
    uint64_t size, sparse_size;
    bool has_size, has_sparse_size, has_major, has_minor;
    uint32_t seen; /* bits of `keys`, each at most once */
    bool has_records, has_long_name, has_long_target;
};

enum key_use {
    KEY_IGNORED,
    KEY_PATH,
    KEY_TARGET,
    KEY_SIZE,
    KEY_CHARSET,
    KEY_SPARSE_MAJOR,
    KEY_SPARSE_MINOR,
    KEY_SPARSE_NAME,
    KEY_SPARSE_SIZE,
};

/* The pax keywords that may stand in an archive. What is ignored says when, by whom and on which
 * disk the file was, none of which is unpacked. */
static const struct {
    const char *name;
    enum key_use use;
} keys[] = {
    { "path", KEY_PATH },
    { "linkpath", KEY_TARGET },
    { "size", KEY_SIZE },
    { "hdrcharset", KEY_CHARSET },
    { "mtime", KEY_IGNORED },
    { "atime", KEY_IGNORED },
    { "ctime", KEY_IGNORED },
    { "uid", KEY_IGNORED },
    { "gid", KEY_IGNORED },
    { "uname", KEY_IGNORED },
    { "gname", KEY_IGNORED },
    { "comment", KEY_IGNORED },
    { "LIBARCHIVE.creationtime", KEY_IGNORED },
    { "SCHILY.dev", KEY_IGNORED },
    { "SCHILY.ino", KEY_IGNORED },
    { "SCHILY.nlink", KEY_IGNORED },
    { "GNU.sparse.major", KEY_SPARSE_MAJOR },
    { "GNU.sparse.minor", KEY_SPARSE_MINOR },
    { "GNU.sparse.name", KEY_SPARSE_NAME },
    { "GNU.sparse.realsize", KEY_SPARSE_SIZE },
};

static bool is_digit(uint8_t c, unsigned base)
{
    return c >= '0' && c < '0' + base;
}

/* read_number takes all of `text` as digits. */
static bool read_number(struct span text, unsigned base, uint64_t *out)
{
    uint64_t value = 0;
    for (size_t i = 0; i < text.len; i++)
        if (!is_digit(text.ptr[i], base) || !num_mul(value, base, &value) ||
            !num_add(value, (uint64_t)(text.ptr[i] - '0'), &value))
            return false;
    *out = value;
    return text.len > 0;
}

/* A number in a header: octal digits, spaces before and spaces or NULs after; or, as GNU has it, a
 * byte 0x80 and a binary number. */
static enum errc read_field(struct span field, const char *what, uint64_t *out, struct err *err)
{
    uint64_t value = 0;
    if (field.ptr[0] == 0x80) {
        for (size_t i = 1; i < field.len; i++) {
            if (value >> 55 != 0)
                return err_set(err, E_MALFORMED, "tar: the %s is too large for any file", what);
            value = value << 8 | field.ptr[i];
        }
        *out = value;
        return E_OK;
    }
    while (field.len > 0 && field.ptr[0] == ' ')
        field = span_sub(field, 1, field.len);
    while (field.len > 0 && (field.ptr[field.len - 1] == ' ' || field.ptr[field.len - 1] == 0))
        field.len--;
    if (!read_number(field, 8, out))
        return err_set(err, E_MALFORMED, "tar: the %s is no number", what);
    return E_OK;
}

/* A name in a field: up to its first NUL, and nothing but NULs after that. */
static enum errc read_name(struct span field, struct span *out, struct err *err)
{
    const uint8_t *nul = field.len == 0 ? NULL : memchr(field.ptr, 0, field.len);
    size_t len = nul == NULL ? field.len : (size_t)(nul - field.ptr);
    if (!span_is_filled(span_sub(field, len, field.len), 0))
        return err_set(err, E_MALFORMED, "tar: bytes after the end of a name, which hide there");
    *out = span_sub(field, 0, len);
    return E_OK;
}

static enum errc check_checksum(struct span header, struct err *err)
{
    uint64_t told, sum = 0;
    enum errc rc = read_field(span_sub(header, 148, 8), "checksum", &told, err);
    if (rc != E_OK)
        return rc;
    for (size_t i = 0; i < header.len; i++)
        sum += i >= 148 && i < 156 ? ' ' : header.ptr[i];
    if (sum != told)
        return err_set(err, E_MALFORMED, "tar: a header's checksum does not match");
    return E_OK;
}

static bool is_gnu(struct span header)
{
    return memcmp(header.ptr + 257, "ustar  ", 8) == 0;
}

static enum errc check_magic(struct span header, struct err *err)
{
    if (span_is_filled(header, 0))
        return err_set(err, E_MALFORMED, "tar: more follows the end mark (blocks of zeros)");
    if (!is_gnu(header) && memcmp(header.ptr + 257,
                                  "ustar\0"
                                  "00",
                                  8) != 0)
        return err_set(err, E_MALFORMED, "tar: a header that is neither ustar's nor GNU's");
    return check_checksum(header, err);
}

/* --- pax records: "LENGTH KEY=VALUE\n" */

static bool take_record(struct reader *r, struct span *out_key, struct span *out_value)
{
    uint64_t len;
    const uint8_t *space = memchr(r->rest.ptr, ' ', r->rest.len);
    size_t digits = space == NULL ? 0 : (size_t)(space - r->rest.ptr);
    struct span record;
    if (digits == 0 || digits > 7 || !read_number(span_sub(r->rest, 0, digits), 10, &len) ||
        len < digits + 2 || !reader_take(r, (size_t)len, &record) ||
        record.ptr[record.len - 1] != '\n')
        return false;
    struct span text = span_sub(record, digits + 1, record.len - digits - 2);
    const uint8_t *equals = text.len == 0 ? NULL : memchr(text.ptr, '=', text.len);
    if (equals == NULL)
        return false;
    size_t key_len = (size_t)(equals - text.ptr);
    *out_key = span_sub(text, 0, key_len);
    *out_value = span_sub(text, key_len + 1, text.len);
    return true;
}

static enum errc read_value(struct span value, const char *what, uint64_t *out, struct err *err)
{
    if (!read_number(value, 10, out) || *out > INT64_MAX)
        return err_set(err, E_MALFORMED, "tar: pax %s is no number that a file can have", what);
    return E_OK;
}

static enum errc expect_version(struct span value, const char *wanted, struct err *err)
{
    if (!span_equal_text(value, wanted))
        return err_set(err, E_UNSUPPORTED, "tar: a sparse file of another version than 1.0");
    return E_OK;
}

/* An empty value would take a record back, which some readers do and others do not. */
static enum errc use_text(struct span value, struct span *out, struct err *err)
{
    if (value.len == 0)
        return err_set(err, E_MALFORMED, "tar: a pax record with an empty name");
    *out = value;
    return E_OK;
}

static enum errc use_record(struct extension *x, size_t key, struct span value, struct err *err)
{
    switch (keys[key].use) {
    case KEY_IGNORED: return E_OK;
    case KEY_PATH: return use_text(value, &x->path, err);
    case KEY_TARGET: return use_text(value, &x->target, err);
    case KEY_SIZE: x->has_size = true; return read_value(value, "size", &x->size, err);
    case KEY_CHARSET:
        /* Names are taken as the bytes that they are, and must be UTF-8, in either case. */
        if (!span_equal_text(value, "BINARY") && !span_equal_text(value, "ISO-IR 10646 2000 UTF-8"))
            return err_set(err, E_MALFORMED, "tar: pax hdrcharset of no known value");
        return E_OK;
    case KEY_SPARSE_MAJOR: x->has_major = true; return expect_version(value, "1", err);
    case KEY_SPARSE_MINOR: x->has_minor = true; return expect_version(value, "0", err);
    case KEY_SPARSE_NAME: return use_text(value, &x->sparse_name, err);
    case KEY_SPARSE_SIZE:
        x->has_sparse_size = true;
        return read_value(value, "GNU.sparse.realsize", &x->sparse_size, err);
    }
    return err_set(err, E_INTERNAL, "a pax record of no use");
}

static enum errc add_record(struct extension *x, struct span name, struct span value,
                            struct err *err)
{
    char shown[64];
    size_t i = 0;
    while (i < ARRAY_LEN(keys) && !span_equal_text(name, keys[i].name))
        i++;
    if (i == ARRAY_LEN(keys))
        return err_set(err, E_MALFORMED, "tar: pax record \"%s\", which is not unpacked",
                       text_printable(name, shown, sizeof(shown)));
    if ((x->seen & (1U << i)) != 0)
        return err_set(err, E_MALFORMED, "tar: pax record \"%s\" stands twice", keys[i].name);
    x->seen |= 1U << i;
    return use_record(x, i, value, err);
}

static enum errc read_records(struct span body, struct extension *x, struct err *err)
{
    struct reader r = reader_of(body, 0);
    struct span key, value;
    if (x->has_records)
        return err_set(err, E_MALFORMED, "tar: two pax headers before one entry");
    x->has_records = true;
    while (!reader_is_done(&r)) {
        if (!take_record(&r, &key, &value))
            return err_set(err, E_MALFORMED,
                           "tar: a pax record that is none, at %" PRIu64 " in its header", r.at);
        enum errc rc = add_record(x, key, value, err);
        if (rc != E_OK)
            return rc;
    }
    return E_OK;
}

/* A global header may carry a comment (git archive writes the commit's name there). */
static enum errc check_global(struct span body, struct err *err)
{
    struct reader r = reader_of(body, 0);
    struct span key, value;
    while (!reader_is_done(&r))
        if (!take_record(&r, &key, &value) || !span_equal_text(key, "comment"))
            return err_set(err, E_MALFORMED,
                           "tar: a global pax header with more than a comment: it would alter "
                           "every entry");
    return E_OK;
}

/* GNU's long name or target: text that ends in one NUL or more. */
static enum errc read_long(struct span body, bool *has, struct span *out, struct err *err)
{
    if (*has)
        return err_set(err, E_MALFORMED, "tar: two long names before one entry");
    *has = true;
    return read_name(body, out, err);
}

static enum errc add_extension(uint8_t type, struct span body, struct extension *x, struct err *err)
{
    switch (type) {
    case 'x': return read_records(body, x, err);
    case 'g': return check_global(body, err);
    case 'L': return read_long(body, &x->has_long_name, &x->path, err);
    default: return read_long(body, &x->has_long_target, &x->target, err);
    }
}

/* --- the header proper */

static enum errc kind_of_type(uint8_t type, enum unpack_kind *out, struct err *err)
{
    switch (type) {
    case 0:
    case '0':
    case 'S': *out = UNPACK_FILE; return E_OK;
    case '1': *out = UNPACK_HARDLINK; return E_OK;
    case '2': *out = UNPACK_LINK; return E_OK;
    case '3':
    case '4': *out = UNPACK_DEVICE; return E_OK;
    case '5': *out = UNPACK_FOLDER; return E_OK;
    case '6': *out = UNPACK_FIFO; return E_OK;
    default:
        return err_set(err, E_MALFORMED, "tar: an entry of type 0x%02x, which is not unpacked",
                       type);
    }
}

/* The map of an old GNU sparse file may go on in blocks of its own. */
static enum errc take_map_blocks(struct reader *r, struct span header, struct err *err)
{
    bool more = header.ptr[SPARSE_MORE_AT] != 0;
    for (unsigned n = 0; more; n++) {
        struct span block;
        if (n == SPARSE_BLOCKS_MAX)
            return err_set(err, E_LIMIT, "tar: a sparse file in more than %d pieces",
                           SPARSE_BLOCKS_MAX * 21);
        if (!reader_take(r, UNPACK_TAR_BLOCK, &block))
            return err_set(err, E_TRUNCATED, "tar: a sparse file's map ends early");
        more = block.ptr[SPARSE_MORE_IN_MAP] != 0;
    }
    return E_OK;
}

static enum errc check_gnu_extra(struct span header, struct err *err)
{
    if (is_gnu(header) && !span_is_filled(span_sub(header, GNU_EXTRA_AT, GNU_EXTRA_LEN), 0))
        return err_set(err, E_MALFORMED,
                       "tar: fields of a sparse file, or of another volume, in another's header");
    return E_OK;
}

static enum errc read_sparse(struct reader *r, struct span header, const struct extension *x,
                             uint64_t *size, struct err *err)
{
    bool is_pax = x->has_major || x->has_minor || x->has_sparse_size || x->sparse_name.ptr != NULL;
    if (header.ptr[156] == 'S') {
        if (!is_gnu(header))
            return err_set(err, E_MALFORMED, "tar: GNU's sparse file in another's header");
        if (is_pax)
            return err_set(err, E_MALFORMED, "tar: a file that is sparse in two ways");
        enum errc rc = read_field(span_sub(header, 483, 12), "real size", size, err);
        return rc == E_OK ? take_map_blocks(r, header, err) : rc;
    }
    if (!is_pax)
        return check_gnu_extra(header, err);
    if (!x->has_major || !x->has_minor || !x->has_sparse_size || x->sparse_name.ptr == NULL)
        return err_set(err, E_MALFORMED, "tar: a sparse file without all of its records");
    /* The map is the first of the bytes; libarchive has taken it. */
    *size = x->sparse_size;
    r->rest = span_sub(r->rest, r->rest.len, 0);
    return check_gnu_extra(header, err);
}

/* POSIX's long names are in two fields. */
static enum errc join_path(struct span header, struct buf *scratch, struct span *out,
                           struct err *err)
{
    struct span prefix = { 0 }, name;
    enum errc rc = read_name(span_sub(header, 0, NAME_LEN), &name, err);
    if (rc == E_OK && !is_gnu(header))
        rc = read_name(span_sub(header, PREFIX_AT, PREFIX_LEN), &prefix, err);
    if (rc != E_OK || prefix.len == 0) {
        *out = name;
        return rc;
    }
    buf_clear(scratch);
    rc = buf_add(scratch, prefix, err);
    if (rc == E_OK)
        rc = buf_add_byte(scratch, '/', err);
    if (rc == E_OK)
        rc = buf_add(scratch, name, err);
    *out = buf_span(scratch);
    return rc;
}

static enum errc choose_path(struct span header, const struct extension *x, struct buf *scratch,
                             struct span *out, struct err *err)
{
    enum errc rc = join_path(header, scratch, out, err);
    if (rc == E_OK && x->path.ptr != NULL)
        *out = x->path;
    if (rc == E_OK && x->sparse_name.ptr != NULL)
        *out = x->sparse_name;
    return rc;
}

/* "./" before a name, and the one "/" after a folder's, say nothing. */
static void trim_path(struct unpack_entry *e)
{
    if (span_equal_text(e->path, "."))
        e->path.len = 0;
    if (span_starts_with(e->path, span_text("./")))
        e->path = span_sub(e->path, 2, e->path.len);
    if (e->kind == UNPACK_FOLDER && e->path.len > 0 && e->path.ptr[e->path.len - 1] == '/')
        e->path.len--;
}

static void trim_hard_link(struct unpack_entry *e)
{
    if (e->kind == UNPACK_HARDLINK && span_starts_with(e->target, span_text("./")))
        e->target = span_sub(e->target, 2, e->target.len);
}

static enum errc choose_target(struct span header, const struct extension *x,
                               struct unpack_entry *e, struct err *err)
{
    struct span target;
    enum errc rc = read_name(span_sub(header, 157, NAME_LEN), &target, err);
    if (rc != E_OK)
        return rc;
    if (x->target.ptr != NULL)
        target = x->target;
    if (e->kind != UNPACK_LINK && e->kind != UNPACK_HARDLINK) {
        if (target.len > 0)
            return err_set(err, E_MALFORMED, "tar: a link's target in an entry that is no link");
        return E_OK;
    }
    e->target = target;
    trim_hard_link(e);
    return E_OK;
}

static enum errc read_header(struct reader *r, struct span header, const struct extension *x,
                             struct buf *scratch, struct unpack_entry *out, struct err *err)
{
    struct unpack_entry e = { .kind = UNPACK_NONE };
    uint64_t mode = 0;
    enum errc rc = kind_of_type(header.ptr[156], &e.kind, err);
    if (rc == E_OK)
        rc = read_field(span_sub(header, 100, 8), "mode", &mode, err);
    if (rc == E_OK)
        rc = read_field(span_sub(header, 124, 12), "size", &e.size, err);
    if (rc == E_OK && x->has_size)
        e.size = x->size;
    if (rc == E_OK)
        rc = read_sparse(r, header, x, &e.size, err);
    if (rc == E_OK)
        rc = choose_path(header, x, scratch, &e.path, err);
    if (rc == E_OK)
        rc = choose_target(header, x, &e, err);
    if (rc != E_OK)
        return rc;
    e.mode = (unsigned)(mode & 07777); /* some write the kind there as well */
    trim_path(&e);
    *out = e;
    return E_OK;
}

static bool is_extension(uint8_t type)
{
    return type == 'x' || type == 'g' || type == 'L' || type == 'K';
}

static enum errc take_extension(struct reader *r, struct span header, struct extension *x,
                                struct err *err)
{
    uint64_t size, padded;
    struct span body;
    enum errc rc = read_field(span_sub(header, 124, 12), "size", &size, err);
    if (rc != E_OK)
        return rc;
    if (!num_align(size, UNPACK_TAR_BLOCK, &padded) || padded > r->rest.len ||
        !reader_take(r, (size_t)padded, &body))
        return err_set(err, E_TRUNCATED, "tar: an entry's extension ends early");
    return add_extension(header.ptr[156], span_sub(body, 0, (size_t)size), x, err);
}

static enum errc check_extensions(const struct extension *x, struct err *err)
{
    if (x->has_records && (x->has_long_name || x->has_long_target))
        return err_set(err, E_MALFORMED, "tar: an entry named in two ways, pax's and GNU's");
    return E_OK;
}

enum errc unpack_tar_read(struct span region, struct buf *scratch, struct unpack_entry *out,
                          struct err *err)
{
    struct extension x = { .has_size = false };
    struct reader r = reader_of(region, 0);
    struct span header;
    enum errc rc = E_OK;
    for (unsigned n = 0; rc == E_OK; n++) {
        if (n > EXTENSIONS_MAX)
            return err_set(err, E_MALFORMED, "tar: more than %d extensions before an entry",
                           EXTENSIONS_MAX);
        if (!reader_take(&r, UNPACK_TAR_BLOCK, &header))
            return err_set(err, E_TRUNCATED, "tar: ends inside an entry's headers");
        rc = check_magic(header, err);
        if (rc == E_OK && !is_extension(header.ptr[156]))
            break;
        if (rc == E_OK)
            rc = take_extension(&r, header, &x, err);
    }
    if (rc == E_OK)
        rc = check_extensions(&x, err);
    if (rc == E_OK)
        rc = read_header(&r, header, &x, scratch, out, err);
    if (rc == E_OK && !reader_is_done(&r))
        rc = err_set(err, E_MALFORMED, "tar: an entry's headers that can be read in two ways");
    return rc;
}
