#ifndef SUREFOOT_MANIFEST_PRODUCT_POLICY_H
#define SUREFOOT_MANIFEST_PRODUCT_POLICY_H

/* product_policy.h: when `surefoot run` upgrades, and what is kept.
 *
 *   <policy interval="PT1H" jitter="P1D" keep="1" after-deadline="now"
 *           metrics-file="/var/lib/node-exporter/orchard.prom">
 *     <default-state is="enabled"> checks, as in <checks> </default-state>
 *     <window days="sat sun" from="22:00" to="04:00" zone="local"/>
 *     <retry aborted="PT1H" not-supported="P7D"/>
 *   </policy>
 *
 * What it does not check: the clock. */

#include <stdbool.h>
#include <stdint.h>

#include "manifest/product_checks.h"
#include "manifest/schema.h"

/* default_state: Enabled where `is_enabled` and all conditions hold; else Disabled, and the result
 * of the first that does not hold is the reason. */
struct default_state {
    struct check_list conditions;
    bool is_enabled;
    int word; /* as it was written: 0 enabled, 1 disabled */
};

enum weekday { MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY, SATURDAY, SUNDAY };
enum window_zone { ZONE_LOCAL, ZONE_UTC };

/* policy_window: where `to` is not after `from` it is of the next day, and `days` are those on
 * which it begins. */
struct policy_window {
    uint32_t days;         /* bits 1 << enum weekday, at least one */
    int from_min;          /* minutes after midnight, 0..1439 */
    int to_min;            /* 0..1440, never the same as from_min */
    int zone;              /* enum window_zone */
    const char *from, *to; /* as they were written */
};

enum after_deadline {
    DEADLINE_WAIT, /* jitter and windows hold all the same */
    DEADLINE_NOW,  /* past a release's install-by they do not */
};

struct product_policy {
    struct default_state default_state;
    int64_t interval_s; /* between looks at the feed, at least */
    int64_t jitter_s;   /* a release waits so long at most */
    int64_t retry_aborted_s, retry_not_supported_s;
    uint64_t keep;                         /* old versions, 1 or more */
    int after_deadline;                    /* enum after_deadline */
    const char *metrics_file;              /* NULL: none */
    LIST_OF(struct policy_window) windows; /* any one of them; none: always */
};

#endif
