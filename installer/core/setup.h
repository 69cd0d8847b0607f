#ifndef SUREFOOT_CORE_SETUP_H
#define SUREFOOT_CORE_SETUP_H

/* setup.h: a product file, read, and the machine that it is about. Everything below takes one, so
 * that a path or a command means the same thing wherever it is used.
 *
 * PRODUCT on a command line is a name (products.d/NAME.xml in the configuration folder) or, where
 * it has a "/" or ends in ".xml", the path of a product file. Relative paths in the file are
 * relative to its folder; os_path.h says which are absolute.
 *
 * When we are elevated, the file, everything of trust that it names, its programs and every folder
 * above them must be such that no one but an administrator can change them (fs.guard).
 *
 * What it does not check: whether folders and programs that it names are there. */

#include <stdbool.h>

#include "manifest/product.h"
#include "platform/base/buf.h"
#include "platform/platform.h"

#define SETUP_PATH_ROOM 4096

struct setup {
    struct platform *platform;
    struct product product;
    struct buf bytes;              /* the file as it was read */
    char path[SETUP_PATH_ROOM];    /* of the product file, absolute */
    char base[SETUP_PATH_ROOM];    /* its folder, with "/" at the end */
    char state[SETUP_PATH_ROOM];   /* the state folder, absolute, without "/" at its end */
    char cache[SETUP_PATH_ROOM];   /* likewise */
    char install[SETUP_PATH_ROOM]; /* the install folder, likewise; "" for an MSI without one */
    bool is_elevated;
};

/* setup_load finds, judges and reads the product file. All that is the administrator's to mend is
 * E_ARGUMENT, naming the file or the component. Caller frees with setup_fini. */
MUST_USE enum errc setup_load(struct platform *platform, const char *word, struct setup *out,
                              struct err *err);

/* setup_recall is the same with the bytes of the copy that an upgrade took of its product file, not
 * those that are in the file now: what is undone must be what was done. */
MUST_USE enum errc setup_recall(struct platform *platform, const char *word, struct span copy,
                                struct setup *out, struct err *err);
void setup_fini(struct setup *setup);

/* setup_is_msi: has Windows Installer the product's files? */
bool setup_is_msi(const struct setup *setup);

/* setup_resolve writes the absolute path that a name in the product file stands for. E_ARGUMENT
 * where it is too long. */
MUST_USE enum errc setup_resolve(const struct setup *setup, const char *name,
                                 char to[SETUP_PATH_ROOM], struct err *err);

/* setup_guard judges a path where we are elevated: E_ARGUMENT, naming the component and why, where
 * somebody else could change it; E_OK for an ordinary user. `flags` are of enum fs_guard_flags. */
MUST_USE enum errc setup_guard(const struct setup *setup, const char *path, unsigned flags,
                               struct err *err);

/* setup_parent writes the folder that holds a path; of a root itself. */
void setup_parent(const char *path, char to[SETUP_PATH_ROOM]);

/* setup_name_path puts a path before an error's text, and returns the error's code. */
enum errc setup_name_path(const char *path, struct err *err);

/* setup_make_folder makes a folder, for its owner alone if `is_private`, and flushes its name;
 * E_EXISTS where anything has that. setup_sync_parent flushes the names in the folder that holds a
 * path. */
MUST_USE enum errc setup_make_folder(struct platform *p, const char *path, bool is_private,
                                     struct err *err);
MUST_USE enum errc setup_sync_parent(struct platform *p, const char *path, struct err *err);

/* setup_sync_again is setup_sync_parent where that folder is there at all: for what was found done
 * already, since whoever did it may have died before it was flushed. */
MUST_USE enum errc setup_sync_again(struct platform *p, const char *path, struct err *err);

/* setup_make_folders makes a folder and those above it that are not there, all for their owner
 * alone if `is_private`, and flushes their names. E_OK where all are there, E_EXISTS where
 * something that is no folder stands in the way. */
MUST_USE enum errc setup_make_folders(struct platform *p, const char *path, bool is_private,
                                      struct err *err);

/* setup_join writes "folder/name"; where one of the two is "", the other alone. E_LIMIT where that
 * is too long. */
MUST_USE enum errc setup_join(const char *folder, const char *name, char to[SETUP_PATH_ROOM],
                              struct err *err);

#endif
