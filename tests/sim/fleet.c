/* A fleet on paper: 100 000 machines that ask the real decide(), each at its own minute of every
 * hour, while a maker widens a rollout. What must hold: the share of the fleet that is reached is
 * the percentage that the maker said (to half a point), no machine that was reached is left out
 * again, and no hour is much busier than the others.
 *
 *   fleet [--data FILE]     FILE: hour, machines reached, upgrades begun (for fleet_plot.py)
 *
 * Nothing is left to chance: the machines' names are numbers, and their places are decide.c's. */

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "installer/core/decide.h"
#include "platform/base/text.h"
#include "verify/digest.h"

#define MACHINES 100000
#define T0 INT64_C(1790000000)
#define HOUR INT64_C(3600)
#define DAY (24 * HOUR)
#define HOURS_MAX 400

static unsigned n_failed;

static void claim(bool holds, const char *fmt, ...) PRINTF_FORMAT(2, 3);
static void claim(bool holds, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    (void)printf("%s  ", holds ? "holds " : "FAILED");
    (void)vprintf(fmt, args);
    (void)printf("\n");
    va_end(args);
    n_failed += !holds;
}

/* --------------------------------------------------------------------- what is judged, and how */

/* The largest distance, in points, of what was reached from what was to be. */
static double cohort_error(const uint64_t reached[101], const bool asked[101])
{
    double worst = 0;
    for (unsigned p = 1; p <= 100; p++) {
        const double error = fabs(100.0 * (double)reached[p] / MACHINES - p);
        worst = asked[p] && error > worst ? error : worst;
    }
    return worst;
}

/* The busiest hour, as a multiple of the mean of those that are counted. */
static double busiest(const uint64_t *hours, size_t n)
{
    uint64_t sum = 0, most = 0;
    for (size_t i = 0; i < n; i++) {
        sum += hours[i];
        most = hours[i] > most ? hours[i] : most;
    }
    return sum == 0 ? INFINITY : (double)most * (double)n / (double)sum;
}

/* Of two numbers that each machine has: 0 is no connection, 1 the same order. */
static double correlation(const uint32_t *a, const uint32_t *b)
{
    double sa = 0, sb = 0, saa = 0, sbb = 0, sab = 0;
    for (size_t i = 0; i < MACHINES; i++) {
        sa += a[i], sb += b[i];
        saa += (double)a[i] * a[i], sbb += (double)b[i] * b[i], sab += (double)a[i] * b[i];
    }
    const double n = MACHINES;
    return (n * sab - sa * sb) / sqrt((n * saa - sa * sa) * (n * sbb - sb * sb));
}

/* A judge that can't refuse is none: a fleet in which a third is left out, an hour with too many.
 */
static void judge_the_judges(void)
{
    uint64_t reached[101], hours[24];
    bool asked[101];
    for (unsigned p = 0; p <= 100; p++) {
        reached[p] = (uint64_t)p * (MACHINES / 150);
        asked[p] = true;
    }
    for (size_t i = 0; i < 24; i++)
        hours[i] = i == 7 ? 1300 : 1000;
    claim(cohort_error(reached, asked) > 0.5, "a fleet of which a third is never reached is seen");
    claim(busiest(hours, 24) > 1.2, "an hour with a third too many is seen");
}

/* -------------------------------------------------------------------------------- the machines */

struct fleet {
    struct feed_release release;
    struct feed feed;
    struct product_policy policy;
    struct decide_ask ask;
    struct upgrade_state *state;
    char machine[65];
};

static struct version version_of(const char *text)
{
    struct version v;
    if (version_read(span_text(text), &v, NULL) != E_OK)
        abort();
    return v;
}

static void fleet_init(struct fleet *f, const char *product, const char *version)
{
    memset(f, 0, sizeof(*f));
    f->state = calloc(1, sizeof(*f->state));
    if (f->state == NULL)
        abort();
    f->release = (struct feed_release){ .version = version_of(version), .status = STATUS_AUTO };
    f->feed.releases.items = &f->release;
    f->feed.releases.n = 1;
    f->policy =
        (struct product_policy){ .retry_aborted_s = 2 * HOUR, .retry_not_supported_s = 7 * DAY };
    f->ask = (struct decide_ask){ .mode = DECIDE_RUN,
                                  .feed = &f->feed,
                                  .policy = &f->policy,
                                  .product = product,
                                  .machine_id = f->machine,
                                  .os = OS_LINUX,
                                  .arch = ARCH_X86_64 };
    f->state->has_installed = true;
    f->state->installed = version_of("0.1");
}

/* A machine that has seen nothing yet. */
static void become(struct fleet *f, unsigned n)
{
    (void)snprintf(f->machine, sizeof(f->machine), "%064x", n);
    f->state->n_seen = 0;
    f->state->has_last = false;
}

static enum decision ask(struct fleet *f, int64_t now, int64_t *out_when)
{
    struct decided told;
    f->ask.clock.now = now;
    decide(&f->ask, f->state, &told);
    *out_when = told.when;
    return told.decision;
}

/* The first of the machine's hourly calls that is not before `when`. */
static int64_t call_after(unsigned n, int64_t when)
{
    const int64_t minute = (int64_t)(n * 2654435761U >> 8) % 60 * 60;
    const int64_t since = when - T0 - minute;
    return T0 + minute + (since <= 0 ? 0 : (since + HOUR - 1) / HOUR * HOUR);
}

/* When the machine upgrades, as its hourly calls tell. It is not asked at every hour: what it was
 * told to wait for, and the calls right before and after, are enough to see that it is told the
 * truth. */
static int64_t upgrade_time(struct fleet *f, unsigned n, int64_t *out_opens, bool *out_is_true)
{
    int64_t when = 0, now = call_after(n, T0);
    enum decision d = ask(f, now, &when);
    *out_opens = d == DECISION_OUTSIDE_COHORT ? when : now;
    for (unsigned i = 0; i < 4 && d != DECISION_UPGRADE; i++) {
        int64_t ignored = 0;
        const int64_t next = call_after(n, when);
        if (next - HOUR > now && ask(f, next - HOUR, &ignored) == DECISION_UPGRADE)
            *out_is_true = false;
        now = next;
        d = ask(f, now, &when);
    }
    *out_is_true = *out_is_true && d == DECISION_UPGRADE;
    return now;
}

/* -------------------------------------------------------------------------- the share that is
 * reached */

static void percentages(const char *product, const char *version, const unsigned *percents,
                        size_t n_percents)
{
    struct fleet f;
    uint64_t reached[101] = { 0 }, n_left_out = 0;
    bool asked[101] = { false };
    fleet_init(&f, product, version);
    for (size_t i = 0; i < n_percents; i++)
        asked[percents[i]] = true;
    for (unsigned n = 0; n < MACHINES; n++) {
        bool was_in = false;
        for (size_t i = 0; i < n_percents; i++) {
            int64_t when = 0;
            become(&f, n);
            f.release.rollout = (struct feed_rollout){ .start = T0, .percent = percents[i] };
            const bool is_in = ask(&f, T0 + 1, &when) == DECISION_UPGRADE;
            n_left_out += was_in && !is_in;
            was_in = is_in;
            reached[percents[i]] += is_in;
        }
    }
    const double error = cohort_error(reached, asked);
    claim(error <= 0.5, "%s %s: %zu percentages, at most %.2f points off", product, version,
          n_percents, error);
    claim(n_left_out == 0, "%s %s: none that was in is left out as it grows", product, version);
    free(f.state);
}

/* ---------------------------------------------------------------------------------- the hours */

struct hours {
    uint64_t begun[HOURS_MAX], reached[HOURS_MAX];
};

static void count_hours(struct fleet *f, struct hours *to, bool *out_is_true)
{
    memset(to, 0, sizeof(*to));
    *out_is_true = true;
    for (unsigned n = 0; n < MACHINES; n++) {
        int64_t opens = 0;
        become(f, n);
        const int64_t at = upgrade_time(f, n, &opens, out_is_true);
        const size_t hour = (size_t)((at - T0) / HOUR), open = (size_t)((opens - T0) / HOUR);
        if (hour >= HOURS_MAX || open >= HOURS_MAX) {
            *out_is_true = false;
            continue;
        }
        to->begun[hour]++;
        to->reached[open]++;
    }
}

static void rollout(const char *about, uint64_t percent, int64_t step_s, int64_t jitter_s,
                    size_t n_hours, struct hours *to)
{
    struct fleet f;
    bool is_true = false;
    fleet_init(&f, "orchard", "2.0.0");
    f.release.rollout = (struct feed_rollout){ .start = T0, .percent = percent, .step_s = step_s };
    f.policy.jitter_s = jitter_s;
    count_hours(&f, to, &is_true);
    uint64_t n_late = 0;
    for (size_t i = n_hours + 1; i < HOURS_MAX; i++)
        n_late += to->begun[i];
    const double load = busiest(to->begun, n_hours);
    claim(is_true && n_late == 0, "%s: each machine upgrades when it was told, none earlier",
          about);
    claim(load <= 1.2, "%s: the busiest of %zu hours has %.2f x the mean", about, n_hours, load);
    free(f.state);
}

/* Those that were busy come again after a while, as spread as they were. */
static void retries(void)
{
    struct fleet f;
    uint64_t hours[30] = { 0 };
    bool is_true = true;
    fleet_init(&f, "orchard", "2.0.0");
    f.policy.jitter_s = DAY;
    for (unsigned n = 0; n < MACHINES; n++) {
        int64_t opens = 0, when = 0;
        become(&f, n);
        const int64_t at = upgrade_time(&f, n, &opens, &is_true);
        f.state->has_last = true;
        f.state->last_version = f.release.version;
        f.state->last_time = at;
        (void)text_copy(f.state->last_result, sizeof(f.state->last_result),
                        "UpgradeAbortedSyncExeInUse");
        is_true = is_true && ask(&f, at + HOUR, &when) == DECISION_NOT_DUE;
        const int64_t again = call_after(n, when);
        is_true = is_true && ask(&f, again, &when) == DECISION_UPGRADE;
        const size_t hour = (size_t)((again - T0) / HOUR);
        hours[hour < 30 ? hour : 29]++;
    }
    const double load = busiest(hours + 2, 24);
    claim(is_true && load <= 1.2, "retries: the busiest of 24 hours has %.2f x the mean", load);
    free(f.state);
}

/* -------------------------------------------------------------------------- a machine's places */

static void places(void)
{
    static uint32_t a[MACHINES], b[MACHINES], c[MACHINES];
    char machine[65];
    const struct version one = version_of("2.0.0"), other = version_of("2.0.1");
    for (unsigned n = 0; n < MACHINES; n++) {
        (void)snprintf(machine, sizeof(machine), "%064x", n);
        a[n] = (uint32_t)decide_share(machine, "orchard", &one, "cohort", 10000);
        b[n] = (uint32_t)decide_share(machine, "orchard", &other, "cohort", 10000);
        c[n] = (uint32_t)decide_share(machine, "orchard", &one, "jitter", 86400);
    }
    claim(fabs(correlation(a, a) - 1) < 0.001, "a place compared with itself is the same");
    claim(fabs(correlation(a, b)) < 0.02,
          "no machine is always the first: %.4f between two releases", correlation(a, b));
    claim(fabs(correlation(a, c)) < 0.02,
          "place and jitter have nothing to do with each other: %.4f", correlation(a, c));
}

/* The due time is the same at every look, also when the state was written and read in between. */
static void same_at_every_look(void)
{
    struct fleet f;
    bool is_same = true;
    fleet_init(&f, "orchard", "2.0.0");
    f.policy.jitter_s = 30 * DAY;
    (void)text_copy(f.state->product, sizeof(f.state->product), "orchard");
    for (unsigned n = 0; n < 500; n++) {
        int64_t first = 0, again = 0;
        struct buf page;
        become(&f, n);
        (void)ask(&f, T0 + n, &first);
        buf_init(&page, STATE_BYTES_MAX);
        struct upgrade_state *read = calloc(1, sizeof(*read));
        if (read == NULL || state_write(f.state, &page, NULL) != E_OK ||
            state_read(buf_span(&page), read, NULL) != E_OK)
            abort();
        free(f.state);
        f.state = read;
        buf_fini(&page);
        (void)ask(&f, T0 + n + 5 * HOUR, &again);
        is_same = is_same && (first == again || again == 0);
    }
    claim(is_same, "a due time is the same at every look, and after the state was read again");
    free(f.state);
}

/* --------------------------------------------------------------------------------------- main */

static bool write_data(const char *path, const struct hours *h, size_t n)
{
    FILE *file = fopen(path, "wb");
    uint64_t reached = 0;
    if (file == NULL)
        return false;
    for (size_t i = 0; i < n; i++) {
        reached += h->reached[i];
        (void)fprintf(file, "%zu\t%" PRIu64 "\t%" PRIu64 "\n", i, reached, h->begun[i]);
    }
    return fclose(file) == 0;
}

int main(int argc, char **argv)
{
    static const unsigned some[] = { 10, 50, 90 };
    static const unsigned all[] = { 1, 2, 5, 10, 20, 25, 33, 50, 75, 90, 99, 100 };
    static struct hours staged, at_once;
    if (argc != 1 && !(argc == 3 && strcmp(argv[1], "--data") == 0)) {
        (void)fputs("usage: fleet [--data FILE]\n", stderr);
        return 2;
    }
    digest_init_library();
    rollout("10 percent a day", 10, DAY, DAY, 240, &staged);
    if (argc == 3)
        return write_data(argv[2], &staged, 10 * 24 + 12) ? 0 : 1;
    judge_the_judges();
    percentages("orchard", "2.0.0", all, ARRAY_LEN(all));
    percentages("orchard", "2.1.0-rc1", some, ARRAY_LEN(some));
    percentages("entra-connect", "2.4.27.0", some, ARRAY_LEN(some));
    rollout("all at once, a day of jitter", 0, 0, DAY, 24, &at_once);
    retries();
    places();
    same_at_every_look();
    return n_failed == 0 ? 0 : 1;
}
