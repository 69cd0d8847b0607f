#include "platform/sink.h"

#include <stddef.h>

enum errc sink_write(struct sink *s, struct span bytes, struct err *err)
{
    if (bytes.len == 0)
        return E_OK;
    enum errc rc = s->ops->write(s, bytes, err);
    if (rc == E_OK)
        s->size += bytes.len;
    return rc;
}

enum errc sink_commit(struct sink *s, struct err *err)
{
    enum errc rc = s->ops->commit(s, err);
    s->ops->close(s);
    return rc;
}

void sink_abort(struct sink *s)
{
    if (s != NULL)
        s->ops->close(s);
}
