#ifndef SUREFOOT_CLI_JSON_PARTS_H
#define SUREFOOT_CLI_JSON_PARTS_H

/* json_parts.h: the pieces of a report that `verify` and `inspect` write alike. A NULL anywhere,
 * which makes the whole NULL, means that memory ran out. */

#include "platform/base/buf.h"
#include "verify/verdict.h"

struct json_t;

struct json_t *json_text_or_null(const char *text); /* null for "" */
struct json_t *json_time(int64_t unix_s);
struct json_t *json_signer(const struct sig_verdict *sig); /* null where there is none */

/* json_stamp_kind is "rfc3161" or "pkcs9". */
const char *json_stamp_kind(enum stamp_kind kind);

/* json_add_line appends the object on one line and ends it; it takes the object, whatever happens.
 * E_NOMEM for NULL. */
MUST_USE enum errc json_add_line(struct json_t *object, struct buf *out, struct err *err);

#endif
