/* tell mock|FOLDER RELEASES SCENARIO.xml    takes a scenario's steps on a machine in memory, or on
 * this one below an empty FOLDER, and prints what they say (world_tell): for systems that the
 * simulator itself does not run on. */

#include "sim.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/console.h"
#include "verify/digest.h"

void sim_fail(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    (void)vfprintf(stderr, fmt, args);
    va_end(args);
    exit(2);
}

int main(int argc, char **argv)
{
    struct scenario s;
    if (argc != 4)
        return 2;
    (void)console_init();
    digest_init_library();
    scenario_read(argv[3], &s);
    char *told = world_tell(&s, argv[2], strcmp(argv[1], "mock") == 0 ? NULL : argv[1]);
    (void)fputs(told, stdout);
    free(told);
    scenario_fini(&s);
    return fflush(stdout) == 0 ? 0 : 1;
}
