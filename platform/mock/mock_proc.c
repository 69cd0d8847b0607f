/* Programs that are functions, and processes that are rows of a list. */

#include <stdlib.h>
#include <string.h>

#include "platform/base/text.h"
#include "platform/mock/mock_machine.h"

#define OWN_PID 42

/* --- programs */

void mock_add_program(struct mock *m, const char *tail, mock_program_fn fn, void *ctx)
{
    m->programs = mock_grow(m->programs, m->n_programs, &m->room_programs, sizeof(m->programs[0]));
    m->programs[m->n_programs++] = (struct mock_program){ mock_text(tail), fn, ctx };
}

void mock_say(struct proc_result *out, const char *text)
{
    if (buf_add_text(&out->output, text, NULL) != E_OK)
        out->is_output_cut = true;
}

/* The last that was added counts. */
static const struct mock_program *find_program(const struct mock *m, const char *path)
{
    const size_t len = strlen(path);
    for (size_t i = m->n_programs; i > 0; i--) {
        const char *tail = m->programs[i - 1].tail;
        if (strlen(tail) <= len && strcmp(path + len - strlen(tail), tail) == 0)
            return &m->programs[i - 1];
    }
    return NULL;
}

static enum errc proc_run(void *self, const struct proc_command *command, struct proc_result *out,
                          struct err *err)
{
    struct mock *m = self;
    const struct mock_program *program = find_program(m, command->argv[0]);
    *out = (struct proc_result){ .end = PROC_EXITED };
    if (program == NULL)
        return err_set(err, E_ABSENT, "cannot be run: there is no such program");
    bool is_ignored = false;
    enum errc rc = fault_ask(m->disk.plan, FAULT_ACT, "run", command->argv[0], &is_ignored, err);
    if (rc != E_OK || is_ignored)
        return rc;
    buf_init(&out->output, command->output_max);
    const int64_t began = m->monotonic_ms;
    rc = program->fn(program->ctx, m, command, out, err);
    out->took_ms = m->monotonic_ms - began;
    if (rc != E_OK)
        buf_fini(&out->output);
    return rc;
}

/* --- processes */

void mock_process_fini(struct mock_process *process)
{
    free(process->path);
    free(process->user);
    free(process->holds);
}

int64_t mock_add_process(struct mock *m, const char *path, const char *user, const char *holds)
{
    m->processes =
        mock_grow(m->processes, m->n_processes, &m->room_processes, sizeof(m->processes[0]));
    struct mock_process *process = &m->processes[m->n_processes++];
    *process = (struct mock_process){ .pid = ++m->last_pid,
                                      .started_s = m->clock_ms / 1000,
                                      .path = mock_text(path),
                                      .user = mock_text(user),
                                      .holds = holds == NULL ? NULL : mock_text(holds) };
    return process->pid;
}

static size_t find_process(const struct mock *m, int64_t pid)
{
    size_t i = 0;
    while (i < m->n_processes && m->processes[i].pid != pid)
        i++;
    return i;
}

void mock_end_process(struct mock *m, int64_t pid)
{
    const size_t i = find_process(m, pid);
    if (i == m->n_processes)
        return;
    mock_process_fini(&m->processes[i]);
    memmove(&m->processes[i], &m->processes[i + 1],
            (m->n_processes - i - 1) * sizeof(m->processes[0]));
    m->n_processes--;
}

bool mock_has_process(const struct mock *m, int64_t pid)
{
    return find_process(m, pid) < m->n_processes;
}

static const char *name_of(const char *path)
{
    const char *name = path;
    for (const char *at = path; *at != '\0'; at++)
        if (*at == '/' || *at == '\\')
            name = at + 1;
    return name;
}

static struct proc_info info_of(const struct mock_process *process)
{
    return (struct proc_info){ .pid = process->pid,
                               .born = (uint64_t)process->pid,
                               .started_s = process->started_s,
                               .path = process->path,
                               .name = name_of(process->path),
                               .user = process->user };
}

static enum errc proc_list(void *self, proc_fn fn, void *ctx, struct err *err)
{
    const struct mock *m = self;
    enum errc rc = E_OK;
    for (size_t i = 0; i < m->n_processes && rc == E_OK; i++) {
        const struct proc_info info = info_of(&m->processes[i]);
        rc = fn(ctx, &info, err);
    }
    return rc;
}

static bool is_below(const char *path, const char *folder)
{
    const size_t len = strlen(folder);
    return path != NULL && strncmp(path, folder, len) == 0 &&
           (path[len] == '/' || path[len] == '\0');
}

static enum errc proc_holders(void *self, const char *folder, proc_holder_fn fn, void *ctx,
                              size_t *out_n_hidden, struct err *err)
{
    const struct mock *m = self;
    enum errc rc = E_OK;
    *out_n_hidden = 0;
    for (size_t i = 0; i < m->n_processes && rc == E_OK; i++) {
        const struct mock_process *process = &m->processes[i];
        const struct proc_info info = info_of(process);
        if (is_below(process->path, folder))
            rc = fn(ctx, &info, PROC_HOLDS_PROGRAM, process->path, err);
        else if (is_below(process->holds, folder))
            rc = fn(ctx, &info, PROC_HOLDS_FILE, process->holds, err);
    }
    return rc;
}

static enum errc proc_terminate(void *self, int64_t pid, uint64_t born, int64_t grace_ms,
                                struct err *err)
{
    UNUSED(grace_ms);
    if (pid <= 1 || pid == OWN_PID)
        return err_set(err, E_ARGUMENT, "is not to be ended");
    if ((uint64_t)pid == born)
        mock_end_process(self, pid);
    return E_OK;
}

void mock_set_own_program(struct mock *m, const char *path)
{
    (void)text_copy(m->own_program, sizeof(m->own_program), path);
}

static enum errc proc_own_program(void *self, char *to, size_t room, struct err *err)
{
    const struct mock *m = self;
    UNUSED(err);
    (void)text_copy(to, room, m->own_program[0] != '\0' ? m->own_program : "/usr/bin/surefoot");
    return E_OK;
}

static bool proc_is_elevated(void *self)
{
    return ((struct mock *)self)->is_elevated;
}

const struct proc_ops mock_proc_ops = {
    .list = proc_list,
    .holders = proc_holders,
    .run = proc_run,
    .terminate = proc_terminate,
    .own_program = proc_own_program,
    .is_elevated = proc_is_elevated,
};
