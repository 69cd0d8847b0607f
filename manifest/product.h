#ifndef SUREFOOT_MANIFEST_PRODUCT_H
#define SUREFOOT_MANIFEST_PRODUCT_H

/* product.h: all that this machine says of a product that Surefoot keeps up to date
 * (urn:surefoot:product:1, product.rng; surefoot-product(5) has every word). The file is local,
 * written by the administrator or the product's installer. It alone names commands.
 *
 *   <product xmlns="urn:surefoot:product:1" name="orchard" title="Orchard" channel="stable">
 *     <install kind="archive" folder="/opt/orchard" switch="auto"/>
 *     <fetch rate-limit="10MiB">
 *       <feed url="https://updates.example.org/orchard/feed.xml"/>
 *       <proxy use="system"/>
 *     </fetch>
 *     <folders state="/var/lib/surefoot/orchard" cache="/var/cache/surefoot/orchard"/>
 *     <marker registry="HKLM\SOFTWARE\..." value="UpgradeInProgress"/>
 *     <trust>...</trust>             product_trust.h
 *     <services>, <scheduler>, <health>   product_service.h
 *     <checks>...</checks>           product_checks.h
 *     <files>...</files>             product_files.h
 *     <policy>...</policy>           product_policy.h
 *   </product>
 *
 * Every file and folder is as it was written: absolute, or relative to the product file.
 *
 * What it does not check: to whom the file and all that it names belong, and whether it exists. */

#include <stdbool.h>
#include <stdint.h>

#include "manifest/arena.h"
#include "manifest/feed.h"
#include "manifest/product_checks.h"
#include "manifest/product_files.h"
#include "manifest/product_policy.h"
#include "manifest/product_service.h"
#include "manifest/product_trust.h"
#include "manifest/release.h"
#include "platform/base/err.h"
#include "platform/base/span.h"

#define PRODUCT_NS "urn:surefoot:product:1"
#define PRODUCT_BYTES_MAX (256 * 1024)

enum switch_mode {
    SWITCH_AUTO,     /* exchange where the file system can, else pointer */
    SWITCH_EXCHANGE, /* the new folder and the old one change names */
    SWITCH_POINTER,  /* `current` points to the folder of a version */
};

#define PRODUCT_OS_HOST (-1) /* of os and arch: the machine's own */

struct product_install {
    int kind;                 /* enum payload_kind (release.h) */
    int os, arch;             /* enum target_os, target_arch (feed.h), or PRODUCT_OS_HOST */
    const char *folder;       /* NULL: of an MSI, where Windows Installer says */
    const char *upgrade_code; /* of an MSI; else NULL */
    int switch_mode;          /* enum switch_mode, of an archive */
};

struct product_feed {
    const char *url;  /* https, file, or http */
    bool allows_http; /* http to another machine: only where the file says so */
};

enum proxy_use { PROXY_SYSTEM, PROXY_NONE, PROXY_URL };
struct product_proxy {
    int use;                /* enum proxy_use */
    const char *url;        /* of PROXY_URL, http or https */
    const char *login_file; /* its one line is USER:PASSWORD; NULL: none */
};

struct product_fetch {
    LIST_OF(struct product_feed) feeds; /* 1 or more, tried in this order */
    struct product_proxy proxy;
    const char *ca;            /* certificates that may end a server's chain; NULL: the system's */
    uint64_t rate_limit_bytes; /* a second; 0: none */
    int64_t stall_s;           /* without a byte for so long is a failure */
    int64_t deadline_s;        /* of one download */
};

/* Where the machine is told that an upgrade is under way. NULL: in the state folder alone. */
struct product_marker {
    const char *registry, *value;
};

struct product {
    const char *name, *title, *channel;
    const char *event_source; /* "TITLE Upgrade" where nothing is said */
    struct product_install install;
    struct product_fetch fetch;
    const char *state_folder, *cache_folder; /* NULL: the platform's, by the product's name */
    struct product_marker marker;
    struct product_trust trust;
    struct product_services services;
    struct product_scheduler scheduler;
    struct check_list checks;
    struct product_health health;
    struct product_files files;
    struct product_policy policy;
    struct arena arena;
};

/* product_read reads the whole document. What one value alone cannot say is checked as well: what
 * contradicts itself or could never work is refused with what to do. E_MALFORMED with line and
 * cause, E_LIMIT, E_NOMEM. Caller frees with product_fini. */
MUST_USE enum errc product_read(struct span bytes, struct product *out, struct err *err);
void product_fini(struct product *product);

#endif
