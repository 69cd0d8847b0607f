/* A script: which kind, its block, signature and digest. */

#include <stdlib.h>

#include "verify/format.h"

static void judge(const struct format_ops *ops, struct source *src, struct report *report)
{
    struct format *f;
    struct format_signature signature;
    struct digest_set set;
    struct spc_binding binding;
    if (ops->open(src, report, &f, NULL) != E_OK)
        return;
    enum errc rc = ops->signature(f, &signature, NULL);
    if (rc == E_OK && (signature.der.len < 2 || signature.der.len > src->size))
        abort();
    if (ops->digest(f, DIGEST_BIT(DIGEST_SHA256), &set, report, NULL) != E_OK)
        abort(); /* nothing of the input can make this fail once it is open */
    ops->binding(f, &binding);
    ops->close(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span head = { data, size < FORMAT_HEAD_MAX ? size : FORMAT_HEAD_MAX };
    struct report report = { 0 };
    struct source *src;
    if (source_memory_new(span_of(data, size), &src, NULL) != E_OK)
        return 0;
    bool is_powershell = format_script_powershell.sniff(src, head);
    bool is_wsh = format_script_wsh.sniff(src, head);
    if (is_powershell && is_wsh)
        abort();
    judge(is_wsh ? &format_script_wsh : &format_script_powershell, src, &report);
    report_fini(&report);
    source_close(src);
    return 0;
}
