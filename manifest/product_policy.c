#include "manifest/product_private.h"

#include <string.h>

#define HOUR_S INT64_C(3600)
#define DAY_S (24 * HOUR_S)
#define ALL_DAYS 0x7F
#define DAY_MIN (24 * 60)
#define WINDOWS_MAX 64

static const char *const state_words[] = { "enabled", "disabled", NULL };
static const char *const day_words[] = { "mon", "tue", "wed", "thu", "fri", "sat", "sun", NULL };
static const char *const zone_words[] = { "local", "utc", NULL };
static const char *const deadline_words[] = { "wait", "now", NULL };

void product_policy_defaults(struct product_policy *policy)
{
    policy->default_state.is_enabled = true; /* no conditions: none that does not hold */
    policy->interval_s = HOUR_S;
    policy->jitter_s = DAY_S;
    policy->retry_aborted_s = HOUR_S;
    policy->retry_not_supported_s = 7 * DAY_S;
    policy->keep = 1;
    policy->after_deadline = DEADLINE_WAIT;
}

/* --- default state */

static enum errc check_default_state(void *record, struct err *err)
{
    struct default_state *state = record;
    state->is_enabled = state->word == 0;
    if (!state->is_enabled && state->conditions.checks.n > 0)
        return err_set(err, E_MALFORMED,
                       "is disabled, and its conditions would mean nothing: leave them out, or say "
                       "is=\"enabled\"");
    return E_OK;
}

static const struct schema_value default_state_values[] = {
    SCHEMA_MUST("is", VALUE_WORD, struct default_state, word, .words = state_words),
};
static const struct schema_element default_state = {
    .name = "default-state",
    SCHEMA_VALUES(default_state_values),
    .children = product_checks_children,
    .max = 1,
    .store = STORE_FIELD,
    .at = offsetof(struct product_policy, default_state),
    .check = check_default_state,
};

/* --- windows */

static void begin_window(void *record)
{
    ((struct policy_window *)record)->days = ALL_DAYS;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* read_minutes reads "22:30" of 00:00 to 24:00. */
static bool read_minutes(const char *text, int *out)
{
    if (strlen(text) != 5 || !is_digit(text[0]) || !is_digit(text[1]) || text[2] != ':' ||
        !is_digit(text[3]) || !is_digit(text[4]))
        return false;
    int hours = (text[0] - '0') * 10 + text[1] - '0';
    int minutes = (text[3] - '0') * 10 + text[4] - '0';
    if (minutes > 59 || hours * 60 + minutes > DAY_MIN)
        return false;
    *out = hours * 60 + minutes;
    return true;
}

static enum errc check_window(void *record, struct err *err)
{
    struct policy_window *w = record;
    if (!read_minutes(w->from, &w->from_min) || w->from_min == DAY_MIN)
        return err_set(err, E_MALFORMED, "\"from\" is no time from 00:00 to 23:59");
    if (!read_minutes(w->to, &w->to_min))
        return err_set(err, E_MALFORMED, "\"to\" is no time from 00:00 to 24:00");
    if (w->from_min == w->to_min)
        return err_set(err, E_MALFORMED,
                       "\"from\" and \"to\" are the same: for a whole day say 00:00 and 24:00");
    return E_OK;
}

static const struct schema_value window_values[] = {
    SCHEMA_MAY("days", VALUE_WORDS, struct policy_window, days, .words = day_words),
    SCHEMA_MUST("from", VALUE_ARGUMENT, struct policy_window, from),
    SCHEMA_MUST("to", VALUE_ARGUMENT, struct policy_window, to),
    SCHEMA_MAY("zone", VALUE_WORD, struct policy_window, zone, .words = zone_words),
};
static const struct schema_element window = {
    .name = "window",
    SCHEMA_VALUES(window_values),
    .max = WINDOWS_MAX,
    .store = STORE_LIST,
    .at = offsetof(struct product_policy, windows),
    .record_size = sizeof(struct policy_window),
    .begin = begin_window,
    .check = check_window,
};

/* --- the rest */

static const struct schema_value retry_values[] = {
    SCHEMA_MAY("aborted", VALUE_DURATION, struct product_policy, retry_aborted_s, .min = 60),
    SCHEMA_MAY("not-supported", VALUE_DURATION, struct product_policy, retry_not_supported_s,
               .min = 60),
};
static const struct schema_element retry = { .name = "retry",
                                             SCHEMA_VALUES(retry_values),
                                             .max = 1 };

static const struct schema_value policy_values[] = {
    SCHEMA_MAY("interval", VALUE_DURATION, struct product_policy, interval_s, .min = 60),
    SCHEMA_MAY("jitter", VALUE_DURATION, struct product_policy, jitter_s),
    SCHEMA_MAY("keep", VALUE_NUMBER, struct product_policy, keep, .min = 1, .max = 99),
    SCHEMA_MAY("after-deadline", VALUE_WORD, struct product_policy, after_deadline,
               .words = deadline_words),
    SCHEMA_MAY("metrics-file", VALUE_ARGUMENT, struct product_policy, metrics_file),
};
static const struct schema_element *const policy_children[] = { &default_state, &window, &retry,
                                                                NULL };
const struct schema_element product_policy_element = {
    .name = "policy",
    SCHEMA_VALUES(policy_values),
    .children = policy_children,
    .max = 1,
    .store = STORE_FIELD,
    .at = offsetof(struct product, policy),
};
