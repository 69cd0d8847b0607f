#ifndef SUREFOOT_VERIFY_MSI_PACKAGE_H
#define SUREFOOT_VERIFY_MSI_PACKAGE_H

/* msi_package.h: what a Windows Installer package says of the product in it and of how it takes an
 * older version's place. Read from the database alone (msi_db.h); nothing is judged here.
 *
 * What it does not check: signatures, and what conditions of actions come to. */

#include <stdbool.h>
#include <stdint.h>

#include "platform/base/err.h"
#include "platform/source.h"

#define MSI_CODE_ROOM 40
#define MSI_WORD_ROOM 80
#define MSI_UPGRADES_MAX 32
#define MSI_EXTERNAL_MAX 16

/* Attributes of a row of the table Upgrade. */
#define MSI_UPGRADE_ONLY_DETECT 0x002
#define MSI_UPGRADE_IGNORE_REMOVE_FAILURE 0x004
#define MSI_UPGRADE_MIN_INCLUSIVE 0x100
#define MSI_UPGRADE_MAX_INCLUSIVE 0x200

/* Text has passed text_printable. An empty version stands for no limit. */
struct msi_upgrade {
    char upgrade_code[MSI_CODE_ROOM];
    char version_min[MSI_WORD_ROOM], version_max[MSI_WORD_ROOM];
    char features[MSI_WORD_ROOM]; /* that are removed; "": all */
    int32_t attributes;
};

/* The actions of InstallExecuteSequence that say when an older version goes. */
enum msi_action {
    MSI_FIND_RELATED_PRODUCTS,
    MSI_INSTALL_VALIDATE,
    MSI_INSTALL_INITIALIZE,
    MSI_INSTALL_EXECUTE,
    MSI_INSTALL_EXECUTE_AGAIN,
    MSI_REMOVE_EXISTING_PRODUCTS,
    MSI_INSTALL_FINALIZE,
    MSI_N_ACTIONS,
};
extern const char *const msi_action_names[MSI_N_ACTIONS];

#define MSI_NOT_THERE INT32_MIN

struct msi_package {
    char name[MSI_WORD_ROOM], version[MSI_WORD_ROOM];
    char product_code[MSI_CODE_ROOM], upgrade_code[MSI_CODE_ROOM]; /* "" where it has none */
    int32_t sequence[MSI_N_ACTIONS];                               /* or MSI_NOT_THERE */
    char conditions[MSI_N_ACTIONS][MSI_WORD_ROOM];                 /* "": always */
    /* The first action in the sequence that changes the machine by script, and its place. */
    char first_script_action[MSI_WORD_ROOM];
    int32_t first_script_sequence; /* or MSI_NOT_THERE */
    size_t n_upgrades;
    struct msi_upgrade upgrades[MSI_UPGRADES_MAX];
    size_t n_external; /* cabinets that lie beside the package, and other media without one */
    char external[MSI_EXTERNAL_MAX][MSI_WORD_ROOM];
    size_t n_missing; /* cabinets that are to be in the package, and are not */
    char missing[MSI_EXTERNAL_MAX][MSI_WORD_ROOM];
    size_t n_loose; /* files that lie beside the package, in no cabinet */
};

/* msi_package_read fills `out`. E_MALFORMED where the file is no installer package or does not
 * read, E_UNSUPPORTED for a patch or a transform, E_LIMIT past the limits above. */
MUST_USE enum errc msi_package_read(struct source *src, struct msi_package *out, struct err *err);

#endif
