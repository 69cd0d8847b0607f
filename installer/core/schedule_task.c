#include "installer/core/schedule_task.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "manifest/xml_out.h"

#define TASK_NAMESPACE "http://schemas.microsoft.com/windows/2004/02/mit/task"
#define MINUTES_MAX (31 * 24 * 60) /* between two runs, as the Task Scheduler has it */
#define ARGUMENTS_MAX (3 * SETUP_PATH_ROOM)

/* A run is waited for as Windows does by itself: what takes longer hangs, is ended, and is then
 * recovered by the next one. */
#define ENDED_AFTER "P3D"
#define NORMAL_PRIORITY "5" /* a task's usual 7 is below it, and services are down meanwhile */

const char *schedule_task_name(const struct setup *setup, enum schedule_task which,
                               char to[SCHEDULE_NAME_ROOM])
{
    (void)snprintf(to, SCHEDULE_NAME_ROOM, "Surefoot\\%s%s", setup->product.name,
                   which == SCHEDULE_TASK_RECOVER ? " recover" : "");
    return to;
}

/* --- words of a command */

static enum errc check_word(const char *word, struct err *err)
{
    for (const char *c = word; *c != '\0'; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            return err_set(err, E_ARGUMENT, "a path with a control character can't be in a task");
    if (strchr(word, '%') != NULL)
        return err_set(err, E_ARGUMENT, "a path with \"%%\" can't be in a task: it is replaced");
    if (strstr(word, "$(") != NULL)
        return err_set(err, E_ARGUMENT, "a path with \"$(\" can't be in a task: it is replaced");
    return E_OK;
}

/* A path as Windows writes it. */
static uint8_t turned(char c)
{
    return c == '/' ? (uint8_t)'\\' : (uint8_t)c;
}

static enum errc add_bytes(struct buf *out, uint8_t byte, size_t n, struct err *err)
{
    enum errc rc = E_OK;
    for (; n > 0 && rc == E_OK; n--)
        rc = buf_add_byte(out, byte, err);
    return rc;
}

/* CommandLineToArgvW: in quotes, where a quote has a "\" before it, and each "\" before a quote,
 * the last one too, is doubled. */
static enum errc add_argument(struct buf *out, const char *word, struct err *err)
{
    size_t n_back = 0;
    enum errc rc = buf_add_byte(out, '"', err);
    for (const char *c = word; *c != '\0' && rc == E_OK; c++) {
        if (*c == '"')
            rc = add_bytes(out, '\\', n_back + 1, err);
        n_back = turned(*c) == '\\' ? n_back + 1 : 0;
        if (rc == E_OK)
            rc = buf_add_byte(out, turned(*c), err);
    }
    if (rc == E_OK)
        rc = add_bytes(out, '\\', n_back, err);
    return rc == E_OK ? buf_add_byte(out, '"', err) : rc;
}

/* --- elements */

static void put_text(struct xml_out *x, const char *name, const char *text)
{
    xml_out_start(x, name);
    xml_out_text(x, span_text(text));
    xml_out_end(x);
}

static void put_minutes(struct xml_out *x, const char *name, int64_t minutes)
{
    char text[32];
    minutes = minutes < 1 ? 1 : minutes > MINUTES_MAX ? MINUTES_MAX : minutes;
    (void)snprintf(text, sizeof(text), "PT%" PRId64 "M", minutes);
    put_text(x, name, text);
}

/* Long past, so that the first time is the next one; its minute spreads the machines of a fleet. */
static void put_timer(struct xml_out *x, const struct schedule_ask *ask, unsigned minute)
{
    const int64_t minutes = ask->setup->product.policy.interval_s / 60;
    char start[32];
    (void)snprintf(start, sizeof(start), "2020-01-01T00:%02u:00", minute % 60);
    xml_out_start(x, "TimeTrigger");
    xml_out_start(x, "Repetition");
    put_minutes(x, "Interval", minutes);
    put_text(x, "StopAtDurationEnd", "false");
    xml_out_end(x);
    put_text(x, "StartBoundary", start);
    put_text(x, "Enabled", "true");
    put_minutes(x, "RandomDelay", minutes / 10);
    xml_out_end(x);
}

static bool is_the_systems(const struct schedule_ask *ask)
{
    return strcmp(ask->account, SCHEDULE_TASK_SYSTEM) == 0;
}

static void put_start(struct xml_out *x, const struct schedule_ask *ask)
{
    const bool is_boot = is_the_systems(ask);
    xml_out_start(x, is_boot ? "BootTrigger" : "LogonTrigger");
    put_text(x, "Enabled", "true");
    if (!is_boot)
        put_text(x, "UserId", ask->account);
    xml_out_end(x);
}

/* Where the program itself may be gone no run recovers: recovery then comes as often as one,
 * between two of them. */
static void put_triggers(struct xml_out *x, const struct schedule_ask *ask,
                         enum schedule_task which)
{
    xml_out_start(x, "Triggers");
    if (which == SCHEDULE_TASK_RUN)
        put_timer(x, ask, ask->minute);
    else
        put_start(x, ask);
    if (which == SCHEDULE_TASK_RECOVER && ask->is_own)
        put_timer(x, ask, ask->minute + 30);
    xml_out_end(x);
}

/* HighestAvailable is not an ordinary user's to ask for. */
static void put_principal(struct xml_out *x, const struct schedule_ask *ask)
{
    xml_out_start(x, "Principals");
    xml_out_start(x, "Principal");
    xml_out_attr_text(x, "id", "Author");
    put_text(x, "UserId", ask->account);
    if (!is_the_systems(ask))
        put_text(x, "LogonType", "InteractiveToken");
    put_text(x, "RunLevel", is_the_systems(ask) ? "HighestAvailable" : "LeastPrivilege");
    xml_out_end(x);
    xml_out_end(x);
}

static void put_settings(struct xml_out *x)
{
    static const struct {
        const char *name, *text;
    } settings[] = {
        { "MultipleInstancesPolicy", "IgnoreNew" },
        { "DisallowStartIfOnBatteries", "false" },
        { "StopIfGoingOnBatteries", "false" },
        { "AllowHardTerminate", "true" },
        { "StartWhenAvailable", "true" },
        { "RunOnlyIfNetworkAvailable", "false" },
        { "AllowStartOnDemand", "true" },
        { "Enabled", "true" },
        { "Hidden", "false" },
        { "RunOnlyIfIdle", "false" },
        { "WakeToRun", "false" },
        { "ExecutionTimeLimit", ENDED_AFTER },
        { "Priority", NORMAL_PRIORITY },
    };
    xml_out_start(x, "Settings");
    for (size_t i = 0; i < ARRAY_LEN(settings); i++)
        put_text(x, settings[i].name, settings[i].text);
    xml_out_end(x);
}

static void put_about(struct xml_out *x, const struct schedule_ask *ask, enum schedule_task which)
{
    char name[SCHEDULE_NAME_ROOM], uri[SCHEDULE_NAME_ROOM + 1], text[2 * SETUP_PATH_ROOM];
    (void)snprintf(uri, sizeof(uri), "\\%s", schedule_task_name(ask->setup, which, name));
    (void)snprintf(text, sizeof(text), "%s %s. Written by surefoot schedule.",
                   which == SCHEDULE_TASK_RUN ? "Unattended upgrade of"
                                              : "Finish or undo an interrupted upgrade of",
                   ask->setup->product.title);
    xml_out_start(x, "RegistrationInfo");
    put_text(x, "Author", "surefoot");
    put_text(x, "Description", text);
    put_text(x, "URI", uri);
    xml_out_end(x);
}

static void put_action(struct xml_out *x, struct span program, struct span arguments)
{
    xml_out_start(x, "Actions");
    xml_out_attr_text(x, "Context", "Author");
    xml_out_start(x, "Exec");
    xml_out_start(x, "Command");
    xml_out_text(x, program);
    xml_out_end(x);
    xml_out_start(x, "Arguments");
    xml_out_text(x, arguments);
    xml_out_end(x);
    xml_out_end(x);
    xml_out_end(x);
}

static enum errc put_task(const struct schedule_ask *ask, enum schedule_task which,
                          struct span program, struct span arguments, struct buf *out,
                          struct err *err)
{
    struct xml_out x;
    xml_out_init(&x, out);
    xml_out_start(&x, "Task");
    xml_out_attr_text(&x, "version", "1.2");
    xml_out_attr_text(&x, "xmlns", TASK_NAMESPACE);
    put_about(&x, ask, which);
    put_triggers(&x, ask, which);
    put_principal(&x, ask);
    put_settings(&x);
    put_action(&x, program, arguments);
    xml_out_end(&x);
    enum errc rc = xml_out_finish(&x, err);
    return rc == E_MALFORMED ? err->code = E_ARGUMENT : rc;
}

enum errc schedule_task_write(const struct schedule_ask *ask, enum schedule_task which,
                              struct buf *out, struct err *err)
{
    const char *path = which == SCHEDULE_TASK_RECOVER ? ask->kept : ask->program;
    struct buf program, arguments;
    buf_init(&program, SETUP_PATH_ROOM);
    buf_init(&arguments, ARGUMENTS_MAX);
    enum errc rc = check_word(path, err);
    if (rc == E_OK)
        rc = check_word(ask->product, err);
    for (const char *c = path; *c != '\0' && rc == E_OK; c++)
        rc = buf_add_byte(&program, turned(*c), err);
    if (rc == E_OK)
        rc = buf_add_text(&arguments, which == SCHEDULE_TASK_RUN ? "run " : "recover ", err);
    if (rc == E_OK)
        rc = add_argument(&arguments, ask->product, err);
    if (rc == E_OK)
        rc = put_task(ask, which, buf_span(&program), buf_span(&arguments), out, err);
    buf_fini(&program);
    buf_fini(&arguments);
    return rc;
}
