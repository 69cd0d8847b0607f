/* What is different where Windows Installer has the files: what is installed is asked of it, and
 * nothing is unpacked by us. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "installer/core/own_program.h"
#include "installer/core/upgrade_private.h"
#include "platform/base/text.h"
#include "verify/msi_package.h"

enum errc upgrade_msi_is_there(const struct setup *setup, bool *out, struct err *err)
{
    struct msi_installed *all = malloc(sizeof(*all));
    if (all == NULL)
        return err_nomem(err);
    enum errc rc = msi_switch_look(setup, all, err);
    *out = rc == E_OK && all->n > 0;
    free(all);
    return rc;
}

/* --- what others did */

static enum errc take_note(struct upgrade *u, const struct installed *found, struct err *err)
{
    struct upgrade_state *s = &u->memory.state;
    struct version version;
    enum errc rc = version_read(span_text(found->msi.product.version), &version, err);
    if (rc != E_OK)
        return err_prefix(err, "the installed product's version: ");
    events_say(u->ask->events, EVENT_WARNING,
               "version %s is installed, by other means than ours; it was %s", version.text,
               s->installed.text);
    s->installed = version;
    s->tree[0] = '\0';
    return E_OK;
}

enum errc upgrade_msi_notice(struct upgrade *u, struct err *err)
{
    struct installed *found = calloc(1, sizeof(*found));
    struct err ignored;
    struct place place;
    if (found == NULL)
        return err_nomem(err);
    enum errc rc = upgrade_target(u->setup, &u->os, &u->arch, err);
    if (rc == E_OK && u->memory.state.has_installed &&
        place_open(u->setup, &u->memory.state, &place, &ignored) == E_OK) {
        rc = installed_find(&place, &u->memory, u->os, u->arch, found, err);
        if (rc == E_OK && found->is_there && !found->is_known && u->memory.state.tree[0] != '\0')
            rc = take_note(u, found, err);
        installed_fini(found);
    }
    free(found);
    return rc;
}

/* --- is the package what the release says */

static enum errc refuse(struct upgrade *u, const char *word, struct err *err)
{
    outcome_refuse(u->out, word, err->text);
    return E_REFUSED;
}

static enum errc compare(const struct upgrade *u, const struct msi_package *said, struct err *err)
{
    const struct payload *of = u->payload;
    if (!msi_kept_is_code(said->product_code, of->product_code))
        return err_set(err, E_REFUSED,
                       "the package has the product code %.40s, the release document says %.40s",
                       said->product_code, of->product_code);
    if (strcmp(said->version, of->product_version.text) != 0)
        return err_set(err, E_REFUSED,
                       "the package has the version %.40s, the release document says %.40s",
                       said->version, of->product_version.text);
    if (!msi_kept_is_code(said->upgrade_code, of->upgrade_code) ||
        !msi_kept_is_code(said->upgrade_code, u->setup->product.install.upgrade_code))
        return err_set(err, E_REFUSED,
                       "the package has the upgrade code %.40s, which is not this product's",
                       said->upgrade_code);
    return E_OK;
}

static enum errc check_whole(const struct msi_package *said, struct err *err)
{
    if (said->n_external > 0)
        return err_set(err, E_REFUSED, "the cabinet %.80s lies beside the package, unproven",
                       said->external[0]);
    if (said->n_missing > 0)
        return err_set(err, E_REFUSED, "the cabinet %.80s is not in the package", said->missing[0]);
    if (said->n_loose > 0)
        return err_set(err, E_REFUSED, "%zu files lie beside the package, unproven", said->n_loose);
    return E_OK;
}

enum errc upgrade_msi_check(struct upgrade *u, struct err *err)
{
    struct msi_package *said = calloc(1, sizeof(*said));
    if (said == NULL)
        return err_nomem(err);
    enum errc rc = msi_package_read(verified_package_source(u->package), said, err);
    if (rc == E_MALFORMED || rc == E_LIMIT || rc == E_TRUNCATED) {
        rc = refuse(u, "Malformed", err);
    } else if (rc == E_UNSUPPORTED) { /* a patch, a transform */
        rc = refuse(u, "Unsupported", err);
    } else if (rc == E_OK) {
        rc = compare(u, said, err);
        if (rc != E_OK)
            rc = refuse(u, "ProductMismatch", err);
    }
    if (rc == E_OK) {
        rc = check_whole(said, err);
        if (rc != E_OK)
            rc = refuse(u, "UncoveredData", err);
    }
    free(said);
    return rc;
}

/* --- the old package */

static enum errc is_file(struct platform *p, const char *path, bool *out, struct err *err)
{
    enum fs_kind kind = FS_ABSENT;
    enum errc rc = path[0] != '\0' ? p->fs->kind(p->self, path, &kind, err) : E_OK;
    *out = rc == E_OK && kind == FS_FILE;
    return rc;
}

enum errc upgrade_msi_find_old(const struct upgrade *u, bool *out_there, struct err *err)
{
    struct platform *p = u->setup->platform;
    char path[SETUP_PATH_ROOM];
    enum errc rc = E_OK;
    *out_there = false;
    if (u->installed.is_known) {
        rc = msi_kept_path(&u->place, u->memory.state.tree, path, err);
        if (rc == E_OK)
            rc = is_file(p, path, out_there, err);
    }
    return rc == E_OK && !*out_there ? is_file(p, u->installed.msi.package, out_there, err) : rc;
}

static enum errc hold_old(struct upgrade *u, struct err *err)
{
    struct run *run = &u->run;
    struct err why;
    if (run->old_name[0] == '\0')
        return E_OK;
    enum errc rc = msi_kept_secure(&u->memory, &u->place, run->old_name, &u->installed.msi.product,
                                   &run->held_old, &why);
    if (rc == E_OK)
        return rc;
    if (rc != E_ABSENT && rc != E_REFUSED && !errc_is_about_bytes(rc)) {
        *err = why;
        return rc;
    }
    if (u->ask->no_rollback) {
        events_say(u->ask->events, EVENT_WARNING, "there is no way back: %s", why.text);
        return E_OK;
    }
    outcome_end(u->out, "UpgradeNotSupportedNoOldPackage", why.text);
    return err_set(err, E_REFUSED, "%s", why.text);
}

enum errc upgrade_msi_prepare(struct upgrade *u, struct err *err)
{
    struct run *run = &u->run;
    struct msi_identity id = { .code = "" };
    enum errc rc = own_program_prepare(u->setup, err);
    if (rc == E_SPACE)
        outcome_end(u->out, result_name(RESULT_INSUFFICIENT_DISK_SPACE), err->text);
    if (rc == E_OK)
        rc = upgrade_keep_proof(u, run->new_name, err);
    if (rc == E_OK)
        rc = msi_kept_read(verified_package_source(u->package), &id, err);
    if (rc == E_OK)
        rc = msi_kept_note(&u->memory, run->new_name, &id, err);
    if (rc == E_OK)
        rc = msi_kept_hold(&u->memory, &u->place, run->new_name, &run->held_new, err);
    return rc == E_OK ? hold_old(u, err) : rc;
}
