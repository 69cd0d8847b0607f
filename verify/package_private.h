#ifndef SUREFOOT_VERIFY_PACKAGE_PRIVATE_H
#define SUREFOOT_VERIFY_PACKAGE_PRIVATE_H

/* package_private.h: what the three steps of package.h share. */

#include "verify/package.h"

/* package_refuse gives E_REFUSED, with the first fatal reason of a settled verdict as the text. */
MUST_USE enum errc package_refuse(const struct verdict *v, const char *what, struct err *err);

/* package_refuse_document is the same for a verdict without signatures of its own: its findings are
 * made fatal first. */
MUST_USE enum errc package_refuse_document(struct verdict *v, const char *what, struct err *err);

/* package_read_failed turns an error of a document's reader into a finding, or passes it on where
 * it is none about bytes. */
MUST_USE enum errc package_read_failed(enum errc rc, struct verdict *v, struct err *err);

#endif
