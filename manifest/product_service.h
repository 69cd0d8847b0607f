#ifndef SUREFOOT_MANIFEST_PRODUCT_SERVICE_H
#define SUREFOOT_MANIFEST_PRODUCT_SERVICE_H

/* product_service.h: what runs, and how it is known to run well.
 *
 *   <services>
 *     <service name="orchard-db.service" stop-timeout="PT30S" start-timeout="PT1M"/>
 *     <service name="orchard"> <start>...</start> <stop>...</stop> <status>...</status> </service>
 *   </services>
 *   <scheduler> <status>...</status> <suspend>...</suspend> <resume>...</resume> </scheduler>
 *   <scheduler> <setting file="..." format="ini" key="..." on="yes" off="no"/> </scheduler>
 *   <health within="PT2M" interval="PT1S" failures="2" stays-up="PT10S">
 *     <http url="http://127.0.0.1:8080/health" status="200" contains="ok"/>
 *     <command> <arg>bin/selftest</arg> </command>
 *   </health>
 *
 * What it does not check: whether services, programs and addresses are there. */

#include <stdbool.h>
#include <stdint.h>

#include "manifest/product_command.h"
#include "manifest/product_setting.h"
#include "manifest/schema.h"

/* product_service: of the system's service manager, or, where it has commands (all three then), run
 * by these: start and stop end with 0 when they are done; status ends with 0 while the service
 * runs, with 1, 2 or 3 while it does not, with anything else where it could not find out. */
struct product_service {
    const char *name; /* systemd unit, Windows service; with commands, for people alone */
    int64_t stop_timeout_s, start_timeout_s;
    struct product_command start, stop, status;
};

/* Started in this order, stopped in the reverse one. */
struct product_services {
    LIST_OF(struct product_service) items; /* each name once */
};

/* product_scheduler: the product's own, which an upgrade suspends and always restores. By commands
 * (status ends with 0 while it is on, with 1 while it is off), or by a setting. All empty where
 * there is none. */
struct product_scheduler {
    bool is_there;
    struct product_command status, suspend, resume;
    struct product_setting setting; /* file and registry NULL: by commands */
    const char *on, *off;           /* the setting's values */
};

struct health_http {
    const char *url; /* http or https */
    uint64_t status;
    const char *contains; /* NULL: any body */
    const char *ca;       /* certificates that may end the server's chain; NULL: the system's */
    int64_t timeout_s;
};

/* product_health: every probe has held at once within `within`, counted from the start; then, for
 * `stays_up`, services run and the probes, asked every `interval`, fail at most `failures` times.
 */
struct product_health {
    int64_t within_s, interval_s, stays_up_s;
    uint64_t failures;
    LIST_OF(struct health_http) http;
    LIST_OF(struct product_command) commands; /* 0 is healthy */
};

#endif
