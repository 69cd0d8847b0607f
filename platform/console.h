#ifndef SUREFOOT_PLATFORM_CONSOLE_H
#define SUREFOOT_PLATFORM_CONSOLE_H

/* console.h: what a command-line program needs of the system before it can speak: arguments in
 * UTF-8, standard output that writes bytes as they are, and whether a person is watching. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "platform/base/err.h"

/* console_init makes standard output and error byte streams (UTF-8 on a Windows console), and
 * hardens the process: SIGPIPE on POSIX, on Windows the search for libraries (in a program that
 * calls this that is done before main); where we are elevated SSLKEYLOGFILE is taken out of the
 * environment, on Windows also what else the libraries that we are made of would read there. To be
 * called first in main. Gives what a Windows console was before, which console_fini, called last,
 * makes it again, after all that was printed: whatever runs there next, a batch file or a program
 * that knows no UTF-8, finds it as it was. Elsewhere it is zero, and means nothing. */
struct console {
    unsigned code_page; /* of output; 0: there is no console */
    unsigned long mode; /* of standard output */
    bool has_mode;      /* standard output is the console */
};
struct console console_init(void);
void console_fini(const struct console *before);

/* console_arguments gives the arguments in UTF-8. On Windows they are made anew and live as long as
 * the program. */
MUST_USE enum errc console_arguments(int argc, char **argv, int *out_argc, char ***out_argv,
                                     struct err *err);

/* console_is_terminal: is standard output (1) or standard error (2) a terminal? */
bool console_is_terminal(int fd);

/* console_wants_colour: standard output is a terminal that shows colours, and NO_COLOR is not set.
 */
bool console_wants_colour(void);

/* console_read_secret shows `prompt` on the terminal itself (not on standard output) and reads one
 * line from it, which is not shown: *out_len bytes to `to`, without the line's end. The terminal
 * shows what is typed again when this returns; a signal that would end or stop the program is held
 * back until then. E_UNSUPPORTED where there is no terminal, E_ABSENT where the person typed the
 * end of input (or Ctrl-C on Windows), E_LIMIT where the line has no room. The bytes are the
 * caller's to wipe; this keeps none of them. */
MUST_USE enum errc console_read_secret(const char *prompt, uint8_t *to, size_t room,
                                       size_t *out_len, struct err *err);

/* console_read_descriptor reads an inherited descriptor (0 is standard input) to its end. E_LIMIT
 * where there are more than `room` bytes. */
MUST_USE enum errc console_read_descriptor(int fd, uint8_t *to, size_t room, size_t *out_len,
                                           struct err *err);

#endif
