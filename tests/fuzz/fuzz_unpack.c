#include "installer/core/unpack.h"

#include <stdlib.h>

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
    uint64_t total = 0;
    bool is_end = false;
    for (uint32_t n = 0;; n++) {
        struct counting c = { 0 };
        enum errc rc = unpack_next(u, &e, &is_end, err);
        if (rc != E_OK || is_end)
            return rc;
        check_entry(&e);
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
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
        return 0;
    if (unpack_open(src, &limits, &u, &err) == E_OK) {
        if (read_all(u, &limits, &err) == E_OK && unpack_format(u)[0] == '\0')
            abort();
        unpack_close(u);
    }
    source_close(src);
    return 0;
}
