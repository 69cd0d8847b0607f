#ifndef SUREFOOT_CORE_COMMAND_H
#define SUREFOOT_CORE_COMMAND_H

/* command.h: programs that the product file names are run here and nowhere else: without a shell or
 * search path, as the user that it says, from the product file's folder, and when we are elevated
 * only if no one else can change the program (setup_guard, links judged too). */

#include "installer/core/setup.h"

#define COMMAND_OUTPUT_MAX 4096

/* command_run runs it and waits, for at most its timeout. E_OK says that it ran; *out has how it
 * ended and the first bytes that it wrote. Caller frees out->output with buf_fini, after E_OK. */
MUST_USE enum errc command_run(const struct setup *setup, const struct product_command *command,
                               struct proc_result *out, struct err *err);

/* command_demand runs it and is E_IO where it does not end with 0 (the text names the program, how
 * it ended, and the last line that it wrote), E_TIMEOUT where it took too long. */
MUST_USE enum errc command_demand(const struct setup *setup, const struct product_command *command,
                                  struct err *err);

/* command_describe writes how it ended for people: "orchardctl: exit code 3: database is locked".
 */
const char *command_describe(const struct product_command *command, const struct proc_result *r,
                             char *to, size_t room);

#endif
