#ifndef SUREFOOT_CORE_DATA_H
#define SUREFOOT_CORE_DATA_H

/* data.h: the product's data through an upgrade. `k` is the place in product.files.data. After the
 * stop each is protected; one inside the tree is then moved into the new tree by a rename. To undo,
 * the rename goes back, and then what was protected is put back.
 *
 * A snapshot lies on the data's own volume, private, named after the run: inside the run's folder
 * for data in the tree, else beside the data folder as ".surefoot-RUN-K". It is a whole copy
 * (reflink where the file system can) with owners, modes, attributes and times, flushed. It is put
 * back by renames, so that a crash leaves one of both, whole. Everything here can be done again
 * after a crash in the middle.
 *
 * What it does not check: that the services are stopped. */

#include "installer/core/setup.h"

struct data_place {
    const struct setup *setup;
    const char *run;        /* the run's generated name */
    const char *run_folder; /* private, on the tree's volume */
};

/* data_check, before anything: E_UNSUPPORTED with the reason where a snapshot could not be put back
 * (the folder is a mount point, or not there to be written by us). Data that is absent is fine. */
MUST_USE enum errc data_check(const struct data_place *p, size_t k, struct err *err);

/* data_protect takes the snapshot, or runs the backup command; `tree` is the installed one. What an
 * interrupted call left is made anew. Of `none`: nothing. */
MUST_USE enum errc data_protect(const struct data_place *p, size_t k, const char *tree,
                                struct err *err);

/* data_restore puts back what data_protect kept, `tree` being where the data is (moved back by
 * now); the data as it was found then goes into the run's folder, or beside, until data_discard.
 * Repeats end the same. */
MUST_USE enum errc data_restore(const struct data_place *p, size_t k, const char *tree,
                                struct err *err);

/* data_discard takes away the snapshot and what a restore put aside. E_OK where there is none. */
MUST_USE enum errc data_discard(const struct data_place *p, size_t k, struct err *err);

/* data_move renames the data of <data path> from one tree into another, where it must not be;
 * E_OK where the old tree has none, or where it was moved already. Of data outside: nothing. */
MUST_USE enum errc data_move(const struct data_place *p, size_t k, const char *from_tree,
                             const char *to_tree, struct err *err);

#endif
