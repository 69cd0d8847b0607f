#ifndef SUREFOOT_CORE_FETCH_CA_H
#define SUREFOOT_CORE_FETCH_CA_H

/* fetch_ca.h: whom TLS trusts where nobody says it. Elsewhere libcurl finds the system's
 * certificates in files by itself; Windows has them in its ROOT store. Of that the machine's part
 * counts, which only administrators change, as it does for signatures: libcurl would take the
 * user's own as well. */

#include "platform/base/buf.h"
#include "platform/platform.h"

#define FETCH_CA_MAX (8U * 1024 * 1024)

/* fetch_ca_system appends the system's certificates as PEM, or nothing where libcurl finds them. */
MUST_USE enum errc fetch_ca_system(struct platform *p, struct buf *out, struct err *err);

#endif
