#include "installer/core/services.h"

#include <stdio.h>

#include "installer/core/command.h"
#include "platform/base/text.h"

#define POLL_FIRST_MS 2
#define POLL_LAST_MS 100

static const struct product_service *service_of(const struct setup *setup, size_t i)
{
    return &setup->product.services.items.items[i];
}

static bool has_commands(const struct product_service *s)
{
    return s->status.args.n > 0;
}

/* --- by commands */

static enum errc ask_status(const struct setup *setup, const struct product_service *s,
                            struct service_status *out, struct err *err)
{
    struct proc_result r;
    char text[240];
    enum errc rc = command_run(setup, &s->status, &r, err);
    if (rc != E_OK)
        return rc;
    *out = (struct service_status){ .is = SERVICE_IS_UNKNOWN };
    if (r.end == PROC_EXITED && r.code == 0)
        out->is = SERVICE_IS_RUNNING;
    else if (r.end == PROC_EXITED && r.code >= 1 && r.code <= 3)
        out->is = SERVICE_IS_STOPPED;
    else
        rc = err_set(err, r.end == PROC_TIMED_OUT ? E_TIMEOUT : E_IO, "status of %.60s: %s",
                     s->name, command_describe(&s->status, &r, text, sizeof(text)));
    (void)snprintf(out->text, sizeof(out->text), "%s",
                   out->is == SERVICE_IS_RUNNING ? "runs" : "does not run");
    buf_fini(&r.output);
    return rc;
}

/* await_state asks until the service is as wanted, quickly at first: the time is downtime. */
static enum errc await_state(const struct setup *setup, const struct product_service *s,
                             enum service_is wanted, int64_t timeout_s, struct err *err)
{
    struct platform *p = setup->platform;
    const int64_t end = p->host->monotonic_ms(p->self) + timeout_s * 1000;
    struct service_status status;
    int64_t wait_ms = POLL_FIRST_MS;
    for (;;) {
        enum errc rc = ask_status(setup, s, &status, err);
        if (rc != E_OK || status.is == wanted)
            return rc;
        if (p->host->monotonic_ms(p->self) >= end)
            return err_set(err, E_TIMEOUT, "%.60s: still %s after %lld s", s->name, status.text,
                           (long long)timeout_s);
        p->host->sleep_ms(p->self, wait_ms);
        wait_ms = wait_ms < POLL_LAST_MS ? wait_ms * 2 : POLL_LAST_MS;
    }
}

static enum errc turn(const struct setup *setup, const struct product_service *s, bool is_start,
                      struct err *err)
{
    const enum service_is wanted = is_start ? SERVICE_IS_RUNNING : SERVICE_IS_STOPPED;
    struct service_status status;
    enum errc rc = ask_status(setup, s, &status, err);
    if (rc != E_OK || status.is == wanted)
        return rc;
    rc = command_demand(setup, is_start ? &s->start : &s->stop, err);
    return rc == E_OK ? await_state(setup, s, wanted,
                                    is_start ? s->start_timeout_s : s->stop_timeout_s, err)
                      : rc;
}

/* --- either way */

static enum errc name_service(const struct product_service *s, enum errc rc, struct err *err)
{
    char shown[80];
    return rc == E_OK
               ? rc
               : err_prefix(err, "%s: ", text_printable(span_text(s->name), shown, sizeof(shown)));
}

enum errc services_status(const struct setup *setup, size_t i, struct service_status *out,
                          struct err *err)
{
    const struct product_service *s = service_of(setup, i);
    struct platform *p = setup->platform;
    if (has_commands(s))
        return ask_status(setup, s, out, err);
    return name_service(s, p->service->status(p->self, s->name, out, err), err);
}

enum errc services_stop(const struct setup *setup, size_t i, struct err *err)
{
    const struct product_service *s = service_of(setup, i);
    struct platform *p = setup->platform;
    if (has_commands(s))
        return turn(setup, s, false, err);
    return name_service(s, p->service->stop(p->self, s->name, s->stop_timeout_s * 1000, err), err);
}

enum errc services_start(const struct setup *setup, size_t i, struct err *err)
{
    const struct product_service *s = service_of(setup, i);
    struct platform *p = setup->platform;
    if (has_commands(s))
        return turn(setup, s, true, err);
    return name_service(s, p->service->start(p->self, s->name, s->start_timeout_s * 1000, err),
                        err);
}
