#ifndef SUREFOOT_VERIFY_FORMAT_H
#define SUREFOOT_VERIFY_FORMAT_H

/* format.h: a kind of file that carries an Authenticode signature inside: where the signature lies,
 * which bytes it covers, and which it does not. Each kind is one format_*.c with one struct
 * format_ops. Formats read structure and hash bytes; they judge no signature and know no policy. */

#include <stdbool.h>

#include "platform/base/err.h"
#include "platform/source.h"
#include "verify/digest.h"
#include "verify/oid.h"
#include "verify/verdict.h"

enum file_kind {
    KIND_OTHER = 0,
    KIND_PE,
    KIND_MSI,
    KIND_CAB,
    KIND_CAT,
    KIND_SCRIPT_POWERSHELL,
    KIND_SCRIPT_WSH,
};

/* The SpcIndirectDataContent must be of this type, and for OID_SPC_SIP_INFO carry this GUID (as its
 * 16 bytes lie in the file). */
struct spc_binding {
    enum oid type;
    uint8_t sip_guid[16];
};

struct format; /* each format_*.c defines a struct of its own that begins with struct format_base */

struct format_base {
    const struct format_ops *ops;
    struct source *src; /* borrowed, must outlive the format */
};

/* The signature as it lies in the file. */
struct format_signature {
    struct span der; /* valid until the format is closed */
    uint64_t at;     /* file offset of the DER, NO_OFFSET where it is in pieces or encoded */
};

#define FORMAT_HEAD_MAX 4096 /* bytes that sniff looks at */
#define FORMAT_SIGNATURE_MAX (16 * 1024 * 1024)

struct format_ops {
    enum file_kind kind;
    const char *word; /* "pe", as in reports */

    /* Is it of this kind, going by content alone? `head` is the first min(size, FORMAT_HEAD_MAX)
     * bytes; the source is there for what lies elsewhere. Must be cheap. */
    bool (*sniff)(struct source *src, struct span head);

    /* Reads the structure. E_MALFORMED, E_TRUNCATED, E_LIMIT where it is broken; what is odd but
     * readable becomes a finding, and bytes that no signature covers become ranges, in `report`. */
    enum errc (*open)(struct source *src, struct report *report, struct format **out,
                      struct err *err);

    /* The embedded signature. E_ABSENT where there is none: the file is unsigned. */
    enum errc (*signature)(struct format *f, struct format_signature *out, struct err *err);

    /* The digests of what an Authenticode signature covers, in all algorithms of the mask, in one
     * reading of the file. NULL where the signed content lies inside the signature itself (CAT).
     * Findings that need a reading (checksum, nonzero slack) are added here. */
    enum errc (*digest)(struct format *f, uint32_t algs, struct digest_set *out,
                        struct report *report, struct err *err);

    /* Compares page hashes ("table": the entries as in the file) with the content:
     * PageHashMismatch, Malformed. NULL where the kind has none. */
    enum errc (*check_page_hashes)(struct format *f, enum digest_alg alg, struct span table,
                                   struct report *report, struct err *err);

    /* Reads what was signed where it lies in the signature itself (CAT): the content octets of its
     * SEQUENCE. E_MALFORMED, E_LIMIT. NULL for all other kinds. */
    enum errc (*check_content)(const struct format *f, struct span content, uint64_t at,
                               struct err *err);

    void (*binding)(const struct format *f, struct spc_binding *out);
    void (*close)(struct format *f);
};

extern const struct format_ops format_pe, format_msi, format_cab, format_cat,
    format_script_powershell, format_script_wsh;

/* format_find gives the ops of the file's kind, NULL where it is of none. E_IO and the like where
 * it cannot be read. */
MUST_USE enum errc format_find(struct source *src, const struct format_ops **out, struct err *err);

static inline const struct format_ops *format_ops_of(const struct format *f)
{
    return ((const struct format_base *)(const void *)f)->ops;
}

#endif
