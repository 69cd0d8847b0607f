#include "manifest/feed.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool holds)
{
    if (!holds)
        abort();
}

static void look_at_release(const struct feed *f, const struct feed_release *r)
{
    demand(r->version.text[0] != '\0' && r->version.n_parts >= 1 && r->version.n_parts <= 4);
    demand(r->status >= STATUS_AUTO && r->status <= STATUS_WITHDRAWN);
    demand(r->severity >= SEVERITY_LOW && r->severity <= SEVERITY_CRITICAL);
    demand(r->document.path != NULL && r->document.path[0] != '/' && r->document.size >= 1);
    demand(strstr(r->document.path, "..") != r->document.path);
    demand(r->rollout.percent <= 100 && r->rollout.step_s >= 0);
    demand(r->os >> (OS_FREEBSD + 1) == 0 && r->arch >> (ARCH_S390X + 1) == 0);
    demand(r->from.n <= 100 && r->skip.n <= 100);
    demand(feed_find_release(f, &r->version) == r);
    for (size_t i = 0; i < r->from.n; i++)
        demand(r->from.items[i].has_lowest || r->from.items[i].has_below);
    for (size_t i = 0; i < r->skip.n; i++)
        demand(r->skip.items[i].version.is_open ||
               !feed_release_is_for(r, &r->skip.items[i].version.start));
    for (int64_t now = r->rollout.start - 1; now <= r->rollout.start + 1; now++)
        demand(feed_rollout_percent(&r->rollout, now) <= 100);
    demand(feed_release_is_for(r, NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct feed f;
    struct err err;
    if (feed_read_unverified(span_of(data, size), &f, &err) != E_OK)
        return 0;
    demand(size <= FEED_BYTES_MAX && f.product != NULL && f.channel != NULL && f.serial >= 1);
    demand(strlen(f.product) <= 64 && strlen(f.channel) <= 64);
    demand(f.expires > f.issued && f.expires - f.issued <= FEED_LIFE_MAX_S);
    demand(f.releases.n <= 1000 && f.supports.n <= 1000);
    for (size_t i = 0; i < f.releases.n; i++)
        look_at_release(&f, &f.releases.items[i]);
    for (size_t i = 0; i < f.supports.n; i++)
        demand(f.supports.items[i].notice_s >= 0 && f.supports.items[i].version.start.n_parts >= 1);
    feed_fini(&f);
    return 0;
}
