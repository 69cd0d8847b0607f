/* The order of work: steps forward, steps back. */

#include "installer/core/run.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "installer/core/data.h"
#include "installer/core/run_private.h"
#include "installer/core/services.h"
#include "platform/base/text.h"

bool run_is_committed(const struct run *run)
{
    return journal_has_mark(&run->journal, "committed");
}

bool run_is_prepared(const struct run *run)
{
    return journal_has_mark(&run->journal, "prepared");
}

int64_t run_downtime_ms(const struct run *run)
{
    if (run->stopping_ms == 0 || run->healthy_ms == 0)
        return -1;
    return run->healthy_ms - run->stopping_ms;
}

void run_close(struct run *run)
{
    journal_fini(&run->journal);
    msi_kept_release(&run->held_new);
    msi_kept_release(&run->held_old);
    stage_free(run->stage);
    run->stage = NULL;
}

/* --- forward */

static enum errc commit(struct run *run, struct err *err)
{
    char downtime[24];
    int64_t ms = run_downtime_ms(run);
    (void)snprintf(downtime, sizeof(downtime), "%" PRId64, ms < 0 ? 0 : ms);
    return run_note(run, JOURNAL_MARK, "committed", ms < 0 ? "-" : downtime, err);
}

static enum errc step_forward(struct run *run, size_t at, struct err *err)
{
    const struct plan_step *step = &run->plan.steps[at];
    enum errc rc = run_note_steps(run, at > 0 ? &run->plan.steps[at - 1] : NULL, step, err);
    return rc == E_OK ? run_step_table[step->kind].apply(run, step->i, err) : rc;
}

/* Nothing was switched, so that nothing is to be rolled back: all that is wrong is a service. */
static bool is_old_unstartable(const struct run *run)
{
    return run->cannot_start && !run->was_switched;
}

static const char *name_unstartable(const struct run *run)
{
    return result_name(run->is_hung ? RESULT_SERVICE_CANNOT_STOP : RESULT_SERVICE_CANNOT_START);
}

/* What a failure of this step is called, given how the way back went. */
static void name_failure(const struct run *run, enum step_kind kind, enum errc rc, bool is_back,
                         char result[RUN_RESULT_ROOM])
{
    const struct step_ops *ops = &run_step_table[kind];
    if (is_old_unstartable(run))
        text_copy(result, RUN_RESULT_ROOM, name_unstartable(run));
    else if (is_back && !run->was_switched && rc == E_SPACE)
        text_copy(result, RUN_RESULT_ROOM, result_name(RESULT_INSUFFICIENT_DISK_SPACE));
    else if (is_back && !run->was_switched && ops->failed != NULL)
        text_copy(result, RUN_RESULT_ROOM, ops->failed);
    else
        (void)snprintf(result, RUN_RESULT_ROOM, "%s-%s",
                       result_name(is_back ? RESULT_ROLLED_BACK : RESULT_ROLLBACK_FAILED),
                       ops->detail);
}

/* So that after a crash on the way back the history still tells why. */
static void note_failure(struct run *run, enum step_kind kind)
{
    struct err ignored;
    if (run_note(run, JOURNAL_MARK, "failed", plan_step_word(kind), &ignored) != E_OK)
        events_say(run->events, EVENT_WARNING, "%s", ignored.text);
}

void run_name_interrupted(const struct run *run, bool is_back, char result[RUN_RESULT_ROOM])
{
    enum step_kind kind;
    if (plan_step_kind(run_mark_name(&run->journal, "failed"), &kind))
        name_failure(run, kind, E_OK, is_back, result);
    else if (is_old_unstartable(run))
        text_copy(result, RUN_RESULT_ROOM, name_unstartable(run));
    else
        (void)snprintf(result, RUN_RESULT_ROOM, "%s-Interrupted",
                       result_name(is_back ? RESULT_ROLLED_BACK : RESULT_ROLLBACK_FAILED));
}

/* The steps from `at` on, until one fails or the machine must be restarted. *out_at is where. */
static enum errc take(struct run *run, size_t at, size_t *out_at, struct err *err)
{
    enum errc rc = E_OK;
    while (at < run->plan.n && rc == E_OK && !run->needs_restart) {
        rc = step_forward(run, at, err);
        at += rc == E_OK;
    }
    if (rc == E_OK)
        at--;
    if (rc == E_OK && !run->needs_restart)
        rc = commit(run, err);
    *out_at = at;
    return rc;
}

static void fail(struct run *run, enum step_kind kind, enum errc rc, const struct err *err,
                 enum run_end *out_end, char result[RUN_RESULT_ROOM], char why[240])
{
    char back_why[240];
    text_copy(why, 240, err->text);
    note_failure(run, kind);
    events_say(run->events, EVENT_FAILED, "%s failed: %s; going back", plan_step_word(kind), why);
    run_undo(run, out_end, back_why);
    name_failure(run, kind, rc, *out_end == RUN_UNDONE, result);
    if (*out_end != RUN_UNDONE)
        text_copy(why, 240, back_why);
}

static void go(struct run *run, size_t from, enum run_end *out_end, char result[RUN_RESULT_ROOM],
               char why[240])
{
    struct err err;
    size_t at = from;
    enum errc rc = take(run, from, &at, &err);
    why[0] = result[0] = '\0';
    if (rc != E_OK) {
        fail(run, run->plan.steps[at].kind, rc, &err, out_end, result, why);
    } else if (run->needs_restart) {
        *out_end = RUN_WAITS;
        text_copy(why, 240, "the machine must be restarted; it goes on from there");
    } else {
        *out_end = RUN_COMMITTED;
        text_copy(result, RUN_RESULT_ROOM, result_name(RESULT_SUCCESS));
    }
}

enum errc run_steps(struct run *run, enum run_end *out_end, char result[RUN_RESULT_ROOM],
                    char why[240], struct err *err)
{
    enum errc rc = run_note(run, JOURNAL_MARK, "prepared", run->new_id, err);
    if (rc == E_OK)
        go(run, 0, out_end, result, why);
    return rc;
}

/* --- after a restart */

/* Once a step after the restart was begun it is a run like any other that was interrupted. */
enum errc run_waits(const struct run *run, bool *out_waits, bool *out_ready, struct err *err)
{
    const char *boot = run_mark_name(&run->journal, "restart");
    char now[JOURNAL_NAME_ROOM];
    *out_waits = boot[0] != '\0' && !run_is_committed(run) &&
                 !journal_has_mark(&run->journal, "failed") && !run_was_begun(run, STEP_START) &&
                 !run_was_begun(run, STEP_HEALTH);
    if (!*out_waits)
        return E_OK;
    enum errc rc = run_boot(run, now, err);
    if (rc == E_OK)
        *out_ready = strcmp(boot, now) != 0;
    return rc;
}

void run_go_on(struct run *run, enum run_end *out_end, char result[RUN_RESULT_ROOM], char why[240])
{
    const struct plan_ask ask = { .product = &run->setup->product,
                                  .has_old = run->old_name[0] != '\0' };
    size_t at = 0;
    plan_make(&ask, &run->plan);
    while (at < run->plan.n && run->plan.steps[at].kind != STEP_SWITCH)
        at++;
    go(run, at + 1, out_end, result, why);
}

/* --- back */

/* The steps that were begun and not undone, in their order. */
static void list_begun(const struct run *run, struct plan *out)
{
    out->n = 0;
    for (size_t i = 0; i < run->journal.n; i++) {
        const struct journal_record *r = &run->journal.records[i];
        struct plan_step step;
        enum journal_event last;
        if (r->event != JOURNAL_BEGIN || !plan_step_kind(r->step, &step.kind) ||
            !journal_step_state(&run->journal, r->step, r->name, &last) || last == JOURNAL_UNDONE)
            continue;
        step.i = (unsigned)strtoul(r->name, NULL, 10);
        if (out->n < PLAN_STEPS_MAX)
            out->steps[out->n++] = step;
    }
}

static bool is_ours(const struct run *run, const struct plan_step *step)
{
    const struct product *product = &run->setup->product;
    switch (step->kind) {
    case STEP_STOP:
    case STEP_START: return step->i < product->services.items.n;
    case STEP_PROTECT:
    case STEP_MOVE: return step->i < product->files.data.n;
    default: return true;
    }
}

static enum errc step_back(struct run *run, const struct plan_step *step, struct err *err)
{
    const struct step_ops *ops = &run_step_table[step->kind];
    if (!is_ours(run, step))
        return err_set(err, E_MALFORMED, "the journal has a step that the product file has not");
    enum errc rc = run_note_step(run, JOURNAL_UNDO, step, err);
    if (rc == E_OK && ops->undo != NULL)
        rc = ops->undo(run, step->i, err);
    if (rc == E_OK)
        rc = run_note_step(run, JOURNAL_UNDONE, step, err);
    return rc == E_OK ? rc : err_prefix(err, "undoing %s: ", plan_step_word(step->kind));
}

/* A stop that had begun when we were interrupted, or was given up, may still come to its end: what
 * was running a moment ago does not run then, and is started once more. */
static enum errc start_what_ended(struct run *run, struct err *err)
{
    enum errc rc = E_OK;
    for (size_t i = 0; i < run->setup->product.services.items.n && rc == E_OK; i++) {
        struct service_status status;
        rc = services_status(run->setup, i, &status, err);
        if (rc == E_OK && (status.is == SERVICE_IS_STOPPED || status.is == SERVICE_IS_FAILED))
            rc = services_start(run->setup, i, err);
    }
    return rc;
}

/* The old version runs again: one good round, within the time that the product file gives. */
static enum errc await_old(struct run *run, struct err *err)
{
    struct platform *p = run->setup->platform;
    const int64_t end = p->host->monotonic_ms(p->self) + run->setup->product.health.within_s * 1000;
    struct health health = { .is_healthy = false };
    int64_t wait_ms = 5;
    for (;;) {
        enum errc rc = health_round(run->setup, &health, err);
        if (rc != E_OK)
            return rc;
        const int64_t now = p->host->monotonic_ms(p->self);
        if (health.is_healthy) {
            run->healthy_ms = now;
            return E_OK;
        }
        if (now >= end)
            return err_set(err, E_TIMEOUT, "the old version is back and not well: %s", health.why);
        rc = start_what_ended(run, err);
        if (rc != E_OK)
            return rc;
        p->host->sleep_ms(p->self, wait_ms);
        wait_ms = wait_ms < 500 ? wait_ms * 2 : 1000;
    }
}

static bool stopped_anything(const struct plan *begun)
{
    for (size_t i = 0; i < begun->n; i++)
        if (begun->steps[i].kind == STEP_STOP)
            return true;
    return false;
}

static bool is_stopping(const struct run *run, unsigned i)
{
    struct service_status status;
    struct err ignored;
    return services_status(run->setup, i, &status, &ignored) == E_OK &&
           status.is == SERVICE_IS_STOPPING;
}

void run_undo(struct run *run, enum run_end *out_end, char why[240])
{
    struct err err = { .code = E_OK }, ignored;
    struct plan *begun = malloc(sizeof(*begun));
    enum errc rc = begun == NULL ? err_nomem(&err) : E_OK;
    if (rc == E_OK)
        list_begun(run, begun);
    run->cannot_start = run->is_hung = false;
    for (size_t i = rc == E_OK ? begun->n : 0; i > 0 && rc == E_OK; i--) {
        const struct plan_step *step = &begun->steps[i - 1];
        rc = step_back(run, step, &err);
        run->cannot_start = rc != E_OK && step->kind == STEP_STOP;
        run->is_hung = run->cannot_start && is_stopping(run, step->i);
    }
    if (rc == E_OK && (stopped_anything(begun) || run->came_back))
        rc = await_old(run, &err);
    if (rc != E_OK && run_resume_scheduler(run, &ignored) != E_OK)
        events_say(run->events, EVENT_WARNING, "the product's scheduler: %s", ignored.text);
    if (rc == E_OK)
        rc = run_note(run, JOURNAL_MARK, "undone", "-", &err);
    text_copy(why, 240, rc == E_OK ? "" : err.text);
    *out_end = rc == E_OK ? RUN_UNDONE : RUN_STUCK;
    free(begun);
}

enum errc run_resume_scheduler(struct run *run, struct err *err)
{
    enum journal_event last;
    if (!journal_step_state(&run->journal, plan_step_word(STEP_SCHEDULER), "0", &last) ||
        last == JOURNAL_UNDONE)
        return E_OK;
    return run_step_table[STEP_SCHEDULER].undo(run, 0, err);
}

/* --- tidying */

static enum errc discard_data(struct run *run, struct err *err)
{
    char folder[SETUP_PATH_ROOM];
    enum errc rc = place_run(run->place, run->new_name, folder, err);
    struct data_place place = { .setup = run->setup, .run = run->new_name, .run_folder = folder };
    for (size_t k = 0; k < run->setup->product.files.data.n && rc == E_OK; k++)
        rc = data_discard(&place, k, err);
    return rc;
}

static enum errc drop_new(struct run *run, struct err *err)
{
    /* A kept tree that was gone back to stays where it is kept. */
    const bool is_kept = run->attempt.command == ATTEMPT_ROLLBACK;
    enum errc rc = is_kept ? E_OK : place_discard(run->place, run->new_name, err);
    return rc == E_OK && !is_kept ? memory_forget_tree(run->memory, run->new_name, err) : rc;
}

enum errc run_tidy(struct run *run, bool is_committed, struct err *err)
{
    enum errc rc = discard_data(run, err);
    if (rc == E_OK && is_committed)
        rc = place_settle(run->place, run->new_name, run->old_name, err);
    else if (rc == E_OK)
        rc = drop_new(run, err);
    if (rc == E_OK)
        rc = memory_remove(run->memory, "journal", err);
    if (rc == E_OK)
        rc = run_forget(run->memory, err);
    place_drop_store(run->place);
    return rc;
}

enum errc run_forget(struct memory *memory, struct err *err)
{
    enum errc rc = memory_remove(memory, "run/attempt.xml", err);
    return rc == E_OK ? memory_remove(memory, "run/product.xml", err) : rc;
}
