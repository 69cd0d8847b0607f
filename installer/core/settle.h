#ifndef SUREFOOT_CORE_SETTLE_H
#define SUREFOOT_CORE_SETTLE_H

/* settle.h: what an attempt leaves in the machine's memory: the state and its reason, what is
 * installed and kept, holds, the history, and the last events. The rules are those of PRODUCT.md
 * section 5. */

#include "installer/core/run.h"
#include "installer/core/upgrade.h"

/* settle_commit takes over a run that is committed: what is installed now, what is kept. The state
 * is saved. Repeatable. */
MUST_USE enum errc settle_commit(struct run *run, struct err *err);

/* settle_attempt records how an attempt ended: last result, state word and reason, hold, history.
 */
struct settle_ask {
    struct memory *memory;
    const struct events *events;
    int command; /* enum attempt_command */
    const struct upgrade_outcome *outcome;
    int64_t started;
    bool sets_hold; /* the new version was switched to and went back */
    bool is_told;   /* the history has it already: a crash came after that */
};
MUST_USE enum errc settle_attempt(const struct settle_ask *ask, struct err *err);

/* settle_run ends a run whose steps have ended, in the order in which a crash loses nothing: one
 * that is committed is taken over, the attempt is recorded, and last whatever the run alone needed
 * is taken away, with its journal. What fails is said, and is left for `recover`. Of a run that is
 * stuck everything stays. */
void settle_run(struct run *run, enum run_end end, const struct settle_ask *ask);

/* settle_collect takes away old versions beyond what policy keeps. What can't be taken away is said
 * and stays. */
void settle_collect(const struct setup *setup, struct memory *memory, const struct place *place,
                    const struct events *events);

/* settle_sweep takes away what an interrupted run left and no journal names: in the store whatever
 * is no kept tree nor `part`, a download that is to be gone on with (NULL: any may be), among a
 * pointer's versions trees of ours that are neither known nor in place, and proofs and pristine
 * files of trees that are no more. What can't be taken away is said. Needs the lock, and no
 * journal. */
void settle_sweep(struct memory *memory, const struct place *place, const char *part,
                  const struct events *events);

/* settle_default holds the product file's default state against the machine: *out_word is the word
 * that counts now, *out_reason why (RESULT_TEXT_MAX + 1 bytes). */
MUST_USE enum errc settle_default(const struct memory *memory, enum state_word *out_word,
                                  char *out_reason, struct err *err);

#endif
