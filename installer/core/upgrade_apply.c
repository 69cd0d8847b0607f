/* From the verified package to the end: the new tree is made, then the steps are taken. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "installer/core/scheduler.h"
#include "installer/core/settle.h"
#include "installer/core/upgrade_private.h"
#include "platform/base/text.h"

/* --- what a tree was proven by */

static enum errc write_proof(struct upgrade *u, const char *tree, const char *file,
                             struct span bytes, struct err *err)
{
    char name[STATE_TREE_ROOM + 32];
    (void)snprintf(name, sizeof(name), "proof/%s/%s", tree, file);
    return memory_write(&u->memory, name, bytes, err);
}

enum errc upgrade_keep_proof(struct upgrade *u, const char *tree, struct err *err)
{
    char folder[STATE_TREE_ROOM + 16];
    (void)snprintf(folder, sizeof(folder), "proof/%s", tree);
    enum errc rc = memory_make_folder(&u->memory, folder, err);
    if (rc == E_OK)
        rc = write_proof(u, tree, "feed.stored", buf_span(&u->look.stored), err);
    return rc == E_OK ? write_proof(u, tree, "release.xml", buf_span(&u->document), err) : rc;
}

/* --- the tree */

static enum errc pristine_path(struct upgrade *u, const char *tree, char to[SETUP_PATH_ROOM],
                               struct err *err)
{
    char name[STATE_TREE_ROOM + 16];
    enum errc rc = memory_make_folder(&u->memory, "pristine", err);
    (void)snprintf(name, sizeof(name), "pristine/%s", tree);
    return rc == E_OK ? memory_path(&u->memory, name, to, err) : rc;
}

/* Every conflict is a reason of its own; the first is the sentence. */
static void end_with_stops(struct upgrade *u, const struct stage_report *report)
{
    struct preflight *reasons = &u->out->reasons;
    char why[400];
    for (size_t i = 0; i < report->n_stops && reasons->n < PREFLIGHT_FINDINGS_MAX; i++) {
        struct preflight_finding *f = &reasons->items[reasons->n++];
        f->phase = RESULT_PHASE_CONFIGURATION;
        text_copy(f->result, sizeof(f->result), STAGE_CONFLICT_RESULT);
        (void)snprintf(f->text, sizeof(f->text), "%.120s: %.150s", report->stops[i].path,
                       report->stops[i].why);
    }
    (void)snprintf(why, sizeof(why), "%.200s: %.180s", report->stops[0].path, report->stops[0].why);
    outcome_end(u->out, STAGE_CONFLICT_RESULT, why);
}

static void say_staged(const struct upgrade *u, const struct stage_report *report)
{
    events_say(u->ask->events, EVENT_STAGED,
               "the new tree is whole: %llu files, %llu of them as they were installed",
               (unsigned long long)report->n_files, (unsigned long long)report->n_reused);
}

/* A signed package that is not what its own signed document says is refused as well. */
static void end_of_staging(struct upgrade *u, enum errc rc, const struct err *err)
{
    if (rc == E_SPACE)
        outcome_end(u->out, result_name(RESULT_INSUFFICIENT_DISK_SPACE), err->text);
    else if (errc_is_about_bytes(rc))
        outcome_refuse(u->out,
                       rc == E_LIMIT         ? "Limit"
                       : rc == E_UNSUPPORTED ? "Unsupported"
                                             : "Malformed",
                       err->text);
}

static enum errc build_tree(struct upgrade *u, struct err *err)
{
    char tree[SETUP_PATH_ROOM], pristine[SETUP_PATH_ROOM];
    struct installed *old = &u->installed;
    struct stage_ask ask = { .setup = u->setup,
                             .events = u->ask->events,
                             .tree = tree,
                             .pristine = pristine,
                             .old_tree = old->is_there ? old->tree : NULL,
                             .survey = u->survey,
                             .installed = old->payload,
                             .old_pristine = old->pristine[0] != '\0' ? old->pristine : NULL };
    struct stage_report *report = calloc(1, sizeof(*report));
    enum errc rc = report == NULL ? err_nomem(err) : E_OK;
    if (rc == E_OK)
        rc = place_staged(&u->place, u->run.new_name, tree, err);
    if (rc == E_OK)
        rc = pristine_path(u, u->run.new_name, pristine, err);
    if (rc == E_OK) {
        rc = stage_build(&ask, u->package, report, &u->run.stage, err);
        end_of_staging(u, rc, err);
    }
    if (rc == E_OK && report->n_stops > 0) {
        end_with_stops(u, report);
        rc = err_set(err, E_REFUSED, "%s", u->out->why);
    }
    if (rc == E_OK)
        say_staged(u, report);
    free(report);
    return rc;
}

/* --- the run */

/* Of an MSI the version is known that we did not install. */
static enum errc name_unknown(struct upgrade *u, struct err *err)
{
    const char *text = setup_is_msi(u->setup) ? u->installed.msi.product.version : "0.0.0-adopted";
    struct version version;
    enum errc rc = version_read(span_text(text), &version, err);
    if (rc == E_OK && setup_is_msi(u->setup))
        u->out->from = version;
    return rc == E_OK ? place_new_name(&u->place, &version, u->run.old_name, err) : rc;
}

static enum errc name_trees(struct upgrade *u, struct err *err)
{
    struct run *run = &u->run;
    enum errc rc = place_new_name(&u->place, &u->decided.release->version, run->new_name, err);
    if (rc != E_OK || !u->installed.is_there)
        return rc;
    if (!u->installed.is_known)
        return name_unknown(u, err);
    text_copy(run->old_name, sizeof(run->old_name), u->memory.state.tree);
    return E_OK;
}

enum errc upgrade_begin_run(struct upgrade *u, struct err *err)
{
    u->run = (struct run){
        .setup = u->setup, .events = u->ask->events, .memory = &u->memory, .place = &u->place
    };
    enum errc rc = name_trees(u, err);
    u->run.attempt = (struct attempt){ .command = upgrade_command(u),
                                       .started = u->now,
                                       .from = u->out->from,
                                       .to = u->decided.release->version };
    return rc;
}

static enum errc make_run_folder(struct upgrade *u, struct err *err)
{
    char folder[SETUP_PATH_ROOM];
    enum errc rc = place_make_store(&u->place, err);
    if (rc == E_OK)
        rc = place_run(&u->place, u->run.new_name, folder, err);
    return rc == E_OK ? setup_make_folder(u->setup->platform, folder, true, err) : rc;
}

static enum errc plan_run(struct upgrade *u, struct err *err)
{
    enum scheduler_is is = SCHEDULER_OFF;
    enum errc rc = u->setup->product.scheduler.is_there && u->installed.is_there
                       ? scheduler_status(u->setup, &is, err)
                       : E_OK;
    struct plan_ask ask = { .product = &u->setup->product,
                            .has_old = u->installed.is_there,
                            .has_stage = !setup_is_msi(u->setup),
                            .scheduler_is_on = is == SCHEDULER_ON };
    if (rc == E_OK)
        plan_make(&ask, &u->run.plan);
    return rc;
}

/* Right before the stop: what may have changed meanwhile is asked once more. */
static enum errc look_again(struct upgrade *u, struct err *err)
{
    struct preflight_ask ask = upgrade_preflight_ask(
        u, 1U << RESULT_PHASE_ACTIVITY | 1U << RESULT_PHASE_DISK | 1U << RESULT_PHASE_SERVICE);
    struct preflight *found = &u->out->reasons;
    ask.staged_bytes = u->payload->size + u->payload->unpacked_size +
                       (u->survey != NULL ? u->survey->carry_bytes : 0);
    enum errc rc = preflight_run(&ask, found, err);
    if (rc != E_OK || found->n == 0)
        return rc;
    outcome_end_with(u->out, &found->items[0]);
    return err_set(err, E_REFUSED, "%s", found->items[0].text);
}

static enum errc prepare_tree(struct upgrade *u, struct err *err)
{
    struct run *run = &u->run;
    char tree[SETUP_PATH_ROOM];
    enum errc rc = make_run_folder(u, err);
    if (rc == E_OK)
        rc = build_tree(u, err);
    if (rc == E_OK)
        rc = upgrade_keep_proof(u, run->new_name, err);
    if (rc == E_OK)
        rc = place_prepare(&u->place, run->new_name, err);
    if (rc == E_OK)
        rc = place_new_tree(&u->place, run->new_name, false, tree, err);
    if (rc == E_OK)
        stage_moved(run->stage, tree);
    return rc;
}

static enum errc prepare(struct upgrade *u, struct err *err)
{
    struct run *run = &u->run;
    enum errc rc = setup_is_msi(u->setup) ? upgrade_msi_prepare(u, err) : prepare_tree(u, err);
    if (rc == E_OK)
        rc = place_id(&u->place, run->new_name, run->new_id, err);
    if (rc == E_OK)
        rc = plan_run(u, err);
    return rc == E_OK ? look_again(u, err) : rc;
}

/* A package that is held can't be tidied away. */
static void let_go(struct upgrade *u)
{
    msi_kept_release(&u->run.held_new);
    msi_kept_release(&u->run.held_old);
    if (!setup_is_msi(u->setup))
        return;
    verified_package_free(u->package);
    u->package = NULL;
}

static enum errc take_steps(struct upgrade *u, struct err *err)
{
    struct run *run = &u->run;
    enum run_end end = RUN_NONE;
    char result[RUN_RESULT_ROOM], why[240];
    enum errc rc = run_steps(run, &end, result, why, err);
    if (rc != E_OK)
        return rc;
    let_go(u);
    u->is_settled = true;
    if (end == RUN_WAITS) {
        outcome_wait(u->out, why);
        events_say(u->ask->events, EVENT_RESTART_NEEDED, "%s", why);
        return E_OK;
    }
    u->out->downtime_ms = run_downtime_ms(run);
    outcome_end(u->out, result, why);
    const struct settle_ask ask = upgrade_settle_ask(u);
    settle_run(run, end, &ask);
    return E_OK;
}

enum errc upgrade_apply(struct upgrade *u, struct err *err)
{
    struct run *run = &u->run;
    struct err ignored;
    enum errc rc = run_begin(run, err);
    if (rc == E_OK) {
        rc = prepare(u, err);
        if (rc == E_OK)
            rc = take_steps(u, err);
        let_go(u);
        if (rc != E_OK && run_tidy(run, false, &ignored) != E_OK)
            events_say(u->ask->events, EVENT_WARNING, "tidying up: %s", ignored.text);
    }
    run_close(run);
    return rc;
}
