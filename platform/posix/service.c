/* systemd over D-Bus (org.freedesktop.systemd1(5)), through libsystemd: root asks the system's
 * manager, an ordinary user their own. The library is loaded when a service is asked, since most
 * runs ask none and it brings six more. */

#include <dlfcn.h>
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
#define CALL_MS (20 * 1000)
#define LIBRARY "libsystemd.so.0"
#define CALLS(X)                                                                                   \
    X(call_method)                                                                                 \
    X(close)                                                                                       \
    X(error_free)                                                                                  \
    X(get_property)                                                                                \
    X(get_property_string)                                                                         \
    X(get_property_trivial)                                                                        \
    X(is_ready)                                                                                    \
    X(match_signal)                                                                                \
    X(message_read)                                                                                \
    X(message_unref)                                                                               \
    X(open_system)                                                                                 \
    X(open_user)                                                                                   \
    X(process)                                                                                     \
    X(set_method_call_timeout)                                                                     \
    X(unref)                                                                                       \
    X(wait)

/* --- the bus */

struct manager {
    struct {
#define X(name) __typeof__(sd_bus_##name) *name;
        CALLS(X)
#undef X
    } call;
    sd_bus *bus;
    int64_t end_ms; /* no answer is waited for past it */
};

static int64_t left_ms(const struct manager *m)
{
    const int64_t left = m->end_ms - posix_monotonic_ms();
    return left > 0 ? left : 0;
}

/* The bus, for one call: 0 would be the library's own time. */
static sd_bus *in_time(const struct manager *m)
{
    const int64_t left = left_ms(m), ms = left < CALL_MS ? left : CALL_MS;
    (void)m->call.set_method_call_timeout(m->bus, ms > 0 ? (uint64_t)ms * 1000 : 1);
    return m->bus;
}

/* One piece of the bus's work, or a wait for the next. */
static int work_bus(const struct manager *m)
{
    int r = m->call.process(m->bus, NULL);
    if (r != 0)
        return r;
    if (left_ms(m) == 0)
        return -ETIMEDOUT;
    r = m->call.wait(m->bus, (uint64_t)left_ms(m) * 1000);
    return r == -EINTR ? 0 : r;
}

/* It is never unloaded: it may keep what it needs for a thread's end. */
static enum errc load(struct manager *m, struct err *err)
{
    void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_NODELETE);
    if (library == NULL)
        return err_set(err, E_UNSUPPORTED,
                       "this machine has no " LIBRARY "; install it, or give the service start, "
                       "stop and status commands in the product file");
#define X(name)                                                                                    \
    *(void **)&m->call.name = dlsym(library, "sd_bus_" #name);                                     \
    if (m->call.name == NULL)                                                                      \
        return err_set(err, E_UNSUPPORTED, "this machine's " LIBRARY " has no sd_bus_" #name);
    CALLS(X)
#undef X
    return E_OK;
}

/* The library alone would wait much longer for a bus that takes the connection and says nothing. */
static enum errc open_bus(struct manager *m, int64_t timeout_ms, struct err *err)
{
    m->end_ms = posix_monotonic_ms() + timeout_ms;
    enum errc rc = load(m, err);
    if (rc != E_OK)
        return rc;
    int r = posix_is_elevated() ? m->call.open_system(&m->bus) : m->call.open_user(&m->bus);
    while (r >= 0 && (r = m->call.is_ready(m->bus)) == 0)
        r = work_bus(m);
    if (r == -ETIMEDOUT)
        return err_set(err, E_TIMEOUT, "the bus of the system does not answer");
    if (r == -EACCES || r == -EPERM)
        return err_set(err, E_ACCESS, "the bus of the system does not let us in");
    if (r < 0)
        return err_set(err, E_UNSUPPORTED,
                       "systemd can't be asked (%s); where there is none, give the service start, "
                       "stop and status commands in the product file",
                       strerror(-r));
    return E_OK;
}

/* Without a flush, which waits for a bus that says nothing: nothing of ours is on its way. */
static void close_bus(const struct manager *m)
{
    if (m->bus == NULL)
        return;
    m->call.close(m->bus);
    m->call.unref(m->bus);
}

static enum errc call_failed(int r, const sd_bus_error *e, const char *what, struct err *err)
{
    const char *name = e->name != NULL ? e->name : "";
    char said[120];
    (void)text_printable(span_text(e->message != NULL ? e->message : strerror(-r)), said,
                         sizeof(said));
    if (strstr(name, "NoSuchUnit") != NULL || strstr(name, "LoadFailed") != NULL)
        return err_set(err, E_ABSENT, "%s: systemd: %s", what, said);
    if (strstr(name, "AccessDenied") != NULL || strstr(name, "AuthorizationRequired") != NULL ||
        strstr(name, "NotAuthorized") != NULL)
        return err_set(err, E_ACCESS, "%s: systemd: %s", what, said);
    if (strstr(name, "ServiceUnknown") != NULL || strstr(name, "NameHasNoOwner") != NULL ||
        strstr(name, "Spawn") != NULL)
        return err_set(err, E_UNSUPPORTED,
                       "%s: no systemd answers on the bus; give the service start, stop and status "
                       "commands in the product file",
                       what);
    if (r == -ETIMEDOUT || strstr(name, "NoReply") != NULL || strstr(name, "Timeout") != NULL)
        return err_set(err, E_TIMEOUT, "%s: systemd does not answer", what);
    if (r == -ENXIO || r == -EBADMSG) /* as the library says it of another type */
        return err_set(err, E_IO, "%s: systemd's answer is not understood", what);
    return err_set(err, E_IO, "%s: systemd: %s", what, said);
}

static bool has_kind(const char *name)
{
    static const char *const kinds[] = { ".service", ".socket", ".target",   ".timer",
                                         ".path",    ".mount",  ".slice",    ".scope",
                                         ".device",  ".swap",   ".automount" };
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; i < ARRAY_LEN(kinds) && dot != NULL; i++)
        if (strcmp(dot, kinds[i]) == 0)
            return true;
    return false;
}

/* A name without a kind is a service's, as systemctl(1) has it: org.example.orchard too. */
static const char *unit_name(const char *name, char to[NAME_ROOM])
{
    (void)snprintf(to, NAME_ROOM, "%s%s", name, has_kind(name) ? "" : ".service");
    return to;
}

/* --- looking */

static enum errc find_unit(const struct manager *m, const char *unit, char **out_path,
                           struct err *err)
{
    sd_bus_error e = SD_BUS_ERROR_NULL;
    sd_bus_message *reply = NULL;
    const char *path = NULL;
    int r = m->call.call_method(in_time(m), MANAGER, MANAGER_PATH, MANAGER_FACE, "LoadUnit", &e,
                                &reply, "s", unit);
    if (r >= 0)
        r = m->call.message_read(reply, "o", &path);
    enum errc rc = r < 0 ? call_failed(r, &e, "asking for the unit", err) : E_OK;
    if (rc == E_OK && (*out_path = strdup(path)) == NULL)
        rc = err_nomem(err);
    m->call.message_unref(reply);
    m->call.error_free(&e);
    return rc;
}

static enum errc get_text(const struct manager *m, const char *path, const char *face,
                          const char *property, char *to, size_t room, struct err *err)
{
    sd_bus_error e = SD_BUS_ERROR_NULL;
    char *text = NULL;
    int r = m->call.get_property_string(in_time(m), MANAGER, path, face, property, &e, &text);
    enum errc rc = r < 0 ? call_failed(r, &e, property, err) : E_OK;
    if (rc == E_OK)
        (void)text_printable(span_text(text), to, room);
    free(text);
    m->call.error_free(&e);
    return rc;
}

/* Units of other kinds than services have no such numbers. */
static uint32_t get_number(const struct manager *m, const char *path, const char *property)
{
    sd_bus_error e = SD_BUS_ERROR_NULL;
    uint32_t value = 0;
    if (m->call.get_property_trivial(in_time(m), MANAGER, path, SERVICE_FACE, property, &e, 'u',
                                     &value) < 0)
        value = 0;
    m->call.error_free(&e);
    return value;
}

static enum service_is state_of(const char *load, const char *active)
{
    static const struct {
        const char *word;
        enum service_is is;
    } words[] = {
        { "active", SERVICE_IS_RUNNING },        { "reloading", SERVICE_IS_RUNNING },
        { "refreshing", SERVICE_IS_RUNNING },    { "inactive", SERVICE_IS_STOPPED },
        { "failed", SERVICE_IS_FAILED },         { "activating", SERVICE_IS_STARTING },
        { "deactivating", SERVICE_IS_STOPPING }, { "maintenance", SERVICE_IS_STOPPING },
    };
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (strcmp(words[i].word, active) == 0)
            return strcmp(load, "not-found") == 0 && words[i].is == SERVICE_IS_STOPPED
                       ? SERVICE_IS_ABSENT
                       : words[i].is;
    return SERVICE_IS_UNKNOWN;
}

/* In the manager's words; why it failed is a service's own property. */
static void describe(const struct manager *m, const char *path, const char *active, const char *sub,
                     struct service_status *s)
{
    char result[36];
    struct err ignored;
    if (s->is == SERVICE_IS_ABSENT)
        text_copy(s->text, sizeof(s->text), "not found");
    else if (s->is == SERVICE_IS_FAILED &&
             get_text(m, path, SERVICE_FACE, "Result", result, sizeof(result), &ignored) == E_OK)
        (void)snprintf(s->text, sizeof(s->text), "%s (%s)", active, result);
    else
        (void)snprintf(s->text, sizeof(s->text), "%s (%s)", active, sub);
}

static enum errc look(const struct manager *m, const char *path, struct service_status *out,
                      struct err *err)
{
    char load[36], active[36], sub[36];
    enum errc rc = get_text(m, path, UNIT_FACE, "LoadState", load, sizeof(load), err);
    if (rc == E_OK)
        rc = get_text(m, path, UNIT_FACE, "ActiveState", active, sizeof(active), err);
    if (rc == E_OK)
        rc = get_text(m, path, UNIT_FACE, "SubState", sub, sizeof(sub), err);
    if (rc != E_OK)
        return rc;
    *out = (struct service_status){ .is = state_of(load, active) };
    out->pid = get_number(m, path, "MainPID");
    out->n_starts = get_number(m, path, "NRestarts");
    describe(m, path, active, sub, out);
    return E_OK;
}

static enum errc service_status(void *self, const char *name, struct service_status *out,
                                struct err *err)
{
    struct manager m = { .bus = NULL };
    char *path = NULL, unit[NAME_ROOM];
    UNUSED(self);
    enum errc rc = open_bus(&m, CALL_MS, err);
    if (rc == E_OK)
        rc = find_unit(&m, unit_name(name, unit), &path, err);
    if (rc == E_OK)
        rc = look(&m, path, out, err);
    if (rc == E_ABSENT) {
        *out = (struct service_status){ .is = SERVICE_IS_ABSENT, .text = "not found" };
        rc = E_OK;
    }
    free(path);
    close_bus(&m);
    return rc;
}

/* --- turning */

struct job {
    const struct manager *m;
    char path[200];
    char result[40]; /* "" until it is over */
};

/* Signals wait until the bus is worked on, also those that come before the answer to begin_job. */
static int job_removed(sd_bus_message *message, void *ctx, sd_bus_error *e)
{
    struct job *job = ctx;
    const char *path = NULL, *unit = NULL, *result = NULL;
    uint32_t id = 0;
    UNUSED(e);
    if (job->m->call.message_read(message, "uoss", &id, &path, &unit, &result) >= 0 &&
        strcmp(job->path, path) == 0)
        (void)text_printable(span_text(result), job->result, sizeof(job->result));
    return 0;
}

static enum errc subscribe(const struct manager *m, struct job *job, struct err *err)
{
    sd_bus_error e = SD_BUS_ERROR_NULL;
    int r = m->call.match_signal(in_time(m), NULL, MANAGER, MANAGER_PATH, MANAGER_FACE,
                                 "JobRemoved", job_removed, job);
    if (r >= 0)
        r = m->call.call_method(in_time(m), MANAGER, MANAGER_PATH, MANAGER_FACE, "Subscribe", &e,
                                NULL, "");
    enum errc rc = r < 0 ? call_failed(r, &e, "listening", err) : E_OK;
    m->call.error_free(&e);
    return rc;
}

static enum errc begin_job(const struct manager *m, const char *method, const char *unit,
                           struct job *job, struct err *err)
{
    sd_bus_error e = SD_BUS_ERROR_NULL;
    sd_bus_message *reply = NULL;
    const char *path = NULL;
    int r = m->call.call_method(in_time(m), MANAGER, MANAGER_PATH, MANAGER_FACE, method, &e, &reply,
                                "ss", unit, "replace");
    if (r >= 0)
        r = m->call.message_read(reply, "o", &path);
    enum errc rc = r < 0 ? call_failed(r, &e, method, err) : E_OK;
    if (rc == E_OK)
        text_copy(job->path, sizeof(job->path), path);
    m->call.message_unref(reply);
    m->call.error_free(&e);
    return rc;
}

static enum errc await_job(const struct manager *m, const char *path, const struct job *job,
                           struct err *err)
{
    struct service_status s;
    struct err ignored;
    while (job->result[0] == '\0') {
        int r = work_bus(m);
        if (r == -ETIMEDOUT)
            return err_set(err, E_TIMEOUT, "systemd is not done in time");
        if (r < 0)
            return err_set(err, E_IO, "the bus was lost: %s", strerror(-r));
    }
    if (strcmp(job->result, "done") == 0)
        return E_OK;
    if (strcmp(job->result, "timeout") == 0)
        return err_set(err, E_TIMEOUT, "systemd gave up waiting for it");
    const bool is_known = look(m, path, &s, &ignored) == E_OK;
    return err_set(err, E_IO, "systemd's job ended with \"%s\"%s%s", job->result,
                   is_known ? "; it is " : "", is_known ? s.text : "");
}

/* After its job a unit may still be on its way. */
static enum errc await_state(const struct manager *m, const char *path, bool is_start,
                             struct err *err)
{
    static const struct timespec pause = { .tv_nsec = 5 * 1000 * 1000 };
    struct service_status s = { .is = SERVICE_IS_UNKNOWN };
    for (;;) {
        enum errc rc = look(m, path, &s, err);
        if (rc == E_TIMEOUT && s.text[0] != '\0')
            return err_set(err, E_TIMEOUT, "it is still %s", s.text);
        if (rc != E_OK)
            return rc;
        const bool is_down =
            s.is == SERVICE_IS_STOPPED || s.is == SERVICE_IS_FAILED || s.is == SERVICE_IS_ABSENT;
        if (is_start ? s.is == SERVICE_IS_RUNNING : is_down)
            return E_OK;
        if (is_start && is_down)
            return err_set(err, E_IO, "it is %s", s.text);
        if (left_ms(m) == 0)
            return err_set(err, E_TIMEOUT, "it is still %s", s.text);
        (void)nanosleep(&pause, NULL);
    }
}

/* One that runs and is about to be stopped (as after a stop that was given up) does not stay so. */
static bool has_job(const struct manager *m, const char *path)
{
    sd_bus_message *reply = NULL;
    const char *job = NULL;
    uint32_t id = 0;
    if (m->call.get_property(in_time(m), MANAGER, path, UNIT_FACE, "Job", NULL, &reply, "(uo)") <
            0 ||
        m->call.message_read(reply, "(uo)", &id, &job) < 0)
        id = 0;
    m->call.message_unref(reply);
    return id != 0;
}

static bool is_there_already(const struct service_status *s, bool is_start)
{
    return is_start ? s->is == SERVICE_IS_RUNNING
                    : s->is == SERVICE_IS_STOPPED || s->is == SERVICE_IS_FAILED;
}

static enum errc turn(const char *name, bool is_start, int64_t timeout_ms, struct err *err)
{
    struct job *job = calloc(1, sizeof(*job));
    struct service_status s = { .is = SERVICE_IS_UNKNOWN };
    struct manager m = { .bus = NULL };
    char *path = NULL, unit[NAME_ROOM];
    enum errc rc = job == NULL ? err_nomem(err) : open_bus(&m, timeout_ms, err);
    if (job != NULL)
        job->m = &m;
    if (rc == E_OK)
        rc = find_unit(&m, unit_name(name, unit), &path, err);
    if (rc == E_OK)
        rc = look(&m, path, &s, err);
    if (rc == E_OK && s.is == SERVICE_IS_ABSENT)
        rc = err_set(err, E_ABSENT, "systemd knows no such unit");
    if (rc == E_OK && !(is_there_already(&s, is_start) && !has_job(&m, path))) {
        rc = subscribe(&m, job, err);
        if (rc == E_OK)
            rc = begin_job(&m, is_start ? "StartUnit" : "StopUnit", unit, job, err);
        if (rc == E_OK)
            rc = await_job(&m, path, job, err);
        if (rc == E_OK)
            rc = await_state(&m, path, is_start, err);
    }
    free(path);
    close_bus(&m);
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
