/* A compound file: its structure, every stream, and the account of its bytes. */

#include <stdlib.h>

#include "verify/cfb.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_streams(const struct cfb *cfb, size_t size)
{
    for (uint32_t id = 0; id < cfb_n_entries(cfb); id++) {
        const struct cfb_entry *e = cfb_entry(cfb, id);
        struct source *stream = NULL;
        struct buf b;
        buf_init(&b, 1024 * 1024);
        if (cfb_entry_at(cfb, e) > size || (e->parent != CFB_NONE && e->parent >= id + size))
            abort();
        if (e->type == CFB_STREAM && cfb_read(cfb, e, &b, NULL) == E_OK && b.len != e->size)
            abort();
        if (e->type == CFB_STREAM && cfb_stream_open(cfb, e, &stream, NULL) == E_OK &&
            stream->size != e->size)
            abort();
        source_close(stream);
        buf_fini(&b);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct report report = { 0 };
    struct source *src;
    struct cfb *cfb;
    if (source_memory_new(span_of(data, size), &src, NULL) != E_OK)
        return 0;
    if (cfb_open(src, &cfb, NULL) == E_OK) {
        read_streams(cfb, size);
        if (cfb_check(cfb, &report, NULL) == E_OK && report.n_ranges > 0 && report.findings.n == 0)
            abort(); /* ranges always come with a finding */
        cfb_close(cfb);
    }
    report_fini(&report);
    source_close(src);
    return 0;
}
