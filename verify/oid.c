#include "verify/oid.h"

#include <stdbool.h>
#include <string.h>

#include "platform/base/text.h"

/* All that we know fit easily; what is longer is unknown. */
#define KNOWN_TEXT_ROOM 48
#define ARC_MAX (UINT64_MAX >> 7)

static const struct {
    enum oid oid;
    const char *dotted;
} known[] = {
#define X(name, dotted) { OID_##name, dotted },
    OIDS(X)
#undef X
};

/* take_arc reads one subidentifier in its shortest form (X.690 8.19.2). */
static bool take_arc(struct span *s, uint64_t *out)
{
    uint64_t arc = 0;
    for (size_t i = 0; i < s->len; i++) {
        uint8_t byte = s->ptr[i];
        if (arc > ARC_MAX || (i == 0 && byte == 0x80))
            return false;
        arc = (arc << 7) | (byte & 0x7FU);
        if ((byte & 0x80) == 0) {
            *s = span_sub(*s, i + 1, s->len);
            *out = arc;
            return true;
        }
    }
    return false;
}

/* put_number writes decimal digits behind *len; false where they and a NUL do not fit. */
static bool put_number(uint64_t n, char *to, size_t room, size_t *len)
{
    char digits[20];
    size_t n_digits = 0;
    do {
        digits[n_digits++] = (char)('0' + n % 10);
        n /= 10;
    } while (n > 0);
    if (n_digits >= room - *len)
        return false;
    while (n_digits > 0)
        to[(*len)++] = digits[--n_digits];
    to[*len] = '\0';
    return true;
}

static bool put_dot_number(uint64_t n, char *to, size_t room, size_t *len)
{
    if (room - *len < 2)
        return false;
    to[(*len)++] = '.';
    return put_number(n, to, room, len);
}

enum write_result { WRITTEN, BAD_BYTES, NO_ROOM };

static enum write_result write_dotted(struct span content, char *to, size_t room, size_t *len)
{
    uint64_t arc;
    *len = 0;
    if (!take_arc(&content, &arc))
        return BAD_BYTES;
    uint64_t first = arc < 80 ? arc / 40 : 2;
    if (!put_number(first, to, room, len) || !put_dot_number(arc - first * 40, to, room, len))
        return NO_ROOM;
    while (content.len > 0) {
        if (!take_arc(&content, &arc))
            return BAD_BYTES;
        if (!put_dot_number(arc, to, room, len))
            return NO_ROOM;
    }
    return WRITTEN;
}

enum oid oid_of(struct span content)
{
    char text[KNOWN_TEXT_ROOM];
    size_t len;
    if (write_dotted(content, text, sizeof(text), &len) != WRITTEN)
        return OID_UNKNOWN;
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (strcmp(known[i].dotted, text) == 0)
            return known[i].oid;
    return OID_UNKNOWN;
}

enum digest_alg oid_digest(enum oid oid)
{
    switch (oid) {
    case OID_MD5: return DIGEST_MD5;
    case OID_SHA1: return DIGEST_SHA1;
    case OID_SHA256: return DIGEST_SHA256;
    case OID_SHA384: return DIGEST_SHA384;
    case OID_SHA512: return DIGEST_SHA512;
    default: return DIGEST_NONE;
    }
}

const char *oid_text(struct span content, char *to, size_t room)
{
    static const char dots[] = "...";
    size_t len;
    if (room < 8)
        return "";
    switch (write_dotted(content, to, room, &len)) {
    case WRITTEN: break;
    case BAD_BYTES: text_copy(to, room, "(bad OID)"); break;
    case NO_ROOM:
        if (len > room - sizeof(dots))
            len = room - sizeof(dots);
        memcpy(to + len, dots, sizeof(dots));
        break;
    }
    return to;
}

static bool take_decimal(const char **text, uint64_t *out)
{
    const char *p = *text;
    uint64_t n = 0;
    if (*p < '0' || *p > '9' || (p[0] == '0' && p[1] >= '0' && p[1] <= '9'))
        return false;
    for (; *p >= '0' && *p <= '9'; p++) {
        if (n > ARC_MAX / 10)
            return false;
        n = n * 10 + (uint64_t)(*p - '0');
    }
    *text = p;
    *out = n;
    return true;
}

static bool put_arc(uint64_t arc, uint8_t *to, size_t room, size_t *len)
{
    size_t n = 1;
    while (n < 10 && (arc >> (7 * n)) != 0)
        n++;
    if (n > room - *len)
        return false;
    while (n-- > 0)
        to[(*len)++] = (uint8_t)(((arc >> (7 * n)) & 0x7F) | (n > 0 ? 0x80U : 0U));
    return true;
}

enum errc oid_from_text(const char *dotted, uint8_t *to, size_t room, size_t *out_len,
                        struct err *err)
{
    const char *p = dotted;
    uint64_t first, arc;
    size_t len = 0;
    if (!take_decimal(&p, &first) || first > 2)
        return err_set(err, E_ARGUMENT, "an OID begins with 0, 1 or 2");
    if (*p++ != '.' || !take_decimal(&p, &arc))
        return err_set(err, E_ARGUMENT, "an OID needs a second number");
    if (first < 2 && arc >= 40)
        return err_set(err, E_ARGUMENT, "an OID's second number is below 40 after 0 and 1");
    arc += first * 40;
    for (;;) {
        if (!put_arc(arc, to, room, &len))
            return err_set(err, E_LIMIT, "an OID of more than %zu bytes", room);
        if (*p == '\0')
            break;
        if (*p++ != '.' || !take_decimal(&p, &arc))
            return err_set(err, E_ARGUMENT, "an OID is numbers with single dots between them");
    }
    *out_len = len;
    return E_OK;
}
