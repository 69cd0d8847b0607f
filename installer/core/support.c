#include "installer/core/support.h"

void support_of(const struct feed *feed, const struct version *installed, int64_t now,
                struct support *out)
{
    const struct feed_release *r = feed_find_release(feed, installed);
    *out = (struct support){ .is_withdrawn = r != NULL && r->status == STATUS_WITHDRAWN };
    for (size_t i = 0; i < feed->supports.n; i++) {
        const struct feed_support *s = &feed->supports.items[i];
        if (!version_matches(&s->version, installed))
            continue;
        if (out->ends == 0 || s->ends < out->ends)
            out->ends = s->ends;
        out->is_near = out->is_near || now >= s->ends - s->notice_s;
        out->has_ended = out->has_ended || now >= s->ends;
    }
}
