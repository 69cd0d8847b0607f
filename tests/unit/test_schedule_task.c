/* The tasks that make an upgrade happen by itself on Windows, as XML; on Windows the Task Scheduler
 * is asked what it thinks of them (test_task.c). */

#include "installer/core/schedule_task.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <libxml/parser.h>
#include <libxml/xpath.h>
#include <libxml/xpathInternals.h>

#include "platform/base/text.h"

#define TASK_MAX 65536
#define KEPT "C:/ProgramData/Surefoot/state/orchard/own/surefoot.exe"
#define NAMESPACE "http://schemas.microsoft.com/windows/2004/02/mit/task"

static struct setup setup;

static struct schedule_ask ask_of(const char *program, const char *product)
{
    setup.product.name = "orchard";
    setup.product.title = "Orchard <Works> & \"Sons\"";
    setup.product.policy.interval_s = 3600;
    return (struct schedule_ask){ .setup = &setup,
                                  .program = program,
                                  .product = product,
                                  .kept = KEPT,
                                  .minute = 7,
                                  .account = SCHEDULE_TASK_SYSTEM };
}

/* What another reader of XML finds in the task. */
static void assert_at(const struct buf *task, const char *path, const char *expected)
{
    xmlDoc *doc = xmlReadMemory((const char *)task->ptr, (int)task->len, NULL, NULL, 0);
    assert_non_null(doc);
    xmlXPathContext *context = xmlXPathNewContext(doc);
    assert_int_equal(xmlXPathRegisterNs(context, BAD_CAST "t", BAD_CAST NAMESPACE), 0);
    xmlXPathObject *found = xmlXPathEvalExpression(BAD_CAST path, context);
    assert_non_null(found);
    assert_non_null(found->nodesetval);
    if (found->nodesetval->nodeNr != (expected != NULL))
        fail_msg("%s: there are %d", path, found->nodesetval->nodeNr);
    if (expected != NULL) {
        xmlChar *text = xmlNodeGetContent(found->nodesetval->nodeTab[0]);
        assert_string_equal((const char *)text, expected);
        xmlFree(text);
    }
    xmlXPathFreeObject(found);
    xmlXPathFreeContext(context);
    xmlFreeDoc(doc);
}

static void write_task(const struct schedule_ask *ask, enum schedule_task which, struct buf *out)
{
    struct err err = { .code = E_OK };
    buf_init(out, TASK_MAX);
    if (schedule_task_write(ask, which, out, &err) != E_OK)
        fail_msg("%s", err.text);
}

#define IN_TASK "/t:Task[@version='1.2']/"
#define TIMER IN_TASK "t:Triggers/t:TimeTrigger/"
#define EXEC IN_TASK "t:Actions[@Context='Author']/t:Exec/"
#define WHOSE IN_TASK "t:Principals/t:Principal[@id='Author']/"

static void a_run_comes_each_hour(void **state)
{
    struct schedule_ask ask =
        ask_of("C:/Program Files/Surefoot & Co/surefoot.exe", "D:/etc/orchard.xml");
    struct buf task;
    (void)state;
    write_task(&ask, SCHEDULE_TASK_RUN, &task);
    assert_at(&task, TIMER "t:Repetition/t:Interval", "PT60M");
    assert_at(&task, TIMER "t:Repetition/t:Duration", NULL);
    assert_at(&task, TIMER "t:StartBoundary", "2020-01-01T00:07:00");
    assert_at(&task, TIMER "t:RandomDelay", "PT6M");
    assert_at(&task, IN_TASK "t:Triggers/t:BootTrigger", NULL);
    assert_at(&task, IN_TASK "t:Settings/t:StartWhenAvailable", "true");
    assert_at(&task, IN_TASK "t:Settings/t:MultipleInstancesPolicy", "IgnoreNew");
    assert_at(&task, IN_TASK "t:Settings/t:ExecutionTimeLimit", "P3D");
    assert_at(&task, WHOSE "t:UserId", "S-1-5-18");
    assert_at(&task, WHOSE "t:RunLevel", "HighestAvailable");
    assert_at(&task, WHOSE "t:LogonType", NULL);
    assert_at(&task, EXEC "t:Command", "C:\\Program Files\\Surefoot & Co\\surefoot.exe");
    assert_at(&task, EXEC "t:Arguments", "run \"D:\\etc\\orchard.xml\"");
    assert_at(&task, IN_TASK "t:RegistrationInfo/t:URI", "\\Surefoot\\orchard");
    assert_at(&task, IN_TASK "t:RegistrationInfo/t:Description",
              "Unattended upgrade of Orchard <Works> & \"Sons\". Written by surefoot schedule.");
    buf_fini(&task);
}

static void recovery_comes_at_boot(void **state)
{
    struct schedule_ask ask = ask_of("C:/surefoot.exe", "orchard");
    struct buf task;
    (void)state;
    write_task(&ask, SCHEDULE_TASK_RECOVER, &task);
    assert_at(&task, IN_TASK "t:Triggers/t:BootTrigger/t:Enabled", "true");
    assert_at(&task, IN_TASK "t:Triggers/t:BootTrigger/t:Delay", NULL);
    assert_at(&task, IN_TASK "t:Triggers/t:TimeTrigger", NULL);
    assert_at(&task, IN_TASK "t:Triggers/t:LogonTrigger", NULL);
    assert_at(&task, EXEC "t:Command",
              "C:\\ProgramData\\Surefoot\\state\\orchard\\own\\surefoot.exe");
    assert_at(&task, EXEC "t:Arguments", "recover \"orchard\"");
    assert_at(&task, IN_TASK "t:RegistrationInfo/t:URI", "\\Surefoot\\orchard recover");
    buf_fini(&task);
}

/* Of Surefoot itself there may be no program that a run could begin with. */
static void recovery_of_surefoot_itself_comes_each_hour_too(void **state)
{
    struct schedule_ask ask = ask_of("C:/surefoot.exe", "surefoot");
    struct buf task;
    (void)state;
    ask.is_own = true;
    write_task(&ask, SCHEDULE_TASK_RECOVER, &task);
    assert_at(&task, IN_TASK "t:Triggers/t:BootTrigger/t:Enabled", "true");
    assert_at(&task, TIMER "t:Repetition/t:Interval", "PT60M");
    assert_at(&task, TIMER "t:StartBoundary", "2020-01-01T00:37:00");
    buf_fini(&task);
    write_task(&ask, SCHEDULE_TASK_RUN, &task);
    assert_at(&task, TIMER "t:StartBoundary", "2020-01-01T00:07:00");
    assert_at(&task, EXEC "t:Command", "C:\\surefoot.exe");
    buf_fini(&task);
}

static void an_ordinary_users_task_is_theirs(void **state)
{
    struct schedule_ask ask = ask_of("C:/surefoot.exe", "orchard");
    struct buf task;
    (void)state;
    ask.account = "S-1-5-21-1-2-3-1001";
    write_task(&ask, SCHEDULE_TASK_RECOVER, &task);
    assert_at(&task, IN_TASK "t:Triggers/t:LogonTrigger/t:UserId", ask.account);
    assert_at(&task, IN_TASK "t:Triggers/t:BootTrigger", NULL);
    assert_at(&task, WHOSE "t:UserId", ask.account);
    assert_at(&task, WHOSE "t:LogonType", "InteractiveToken");
    assert_at(&task, WHOSE "t:RunLevel", "LeastPrivilege");
    buf_fini(&task);
}

/* clang-format off */
static const struct {
    int64_t interval_s;
    const char *interval, *delay;
} intervals[] = {
    { 0,              "PT1M",     "PT1M" },
    { 900,            "PT15M",    "PT1M" },
    { 86400,          "PT1440M",  "PT144M" },
    { 365LL * 86400,  "PT44640M", "PT44640M" }, /* as long as there is */
};

static const struct {
    const char *product, *arguments; /* NULL: refused */
} words[] = {
    { "a b",            "run \"a b\"" },
    { "C:/a b/",        "run \"C:\\a b\\\\\"" }, /* the quote at the end stays one */
    { "//s/share/x",    "run \"\\\\s\\share\\x\"" },
    { "a\"b",           "run \"a\\\"b\"" },
    { "a\\\"b",         "run \"a\\\\\\\"b\"" },
    { "a&b<c>",         "run \"a&b<c>\"" },
    { "\xC3\xA4",       "run \"\xC3\xA4\"" },
    { "a%PATH%",        NULL },
    { "a$(Arg0)",       NULL },
    { "a\nb",           NULL },
    { "a\x7f",          NULL },
    { "a\xC2\x85",      NULL }, /* a line's end of Unicode's */
    { "a\xFF",          NULL },
    { "a\xEF\xBF\xBF",  NULL }, /* no character of XML's */
};
/* clang-format on */

static void the_interval_is_the_policys(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(intervals); i++) {
        struct schedule_ask ask = ask_of("C:/surefoot.exe", "orchard");
        struct buf task;
        setup.product.policy.interval_s = intervals[i].interval_s;
        write_task(&ask, SCHEDULE_TASK_RUN, &task);
        assert_at(&task, TIMER "t:Repetition/t:Interval", intervals[i].interval);
        assert_at(&task, TIMER "t:RandomDelay", intervals[i].delay);
        buf_fini(&task);
    }
}

static void a_word_is_quoted_or_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        struct schedule_ask ask = ask_of("C:/surefoot.exe", words[i].product);
        struct err err = { .code = E_OK };
        struct buf task;
        buf_init(&task, TASK_MAX);
        enum errc rc = schedule_task_write(&ask, SCHEDULE_TASK_RUN, &task, &err);
        if (rc != (words[i].arguments != NULL ? E_OK : E_ARGUMENT))
            fail_msg("%s: %s", words[i].product, err.text);
        if (rc == E_OK)
            assert_at(&task, EXEC "t:Arguments", words[i].arguments);
        buf_fini(&task);
    }
}

static void a_program_that_would_be_replaced_is_refused(void **state)
{
    struct schedule_ask ask = ask_of("C:/%TEMP%/surefoot.exe", "orchard");
    struct err err = { .code = E_OK };
    struct buf task;
    (void)state;
    buf_init(&task, TASK_MAX);
    assert_int_equal(schedule_task_write(&ask, SCHEDULE_TASK_RUN, &task, &err), E_ARGUMENT);
    assert_non_null(strstr(err.text, "is replaced"));
    ask = ask_of("C:/surefoot.exe", "orchard");
    ask.kept = "C:/%TEMP%/surefoot.exe";
    assert_int_equal(schedule_task_write(&ask, SCHEDULE_TASK_RECOVER, &task, &err), E_ARGUMENT);
    buf_fini(&task);
}

/* clang-format off */
#define TASK(actions) "<Task xmlns=\"" NAMESPACE "\"><Settings><Command>C:\\no.exe</Command></Settings>" actions "</Task>"
#define RUNS(command) "<Exec><Command>" command "</Command><Arguments>run x</Arguments></Exec>"
static const struct {
    const char *xml, *program; /* "": refused as it is said */
    enum errc code;
} descriptions[] = {
    { TASK("<Actions>" RUNS("C:\\a b\\x.exe") "</Actions>"),                 "C:/a b/x.exe", E_OK },
    { TASK("<Actions>" RUNS("\"C:\\a b\\x.exe\"") "</Actions>"),             "C:/a b/x.exe", E_OK },
    { TASK("<Actions>" RUNS("C:\\&amp;.exe") "</Actions>"),                   "C:/&.exe",     E_OK },
    { TASK("<Actions><Exec/></Actions>"),                                     "", E_ABSENT }, /* as wine gives it back */
    { TASK("<Actions>" RUNS("") "</Actions>"),                                "", E_ABSENT },
    { TASK(""),                                                               "", E_ABSENT },
    { TASK("<Actions>" RUNS("C:\\x.exe") RUNS("C:\\y.exe") "</Actions>"),     "", E_MALFORMED },
    { TASK("<Actions><ComHandler><ClassId>x</ClassId></ComHandler></Actions>"), "", E_MALFORMED },
    { "<Task",                                                                "", E_MALFORMED },
    { "",                                                                     "", E_MALFORMED },
};
/* clang-format on */

static void the_program_of_a_task_is_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(descriptions); i++) {
        char program[SETUP_PATH_ROOM] = "";
        struct err err = { .code = E_OK };
        enum errc rc = schedule_task_read(span_text(descriptions[i].xml), program, &err);
        if (rc != descriptions[i].code)
            fail_msg("%s: %s: %s", descriptions[i].xml, errc_name(rc), err.text);
        if (rc == E_OK)
            assert_string_equal(program, descriptions[i].program);
    }
}

static void what_was_written_is_read(void **state)
{
    struct schedule_ask ask =
        ask_of("C:/Program Files/Surefoot & Co/surefoot.exe", "D:/etc/orchard.xml");
    const char *const programs[] = { ask.program, KEPT };
    (void)state;
    for (int which = 0; which < SCHEDULE_TASKS; which++) {
        char program[SETUP_PATH_ROOM];
        struct err err = { .code = E_OK };
        struct buf task;
        write_task(&ask, (enum schedule_task)which, &task);
        assert_int_equal(schedule_task_read(buf_span(&task), program, &err), E_OK);
        assert_string_equal(program, programs[which]);
        buf_fini(&task);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_comes_each_hour),
        cmocka_unit_test(recovery_comes_at_boot),
        cmocka_unit_test(recovery_of_surefoot_itself_comes_each_hour_too),
        cmocka_unit_test(an_ordinary_users_task_is_theirs),
        cmocka_unit_test(the_interval_is_the_policys),
        cmocka_unit_test(a_word_is_quoted_or_refused),
        cmocka_unit_test(a_program_that_would_be_replaced_is_refused),
        cmocka_unit_test(the_program_of_a_task_is_read),
        cmocka_unit_test(what_was_written_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
