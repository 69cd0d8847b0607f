#include "keys/publish/pack.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <archive.h>
#include <archive_entry.h>

#include "manifest/path.h"
#include "platform/base/buf.h"
#include "platform/base/num.h"
#include "platform/base/text.h"
#include "platform/work.h"

#define BLOCK 512
#define NAME_MAX_LEN 100
#define PREFIX_AT 345
#define PREFIX_MAX_LEN 155
#define OCTAL_MAX INT64_C(077777777777) /* of a field of 12 bytes */
#define NAME_SHOWN 90

/* Files are read and hashed side by side, a batch at a time, while the batch before is put into the
 * archive; larger ones piece by piece. */
#define BATCH_BYTES (4U * 1024 * 1024)
#define BATCH_FILES 512
#define FILE_IN_BATCH_MAX (1024U * 1024)
#define PIECE (1024U * 1024)

#define WORKERS_MAX 16                    /* each takes some 20 MiB */
#define WORKER_BYTES (4U * 1024U * 1024U) /* one for each of so many */

struct packer {
    struct tree *tree;
    const struct pack_options *options;
    struct archive *archive;
    struct archive_entry *entry; /* the one that libarchive's raw format has */
    struct sink *sink;
    struct hasher *out_hash, *file_hash;
    /* After a failure libarchive still closes what it has, or its memory is lost; that goes
     * nowhere. */
    bool is_over;
    struct err write_err; /* why the sink failed; libarchive can't carry that */
    struct buf records;   /* pax */
    uint64_t size, done;
};

/* The entries [first, first + n), whose files lie in bytes from at[k] on. */
struct batch {
    const struct packer *packer;
    uint8_t *bytes; /* batch_room */
    size_t first, n;
    size_t at[BATCH_FILES];
    struct err errs[BATCH_FILES];
};

/* --- out: libarchive compresses, the sink takes it, hashed on the way */

static la_ssize_t take_compressed(struct archive *a, void *ctx, const void *bytes, size_t len)
{
    struct packer *p = ctx;
    if (p->is_over)
        return (la_ssize_t)len;
    enum errc rc = sink_write(p->sink, span_of(bytes, len), &p->write_err);
    if (rc == E_OK)
        rc = hasher_add(p->out_hash, span_of(bytes, len), &p->write_err);
    if (rc != E_OK) {
        p->is_over = true;
        archive_set_error(a, EIO, "cannot write");
        return -1;
    }
    p->size += len;
    return (la_ssize_t)len;
}

static enum errc blame(const struct packer *p, struct err *err)
{
    if (p->write_err.code != E_OK) {
        enum errc code = err_set(err, p->write_err.code, "%s", p->write_err.text);
        if (err != NULL)
            err->os = p->write_err.os;
        return code;
    }
    const char *text = archive_error_string(p->archive);
    if (archive_errno(p->archive) == ENOMEM)
        return err_nomem(err);
    return err_set(err, E_INTERNAL, "compressing failed: %s", text == NULL ? "no reason" : text);
}

static enum errc put(struct packer *p, const void *bytes, size_t len, struct err *err)
{
    if (len == 0)
        return E_OK;
    la_ssize_t n = archive_write_data(p->archive, bytes, len);
    return n >= 0 && (size_t)n == len ? E_OK : blame(p, err);
}

static enum errc put_padding(struct packer *p, uint64_t size, struct err *err)
{
    static const uint8_t zeros[BLOCK];
    return put(p, zeros, (BLOCK - (size_t)(size % BLOCK)) % BLOCK, err);
}

/* --- the headers of a tar */

struct header {
    const char *path, *target;
    uint64_t size;
    unsigned mode;
    char type;
};

static void put_octal(uint8_t *field, size_t len, uint64_t value)
{
    field[len - 1] = 0;
    for (size_t i = len - 1; i-- > 0; value >>= 3)
        field[i] = (uint8_t)('0' + (value & 7));
}

static void put_checksum(uint8_t block[BLOCK])
{
    unsigned sum = 0;
    memset(block + 148, ' ', 8);
    for (size_t i = 0; i < BLOCK; i++)
        sum += block[i];
    put_octal(block + 148, 7, sum);
}

/* ustar has room for a path of 100 bytes, or of more that can be cut at a "/". */
static bool split_path(const char *path, size_t *out_prefix_len)
{
    size_t len = strlen(path);
    *out_prefix_len = 0;
    if (len <= NAME_MAX_LEN)
        return true;
    for (size_t i = len - NAME_MAX_LEN - 1; i <= PREFIX_MAX_LEN && i < len; i++)
        if (path[i] == '/' && i > 0 && i + 1 < len) {
            *out_prefix_len = i;
            return true;
        }
    return false;
}

/* Where there is no room (pax has the whole then), the name is cut off. */
static void put_path(uint8_t block[BLOCK], const char *path)
{
    size_t prefix_len;
    (void)split_path(path, &prefix_len);
    if (prefix_len > 0) {
        memcpy(block + PREFIX_AT, path, prefix_len);
        path += prefix_len + 1;
    }
    size_t len = strlen(path);
    memcpy(block, path, len < NAME_MAX_LEN ? len : NAME_MAX_LEN);
}

static void put_target(uint8_t block[BLOCK], const char *target)
{
    size_t len = target == NULL ? 0 : strlen(target);
    if (len > 0)
        memcpy(block + 157, target, len < NAME_MAX_LEN ? len : NAME_MAX_LEN);
}

static enum errc put_header(struct packer *p, const struct header *h, struct err *err)
{
    uint8_t block[BLOCK] = { 0 };
    put_path(block, h->path);
    put_octal(block + 100, 8, h->mode);
    put_octal(block + 108, 8, 0);
    put_octal(block + 116, 8, 0);
    put_octal(block + 124, 12, h->size > OCTAL_MAX ? 0 : h->size);
    put_octal(block + 136, 12, (uint64_t)p->options->time);
    block[156] = (uint8_t)h->type;
    put_target(block, h->target);
    memcpy(block + 257,
           "ustar\0"
           "00",
           8);
    put_octal(block + 329, 8, 0);
    put_octal(block + 337, 8, 0);
    put_checksum(block);
    return put(p, block, sizeof(block), err);
}

static bool is_ascii(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text >= 0x80)
            return false;
    return true;
}

/* A record's length counts its own digits. */
static enum errc add_record(struct buf *b, const char *key, const char *value, struct err *err)
{
    size_t rest = strlen(key) + strlen(value) + 3, len = rest + 1;
    char digits[24];
    while (rest + (size_t)snprintf(digits, sizeof(digits), "%zu", len) != len)
        len = rest + strlen(digits);
    return buf_printf(b, err, "%zu %s=%s\n", len, key, value);
}

static enum errc fill_records(struct buf *b, const struct header *h, struct err *err)
{
    size_t ignored;
    char size[24];
    enum errc rc = E_OK;
    buf_clear(b);
    if (!is_ascii(h->path) || !split_path(h->path, &ignored))
        rc = add_record(b, "path", h->path, err);
    if (rc == E_OK && h->target != NULL &&
        (!is_ascii(h->target) || strlen(h->target) > NAME_MAX_LEN))
        rc = add_record(b, "linkpath", h->target, err);
    (void)snprintf(size, sizeof(size), "%" PRIu64, h->size);
    if (rc == E_OK && h->size > OCTAL_MAX)
        rc = add_record(b, "size", size, err);
    return rc;
}

static enum errc put_records(struct packer *p, struct err *err)
{
    struct header h = { .path = "PaxHeader", .mode = 0644, .type = 'x', .size = p->records.len };
    if (p->records.len == 0)
        return E_OK;
    enum errc rc = put_header(p, &h, err);
    if (rc == E_OK)
        rc = put(p, p->records.ptr, p->records.len, err);
    return rc == E_OK ? put_padding(p, p->records.len, err) : rc;
}

static enum errc put_headers(struct packer *p, const struct tree_entry *e, struct err *err)
{
    static const char types[] = { [TREE_FILE] = '0', [TREE_FOLDER] = '5', [TREE_LINK] = '2' };
    char folder[PATH_TREE_MAX + 2];
    struct header h = { .path = e->path,
                        .target = e->target,
                        .size = e->size,
                        .mode = e->mode,
                        .type = types[e->kind] };
    if (e->kind == TREE_FOLDER) {
        (void)snprintf(folder, sizeof(folder), "%s/", e->path);
        h.path = folder;
    }
    enum errc rc = fill_records(&p->records, &h, err);
    if (rc == E_OK)
        rc = put_records(p, err);
    return rc == E_OK ? put_header(p, &h, err) : rc;
}

/* --- the files */

/* settle_digest: what was read is what the tree lists from now on, or has been. Of different files
 * it may be called at once. */
static enum errc settle_digest(struct tree *t, size_t i, const struct digest *d, struct err *err)
{
    const struct tree_entry *e = tree_get(t, i);
    char name[NAME_SHOWN];
    if (e->sha256.len == 0)
        tree_set_sha256(t, i, d);
    else if (!span_equal(digest_span(d), digest_span(&e->sha256)))
        return err_set(err, E_MALFORMED,
                       "\"%s\": changed since it was listed: its bytes are others",
                       text_printable(span_text(e->path), name, sizeof(name)));
    return E_OK;
}

/* `first` is the file's first bytes, and more than TREE_HEAD_MAX where there are as many. */
static enum errc check_head(const struct packer *p, const struct tree_entry *e, struct span first,
                            struct err *err)
{
    char name[NAME_SHOWN];
    if (p->options->check_head == NULL ||
        p->options->check_head(p->options->head_ctx, span_sub(first, 0, TREE_HEAD_MAX), err) ==
            E_OK)
        return E_OK;
    return err_prefix(err, "\"%s\": ", text_printable(span_text(e->path), name, sizeof(name)));
}

static bool fits_batch(const struct tree_entry *e)
{
    return e->size <= FILE_IN_BATCH_MAX;
}

/* One file of the batch: read whole, looked at, hashed, compared. Runs beside others. */
static void read_piece(void *ctx, size_t k)
{
    struct batch *b = ctx;
    struct tree *t = b->packer->tree;
    const struct tree_entry *e = tree_get(t, b->first + k);
    struct err *err = &b->errs[k];
    struct source *src;
    struct digest d;
    if (e->kind != TREE_FILE || !fits_batch(e) || tree_open(t, b->first + k, &src, err) != E_OK)
        return;
    uint8_t *to = b->bytes + b->at[k];
    enum errc rc = source_read_at(src, 0, to, (size_t)e->size, err);
    source_close(src);
    if (rc == E_OK)
        rc = check_head(b->packer, e, span_of(to, (size_t)e->size), err);
    if (rc == E_OK)
        rc = digest_bytes(DIGEST_SHA256, span_of(to, (size_t)e->size), &d, err);
    if (rc == E_OK)
        (void)settle_digest(t, b->first + k, &d, err);
}

static enum errc put_large(struct packer *p, size_t i, uint8_t *bytes, struct err *err)
{
    const struct tree_entry *e = tree_get(p->tree, i);
    struct digest_set set;
    struct source *src = NULL;
    enum errc rc = tree_open(p->tree, i, &src, err);
    if (rc == E_OK)
        rc = hasher_reset(p->file_hash, err);
    for (uint64_t at = 0; rc == E_OK && at < e->size; at += PIECE) {
        size_t n = (size_t)num_min(PIECE, e->size - at);
        rc = source_read_at(src, at, bytes, n, err);
        if (rc == E_OK && at == 0)
            rc = check_head(p, e, span_of(bytes, n), err);
        if (rc == E_OK)
            rc = hasher_add(p->file_hash, span_of(bytes, n), err);
        if (rc == E_OK)
            rc = put(p, bytes, n, err);
    }
    if (rc == E_OK)
        rc = hasher_finish(p->file_hash, &set, err);
    source_close(src);
    return rc == E_OK ? settle_digest(p->tree, i, &set.of[DIGEST_SHA256], err) : rc;
}

static enum errc put_entry(struct packer *p, struct batch *b, size_t k, struct err *err)
{
    const struct tree_entry *e = tree_get(p->tree, b->first + k);
    if (b->errs[k].code != E_OK) {
        if (err != NULL)
            *err = b->errs[k];
        return b->errs[k].code;
    }
    enum errc rc = put_headers(p, e, err);
    if (rc == E_OK && e->kind == TREE_FILE)
        rc = fits_batch(e) ? put(p, b->bytes + b->at[k], (size_t)e->size, err)
                           : put_large(p, b->first + k, b->bytes, err);
    if (rc == E_OK)
        rc = put_padding(p, e->size, err);
    p->done += e->size;
    if (rc == E_OK && p->options->progress != NULL)
        p->options->progress(p->options->progress_ctx, p->done, tree_bytes(p->tree));
    return rc;
}

/* As many entries from b->first on as fit; a large file is a batch of its own. */
static void choose_batch(struct batch *b)
{
    const struct tree *t = b->packer->tree;
    size_t at = 0;
    for (b->n = 0; b->n < BATCH_FILES && b->first + b->n < tree_n(t); b->n++) {
        const struct tree_entry *e = tree_get(t, b->first + b->n);
        if (b->n > 0 && (!fits_batch(e) || e->size > BATCH_BYTES - at))
            break;
        b->errs[b->n].code = E_OK;
        b->at[b->n] = at;
        if (!fits_batch(e)) {
            b->n = 1;
            break;
        }
        at += (size_t)e->size;
    }
}

/* A step puts one batch and reads the next. */
struct step {
    struct packer *packer;
    struct batch *full, *next;
    struct err err;
};

static void do_piece(void *ctx, size_t i)
{
    struct step *s = ctx;
    if (i > 0) {
        read_piece(s->next, i - 1);
        return;
    }
    for (size_t k = 0; k < s->full->n && s->err.code == E_OK; k++)
        (void)put_entry(s->packer, s->full, k, &s->err);
}

/* The first step has nothing to put, the last nothing to read. */
static enum errc put_entries(struct packer *p, struct batch batches[2], struct err *err)
{
    struct step s = { .packer = p, .full = &batches[0], .next = &batches[1] };
    do {
        struct batch *full = s.full;
        s.next->first = full->first + full->n;
        choose_batch(s.next);
        work_run(1 + s.next->n, do_piece, &s);
        s.full = s.next;
        s.next = full;
    } while (s.err.code == E_OK && s.full->n > 0);
    if (s.err.code != E_OK && err != NULL)
        *err = s.err;
    return s.err.code;
}

/* What all files need, where that is less than a batch; a piece of a large one at least. */
static size_t batch_room(const struct tree *t)
{
    uint64_t bytes = tree_bytes(t);
    return bytes < PIECE ? PIECE : bytes < BATCH_BYTES ? (size_t)bytes : BATCH_BYTES;
}

static enum errc put_tar(struct packer *p, struct err *err)
{
    static const uint8_t end[2 * BLOCK];
    struct batch *batches = calloc(2, sizeof(*batches));
    size_t room = batch_room(p->tree);
    uint8_t *bytes = malloc(2 * room);
    enum errc rc = batches == NULL || bytes == NULL ? err_nomem(err) : E_OK;
    for (size_t i = 0; rc == E_OK && i < 2; i++) {
        batches[i].packer = p;
        batches[i].bytes = bytes + i * room;
    }
    if (rc == E_OK)
        rc = put_entries(p, batches, err);
    free(bytes);
    free(batches);
    return rc == E_OK ? put(p, end, sizeof(end), err) : rc;
}

/* --- the whole */

static int set_number(struct archive *a, const char *option, size_t value)
{
    char text[24];
    (void)snprintf(text, sizeof(text), "%zu", value);
    return archive_write_set_filter_option(a, "zstd", option, text);
}

/* More than there are cores: on a machine that others use as well each has its share of time. */
static size_t choose_workers(const struct tree *t)
{
    uint64_t jobs = 1 + tree_bytes(t) / WORKER_BYTES;
    size_t n = 2 * work_n_cores();
    n = n < WORKERS_MAX ? n : WORKERS_MAX;
    return jobs < n ? (size_t)jobs : n;
}

/* The tar is one entry of libarchive's raw format, which adds nothing. Bytes are written as they
 * come, without blocks that the last would have to fill. At least one worker, also on one core:
 * without any, zstd makes other bytes. */
static enum errc open_archive(struct packer *p, struct err *err)
{
    struct archive *a = p->archive = archive_write_new();
    size_t n_workers = p->options->n_workers > 0 ? p->options->n_workers : choose_workers(p->tree);
    p->entry = archive_entry_new();
    if (a == NULL || p->entry == NULL)
        return err_nomem(err);
    archive_entry_set_filetype(p->entry, AE_IFREG);
    if (archive_write_set_format_raw(a) != ARCHIVE_OK ||
        archive_write_add_filter_zstd(a) != ARCHIVE_OK ||
        set_number(a, "compression-level", (size_t)p->options->level) != ARCHIVE_OK ||
        set_number(a, "threads", n_workers) != ARCHIVE_OK ||
        archive_write_set_bytes_per_block(a, 0) != ARCHIVE_OK ||
        archive_write_open(a, p, NULL, take_compressed, NULL) != ARCHIVE_OK ||
        archive_write_header(a, p->entry) != ARCHIVE_OK)
        return blame(p, err);
    return E_OK;
}

static enum errc prepare(struct packer *p, struct err *err)
{
    buf_init(&p->records, 4 * (size_t)PATH_TREE_MAX);
    enum errc rc = hasher_new(DIGEST_BIT(DIGEST_SHA256), &p->out_hash, err);
    if (rc == E_OK)
        rc = hasher_new(DIGEST_BIT(DIGEST_SHA256), &p->file_hash, err);
    return rc == E_OK ? open_archive(p, err) : rc;
}

static void clean_up(struct packer *p)
{
    p->is_over = true;
    if (p->archive != NULL)
        (void)archive_write_free(p->archive);
    archive_entry_free(p->entry);
    hasher_free(p->out_hash);
    hasher_free(p->file_hash);
    buf_fini(&p->records);
}

static enum errc check_options(const struct pack_options *options, struct err *err)
{
    if (options->time < 0 || options->time > PACK_TIME_MAX)
        return err_set(err, E_ARGUMENT,
                       "a time of %" PRId64 " seconds, which a tar has no room for", options->time);
    if (options->level < 1 || options->level > PACK_LEVEL_MAX)
        return err_set(err, E_ARGUMENT, "a compression level of %d; there are 1 to %d",
                       options->level, PACK_LEVEL_MAX);
    return E_OK;
}

enum errc pack_tree(struct tree *t, const struct pack_options *options, struct sink *to,
                    struct pack_result *out, struct err *err)
{
    struct packer p = { .tree = t, .options = options, .sink = to };
    struct digest_set set;
    enum errc rc = check_options(options, err);
    if (rc != E_OK)
        return rc;
    rc = prepare(&p, err);
    if (rc == E_OK)
        rc = put_tar(&p, err);
    if (rc == E_OK && archive_write_close(p.archive) != ARCHIVE_OK)
        rc = blame(&p, err);
    if (rc == E_OK)
        rc = hasher_finish(p.out_hash, &set, err);
    if (rc == E_OK)
        *out = (struct pack_result){ .size = p.size,
                                     .sha256 = set.of[DIGEST_SHA256],
                                     .unpacked_size = tree_bytes(t) };
    clean_up(&p);
    return rc;
}
