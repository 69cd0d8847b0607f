/* A program without libcurl asks nobody, and says so. */

#include "installer/core/revocation.h"

enum errc revocation_new(const struct fetch_settings *settings, struct revocation_lists **out,
                         struct err *err)
{
    UNUSED(settings);
    UNUSED(out);
    return err_set(err, E_UNSUPPORTED, "this program was built without a network");
}

void revocation_free(struct revocation_lists *r)
{
    UNUSED(r);
}

enum errc revocation_fetch(struct revocation_lists *r, struct crl_wants *wants, struct trust *trust,
                           bool *out_again, struct err *err)
{
    UNUSED(r);
    UNUSED(wants);
    UNUSED(trust);
    UNUSED(out_again);
    return err_set(err, E_UNSUPPORTED, "this program was built without a network");
}

enum errc revocation_judge(struct revocation_lists *r, struct trust *trust,
                           const struct policy *policy, revocation_judge_fn fn, void *ctx,
                           struct err *err)
{
    UNUSED(r);
    UNUSED(trust);
    return fn(ctx, policy, err);
}

enum errc revocation_judge_file(struct revocation_lists *r, struct trust *trust, struct source *src,
                                const struct judge_ask *ask, struct verdict *v, struct err *err)
{
    UNUSED(r);
    UNUSED(trust);
    return judge_file(src, ask, v, err);
}
