#include "installer/core/fetch_head.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int truth)
{
    if (!truth)
        abort();
}

/* What holds after each line, whatever it was. */
static void check_head(const struct fetch_head *h)
{
    require(h->n_bytes <= FETCH_HEAD_BYTES_MAX && h->n_lines <= FETCH_HEAD_LINES_MAX);
    require(h->status == 0 || (h->status >= 100 && h->status <= 599));
    require(h->etag[0] == '\0' || fetch_head_is_etag(span_text(h->etag)));
    require(strlen(h->location) <= FETCH_URL_MAX);
    if (h->has_range)
        require(h->range.first <= h->range.last && h->range.last < h->range.total);
    if (h->is_done && (h->status == 200 || h->status == 206))
        require(!h->is_encoded && !(h->is_chunked && h->has_length));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fetch_head head = { .status = 0 };
    struct span rest = span_of(data, size);
    while (rest.len > 0) {
        const uint8_t *lf = memchr(rest.ptr, '\n', rest.len);
        size_t len = lf == NULL ? rest.len : (size_t)(lf - rest.ptr) + 1;
        if (fetch_head_add_line(&head, span_sub(rest, 0, len), NULL) != E_OK)
            return 0;
        check_head(&head);
        rest = span_sub(rest, len, rest.len);
    }
    return 0;
}
