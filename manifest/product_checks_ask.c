#include "manifest/product_private.h"

#include <inttypes.h>
#include <string.h>

/* --- setting */

static void begin_setting(void *record)
{
    product_checks_begin(record, CHECK_SETTING, RESULT_OTHER);
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
    return product_checks_result(record, err);
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
                                              .max = CHECKS_TEXTS_MAX,
                                              .store = STORE_LIST,
                                              .at =
                                                  offsetof(struct product_check, of.setting.equals),
                                              .record_size = sizeof(struct check_text) };
static const struct schema_element not_equals = { .name = "not-equals",
                                                  SCHEMA_VALUES(text_values),
                                                  .max = CHECKS_TEXTS_MAX,
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
    CHECK_RESULT_MUST,
};
static const struct schema_element *const setting_children[] = { &equals, &not_equals, &present,
                                                                 &absent, NULL };
const struct schema_element product_checks_setting = {
    CHECK_ELEMENT("setting", begin_setting, check_setting), SCHEMA_VALUES(setting_values),
    .children = setting_children
};

/* --- os */

static void begin_os(void *record)
{
    product_checks_begin(record, CHECK_OS, RESULT_OTHER);
}

static const struct schema_value os_is_values[] = {
    SCHEMA_MUST("name", VALUE_NAME, struct check_os_is, name),
    SCHEMA_MAY("minimum", VALUE_VERSION, struct check_os_is, minimum),
};
static const struct schema_element os_is = { .name = "is",
                                             SCHEMA_VALUES(os_is_values),
                                             .min = 1,
                                             .max = CHECKS_TEXTS_MAX,
                                             .store = STORE_LIST,
                                             .at = offsetof(struct product_check, of.os.is),
                                             .record_size = sizeof(struct check_os_is) };
static const struct schema_value os_values[] = { CHECK_RESULT_MUST };
static const struct schema_element *const os_children[] = { &os_is, NULL };
const struct schema_element product_checks_os = {
    CHECK_ELEMENT("os", begin_os, product_checks_result), SCHEMA_VALUES(os_values),
    .children = os_children
};

/* --- command */

static void begin_command(void *record)
{
    product_checks_begin(record, CHECK_COMMAND, RESULT_OTHER);
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
    return rc == E_OK ? product_checks_result(record, err) : rc;
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
                                                 .max = CHECKS_TEXTS_MAX,
                                                 .store = STORE_LIST,
                                                 .at = offsetof(struct product_check,
                                                                of.command.exits),
                                                 .record_size = sizeof(struct check_exit),
                                                 .check = check_exit };
static const struct schema_element command_arg =
    COMMAND_ARG(struct product_check, of.command.command);
static const struct schema_value command_values[] = {
    COMMAND_VALUES(struct product_check, of.command.command),
    CHECK_RESULT_MUST,
};
static const struct schema_element *const command_children[] = { &command_arg, &exit_code, NULL };
const struct schema_element product_checks_command = {
    CHECK_ELEMENT("command", begin_command, check_command), SCHEMA_VALUES(command_values),
    .children = command_children
};
