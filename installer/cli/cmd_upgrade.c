/* check, upgrade, run, install: one way, four places to end it. */

#include "installer/cli/product_cmd.h"
#include "installer/core/upgrade.h"

static enum errc go(struct product_cmd *c, enum upgrade_mode mode, struct upgrade_outcome *out,
                    struct err *err)
{
    struct upgrade_ask ask = { .setup = &c->setup,
                               .word = c->word,
                               .events = &c->events,
                               .mode = mode,
                               .to = c->has_to ? &c->to : NULL,
                               .dry_run = c->dry_run,
                               .no_rollback = c->no_rollback };
    return upgrade_do(&ask, out, err);
}

static enum errc check(struct product_cmd *c, struct upgrade_outcome *out, struct err *err)
{
    return go(c, MODE_CHECK, out, err);
}

static enum errc upgrade(struct product_cmd *c, struct upgrade_outcome *out, struct err *err)
{
    return go(c, MODE_UPGRADE, out, err);
}

static enum errc run(struct product_cmd *c, struct upgrade_outcome *out, struct err *err)
{
    return go(c, MODE_RUN, out, err);
}

static enum errc install(struct product_cmd *c, struct upgrade_outcome *out, struct err *err)
{
    return go(c, MODE_INSTALL, out, err);
}

enum exit_code cmd_check(struct cli *cli, int argc, char **argv)
{
    static const struct product_cmd_help help = {
        "check [--exit-code] PRODUCT",
        "Asks whether there is a newer release, whether it is for this machine, and whether the\n"
        "machine is ready for it. Downloads the two small documents and changes nothing.\n",
        OPTION_EXIT_CODE | OPTION_TO | OPTION_METRICS | COMMAND_ONLY_LOOKS
    };
    return product_cmd_run(cli, &help, check, argc, argv);
}

enum exit_code cmd_upgrade(struct cli *cli, int argc, char **argv)
{
    static const struct product_cmd_help help = {
        "upgrade [--dry-run] [--no-rollback] [--to VERSION] PRODUCT",
        "Upgrades once, now, whatever the policy for unattended upgrades says. Everything is\n"
        "proven before anything is unpacked; the new version is watched, and the old one comes\n"
        "back if it is not well.\n",
        OPTION_TO | OPTION_DRY_RUN | OPTION_METRICS | OPTION_NO_ROLLBACK
    };
    return product_cmd_run(cli, &help, upgrade, argc, argv);
}

enum exit_code cmd_run(struct cli *cli, int argc, char **argv)
{
    static const struct product_cmd_help help = {
        "run PRODUCT",
        "What a scheduler calls: state, due time, rollout, maintenance window and retries are\n"
        "held against the clock, then it upgrades. Never waits: if it is not time it says when.\n",
        OPTION_METRICS
    };
    return product_cmd_run(cli, &help, run, argc, argv);
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
    return product_cmd_run(cli, &help, install, argc, argv);
}
