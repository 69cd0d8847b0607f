/* Everything that a product file names and that must be beyond doubt when we are elevated: what is
 * trusted, what holds secrets, and programs. A program that is not there yet comes with the product
 * and is judged again when it is run. */

#include <string.h>

#include "installer/core/setup.h"
#include "installer/core/setup_private.h"
#include "platform/base/text.h"

static enum errc guard_name(const struct setup *s, const char *name, unsigned flags,
                            struct err *err)
{
    char path[SETUP_PATH_ROOM];
    if (name == NULL)
        return E_OK;
    enum errc rc = setup_resolve(s, name, path, err);
    return rc == E_OK ? setup_guard(s, path, flags, err) : rc;
}

/* --- programs */

static enum errc guard_command(const struct setup *s, const struct product_command *command,
                               struct err *err)
{
    struct platform *p = s->platform;
    char path[SETUP_PATH_ROOM];
    enum fs_kind kind = FS_ABSENT;
    if (command->args.n == 0)
        return E_OK;
    enum errc rc = setup_resolve(s, command->args.items[0].text, path, err);
    if (rc == E_OK)
        rc = p->fs->kind(p->self, path, &kind, err);
    if (rc != E_OK || kind == FS_ABSENT)
        return rc;
    return setup_guard(s, path, FS_GUARD_LINKS, err);
}

static enum errc guard_services(const struct setup *s, struct err *err)
{
    const struct product_scheduler *own = &s->product.scheduler;
    enum errc rc = E_OK;
    for (size_t i = 0; i < s->product.services.items.n && rc == E_OK; i++) {
        const struct product_service *service = &s->product.services.items.items[i];
        rc = guard_command(s, &service->start, err);
        if (rc == E_OK)
            rc = guard_command(s, &service->stop, err);
        if (rc == E_OK)
            rc = guard_command(s, &service->status, err);
    }
    if (rc == E_OK)
        rc = guard_command(s, &own->status, err);
    if (rc == E_OK)
        rc = guard_command(s, &own->suspend, err);
    return rc == E_OK ? guard_command(s, &own->resume, err) : rc;
}

static enum errc guard_checks(const struct setup *s, const struct check_list *list, struct err *err)
{
    enum errc rc = E_OK;
    for (size_t i = 0; i < list->checks.n && rc == E_OK; i++) {
        const struct product_check *check = &list->checks.items[i];
        if (check->kind == CHECK_COMMAND)
            rc = guard_command(s, &check->of.command.command, err);
        else if (check->kind == CHECK_DATABASE)
            rc = guard_name(s, check->of.database.connection_file, 0, err);
    }
    return rc;
}

static enum errc guard_health_and_data(const struct setup *s, struct err *err)
{
    const struct product_health *health = &s->product.health;
    const struct product_files *files = &s->product.files;
    enum errc rc = E_OK;
    for (size_t i = 0; i < health->commands.n && rc == E_OK; i++)
        rc = guard_command(s, &health->commands.items[i], err);
    for (size_t i = 0; i < health->http.n && rc == E_OK; i++)
        rc = guard_name(s, health->http.items[i].ca, 0, err);
    for (size_t i = 0; i < files->data.n && rc == E_OK; i++) {
        rc = guard_command(s, &files->data.items[i].backup, err);
        if (rc == E_OK)
            rc = guard_command(s, &files->data.items[i].restore, err);
    }
    return rc;
}

/* --- trust */

static enum errc guard_keys(const struct setup *s, const struct trust_minisign *m, struct err *err)
{
    enum errc rc = E_OK;
    for (size_t i = 0; i < m->keys.n && rc == E_OK; i++)
        rc = guard_name(s, m->keys.items[i].file, 0, err);
    return rc;
}

static enum errc guard_signer(const struct setup *s, const struct trust_signer *signer,
                              struct err *err)
{
    enum errc rc = E_OK;
    for (size_t i = 0; i < signer->anchors.n && rc == E_OK; i++)
        rc = guard_name(s, signer->anchors.items[i].text, 0, err);
    for (size_t i = 0; i < signer->timestamp_anchors.n && rc == E_OK; i++)
        rc = guard_name(s, signer->timestamp_anchors.items[i].text, 0, err);
    for (size_t i = 0; i < signer->crls.n && rc == E_OK; i++)
        rc = guard_name(s, signer->crls.items[i].text, 0, err);
    return rc;
}

static enum errc guard_trust(const struct setup *s, struct err *err)
{
    const struct product_trust *trust = &s->product.trust;
    enum errc rc = guard_keys(s, &trust->feed_minisign, err);
    if (rc == E_OK)
        rc = guard_keys(s, &trust->minisign, err);
    for (size_t i = 0; i < trust->feed_cms.n && rc == E_OK; i++)
        rc = guard_signer(s, &trust->feed_cms.items[i], err);
    if (rc == E_OK)
        rc = guard_signer(s, &trust->cms, err);
    if (rc == E_OK)
        rc = guard_signer(s, &trust->authenticode, err);
    if (rc == E_OK)
        rc = guard_name(s, s->product.fetch.ca, 0, err);
    return rc == E_OK ? guard_name(s, s->product.fetch.proxy.login_file, 0, err) : rc;
}

enum errc setup_guard_all(const struct setup *s, struct err *err)
{
    if (!s->is_elevated)
        return E_OK;
    enum errc rc = guard_trust(s, err);
    if (rc == E_OK)
        rc = guard_services(s, err);
    if (rc == E_OK)
        rc = guard_checks(s, &s->product.checks, err);
    if (rc == E_OK)
        rc = guard_checks(s, &s->product.policy.default_state.conditions, err);
    return rc == E_OK ? guard_health_and_data(s, err) : rc;
}
