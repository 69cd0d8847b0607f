#ifndef SUREFOOT_CORE_OWN_PROGRAM_H
#define SUREFOOT_CORE_OWN_PROGRAM_H

/* own_program.h: a product that is Surefoot itself. Windows lets a program that runs change its
 * name and its folder, and not be replaced: Windows Installer would put the new one off until the
 * machine is started again. So the program that runs goes aside, into a private folder below the
 * state folder, STATE/own, and a copy of it, the same bytes, takes its place for Windows Installer
 * to replace. Nothing else is ever run: what goes on running is the file that was started.
 *
 * What it does not check: other processes that run the same file; where there is one a restart is
 * needed after all. */

#include "installer/core/setup.h"

/* own_program_step_aside does that where the program that runs lies at the top of the product's
 * install folder, and nothing where it does not. E_UNSUPPORTED: the state folder is on another
 * volume. Where it fails the program is where it was. Programs that earlier runs left aside are
 * taken away, but those that still run. */
MUST_USE enum errc own_program_step_aside(const struct setup *setup, struct err *err);

#endif
