/* Where the packed streams of a 7z lie, and what comes out of them, see unpack_7z.h:
 *
 *   06 place, number   09 sizes   [0A checksums]   00
 *   07 0B number, 0   folders   0C unpacked sizes, of each coder   [0A checksums]   00
 *   08 [0D files in each folder]   [09 sizes, but for each folder's last]   [0A checksums]   00
 *   00
 *
 * Each number is checked against what is left of the directory, where each thing takes a byte or
 * more, before memory is taken for it. */

#include <inttypes.h>
#include <stdlib.h>

#include "installer/core/unpack_7z_private.h"
#include "platform/base/num.h"

static enum errc pass_digests(struct reader *r, uint64_t n, struct err *err)
{
    struct span bits, values;
    uint64_t n_defined;
    enum errc rc = unpack_7z_take_defined(r, n, &bits, &n_defined, err);
    return rc == E_OK ? unpack_7z_take_bytes(r, n_defined * 4, &values, err) : rc;
}

static enum errc check_n(const struct reader *r, uint64_t n, struct err *err)
{
    if (n == 0)
        return err_set(err, E_MALFORMED, "7z: a list of no streams");
    if (n > UNPACK_7Z_FOLDERS_MAX)
        return err_set(err, E_LIMIT,
                       "7z: %" PRIu64
                       " streams packed each for itself, the limit is %u: pack with 7z -ms=on",
                       n, UNPACK_7Z_FOLDERS_MAX);
    if (n > r->rest.len)
        return err_set(err, E_MALFORMED,
                       "7z: %" PRIu64 " streams, more than the directory has bytes", n);
    return E_OK;
}

/* --- the packed streams */

static enum errc take_packed_sizes(struct reader *r, struct unpack_7z_streams *s, struct err *err)
{
    s->packed_sizes = calloc(s->n, sizeof(*s->packed_sizes));
    if (s->packed_sizes == NULL)
        return err_nomem(err);
    for (uint32_t i = 0; i < s->n; i++) {
        enum errc rc = unpack_7z_take_number(r, &s->packed_sizes[i], err);
        if (rc != E_OK)
            return rc;
        if (s->packed_sizes[i] == 0)
            return err_set(err, E_MALFORMED, "7z: packed stream %" PRIu32 " has no bytes", i);
        if (!num_add(s->packed.len, s->packed_sizes[i], &s->packed.len))
            return err_set(err, E_MALFORMED, "7z: packed streams of more bytes than can be");
    }
    return E_OK;
}

static enum errc take_packed(struct reader *r, struct unpack_7z_streams *s, struct err *err)
{
    uint64_t n = 0;
    enum errc rc = unpack_7z_expect(r, MARK_PACKED, "the list of packed streams", err);
    if (rc == E_OK)
        rc = unpack_7z_take_number(r, &s->packed.at, err);
    if (rc == E_OK)
        rc = unpack_7z_take_number(r, &n, err);
    if (rc == E_OK)
        rc = check_n(r, n, err);
    if (rc == E_OK)
        rc = unpack_7z_expect(r, MARK_SIZE, "the packed streams' sizes", err);
    if (rc != E_OK)
        return rc;
    s->n = (uint32_t)n;
    rc = take_packed_sizes(r, s, err);
    if (rc == E_OK && unpack_7z_take_if(r, MARK_CRC))
        rc = pass_digests(r, s->n, err);
    return rc == E_OK ? unpack_7z_expect(r, MARK_END, "the list of packed streams", err) : rc;
}

/* --- the folders */

static enum errc take_folder_list(struct reader *r, struct unpack_7z_streams *s, struct err *err)
{
    uint64_t n = 0;
    enum errc rc = unpack_7z_take_number(r, &n, err);
    if (rc == E_OK)
        rc = unpack_7z_take_external(r, "folders", err);
    struct span begin = r->rest;
    /* What folders there are is looked at before their number is: four streams of one folder are
     * BCJ2's, which the folder says better. */
    s->folders = calloc(s->n, sizeof(*s->folders));
    if (rc == E_OK && s->folders == NULL)
        return err_nomem(err);
    for (uint32_t i = 0; rc == E_OK && i < n && i < s->n; i++)
        rc = unpack_7z_take_folder(r, &s->folders[i], err);
    if (rc == E_OK && n != s->n)
        return err_set(err, E_MALFORMED, "7z: %" PRIu64 " folders of %" PRIu32 " packed streams", n,
                       s->n);
    s->coders = span_sub(begin, 0, begin.len - r->rest.len);
    return rc;
}

static enum errc check_folder_size(const struct unpack_7z_folder *f, uint64_t packed,
                                   uint64_t before, struct err *err)
{
    if (f->size == 0)
        return err_set(err, E_MALFORMED, "7z: a folder that unpacks to nothing");
    if (before != f->size)
        return err_set(err, E_MALFORMED, "7z: a filter that makes %" PRIu64 " bytes of %" PRIu64,
                       f->size, before);
    if (f->is_copy && f->size != packed)
        return err_set(err, E_MALFORMED,
                       "7z: a folder that is stored, and of two sizes, %" PRIu64 " and %" PRIu64,
                       packed, f->size);
    return E_OK;
}

/* Each coder's size, the first one's first. A filter makes as many bytes as it gets. */
static enum errc take_folder_sizes(struct reader *r, struct unpack_7z_streams *s,
                                   const struct unpack_limits *limits, struct err *err)
{
    uint64_t total = 0;
    for (uint32_t i = 0; i < s->n; i++) {
        struct unpack_7z_folder *f = &s->folders[i];
        uint64_t before = 0;
        enum errc rc = unpack_7z_take_number(r, &before, err);
        f->size = before;
        if (rc == E_OK && f->n_coders == 2)
            rc = unpack_7z_take_number(r, &f->size, err);
        if (rc == E_OK)
            rc = check_folder_size(f, s->packed_sizes[i], before, err);
        if (rc != E_OK)
            return rc;
        if (!num_add(total, f->size, &total) || total > limits->total_bytes)
            return err_set(err, E_LIMIT,
                           "7z: unpacks to more than %" PRIu64 " bytes in all, which is the limit",
                           limits->total_bytes);
    }
    return E_OK;
}

static enum errc take_folder_digests(struct reader *r, struct unpack_7z_streams *s, struct err *err)
{
    struct span bits, value;
    uint64_t n_defined;
    enum errc rc = unpack_7z_take_defined(r, s->n, &bits, &n_defined, err);
    for (uint32_t i = 0; rc == E_OK && i < s->n; i++) {
        if (bits.len > 0 && !unpack_7z_bit(bits, i))
            continue;
        rc = unpack_7z_take_bytes(r, 4, &value, err);
        if (rc == E_OK) {
            s->folders[i].crc = get_u32le(value.ptr);
            s->folders[i].has_crc = true;
        }
    }
    return rc;
}

static enum errc take_folders(struct reader *r, const struct unpack_limits *limits,
                              struct unpack_7z_streams *s, struct err *err)
{
    enum errc rc = unpack_7z_expect(r, MARK_FOLDERS, "the list of folders", err);
    if (rc == E_OK)
        rc = unpack_7z_expect(r, MARK_FOLDER, "the list of folders", err);
    if (rc == E_OK)
        rc = take_folder_list(r, s, err);
    if (rc == E_OK)
        rc = unpack_7z_expect(r, MARK_UNPACKED_SIZE, "the folders' sizes", err);
    if (rc == E_OK)
        rc = take_folder_sizes(r, s, limits, err);
    if (rc == E_OK && unpack_7z_take_if(r, MARK_CRC))
        rc = take_folder_digests(r, s, err);
    return rc == E_OK ? unpack_7z_expect(r, MARK_END, "the list of folders", err) : rc;
}

/* --- the files in each folder */

static enum errc take_n_files(struct reader *r, const struct unpack_limits *limits,
                              struct unpack_7z_streams *s, struct err *err)
{
    bool is_given = unpack_7z_take_if(r, MARK_N_SUBSTREAMS);
    uint64_t total = 0;
    for (uint32_t i = 0; i < s->n; i++) {
        uint64_t n = 1;
        enum errc rc = is_given ? unpack_7z_take_number(r, &n, err) : E_OK;
        if (rc != E_OK)
            return rc;
        if (n == 0)
            return err_set(err, E_MALFORMED, "7z: folder %" PRIu32 " holds no files", i);
        if (n > limits->n_entries || total > limits->n_entries - n)
            return err_set(err, E_LIMIT,
                           "7z: more than %" PRIu32 " files in its folders, which is the limit",
                           limits->n_entries);
        total += n;
        s->folders[i].n_files = (uint32_t)n;
    }
    if (total - s->n > r->rest.len)
        return err_set(err, E_MALFORMED,
                       "7z: %" PRIu64 " files in folders, more than the directory has bytes",
                       total);
    s->n_sizes = (uint32_t)total;
    return E_OK;
}

/* The last file of a folder has what is left. */
static enum errc take_sizes_in(struct reader *r, const struct unpack_7z_folder *f, uint64_t *sizes,
                               struct err *err)
{
    uint64_t left = f->size;
    for (uint32_t i = 0; i < f->n_files; i++) {
        enum errc rc = E_OK;
        sizes[i] = left;
        if (i + 1 < f->n_files)
            rc = unpack_7z_take_number(r, &sizes[i], err);
        if (rc != E_OK)
            return rc;
        if (sizes[i] == 0)
            return err_set(err, E_MALFORMED, "7z: a file without bytes in a folder");
        if (sizes[i] > left)
            return err_set(err, E_MALFORMED,
                           "7z: files of more bytes than the %" PRIu64 " of their folder", f->size);
        left -= sizes[i];
    }
    return E_OK;
}

static enum errc take_file_sizes(struct reader *r, struct unpack_7z_streams *s, struct err *err)
{
    bool is_given = unpack_7z_take_if(r, MARK_SIZE);
    if (!is_given && s->n_sizes != s->n)
        return err_set(err, E_MALFORMED, "7z: several files in a folder, and not their sizes");
    s->sizes = calloc(s->n_sizes, sizeof(*s->sizes));
    if (s->sizes == NULL)
        return err_nomem(err);
    uint64_t *sizes = s->sizes;
    for (uint32_t i = 0; i < s->n; i++) {
        enum errc rc = take_sizes_in(r, &s->folders[i], sizes, err);
        if (rc != E_OK)
            return rc;
        sizes += s->folders[i].n_files;
    }
    return E_OK;
}

/* Of those that a folder's own does not stand for. */
static enum errc pass_file_digests(struct reader *r, const struct unpack_7z_streams *s,
                                   struct err *err)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < s->n; i++)
        if (s->folders[i].n_files != 1 || !s->folders[i].has_crc)
            n += s->folders[i].n_files;
    if (n == 0)
        return err_set(err, E_MALFORMED, "7z: checksums of files that have them already");
    return pass_digests(r, n, err);
}

static enum errc take_substreams(struct reader *r, const struct unpack_limits *limits,
                                 struct unpack_7z_streams *s, struct err *err)
{
    enum errc rc = unpack_7z_expect(r, MARK_SUBSTREAMS, "what is in the folders", err);
    if (rc == E_OK)
        rc = take_n_files(r, limits, s, err);
    if (rc == E_OK)
        rc = take_file_sizes(r, s, err);
    if (rc == E_OK && unpack_7z_take_if(r, MARK_CRC))
        rc = pass_file_digests(r, s, err);
    return rc == E_OK ? unpack_7z_expect(r, MARK_END, "what is in the folders", err) : rc;
}

enum errc unpack_7z_streams_read(struct reader *r, const struct unpack_limits *limits,
                                 bool is_encoded, struct unpack_7z_streams *out, struct err *err)
{
    *out = (struct unpack_7z_streams){ .n = 0 };
    enum errc rc = take_packed(r, out, err);
    if (rc == E_OK)
        rc = take_folders(r, limits, out, err);
    if (rc == E_OK && !is_encoded)
        rc = take_substreams(r, limits, out, err);
    return rc == E_OK ? unpack_7z_expect(r, MARK_END, "the list of streams", err) : rc;
}

void unpack_7z_streams_fini(struct unpack_7z_streams *s)
{
    free(s->packed_sizes);
    free(s->folders);
    free(s->sizes);
}
