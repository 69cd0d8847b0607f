#ifndef SUREFOOT_PLATFORM_MOCK_DISK_H
#define SUREFOOT_PLATFORM_MOCK_DISK_H

/* disk.h: the disk of a machine in memory. Everything is there twice: as programs see it now, and
 * as it would be after the power went: contents that were flushed, names whose folder was flushed.
 * What lies between the two is pending, and a crash keeps any part of it.
 *
 *   a change of names (make, remove, rename, exchange) is one step: after a crash all of it or
 * none; of two that touch the same name the later is never kept without the earlier contents that
 * were not flushed are old, new, cut short, or of the new size with zeros in it a name may be kept
 * whose contents are not: then the file is empty
 *
 * Each change asks the plan (fault.h) first. Functions that only tests of this house call end the
 * program where there is no memory. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "platform/mock/fault.h"
#include "platform/platform.h"

struct disk_node;

struct disk_name {
    char *text;
    struct disk_node *node;
};

/* The names in a folder, sorted. */
struct disk_names {
    struct disk_name *items;
    size_t n, room;
};

/* What a node is, without its contents. */
struct disk_meta {
    unsigned mode;
    uint32_t owner, group;
    int64_t mtime_ns;
};

/* A file, folder or link. None is ever freed before the disk. */
struct disk_node {
    struct disk_node *next;
    uint64_t number;
    size_t volume;
    enum fs_kind kind;
    char *target;                          /* of a link */
    struct buf bytes, stable_bytes;        /* of a file */
    struct disk_names names, stable_names; /* of a folder */
    struct disk_meta meta, stable_meta;
    bool is_dirty;      /* bytes or meta are not as flushed */
    bool is_locked;     /* by somebody, as is_locked tells */
    unsigned n_readers; /* open sources */
    unsigned n_writers;
};

struct disk_volume {
    uint64_t capacity; /* bytes of files */
    bool is_read_only, can_exchange;
    struct disk_node *root;
};

/* Up to two assignments of names that are one step. node NULL: the name goes. */
struct disk_set {
    struct disk_node *folder;
    char *name;
    struct disk_node *node;
};
struct disk_change {
    struct disk_set set[2];
    size_t n;
    bool is_stable;
};

#define DISK_VOLUMES_MAX 8
struct disk {
    bool is_windows; /* names of either case are one; no links; what is open can't be moved */
    struct disk_volume volumes[DISK_VOLUMES_MAX];
    size_t n_volumes;
    struct disk_node *nodes; /* all of them */
    struct disk_change *pending;
    size_t n_pending, room_pending;
    uint64_t n_numbers;
    int64_t now_ns; /* of what is written next */
    const struct fault_plan *plan;
};

void disk_init(struct disk *d, bool is_windows);
void disk_fini(struct disk *d);

/* disk_mount makes a volume of its own at an empty folder; of a disk without one at "/". */
void disk_mount(struct disk *d, const char *path, uint64_t capacity);

/* --- looking */

/* Where a path leads: its folder, the last part of its name, and what is there (NULL: nothing). Of
 * the root, folder is NULL. */
struct disk_place {
    struct disk_node *folder;
    char name[256];
    struct disk_node *node;
};

/* disk_find walks a path from the root on. Links on the way are followed, the last one if
 * `follows`. E_ABSENT where a folder on the way is missing; E_ACCESS for links in a circle. */
MUST_USE enum errc disk_find(struct disk *d, const char *path, bool follows, struct disk_place *out,
                             struct err *err);
/* disk_get is the same for what must be there. */
MUST_USE enum errc disk_get(struct disk *d, const char *path, bool follows, struct disk_node **out,
                            struct err *err);
struct disk_node *disk_names_get(const struct disk *d, const struct disk_names *names,
                                 const char *name);
uint64_t disk_n_links(const struct disk *d, const struct disk_node *node);
uint64_t disk_free_bytes(const struct disk *d, size_t volume);
bool disk_is_root_of_volume(const struct disk *d, const struct disk_node *node);
/* disk_has_open is true if the node or anything below it is open. */
bool disk_has_open(const struct disk_node *node);

/* --- changing. `what` and `path` are for the plan. */

/* disk_node_new is a node that has no name yet. */
struct disk_node *disk_node_new(struct disk *d, size_t volume, enum fs_kind kind, unsigned mode);
/* disk_change takes over nothing: names are copied. */
MUST_USE enum errc disk_change(struct disk *d, const struct disk_change *change, const char *what,
                               const char *path, struct err *err);
/* disk_write adds bytes to a file: E_SPACE where the volume is full. */
MUST_USE enum errc disk_write(struct disk *d, struct disk_node *file, struct span bytes,
                              const char *path, struct err *err);
MUST_USE enum errc disk_cut(struct disk *d, struct disk_node *file, size_t size, const char *path,
                            struct err *err);
MUST_USE enum errc disk_set_meta(struct disk *d, struct disk_node *node,
                                 const struct disk_meta *meta, const char *what, const char *path,
                                 struct err *err);

/* --- making it last */

/* disk_flush is for a node's contents and meta; disk_flush_names for the names in a folder;
 * disk_flush_tree for all that is below a folder, and no more, whatever one system does. */
MUST_USE enum errc disk_flush(struct disk *d, struct disk_node *node, const char *path,
                              struct err *err);
MUST_USE enum errc disk_flush_names(struct disk *d, struct disk_node *folder, const char *path,
                                    struct err *err);
MUST_USE enum errc disk_flush_tree(struct disk *d, struct disk_node *folder, const char *path,
                                   struct err *err);

/* --- the power goes */

enum disk_loss_how {
    LOSS_NONE = 0, /* all that was done is kept */
    LOSS_ALL,      /* nothing that was not flushed */
    LOSS_FIRST,    /* names: the first n changes are kept; contents: nothing */
    LOSS_BUT_ONE,  /* all is kept but the nth change of names, and those that hang on it */
    LOSS_RANDOM,   /* any part, by the seed n */
};
struct disk_loss {
    enum disk_loss_how how;
    uint64_t n;
};

/* disk_n_pending is how many changes of names, and how many nodes, are not flushed. */
size_t disk_n_pending(const struct disk *d, size_t *out_n_dirty);
void disk_crash(struct disk *d, const struct disk_loss *loss);

#endif
