#include "installer/core/event.h"

#include <stdarg.h>

#include "platform/base/text.h"

static const struct {
    int id;
    enum host_level level;
    const char *step;
    bool is_logged;
} kinds[] = {
#define X(name, id, level, step, is_logged) { id, HOST_##level, step, is_logged },
    EVENTS(X)
#undef X
};

int event_id(enum event_kind kind)
{
    return kinds[kind].id;
}

const char *event_step(const struct event *event)
{
    return event->step != NULL ? event->step : kinds[event->kind].step;
}

enum host_level event_level(enum event_kind kind)
{
    return kinds[kind].level;
}

bool event_is_logged(enum event_kind kind)
{
    return kinds[kind].is_logged;
}

void events_listen(struct events *events, event_fn fn, void *ctx)
{
    if (events->n == EVENT_LISTENERS_MAX)
        return;
    events->listeners[events->n].fn = fn;
    events->listeners[events->n].ctx = ctx;
    events->n++;
}

void events_send(const struct events *events, const struct event *event)
{
    if (events == NULL)
        return;
    struct event timed = *event;
    timed.time = events->platform->host->now(events->platform->self);
    for (size_t i = 0; i < events->n; i++)
        events->listeners[i].fn(events->listeners[i].ctx, &timed);
}

void events_say(const struct events *events, enum event_kind kind, const char *fmt, ...)
{
    char text[400];
    va_list args;
    va_start(args, fmt);
    (void)text_print(text, sizeof(text), fmt, args);
    va_end(args);
    events_send(events, &(struct event){ .kind = kind, .text = text, .downtime_ms = -1 });
}
