#include "installer/core/scheduler.h"

#include <string.h>

#include "installer/core/command.h"
#include "installer/core/setting.h"
#include "platform/base/text.h"

static bool is_by_setting(const struct product_scheduler *s)
{
    return s->status.args.n == 0;
}

static enum errc status_by_setting(const struct setup *setup, enum scheduler_is *out,
                                   struct err *err)
{
    const struct product_scheduler *s = &setup->product.scheduler;
    char value[SETTING_VALUE_MAX + 1], shown[80];
    bool found = false;
    enum errc rc = setting_get(setup, &s->setting, value, &found, err);
    if (rc != E_OK)
        return rc;
    if (!found)
        return err_set(err, E_IO, "the scheduler's setting is not there");
    if (strcmp(value, s->on) == 0)
        *out = SCHEDULER_ON;
    else if (strcmp(value, s->off) == 0)
        *out = SCHEDULER_OFF;
    else
        return err_set(err, E_IO, "the scheduler's setting is \"%s\", neither on nor off",
                       text_printable(span_text(value), shown, sizeof(shown)));
    return E_OK;
}

static enum errc status_by_command(const struct setup *setup, enum scheduler_is *out,
                                   struct err *err)
{
    const struct product_command *command = &setup->product.scheduler.status;
    struct proc_result r;
    char text[200];
    enum errc rc = command_run(setup, command, &r, err);
    if (rc != E_OK)
        return rc;
    if (r.end == PROC_EXITED && r.code <= 1)
        *out = r.code == 0 ? SCHEDULER_ON : SCHEDULER_OFF;
    else
        rc = err_set(err, E_IO, "status of the scheduler: %s",
                     command_describe(command, &r, text, sizeof(text)));
    buf_fini(&r.output);
    return rc;
}

enum errc scheduler_status(const struct setup *setup, enum scheduler_is *out, struct err *err)
{
    if (!setup->product.scheduler.is_there)
        return err_set(err, E_ARGUMENT, "the product file has no <scheduler>");
    return is_by_setting(&setup->product.scheduler) ? status_by_setting(setup, out, err)
                                                    : status_by_command(setup, out, err);
}

static enum errc turn(const struct setup *setup, enum scheduler_is wanted, struct err *err)
{
    const struct product_scheduler *s = &setup->product.scheduler;
    enum scheduler_is is = SCHEDULER_UNKNOWN;
    enum errc rc = scheduler_status(setup, &is, err);
    if (rc != E_OK || is == wanted)
        return rc;
    if (is_by_setting(s))
        rc = setting_set(setup, &s->setting, wanted == SCHEDULER_ON ? s->on : s->off, err);
    else
        rc = command_demand(setup, wanted == SCHEDULER_ON ? &s->resume : &s->suspend, err);
    if (rc == E_OK)
        rc = scheduler_status(setup, &is, err);
    if (rc == E_OK && is != wanted)
        rc = err_set(err, E_IO, "the scheduler is still %s", is == SCHEDULER_ON ? "on" : "off");
    return rc;
}

enum errc scheduler_suspend(const struct setup *setup, struct err *err)
{
    return turn(setup, SCHEDULER_OFF, err);
}

enum errc scheduler_resume(const struct setup *setup, struct err *err)
{
    return turn(setup, SCHEDULER_ON, err);
}
