/* A hostile catalog: as a file to judge, as the bare list, and as the list that vouches for a file.
 */

#include "verify/catalog.h"

#include <stdlib.h>

#include "verify/trust.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void judge_by(struct source *src, const struct policy *policy)
{
    struct catalog *catalog;
    struct verdict v = { 0 };
    struct err err;
    if (catalog_open(src, policy, &catalog, &err) != E_OK)
        return;
    if (catalog_judge(catalog, src, NULL, policy, &v, &err) == E_OK)
        verdict_settle(&v, policy);
    if (v.outcome == OUTCOME_ACCEPTED)
        abort();
    verdict_fini(&v);
    catalog_free(catalog);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct trust *trust;
    struct source *src;
    struct err err;
    struct span bytes = span_of(data, size);
    if (trust_new(&trust, &err) != E_OK || source_memory_new(bytes, &src, &err) != E_OK)
        abort();
    struct policy policy = { .trust = trust, .now = 1780000000 };
    judge_by(src, &policy);
    if (catalog_check_content(bytes, 0, &err) == E_OK && size == 0)
        abort();
    source_close(src);
    trust_free(trust);
    return 0;
}
