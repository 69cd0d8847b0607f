#include "verify/minisign.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct minisign_signature signature;
    struct minisign_key key;
    struct err err;
    struct span text = span_of(data, size);
    if (minisign_read_signature(text, &signature, &err) == E_OK &&
        signature.untrusted_comment.at + signature.untrusted_comment.len > size)
        abort();
    if (minisign_read_key(text, &key, &err) == E_OK && size < 56)
        abort();
    return 0;
}
