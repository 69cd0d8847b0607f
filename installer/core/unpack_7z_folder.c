/* How a folder of a 7z is packed, see unpack_7z.h. libarchive 3.6.2 takes the first coder for what
 * packs and a second one for a filter behind it, whatever their bonds say; so these are the only
 * order and the only bond that are accepted, and they are what 7-Zip writes.
 *
 *   number of coders    [id's length and flags, id, [length of properties, properties]]...
 *   bond of input 1 to output 0, if there are two */

#include <inttypes.h>

#include "installer/core/unpack_7z_private.h"
#include "installer/core/unpack_frame.h"

#define CODERS_MAX 4 /* as libarchive has it; past it nobody says what they are */
#define LZMA_PROPERTIES_MAX (9 * 5 * 5) /* lc, lp and pb in one byte */
#define LZMA2_DICTIONARY_64_MIB 28      /* 2 << 25 bytes */
#define LZMA2_DICTIONARY_MAX 40
#define HOW_TO "pack with 7z -m0=lzma2:d=64m -mf=off"

enum flag { FLAG_ID_LEN = 0x0F, FLAG_COMPLEX = 0x10, FLAG_PROPERTIES = 0x20, FLAG_UNKNOWN = 0xC0 };

enum role { ROLE_PACKS, ROLE_FILTERS, ROLE_ENCRYPTS, ROLE_REFUSED };

struct method {
    const char *name;
    uint8_t id_len, id[4];
    enum role role;
    uint8_t properties_len;
};

static const struct method methods[] = {
    { "Copy", 1, { 0x00 }, ROLE_PACKS, 0 },
    { "LZMA", 3, { 0x03, 0x01, 0x01 }, ROLE_PACKS, 5 },
    { "LZMA2", 1, { 0x21 }, ROLE_PACKS, 1 },
    { "Deflate", 3, { 0x04, 0x01, 0x08 }, ROLE_PACKS, 0 },
    { "BCJ", 4, { 0x03, 0x03, 0x01, 0x03 }, ROLE_FILTERS, 0 },
    { "Delta", 1, { 0x03 }, ROLE_FILTERS, 1 },
    { "AES-256", 4, { 0x06, 0xF1, 0x07, 0x01 }, ROLE_ENCRYPTS, 0 },
    { "the cipher of zip", 4, { 0x06, 0xF1, 0x01, 0x01 }, ROLE_ENCRYPTS, 0 },
    { "the cipher of RAR", 4, { 0x06, 0xF1, 0x03, 0x03 }, ROLE_ENCRYPTS, 0 },
    { "PPMd", 3, { 0x03, 0x04, 0x01 }, ROLE_REFUSED, 0 },
    { "BZip2", 3, { 0x04, 0x02, 0x02 }, ROLE_REFUSED, 0 },
    { "Deflate64", 3, { 0x04, 0x01, 0x09 }, ROLE_REFUSED, 0 },
    { "BCJ2", 4, { 0x03, 0x03, 0x01, 0x1B }, ROLE_REFUSED, 0 },
    { "the filter of ARM64", 1, { 0x0A }, ROLE_REFUSED, 0 },
    { "Zstandard", 4, { 0x04, 0xF7, 0x11, 0x01 }, ROLE_REFUSED, 0 },
};
enum known { COPY, LZMA, LZMA2, DEFLATE, BCJ, DELTA }; /* the first of them */

static enum errc find_method(struct span id, const struct method **out, struct err *err)
{
    uint32_t number = 0;
    for (size_t i = 0; i < ARRAY_LEN(methods); i++)
        if (span_equal(id, span_of(methods[i].id, methods[i].id_len))) {
            *out = &methods[i];
            return E_OK;
        }
    for (size_t i = 0; i < id.len && i < 4; i++)
        number = number << 8 | id.ptr[i];
    return err_set(err, E_UNSUPPORTED,
                   "7z: packed by a method that is not read (id of %zu bytes, 0x%" PRIx32
                   "): " HOW_TO,
                   id.len, number);
}

static enum errc check_role(const struct method *m, struct err *err)
{
    switch (m->role) {
    case ROLE_PACKS:
    case ROLE_FILTERS: return E_OK;
    case ROLE_ENCRYPTS:
        return err_set(err, E_MALFORMED, "7z: is encrypted (%s): pack without a password", m->name);
    case ROLE_REFUSED: break;
    }
    return err_set(err, E_UNSUPPORTED, "7z: packed by %s, which is not read: " HOW_TO, m->name);
}

static enum errc check_dictionary(const char *name, bool is_too_large, struct err *err)
{
    if (is_too_large)
        return err_set(err, E_LIMIT,
                       "7z: unpacking %s needs a larger dictionary than %u bytes, which is the "
                       "limit: " HOW_TO,
                       name, UNPACK_WINDOW_MAX);
    return E_OK;
}

/* The memory that a decoder takes is what its properties say. */
static enum errc check_properties(const struct method *m, struct span p, struct err *err)
{
    if (p.len != m->properties_len)
        return err_set(err, E_MALFORMED, "7z: %s with %zu bytes of properties, not %u", m->name,
                       p.len, m->properties_len);
    if (m == &methods[LZMA] && p.ptr[0] >= LZMA_PROPERTIES_MAX)
        return err_set(err, E_MALFORMED, "7z: LZMA with parameters that it cannot have, 0x%02x",
                       p.ptr[0]);
    if (m == &methods[LZMA])
        return check_dictionary(m->name, get_u32le(p.ptr + 1) > UNPACK_WINDOW_MAX, err);
    if (m == &methods[LZMA2] && p.ptr[0] > LZMA2_DICTIONARY_MAX)
        return err_set(err, E_MALFORMED, "7z: LZMA2 with a dictionary that it cannot have, 0x%02x",
                       p.ptr[0]);
    if (m == &methods[LZMA2])
        return check_dictionary(m->name, p.ptr[0] > LZMA2_DICTIONARY_64_MIB, err);
    return E_OK;
}

static enum errc take_properties(struct reader *r, struct span *out, struct err *err)
{
    uint64_t len;
    enum errc rc = unpack_7z_take_number(r, &len, err);
    return rc == E_OK ? unpack_7z_take_bytes(r, len, out, err) : rc;
}

static enum errc take_coder(struct reader *r, const struct method **out, struct err *err)
{
    struct span id, properties = { 0 };
    uint8_t flags;
    enum errc rc = unpack_7z_take_byte(r, &flags, err);
    if (rc == E_OK && (flags & FLAG_UNKNOWN) != 0)
        return err_set(err, E_UNSUPPORTED, "7z: a coder with flags that nobody knows, 0x%02x",
                       flags);
    if (rc == E_OK)
        rc = unpack_7z_take_bytes(r, flags & FLAG_ID_LEN, &id, err);
    if (rc == E_OK)
        rc = find_method(id, out, err);
    if (rc == E_OK)
        rc = check_role(*out, err);
    if (rc == E_OK && (flags & FLAG_COMPLEX) != 0)
        return err_set(err, E_MALFORMED, "7z: %s with other than one input and one output",
                       (*out)->name);
    if (rc == E_OK && (flags & FLAG_PROPERTIES) != 0)
        rc = take_properties(r, &properties, err);
    return rc == E_OK ? check_properties(*out, properties, err) : rc;
}

static enum errc take_bond(struct reader *r, struct err *err)
{
    uint64_t in = 0, out = 0;
    enum errc rc = unpack_7z_take_number(r, &in, err);
    if (rc == E_OK)
        rc = unpack_7z_take_number(r, &out, err);
    if (rc == E_OK && (in != 1 || out != 0))
        return err_set(err, E_MALFORMED,
                       "7z: input %" PRIu64 " bound to output %" PRIu64
                       ", and not the filter's to what unpacks",
                       in, out);
    return rc;
}

static enum errc check_order(const struct method *const *coders, uint64_t n, struct err *err)
{
    if (coders[0]->role != ROLE_PACKS)
        return err_set(err, E_MALFORMED, "7z: a folder whose first coder is %s, a filter",
                       coders[0]->name);
    if (n > 2)
        return err_set(
            err, E_UNSUPPORTED,
            "7z: a folder of %" PRIu64 " coders, more than a method and a filter: " HOW_TO, n);
    if (n == 2 && coders[1]->role != ROLE_FILTERS)
        return err_set(err, E_UNSUPPORTED, "7z: packed twice, by %s and %s: " HOW_TO,
                       coders[0]->name, coders[1]->name);
    if (n == 2 && coders[1] == &methods[DELTA] && coders[0] != &methods[LZMA] &&
        coders[0] != &methods[LZMA2])
        return err_set(err, E_UNSUPPORTED, "7z: Delta over %s, which is not read: " HOW_TO,
                       coders[0]->name);
    return E_OK;
}

enum errc unpack_7z_take_folder(struct reader *r, struct unpack_7z_folder *out, struct err *err)
{
    const struct method *coders[CODERS_MAX] = { NULL };
    uint64_t n;
    enum errc rc = unpack_7z_take_number(r, &n, err);
    if (rc == E_OK && n == 0)
        return err_set(err, E_MALFORMED, "7z: a folder of no coders");
    if (rc == E_OK && n > CODERS_MAX)
        return err_set(err, E_MALFORMED, "7z: a folder of %" PRIu64 " coders, the limit is %d", n,
                       CODERS_MAX);
    for (uint64_t i = 0; rc == E_OK && i < n; i++)
        rc = take_coder(r, &coders[i], err);
    if (rc == E_OK)
        rc = check_order(coders, n, err);
    if (rc == E_OK && n == 2)
        rc = take_bond(r, err);
    if (rc != E_OK)
        return rc;
    out->n_coders = (uint8_t)n;
    out->is_copy = coders[0] == &methods[COPY];
    return E_OK;
}
