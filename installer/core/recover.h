#ifndef SUREFOOT_CORE_RECOVER_H
#define SUREFOOT_CORE_RECOVER_H

/* recover.h: what a crash left is finished or undone before anything else is done. A run that was
 * committed is finished; any other is undone.
 *
 * What it does not check: anything of feeds and releases. */

#include "installer/core/upgrade.h"

/* recover_pending does so where there is something, under the memory's lock; else the outcome's
 * result stays "". A damaged journal is UpgradeFailedRollbackFailed, and nothing is touched. */
MUST_USE enum errc recover_pending(struct memory *memory, const char *product_word,
                                   const struct events *events, struct upgrade_outcome *out,
                                   struct err *err);

/* recover_first_of_all is for those who go on afterwards: where nothing is pending, or it was
 * finished or undone, the outcome is as if it had not been; where it could not be undone,
 * E_REFUSED. */
MUST_USE enum errc recover_first_of_all(struct memory *memory, const char *product_word,
                                        const struct events *events, struct upgrade_outcome *out,
                                        struct err *err);

/* recover_do is the command. */
MUST_USE enum errc recover_do(const struct setup *setup, const char *product_word,
                              const struct events *events, struct upgrade_outcome *out,
                              struct err *err);

#endif
