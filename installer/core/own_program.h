#ifndef SUREFOOT_CORE_OWN_PROGRAM_H
#define SUREFOOT_CORE_OWN_PROGRAM_H

/* own_program.h: a product that is Surefoot itself. Windows lets a program that runs change its
 * name and its folder, and not be replaced: Windows Installer would put the new one off until the
 * machine is started again. So the program that runs goes aside, into a private folder below the
 * state folder, STATE/own, and a copy of it, the same bytes, takes its place for Windows Installer
 * to replace.
 *
 * While Windows Installer is at work there may be no program at that place, and whoever is cut off
 * then (power, kill) leaves none. So before that, and as soon as a task is to recover the product,
 * a copy is kept in the same folder under a name that never changes, STATE/own/surefoot.exe, which
 * the task for recovery names. It stays, and follows: while a run is under way or was interrupted
 * it is the program that began it; when nothing is pending it is the one that is installed.
 *
 * What it does not check: other processes that run the same file; where there is one a restart is
 * needed after all. */

#include "installer/core/event.h"
#include "installer/core/memory.h"

#define OWN_PROGRAM_KEPT "surefoot.exe"

/* own_program_is_of: does the program that runs lie at the top of the product's install folder? */
MUST_USE enum errc own_program_is_of(const struct setup *setup, bool *out, struct err *err);

/* own_program_step_aside goes aside where it does, and does nothing where it does not.
 * E_UNSUPPORTED: the state folder is on another volume. Where it fails the program is where it was.
 * Programs that earlier runs left aside are taken away, but those that still run. */
MUST_USE enum errc own_program_step_aside(const struct setup *setup, struct err *err);

/* own_program_kept_path writes where the kept copy is, or would be. */
MUST_USE enum errc own_program_kept_path(const struct setup *setup, char to[SETUP_PATH_ROOM],
                                         struct err *err);

/* own_program_keep sees to it that the kept copy has the bytes of the program that runs: written
 * beside, flushed, put in the place of what was there in one step, and read again. Needs the lock
 * of the product's memory, and that nothing is pending. E_ARGUMENT: the program that runs is the
 * kept copy, or somebody else could change the folder. */
MUST_USE enum errc own_program_keep(const struct setup *setup, struct err *err);

/* own_program_prepare is own_program_keep where the program that runs is the product's own, and
 * nothing where it is not: to be called before anything can take the program away. */
MUST_USE enum errc own_program_prepare(const struct setup *setup, struct err *err);

/* own_program_settle has the kept copy follow the program that is installed, where there is a copy
 * or a task that names it, and takes away what was left aside. It does nothing while a run is
 * pending. Which program is installed the product's own knows, and the one that a scheduler calls
 * (is_run). Needs the lock; what fails is a warning, and is tried again each time. */
void own_program_settle(const struct memory *memory, bool is_run, const struct events *events);

/* own_program_drop takes the kept copy away; E_ABSENT where there is none. */
MUST_USE enum errc own_program_drop(const struct setup *setup, struct err *err);

/* own_program_is_same: have two programs the same bytes? Links are not followed. */
MUST_USE enum errc own_program_is_same(struct platform *p, const char *a, const char *b, bool *out,
                                       struct err *err);

#endif
