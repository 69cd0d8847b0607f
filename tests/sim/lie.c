/* Each flush, and each write of the journal, is passed over in silence; then the machine stops at
 * each later operation. A lie that matters must be found out by the same checks that find nothing
 * otherwise: that is how the simulator is known to see.
 *
 * Much is flushed twice, and then one lie does no harm. So each is told alone, then together with
 * all of the same object, then with the next one. What even so does no harm stands in a table with
 * its reason, and a row of it that was found out after all is an error as well. */

#include "sim.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#define LIES_MAX 400

struct told {
    char what[40], path[200];
};
static struct told *all_lies; /* shared; in the order in which they come */
static uint64_t *n_all_lies;

enum together { ALONE, OF_ONE_OBJECT, WITH_THE_NEXT, TOGETHER };

struct lying {
    struct world *w;
    const struct ends *ends;
    const struct sim_effort *effort;
    enum together together;
    uint64_t nth, n_lies, n; /* the lie; steps that may lie so far, all steps */
    bool has_lied;
};

/* --- what may lie */

static bool ends_with(const char *text, const char *end)
{
    const size_t len = strlen(text), end_len = strlen(end);
    return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

/* Not what the product itself writes. */
static bool may_lie(const struct fault_step *step)
{
    if (strncmp(step->path, "/home/", 6) == 0)
        return false;
    return step->kind == FAULT_FLUSH ||
           (strcmp(step->what, "write") == 0 && ends_with(step->path, "/journal"));
}

static struct fault note(void *ctx, const struct fault_step *step)
{
    UNUSED(ctx);
    if (may_lie(step) && *n_all_lies < LIES_MAX) {
        struct told *t = &all_lies[(*n_all_lies)++];
        (void)snprintf(t->what, sizeof(t->what), "%s", step->what);
        (void)snprintf(t->path, sizeof(t->path), "%s", step->path);
    }
    return (struct fault){ FAULT_NONE, E_OK };
}

static void note_all(void *ctx)
{
    struct world *w = ctx;
    const struct fault_plan plan = { note, NULL };
    char result[RUN_RESULT_ROOM];
    mock_plan(w->mock, &plan);
    world_do(w, &w->scenario->explored, result);
}

/* --- one that lies */

static bool lies_here(const struct lying *l, const struct fault_step *step)
{
    switch (l->together) {
    case ALONE: return l->n_lies == l->nth;
    case OF_ONE_OBJECT: return strcmp(step->path, all_lies[l->nth - 1].path) == 0;
    case WITH_THE_NEXT: return l->n_lies == l->nth || l->n_lies == l->nth + 1;
    case TOGETHER: break;
    }
    return false;
}

static struct fault lie(void *ctx, const struct fault_step *step)
{
    struct lying *l = ctx;
    l->n++;
    if (l->has_lied && tally->n_found == 0) {
        crash_at(l->w, l->ends, l->effort, step, l->n, false, LOSS_NONE);
        crash_at(l->w, l->ends, l->effort, step, l->n, true, LOSS_ALL);
        crash_at(l->w, l->ends, l->effort, step, l->n, true, LOSS_RANDOM);
    }
    if (!may_lie(step))
        return (struct fault){ FAULT_NONE, E_OK };
    l->n_lies++;
    if (!lies_here(l, step))
        return (struct fault){ FAULT_NONE, E_OK };
    l->has_lied = true;
    return (struct fault){ FAULT_IGNORED, E_OK };
}

/* Once more after the end: nothing is done any more, and the power goes. */
static void stop_at_the_end(struct lying *l)
{
    const struct fault_step step = { "the end", "", FAULT_LOOK };
    crash_at(l->w, l->ends, l->effort, &step, l->n + 1, true, LOSS_ALL);
}

static void lie_once(void *ctx)
{
    struct lying *l = ctx;
    const struct fault_plan plan = { lie, l };
    char result[RUN_RESULT_ROOM];
    sim_is_hunting = true;
    mock_plan(l->w->mock, &plan);
    world_do(l->w, &l->w->scenario->explored, result);
    mock_plan(l->w->mock, NULL);
    sim_jobs_end();
    stop_at_the_end(l);
}

/* --- those that need not be found out */

static const struct {
    const char *has, *ends; /* what the path has in it, or ends with */
    const char *why;
} harmless[] = {
    { "/var/cache/", NULL, "the cache is fetched and proven again" },
    { NULL, "/marker", "one that is lost is made again, one that stays is removed by recover" },
    { NULL, ".part", "a payload is proven by its hash after it was fetched" },
    { NULL, "/run", "what is left of a run whose journal is gone is removed by the next one" },
};

static bool is_harmless(const struct told *t)
{
    for (size_t i = 0; i < ARRAY_LEN(harmless); i++)
        if (harmless[i].has != NULL ? strstr(t->path, harmless[i].has) != NULL
                                    : ends_with(t->path, harmless[i].ends))
            return true;
    return false;
}

/* --- all of them */

static bool is_found(struct lying *l)
{
    for (l->together = ALONE; l->together < TOGETHER; l->together++) {
        tally->n_found = 0;
        sim_job(1, lie_once, l);
        sim_jobs_end();
        if (tally->n_found > 0)
            return true;
    }
    return false;
}

void lie_explore(struct world *w, const struct ends *ends, const struct sim_effort *effort)
{
    const struct sim_effort alone = { .n_jobs = effort->n_jobs };
    if (all_lies == NULL) {
        all_lies = mmap(NULL, LIES_MAX * sizeof(*all_lies) + sizeof(*n_all_lies),
                        PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (all_lies == MAP_FAILED)
            sim_fail("no memory");
        n_all_lies = (uint64_t *)(void *)&all_lies[LIES_MAX];
    }
    *n_all_lies = 0;
    sim_job(1, note_all, w);
    sim_jobs_end();
    const uint64_t n_states = tally->n_states;
    for (uint64_t n = 1; n <= *n_all_lies; n++) {
        struct lying l = { .w = w, .ends = ends, .effort = &alone, .nth = n };
        const struct told *t = &all_lies[n - 1];
        char where[300];
        tally->n_lies++;
        if (is_harmless(t))
            continue;
        if (is_found(&l)) {
            tally->n_caught++;
            continue;
        }
        (void)snprintf(where, sizeof(where), "lie %llu (%s %s)", (unsigned long long)n, t->what,
                       t->path);
        sim_report(w, where, "was not found out");
    }
    tally->n_states = n_states; /* of honest machines alone */
}
