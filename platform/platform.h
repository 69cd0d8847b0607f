#ifndef SUREFOOT_PLATFORM_PLATFORM_H
#define SUREFOOT_PLATFORM_PLATFORM_H

/* platform.h: the machine, as tables of operations. Code above this folder calls these and never
 * the system. There is a native machine (posix or win32, chosen at link time). Every operation
 * exists on every platform; one that is missing returns E_UNSUPPORTED, never success. Paths are
 * UTF-8.
 *
 * Today: what verification needs. Services, processes, databases and Windows Installer get tables
 * of their own. */

#include <stdbool.h>
#include <stdint.h>

#include "platform/base/err.h"
#include "platform/base/span.h"
#include "platform/sink.h"
#include "platform/source.h"

struct buf;

enum fs_kind { FS_ABSENT = 0, FS_FILE, FS_FOLDER, FS_OTHER, FS_LINK };

/* What stands at a path, links not followed. Where `id`, `size` and `mtime_ns` are as they were, it
 * is most likely the same file with the same bytes. */
struct fs_info {
    enum fs_kind kind;
    uint64_t size; /* bytes of a file, else 0 */
    unsigned mode; /* permission bits, setuid, setgid and sticky (07777); 0644 or 0755 on Windows */
    int64_t mtime_ns; /* last written, nanoseconds since 1970 */
    uint64_t id[2];   /* device and file number */
};

/* Called with each name in a folder, without its path. An error ends the listing. */
typedef enum errc (*fs_name_fn)(void *ctx, const char *name, struct err *err);

struct fs_ops {
    /* What is at the path, links followed. E_OK and FS_ABSENT where there is nothing. */
    enum errc (*kind)(void *self, const char *path, enum fs_kind *out_kind, struct err *err);
    /* The names in a folder, sorted bytewise, without "." and "..". */
    enum errc (*list)(void *self, const char *folder, fs_name_fn fn, void *ctx, struct err *err);
    /* source_file_open. */
    enum errc (*open_source)(void *self, const char *path, struct source **out_src,
                             struct err *err);
    /* sink_file_create. */
    enum errc (*create)(void *self, const char *path, unsigned flags, struct sink **out_sink,
                        struct err *err);
    /* What is at the path itself; the last component may be a link (FS_LINK). E_OK and FS_ABSENT
     * where there is nothing. */
    enum errc (*stat_link)(void *self, const char *path, struct fs_info *out, struct err *err);
    /* Appends the target of a symbolic link, as it is stored. E_ARGUMENT where there is none,
     * E_LIMIT past the buf's cap, E_UNSUPPORTED on Windows. */
    enum errc (*read_link)(void *self, const char *path, struct buf *out, struct err *err);
    /* Takes a file away; a symbolic link itself, never a folder. E_ABSENT where there is none. */
    enum errc (*remove)(void *self, const char *path, struct err *err);
    /* Makes a folder that is not there; its own folder must be. E_EXISTS where anything has the
     * name. */
    enum errc (*make_folder)(void *self, const char *path, struct err *err);
    /* Takes an empty folder away; E_BUSY where it is not empty. */
    enum errc (*remove_folder)(void *self, const char *path, struct err *err);
    /* May others than the owner and the administrator read or write the file (links followed)?
     * E_UNSUPPORTED where that is not known: Windows. */
    enum errc (*is_shared)(void *self, const char *path, bool *out_shared, struct err *err);
};

typedef enum errc (*host_cert_fn)(void *ctx, struct span der, struct err *err);

struct host_ops {
    int64_t (*now)(void *self); /* seconds since 1970 */
    /* The configuration folder: /etc/surefoot, for an ordinary user that has one
     * ~/.config/surefoot; on Windows ProgramData\Surefoot. Written to `to` (room bytes). */
    enum errc (*config_folder)(void *self, char *to, size_t room, struct err *err);
    /* Certificates that the system trusts for everything, as far as it keeps such a store itself:
     * the ROOT store on Windows; elsewhere none, and E_OK. */
    enum errc (*system_anchors)(void *self, host_cert_fn fn, void *ctx, struct err *err);
};

struct platform {
    const struct fs_ops *fs;
    const struct host_ops *host;
    void *self;
};

/* platform_native is the machine that we run on. Never NULL, never freed. */
struct platform *platform_native(void);

/* platform_read_file reads a whole file of at most `cap` bytes. Caller frees *out with buf_fini. */
MUST_USE enum errc platform_read_file(struct platform *p, const char *path, size_t cap,
                                      struct buf *out, struct err *err);

/* platform_write_file makes a file of these bytes, whole or not at all: sink.h says how, and what
 * `flags` (enum sink_flags) mean. */
MUST_USE enum errc platform_write_file(struct platform *p, const char *path, struct span bytes,
                                       unsigned flags, struct err *err);

#endif
