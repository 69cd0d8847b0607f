#include "platform/mock/fault.h"

enum errc fault_ask(const struct fault_plan *plan, enum fault_kind kind, const char *what,
                    const char *path, bool *out_ignored, struct err *err)
{
    *out_ignored = false;
    if (plan == NULL || plan->fn == NULL)
        return E_OK;
    const struct fault_step step = { what, path != NULL ? path : "", kind };
    const struct fault fault = plan->fn(plan->ctx, &step);
    if (fault.act == FAULT_FAILS)
        return err_set(err, fault.code, "fails as planned (%s)", what);
    *out_ignored = fault.act == FAULT_IGNORED;
    return E_OK;
}

struct fault fault_nth(void *ctx, const struct fault_step *step)
{
    struct fault_nth *nth = ctx;
    if ((nth->kinds >> step->kind & 1) == 0)
        return (struct fault){ FAULT_NONE, E_OK };
    return ++nth->n_seen == nth->n ? nth->fault : (struct fault){ FAULT_NONE, E_OK };
}
