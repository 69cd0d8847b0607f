#ifndef SUREFOOT_CORE_PLACE_H
#define SUREFOOT_CORE_PLACE_H

/* place.h: where a product's trees are, and the one step by which the new one takes the old one's
 * place. A tree has a generated name, VERSION-RANDOM, for as long as it exists.
 *
 *   exchange   FOLDER is the tree that runs; the store is beside it: PARENT/.surefoot-PRODUCT
 *              STORE/NAME/tree is one that is being made, or was put away
 *   pointer    FOLDER/current leads to versions/NAME; the store is FOLDER/.surefoot
 *              FOLDER/versions/NAME is a tree; STORE/NAME/tree one that is being made
 *
 *   msi        Windows Installer has the files; the store is STATE-FOLDER/packages
 *              STORE/NAME/package.msi is what it has them from, or had (msi_kept.h)
 *
 * The store is private to us (0700), on the trees' volume, and taken away when nothing is in it.
 *
 * What it does not check: what is in a tree. */

#include "installer/core/setup.h"
#include "manifest/state.h"

#define PLACE_ID_ROOM 20 /* a file number in hex */

struct place {
    const struct setup *setup;
    int mode; /* enum state_switch, never none */
    char store[SETUP_PATH_ROOM];
};

/* place_open finds out how the trees change places: as the state says; else, for a first
 * installation, as the product file says and the file system can. E_UNSUPPORTED with the reason
 * where it can't be so: another mode is recorded, the file system can't exchange, a tree stands
 * where `current` should be, there is no Windows Installer. It makes the store to try, where
 * nothing is recorded. */
MUST_USE enum errc place_open(const struct setup *setup, const struct upgrade_state *state,
                              struct place *out, struct err *err);

/* place_find is the same without a try, for what is to be tidied up: where nothing is recorded, the
 * mode whose store is there; E_ABSENT where there is none. */
MUST_USE enum errc place_find(const struct setup *setup, const struct upgrade_state *state,
                              struct place *out, struct err *err);

/* place_probe asks whether the recorded mode still works: E_UNSUPPORTED with the reason. */
MUST_USE enum errc place_probe(const struct place *p, struct err *err);

/* place_make_store makes it where it is not there; E_ACCESS where it is and others may enter it,
 * E_ABSENT where the install folder has nothing to lie in (place_open and place_probe as well).
 * place_drop_store takes it away if it is empty, and so a pointer's folder of
 * versions. */
MUST_USE enum errc place_make_store(const struct place *p, struct err *err);
void place_drop_store(const struct place *p);

/* place_new_name makes a name for a tree of this version; place_is_tree_name: has it that form? */
bool place_is_tree_name(const char *name);
MUST_USE enum errc place_new_name(const struct place *p, const struct version *v,
                                  char to[STATE_TREE_ROOM], struct err *err);

/* place_current is the tree that is in place, and the folder that holds it for reading; *out_there
 * is false where there is none. Of an MSI it is the install folder, "" where none is said, and
 * whether the product is installed is not asked here (msi_switch.h). */
MUST_USE enum errc place_current(const struct place *p, char to[SETUP_PATH_ROOM], bool *out_there,
                                 struct err *err);

/* place_versions is the folder that a pointer's trees are in. */
MUST_USE enum errc place_versions(const struct place *p, char to[SETUP_PATH_ROOM], struct err *err);

/* place_name_by_pointer rewrites the path of a file in the tree that a pointer leads to, of
 * whatever product, so that it goes through the pointer: the tree's own name goes with its version.
 * Other paths stay as they are. */
void place_name_by_pointer(struct platform *p, char path[SETUP_PATH_ROOM]);

/* place_run is STORE/NAME, place_staged STORE/NAME/tree, place_put_away where a tree of that name
 * is when it is not in place. */
MUST_USE enum errc place_run(const struct place *p, const char *name, char to[SETUP_PATH_ROOM],
                             struct err *err);
MUST_USE enum errc place_staged(const struct place *p, const char *name, char to[SETUP_PATH_ROOM],
                                struct err *err);
MUST_USE enum errc place_put_away(const struct place *p, const char *name, char to[SETUP_PATH_ROOM],
                                  struct err *err);

/* place_prepare makes a staged tree ready to be switched to (with a pointer: gives it its own name
 * among the versions). Repeatable. */
MUST_USE enum errc place_prepare(const struct place *p, const char *name, struct err *err);

/* The switch, but of an MSI. `new_name` is a prepared or kept tree; `old_name` what is in place, ""
 * where nothing is. place_is_switched finds out on which side of it the machine is, by `new_id`,
 * the number of the new tree's folder (place_id); E_MALFORMED where neither tree is where it could
 * be. */
MUST_USE enum errc place_id(const struct place *p, const char *new_name, char to[PLACE_ID_ROOM],
                            struct err *err);
MUST_USE enum errc place_is_switched(const struct place *p, const char *new_name,
                                     const char *new_id, bool *out, struct err *err);
/* Both do nothing where it is so already. */
MUST_USE enum errc place_switch(const struct place *p, const char *new_name, const char *old_name,
                                const char *new_id, struct err *err);
MUST_USE enum errc place_switch_back(const struct place *p, const char *new_name,
                                     const char *old_name, const char *new_id, struct err *err);

/* place_old_tree is where the old tree is, place_new_tree the new one, on the side that we are on.
 */
MUST_USE enum errc place_old_tree(const struct place *p, const char *new_name, const char *old_name,
                                  bool is_switched, char to[SETUP_PATH_ROOM], struct err *err);
MUST_USE enum errc place_new_tree(const struct place *p, const char *new_name, bool is_switched,
                                  char to[SETUP_PATH_ROOM], struct err *err);

/* place_settle, after the commit: the old tree goes where trees of its name are put away, and the
 * new one's run folder goes with what is left in it. Repeatable. */
MUST_USE enum errc place_settle(const struct place *p, const char *new_name, const char *old_name,
                                struct err *err);

/* place_discard takes a tree that is not in place away, with its run folder. Repeatable. */
MUST_USE enum errc place_discard(const struct place *p, const char *name, struct err *err);

#endif
