#include "installer/cli/commands.h"

#include "installer/cli/product_cmd.h"

const struct command commands[] = {
    { "verify", "[trust] FILE...",
      "check signatures of release artifacts; unpacks and runs nothing", cmd_verify },
    { "inspect", "FILE...", "show what a file says of itself, trusting nothing", cmd_inspect },
    { "check", "PRODUCT", "is there a newer release, and is this machine ready for it?",
      cmd_check },
    { "upgrade", "PRODUCT", "upgrade once, now", cmd_upgrade },
    { "run", "PRODUCT", "what a scheduler calls: upgrade if it is this machine's turn", cmd_run },
    { "install", "PRODUCT", "first installation, or take over a tree that is there", cmd_install },
    { "status", "PRODUCT", "state, installed version, last result, what is kept", cmd_status },
    { "enable", "PRODUCT", "unattended upgrades on", cmd_enable },
    { "disable", "PRODUCT", "unattended upgrades off", cmd_disable },
    { "rollback", "PRODUCT", "back to the version kept", cmd_rollback },
    { "recover", "PRODUCT", "finish or undo an interrupted upgrade", cmd_recover },
    { "history", "PRODUCT", "past attempts: times, downtime, result, reasons", cmd_history },
    { "doctor", "PRODUCT", "test feed, proxy, TLS, clock, permissions, database, disk, keys",
      cmd_doctor },
    { "schedule", "VERB PRODUCT", "install, remove or show the timer and the recover unit",
      cmd_schedule },
    { "prepare", "", "make the configuration folder, for an administrator alone to change",
      cmd_prepare },
};
const size_t n_commands = ARRAY_LEN(commands);
const char *const commands_about =
    "Keeps a server product up to date, proving who made every byte before it is used.";
