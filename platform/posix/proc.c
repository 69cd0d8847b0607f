#include <stdlib.h>

#include "platform/posix/posix.h"
#include "platform/posix/proc_parts.h"

struct listing {
    proc_fn fn;
    void *ctx;
    int64_t boot_s;
    struct proc_seen seen;
};

static enum errc list_one(void *ctx, int64_t pid, struct err *err)
{
    struct listing *l = ctx;
    struct err why = { .code = E_OK };
    enum errc rc = proc_look(pid, l->boot_s, &l->seen, &why);
    if (rc == E_ABSENT)
        return E_OK;
    if (rc != E_OK)
        return err_set(err, rc, "process %lld: %s", (long long)pid, why.text);
    return l->fn(l->ctx, &l->seen.info, err);
}

static enum errc proc_list(void *self, proc_fn fn, void *ctx, struct err *err)
{
    UNUSED(self);
    struct listing *l = malloc(sizeof(*l));
    if (l == NULL)
        return err_nomem(err);
    l->fn = fn;
    l->ctx = ctx;
    enum errc rc = proc_read_boot_time(&l->boot_s, err);
    if (rc == E_OK)
        rc = proc_each_pid(list_one, l, err);
    free(l);
    return rc;
}

static bool proc_is_elevated(void *self)
{
    UNUSED(self);
    return posix_is_elevated();
}

const struct proc_ops posix_proc_ops = {
    .list = proc_list,
    .holders = proc_holders,
    .run = proc_run,
    .terminate = proc_terminate,
    .is_elevated = proc_is_elevated,
};
