#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "platform/posix/host_parts.h"
#include "platform/posix/os_err.h"
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
    if (posix_is_elevated())
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

/* Root's places, and those of the XDG Base Directory Specification. */
static const struct {
    const char *root, *variable, *in_home;
} usual[] = {
    [HOST_STATE] = { "/var/lib", "XDG_STATE_HOME", ".local/state" },
    [HOST_CACHE] = { "/var/cache", "XDG_CACHE_HOME", ".cache" },
    [HOST_CONFIG] = { "/etc", "XDG_CONFIG_HOME", ".config" },
};

static int own_usual_folder(enum host_folder which, char *to, size_t room)
{
    const char *said = getenv(usual[which].variable);
    const char *home = getenv("HOME");
    if (said != NULL && said[0] == '/')
        return snprintf(to, room, "%s/surefoot", said);
    if (home != NULL && home[0] == '/')
        return snprintf(to, room, "%s/%s/surefoot", home, usual[which].in_home);
    return -1;
}

static enum errc host_usual_folder(void *self, enum host_folder which, char *to, size_t room,
                                   struct err *err)
{
    UNUSED(self);
    int n = posix_is_elevated() ? snprintf(to, room, "%s/surefoot", usual[which].root)
                                : own_usual_folder(which, to, room);
    if (n < 0)
        return err_set(err, E_ABSENT, "there is no home folder (HOME) to keep things in");
    if ((size_t)n >= room)
        return err_set(err, E_LIMIT, "no room for a folder's path");
    return E_OK;
}

static enum errc host_absolute_path(void *self, const char *path, char *to, size_t room,
                                    struct err *err)
{
    char here[4096] = "";
    UNUSED(self);
    if (path[0] != '/' && getcwd(here, sizeof(here)) == NULL)
        return os_err_set(err, errno, "cannot tell the folder that we are in");
    while (path[0] == '.' && path[1] == '/')
        path += 2;
    const bool is_root = strcmp(here, "/") == 0;
    int n = path[0] == '/' ? snprintf(to, room, "%s", path)
                           : snprintf(to, room, "%s/%s", is_root ? "" : here, path);
    if (n < 0 || (size_t)n >= room)
        return err_set(err, E_LIMIT, "a path longer than %zu bytes", room - 1);
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

static int64_t host_monotonic_ms(void *self)
{
    UNUSED(self);
    return posix_monotonic_ms();
}

static void host_sleep_ms(void *self, int64_t ms)
{
    UNUSED(self);
    if (ms <= 0)
        return;
    struct timespec left = { .tv_sec = (time_t)(ms / 1000), .tv_nsec = (ms % 1000) * 1000000 };
    while (nanosleep(&left, &left) != 0 && errno == EINTR)
        continue;
}

static enum errc host_calendar(void *self, int64_t unix_s, enum host_zone zone,
                               struct host_time *out, struct err *err)
{
    struct tm tm;
    time_t t = (time_t)unix_s;
    UNUSED(self);
    if ((zone == HOST_LOCAL ? localtime_r(&t, &tm) : gmtime_r(&t, &tm)) == NULL)
        return err_set(err, E_ARGUMENT, "%lld seconds since 1970 is in no year that there is",
                       (long long)unix_s);
    *out = (struct host_time){
        .year = tm.tm_year + 1900,
        .month = tm.tm_mon + 1,
        .day = tm.tm_mday,
        .weekday = tm.tm_wday,
        .minute = tm.tm_hour * 60 + tm.tm_min,
        .second = tm.tm_sec,
        .offset_s = (int)tm.tm_gmtoff,
    };
    return E_OK;
}

static enum errc host_temp_folder(void *self, char *to, size_t room, struct err *err)
{
    const char *wanted = posix_is_elevated() ? NULL : getenv("TMPDIR");
    UNUSED(self);
    int n = snprintf(to, room, "%s", wanted != NULL && wanted[0] == '/' ? wanted : "/tmp");
    if (n < 0 || (size_t)n >= room)
        return err_set(err, E_LIMIT, "no room for the path of the folder for temporary files");
    return E_OK;
}

static enum errc host_random(void *self, uint8_t *to, size_t len, struct err *err)
{
    UNUSED(self);
    return posix_random(to, len, err);
}

static enum errc host_group_exists(void *self, const char *name, bool *out_exists, struct err *err)
{
    UNUSED(self);
    return posix_group_exists(name, out_exists, err);
}

static enum errc host_sid_exists(void *self, const char *sid, bool *out_exists, struct err *err)
{
    UNUSED(self);
    UNUSED(sid);
    UNUSED(out_exists);
    return err_set(err, E_UNSUPPORTED, "groups go by SID on Windows alone");
}

static enum errc host_mutex_held(void *self, const char *name, bool *out_held, struct err *err)
{
    UNUSED(self);
    UNUSED(name);
    UNUSED(out_held);
    return err_set(err, E_UNSUPPORTED, "named mutexes are of Windows alone");
}

static enum errc host_proxy_for(void *self, const char *scheme, const char *host,
                                enum host_proxy *out, char to[HOST_PROXY_ROOM], struct err *err)
{
    UNUSED(self);
    UNUSED(scheme);
    UNUSED(host);
    UNUSED(to);
    UNUSED(err);
    *out = HOST_PROXY_ENVIRONMENT;
    return E_OK;
}

const struct host_ops posix_host_ops = {
    .now = host_now,
    .monotonic_ms = host_monotonic_ms,
    .sleep_ms = host_sleep_ms,
    .calendar = host_calendar,
    .config_folder = host_config_folder,
    .usual_folder = host_usual_folder,
    .absolute_path = host_absolute_path,
    .temp_folder = host_temp_folder,
    .system_anchors = host_system_anchors,
    .machine_id = host_machine_id,
    .boot_id = host_boot_id,
    .random = host_random,
    .name = host_name,
    .os = host_os,
    .group_exists = host_group_exists,
    .sid_exists = host_sid_exists,
    .mutex_held = host_mutex_held,
    .proxy_for = host_proxy_for,
    .log_event = host_log_event,
};
