#include "platform/platform.h"

#include <inttypes.h>

#include "platform/base/buf.h"

enum errc platform_fill_from_file(struct platform *p, const char *path, size_t cap, struct buf *out,
                                  struct err *err)
{
    struct source *src = NULL;
    uint8_t *to;
    buf_init(out, cap);
    enum errc rc = p->fs->open_source(p->self, path, &src, err);
    if (rc != E_OK)
        return rc;
    if (src->size > cap)
        rc = err_set(err, E_LIMIT, "is %" PRIu64 " bytes, the limit is %zu", src->size, cap);
    else
        rc = buf_reserve(out, (size_t)src->size, &to, err);
    if (rc == E_OK)
        rc = source_read_at(src, 0, to, (size_t)src->size, err);
    if (rc == E_OK)
        out->len = (size_t)src->size;
    source_close(src);
    return rc;
}

enum errc platform_read_file(struct platform *p, const char *path, size_t cap, struct buf *out,
                             struct err *err)
{
    enum errc rc = platform_fill_from_file(p, path, cap, out, err);
    if (rc != E_OK)
        buf_fini(out);
    return rc;
}

enum errc platform_write_file(struct platform *p, const char *path, struct span bytes,
                              unsigned flags, struct err *err)
{
    struct sink *s = NULL;
    enum errc rc = p->fs->create(p->self, path, flags, &s, err);
    if (rc != E_OK)
        return rc;
    rc = sink_write(s, bytes, err);
    if (rc == E_OK)
        return sink_commit(s, err);
    sink_abort(s);
    return rc;
}
