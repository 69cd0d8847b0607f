/* sim [option...] RELEASES SCENARIO.xml...
 *
 *   --long        every pending change lost alone, more random losses, every recovery interrupted
 *   --crash, --fault, --lie, --trace   only these (default: all); --trace takes the steps on the
 * real system as well, in a temporary folder
 *   --again N     interrupt the recovery of every Nth crash; 0: of none
 *   --jobs N      side by side
 *   --results FILE   a line for each scenario: passed or failed, and its name
 *
 * Ends with "N crash states, ..., N violations", and with 1 if there is any. */

#include "sim.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/base/text.h"
#include "verify/digest.h"

#define REPORTS_MAX 60

struct tally *tally;
bool sim_is_hunting;
static unsigned n_running;

void sim_fail(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    (void)fputs("sim: ", stderr);
    (void)vfprintf(stderr, fmt, args);
    (void)fputc('\n', stderr);
    va_end(args);
    __atomic_add_fetch(&tally->n_violations, 1, __ATOMIC_RELAXED);
    _exit(2);
}

void sim_report(const struct world *w, const char *where, const char *why)
{
    if (sim_is_hunting)
        __atomic_add_fetch(&tally->n_found, 1, __ATOMIC_RELAXED);
    else if (__atomic_add_fetch(&tally->n_violations, 1, __ATOMIC_RELAXED) <= REPORTS_MAX)
        (void)fprintf(stderr, "%s: %s: %s\n", w->scenario->name, where, why);
}

/* ------------------------------------------------------------------------------- side by side */

static void end_one(void)
{
    int status = 0;
    if (wait(&status) < 0) {
        n_running = 0;
        return;
    }
    n_running--;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        __atomic_add_fetch(&tally->n_violations, 1, __ATOMIC_RELAXED);
    if (WIFSIGNALED(status))
        (void)fprintf(stderr, "sim: a copy ended by signal %d\n", WTERMSIG(status));
}

void sim_job(unsigned n_jobs, void (*fn)(void *ctx), void *ctx)
{
    while (n_running >= n_jobs)
        end_one();
    const pid_t pid = fork();
    if (pid < 0)
        sim_fail("no process can be made");
    if (pid == 0) {
        n_running = 0;
        fn(ctx);
        sim_jobs_end();
        _exit(0);
    }
    n_running++;
}

void sim_jobs_end(void)
{
    while (n_running > 0)
        end_one();
}

/* ------------------------------------------------------------------------------ one scenario */

struct options {
    bool crash, fault, lie, trace;
    struct sim_effort effort;
    const char *releases;
    FILE *results; /* NULL: nowhere */
};

static void version_now(struct world *w, char to[32])
{
    (void)snprintf(to, 32, "%s", w->running);
}

/* The step without any fault: what it leaves is what may be there in the end. */
static void see_ends(const struct scenario *s, const char *releases, struct ends *out)
{
    struct world w;
    char result[RUN_RESULT_ROOM];
    world_new(&w, s, releases, NULL);
    world_prepare(&w);
    out->before = world_picture(&w);
    version_now(&w, out->before_version);
    if (w.base != NULL) {
        free(out->before);
        out->before = w.base;
        w.base = NULL;
        (void)text_copy(out->before_version, sizeof(out->before_version), w.base_version);
    }
    world_do(&w, &s->explored, result);
    if (s->explored.result == NULL || strcmp(result, s->explored.result) != 0)
        sim_fail("%s: \"%s\" instead of \"%s\" (%s)\n%.*s", s->name, result,
                 s->explored.result == NULL ? "" : s->explored.result, w.said, (int)w.trace.len,
                 (const char *)w.trace.ptr);
    char *after = world_picture(&w);
    version_now(&w, out->after_version);
    out->after = s->ends_new ? after : NULL;
    if (s->ends_new == (strcmp(out->before, after) == 0))
        sim_fail("%s: the step does not end as the scenario says", s->name);
    if (!s->ends_new) {
        (void)snprintf(out->after_version, sizeof(out->after_version), "%s",
                       s->explored.to == NULL ? "" : s->explored.to);
        free(after);
    }
    bool is_new = false;
    char why[300] = "";
    if (!check_after(&w, out, &is_new, why) || !check_again(&w, out, is_new, why))
        sim_report(&w, "without any fault", why);
    world_fini(&w);
}

static void report(const struct scenario *s, const struct options *o, const struct tally *before)
{
    const uint64_t n_violations = tally->n_violations - before->n_violations;
    const struct {
        uint64_t n;
        const char *what;
    } parts[] = {
        { tally->n_states - before->n_states, "crash states" },
        { tally->n_second - before->n_second, "of them in a recovery" },
        { tally->n_faults - before->n_faults, "operations failed" },
        { tally->n_lies - before->n_lies, "flushes lied" },
        { tally->n_caught - before->n_caught, "of these were found out" },
        { tally->n_traces - before->n_traces, "trace as on the real system" },
    };
    (void)printf("%-16s", s->name);
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        if (parts[i].n > 0)
            (void)printf(" %llu %s,", (unsigned long long)parts[i].n, parts[i].what);
    (void)printf(" %llu violations\n", (unsigned long long)n_violations);
    (void)fflush(stdout);
    if (o->results != NULL)
        (void)fprintf(o->results, "%s %s\n", n_violations == 0 ? "passed" : "failed", s->name);
}

static void explore(const struct scenario *s, const struct options *o)
{
    struct ends ends = { .before = NULL };
    struct world w;
    const struct tally before = *tally;
    see_ends(s, o->releases, &ends);
    world_new(&w, s, o->releases, NULL);
    world_prepare(&w);
    (void)fflush(stdout);
    if (o->fault)
        fault_explore(&w, &ends, &o->effort);
    if (o->trace && !s->is_windows) { /* that system is not here */
        ++*(trace_compare(s, o->releases) ? &tally->n_traces : &tally->n_violations);
        (void)fflush(stdout);
    }
    if (o->lie)
        lie_explore(&w, &ends, &o->effort);
    if (o->crash)
        crash_explore(&w, &ends, &o->effort);
    report(s, o, &before);
    world_fini(&w);
    free(ends.before);
    free(ends.after);
}

/* -------------------------------------------------------------------------------------- main */

static int usage(void)
{
    (void)fputs(
        "usage: sim [--long] [--crash] [--fault] [--lie] [--trace] [--again N] [--jobs N] RELEASES "
        "SCENARIO.xml...\n",
        stderr);
    return 2;
}

int main(int argc, char **argv)
{
    struct options o = { .effort = { .n_random = 1, .nth_again = 160, .n_jobs = 2 } };
    int i = 1;
    tally = mmap(NULL, sizeof(*tally), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (tally == MAP_FAILED)
        return 2;
    for (; i < argc && argv[i][0] == '-'; i++) {
        if (strcmp(argv[i], "--long") == 0)
            o.effort = (struct sim_effort){ 8, true, 1, o.effort.n_jobs };
        else if (strcmp(argv[i], "--crash") == 0)
            o.crash = true;
        else if (strcmp(argv[i], "--fault") == 0)
            o.fault = true;
        else if (strcmp(argv[i], "--lie") == 0)
            o.lie = true;
        else if (strcmp(argv[i], "--trace") == 0)
            o.trace = true;
        else if (strcmp(argv[i], "--again") == 0 && i + 1 < argc)
            o.effort.nth_again = (unsigned)strtoul(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--results") == 0 && i + 1 < argc)
            o.results = fopen(argv[++i], "we");
        else if (strcmp(argv[i], "--jobs") == 0 && i + 1 < argc)
            o.effort.n_jobs = (unsigned)strtoul(argv[++i], NULL, 10);
        else
            return usage();
    }
    if (argc - i < 2 || o.effort.n_jobs == 0)
        return usage();
    if (!o.crash && !o.fault && !o.lie && !o.trace)
        o.crash = o.fault = o.lie = o.trace = true;
    o.releases = argv[i++];
    digest_init_library();
    for (; i < argc; i++) {
        struct scenario s;
        scenario_read(argv[i], &s);
        explore(&s, &o);
        scenario_fini(&s);
    }
    (void)printf("%llu crash states, %llu failed operations, %llu violations\n",
                 (unsigned long long)tally->n_states, (unsigned long long)tally->n_faults,
                 (unsigned long long)tally->n_violations);
    if (o.results != NULL && fclose(o.results) != 0)
        return 2;
    return tally->n_violations == 0 ? 0 : 1;
}
