#ifndef SUREFOOT_MANIFEST_PRODUCT_COMMAND_H
#define SUREFOOT_MANIFEST_PRODUCT_COMMAND_H

/* product_command.h: a program that a product file names, with its arguments. There is no shell and
 * no search path.
 *
 *   <stop user="orchard" timeout="PT30S">
 *     <arg>/opt/orchard/bin/orchardctl</arg>
 *     <arg>stop</arg>
 *   </stop>
 *
 * What it does not check: whether the program is there and to whom it belongs. */

#include <stdint.h>

#include "manifest/schema.h"

#define COMMAND_ARGS_MAX 64

struct product_arg {
    const char *text;
};

/* product_command: a zeroed one (no args) is none at all. */
struct product_command {
    LIST_OF(struct product_arg) args; /* the first is the program's path */
    const char *user;                 /* NULL: the account that Surefoot runs under */
    int64_t timeout_s;
};

#endif
