/* enable and disable: the state that an administrator sets. */

#include <stdio.h>

#include "installer/cli/product_cmd.h"
#include "installer/core/memory.h"

static enum exit_code set_state(struct cli *cli, const struct product_cmd_help *help,
                                enum state_word word, int argc, char **argv)
{
    struct product_cmd c;
    struct memory memory;
    struct err err = { .code = E_OK };
    enum exit_code code;
    bool changed = false;
    if (!product_cmd_open(&c, cli, help, argc, argv, &code))
        return code;
    product_cmd_listen(&c, true);
    enum errc rc = memory_open(&c.setup, true, &memory, &err);
    if (rc == E_OK) {
        const int64_t now = cli->platform->host->now(cli->platform->self);
        memory_set_word(&memory, word, "", now, &changed);
        changed = changed || !memory.state.is_set;
        memory.state.is_set = true;
        rc = memory_save(&memory, &err);
        memory_close(&memory);
    }
    if (rc == E_OK)
        events_say(&c.events, EVENT_STATE_CHANGED, "state %s%s", state_words[word],
                   changed ? "" : ", as it was");
    if (rc == E_OK && !c.as_json && !c.quiet)
        (void)printf("%s: %s\n", c.setup.product.name, state_words[word]);
    code = rc == E_OK ? EXIT_DONE : cli_fail(cli, &err);
    if (rc == E_BUSY)
        code = EXIT_ABORTED;
    product_cmd_close(&c);
    return code;
}

enum exit_code cmd_enable(struct cli *cli, int argc, char **argv)
{
    static const struct product_cmd_help help = { "enable PRODUCT",
                                                  "Unattended upgrades on: what `surefoot run` "
                                                  "finds due it takes. Clears the reason that an\n"
                                                  "earlier attempt left.\n",
                                                  0 };
    return set_state(cli, &help, STATE_ENABLED, argc, argv);
}

enum exit_code cmd_disable(struct cli *cli, int argc, char **argv)
{
    static const struct product_cmd_help help = {
        "disable PRODUCT",
        "Unattended upgrades off: `surefoot run` does nothing. `surefoot upgrade` by hand works.\n",
        0
    };
    return set_state(cli, &help, STATE_DISABLED, argc, argv);
}
