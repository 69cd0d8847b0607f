/* What a task runs, as the system has it. */

#include <string.h>

#include "installer/core/schedule_task.h"
#include "manifest/xml.h"
#include "platform/base/text.h"

#define TASK_BYTES_MAX (256 * 1024)

struct reading {
    char *to;
    size_t depth;
    bool is_in_actions, is_found;
    size_t n_actions;
};

static enum errc start(void *ctx, const struct xml_element *element, struct err *err)
{
    struct reading *r = ctx;
    r->depth++;
    if (r->depth == 2)
        r->is_in_actions = strcmp(element->name, "Actions") == 0;
    if (r->depth != 3 || !r->is_in_actions)
        return E_OK;
    if (++r->n_actions > 1)
        return err_set(err, E_MALFORMED, "the task does more than one thing");
    if (strcmp(element->name, "Exec") != 0)
        return err_set(err, E_MALFORMED, "the task runs no program");
    return E_OK;
}

/* Windows takes a command with quotes around it as one without. */
static enum errc take(struct reading *r, const char *text, struct err *err)
{
    size_t len = strlen(text);
    if (len >= 2 && text[0] == '"' && text[len - 1] == '"') {
        text++;
        len -= 2;
    }
    if (len >= SETUP_PATH_ROOM)
        return err_set(err, E_LIMIT, "the task's program has too long a path");
    memcpy(r->to, text, len);
    r->to[len] = '\0';
    os_path_slashes(OS_PATH_WINDOWS, r->to);
    r->is_found = len > 0;
    return E_OK;
}

static enum errc end(void *ctx, const char *name, const char *text, int line, struct err *err)
{
    struct reading *r = ctx;
    const bool is_command = r->is_in_actions && r->depth == 4 && strcmp(name, "Command") == 0;
    UNUSED(line);
    r->depth--;
    return is_command ? take(r, text, err) : E_OK;
}

enum errc schedule_task_read(struct span xml, char to[SETUP_PATH_ROOM], struct err *err)
{
    const struct xml_handler handler = { start, end };
    struct reading r = { .to = to };
    enum errc rc = xml_read(xml, TASK_BYTES_MAX, &handler, &r, err);
    if (rc == E_OK && !r.is_found)
        rc = err_set(err, E_ABSENT, "the task names no program");
    return rc;
}

static enum errc find(const struct setup *setup, enum schedule_task which, bool *out_there,
                      struct buf *xml, struct err *err)
{
    struct platform *p = setup->platform;
    char name[SCHEDULE_NAME_ROOM];
    bool is_there = false;
    enum errc rc =
        p->task->find(p->self, schedule_task_name(setup, which, name), xml, &is_there, err);
    if (rc == E_OK)
        *out_there = is_there;
    return rc;
}

static enum errc check_program(const struct setup *setup, const char *path, struct err *err)
{
    struct platform *p = setup->platform;
    enum fs_kind kind = FS_ABSENT;
    enum errc rc = p->fs->kind(p->self, path, &kind, err);
    if (rc == E_OK && kind != FS_FILE)
        rc = err_set(err, E_ABSENT, "there is no such program");
    if (rc != E_OK)
        return setup_name_path(path, err);
    return setup_guard(setup, path, FS_GUARD_LINKS, err);
}

enum errc schedule_task_check(const struct setup *setup, enum schedule_task which, bool *out_there,
                              char program[SETUP_PATH_ROOM], struct err *err)
{
    struct buf xml;
    buf_init(&xml, TASK_BYTES_MAX);
    *out_there = false;
    enum errc rc = find(setup, which, out_there, &xml, err);
    if (rc == E_OK && *out_there)
        rc = schedule_task_read(buf_span(&xml), program, err);
    if (rc == E_OK && *out_there)
        rc = check_program(setup, program, err);
    buf_fini(&xml);
    return rc;
}
