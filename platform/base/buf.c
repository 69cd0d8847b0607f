#include "platform/base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buf_init(struct buf *b, size_t cap)
{
    *b = (struct buf){ .cap = cap };
}

void buf_fini(struct buf *b)
{
    free(b->ptr);
    *b = (struct buf){ .cap = b->cap };
}

enum errc buf_reserve(struct buf *b, size_t more, uint8_t **out, struct err *err)
{
    if (more > b->cap - b->len)
        return err_set(err, E_LIMIT, "more than %zu bytes where that is the limit", b->cap);
    size_t need = b->len + more;
    if (need > b->room || b->ptr == NULL) {
        size_t room = b->room < 128 ? 128 : b->room;
        while (room < need)
            room = room > b->cap / 2 ? b->cap : room * 2;
        if (room > b->cap)
            room = b->cap;
        uint8_t *grown = realloc(b->ptr, room == 0 ? 1 : room);
        if (grown == NULL)
            return err_nomem(err);
        b->ptr = grown;
        b->room = room;
    }
    *out = b->ptr + b->len;
    return E_OK;
}

enum errc buf_add(struct buf *b, struct span bytes, struct err *err)
{
    uint8_t *to = NULL;
    enum errc rc = buf_reserve(b, bytes.len, &to, err);
    if (rc != E_OK)
        return rc;
    if (bytes.len != 0)
        memcpy(to, bytes.ptr, bytes.len);
    b->len += bytes.len;
    return E_OK;
}

enum errc buf_add_byte(struct buf *b, uint8_t byte, struct err *err)
{
    return buf_add(b, span_of(&byte, 1), err);
}

enum errc buf_add_text(struct buf *b, const char *text, struct err *err)
{
    return buf_add(b, span_text(text), err);
}

enum errc buf_printf(struct buf *b, struct err *err, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (n < 0)
        return err_set(err, E_INTERNAL, "a format string that does not print");
    uint8_t *to;
    enum errc rc = buf_reserve(b, (size_t)n + 1, &to, err);
    if (rc != E_OK)
        return rc;
    va_start(args, fmt);
    (void)vsnprintf((char *)to, (size_t)n + 1, fmt, args);
    va_end(args);
    b->len += (size_t)n;
    return E_OK;
}
