/* The certificate table of a PE file: exactly one WIN_CERTIFICATE.
 *
 *   u32 dwLength   of the whole entry
 *   u16 0x0200     revision 2.0
 *   u16 2          PKCS SignedData
 *   the signature's DER
 *   zeros up to a multiple of 8, which dwLength counts or does not (makers do both)
 *
 * No hash covers the table, so every byte of it outside the DER has one right value. Whatever else
 * is behind the DER is where CVE-2013-3900 hides data. */

#include <inttypes.h>
#include <stdlib.h>

#include "platform/base/reader.h"
#include "verify/format_pe.h"

#define ENTRY_HEADER_LEN 8
#define REVISION_2_0 0x0200
#define TYPE_PKCS_SIGNED_DATA 2

/* How long the SEQUENCE at the start of `bytes` says it is. Lengths that are not in their shortest
 * form are for the reader of the signature to refuse. */
static enum errc measure_der(struct span bytes, uint64_t *out_len, struct err *err)
{
    struct reader r = reader_of(bytes, 0);
    uint8_t tag, first;
    if (!(reader_u8(&r, &tag) && reader_u8(&r, &first)))
        return err_set(err, E_MALFORMED, "the certificate table's entry is empty");
    if (tag != 0x30)
        return err_set(err, E_MALFORMED,
                       "the certificate table holds no signature: it begins with 0x%02x", tag);
    uint64_t len = first & 0x7F;
    if (first >= 0x80) {
        unsigned n_bytes = first & 0x7F;
        if (n_bytes == 0 || n_bytes > 4)
            return err_set(err, E_MALFORMED, "the signature's length is in %u bytes", n_bytes);
        len = 0;
        for (uint8_t byte; n_bytes > 0 && reader_u8(&r, &byte); n_bytes--)
            len = len << 8 | byte;
        if (n_bytes > 0)
            return err_set(err, E_MALFORMED, "the signature ends inside its length");
    }
    if (len > r.rest.len)
        return err_set(err, E_MALFORMED, "the signature has %zu bytes of %" PRIu64, r.rest.len,
                       len);
    *out_len = bytes.len - r.rest.len + len;
    return E_OK;
}

static enum errc check_entry_header(struct span table, uint32_t *out_len, struct err *err)
{
    struct reader r = reader_of(table, 0);
    uint16_t revision, type;
    if (!(reader_u32le(&r, out_len) && reader_u16le(&r, &revision) && reader_u16le(&r, &type)))
        return err_set(err, E_MALFORMED, "the certificate table has %zu bytes", table.len);
    if (*out_len < ENTRY_HEADER_LEN)
        return err_set(err, E_MALFORMED, "a certificate table entry of %" PRIu32 " bytes",
                       *out_len);
    if (revision != REVISION_2_0)
        return err_set(err, E_MALFORMED, "certificate table entry of revision 0x%04x", revision);
    if (type != TYPE_PKCS_SIGNED_DATA)
        return err_set(err, E_MALFORMED, "certificate table entry of type 0x%04x", type);
    return E_OK;
}

/* The table is the entry, rounded up to a multiple of 8. */
static enum errc check_entry_fills(struct span table, uint32_t entry_len, struct err *err)
{
    uint64_t rounded = ((uint64_t)entry_len + 7) / 8 * 8;
    if (rounded > table.len)
        return err_set(err, E_MALFORMED,
                       "a certificate table entry of %" PRIu32 " bytes in a table of %zu",
                       entry_len, table.len);
    if (rounded < table.len)
        return err_set(err, E_MALFORMED,
                       "%" PRIu64 " bytes follow the one entry of the certificate table",
                       table.len - rounded);
    return E_OK;
}

static enum errc check_padding(const struct pe *pe, struct span table, uint32_t entry_len,
                               uint64_t der_end, struct report *report, struct err *err)
{
    struct span rest = span_sub(table, (size_t)der_end, table.len - (size_t)der_end);
    bool counted = entry_len == table.len;
    bool right_length = rest.len <= 7 && (counted || entry_len == der_end);
    if (right_length && span_is_filled(rest, 0))
        return E_OK;
    findings_add(&report->findings, REASON_CERTIFICATE_TABLE_PADDING, WEIGHT_COVERAGE,
                 pe->table.at + der_end, "%zu %s bytes behind the signature", rest.len,
                 span_is_filled(rest, 0) ? "needless zero" : "unsigned");
    return report_uncovered(report, pe->table.at + der_end, rest.len, "certificate table padding",
                            err);
}

enum errc pe_table_read(struct pe *pe, struct report *report, struct err *err)
{
    if (pe->table.len > FORMAT_SIGNATURE_MAX)
        return err_set(err, E_LIMIT, "a certificate table of %" PRIu64 " bytes, limit %d",
                       pe->table.len, FORMAT_SIGNATURE_MAX);
    struct span table = span_of(NULL, (size_t)pe->table.len);
    table.ptr = pe->entry = malloc(table.len);
    if (pe->entry == NULL)
        return err_nomem(err);
    enum errc rc = source_read_at(pe->base.src, pe->table.at, pe->entry, table.len, err);
    uint32_t entry_len = 0;
    uint64_t der_len = 0;
    if (rc == E_OK)
        rc = check_entry_header(table, &entry_len, err);
    if (rc == E_OK)
        rc = check_entry_fills(table, entry_len, err);
    if (rc == E_OK)
        rc = measure_der(span_sub(table, ENTRY_HEADER_LEN, entry_len - ENTRY_HEADER_LEN), &der_len,
                         err);
    if (rc != E_OK)
        return rc;
    pe->der = span_sub(table, ENTRY_HEADER_LEN, (size_t)der_len);
    return check_padding(pe, table, entry_len, ENTRY_HEADER_LEN + der_len, report, err);
}
