#include "manifest/product_private.h"

#include <string.h>

#include "platform/base/text.h"

#define TIMEOUT_S 60

const struct schema_value product_command_arg_values[1] = {
    SCHEMA_MUST(NULL, VALUE_ARGUMENT, struct product_arg, text),
};
static const struct schema_element arg = {
    .name = "arg",
    SCHEMA_VALUES(product_command_arg_values),
    .min = 1,
    .max = COMMAND_ARGS_MAX,
    .store = STORE_LIST,
    .at = offsetof(struct product_command, args),
    .record_size = sizeof(struct product_arg),
};

const struct schema_value product_command_values[2] = {
    SCHEMA_MAY("user", VALUE_ARGUMENT, struct product_command, user),
    SCHEMA_MAY("timeout", VALUE_DURATION, struct product_command, timeout_s, .min = 1,
               .max = 86400),
};
const struct schema_element *const product_command_children[] = { &arg, NULL };

void product_command_begin(void *command)
{
    ((struct product_command *)command)->timeout_s = TIMEOUT_S;
}

enum errc product_command_check(void *command, struct err *err)
{
    const struct product_command *c = command;
    const char *program = c->args.items[0].text;
    char shown[80];
    if (strpbrk(program, "/\\") == NULL)
        return err_set(err, E_MALFORMED,
                       "the program \"%s\" has no path: write it whole, since no search path is "
                       "looked at",
                       text_printable(span_text(program), shown, sizeof(shown)));
    return E_OK;
}
