/* systemd over D-Bus (org.freedesktop.systemd1(5)), through libsystemd: root asks the system's
 * manager, an ordinary user their own. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <time.h>

#include "platform/native.h"
#include "platform/base/text.h"
#include "platform/posix/posix.h"

#define MANAGER "org.freedesktop.systemd1"
#define MANAGER_PATH "/org/freedesktop/systemd1"
#define MANAGER_FACE "org.freedesktop.systemd1.Manager"
#define UNIT_FACE "org.freedesktop.systemd1.Unit"
#define SERVICE_FACE "org.freedesktop.systemd1.Service"
#define NAME_ROOM 300
#define CALL_US (UINT64_C(20) * 1000 * 1000)

/* --- the bus */

static enum errc open_bus(sd_bus **out, struct err *err)
{
    int r = posix_is_elevated() ? sd_bus_open_system(out) : sd_bus_open_user(out);
    if (r < 0)
        return err_set(err, E_UNSUPPORTED,
                       "systemd can't be asked (%s); where there is none, give the service start, "
                       "stop and status commands in the product file",
                       strerror(-r));
    (void)sd_bus_set_method_call_timeout(*out, CALL_US);
    return E_OK;
}

static enum errc call_failed(int r, const sd_bus_error *e, const char *what, struct err *err)
{
    const char *name = e->name != NULL ? e->name : "";
    char said[120];
    (void)text_printable(span_text(e->message != NULL ? e->message : strerror(-r)), said,
                         sizeof(said));
    if (strstr(name, "NoSuchUnit") != NULL || strstr(name, "LoadFailed") != NULL)
        return err_set(err, E_ABSENT, "%s: systemd: %s", what, said);
    if (strstr(name, "AccessDenied") != NULL || strstr(name, "AuthorizationRequired") != NULL)
        return err_set(err, E_ACCESS, "%s: systemd: %s", what, said);
    if (strstr(name, "ServiceUnknown") != NULL || strstr(name, "NameHasNoOwner") != NULL ||
        strstr(name, "Spawn") != NULL)
        return err_set(err, E_UNSUPPORTED,
                       "%s: no systemd answers on the bus; give the service start, stop and status "
                       "commands in the product file",
                       what);
    if (r == -ETIMEDOUT || strstr(name, "NoReply") != NULL || strstr(name, "Timeout") != NULL)
        return err_set(err, E_TIMEOUT, "%s: systemd does not answer", what);
    return err_set(err, E_IO, "%s: systemd: %s", what, said);
}

/* A name without a kind is a service's. */
static const char *unit_name(const char *name, char to[NAME_ROOM])
{
    (void)snprintf(to, NAME_ROOM, "%s%s", name, strchr(name, '.') == NULL ? ".service" : "");
    return to;
}

/* --- looking */

static enum errc find_unit(sd_bus *bus, const char *unit, char **out_path, struct err *err)
{
    sd_bus_error e = SD_BUS_ERROR_NULL;
    sd_bus_message *reply = NULL;
    const char *path = NULL;
    int r = sd_bus_call_method(bus, MANAGER, MANAGER_PATH, MANAGER_FACE, "LoadUnit", &e, &reply,
                               "s", unit);
    if (r >= 0)
        r = sd_bus_message_read(reply, "o", &path);
    enum errc rc = r < 0 ? call_failed(r, &e, "asking for the unit", err) : E_OK;
    if (rc == E_OK && (*out_path = strdup(path)) == NULL)
        rc = err_nomem(err);
    sd_bus_message_unref(reply);
    sd_bus_error_free(&e);
    return rc;
}

static enum errc get_text(sd_bus *bus, const char *path, const char *property, char *to,
                          size_t room, struct err *err)
{
    sd_bus_error e = SD_BUS_ERROR_NULL;
    char *text = NULL;
    int r = sd_bus_get_property_string(bus, MANAGER, path, UNIT_FACE, property, &e, &text);
    enum errc rc = r < 0 ? call_failed(r, &e, property, err) : E_OK;
    if (rc == E_OK)
        text_copy(to, room, text);
    free(text);
    sd_bus_error_free(&e);
    return rc;
}

/* Units of other kinds than services have no such numbers. */
static uint32_t get_number(sd_bus *bus, const char *path, const char *property)
{
    sd_bus_error e = SD_BUS_ERROR_NULL;
    uint32_t value = 0;
    if (sd_bus_get_property_trivial(bus, MANAGER, path, SERVICE_FACE, property, &e, 'u', &value) <
        0)
        value = 0;
    sd_bus_error_free(&e);
    return value;
}

static enum service_is state_of(const char *load, const char *active)
{
    static const struct {
        const char *word;
        enum service_is is;
    } words[] = {
        { "active", SERVICE_IS_RUNNING },       { "reloading", SERVICE_IS_RUNNING },
        { "inactive", SERVICE_IS_STOPPED },     { "failed", SERVICE_IS_FAILED },
        { "activating", SERVICE_IS_STARTING },  { "deactivating", SERVICE_IS_STOPPING },
        { "maintenance", SERVICE_IS_STOPPING },
    };
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (strcmp(words[i].word, active) == 0)
            return strcmp(load, "not-found") == 0 && words[i].is == SERVICE_IS_STOPPED
                       ? SERVICE_IS_ABSENT
                       : words[i].is;
    return SERVICE_IS_UNKNOWN;
}

static enum errc look(sd_bus *bus, const char *path, struct service_status *out, struct err *err)
{
    char load[40], active[40], sub[40];
    enum errc rc = get_text(bus, path, "LoadState", load, sizeof(load), err);
    if (rc == E_OK)
        rc = get_text(bus, path, "ActiveState", active, sizeof(active), err);
    if (rc == E_OK)
        rc = get_text(bus, path, "SubState", sub, sizeof(sub), err);
    if (rc != E_OK)
        return rc;
    *out = (struct service_status){ .is = state_of(load, active) };
    out->pid = get_number(bus, path, "MainPID");
    out->n_starts = get_number(bus, path, "NRestarts");
    (void)snprintf(out->text, sizeof(out->text), "%.38s (%.38s)",
                   out->is == SERVICE_IS_ABSENT ? "not found" : active, sub);
    return E_OK;
}

static enum errc service_status(void *self, const char *name, struct service_status *out,
                                struct err *err)
{
    sd_bus *bus = NULL;
    char *path = NULL, unit[NAME_ROOM];
    UNUSED(self);
    enum errc rc = open_bus(&bus, err);
    if (rc == E_OK)
        rc = find_unit(bus, unit_name(name, unit), &path, err);
    if (rc == E_OK)
        rc = look(bus, path, out, err);
    if (rc == E_ABSENT) {
        *out = (struct service_status){ .is = SERVICE_IS_ABSENT, .text = "not found" };
        rc = E_OK;
    }
    free(path);
    sd_bus_flush_close_unref(bus);
    return rc;
}

/* --- turning */

struct job {
    char path[200];
    char result[40]; /* "" until it is over */
    struct {
        char path[200], result[40];
    } early; /* one that was over before we knew its name */
};

static int job_removed(sd_bus_message *m, void *ctx, sd_bus_error *e)
{
    struct job *job = ctx;
    const char *path = NULL, *unit = NULL, *result = NULL;
    uint32_t id = 0;
    UNUSED(e);
    if (sd_bus_message_read(m, "uoss", &id, &path, &unit, &result) < 0)
        return 0;
    if (job->path[0] == '\0') {
        text_copy(job->early.path, sizeof(job->early.path), path);
        text_copy(job->early.result, sizeof(job->early.result), result);
    } else if (strcmp(job->path, path) == 0) {
        text_copy(job->result, sizeof(job->result), result);
    }
    return 0;
}

static enum errc subscribe(sd_bus *bus, struct job *job, struct err *err)
{
    sd_bus_error e = SD_BUS_ERROR_NULL;
    int r = sd_bus_match_signal(bus, NULL, MANAGER, MANAGER_PATH, MANAGER_FACE, "JobRemoved",
                                job_removed, job);
    if (r >= 0)
        r = sd_bus_call_method(bus, MANAGER, MANAGER_PATH, MANAGER_FACE, "Subscribe", &e, NULL, "");
    enum errc rc = r < 0 ? call_failed(r, &e, "listening", err) : E_OK;
    sd_bus_error_free(&e);
    return rc;
}

static enum errc begin_job(sd_bus *bus, const char *method, const char *unit, struct job *job,
                           struct err *err)
{
    sd_bus_error e = SD_BUS_ERROR_NULL;
    sd_bus_message *reply = NULL;
    const char *path = NULL;
    int r = sd_bus_call_method(bus, MANAGER, MANAGER_PATH, MANAGER_FACE, method, &e, &reply, "ss",
                               unit, "replace");
    if (r >= 0)
        r = sd_bus_message_read(reply, "o", &path);
    enum errc rc = r < 0 ? call_failed(r, &e, method, err) : E_OK;
    if (rc == E_OK)
        text_copy(job->path, sizeof(job->path), path);
    if (rc == E_OK && strcmp(job->early.path, job->path) == 0)
        text_copy(job->result, sizeof(job->result), job->early.result);
    sd_bus_message_unref(reply);
    sd_bus_error_free(&e);
    return rc;
}

static enum errc await_job(sd_bus *bus, struct job *job, int64_t end_ms, struct err *err)
{
    while (job->result[0] == '\0') {
        const int64_t left_ms = end_ms - posix_monotonic_ms();
        int r = sd_bus_process(bus, NULL);
        if (r < 0)
            return err_set(err, E_IO, "the bus was lost: %s", strerror(-r));
        if (r > 0)
            continue;
        if (left_ms <= 0)
            return err_set(err, E_TIMEOUT, "systemd is not done in time");
        r = sd_bus_wait(bus, (uint64_t)left_ms * 1000);
        if (r < 0 && r != -EINTR)
            return err_set(err, E_IO, "the bus was lost: %s", strerror(-r));
    }
    if (strcmp(job->result, "timeout") == 0)
        return err_set(err, E_TIMEOUT, "systemd gave up waiting for it");
    if (strcmp(job->result, "done") != 0)
        return err_set(err, E_IO, "systemd's job ended with \"%s\"", job->result);
    return E_OK;
}

/* After its job a unit may still be on its way. */
static enum errc await_state(sd_bus *bus, const char *path, bool is_start, int64_t end_ms,
                             struct err *err)
{
    static const struct timespec pause = { .tv_nsec = 5 * 1000 * 1000 };
    struct service_status s;
    for (;;) {
        enum errc rc = look(bus, path, &s, err);
        if (rc != E_OK)
            return rc;
        const bool is_down =
            s.is == SERVICE_IS_STOPPED || s.is == SERVICE_IS_FAILED || s.is == SERVICE_IS_ABSENT;
        if (is_start ? s.is == SERVICE_IS_RUNNING : is_down)
            return E_OK;
        if (is_start && is_down)
            return err_set(err, E_IO, "it is %s", s.text);
        if (posix_monotonic_ms() >= end_ms)
            return err_set(err, E_TIMEOUT, "it is still %s", s.text);
        (void)nanosleep(&pause, NULL);
    }
}

static bool is_there_already(const struct service_status *s, bool is_start)
{
    return is_start ? s->is == SERVICE_IS_RUNNING
                    : s->is == SERVICE_IS_STOPPED || s->is == SERVICE_IS_FAILED;
}

static enum errc turn(const char *name, bool is_start, int64_t timeout_ms, struct err *err)
{
    const int64_t end_ms = posix_monotonic_ms() + timeout_ms;
    struct job *job = calloc(1, sizeof(*job));
    struct service_status s = { .is = SERVICE_IS_UNKNOWN };
    sd_bus *bus = NULL;
    char *path = NULL, unit[NAME_ROOM];
    enum errc rc = job == NULL ? err_nomem(err) : open_bus(&bus, err);
    if (rc == E_OK)
        rc = find_unit(bus, unit_name(name, unit), &path, err);
    if (rc == E_OK)
        rc = look(bus, path, &s, err);
    if (rc == E_OK && s.is == SERVICE_IS_ABSENT)
        rc = err_set(err, E_ABSENT, "systemd knows no such unit");
    if (rc == E_OK && !is_there_already(&s, is_start)) {
        rc = subscribe(bus, job, err);
        if (rc == E_OK)
            rc = begin_job(bus, is_start ? "StartUnit" : "StopUnit", unit, job, err);
        if (rc == E_OK)
            rc = await_job(bus, job, end_ms, err);
        if (rc == E_OK)
            rc = await_state(bus, path, is_start, end_ms, err);
    }
    free(path);
    sd_bus_flush_close_unref(bus);
    free(job);
    return rc;
}

static enum errc service_start(void *self, const char *name, int64_t timeout_ms, struct err *err)
{
    UNUSED(self);
    return turn(name, true, timeout_ms, err);
}

static enum errc service_stop(void *self, const char *name, int64_t timeout_ms, struct err *err)
{
    UNUSED(self);
    return turn(name, false, timeout_ms, err);
}

const struct service_ops native_service_ops = { .status = service_status,
                                                .start = service_start,
                                                .stop = service_stop };
