/* A Task Scheduler: a list of descriptions, of a Windows alone. */

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "platform/mock/mock_machine.h"

static struct mock_task *find(struct mock *m, const char *name)
{
    for (size_t i = 0; i < m->n_tasks; i++)
        if (strcasecmp(m->tasks[i].name, name) == 0)
            return &m->tasks[i];
    return NULL;
}

void mock_tasks_fini(struct mock *m)
{
    for (size_t i = 0; i < m->n_tasks; i++) {
        free(m->tasks[i].name);
        free(m->tasks[i].xml);
    }
    free(m->tasks);
}

static enum errc check_is_there(const struct mock *m, const char *name, struct err *err)
{
    const char *cut = name == NULL ? NULL : strrchr(name, '\\');
    if (!m->is_windows)
        return err_set(err, E_UNSUPPORTED, "the Task Scheduler is of Windows");
    if (name != NULL && (cut == NULL || cut == name || cut[1] == '\0'))
        return err_set(err, E_ARGUMENT, "is no folder and name of a task");
    return E_OK;
}

static enum errc task_find(void *self, const char *name, struct buf *out, bool *out_found,
                           struct err *err)
{
    enum errc rc = check_is_there(self, name, err);
    if (rc != E_OK)
        return rc;
    const struct mock_task *there = find(self, name);
    if (there != NULL && out != NULL)
        rc = buf_add_text(out, there->xml, err);
    if (rc == E_OK)
        *out_found = there != NULL;
    return rc;
}

static char *text_of(struct span bytes)
{
    char *text = mock_calloc(1, bytes.len + 1);
    memcpy(text, bytes.ptr, bytes.len);
    return text;
}

static enum errc task_put(void *self, const char *name, struct span xml, struct err *err)
{
    struct mock *m = self;
    bool is_ignored = false;
    enum errc rc = check_is_there(m, name, err);
    if (rc == E_OK)
        rc = fault_ask(m->disk.plan, FAULT_ACT, "put_task", name, &is_ignored, err);
    if (rc != E_OK || is_ignored)
        return rc;
    struct mock_task *there = find(m, name);
    if (there == NULL) {
        m->tasks = mock_grow(m->tasks, m->n_tasks, &m->room_tasks, sizeof(m->tasks[0]));
        there = &m->tasks[m->n_tasks++];
        *there = (struct mock_task){ .name = mock_text(name) };
    }
    free(there->xml);
    there->xml = text_of(xml);
    return E_OK;
}

static enum errc task_remove(void *self, const char *name, struct err *err)
{
    struct mock *m = self;
    bool is_ignored = false;
    enum errc rc = check_is_there(m, name, err);
    if (rc == E_OK)
        rc = fault_ask(m->disk.plan, FAULT_ACT, "remove_task", name, &is_ignored, err);
    if (rc != E_OK || is_ignored)
        return rc;
    struct mock_task *there = find(m, name);
    if (there == NULL)
        return err_set(err, E_ABSENT, "there is no such task");
    free(there->name);
    free(there->xml);
    *there = m->tasks[--m->n_tasks];
    return E_OK;
}

static enum errc task_own_account(void *self, char *to, size_t room, struct err *err)
{
    const struct mock *m = self;
    const char *sid = m->is_elevated ? "S-1-5-21-1-2-3-500" : "S-1-5-21-1-2-3-1001";
    enum errc rc = check_is_there(m, NULL, err);
    if (rc == E_OK && strlen(sid) >= room)
        rc = err_set(err, E_LIMIT, "no room for a security identifier");
    if (rc == E_OK)
        memcpy(to, sid, strlen(sid) + 1);
    return rc;
}

const struct task_ops mock_task_ops = {
    .find = task_find, .put = task_put, .remove = task_remove, .own_account = task_own_account
};
