#ifndef SUREFOOT_TESTS_ANSWERS_H
#define SUREFOOT_TESTS_ANSWERS_H

/* answers.h: the native machine's answers, asserted. After cmocka.h. For every system. */

#include <string.h>

#include "platform/platform.h"

static struct err why;

/* An operation of a table, whose answer is asserted. */
#define CALL(table, op, ...)                                                                       \
    (platform_native()->table->op(platform_native()->self, __VA_ARGS__, &why))
#define IS(expected, call)                                                                         \
    do {                                                                                           \
        why = (struct err){ .code = E_OK };                                                        \
        enum errc is_ = (call);                                                                    \
        if (is_ != (expected))                                                                     \
            print_error("%s: %s: %s\n", #call, errc_name(is_), why.text);                          \
        assert_int_equal(is_, expected);                                                           \
    } while (0)
#define GIVES(expected, call) (why = (struct err){ .code = E_OK }, (call) == (expected))
#define SAYS(part) assert_non_null(strstr(why.text, part))

#endif
