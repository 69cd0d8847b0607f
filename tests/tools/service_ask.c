/* service_ask: asks the service manager as an upgrade does.
 *
 *   service_ask status NAME
 *   service_ask start NAME TIMEOUT_MS
 *   service_ask stop NAME TIMEOUT_MS
 *
 * Prints "ok", after status also "STATE PID N_STARTS TEXT"; or "CODE: text". */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/platform.h"

static const char *const states[] = { "unknown",  "absent",  "stopped", "failed",
                                      "starting", "running", "stopping" };

int main(int argc, char **argv)
{
    struct platform *p = platform_native();
    struct err err = { .code = E_OK };
    struct service_status s = { .is = SERVICE_IS_UNKNOWN };
    enum errc rc = E_ARGUMENT;
    if (argc == 3 && strcmp(argv[1], "status") == 0)
        rc = p->service->status(p->self, argv[2], &s, &err);
    else if (argc == 4 && strcmp(argv[1], "start") == 0)
        rc = p->service->start(p->self, argv[2], strtoll(argv[3], NULL, 10), &err);
    else if (argc == 4 && strcmp(argv[1], "stop") == 0)
        rc = p->service->stop(p->self, argv[2], strtoll(argv[3], NULL, 10), &err);
    else
        return 2;
    if (rc != E_OK)
        (void)printf("%s: %s\n", errc_name(rc), err.text);
    else if (argc == 3)
        (void)printf("ok %s %" PRId64 " %" PRIu64 " %s\n", states[s.is], s.pid, s.n_starts, s.text);
    else
        (void)printf("ok\n");
    return rc == E_OK ? 0 : 1;
}
