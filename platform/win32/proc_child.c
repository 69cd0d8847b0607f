/* A program is started suspended, put into its jobs, and only then let run: nothing of it is ever
 * outside of them. Two jobs, one in the other (Windows 8 and later): the outer one has all that the
 * program starts, so that it can be ended; closing it ends nothing. The inner one has the program
 * alone, as what it starts leaves it silently, and is closed by our own end: a stop or a start that
 * went on without us would undo what is recovered, and a service that it started is none of ours.
 *
 * Seen under wine, not yet on Microsoft's own Windows. */

#include <windows.h>

#include <stdlib.h>
#include <string.h>

#include "platform/win32/proc_parts.h"

#ifndef ERROR_ELEVATION_REQUIRED /* missing in mingw-w64's headers */
#define ERROR_ELEVATION_REQUIRED 740
#endif

#define LINE_MAX_BYTES (3 * 32767)
#define LINE_MAX_CHARS 32766 /* CreateProcessW's own limit, less the NUL */

struct launch {
    wchar_t *program, *line, *folder, *env;
    HANDLE null, output;
    LPPROC_THREAD_ATTRIBUTE_LIST attributes;
    HANDLE inherited[2];
};

/* --- what CreateProcessW is told */

/* In full, without the prefix for long paths as far as it goes without: some programs take that
 * amiss in the paths that they make of their own. */
static enum errc full_path(const char *path, wchar_t **out, struct err *err)
{
    enum errc rc = w32_path(path, out, err);
    if (rc != E_OK)
        return rc;
    wchar_t *p = *out;
    if (wcslen(p) < MAX_PATH + 4 && wcsncmp(p, L"\\\\?\\UNC\\", 8) != 0 &&
        wcsncmp(p, L"\\\\?\\", 4) == 0)
        memmove(p, p + 4, (wcslen(p + 4) + 1) * sizeof(*p));
    return E_OK;
}

static enum errc make_line(const char *const *argv, wchar_t **out, struct err *err)
{
    struct buf line;
    buf_init(&line, LINE_MAX_BYTES + 1);
    enum errc rc = proc_quote(argv, &line, err);
    if (rc == E_OK)
        rc = buf_add_byte(&line, '\0', err);
    if (rc == E_OK)
        rc = w32_wide((const char *)line.ptr, out, err);
    buf_fini(&line);
    if (rc == E_LIMIT || (rc == E_OK && wcslen(*out) > LINE_MAX_CHARS))
        return err_set(err, E_LIMIT, "a command line longer than %d characters", LINE_MAX_CHARS);
    return rc;
}

static enum errc make_folder(const char *folder, wchar_t **out, struct err *err)
{
    wchar_t windows[MAX_PATH] = L"C:\\";
    if (folder != NULL) {
        enum errc rc = full_path(folder, out, err);
        if (rc != E_OK)
            return rc;
        const DWORD attributes = GetFileAttributesW(*out);
        if (attributes == INVALID_FILE_ATTRIBUTES)
            return w32_err_set(err, GetLastError(), "cannot enter its folder");
        if ((attributes & FILE_ATTRIBUTE_DIRECTORY) == 0)
            return err_set(err, E_ABSENT, "cannot enter its folder: it is none");
        return E_OK;
    }
    (void)GetSystemWindowsDirectoryW(windows, MAX_PATH);
    windows[3] = L'\0'; /* "C:\" */
    *out = _wcsdup(windows);
    return *out == NULL ? err_nomem(err) : E_OK;
}

/* It inherits these and no others, whatever else of ours may be inherited. */
static enum errc make_attributes(struct launch *l, struct err *err)
{
    SIZE_T size = 0;
    (void)InitializeProcThreadAttributeList(NULL, 1, 0, &size);
    l->attributes = malloc(size);
    if (l->attributes == NULL)
        return err_nomem(err);
    if (!InitializeProcThreadAttributeList(l->attributes, 1, 0, &size)) {
        free(l->attributes);
        l->attributes = NULL;
        return w32_err_set(err, GetLastError(), "cannot arrange its files");
    }
    l->inherited[0] = l->null;
    l->inherited[1] = l->output;
    size = (l->output == l->null ? 1 : 2) * sizeof(l->inherited[0]);
    if (!UpdateProcThreadAttribute(l->attributes, 0, PROC_THREAD_ATTRIBUTE_HANDLE_LIST,
                                   l->inherited, size, NULL, NULL))
        return w32_err_set(err, GetLastError(), "cannot arrange its files");
    return E_OK;
}

static enum errc open_null(struct launch *l, HANDLE output, struct err *err)
{
    SECURITY_ATTRIBUTES inherit = { .nLength = sizeof(inherit), .bInheritHandle = TRUE };
    l->null = CreateFileW(L"NUL", GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE,
                          &inherit, OPEN_EXISTING, 0, NULL);
    if (l->null == INVALID_HANDLE_VALUE)
        return w32_err_set(err, GetLastError(), "cannot open NUL");
    l->output = output == NULL ? l->null : output;
    return E_OK;
}

/* --- its jobs */

static bool make_jobs(struct proc_child *c)
{
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = {
        .BasicLimitInformation = { .LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE |
                                                 JOB_OBJECT_LIMIT_SILENT_BREAKAWAY_OK }
    };
    c->tree = CreateJobObjectW(NULL, NULL);
    c->life = CreateJobObjectW(NULL, NULL);
    return c->tree != NULL && c->life != NULL &&
           SetInformationJobObject(c->life, JobObjectExtendedLimitInformation, &limits,
                                   sizeof(limits)) != 0;
}

static bool enter_jobs(const struct proc_child *c)
{
    return AssignProcessToJobObject(c->tree, c->process) != 0 &&
           AssignProcessToJobObject(c->life, c->process) != 0;
}

void proc_child_close(struct proc_child *c)
{
    HANDLE *const handles[] = { &c->life, &c->tree, &c->process };
    for (size_t i = 0; i < ARRAY_LEN(handles); i++) {
        if (*handles[i] != NULL)
            (void)CloseHandle(*handles[i]);
        *handles[i] = NULL;
    }
}

/* --- its start */

static enum errc start_failed(DWORD os, struct err *err)
{
    enum errc rc = w32_err_set(err, os, "cannot run the program");
    if (os != ERROR_BAD_EXE_FORMAT && os != ERROR_EXE_MACHINE_TYPE_MISMATCH &&
        os != ERROR_ELEVATION_REQUIRED)
        return rc;
    if (err != NULL)
        err->code = E_ACCESS;
    return E_ACCESS;
}

static bool have_console(void)
{
    DWORD pid;
    return GetConsoleProcessList(&pid, 1) != 0;
}

static enum errc create(const struct launch *l, struct proc_child *c, HANDLE *out_thread,
                        struct err *err)
{
    STARTUPINFOEXW start = { .StartupInfo = { .cb = sizeof(start),
                                              .dwFlags = STARTF_USESTDHANDLES,
                                              .hStdInput = l->null,
                                              .hStdOutput = l->output,
                                              .hStdError = l->output },
                             .lpAttributeList = l->attributes };
    PROCESS_INFORMATION made = { .hProcess = NULL };
    DWORD flags = CREATE_SUSPENDED | CREATE_NEW_PROCESS_GROUP | CREATE_UNICODE_ENVIRONMENT |
                  CREATE_DEFAULT_ERROR_MODE | EXTENDED_STARTUPINFO_PRESENT;
    c->shares_console = have_console();
    if (!c->shares_console)
        flags |= CREATE_NO_WINDOW;
    if (!CreateProcessW(l->program, l->line, NULL, NULL, TRUE, flags, l->env, l->folder,
                        &start.StartupInfo, &made))
        return start_failed(GetLastError(), err);
    c->process = made.hProcess;
    c->pid = made.dwProcessId;
    *out_thread = made.hThread;
    return E_OK;
}

static enum errc let_run(struct proc_child *c, HANDLE thread, struct err *err)
{
    enum errc rc = E_OK;
    if (!enter_jobs(c))
        rc = w32_err_set(err, GetLastError(), "cannot keep hold of the program");
    else if (ResumeThread(thread) == (DWORD)-1)
        rc = w32_err_set(err, GetLastError(), "cannot let the program run");
    (void)CloseHandle(thread);
    if (rc != E_OK)
        (void)TerminateProcess(c->process, 1);
    return rc;
}

static enum errc prepare(const struct proc_command *command, HANDLE output, struct launch *l,
                         struct err *err)
{
    enum errc rc = full_path(command->argv[0], &l->program, err);
    if (rc == E_OK)
        rc = make_line(command->argv, &l->line, err);
    if (rc == E_OK)
        rc = make_folder(command->folder, &l->folder, err);
    if (rc == E_OK)
        rc = proc_make_env(command, &l->env, err);
    if (rc == E_OK)
        rc = open_null(l, output, err);
    return rc == E_OK ? make_attributes(l, err) : rc;
}

enum errc proc_start(const struct proc_command *command, HANDLE output, struct proc_child *out,
                     struct err *err)
{
    struct launch l = { .null = INVALID_HANDLE_VALUE };
    struct proc_child child = { .process = NULL };
    HANDLE thread = NULL;
    enum errc rc = prepare(command, output, &l, err);
    if (rc == E_OK && !make_jobs(&child))
        rc = w32_err_set(err, GetLastError(), "cannot make a job for the program");
    if (rc == E_OK)
        rc = create(&l, &child, &thread, err);
    if (rc == E_OK)
        rc = let_run(&child, thread, err);
    if (rc == E_OK)
        *out = child;
    else
        proc_child_close(&child);
    if (l.attributes != NULL) {
        DeleteProcThreadAttributeList(l.attributes);
        free(l.attributes);
    }
    if (l.null != INVALID_HANDLE_VALUE)
        (void)CloseHandle(l.null);
    free(l.env);
    free(l.folder);
    free(l.line);
    free(l.program);
    return rc;
}
