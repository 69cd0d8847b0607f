/* Each operation fails in turn, on a machine that goes on. */

#include "sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct failing {
    struct world *w;
    const struct ends *ends;
    struct fault_nth nth;
    char what[40], path[120];
};

static struct fault fail_nth(void *ctx, const struct fault_step *step)
{
    struct failing *f = ctx;
    const struct fault fault = fault_nth(&f->nth, step);
    if (fault.act != FAULT_NONE) {
        (void)snprintf(f->what, sizeof(f->what), "%s", step->what);
        (void)snprintf(f->path, sizeof(f->path), "%s", step->path);
    }
    return fault;
}

/* Takes the step with one operation failing, then recovers without. */
static void fail_once(void *ctx)
{
    struct failing *f = ctx;
    struct world *w = f->w;
    const struct deed_of recover = { .deed = DO_RECOVER };
    const struct fault_plan plan = { fail_nth, f };
    char first[RUN_RESULT_ROOM], second[RUN_RESULT_ROOM], why[300] = "", where[300];
    bool is_new = false;
    w->platform = fault_wrap(mock_platform(w->mock), &plan);
    world_do(w, &w->scenario->explored, first);
    fault_unwrap(w->platform);
    w->platform = mock_platform(w->mock);
    mock_kill_us(w->mock);
    world_do(w, &recover, second);
    if (!check_after(w, f->ends, &is_new, why) || !check_again(w, f->ends, is_new, why)) {
        char all[800];
        (void)snprintf(where, sizeof(where), "operation %llu (%s %s) fails with %s",
                       (unsigned long long)f->nth.n, f->what, f->path,
                       errc_name(f->nth.fault.code));
        (void)snprintf(all, sizeof(all), "%s (the step said \"%.150s\", recover \"%.150s\")", why,
                       first, second);
        sim_report(w, where, all);
    }
    __atomic_add_fetch(&tally->n_faults, 1, __ATOMIC_RELAXED);
}

struct counting {
    struct world *w;
    unsigned kinds;
};

static void count(void *ctx)
{
    struct counting *c = ctx;
    struct fault_nth nth = { .kinds = c->kinds };
    const struct fault_plan plan = { fault_nth, &nth };
    char result[RUN_RESULT_ROOM];
    c->w->platform = fault_wrap(mock_platform(c->w->mock), &plan);
    world_do(c->w, &c->w->scenario->explored, result);
    tally->n_counted = nth.n_seen;
}

static void fail_each(struct world *w, const struct ends *ends, const struct sim_effort *effort,
                      unsigned kinds, enum fault_act act, enum errc code)
{
    struct counting c = { w, kinds };
    sim_job(1, count, &c);
    sim_jobs_end();
    const uint64_t n = tally->n_counted;
    if (n == 0)
        sim_fail("%s: no operation to fail was seen", w->scenario->name);
    for (uint64_t i = 1; i <= n; i++) {
        struct failing f = { .w = w, .ends = ends, .nth = { i, kinds, { act, code }, 0 } };
        sim_job(effort->n_jobs, fail_once, &f);
    }
    sim_jobs_end();
}

void fault_explore(struct world *w, const struct ends *ends, const struct sim_effort *effort)
{
    const unsigned all = 1 << FAULT_LOOK | 1 << FAULT_CHANGE | 1 << FAULT_FLUSH | 1 << FAULT_ACT;
    fail_each(w, ends, effort, all, FAULT_FAILS, E_IO);
    /* a full disk takes the first half of what is written */
    fail_each(w, ends, effort, 1 << FAULT_CHANGE | 1 << FAULT_FLUSH, FAULT_HALF, E_SPACE);
    fail_each(w, ends, effort, 1 << FAULT_CHANGE | 1 << FAULT_ACT, FAULT_FAILS, E_ACCESS);
}
