/* The order of work: every check is asked, and what does not hold is sorted. */

#include "installer/core/preflight.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "installer/core/preflight_private.h"
#include "platform/base/text.h"

/* One row for each enum check_kind. */
static const preflight_row_fn rows[] = {
    [CHECK_PROCESS] = preflight_process,
    [CHECK_SERVICE] = preflight_service,
    [CHECK_DATABASE] = preflight_database,
    [CHECK_GROUP] = preflight_group,
    [CHECK_DISK] = preflight_disk,
    [CHECK_LOCK] = preflight_lock,
    [CHECK_SCHEDULE] = preflight_schedule,
    [CHECK_SETTING] = preflight_setting,
    [CHECK_OS] = preflight_os,
    [CHECK_COMMAND] = preflight_command,
};

/* --- findings */

enum errc preflight_add(struct preflight *out, enum check_kind kind, const char *result,
                        const char *fmt, ...)
{
    if (out->n == PREFLIGHT_FINDINGS_MAX)
        return E_OK; /* the first of so many are enough to act on */
    struct preflight_finding *f = &out->items[out->n++];
    va_list args;
    (void)snprintf(f->result, sizeof(f->result), "%s", result);
    f->phase = result[0] != '\0' ? product_checks_phase(kind, result) : RESULT_PHASE_NONE;
    out->n_unknown += result[0] == '\0';
    va_start(args, fmt);
    (void)text_print(f->text, sizeof(f->text), fmt, args);
    va_end(args);
    return E_OK;
}

enum errc preflight_unknown(const struct preflight_row_ask *row, enum check_kind kind, enum errc rc,
                            struct err *err)
{
    if (rc == E_OK || rc == E_NOMEM || rc == E_INTERNAL)
        return rc;
    return preflight_add(row->out, kind, "", "%s", err->text);
}

static int place_of(const struct preflight_finding *f)
{
    return f->phase == RESULT_PHASE_NONE ? INT32_MAX : (int)f->phase;
}

/* A stable sort: within a phase the order of the product file stays. */
static void sort(struct preflight *out)
{
    for (size_t i = 1; i < out->n; i++) {
        struct preflight_finding f = out->items[i];
        size_t k = i;
        for (; k > 0 && place_of(&out->items[k - 1]) > place_of(&f); k--)
            out->items[k] = out->items[k - 1];
        out->items[k] = f;
    }
}

/* --- which checks are asked */

/* phases_of: where the results that a check may yield belong. */
static uint32_t phases_of(const struct product_check *check)
{
    uint32_t phases = 1U << product_checks_phase((enum check_kind)check->kind, check->result);
    if (check->kind == CHECK_COMMAND)
        for (size_t i = 0; i < check->of.command.exits.n; i++)
            phases |=
                1U << product_checks_phase(CHECK_COMMAND, check->of.command.exits.items[i].result);
    if (check->kind == CHECK_DATABASE)
        phases |= 1U << RESULT_PHASE_ENVIRONMENT | 1U << RESULT_PHASE_CONFIGURATION;
    return phases;
}

/* A product that is not there yet can't be asked how it is. */
static bool is_of_installed(const struct preflight_ask *ask, const struct product_check *check)
{
    if (check->kind == CHECK_SCHEDULE)
        return true;
    if (check->kind != CHECK_SERVICE || check->of.service.state != SERVICE_RUNNING)
        return false;
    const struct product_services *services = &ask->setup->product.services;
    for (size_t i = 0; i < services->items.n; i++)
        if (strcmp(services->items.items[i].name, check->of.service.name) == 0)
            return true;
    return false;
}

static enum errc ask_list(const struct preflight_ask *ask, const struct check_list *list,
                          struct preflight *out, struct err *err)
{
    enum errc rc = E_OK;
    for (size_t i = 0; i < list->checks.n && rc == E_OK; i++) {
        const struct product_check *check = &list->checks.items[i];
        struct preflight_row_ask row = { ask, check, out };
        if ((phases_of(check) & ask->phases) == 0 || (ask->is_first && is_of_installed(ask, check)))
            continue;
        rc = rows[check->kind](&row, err);
    }
    return rc;
}

static enum errc ask_own(const struct preflight_ask *ask, struct preflight *out, struct err *err)
{
    struct preflight_row_ask row = { ask, NULL, out };
    const bool is_msi = setup_is_msi(ask->setup);
    enum errc rc = E_OK;
    if ((ask->phases & 1U << RESULT_PHASE_CONFIGURATION) != 0)
        rc = preflight_tree(&row, err);
    if (rc == E_OK && is_msi && (ask->phases & 1U << RESULT_PHASE_CONFIGURATION) != 0)
        rc = preflight_msi(&row, err);
    if (rc == E_OK && is_msi && (ask->phases & 1U << RESULT_PHASE_ACTIVITY) != 0)
        rc = preflight_msi_idle(&row, err);
    if (rc == E_OK && (ask->phases & 1U << RESULT_PHASE_ENVIRONMENT) != 0)
        rc = preflight_access(&row, err);
    if (rc == E_OK && (ask->phases & 1U << RESULT_PHASE_DISK) != 0)
        rc = preflight_room(&row, err);
    if (rc == E_OK && (ask->phases & 1U << RESULT_PHASE_SERVICE) != 0 && !ask->is_first)
        rc = preflight_own_services(&row, err);
    return rc;
}

enum errc preflight_run(const struct preflight_ask *ask, struct preflight *out, struct err *err)
{
    out->n = out->n_unknown = 0;
    enum errc rc = ask_list(ask, &ask->setup->product.checks, out, err);
    if (rc == E_OK)
        rc = ask_own(ask, out, err);
    sort(out);
    return rc;
}

enum errc preflight_conditions(const struct setup *setup, const struct check_list *list,
                               struct preflight *out, struct err *err)
{
    struct preflight_ask ask = { .setup = setup, .phases = PREFLIGHT_ALL };
    out->n = out->n_unknown = 0;
    return ask_list(&ask, list, out, err);
}
