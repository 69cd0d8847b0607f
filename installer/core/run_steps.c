/* What each step of a plan does, and how it is undone. */

#include <string.h>

#include "installer/core/data.h"
#include "installer/core/run_private.h"
#include "installer/core/scheduler.h"
#include "installer/core/services.h"

static int64_t now_ms(const struct run *run)
{
    return run->setup->platform->host->monotonic_ms(run->setup->platform->self);
}

static const char *service_name(const struct run *run, unsigned i)
{
    return run->setup->product.services.items.items[i].name;
}

/* Before anything is switched, or once it is switched back. */
static enum errc old_tree_of(const struct run *run, char to[SETUP_PATH_ROOM], struct err *err)
{
    return place_old_tree(run->place, run->new_name, run->old_name, false, to, err);
}

static enum errc data_place_of(const struct run *run, char folder[SETUP_PATH_ROOM],
                               struct data_place *out, struct err *err)
{
    enum errc rc = place_run(run->place, run->new_name, folder, err);
    *out = (struct data_place){ .setup = run->setup, .run = run->new_name, .run_folder = folder };
    return rc;
}

/* --- the product's scheduler */

static enum errc suspend(struct run *run, unsigned i, struct err *err)
{
    UNUSED(i);
    enum errc rc = scheduler_suspend(run->setup, err);
    if (rc == E_OK)
        events_say(run->events, EVENT_SCHEDULER_SUSPENDED, "the product's scheduler is suspended");
    return rc;
}

static enum errc resume(struct run *run, unsigned i, struct err *err)
{
    UNUSED(i);
    enum errc rc = scheduler_resume(run->setup, err);
    if (rc == E_OK)
        events_say(run->events, EVENT_SCHEDULER_RESTORED, "the product's scheduler is on again");
    return rc;
}

/* --- services */

static enum errc stop_old(struct run *run, unsigned i, struct err *err)
{
    if (run->stopping_ms == 0)
        run->stopping_ms = now_ms(run);
    events_say(run->events, EVENT_STOPPING, "stopping %s", service_name(run, i));
    return services_stop(run->setup, i, err);
}

static enum errc start_old(struct run *run, unsigned i, struct err *err)
{
    return services_start(run->setup, i, err);
}

static enum errc start_new(struct run *run, unsigned i, struct err *err)
{
    if (run->started_ms == 0)
        run->started_ms = now_ms(run);
    events_say(run->events, EVENT_STARTING, "starting %s", service_name(run, i));
    return services_start(run->setup, i, err);
}

static enum errc stop_new(struct run *run, unsigned i, struct err *err)
{
    return services_stop(run->setup, i, err);
}

/* --- data */

static enum errc protect(struct run *run, unsigned k, struct err *err)
{
    char folder[SETUP_PATH_ROOM], tree[SETUP_PATH_ROOM];
    struct data_place place;
    enum errc rc = data_place_of(run, folder, &place, err);
    if (rc == E_OK)
        rc = old_tree_of(run, tree, err);
    if (rc == E_OK)
        rc = data_protect(&place, k, tree, err);
    return rc;
}

/* Where the new version was never started nothing has touched the data; but what a package does
 * while it is installed is its own. */
static bool is_touched(const struct run *run)
{
    return run_was_begun(run, STEP_START) || run_was_begun(run, STEP_HEALTH) ||
           (run->place->mode == STATE_SWITCH_MSI && run_was_begun(run, STEP_SWITCH));
}

static enum errc restore(struct run *run, unsigned k, struct err *err)
{
    char folder[SETUP_PATH_ROOM], tree[SETUP_PATH_ROOM];
    struct data_place place;
    if (!is_touched(run))
        return E_OK;
    enum errc rc = data_place_of(run, folder, &place, err);
    if (rc == E_OK)
        rc = old_tree_of(run, tree, err);
    if (rc == E_OK)
        rc = data_restore(&place, k, tree, err);
    if (rc == E_OK)
        events_say(run->events, EVENT_PROTECTING, "the data is as it was before");
    return rc;
}

static enum errc move(struct run *run, unsigned k, bool is_back, struct err *err)
{
    char folder[SETUP_PATH_ROOM], old_tree[SETUP_PATH_ROOM], new_tree[SETUP_PATH_ROOM];
    struct data_place place;
    enum errc rc = data_place_of(run, folder, &place, err);
    if (rc == E_OK)
        rc = old_tree_of(run, old_tree, err);
    if (rc == E_OK)
        rc = place_new_tree(run->place, run->new_name, false, new_tree, err);
    if (rc == E_OK)
        rc =
            data_move(&place, k, is_back ? new_tree : old_tree, is_back ? old_tree : new_tree, err);
    return rc;
}

static enum errc move_there(struct run *run, unsigned k, struct err *err)
{
    return move(run, k, false, err);
}

static enum errc move_back(struct run *run, unsigned k, struct err *err)
{
    return move(run, k, true, err);
}

/* --- the tree */

static enum errc refresh(struct run *run, unsigned i, struct err *err)
{
    UNUSED(i);
    return stage_refresh(run->stage, err);
}

static enum errc switch_there(struct run *run, unsigned i, struct err *err)
{
    UNUSED(i);
    enum errc rc = run->place->mode == STATE_SWITCH_MSI
                       ? run_msi_switch(run, err)
                       : place_switch(run->place, run->new_name, run->old_name, run->new_id, err);
    if (rc == E_OK) {
        run->was_switched = true;
        rc = run_note(run, JOURNAL_MARK, "switched", "-", err);
    }
    if (rc == E_OK)
        events_say(run->events, EVENT_SWITCHED, "switched to %s", run->attempt.to.text);
    return rc;
}

static enum errc switch_back(struct run *run, unsigned i, struct err *err)
{
    UNUSED(i);
    if (run->place->mode == STATE_SWITCH_MSI)
        return run_msi_switch_back(run, err);
    return place_switch_back(run->place, run->new_name, run->old_name, run->new_id, err);
}

/* --- is it well */

static enum errc watch(struct run *run, unsigned i, struct err *err)
{
    struct health health = { .is_healthy = false };
    UNUSED(i);
    if (run->started_ms == 0)
        run->started_ms = now_ms(run);
    enum errc rc = health_watch(run->setup, run->started_ms, NULL, NULL, &health, err);
    if (rc != E_OK)
        return rc;
    if (!health.is_healthy)
        return err_set(err, E_REFUSED, "%s", health.why);
    run->healthy_ms = health.healthy_ms;
    events_send(run->events, &(struct event){ .kind = EVENT_HEALTHY,
                                              .text = "it came up and stays up",
                                              .to = &run->attempt.to,
                                              .downtime_ms = run_downtime_ms(run) });
    return E_OK;
}

const struct step_ops run_step_table[STEP_KINDS] = {
    [STEP_SCHEDULER] = { suspend, resume, "UpgradeAbortedSchedulerCanNotBeSuspended",
                         "SchedulerCanNotBeSuspended" },
    [STEP_STOP] = { stop_old, start_old, "UpgradeAbortedServiceCanNotBeStopped",
                    "ServiceCanNotBeStopped" },
    [STEP_PROTECT] = { protect, restore, "UpgradeAbortedDataProtectionFailed",
                       "DataProtectionFailed" },
    [STEP_REFRESH] = { refresh, NULL, STAGE_CONFLICT_RESULT, "ConfigurationConflict" },
    [STEP_MOVE] = { move_there, move_back, "UpgradeAbortedDataMoveFailed", "DataMoveFailed" },
    [STEP_SWITCH] = { switch_there, switch_back, "UpgradeAbortedSwitchFailed", "SwitchFailed" },
    [STEP_START] = { start_new, stop_new, NULL, "ServiceCanNotBeStarted" },
    [STEP_HEALTH] = { watch, NULL, NULL, "HealthCheckFailed" },
};
