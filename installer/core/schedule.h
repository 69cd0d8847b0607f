#ifndef SUREFOOT_CORE_SCHEDULE_H
#define SUREFOOT_CORE_SCHEDULE_H

/* schedule.h: what makes `surefoot run` happen by itself, as texts: a systemd service, its timer, a
 * unit that recovers at boot before the product's services and after an abnormal end, and lines for
 * cron where there is no systemd. Pure: who writes them where is the command's.
 *
 * Where the system's manager runs all of the product's services the units are confined
 * (systemd.exec). Where the product's own commands start them, what these start lives on inside the
 * unit: it is not confined then, and only the unit's own process is ended.
 *
 * What it does not check: whether systemd is there. */

#include "installer/core/setup.h"

struct schedule_ask {
    const struct setup *setup;
    const char *program;    /* surefoot's own path */
    const char *product;    /* what to call it by: a name, or an absolute path */
    const char *store_home; /* folder that must be writable: the install folder's parent */
    unsigned minute;        /* 0..59, this machine's own */
    /* Of tasks alone: */
    const char *account; /* security identifier of whose they are */
    const char *kept;    /* the program of the one that recovers (own_program.h) */
    bool is_own; /* the product is the program itself, and may be gone while it is pending */
};

enum schedule_part { SCHEDULE_SERVICE, SCHEDULE_TIMER, SCHEDULE_RECOVER, SCHEDULE_PARTS };

/* schedule_unit_name writes "surefoot-NAME.timer". */
#define SCHEDULE_NAME_ROOM 100
const char *schedule_unit_name(const struct setup *setup, enum schedule_part part,
                               char to[SCHEDULE_NAME_ROOM]);

/* schedule_write appends a unit's text; schedule_write_cron two lines of a system crontab.
 * E_ARGUMENT for a path that no unit can hold (a line's end in it). */
MUST_USE enum errc schedule_write(const struct schedule_ask *ask, enum schedule_part part,
                                  struct buf *out, struct err *err);
MUST_USE enum errc schedule_write_cron(const struct schedule_ask *ask, struct buf *out,
                                       struct err *err);

#endif
