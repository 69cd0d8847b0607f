#include <stdbool.h>
#include <string.h>

#include "platform/win32/msi_parts.h"

/* A function's address, copied so that no cast between kinds of pointers is needed. */
static bool find(HMODULE module, const char *name, void *to)
{
    FARPROC at = GetProcAddress(module, name);
    memcpy(to, &at, sizeof(at));
    return at != NULL;
}

enum errc msi_library_load(struct msi_library *out, struct err *err)
{
    HMODULE module = LoadLibraryExW(L"msi.dll", NULL, LOAD_LIBRARY_SEARCH_SYSTEM32);
    if (module == NULL)
        return err_set(err, E_UNSUPPORTED, "this system has no Windows Installer");
    if (find(module, "MsiEnumRelatedProductsW", &out->enum_related) &&
        find(module, "MsiGetProductInfoW", &out->get_info) &&
        find(module, "MsiQueryProductStateW", &out->query_state) &&
        find(module, "MsiInstallProductW", &out->install) &&
        find(module, "MsiConfigureProductExW", &out->configure) &&
        find(module, "MsiSetInternalUI", &out->set_ui) &&
        find(module, "MsiEnableLogW", &out->enable_log))
        return E_OK;
    return err_set(err, E_UNSUPPORTED, "this system's Windows Installer is too old");
}
