#include "platform/native.h"

static enum errc none(struct err *err)
{
    return err_set(err, E_UNSUPPORTED, "the Task Scheduler is of Windows");
}

static enum errc task_find(void *self, const char *name, struct buf *out, bool *out_found,
                           struct err *err)
{
    UNUSED(self);
    UNUSED(name);
    UNUSED(out);
    UNUSED(out_found);
    return none(err);
}

static enum errc task_put(void *self, const char *name, struct span xml, struct err *err)
{
    UNUSED(self);
    UNUSED(name);
    UNUSED(xml);
    return none(err);
}

static enum errc task_remove(void *self, const char *name, struct err *err)
{
    UNUSED(self);
    UNUSED(name);
    return none(err);
}

static enum errc task_own_account(void *self, char *to, size_t room, struct err *err)
{
    UNUSED(self);
    UNUSED(to);
    UNUSED(room);
    return none(err);
}

const struct task_ops native_task_ops = {
    .find = task_find, .put = task_put, .remove = task_remove, .own_account = task_own_account
};
