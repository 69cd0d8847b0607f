#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "platform/posix/posix.h"

static int64_t host_now(void *self)
{
    UNUSED(self);
    return (int64_t)time(NULL);
}

/* An ordinary user may keep a folder of their own. For root the environment has no say. */
static bool find_own_folder(char *to, size_t room)
{
    const char *config = getenv("XDG_CONFIG_HOME");
    const char *home = getenv("HOME");
    struct stat st;
    int n = -1;
    if (geteuid() == 0)
        return false;
    if (config != NULL && config[0] == '/')
        n = snprintf(to, room, "%s/surefoot", config);
    else if (home != NULL && home[0] == '/')
        n = snprintf(to, room, "%s/.config/surefoot", home);
    return n > 0 && (size_t)n < room && stat(to, &st) == 0 && S_ISDIR(st.st_mode);
}

static enum errc host_config_folder(void *self, char *to, size_t room, struct err *err)
{
    UNUSED(self);
    if (find_own_folder(to, room))
        return E_OK;
    int n = snprintf(to, room, "/etc/surefoot");
    if (n < 0 || (size_t)n >= room)
        return err_set(err, E_LIMIT, "no room for the configuration folder's path");
    return E_OK;
}

static enum errc host_system_anchors(void *self, host_cert_fn fn, void *ctx, struct err *err)
{
    UNUSED(self);
    UNUSED(fn);
    UNUSED(ctx);
    UNUSED(err);
    return E_OK;
}

const struct host_ops posix_host_ops = {
    .now = host_now,
    .config_folder = host_config_folder,
    .system_anchors = host_system_anchors,
};
