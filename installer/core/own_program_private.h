#ifndef SUREFOOT_CORE_OWN_PROGRAM_PRIVATE_H
#define SUREFOOT_CORE_OWN_PROGRAM_PRIVATE_H

#include "installer/core/own_program.h"

/* own_program_path writes where the program that runs was started from. */
MUST_USE enum errc own_program_path(const struct setup *setup, char to[SETUP_PATH_ROOM],
                                    struct err *err);

/* own_program_folder makes STATE/own where it is not there, and judges it. */
MUST_USE enum errc own_program_folder(const struct setup *setup, char to[SETUP_PATH_ROOM],
                                      struct err *err);

/* own_program_sweep takes away all in it but the kept copy, and programs that still run. E_ABSENT
 * where there is no folder. */
MUST_USE enum errc own_program_sweep(const struct setup *setup, const char *folder,
                                     struct err *err);

#endif
