#ifndef SUREFOOT_CORE_MERGE_H
#define SUREFOOT_CORE_MERGE_H

/* merge.h: three-way merge of text, line by line (diff3): what was changed here, and what the maker
 * changed, from a base that both have. Pure. A change that both made alike is one change; two that
 * touch the same or neighbouring lines are a conflict. There is never a marker in what comes out.
 * Lines end in LF or CRLF, and each keeps its own; a last line without an end is another line than
 * one with it.
 *
 * What it does not check: whether what comes out means anything. */

#include <stdbool.h>

#include "platform/base/buf.h"
#include "platform/base/err.h"
#include "platform/base/span.h"

#define MERGE_BYTES_MAX (4 * 1024 * 1024)
#define MERGE_LINES_MAX 100000

struct merge_conflict {
    size_t here_line, theirs_line; /* from 1: where in each the two changes begin */
};

/* merge_text appends the merged text to `out`. *out_merges is false, and nothing is appended, where
 * there is a conflict: the first one is in *conflict. Bytes with a NUL are no text: then only one
 * side may differ from the base. E_LIMIT past the maxima; E_NOMEM. */
MUST_USE enum errc merge_text(struct span base, struct span here, struct span theirs,
                              struct buf *out, bool *out_merges, struct merge_conflict *conflict,
                              struct err *err);

#endif
