/* initguid.h makes the GUIDs that knownfolders.h only declares. */
#include <initguid.h>

#include <windows.h>

#include <knownfolders.h>
#include <shlobj.h>
#include <wincrypt.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "platform/win32/w32.h"

static int64_t host_now(void *self)
{
    UNUSED(self);
    return (int64_t)time(NULL);
}

static enum errc host_config_folder(void *self, char *to, size_t room, struct err *err)
{
    wchar_t *wide = NULL;
    char *text = NULL;
    UNUSED(self);
    if (SHGetKnownFolderPath(&FOLDERID_ProgramData, 0, NULL, &wide) != S_OK)
        return err_set(err, E_ABSENT, "Windows does not say where ProgramData is");
    enum errc rc = w32_utf8(wide, &text, err);
    CoTaskMemFree(wide);
    if (rc != E_OK)
        return rc;
    int n = snprintf(to, room, "%s/Surefoot", text);
    free(text);
    if (n < 0 || (size_t)n >= room)
        return err_set(err, E_LIMIT, "no room for the configuration folder's path");
    return E_OK;
}

static enum errc host_system_anchors(void *self, host_cert_fn fn, void *ctx, struct err *err)
{
    UNUSED(self);
    HCERTSTORE store =
        CertOpenStore(CERT_STORE_PROV_SYSTEM_W, 0, 0,
                      CERT_SYSTEM_STORE_LOCAL_MACHINE | CERT_STORE_READONLY_FLAG, L"ROOT");
    if (store == NULL)
        return w32_err_set(err, GetLastError(), "cannot open the ROOT store");
    enum errc rc = E_OK;
    const CERT_CONTEXT *cert = NULL;
    while (rc == E_OK && (cert = CertEnumCertificatesInStore(store, cert)) != NULL)
        rc = fn(ctx, span_of(cert->pbCertEncoded, cert->cbCertEncoded), err);
    if (cert != NULL)
        (void)CertFreeCertificateContext(cert);
    (void)CertCloseStore(store, 0);
    return rc;
}

const struct host_ops win32_host_ops = {
    .now = host_now,
    .config_folder = host_config_folder,
    .system_anchors = host_system_anchors,
};
