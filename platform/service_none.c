#include "platform/native.h"

static enum errc service_status(void *self, const char *name, struct service_status *out,
                                struct err *err)
{
    UNUSED(self);
    UNUSED(out);
    return err_set(err, E_UNSUPPORTED, "%.60s: this build knows no service manager", name);
}

static enum errc service_turn(void *self, const char *name, int64_t timeout_ms, struct err *err)
{
    UNUSED(self);
    UNUSED(timeout_ms);
    return err_set(err, E_UNSUPPORTED, "%.60s: this build knows no service manager", name);
}

const struct service_ops native_service_ops = { .status = service_status,
                                                .start = service_turn,
                                                .stop = service_turn };
