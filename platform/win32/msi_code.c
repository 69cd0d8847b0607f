#include "platform/win32/msi_code.h"

enum msi_end msi_code_end(unsigned code)
{
    switch (code) {
    case 0: return MSI_ENDED_WELL;           /* ERROR_SUCCESS */
    case 1618: return MSI_ENDED_BUSY;        /* ERROR_INSTALL_ALREADY_RUNNING */
    case 1641: return MSI_ENDED_FOR_RESTART; /* ERROR_SUCCESS_REBOOT_INITIATED */
    case 3010: return MSI_ENDED_FOR_RESTART; /* ERROR_SUCCESS_REBOOT_REQUIRED */
    default: return MSI_ENDED_BADLY;
    }
}
