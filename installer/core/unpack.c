#include "installer/core/unpack.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <archive.h>
#include <archive_entry.h>

#include "installer/core/unpack_7z.h"
#include "installer/core/unpack_frame.h"
#include "installer/core/unpack_stream.h"
#include "installer/core/unpack_tar.h"
#include "installer/core/unpack_zip.h"
#include "manifest/path.h"
#include "platform/base/buf.h"
#include "platform/base/num.h"
#include "platform/base/reader.h"
#include "platform/base/text.h"
#include "verify/cab.h"

#define BLOCK_LEN (128U * 1024) /* a multiple of a tar's blocks */
#define HEAD_LEN 512
#define NAME_SHOWN 100

enum form { FORM_TAR, FORM_ZIP, FORM_CAB, FORM_7Z };

struct unpack {
    struct source *src;
    struct unpack_limits limits;
    enum form form;
    bool is_open;
    char format[16];
    struct archive *archive;
    struct archive_entry *archive_entry; /* ours: libarchive does not look whether it got its own */
    struct unpack_entry_judge *judge;
    struct err read_err; /* why a callback failed; libarchive can't carry that */

    /* The entry that was given last; its spans point into `names`. */
    struct unpack_entry entry;
    struct buf names;
    bool is_sparse, is_data_due, had_root;
    uint64_t given; /* bytes of it */

    /* What was last handed to libarchive: `len` bytes that begin at `at`; of a tar in its own
     * numbering, else in the source's. */
    uint8_t block[BLOCK_LEN];
    size_t len;
    uint64_t at;

    /* tar: the bytes of one entry's headers are kept while libarchive reads them. */
    struct unpack_stream *stream;
    bool is_primed, is_in_headers; /* primed: libarchive has not seen the block yet */
    uint64_t headers_at;
    struct buf headers, scratch;

    /* zip, 7z: the entries that its directory has, by our own reading. */
    struct unpack_zip *zip;
    struct unpack_7z *sevenz;
    uint32_t next_listed;
};

/* blame prefers our own reason over libarchive's. */
static enum errc blame(struct unpack *u, struct err *err)
{
    if (u->read_err.code != E_OK)
        return err_set(err, u->read_err.code, "%s", u->read_err.text);
    if (unpack_stream_blame(u->archive, u->is_open ? E_MALFORMED : E_NOMEM, err) == E_NOMEM)
        return E_NOMEM;
    return err_prefix(err, "%s: ", u->format);
}

static la_ssize_t fail_read(struct unpack *u)
{
    archive_set_error(u->archive, EIO, "cannot read");
    return -1;
}

/* --- what libarchive reads: zip, cab and 7z from the source, anywhere in it */

static la_ssize_t read_source(struct archive *a, void *ctx, const void **out)
{
    struct unpack *u = ctx;
    UNUSED(a);
    u->at += u->len;
    u->len = (size_t)num_min(BLOCK_LEN, u->src->size - u->at);
    if (source_read_at(u->src, u->at, u->block, u->len, &u->read_err) != E_OK)
        return fail_read(u);
    *out = u->block;
    return (la_ssize_t)u->len;
}

static la_int64_t seek_source(struct archive *a, void *ctx, la_int64_t offset, int whence)
{
    struct unpack *u = ctx;
    uint64_t from = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? u->at + u->len : u->src->size;
    UNUSED(a);
    if (offset < 0 ? (uint64_t) - (offset + 1) >= from : (uint64_t)offset > u->src->size - from) {
        (void)err_set(&u->read_err, E_MALFORMED, "points outside of the archive");
        return fail_read(u);
    }
    u->at = offset < 0 ? from - (uint64_t)-offset : from + (uint64_t)offset;
    u->len = 0;
    return (la_int64_t)u->at;
}

static la_int64_t skip_source(struct archive *a, void *ctx, la_int64_t request)
{
    struct unpack *u = ctx;
    uint64_t next = u->at + u->len;
    UNUSED(a);
    if (request <= 0 || (uint64_t)request > u->src->size - next)
        return 0; /* it then reads, and finds the end */
    u->at = next + (uint64_t)request;
    u->len = 0;
    return request;
}

/* --- what libarchive reads: a tar from the stream, whose blocks we keep an eye on */

/* A block is about to be replaced while headers are read: what it has of them is kept. */
static enum errc keep_headers(struct unpack *u, struct err *err)
{
    uint64_t from = u->headers_at > u->at ? u->headers_at - u->at : 0;
    enum errc rc =
        buf_add(&u->headers, span_sub(span_of(u->block, u->len), (size_t)from, u->len), err);
    if (rc == E_LIMIT)
        return err_set(err, E_LIMIT, "tar: more than %u bytes of headers before an entry",
                       UNPACK_HEADERS_MAX);
    return rc;
}

static la_ssize_t read_stream(struct archive *a, void *ctx, const void **out)
{
    struct unpack *u = ctx;
    enum errc rc = E_OK;
    UNUSED(a);
    if (u->is_primed) {
        u->is_primed = false;
        *out = u->block;
        return (la_ssize_t)u->len;
    }
    if (u->is_in_headers)
        rc = keep_headers(u, &u->read_err);
    u->at += u->len;
    u->len = 0;
    if (rc == E_OK)
        rc = unpack_stream_read(u->stream, u->block, BLOCK_LEN, &u->len, &u->read_err);
    if (rc != E_OK)
        return fail_read(u);
    *out = u->block;
    return (la_ssize_t)u->len;
}

static uint64_t tar_position(const struct unpack *u)
{
    int64_t at = archive_filter_bytes(u->archive, 0);
    return at < 0 ? 0 : (uint64_t)at;
}

static void begin_headers(struct unpack *u)
{
    buf_clear(&u->headers);
    u->headers_at = tar_position(u);
    u->is_in_headers = true;
}

/* end_headers gives the bytes that libarchive took for the entry's headers: they lie in the block,
 * or begin in what was kept of the blocks before it. */
static enum errc end_headers(struct unpack *u, struct span *out, struct err *err)
{
    uint64_t end = tar_position(u);
    u->is_in_headers = false;
    if (u->headers.len == 0 && u->headers_at >= u->at && end <= u->at + u->len &&
        end >= u->headers_at) {
        *out = span_sub(span_of(u->block, u->len), (size_t)(u->headers_at - u->at),
                        (size_t)(end - u->headers_at));
        return E_OK;
    }
    enum errc rc = keep_headers(u, err);
    if (rc != E_OK)
        return rc;
    if (end < u->headers_at || end - u->headers_at > u->headers.len)
        return err_set(err, E_INTERNAL, "tar: lost the place in the archive");
    *out = span_sub(buf_span(&u->headers), 0, (size_t)(end - u->headers_at));
    return E_OK;
}

/* --- opening */

static enum errc check_cab(struct source *src, struct err *err)
{
    struct cab_header h;
    enum errc rc = cab_read_header(src, &h, err);
    if (rc != E_OK)
        return rc;
    if ((h.flags & (CAB_HAS_PREVIOUS | CAB_HAS_NEXT)) != 0 || h.number != 0)
        return err_set(err, E_MALFORMED, "CAB: is a part of a set of cabinets");
    if (h.size > src->size)
        return err_set(err, E_TRUNCATED, "CAB: ends before its %" PRIu32 " bytes", h.size);
    if (h.size < src->size &&
        !(cab_names_signature(&h) && h.sig_at == h.size && h.sig_size == src->size - h.size))
        return err_set(err, E_MALFORMED, "CAB: %" PRIu64 " bytes follow the end",
                       src->size - h.size);
    return E_OK;
}

static bool is_tar(struct span head)
{
    return head.len == HEAD_LEN && memcmp(head.ptr + 257, "ustar", 5) == 0;
}

static enum errc tell_form(struct span head, enum form *out, struct err *err)
{
    static const uint8_t sevenzip[6] = { '7', 'z', 0xBC, 0xAF, 0x27, 0x1C };
    if (span_starts_with(head, span_text("PK\3\4")) || span_starts_with(head, span_text("PK\5\6")))
        *out = FORM_ZIP;
    else if (span_starts_with(head, span_text("MSCF")))
        *out = FORM_CAB;
    else if (span_starts_with(head, span_of(sevenzip, sizeof(sevenzip))))
        *out = FORM_7Z;
    else if (unpack_frame_wrap_of(head) != UNPACK_PLAIN || is_tar(head))
        *out = FORM_TAR;
    else
        return err_set(err, E_UNSUPPORTED,
                       "is no archive of a kind that is unpacked: tar (plain, "
                       "gzip, xz, zstd), zip, cab, 7z");
    return E_OK;
}

static void name_format(struct unpack *u, struct span head)
{
    static const char *const words[] = { "tar", "zip", "cab", "7z" };
    const char *wrap = u->form == FORM_TAR ? unpack_frame_word(unpack_frame_wrap_of(head)) : "";
    (void)snprintf(u->format, sizeof(u->format), "%s%s%s", words[u->form],
                   wrap[0] == '\0' ? "" : ", ", wrap);
}

static enum errc check_form(struct unpack *u, struct err *err)
{
    switch (u->form) {
    case FORM_TAR: return unpack_stream_open(u->src, &u->limits, &u->stream, err);
    case FORM_ZIP: return unpack_zip_read(u->src, u->limits.n_entries, &u->zip, err);
    case FORM_CAB: return check_cab(u->src, err);
    case FORM_7Z: return unpack_7z_read(u->src, &u->limits, &u->sevenz, err);
    }
    return err_set(err, E_INTERNAL, "an archive of no form");
}

static int add_reader(struct unpack *u)
{
    switch (u->form) {
    case FORM_TAR: return archive_read_support_format_tar(u->archive);
    case FORM_ZIP: return archive_read_support_format_zip_seekable(u->archive);
    case FORM_CAB: return archive_read_support_format_cab(u->archive);
    case FORM_7Z: return archive_read_support_format_7zip(u->archive);
    }
    return ARCHIVE_FATAL;
}

/* The first block of what is inside of the compression, before libarchive sees it. */
static enum errc check_inside(struct unpack *u, struct err *err)
{
    enum errc rc = unpack_stream_read(u->stream, u->block, BLOCK_LEN, &u->len, err);
    if (rc != E_OK)
        return rc;
    u->is_primed = true;
    struct span head = span_sub(span_of(u->block, u->len), 0, HEAD_LEN);
    if (is_tar(head) || (head.len == HEAD_LEN && span_is_filled(head, 0)))
        return E_OK;
    if (unpack_frame_wrap_of(head) != UNPACK_PLAIN)
        return err_set(err, E_MALFORMED, "%s: inside is %s once more; one compression is unpacked",
                       u->format, unpack_frame_word(unpack_frame_wrap_of(head)));
    return err_set(err, E_MALFORMED, "%s: inside is no tar (ustar, pax or GNU)", u->format);
}

static enum errc open_archive(struct unpack *u, struct err *err)
{
    struct archive *a = u->archive = archive_read_new();
    bool is_tar_stream = u->form == FORM_TAR;
    u->archive_entry = archive_entry_new();
    if (a == NULL || u->archive_entry == NULL)
        return err_nomem(err);
    enum errc rc = is_tar_stream ? check_inside(u, err) : E_OK;
    if (rc != E_OK)
        return rc;
    int r = add_reader(u);
    if (r == ARCHIVE_OK)
        r = archive_read_set_read_callback(a, is_tar_stream ? read_stream : read_source);
    if (r == ARCHIVE_OK && !is_tar_stream)
        r = archive_read_set_seek_callback(a, seek_source);
    if (r == ARCHIVE_OK && !is_tar_stream)
        r = archive_read_set_skip_callback(a, skip_source);
    if (r == ARCHIVE_OK)
        r = archive_read_set_callback_data(a, u);
    if (r == ARCHIVE_OK)
        r = archive_read_open1(a);
    if (r != ARCHIVE_OK)
        return blame(u, err);
    u->is_open = true;
    return E_OK;
}

static enum errc open_parts(struct unpack *u, struct err *err)
{
    enum errc rc = check_form(u, err);
    if (rc == E_OK)
        rc = unpack_entry_judge_new(&u->limits, u->src->size, &u->judge, err);
    /* A zip without entries has no header that libarchive could find. */
    if (rc == E_OK && !(u->form == FORM_ZIP && unpack_zip_n(u->zip) == 0))
        rc = open_archive(u, err);
    return rc;
}

enum errc unpack_open(struct source *src, const struct unpack_limits *limits, struct unpack **out,
                      struct err *err)
{
    uint8_t head[HEAD_LEN];
    size_t n = (size_t)num_min(sizeof(head), src->size);
    enum form form;
    enum errc rc = source_read_at(src, 0, head, n, err);
    if (rc == E_OK)
        rc = tell_form(span_of(head, n), &form, err);
    if (rc != E_OK)
        return rc;
    struct unpack *u = calloc(1, sizeof(*u));
    if (u == NULL)
        return err_nomem(err);
    u->src = src;
    u->limits = *limits;
    u->form = form;
    buf_init(&u->headers, UNPACK_HEADERS_MAX);
    buf_init(&u->scratch, HEAD_LEN);
    buf_init(&u->names, 2 * (size_t)PATH_TREE_MAX);
    name_format(u, span_of(head, n));
    rc = open_parts(u, err);
    if (rc == E_OK)
        *out = u;
    else
        unpack_close(u);
    return rc;
}

void unpack_close(struct unpack *u)
{
    if (u == NULL)
        return;
    if (u->archive != NULL)
        (void)archive_read_free(u->archive);
    archive_entry_free(u->archive_entry);
    unpack_stream_close(u->stream);
    unpack_zip_free(u->zip);
    unpack_7z_free(u->sevenz);
    unpack_entry_judge_free(u->judge);
    buf_fini(&u->headers);
    buf_fini(&u->scratch);
    buf_fini(&u->names);
    free(u);
}

const char *unpack_format(const struct unpack *u)
{
    return u->format;
}

/* --- the next entry */

static enum unpack_kind kind_of(struct archive_entry *e)
{
    if (archive_entry_hardlink(e) != NULL)
        return UNPACK_HARDLINK;
    switch (archive_entry_filetype(e)) {
    case AE_IFREG: return UNPACK_FILE;
    case AE_IFDIR: return UNPACK_FOLDER;
    case AE_IFLNK: return UNPACK_LINK;
    case AE_IFCHR:
    case AE_IFBLK: return UNPACK_DEVICE;
    case AE_IFIFO: return UNPACK_FIFO;
    case AE_IFSOCK: return UNPACK_SOCKET;
    default: return UNPACK_NONE;
    }
}

static bool is_ascii(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text >= 0x80)
            return false;
    return true;
}

static struct span text_or_none(const char *text)
{
    return text == NULL ? span_of(NULL, 0) : span_text(text);
}

static enum errc refuse_name(const struct unpack *u, struct err *err)
{
    return err_set(err, E_MALFORMED, "%s: an entry whose name is not ASCII, which is not read here",
                   u->format);
}

/* cab: what libarchive says is all there is. It makes up the modes. */
static enum errc read_plainly(const struct unpack *u, struct archive_entry *e,
                              struct unpack_entry *out, struct err *err)
{
    const char *name = archive_entry_pathname(e);
    if (name == NULL || !is_ascii(name))
        return refuse_name(u, err);
    struct unpack_entry entry = { .kind = kind_of(e),
                                  .path = span_text(name),
                                  .mode = archive_entry_mode(e) & 07755U,
                                  .is_encrypted = archive_entry_is_encrypted(e) != 0 };
    int64_t size = archive_entry_size(e);
    entry.size = size < 0 ? 0 : (uint64_t)size;
    *out = entry;
    return E_OK;
}

/* The second reading decides; libarchive must agree in what decides how it reads the bytes. */
static enum errc agree(struct archive_entry *e, const struct unpack_entry *ours, struct err *err)
{
    char name[NAME_SHOWN];
    int64_t size = archive_entry_size(e);
    if (ours->is_encrypted || ours->kind >= UNPACK_DEVICE)
        return E_OK; /* the judge refuses it in better words */
    if (kind_of(e) != ours->kind || size < 0 || (uint64_t)size != ours->size)
        return err_set(err, E_MALFORMED, "entry \"%s\": can be read in two ways",
                       text_printable(ours->path, name, sizeof(name)));
    return E_OK;
}

static enum errc read_of_tar(struct unpack *u, struct archive_entry *e, struct unpack_entry *out,
                             struct err *err)
{
    struct span region;
    enum errc rc = end_headers(u, &region, err);
    if (rc == E_OK)
        rc = unpack_tar_read(region, &u->scratch, out, err);
    if (rc != E_OK)
        return err_prefix(err, "headers at byte %" PRIu64 " of the ", u->headers_at);
    return agree(e, out, err);
}

/* The target of a link is packed, and so is libarchive's to read; it ends it at a NUL. */
static enum errc read_target(const struct unpack *u, struct archive_entry *e,
                             struct unpack_entry *entry, struct err *err)
{
    char name[NAME_SHOWN];
    entry->target = text_or_none(archive_entry_symlink(e));
    if (entry->target.len != unpack_7z_target_len(u->sevenz, u->next_listed))
        return err_set(err, E_MALFORMED, "entry \"%s\": 7z: a link's target with a NUL in it",
                       text_printable(entry->path, name, sizeof(name)));
    return E_OK;
}

static enum errc agree_in_name(struct archive_entry *e, const struct unpack_entry *ours,
                               struct err *err)
{
    char name[NAME_SHOWN];
    struct span theirs = text_or_none(archive_entry_pathname(e));
    if (ours->kind == UNPACK_FOLDER && theirs.len > 0 && theirs.ptr[theirs.len - 1] == '/')
        theirs.len--;
    if (!span_equal(theirs, ours->path))
        return err_set(err, E_MALFORMED, "entry \"%s\": can be named in two ways",
                       text_printable(ours->path, name, sizeof(name)));
    return E_OK;
}

static enum errc read_of_7z(struct unpack *u, struct archive_entry *e, struct unpack_entry *out,
                            struct err *err)
{
    if (u->next_listed == unpack_7z_n(u->sevenz))
        return err_set(err, E_MALFORMED, "7z: more entries than its directory has");
    struct unpack_entry entry = unpack_7z_entry(u->sevenz, u->next_listed);
    enum errc rc = agree(e, &entry, err);
    if (rc == E_OK)
        rc = agree_in_name(e, &entry, err);
    if (rc == E_OK && entry.kind == UNPACK_LINK)
        rc = read_target(u, e, &entry, err);
    if (rc != E_OK)
        return rc;
    u->next_listed++;
    *out = entry;
    return E_OK;
}

static enum errc read_of_zip(struct unpack *u, struct archive_entry *e, struct unpack_entry *out,
                             struct err *err)
{
    if (u->next_listed == unpack_zip_n(u->zip))
        return err_set(err, E_MALFORMED, "zip: more entries than its directory has");
    *out = unpack_zip_entry(u->zip, u->next_listed++);
    return agree(e, out, err);
}

static enum errc read_entry(struct unpack *u, struct archive_entry *e, struct unpack_entry *out,
                            struct err *err)
{
    u->is_sparse = u->form == FORM_TAR && archive_entry_sparse_count(e) > 0;
    switch (u->form) {
    case FORM_TAR: return read_of_tar(u, e, out, err);
    case FORM_ZIP: return read_of_zip(u, e, out, err);
    case FORM_7Z: return read_of_7z(u, e, out, err);
    case FORM_CAB: break;
    }
    return read_plainly(u, e, out, err);
}

/* A warning says that libarchive could not bring a name into the locale's letters, which does not
 * matter where we read the names ourselves; whatever else there is to warn of the second reading
 * refuses as well. */
static enum errc check_result(struct unpack *u, int result, struct err *err)
{
    if (result == ARCHIVE_OK)
        return E_OK;
    if (result == ARCHIVE_WARN && u->read_err.code == E_OK &&
        (u->form == FORM_TAR || u->form == FORM_ZIP))
        return E_OK;
    if (result == ARCHIVE_WARN && u->read_err.code == E_OK)
        return refuse_name(u, err);
    enum errc rc = blame(u, err);
    return u->form == FORM_TAR && u->read_err.code == E_OK && rc == E_MALFORMED
               ? err_prefix(err, "headers at byte %" PRIu64 " of the ", u->headers_at)
               : rc;
}

/* Of a tar: the end mark, and then zeros as far as there is anything. */
static enum errc check_zeros(struct unpack *u, struct span mark, struct err *err)
{
    if (!span_is_filled(mark, 0))
        return err_set(err, E_MALFORMED, "tar: headers without an entry at the end");
    bool is_marked = mark.len >= 2 * (size_t)UNPACK_TAR_BLOCK;
    struct span rest =
        span_sub(span_of(u->block, u->len), (size_t)(tar_position(u) - u->at), u->len);
    for (size_t total = 0; rest.len > 0; total += rest.len) {
        if (!span_is_filled(rest, 0))
            return err_set(err, E_MALFORMED, "tar: more follows the end mark (blocks of zeros)");
        if (total + rest.len > UNPACK_TAIL_MAX)
            return err_set(err, E_LIMIT, "tar: more than %u bytes of zeros at the end",
                           UNPACK_TAIL_MAX);
        enum errc rc = unpack_stream_read(u->stream, u->block, BLOCK_LEN, &u->len, err);
        if (rc != E_OK)
            return rc;
        rest = span_of(u->block, u->len);
    }
    if (!is_marked)
        return err_set(err, E_TRUNCATED,
                       "tar: ends without its end mark (two blocks of zeros): cut off");
    return E_OK;
}

static enum errc check_end(struct unpack *u, struct err *err)
{
    struct span mark;
    enum errc rc = E_OK;
    switch (u->form) {
    case FORM_TAR:
        rc = end_headers(u, &mark, err);
        return rc == E_OK ? check_zeros(u, mark, err) : rc;
    case FORM_ZIP:
        if (u->next_listed != unpack_zip_n(u->zip))
            return err_set(err, E_MALFORMED, "zip: fewer entries than its directory has");
        return E_OK;
    case FORM_7Z:
        if (u->next_listed != unpack_7z_n(u->sevenz))
            return err_set(err, E_MALFORMED, "7z: fewer entries than its directory has");
        return E_OK;
    case FORM_CAB: break;
    }
    return E_OK;
}

/* Passes over what nobody asked for, before headers are read: these are counted. */
static enum errc skip_data(struct unpack *u, struct err *err)
{
    if (!u->is_data_due)
        return E_OK;
    u->is_data_due = false;
    int r = archive_read_data_skip(u->archive);
    return r == ARCHIVE_OK && u->read_err.code == E_OK ? E_OK : blame(u, err);
}

static enum errc next_raw(struct unpack *u, struct unpack_entry *out, bool *out_end,
                          struct err *err)
{
    struct archive_entry *e = u->archive_entry;
    if (u->archive == NULL) {
        *out_end = true;
        return E_OK;
    }
    enum errc rc = skip_data(u, err);
    if (rc != E_OK)
        return rc;
    if (u->form == FORM_TAR)
        begin_headers(u);
    int result = archive_read_next_header2(u->archive, e);
    *out_end = result == ARCHIVE_EOF && u->read_err.code == E_OK;
    if (*out_end)
        return check_end(u, err);
    rc = check_result(u, result, err);
    return rc == E_OK ? read_entry(u, e, out, err) : rc;
}

/* The root of the tree, "./", is no entry, and is passed over once. */
static bool is_root(struct unpack *u, const struct unpack_entry *e)
{
    if (u->had_root || u->form != FORM_TAR || e->kind != UNPACK_FOLDER || e->path.len != 0)
        return false;
    u->had_root = true;
    u->is_data_due = true;
    return true;
}

/* Where the strings lie is soon used for bytes. The judge has seen that they are short. */
static enum errc keep_entry(struct unpack *u, const struct unpack_entry *e, struct err *err)
{
    buf_clear(&u->names);
    enum errc rc = buf_add(&u->names, e->path, err);
    if (rc == E_OK)
        rc = buf_add(&u->names, e->target, err);
    if (rc != E_OK)
        return rc;
    u->entry = *e;
    u->entry.path = span_sub(buf_span(&u->names), 0, e->path.len);
    u->entry.target = span_sub(buf_span(&u->names), e->path.len, e->target.len);
    u->is_data_due = true;
    u->given = 0;
    return E_OK;
}

enum errc unpack_next(struct unpack *u, struct unpack_entry *out, bool *out_end, struct err *err)
{
    struct unpack_entry e;
    bool is_end = false;
    enum errc rc;
    do
        rc = next_raw(u, &e, &is_end, err);
    while (rc == E_OK && !is_end && is_root(u, &e));
    if (rc == E_OK && !is_end)
        rc = unpack_entry_judge(u->judge, &e, err);
    if (rc == E_OK && !is_end)
        rc = keep_entry(u, &e, err);
    if (rc != E_OK)
        return rc;
    *out_end = is_end;
    if (!is_end)
        *out = u->entry;
    return E_OK;
}

/* --- its bytes */

static enum errc give(struct unpack *u, struct span piece, source_piece_fn fn, void *ctx,
                      struct err *err)
{
    if (piece.len > u->entry.size - u->given)
        return err_set(err, E_MALFORMED, "has more than the %" PRIu64 " bytes that it should have",
                       u->entry.size);
    u->given += piece.len;
    return piece.len == 0 ? E_OK : fn(ctx, piece, err);
}

static enum errc give_hole(struct unpack *u, uint64_t until, source_piece_fn fn, void *ctx,
                           struct err *err)
{
    static const uint8_t zeros[64 * 1024];
    enum errc rc = E_OK;
    if (until > u->given && !u->is_sparse)
        return err_set(err, E_MALFORMED, "has %" PRIu64 " bytes, and not %" PRIu64, u->given,
                       u->entry.size);
    while (rc == E_OK && u->given < until)
        rc =
            give(u, span_of(zeros, (size_t)num_min(sizeof(zeros), until - u->given)), fn, ctx, err);
    return rc;
}

static enum errc give_all(struct unpack *u, source_piece_fn fn, void *ctx, struct err *err)
{
    for (;;) {
        const void *bytes;
        size_t len;
        la_int64_t offset;
        int r = archive_read_data_block(u->archive, &bytes, &len, &offset);
        if (u->read_err.code != E_OK)
            return blame(u, err);
        if (r == ARCHIVE_EOF)
            return give_hole(u, u->entry.size, fn, ctx, err);
        if (r != ARCHIVE_OK)
            return blame(u, err);
        if (offset < 0 || (uint64_t)offset < u->given || (uint64_t)offset > u->entry.size)
            return err_set(err, E_MALFORMED, "its pieces overlap, or lie outside of it");
        enum errc rc = give_hole(u, (uint64_t)offset, fn, ctx, err);
        if (rc == E_OK)
            rc = give(u, span_of(bytes, len), fn, ctx, err);
        if (rc != E_OK)
            return rc;
    }
}

enum errc unpack_data(struct unpack *u, source_piece_fn fn, void *ctx, struct err *err)
{
    char name[NAME_SHOWN];
    if (!u->is_data_due)
        return err_set(err, E_INTERNAL, "the bytes of an entry asked for twice");
    if (u->entry.kind != UNPACK_FILE)
        return E_OK;
    u->is_data_due = false;
    enum errc rc = give_all(u, fn, ctx, err);
    if (rc == E_OK)
        return E_OK;
    return err_prefix(err, "entry \"%s\": ", text_printable(u->entry.path, name, sizeof(name)));
}
