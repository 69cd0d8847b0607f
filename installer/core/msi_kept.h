#ifndef SUREFOOT_CORE_MSI_KEPT_H
#define SUREFOOT_CORE_MSI_KEPT_H

/* msi_kept.h: packages of a product that Windows Installer installs. Each lies in the store under
 * the name of a tree (place.h), STORE/NAME/package.msi, and what it is lies in the state folder:
 *
 *   proof/NAME/package    CODE " " VERSION " " SHA-256 LF, of what the package says of itself
 *
 * A package is held: open, so that no one can write or replace it, and hashed through that handle.
 * Windows Installer may then open it by its path.
 *
 * What it does not check: who made it. That was proven when it came, or is by rollback.h. */

#include "installer/core/memory.h"
#include "installer/core/place.h"
#include "platform/source.h"

struct msi_identity {
    char code[MSI_GUID_ROOM]; /* product code, in capitals */
    char version[MSI_VERSION_ROOM];
    uint8_t sha256[32];
};

struct msi_held {
    struct source *source; /* NULL: not held */
    char path[SETUP_PATH_ROOM];
    struct msi_identity id;
};

/* msi_kept_is_code: are two GUIDs the same, whatever their letters' case? */
bool msi_kept_is_code(const char *a, const char *b);

/* msi_kept_path is where the package of that name lies. */
MUST_USE enum errc msi_kept_path(const struct place *place, const char *name,
                                 char to[SETUP_PATH_ROOM], struct err *err);

/* msi_kept_note writes down what a package is; msi_kept_recall reads it: E_ABSENT where nothing was
 * written. */
MUST_USE enum errc msi_kept_note(struct memory *memory, const char *name,
                                 const struct msi_identity *id, struct err *err);
MUST_USE enum errc msi_kept_recall(const struct memory *memory, const char *name,
                                   struct msi_identity *out, struct err *err);

/* msi_kept_read reads what a package says of itself, and its hash. */
MUST_USE enum errc msi_kept_read(struct source *package, struct msi_identity *out, struct err *err);

/* msi_kept_hold opens a package and holds it against what was written of it. E_ABSENT: there is
 * none; E_REFUSED: it is not what it was. Caller ends it with msi_kept_release. */
MUST_USE enum errc msi_kept_hold(const struct memory *memory, const struct place *place,
                                 const char *name, struct msi_held *out, struct err *err);
void msi_kept_release(struct msi_held *held); /* of a zeroed one nothing */

/* msi_kept_take_in puts a package that lies in the store under the name's own folder, which it
 * makes. msi_kept_adopt makes a copy of Windows Installer's own package of a product there, and
 * writes down what it is: E_ABSENT where it has none, E_REFUSED where that is of another product or
 * version. */
MUST_USE enum errc msi_kept_take_in(const struct place *place, const char *from, const char *name,
                                    struct err *err);
MUST_USE enum errc msi_kept_adopt(struct memory *memory, const struct place *place,
                                  const char *name, const struct msi_product *product,
                                  struct err *err);

/* msi_kept_secure holds the package of what is installed, ours under that name, else a copy of
 * Windows Installer's own. E_ABSENT, E_REFUSED: there is none to come back to. */
MUST_USE enum errc msi_kept_secure(struct memory *memory, const struct place *place,
                                   const char *name, const struct msi_product *product,
                                   struct msi_held *out, struct err *err);

#endif
