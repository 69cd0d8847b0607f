#ifndef SUREFOOT_WIN32_PROC_PARTS_H
#define SUREFOOT_WIN32_PROC_PARTS_H

/* proc_parts.h: operations of proc_ops that have files of their own (platform.h says what they do),
 * and what they share. */

#include <windows.h>

#include <restartmanager.h>

#include "platform/platform.h"
#include "platform/win32/w32.h"

#define PROC_WIDE_ROOM 32768 /* the longest path there is, and its end */
#define PROC_PATH_ROOM (3 * PROC_WIDE_ROOM)
#define PROC_NAME_ROOM 300

/* proc_look.c: one process, as the system shows it. Large: for the heap. */
struct proc_seen {
    struct proc_info info;        /* borrows from the rest */
    bool has_program;             /* its path may be known; false also of the kernel's own */
    bool is_hidden;               /* we may not look into it: `born` is 0 then */
    wchar_t wide[PROC_WIDE_ROOM]; /* the path as Windows has it */
    char path[PROC_PATH_ROOM], name[PROC_NAME_ROOM], user[PROC_NAME_ROOM];
};

/* What a list of processes says of each. */
struct proc_entry {
    DWORD pid;
    wchar_t name[MAX_PATH];
};

/* proc_entries lists all processes but the idle one, by number. Caller frees *out with free. */
MUST_USE enum errc proc_entries(struct proc_entry **out, size_t *out_n, struct err *err);

/* proc_look is E_ABSENT where there is no such process any more. */
MUST_USE enum errc proc_look(const struct proc_entry *entry, struct proc_seen *out,
                             struct err *err);

/* proc_born is when a process was created, in units of 100 ns since 1601; 0 where that is not told.
 */
uint64_t proc_born(HANDLE process);

/* proc_args.c: a command line as CommandLineToArgvW and the C runtime's start read it ("Parsing C
 * command-line arguments" of Microsoft's reference): whatever the arguments hold, a program that
 * reads it so gets them as they are. Appended to `line`, without a NUL. */
MUST_USE enum errc proc_quote(const char *const *argv, struct buf *line, struct err *err);

/* proc_check_program is E_ARGUMENT for a path that is not from a root on, and E_ACCESS for a batch
 * file: that would be read by cmd.exe, whose rules for what is a command no quoting satisfies. */
MUST_USE enum errc proc_check_program(const char *path, struct err *err);

/* proc_env.c: a block of variables for CreateProcessW: the few that Windows' own programs need,
 * from the system and not from our environment, and what the command names. Caller frees *out with
 * free.
 */
MUST_USE enum errc proc_make_env(const struct proc_command *command, wchar_t **out,
                                 struct err *err);

/* proc_child.c: a program, started. */
struct proc_child {
    HANDLE process;
    HANDLE tree; /* job of the program and of all that it starts: they can be ended */
    HANDLE life; /* job of the program alone: it ends where we do. Closed when it has ended */
    DWORD pid;
    bool shares_console; /* with us: so that CTRL_BREAK reaches it */
};
/* proc_start: output goes to `output` (NULL: nowhere). *out is as it was where this fails. */
MUST_USE enum errc proc_start(const struct proc_command *command, HANDLE output,
                              struct proc_child *out, struct err *err);
void proc_child_close(struct proc_child *child);

/* proc_run.c */
enum errc proc_run(void *self, const struct proc_command *command, struct proc_result *out,
                   struct err *err);

/* proc_end.c */
enum errc proc_terminate(void *self, int64_t pid, uint64_t born, int64_t grace_ms, struct err *err);

/* proc_ask_windows asks a process's windows to close; false where it has none that we can reach. */
bool proc_ask_windows(DWORD pid);

/* proc_open_files.c: which processes have files open, by the Restart Manager (rstrtmgr.dll; "About
 * Restart Manager" of Microsoft's reference). It is asked of our own program's file as well, which
 * we surely have open: an answer that does not name us is not believed, as wine's, which says that
 * all went well and names none. Not yet seen on Microsoft's own Windows. */
struct restart_manager {
    DWORD(WINAPI *start)(DWORD *out_session, DWORD flags, WCHAR *key);
    DWORD(WINAPI *add)
    (DWORD session, UINT n_files, LPCWSTR *files, UINT n_apps, RM_UNIQUE_PROCESS *apps,
     UINT n_services, LPCWSTR *services);
    DWORD(WINAPI *list)
    (DWORD session, UINT *needed, UINT *n, RM_PROCESS_INFO *infos, DWORD *reasons);
    DWORD(WINAPI *end)(DWORD session);
};
struct proc_open_files {
    bool is_believed; /* all files were asked of, and the answer names us */
    size_t n;
    RM_UNIQUE_PROCESS *items;
};
/* proc_open_files_read asks of the files below a folder (as Windows has its path), of the first
 * PROC_ASKED_MAX of them. Caller frees out->items with free. */
#define PROC_ASKED_MAX 2000
MUST_USE enum errc proc_open_files_read(const struct restart_manager *manager,
                                        const wchar_t *folder, struct proc_open_files *out,
                                        struct err *err);
/* proc_restart_manager is the system's; false where it has none. */
bool proc_restart_manager(struct restart_manager *out);

/* proc_holders.c. What is seen: programs, libraries, and what the Restart Manager says of files. A
 * process that has a folder below as its own is not seen: Windows tells that to nobody. */
enum errc proc_holders_by(const struct restart_manager *manager, const char *folder,
                          proc_holder_fn fn, void *ctx, size_t *out_n_hidden, struct err *err);
enum errc proc_holders(void *self, const char *folder, proc_holder_fn fn, void *ctx,
                       size_t *out_n_hidden, struct err *err);

#endif
