#ifndef SUREFOOT_BASE_BASE64_H
#define SUREFOOT_BASE_BASE64_H

/* base64.h: base64 (RFC 4648 section 4) read exactly: each sequence of bytes has one spelling and
 * no other is taken. That matters where the text itself is part of a signed file: every character
 * of it is then as good as covered. */

#include "platform/base/buf.h"
#include "platform/base/err.h"
#include "platform/base/span.h"

/* base64_decode appends what `text` spells to `out`. E_MALFORMED for any character outside the
 * alphabet (white space and line ends too), padding that is missing, in excess or in the middle,
 * and last bits that are not zero; E_LIMIT past the buf's cap. Then `out` is as it was. No text is
 * no bytes. */
MUST_USE enum errc base64_decode(struct span text, struct buf *out, struct err *err);

/* base64_encode appends the spelling of `bytes`, without line ends. E_NOMEM, E_LIMIT. */
MUST_USE enum errc base64_encode(struct span bytes, struct buf *out, struct err *err);

#endif
