/* JSON lines: surefoot.event/1 for each event, surefoot.outcome/1 at the end
 * (docs/schema/event.schema.json, outcome.schema.json). */

#include <stdio.h>

#include <jansson.h>

#include "installer/cli/json_parts.h"
#include "installer/cli/product_cmd.h"

static int set(json_t *o, const char *name, json_t *value)
{
    return o == NULL || value == NULL ? -1 : json_object_set_new(o, name, value);
}

static int set_version(json_t *o, const char *name, const struct version *v)
{
    return v == NULL || v->text[0] == '\0' ? 0 : set(o, name, json_string(v->text));
}

static json_t *text_or_null(const char *text)
{
    return text == NULL || text[0] == '\0' ? json_null() : json_string(text);
}

/* --- events */

static json_t *event_value(const struct product_cmd *c, const struct event *e)
{
    json_t *o = json_pack("{s:s,s:o,s:i,s:s,s:s,s:o,s:o}", "schema", "surefoot.event/1", "time",
                          json_time(e->time), "event", event_id(e->kind), "product",
                          c->setup.product.name, "step", event_step(e), "result",
                          text_or_null(e->result), "text", text_or_null(e->text));
    int bad = o == NULL;
    bad |= set_version(o, "from", e->from) != 0;
    bad |= set_version(o, "to", e->to) != 0;
    if (e->downtime_ms >= 0)
        bad |= set(o, "downtime_ms", json_integer(e->downtime_ms)) != 0;
    if (e->kind == EVENT_PROGRESS) {
        bad |= set(o, "done", json_integer((json_int_t)e->done)) != 0;
        bad |= set(o, "total", json_integer((json_int_t)e->total)) != 0;
    }
    if (!bad)
        return o;
    json_decref(o);
    return NULL;
}

void report_json_event(void *ctx, const struct event *e)
{
    struct product_cmd *c = ctx;
    struct err err = { .code = E_OK };
    struct buf line;
    if (e->kind == EVENT_PROGRESS && !c->verbose)
        return;
    buf_init(&line, 64 * 1024);
    if (json_add_line(event_value(c, e), &line, &err) == E_OK)
        (void)!cli_write(&line, &err); /* where it matters the outcome says it again */
    buf_fini(&line);
}

/* A record stands alone: one without a sentence says from which version to which. */
static void sentence_of(const struct event *e, char *to, size_t room)
{
    if (e->text != NULL && e->text[0] != '\0')
        (void)snprintf(to, room, "%s", e->text);
    else if (e->to == NULL)
        to[0] = '\0';
    else if (e->from == NULL)
        (void)snprintf(to, room, "to %s", e->to->text);
    else
        (void)snprintf(to, room, "from %s to %s", e->from->text, e->to->text);
}

void report_log_event(void *ctx, const struct event *e)
{
    struct product_cmd *c = ctx;
    struct platform *p = c->cli->platform;
    struct err ignored;
    char text[760], sentence[441], stopped[60] = "";
    if (!event_is_logged(e->kind))
        return;
    const bool has_result = e->result != NULL && e->result[0] != '\0';
    if (e->downtime_ms >= 0)
        (void)snprintf(stopped, sizeof(stopped), " (stopped for %lld ms)",
                       (long long)e->downtime_ms);
    sentence_of(e, sentence, sizeof(sentence));
    (void)snprintf(text, sizeof(text), "%.200s%s%s%s", has_result ? e->result : "",
                   has_result ? ": " : "", sentence, stopped);
    (void)!p->host->log_event(p->self, event_id(e->kind), event_level(e->kind),
                              c->setup.product.event_source, text, &ignored);
}

/* --- the outcome */

static json_t *reasons_value(const struct preflight *reasons)
{
    json_t *list = json_array();
    for (size_t i = 0; list != NULL && i < reasons->n; i++) {
        const struct preflight_finding *f = &reasons->items[i];
        json_t *o = json_pack("{s:o,s:s}", "result", text_or_null(f->result), "text", f->text);
        if (o == NULL || json_array_append_new(list, o) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

enum errc report_json_outcome(const struct product_cmd *c, const struct upgrade_outcome *o,
                              enum exit_code code, struct buf *out, struct err *err)
{
    json_t *v =
        json_pack("{s:s,s:o,s:s,s:s,s:o,s:o,s:o,s:b,s:i,s:o}", "schema", "surefoot.outcome/1",
                  "time", json_time(c->cli->platform->host->now(c->cli->platform->self)), "product",
                  c->setup.product.name, "command", c->cli->command, "result",
                  text_or_null(o->result), "decision", text_or_null(decision_word(o->decision)),
                  "text", text_or_null(o->why), "newer_available", o->newer_available ? 1 : 0,
                  "exit_code", (int)code, "reasons", reasons_value(&o->reasons));
    int bad = v == NULL;
    bad |= set_version(v, "from", &o->from) != 0;
    bad |= set_version(v, "to", &o->to) != 0;
    if (o->downtime_ms >= 0)
        bad |= set(v, "downtime_ms", json_integer(o->downtime_ms)) != 0;
    if (o->needs_restart)
        bad |= set(v, "restart_needed", json_true()) != 0;
    if (o->when != 0)
        bad |= set(v, "when", json_time(o->when)) != 0;
    if (bad) {
        json_decref(v);
        v = NULL;
    }
    return json_add_line(v, out, err);
}
