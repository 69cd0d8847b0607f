#include "installer/core/unpack.h"

#include <stdlib.h>
#include <string.h>

#include "platform/base/crc32.h"
#include "platform/base/reader.h"

#define SEVENZIP_FIRST 32

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct counting {
    uint64_t n;
};

static enum errc count(void *ctx, struct span piece, struct err *err)
{
    struct counting *c = ctx;
    UNUSED(err);
    c->n += piece.len;
    return E_OK;
}

/* What every entry that is given out keeps to. */
static void check_entry(const struct unpack_entry *e)
{
    if (e->path.len == 0 || e->path.ptr[0] == '/' || e->path.ptr[e->path.len - 1] == '/')
        abort();
    if (e->kind < UNPACK_FILE || e->kind > UNPACK_HARDLINK || e->is_encrypted)
        abort();
    if (e->kind != UNPACK_FILE && e->size != 0)
        abort();
    if (e->kind != UNPACK_LINK && (e->mode & ~0777U) != 0)
        abort();
}

static enum errc read_all(struct unpack *u, const struct unpack_limits *limits, struct err *err)
{
    struct unpack_entry e;
    uint64_t total = 0, said = 0;
    bool is_end = false;
    for (uint32_t n = 0;; n++) {
        struct counting c = { 0 };
        enum errc rc = unpack_next(u, &e, &is_end, err);
        if (rc != E_OK || is_end)
            return rc;
        check_entry(&e);
        said += e.size;
        if (e.size > limits->entry_bytes || said > limits->total_bytes)
            abort();
        rc = unpack_data(u, count, &c, err);
        total += c.n;
        if (c.n > e.size || (rc == E_OK && c.n != e.size))
            abort();
        if (n >= limits->n_entries || total > limits->total_bytes)
            abort();
        if (rc != E_OK)
            return rc;
    }
}

static void put_u32le(uint8_t *p, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(value >> (8 * i));
}

/* The checksums of a 7z's first header and directory are made right, and the directory reaches to
 * the end: else hardly an input would get past them. */
static void mend_7z(uint8_t *b, size_t size)
{
    uint64_t at = get_u64le(b + 12), room = size - SEVENZIP_FIRST;
    if (at > room)
        return;
    put_u32le(b + 20, (uint32_t)(room - at));
    put_u32le(b + 24, 0);
    put_u32le(b + 28, crc32_of(span_of(b + SEVENZIP_FIRST + at, (size_t)(room - at))));
    put_u32le(b + 8, crc32_of(span_of(b + 12, SEVENZIP_FIRST - 12)));
}

static void run(const uint8_t *data, size_t size)
{
    struct unpack_limits limits = { .entry_bytes = 1 << 20,
                                    .total_bytes = 4 << 20,
                                    .ratio = 250,
                                    .ratio_free_bytes = 2 << 20,
                                    .n_entries = 200,
                                    .depth = 16 };
    struct source *src;
    struct unpack *u;
    struct err err;
    if (source_memory_new(span_of(data, size), &src, &err) != E_OK)
        return;
    if (unpack_open(src, &limits, &u, &err) == E_OK) {
        if (read_all(u, &limits, &err) == E_OK && unpack_format(u)[0] == '\0')
            abort();
        unpack_close(u);
    }
    source_close(src);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *mended;
    if (size < SEVENZIP_FIRST || memcmp(data, "7z\xBC\xAF\x27\x1C", 6) != 0) {
        run(data, size);
        return 0;
    }
    mended = malloc(size);
    if (mended == NULL)
        return 0;
    memcpy(mended, data, size);
    mend_7z(mended, size);
    run(mended, size);
    free(mended);
    return 0;
}
