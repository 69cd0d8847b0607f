#ifndef SUREFOOT_CLI_COMMANDS_H
#define SUREFOOT_CLI_COMMANDS_H

/* commands.h: which commands this program has. Built with the upgrade commands it is commands.c,
 * without them commands_verify.c: chosen in meson.build. */

#include "installer/cli/cli.h"

struct command {
    const char *name, *arguments, *help;
    command_fn run;
};
extern const struct command commands[];
extern const size_t n_commands;
extern const char *const commands_about; /* what the program is for, in a sentence */

#endif
