#ifndef SUREFOOT_CORE_EVENT_H
#define SUREFOOT_CORE_EVENT_H

/* event.h: what an upgrade says while it runs. Each event goes to every listener: text or JSON on
 * the terminal, the system's log, the history. Identifiers are of the reference's range, 300-399,
 * the same in the journal, syslog and Windows' event log, and never change their meaning. */

#include <stdbool.h>
#include <stdint.h>

#include "manifest/version.h"
#include "platform/platform.h"

/* X(name, id, level, step, is_logged: goes to the system's log). 300 has never been sent: that an
 * attempt begins is 302's to say. */
#define EVENTS(X)                                                                                  \
    X(UP_TO_DATE, 301, INFO, "decide", false)                                                      \
    X(FOUND, 302, INFO, "decide", true)                                                            \
    X(WAITS, 303, INFO, "decide", false)                                                           \
    X(NOT_READY, 304, WARNING, "preflight", true)                                                  \
    X(DOWNLOADING, 305, INFO, "download", false)                                                   \
    X(VERIFIED, 306, INFO, "verify", true)                                                         \
    X(STAGED, 307, INFO, "stage", false)                                                           \
    X(STOPPING, 308, INFO, "stop", true)                                                           \
    X(SWITCHED, 309, INFO, "switch", true)                                                         \
    X(STARTING, 310, INFO, "start-service", false)                                                 \
    X(HEALTHY, 311, INFO, "health", true)                                                          \
    X(SUCCESS, 312, INFO, "commit", true)                                                          \
    X(ABORTED, 313, WARNING, "end", true)                                                          \
    X(NOT_SUPPORTED, 314, WARNING, "end", true)                                                    \
    X(REFUSED, 315, ERROR, "verify", true)                                                         \
    X(PRE_FAILURE, 316, ERROR, "end", true)                                                        \
    X(FAILED, 317, ERROR, "undo", true)                                                            \
    X(ROLLED_BACK, 318, ERROR, "end", true)                                                        \
    X(ROLLBACK_FAILED, 319, ERROR, "end", true)                                                    \
    X(RECOVERING, 320, WARNING, "recover", true)                                                   \
    X(RECOVERED, 321, INFO, "recover", true)                                                       \
    X(STATE_CHANGED, 322, INFO, "state", true)                                                     \
    X(HOLD_SET, 323, WARNING, "state", true)                                                       \
    X(SUPPORT_ENDS, 324, WARNING, "support", true)                                                 \
    X(WITHDRAWN, 325, WARNING, "support", true)                                                    \
    X(ADOPTED, 326, INFO, "commit", true)                                                          \
    X(WENT_BACK, 327, INFO, "commit", true)                                                        \
    X(SCHEDULER_SUSPENDED, 328, INFO, "scheduler", true)                                           \
    X(SCHEDULER_RESTORED, 329, INFO, "scheduler", true)                                            \
    X(RESTART_NEEDED, 330, WARNING, "end", true)                                                   \
    X(COLLECTED, 331, INFO, "collect", false)                                                      \
    X(TERMINATED, 332, WARNING, "preflight", true)                                                 \
    X(WARNING, 333, WARNING, "warning", true)                                                      \
    X(PLANNED, 334, INFO, "plan", false)                                                           \
    X(PROGRESS, 335, INFO, "progress", false)                                                      \
    X(PROTECTING, 336, INFO, "protect", false)                                                     \
    X(INSTALLED, 337, INFO, "commit", true)

enum event_kind {
#define X(name, id, level, step, is_logged) EVENT_##name,
    EVENTS(X)
#undef X
        EVENT_KINDS
};

struct event {
    enum event_kind kind;
    int64_t time;                    /* seconds since 1970 */
    const char *step;                /* NULL: the kind's own */
    const char *result;              /* a word of result.h, or NULL */
    const char *text;                /* one sentence for people */
    const struct version *from, *to; /* NULL where it is about none */
    int64_t downtime_ms;             /* -1: not said */
    uint64_t done, total;            /* PROGRESS: bytes; total 0: not known */
};

typedef void (*event_fn)(void *ctx, const struct event *event);

#define EVENT_LISTENERS_MAX 8
struct events {
    struct platform *platform;
    size_t n;
    struct {
        event_fn fn;
        void *ctx;
    } listeners[EVENT_LISTENERS_MAX];
};

int event_id(enum event_kind kind);
const char *event_step(const struct event *event);
enum host_level event_level(enum event_kind kind);
bool event_is_logged(enum event_kind kind);

/* events_listen adds a listener; more than EVENT_LISTENERS_MAX are our own mistake. */
void events_listen(struct events *events, event_fn fn, void *ctx);

/* events_send fills in the time and tells all listeners, in order. `events` may be NULL. */
void events_send(const struct events *events, const struct event *event);

/* events_say is the short way: a kind and a sentence. */
void events_say(const struct events *events, enum event_kind kind, const char *fmt, ...)
    PRINTF_FORMAT(3, 4);

#endif
