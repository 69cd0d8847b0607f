#ifndef SUREFOOT_PLATFORM_TASK_H
#define SUREFOOT_PLATFORM_TASK_H

/* task.h: Windows' Task Scheduler. Part of platform.h's machine; elsewhere each operation is
 * E_UNSUPPORTED, by which callers know that there is another way to be called again.
 *
 * A task has a name of folder and own name, "Surefoot\orchard", and is described in XML
 * (http://schemas.microsoft.com/windows/2004/02/mit/task), here UTF-8. Errors: E_ACCESS it is not
 * ours to change, E_MALFORMED the description is none, E_ARGUMENT for a name that no task can have.
 *
 * What it does not check: what a task does. */

#include <stdbool.h>
#include <stddef.h>

#include "platform/base/buf.h"
#include "platform/base/err.h"

struct task_ops {
    /* Appends the description of the task as the system keeps it, which may be other words than
     * were put in; *out_found false and E_OK where there is none. `out` may be NULL. */
    enum errc (*find)(void *self, const char *name, struct buf *out, bool *out_found,
                      struct err *err);
    /* Makes the task, and its folder, or puts it in the place of the one that is there. Of an
     * elevated caller only administrators can change it afterwards. */
    enum errc (*put)(void *self, const char *name, struct span xml, struct err *err);
    /* Takes the task away, and its folder where that is then empty. E_ABSENT where there is none.
     */
    enum errc (*remove)(void *self, const char *name, struct err *err);
    /* The security identifier of the account that we run as: "S-1-5-21-...". */
    enum errc (*own_account)(void *self, char *to, size_t room, struct err *err);
};

#endif
