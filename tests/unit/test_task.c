/* Tasks of the Task Scheduler, real ones: for Windows. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "answers.h"
#include "installer/core/schedule_task.h"

#define TASK(op, ...) CALL(task, op, __VA_ARGS__)

#define NAME "Surefoot Test\\orchard"
/* wine loses what a task does, its triggers and whose it is. */
#define LOST "<Exec/>"
#define OTHER "Surefoot Test\\orchard recover"

static struct setup setup;

static int take_tasks_away(void **state)
{
    const char *const names[] = { NAME, OTHER };
    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        enum errc rc = TASK(remove, names[i]);
        if (rc != E_OK && rc != E_ABSENT)
            return -1;
    }
    return 0;
}

static void put(const char *name, enum schedule_task which, const char *title)
{
    char account[200];
    struct schedule_ask ask = { .setup = &setup,
                                .program = "C:/Program Files/Surefoot/surefoot.exe",
                                .product = "orchard",
                                .kept = "C:/ProgramData/Surefoot/state/orchard/own/surefoot.exe",
                                .account = SCHEDULE_TASK_SYSTEM };
    struct buf xml;
    setup.product.name = "orchard";
    setup.product.title = title;
    setup.product.policy.interval_s = 3600;
    if (!platform_native()->proc->is_elevated(platform_native()->self)) {
        IS(E_OK, TASK(own_account, account, sizeof(account)));
        ask.account = account;
    }
    buf_init(&xml, 65536);
    IS(E_OK, schedule_task_write(&ask, which, &xml, &why));
    IS(E_OK, TASK(put, name, buf_span(&xml)));
    buf_fini(&xml);
}

static bool is_there(const char *name)
{
    bool there = false;
    IS(E_OK, TASK(find, name, NULL, &there));
    return there;
}

/* What the system gives back has `part` in it. */
static bool says(const char *name, const char *part)
{
    struct buf xml;
    bool there = false;
    buf_init(&xml, 65536);
    IS(E_OK, TASK(find, name, &xml, &there));
    assert_true(there);
    IS(E_OK, buf_add_byte(&xml, '\0', &why));
    const bool has_it = strstr((const char *)xml.ptr, part) != NULL;
    buf_fini(&xml);
    return has_it;
}

static void a_task_is_registered_and_found(void **state)
{
    UNUSED(state);
    assert_false(is_there(NAME));
    put(NAME, SCHEDULE_TASK_RUN, "Orchard \xC3\xA4");
    assert_true(is_there(NAME));
    assert_false(is_there(OTHER));
    assert_true(says(NAME, "<Task "));
    assert_true(says(NAME, "Unattended upgrade of Orchard \xC3\xA4. "));
    assert_true(says(NAME, "<MultipleInstancesPolicy>IgnoreNew"));
    assert_true(says(NAME, "<ExecutionTimeLimit>P3D"));
    if (!says(NAME, LOST)) {
        assert_true(says(NAME, "C:\\Program Files\\Surefoot\\surefoot.exe"));
        assert_true(says(NAME, "<Arguments>run "));
        assert_true(says(NAME, "<TimeTrigger>"));
    }
    assert_false(says(NAME, "<?xml"));
}

static void a_task_is_put_in_the_place_of_another(void **state)
{
    UNUSED(state);
    put(NAME, SCHEDULE_TASK_RUN, "First");
    put(NAME, SCHEDULE_TASK_RUN, "Second");
    assert_true(says(NAME, "upgrade of Second"));
    assert_false(says(NAME, "First"));
}

static void a_task_is_removed_and_its_folder_with_the_last(void **state)
{
    UNUSED(state);
    put(NAME, SCHEDULE_TASK_RUN, "Orchard \xC3\xA4");
    put(OTHER, SCHEDULE_TASK_RECOVER, "Orchard");
    assert_true(says(OTHER, "Finish or undo"));
    IS(E_OK, TASK(remove, NAME));
    assert_false(is_there(NAME));
    assert_true(is_there(OTHER));
    IS(E_ABSENT, TASK(remove, NAME));
    IS(E_OK, TASK(remove, OTHER));
    assert_false(is_there(OTHER));
    IS(E_ABSENT, TASK(remove, OTHER));
}

static void what_is_no_task_is_refused(void **state)
{
    const struct span empty = span_text("");
    const char *const bad[] = { "", "orchard", "\\orchard", "x\\", "a/b\\c", "a\\b?" };
    bool there;
    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        IS(E_ARGUMENT, TASK(put, bad[i], empty));
        IS(E_ARGUMENT, TASK(find, bad[i], NULL, &there));
        IS(E_ARGUMENT, TASK(remove, bad[i]));
    }
    IS(E_MALFORMED, TASK(put, NAME, span_text("<Task")));
    assert_false(is_there(NAME));
}

static void our_account_has_an_identifier(void **state)
{
    char to[200] = "", small[5];
    UNUSED(state);
    IS(E_OK, TASK(own_account, to, sizeof(to)));
    assert_int_equal(strncmp(to, "S-1-5-", 6), 0);
    IS(E_LIMIT, TASK(own_account, small, sizeof(small)));
}

#define MACHINE(test) cmocka_unit_test_setup_teardown(test, take_tasks_away, take_tasks_away)

int main(void)
{
    const struct CMUnitTest tests[] = {
        MACHINE(a_task_is_registered_and_found),
        MACHINE(a_task_is_put_in_the_place_of_another),
        MACHINE(a_task_is_removed_and_its_folder_with_the_last),
        MACHINE(what_is_no_task_is_refused),
        cmocka_unit_test(our_account_has_an_identifier),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
