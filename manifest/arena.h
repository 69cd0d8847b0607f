#ifndef SUREFOOT_MANIFEST_ARENA_H
#define SUREFOOT_MANIFEST_ARENA_H

/* arena.h: memory that a document is read into and that is given back all at once. */

#include <stddef.h>

#include "platform/base/err.h"
#include "platform/base/span.h"

struct arena {
    struct arena_block *blocks;
    size_t used;  /* bytes of the newest block */
    size_t total; /* bytes handed out, each piece rounded up to what aligns the next */
    size_t cap;   /* what `total` may become */
};

void arena_init(struct arena *a, size_t cap);
void arena_fini(struct arena *a);

/* arena_alloc gives `len` zeroed bytes, aligned for everything; valid until arena_fini. E_LIMIT
 * past the cap, E_NOMEM. */
MUST_USE enum errc arena_alloc(struct arena *a, size_t len, void **out, struct err *err);

/* arena_text copies bytes and ends them with a NUL. */
MUST_USE enum errc arena_text(struct arena *a, struct span text, const char **out, struct err *err);

#endif
