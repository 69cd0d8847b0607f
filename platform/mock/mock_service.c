/* Services that start, stop, refuse, hang, or die later. */

#include <stdio.h>
#include <string.h>

#include "platform/base/text.h"
#include "platform/mock/mock_machine.h"

#define TURN_MS 20 /* what a start or a stop takes */

static struct mock_service *find(const struct mock *m, const char *name)
{
    for (size_t i = 0; i < m->n_services; i++)
        if (strcmp(m->services[i]->name, name) == 0)
            return m->services[i];
    return NULL;
}

struct mock_service *mock_service(struct mock *m, const char *name)
{
    struct mock_service *s = find(m, name);
    if (s != NULL)
        return s;
    m->services = mock_grow(m->services, m->n_services, &m->room_services, sizeof(m->services[0]));
    s = m->services[m->n_services++] = mock_calloc(1, sizeof(*s));
    (void)text_copy(s->name, sizeof(s->name), name);
    s->is = SERVICE_IS_STOPPED;
    return s;
}

void mock_services_pass(struct mock *m)
{
    for (size_t i = 0; i < m->n_services; i++) {
        struct mock_service *s = m->services[i];
        if (s->is != SERVICE_IS_RUNNING || s->dies_after_ms == 0 ||
            m->monotonic_ms - s->started_ms < s->dies_after_ms)
            continue;
        s->is = SERVICE_IS_FAILED;
        s->pid = 0;
    }
}

static enum errc service_status(void *self, const char *name, struct service_status *out,
                                struct err *err)
{
    static const char *const words[] = { "unknown",  "not found", "stopped", "failed",
                                         "starting", "running",   "stopping" };
    const struct mock_service *s = find(self, name);
    UNUSED(err);
    *out = (struct service_status){ .is = SERVICE_IS_ABSENT };
    if (s != NULL)
        *out = (struct service_status){ .is = s->is, .pid = s->pid, .n_starts = s->n_starts };
    (void)snprintf(out->text, sizeof(out->text), "%s", words[out->is]);
    return E_OK;
}

/* E_OK: go on and do it, or where a plan says so say that it is done. */
static enum errc turn(struct mock *m, const struct mock_service *s, enum mock_turn how,
                      int64_t timeout_ms, bool *out_ignored, struct err *err)
{
    enum errc rc = fault_ask(m->disk.plan, FAULT_ACT, "turn", s->name, out_ignored, err);
    if (rc != E_OK || *out_ignored)
        return rc;
    mock_pass(m, how == TURN_HANGS || how == TURN_STICKS ? timeout_ms : TURN_MS);
    switch (how) {
    case TURN_REFUSES: return err_set(err, E_IO, "failed (exit-code)");
    case TURN_HANGS: return err_set(err, E_TIMEOUT, "has not done so in time");
    case TURN_STICKS: return err_set(err, E_TIMEOUT, "it is still stopping");
    case TURN_DENIED: return err_set(err, E_ACCESS, "that is not ours to do");
    case TURN_GOOD: break;
    }
    return E_OK;
}

static enum errc service_start(void *self, const char *name, int64_t timeout_ms, struct err *err)
{
    struct mock *m = self;
    struct mock_service *s = find(m, name);
    if (s == NULL)
        return err_set(err, E_ABSENT, "%.60s: there is no such service", name);
    if (s->is == SERVICE_IS_RUNNING)
        return E_OK;
    bool is_ignored = false;
    enum errc rc = turn(m, s, s->is == SERVICE_IS_STOPPING ? TURN_STICKS : s->start, timeout_ms,
                        &is_ignored, err);
    if (is_ignored)
        return E_OK;
    if (s->is == SERVICE_IS_STOPPING)
        return rc;
    if (rc == E_OK && s->on_start != NULL)
        rc = s->on_start(s->ctx, m, s, err);
    s->is = rc == E_OK ? SERVICE_IS_RUNNING : SERVICE_IS_FAILED;
    s->pid = rc == E_OK ? ++m->last_pid : 0;
    s->started_ms = m->monotonic_ms;
    return rc;
}

static enum errc service_stop(void *self, const char *name, int64_t timeout_ms, struct err *err)
{
    struct mock *m = self;
    struct mock_service *s = find(m, name);
    if (s == NULL)
        return err_set(err, E_ABSENT, "%.60s: there is no such service", name);
    if (s->is == SERVICE_IS_STOPPED || s->is == SERVICE_IS_FAILED)
        return E_OK;
    bool is_ignored = false;
    enum errc rc = turn(m, s, s->stop, timeout_ms, &is_ignored, err);
    if (s->stop == TURN_STICKS && !is_ignored)
        s->is = SERVICE_IS_STOPPING;
    if (rc == E_OK && !is_ignored) {
        s->is = SERVICE_IS_STOPPED;
        s->pid = 0;
    }
    return rc;
}

const struct service_ops mock_service_ops = { service_status, service_start, service_stop };
