#include "installer/core/fetch_ca.h"

#include "platform/base/base64.h"

#define LINE_BYTES 48 /* 64 characters, as PEM has them (RFC 7468) */

static enum errc add_cert(void *ctx, struct span der, struct err *err)
{
    struct buf *out = ctx;
    enum errc rc = buf_add_text(out, "-----BEGIN CERTIFICATE-----\n", err);
    for (size_t at = 0; at < der.len && rc == E_OK; at += LINE_BYTES) {
        rc = base64_encode(span_sub(der, at, LINE_BYTES), out, err);
        if (rc == E_OK)
            rc = buf_add_byte(out, '\n', err);
    }
    return rc == E_OK ? buf_add_text(out, "-----END CERTIFICATE-----\n", err) : rc;
}

enum errc fetch_ca_system(struct platform *p, struct buf *out, struct err *err)
{
    enum errc rc = p->host->system_anchors(p->self, add_cert, out, err);
    return rc == E_OK ? rc : err_prefix(err, "the system's certificates: ");
}
