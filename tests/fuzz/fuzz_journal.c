/* A journal's bytes: what reads can be gone on with, and is the start of what was given. */

#include <stdlib.h>

#include "installer/core/journal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct journal j, again;
    struct buf b;
    size_t len = 0, again_len = 0;
    journal_init(&j);
    journal_init(&again);
    buf_init(&b, JOURNAL_BYTES_MAX + 4096);
    if (journal_read(span_of(data, size), &j, &len, NULL) == E_OK) {
        if (len > size)
            abort();
        if (buf_add(&b, span_of(data, len), NULL) == E_OK &&
            journal_add(&j, JOURNAL_MARK, "committed", "-", &b, NULL) == E_OK &&
            (journal_read(buf_span(&b), &again, &again_len, NULL) != E_OK || again.n != j.n ||
             again_len != b.len))
            abort();
    }
    journal_fini(&j);
    journal_fini(&again);
    buf_fini(&b);
    return 0;
}
