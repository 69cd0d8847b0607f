#ifndef SUREFOOT_VERIFY_FORMAT_PE_H
#define SUREFOOT_VERIFY_FORMAT_PE_H

/* format_pe.h: what the files of the PE format share (Microsoft's "PE Format" and "Windows
 * Authenticode Portable Executable Signature Format"). Everybody else sees `format_pe` alone.
 *
 *   0          DOS header, e_lfanew at 60 -----+
 *   e_lfanew   "PE\0\0", COFF header (20)  <---+
 *              optional header: CheckSum, SizeOfHeaders, data directories (the fifth: certificates)
 *              section headers, 40 bytes each
 *              raw data of the sections, then anything (overlay): hashed as well
 *   table.at   the certificate table: one WIN_CERTIFICATE, up to the end of the file
 *
 * What is promised: once opened, everything named by struct pe lies inside the file, the sections
 * do not overlap, and the table comes behind them. What is not checked: virtual addresses,
 * alignments, imports and the other directories, all of which are hashed. */

#include "verify/format.h"

#define PE_SECTIONS_MAX 1024
#define PE_PAGE 4096
#define PE_HOLES_MAX 3

struct pe {
    struct format_base base;
    uint64_t checksum_at;
    uint32_t checksum;                 /* as stored, 0 where it was never set */
    uint64_t headers_size;             /* SizeOfHeaders */
    struct region table;               /* the certificate table, len 0 where there is none */
    struct region holes[PE_HOLES_MAX]; /* what Authenticode leaves out, in ascending order */
    size_t n_holes;
    struct region *sections; /* raw data of those that have any, in the headers' order; owned */
    size_t n_sections;
    uint8_t *entry; /* the table's bytes, owned */
    struct span der;
};

/* pe_table_read reads the table at pe->table and finds the signature in it. E_MALFORMED, E_LIMIT;
 * bytes behind the signature become CertificateTablePadding and a range. */
MUST_USE enum errc pe_table_read(struct pe *pe, struct report *report, struct err *err);

/* pe_digest and pe_check_page_hashes are the operations of struct format_ops. They change nothing
 * in the format and may run side by side, each with a report of its own. */
MUST_USE enum errc pe_digest(struct format *f, uint32_t algs, struct digest_set *out,
                             struct report *report, struct err *err);
MUST_USE enum errc pe_check_page_hashes(struct format *f, enum digest_alg alg, struct span table,
                                        struct report *report, struct err *err);

/* pe_hash adds bytes of the file that lie at `at`, without the holes. */
MUST_USE enum errc pe_hash(const struct pe *pe, struct hasher *h, uint64_t at, struct span bytes,
                           struct err *err);

#endif
