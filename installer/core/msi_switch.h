#ifndef SUREFOOT_CORE_MSI_SWITCH_H
#define SUREFOOT_CORE_MSI_SWITCH_H

/* msi_switch.h: the one step by which a product changes its version where Windows Installer
 * installs it, and the way back. Windows Installer's own word for how it went is not enough: it may
 * leave neither version. What it has installed is read back each time, and whatever stands in the
 * way of the version that is wanted is taken away first.
 *
 * A package must be held (msi_kept.h) while it is installed.
 *
 * What it does not check: whether the files that it wrote are whole; health does. */

#include "installer/core/event.h"
#include "installer/core/msi_kept.h"

#define MSI_RELATED_MAX 16
#define MSI_FOLDER_ROOM 1024

/* What is installed of the product. */
struct msi_related {
    struct msi_product product;
    char package[MSI_FOLDER_ROOM], folder[MSI_FOLDER_ROOM]; /* what it borrows */
};
struct msi_installed {
    size_t n;
    struct msi_related items[MSI_RELATED_MAX];
};

/* msi_switch_look asks what is installed. E_UNSUPPORTED: there is no Windows Installer. */
MUST_USE enum errc msi_switch_look(const struct setup *setup, struct msi_installed *out,
                                   struct err *err);

/* msi_switch_is is true if just this product is installed, and nothing else that is related. */
bool msi_switch_is(const struct msi_installed *installed, const struct msi_identity *id);

struct msi_ask {
    const struct setup *setup;
    const struct events *events;
    const char *log; /* path of Windows Installer's log; NULL: none */
    bool is_back;    /* whatever else is installed is taken away before, not by the package */
};

/* msi_switch_await waits until no installation is under way: E_BUSY where that does not come. */
MUST_USE enum errc msi_switch_await(const struct msi_ask *ask, struct err *err);

/* msi_switch_to installs the held package, whatever is installed now: what is newer, or another
 * version of the same product code that can't become it, is taken away before; where just this one
 * is installed all of it is written anew. What it wrote is flushed. *out_restart is set
 * where it is done, and will be whole when the machine is started again, and is never cleared: what
 * was put off by one try holds for the next. E_BUSY: another installation is under way and
 * does not end; E_IO: it failed. */
MUST_USE enum errc msi_switch_to(const struct msi_ask *ask, const struct msi_held *held,
                                 bool *out_restart, struct err *err);

/* msi_switch_away takes all of the product away. */
MUST_USE enum errc msi_switch_away(const struct msi_ask *ask, bool *out_restart, struct err *err);

#endif
