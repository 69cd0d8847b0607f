#ifndef SUREFOOT_CORE_UPGRADE_H
#define SUREFOOT_CORE_UPGRADE_H

/* upgrade.h: the whole way of PRODUCT.md section 5, for all who want one: check, upgrade, run,
 * install. They differ in what they wait for and where they end, and in nothing else. rollback.h
 * and recover.h are beside it.
 *
 * Every way ends in a struct upgrade_outcome: what came of it, in a word of result.h, and why. */

#include "installer/core/decide.h"
#include "installer/core/event.h"
#include "installer/core/preflight.h"
#include "installer/core/run.h"
#include "installer/core/setup.h"

enum upgrade_mode { MODE_CHECK, MODE_UPGRADE, MODE_RUN, MODE_INSTALL };

struct upgrade_ask {
    const struct setup *setup;
    const char *word; /* PRODUCT as the command line has it */
    const struct events *events;
    enum upgrade_mode mode;
    const struct version *to; /* NULL: the newest */
    bool dry_run;
    bool no_rollback; /* an MSI's old package may be missing: there is then no way back */
};

struct upgrade_outcome {
    char result[RUN_RESULT_ROOM]; /* "": nothing was to be done */
    enum decision decision;       /* NONE: it did not get so far */
    int64_t when;                 /* 0: not known */
    char why[400];                /* one sentence */
    struct version from, to;      /* "" where there is none */
    bool newer_available;
    bool needs_restart;  /* the new version is in place, and whole when the machine was restarted */
    bool is_stuck;       /* of recover: it could not be undone, and is still pending */
    int64_t downtime_ms; /* -1: none, or not known */
    struct preflight reasons;
};

/* upgrade_do does it. The outcome is whole whatever happened; E_ARGUMENT is for what the command
 * line or the product file says, all else is an outcome. */
MUST_USE enum errc upgrade_do(const struct upgrade_ask *ask, struct upgrade_outcome *out,
                              struct err *err);

/* outcome_end says how it ended; `why` is shortened where it must be. outcome_refuse ends it with
 * PreUpgradeFailure-WORD; outcome_end_with with the first of what preflight found. */
void outcome_end(struct upgrade_outcome *out, const char *result, const char *why);
/* outcome_wait: it goes on when the machine was started again; `why` says what for. */
void outcome_wait(struct upgrade_outcome *out, const char *why);
void outcome_refuse(struct upgrade_outcome *out, const char *word, const char *why);
void outcome_end_with(struct upgrade_outcome *out, const struct preflight_finding *first);

/* outcome_begin, and the class of its result: NONE where nothing was to be done. */
void outcome_begin(struct upgrade_outcome *out);
enum result_class outcome_class(const struct upgrade_outcome *out);

#endif
