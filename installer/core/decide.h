#ifndef SUREFOOT_CORE_DECIDE_H
#define SUREFOOT_CORE_DECIDE_H

/* decide.h: which release a machine should have, and whether its time has come. Pure: the feed,
 * what is remembered, the product file's policy and the clock in; one answer out, with the sentence
 * that tells an administrator why.
 *
 * Cohort and jitter are numbers that one machine has for one release, the same at every look:
 * SHA-256 of the machine's id, the product and the version. A rollout reaches the machine when its
 * percent does; from then it waits its share of the jitter, so that a step of a rollout is spread
 * as a whole rollout is. A machine that first sees the release more than an hour after that waits
 * its share from then.
 *
 * What it does not check: whether the machine is ready (preflight). */

#include "manifest/feed.h"
#include "manifest/product_policy.h"
#include "manifest/state.h"

/* The clock in both zones that windows are written in. */
struct decide_clock {
    int64_t now;
    struct {
        int weekday; /* enum weekday */
        int minute;  /* after midnight */
    } in_zone[2];    /* by enum window_zone */
};

/* Who asks: a scheduler waits for everything, a person for nothing but what is refused. */
enum decide_mode { DECIDE_RUN, DECIDE_UPGRADE };

enum decision {
    DECISION_NONE = 0,
    DECISION_UPGRADE,        /* to `release`, now */
    DECISION_UP_TO_DATE,     /* nothing newer that is for this machine */
    DECISION_DISABLED,       /* run: the state says so */
    DECISION_NOT_DUE,        /* run: the jitter, or a retry, has not passed; `when` */
    DECISION_OUTSIDE_COHORT, /* run: the rollout has not come here; `when`, 0 where no step is set
                              */
    DECISION_OUTSIDE_WINDOW, /* run: not a time of maintenance */
    DECISION_ON_HOLD,        /* run: the newest was rolled back */
    DECISION_NOT_OFFERED,    /* upgrade --to: no such release, withdrawn, or not for this machine */
    DECISION_DOWNGRADE,      /* upgrade --to: older than what is installed */
};
const char *decision_word(enum decision d);

struct decide_ask {
    enum decide_mode mode;
    const struct feed *feed;
    const struct product_policy *policy;
    const char *product, *machine_id;
    enum state_word word; /* the one that counts, which the state need not have (settle_default) */
    enum target_os os;
    enum target_arch arch;
    struct decide_clock clock;
    const struct version *to; /* upgrade --to; NULL: the newest */
};

struct decided {
    enum decision decision;
    const struct feed_release *release; /* the one that it is about; NULL where there is none */
    int64_t when;                       /* 0: not known */
    char why[200];                      /* one sentence for people */
};

/* decide answers. It notes in `state` when the release was first seen. */
void decide(const struct decide_ask *ask, struct upgrade_state *state, struct decided *out);

/* decide_share gives the machine's number for a release, evenly spread in 0..below-1. `use` keeps
 * the numbers of different uses apart. */
uint64_t decide_share(const char *machine_id, const char *product, const struct version *v,
                      const char *use, uint64_t below);

/* decide_window_open: is any window open, or are there none? */
bool decide_window_open(const struct product_policy *policy, const struct decide_clock *clock);

#endif
