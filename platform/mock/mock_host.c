/* The host: a clock that is told, and names that are there or not. */

#include <stdio.h>
#include <string.h>

#include "platform/base/text.h"
#include "platform/mock/mock_machine.h"

static int64_t host_now(void *self)
{
    return ((struct mock *)self)->clock_ms / 1000;
}

static int64_t host_monotonic_ms(void *self)
{
    return ((struct mock *)self)->monotonic_ms;
}

static void host_sleep_ms(void *self, int64_t ms)
{
    mock_pass(self, ms);
}

/* Days since 1970 to a date, by the civil calendar of 400 years. */
static void date_of(int64_t days, struct host_time *out)
{
    const int64_t shifted = days + 719468,
                  era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
    const int64_t day = shifted - era * 146097;
    const int64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    const int64_t of_year = day - (365 * year + year / 4 - year / 100);
    const int64_t month = (5 * of_year + 2) / 153;
    out->day = (int)(of_year - (153 * month + 2) / 5 + 1);
    out->month = (int)(month < 10 ? month + 3 : month - 9);
    out->year = (int)(year + era * 400 + (out->month <= 2));
    out->weekday = (int)((days % 7 + 11) % 7);
}

static enum errc host_calendar(void *self, int64_t unix_s, enum host_zone zone,
                               struct host_time *out, struct err *err)
{
    UNUSED(self);
    UNUSED(zone); /* it stands where local time is UTC */
    UNUSED(err);
    const int64_t days = (unix_s >= 0 ? unix_s : unix_s - 86399) / 86400;
    const int64_t second = unix_s - days * 86400;
    *out = (struct host_time){ .minute = (int)(second / 60), .second = (int)(second % 60) };
    date_of(days, out);
    return E_OK;
}

static enum errc host_config_folder(void *self, char *to, size_t room, struct err *err)
{
    UNUSED(self);
    UNUSED(err);
    (void)text_copy(to, room, "/etc/surefoot");
    return E_OK;
}

static enum errc host_usual_folder(void *self, enum host_folder which, char *to, size_t room,
                                   struct err *err)
{
    static const char *const paths[] = { [HOST_STATE] = "/var/lib/surefoot",
                                         [HOST_CACHE] = "/var/cache/surefoot",
                                         [HOST_CONFIG] = "/etc/surefoot" };
    UNUSED(self);
    UNUSED(err);
    (void)text_copy(to, room, paths[which]);
    return E_OK;
}

static enum errc host_absolute_path(void *self, const char *path, char *to, size_t room,
                                    struct err *err)
{
    UNUSED(self);
    if (snprintf(to, room, "%s%s", path[0] == '/' ? "" : "/", path) >= (int)room)
        return err_set(err, E_LIMIT, "is too long a path");
    return E_OK;
}

static enum errc host_temp_folder(void *self, char *to, size_t room, struct err *err)
{
    UNUSED(self);
    UNUSED(err);
    (void)text_copy(to, room, "/tmp");
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

static enum errc host_machine_id(void *self, uint8_t to[HOST_MACHINE_ID_LEN], struct err *err)
{
    UNUSED(self);
    UNUSED(err);
    memcpy(to, "a mock machine..", HOST_MACHINE_ID_LEN);
    return E_OK;
}

static enum errc host_boot_id(void *self, char to[HOST_BOOT_ID_ROOM], struct err *err)
{
    UNUSED(err);
    (void)snprintf(to, HOST_BOOT_ID_ROOM, "boot-%llu",
                   (unsigned long long)((struct mock *)self)->n_boots);
    return E_OK;
}

/* The same sequence in each run, so that what was found can be found again. */
static enum errc host_random(void *self, uint8_t *to, size_t len, struct err *err)
{
    struct mock *m = self;
    UNUSED(err);
    for (size_t i = 0; i < len; i++) {
        m->seed = m->seed * 6364136223846793005U + 1442695040888963407U;
        to[i] = (uint8_t)(m->seed >> 56);
    }
    return E_OK;
}

static enum errc host_name(void *self, char *to, size_t room, struct err *err)
{
    UNUSED(self);
    UNUSED(err);
    (void)text_copy(to, room, "mock");
    return E_OK;
}

static enum errc host_os(void *self, struct host_os *out, struct err *err)
{
    UNUSED(err);
    *out = ((struct mock *)self)->os;
    return E_OK;
}

static enum errc host_group_exists(void *self, const char *name, bool *out_exists, struct err *err)
{
    UNUSED(err);
    *out_exists = mock_fact(&((struct mock *)self)->groups, name);
    return E_OK;
}

static enum errc host_sid_exists(void *self, const char *sid, bool *out_exists, struct err *err)
{
    struct mock *m = self;
    if (!m->is_windows)
        return err_set(err, E_UNSUPPORTED, "groups have no identifiers here");
    *out_exists = mock_fact(&m->groups, sid);
    return E_OK;
}

static enum errc host_mutex_held(void *self, const char *name, bool *out_held, struct err *err)
{
    struct mock *m = self;
    if (!m->is_windows)
        return err_set(err, E_UNSUPPORTED, "mutexes have no names here");
    *out_held = mock_fact(&m->mutexes, name);
    return E_OK;
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

static enum errc host_log_event(void *self, int id, enum host_level level, const char *source,
                                const char *text, struct err *err)
{
    struct mock *m = self;
    UNUSED(err);
    m->events = mock_grow(m->events, m->n_events, &m->room_events, sizeof(m->events[0]));
    m->events[m->n_events++] = (struct mock_event){ id, level, mock_text(source), mock_text(text) };
    return E_OK;
}

const struct host_ops mock_host_ops = {
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
