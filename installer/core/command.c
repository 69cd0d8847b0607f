#include "installer/core/command.h"

#include <stdio.h>
#include <string.h>

#include "platform/base/text.h"

#define GRACE_MS 2000

/* For messages, where a POSIX name may lose what is before a "\". */
static const char *short_name(const struct product_command *command)
{
    return os_path_name(OS_PATH_WINDOWS, command->args.items[0].text);
}

enum errc command_run(const struct setup *setup, const struct product_command *command,
                      struct proc_result *out, struct err *err)
{
    struct platform *p = setup->platform;
    char program[SETUP_PATH_ROOM];
    const char *argv[COMMAND_ARGS_MAX + 1];
    enum errc rc = setup_resolve(setup, command->args.items[0].text, program, err);
    if (rc == E_OK)
        rc = setup_guard(setup, program, FS_GUARD_LINKS, err);
    if (rc != E_OK)
        return rc;
    argv[0] = program;
    for (size_t i = 1; i < command->args.n; i++)
        argv[i] = command->args.items[i].text;
    argv[command->args.n] = NULL;
    struct proc_command run = { .argv = argv,
                                .user = command->user,
                                .folder = setup->base,
                                .timeout_ms = command->timeout_s * 1000,
                                .grace_ms = GRACE_MS,
                                .output_max = COMMAND_OUTPUT_MAX };
    rc = p->proc->run(p->self, &run, out, err);
    return rc == E_OK ? rc : err_prefix(err, "%.60s: ", short_name(command));
}

/* The last line that says anything: programs put there what went wrong. */
static struct span last_line(const struct buf *output)
{
    struct span s = buf_span(output);
    while (s.len > 0 &&
           (s.ptr[s.len - 1] == '\n' || s.ptr[s.len - 1] == '\r' || s.ptr[s.len - 1] == ' '))
        s.len--;
    size_t from = s.len;
    while (from > 0 && s.ptr[from - 1] != '\n')
        from--;
    return span_sub(s, from, s.len);
}

const char *command_describe(const struct product_command *command, const struct proc_result *r,
                             char *to, size_t room)
{
    char line[120];
    struct span last = last_line(&r->output);
    const char *between = last.len > 0 ? ": " : "";
    (void)text_printable(last, line, sizeof(line));
    switch (r->end) {
    case PROC_EXITED:
        (void)snprintf(to, room, "%.60s: exit code %d%s%s", short_name(command), r->code, between,
                       line);
        break;
    case PROC_SIGNALLED:
        (void)snprintf(to, room, "%.60s: ended by signal %d%s%s", short_name(command), r->code,
                       between, line);
        break;
    case PROC_TIMED_OUT:
        (void)snprintf(to, room, "%.60s: not done after %lld s%s%s", short_name(command),
                       (long long)command->timeout_s, between, line);
        break;
    case PROC_NO_END: (void)snprintf(to, room, "%.60s: did not end", short_name(command)); break;
    }
    return to;
}

enum errc command_demand(const struct setup *setup, const struct product_command *command,
                         struct err *err)
{
    struct proc_result r;
    char text[240];
    enum errc rc = command_run(setup, command, &r, err);
    if (rc != E_OK)
        return rc;
    if (r.end == PROC_TIMED_OUT)
        rc = err_set(err, E_TIMEOUT, "%s", command_describe(command, &r, text, sizeof(text)));
    else if (r.end != PROC_EXITED || r.code != 0)
        rc = err_set(err, E_IO, "%s", command_describe(command, &r, text, sizeof(text)));
    buf_fini(&r.output);
    return rc;
}
