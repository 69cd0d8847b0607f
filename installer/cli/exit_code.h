#ifndef SUREFOOT_CLI_EXIT_CODE_H
#define SUREFOOT_CLI_EXIT_CODE_H

/* exit_code.h: what the program ends with. */

#include <stdbool.h>

/* PRODUCT.md section 1: one table for all commands. */
enum exit_code {
    EXIT_DONE = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_REFUSED = 3,
    EXIT_ABORTED = 4,
    EXIT_NOT_SUPPORTED = 5,
    EXIT_ROLLED_BACK = 6,
    EXIT_ROLLBACK_FAILED = 7,
    EXIT_NO_SIGNABLE_KIND = 8,
    EXIT_RESTART_NEEDED = 9,
    EXIT_NEWER_AVAILABLE = 10,
};

/* exit_code_of is the one way from how an upgrade ended to an exit code. `recovers`: the command is
 * recover, for which what was undone as it should be is done; `tells_newer`: check --exit-code. */
struct upgrade_outcome;
enum exit_code exit_code_of(const struct upgrade_outcome *o, bool recovers, bool tells_newer);

#endif
