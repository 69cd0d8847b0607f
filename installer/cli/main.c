#include <stdio.h>

#include "installer/cli/cli.h"
#include "platform/console.h"
#include "verify/digest.h"

int main(int argc, char **argv)
{
    struct err err = { .code = E_OK };
    const struct console before = console_init();
    int code = EXIT_FAILED;
    digest_init_program();
    if (console_arguments(argc, argv, &argc, &argv, &err) != E_OK) {
        (void)fprintf(stderr, "surefoot: %s\n", err.text);
    } else {
        struct cli cli = { .platform = platform_native(),
                           .command = "",
                           .colour = console_wants_colour() };
        code = cli_main(&cli, argc, argv);
    }
    console_fini(&before);
    return code;
}
