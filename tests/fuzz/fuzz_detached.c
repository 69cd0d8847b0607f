/* A hostile signature over a fixed content, judged as far as without any anchor or key. */

#include "verify/detached.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct trust *trust;
    struct verdict v = { 0 };
    struct err err;
    if (trust_new(&trust, &err) != E_OK)
        abort();
    struct policy policy = { .trust = trust, .now = 1780000000 };
    if (detached_judge_bytes(span_text("content"), span_of(data, size), &policy, &v, &err) == E_OK)
        verdict_settle(&v, &policy);
    if (v.outcome == OUTCOME_ACCEPTED)
        abort();
    verdict_fini(&v);
    trust_free(trust);
    return 0;
}
