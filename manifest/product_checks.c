#include "manifest/product_private.h"

#include <inttypes.h>
#include <string.h>

#define CHECKS_MAX 200
#define TEXTS_MAX 64

const char *const database_kind_words[] = { "localdb", "sqlserver", "postgresql",
                                            "mysql",   "sqlite",    NULL };
static const char *const action_words[] = { "wait", "terminate", NULL };
static const char *const state_words[] = { "running", "stopped", NULL };

/* --- what all checks share. CHECK is an element whose record is a product_check; a kind that has
 * no word of its own demands `result`. */

#define RESULT_MAY SCHEMA_MAY("result", VALUE_ARGUMENT, struct product_check, result)
#define RESULT_MUST SCHEMA_MUST("result", VALUE_ARGUMENT, struct product_check, result)
#define CHECK(name_, begin_, check_)                                                               \
    .name = name_, .max = CHECKS_MAX, .store = STORE_LIST,                                         \
    .at = offsetof(struct check_list, checks), .record_size = sizeof(struct product_check),        \
    .begin = begin_, .check = check_

static void begin_kind(void *record, enum check_kind kind, enum result_word word)
{
    struct product_check *check = record;
    check->kind = (int)kind;
    check->result = result_name(word);
}

/* check_one_of refuses none and both of two ways to say the same. */
static enum errc check_one_of(const char *name_a, const char *a, const char *name_b, const char *b,
                              struct err *err)
{
    if (a == NULL && b == NULL)
        return err_set(err, E_MALFORMED, "says neither \"%s\" nor \"%s\"", name_a, name_b);
    if (a != NULL && b != NULL)
        return err_set(err, E_MALFORMED, "says both \"%s\" and \"%s\": leave one out", name_a,
                       name_b);
    return E_OK;
}

static enum errc check_result(void *record, struct err *err)
{
    return result_check_named(((const struct product_check *)record)->result, err);
}

/* --- process */

static void begin_process(void *record)
{
    begin_kind(record, CHECK_PROCESS, RESULT_PROGRAM_IN_USE);
}

static enum errc check_process(void *record, struct err *err)
{
    const struct product_check *check = record;
    const struct check_process *p = &check->of.process;
    enum errc rc = check_one_of("name", p->name, "path", p->path, err);
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
    return check_result(record, err);
}

static const struct schema_value process_values[] = {
    SCHEMA_MAY("name", VALUE_ARGUMENT, struct product_check, of.process.name),
    SCHEMA_MAY("path", VALUE_ARGUMENT, struct product_check, of.process.path),
    SCHEMA_MAY("action", VALUE_WORD, struct product_check, of.process.action,
               .words = action_words),
    SCHEMA_MAY("terminate-after", VALUE_DURATION, struct product_check,
               of.process.terminate_after_s, .min = 1),
    RESULT_MAY,
};
static const struct schema_element process = { CHECK("process", begin_process, check_process),
                                               SCHEMA_VALUES(process_values) };

/* --- service */

static void begin_service(void *record)
{
    begin_kind(record, CHECK_SERVICE, RESULT_SERVICE_NOT_RUNNING);
}

static const struct schema_value service_values[] = {
    SCHEMA_MUST("name", VALUE_ARGUMENT, struct product_check, of.service.name),
    SCHEMA_MAY("state", VALUE_WORD, struct product_check, of.service.state, .words = state_words),
    RESULT_MAY,
};
static const struct schema_element service = { CHECK("service", begin_service, check_result),
                                               SCHEMA_VALUES(service_values) };

/* --- database */

static void begin_database(void *record)
{
    struct check_database *db = &((struct product_check *)record)->of.database;
    begin_kind(record, CHECK_DATABASE, RESULT_INSUFFICIENT_DATABASE_PERMISSIONS);
    db->kind_result = result_name(RESULT_NON_LOCAL_DATABASE);
    db->size_result = result_name(RESULT_DATABASE_SIZE_EXCEEDED);
}

static enum errc check_database(void *record, struct err *err)
{
    const struct product_check *check = record;
    const struct check_database *db = &check->of.database;
    enum errc rc =
        check_one_of("connection", db->connection, "connection-file", db->connection_file, err);
    return rc == E_OK ? check_result(record, err) : rc;
}

static enum errc check_kind(void *record, struct err *err)
{
    return result_check_named(((struct product_check *)record)->of.database.kind_result, err);
}

static enum errc check_size(void *record, struct err *err)
{
    return result_check_named(((struct product_check *)record)->of.database.size_result, err);
}

static void begin_right(void *record)
{
    ((struct check_right *)record)->result = result_name(RESULT_INSUFFICIENT_DATABASE_PERMISSIONS);
}

static enum errc check_right(void *record, struct err *err)
{
    return result_check_named(((const struct check_right *)record)->result, err);
}

static const struct schema_value kind_values[] = {
    SCHEMA_MUST("is", VALUE_WORDS, struct product_check, of.database.kinds,
                .words = database_kind_words),
    SCHEMA_MAY("result", VALUE_ARGUMENT, struct product_check, of.database.kind_result),
};
static const struct schema_element database_kind = {
    .name = "kind", SCHEMA_VALUES(kind_values), .max = 1, .check = check_kind
};

static const struct schema_value size_values[] = {
    SCHEMA_MUST("below", VALUE_SIZE, struct product_check, of.database.below_bytes, .min = 1),
    SCHEMA_MAY("result", VALUE_ARGUMENT, struct product_check, of.database.size_result),
};
static const struct schema_element database_size = {
    .name = "size", SCHEMA_VALUES(size_values), .max = 1, .check = check_size
};

static const struct schema_value right_values[] = {
    SCHEMA_MUST("name", VALUE_ARGUMENT, struct check_right, name),
    SCHEMA_MAY("account", VALUE_ARGUMENT, struct check_right, account),
    SCHEMA_MAY("result", VALUE_ARGUMENT, struct check_right, result),
};
static const struct schema_element database_right = { .name = "right",
                                                      SCHEMA_VALUES(right_values),
                                                      .max = TEXTS_MAX,
                                                      .store = STORE_LIST,
                                                      .at = offsetof(struct product_check,
                                                                     of.database.rights),
                                                      .record_size = sizeof(struct check_right),
                                                      .begin = begin_right,
                                                      .check = check_right };

static const struct schema_value database_values[] = {
    SCHEMA_MAY("connection", VALUE_ARGUMENT, struct product_check, of.database.connection),
    SCHEMA_MAY("connection-file", VALUE_ARGUMENT, struct product_check,
               of.database.connection_file),
    RESULT_MAY,
};
static const struct schema_element *const database_children[] = { &database_kind, &database_size,
                                                                  &database_right, NULL };
static const struct schema_element database = { CHECK("database", begin_database, check_database),
                                                SCHEMA_VALUES(database_values),
                                                .children = database_children };

/* --- group, disk, lock, schedule */

static void begin_group(void *record)
{
    begin_kind(record, CHECK_GROUP, RESULT_GROUPS_NOT_PRESENT);
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
    enum errc rc = check_one_of("name", g->name, "sid", g->sid, err);
    if (rc != E_OK)
        return rc;
    if (g->sid != NULL && !is_sid(g->sid))
        return err_set(err, E_MALFORMED, "\"sid\" is no identifier such as S-1-5-32-544");
    return check_result(record, err);
}

static const struct schema_value group_values[] = {
    SCHEMA_MAY("name", VALUE_ARGUMENT, struct product_check, of.group.name),
    SCHEMA_MAY("sid", VALUE_ARGUMENT, struct product_check, of.group.sid),
    RESULT_MAY,
};
static const struct schema_element group = { CHECK("group", begin_group, check_group),
                                             SCHEMA_VALUES(group_values) };

static void begin_disk(void *record)
{
    begin_kind(record, CHECK_DISK, RESULT_INSUFFICIENT_DISK_SPACE);
}

static const struct schema_value disk_values[] = {
    SCHEMA_MUST("headroom", VALUE_SIZE, struct product_check, of.disk.headroom_bytes),
    SCHEMA_MAY("folder", VALUE_ARGUMENT, struct product_check, of.disk.folder),
    RESULT_MAY,
};
static const struct schema_element disk = { CHECK("disk", begin_disk, check_result),
                                            SCHEMA_VALUES(disk_values) };

static void begin_lock(void *record)
{
    begin_kind(record, CHECK_LOCK, RESULT_WORK_IN_PROGRESS);
}

static enum errc check_lock(void *record, struct err *err)
{
    const struct product_check *check = record;
    const struct check_lock *lock = &check->of.lock;
    enum errc rc = check_one_of("file", lock->file, "mutex", lock->mutex, err);
    return rc == E_OK ? check_result(record, err) : rc;
}

static const struct schema_value lock_values[] = {
    SCHEMA_MAY("file", VALUE_ARGUMENT, struct product_check, of.lock.file),
    SCHEMA_MAY("mutex", VALUE_ARGUMENT, struct product_check, of.lock.mutex),
    RESULT_MAY,
};
static const struct schema_element lock = { CHECK("lock", begin_lock, check_lock),
                                            SCHEMA_VALUES(lock_values) };

static void begin_schedule(void *record)
{
    begin_kind(record, CHECK_SCHEDULE, RESULT_SCHEDULER_DISABLED);
}

static const struct schema_value schedule_values[] = { RESULT_MAY };
static const struct schema_element schedule = { CHECK("schedule", begin_schedule, check_result),
                                                SCHEMA_VALUES(schedule_values) };

/* --- setting */

static void begin_setting(void *record)
{
    begin_kind(record, CHECK_SETTING, RESULT_OTHER);
    product_setting_begin(&((struct product_check *)record)->of.setting.place);
}

static enum errc check_setting(void *record, struct err *err)
{
    const struct product_check *check = record;
    const struct check_setting *s = &check->of.setting;
    enum errc rc = product_setting_check(&s->place, err);
    if (rc != E_OK)
        return rc;
    int n = (s->equals.n > 0) + (s->unequal.n > 0) + s->is_present + s->is_absent;
    if (n == 0)
        return err_set(err, E_MALFORMED,
                       "says nothing of the setting: add <equals>, <not-equals>, <present/> or "
                       "<absent/>");
    if (n > 1)
        return err_set(err, E_MALFORMED,
                       "mixes <equals>, <not-equals>, <present/> and <absent/>: use one of them, "
                       "and a second <setting> for the other");
    return check_result(record, err);
}

static void begin_present(void *record)
{
    ((struct product_check *)record)->of.setting.is_present = true;
}

static void begin_absent(void *record)
{
    ((struct product_check *)record)->of.setting.is_absent = true;
}

static const struct schema_value text_values[] = {
    SCHEMA_MUST(NULL, VALUE_ARGUMENT, struct check_text, text),
};
static const struct schema_element equals = { .name = "equals",
                                              SCHEMA_VALUES(text_values),
                                              .max = TEXTS_MAX,
                                              .store = STORE_LIST,
                                              .at =
                                                  offsetof(struct product_check, of.setting.equals),
                                              .record_size = sizeof(struct check_text) };
static const struct schema_element not_equals = { .name = "not-equals",
                                                  SCHEMA_VALUES(text_values),
                                                  .max = TEXTS_MAX,
                                                  .store = STORE_LIST,
                                                  .at = offsetof(struct product_check,
                                                                 of.setting.unequal),
                                                  .record_size = sizeof(struct check_text) };
static const struct schema_element present = { .name = "present",
                                               .max = 1,
                                               .begin = begin_present };
static const struct schema_element absent = { .name = "absent", .max = 1, .begin = begin_absent };

static const struct schema_value setting_values[] = {
    SETTING_VALUES(struct product_check, of.setting.place),
    RESULT_MUST,
};
static const struct schema_element *const setting_children[] = { &equals, &not_equals, &present,
                                                                 &absent, NULL };
static const struct schema_element setting = { CHECK("setting", begin_setting, check_setting),
                                               SCHEMA_VALUES(setting_values),
                                               .children = setting_children };

/* --- os */

static void begin_os(void *record)
{
    begin_kind(record, CHECK_OS, RESULT_OTHER);
}

static const struct schema_value os_is_values[] = {
    SCHEMA_MUST("name", VALUE_NAME, struct check_os_is, name),
    SCHEMA_MAY("minimum", VALUE_VERSION, struct check_os_is, minimum),
};
static const struct schema_element os_is = { .name = "is",
                                             SCHEMA_VALUES(os_is_values),
                                             .min = 1,
                                             .max = TEXTS_MAX,
                                             .store = STORE_LIST,
                                             .at = offsetof(struct product_check, of.os.is),
                                             .record_size = sizeof(struct check_os_is) };
static const struct schema_value os_values[] = { RESULT_MUST };
static const struct schema_element *const os_children[] = { &os_is, NULL };
static const struct schema_element os = { CHECK("os", begin_os, check_result),
                                          SCHEMA_VALUES(os_values), .children = os_children };

/* --- command */

static void begin_command(void *record)
{
    begin_kind(record, CHECK_COMMAND, RESULT_OTHER);
    product_command_begin(&((struct product_check *)record)->of.command.command);
}

static enum errc check_command(void *record, struct err *err)
{
    struct product_check *check = record;
    const struct check_command *c = &check->of.command;
    for (size_t i = 0; i < c->exits.n; i++)
        for (size_t k = 0; k < i; k++)
            if (c->exits.items[i].code == c->exits.items[k].code)
                return err_set(err, E_MALFORMED, "says twice what exit code %" PRIu64 " means",
                               c->exits.items[i].code);
    enum errc rc = product_command_check(&check->of.command.command, err);
    return rc == E_OK ? check_result(record, err) : rc;
}

static enum errc check_exit(void *record, struct err *err)
{
    const struct check_exit *e = record;
    if (strcmp(e->result, result_name(RESULT_SUCCESS)) == 0)
        return E_OK;
    return result_check_named(e->result, err);
}

static const struct schema_value exit_values[] = {
    SCHEMA_MUST("code", VALUE_NUMBER, struct check_exit, code, .min = 1, .max = UINT32_MAX),
    SCHEMA_MUST("result", VALUE_ARGUMENT, struct check_exit, result),
};
static const struct schema_element exit_code = { .name = "exit",
                                                 SCHEMA_VALUES(exit_values),
                                                 .max = TEXTS_MAX,
                                                 .store = STORE_LIST,
                                                 .at = offsetof(struct product_check,
                                                                of.command.exits),
                                                 .record_size = sizeof(struct check_exit),
                                                 .check = check_exit };
static const struct schema_element command_arg =
    COMMAND_ARG(struct product_check, of.command.command);
static const struct schema_value command_values[] = {
    COMMAND_VALUES(struct product_check, of.command.command),
    RESULT_MUST,
};
static const struct schema_element *const command_children[] = { &command_arg, &exit_code, NULL };
static const struct schema_element command = { CHECK("command", begin_command, check_command),
                                               SCHEMA_VALUES(command_values),
                                               .children = command_children };

/* --- the lists */

const struct schema_element *const product_checks_children[] = {
    &process, &service, &database, &group, &disk, &lock, &schedule, &setting, &os, &command, NULL
};
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
