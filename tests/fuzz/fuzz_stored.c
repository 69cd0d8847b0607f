/* A stored feed's bytes, and a history's: what reads writes again and reads as the same. */

#include <stdlib.h>

#include "manifest/history.h"
#include "manifest/stored.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_stored(struct span bytes)
{
    struct stored_feed s, again;
    struct buf b;
    buf_init(&b, 2 * STORED_BYTES_MAX);
    if (stored_read(bytes, &s, NULL) == E_OK &&
        (stored_write(&s, &b, NULL) != E_OK || stored_read(buf_span(&b), &again, NULL) != E_OK ||
         !span_equal(s.feed, again.feed) || s.n_signatures != again.n_signatures))
        abort();
    buf_fini(&b);
}

static void try_history(struct span bytes)
{
    struct history h;
    struct attempt_document d;
    struct buf b;
    buf_init(&b, 4 * HISTORY_BYTES_MAX);
    if (history_read(bytes, &h, NULL) == E_OK) {
        if (history_write(&h, h.product, NULL, &b, NULL) != E_OK)
            abort();
        history_fini(&h);
    }
    buf_fini(&b);
    if (attempt_read(bytes, &d, NULL) == E_OK)
        attempt_fini(&d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    try_stored(span_of(data, size));
    try_history(span_of(data, size));
    return 0;
}
