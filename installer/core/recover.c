#include "installer/core/recover.h"

#include <stdio.h>
#include <string.h>

#include "installer/core/marker.h"
#include "installer/core/own_program.h"
#include "installer/core/run_private.h"
#include "installer/core/settle.h"
#include "manifest/value.h"
#include "platform/base/text.h"

/* --- finish */

static int64_t downtime_of(const struct run *run)
{
    const char *text = run_mark_name(&run->journal, "committed");
    uint64_t ms;
    return value_read_number(span_text(text), &ms, NULL) == E_OK && ms < INT64_MAX ? (int64_t)ms
                                                                                   : -1;
}

static enum errc finish(struct run *run, struct upgrade_outcome *out, struct err *err)
{
    enum errc rc = run_resume_scheduler(run, err);
    if (rc == E_OK)
        rc = settle_commit(run, err);
    if (rc != E_OK)
        return rc;
    out->downtime_ms = downtime_of(run);
    outcome_end(out, result_name(RESULT_SUCCESS), "an interrupted upgrade was finished");
    return E_OK;
}

/* --- or undo */

static bool ended_so_before(const struct memory *memory, const struct version *v)
{
    const struct upgrade_state *s = &memory->state;
    return s->has_last && version_compare(&s->last_version, v) == 0 &&
           strstr(s->last_result, "-Interrupted") != NULL;
}

static enum run_end undo(struct run *run, struct upgrade_outcome *out, bool *out_sets_hold)
{
    enum run_end end = RUN_NONE;
    char why[240], result[RUN_RESULT_ROOM];
    run_undo(run, &end, why);
    run_name_interrupted(run, end == RUN_UNDONE, result);
    outcome_end(out, result,
                end == RUN_UNDONE ? "an interrupted upgrade was undone; the old version runs"
                                  : why);
    /* A machine that goes down twice with the new version is not put through it again unasked. */
    *out_sets_hold = run->was_switched && (strstr(result, "-Interrupted") == NULL ||
                                           ended_so_before(run->memory, &run->attempt.to));
    return end;
}

/* Is all that is left to be tidied up? Else what the run told is how it was stuck. */
static bool has_ended(const struct run *run)
{
    return run_is_committed(run) || !run_is_prepared(run) ||
           journal_has_mark(&run->journal, "undone");
}

/* The run had told how it ended, and was interrupted while it tidied up: that is how it ended. */
static enum errc take_what_was_told(const struct run *run, struct settle_ask *ask,
                                    struct upgrade_outcome *out, struct err *err)
{
    char told[RESULT_TEXT_MAX + 1];
    struct result result;
    enum errc rc = memory_result_of(run->memory, run->attempt.started, &run->attempt.to, told, err);
    if (rc != E_OK || told[0] == '\0' || result_read(span_text(told), &result, NULL) != E_OK ||
        result.class == RESULT_CLASS_ROLLBACK_FAILED || result.word == RESULT_SERVICE_CANNOT_START)
        return rc; /* or how it was stuck, which it is no more */
    ask->is_told = true;
    ask->sets_hold = result.class == RESULT_CLASS_ROLLED_BACK;
    outcome_end(out, told, out->why);
    return E_OK;
}

/* What a crash may not lose is recorded before the journal goes, as settle_run does it. */
static enum errc settle(struct run *run, enum run_end end, bool had_ended, struct settle_ask *ask,
                        struct upgrade_outcome *out, struct err *err)
{
    out->is_stuck = end == RUN_STUCK;
    enum errc rc = had_ended && end != RUN_STUCK ? take_what_was_told(run, ask, out, err) : E_OK;
    if (rc == E_OK)
        rc = settle_attempt(ask, err);
    if (rc == E_OK && end != RUN_STUCK)
        rc = run_tidy(run, end == RUN_COMMITTED, err);
    if (rc == E_OK && end == RUN_COMMITTED)
        settle_collect(run->setup, run->memory, run->place, ask->events);
    return rc;
}

/* Windows Installer has put a part of the new version off until a restart. */
static enum errc go_on(struct run *run, struct settle_ask *ask, struct upgrade_outcome *out,
                       struct err *err)
{
    enum run_end end = RUN_NONE;
    char why[240], result[RUN_RESULT_ROOM];
    run_go_on(run, &end, result, why);
    enum errc rc = end == RUN_COMMITTED ? finish(run, out, err) : E_OK;
    if (rc != E_OK)
        return rc;
    outcome_end(out, result, end == RUN_COMMITTED ? "finished after the restart" : why);
    ask->sets_hold = end != RUN_COMMITTED;
    return settle(run, end, false, ask, out, err);
}

static enum errc recover_run(struct run *run, const struct events *events,
                             struct upgrade_outcome *out, struct err *err)
{
    struct settle_ask ask = { .memory = run->memory,
                              .events = events,
                              .command = run->attempt.command,
                              .outcome = out,
                              .started = run->attempt.started };
    enum run_end end = RUN_UNDONE;
    const bool had_ended = has_ended(run);
    bool waits = false, is_ready = false;
    out->from = run->attempt.from;
    out->to = run->attempt.to;
    enum errc looked = run_waits(run, &waits, &is_ready, err);
    if (looked != E_OK)
        return looked;
    if (waits && is_ready)
        return go_on(run, &ask, out, err);
    if (waits) {
        out->needs_restart = true;
        (void)snprintf(out->why, sizeof(out->why),
                       "version %s is in place, and the machine must be restarted before it is "
                       "whole",
                       out->to.text);
        return E_OK;
    }
    if (!run_is_prepared(run)) { /* nothing ran differently yet, and nothing was tried */
        outcome_end(out, result_name(RESULT_PRE_FAILURE),
                    "an upgrade was interrupted before anything was stopped; it can begin anew");
    } else if (run_is_committed(run)) {
        enum errc rc = finish(run, out, err);
        if (rc != E_OK)
            return rc;
        end = RUN_COMMITTED;
    } else {
        end = undo(run, out, &ask.sets_hold);
    }
    return settle(run, end, had_ended, &ask, out, err);
}

/* --- the order of work */

static void stuck(struct upgrade_outcome *out, const char *detail, const struct err *err)
{
    char result[120];
    (void)snprintf(result, sizeof(result), "%s-%s", result_name(RESULT_ROLLBACK_FAILED), detail);
    outcome_end(out, result, err->text);
}

static void sweep(struct memory *memory, const struct events *events)
{
    struct place place;
    struct err ignored;
    if (place_find(memory->setup, &memory->state, &place, &ignored) == E_OK)
        settle_sweep(memory, &place, NULL, events);
    else
        memory_sweep(memory);
}

enum errc recover_pending(struct memory *memory, const char *product_word,
                          const struct events *events, struct upgrade_outcome *out, struct err *err)
{
    struct attempt_document document;
    struct setup setup;
    struct place place;
    struct run run;
    bool there = false;
    enum errc rc = run_open(memory, product_word, &document, &setup, &run, &there, err);
    if (rc == E_OK && !there) {
        rc = run_forget(memory, err);
        return rc == E_OK ? marker_clear(memory, err) : rc;
    }
    if (rc != E_OK) {
        stuck(out, "JournalDamaged", err);
        return E_OK;
    }
    events_say(events, EVENT_RECOVERING, "an interrupted upgrade to %s is pending",
               run.attempt.to.text);
    run.events = events;
    rc = place_open(&setup, &memory->state, &place, err);
    if (rc == E_OK) {
        run.place = &place;
        rc = recover_run(&run, events, out, err);
    }
    if (rc == E_OK && !out->needs_restart)
        rc = marker_clear(memory, err);
    if (rc == E_OK)
        events_say(events, out->needs_restart ? EVENT_RESTART_NEEDED : EVENT_RECOVERED, "%s",
                   out->why);
    else
        stuck(out, "RecoveryFailed", err);
    run_close(&run);
    attempt_fini(&document);
    setup_fini(&setup);
    return E_OK;
}

/* What was killed before its run began left no journal, and a marker perhaps. */
static void clear_marker(const struct memory *memory, const struct events *events)
{
    struct err why;
    if (marker_clear(memory, &why) != E_OK)
        events_say(events, EVENT_WARNING, "the marker: %s", why.text);
}

enum errc recover_first_of_all(struct memory *memory, const char *product_word,
                               const struct events *events, struct upgrade_outcome *out,
                               struct err *err)
{
    bool pending = false;
    enum errc rc = memory_recovery_is_pending(memory, &pending, err);
    if (rc == E_OK && !pending)
        clear_marker(memory, events);
    if (rc != E_OK || !pending)
        return rc;
    rc = recover_pending(memory, product_word, events, out, err);
    if (rc == E_OK)
        rc = memory_recovery_is_pending(memory, &pending, err);
    if (rc == E_OK && pending)
        return err_set(err, E_REFUSED, "%s", out->why);
    if (rc == E_OK)
        outcome_begin(out);
    return rc;
}

enum errc recover_do(const struct setup *setup, const char *product_word,
                     const struct events *events, struct upgrade_outcome *out, struct err *err)
{
    struct memory memory;
    bool pending = true;
    outcome_begin(out);
    enum errc rc = memory_open(setup, true, &memory, err);
    if (rc == E_BUSY) {
        outcome_end(out, result_name(RESULT_ALREADY_RUNNING), err->text);
        return E_OK;
    }
    if (rc != E_OK)
        return rc;
    rc = recover_pending(&memory, product_word, events, out, err);
    if (rc == E_OK && memory_recovery_is_pending(&memory, &pending, err) == E_OK && !pending)
        sweep(&memory, events);
    own_program_settle(&memory, false, events);
    memory_close(&memory);
    return rc;
}
