/* rollback and recover: the two ways back. */

#include "installer/cli/product_cmd.h"
#include "installer/core/recover.h"
#include "installer/core/rollback.h"
#include "platform/base/text.h"

static enum errc rollback(struct product_cmd *c, struct upgrade_outcome *out, struct err *err)
{
    return rollback_do(&c->setup, c->word, &c->events, c->has_to ? &c->to : NULL, c->dry_run, out,
                       err);
}

enum exit_code cmd_rollback(struct cli *cli, int argc, char **argv)
{
    static const struct product_cmd_help help = {
        "rollback [--dry-run] [--to VERSION] PRODUCT",
        "Goes back to the version kept, after holding it against its signed release. The version\n"
        "that it leaves is put on hold. Data stays as it is now.\n",
        OPTION_TO | OPTION_DRY_RUN | OPTION_METRICS
    };
    return product_cmd_run(cli, &help, rollback, argc, argv);
}

static enum errc recover(struct product_cmd *c, struct upgrade_outcome *out, struct err *err)
{
    enum errc rc = recover_do(&c->setup, c->word, &c->events, out, err);
    if (rc == E_OK && out->result[0] == '\0' && !out->needs_restart)
        text_copy(out->why, sizeof(out->why), "nothing is pending");
    return rc;
}

enum exit_code cmd_recover(struct cli *cli, int argc, char **argv)
{
    static const struct product_cmd_help help = {
        "recover PRODUCT",
        "Finishes or undoes an upgrade that was interrupted. upgrade, run, install and rollback\n"
        "do this first; at boot it is for the unit that `surefoot schedule` writes.\n",
        OPTION_METRICS | COMMAND_RECOVERS
    };
    return product_cmd_run(cli, &help, recover, argc, argv);
}
