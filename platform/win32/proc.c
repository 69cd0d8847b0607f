#include "platform/win32/w32.h"

static enum errc proc_list(void *self, proc_fn fn, void *ctx, struct err *err)
{
    UNUSED(self);
    UNUSED(fn);
    UNUSED(ctx);
    return err_set(err, E_UNSUPPORTED, "processes are not listed on Windows yet");
}

static enum errc proc_holders(void *self, const char *folder, proc_holder_fn fn, void *ctx,
                              size_t *out_n_hidden, struct err *err)
{
    UNUSED(self);
    UNUSED(folder);
    UNUSED(fn);
    UNUSED(ctx);
    UNUSED(out_n_hidden);
    return err_set(err, E_UNSUPPORTED, "who holds a folder is not asked on Windows yet");
}

static enum errc proc_run(void *self, const struct proc_command *command, struct proc_result *out,
                          struct err *err)
{
    UNUSED(self);
    UNUSED(command);
    UNUSED(out);
    return err_set(err, E_UNSUPPORTED, "programs are not run on Windows yet");
}

static enum errc proc_terminate(void *self, int64_t pid, uint64_t born, int64_t grace_ms,
                                struct err *err)
{
    UNUSED(self);
    UNUSED(pid);
    UNUSED(born);
    UNUSED(grace_ms);
    return err_set(err, E_UNSUPPORTED, "processes are not ended on Windows yet");
}

static enum errc proc_own_program(void *self, char *to, size_t room, struct err *err)
{
    UNUSED(self);
    UNUSED(to);
    UNUSED(room);
    return err_set(err, E_UNSUPPORTED, "our own program is not looked for on Windows yet");
}

/* Where that cannot be found out the environment is trusted no more than by an administrator. */
bool w32_is_elevated(void)
{
    TOKEN_ELEVATION elevation = { .TokenIsElevated = 1 };
    DWORD len;
    HANDLE token = NULL;
    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token))
        return true;
    if (!GetTokenInformation(token, TokenElevation, &elevation, sizeof(elevation), &len))
        elevation.TokenIsElevated = 1;
    (void)CloseHandle(token);
    return elevation.TokenIsElevated != 0;
}

static bool proc_is_elevated(void *self)
{
    UNUSED(self);
    return w32_is_elevated();
}

const struct proc_ops win32_proc_ops = {
    .list = proc_list,
    .holders = proc_holders,
    .run = proc_run,
    .terminate = proc_terminate,
    .own_program = proc_own_program,
    .is_elevated = proc_is_elevated,
};
