/* A PE file: its structure, signature and digest, and page hashes whose table is the input's tail.
 */

#include <stdlib.h>

#include "verify/format.h"

static void judge(struct format *f, struct span bytes, struct report *report)
{
    struct format_signature signature;
    struct digest_set set;
    enum errc rc = format_pe.signature(f, &signature, NULL);
    if (rc == E_OK && (signature.der.len > bytes.len || signature.at > bytes.len))
        abort();
    rc = format_pe.digest(f, DIGEST_BIT(DIGEST_SHA256), &set, report, NULL);
    if (rc != E_OK)
        abort(); /* nothing of the input can make this fail once it is open */
    for (size_t len = 36; len <= bytes.len && len <= 36 * 8; len += 36)
        if (format_pe.check_page_hashes(f, DIGEST_SHA256, span_sub(bytes, bytes.len - len, len),
                                        report, NULL) != E_OK)
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span bytes = span_of(data, size);
    struct report report = { 0 };
    struct source *src;
    struct format *f;
    if (source_memory_new(bytes, &src, NULL) != E_OK)
        return 0;
    (void)format_pe.sniff(src, span_sub(bytes, 0, FORMAT_HEAD_MAX));
    if (format_pe.open(src, &report, &f, NULL) == E_OK) {
        judge(f, bytes, &report);
        format_pe.close(f);
    }
    report_fini(&report);
    source_close(src);
    return 0;
}
