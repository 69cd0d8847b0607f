#ifndef SUREFOOT_CLI_INSPECT_H
#define SUREFOOT_CLI_INSPECT_H

/* inspect.h: what a file says of itself, shown without a judgement. The verdict is a carrier of
 * facts here: it was made with nobody trusted, so nothing in it was accepted, and no ruling is
 * shown. */

#include <stdbool.h>

#include "platform/base/buf.h"
#include "platform/source.h"
#include "verify/verdict.h"

struct inspect_style {
    bool colour, quiet, verbose;
};

#define INSPECT_CABINETS_MAX 64
#define INSPECT_CODE_ROOM 80 /* of a GUID, with room for what is none */

struct inspect_cabinet {
    char name[NAME_ROOM];
    bool is_embedded; /* else a file beside the package */
    bool has_size;    /* embedded, and really there */
    uint64_t size;
};

/* What an installer package says it installs. Texts are printable; "" where it does not say. */
struct inspect_msi {
    bool is_there;    /* the file has an installer's database */
    const char *kind; /* "package", "patch", "transform" by its class, or "unknown" */
    char name[NAME_ROOM], version[INSPECT_CODE_ROOM], manufacturer[NAME_ROOM];
    char product_code[INSPECT_CODE_ROOM], upgrade_code[INSPECT_CODE_ROOM];
    char title[NAME_ROOM], package_code[NAME_ROOM]; /* of the summary */
    char platform[INSPECT_CODE_ROOM];               /* not of a patch */
    char languages[NAME_ROOM];                      /* numbers with commas; not of a patch */
    char targets[NAME_ROOM];                        /* of a patch: product codes */
    bool has_files;
    uint32_t n_files;
    uint64_t n_cabinets; /* in the database; the first of them are in the list */
    struct inspect_cabinet cabinets[INSPECT_CABINETS_MAX];
    char trouble[200]; /* the database does not read: why; "" where it does */
};

/* inspect_read_msi fills a zeroed `out` from a compound file. An error is the machine's (E_IO,
 * E_NOMEM); what is wrong with the bytes is in `trouble`. */
MUST_USE enum errc inspect_read_msi(struct source *src, struct inspect_msi *out, struct err *err);

struct inspect_input {
    const char *file;
    const struct verdict *verdict;
    const struct inspect_msi *msi; /* NULL for other kinds */
    bool has_members;              /* a catalog that reads and lists something */
    size_t n_members;
};

MUST_USE enum errc inspect_print_text(const struct inspect_input *in,
                                      const struct inspect_style *style, struct buf *out,
                                      struct err *err);
/* One object on one line, surefoot.inspect/1 (docs/schema/inspect.schema.json). */
MUST_USE enum errc inspect_print_json(const struct inspect_input *in, struct buf *out,
                                      struct err *err);

/* inspect_says is a short word on a signature's own arithmetic: "intact" where content and
 * signature fit, else "altered or not readable". Not trust: anyone can make an intact signature. */
const char *inspect_says(const struct sig_verdict *sig);

#endif
