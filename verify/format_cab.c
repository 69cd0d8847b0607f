/* A cabinet that is signed as a whole. cab.h draws it and says which bytes the digest covers. */

#include <inttypes.h>
#include <stdlib.h>

#include "verify/cab.h"
#include "verify/der.h"
#include "verify/format.h"

#define PADDING_TO 8

struct cab {
    struct format_base base;
    struct cab_header header;
    uint8_t *signature; /* header.sig_size bytes, NULL where there is none */
    struct span der;
};

static bool sniff(struct source *src, struct span head)
{
    UNUSED(src);
    return span_starts_with(head, span_text("MSCF"));
}

static void close_cab(struct format *f)
{
    struct cab *cab = (struct cab *)(void *)f;
    if (cab == NULL)
        return;
    free(cab->signature);
    free(cab);
}

/* What follows a cabinet with a reserve may be a signature whose mark was altered: that is no
 * unsigned file. A cabinet without one never was signed, whatever follows it. */
static enum errc check_unsigned(const struct cab *cab, struct report *report, struct err *err)
{
    const struct cab_header *h = &cab->header;
    uint64_t size = cab->base.src->size;
    if (size < h->size)
        return err_set(err, E_TRUNCATED, "CAB: %" PRIu64 " bytes, its header says %" PRIu32, size,
                       h->size);
    if (size == h->size)
        return E_OK;
    if ((h->flags & CAB_HAS_RESERVE) != 0)
        return err_set(err, E_MALFORMED,
                       "CAB: %" PRIu64 " bytes follow the cabinet, and it names no signature",
                       size - h->size);
    findings_add(&report->findings, REASON_TRAILING_DATA, WEIGHT_NOTE, h->size,
                 "CAB: %" PRIu64 " bytes follow the cabinet", size - h->size);
    return E_OK;
}

/* The signature fills the file from its offset to the end. */
static enum errc check_place(const struct cab *cab, struct report *report, struct err *err)
{
    const struct cab_header *h = &cab->header;
    uint64_t size = cab->base.src->size;
    if (h->sig_size == 0)
        return err_set(err, E_MALFORMED, "CAB: the signature has no bytes");
    if (h->sig_size > FORMAT_SIGNATURE_MAX)
        return err_set(err, E_LIMIT, "CAB: signature of %" PRIu32 " bytes, limit %d", h->sig_size,
                       FORMAT_SIGNATURE_MAX);
    if (h->sig_at < CAB_SIGNED_HEADER_LEN)
        return err_set(err, E_MALFORMED, "CAB: the signature lies over the header");
    if (h->sig_at > size || h->sig_size > size - h->sig_at)
        return err_set(err, E_MALFORMED,
                       "CAB: signature of %" PRIu32 " bytes at %" PRIu32 " ends outside the file",
                       h->sig_size, h->sig_at);
    uint64_t end = (uint64_t)h->sig_at + h->sig_size;
    if (end == size)
        return E_OK;
    findings_add(&report->findings, REASON_TRAILING_DATA, WEIGHT_FATAL, end,
                 "CAB: %" PRIu64 " bytes follow the signature", size - end);
    return report_uncovered(report, end, size - end, "after the signature", err);
}

/* After the DER come the zero bytes that fill it up to a multiple of 8, and no more. */
static enum errc check_padding(const struct cab *cab, struct span padding, struct report *report,
                               struct err *err)
{
    uint64_t at = (uint64_t)cab->header.sig_at + cab->der.len;
    if (cab->header.sig_size % PADDING_TO != 0)
        findings_add(&report->findings, REASON_MALFORMED, WEIGHT_COVERAGE, 48,
                     "CAB: the signature's size is %" PRIu32 ", no multiple of %d",
                     cab->header.sig_size, PADDING_TO);
    if (padding.len < PADDING_TO && span_is_filled(padding, 0))
        return E_OK;
    findings_add(&report->findings, REASON_TRAILING_DATA, WEIGHT_COVERAGE, at,
                 "CAB: %zu bytes behind the signature's DER are not its padding", padding.len);
    return report_uncovered(report, at, padding.len, "behind the signature's DER", err);
}

static enum errc read_signature(struct cab *cab, struct report *report, struct err *err)
{
    const struct cab_header *h = &cab->header;
    cab->signature = malloc(h->sig_size);
    if (cab->signature == NULL)
        return err_nomem(err);
    enum errc rc = source_read_at(cab->base.src, h->sig_at, cab->signature, h->sig_size, err);
    if (rc != E_OK)
        return rc;
    struct reader r = reader_of(span_of(cab->signature, h->sig_size), h->sig_at);
    struct der der;
    rc = der_read(&r, DER_SEQUENCE, "CAB signature", &der, err);
    if (rc != E_OK)
        return rc;
    cab->der = der.whole;
    return check_padding(cab, r.rest, report, err);
}

static enum errc open_signed(struct cab *cab, struct report *report, struct err *err)
{
    enum errc rc = check_place(cab, report, err);
    if (rc == E_OK)
        rc = read_signature(cab, report, err);
    if (rc != E_OK)
        return rc;
    size_t n_before = report->findings.n;
    cab_check_header(&cab->header, &report->findings);
    if (report->findings.n > n_before)
        return E_OK; /* refused already; the folders may lie elsewhere */
    return cab_check_folders(cab->base.src, &cab->header, err);
}

static enum errc open_cab(struct source *src, struct report *report, struct format **out,
                          struct err *err)
{
    struct cab *cab = calloc(1, sizeof(*cab));
    if (cab == NULL)
        return err_nomem(err);
    cab->base = (struct format_base){ &format_cab, src };
    enum errc rc = cab_read_header(src, &cab->header, err);
    if (rc == E_OK)
        rc = cab_names_signature(&cab->header) ? open_signed(cab, report, err)
                                               : check_unsigned(cab, report, err);
    if (rc != E_OK) {
        close_cab((struct format *)(void *)cab);
        return rc;
    }
    *out = (struct format *)(void *)cab;
    return E_OK;
}

static enum errc signature(struct format *f, struct format_signature *out, struct err *err)
{
    const struct cab *cab = (const struct cab *)(const void *)f;
    if (cab->signature == NULL)
        return err_set(err, E_ABSENT, "CAB: not signed");
    *out = (struct format_signature){ cab->der, cab->header.sig_at };
    return E_OK;
}

/* Which bytes are hashed. For a cabinet without a reserve, which was never signed (its digest is
 * for catalogs), that is all but reserved1, iCabinet too. */
static void list_parts(const struct cab *cab, struct region parts[3])
{
    const struct cab_header *h = &cab->header;
    uint64_t end = cab->signature != NULL ? h->sig_at : cab->base.src->size;
    bool has_reserve = h->header_reserve == CAB_RESERVE_LEN;
    uint64_t rest_at = has_reserve ? 56 : CAB_HEADER_LEN;
    parts[0] = (struct region){ 0, 4 };
    parts[1] = (struct region){ 8, has_reserve ? 26 : CAB_HEADER_LEN - 8 };
    parts[2] = (struct region){ rest_at, end - rest_at };
}

static enum errc add_loose(uint64_t at, uint64_t value, struct report *report, struct err *err)
{
    if (value == 0)
        return E_OK;
    findings_add(&report->findings, REASON_UNCOVERED_DATA, WEIGHT_COVERAGE, at,
                 "CAB: a field of the header that no hash covers has not its only right value");
    return report_uncovered(report, at, 4, "field of the cabinet's header", err);
}

/* check_unhashed: open has compared what the digest of a signed cabinet leaves out. In one that is
 * listed in a catalog, and not signed, it must say nothing either. */
static enum errc check_unhashed(const struct cab *cab, struct report *report, struct err *err)
{
    const struct cab_header *h = &cab->header;
    if (cab->signature != NULL)
        return E_OK;
    enum errc rc = add_loose(4, h->reserved1, report, err);
    if (rc != E_OK || h->header_reserve != CAB_RESERVE_LEN)
        return rc;
    if (h->number != 0 || h->folder_reserve != 0 || h->data_reserve != 0)
        findings_add(&report->findings, REASON_MALFORMED, WEIGHT_FATAL, 34,
                     "CAB: a place in a set, or a reserve of folders or blocks, that no hash "
                     "covers");
    rc = add_loose(40, h->marker ^ CAB_MARKER, report, err);
    return rc == E_OK ? add_loose(52, h->tail & UINT32_MAX, report, err) : rc;
}

static enum errc digest(struct format *f, uint32_t algs, struct digest_set *out,
                        struct report *report, struct err *err)
{
    const struct cab *cab = (const struct cab *)(const void *)f;
    struct region parts[3];
    list_parts(cab, parts);
    struct hasher *h = NULL;
    enum errc rc = check_unhashed(cab, report, err);
    if (rc == E_OK)
        rc = hasher_new(algs, &h, err);
    for (size_t i = 0; i < ARRAY_LEN(parts) && rc == E_OK; i++)
        rc = hasher_add_source(h, cab->base.src, parts[i].at, parts[i].len, err);
    if (rc == E_OK)
        rc = hasher_finish(h, out, err);
    hasher_free(h);
    return rc;
}

static void binding(const struct format *f, struct spc_binding *out)
{
    UNUSED(f);
    *out = (struct spc_binding){ .type = OID_SPC_CAB_DATA };
}

const struct format_ops format_cab = {
    .kind = KIND_CAB,
    .word = "cab",
    .sniff = sniff,
    .open = open_cab,
    .signature = signature,
    .digest = digest,
    .binding = binding,
    .close = close_cab,
};
