#include "platform/mock/fault.h"

enum errc fault_ask(const struct fault_plan *plan, enum fault_kind kind, const char *what,
                    const char *path, bool *out_ignored, struct err *err)
{
    *out_ignored = false;
    if (plan == NULL || plan->fn == NULL)
        return E_OK;
    const struct fault_step step = { what, path != NULL ? path : "", kind };
    const struct fault fault = plan->fn(plan->ctx, &step);
    if (fault.act == FAULT_FAILS || fault.act == FAULT_HALF)
        return err_set(err, fault.code, "fails as planned (%s)", what);
    *out_ignored = fault.act == FAULT_IGNORED;
    return E_OK;
}

enum errc fault_ask_write(const struct fault_plan *plan, const char *path, size_t len,
                          size_t *out_len, struct err *err)
{
    const struct fault_step step = { "write", path != NULL ? path : "", FAULT_CHANGE };
    struct fault fault = { FAULT_NONE, E_OK };
    if (plan != NULL && plan->fn != NULL)
        fault = plan->fn(plan->ctx, &step);
    *out_len = fault.act == FAULT_NONE ? len : fault.act == FAULT_HALF ? len / 2 : 0;
    if (fault.act == FAULT_FAILS || fault.act == FAULT_HALF)
        return err_set(err, fault.code, "fails as planned (write)");
    return E_OK;
}

struct fault fault_nth(void *ctx, const struct fault_step *step)
{
    struct fault_nth *nth = ctx;
    if ((nth->kinds >> step->kind & 1) == 0)
        return (struct fault){ FAULT_NONE, E_OK };
    return ++nth->n_seen == nth->n ? nth->fault : (struct fault){ FAULT_NONE, E_OK };
}
