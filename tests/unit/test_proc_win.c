/* Processes of Windows: for Windows. What is run is tests/tools/win_child.c. */

#include "win_kit.h"

#include <restartmanager.h>
#include <shellapi.h>
#include <time.h>

#include "platform/win32/proc_parts.h"

static struct proc_result ran;
static char child[PATH_ROOM], library[PATH_ROOM];

static enum errc run_command(const struct proc_command *command)
{
    return CALL(proc, run, command, &ran);
}

/* The child with these arguments, with an answer that is asserted. */
static void run_child(const char *const *args, struct proc_command c)
{
    const char *argv[20] = { child };
    for (size_t i = 0; args[i] != NULL; i++)
        argv[i + 1] = args[i];
    c.argv = argv;
    if (c.timeout_ms == 0)
        c.timeout_ms = 20000;
    IS(E_OK, run_command(&c));
}
#define ARGS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void assert_output(const char *text)
{
    if (!span_equal_text(buf_span(&ran.output), text))
        print_error("the output is \"%.*s\"\n", (int)ran.output.len, (const char *)ran.output.ptr);
    assert_true(span_equal_text(buf_span(&ran.output), text));
    buf_fini(&ran.output);
}

/* ------------------------------------------------------------------------------- command lines */

static const struct {
    const char *args[4];
    const char *line;
} lines[] = {
    { { "C:/a b/x.exe" }, "\"C:\\a b\\x.exe\"" },
    { { "C:/x.exe", "plain", "-x=1" }, "\"C:\\x.exe\" plain -x=1" },
    { { "C:/x.exe", "" }, "\"C:\\x.exe\" \"\"" },
    { { "C:/x.exe", "two words", "a\tb" }, "\"C:\\x.exe\" \"two words\" \"a\tb\"" },
    { { "C:/x.exe", "a/b", "C:\\dir\\" }, "\"C:\\x.exe\" a/b C:\\dir\\" },
    { { "C:/x.exe", "C:\\my dir\\" }, "\"C:\\x.exe\" \"C:\\my dir\\\\\"" },
    { { "C:/x.exe", "C:\\my dir\\\\" }, "\"C:\\x.exe\" \"C:\\my dir\\\\\\\\\"" },
    { { "C:/x.exe", "say \"hi\"" }, "\"C:\\x.exe\" \"say \\\"hi\\\"\"" },
    { { "C:/x.exe", "\"" }, "\"C:\\x.exe\" \"\\\"\"" },
    { { "C:/x.exe", "a\\\"b" }, "\"C:\\x.exe\" \"a\\\\\\\"b\"" },
    { { "C:/x.exe", "a\\\\\"" }, "\"C:\\x.exe\" \"a\\\\\\\\\\\"\"" },
    { { "C:/x.exe", "a\\b c" }, "\"C:\\x.exe\" \"a\\b c\"" },
    { { "C:/x.exe", "&|<>^%PATH%" }, "\"C:\\x.exe\" &|<>^%PATH%" },
    { { "C:/x.exe", "a\nb\vc", "\xC3\xBC" }, "\"C:\\x.exe\" \"a\nb\vc\" \xC3\xBC" },
};

/* As Windows itself reads them. */
static void assert_read_as(const char *line, const char *const *args)
{
    wchar_t wide[1000];
    char text[1000];
    int n = 0;
    assert_true(MultiByteToWideChar(CP_UTF8, 0, line, -1, wide, 1000) > 0);
    wchar_t **read = CommandLineToArgvW(wide, &n);
    assert_non_null(read);
    for (int i = 1; i < n; i++) {
        assert_non_null(args[i]);
        assert_true(WideCharToMultiByte(CP_UTF8, 0, read[i], -1, text, 1000, NULL, NULL) > 0);
        assert_string_equal(text, args[i]);
    }
    assert_null(args[n]);
    (void)LocalFree(read);
}

static void arguments_are_quoted_so_that_windows_reads_them_as_they_are(void **state)
{
    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        const char *args[5] = { NULL };
        struct buf line;
        memcpy(args, lines[i].args, sizeof(lines[i].args));
        buf_init(&line, 1000);
        IS(E_OK, proc_quote(args, &line, &why));
        IS(E_OK, buf_add_byte(&line, '\0', &why));
        assert_string_equal((const char *)line.ptr, lines[i].line);
        assert_read_as((const char *)line.ptr, args);
        buf_fini(&line);
    }
}

static void a_program_reads_the_arguments_that_it_was_given(void **state)
{
    UNUSED(state);
    run_child(ARGS("args", "", "two words", "a\\\"b\\", "C:\\dir x\\", "%PATH% & ^", "\xC3\xBC"),
              (struct proc_command){ .output_max = 1000 });
    /* standard output of the child is text: it ends lines in CR LF */
    assert_output("\r\ntwo words\r\na\\\"b\\\r\nC:\\dir x\\\r\n%PATH% & ^\r\n\xC3\xBC\r\n");
}

static void only_programs_named_in_full_are_run_and_no_batch_files(void **state)
{
    static const char *const good[] = {
        "C:/x.exe",         "c:\\a b\\x.EXE", "//server/share/x.exe",
        "\\\\?\\C:\\x.exe", "C:/x.bat/y.exe", "C:/xbat"
    };
    static const char *const half[] = { "x.exe", "C:x.exe", "/x.exe", "./x.exe", "", "1:/x.exe" };
    static const char *const batch[] = { "C:/x.bat",       "C:/x.CMD",    "C:/x.bat.",
                                         "C:/x.cmd  ",     "C:/x.bAt. .", "C:/x.bat:y",
                                         "C:/x.exe:x.bat", "C:/.cmd" };
    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        IS(E_OK, proc_check_program(good[i], &why));
    for (size_t i = 0; i < ARRAY_LEN(half); i++)
        IS(E_ARGUMENT, proc_check_program(half[i], &why));
    for (size_t i = 0; i < ARRAY_LEN(batch); i++)
        IS(E_ACCESS, proc_check_program(batch[i], &why));
}

/* ----------------------------------------------------------------------------- what is not run */

static void a_command_that_makes_no_sense_is_refused(void **state)
{
    const char *bare[] = { "cmd.exe", NULL }, *none[] = { NULL }, *good[] = { child, NULL };
    const char *env[] = { "=x", NULL }, *no_equals[] = { "x", NULL };
    UNUSED(state);
    IS(E_ARGUMENT, run_command(&(struct proc_command){ .argv = bare, .timeout_ms = 1000 }));
    IS(E_ARGUMENT, run_command(&(struct proc_command){ .argv = none, .timeout_ms = 1000 }));
    IS(E_ARGUMENT, run_command(&(struct proc_command){ .argv = good }));
    IS(E_ARGUMENT,
       run_command(&(struct proc_command){ .argv = good, .timeout_ms = 1000, .env = env }));
    IS(E_ARGUMENT,
       run_command(&(struct proc_command){ .argv = good, .timeout_ms = 1000, .env = no_equals }));
}

static void a_program_that_cannot_be_run_is_an_error_of_ours(void **state)
{
    char text_file[PATH_ROOM], batch_file[PATH_ROOM], long_word[40000];
    const char *missing[] = { "C:/no/such/program.exe", NULL }, *good[] = { child, "env", NULL };
    const char *text[] = { below(state, "text.exe", text_file), NULL };
    const char *batch[] = { below(state, "x.bat", batch_file), NULL };
    const char *longer[] = { child, "args", long_word, NULL };
    make_file(text_file, "no program");
    make_file(batch_file, "echo ran > ran.txt\r\n");
    memset(long_word, 'x', sizeof(long_word) - 1);
    long_word[sizeof(long_word) - 1] = '\0';
    ran = (struct proc_result){ .end = PROC_NO_END };
    IS(E_ABSENT, run_command(&(struct proc_command){ .argv = missing, .timeout_ms = 1000 }));
    IS(E_ACCESS, run_command(&(struct proc_command){ .argv = text, .timeout_ms = 1000 }));
    IS(E_ACCESS, run_command(&(struct proc_command){ .argv = batch, .timeout_ms = 1000 }));
    SAYS("batch file");
    assert_int_equal(GetFileAttributesA("ran.txt"), INVALID_FILE_ATTRIBUTES);
    IS(E_LIMIT, run_command(&(struct proc_command){ .argv = longer, .timeout_ms = 1000 }));
    IS(E_ABSENT, run_command(&(struct proc_command){
                     .argv = good, .timeout_ms = 1000, .folder = "C:/no/such/folder" }));
    SAYS("folder");
    assert_int_equal(ran.end, PROC_NO_END);
}

static void no_program_is_run_as_another_user(void **state)
{
    char own[257];
    DWORD len = sizeof(own);
    const char *argv[] = { child, "exit", "4", NULL };
    struct proc_command c = { .argv = argv, .timeout_ms = 20000, .user = own };
    UNUSED(state);
    assert_true(GetUserNameA(own, &len));
    IS(E_OK, run_command(&c));
    assert_int_equal(ran.code, 4);
    c.user = "no-such-user-here";
    IS(E_ABSENT, run_command(&c));
    SAYS("no-such-user-here");
    c.user = "LOCAL SERVICE";
    IS(E_UNSUPPORTED, run_command(&c));
    SAYS("password");
}

/* -------------------------------------------------------------------------------- how it ends */

static void exit_codes_are_told(void **state)
{
    UNUSED(state);
    run_child(ARGS("exit", "0"), (struct proc_command){ .user = NULL });
    assert_int_equal(ran.end, PROC_EXITED);
    assert_int_equal(ran.code, 0);
    run_child(ARGS("exit", "3010"), (struct proc_command){ .user = NULL });
    assert_int_equal(ran.end, PROC_EXITED);
    assert_int_equal(ran.code, 3010);
    run_child(ARGS("exit", "0xC0000005"), (struct proc_command){ .user = NULL });
    assert_int_equal((unsigned)ran.code, 0xC0000005U);
}

static DWORD read_pid(const char *file)
{
    char text[24] = "";
    FILE *f = fopen(file, "rb");
    assert_non_null(f);
    assert_true(fread(text, 1, sizeof(text) - 1, f) > 0);
    (void)fclose(f);
    return (DWORD)strtoul(text, NULL, 10);
}

static void await_file(const char *file)
{
    for (int i = 0; i < 3000 && GetFileAttributesA(file) == INVALID_FILE_ATTRIBUTES; i++)
        Sleep(10);
    assert_int_not_equal(GetFileAttributesA(file), INVALID_FILE_ATTRIBUTES);
}

/* Its end may take a moment. */
static bool is_alive(DWORD pid, DWORD within_ms)
{
    HANDLE process = OpenProcess(SYNCHRONIZE, FALSE, pid);
    if (process == NULL)
        return false;
    const bool alive = WaitForSingleObject(process, within_ms) == WAIT_TIMEOUT;
    (void)CloseHandle(process);
    return alive;
}

static void end(DWORD pid)
{
    HANDLE process = OpenProcess(PROCESS_TERMINATE | SYNCHRONIZE, FALSE, pid);
    assert_non_null(process);
    (void)TerminateProcess(process, 1);
    assert_int_equal(WaitForSingleObject(process, 10000), WAIT_OBJECT_0);
    (void)CloseHandle(process);
}

/* Wine delivers no CTRL_BREAK: there it is as one that ignores it. */
static void what_runs_too_long_is_asked_to_end(void **state)
{
    const int64_t grace_ms = is_wine() ? 500 : 20000;
    run_child(ARGS("break", "ready"),
              (struct proc_command){
                  .timeout_ms = 3000, .grace_ms = grace_ms, .output_max = 100, .folder = *state });
    assert_int_equal(ran.end, PROC_TIMED_OUT);
    assert_true(ran.took_ms >= 3000 && ran.took_ms < 15000);
    assert_output(is_wine() ? "on\r\n" : "on\r\nasked\r\n");
}

static void what_ignores_that_is_ended_with_its_children(void **state)
{
    run_child(ARGS("stay", "child", "deaf", "deaf ready"),
              (struct proc_command){ .timeout_ms = 3000, .grace_ms = 300, .folder = *state });
    assert_int_equal(ran.end, PROC_TIMED_OUT);
    assert_true(ran.took_ms >= 3000 && ran.took_ms < 12000);
    assert_int_not_equal(GetFileAttributesA("deaf ready"), INVALID_FILE_ATTRIBUTES);
    assert_false(is_alive(read_pid("child"), 5000));
    run_child(ARGS("deaf", "ready"),
              (struct proc_command){ .timeout_ms = 2000, .grace_ms = 300, .folder = *state });
    assert_int_equal(ran.end, PROC_TIMED_OUT);
    assert_true(ran.took_ms >= 2300 && ran.took_ms < 12000);
}

static void what_it_leaves_in_the_background_is_not_waited_for(void **state)
{
    run_child(ARGS("start", "child", "pid", "own"),
              (struct proc_command){ .output_max = 100, .folder = *state });
    assert_int_equal(ran.end, PROC_EXITED);
    assert_true(ran.took_ms < 15000);
    assert_output("");
    assert_true(is_alive(read_pid("child"), 300));
    end(read_pid("child"));
}

/* The child is killed while it runs another, which has started a third. */
static void what_we_run_ends_where_we_are_killed_and_what_it_started_stays(void **state)
{
    STARTUPINFOA start = { .cb = sizeof(start) };
    PROCESS_INFORMATION made;
    char line[2000], first[PATH_ROOM];
    (void)snprintf(line, sizeof(line),
                   "\"%s\" run runner run \"%s/second\" stay \"%s/third\" pid \"%s/own\"", child,
                   (const char *)*state, (const char *)*state, (const char *)*state);
    (void)text_copy(first, sizeof(first), child);
    assert_true(CreateProcessA(first, line, NULL, NULL, FALSE, 0, NULL, NULL, &start, &made));
    await_file("own");
    const DWORD second = read_pid("second"), third = read_pid("third");
    assert_true(is_alive(second, 0));
    assert_true(is_alive(third, 0));
    assert_true(TerminateProcess(made.hProcess, 1));
    assert_false(is_alive(second, 5000));
    assert_true(is_alive(third, 300));
    end(third);
    (void)CloseHandle(made.hThread);
    (void)CloseHandle(made.hProcess);
}

/* -------------------------------------------------------------------------------- what it gets */

static void output_is_kept_up_to_its_cap(void **state)
{
    UNUSED(state);
    run_child(ARGS("write", "8", "0"), (struct proc_command){ .output_max = 8 });
    assert_false(ran.is_output_cut);
    assert_output("xxxxxxxx");
    run_child(ARGS("write", "9", "0"), (struct proc_command){ .output_max = 8 });
    assert_true(ran.is_output_cut);
    assert_output("xxxxxxxx");
    run_child(ARGS("write", "1000000", "5"), (struct proc_command){ .output_max = 1000 });
    assert_true(ran.is_output_cut);
    assert_int_equal(ran.code, 5);
    assert_int_equal(ran.output.len, 1000);
    buf_fini(&ran.output);
    run_child(ARGS("write", "1000000", "6"), (struct proc_command){ .output_max = 2000000 });
    assert_false(ran.is_output_cut);
    assert_int_equal(ran.output.len, 1000000);
    buf_fini(&ran.output);
    run_child(ARGS("write", "1000000", "7"), (struct proc_command){ .output_max = 0 });
    assert_int_equal(ran.code, 7);
    assert_int_equal(ran.output.len, 0);
}

/* The value of a variable in the output; "" where it is not there. */
static const char *value_of(const char *name, char to[PATH_ROOM])
{
    char *all = calloc(1, ran.output.len + 2);
    char start[100];
    assert_non_null(all);
    all[0] = '\n';
    memcpy(all + 1, ran.output.ptr, ran.output.len);
    (void)snprintf(start, sizeof(start), "\n%s=", name);
    const char *found = strstr(all, start);
    to[0] = '\0';
    if (found != NULL)
        (void)snprintf(to, PATH_ROOM, "%.*s", (int)strcspn(found + strlen(start), "\r\n"),
                       found + strlen(start));
    free(all);
    return to;
}

static void the_environment_is_clean(void **state)
{
    const char *env[] = { "path=C:\\own", "ORCHARD=\xC3\xBC=1", NULL };
    char value[PATH_ROOM], expected[PATH_ROOM], windows[MAX_PATH];
    UNUSED(state);
    assert_true(GetSystemWindowsDirectoryA(windows, MAX_PATH) > 0);
    assert_true(SetEnvironmentVariableA("SECRET", "1"));
    assert_true(SetEnvironmentVariableA("TEMP", "C:\\planted"));
    run_child(ARGS("env"), (struct proc_command){ .output_max = 100000 });
    assert_string_equal(value_of("SECRET", value), "");
    assert_string_equal(value_of("SystemRoot", value), windows);
    (void)snprintf(expected, sizeof(expected),
                   "%s\\system32;%s;%s\\system32\\Wbem;%s\\system32\\WindowsPowerShell\\v1.0",
                   windows, windows, windows, windows);
    assert_string_equal(value_of("PATH", value), expected);
    assert_string_not_equal(value_of("TEMP", value), "");
    if (platform_native()->proc->is_elevated(NULL))
        assert_string_not_equal(value_of("TEMP", value), "C:\\planted");
    buf_fini(&ran.output);
    run_child(ARGS("env"), (struct proc_command){ .output_max = 100000, .env = env });
    assert_string_equal(value_of("path", value), "C:\\own");
    assert_string_equal(value_of("PATH", value), "");
    buf_fini(&ran.output);
    assert_true(SetEnvironmentVariableA("SECRET", NULL));
}

static void input_files_and_folder_are_clean(void **state)
{
    SECURITY_ATTRIBUTES inherit = { .nLength = sizeof(inherit), .bInheritHandle = TRUE };
    char number[24], expected[100];
    make_file("kept", "x");
    HANDLE leak =
        CreateFileA("kept", GENERIC_READ, FILE_SHARE_READ, &inherit, OPEN_EXISTING, 0, NULL);
    assert_true(leak != INVALID_HANDLE_VALUE);
    (void)snprintf(number, sizeof(number), "%llu", (unsigned long long)(uintptr_t)leak);
    run_child(ARGS("about", number), (struct proc_command){ .output_max = 1000 });
    (void)CloseHandle(leak);
    (void)snprintf(expected, sizeof(expected), "%c:\\\r\n1 0\r\n0\r\n", 'C');
    assert_output(expected);
    run_child(ARGS("about", "0"), (struct proc_command){ .output_max = 1000, .folder = *state });
    assert_true(ran.output.len > strlen(*state));
    assert_memory_equal((const char *)ran.output.ptr + 2, "\\", 1);
    buf_fini(&ran.output);
}

/* ------------------------------------------------------------------------------ who else is there
 */

struct wanted {
    int64_t pid;
    bool is_found;
    int n_seen;
    int64_t last_pid;
    uint64_t born;
    int64_t started_s;
    char path[PATH_ROOM], name[100], user[100];
    enum proc_hold how;
    char held[PATH_ROOM];
};

static enum errc look_for(void *ctx, const struct proc_info *info, struct err *err)
{
    struct wanted *w = ctx;
    UNUSED(err);
    assert_true(info->pid > w->last_pid);
    w->last_pid = info->pid;
    w->n_seen++;
    if (info->pid != w->pid)
        return E_OK;
    w->is_found = true;
    w->born = info->born;
    w->started_s = info->started_s;
    (void)text_copy(w->path, sizeof(w->path), info->path);
    (void)text_copy(w->name, sizeof(w->name), info->name);
    (void)text_copy(w->user, sizeof(w->user), info->user);
    return E_OK;
}

static enum errc look_for_holder(void *ctx, const struct proc_info *info, enum proc_hold how,
                                 const char *held, struct err *err)
{
    struct wanted *w = ctx;
    if (info->pid == w->pid) {
        w->how = how;
        (void)text_copy(w->held, sizeof(w->held), held);
    }
    return look_for(ctx, info, err);
}

static enum errc stop_at_once(void *ctx, const struct proc_info *info, struct err *err)
{
    int *n = ctx;
    UNUSED(info);
    ++*n;
    return err_set(err, E_LIMIT, "enough");
}

/* A program with arguments, which runs when this returns; `ready` is the file that it makes then.
 */
static DWORD start(const char *program, const char *args, const char *ready)
{
    STARTUPINFOA info = { .cb = sizeof(info) };
    PROCESS_INFORMATION made;
    char line[2000];
    (void)snprintf(line, sizeof(line), "x %s", args);
    assert_true(CreateProcessA(program, line, NULL, NULL, FALSE, 0, NULL, NULL, &info, &made));
    (void)CloseHandle(made.hThread);
    (void)CloseHandle(made.hProcess);
    await_file(ready);
    assert_true(DeleteFileA(ready));
    return made.dwProcessId;
}

static struct wanted listed(DWORD pid)
{
    struct wanted w = { .pid = pid };
    IS(E_OK, CALL(proc, list, look_for, &w));
    return w;
}

static void processes_are_listed_with_program_start_and_user(void **state)
{
    char path[PATH_ROOM], own[257];
    DWORD len = sizeof(own);
    assert_true(CopyFileA(child, below(state, "odd ) name.exe", path), TRUE));
    const DWORD pid = start(path, "pid ready", "ready");
    struct wanted w = listed(pid);
    assert_true(w.is_found);
    assert_true(w.n_seen > 1);
    assert_string_equal(w.path, path);
    assert_string_equal(w.name, "odd ) name.exe");
    assert_true(GetUserNameA(own, &len));
    assert_string_equal(w.user, own);
    assert_true(w.born != 0);
    assert_true(w.started_s > (int64_t)time(NULL) - 120 && w.started_s <= (int64_t)time(NULL) + 2);
    HANDLE kept = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, pid);
    end(pid);
    /* its number is still taken, as we hold on to it */
    assert_false(listed(pid).is_found);
    (void)CloseHandle(kept);
    int n = 0;
    IS(E_LIMIT, CALL(proc, list, stop_at_once, &n));
    assert_int_equal(n, 1);
}

static void our_own_program_is_known(void **state)
{
    char path[PATH_ROOM], few[4];
    UNUSED(state);
    IS(E_OK, CALL(proc, own_program, path, sizeof(path)));
    assert_null(strchr(path, '\\'));
    assert_int_equal(path[1], ':');
    assert_non_null(strstr(path, "/test_proc_win.exe"));
    assert_string_equal(listed(GetCurrentProcessId()).path, path);
    IS(E_LIMIT, CALL(proc, own_program, few, sizeof(few)));
}

/* A Restart Manager that says what the test has put here. */
static struct {
    int n_started, n_ended;
    DWORD start_fails, add_fails, list_fails;
    UINT n_files;
    bool names_us, names_child;
    UINT n_others; /* more than there is room for at first */
    RM_UNIQUE_PROCESS asked_for;
} fake;

static DWORD WINAPI fake_start(DWORD *out_session, DWORD flags, WCHAR *key)
{
    UNUSED(flags);
    UNUSED(key);
    *out_session = 7;
    fake.n_started++;
    return fake.start_fails;
}
static DWORD WINAPI fake_add(DWORD session, UINT n_files, LPCWSTR *files, UINT n_apps,
                             RM_UNIQUE_PROCESS *apps, UINT n_services, LPCWSTR *services)
{
    UNUSED(files);
    UNUSED(apps);
    UNUSED(services);
    assert_int_equal(session, 7);
    assert_int_equal(n_apps + n_services, 0);
    fake.n_files = n_files;
    return fake.add_fails;
}
static void tell(RM_PROCESS_INFO *infos, UINT room, UINT *n, DWORD pid, uint64_t born)
{
    if (*n < room) {
        infos[*n] = (RM_PROCESS_INFO){ .Process = { .dwProcessId = pid } };
        infos[*n].Process.ProcessStartTime.dwLowDateTime = (DWORD)born;
        infos[*n].Process.ProcessStartTime.dwHighDateTime = (DWORD)(born >> 32);
    }
    ++*n;
}
static DWORD WINAPI fake_list(DWORD session, UINT *needed, UINT *n, RM_PROCESS_INFO *infos,
                              DWORD *reasons)
{
    const UINT room = *n;
    UINT told = 0;
    UNUSED(reasons);
    assert_int_equal(session, 7);
    if (fake.list_fails != 0)
        return fake.list_fails;
    for (UINT i = 0; i < fake.n_others; i++)
        tell(infos, room, &told, 0x7FFF0000 + i, 1);
    if (fake.names_us)
        tell(infos, room, &told, GetCurrentProcessId(), 1);
    if (fake.names_child)
        tell(infos, room, &told, fake.asked_for.dwProcessId,
             (uint64_t)fake.asked_for.ProcessStartTime.dwHighDateTime << 32 |
                 fake.asked_for.ProcessStartTime.dwLowDateTime);
    *needed = told;
    *n = told < room ? told : room;
    return told > room ? ERROR_MORE_DATA : ERROR_SUCCESS;
}
static DWORD WINAPI fake_end(DWORD session)
{
    assert_int_equal(session, 7);
    fake.n_ended++;
    return ERROR_SUCCESS;
}
static const struct restart_manager fake_manager = { fake_start, fake_add, fake_list, fake_end };

static struct wanted holder(const char *folder, DWORD pid, const struct restart_manager *manager,
                            size_t *out_n_hidden)
{
    struct wanted w = { .pid = pid };
    IS(E_OK, proc_holders_by(manager, folder, look_for_holder, &w, out_n_hidden, &why));
    return w;
}

static void who_holds_a_folder_is_found_without_the_restart_manager(void **state)
{
    char path[PATH_ROOM], folder[PATH_ROOM], args[2 * PATH_ROOM];
    size_t n_hidden = 0;
    assert_true(CreateDirectoryA("tree", NULL) && CreateDirectoryA("tree2", NULL));
    assert_true(CopyFileA(child, below(state, "tree/x.exe", path), TRUE));
    DWORD pid = start(path, "pid ready", "ready");
    (void)below(state, "tree", folder);
    struct wanted w = holder(folder, pid, NULL, &n_hidden);
    assert_true(w.is_found);
    assert_int_equal(w.how, PROC_HOLDS_PROGRAM);
    assert_string_equal(w.held, path);
    /* by another's letters of the same names, and with a slash at its end */
    (void)below(state, "TREE/", folder);
    assert_true(holder(folder, pid, NULL, &n_hidden).is_found);
    (void)below(state, "tree2", folder);
    assert_false(holder(folder, pid, NULL, &n_hidden).is_found);
    assert_true(n_hidden > 0);
    end(pid);
    /* a library of the folder, in a program of another */
    assert_true(CopyFileA(library, below(state, "tree2/y.dll", path), TRUE));
    (void)snprintf(args, sizeof(args), "load \"%s\" ready", path);
    pid = start(child, args, "ready");
    w = holder(folder, pid, NULL, &n_hidden);
    assert_true(w.is_found);
    assert_int_equal(w.how, PROC_HOLDS_LIBRARY);
    assert_string_equal(w.held, path);
    end(pid);
    IS(E_ABSENT, CALL(proc, holders, "C:/no/such/folder", look_for_holder, &w, &n_hidden));
}

static void an_answer_of_the_restart_manager_that_does_not_name_us_is_not_believed(void **state)
{
    struct wanted w;
    size_t n_hidden = 0;
    const DWORD pid = start(child, "pid ready", "ready");
    make_file("a", "x");
    make_file("b", "x");
    assert_true(CreateDirectoryA("c", NULL));
    make_file("c/d", "x");
    memset(&fake, 0, sizeof(fake));
    w = holder(*state, pid, &fake_manager, &n_hidden);
    assert_false(w.is_found);
    assert_int_equal(fake.n_files, 4); /* and our own program */
    assert_true(n_hidden >= 1);
    const size_t n_all = n_hidden;
    fake.names_us = true;
    w = holder(*state, pid, &fake_manager, &n_hidden);
    assert_false(w.is_found);
    assert_true(n_hidden < n_all);
    const size_t n_ours = n_hidden; /* processes of the system that we can't look into */
    fake.names_us = false;
    fake.start_fails = ERROR_SEM_TIMEOUT;
    (void)holder(*state, pid, &fake_manager, &n_hidden);
    assert_true(n_hidden > n_ours);
    fake.names_us = true;
    fake.start_fails = 0;
    fake.add_fails = ERROR_ACCESS_DENIED;
    (void)holder(*state, pid, &fake_manager, &n_hidden);
    assert_true(n_hidden > n_ours);
    fake.add_fails = 0;
    fake.list_fails = ERROR_WRITE_FAULT;
    (void)holder(*state, pid, &fake_manager, &n_hidden);
    assert_true(n_hidden > n_ours);
    assert_int_equal(fake.n_started, 5);
    assert_int_equal(fake.n_ended, 4);
    end(pid);
}

static void who_has_a_file_open_is_what_the_restart_manager_says(void **state)
{
    size_t n_hidden = 0;
    const DWORD pid = start(child, "pid ready", "ready");
    const uint64_t born = listed(pid).born;
    memset(&fake, 0, sizeof(fake));
    fake.names_us = fake.names_child = true;
    fake.n_others = 100;
    fake.asked_for.dwProcessId = pid;
    fake.asked_for.ProcessStartTime =
        (FILETIME){ .dwLowDateTime = (DWORD)born, .dwHighDateTime = (DWORD)(born >> 32) };
    struct wanted w = holder(*state, pid, &fake_manager, &n_hidden);
    assert_true(w.is_found);
    assert_int_equal(w.how, PROC_HOLDS_FILE);
    assert_string_equal(w.held, *state);
    /* another process that had the number before */
    fake.asked_for.ProcessStartTime.dwLowDateTime ^= 1;
    assert_false(holder(*state, pid, &fake_manager, &n_hidden).is_found);
    end(pid);
}

static void more_files_than_are_asked_of_leave_the_rest_unknown(void **state)
{
    char name[40];
    size_t n_few = 0, n_many = 0;
    memset(&fake, 0, sizeof(fake));
    fake.names_us = true;
    for (int i = 0; i < PROC_ASKED_MAX; i++) {
        (void)snprintf(name, sizeof(name), "f%d", i);
        make_file(name, "");
        if (i == PROC_ASKED_MAX - 2)
            (void)holder(*state, 0, &fake_manager, &n_few);
    }
    assert_int_equal(fake.n_files, PROC_ASKED_MAX);
    (void)holder(*state, 0, &fake_manager, &n_many);
    assert_int_equal(fake.n_files, PROC_ASKED_MAX);
    assert_true(n_many > n_few);
}

/* Wine's Restart Manager says that all went well, and names none: no one may take that for "nobody
 * holds it". On Windows it names the process. */
static void the_systems_own_answer_is_not_believed_more_than_it_deserves(void **state)
{
    char path[PATH_ROOM];
    size_t n_hidden = 0;
    assert_true(CreateDirectoryA("tree", NULL));
    make_file("tree/data", "x");
    SECURITY_ATTRIBUTES inherit = { .nLength = sizeof(inherit), .bInheritHandle = TRUE };
    HANDLE data =
        CreateFileA("tree/data", GENERIC_READ, FILE_SHARE_READ, &inherit, OPEN_EXISTING, 0, NULL);
    STARTUPINFOA info = { .cb = sizeof(info) };
    PROCESS_INFORMATION made;
    assert_true(CreateProcessA(child, (char[]){ "x pid ready" }, NULL, NULL, TRUE, 0, NULL, NULL,
                               &info, &made));
    (void)CloseHandle(data);
    await_file("ready");
    struct wanted w = { .pid = made.dwProcessId };
    (void)below(state, "tree", path);
    IS(E_OK, CALL(proc, holders, path, look_for_holder, &w, &n_hidden));
    assert_true(w.is_found || n_hidden > 0);
    if (!is_wine())
        assert_true(w.is_found);
    end(made.dwProcessId);
    (void)CloseHandle(made.hThread);
    (void)CloseHandle(made.hProcess);
}

/* ----------------------------------------------------------------------------------------- ending
 */

static enum errc terminate(DWORD pid, uint64_t born, int64_t grace_ms)
{
    return CALL(proc, terminate, pid, born, grace_ms);
}

static void a_process_is_ended_and_no_other(void **state)
{
    UNUSED(state);
    const DWORD pid = start(child, "pid ready", "ready");
    const uint64_t born = listed(pid).born;
    /* what had the number before is gone, and this one stays */
    IS(E_OK, terminate(pid, born - 1, 0));
    assert_true(is_alive(pid, 100));
    IS(E_ACCESS, terminate(pid, 0, 0));
    assert_true(is_alive(pid, 100));
    IS(E_OK, terminate(pid, born, 0));
    assert_false(is_alive(pid, 0));
    IS(E_OK, terminate(pid, born, 0));
    IS(E_ARGUMENT, terminate(GetCurrentProcessId(), 1, 0));
    IS(E_ARGUMENT, terminate(0, 1, 0));
    IS(E_ARGUMENT, terminate(4, 1, 0));
}

static bool can_make_windows(void)
{
    HWND window =
        CreateWindowExW(0, L"static", L"x", WS_OVERLAPPED, 0, 0, 9, 9, NULL, NULL, NULL, NULL);
    (void)DestroyWindow(window);
    return window != NULL;
}

static void a_program_with_a_window_is_asked_first(void **state)
{
    DWORD code = 0;
    UNUSED(state);
    if (is_wine() && !can_make_windows())
        skip();
    const DWORD pid = start(child, "window ready", "ready");
    HANDLE process = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, pid);
    assert_non_null(process);
    IS(E_OK, terminate(pid, listed(pid).born, 20000));
    assert_true(GetExitCodeProcess(process, &code));
    assert_int_equal(code, 33); /* as it ends on its own */
    (void)CloseHandle(process);
}

/* Wine without a display makes no windows, but with this driver, which shows them nowhere. It is
 * looked at when the first window of its server is made. */
static void let_windows_be(void)
{
    static const wchar_t none[] = L"null";
    if (is_wine())
        assert_int_equal(RegSetKeyValueW(HKEY_CURRENT_USER, L"Software\\Wine\\Drivers", L"Graphics",
                                         REG_SZ, none, sizeof(none)),
                         ERROR_SUCCESS);
}

static int find_programs(void **state)
{
    UNUSED(state);
    let_windows_be();
    (void)made_program("SUREFOOT_CHILD", child);
    (void)made_program("SUREFOOT_LIBRARY", library);
    return 0;
}

#define IN_FOLDER(name) cmocka_unit_test_setup_teardown(name, enter_folder, leave_folder)
int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arguments_are_quoted_so_that_windows_reads_them_as_they_are),
        cmocka_unit_test(a_program_reads_the_arguments_that_it_was_given),
        cmocka_unit_test(only_programs_named_in_full_are_run_and_no_batch_files),
        cmocka_unit_test(a_command_that_makes_no_sense_is_refused),
        IN_FOLDER(a_program_that_cannot_be_run_is_an_error_of_ours),
        cmocka_unit_test(no_program_is_run_as_another_user),
        cmocka_unit_test(exit_codes_are_told),
        IN_FOLDER(what_runs_too_long_is_asked_to_end),
        IN_FOLDER(what_ignores_that_is_ended_with_its_children),
        IN_FOLDER(what_it_leaves_in_the_background_is_not_waited_for),
        IN_FOLDER(what_we_run_ends_where_we_are_killed_and_what_it_started_stays),
        cmocka_unit_test(output_is_kept_up_to_its_cap),
        cmocka_unit_test(the_environment_is_clean),
        IN_FOLDER(input_files_and_folder_are_clean),
        IN_FOLDER(processes_are_listed_with_program_start_and_user),
        cmocka_unit_test(our_own_program_is_known),
        IN_FOLDER(who_holds_a_folder_is_found_without_the_restart_manager),
        IN_FOLDER(an_answer_of_the_restart_manager_that_does_not_name_us_is_not_believed),
        IN_FOLDER(who_has_a_file_open_is_what_the_restart_manager_says),
        IN_FOLDER(more_files_than_are_asked_of_leave_the_rest_unknown),
        IN_FOLDER(the_systems_own_answer_is_not_believed_more_than_it_deserves),
        IN_FOLDER(a_process_is_ended_and_no_other),
        IN_FOLDER(a_program_with_a_window_is_asked_first),
    };
    return cmocka_run_group_tests(tests, find_programs, NULL);
}
