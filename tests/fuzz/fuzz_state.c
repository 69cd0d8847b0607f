/* The state file: what reads is written again, and reads the same. */

#include <stdlib.h>
#include <string.h>

#include "manifest/state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct upgrade_state s, again;
    struct buf b;
    if (state_read(span_of(data, size), &s, NULL) != E_OK)
        return 0;
    buf_init(&b, 2 * STATE_BYTES_MAX);
    if (state_write(&s, &b, NULL) == E_OK) {
        if (state_read(buf_span(&b), &again, NULL) != E_OK || again.n_marks != s.n_marks ||
            strcmp(again.reason, s.reason) != 0 || again.looked != s.looked)
            abort();
    }
    buf_fini(&b);
    return 0;
}
