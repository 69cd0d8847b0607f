#include "installer/core/msi_switch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "installer/core/own_program.h"
#include "manifest/version.h"
#include "platform/base/text.h"

#define IDLE_WAIT_MS (10 * 60 * 1000)
#define IDLE_STEP_MS 500

/* --- what is installed */

static enum errc note_product(void *ctx, const struct msi_product *product, struct err *err)
{
    struct msi_installed *all = ctx;
    if (all->n == MSI_RELATED_MAX)
        return err_set(err, E_LIMIT, "more than %d products have this upgrade code",
                       MSI_RELATED_MAX);
    struct msi_related *r = &all->items[all->n];
    if (strlen(product->package) >= sizeof(r->package) ||
        strlen(product->folder) >= sizeof(r->folder))
        return err_set(err, E_LIMIT, "a path of %.40s is too long", product->code);
    r->product = *product;
    (void)text_copy(r->package, sizeof(r->package), product->package);
    (void)text_copy(r->folder, sizeof(r->folder), product->folder);
    all->n++;
    return E_OK;
}

enum errc msi_switch_look(const struct setup *setup, struct msi_installed *out, struct err *err)
{
    struct platform *p = setup->platform;
    out->n = 0;
    enum errc rc =
        p->msi->related(p->self, setup->product.install.upgrade_code, note_product, out, err);
    for (size_t i = 0; i < out->n; i++) {
        out->items[i].product.package = out->items[i].package;
        out->items[i].product.folder = out->items[i].folder;
    }
    return rc;
}

static bool is_same(const struct msi_product *p, const struct msi_identity *id)
{
    return strcmp(p->code, id->code) == 0 && strcmp(p->version, id->version) == 0;
}

bool msi_switch_is(const struct msi_installed *installed, const struct msi_identity *id)
{
    return installed->n == 1 && is_same(&installed->items[0].product, id);
}

/* --- one installation at a time */

/* One that we began may go on where we were killed: nothing is judged before it has ended. */
enum errc msi_switch_await(const struct msi_ask *ask, struct err *err)
{
    struct platform *p = ask->setup->platform;
    const int64_t until = p->host->monotonic_ms(p->self) + IDLE_WAIT_MS;
    for (;;) {
        bool is_busy = false;
        enum errc rc = p->msi->is_busy(p->self, &is_busy, err);
        if (rc != E_OK || !is_busy)
            return rc;
        if (p->host->monotonic_ms(p->self) >= until)
            return err_set(err, E_BUSY,
                           "Windows Installer is at work on something else, and does "
                           "not come to an end");
        p->host->sleep_ms(p->self, IDLE_STEP_MS);
    }
}

static enum errc judge(const struct msi_ask *ask, const struct msi_result *result, bool *restart,
                       struct err *err)
{
    char log[160] = "";
    if (ask->log != NULL)
        (void)snprintf(log, sizeof(log), "; see %.140s", ask->log);
    switch (result->end) {
    case MSI_ENDED_FOR_RESTART: *restart = true; return E_OK;
    case MSI_ENDED_WELL: return E_OK;
    case MSI_ENDED_BUSY:
        return err_set(err, E_BUSY, "Windows Installer is at work on something else (%u)",
                       result->code);
    default:
        return err_set(err, E_IO, "Windows Installer failed with %u, %.100s%s", result->code,
                       result->text, log);
    }
}

/* --- what was written lasts */

static enum errc flush(const struct setup *setup, const char *folder, struct err *err)
{
    struct platform *p = setup->platform;
    enum fs_kind kind = FS_ABSENT;
    if (folder[0] == '\0')
        return E_OK;
    enum errc rc = p->fs->kind(p->self, folder, &kind, err);
    if (rc == E_OK && kind == FS_FOLDER)
        rc = p->fs->flush_tree(p->self, folder, err);
    if (rc == E_BUSY) /* what a program runs from, no one has just written */
        rc = E_OK;
    if (rc == E_OK)
        rc = setup_sync_again(p, folder, err);
    return rc == E_OK ? rc : setup_name_path(folder, err);
}

static enum errc flush_all(const struct setup *setup, const struct msi_installed *installed,
                           struct err *err)
{
    enum errc rc = flush(setup, setup->install, err);
    for (size_t i = 0; i < installed->n && rc == E_OK; i++)
        if (strcmp(installed->items[i].folder, setup->install) != 0)
            rc = flush(setup, installed->items[i].folder, err);
    return rc;
}

/* --- what stands in the way */

/* What Windows Installer knows of a product is on the disk at once, its files are not: they must be
 * gone before anybody can think so. */
static enum errc take_away(const struct msi_ask *ask, const struct msi_product *product,
                           bool *restart, struct err *err)
{
    struct platform *p = ask->setup->platform;
    struct msi_result result = { .end = MSI_NO_END };
    enum errc rc = msi_switch_await(ask, err);
    if (rc == E_OK)
        rc = p->msi->remove(p->self, product->code, ask->log, &result, err);
    if (rc == E_OK)
        rc = judge(ask, &result, restart, err);
    if (rc == E_OK)
        rc = flush(ask->setup, ask->setup->install, err);
    if (rc == E_OK && strcmp(product->folder, ask->setup->install) != 0)
        rc = flush(ask->setup, product->folder, err);
    return rc == E_OK ? rc : err_prefix(err, "taking version %.32s away: ", product->version);
}

/* A product that an installation of `id` would not replace: one that is newer, or has its product
 * code and another version that is not older. A version that can't be read stands in the way. */
static bool is_in_the_way(const struct msi_product *p, const struct msi_identity *id)
{
    struct version there, wanted;
    if (is_same(p, id))
        return false;
    if (version_read(span_text(p->version), &there, NULL) != E_OK ||
        version_read(span_text(id->version), &wanted, NULL) != E_OK)
        return true;
    return version_compare(&there, &wanted) >= 0;
}

static enum errc make_way(const struct msi_ask *ask, const struct msi_installed *installed,
                          const struct msi_identity *id, bool *restart, struct err *err)
{
    enum errc rc = E_OK;
    for (size_t i = 0; i < installed->n && rc == E_OK; i++)
        if (is_in_the_way(&installed->items[i].product, id) ||
            (ask->is_back && !is_same(&installed->items[i].product, id)))
            rc = take_away(ask, &installed->items[i].product, restart, err);
    return rc;
}

static bool has_code(const struct msi_installed *installed, const char *code)
{
    for (size_t i = 0; i < installed->n; i++)
        if (strcmp(installed->items[i].product.code, code) == 0)
            return true;
    return false;
}

/* Where this product is Surefoot itself its own program is in the way; one that can't go aside
 * makes a restart needed, and no more. */
static void step_aside(const struct msi_ask *ask)
{
    struct err err = { .code = E_OK };
    if (own_program_step_aside(ask->setup, &err) != E_OK)
        events_say(ask->events, EVENT_WARNING, "%s", err.text);
}

/* --- there, and away */

static enum errc install(const struct msi_ask *ask, const struct msi_held *held, bool again,
                         bool *restart, struct err *err)
{
    struct platform *p = ask->setup->platform;
    struct msi_result result = { .end = MSI_NO_END };
    enum errc rc = msi_switch_await(ask, err);
    if (rc == E_OK)
        rc = p->msi->install(p->self, held->path, again, ask->log, &result, err);
    return rc == E_OK ? judge(ask, &result, restart, err) : rc;
}

/* Brings the package in once, and looks what came of it. */
static enum errc bring_once(const struct msi_ask *ask, const struct msi_held *held,
                            struct msi_installed *installed, bool *restart, struct err *err)
{
    enum errc rc = make_way(ask, installed, &held->id, restart, err);
    if (rc == E_OK)
        rc = msi_switch_look(ask->setup, installed, err);
    if (rc == E_OK)
        rc = install(ask, held, has_code(installed, held->id.code), restart, err);
    return rc == E_OK ? msi_switch_look(ask->setup, installed, err) : rc;
}

/* An installation over what a cut-off one left may end well and leave nothing: what was left is
 * then gone, and the second one is as good as the first on an empty machine. */
static enum errc bring(const struct msi_ask *ask, const struct msi_held *held,
                       struct msi_installed *installed, bool *restart, struct err *err)
{
    enum errc rc = msi_switch_await(ask, err);
    if (rc == E_OK)
        rc = msi_switch_look(ask->setup, installed, err);
    if (rc == E_OK)
        step_aside(ask);
    if (rc == E_OK)
        rc = bring_once(ask, held, installed, restart, err);
    if (rc == E_OK && installed->n == 0)
        rc = bring_once(ask, held, installed, restart, err);
    if (rc == E_OK && !msi_switch_is(installed, &held->id))
        rc = err_set(err, E_IO, "Windows Installer says that it is done, and %s",
                     installed->n == 0 ? "nothing is installed" : "another version is installed");
    return rc == E_OK ? flush_all(ask->setup, installed, err) : rc;
}

enum errc msi_switch_to(const struct msi_ask *ask, const struct msi_held *held, bool *out_restart,
                        struct err *err)
{
    struct msi_installed *installed = malloc(sizeof(*installed));
    if (installed == NULL)
        return err_nomem(err);
    enum errc rc = bring(ask, held, installed, out_restart, err);
    struct err ignored;
    if (rc == E_IO) /* what it wrote and took away again must not come back */
        (void)!flush(ask->setup, ask->setup->install, &ignored);
    free(installed);
    return rc == E_OK ? rc : err_prefix(err, "installing %.32s: ", held->id.version);
}

static enum errc clear(const struct msi_ask *ask, struct msi_installed *installed, bool *restart,
                       struct err *err)
{
    enum errc rc = msi_switch_await(ask, err);
    if (rc == E_OK)
        rc = msi_switch_look(ask->setup, installed, err);
    if (rc == E_OK)
        step_aside(ask);
    for (size_t i = 0; i < installed->n && rc == E_OK; i++)
        rc = take_away(ask, &installed->items[i].product, restart, err);
    if (rc == E_OK)
        rc = msi_switch_look(ask->setup, installed, err);
    if (rc == E_OK && installed->n > 0)
        rc = err_set(err, E_IO,
                     "Windows Installer says that it is done, and version %s is still "
                     "installed",
                     installed->items[0].product.version);
    return rc == E_OK ? flush_all(ask->setup, installed, err) : rc;
}

enum errc msi_switch_away(const struct msi_ask *ask, bool *out_restart, struct err *err)
{
    struct msi_installed *installed = malloc(sizeof(*installed));
    if (installed == NULL)
        return err_nomem(err);
    installed->n = 0;
    enum errc rc = clear(ask, installed, out_restart, err);
    free(installed);
    return rc;
}
