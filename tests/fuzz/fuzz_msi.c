/* A signed compound file: its structure, signature and digest. */

#include <stdlib.h>

#include "verify/format.h"

static void judge(struct format *f, size_t size, struct report *report)
{
    struct format_signature signature;
    struct digest_set set;
    if (format_msi.signature(f, &signature, NULL) == E_OK && signature.der.len > size)
        abort();
    const uint32_t algs = DIGEST_BIT(DIGEST_SHA256) | DIGEST_BIT(DIGEST_SHA1);
    if (format_msi.digest(f, algs, &set, report, NULL) == E_OK && set.algs != algs)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct report report = { 0 };
    struct source *src;
    struct format *f;
    if (source_memory_new(span_of(data, size), &src, NULL) != E_OK)
        return 0;
    if (format_msi.open(src, &report, &f, NULL) == E_OK) {
        judge(f, size, &report);
        format_msi.close(f);
    }
    report_fini(&report);
    source_close(src);
    return 0;
}
