#ifndef SUREFOOT_CLI_SCHEDULE_CMD_H
#define SUREFOOT_CLI_SCHEDULE_CMD_H

/* schedule_cmd.h: what the two ways of `surefoot schedule` share: units of systemd (cmd_schedule.c)
 * and tasks of the Task Scheduler (schedule_tasks.c). */

#include "installer/cli/product_cmd.h"
#include "installer/core/schedule.h"

#define SCHEDULE_TEXT_MAX (64 * 1024)

struct schedule {
    struct product_cmd *c;
    struct schedule_ask ask;
    char program[SETUP_PATH_ROOM], product[SETUP_PATH_ROOM], home[SETUP_PATH_ROOM];
    char folder[SETUP_PATH_ROOM]; /* where units go */
    bool was_asked, is_taken_up;  /* the system was asked to take them up, and did */
    bool by_tasks;                /* the machine has a Task Scheduler */
    char account[200];            /* of tasks: whose they are, */
    char kept[SETUP_PATH_ROOM];   /* and the program of the one that recovers */
};

/* schedule_say is for people, and silent with JSON. */
void schedule_say(const struct schedule *s, const char *fmt, ...) PRINTF_FORMAT(2, 3);

/* schedule_add_line appends a line of JSON: a unit, a task, or (path NULL) the table for cron. */
MUST_USE enum errc schedule_add_line(const struct schedule *s, const char *kind, const char *path,
                                     bool is_installed, const struct buf *text, struct buf *page,
                                     struct err *err);

/* schedule_tasks_prepare finds out whether there is a Task Scheduler, and whose its tasks are. */
MUST_USE enum errc schedule_tasks_prepare(struct schedule *s, struct err *err);
MUST_USE enum errc schedule_tasks_install(struct schedule *s, struct err *err);
MUST_USE enum errc schedule_tasks_remove(struct schedule *s, struct err *err);
MUST_USE enum errc schedule_tasks_show(struct schedule *s, struct err *err);
MUST_USE enum errc schedule_tasks_report(const struct schedule *s, bool is_shown, struct err *err);

#endif
