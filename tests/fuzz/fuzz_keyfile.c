#include "keys/publish/keyfile.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is not encrypted is opened as well; the rest would take scrypt's time. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct keyfile file;
    struct keypair pair;
    struct scrypt_cost cost;
    struct err err;
    if (keyfile_read(span_of(data, size), &file, &err) != E_OK)
        return 0;
    if (size < 212)
        abort(); /* the base64 line alone */
    if (file.is_encrypted) {
        if (keyfile_scrypt(file.cost, &cost, &err) != E_OK || (cost.n & (cost.n - 1)) != 0 ||
            cost.n < 2 || cost.p == 0 || cost.n * cost.r * 128 > SCRYPT_MEMORY_MAX)
            abort();
    } else if (keyfile_open(&file, span_of(NULL, 0), &pair, &err) == E_OK &&
               memcmp(pair.id, file.sealed, sizeof(pair.id)) != 0) {
        abort();
    }
    return 0;
}
