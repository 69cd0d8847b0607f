#ifndef SUREFOOT_CORE_RUN_PRIVATE_H
#define SUREFOOT_CORE_RUN_PRIVATE_H

#include "installer/core/run.h"

/* run_note writes one record, run_note_two two of them in one go, and flushes. */
MUST_USE enum errc run_note(struct run *run, enum journal_event event, const char *step,
                            const char *name, struct err *err);
MUST_USE enum errc run_note_steps(struct run *run, const struct plan_step *done,
                                  const struct plan_step *begins, struct err *err);
MUST_USE enum errc run_note_step(struct run *run, enum journal_event event,
                                 const struct plan_step *step, struct err *err);

/* run_mark_name is the name that a mark was set with, "" where it was not. */
const char *run_mark_name(const struct journal *j, const char *step);

/* run_was_begun: does the journal say that a step of this kind was begun? */
bool run_was_begun(const struct run *run, enum step_kind kind);

/* run_msi.c: the switch of an MSI, and back; the packages are held, or are now. */
MUST_USE enum errc run_msi_switch(struct run *run, struct err *err);
MUST_USE enum errc run_msi_switch_back(struct run *run, struct err *err);

/* run_boot is a name for the time since the machine was last started. */
MUST_USE enum errc run_boot(const struct run *run, char to[JOURNAL_NAME_ROOM], struct err *err);

/* The table of steps: what each does and how it is undone. Both can be done again after a crash in
 * the middle. */
struct step_ops {
    MUST_USE enum errc (*apply)(struct run *run, unsigned i, struct err *err);
    MUST_USE enum errc (*undo)(struct run *run, unsigned i, struct err *err); /* NULL: nothing */
    const char *failed; /* what a result says of a failure before the switch; NULL: a detail */
    const char *detail; /* behind UpgradeFailedRollbackSuccess- */
};
extern const struct step_ops run_step_table[STEP_KINDS];

#endif
