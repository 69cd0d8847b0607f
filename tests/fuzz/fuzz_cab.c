/* A cabinet: its header, folders, signature and digest. */

#include <stdlib.h>

#include "verify/format.h"

static void judge(struct format *f, size_t size, struct report *report)
{
    struct format_signature signature;
    struct digest_set set;
    enum errc rc = format_cab.signature(f, &signature, NULL);
    if (rc == E_OK && (signature.at > size || signature.der.len > size - signature.at))
        abort();
    if (format_cab.digest(f, DIGEST_BIT(DIGEST_SHA256), &set, report, NULL) != E_OK)
        abort(); /* nothing of the input can make this fail once it is open */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct report report = { 0 };
    struct source *src;
    struct format *f;
    if (source_memory_new(span_of(data, size), &src, NULL) != E_OK)
        return 0;
    if (format_cab.open(src, &report, &f, NULL) == E_OK) {
        judge(f, size, &report);
        format_cab.close(f);
    }
    report_fini(&report);
    source_close(src);
    return 0;
}
