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
 * The one that recovers names the copy of the program that is kept in the state folder
 * (own_program.h), which is there while Windows Installer replaces the program itself. What the
 * Task Scheduler does with a second action where the program of the first is missing is in no
 * documentation that was found: there is one action. Where the product is that program the task
 * comes as often as runs do, too, since without the program no run comes.
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

/* schedule_task_read finds the program in a task's description as the system gives it back: the
 * command of its one action, without quotes around it, with slashes. E_ABSENT: it says none;
 * E_MALFORMED, E_LIMIT: it can't be read, or does anything else than run one program. */
MUST_USE enum errc schedule_task_read(struct span xml, char to[SETUP_PATH_ROOM], struct err *err);

/* schedule_task_check asks the system for a task (*out_there false, E_OK: there is none) and sees
 * whether its program, which it writes, is there (else E_ABSENT) and nobody else's to change
 * (E_ARGUMENT; setup_guard). E_UNSUPPORTED: there is no Task Scheduler. Else as schedule_task_read;
 * *out_there is true whatever is wrong with a task that is there. */
MUST_USE enum errc schedule_task_check(const struct setup *setup, enum schedule_task which,
                                       bool *out_there, char program[SETUP_PATH_ROOM],
                                       struct err *err);

#endif
