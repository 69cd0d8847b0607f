#include "manifest/product_private.h"

#include <string.h>

static const char *const action_words[] = { "wait", "terminate", NULL };
static const char *const state_words[] = { "running", "stopped", NULL };

void product_checks_begin(void *record, enum check_kind kind, enum result_word word)
{
    struct product_check *check = record;
    check->kind = (int)kind;
    check->result = result_name(word);
}

enum errc product_checks_one_of(const char *name_a, const char *a, const char *name_b,
                                const char *b, struct err *err)
{
    if (a == NULL && b == NULL)
        return err_set(err, E_MALFORMED, "says neither \"%s\" nor \"%s\"", name_a, name_b);
    if (a != NULL && b != NULL)
        return err_set(err, E_MALFORMED, "says both \"%s\" and \"%s\": leave one out", name_a,
                       name_b);
    return E_OK;
}

enum errc product_checks_result(void *record, struct err *err)
{
    return result_check_named(((const struct product_check *)record)->result, err);
}

/* --- process */

static void begin_process(void *record)
{
    product_checks_begin(record, CHECK_PROCESS, RESULT_PROGRAM_IN_USE);
}

static enum errc check_process(void *record, struct err *err)
{
    const struct product_check *check = record;
    const struct check_process *p = &check->of.process;
    enum errc rc = product_checks_one_of("name", p->name, "path", p->path, err);
    if (rc != E_OK)
        return rc;
    if (p->name != NULL && strpbrk(p->name, "/\\") != NULL)
        return err_set(err, E_MALFORMED, "\"name\" has a folder in it: say it as \"path\"");
    if (p->action == PROCESS_TERMINATE && p->terminate_after_s == 0)
        return err_set(err, E_MALFORMED,
                       "is to be terminated, and \"terminate-after\" does not say after how long");
    if (p->action == PROCESS_WAIT && p->terminate_after_s != 0)
        return err_set(err, E_MALFORMED,
                       "has \"terminate-after\" and is only waited for: say action=\"terminate\", "
                       "or leave it out");
    return product_checks_result(record, err);
}

static const struct schema_value process_values[] = {
    SCHEMA_MAY("name", VALUE_ARGUMENT, struct product_check, of.process.name),
    SCHEMA_MAY("path", VALUE_ARGUMENT, struct product_check, of.process.path),
    SCHEMA_MAY("action", VALUE_WORD, struct product_check, of.process.action,
               .words = action_words),
    SCHEMA_MAY("terminate-after", VALUE_DURATION, struct product_check,
               of.process.terminate_after_s, .min = 1),
    CHECK_RESULT_MAY,
};
static const struct schema_element process = {
    CHECK_ELEMENT("process", begin_process, check_process), SCHEMA_VALUES(process_values)
};

/* --- service */

static void begin_service(void *record)
{
    product_checks_begin(record, CHECK_SERVICE, RESULT_SERVICE_NOT_RUNNING);
}

static const struct schema_value service_values[] = {
    SCHEMA_MUST("name", VALUE_ARGUMENT, struct product_check, of.service.name),
    SCHEMA_MAY("state", VALUE_WORD, struct product_check, of.service.state, .words = state_words),
    CHECK_RESULT_MAY,
};
static const struct schema_element service = {
    CHECK_ELEMENT("service", begin_service, product_checks_result), SCHEMA_VALUES(service_values)
};

/* --- group, disk, lock, schedule */

static void begin_group(void *record)
{
    product_checks_begin(record, CHECK_GROUP, RESULT_GROUPS_NOT_PRESENT);
}

/* is_sid: "S-1-" and two or more numbers between "-". */
static bool is_sid(const char *text)
{
    size_t n_numbers = 0;
    if (strncmp(text, "S-1", 3) != 0)
        return false;
    for (text += 3; *text == '-'; n_numbers++) {
        size_t n = strspn(text + 1, "0123456789");
        if (n == 0)
            return false;
        text += 1 + n;
    }
    return *text == '\0' && n_numbers >= 2;
}

static enum errc check_group(void *record, struct err *err)
{
    const struct product_check *check = record;
    const struct check_group *g = &check->of.group;
    enum errc rc = product_checks_one_of("name", g->name, "sid", g->sid, err);
    if (rc != E_OK)
        return rc;
    if (g->sid != NULL && !is_sid(g->sid))
        return err_set(err, E_MALFORMED, "\"sid\" is no identifier such as S-1-5-32-544");
    return product_checks_result(record, err);
}

static const struct schema_value group_values[] = {
    SCHEMA_MAY("name", VALUE_ARGUMENT, struct product_check, of.group.name),
    SCHEMA_MAY("sid", VALUE_ARGUMENT, struct product_check, of.group.sid),
    CHECK_RESULT_MAY,
};
static const struct schema_element group = { CHECK_ELEMENT("group", begin_group, check_group),
                                             SCHEMA_VALUES(group_values) };

static void begin_disk(void *record)
{
    product_checks_begin(record, CHECK_DISK, RESULT_INSUFFICIENT_DISK_SPACE);
}

static const struct schema_value disk_values[] = {
    SCHEMA_MUST("headroom", VALUE_SIZE, struct product_check, of.disk.headroom_bytes),
    SCHEMA_MAY("folder", VALUE_ARGUMENT, struct product_check, of.disk.folder),
    CHECK_RESULT_MAY,
};
static const struct schema_element disk = {
    CHECK_ELEMENT("disk", begin_disk, product_checks_result), SCHEMA_VALUES(disk_values)
};

static void begin_lock(void *record)
{
    product_checks_begin(record, CHECK_LOCK, RESULT_WORK_IN_PROGRESS);
}

static enum errc check_lock(void *record, struct err *err)
{
    const struct product_check *check = record;
    const struct check_lock *lock = &check->of.lock;
    enum errc rc = product_checks_one_of("file", lock->file, "mutex", lock->mutex, err);
    return rc == E_OK ? product_checks_result(record, err) : rc;
}

static const struct schema_value lock_values[] = {
    SCHEMA_MAY("file", VALUE_ARGUMENT, struct product_check, of.lock.file),
    SCHEMA_MAY("mutex", VALUE_ARGUMENT, struct product_check, of.lock.mutex),
    CHECK_RESULT_MAY,
};
static const struct schema_element lock = { CHECK_ELEMENT("lock", begin_lock, check_lock),
                                            SCHEMA_VALUES(lock_values) };

static void begin_schedule(void *record)
{
    product_checks_begin(record, CHECK_SCHEDULE, RESULT_SCHEDULER_DISABLED);
}

static const struct schema_value schedule_values[] = { CHECK_RESULT_MAY };
static const struct schema_element schedule = {
    CHECK_ELEMENT("schedule", begin_schedule, product_checks_result), SCHEMA_VALUES(schedule_values)
};

/* --- the lists */

const struct schema_element *const product_checks_children[] = { &process,
                                                                 &service,
                                                                 &product_checks_database,
                                                                 &group,
                                                                 &disk,
                                                                 &lock,
                                                                 &schedule,
                                                                 &product_checks_setting,
                                                                 &product_checks_os,
                                                                 &product_checks_command,
                                                                 NULL };
const struct schema_element product_checks_element = { .name = "checks",
                                                       .children = product_checks_children,
                                                       .max = 1,
                                                       .store = STORE_FIELD,
                                                       .at = offsetof(struct product, checks) };

/* --- questions */

static enum result_phase phase_of_kind(enum check_kind kind)
{
    switch (kind) {
    case CHECK_PROCESS:
    case CHECK_LOCK:
    case CHECK_SCHEDULE: return RESULT_PHASE_ACTIVITY;
    case CHECK_SERVICE: return RESULT_PHASE_SERVICE;
    case CHECK_DISK: return RESULT_PHASE_DISK;
    case CHECK_DATABASE:
    case CHECK_GROUP:
    case CHECK_SETTING:
    case CHECK_OS:
    case CHECK_COMMAND: return RESULT_PHASE_ENVIRONMENT;
    }
    return RESULT_PHASE_ENVIRONMENT;
}

enum result_phase product_checks_phase(enum check_kind kind, const char *result)
{
    struct result r;
    if (result_read(span_text(result), &r, NULL) != E_OK)
        return phase_of_kind(kind);
    if (r.class == RESULT_CLASS_NOT_SUPPORTED)
        return RESULT_PHASE_CONFIGURATION;
    enum result_phase phase = result_phase(r.word);
    bool is_before_download = phase != RESULT_PHASE_NONE && phase < RESULT_PHASE_DOWNLOAD;
    return is_before_download ? phase : phase_of_kind(kind);
}

bool product_checks_have(const struct check_list *list, enum check_kind kind)
{
    for (size_t i = 0; i < list->checks.n; i++)
        if (list->checks.items[i].kind == (int)kind)
            return true;
    return false;
}
