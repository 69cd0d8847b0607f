#ifndef SUREFOOT_CLI_PRODUCT_CMD_H
#define SUREFOOT_CLI_PRODUCT_CMD_H

/* product_cmd.h: what all commands about one PRODUCT share: their options, the product file, and
 * how they speak. */

#include "installer/cli/cli.h"
#include "installer/cli/opt.h"
#include "installer/core/event.h"
#include "installer/core/setup.h"
#include "installer/core/upgrade.h"

enum exit_code cmd_check(struct cli *cli, int argc, char **argv);
enum exit_code cmd_upgrade(struct cli *cli, int argc, char **argv);
enum exit_code cmd_run(struct cli *cli, int argc, char **argv);
enum exit_code cmd_install(struct cli *cli, int argc, char **argv);
enum exit_code cmd_status(struct cli *cli, int argc, char **argv);
enum exit_code cmd_enable(struct cli *cli, int argc, char **argv);
enum exit_code cmd_disable(struct cli *cli, int argc, char **argv);
enum exit_code cmd_rollback(struct cli *cli, int argc, char **argv);
enum exit_code cmd_recover(struct cli *cli, int argc, char **argv);
enum exit_code cmd_history(struct cli *cli, int argc, char **argv);
enum exit_code cmd_doctor(struct cli *cli, int argc, char **argv);
enum exit_code cmd_schedule(struct cli *cli, int argc, char **argv);
enum exit_code cmd_prepare(struct cli *cli, int argc, char **argv);

/* Which options a command has beside --format, --quiet, --verbose, --help, and what else sets it
 * apart: bits. */
enum product_option {
    OPTION_TO = 1,
    OPTION_DRY_RUN = 2,
    OPTION_EXIT_CODE = 4,
    OPTION_DETAIL = 8,
    OPTION_METRICS = 16,
    OPTION_NO_ROLLBACK = 32,
    COMMAND_ONLY_LOOKS = 256, /* it changes nothing in any case */
    COMMAND_RECOVERS = 512,   /* what was undone as it should be is done */
};

struct product_cmd {
    struct cli *cli;
    const char *word; /* PRODUCT as it was given */
    bool as_json, quiet, verbose, dry_run, exit_code, detail, no_rollback;
    bool has_to;
    struct version to;
    const char *metrics_file; /* NULL: none was named */
    struct setup setup;
    struct events events;
    bool is_real; /* something may be changed */
    bool has_bar; /* a progress bar is on the terminal's line */
};

/* product_cmd_open reads the command line and the product file. *out_code is set, and false
 * returned, where that is the end of it: help was shown, or something is wrong and was said. Caller
 * frees with product_cmd_close after true. */
struct product_cmd_help {
    const char *usage; /* "upgrade [--to VERSION] PRODUCT" */
    const char *about; /* a paragraph, lines ended */
    unsigned options;  /* of enum product_option */
};
bool product_cmd_open(struct product_cmd *c, struct cli *cli, const struct product_cmd_help *help,
                      int argc, char **argv, enum exit_code *out_code);
void product_cmd_close(struct product_cmd *c);

/* product_cmd_run is a whole command that ends in an outcome, and product_cmd_show one that shows a
 * page: both read the command line, do what `fn` does, and say how it ended. `fn` fills in what it
 * is given; its error ends the command. Of a page *code is EXIT_DONE unless `fn` sets another. */
typedef enum errc (*product_run_fn)(struct product_cmd *c, struct upgrade_outcome *out,
                                    struct err *err);
typedef enum errc (*product_show_fn)(struct product_cmd *c, struct buf *page, enum exit_code *code,
                                     struct err *err);
enum exit_code product_cmd_run(struct cli *cli, const struct product_cmd_help *help,
                               product_run_fn fn, int argc, char **argv);
enum exit_code product_cmd_show(struct cli *cli, const struct product_cmd_help *help,
                                product_show_fn fn, int argc, char **argv);

/* product_cmd_listen makes the events speak: on the terminal, and in the system's log where
 * `is_logged`. */
void product_cmd_listen(struct product_cmd *c, bool is_logged);

/* --- report_metrics.c */
MUST_USE enum errc report_metrics(struct product_cmd *c, const struct upgrade_outcome *o,
                                  const char *file, struct err *err);

/* --- report_text.c and report_json.c */
void report_text_event(void *ctx, const struct event *event); /* ctx: struct product_cmd */
void report_json_event(void *ctx, const struct event *event);
void report_log_event(void *ctx, const struct event *event);
MUST_USE enum errc report_text_outcome(const struct product_cmd *c, const struct upgrade_outcome *o,
                                       struct buf *out, struct err *err);
MUST_USE enum errc report_json_outcome(const struct product_cmd *c, const struct upgrade_outcome *o,
                                       enum exit_code code, struct buf *out, struct err *err);

#endif
