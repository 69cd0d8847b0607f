/* rollback and recover: the two ways back. */

#include <stdlib.h>

#include "installer/cli/product_cmd.h"
#include "installer/core/recover.h"
#include "installer/core/rollback.h"
#include "platform/base/text.h"

enum exit_code cmd_rollback(struct cli *cli, int argc, char **argv)
{
    static const struct product_cmd_help help = {
        "rollback [--dry-run] [--to VERSION] PRODUCT",
        "Goes back to the version kept, after holding it against its signed release. The version\n"
        "that it leaves is put on hold. Data stays as it is now.\n",
        OPTION_TO | OPTION_DRY_RUN | OPTION_METRICS
    };
    struct product_cmd c;
    struct err err = { .code = E_OK };
    enum exit_code code;
    if (!product_cmd_open(&c, cli, &help, argc, argv, &code))
        return code;
    struct upgrade_outcome *outcome = malloc(sizeof(*outcome));
    product_cmd_listen(&c, !c.dry_run);
    enum errc rc = outcome == NULL ? err_nomem(&err)
                                   : rollback_do(&c.setup, c.word, &c.events,
                                                 c.has_to ? &c.to : NULL, c.dry_run, outcome, &err);
    code = rc == E_OK ? product_cmd_end(&c, outcome) : cli_fail(cli, &err);
    free(outcome);
    product_cmd_close(&c);
    return code;
}

/* What was undone as it should be is done; only what needs a person is a failure here. */
static enum exit_code code_of_recovery(struct product_cmd *c, const struct upgrade_outcome *outcome)
{
    enum exit_code code = product_cmd_end(c, outcome);
    return code == EXIT_ROLLED_BACK || code == EXIT_FAILED ? EXIT_DONE : code;
}

enum exit_code cmd_recover(struct cli *cli, int argc, char **argv)
{
    static const struct product_cmd_help help = {
        "recover PRODUCT",
        "Finishes or undoes an upgrade that was interrupted. upgrade, run, install and rollback\n"
        "do this first; at boot it is for the unit that `surefoot schedule` writes.\n",
        OPTION_METRICS
    };
    struct product_cmd c;
    struct err err = { .code = E_OK };
    enum exit_code code;
    if (!product_cmd_open(&c, cli, &help, argc, argv, &code))
        return code;
    struct upgrade_outcome *outcome = malloc(sizeof(*outcome));
    product_cmd_listen(&c, true);
    enum errc rc =
        outcome == NULL ? err_nomem(&err) : recover_do(&c.setup, c.word, &c.events, outcome, &err);
    if (rc == E_OK && outcome->result[0] == '\0')
        text_copy(outcome->why, sizeof(outcome->why), "nothing is pending");
    code = rc == E_OK ? code_of_recovery(&c, outcome) : cli_fail(cli, &err);
    free(outcome);
    product_cmd_close(&c);
    return code;
}
