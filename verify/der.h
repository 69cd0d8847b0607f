#ifndef SUREFOOT_VERIFY_DER_H
#define SUREFOOT_VERIFY_DER_H

/* der.h: an exact reader of DER (X.690 section 10): definite lengths in their shortest form, low
 * tag numbers, no byte left over where none may be. It reads a value at a time off a struct reader
 * and never looks ahead.
 *
 * All functions fail with E_MALFORMED or E_TRUNCATED and say what was wanted, what is there, and
 * where. `what` names the value for the message ("SignerInfo version"). */

#include <stdbool.h>

#include "platform/base/err.h"
#include "platform/base/reader.h"

enum der_tag {
    DER_BOOLEAN = 0x01,
    DER_INTEGER = 0x02,
    DER_BIT_STRING = 0x03,
    DER_OCTET_STRING = 0x04,
    DER_NULL = 0x05,
    DER_OID = 0x06,
    DER_UTF8_STRING = 0x0C,
    DER_PRINTABLE_STRING = 0x13,
    DER_IA5_STRING = 0x16,
    DER_UTC_TIME = 0x17,
    DER_GENERALIZED_TIME = 0x18,
    DER_BMP_STRING = 0x1E,
    DER_SEQUENCE = 0x30,
    DER_SET = 0x31,
};
#define DER_CONTEXT(n) (0x80 | (n))             /* [n] primitive (IMPLICIT) */
#define DER_CONTEXT_CONSTRUCTED(n) (0xA0 | (n)) /* [n] constructed */

/* One value: its tag byte, the whole TLV, its content, and the content's offset. */
struct der {
    uint8_t tag;
    struct span whole;
    struct span content;
    uint64_t at; /* of the TLV */
};

static inline struct reader der_inside(const struct der *d)
{
    return reader_of(d->content, d->at + (uint64_t)(d->content.ptr - d->whole.ptr));
}

MUST_USE enum errc der_read_any(struct reader *r, const char *what, struct der *out,
                                struct err *err);
MUST_USE enum errc der_read(struct reader *r, uint8_t tag, const char *what, struct der *out,
                            struct err *err);

/* der_enter reads a value of this tag and gives a reader of its content. */
MUST_USE enum errc der_enter(struct reader *r, uint8_t tag, const char *what, struct reader *out,
                             struct err *err);

/* der_next_is looks at the next tag byte without reading. */
bool der_next_is(const struct reader *r, uint8_t tag);

/* der_end fails if something is left. */
MUST_USE enum errc der_end(const struct reader *r, const char *what, struct err *err);

/* der_read_integer gives the content of a minimal INTEGER; der_read_u32 a non-negative one that
 * fits. */
MUST_USE enum errc der_read_integer(struct reader *r, const char *what, struct span *out,
                                    struct err *err);
MUST_USE enum errc der_read_u32(struct reader *r, const char *what, uint32_t *out, struct err *err);
MUST_USE enum errc der_read_oid(struct reader *r, const char *what, struct span *out_content,
                                struct err *err);
MUST_USE enum errc der_read_octets(struct reader *r, const char *what, struct span *out_content,
                                   struct err *err);
MUST_USE enum errc der_read_boolean(struct reader *r, const char *what, bool *out, struct err *err);
/* der_read_bits gives the bytes of a BIT STRING whose unused bits are 0 in number. */
MUST_USE enum errc der_read_bits(struct reader *r, const char *what, struct span *out,
                                 struct err *err);

/* der_read_time reads UTCTime (RFC 5280's years 1950..2049) or GeneralizedTime, both with Z and
 * seconds; GeneralizedTime may have a fraction, whose last digit is not 0: *out_nanos, which may be
 * NULL. */
MUST_USE enum errc der_read_time(struct reader *r, const char *what, int64_t *out_unix_s,
                                 uint32_t *out_nanos, struct err *err);

/* der_check_exact walks all of `bytes` (constructed universal and context values to the bottom, at
 * most DER_DEPTH_MAX deep) and fails where something is not DER: lengths, BOOLEAN, INTEGER, BIT
 * STRING padding, NULL, OID, time forms, order of a SET OF is not included (see
 * der_check_set_order). */
#define DER_DEPTH_MAX 64
MUST_USE enum errc der_check_exact(struct span bytes, uint64_t at, const char *what,
                                   struct err *err);

/* der_check_set_order fails where the elements of a SET OF are not in ascending order of their
 * encodings. */
MUST_USE enum errc der_check_set_order(struct span set_content, uint64_t at, const char *what,
                                       struct err *err);

#endif
