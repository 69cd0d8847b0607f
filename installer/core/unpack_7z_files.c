/* The list of files of a 7z, see unpack_7z.h:
 *
 *   number of files   [mark, length, value]...   00
 *
 * What libarchive 3.6.2 and the format read in two ways is refused: attributes of some files alone
 * (their bits stand before the byte that says where they are, or behind it), and what says that a
 * file is a folder in one place and not in another. */

#include <inttypes.h>
#include <stdlib.h>

#include "installer/core/unpack_7z_private.h"
#include "manifest/path.h"
#include "platform/base/text.h"

#define DUMMY_MAX 4096 /* it aligns what follows; libarchive has it in memory at once */
#define NAME_MIN 4     /* bytes: a letter and its end */
#define NAME_SHOWN 100

enum attribute {
    ATTRIBUTE_READ_ONLY = 0x1,
    ATTRIBUTE_FOLDER = 0x10,
    ATTRIBUTE_REPARSE_POINT = 0x400,
    ATTRIBUTE_UNIX = 0x8000, /* then the high half is a mode */
};

/* The properties, as they lie in the directory. */
struct properties {
    uint32_t n; /* files */
    uint32_t seen;
    struct span empty;       /* bits of the files: it has no bytes */
    struct span empty_files; /* bits of these: it is a file all the same, and no folder */
    uint64_t n_empty;
    struct span names;
    struct span attributes; /* four bytes each, or none of any */
};

static enum errc take_empty(struct reader *r, struct properties *p, struct err *err)
{
    enum errc rc = unpack_7z_take_bits(r, p->n, &p->empty, err);
    if (rc == E_OK)
        p->n_empty = unpack_7z_count(p->empty, p->n);
    return rc;
}

static enum errc take_empty_files(struct reader *r, struct properties *p, struct err *err)
{
    if (p->n_empty == 0)
        return err_set(err, E_MALFORMED,
                       "7z: says which empty entries are files before it says which are empty");
    return unpack_7z_take_bits(r, p->n_empty, &p->empty_files, err);
}

static enum errc take_anti(struct reader *r, const struct properties *p, struct err *err)
{
    struct span anti;
    enum errc rc = unpack_7z_take_bits(r, p->n_empty, &anti, err);
    if (rc == E_OK && !span_is_filled(anti, 0))
        return err_set(err, E_MALFORMED, "7z: an entry that deletes a file");
    return rc;
}

static enum errc take_names(struct reader *r, struct properties *p, struct err *err)
{
    enum errc rc = unpack_7z_take_external(r, "names", err);
    return rc == E_OK ? unpack_7z_take_bytes(r, r->rest.len, &p->names, err) : rc;
}

static enum errc pass_times(struct reader *r, const struct properties *p, struct err *err)
{
    struct span bits, times;
    uint64_t n;
    enum errc rc = unpack_7z_take_defined(r, p->n, &bits, &n, err);
    if (rc == E_OK)
        rc = unpack_7z_take_external(r, "times", err);
    return rc == E_OK ? unpack_7z_take_bytes(r, n * 8, &times, err) : rc;
}

static enum errc take_attributes(struct reader *r, struct properties *p, struct err *err)
{
    uint8_t all = 0;
    enum errc rc = unpack_7z_take_byte(r, &all, err);
    if (rc == E_OK && all != 1)
        return err_set(err, E_UNSUPPORTED,
                       "7z: attributes of some entries alone, which programs read in two ways");
    if (rc == E_OK)
        rc = unpack_7z_take_external(r, "attributes", err);
    return rc == E_OK ? unpack_7z_take_bytes(r, UINT64_C(4) * p->n, &p->attributes, err) : rc;
}

static enum errc pass_dummy(struct reader *r, struct err *err)
{
    struct span zeros;
    if (r->rest.len > DUMMY_MAX)
        return err_set(err, E_LIMIT, "7z: %zu bytes that mean nothing, the limit is %d",
                       r->rest.len, DUMMY_MAX);
    enum errc rc = unpack_7z_take_bytes(r, r->rest.len, &zeros, err);
    if (rc == E_OK && !span_is_filled(zeros, 0))
        return err_set(err, E_MALFORMED, "7z: bytes where zeros fill up the directory");
    return rc;
}

static enum errc take_value(uint8_t mark, struct reader *r, struct properties *p, struct err *err)
{
    switch (mark) {
    case MARK_EMPTY_STREAM: return take_empty(r, p, err);
    case MARK_EMPTY_FILE: return take_empty_files(r, p, err);
    case MARK_ANTI: return take_anti(r, p, err);
    case MARK_NAMES: return take_names(r, p, err);
    case MARK_CREATED:
    case MARK_ACCESSED:
    case MARK_WRITTEN: return pass_times(r, p, err);
    case MARK_ATTRIBUTES: return take_attributes(r, p, err);
    case MARK_DUMMY: return pass_dummy(r, err);
    default: break;
    }
    return err_set(err, E_UNSUPPORTED, "7z: a property of files that is not read, 0x%02x", mark);
}

static enum errc take_property(uint8_t mark, struct reader *r, struct properties *p,
                               struct err *err)
{
    uint64_t len = 0;
    struct span value;
    enum errc rc = unpack_7z_take_number(r, &len, err);
    if (rc == E_OK)
        rc = unpack_7z_take_bytes(r, len, &value, err);
    if (rc != E_OK)
        return rc;
    if (mark < 32 && mark != MARK_DUMMY && (p->seen & (UINT32_C(1) << mark)) != 0)
        return err_set(err, E_MALFORMED, "7z: a property of files twice, 0x%02x", mark);
    if (mark < 32)
        p->seen |= UINT32_C(1) << mark;
    struct reader of_value = reader_of(value, r->at - len);
    rc = take_value(mark, &of_value, p, err);
    if (rc == E_OK && !reader_is_done(&of_value))
        return err_set(err, E_MALFORMED,
                       "7z: %zu bytes too many in a property of files, 0x%02x, before byte %" PRIu64
                       " of the directory",
                       of_value.rest.len, mark, r->at);
    return rc;
}

static enum errc take_n(struct reader *r, const struct unpack_limits *limits, uint32_t *out,
                        struct err *err)
{
    uint64_t n = 0;
    enum errc rc = unpack_7z_take_number(r, &n, err);
    if (rc != E_OK)
        return rc;
    if (n > limits->n_entries)
        return err_set(err, E_LIMIT, "7z: %" PRIu64 " entries, the limit is %" PRIu32, n,
                       limits->n_entries);
    if (n == 0)
        return err_set(err, E_MALFORMED, "7z: a directory of no entries");
    if (n > r->rest.len / NAME_MIN)
        return err_set(err, E_MALFORMED,
                       "7z: %" PRIu64 " entries, more than the directory has room to name", n);
    *out = (uint32_t)n;
    return E_OK;
}

static enum errc take_properties(struct reader *r, const struct unpack_limits *limits,
                                 struct properties *p, struct err *err)
{
    uint8_t mark = MARK_END;
    enum errc rc = take_n(r, limits, &p->n, err);
    if (rc == E_OK)
        rc = unpack_7z_take_byte(r, &mark, err);
    while (rc == E_OK && mark != MARK_END) {
        rc = take_property(mark, r, p, err);
        if (rc == E_OK)
            rc = unpack_7z_take_byte(r, &mark, err);
    }
    if (rc == E_OK && p->names.len == 0)
        return err_set(err, E_MALFORMED, "7z: a directory without names");
    return rc;
}

/* --- one entry */

/* What the walk over the entries has used up. */
struct walk {
    const struct properties *p;
    const struct unpack_7z_streams *streams;
    struct reader names;
    uint32_t name_at;
    uint64_t next_empty;
    uint32_t next_size;
};

static enum errc check_unit(uint16_t unit, struct err *err)
{
    if (unit >= 0x80)
        return err_set(err, E_MALFORMED,
                       "7z: an entry whose name is not ASCII, which is not read here: pack a tar "
                       "or a zip");
    return E_OK;
}

/* The name's letters, of two bytes each, up to a zero. */
static enum errc take_name(struct walk *w, char *names, struct unpack_7z_item *item,
                           struct err *err)
{
    size_t len = 0;
    for (uint16_t unit = 1; unit != 0;) {
        if (!reader_u16le(&w->names, &unit))
            return err_set(err, E_MALFORMED, "7z: fewer names than its %" PRIu32 " entries",
                           w->p->n);
        enum errc rc = check_unit(unit, err);
        if (rc != E_OK)
            return rc;
        if (len > PATH_TREE_MAX)
            return err_set(err, E_LIMIT, "7z: a name of more than %d letters, which is the limit",
                           PATH_TREE_MAX);
        if (unit != 0)
            names[w->name_at + len++] = (char)unit;
    }
    if (len == 0)
        return err_set(err, E_MALFORMED, "7z: an entry whose name is empty");
    item->name_at = w->name_at;
    item->name_len = (uint16_t)len;
    w->name_at += (uint32_t)len;
    return E_OK;
}

static enum errc check_attributes(uint32_t a, bool is_folder, struct err *err)
{
    if (((a & ATTRIBUTE_FOLDER) != 0) != is_folder)
        return err_set(err, E_MALFORMED,
                       "7z: a folder by its attributes or by its stream, and not by both");
    if ((a & ATTRIBUTE_UNIX) == 0 && a >> 16 != 0)
        return err_set(err, E_MALFORMED,
                       "7z: a mode that is not marked as one, attributes 0x%08" PRIx32, a);
    if ((a & ATTRIBUTE_UNIX) == 0 && (a & ATTRIBUTE_REPARSE_POINT) != 0)
        return err_set(err, E_UNSUPPORTED, "7z: a link of Windows, which is not unpacked");
    return E_OK;
}

/* Most archives have no modes, and what is made up for these does not let others write; as little
 * do those of the rest. */
static void set_mode(uint32_t a, bool is_folder, struct unpack_7z_item *item)
{
    unsigned mode = a >> 16;
    item->kind = (uint8_t)(mode == 0 ? (is_folder ? UNPACK_FOLDER : UNPACK_FILE)
                                     : unpack_entry_kind_of_mode(mode));
    if (mode == 0)
        mode = is_folder ? 0777 : 0666;
    if ((a & ATTRIBUTE_READ_ONLY) != 0)
        mode &= ~0222U;
    item->mode = mode & 07755;
}

static enum errc check_kind(const struct unpack_7z_item *item, bool is_empty, bool is_folder,
                            struct err *err)
{
    if ((item->kind == UNPACK_FOLDER) != is_folder)
        return err_set(err, E_MALFORMED,
                       "7z: a folder by its mode or by its stream, and not by both");
    if (item->kind == UNPACK_LINK && is_empty)
        return err_set(err, E_MALFORMED, "7z: a symbolic link without a target");
    if (item->kind == UNPACK_LINK && item->size > PATH_TREE_MAX)
        return err_set(err, E_LIMIT, "7z: a symbolic link with a target of %" PRIu64 " bytes",
                       item->size);
    return E_OK;
}

static enum errc take_size(struct walk *w, struct unpack_7z_item *item, struct err *err)
{
    if (w->next_size == w->streams->n_sizes)
        return err_set(err, E_MALFORMED,
                       "7z: more files with bytes than the %" PRIu32 " in its folders",
                       w->streams->n_sizes);
    item->size = w->streams->sizes[w->next_size++];
    return E_OK;
}

static enum errc read_item(struct walk *w, uint32_t i, struct unpack_7z_item *item, struct err *err)
{
    const struct properties *p = w->p;
    bool is_empty = unpack_7z_bit(p->empty, i);
    bool is_folder = is_empty && !unpack_7z_bit(p->empty_files, w->next_empty);
    bool has_attributes = p->attributes.len > 0;
    uint32_t a = has_attributes ? get_u32le(p->attributes.ptr + 4 * (size_t)i) : 0;
    enum errc rc = is_empty ? E_OK : take_size(w, item, err);
    w->next_empty += is_empty;
    if (rc == E_OK && has_attributes)
        rc = check_attributes(a, is_folder, err);
    if (rc != E_OK)
        return rc;
    set_mode(a, is_folder, item);
    return check_kind(item, is_empty, is_folder, err);
}

static enum errc read_items(struct walk *w, struct unpack_7z *z, struct err *err)
{
    char shown[NAME_SHOWN];
    for (uint32_t i = 0; i < w->p->n; i++) {
        struct unpack_7z_item *item = &z->items[i];
        enum errc rc = take_name(w, z->names, item, err);
        if (rc != E_OK)
            return rc;
        rc = read_item(w, i, item, err);
        if (rc != E_OK)
            return err_prefix(err, "entry \"%s\": ",
                              text_printable(span_of(z->names + item->name_at, item->name_len),
                                             shown, sizeof(shown)));
        z->n++;
    }
    if (!reader_is_done(&w->names))
        return err_set(err, E_MALFORMED, "7z: more names than its %" PRIu32 " entries", w->p->n);
    if (w->next_size != w->streams->n_sizes)
        return err_set(err, E_MALFORMED,
                       "7z: fewer files with bytes than the %" PRIu32 " in its folders",
                       w->streams->n_sizes);
    return E_OK;
}

enum errc unpack_7z_files_read(struct reader *r, const struct unpack_limits *limits,
                               const struct unpack_7z_streams *streams, struct unpack_7z *z,
                               struct err *err)
{
    struct properties p = { .n = 0 };
    enum errc rc = take_properties(r, limits, &p, err);
    if (rc != E_OK)
        return rc;
    z->items = calloc(p.n, sizeof(*z->items));
    z->names = malloc(p.names.len / 2 + 1);
    if (z->items == NULL || z->names == NULL)
        return err_nomem(err);
    struct walk w = { .p = &p, .streams = streams, .names = reader_of(p.names, 0) };
    return read_items(&w, z, err);
}
