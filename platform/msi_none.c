#include "platform/native.h"

static enum errc none(struct err *err)
{
    return err_set(err, E_UNSUPPORTED, "this system has no Windows Installer");
}

static enum errc msi_related(void *self, const char *upgrade_code, msi_product_fn fn, void *ctx,
                             struct err *err)
{
    UNUSED(self);
    UNUSED(upgrade_code);
    UNUSED(fn);
    UNUSED(ctx);
    return none(err);
}

static enum errc msi_install(void *self, const char *package, bool again, const char *log,
                             struct msi_result *out, struct err *err)
{
    UNUSED(self);
    UNUSED(package);
    UNUSED(again);
    UNUSED(log);
    UNUSED(out);
    return none(err);
}

static enum errc msi_remove(void *self, const char *product_code, const char *log,
                            struct msi_result *out, struct err *err)
{
    UNUSED(self);
    UNUSED(product_code);
    UNUSED(log);
    UNUSED(out);
    return none(err);
}

static enum errc msi_ask(void *self, bool *out, struct err *err)
{
    UNUSED(self);
    UNUSED(out);
    return none(err);
}

const struct msi_ops native_msi_ops = { .related = msi_related,
                                        .install = msi_install,
                                        .remove = msi_remove,
                                        .is_busy = msi_ask,
                                        .restart_pending = msi_ask };
