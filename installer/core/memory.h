#ifndef SUREFOOT_CORE_MEMORY_H
#define SUREFOOT_CORE_MEMORY_H

/* memory.h: what a machine keeps of one product, in its state folder:
 *
 *   state.xml          manifest/state.h                 lock       one run at a time
 *   history.xml        manifest/history.h               marker     installer/core/marker.h
 *   journal            installer/core/journal.h         machine-id where the system has none
 *   run/product.xml    the product file as it was when the run began
 *   run/attempt.xml    what the run is about            (manifest/history.h)
 *   proof/TREE/        feed.stored, release.xml: what a tree was proven by
 *   pristine/TREE/     configuration files as that release has them
 *
 * What it does not check: whether the state is true of the machine. */

#include "installer/core/setup.h"
#include "manifest/history.h"
#include "manifest/result.h"
#include "manifest/state.h"
#include "verify/fresh.h"

#define MEMORY_MACHINE_ROOM 65

struct memory {
    const struct setup *setup;
    struct upgrade_state state; /* of a product that was never seen: enabled, nothing installed */
    bool was_there;             /* there was a state file */
    struct fs_lock *lock;       /* NULL: nothing may be written */
};

/* memory_open reads. With `wants_lock` it makes the state folder where it is not there and locks
 * it: E_BUSY where another run has the lock (the text says who), E_ACCESS where we may not. A
 * damaged state file is E_MALFORMED, never an empty one. Caller frees with memory_close. */
MUST_USE enum errc memory_open(const struct setup *setup, bool wants_lock, struct memory *out,
                               struct err *err);
void memory_close(struct memory *m);

/* memory_save writes the state. Needs the lock. */
MUST_USE enum errc memory_save(struct memory *m, struct err *err);

/* memory_path writes the path of a file in the state folder. */
MUST_USE enum errc memory_path(const struct memory *m, const char *name, char to[SETUP_PATH_ROOM],
                               struct err *err);

/* memory_machine is a text that is this machine's and tells nothing of it (64 hex digits). */
MUST_USE enum errc memory_machine(const struct memory *m, char to[MEMORY_MACHINE_ROOM],
                                  struct err *err);

/* memory_marks and memory_note_marks: the marks of feeds, as fresh.h wants them. */
void memory_marks(const struct memory *m, struct fresh_marks *out);
void memory_note_marks(struct memory *m, const struct fresh_marks *marks);

/* memory_set_word sets state and reason; *out_changed where that is something new. */
void memory_set_word(struct memory *m, enum state_word word, const char *reason, int64_t now,
                     bool *out_changed);

/* memory_read_history reads what was tried; an empty one where there is none. Caller frees with
 * history_fini. memory_add_history puts one more at its end; a history that can't be read is kept
 * as history.xml.damaged-SECONDS and a new one begun: *out_damage then says why. */
MUST_USE enum errc memory_read_history(const struct memory *m, struct history *out,
                                       struct err *err);
MUST_USE enum errc memory_add_history(struct memory *m, const struct attempt *added,
                                      struct err *out_damage, struct err *err);

/* memory_result_of finds how the attempt that began then, to that version, ended, as the history
 * has it; "" where it has none. */
MUST_USE enum errc memory_result_of(const struct memory *m, int64_t started,
                                    const struct version *to, char out_result[RESULT_TEXT_MAX + 1],
                                    struct err *err);

/* memory_sweep takes away what a crash left of files that were being written, in the state folder
 * and the cache. Needs the lock. */
void memory_sweep(const struct memory *m);

/* memory_recovery_is_pending: was a run interrupted? */
MUST_USE enum errc memory_recovery_is_pending(const struct memory *m, bool *out, struct err *err);

/* memory_make_folder makes a private folder in the state folder, and those above it up to there.
 * E_OK where it is there. */
MUST_USE enum errc memory_make_folder(const struct memory *m, const char *name, struct err *err);

/* memory_remove takes a file away for good; E_OK where it is not there. */
MUST_USE enum errc memory_remove(const struct memory *m, const char *name, struct err *err);

/* memory_read reads a file of at most `cap` bytes; E_ABSENT where it is not there. The error's text
 * begins with its path. Caller frees *out with buf_fini. */
MUST_USE enum errc memory_read(const struct memory *m, const char *name, size_t cap,
                               struct buf *out, struct err *err);

/* memory_forget_tree takes away what is kept of a tree beside it: its proof, its pristine files. */
MUST_USE enum errc memory_forget_tree(const struct memory *m, const char *tree, struct err *err);

/* memory_write replaces a file, private, whole or not at all. */
MUST_USE enum errc memory_write(const struct memory *m, const char *name, struct span bytes,
                                struct err *err);

#endif
