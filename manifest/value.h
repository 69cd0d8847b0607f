#ifndef SUREFOOT_MANIFEST_VALUE_H
#define SUREFOOT_MANIFEST_VALUE_H

/* value.h: the types that values in our documents have, each with one spelling where it can have
 * one. Every function takes the whole value (no white space around it) and gives E_MALFORMED with
 * what it is not; none allocates. Versions are in version.h, paths in path.h. */

#include <stdbool.h>
#include <stdint.h>

#include "platform/base/err.h"
#include "platform/base/span.h"

#define VALUE_TEXT_MAX 1024
#define VALUE_NAME_MAX 64
#define VALUE_URL_MAX 1024

/* value_read_number reads decimal digits without a sign or leading zeros. */
MUST_USE enum errc value_read_number(struct span text, uint64_t *out, struct err *err);

/* value_read_size reads bytes: a number, or a number and KiB, MiB, GiB or TiB. */
MUST_USE enum errc value_read_size(struct span text, uint64_t *out_bytes, struct err *err);

/* value_read_duration reads ISO 8601 as far as it is a fixed time: P2W, or P1DT2H3M4S with any of
 * its parts. Years, months and fractions are refused. At most VALUE_DURATION_MAX_S. */
#define VALUE_DURATION_MAX_S (INT64_C(36525) * 86400)
MUST_USE enum errc value_read_duration(struct span text, int64_t *out_s, struct err *err);

/* value_format_duration writes 0..VALUE_DURATION_MAX_S so, in days, hours, minutes and seconds,
 * each only where there are some. Returns `to`. */
const char *value_format_duration(int64_t s, char to[32]);

/* value_read_time reads RFC 3339, "2026-11-25T22:00:00Z" or with an offset, in upper case and
 * without fractions. */
MUST_USE enum errc value_read_time(struct span text, int64_t *out_unix_s, struct err *err);

/* value_read_sha256 reads 64 lower-case hex digits. */
MUST_USE enum errc value_read_sha256(struct span text, uint8_t out[32], struct err *err);

/* value_read_mode reads three octal digits: permission bits without setuid, setgid and sticky. */
MUST_USE enum errc value_read_mode(struct span text, uint32_t *out, struct err *err);

/* value_check_name: a product, channel or other word of ours: lower-case letters, digits, ".", "_"
 * and "-", a letter or digit at both ends, at most VALUE_NAME_MAX. */
MUST_USE enum errc value_check_name(struct span text, struct err *err);

/* value_check_guid: {8-4-4-4-12} hex digits, upper case, as Windows Installer writes codes. */
MUST_USE enum errc value_check_guid(struct span text, struct err *err);

/* value_check_url: https:// or http:// and a host, or file:///; at most VALUE_URL_MAX bytes,
 * visible ASCII alone, no user or password (no "@" at all), no fragment. */
MUST_USE enum errc value_check_url(struct span text, struct err *err);

/* value_check_text: 1..VALUE_TEXT_MAX bytes of UTF-8 for people, on one line, no space at either
 * end, no control characters, bidirectional overrides or others that are not seen. */
MUST_USE enum errc value_check_text(struct span text, struct err *err);

#endif
