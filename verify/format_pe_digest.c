/* One reading of a PE file for the Authenticode digest (all of it but CheckSum, the certificate
 * table and its directory entry) and for the checksum. */

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "platform/base/num.h"
#include "platform/base/reader.h"
#include "verify/format_pe.h"

#define BEHIND_TABLE_MAX (16 * 1024 * 1024)
#define SUM_BLOCK 4096 /* so few words that their sums fit 32 bits, and all of one known number */

struct pass {
    const struct pe *pe;
    struct hasher *hasher;
    uint64_t at;
    uint64_t sum; /* of the 16-bit words so far, in the machine's byte order */
};

enum errc pe_hash(const struct pe *pe, struct hasher *h, uint64_t at, struct span bytes,
                  struct err *err)
{
    enum errc rc = E_OK;
    for (size_t i = 0; i < pe->n_holes && rc == E_OK; i++) {
        struct region hole = pe->holes[i];
        uint64_t end = at + bytes.len, hole_end = hole.at + hole.len;
        if (hole_end <= at || hole.at >= end)
            continue;
        size_t before = hole.at > at ? (size_t)(hole.at - at) : 0;
        size_t skip = (size_t)(num_min(hole_end, end) - at);
        rc = hasher_add(h, span_sub(bytes, 0, before), err);
        bytes = span_sub(bytes, skip, bytes.len - skip);
        at += skip;
    }
    return rc == E_OK ? hasher_add(h, bytes, err) : rc;
}

/* The inner loop that compilers turn into vector code: it must not cost what hashing costs. */
static uint64_t sum_block(const uint8_t *block)
{
    uint32_t low = 0, high = 0;
    for (size_t i = 0; i < SUM_BLOCK / 4; i++) {
        uint32_t word;
        memcpy(&word, block + 4 * i, sizeof(word));
        low += word & 0xFFFF;
        high += word >> 16;
    }
    return (uint64_t)low + high;
}

/* `piece` starts at an even offset. Only the file's last one is not a multiple of SUM_BLOCK. */
static uint64_t sum_words(struct span piece)
{
    uint64_t sum = 0;
    size_t at = 0;
    for (; piece.len - at >= SUM_BLOCK; at += SUM_BLOCK)
        sum += sum_block(piece.ptr + at);
    if (at < piece.len) {
        uint8_t last[SUM_BLOCK] = { 0 };
        memcpy(last, piece.ptr + at, piece.len - at);
        sum += sum_block(last);
    }
    return sum;
}

static uint32_t fold(uint64_t sum)
{
    while (sum >> 16 != 0)
        sum = (sum & 0xFFFF) + (sum >> 16);
    return (uint32_t)sum;
}

static enum errc take_piece(void *ctx, struct span piece, struct err *err)
{
    struct pass *pass = ctx;
    if (pass->pe->checksum != 0)
        pass->sum += sum_words(piece);
    enum errc rc = pe_hash(pass->pe, pass->hasher, pass->at, piece, err);
    pass->at += piece.len;
    return rc;
}

/* The checksum is the ones' complement sum of all 16-bit words, CheckSum itself taken as zero, plus
 * the file's size. Such a sum does not depend on the byte order it is made in, so the bytes of the
 * native result are the little-endian one's. Its two forms of zero, 0 and 0xFFFF, both occur. */
static bool checksum_is_right(const struct pass *pass)
{
    uint16_t native = (uint16_t)fold(pass->sum);
    uint8_t bytes[2];
    memcpy(bytes, &native, sizeof(bytes));
    uint32_t stored = pass->pe->checksum, size = (uint32_t)pass->pe->base.src->size;
    uint32_t sum =
        fold((uint64_t)get_u16le(bytes) + (0xFFFF - (stored & 0xFFFF)) + (0xFFFF - (stored >> 16)));
    return stored == sum + size || (sum == 0xFFFF && stored == size);
}

static void check_checksum(const struct pass *pass, struct report *report)
{
    if (pass->pe->checksum != 0 && !checksum_is_right(pass))
        findings_add(&report->findings, REASON_CHECKSUM_MISMATCH, WEIGHT_COVERAGE,
                     pass->pe->checksum_at, "CheckSum is 0x%08" PRIx32 ", which is not the file's",
                     pass->pe->checksum);
}

/* Where the reading ends. What lies behind the table is hashed as well, but that it is there has
 * been refused already, and it may be terabytes of a hole. */
static uint64_t end_of(const struct pe *pe)
{
    uint64_t size = pe->base.src->size, end = pe->table.at + pe->table.len;
    return pe->table.len != 0 && size - end > BEHIND_TABLE_MAX ? end : size;
}

/* A file that was never signed is hashed (for catalogs) as signing would have padded it: with
 * zeroes to a multiple of 8. */
static enum errc add_padding(const struct pass *pass, struct err *err)
{
    static const uint8_t zeroes[8] = { 0 };
    size_t over = (size_t)(pass->pe->base.src->size % 8);
    if (pass->pe->table.len != 0 || over == 0)
        return E_OK;
    return hasher_add(pass->hasher, span_of(zeroes, 8 - over), err);
}

enum errc pe_digest(struct format *f, uint32_t algs, struct digest_set *out, struct report *report,
                    struct err *err)
{
    struct pass pass = { .pe = (const struct pe *)f };
    struct source *src = pass.pe->base.src;
    uint8_t *scratch = malloc(SOURCE_PIECE);
    enum errc rc = scratch == NULL ? err_nomem(err) : hasher_new(algs, &pass.hasher, err);
    if (rc == E_OK)
        rc = source_each(src, 0, end_of(pass.pe), scratch, take_piece, &pass, err);
    if (rc == E_OK)
        rc = add_padding(&pass, err);
    if (rc == E_OK)
        rc = hasher_finish(pass.hasher, out, err);
    if (rc == E_OK && pass.at == src->size)
        check_checksum(&pass, report);
    hasher_free(pass.hasher);
    free(scratch);
    return rc;
}
