/* Three texts of strangers, cut out of the input at its first two bytes of 0xFF: what merges has
 * only lines that one of the three has, and merging a text with itself changes nothing. */

#include <stdlib.h>
#include <string.h>

#include "installer/core/merge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct span cut(struct span *rest)
{
    const uint8_t *at = rest->len == 0 ? NULL : memchr(rest->ptr, 0xff, rest->len);
    const size_t len = at == NULL ? rest->len : (size_t)(at - rest->ptr);
    struct span piece = span_sub(*rest, 0, len);
    *rest = span_sub(*rest, at == NULL ? len : len + 1, rest->len);
    return piece;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span rest = span_of(data, size);
    struct span base = cut(&rest), here = cut(&rest), theirs = rest;
    struct merge_conflict conflict;
    struct buf one, two;
    bool merges = false, turned = false;
    buf_init(&one, 2 * size + 16);
    buf_init(&two, 2 * size + 16);
    if (merge_text(base, here, theirs, &one, &merges, &conflict, NULL) == E_OK &&
        merge_text(base, theirs, here, &two, &turned, &conflict, NULL) == E_OK &&
        (merges != turned || !span_equal(buf_span(&one), buf_span(&two))))
        abort();
    buf_clear(&one);
    if (merge_text(base, here, base, &one, &merges, &conflict, NULL) != E_OK || !merges ||
        !span_equal(buf_span(&one), here))
        abort();
    buf_fini(&one);
    buf_fini(&two);
    return 0;
}
