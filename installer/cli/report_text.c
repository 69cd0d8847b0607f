/* Events and outcomes for people: a line for each step, the bar on a terminal alone. */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "installer/cli/product_cmd.h"
#include "platform/base/text.h"
#include "platform/console.h"

#define BAR_LEN 30

/* --- while it runs */

static void end_bar(struct product_cmd *c)
{
    if (c->has_bar)
        (void)fprintf(stderr, "\n");
    c->has_bar = false;
}

static void draw_bar(struct product_cmd *c, const struct event *e)
{
    char bar[BAR_LEN + 1];
    if (c->quiet || !console_is_terminal(2) || e->total == 0)
        return;
    const size_t full = (size_t)((double)e->done / (double)e->total * BAR_LEN);
    for (size_t i = 0; i < BAR_LEN; i++)
        bar[i] = i < full ? '#' : '.';
    bar[BAR_LEN] = '\0';
    (void)fprintf(stderr, "\r  %-14s [%s] %3d %%  %" PRIu64 " of %" PRIu64 " MiB", "download", bar,
                  (int)((double)e->done * 100 / (double)e->total), e->done >> 20, e->total >> 20);
    (void)fflush(stderr);
    c->has_bar = true;
}

/* What is shown without --verbose: what changes something, and what is not as it should be. */
static bool is_shown(const struct product_cmd *c, const struct event *e)
{
    if (strcmp(event_step(e), "end") == 0)
        return false; /* the outcome says it */
    if (event_level(e->kind) != HOST_INFO)
        return true;
    if (c->quiet)
        return false;
    switch (e->kind) {
    case EVENT_UP_TO_DATE:
    case EVENT_WAITS: return false;
    case EVENT_STARTING:
    case EVENT_DOWNLOADING:
    case EVENT_SCHEDULER_SUSPENDED:
    case EVENT_SCHEDULER_RESTORED:
    case EVENT_PROTECTING:
    case EVENT_STATE_CHANGED: return c->verbose;
    default: return true;
    }
}

void report_text_event(void *ctx, const struct event *e)
{
    struct product_cmd *c = ctx;
    char text[600], result[200];
    if (e->kind == EVENT_PROGRESS) {
        draw_bar(c, e);
        return;
    }
    if (!is_shown(c, e))
        return;
    end_bar(c);
    const bool has_result = e->result != NULL && e->result[0] != '\0';
    (void)text_printable(span_text(has_result ? e->result : ""), result, sizeof(result));
    (void)printf("  %-14s %s%s%s\n", event_step(e), result, has_result ? ": " : "",
                 text_printable(span_text(e->text != NULL ? e->text : ""), text, sizeof(text)));
    (void)fflush(stdout);
}

/* --- at the end */

static enum errc add_reasons(const struct upgrade_outcome *o, struct buf *out, struct err *err)
{
    enum errc rc = E_OK;
    for (size_t i = 1; i < o->reasons.n && rc == E_OK; i++)
        rc =
            buf_printf(out, err, "  also: %s%s%s\n", o->reasons.items[i].result,
                       o->reasons.items[i].result[0] != '\0' ? ": " : "", o->reasons.items[i].text);
    return rc;
}

static enum errc add_versions(const struct upgrade_outcome *o, struct buf *out, struct err *err)
{
    enum errc rc = E_OK;
    if (o->from.text[0] != '\0' && o->to.text[0] != '\0')
        rc = buf_printf(out, err, " (%s to %s", o->from.text, o->to.text);
    else if (o->to.text[0] != '\0')
        rc = buf_printf(out, err, " (%s", o->to.text);
    else
        return E_OK;
    if (rc == E_OK && o->downtime_ms >= 0)
        rc = buf_printf(out, err, ", stopped for %" PRId64 " ms", o->downtime_ms);
    return rc == E_OK ? buf_add_byte(out, ')', err) : rc;
}

enum errc report_text_outcome(const struct product_cmd *c, const struct upgrade_outcome *o,
                              struct buf *out, struct err *err)
{
    const char *name = c->setup.product.name;
    enum errc rc;
    if (o->result[0] == '\0') {
        const bool is_ready =
            strcmp(c->cli->command, "check") == 0 && o->decision == DECISION_UPGRADE;
        rc = buf_printf(out, err, "%s: %s%s\n", name, o->why,
                        is_ready ? ", and this machine is ready for it" : "");
        return rc;
    }
    rc = buf_printf(out, err, "%s: %s", name, o->result);
    if (rc == E_OK)
        rc = add_versions(o, out, err);
    if (rc == E_OK && o->why[0] != '\0')
        rc = buf_printf(out, err, ": %s", o->why);
    if (rc == E_OK)
        rc = buf_add_byte(out, '\n', err);
    return rc == E_OK ? add_reasons(o, out, err) : rc;
}
