#include "installer/cli/product_cmd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/base/text.h"

#define OUTCOME_MAX (1024 * 1024)
#define PAGE_MAX (64 * 1024 * 1024) /* of a long history */

/* --- options */

static const struct opt_spec all_specs[] = {
    { "to", "VERSION", "this release, by name", 0 },
    { "dry-run", NULL, "show the plan after all checks, and change nothing", 0 },
    { "exit-code", NULL, "end with 10 where a newer release is available", 0 },
    { "detail", NULL, "everything that is remembered", 0 },
    { "metrics-file", "FILE", "write an OpenMetrics text file", 0 },
    { "no-rollback", NULL, "of an MSI: go on though there is no old package to come back to", 0 },
    { "format", "text|json", "how to report (default: text)", 0 },
    { "quiet", NULL, "only how it ended", 'q' },
    { "verbose", NULL, "every step", 'v' },
    { "help", NULL, "this text", 'h' },
};
#define N_OPTIONAL 6 /* the first ones, in the order of enum product_option's bits */

struct reading {
    struct product_cmd *c;
    bool wants_help;
};

static enum errc take_value(struct product_cmd *c, const char *name, const char *value,
                            struct err *err)
{
    if (strcmp(name, "to") == 0) {
        c->has_to = true;
        if (version_read(span_text(value), &c->to, err) != E_OK) {
            err->code = E_ARGUMENT;
            return err_prefix(err, "--to: ");
        }
    } else if (strcmp(name, "metrics-file") == 0) {
        c->metrics_file = value;
    } else if (strcmp(value, "json") == 0) {
        c->as_json = true;
    } else if (strcmp(value, "text") != 0) {
        return err_set(err, E_ARGUMENT, "--format is text or json");
    } else {
        c->as_json = false;
    }
    return E_OK;
}

static enum errc take_option(void *ctx, const char *name, const char *value, struct err *err)
{
    struct reading *r = ctx;
    const struct {
        const char *name;
        bool *flag;
    } flags[] = {
        { "dry-run", &r->c->dry_run },         { "exit-code", &r->c->exit_code },
        { "detail", &r->c->detail },           { "quiet", &r->c->quiet },
        { "verbose", &r->c->verbose },         { "help", &r->wants_help },
        { "no-rollback", &r->c->no_rollback },
    };
    for (size_t i = 0; i < ARRAY_LEN(flags); i++)
        if (strcmp(flags[i].name, name) == 0) {
            *flags[i].flag = true;
            return E_OK;
        }
    return take_value(r->c, name, value, err);
}

static size_t pick_specs(unsigned options, struct opt_spec to[ARRAY_LEN(all_specs)])
{
    size_t n = 0;
    for (size_t i = 0; i < ARRAY_LEN(all_specs); i++)
        if (i >= N_OPTIONAL || (options >> i & 1) != 0)
            to[n++] = all_specs[i];
    return n;
}

static enum exit_code print_help(struct cli *cli, const struct product_cmd_help *help,
                                 const struct opt_spec *specs, size_t n_specs)
{
    struct err err = { .code = E_OK };
    struct buf page;
    buf_init(&page, 64 * 1024);
    enum errc rc = buf_printf(&page, &err,
                              "usage: surefoot %s\n\n%s\nPRODUCT is a name (products.d/NAME.xml in "
                              "the configuration folder) or the path of a product file.\n\n"
                              "options:\n",
                              help->usage, help->about);
    if (rc == E_OK)
        rc = opt_help(specs, n_specs, &page, &err);
    if (rc == E_OK)
        rc = cli_write(&page, &err);
    buf_fini(&page);
    return rc == E_OK ? EXIT_DONE : cli_fail(cli, &err);
}

bool product_cmd_open(struct product_cmd *c, struct cli *cli, const struct product_cmd_help *help,
                      int argc, char **argv, enum exit_code *out_code)
{
    struct opt_spec specs[ARRAY_LEN(all_specs)];
    struct reading reading = { .c = c };
    struct err err = { .code = E_OK };
    size_t n_words = 0, n_specs = pick_specs(help->options, specs);
    *c = (struct product_cmd){ .cli = cli };
    enum errc rc = opt_read(specs, n_specs, argc, argv, take_option, &reading, &n_words, &err);
    if (rc == E_OK && reading.wants_help) {
        *out_code = print_help(cli, help, specs, n_specs);
        return false;
    }
    if (rc == E_OK && n_words == 0)
        rc = err_set(&err, E_ARGUMENT, "no PRODUCT was named");
    if (rc == E_OK && n_words > 1)
        rc = err_set(&err, E_ARGUMENT, "one PRODUCT at a time");
    if (rc == E_OK) {
        c->word = argv[0];
        cli->line_makes_sense = true;
        rc = setup_load(cli->platform, c->word, &c->setup, &err);
    }
    c->events.platform = cli->platform;
    if (rc == E_OK)
        return true;
    *out_code = cli_fail(cli, &err);
    return false;
}

void product_cmd_close(struct product_cmd *c)
{
    setup_fini(&c->setup);
}

void product_cmd_listen(struct product_cmd *c, bool is_logged)
{
    c->is_real = is_logged;
    events_listen(&c->events, c->as_json ? report_json_event : report_text_event, c);
    if (is_logged)
        events_listen(&c->events, report_log_event, c);
}

/* --- how it ended */

/* A file that can't be written is said, and changes nothing of how it ended. */
static void write_metrics(struct product_cmd *c, const struct upgrade_outcome *outcome)
{
    char path[SETUP_PATH_ROOM];
    struct err err = { .code = E_OK };
    const char *said = c->setup.product.policy.metrics_file;
    enum errc rc = E_OK;
    if (c->metrics_file != NULL)
        rc = report_metrics(c, outcome, c->metrics_file, &err);
    else if (said != NULL && c->is_real) {
        rc = setup_resolve(&c->setup, said, path, &err);
        if (rc == E_OK)
            rc = report_metrics(c, outcome, path, &err);
    }
    if (rc != E_OK)
        (void)fprintf(stderr, "surefoot %s: %s\n", c->cli->command, err.text);
}

static enum exit_code end(struct product_cmd *c, const struct product_cmd_help *help,
                          const struct upgrade_outcome *outcome)
{
    const enum exit_code code =
        exit_code_of(outcome, (help->options & COMMAND_RECOVERS) != 0, c->exit_code);
    struct err err = { .code = E_OK };
    struct buf page;
    if (c->has_bar)
        (void)fprintf(stderr, "\n");
    c->has_bar = false;
    write_metrics(c, outcome);
    buf_init(&page, OUTCOME_MAX);
    enum errc rc = c->as_json ? report_json_outcome(c, outcome, code, &page, &err)
                              : report_text_outcome(c, outcome, &page, &err);
    if (rc == E_OK)
        rc = cli_write(&page, &err);
    buf_fini(&page);
    if (rc != E_OK && code == EXIT_DONE)
        return cli_fail(c->cli, &err);
    return code;
}

/* --- whole commands */

enum exit_code product_cmd_run(struct cli *cli, const struct product_cmd_help *help,
                               product_run_fn fn, int argc, char **argv)
{
    struct product_cmd c;
    struct err err = { .code = E_OK };
    enum exit_code code;
    if (!product_cmd_open(&c, cli, help, argc, argv, &code))
        return code;
    struct upgrade_outcome *outcome = malloc(sizeof(*outcome));
    product_cmd_listen(&c, (help->options & COMMAND_ONLY_LOOKS) == 0 && !c.dry_run);
    enum errc rc = outcome == NULL ? err_nomem(&err) : fn(&c, outcome, &err);
    code = rc == E_OK ? end(&c, help, outcome) : cli_fail(cli, &err);
    free(outcome);
    product_cmd_close(&c);
    return code;
}

enum exit_code product_cmd_show(struct cli *cli, const struct product_cmd_help *help,
                                product_show_fn fn, int argc, char **argv)
{
    struct product_cmd c;
    struct err err = { .code = E_OK };
    struct buf page;
    enum exit_code code;
    if (!product_cmd_open(&c, cli, help, argc, argv, &code))
        return code;
    code = EXIT_DONE;
    buf_init(&page, PAGE_MAX);
    enum errc rc = fn(&c, &page, &code, &err);
    if (rc == E_OK)
        rc = cli_write(&page, &err);
    if (rc != E_OK)
        code = cli_fail(cli, &err);
    buf_fini(&page);
    product_cmd_close(&c);
    return code;
}
