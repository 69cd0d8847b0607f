#include "verify/format_pe.h"

#include <inttypes.h>
#include <stdlib.h>

#include "platform/base/num.h"
#include "platform/base/reader.h"

#define DOS_HEADER_LEN 64
#define LFANEW_AT 60
#define NT_HEADER_LEN 24 /* "PE\0\0" and the COFF header */
#define OPTIONAL_LEN_MAX 240
#define DIRECTORIES_MAX 16
#define DIRECTORY_LEN 8
#define SECURITY_DIRECTORY 4
#define SECTION_HEADER_LEN 40

/* The headers' numbers that are of no more use once the file is open. */
struct headers {
    uint32_t pe_at; /* e_lfanew */
    uint16_t n_sections;
    uint16_t optional_len;
    uint64_t sections_at, sections_end; /* of the section headers */
    bool has_security;
    uint32_t security_at, security_len; /* the directory entry's two numbers */
};

/* A program of DOS times: its header, e_cparhdr paragraphs of 16 bytes, ends before e_lfanew, so it
 * has no field that could lead anywhere. It can carry no signature. */
static bool is_dos_program(struct span head)
{
    uint16_t paragraphs = head.len < DOS_HEADER_LEN ? 0 : get_u16le(head.ptr + 8);
    return paragraphs == 2 || paragraphs == 3;
}

static bool sniff(struct source *src, struct span head)
{
    static const uint8_t nt_magic[4] = { 'P', 'E', 0, 0 };
    uint8_t magic[4];
    if (head.len < DOS_HEADER_LEN || !span_starts_with(head, span_text("MZ")))
        return false;
    if (is_dos_program(head))
        return true;
    uint32_t pe_at = get_u32le(head.ptr + LFANEW_AT);
    return source_read_at(src, pe_at, magic, sizeof(magic), NULL) == E_OK &&
           span_equal(span_of(magic, sizeof(magic)), span_of(nt_magic, sizeof(nt_magic)));
}

static enum errc read_dos_header(struct source *src, struct headers *h, struct err *err)
{
    uint8_t bytes[DOS_HEADER_LEN];
    enum errc rc = source_read_at(src, 0, bytes, sizeof(bytes), err);
    if (rc != E_OK)
        return rc;
    if (bytes[0] != 'M' || bytes[1] != 'Z')
        return err_set(err, E_MALFORMED, "no DOS header");
    h->pe_at = get_u32le(bytes + LFANEW_AT);
    if (h->pe_at < DOS_HEADER_LEN)
        return err_set(err, E_MALFORMED, "e_lfanew is %" PRIu32 ", inside the DOS header",
                       h->pe_at);
    if (h->pe_at % 4 != 0)
        return err_set(err, E_MALFORMED, "e_lfanew is %" PRIu32 ", not a multiple of 4", h->pe_at);
    return E_OK;
}

static enum errc read_coff_header(struct source *src, struct headers *h, struct err *err)
{
    uint8_t bytes[NT_HEADER_LEN];
    enum errc rc = source_read_at(src, h->pe_at, bytes, sizeof(bytes), err);
    if (rc != E_OK)
        return rc;
    if (get_u32le(bytes) != 0x00004550)
        return err_set(err, E_MALFORMED, "no PE signature at %" PRIu32, h->pe_at);
    h->n_sections = get_u16le(bytes + 6);
    h->optional_len = get_u16le(bytes + 20);
    h->sections_at = (uint64_t)h->pe_at + NT_HEADER_LEN + h->optional_len;
    h->sections_end = h->sections_at + (uint64_t)h->n_sections * SECTION_HEADER_LEN;
    if (h->n_sections > PE_SECTIONS_MAX)
        return err_set(err, E_LIMIT, "%u sections, limit %d", h->n_sections, PE_SECTIONS_MAX);
    return E_OK;
}

/* The optional header's length must be what its magic and its number of directories come to. */
static enum errc check_directories(const struct headers *h, size_t fixed_len, uint32_t n_dirs,
                                   struct report *report, struct err *err)
{
    if (n_dirs > DIRECTORIES_MAX)
        return err_set(err, E_MALFORMED, "%" PRIu32 " data directories, there are %d", n_dirs,
                       DIRECTORIES_MAX);
    size_t needed = fixed_len + n_dirs * DIRECTORY_LEN;
    if (h->optional_len < needed)
        return err_set(err, E_MALFORMED,
                       "the optional header has %u bytes, its %" PRIu32 " directories end at %zu",
                       h->optional_len, n_dirs, needed);
    if (h->optional_len > needed)
        findings_add(&report->findings, REASON_MALFORMED, WEIGHT_LENIENT, h->pe_at,
                     "the optional header has %u bytes, its %" PRIu32 " directories end at %zu",
                     h->optional_len, n_dirs, needed);
    return E_OK;
}

static void add_hole(struct pe *pe, uint64_t at, uint64_t len)
{
    pe->holes[pe->n_holes++] = (struct region){ at, len };
}

static enum errc read_optional_header(struct pe *pe, struct headers *h, struct report *report,
                                      struct err *err)
{
    uint8_t bytes[OPTIONAL_LEN_MAX] = { 0 };
    uint64_t at = (uint64_t)h->pe_at + NT_HEADER_LEN;
    size_t len = (size_t)num_min(h->optional_len, sizeof(bytes));
    enum errc rc = source_read_at(pe->base.src, at, bytes, len, err);
    if (rc != E_OK)
        return rc;

    uint16_t magic = get_u16le(bytes);
    if (magic != 0x10B && magic != 0x20B)
        return err_set(err, E_MALFORMED, "the optional header's magic is 0x%x", magic);
    size_t fixed_len = magic == 0x20B ? 112 : 96;
    if (len < fixed_len)
        return err_set(err, E_MALFORMED, "the optional header has %zu bytes of %zu", len,
                       fixed_len);
    uint32_t n_dirs = get_u32le(bytes + fixed_len - 4);
    rc = check_directories(h, fixed_len, n_dirs, report, err);
    if (rc != E_OK)
        return rc;

    pe->headers_size = get_u32le(bytes + 60);
    pe->checksum = get_u32le(bytes + 64);
    pe->checksum_at = at + 64;
    add_hole(pe, pe->checksum_at, 4);
    if (n_dirs > SECURITY_DIRECTORY) {
        size_t entry = fixed_len + SECURITY_DIRECTORY * DIRECTORY_LEN;
        h->has_security = true;
        h->security_at = get_u32le(bytes + entry);
        h->security_len = get_u32le(bytes + entry + 4);
        add_hole(pe, at + entry, DIRECTORY_LEN);
    }
    return E_OK;
}

/* A directory entry of two zeros says that there is no table. Anything else names one, and it is
 * there or the file is broken: it never counts as unsigned. */
static enum errc locate_table(struct pe *pe, const struct headers *h, struct report *report,
                              struct err *err)
{
    if (!h->has_security || (h->security_at == 0 && h->security_len == 0))
        return E_OK;
    uint64_t size = pe->base.src->size, at = h->security_at, len = h->security_len;
    if (len == 0)
        return err_set(err, E_MALFORMED, "an empty certificate table at %" PRIu64, at);
    if (at % 8 != 0)
        return err_set(err, E_MALFORMED,
                       "the certificate table is at %" PRIu64 ", not a multiple of 8", at);
    if (at < h->sections_end)
        return err_set(err, E_MALFORMED,
                       "the certificate table is at %" PRIu64 ", inside the headers", at);
    if (at > size || len > size - at)
        return err_set(err, E_MALFORMED,
                       "the certificate table, %" PRIu64 " bytes at %" PRIu64
                       ", reaches past the end at %" PRIu64,
                       len, at, size);
    if (len < size - at)
        findings_add(&report->findings, REASON_TRAILING_DATA, WEIGHT_FATAL, at + len,
                     "%" PRIu64 " bytes follow the certificate table", size - at - len);
    pe->table = (struct region){ at, len };
    add_hole(pe, at, len);
    return E_OK;
}

/* Where the headers and the sections must end: at the certificate table, else with the file. */
static uint64_t content_end(const struct pe *pe)
{
    return pe->table.len > 0 ? pe->table.at : pe->base.src->size;
}

static enum errc check_headers_size(const struct pe *pe, const struct headers *h, struct err *err)
{
    if (h->sections_end > content_end(pe))
        return err_set(err, E_TRUNCATED, "%u section headers end at %" PRIu64 ", past the content",
                       h->n_sections, h->sections_end);
    if (pe->headers_size < h->sections_end)
        return err_set(err, E_MALFORMED,
                       "SizeOfHeaders is %" PRIu64 ", the section headers end at %" PRIu64,
                       pe->headers_size, h->sections_end);
    if (pe->headers_size > content_end(pe))
        return err_set(err, E_MALFORMED,
                       "SizeOfHeaders is %" PRIu64 ", the content ends at %" PRIu64,
                       pe->headers_size, content_end(pe));
    return E_OK;
}

/* Raw data may begin before SizeOfHeaders (packers do that), never before the section headers' end.
 */
static enum errc check_section(const struct pe *pe, const struct headers *h, struct region raw,
                               unsigned i, struct err *err)
{
    uint64_t end = content_end(pe);
    if (raw.at < h->sections_end)
        return err_set(err, E_MALFORMED, "section %u begins at %" PRIu64 ", inside the headers", i,
                       raw.at);
    if (raw.at > end || raw.len > end - raw.at)
        return err_set(err, E_MALFORMED,
                       "section %u, %" PRIu64 " bytes at %" PRIu64
                       ", reaches past the content's end at %" PRIu64,
                       i, raw.len, raw.at, end);
    for (size_t k = 0; k < pe->n_sections; k++) {
        struct region other = pe->sections[k];
        if (raw.at < other.at + other.len && other.at < raw.at + raw.len)
            return err_set(err, E_MALFORMED,
                           "section %u at %" PRIu64 " overlaps the one at %" PRIu64, i, raw.at,
                           other.at);
    }
    return E_OK;
}

static enum errc read_section(struct pe *pe, const struct headers *h, unsigned i,
                              struct report *report, struct err *err)
{
    uint8_t bytes[SECTION_HEADER_LEN];
    uint64_t at = h->sections_at + (uint64_t)i * SECTION_HEADER_LEN;
    enum errc rc = source_read_at(pe->base.src, at, bytes, sizeof(bytes), err);
    if (rc != E_OK)
        return rc;
    struct region raw = { .at = get_u32le(bytes + 20), .len = get_u32le(bytes + 16) };
    if (raw.at == 0 || raw.len == 0)
        return E_OK; /* nothing in the file: uninitialised data */
    rc = check_section(pe, h, raw, i, err);
    if (rc != E_OK)
        return rc;
    if (pe->n_sections > 0 && raw.at < pe->sections[pe->n_sections - 1].at)
        findings_add(&report->findings, REASON_MALFORMED, WEIGHT_LENIENT, at,
                     "the sections are not in the order of their data");
    pe->sections[pe->n_sections++] = raw;
    return E_OK;
}

static enum errc read_sections(struct pe *pe, const struct headers *h, struct report *report,
                               struct err *err)
{
    pe->sections = calloc((size_t)h->n_sections + 1, sizeof(*pe->sections));
    if (pe->sections == NULL)
        return err_nomem(err);
    enum errc rc = E_OK;
    for (unsigned i = 0; i < h->n_sections && rc == E_OK; i++)
        rc = read_section(pe, h, i, report, err);
    return rc;
}

static enum errc read_pe(struct pe *pe, struct report *report, struct err *err)
{
    struct headers h = { 0 };
    enum errc rc = read_dos_header(pe->base.src, &h, err);
    if (rc == E_OK)
        rc = read_coff_header(pe->base.src, &h, err);
    if (rc == E_OK)
        rc = read_optional_header(pe, &h, report, err);
    if (rc == E_OK)
        rc = locate_table(pe, &h, report, err);
    if (rc == E_OK)
        rc = check_headers_size(pe, &h, err);
    if (rc == E_OK)
        rc = read_sections(pe, &h, report, err);
    if (rc == E_OK && pe->table.len > 0)
        rc = pe_table_read(pe, report, err);
    if (rc != E_OK)
        (void)err_prefix(err, "PE: ");
    return rc;
}

static void close_pe(struct format *f)
{
    struct pe *pe = (struct pe *)f;
    if (pe == NULL)
        return;
    free(pe->sections);
    free(pe->entry);
    free(pe);
}

static enum errc open_pe(struct source *src, struct report *report, struct format **out,
                         struct err *err)
{
    struct pe *pe = calloc(1, sizeof(*pe));
    if (pe == NULL)
        return err_nomem(err);
    pe->base = (struct format_base){ &format_pe, src };
    uint8_t head[DOS_HEADER_LEN];
    enum errc rc = source_read_at(src, 0, head, sizeof(head), err);
    if (rc == E_OK && !is_dos_program(span_of(head, sizeof(head))))
        rc = read_pe(pe, report, err);
    if (rc == E_OK)
        *out = (struct format *)pe;
    else
        close_pe((struct format *)pe);
    return rc;
}

static enum errc get_signature(struct format *f, struct format_signature *out, struct err *err)
{
    const struct pe *pe = (const struct pe *)f;
    if (pe->table.len == 0)
        return err_set(err, E_ABSENT, "PE: no certificate table");
    *out = (struct format_signature){ .der = pe->der,
                                      .at = pe->table.at + (uint64_t)(pe->der.ptr - pe->entry) };
    return E_OK;
}

static void get_binding(const struct format *f, struct spc_binding *out)
{
    UNUSED(f);
    *out = (struct spc_binding){ .type = OID_SPC_PE_IMAGE_DATA };
}

const struct format_ops format_pe = {
    .kind = KIND_PE,
    .word = "pe",
    .sniff = sniff,
    .open = open_pe,
    .signature = get_signature,
    .digest = pe_digest,
    .check_page_hashes = pe_check_page_hashes,
    .binding = get_binding,
    .close = close_pe,
};
