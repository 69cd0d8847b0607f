#ifndef SUREFOOT_PLATFORM_MOCK_MOCK_H
#define SUREFOOT_PLATFORM_MOCK_MOCK_H

/* mock.h: a machine in memory behind struct platform, for what can't be had in a test: the power
 * that goes at any instant, full disks, services that hang, databases of any size, Windows on
 * POSIX. It has files (disk.h), programs that are functions, services, databases, groups, mutexes,
 * a clock that moves only when it is told to or when somebody sleeps, and a list of what was
 * logged.
 *
 * What it does not do: run anything, or keep anything when it is freed. It is for tests, and ends
 * the program where there is no memory or a name is not one of its. One thread at a time. */

#include "platform/mock/disk.h"
#include "platform/mock/fault.h"

struct mock;

/* mock_new is an empty machine with one volume. With `is_windows` it has that system's files. */
struct mock *mock_new(bool is_windows);
void mock_free(struct mock *m);
struct platform *mock_platform(struct mock *m);

/* mock_plan: what goes wrong from now on with the disk, with programs that are run, and with
 * services that are started or stopped; NULL: nothing. */
void mock_plan(struct mock *m, const struct fault_plan *plan);

/* --- the clock: seconds since 1970. It stands but while somebody sleeps or mock_pass is called. */
void mock_set_clock(struct mock *m, int64_t unix_s);
void mock_pass(struct mock *m, int64_t ms);

/* --- files: whatever is above is made too, and all is flushed */
struct disk *mock_disk(struct mock *m);
void mock_put_folder(struct mock *m, const char *path, unsigned mode);
void mock_put_file(struct mock *m, const char *path, struct span bytes, unsigned mode);
void mock_put_link(struct mock *m, const char *path, const char *target);
/* mock_volume is the one that a path is on. */
struct disk_volume *mock_volume(struct mock *m, const char *path);
/* mock_set_locked: somebody holds a lock on the file, or does no more. */
void mock_set_locked(struct mock *m, const char *path, bool is_locked);

/* --- programs. One stands for every path that ends in `tail` ("/bin/orchardctl"). Its function
 * sets *out as proc_ops.run does (the default: exit code 0, no output). A path without one is
 * E_ABSENT.
 */
typedef enum errc (*mock_program_fn)(void *ctx, struct mock *m, const struct proc_command *command,
                                     struct proc_result *out, struct err *err);
void mock_add_program(struct mock *m, const char *tail, mock_program_fn fn, void *ctx);
/* mock_say adds to a program's output. */
void mock_say(struct proc_result *out, const char *text);

/* --- processes that run. `holds` is a folder or file that it has open, or NULL. */
int64_t mock_add_process(struct mock *m, const char *path, const char *user, const char *holds);
void mock_end_process(struct mock *m, int64_t pid);
bool mock_has_process(const struct mock *m, int64_t pid);

/* mock_set_own_program: where the program lies that is ours. */
void mock_set_own_program(struct mock *m, const char *path);

/* --- services */
/* STICKS, of a stop alone: it says that it stops, and comes to no end; nor does it start then. */
enum mock_turn { TURN_GOOD = 0, TURN_REFUSES, TURN_HANGS, TURN_DENIED, TURN_STICKS };
struct mock_service {
    char name[64];
    enum service_is is;
    int64_t pid;
    uint64_t n_starts;
    enum mock_turn start, stop;
    int64_t dies_after_ms; /* after its start; 0: never */
    int64_t started_ms;
    /* Called when it is to start, or NULL: E_OK and it runs. */
    enum errc (*on_start)(void *ctx, struct mock *m, struct mock_service *service, struct err *err);
    void *ctx;
};
/* mock_service is the service of that name, made (stopped) where it was not there. It stays where
 * it is. */
struct mock_service *mock_service(struct mock *m, const char *name);

/* --- databases, by connection string */
struct mock_database {
    const char *connection;
    enum db_kind kind;
    uint64_t size;
    enum errc open_code; /* E_OK: it answers */
    const char *const
        *rights; /* "ACCOUNT:RIGHT", of the connection's own ":RIGHT"; ended by NULL */
};
void mock_set_database(struct mock *m,
                       const struct mock_database *database); /* texts are borrowed */

/* --- Windows Installer: what a file with these bytes is, and how installing it ends. */
enum mock_install {
    INSTALL_GOOD = 0,
    INSTALL_NEEDS_RESTART, /* the first of its files is written when the machine starts again */
    INSTALL_FAILS,         /* at the end; Windows Installer puts the old product back itself */
    INSTALL_LEAVES_NONE,   /* at the end; neither is installed then */
    INSTALL_IS_BUSY,
    INSTALL_NONE_AT_FIRST, /* the first time it ends well, and nothing is installed */
    INSTALL_NONE,          /* the same each time */
    INSTALL_NOTHING,       /* it ends well, and all is as before */
};
struct mock_package_file {
    char *path; /* absolute */
    struct buf bytes;
};
struct mock_package {
    struct buf bytes; /* of the package itself */
    char upgrade_code[MSI_GUID_ROOM], code[MSI_GUID_ROOM], version[MSI_VERSION_ROOM];
    char folder[200]; /* that it goes into */
    enum mock_install install, remove;
    struct mock_package_file files[32];
    size_t n_files;
};
/* mock_add_package makes one known, empty but for these bytes; it stays where it is. */
struct mock_package *mock_add_package(struct mock *m, struct span bytes);
void mock_add_package_file(struct mock_package *p, const char *path, struct span bytes);
/* mock_find_product is the version that is installed of an upgrade code; "" if none is, "2" if more
 * than one. */
const char *mock_find_product(const struct mock *m, const char *upgrade_code);
/* mock_register_product: it is known as installed from now on, beside all others. */
void mock_register_product(struct mock *m, struct mock_package *package);
void mock_set_installer_busy(struct mock *m, bool is_busy);
void mock_set_restart_pending(struct mock *m, bool is_pending);

/* --- the host */
void mock_set_os(struct mock *m, const struct host_os *os);
void mock_set_group(struct mock *m, const char *name_or_sid, bool exists);
void mock_set_mutex(struct mock *m, const char *name, bool is_held);
void mock_set_elevated(struct mock *m, bool is_elevated);
/* A value of the registry, of a Windows alone; text NULL: none. A denied key can't be written. */
void mock_set_value(struct mock *m, const char *key, const char *value, const char *text);
void mock_set_key_denied(struct mock *m, const char *key, bool is_denied);

/* What was logged, the oldest first. */
struct mock_event {
    int id;
    enum host_level level;
    char *source, *text;
};
const struct mock_event *mock_events(const struct mock *m, size_t *out_n);

/* --- the end. mock_kill_us is what kill -9 leaves of us: our locks and open files go, all else
 * stays. mock_power_cut: the disk loses what `loss` says, no process and no service runs any more,
 * and the machine has been started again. */
void mock_kill_us(struct mock *m);
void mock_power_cut(struct mock *m, const struct disk_loss *loss);

#endif
