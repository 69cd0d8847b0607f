/* Which release, and when: rollouts, jitter, windows, holds, retries, deadlines, and who asks. */

#include "installer/core/decide.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "platform/base/text.h"

#define T0 INT64_C(1790000000)
#define HOUR INT64_C(3600)
#define DAY (24 * HOUR)

struct world {
    struct feed_release releases[4];
    struct feed feed;
    struct product_policy policy;
    struct decide_ask ask;
    struct upgrade_state state;
    struct decided told;
};

static struct version version_of(const char *text)
{
    struct version v;
    assert_int_equal(version_read(span_text(text), &v, NULL), E_OK);
    return v;
}

static struct feed_release *add(struct world *w, const char *version)
{
    struct feed_release *r = &w->releases[w->feed.releases.n++];
    *r = (struct feed_release){ .version = version_of(version), .status = STATUS_AUTO };
    return r;
}

/* A machine with 1.0 installed, a feed that offers 2.0 to all, no jitter, no windows. */
static struct world *world_new(void)
{
    struct world *w = calloc(1, sizeof(*w));
    assert_non_null(w);
    w->feed.releases.items = w->releases;
    w->policy =
        (struct product_policy){ .retry_aborted_s = HOUR, .retry_not_supported_s = 7 * DAY };
    w->ask = (struct decide_ask){ .mode = DECIDE_RUN,
                                  .feed = &w->feed,
                                  .policy = &w->policy,
                                  .product = "orchard",
                                  .machine_id = "machine-1",
                                  .os = OS_LINUX,
                                  .arch = ARCH_X86_64,
                                  .clock = { .now = T0 } };
    w->state.has_installed = true;
    w->state.installed = version_of("1.0");
    add(w, "2.0");
    return w;
}

static void assert_decides(struct world *w, enum decision want, const char *words)
{
    decide(&w->ask, &w->state, &w->told);
    if (w->told.decision != want || strstr(w->told.why, words) == NULL)
        fail_msg("%s where %s belongs: %s (%s)", decision_word(w->told.decision),
                 decision_word(want), w->told.why, words);
}

static void newest_release_for_this_machine_is_taken(void **state)
{
    UNUSED(state);
    struct world *w = world_new();
    assert_decides(w, DECISION_UPGRADE, "2.0");
    add(w, "2.1")->os = 1U << OS_WINDOWS;
    add(w, "2.2")->arch = 1U << ARCH_AARCH64;
    assert_decides(w, DECISION_UPGRADE, "2.0");
    w->ask.os = OS_WINDOWS;
    assert_decides(w, DECISION_UPGRADE, "2.1");
    w->state.installed = version_of("2.1.0");
    assert_decides(w, DECISION_UP_TO_DATE, "nothing newer");
    w->state.installed = version_of("3.0");
    assert_decides(w, DECISION_UP_TO_DATE, "nothing newer");
    w->state.has_installed = false;
    assert_decides(w, DECISION_UPGRADE, "2.1");
    free(w);
}

static void eligibility_is_by_installed_version(void **state)
{
    UNUSED(state);
    struct world *w = world_new();
    struct version_range range = { .has_lowest = true, .lowest = version_of("1.5") };
    struct feed_skip skip = { .version = { .start = version_of("1.7") } };
    w->releases[0].from.items = &range, w->releases[0].from.n = 1;
    w->releases[0].skip.items = &skip, w->releases[0].skip.n = 1;
    assert_decides(w, DECISION_UP_TO_DATE, "nothing newer");
    w->state.installed = version_of("1.5");
    assert_decides(w, DECISION_UPGRADE, "2.0");
    w->state.installed = version_of("1.7.0");
    assert_decides(w, DECISION_UP_TO_DATE, "nothing newer");
    free(w);
}

static void status_says_who_may_take_it(void **state)
{
    UNUSED(state);
    struct world *w = world_new();
    w->releases[0].status = STATUS_DOWNLOAD;
    assert_decides(w, DECISION_UP_TO_DATE, "nothing newer");
    w->ask.mode = DECIDE_UPGRADE;
    assert_decides(w, DECISION_UPGRADE, "2.0");
    w->releases[0].status = STATUS_WITHDRAWN;
    assert_decides(w, DECISION_UP_TO_DATE, "nothing newer");
    struct version to = version_of("2.0");
    w->ask.to = &to;
    assert_decides(w, DECISION_NOT_OFFERED, "withdrawn");
    free(w);
}

static void person_may_name_a_version_and_never_goes_back_by_accident(void **state)
{
    UNUSED(state);
    struct world *w = world_new();
    struct version to = version_of("9.9");
    w->ask.mode = DECIDE_UPGRADE;
    w->ask.to = &to;
    assert_decides(w, DECISION_NOT_OFFERED, "no release 9.9");
    add(w, "0.9");
    to = version_of("0.9");
    assert_decides(w, DECISION_DOWNGRADE, "rollback");
    add(w, "1.0");
    to = version_of("1.0.0");
    assert_decides(w, DECISION_UP_TO_DATE, "is installed");
    to = version_of("2.0");
    state_set_hold(&w->state, &to, T0);
    assert_decides(w, DECISION_UPGRADE, "by name");
    w->ask.to = NULL;
    assert_decides(w, DECISION_ON_HOLD, "--to 2.0");
    w->releases[0].os = 1U << OS_WINDOWS;
    w->ask.to = &to;
    assert_decides(w, DECISION_NOT_OFFERED, "not for this system");
    free(w);
}

static void scheduler_heeds_state_and_hold(void **state)
{
    UNUSED(state);
    struct world *w = world_new();
    w->ask.word = STATE_DISABLED;
    assert_decides(w, DECISION_DISABLED, "enable");
    w->ask.mode = DECIDE_UPGRADE;
    assert_decides(w, DECISION_UPGRADE, "2.0");
    w->ask.mode = DECIDE_RUN;
    w->ask.word = STATE_SUSPENDED;
    assert_decides(w, DECISION_UPGRADE, "2.0");
    state_set_hold(&w->state, &w->releases[0].version, T0);
    assert_decides(w, DECISION_ON_HOLD, "rolled back");
    add(w, "2.1");
    assert_decides(w, DECISION_UPGRADE, "2.1");
    free(w);
}

static void failed_attempt_is_tried_again_by_its_class(void **state)
{
    UNUSED(state);
    struct world *w = world_new();
    w->state.has_last = true;
    w->state.last_version = version_of("2.0");
    w->state.last_time = T0;
    text_copy(w->state.last_result, sizeof(w->state.last_result), "UpgradeAbortedSyncExeInUse");
    w->ask.clock.now = T0 + HOUR - 1;
    assert_decides(w, DECISION_NOT_DUE, "tried again");
    assert_int_equal(w->told.when, T0 + HOUR);
    w->ask.clock.now = T0 + HOUR;
    assert_decides(w, DECISION_UPGRADE, "2.0");
    text_copy(w->state.last_result, sizeof(w->state.last_result),
              "UpgradeNotSupportedNonLocalDbInstall");
    w->ask.clock.now = T0 + 7 * DAY - 1;
    assert_decides(w, DECISION_NOT_DUE, "UpgradeNotSupportedNonLocalDbInstall");
    w->ask.clock.now = T0 + 7 * DAY;
    assert_decides(w, DECISION_UPGRADE, "2.0");
    /* Of another release it says nothing. */
    w->ask.clock.now = T0 + 1;
    add(w, "2.1");
    assert_decides(w, DECISION_UPGRADE, "2.1");
    free(w);
}

static void jitter_begins_at_first_sight_and_stays(void **state)
{
    UNUSED(state);
    struct world *w = world_new();
    w->policy.jitter_s = DAY;
    decide(&w->ask, &w->state, &w->told);
    int64_t due = T0 + (int64_t)decide_share("machine-1", "orchard", &w->releases[0].version,
                                             "jitter", (uint64_t)DAY);
    assert_true(due > T0 && due < T0 + DAY);
    assert_int_equal(w->told.decision, DECISION_NOT_DUE);
    assert_int_equal(w->told.when, due);
    w->ask.clock.now = due - 1;
    assert_decides(w, DECISION_NOT_DUE, "turn");
    assert_int_equal(w->told.when, due);
    w->ask.clock.now = due;
    assert_decides(w, DECISION_UPGRADE, "due");
    free(w);
}

static void rollout_opens_in_steps(void **state)
{
    UNUSED(state);
    struct world *w = world_new();
    struct feed_release *r = &w->releases[0];
    r->rollout = (struct feed_rollout){ .start = T0 + DAY, .percent = 10, .step_s = HOUR };
    uint64_t cohort = decide_share("machine-1", "orchard", &r->version, "cohort", 10000);
    int64_t opens = T0 + DAY + (int64_t)(cohort / 1000) * HOUR;
    assert_decides(w, DECISION_OUTSIDE_COHORT, "rollout");
    assert_int_equal(w->told.when, opens);
    w->ask.clock.now = opens - 1;
    assert_decides(w, DECISION_OUTSIDE_COHORT, "rollout");
    w->ask.clock.now = opens;
    assert_decides(w, DECISION_UPGRADE, "due");
    w->policy.jitter_s = HOUR; /* counted from when the rollout came, not from first sight */
    assert_decides(w, DECISION_NOT_DUE, "turn");
    assert_true(w->told.when > opens && w->told.when < opens + HOUR);
    r->rollout = (struct feed_rollout){ .start = T0, .percent = 1 };
    w->ask.clock.now = T0 + 100 * DAY;
    assert_true(cohort >= 100);
    assert_decides(w, DECISION_OUTSIDE_COHORT, "widens");
    assert_int_equal(w->told.when, 0);
    free(w);
}

static void windows_open_and_cross_midnight(void **state)
{
    UNUSED(state);
    struct world *w = world_new();
    struct policy_window windows[] = {
        { .days = 1U << SATURDAY, .from_min = 22 * 60, .to_min = 4 * 60, .zone = ZONE_LOCAL },
        { .days = 1U << WEDNESDAY, .from_min = 60, .to_min = 120, .zone = ZONE_UTC },
    };
    static const struct {
        int weekday, minute;
        bool is_local, is_open;
    } rows[] = {
        { SATURDAY, 22 * 60 - 1, true, false }, { SATURDAY, 22 * 60, true, true },
        { SATURDAY, 1439, true, true },         { SUNDAY, 0, true, true },
        { SUNDAY, 4 * 60 - 1, true, true },     { SUNDAY, 4 * 60, true, false },
        { SATURDAY, 0, true, false },           { SUNDAY, 22 * 60, true, false },
        { WEDNESDAY, 59, false, false },        { WEDNESDAY, 60, false, true },
        { WEDNESDAY, 119, false, true },        { WEDNESDAY, 120, false, false },
        { WEDNESDAY, 60, true, false },
    };
    w->policy.windows.items = windows, w->policy.windows.n = 2;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int zone = rows[i].is_local ? ZONE_LOCAL : ZONE_UTC;
        w->ask.clock.in_zone[1 - zone].weekday = MONDAY;
        w->ask.clock.in_zone[1 - zone].minute = 720;
        w->ask.clock.in_zone[zone].weekday = rows[i].weekday;
        w->ask.clock.in_zone[zone].minute = rows[i].minute;
        assert_decides(w, rows[i].is_open ? DECISION_UPGRADE : DECISION_OUTSIDE_WINDOW, "2.0");
    }
    w->ask.mode = DECIDE_UPGRADE; /* by hand no window holds */
    assert_decides(w, DECISION_UPGRADE, "2.0");
    free(w);
}

static void deadline_ends_waiting_but_not_the_rollout(void **state)
{
    UNUSED(state);
    struct world *w = world_new();
    struct policy_window never = { .days = 1U << MONDAY, .from_min = 0, .to_min = 1 };
    w->ask.clock.in_zone[0].minute = w->ask.clock.in_zone[1].minute = 700;
    w->policy.windows.items = &never, w->policy.windows.n = 1;
    w->policy.jitter_s = 30 * DAY;
    w->policy.after_deadline = DEADLINE_NOW;
    w->releases[0].install_by = T0 + HOUR;
    w->ask.clock.now = T0 + HOUR - 1;
    assert_decides(w, DECISION_NOT_DUE, "turn");
    w->ask.clock.now = T0 + HOUR;
    assert_decides(w, DECISION_UPGRADE, "deadline");
    w->policy.after_deadline = DEADLINE_WAIT;
    assert_decides(w, DECISION_NOT_DUE, "turn");
    w->policy.after_deadline = DEADLINE_NOW;
    w->releases[0].rollout = (struct feed_rollout){ .start = T0 + DAY, .percent = 100 };
    assert_decides(w, DECISION_OUTSIDE_COHORT, "rollout");
    free(w);
}

/* Of 100 000 machines a rollout of n percent reaches n percent, give or take half a point; whoever
 * is in stays in as it grows; and releases are not all tried by the same machines first. */
static void cohorts_are_even_and_stable(void **state)
{
    UNUSED(state);
    static const uint64_t percents[] = { 1, 5, 10, 25, 50, 75, 99 };
    const struct version a = version_of("2.0"), b = version_of("2.1"), same = version_of("2.0.0.0");
    size_t n_in[ARRAY_LEN(percents)] = { 0 }, n_both = 0;
    for (int i = 0; i < 100000; i++) {
        char id[32];
        snprintf(id, sizeof(id), "%08x", (unsigned)i * 2654435761U);
        uint64_t place = decide_share(id, "orchard", &a, "cohort", 10000);
        assert_true(place < 10000);
        for (size_t k = 0; k < ARRAY_LEN(percents); k++)
            n_in[k] += place < percents[k] * 100;
        n_both += place < 1000 && decide_share(id, "orchard", &b, "cohort", 10000) < 1000;
        if (i % 1000 == 0)
            assert_int_equal(place, decide_share(id, "orchard", &same, "cohort", 10000));
    }
    for (size_t k = 0; k < ARRAY_LEN(percents); k++) {
        double off = (double)n_in[k] / 1000 - (double)percents[k];
        assert_true(off > -0.5 && off < 0.5);
    }
    assert_true(n_both > 800 && n_both < 1200); /* a tenth of a tenth */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(newest_release_for_this_machine_is_taken),
        cmocka_unit_test(eligibility_is_by_installed_version),
        cmocka_unit_test(status_says_who_may_take_it),
        cmocka_unit_test(person_may_name_a_version_and_never_goes_back_by_accident),
        cmocka_unit_test(scheduler_heeds_state_and_hold),
        cmocka_unit_test(failed_attempt_is_tried_again_by_its_class),
        cmocka_unit_test(jitter_begins_at_first_sight_and_stays),
        cmocka_unit_test(rollout_opens_in_steps),
        cmocka_unit_test(windows_open_and_cross_midnight),
        cmocka_unit_test(deadline_ends_waiting_but_not_the_rollout),
        cmocka_unit_test(cohorts_are_even_and_stable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
