#include "installer/core/health.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "installer/core/command.h"
#include "installer/core/fetch_ca.h"
#include "installer/core/fetch_probe.h"
#include "installer/core/services.h"
#include "platform/base/text.h"

#define CA_MAX (16 * 1024 * 1024)
#define POLL_FIRST_MS 5
#define SERVICES_MAX 32

/* Who ran when it came up: another process later means that it went down in between. */
struct running {
    int64_t pid[SERVICES_MAX];
    uint64_t n_starts[SERVICES_MAX];
};

/* --- one round */

static enum errc ask_services(const struct setup *setup, const struct running *before,
                              struct running *out, struct health *h, bool *out_holds,
                              struct err *err)
{
    const struct product_services *services = &setup->product.services;
    for (size_t i = 0; i < services->items.n && i < SERVICES_MAX; i++) {
        struct service_status s;
        const char *name = services->items.items[i].name;
        enum errc rc = services_status(setup, i, &s, err);
        if (rc == E_NOMEM)
            return rc;
        *out_holds = false;
        if (rc != E_OK)
            (void)snprintf(h->why, sizeof(h->why), "%s", err->text);
        else if (s.is != SERVICE_IS_RUNNING)
            (void)snprintf(h->why, sizeof(h->why), "%.80s does not run: %s", name, s.text);
        else if (before != NULL && (s.pid != before->pid[i] || s.n_starts != before->n_starts[i]))
            (void)snprintf(h->why, sizeof(h->why), "%.80s went down and was started again", name);
        else
            *out_holds = true;
        if (!*out_holds)
            return E_OK;
        out->pid[i] = s.pid;
        out->n_starts[i] = s.n_starts;
    }
    *out_holds = true;
    return E_OK;
}

static enum errc read_ca(const struct setup *setup, const struct health_http *http, struct buf *out,
                         struct err *err)
{
    static const char secure[] = "https:";
    char path[SETUP_PATH_ROOM];
    if (strncmp(http->url, secure, strlen(secure)) != 0)
        return E_OK;
    if (http->ca == NULL)
        return fetch_ca_system(setup->platform, out, err);
    enum errc rc = setup_resolve(setup, http->ca, path, err);
    if (rc == E_OK)
        rc = platform_read_file(setup->platform, path, CA_MAX, out, err);
    return rc == E_OK ? rc : err_prefix(err, "%.120s: ", http->ca);
}

static enum errc ask_http(const struct setup *setup, const struct health_http *http,
                          struct health *h, bool *out_holds, struct err *err)
{
    struct buf ca;
    buf_init(&ca, FETCH_CA_MAX);
    enum errc rc = read_ca(setup, http, &ca, err);
    struct fetch_probe probe = { .url = http->url,
                                 .ca = buf_span(&ca),
                                 .status = http->status,
                                 .contains = http->contains,
                                 .timeout_ms = http->timeout_s * 1000 };
    if (rc == E_OK)
        rc = fetch_probe_ask(&probe, out_holds, h->why, sizeof(h->why), err);
    buf_fini(&ca);
    return rc;
}

static enum errc ask_command(const struct setup *setup, const struct product_command *command,
                             struct health *h, bool *out_holds, struct err *err)
{
    enum errc rc = command_demand(setup, command, err);
    *out_holds = rc == E_OK;
    if (rc == E_NOMEM)
        return rc;
    if (rc != E_OK)
        text_copy(h->why, sizeof(h->why), err->text);
    return E_OK;
}

static enum errc ask_probes(const struct setup *setup, struct health *h, bool *out_holds,
                            struct err *err)
{
    const struct product_health *said = &setup->product.health;
    enum errc rc = E_OK;
    *out_holds = true;
    for (size_t i = 0; i < said->http.n && rc == E_OK && *out_holds; i++)
        rc = ask_http(setup, &said->http.items[i], h, out_holds, err);
    for (size_t i = 0; i < said->commands.n && rc == E_OK && *out_holds; i++)
        rc = ask_command(setup, &said->commands.items[i], h, out_holds, err);
    h->n_rounds++;
    h->n_failed += rc == E_OK && !*out_holds;
    return rc;
}

enum errc health_round(const struct setup *setup, struct health *out, struct err *err)
{
    struct running running;
    *out = (struct health){ .is_healthy = false };
    enum errc rc = ask_services(setup, NULL, &running, out, &out->is_healthy, err);
    if (rc == E_OK && out->is_healthy)
        rc = ask_probes(setup, out, &out->is_healthy, err);
    return rc;
}

/* --- the watch */

struct watch {
    const struct setup *setup;
    health_tick_fn tick;
    void *ctx;
    struct health *out;
    struct running running;
};

static int64_t now_of(const struct watch *w)
{
    return w->setup->platform->host->monotonic_ms(w->setup->platform->self);
}

static void wait_for(const struct watch *w, int64_t ms)
{
    if (ms > 0)
        w->setup->platform->host->sleep_ms(w->setup->platform->self, ms);
}

/* Until everything holds at once, asked often at first: the time is downtime. */
static enum errc await_first(struct watch *w, int64_t end_ms, bool *out_came, struct err *err)
{
    const int64_t interval_ms = w->setup->product.health.interval_s * 1000;
    int64_t wait_ms = POLL_FIRST_MS;
    for (;;) {
        enum errc rc = w->tick != NULL ? w->tick(w->ctx, err) : E_OK;
        if (rc == E_OK)
            rc = ask_services(w->setup, NULL, &w->running, w->out, out_came, err);
        if (rc == E_OK && *out_came)
            rc = ask_probes(w->setup, w->out, out_came, err);
        const int64_t now = now_of(w);
        if (rc == E_OK && *out_came)
            w->out->healthy_ms = now;
        if (rc != E_OK || *out_came || now >= end_ms)
            return rc;
        wait_for(w, wait_ms < end_ms - now ? wait_ms : end_ms - now);
        wait_ms = wait_ms * 2 < interval_ms ? wait_ms * 2 : interval_ms;
    }
}

/* Then the same processes, and no more failures than are allowed. */
static enum errc await_stay(struct watch *w, bool *out_stays, struct err *err)
{
    const struct product_health *said = &w->setup->product.health;
    const int64_t end_ms = w->out->healthy_ms + said->stays_up_s * 1000;
    struct running now_running;
    bool holds = true;
    w->out->n_failed = 0;
    *out_stays = true;
    for (int64_t now = now_of(w); now < end_ms; now = now_of(w)) {
        const int64_t left = end_ms - now, interval_ms = said->interval_s * 1000;
        wait_for(w, left < interval_ms ? left : interval_ms);
        enum errc rc = w->tick != NULL ? w->tick(w->ctx, err) : E_OK;
        if (rc == E_OK)
            rc = ask_services(w->setup, &w->running, &now_running, w->out, out_stays, err);
        if (rc == E_OK && *out_stays)
            rc = ask_probes(w->setup, w->out, &holds, err);
        if (rc != E_OK || !*out_stays)
            return rc;
        *out_stays = w->out->n_failed <= said->failures;
        if (!*out_stays)
            return E_OK;
    }
    return E_OK;
}

enum errc health_watch(const struct setup *setup, int64_t started_ms, health_tick_fn tick,
                       void *ctx, struct health *out, struct err *err)
{
    struct watch w = { .setup = setup, .tick = tick, .ctx = ctx, .out = out };
    bool holds = false;
    *out = (struct health){ .is_healthy = false };
    enum errc rc = await_first(&w, started_ms + setup->product.health.within_s * 1000, &holds, err);
    if (rc == E_OK && holds)
        rc = await_stay(&w, &holds, err);
    out->is_healthy = rc == E_OK && holds;
    return rc;
}
