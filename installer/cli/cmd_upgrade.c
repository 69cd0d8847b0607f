/* check, upgrade, run, install: one way, four places to end it. */

#include <stdlib.h>

#include "installer/cli/product_cmd.h"
#include "installer/core/upgrade.h"

static enum exit_code go(struct cli *cli, const struct product_cmd_help *help,
                         enum upgrade_mode mode, int argc, char **argv)
{
    struct product_cmd c;
    struct err err = { .code = E_OK };
    enum exit_code code;
    if (!product_cmd_open(&c, cli, help, argc, argv, &code))
        return code;
    struct upgrade_outcome *outcome = malloc(sizeof(*outcome));
    struct upgrade_ask ask = { .setup = &c.setup,
                               .word = c.word,
                               .events = &c.events,
                               .mode = mode,
                               .to = c.has_to ? &c.to : NULL,
                               .dry_run = c.dry_run };
    product_cmd_listen(&c, mode != MODE_CHECK && !c.dry_run);
    enum errc rc = outcome == NULL ? err_nomem(&err) : upgrade_do(&ask, outcome, &err);
    code = rc == E_OK ? product_cmd_end(&c, outcome) : cli_fail(cli, &err);
    free(outcome);
    product_cmd_close(&c);
    return code;
}

enum exit_code cmd_check(struct cli *cli, int argc, char **argv)
{
    static const struct product_cmd_help help = {
        "check [--exit-code] PRODUCT",
        "Asks whether there is a newer release, whether it is for this machine, and whether the\n"
        "machine is ready for it. Downloads the two small documents and changes nothing.\n",
        OPTION_EXIT_CODE | OPTION_TO | OPTION_METRICS
    };
    return go(cli, &help, MODE_CHECK, argc, argv);
}

enum exit_code cmd_upgrade(struct cli *cli, int argc, char **argv)
{
    static const struct product_cmd_help help = {
        "upgrade [--dry-run] [--to VERSION] PRODUCT",
        "Upgrades once, now, whatever the policy for unattended upgrades says. Everything is\n"
        "proven before anything is unpacked; the new version is watched, and the old one comes\n"
        "back if it is not well.\n",
        OPTION_TO | OPTION_DRY_RUN | OPTION_METRICS
    };
    return go(cli, &help, MODE_UPGRADE, argc, argv);
}

enum exit_code cmd_run(struct cli *cli, int argc, char **argv)
{
    static const struct product_cmd_help help = {
        "run PRODUCT",
        "What a scheduler calls: state, due time, rollout, maintenance window and retries are\n"
        "held against the clock, then it upgrades. Never waits: if it is not time it says when.\n",
        OPTION_METRICS
    };
    return go(cli, &help, MODE_RUN, argc, argv);
}

enum exit_code cmd_install(struct cli *cli, int argc, char **argv)
{
    static const struct product_cmd_help help = {
        "install [--dry-run] [--to VERSION] PRODUCT",
        "Installs for the first time. Where a tree is there already that is one of the maker's\n"
        "releases, every file with its hash, it is taken over as it is; any other is replaced by\n"
        "the same switch as in an upgrade, and kept.\n",
        OPTION_TO | OPTION_DRY_RUN | OPTION_METRICS
    };
    return go(cli, &help, MODE_INSTALL, argc, argv);
}
