#ifndef SUREFOOT_CORE_SCHEDULE_TASK_H
#define SUREFOOT_CORE_SCHEDULE_TASK_H

/* schedule_task.h: what makes `surefoot run` happen by itself on Windows, as texts: two tasks of
 * the Task Scheduler, in its XML of version 1.2
 * (http://schemas.microsoft.com/windows/2004/02/mit/task). One runs each policy interval at a time
 * of this machine's own, moved at random each time, and is made up for where the machine was off.
 * The other recovers when the machine starts; of an ordinary user's, who may have no such task,
 * when they log on. Pure: who registers them is the command's.
 *
 * A task of an administrator's has the system's rights. An ordinary user's has that user's, no
 * more, and runs while they are logged on: no password is kept.
 *
 * Windows has no way to start a task before a service. The task for recovery has no delay and
 * normal priority, but a service that starts by itself may be there first; recover stops it as
 * needed. Nor is a task called after another's abnormal end: the next run recovers.
 *
 * What it does not check: whether there is a Task Scheduler. */

#include "installer/core/schedule.h"

#define SCHEDULE_TASK_SYSTEM "S-1-5-18" /* the system's own account, for ask.account */

enum schedule_task { SCHEDULE_TASK_RUN, SCHEDULE_TASK_RECOVER, SCHEDULE_TASKS };

/* schedule_task_name writes "Surefoot\NAME", or "Surefoot\NAME recover". */
const char *schedule_task_name(const struct setup *setup, enum schedule_task which,
                               char to[SCHEDULE_NAME_ROOM]);

/* schedule_task_write appends a task's XML, UTF-8. E_ARGUMENT for a path that no task can hold:
 * with control characters, or with what the Task Scheduler replaces ("%", "$("). */
MUST_USE enum errc schedule_task_write(const struct schedule_ask *ask, enum schedule_task which,
                                       struct buf *out, struct err *err);

#endif
