#include "platform/console.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void console_init(void)
{
    /* A reader that goes away must end in a failed write that we report, not in a silent death. */
    (void)signal(SIGPIPE, SIG_IGN);
}

enum errc console_arguments(int argc, char **argv, int *out_argc, char ***out_argv, struct err *err)
{
    UNUSED(err);
    *out_argc = argc;
    *out_argv = argv;
    return E_OK;
}

bool console_is_terminal(int fd)
{
    return isatty(fd) == 1;
}

bool console_wants_colour(void)
{
    const char *term = getenv("TERM");
    const char *no_colour = getenv("NO_COLOR");
    if (no_colour != NULL && no_colour[0] != '\0')
        return false;
    return console_is_terminal(1) && term != NULL && strcmp(term, "dumb") != 0;
}
