#ifndef SUREFOOT_PLATFORM_MOCK_MACHINE_H
#define SUREFOOT_PLATFORM_MOCK_MACHINE_H

/* mock_machine.h: the machine as its own pieces see it. */

#include "platform/mock/mock_private.h"

#define MOCK_BOOT_ROOM HOST_BOOT_ID_ROOM

struct mock_program {
    char *tail;
    mock_program_fn fn;
    void *ctx;
};

struct mock_process {
    int64_t pid;
    int64_t started_s;
    char *path, *user, *holds;
};

/* A value of the registry; text NULL: there is none. */
struct mock_value {
    char *key, *name, *text;
};

/* A product that is installed: its package, and Windows Installer's copy of that. */
struct mock_installed {
    struct mock_package *package;
    char copy[200];
};

/* A scheduled task. */
struct mock_task {
    char *name, *xml;
};

/* A name that is there or not: a group, a mutex. */
struct mock_fact {
    char *name;
    bool holds;
};
struct mock_facts {
    struct mock_fact *items;
    size_t n, room;
};
bool mock_fact(const struct mock_facts *facts, const char *name);
void mock_set_fact(struct mock_facts *facts, const char *name, bool holds);

struct mock {
    struct platform platform;
    struct disk disk;
    int64_t clock_ms;     /* since 1970 */
    int64_t monotonic_ms; /* since it was started */
    uint64_t n_boots;
    uint64_t seed;
    bool is_elevated;
    bool is_windows; /* what the host has: registry, mutexes, tasks; of files it is the disk's */
    struct host_os os;
    int64_t last_pid;
    char own_program[400]; /* "": the usual one */
    struct mock_program *programs;
    size_t n_programs, room_programs;
    struct mock_process *processes;
    size_t n_processes, room_processes;
    struct mock_service **services;
    size_t n_services, room_services;
    struct mock_database *databases;
    size_t n_databases, room_databases;
    struct mock_facts groups, mutexes, denied_keys;
    struct mock_package **packages;
    size_t n_packages, room_packages;
    struct mock_installed *products;
    size_t n_products, room_products;
    struct mock_package *at_boot; /* of which a file is written then */
    bool is_installer_busy, is_restart_pending;
    struct mock_value *values;
    size_t n_values, room_values;
    struct mock_task *tasks;
    size_t n_tasks, room_tasks;
    struct mock_event *events;
    size_t n_events, room_events;
};

extern const struct fs_ops mock_fs_ops;
extern const struct proc_ops mock_proc_ops;
extern const struct host_ops mock_host_ops;
extern const struct service_ops mock_service_ops;
extern const struct db_ops mock_db_ops;
extern const struct registry_ops mock_registry_ops;
extern const struct msi_ops mock_msi_ops;
void mock_msi_boot(struct mock *m);
void mock_msi_fini(struct mock *m);
extern const struct task_ops mock_task_ops;
void mock_tasks_fini(struct mock *m);
void mock_registry_fini(struct mock *m);

/* mock_services_pass ends services whose time has come. */
void mock_services_pass(struct mock *m);
void mock_process_fini(struct mock_process *process);

/* mock_sink.c */
MUST_USE enum errc mock_open_source(struct mock *m, const char *path, bool follows,
                                    struct source **out_src, struct err *err);
MUST_USE enum errc mock_create(struct mock *m, const char *path, unsigned flags,
                               struct sink **out_sink, struct err *err);

#endif
