#include "installer/cli/commands.h"

const struct command commands[] = {
    { "verify", "[trust] FILE...",
      "check signatures of release artifacts; unpacks and runs nothing", cmd_verify },
    { "inspect", "FILE...", "show what a file says of itself, trusting nothing", cmd_inspect },
};
const size_t n_commands = ARRAY_LEN(commands);
const char *const commands_about =
    "Proves who made a release artifact and that every byte is what they made.";
