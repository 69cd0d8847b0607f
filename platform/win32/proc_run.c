/* CTRL_BREAK, by which a program is asked to end, is not delivered by wine: not yet seen. */

#include <windows.h>

#include <stdlib.h>
#include <string.h>

#include "platform/win32/proc_parts.h"

#define PIECE 16384
#define PIPE_ROOM 65536
#define DRAIN_PIECES 64    /* what a pipe may still hold at the end, and more */
#define TICK_MS 10         /* pipes have nothing to wait on */
#define AFTER_KILL_MS 5000 /* a process that waits for a device may take long to die */
#define KILLED_CODE 1

/* A program that was started. */
struct running {
    const struct proc_command *command;
    struct proc_result *result;
    struct proc_child child;
    HANDLE output; /* NULL when it is closed, or when nobody listens */
    int64_t until_ms;
    enum { RUNNING, ASKED, KILLED } phase;
};

static int64_t now_ms(void)
{
    return (int64_t)GetTickCount64();
}

/* --- what may be run */

static enum errc check_command(const struct proc_command *c, struct err *err)
{
    if (c->argv == NULL || c->argv[0] == NULL)
        return err_set(err, E_ARGUMENT, "no program is named");
    if (c->timeout_ms <= 0)
        return err_set(err, E_ARGUMENT, "it is given no time");
    return proc_check_program(c->argv[0], err);
}

static bool is_us(PSID sid)
{
    _Alignas(TOKEN_USER) BYTE user[W32_TOKEN_USER_ROOM];
    HANDLE token = NULL;
    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token))
        return false;
    const bool is_same =
        w32_token_user(token, user, sizeof(user)) && EqualSid(((TOKEN_USER *)user)->User.Sid, sid);
    (void)CloseHandle(token);
    return is_same;
}

/* Windows lets nobody become another user without that user's password, which we don't keep. */
static enum errc check_user(const char *name, struct err *err)
{
    BYTE sid[SECURITY_MAX_SID_SIZE];
    wchar_t domain[512], *wide = NULL;
    DWORD sid_len = sizeof(sid), domain_len = (DWORD)ARRAY_LEN(domain);
    SID_NAME_USE use;
    if (name == NULL)
        return E_OK;
    enum errc rc = w32_wide(name, &wide, err);
    if (rc != E_OK)
        return rc;
    const BOOL found = LookupAccountNameW(NULL, wide, sid, &sid_len, domain, &domain_len, &use);
    const DWORD os = found ? ERROR_SUCCESS : GetLastError();
    free(wide);
    if (os == ERROR_NONE_MAPPED)
        return err_set(err, E_ABSENT, "there is no user \"%.64s\"", name);
    if (!found)
        return w32_err_set(err, os, "cannot look up the user \"%.64s\"", name);
    if (is_us(sid))
        return E_OK;
    return err_set(err, E_UNSUPPORTED,
                   "a program can't be run as the user \"%.64s\" on Windows without that user's "
                   "password",
                   name);
}

/* --- its output */

static enum errc keep_output(struct running *r, const uint8_t *bytes, size_t len, struct err *err)
{
    size_t left = r->command->output_max - r->result->output.len;
    size_t kept = len < left ? len : left;
    if (kept < len)
        r->result->is_output_cut = true;
    return kept == 0 ? E_OK : buf_add(&r->result->output, span_of(bytes, kept), err);
}

static void close_output(struct running *r)
{
    if (r->output != NULL)
        (void)CloseHandle(r->output);
    r->output = NULL;
}

/* One piece; false where there is none now. */
static bool read_output(struct running *r, enum errc *rc, struct err *err)
{
    uint8_t piece[PIECE];
    DWORD there = 0, n = 0;
    if (r->output == NULL)
        return false;
    if (!PeekNamedPipe(r->output, NULL, 0, NULL, &there, NULL)) {
        close_output(r);
        return false;
    }
    if (there == 0)
        return false;
    if (!ReadFile(r->output, piece, there < PIECE ? there : PIECE, &n, NULL)) {
        close_output(r);
        return false;
    }
    if (*rc == E_OK)
        *rc = keep_output(r, piece, n, err);
    return n > 0;
}

static enum errc open_output(const struct proc_command *c, HANDLE *out_read, HANDLE *out_write,
                             struct err *err)
{
    if (c->output_max == 0)
        return E_OK;
    if (!CreatePipe(out_read, out_write, NULL, PIPE_ROOM))
        return w32_err_set(err, GetLastError(), "cannot make a pipe");
    if (!SetHandleInformation(*out_write, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT))
        return w32_err_set(err, GetLastError(), "cannot make a pipe");
    return E_OK;
}

/* --- its end */

/* Where the program has a console of its own and we have none, we are on it for a moment. */
static void ask_on_its_console(DWORD pid)
{
    static const DWORD which[] = { STD_INPUT_HANDLE, STD_OUTPUT_HANDLE, STD_ERROR_HANDLE };
    HANDLE ours[ARRAY_LEN(which)];
    for (size_t i = 0; i < ARRAY_LEN(which); i++)
        ours[i] = GetStdHandle(which[i]);
    if (AttachConsole(pid)) {
        (void)GenerateConsoleCtrlEvent(CTRL_BREAK_EVENT, pid);
        (void)FreeConsole();
    }
    for (size_t i = 0; i < ARRAY_LEN(which); i++)
        (void)SetStdHandle(which[i], ours[i]);
}

/* It leads a group of its own, so that none but its group gets the event. */
static void ask_to_end(const struct proc_child *c)
{
    if (c->shares_console)
        (void)GenerateConsoleCtrlEvent(CTRL_BREAK_EVENT, c->pid);
    else
        ask_on_its_console(c->pid);
    (void)proc_ask_windows(c->pid);
}

/* The time is up: what is next? False where there is nothing more to be done. */
static bool go_on(struct running *r)
{
    const int64_t now = now_ms();
    if (now < r->until_ms)
        return true;
    if (r->phase == KILLED)
        return false;
    r->result->end = PROC_TIMED_OUT;
    if (r->phase == RUNNING) {
        ask_to_end(&r->child);
        r->phase = ASKED;
        r->until_ms = now + r->command->grace_ms;
    } else {
        (void)TerminateJobObject(r->child.tree, KILLED_CODE);
        r->phase = KILLED;
        r->until_ms = now + AFTER_KILL_MS;
    }
    return true;
}

static enum errc take_end(struct running *r, struct err *err)
{
    DWORD code = 0;
    /* those that it started, and that ignored what it obeyed */
    if (r->phase == ASKED)
        (void)TerminateJobObject(r->child.tree, KILLED_CODE);
    if (r->result->end == PROC_TIMED_OUT)
        return E_OK;
    if (!GetExitCodeProcess(r->child.process, &code))
        return w32_err_set(err, GetLastError(), "cannot find out how the program ended");
    r->result->end = PROC_EXITED;
    r->result->code = (int)code;
    return E_OK;
}

static enum errc wait_for_end(struct running *r, struct err *err)
{
    enum errc rc = E_OK;
    bool is_busy = false;
    while (WaitForSingleObject(r->child.process, is_busy ? 0 : TICK_MS) != WAIT_OBJECT_0) {
        is_busy = read_output(r, &rc, err);
        if (!go_on(r))
            return err_set(err, E_TIMEOUT, "the program did not end, though it was made to");
    }
    for (int i = 0; i < DRAIN_PIECES && read_output(r, &rc, err); i++)
        continue;
    enum errc ended = take_end(r, rc == E_OK ? err : NULL);
    return rc == E_OK ? ended : rc;
}

static enum errc run_and_wait(struct running *r, HANDLE output, struct err *err)
{
    const int64_t start = now_ms();
    enum errc rc = proc_start(r->command, output, &r->child, err);
    /* Our own end, so that the output ends when the program's does. */
    if (output != NULL)
        (void)CloseHandle(output);
    if (rc == E_OK) {
        r->until_ms = start + r->command->timeout_ms;
        rc = wait_for_end(r, err);
        r->result->took_ms = now_ms() - start;
        proc_child_close(&r->child);
    }
    return rc;
}

enum errc proc_run(void *self, const struct proc_command *command, struct proc_result *out,
                   struct err *err)
{
    struct proc_result result = { .end = PROC_NO_END };
    struct running r = { .command = command, .result = &result };
    HANDLE output = NULL;
    UNUSED(self);
    buf_init(&result.output, command->output_max);
    enum errc rc = check_command(command, err);
    if (rc == E_OK)
        rc = check_user(command->user, err);
    if (rc == E_OK)
        rc = open_output(command, &r.output, &output, err);
    if (rc == E_OK)
        rc = run_and_wait(&r, output, err);
    else if (output != NULL)
        (void)CloseHandle(output);
    close_output(&r);
    if (rc == E_OK)
        *out = result;
    else
        buf_fini(&result.output);
    return rc;
}
