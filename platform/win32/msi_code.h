#ifndef SUREFOOT_WIN32_MSI_CODE_H
#define SUREFOOT_WIN32_MSI_CODE_H

/* msi_code.h: what Windows Installer's exit codes mean to us. Pure, and of numbers alone, so that
 * every system can test it. */

#include "platform/msi.h"

/* msi_code_end is the one way from what MsiInstallProduct and MsiConfigureProductEx return to how
 * it ended. What is not known to be well is badly, and its caller looks what is installed: also
 * 1605 and 1614, which say of a product that is to be taken away that it is gone already. */
enum msi_end msi_code_end(unsigned code);

#endif
