#include "installer/core/decide.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "manifest/result.h"
#include "manifest/value.h"
#include "platform/base/text.h"
#include "verify/digest.h"

#define COHORTS 10000 /* a machine's place in a rollout, in hundredths of a percent */
#define DAY_MIN 1440
#define LOOKS_EVERY_S 3600 /* as schedules call us */

const char *decision_word(enum decision d)
{
    switch (d) {
    case DECISION_UPGRADE: return "upgrade";
    case DECISION_UP_TO_DATE: return "up-to-date";
    case DECISION_DISABLED: return "disabled";
    case DECISION_NOT_DUE: return "not-due";
    case DECISION_OUTSIDE_COHORT: return "outside-cohort";
    case DECISION_OUTSIDE_WINDOW: return "outside-window";
    case DECISION_ON_HOLD: return "on-hold";
    case DECISION_NOT_OFFERED: return "not-offered";
    case DECISION_DOWNGRADE: return "downgrade";
    case DECISION_NONE: break;
    }
    return "none";
}

static void answer(struct decided *out, enum decision d, int64_t when, const char *fmt, ...)
    PRINTF_FORMAT(4, 5);

static void answer(struct decided *out, enum decision d, int64_t when, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    out->decision = d;
    out->when = when;
    vsnprintf(out->why, sizeof(out->why), fmt, args);
    va_end(args);
}

/* --- a machine's own numbers */

/* A digest that cannot be made (no memory) gives the last place: late, never early. */
uint64_t decide_share(const char *machine_id, const char *product, const struct version *v,
                      const char *use, uint64_t below)
{
    char text[512];
    struct digest d;
    uint64_t n = 0;
    if (below == 0)
        return 0;
    snprintf(text, sizeof(text),
             "surefoot\n%s\n%.100s\n%.64s\n%" PRIu32 ".%" PRIu32 ".%" PRIu32 ".%" PRIu32 "\n%.*s",
             use, machine_id, product, v->parts[0], v->parts[1], v->parts[2], v->parts[3],
             (int)v->pre_len, v->text + v->pre_at);
    if (digest_bytes(DIGEST_SHA256, span_text(text), &d, NULL) != E_OK)
        return below - 1;
    for (size_t i = 0; i < 8; i++)
        n = n << 8 | d.bytes[i];
    return n % below;
}

/* When the rollout reaches place `cohort`: 0 where that has no time yet. */
static bool opens_at(const struct feed_rollout *r, uint64_t cohort, int64_t *out)
{
    const uint64_t percent_needed = cohort / (COHORTS / 100) + 1;
    *out = r->start;
    if (r->percent == 0)
        *out = 0; /* no rollout: at once */
    else if (percent_needed > r->percent && r->step_s == 0)
        return false;
    else if (percent_needed > r->percent)
        *out += r->step_s * (int64_t)((percent_needed + r->percent - 1) / r->percent - 1);
    return true;
}

/* --- windows */

static bool is_day(const struct policy_window *w, int weekday)
{
    return (w->days >> weekday & 1) != 0;
}

static bool is_open(const struct policy_window *w, const struct decide_clock *clock)
{
    const int day = clock->in_zone[w->zone].weekday, minute = clock->in_zone[w->zone].minute;
    const int yesterday = (day + 6) % 7;
    if (w->to_min > w->from_min)
        return is_day(w, day) && minute >= w->from_min && minute < w->to_min;
    return (is_day(w, day) && minute >= w->from_min) ||
           (is_day(w, yesterday) && minute < w->to_min);
}

bool decide_window_open(const struct product_policy *policy, const struct decide_clock *clock)
{
    for (size_t i = 0; i < policy->windows.n; i++)
        if (is_open(&policy->windows.items[i], clock))
            return true;
    return policy->windows.n == 0;
}

/* --- which release */

static bool is_for_system(const struct decide_ask *ask, const struct feed_release *r)
{
    return (r->os == 0 || (r->os >> ask->os & 1) != 0) &&
           (r->arch == 0 || (r->arch >> ask->arch & 1) != 0);
}

static const struct version *installed_of(const struct upgrade_state *state)
{
    return state->has_installed ? &state->installed : NULL;
}

/* A scheduler takes what is offered to schedulers, a person what is not withdrawn. */
static bool is_candidate(const struct decide_ask *ask, const struct upgrade_state *state,
                         const struct feed_release *r)
{
    const struct version *installed = installed_of(state);
    if (r->status == STATUS_WITHDRAWN || (ask->mode == DECIDE_RUN && r->status != STATUS_AUTO))
        return false;
    return is_for_system(ask, r) && feed_release_is_for(r, installed) &&
           (installed == NULL || version_compare(&r->version, installed) > 0);
}

static const struct feed_release *newest(const struct decide_ask *ask,
                                         const struct upgrade_state *state)
{
    const struct feed_release *best = NULL;
    for (size_t i = 0; i < ask->feed->releases.n; i++) {
        const struct feed_release *r = &ask->feed->releases.items[i];
        if (is_candidate(ask, state, r) &&
            (best == NULL || version_compare(&r->version, &best->version) > 0))
            best = r;
    }
    return best;
}

/* --- a person's question */

/* `--to` is by name: a release that is on hold may be taken so. */
static void decide_named(const struct decide_ask *ask, const struct upgrade_state *state,
                         struct decided *out)
{
    const struct version *installed = installed_of(state);
    const struct feed_release *r = out->release = feed_find_release(ask->feed, ask->to);
    if (r == NULL)
        answer(out, DECISION_NOT_OFFERED, 0, "the feed has no release %s", ask->to->text);
    else if (r->status == STATUS_WITHDRAWN)
        answer(out, DECISION_NOT_OFFERED, 0, "release %s was withdrawn by its maker",
               ask->to->text);
    else if (installed != NULL && version_compare(&r->version, installed) == 0)
        answer(out, DECISION_UP_TO_DATE, 0, "version %s is installed", installed->text);
    else if (installed != NULL && version_compare(&r->version, installed) < 0)
        answer(out, DECISION_DOWNGRADE, 0,
               "%s is older than %s, which is installed; surefoot rollback goes back",
               r->version.text, installed->text);
    else if (!is_for_system(ask, r))
        answer(out, DECISION_NOT_OFFERED, 0, "release %s is not for this system", ask->to->text);
    else if (!feed_release_is_for(r, installed))
        answer(out, DECISION_NOT_OFFERED, 0, "release %s is not for machines that have %s",
               ask->to->text, installed->text);
    else
        answer(out, DECISION_UPGRADE, 0, "release %s was asked for by name", r->version.text);
}

static void decide_by_hand(const struct decide_ask *ask, const struct upgrade_state *state,
                           struct decided *out)
{
    if (ask->to != NULL) {
        decide_named(ask, state, out);
        return;
    }
    out->release = newest(ask, state);
    if (out->release == NULL)
        answer(out, DECISION_UP_TO_DATE, 0, "nothing newer is offered for this machine");
    else if (state_is_on_hold(state, &out->release->version))
        answer(out, DECISION_ON_HOLD, 0,
               "release %s was rolled back here; to try it again say --to %s",
               out->release->version.text, out->release->version.text);
    else
        answer(out, DECISION_UPGRADE, 0, "release %s is offered", out->release->version.text);
}

/* --- a scheduler's */

/* When the last attempt at this release may be tried again; 0: now. */
static int64_t retry_at(const struct decide_ask *ask, const struct upgrade_state *state,
                        const struct feed_release *r)
{
    struct result last;
    if (!state->has_last || version_compare(&state->last_version, &r->version) != 0 ||
        result_read(span_text(state->last_result), &last, NULL) != E_OK)
        return 0;
    switch (last.class) {
    case RESULT_CLASS_ABORTED: return state->last_time + ask->policy->retry_aborted_s;
    case RESULT_CLASS_NOT_SUPPORTED: return state->last_time + ask->policy->retry_not_supported_s;
    default: return 0;
    }
}

static bool is_past_deadline(const struct decide_ask *ask, const struct feed_release *r)
{
    return ask->policy->after_deadline == DEADLINE_NOW && r->install_by != 0 &&
           ask->clock.now >= r->install_by;
}

/* due_at is when this machine's turn comes, false where the rollout does not say. */
static bool due_at(const struct decide_ask *ask, struct upgrade_state *state,
                   const struct feed_release *r, int64_t *out_opens, int64_t *out_due)
{
    int64_t seen = state_first_seen(state, &r->version, ask->clock.now);
    uint64_t cohort = decide_share(ask->machine_id, ask->product, &r->version, "cohort", COHORTS);
    if (!opens_at(&r->rollout, cohort, out_opens))
        return false;
    const int64_t share = (int64_t)decide_share(ask->machine_id, ask->product, &r->version,
                                                "jitter", (uint64_t)ask->policy->jitter_s);
    /* Who looked within the first hour counts from the opening: counted from first sight, a step of
     * a rollout would begin late and run into the next one. Who comes later waits from then, so
     * that machines that could not look do not go all at once. */
    *out_due = (seen - *out_opens > LOOKS_EVERY_S ? seen : *out_opens) + share;
    if (*out_due < seen)
        *out_due = seen;
    return true;
}

static void decide_time(const struct decide_ask *ask, struct upgrade_state *state,
                        struct decided *out)
{
    const struct feed_release *r = out->release;
    const int64_t now = ask->clock.now, again = retry_at(ask, state, r);
    int64_t opens = 0, due = 0;
    char when[32];
    const bool has_turn = due_at(ask, state, r, &opens, &due);
    if (!has_turn || opens > now)
        answer(out, DECISION_OUTSIDE_COHORT, has_turn ? opens : 0,
               "the rollout of %s has not come to this machine; it does %s", r->version.text,
               has_turn ? text_format_time(opens, when) : "when the maker widens it");
    else if (again > now)
        answer(out, DECISION_NOT_DUE, again, "after %s release %s is tried again at %s",
               state->last_result, r->version.text, text_format_time(again, when));
    else if (is_past_deadline(ask, r))
        answer(out, DECISION_UPGRADE, 0, "the deadline of release %s has passed", r->version.text);
    else if (due > now)
        answer(out, DECISION_NOT_DUE, due, "release %s is this machine's turn at %s",
               r->version.text, text_format_time(due, when));
    else if (!decide_window_open(ask->policy, &ask->clock))
        answer(out, DECISION_OUTSIDE_WINDOW, 0,
               "release %s waits for a maintenance window of the product file", r->version.text);
    else
        answer(out, DECISION_UPGRADE, 0, "release %s is due", r->version.text);
}

static void decide_run(const struct decide_ask *ask, struct upgrade_state *state,
                       struct decided *out)
{
    out->release = newest(ask, state);
    if (ask->word == STATE_DISABLED)
        answer(out, DECISION_DISABLED, 0, "automatic upgrades are disabled; surefoot enable");
    else if (out->release == NULL)
        answer(out, DECISION_UP_TO_DATE, 0, "nothing newer is offered for this machine");
    else if (state_is_on_hold(state, &out->release->version))
        answer(out, DECISION_ON_HOLD, 0,
               "release %s was rolled back here, and waits for a newer one or for upgrade --to",
               out->release->version.text);
    else
        decide_time(ask, state, out);
}

void decide(const struct decide_ask *ask, struct upgrade_state *state, struct decided *out)
{
    *out = (struct decided){ .decision = DECISION_NONE };
    if (ask->mode == DECIDE_RUN)
        decide_run(ask, state, out);
    else
        decide_by_hand(ask, state, out);
}
