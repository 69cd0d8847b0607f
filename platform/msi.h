#ifndef SUREFOOT_PLATFORM_MSI_H
#define SUREFOOT_PLATFORM_MSI_H

/* msi.h: Windows Installer. Part of platform.h's machine; where there is none every operation is
 * E_UNSUPPORTED.
 *
 * Codes are GUIDs as it writes them, "{8-4-4-4-12}" in capitals. Only products that are installed
 * for the whole machine are seen. Windows Installer opens a package by its path once more: whoever
 * installs one that was proven holds it open meanwhile, such that no one can write or replace it.
 *
 * What it does not check: what is in a package, and whether a machine is as Windows Installer says
 * (callers read it back). */

#include <stdbool.h>
#include <stddef.h>

#include "platform/base/cc.h"
#include "platform/base/err.h"

#define MSI_GUID_ROOM 40
#define MSI_VERSION_ROOM 32

/* A product that is installed. */
struct msi_product {
    char code[MSI_GUID_ROOM];
    char version[MSI_VERSION_ROOM]; /* "2.1.0", as it says itself */
    const char *package; /* Windows Installer's own copy of the package; "" where it has none */
    const char *folder;  /* where it says that it lies, "" where it does not; no "/" at the end */
};
typedef enum errc (*msi_product_fn)(void *ctx, const struct msi_product *product, struct err *err);

/* How an installation or a removal ended; a zeroed one says nothing. */
enum msi_end {
    MSI_NO_END = 0,
    MSI_ENDED_WELL,
    MSI_ENDED_FOR_RESTART, /* well, and a part of it is done when the machine is started again */
    MSI_ENDED_BUSY,        /* nothing was done: another installation is under way */
    MSI_ENDED_BADLY,       /* and what is installed now must be looked at */
};
struct msi_result {
    enum msi_end end;
    unsigned code;  /* Windows Installer's: 0, 3010, 1603, ... */
    char text[160]; /* its words for that */
};

struct msi_ops {
    /* Each product that has this upgrade code. */
    enum errc (*related)(void *self, const char *upgrade_code, msi_product_fn fn, void *ctx,
                         struct err *err);
    /* Installs a package in silence, for the whole machine, and never restarts it; `again` is for a
     * product that is installed with the same product code, and writes all of it anew. The log file
     * is added to; NULL: none. E_OK says that it was tried; *out says the rest. It takes as long as
     * it takes. */
    enum errc (*install)(void *self, const char *package, bool again, const char *log,
                         struct msi_result *out, struct err *err);
    /* The same for taking a product away. */
    enum errc (*remove)(void *self, const char *product_code, const char *log,
                        struct msi_result *out, struct err *err);
    /* Is an installation under way, of whatever product? One that we began goes on where we die. */
    enum errc (*is_busy)(void *self, bool *out, struct err *err);
    /* Is something put off until the machine is started again? */
    enum errc (*restart_pending)(void *self, bool *out, struct err *err);
};

#endif
