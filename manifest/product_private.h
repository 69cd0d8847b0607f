#ifndef SUREFOOT_MANIFEST_PRODUCT_PRIVATE_H
#define SUREFOOT_MANIFEST_PRODUCT_PRIVATE_H

/* product_private.h: how the product_*.c files put their tables together. Nobody else includes it.
 * Each part exports its element, and its defaults, which hold also where the element is absent. */

#include "manifest/product.h"

extern const struct schema_element product_install_element, product_fetch_element,
    product_trust_element, product_services_element, product_scheduler_element,
    product_health_element, product_checks_element, product_files_element, product_policy_element;

extern const struct schema_element *const product_checks_children[]; /* also conditions */

void product_health_defaults(struct product_health *health);
void product_policy_defaults(struct product_policy *policy);

/* --- commands. COMMAND_VALUES are lines of a table of values, COMMAND_ARG an element, for a
 * command that is `field_` of a record; COMMAND_ELEMENT is an element that is nothing but one. */

extern const struct schema_value product_command_arg_values[1], product_command_values[2];
extern const struct schema_element *const product_command_children[];
void product_command_begin(void *command);
MUST_USE enum errc product_command_check(void *command, struct err *err);

#define COMMAND_VALUES(record_, field_)                                                            \
    SCHEMA_MAY("user", VALUE_ARGUMENT, record_, field_.user),                                      \
        SCHEMA_MAY("timeout", VALUE_DURATION, record_, field_.timeout_s, .min = 1, .max = 86400)
#define COMMAND_ARG(record_, field_)                                                               \
    {                                                                                              \
        .name = "arg", SCHEMA_VALUES(product_command_arg_values), .min = 1,                        \
        .max = COMMAND_ARGS_MAX, .store = STORE_LIST, .at = offsetof(record_, field_.args),        \
        .record_size = sizeof(struct product_arg)                                                  \
    }
#define COMMAND_ELEMENT(name_, record_, field_)                                                    \
    {                                                                                              \
        .name = name_, SCHEMA_VALUES(product_command_values),                                      \
        .children = product_command_children, .max = 1, .store = STORE_FIELD,                      \
        .at = offsetof(record_, field_), .begin = product_command_begin,                           \
        .check = product_command_check                                                             \
    }

/* --- settings, likewise */

void product_setting_begin(struct product_setting *setting);
MUST_USE enum errc product_setting_check(const struct product_setting *setting, struct err *err);

#define SETTING_VALUES(record_, field_)                                                            \
    SCHEMA_MAY("file", VALUE_ARGUMENT, record_, field_.file),                                      \
        SCHEMA_MAY("format", VALUE_WORD, record_, field_.format, .words = setting_format_words),   \
        SCHEMA_MAY("key", VALUE_ARGUMENT, record_, field_.key),                                    \
        SCHEMA_MAY("registry", VALUE_ARGUMENT, record_, field_.registry),                          \
        SCHEMA_MAY("value", VALUE_ARGUMENT, record_, field_.value)

/* --- checks. CHECK is the element of a kind, whose record is a product_check. A kind that has no
 * word of its own demands `result`. */

#define CHECK_RESULT_MAY SCHEMA_MAY("result", VALUE_ARGUMENT, struct product_check, result)
#define CHECK_RESULT_MUST SCHEMA_MUST("result", VALUE_ARGUMENT, struct product_check, result)
#define CHECKS_MAX 200      /* of each kind */
#define CHECKS_TEXTS_MAX 64 /* of each kind in a check */
#define CHECK_ELEMENT(name_, begin_, check_)                                                       \
    .name = name_, .max = CHECKS_MAX, .store = STORE_LIST,                                         \
    .at = offsetof(struct check_list, checks), .record_size = sizeof(struct product_check),        \
    .begin = begin_, .check = check_

extern const struct schema_element product_checks_database, product_checks_setting,
    product_checks_os, product_checks_command;

/* product_checks_begin: the kind, and the word of its own. */
void product_checks_begin(void *check, enum check_kind kind, enum result_word word);

/* product_checks_one_of refuses none and both of two ways to say the same. */
MUST_USE enum errc product_checks_one_of(const char *name_a, const char *a, const char *name_b,
                                         const char *b, struct err *err);
MUST_USE enum errc product_checks_result(void *check, struct err *err);

#endif
