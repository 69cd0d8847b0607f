#ifndef SUREFOOT_MANIFEST_PRODUCT_CHECKS_H
#define SUREFOOT_MANIFEST_PRODUCT_CHECKS_H

/* product_checks.h: what must hold on the machine before anything is stopped. Each check says which
 * result it yields where it does not hold; those that have a word of their own need not.
 *
 *   <process name="orchard-admin" action="terminate" terminate-after="PT4H"/>
 *   <service name="postgresql.service" state="running"/>
 *   <database connection-file="orchard.dsn">
 *     <kind is="postgresql sqlite"/>  <right name="CREATE" account="orchard"/>
 *     <size below="8GiB"/>
 *   </database>
 *   <group name="orchard"/>              or  sid="S-1-5-32-544"
 *   <disk headroom="1GiB" folder="/var"/>
 *   <lock file="run/backup.lock"/>       or  mutex="Global\Orchard"
 *   <schedule/>                          the product's own <scheduler> is on
 *   <setting file="conf/orchard.ini" format="ini" key="server/role"
 * result="UpgradeNotSupported..."> <equals>primary</equals>           or  <not-equals>, <present/>,
 * <absent/>
 *   </setting>
 *   <os result="UpgradeNotSupportedOldSystem"><is name="debian" minimum="12"/></os>
 *   <command result="UpgradeAbortedBusy"><arg>bin/idle</arg><exit code="9" result="Success"/>
 *   </command>
 *
 * What it does not check: whether anything named is there. */

#include <stdbool.h>
#include <stdint.h>

#include "manifest/product_command.h"
#include "manifest/product_setting.h"
#include "manifest/result.h"
#include "manifest/schema.h"
#include "manifest/version.h"

enum check_kind {
    CHECK_PROCESS,
    CHECK_SERVICE,
    CHECK_DATABASE,
    CHECK_GROUP,
    CHECK_DISK,
    CHECK_LOCK,
    CHECK_SCHEDULE,
    CHECK_SETTING,
    CHECK_OS,
    CHECK_COMMAND,
};

/* A program that must not run: one of the two is NULL. */
enum process_action { PROCESS_WAIT, PROCESS_TERMINATE };
struct check_process {
    const char *name, *path;
    int action;                /* enum process_action */
    int64_t terminate_after_s; /* how long an upgrade waits for it first; 0: for ever */
};

enum service_state { SERVICE_RUNNING, SERVICE_STOPPED };
struct check_service {
    const char *name;
    int state; /* enum service_state: what it must be */
};

/* Bits of `kinds`, as 1 << this. */
enum database_kind {
    DATABASE_LOCALDB,
    DATABASE_SQLSERVER,
    DATABASE_POSTGRESQL,
    DATABASE_MYSQL,
    DATABASE_SQLITE,
};
extern const char *const database_kind_words[];

struct check_right {
    const char *name;    /* in the database's own words */
    const char *account; /* who must have it; NULL: the account of the connection */
    const char *result;
};

/* The check's own result is for a database that can't be reached. */
struct check_database {
    const char *connection;      /* ODBC; one of the two is NULL */
    const char *connection_file; /* its one line is the connection */
    uint32_t kinds;              /* what it may be; 0: anything */
    const char *kind_result;
    uint64_t below_bytes; /* its size must be below this; 0: no limit */
    const char *size_result;
    LIST_OF(struct check_right) rights;
};

struct check_group {
    const char *name, *sid; /* one of them is NULL */
};

/* Room beyond what the release takes: on the volumes that an upgrade writes to, or on that of
 * `folder`. */
struct check_disk {
    uint64_t headroom_bytes;
    const char *folder;
};

/* Held by somebody: one of them is NULL. */
struct check_lock {
    const char *file, *mutex;
};

struct check_text {
    const char *text;
};

/* One of: is among `equals`; is not among `unequal` (also where it is absent); is there; is not. */
struct check_setting {
    struct product_setting place;
    LIST_OF(struct check_text) equals, unequal;
    bool is_present, is_absent;
};

/* "linux" is asked for its kernel's version, "windows" for its own; other names are IDs of
 * os-release, asked for VERSION_ID. */
struct check_os_is {
    const char *name;
    struct version minimum; /* zeroed: any */
};
struct check_os {
    LIST_OF(struct check_os_is) is; /* any one of them */
};

struct check_exit {
    uint64_t code;
    const char *result; /* "Success": it holds */
};
struct check_command {
    struct product_command command;
    LIST_OF(struct check_exit)
    exits; /* 0 is success; a code that is not here, the check's result */
};

struct product_check {
    int kind;           /* enum check_kind */
    const char *result; /* result_check_named; never NULL */
    union {
        struct check_process process;
        struct check_service service;
        struct check_database database;
        struct check_group group;
        struct check_disk disk;
        struct check_lock lock;
        struct check_setting setting;
        struct check_os os;
        struct check_command command;
    } of;
};

/* The lists of <checks> and of <default-state>. */
struct check_list {
    LIST_OF(struct product_check) checks;
};

/* product_checks_phase: where in the order of work a result that a check of this kind yields
 * stands. NotSupported is of the configuration, a word that we know has its place, and all others
 * go by the kind. */
enum result_phase product_checks_phase(enum check_kind kind, const char *result);

/* product_checks_have is true if the list has a check of this kind. */
bool product_checks_have(const struct check_list *list, enum check_kind kind);

#endif
