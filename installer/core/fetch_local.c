#include "installer/core/fetch_private.h"

#include <stdlib.h>

#include "platform/base/text.h"

#define PATH_MAX_BYTES 4096

static struct fetch_head head_of(uint64_t size, uint64_t from)
{
    struct fetch_head head = { .status = 200, .is_done = true, .has_length = true, .length = size };
    if (from == 0)
        return head;
    head.status = from < size ? 206 : 416;
    head.has_range = from < size;
    head.length = from < size ? size - from : 0;
    head.range = (struct fetch_range){ .first = from, .last = size - 1, .total = size };
    return head;
}

struct handing {
    struct fetch *f;
    struct fetch_exchange *x;
};

static enum errc hand_on(void *ctx, struct span piece, struct err *err)
{
    const struct handing *h = ctx;
    enum errc rc =
        fetch_wait_left_ms(h->f) == 0 ? fetch_wait_over(h->f, err) : fetch_tell(h->f, err);
    h->x->is_ours = rc != E_OK;
    if (rc == E_OK) {
        rc = h->x->on_body(h->x->ctx, piece, err);
        h->x->is_ours = rc != E_OK;
    }
    return rc;
}

static enum errc read_all(struct fetch *f, struct source *src, struct fetch_exchange *x,
                          struct err *err)
{
    struct handing h = { .f = f, .x = x };
    x->head = head_of(src->size, x->from);
    if (x->head.status == 416)
        return E_OK;
    enum errc rc = x->on_head(x->ctx, &x->head, err);
    x->is_ours = rc != E_OK;
    if (rc != E_OK || x->head.length == 0)
        return rc;
    uint8_t *scratch = malloc(SOURCE_PIECE);
    if (scratch == NULL)
        return err_nomem(err);
    rc = source_each(src, x->from, x->head.length, scratch, hand_on, &h, err);
    free(scratch);
    return rc;
}

enum errc fetch_local_run(struct fetch *f, const struct fetch_url *url, struct fetch_exchange *x,
                          struct err *err)
{
    const struct platform *p = f->settings.platform;
    struct source *src;
    struct buf path;
    buf_init(&path, PATH_MAX_BYTES);
    enum errc rc = fetch_url_file_path(url, &path, err);
    if (rc == E_OK)
        rc = buf_add_byte(&path, '\0', err);
    if (rc == E_OK)
        rc = os_path_from_url(p->paths, (char *)path.ptr, err);
    if (rc == E_OK)
        rc = p->fs->open_source(p->self, (const char *)path.ptr, &src, err);
    if (rc == E_OK) {
        rc = read_all(f, src, x, err);
        source_close(src);
    }
    buf_fini(&path);
    return rc;
}
