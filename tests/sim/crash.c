/* The machine stops before each operation, with every kind of loss. The step is taken once; before
 * each operation the process copies itself, and the copy is the machine that stopped there. */

#include "sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct exploring {
    struct world *w;
    const struct ends *ends;
    const struct sim_effort *effort;
    uint64_t n;      /* operations so far */
    bool is_second;  /* in a recovery */
    char outer[200]; /* where the first crash was */
};

struct crash {
    struct exploring *x;
    const struct fault_step *step;
    bool is_power; /* else we alone are killed */
    struct disk_loss loss;
};

static const char *describe(const struct crash *c, char to[400])
{
    static const char *const losses[] = { "nothing lost", "all lost", "the first kept",
                                          "all but one", "random loss" };
    (void)snprintf(to, 400, "%.190s%s%llu (%s %.80s), %s, %s %llu", c->x->outer,
                   c->x->outer[0] != '\0' ? "; then in recovery " : "operation ",
                   (unsigned long long)c->x->n, c->step->what, c->step->path,
                   c->is_power ? "power" : "killed", c->is_power ? losses[c->loss.how] : "",
                   (unsigned long long)c->loss.n);
    return to;
}

static struct fault stop_here(void *ctx, const struct fault_step *step);

/* Recovery, which may be stopped as well. */
static void recover(struct crash *c, bool interrupts, const char *where,
                    char result[RUN_RESULT_ROOM])
{
    const struct deed_of deed = { .deed = DO_RECOVER };
    struct world *w = c->x->w;
    struct exploring again = *c->x;
    const struct fault_plan plan = { stop_here, &again };
    again.n = 0;
    again.is_second = true;
    (void)snprintf(again.outer, sizeof(again.outer), "%.199s", where);
    mock_plan(w->mock, interrupts ? &plan : NULL);
    world_do(w, &deed, result);
    mock_plan(w->mock, NULL);
}

static void crash(void *ctx)
{
    struct crash *c = ctx;
    struct world *w = c->x->w;
    char result[RUN_RESULT_ROOM], why[300] = "", where[400];
    bool is_new = false;
    describe(c, where);
    mock_plan(w->mock, NULL);
    mock_kill_us(w->mock);
    if (c->is_power) {
        mock_power_cut(w->mock, &c->loss);
        w->running[0] = '\0';
    }
    mock_pass(w->mock, 11 * 60 * 1000); /* what was being written elsewhere is stale */
    const unsigned nth = c->x->effort->nth_again;
    const uint64_t mixed = c->x->n * 31 + (uint64_t)c->loss.how * 7 + c->loss.n;
    recover(c, !c->x->is_second && nth > 0 && mixed % nth == 0, where, result);
    if (c->is_power)
        world_boot(w);
    if (!check_after(w, c->x->ends, &is_new, why) || !check_again(w, c->x->ends, is_new, why)) {
        char all[800];
        (void)snprintf(all, sizeof(all), "%s (recover said \"%.200s\")", why, result);
        sim_report(w, where, all);
    }
    __atomic_add_fetch(&tally->n_states, 1, __ATOMIC_RELAXED);
    if (c->x->is_second)
        __atomic_add_fetch(&tally->n_second, 1, __ATOMIC_RELAXED);
}

static void stop(struct exploring *x, const struct fault_step *step, bool is_power,
                 enum disk_loss_how how, uint64_t n)
{
    struct crash c = { x, step, is_power, { how, n } };
    sim_job(x->is_second ? 1 : x->effort->n_jobs, crash, &c);
}

static struct fault stop_here(void *ctx, const struct fault_step *step)
{
    struct exploring *x = ctx;
    size_t n_dirty = 0;
    const size_t n_pending = disk_n_pending(mock_disk(x->w->mock), &n_dirty);
    const bool matters = n_pending > 0 || n_dirty > 0;
    x->n++;
    if (x->is_second) {
        stop(x, step, true, LOSS_ALL, 0);
        if (matters)
            stop(x, step, true, LOSS_RANDOM, x->n);
        return (struct fault){ FAULT_NONE, E_OK };
    }
    stop(x, step, false, LOSS_NONE, 0);
    stop(x, step, true, LOSS_NONE, 0);
    if (!matters)
        return (struct fault){ FAULT_NONE, E_OK };
    stop(x, step, true, LOSS_ALL, 0);
    if (n_pending > 1)
        stop(x, step, true, LOSS_FIRST, n_pending / 2);
    for (size_t i = 0; i < n_pending; i++)
        if (x->effort->each_alone || i == x->n % n_pending)
            stop(x, step, true, LOSS_BUT_ONE, i);
    for (unsigned i = 0; i < x->effort->n_random; i++)
        stop(x, step, true, LOSS_RANDOM, x->n * 1000 + i);
    return (struct fault){ FAULT_NONE, E_OK };
}

void crash_at(struct world *w, const struct ends *ends, const struct sim_effort *effort,
              const struct fault_step *step, uint64_t n, bool is_power, enum disk_loss_how how)
{
    struct exploring x = { .w = w, .ends = ends, .effort = effort, .n = n };
    stop(&x, step, is_power, how, n);
}

void crash_explore(struct world *w, const struct ends *ends, const struct sim_effort *effort)
{
    struct exploring x = { .w = w, .ends = ends, .effort = effort };
    const struct fault_plan plan = { stop_here, &x };
    char result[RUN_RESULT_ROOM];
    mock_plan(w->mock, &plan);
    world_do(w, &w->scenario->explored, result);
    mock_plan(w->mock, NULL);
    sim_jobs_end();
    if (x.n == 0)
        sim_fail("%s: no operation was seen", w->scenario->name);
}
