/* schedule install|remove|show by tasks of the Task Scheduler. */

#include <stdio.h>

#include "installer/cli/schedule_cmd.h"
#include "installer/core/memory.h"
#include "installer/core/own_program.h"
#include "installer/core/schedule_task.h"
#include "platform/base/text.h"

static const char *name_of(const struct schedule *s, int which, char to[SCHEDULE_NAME_ROOM])
{
    return schedule_task_name(&s->c->setup, (enum schedule_task)which, to);
}

/* What a task for recovery runs. */
static enum errc find_kept(struct schedule *s, struct err *err)
{
    enum errc rc = own_program_kept_path(&s->c->setup, s->kept, err);
    if (rc == E_OK)
        rc = own_program_is_of(&s->c->setup, &s->ask.is_own, err);
    s->ask.kept = s->kept;
    return rc;
}

enum errc schedule_tasks_prepare(struct schedule *s, struct err *err)
{
    struct platform *p = s->c->cli->platform;
    char name[SCHEDULE_NAME_ROOM];
    bool is_there;
    enum errc rc =
        p->task->find(p->self, name_of(s, SCHEDULE_TASK_RUN, name), NULL, &is_there, err);
    if (rc == E_UNSUPPORTED)
        return E_OK;
    if (rc == E_OK && s->c->setup.is_elevated)
        text_copy(s->account, sizeof(s->account), SCHEDULE_TASK_SYSTEM);
    else if (rc == E_OK)
        rc = p->task->own_account(p->self, s->account, sizeof(s->account), err);
    if (rc != E_OK)
        return err_prefix(err, "task %s: ", name);
    s->ask.account = s->account;
    s->by_tasks = true;
    return find_kept(s, err);
}

/* --- the copy of the program, which is there before a task names it */

/* The one that a pending run began with stays: it may be all that there is. */
static enum errc renew_program(const struct schedule *s, bool is_there, bool is_wanted,
                               struct err *err)
{
    struct memory memory;
    bool is_pending = false;
    enum errc rc = memory_open(&s->c->setup, true, &memory, err);
    if (rc != E_OK)
        return rc;
    rc = memory_recovery_is_pending(&memory, &is_pending, err);
    if (rc == E_OK && !(is_there && is_pending))
        rc = is_wanted ? own_program_keep(&s->c->setup, err) : own_program_drop(&s->c->setup, err);
    memory_close(&memory);
    return rc;
}

static enum errc settle_program(const struct schedule *s, bool is_wanted, struct err *err)
{
    struct platform *p = s->c->cli->platform;
    enum fs_kind kind = FS_ABSENT;
    enum errc rc = p->fs->kind(p->self, s->kept, &kind, err);
    if (rc == E_OK && (is_wanted || kind != FS_ABSENT))
        rc = renew_program(s, kind != FS_ABSENT, is_wanted, err);
    return rc;
}

/* --- the three verbs */

enum errc schedule_tasks_install(struct schedule *s, struct err *err)
{
    struct platform *p = s->c->cli->platform;
    enum errc rc = settle_program(s, true, err);
    for (int which = 0; which < SCHEDULE_TASKS && rc == E_OK; which++) {
        char name[SCHEDULE_NAME_ROOM];
        struct buf text;
        buf_init(&text, SCHEDULE_TEXT_MAX);
        rc = schedule_task_write(&s->ask, (enum schedule_task)which, &text, err);
        if (rc == E_OK)
            rc = p->task->put(p->self, name_of(s, which, name), buf_span(&text), err);
        if (rc != E_OK)
            rc = err_prefix(err, "task %s: ", name_of(s, which, name));
        if (rc == E_OK && !s->c->quiet)
            schedule_say(s, "  registered the task \\%s\n", name);
        buf_fini(&text);
    }
    if (rc != E_OK)
        return rc;
    s->was_asked = s->is_taken_up = true;
    schedule_say(s, "%s: looked after from now on\n", s->c->setup.product.name);
    return E_OK;
}

enum errc schedule_tasks_remove(struct schedule *s, struct err *err)
{
    struct platform *p = s->c->cli->platform;
    size_t n = 0;
    for (int which = 0; which < SCHEDULE_TASKS; which++) {
        char name[SCHEDULE_NAME_ROOM];
        enum errc rc = p->task->remove(p->self, name_of(s, which, name), err);
        if (rc != E_OK && rc != E_ABSENT)
            return err_prefix(err, "task %s: ", name);
        n += rc == E_OK;
    }
    if (settle_program(s, false, err) != E_OK)
        return err_prefix(err, "the tasks are gone, the copy of the program that one ran is not: ");
    schedule_say(s, "%s: %s\n", s->c->setup.product.name,
                 n > 0 ? "looked after no more" : "nothing was scheduled");
    return E_OK;
}

/* --- reports */

static enum errc is_installed(const struct schedule *s, const char *name, bool *out,
                              struct err *err)
{
    struct platform *p = s->c->cli->platform;
    enum errc rc = p->task->find(p->self, name, NULL, out, err);
    return rc == E_OK ? rc : err_prefix(err, "task %s: ", name);
}

enum errc schedule_tasks_show(struct schedule *s, struct err *err)
{
    struct buf page;
    enum errc rc = E_OK;
    if (s->c->as_json)
        return E_OK;
    buf_init(&page, 2 * SCHEDULE_TEXT_MAX);
    for (int which = 0; which < SCHEDULE_TASKS && rc == E_OK; which++) {
        char name[SCHEDULE_NAME_ROOM];
        bool is_there = false;
        rc = is_installed(s, name_of(s, which, name), &is_there, err);
        if (rc == E_OK)
            rc = buf_printf(&page, err, "# \\%s%s\n", name, is_there ? "" : " (not installed)");
        if (rc == E_OK)
            rc = schedule_task_write(&s->ask, (enum schedule_task)which, &page, err);
        if (rc == E_OK)
            rc = buf_add_byte(&page, '\n', err);
    }
    if (rc == E_OK)
        rc = cli_write(&page, err);
    buf_fini(&page);
    return rc;
}

static enum errc add_task(const struct schedule *s, int which, bool is_shown, struct buf *page,
                          struct err *err)
{
    static const char *const kinds[SCHEDULE_TASKS] = {
        [SCHEDULE_TASK_RUN] = "task", [SCHEDULE_TASK_RECOVER] = "recover"
    };
    char name[SCHEDULE_NAME_ROOM], path[SCHEDULE_NAME_ROOM + 1];
    bool is_there = false;
    struct buf text;
    buf_init(&text, SCHEDULE_TEXT_MAX);
    enum errc rc = is_installed(s, name_of(s, which, name), &is_there, err);
    (void)snprintf(path, sizeof(path), "\\%s", name);
    if (rc == E_OK)
        rc = schedule_task_write(&s->ask, (enum schedule_task)which, &text, err);
    if (rc == E_OK)
        rc = schedule_add_line(s, kinds[which], path, is_there, is_shown ? &text : NULL, page, err);
    buf_fini(&text);
    return rc;
}

enum errc schedule_tasks_report(const struct schedule *s, bool is_shown, struct err *err)
{
    struct buf page;
    enum errc rc = E_OK;
    buf_init(&page, 4 * SCHEDULE_TEXT_MAX);
    for (int which = 0; which < SCHEDULE_TASKS && rc == E_OK; which++)
        rc = add_task(s, which, is_shown, &page, err);
    if (rc == E_OK)
        rc = cli_write(&page, err);
    buf_fini(&page);
    return rc;
}
