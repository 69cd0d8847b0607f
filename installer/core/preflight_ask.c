/* Checks that ask one thing: a service, a group, a lock, the product's scheduler, the system, a
 * command. */

#include <stdio.h>
#include <string.h>

#include "installer/core/command.h"
#include "installer/core/preflight_private.h"
#include "installer/core/scheduler.h"
#include "installer/core/services.h"
#include "platform/base/text.h"

static const char *shown(const char *text, char to[100])
{
    return text_printable(span_text(text), to, 100);
}

/* --- services */

static enum errc status_of(const struct setup *setup, const char *name, struct service_status *out,
                           struct err *err)
{
    const struct product_services *services = &setup->product.services;
    struct platform *p = setup->platform;
    for (size_t i = 0; i < services->items.n; i++)
        if (strcmp(services->items.items[i].name, name) == 0)
            return services_status(setup, i, out, err);
    return p->service->status(p->self, name, out, err);
}

enum errc preflight_service(const struct preflight_row_ask *row, struct err *err)
{
    const struct check_service *wanted = &row->check->of.service;
    struct service_status status;
    char name[100];
    enum errc rc = status_of(row->ask->setup, wanted->name, &status, err);
    if (rc != E_OK)
        return preflight_unknown(row, CHECK_SERVICE, rc, err);
    const bool runs = status.is == SERVICE_IS_RUNNING;
    const bool is_stopped = status.is == SERVICE_IS_STOPPED || status.is == SERVICE_IS_FAILED ||
                            status.is == SERVICE_IS_ABSENT;
    if (wanted->state == SERVICE_RUNNING ? runs : is_stopped)
        return E_OK;
    return preflight_add(row->out, CHECK_SERVICE, row->check->result, "service %s: %s, must %s",
                         shown(wanted->name, name), status.text,
                         wanted->state == SERVICE_RUNNING ? "run" : "be stopped");
}

enum errc preflight_own_services(const struct preflight_row_ask *row, struct err *err)
{
    const struct product_services *services = &row->ask->setup->product.services;
    enum errc rc = E_OK;
    for (size_t i = 0; i < services->items.n && rc == E_OK; i++) {
        struct service_status status;
        char name[100];
        rc = services_status(row->ask->setup, i, &status, err);
        if (rc != E_OK)
            rc = preflight_unknown(row, CHECK_SERVICE, rc, err);
        else if (status.is != SERVICE_IS_RUNNING)
            rc = preflight_add(row->out, CHECK_SERVICE, result_name(RESULT_SERVICE_NOT_RUNNING),
                               "service %s: %s; start it, so that the new version can be compared "
                               "with one that ran",
                               shown(services->items.items[i].name, name), status.text);
    }
    return rc;
}

/* --- groups */

enum errc preflight_group(const struct preflight_row_ask *row, struct err *err)
{
    const struct check_group *wanted = &row->check->of.group;
    struct platform *p = row->ask->setup->platform;
    bool exists = false;
    char name[100];
    enum errc rc = wanted->name == NULL
                       ? p->host->sid_exists(p->self, wanted->sid, &exists, err)
                       : p->host->group_exists(p->self, wanted->name, &exists, err);
    if (rc != E_OK)
        return preflight_unknown(row, CHECK_GROUP, rc, err);
    return exists
               ? E_OK
               : preflight_add(row->out, CHECK_GROUP, row->check->result, "group %s can't be found",
                               shown(wanted->name != NULL ? wanted->name : wanted->sid, name));
}

/* --- locks */

static enum errc ask_lock(const struct setup *setup, const struct check_lock *wanted,
                          bool *out_held, struct err *err)
{
    struct platform *p = setup->platform;
    char path[SETUP_PATH_ROOM];
    if (wanted->file == NULL)
        return p->host->mutex_held(p->self, wanted->mutex, out_held, err);
    enum errc rc = setup_resolve(setup, wanted->file, path, err);
    return rc == E_OK ? p->fs->is_locked(p->self, path, out_held, err) : rc;
}

enum errc preflight_lock(const struct preflight_row_ask *row, struct err *err)
{
    const struct check_lock *wanted = &row->check->of.lock;
    char name[100];
    bool is_held = false;
    enum errc rc = ask_lock(row->ask->setup, wanted, &is_held, err);
    if (rc != E_OK)
        return preflight_unknown(row, CHECK_LOCK, rc, err);
    if (!is_held)
        return E_OK;
    return preflight_add(row->out, CHECK_LOCK, row->check->result, "%s is %s: work is in progress",
                         shown(wanted->file != NULL ? wanted->file : wanted->mutex, name),
                         wanted->file != NULL ? "locked" : "held");
}

/* --- the product's scheduler */

enum errc preflight_schedule(const struct preflight_row_ask *row, struct err *err)
{
    enum scheduler_is is = SCHEDULER_UNKNOWN;
    enum errc rc = scheduler_status(row->ask->setup, &is, err);
    if (rc != E_OK)
        return preflight_unknown(row, CHECK_SCHEDULE, rc, err);
    return is == SCHEDULER_ON ? E_OK
                              : preflight_add(row->out, CHECK_SCHEDULE, row->check->result,
                                              "the product's own scheduler is off");
}

/* --- the system */

/* Of "6.1.0-13-amd64" the numbers. */
static bool read_numbers(const char *text, struct version *out)
{
    const size_t len = strspn(text, "0123456789.");
    return version_read(span_of(text, len > 0 && text[len - 1] == '.' ? len - 1 : len), out,
                        NULL) == E_OK;
}

static bool is_system(const struct check_os_is *wanted, const struct host_os *os)
{
    struct version have;
    const bool by_kernel =
        strcmp(wanted->name, "linux") == 0 || strcmp(wanted->name, "windows") == 0;
    if (strcmp(wanted->name, by_kernel ? os->os : os->id) != 0)
        return false;
    if (wanted->minimum.text[0] == '\0')
        return true;
    return read_numbers(by_kernel ? os->kernel : os->version, &have) &&
           version_compare(&have, &wanted->minimum) >= 0;
}

enum errc preflight_os(const struct preflight_row_ask *row, struct err *err)
{
    const struct check_os *wanted = &row->check->of.os;
    struct platform *p = row->ask->setup->platform;
    struct host_os os;
    enum errc rc = p->host->os(p->self, &os, err);
    if (rc != E_OK)
        return preflight_unknown(row, CHECK_OS, rc, err);
    for (size_t i = 0; i < wanted->is.n; i++)
        if (is_system(&wanted->is.items[i], &os))
            return E_OK;
    return preflight_add(row->out, CHECK_OS, row->check->result,
                         "this system is %s %s (%s, kernel %s), which is none of those wanted",
                         os.id, os.version, os.os, os.kernel);
}

/* --- commands */

static const char *result_of_exit(const struct product_check *check, int code)
{
    const struct check_command *c = &check->of.command;
    for (size_t i = 0; i < c->exits.n; i++)
        if (c->exits.items[i].code == (uint64_t)code)
            return c->exits.items[i].result;
    return code == 0 ? result_name(RESULT_SUCCESS) : check->result;
}

enum errc preflight_command(const struct preflight_row_ask *row, struct err *err)
{
    const struct product_command *command = &row->check->of.command.command;
    struct proc_result r;
    char text[240];
    enum errc rc = command_run(row->ask->setup, command, &r, err);
    if (rc != E_OK)
        return preflight_unknown(row, CHECK_COMMAND, rc, err);
    (void)command_describe(command, &r, text, sizeof(text));
    if (r.end != PROC_EXITED) {
        rc = preflight_add(row->out, CHECK_COMMAND, "", "%s", text);
    } else {
        const char *result = result_of_exit(row->check, r.code);
        if (strcmp(result, result_name(RESULT_SUCCESS)) != 0)
            rc = preflight_add(row->out, CHECK_COMMAND, result, "%s", text);
    }
    buf_fini(&r.output);
    return rc;
}
