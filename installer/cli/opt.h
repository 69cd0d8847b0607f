#ifndef SUREFOOT_CLI_OPT_H
#define SUREFOOT_CLI_OPT_H

/* opt.h: command lines by a table. Long options only (and -h, -q, -v, -V as their short forms),
 * "--name value" or
 * "--name=value", "--" ends them; they may stand among the other words. Abbreviations are not
 * guessed. */

#include <stdbool.h>
#include <stddef.h>

#include "platform/base/err.h"

struct opt_spec {
    const char *name;  /* without "--" */
    const char *value; /* what its argument is called in the help, NULL where it takes none */
    const char *help;
    char letter; /* a short form, 0 where there is none */
};

/* Called for each option in order, with its value or NULL. */
typedef enum errc (*opt_fn)(void *ctx, const char *name, const char *value, struct err *err);

/* opt_read reads argv[0..argc) (without the command's own name). Words that are no options are
 * gathered at the start of argv, in order; *out_n_words is their number. E_ARGUMENT with a text for
 * the user. */
MUST_USE enum errc opt_read(const struct opt_spec *specs, size_t n_specs, int argc, char **argv,
                            opt_fn fn, void *ctx, size_t *out_n_words, struct err *err);

/* opt_help writes the table as the options part of a help text. */
struct buf;
MUST_USE enum errc opt_help(const struct opt_spec *specs, size_t n_specs, struct buf *out,
                            struct err *err);

#endif
