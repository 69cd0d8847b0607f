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

struct inspect_input {
    const char *file;
    struct source *src; /* the same open file, for what only an installer package has */
    const struct verdict *verdict;
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
