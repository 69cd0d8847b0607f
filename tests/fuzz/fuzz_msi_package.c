/* What a package says of its product and of how it upgrades. */

#include <stdlib.h>
#include <string.h>

#include "verify/msi_package.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct source *src;
    static struct msi_package p;
    if (source_memory_new(span_of(data, size), &src, NULL) != E_OK)
        return 0;
    if (msi_package_read(src, &p, NULL) == E_OK) {
        if (p.n_upgrades > MSI_UPGRADES_MAX || p.n_external > MSI_EXTERNAL_MAX)
            abort();
        if ((p.first_script_sequence == MSI_NOT_THERE) != (p.first_script_action[0] == '\0'))
            abort();
        for (size_t i = 0; i < p.n_upgrades; i++)
            if (memchr(p.upgrades[i].version_max, '\0', MSI_WORD_ROOM) == NULL)
                abort();
    }
    source_close(src);
    return 0;
}
