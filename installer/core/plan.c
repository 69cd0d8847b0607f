#include "installer/core/plan.h"

#include <inttypes.h>
#include <string.h>

#include "manifest/value.h"
#include "platform/base/text.h"

static const char *const words[STEP_KINDS] = {
    [STEP_SCHEDULER] = "scheduler", [STEP_STOP] = "stop",     [STEP_PROTECT] = "protect",
    [STEP_REFRESH] = "refresh",     [STEP_MOVE] = "move",     [STEP_SWITCH] = "switch",
    [STEP_START] = "start",         [STEP_HEALTH] = "health",
};

const char *plan_step_word(enum step_kind kind)
{
    return words[kind];
}

bool plan_step_kind(const char *word, enum step_kind *out)
{
    for (size_t i = 0; i < STEP_KINDS; i++)
        if (strcmp(words[i], word) == 0) {
            *out = (enum step_kind)i;
            return true;
        }
    return false;
}

static void add(struct plan *plan, enum step_kind kind, size_t i)
{
    if (plan->n < PLAN_STEPS_MAX)
        plan->steps[plan->n++] = (struct plan_step){ kind, (unsigned)i };
}

void plan_make(const struct plan_ask *ask, struct plan *out)
{
    const struct product_services *services = &ask->product->services;
    const struct product_files *files = &ask->product->files;
    out->n = 0;
    if (ask->scheduler_is_on)
        add(out, STEP_SCHEDULER, 0);
    for (size_t i = services->items.n; i > 0 && ask->has_old; i--)
        add(out, STEP_STOP, i - 1);
    for (size_t k = 0; k < files->data.n && ask->has_old; k++)
        if (files->data.items[k].protect != DATA_NONE)
            add(out, STEP_PROTECT, k);
    if (ask->has_stage && ask->has_old)
        add(out, STEP_REFRESH, 0);
    for (size_t k = 0; k < files->data.n && ask->has_old; k++)
        if (files->data.items[k].path != NULL)
            add(out, STEP_MOVE, k);
    add(out, STEP_SWITCH, 0);
    for (size_t i = 0; i < services->items.n; i++)
        add(out, STEP_START, i);
    add(out, STEP_HEALTH, 0);
}

/* --- for people */

static const char *shown(const char *text, char to[120])
{
    return text_printable(span_text(text), to, 120);
}

static enum errc describe_service(const struct product *product, const struct plan_step *step,
                                  struct buf *out, struct err *err)
{
    const struct product_service *s = &product->services.items.items[step->i];
    const bool stops = step->kind == STEP_STOP;
    char name[120];
    return buf_printf(out, err, "%s %s (at most %" PRId64 " s)", stops ? "stop" : "start",
                      shown(s->name, name), stops ? s->stop_timeout_s : s->start_timeout_s);
}

static enum errc describe_data(const struct product *product, const struct plan_step *step,
                               struct buf *out, struct err *err)
{
    const struct files_data *d = &product->files.data.items[step->i];
    char name[120];
    const char *what = shown(d->path != NULL ? d->path : d->folder, name);
    if (step->kind == STEP_MOVE)
        return buf_printf(out, err, "move the data in %s into the new tree", what);
    return buf_printf(
        out, err,
        d->protect == DATA_COMMAND ? "back up %s by its command" : "take a snapshot of %s", what);
}

enum errc plan_describe(const struct product *product, const struct plan_step *step,
                        struct buf *out, struct err *err)
{
    switch (step->kind) {
    case STEP_SCHEDULER: return buf_add_text(out, "suspend the product's own scheduler", err);
    case STEP_STOP:
    case STEP_START: return describe_service(product, step, out, err);
    case STEP_PROTECT:
    case STEP_MOVE: return describe_data(product, step, out, err);
    case STEP_REFRESH:
        return buf_add_text(out, "take over configuration that changed meanwhile", err);
    case STEP_SWITCH: return buf_add_text(out, "switch to the new tree", err);
    case STEP_HEALTH:
        return buf_printf(out, err,
                          "watch it: healthy within %" PRId64 " s, and for %" PRId64 " s then",
                          product->health.within_s, product->health.stays_up_s);
    case STEP_KINDS: break;
    }
    return err_set(err, E_INTERNAL, "no such step");
}
