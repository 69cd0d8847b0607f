#ifndef SUREFOOT_BASE_BUF_H
#define SUREFOOT_BASE_BUF_H

/* buf.h: bytes that grow on the heap, born with a cap that they never pass. A zeroed buf is empty
 * with a cap of 0. */

#include <stdarg.h>
#include <stddef.h>

#include "platform/base/err.h"
#include "platform/base/span.h"

struct buf {
    uint8_t *ptr;
    size_t len, room, cap;
};

void buf_init(struct buf *b, size_t cap);
void buf_fini(struct buf *b);
static inline void buf_clear(struct buf *b)
{
    b->len = 0;
}
static inline struct span buf_span(const struct buf *b)
{
    return span_of(b->ptr, b->len);
}

/* buf_reserve makes room for `more` bytes and returns where they go, without counting them in.
 * Fails with E_LIMIT past the cap and E_NOMEM; the buf is as it was then. */
MUST_USE enum errc buf_reserve(struct buf *b, size_t more, uint8_t **out, struct err *err);
MUST_USE enum errc buf_add(struct buf *b, struct span bytes, struct err *err);
MUST_USE enum errc buf_add_byte(struct buf *b, uint8_t byte, struct err *err);
MUST_USE enum errc buf_add_text(struct buf *b, const char *text, struct err *err);
MUST_USE enum errc buf_printf(struct buf *b, struct err *err, const char *fmt, ...)
    PRINTF_FORMAT(3, 4);

#endif
