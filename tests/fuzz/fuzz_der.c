#include "verify/der.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever passes the exact walk must be readable value by value. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span bytes = span_of(data, size);
    struct reader r = reader_of(bytes, 0);
    struct der d;
    struct err err;
    if (der_check_exact(bytes, 0, "input", &err) != E_OK)
        return 0;
    while (!reader_is_done(&r))
        if (der_read_any(&r, "value", &d, &err) != E_OK)
            __builtin_trap();
    return 0;
}
