#ifndef SUREFOOT_CORE_RUN_H
#define SUREFOOT_CORE_RUN_H

/* run.h: the steps of a plan, each written into the journal before it is taken, and their undoing
 * in reverse. What a crash leaves is found by run_open from the journal alone, and then finished or
 * undone by the same functions.
 *
 *   mark staging NEW   the tree is being made: nothing runs differently, all of it can be swept
 *   mark prepared ID   it is whole, proven, flushed; the steps begin
 *   begin STEP I ...   done STEP I
 *   mark switched -
 *   mark restart BOOT   the machine must be started anew before it goes on; BOOT is when it was set
 *   mark committed DOWNTIME   the new version stays; what follows is tidying
 *   undo STEP I ... undone STEP I, mark undone -
 *
 * What it does not check: anything of releases; the caller did. */

#include "installer/core/event.h"
#include "installer/core/health.h"
#include "installer/core/journal.h"
#include "installer/core/memory.h"
#include "installer/core/msi_kept.h"
#include "installer/core/place.h"
#include "installer/core/plan.h"
#include "installer/core/preflight.h"
#include "installer/core/stage.h"

#define RUN_RESULT_ROOM (RESULT_TEXT_MAX + 1)

/* What Windows Installer has on record. */
struct run_product {
    size_t n;                 /* products of the upgrade code */
    char code[MSI_GUID_ROOM]; /* of the one, where it is one; else "" */
    char version[MSI_VERSION_ROOM];
};

struct run {
    const struct setup *setup; /* the product file as it was when the run began */
    const struct events *events;
    struct memory *memory; /* with its lock */
    const struct place *place;
    struct attempt attempt; /* command, from, to, started; texts are the caller's */
    char new_name[STATE_TREE_ROOM], old_name[STATE_TREE_ROOM]; /* old: "" where none was */
    char new_id[PLACE_ID_ROOM];
    struct stage *stage; /* NULL after a crash, and where a kept tree is gone back to */
    struct msi_held held_new, held_old; /* of an MSI, as far as they are held already */
    struct plan plan;
    struct journal journal;
    int64_t stopping_ms, started_ms, healthy_ms; /* monotonic; 0: not yet */
    bool was_switched;                           /* a failure was one of the new version */
    struct run_product before; /* the switch; after a crash not known: as if none was */
    bool was_busy;      /* the switch was refused since Windows Installer was at work for others */
    bool wants_restart; /* what it did, there or back, ends with the machine's next start */
    bool came_back;     /* Windows Installer has brought the old version back, and not we */
    bool needs_restart; /* it has put a part of the new version off */
    bool cannot_start;  /* stuck: on the way back the old version's service did not start */
    bool is_hung;       /* and could not: it still stops, and comes to no end */
};

/* How the steps ended. */
enum run_end {
    RUN_NONE = 0,
    RUN_COMMITTED,
    RUN_UNDONE,
    RUN_STUCK,
    RUN_WAITS, /* for a restart of the machine; run_go_on goes on then */
};

/* run_begin writes the run's copy of the product file and its attempt, and the journal's first
 * record. From then on a crash is found. */
MUST_USE enum errc run_begin(struct run *run, struct err *err);

/* run_open reads what an interrupted run left: *out_there is false where there is none. The
 * attempt's texts live in `document`, the setup of its product file in `setup`; caller frees both
 * (attempt_fini, setup_fini), after run_close. E_MALFORMED: damaged; nothing may be touched. */
MUST_USE enum errc run_open(struct memory *memory, const char *product_word,
                            struct attempt_document *document, struct setup *setup, struct run *out,
                            bool *out_there, struct err *err);
void run_close(struct run *run); /* frees what is in memory, and lets packages go */

bool run_is_committed(const struct run *run);
bool run_is_prepared(const struct run *run);

/* run_steps goes from "prepared" to "committed", or back. *result is the word for how it ended (of
 * result.h, compound); *out_end says where the machine is. Errors only where the journal can't be
 * written before anything was touched. */
MUST_USE enum errc run_steps(struct run *run, enum run_end *out_end, char result[RUN_RESULT_ROOM],
                             char why[240], struct err *err);

/* run_waits: does it wait for a restart of the machine? *out_ready: there was one since. */
MUST_USE enum errc run_waits(const struct run *run, bool *out_waits, bool *out_ready,
                             struct err *err);

/* run_go_on takes the steps that follow the switch, after a restart. As run_steps. */
void run_go_on(struct run *run, enum run_end *out_end, char result[RUN_RESULT_ROOM], char why[240]);

/* run_undo undoes whatever the journal says was begun. RUN_STUCK where a step can't be undone: the
 * journal stays for `recover`. `why` has the first reason. */
void run_undo(struct run *run, enum run_end *out_end, char why[240]);

/* run_name_interrupted is the result of a run that a crash ended and that was then undone, or could
 * not be. */
void run_name_interrupted(const struct run *run, bool is_back, char result[RUN_RESULT_ROOM]);

/* run_resume_scheduler turns the product's scheduler on again if this run turned it off. */
MUST_USE enum errc run_resume_scheduler(struct run *run, struct err *err);

/* run_tidy takes away what only this run needed (snapshots, payload, and after an undo the new
 * tree), then the journal. Repeatable. */
MUST_USE enum errc run_tidy(struct run *run, bool is_committed, struct err *err);

/* run_forget takes away what is left of a run whose journal is gone. */
MUST_USE enum errc run_forget(struct memory *memory, struct err *err);

/* run_downtime_ms: from the stop to the first good round of health; -1: not known. */
int64_t run_downtime_ms(const struct run *run);

#endif
