#include "installer/core/metrics.h"

#include <inttypes.h>

/* The first error is kept; every later call does nothing. */
struct writer {
    struct buf *out;
    struct err *err;
    enum errc rc;
    const char *product;
};

static void put(struct writer *w, const char *text)
{
    if (w->rc == E_OK)
        w->rc = buf_add_text(w->out, text, w->err);
}

/* OpenMetrics, "escaped-string": backslash, quote and LF. */
static void put_value(struct writer *w, const char *text)
{
    for (const char *c = text; *c != '\0' && w->rc == E_OK; c++) {
        if (*c == '\n')
            put(w, "\\n");
        else if (*c == '"' || *c == '\\')
            w->rc = buf_printf(w->out, w->err, "\\%c", *c);
        else
            w->rc = buf_add_byte(w->out, (uint8_t)*c, w->err);
    }
}

static void put_family(struct writer *w, const char *name, const char *type, const char *unit,
                       const char *help)
{
    if (w->rc == E_OK)
        w->rc = buf_printf(w->out, w->err, "# TYPE surefoot_%s %s\n", name, type);
    if (w->rc == E_OK && unit[0] != '\0')
        w->rc = buf_printf(w->out, w->err, "# UNIT surefoot_%s %s\n", name, unit);
    if (w->rc == E_OK)
        w->rc = buf_printf(w->out, w->err, "# HELP surefoot_%s %s\n", name, help);
}

static void put_sample(struct writer *w, const char *name, const char *label, const char *value)
{
    put(w, "surefoot_");
    put(w, name);
    put(w, "{product=\"");
    put_value(w, w->product);
    if (label != NULL) {
        put(w, "\",");
        put(w, label);
        put(w, "=\"");
        put_value(w, value);
    }
    put(w, "\"} ");
}

static void put_number(struct writer *w, const char *name, int64_t number)
{
    put_sample(w, name, NULL, NULL);
    if (w->rc == E_OK)
        w->rc = buf_printf(w->out, w->err, "%" PRId64 "\n", number);
}

static void put_seconds(struct writer *w, const char *name, int64_t ms)
{
    put_sample(w, name, NULL, NULL);
    if (w->rc == E_OK)
        w->rc = buf_printf(w->out, w->err, "%" PRId64 ".%03d\n", ms / 1000, (int)(ms % 1000));
}

static void put_state(struct writer *w, const struct metrics *m)
{
    static const char *const names[] = { "Enabled", "Suspended", "Disabled" };
    put_family(w, "state", "stateset", "", "State of unattended upgrades.");
    for (int i = 0; i < 3; i++) {
        put_sample(w, "state", "surefoot_state", names[i]);
        put(w, i == m->word ? "1\n" : "0\n");
    }
}

static void put_installed(struct writer *w, const struct metrics *m)
{
    put_family(w, "installed", "info", "", "The version that is installed.");
    put_sample(w, "installed_info", "version",
               m->state->has_installed ? m->state->installed.text : "");
    put(w, "1\n");
}

static void put_last(struct writer *w, const struct metrics *m)
{
    const struct upgrade_state *s = m->state;
    if (!s->has_last)
        return;
    put_family(w, "last_attempt_timestamp_seconds", "gauge", "seconds",
               "When the last attempt ended.");
    put_number(w, "last_attempt_timestamp_seconds", s->last_time);
    put_family(w, "last_result", "info", "", "How the last attempt ended.");
    put_sample(w, "last_result_info", "result", s->last_result);
    put(w, "1\n");
}

enum errc metrics_write(const struct metrics *m, struct buf *out, struct err *err)
{
    struct writer w = { .out = out, .err = err, .product = m->product };
    put_state(&w, m);
    put_installed(&w, m);
    put_last(&w, m);
    put_family(&w, "newer_available", "gauge", "", "A newer release is offered to this machine.");
    put_number(&w, "newer_available", m->newer_available);
    put_family(&w, "recovery_pending", "gauge", "", "A run was interrupted.");
    put_number(&w, "recovery_pending", m->recovery_pending);
    put_family(&w, "holds", "gauge", "", "Releases that are on hold.");
    put_number(&w, "holds", (int64_t)m->state->n_holds);
    if (m->downtime_ms >= 0) {
        put_family(&w, "downtime_seconds", "gauge", "seconds",
                   "How long the product was stopped by the last attempt.");
        put_seconds(&w, "downtime_seconds", m->downtime_ms);
    }
    put_family(&w, "run_timestamp_seconds", "gauge", "seconds", "When this was written.");
    put_number(&w, "run_timestamp_seconds", m->now);
    put(&w, "# EOF\n");
    return w.rc;
}
