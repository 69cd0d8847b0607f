/* What an upgrade by Windows Installer asks of a machine beyond what others do. */

#include "installer/core/preflight_private.h"

/* Its files are Windows Installer's: what they are is in the package. */
static enum errc check_files(const struct preflight_row_ask *row)
{
    const struct product_files *files = &row->ask->setup->product.files;
    bool has_inside = files->configuration.n > 0;
    for (size_t k = 0; k < files->data.n; k++)
        has_inside = has_inside || files->data.items[k].path != NULL;
    if (!has_inside)
        return E_OK;
    return preflight_add(row->out, CHECK_SETTING, "UpgradeNotSupportedMsiFiles",
                         "the files of an MSI are Windows Installer's: <configuration> and <data "
                         "path=...> are for archives; name data outside by its folder");
}

enum errc preflight_msi(const struct preflight_row_ask *row, struct err *err)
{
    const struct preflight_ask *ask = row->ask;
    enum errc rc = check_files(row);
    UNUSED(err);
    if (rc == E_OK && ask->n_related > 1)
        rc = preflight_add(row->out, CHECK_SETTING, "UpgradeNotSupportedSeveralProducts",
                           "%zu products with this upgrade code are installed side by side: take "
                           "all but one away",
                           ask->n_related);
    if (rc == E_OK && ask->is_old_lost)
        rc = preflight_add(row->out, CHECK_SETTING, "UpgradeNotSupportedNoOldPackage",
                           "there is no package of the installed version to come back to, neither "
                           "ours nor Windows Installer's; upgrade --no-rollback goes on without");
    if (rc == E_OK && !ask->setup->is_elevated)
        rc = preflight_add(row->out, CHECK_GROUP, "UpgradeAbortedInsufficientPermissions",
                           "Windows Installer installs for the whole machine only where an "
                           "administrator asks");
    return rc;
}

enum errc preflight_msi_idle(const struct preflight_row_ask *row, struct err *err)
{
    struct platform *p = row->ask->setup->platform;
    bool is_busy = false, is_pending = false;
    enum errc rc = p->msi->is_busy(p->self, &is_busy, err);
    if (rc == E_OK)
        rc = p->msi->restart_pending(p->self, &is_pending, err);
    if (rc != E_OK)
        return preflight_unknown(row, CHECK_LOCK, rc, err);
    if (is_busy)
        rc = preflight_add(row->out, CHECK_LOCK, "UpgradeAbortedInstallerBusy",
                           "Windows Installer is at work on something else");
    if (rc == E_OK && is_pending)
        rc = preflight_add(row->out, CHECK_LOCK, "UpgradeAbortedRestartPending",
                           "the machine must be restarted first: something that was installed "
                           "waits for it");
    return rc;
}
