#include "manifest/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_LEN (64 * 1024)

struct arena_block {
    struct arena_block *next;
    size_t len;
    alignas(max_align_t) uint8_t bytes[]; /* handed out in multiples of the alignment */
};

void arena_init(struct arena *a, size_t cap)
{
    *a = (struct arena){ .cap = cap };
}

void arena_fini(struct arena *a)
{
    while (a->blocks != NULL) {
        struct arena_block *next = a->blocks->next;
        free(a->blocks);
        a->blocks = next;
    }
    *a = (struct arena){ .cap = 0 };
}

/* A block is not zeroed as a whole: most documents are far shorter, and what is never touched costs
 * nothing. */
static enum errc add_block(struct arena *a, size_t len, struct err *err)
{
    struct arena_block *b = malloc(sizeof(*b) + len);
    if (b == NULL)
        return err_nomem(err);
    b->next = a->blocks;
    b->len = len;
    a->blocks = b;
    a->used = 0;
    return E_OK;
}

enum errc arena_alloc(struct arena *a, size_t len, void **out, struct err *err)
{
    const size_t align = alignof(max_align_t), left = a->cap - a->total;
    if (len > left || (align - len % align) % align > left - len)
        return err_set(err, E_LIMIT, "what the document says takes more than %zu bytes of memory",
                       a->cap);
    len += (align - len % align) % align;
    size_t at = a->used;
    if (a->blocks == NULL || len > a->blocks->len - at) {
        enum errc rc = add_block(a, len > BLOCK_LEN ? len : BLOCK_LEN, err);
        if (rc != E_OK)
            return rc;
        at = 0;
    }
    *out = memset(a->blocks->bytes + at, 0, len);
    a->used = at + len;
    a->total += len;
    return E_OK;
}

enum errc arena_text(struct arena *a, struct span text, const char **out, struct err *err)
{
    void *to = NULL;
    enum errc rc = arena_alloc(a, text.len + 1, &to, err);
    if (rc != E_OK)
        return rc;
    if (text.len > 0)
        memcpy(to, text.ptr, text.len);
    *out = to;
    return E_OK;
}
