#ifndef SUREFOOT_BASE_TEXT_H
#define SUREFOOT_BASE_TEXT_H

/* text.h: text from strangers made safe to show, and the few conversions that every layer needs.
 * All text inside Surefoot is UTF-8. */

#include <stdarg.h>
#include <stdbool.h>

#include "platform/base/buf.h"
#include "platform/base/err.h"
#include "platform/base/span.h"

#define TEXT_HEX_LEN(n_bytes) ((n_bytes)*2 + 1)

/* text_printable writes `in` to `to` (room bytes, NUL included, at least 8) as UTF-8 on one line:
 * control characters, bidirectional overrides, line separators, unassigned surrogates and broken
 * UTF-8 become \xNN or \u{NNNN}, and what does not fit ends in "...". Returns `to`. */
const char *text_printable(struct span in, char *to, size_t room);

/* text_print formats, and writes what came of it as text_printable does. More than 511 bytes are
 * cut. Returns `to`. */
const char *text_print(char *to, size_t room, const char *fmt, va_list args);

/* text_add_printable is the same, appended to a buf without a length limit but the buf's own. */
MUST_USE enum errc text_add_printable(struct buf *b, struct span in, struct err *err);

/* text_utf8_next reads one code point of strict UTF-8 from the start of `s`: its length in bytes
 * (1..4), or 0 where the bytes are no UTF-8 (overlong, surrogate, above U+10FFFF, cut off, empty).
 */
size_t text_utf8_next(struct span s, uint32_t *out_code);
bool text_is_utf8(struct span s);

/* text_put_utf8 writes one code point (which must be one) and returns its length, 1..4. */
size_t text_put_utf8(uint32_t code, uint8_t to[4]);

/* text_from_utf16 appends UTF-16 (big or little endian) to `b` as UTF-8; a lone surrogate becomes
 * U+FFFD. E_MALFORMED for an odd number of bytes. */
MUST_USE enum errc text_from_utf16(struct buf *b, struct span in, bool big_endian, struct err *err);

/* text_to_hex writes lower-case hex and a NUL: `to` has TEXT_HEX_LEN(in.len) bytes. Returns `to`.
 */
const char *text_to_hex(struct span in, char *to);

/* text_from_hex reads exactly `len` bytes from 2*len hex digits of either case; false for anything
 * else. */
MUST_USE bool text_from_hex(struct span hex, uint8_t *to, size_t len);

/* text_copy copies a C string, cut at room-1, always ended by NUL. Returns `to`. */
char *text_copy(char *to, size_t room, const char *from);

/* text_format_time writes seconds since 1970 (UTC) as RFC 3339, "2026-01-01T00:00:00Z"; `to` has 32
 * bytes. */
const char *text_format_time(int64_t unix_s, char to[32]);

/* text_parse_time reads RFC 3339 with Z or a numeric offset; fractional seconds are accepted and
 * cut. */
MUST_USE bool text_parse_time(struct span in, int64_t *out_unix_s);

/* text_time_of is the seconds since 1970 of a UTC calendar time, false where there is no such time
 * (leap seconds are refused). */
MUST_USE bool text_time_of(int year, int month, int day, int hour, int minute, int second,
                           int64_t *out_unix_s);

#endif
