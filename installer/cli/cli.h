#ifndef SUREFOOT_CLI_CLI_H
#define SUREFOOT_CLI_CLI_H

/* cli.h: the command line: which commands there are, and how they speak. */

#include <stdbool.h>
#include <stddef.h>

#include "installer/cli/exit_code.h"
#include "platform/base/buf.h"
#include "platform/base/err.h"
#include "platform/platform.h"

struct cli {
    struct platform *platform;
    const char *command; /* "verify" */
    bool colour;
    bool line_makes_sense; /* what fails is a file that the line names, not a word of it */
};

/* A command gets the words after its name. */
typedef enum exit_code (*command_fn)(struct cli *cli, int argc, char **argv);

enum exit_code cmd_verify(struct cli *cli, int argc, char **argv);
enum exit_code cmd_inspect(struct cli *cli, int argc, char **argv);

/* cli_main runs the program; `argv` is in UTF-8. */
int cli_main(struct cli *cli, int argc, char **argv);

/* cli_fail says "surefoot verify: text" on standard error and gives the exit code that the error
 * calls for: EXIT_USAGE for E_ARGUMENT, EXIT_FAILED for the rest. Where the line itself makes no
 * sense it says where the help is; of a broken file the help says nothing. */
enum exit_code cli_fail(const struct cli *cli, const struct err *err);

/* cli_write writes all of a buf to standard output. E_IO where that fails (a full disk, a reader
 * that went away). */
MUST_USE enum errc cli_write(const struct buf *b, struct err *err);

#endif
