#ifndef SUREFOOT_PLATFORM_PLATFORM_H
#define SUREFOOT_PLATFORM_PLATFORM_H

/* platform.h: the machine, as tables of operations: files (fs), processes (proc) and the host
 * itself. Services, databases, the registry, Windows Installer and scheduled tasks have pages of
 * their own (service.h, db.h, registry.h, msi.h, task.h). Code above this folder calls these and
 * never the system. There is a native machine (posix or win32, chosen at link time). Every
 * operation exists on every platform; one that is missing returns E_UNSUPPORTED, never success.
 *
 * Paths and names are UTF-8. A link in the last component of a path is never followed unless the
 * operation says so; links before it are, so an elevated caller has the folders judged first
 * (fs.guard). Errors are by what a caller does about them: E_ABSENT it is not there, E_EXISTS the
 * place is taken, E_ACCESS we may not (or others may, and must not), E_BUSY try later, E_SPACE make
 * room, E_UNSUPPORTED take another way. Their texts are to follow the path: "cannot open: ...".
 * What a callback is given is valid until it returns. */

#include <stdbool.h>
#include <stdint.h>

#include "platform/base/buf.h"
#include "platform/base/err.h"
#include "platform/base/os_path.h"
#include "platform/base/span.h"
#include "platform/db.h"
#include "platform/msi.h"
#include "platform/registry.h"
#include "platform/service.h"
#include "platform/sink.h"
#include "platform/source.h"
#include "platform/task.h"
#include "platform/witness.h"

/* ------------------------------------------------------------------------------------- files */

enum fs_kind { FS_ABSENT = 0, FS_FILE, FS_FOLDER, FS_OTHER, FS_LINK };

/* What stands at a path, links not followed. Where `id`, `size` and `mtime_ns` are as they were, it
 * is most likely the same file with the same bytes. */
struct fs_info {
    enum fs_kind kind;
    uint64_t size; /* bytes of a file, else 0 */
    unsigned mode; /* permission bits, setuid, setgid and sticky (07777); on Windows see set_mode */
    bool has_mode; /* the file system keeps what set_mode sets; not so on Windows */
    int64_t mtime_ns;      /* last written, nanoseconds since 1970 */
    uint64_t id[2];        /* volume and file number */
    uint64_t n_links;      /* names that the file has */
    uint32_t owner, group; /* numbers; 0 on Windows */
};

/* Whose word counts on a path. A zeroed one is no ruling, and not safe. */
struct fs_guard {
    bool is_safe;
    char path[512]; /* else: the first component that is not safe, */
    char why[120];  /* and why: "belongs to user 1000" */
};
enum fs_guard_flags {
    /* A link is judged as any other component, and then what it leads to; without this flag a link
     * is not safe. For programs that the system itself keeps behind links. */
    FS_GUARD_LINKS = 1
};

/* Called with each name in a folder, without its path. An error ends the listing. */
typedef enum errc (*fs_name_fn)(void *ctx, const char *name, struct err *err);

struct fs_lock; /* a file that we hold alone */

struct fs_ops {
    /* --- looking */
    /* What is at the path, links followed. E_OK and FS_ABSENT where there is nothing. */
    enum errc (*kind)(void *self, const char *path, enum fs_kind *out_kind, struct err *err);
    /* The names in a folder (links followed), sorted bytewise, without "." and "..". */
    enum errc (*list)(void *self, const char *folder, fs_name_fn fn, void *ctx, struct err *err);
    /* source_file_open: links followed. */
    enum errc (*open_source)(void *self, const char *path, struct source **out_src,
                             struct err *err);
    /* The same, and a link is E_ACCESS. */
    enum errc (*open_source_nofollow)(void *self, const char *path, struct source **out_src,
                                      struct err *err);
    /* What is at the path itself; the last component may be a link (FS_LINK). E_OK and FS_ABSENT
     * where there is nothing. */
    enum errc (*stat_link)(void *self, const char *path, struct fs_info *out, struct err *err);
    /* Appends the target of a symbolic link, as it is stored; on Windows that of a junction, too,
     * relative to the link's folder where it is below that, with slashes. E_ARGUMENT where there is
     * none, E_LIMIT past the buf's cap. */
    enum errc (*read_link)(void *self, const char *path, struct buf *out, struct err *err);
    /* May others than the owner and the administrator read or write the file (links followed)? */
    enum errc (*is_shared)(void *self, const char *path, bool *out_shared, struct err *err);
    /* Judges every component of a path from the root on: each must be there (else E_ABSENT), belong
     * to root or to us, and be writable by no one else, through an access list neither. A sticky
     * folder, as /tmp, may be on the way and not at the end. What is judged is what stands there
     * now; it stays so as no one but root and us can change it. On Windows: root is SYSTEM,
     * Administrators or TrustedInstaller, and when elevated by User Account Control our own user
     * doesn't count, as its programs without those rights could do the same. As a sticky folder
     * counts one in which others may make names, and neither take one away nor rename it (C:\ and
     * ProgramData as Windows makes them); a path on another machine is not safe. */
    enum errc (*guard)(void *self, const char *path, unsigned flags, struct fs_guard *out,
                       struct err *err);
    /* Is another volume, or another part of this one, mounted at the folder? */
    enum errc (*is_mount_point)(void *self, const char *path, bool *out_is, struct err *err);
    /* Has any process the regular file open for writing? E_ACCESS where it is not ours to ask,
     * E_UNSUPPORTED where the file system can't tell. On Windows also where one lets nobody read
     * it. */
    enum errc (*has_writer)(void *self, const char *path, bool *out_has, struct err *err);
    /* Is the file locked by somebody (flock, fcntl; on Windows LockFileEx, or opened so that nobody
     * else may read it)? False where there is none. */
    enum errc (*is_locked)(void *self, const char *path, bool *out_is, struct err *err);
    /* May we make and take away names in the folder, and is its volume not read-only? */
    enum errc (*can_write)(void *self, const char *folder, bool *out_can, struct err *err);
    /* Bytes that we may still write on the volume that the path is on (links followed). */
    enum errc (*free_bytes)(void *self, const char *path, uint64_t *out_bytes, struct err *err);

    /* --- making: each is E_EXISTS where anything has the name */
    /* sink_file_create, which says when it replaces. */
    enum errc (*create)(void *self, const char *path, unsigned flags, struct sink **out_sink,
                        struct err *err);
    /* Makes a folder that is not there; its own folder must be. */
    enum errc (*make_folder)(void *self, const char *path, struct err *err);
    /* The same, for its owner alone (0700; on Windows for SYSTEM, Administrators and, unless we are
     * elevated, our user, with nothing inherited from above). E_ACCESS, and none is made, where the
     * file system can't keep it from others. */
    enum errc (*make_private_folder)(void *self, const char *path, struct err *err);
    /* The same, and everyone may enter and read it (0755, whatever the umask; on Windows nothing is
     * inherited from above either). E_ACCESS, and none is made, where others could change it. */
    enum errc (*make_readable_folder)(void *self, const char *path, struct err *err);
    /* Makes a symbolic link at `path`; the target is stored as it is given. E_UNSUPPORTED on
     * Windows. */
    enum errc (*make_link)(void *self, const char *target, const char *path, struct err *err);
    /* Gives a regular file another name on the same volume. E_UNSUPPORTED: another volume, no more
     * names, or one that a program has open such that no name of it can be flushed or taken away
     * (Windows: as a program that runs is). */
    enum errc (*hard_link)(void *self, const char *from, const char *to, struct err *err);
    /* Makes a file (mode 0600) that shares the regular file's blocks until one of them is written.
     * E_UNSUPPORTED, and none is made, where the file system can't. */
    enum errc (*clone)(void *self, const char *from, const char *to, struct err *err);

    /* --- changing */
    /* Takes a file away; a link itself, never a folder. E_ABSENT where there is none. What is
     * marked as read-only goes, too. */
    enum errc (*remove)(void *self, const char *path, struct err *err);
    /* Takes an empty folder away; E_BUSY where it is not empty. */
    enum errc (*remove_folder)(void *self, const char *path, struct err *err);
    /* Sets the permission bits (07777) of a file or folder; E_ARGUMENT for a link, which has none.
     * Windows has no such bits, and two of their meanings are kept: what no one else may enter
     * becomes readable by everyone with a mode that has 04, and what others may enter becomes
     * private with one that has nothing of 077. Any other mode changes nothing, so that a list that
     * an administrator set stays. What fs_info has is then 0600 (a folder's 0700) where no one else
     * may enter, 0644 (0755) where some may read, 0666 (0777) where some may change it. */
    enum errc (*set_mode)(void *self, const char *path, unsigned mode, struct err *err);
    /* Makes `to` be like `from`, of the same kind, in all but its contents and times: owner, group,
     * permission bits (setuid and setgid of a file never), access list, other attributes. Those by
     * which the system trusts contents (capabilities, integrity) are never copied. On Windows:
     * owner, group, access list; read-only, hidden, system, archive, not indexed. E_ACCESS where
     * that is not ours to give; `to` is then in between, and never more open than one of both. */
    enum errc (*copy_owner_and_attributes)(void *self, const char *from, const char *to,
                                           struct err *err);
    /* Sets owner and group, numbers as in fs_info, of a file, folder or link. E_UNSUPPORTED on
     * Windows. */
    enum errc (*set_owner)(void *self, const char *path, uint32_t owner, uint32_t group,
                           struct err *err);
    /* Sets when a file, folder or link was last written. */
    enum errc (*set_mtime)(void *self, const char *path, int64_t mtime_ns, struct err *err);
    /* Gives a file, folder or link another name on the same volume; E_EXISTS where that is taken.
     * E_UNSUPPORTED: another volume, or a file system that can't do this in one step. */
    enum errc (*rename_new)(void *self, const char *from, const char *to, struct err *err);
    /* Each gets the other's name, in one step; E_UNSUPPORTED where the file system can't. */
    enum errc (*exchange)(void *self, const char *a, const char *b, struct err *err);
    /* Makes the symbolic link `link` lead to `target`, in one step, whether it was there or not.
     * E_EXISTS where something that is no link has its name. On Windows it is a junction, which
     * leads to a folder on this machine by its absolute path; a relative target is one from the
     * folder that the link is in, and where that gets another name the link leads to the old one.
     * E_UNSUPPORTED where the file system keeps none. */
    enum errc (*point)(void *self, const char *link, const char *target, struct err *err);
    /* Adds a record to the end of a regular file of ours, made private where there is none, and
     * flushes both. Where that fails the file is cut to what it was, as far as possible. E_ACCESS
     * for a link, a file of another owner's, with a second name, or that others may write. */
    enum errc (*append)(void *self, const char *path, struct span record, struct err *err);
    /* Cuts a file of ours (as append has it) to its first `size` bytes, and flushes it; E_TRUNCATED
     * where it has fewer. */
    enum errc (*cut)(void *self, const char *path, uint64_t size, struct err *err);

    /* --- making it last */
    /* Flushes the names in a folder (links followed) to the device. NTFS and ReFS log them in
     * order: there a folder that we may not open for writing is E_OK. */
    enum errc (*sync_folder)(void *self, const char *folder, struct err *err);
    /* Flushes all that is below a folder to the device, contents and names. E_BUSY: all but what
     * others have open such that it can't be (Windows: a program that runs). */
    enum errc (*flush_tree)(void *self, const char *folder, struct err *err);

    /* --- one at a time */
    /* Locks a file (made private where there is none, never removed) until unlock or until we die.
     * E_BUSY, at once, where another holds it; the text says who, as far as that is known. E_ACCESS
     * as append has it. */
    enum errc (*lock)(void *self, const char *path, struct fs_lock **out_lock, struct err *err);
    /* Ends and frees the lock; NULL is fine. */
    void (*unlock)(void *self, struct fs_lock *lock);
};

/* --------------------------------------------------------------------------------- processes */

/* A process. `pid` and `born` together never mean another one, as long as the machine runs. */
struct proc_info {
    int64_t pid;
    uint64_t born;     /* on the system's own scale */
    int64_t started_s; /* seconds since 1970 */
    const char *path;  /* of its program; "" where we may not know */
    const char *name;  /* its short name; any process may choose its own */
    const char *user;  /* name, or number where it has none */
};
typedef enum errc (*proc_fn)(void *ctx, const struct proc_info *info, struct err *err);

/* Why a process holds a folder: the first of these that is so, and what it holds. */
enum proc_hold { PROC_HOLDS_PROGRAM, PROC_HOLDS_FOLDER, PROC_HOLDS_FILE, PROC_HOLDS_LIBRARY };
typedef enum errc (*proc_holder_fn)(void *ctx, const struct proc_info *info, enum proc_hold how,
                                    const char *held, struct err *err);

/* A program to be run. */
struct proc_command {
    const char *const *argv; /* ended by NULL; argv[0] is the program's absolute path */
    const char *user;        /* whose rights it has, with all groups; NULL: ours */
    const char *folder;      /* where it starts; NULL: the root folder */
    const char *const *env;  /* "NAME=value", ended by NULL, or NULL: what is beside PATH, LANG */
    int64_t timeout_ms;      /* above 0 */
    int64_t grace_ms;        /* from being asked to end to being ended */
    size_t output_max;       /* bytes to keep; 0: its output goes nowhere */
};

/* How it ended; a zeroed one says nothing. A program that ran too long and then ended in whatever
 * way is PROC_TIMED_OUT. */
enum proc_end { PROC_NO_END = 0, PROC_EXITED, PROC_SIGNALLED, PROC_TIMED_OUT };
struct proc_result {
    enum proc_end end;
    int code; /* PROC_EXITED: exit code; PROC_SIGNALLED: the signal's number */
    int64_t took_ms;
    struct buf output;  /* standard output and error, as they came; caller frees with buf_fini */
    bool is_output_cut; /* there was more */
};

struct proc_ops {
    /* Each process, by pid, links to programs resolved. Those that end meanwhile may be missing. */
    enum errc (*list)(void *self, proc_fn fn, void *ctx, struct err *err);
    /* Each process but ours that has something below the folder (links followed) open, mapped, or
     * as its own folder. *out_n_hidden of all are ones that we may not look into: where it is not
     * 0, no holder seen does not mean that there is none. */
    enum errc (*holders)(void *self, const char *folder, proc_holder_fn fn, void *ctx,
                         size_t *out_n_hidden, struct err *err);
    /* Runs a program without a shell, in a session of its own, with standard input from nowhere and
     * none of our files, and waits for its end. What it leaves running in the background stays, but
     * its output then has no reader: start such ones with output_max 0. After timeout_ms its
     * process group is asked to end, and is ended when grace_ms have passed or the program itself
     * is gone. E_OK says that it ran; *out says the rest. E_ABSENT: no such program or user;
     * E_ACCESS: it can't be run, or only root can change the user. */
    enum errc (*run)(void *self, const struct proc_command *command, struct proc_result *out,
                     struct err *err);
    /* Asks the process to end, and ends it after grace_ms. E_OK when it is gone, also if it was
     * before; E_BUSY if it did not go. E_ARGUMENT for ourselves and for the first process. */
    enum errc (*terminate)(void *self, int64_t pid, uint64_t born, int64_t grace_ms,
                           struct err *err);
    /* The absolute path of the program that is running: ours. */
    enum errc (*own_program)(void *self, char *to, size_t room, struct err *err);
    /* Do we have rights beyond those of whoever set up our environment: root, or by the file? */
    bool (*is_elevated)(void *self);
};

/* -------------------------------------------------------------------------------------- host */

typedef enum errc (*host_cert_fn)(void *ctx, struct span der, struct err *err);

struct host_os {
    char os[16];      /* of target_os_words in manifest/feed.h, or the system's own word */
    char arch[16];    /* likewise of target_arch_words: the kernel's, not this program's */
    char id[64];      /* of the distribution: "debian"; "" where it does not say */
    char version[64]; /* "12" */
    char kernel[64];  /* "6.1.0-13-amd64" */
};

enum host_zone { HOST_UTC = 0, HOST_LOCAL };
struct host_time {
    int year, month, day; /* month 1..12, day 1..31 */
    int weekday;          /* 0 is Sunday */
    int minute;           /* of the day, 0..1439 */
    int second;           /* of the minute, 0..60 */
    int offset_s;         /* local less UTC */
};

enum host_folder { HOST_STATE, HOST_CACHE, HOST_CONFIG };

/* How a system says which proxy a connection is to go over. */
enum host_proxy {
    HOST_PROXY_ENVIRONMENT = 0, /* it keeps no setting: by http_proxy and the like, if at all */
    HOST_PROXY_NONE,            /* straight to the host */
    HOST_PROXY_NAMED,
};
#define HOST_PROXY_ROOM 300

enum host_level { HOST_INFO = 0, HOST_WARNING, HOST_ERROR };

#define HOST_MACHINE_ID_LEN 16
#define HOST_BOOT_ID_ROOM 40
#define HOST_SOURCE_ROOM 129 /* of log_event: what a product file may name is never cut */

struct host_ops {
    int64_t (*now)(void *self); /* seconds since 1970 */
    /* Milliseconds from some moment on; no one sets this clock. */
    int64_t (*monotonic_ms)(void *self);
    void (*sleep_ms)(void *self, int64_t ms);
    /* Calendar time in a zone. E_ARGUMENT where that has no such year. */
    enum errc (*calendar)(void *self, int64_t unix_s, enum host_zone zone, struct host_time *out,
                          struct err *err);
    /* The configuration folder: /etc/surefoot, for an ordinary user that has one
     * ~/.config/surefoot; on Windows ProgramData\Surefoot. Written to `to` (room bytes). */
    enum errc (*config_folder)(void *self, char *to, size_t room, struct err *err);
    /* Where a product's state, what was fetched for it, and configuration are kept unless its file
     * says otherwise: /var/lib/surefoot, /var/cache/surefoot, /etc/surefoot; of an ordinary user
     * ~/.local/state/surefoot, ~/.cache/surefoot, ~/.config/surefoot, whether there or not; on
     * Windows ProgramData\Surefoot\state, \cache, \config. */
    enum errc (*usual_folder)(void *self, enum host_folder which, char *to, size_t room,
                              struct err *err);
    /* The path from the root on: what it is relative to is the folder that we were started in. */
    enum errc (*absolute_path)(void *self, const char *path, char *to, size_t room,
                               struct err *err);
    /* The folder for temporary files; not from the environment when elevated. */
    enum errc (*temp_folder)(void *self, char *to, size_t room, struct err *err);
    /* Certificates that the system trusts for everything, as far as it keeps such a store itself:
     * the ROOT store on Windows; elsewhere none, and E_OK. */
    enum errc (*system_anchors)(void *self, host_cert_fn fn, void *ctx, struct err *err);
    /* What the machine has of its own since it was set up. It is not to be shown, sent or stored as
     * it is: callers hash it together with a constant of theirs. E_ABSENT where it has none:
     * callers then keep random bytes of their own. */
    enum errc (*machine_id)(void *self, uint8_t to[HOST_MACHINE_ID_LEN], struct err *err);
    /* Another text after each start of the machine. */
    enum errc (*boot_id)(void *self, char to[HOST_BOOT_ID_ROOM], struct err *err);
    /* Unpredictable bytes. */
    enum errc (*random)(void *self, uint8_t *to, size_t len, struct err *err);
    /* The machine's own name. */
    enum errc (*name)(void *self, char *to, size_t room, struct err *err);
    enum errc (*os)(void *self, struct host_os *out, struct err *err);
    /* Is there a group of that name? An error where that can't be found out. */
    enum errc (*group_exists)(void *self, const char *name, bool *out_exists, struct err *err);
    /* Is there a group whose security identifier is that ("S-1-5-32-544")? The word is the
     * machine's own, and where that can be asked its domain's; an account that is no group is none.
     * An error where that can't be found out, E_ARGUMENT where it is no identifier, E_UNSUPPORTED
     * where groups have none. */
    enum errc (*sid_exists)(void *self, const char *sid, bool *out_exists, struct err *err);
    /* Does another thread than the caller's, of whatever process, own the mutex of that name
     * ("Global\Orchard") right now? One that is not there is not held, nor is one that is there
     * and free, or whose owner ended without giving it back. It is asked by waiting for it for no
     * time: what is free is ours for that moment, and given back before this returns. E_ACCESS: it
     * is there, and we may not wait for it; E_ARGUMENT: that is the name of something else;
     * E_UNSUPPORTED where mutexes have no names. */
    enum errc (*mutex_held)(void *self, const char *name, bool *out_held, struct err *err);
    /* The system's own proxy for a host ("files.example.org") and a scheme ("https"): for
     * HOST_PROXY_NAMED its URL to `to`. E_UNSUPPORTED where a script would have to choose it. */
    enum errc (*proxy_for)(void *self, const char *scheme, const char *host, enum host_proxy *out,
                           char to[HOST_PROXY_ROOM], struct err *err);
    /* Writes one record to the system's log: to the journal or syslog, to Windows' event log.
     * Control characters in `source`, of which less than HOST_SOURCE_ROOM bytes count, and `text`
     * are shown as such, so that it stays one record of one line. E_UNSUPPORTED where no one takes
     * it. */
    enum errc (*log_event)(void *self, int id, enum host_level level, const char *source,
                           const char *text, struct err *err);
};

/* ------------------------------------------------------------------------------- the machine */

struct platform {
    const struct fs_ops *fs;
    const struct proc_ops *proc;
    const struct host_ops *host;
    const struct service_ops *service;
    const struct db_ops *db;
    const struct registry_ops *registry;
    const struct msi_ops *msi;
    const struct task_ops *task;
    const struct witness_ops *witness;
    enum os_path_style paths; /* how people there write paths; ours have "/" everywhere */
    void *self;
};

/* platform_native is the machine that we run on. Never NULL, never freed. */
struct platform *platform_native(void);

/* platform_read_file reads a whole file of at most `cap` bytes. Caller frees *out with buf_fini. */
MUST_USE enum errc platform_read_file(struct platform *p, const char *path, size_t cap,
                                      struct buf *out, struct err *err);

/* platform_fill_from_file is the same, and leaves *out to the caller also where it fails: for bytes
 * that must be wiped. */
MUST_USE enum errc platform_fill_from_file(struct platform *p, const char *path, size_t cap,
                                           struct buf *out, struct err *err);

/* platform_write_file makes a file of these bytes, whole or not at all: sink.h says how, and what
 * `flags` (enum sink_flags) mean. */
MUST_USE enum errc platform_write_file(struct platform *p, const char *path, struct span bytes,
                                       unsigned flags, struct err *err);

#endif
