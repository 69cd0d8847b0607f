/* What a Windows Installer package needs so that an upgrade with it takes the older version's
 * place, and a failed one leaves the older version there. Source: Microsoft's pages on
 * RemoveExistingProducts, the Upgrade table and ProductVersion. */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "keys/publish/gate.h"

/* --- the document's words */

static void check_same(struct gate *g, const char *where, const char *what, const char *in_package,
                       const char *in_document)
{
    if (strcmp(in_package, in_document) != 0)
        gate_add(g, GATE_REFUSED, "VersionMismatch", where,
                 "the package's %s is %s, the release document says %s", what,
                 in_package[0] == '\0' ? "missing" : in_package, in_document);
}

static void check_identity(const struct msi_package *p, const struct payload *payload,
                           const char *where, struct gate *g)
{
    struct version version;
    struct err err;
    check_same(g, where, "ProductCode", p->product_code, payload->product_code);
    check_same(g, where, "UpgradeCode", p->upgrade_code, payload->upgrade_code);
    if (version_read(span_text(p->version), &version, &err) != E_OK)
        gate_add(g, GATE_REFUSED, "MsiVersion", where, "ProductVersion: %s", err.text);
    else if (version_compare(&version, &payload->product_version) != 0)
        check_same(g, where, "ProductVersion", p->version, payload->product_version.text);
}

static void check_version(const struct msi_package *p, const char *where, struct gate *g)
{
    struct version v;
    if (version_read(span_text(p->version), &v, NULL) != E_OK)
        return; /* said already */
    if (v.parts[0] > 255 || v.parts[1] > 255 || v.parts[2] > 65535)
        gate_add(g, GATE_REFUSED, "MsiVersion", where,
                 "ProductVersion %s is past Windows Installer's 255.255.65535", p->version);
    if (v.pre_len != 0)
        gate_add(g, GATE_REFUSED, "MsiVersion", where,
                 "ProductVersion %s is more than numbers; Windows Installer reads numbers alone",
                 p->version);
    if (v.n_parts > 3)
        gate_add(
            g, GATE_WARNING, "MsiVersion", where,
            "Windows Installer ignores the fourth part of ProductVersion %s: two packages that "
            "differ only there do not upgrade each other",
            p->version);
}

/* --- the sequence */

static bool is_there(const struct msi_package *p, enum msi_action action)
{
    return p->sequence[action] != MSI_NOT_THERE;
}

static bool comes_before(const struct msi_package *p, enum msi_action a, enum msi_action b)
{
    return is_there(p, a) && is_there(p, b) && p->sequence[a] < p->sequence[b];
}

static bool script_runs_before_removal(const struct msi_package *p)
{
    return p->first_script_sequence != MSI_NOT_THERE &&
           p->first_script_sequence < p->sequence[MSI_REMOVE_EXISTING_PRODUCTS] &&
           !comes_before(p, MSI_INSTALL_EXECUTE, MSI_REMOVE_EXISTING_PRODUCTS) &&
           !comes_before(p, MSI_INSTALL_EXECUTE_AGAIN, MSI_REMOVE_EXISTING_PRODUCTS) &&
           !comes_before(p, MSI_INSTALL_FINALIZE, MSI_REMOVE_EXISTING_PRODUCTS);
}

static void check_frame(const struct msi_package *p, const char *where, struct gate *g)
{
    static const enum msi_action needed[] = { MSI_INSTALL_VALIDATE, MSI_INSTALL_INITIALIZE,
                                              MSI_INSTALL_FINALIZE };
    for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
        if (!is_there(p, needed[i]))
            gate_add(g, GATE_REFUSED, "MsiSequence", where, "InstallExecuteSequence lacks %s",
                     msi_action_names[needed[i]]);
}

/* An older version that is not found is not removed; a condition may keep either from being done.
 */
static void check_search(const struct msi_package *p, const char *where, struct gate *g)
{
    static const enum msi_action both[] = { MSI_FIND_RELATED_PRODUCTS,
                                            MSI_REMOVE_EXISTING_PRODUCTS };
    if (!comes_before(p, MSI_FIND_RELATED_PRODUCTS, MSI_REMOVE_EXISTING_PRODUCTS))
        gate_add(g, GATE_REFUSED, "MsiSequence", where,
                 "InstallExecuteSequence has no FindRelatedProducts before RemoveExistingProducts: "
                 "the older version would not be found");
    for (size_t i = 0; i < sizeof(both) / sizeof(both[0]); i++)
        if (p->conditions[both[i]][0] != '\0')
            gate_add(g, GATE_REFUSED, "MsiSequence", where,
                     "%s has the condition %s: where it does not hold the older version stays",
                     msi_action_names[both[i]], p->conditions[both[i]]);
}

static void check_sequence(const struct msi_package *p, const char *where, struct gate *g)
{
    check_frame(p, where, g);
    if (!is_there(p, MSI_REMOVE_EXISTING_PRODUCTS)) {
        gate_add(
            g, GATE_REFUSED, "MsiSequence", where,
            "InstallExecuteSequence lacks RemoveExistingProducts: the older version would stay "
            "beside the new one");
        return;
    }
    check_search(p, where, g);
    if (comes_before(p, MSI_REMOVE_EXISTING_PRODUCTS, MSI_INSTALL_INITIALIZE))
        gate_add(g, GATE_REFUSED, "MsiNeitherVersion", where,
                 "RemoveExistingProducts (%" PRId32 ") stands before InstallInitialize (%" PRId32
                 "): the older version is gone before the new one begins, and a failed upgrade "
                 "leaves neither; put it after InstallInitialize",
                 p->sequence[MSI_REMOVE_EXISTING_PRODUCTS], p->sequence[MSI_INSTALL_INITIALIZE]);
    else if (script_runs_before_removal(p))
        gate_add(g, GATE_REFUSED, "MsiSequence", where,
                 "RemoveExistingProducts stands after %s without InstallExecute between them: "
                 "Windows Installer stops there (error 2613)",
                 p->first_script_action);
}

/* --- the table Upgrade */

/* removes_older: all of it, and not as if nothing had happened where that fails. */
static bool removes_older(const struct msi_package *p, const struct msi_upgrade *u)
{
    const int32_t not_these = MSI_UPGRADE_ONLY_DETECT | MSI_UPGRADE_IGNORE_REMOVE_FAILURE;
    return strcmp(u->upgrade_code, p->upgrade_code) == 0 && (u->attributes & not_these) == 0 &&
           u->features[0] == '\0';
}

/* reaches_own: does the row begin below this package's own version, and go up to it (which it need
 * not hold)? */
static bool reaches_own(const struct msi_upgrade *u, const struct version *own)
{
    struct version min, max;
    if (u->version_min[0] != '\0' && (version_read(span_text(u->version_min), &min, NULL) != E_OK ||
                                      version_compare(&min, own) >= 0))
        return false;
    return u->version_max[0] == '\0' ||
           (version_read(span_text(u->version_max), &max, NULL) == E_OK &&
            version_compare(&max, own) >= 0);
}

static void check_upgrades(const struct msi_package *p, const char *where, struct gate *g)
{
    struct version own;
    bool has_row = false, reaches = false;
    if (version_read(span_text(p->version), &own, NULL) != E_OK)
        return; /* said already */
    for (size_t i = 0; i < p->n_upgrades; i++) {
        has_row = has_row || removes_older(p, &p->upgrades[i]);
        reaches =
            reaches || (removes_older(p, &p->upgrades[i]) && reaches_own(&p->upgrades[i], &own));
    }
    if (!has_row)
        gate_add(
            g, GATE_REFUSED, "MsiUpgradeTable", where,
            "the table Upgrade has no row that removes older versions as a whole with UpgradeCode "
            "%s",
            p->upgrade_code[0] == '\0' ? "(none)" : p->upgrade_code);
    else if (!reaches)
        gate_add(g, GATE_REFUSED, "MsiUpgradeTable", where,
                 "no row of the table Upgrade reaches from older versions up to this one, %s: some "
                 "would stay",
                 p->version);
}

/* --- what lies elsewhere */

static void check_media(const struct msi_package *p, const char *where, struct gate *g)
{
    for (size_t i = 0; i < p->n_external; i++)
        gate_add(g, GATE_REFUSED, "MsiExternalMedia", where,
                 "%s lies beside the package, where no signature of it covers it; embed it",
                 p->external[i]);
    for (size_t i = 0; i < p->n_missing; i++)
        gate_add(g, GATE_REFUSED, "MsiExternalMedia", where,
                 "the cabinet %s is to be in the package, and is not", p->missing[i]);
    if (p->n_loose > 0)
        gate_add(
            g, GATE_REFUSED, "MsiExternalMedia", where,
            "%zu files lie beside the package, where no signature of it covers them; embed them",
            p->n_loose);
}

void gate_msi(const struct msi_package *p, const struct payload *payload, const char *where,
              struct gate *g)
{
    check_identity(p, payload, where, g);
    check_version(p, where, g);
    check_sequence(p, where, g);
    check_upgrades(p, where, g);
    check_media(p, where, g);
}
