#ifndef SUREFOOT_PLATFORM_CONSOLE_H
#define SUREFOOT_PLATFORM_CONSOLE_H

/* console.h: what a command-line program needs of the system before it can speak: arguments in
 * UTF-8, standard output that writes bytes as they are, and whether a person is watching. */

#include <stdbool.h>

#include "platform/base/err.h"

/* console_init makes standard output and error byte streams (UTF-8 on a Windows console), and
 * hardens the process: the search for libraries on Windows, SIGPIPE on POSIX. To be called first in
 * main. */
void console_init(void);

/* console_arguments gives the arguments in UTF-8. On Windows they are made anew and live as long as
 * the program. */
MUST_USE enum errc console_arguments(int argc, char **argv, int *out_argc, char ***out_argv,
                                     struct err *err);

/* console_is_terminal: is standard output (1) or standard error (2) a terminal? */
bool console_is_terminal(int fd);

/* console_wants_colour: standard output is a terminal that shows colours, and NO_COLOR is not set.
 */
bool console_wants_colour(void);

#endif
