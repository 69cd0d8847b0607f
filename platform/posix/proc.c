#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "platform/posix/os_err.h"
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

static enum errc proc_own_program(void *self, char *to, size_t room, struct err *err)
{
    UNUSED(self);
    ssize_t n = readlink("/proc/self/exe", to, room);
    if (n < 0)
        return os_err_set(err, errno, "cannot tell where our own program is");
    if ((size_t)n >= room)
        return err_set(err, E_LIMIT, "no room for our own program's path");
    to[n] = '\0';
    return E_OK;
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
    .own_program = proc_own_program,
    .is_elevated = proc_is_elevated,
};
